/*
 * What one thread tells the other.
 */

#include "helper/ngx_http_docket_shared.h"


static void ngx_http_docket_shared_push(ngx_http_docket_run_t *run);


ngx_int_t
ngx_http_docket_shared_init(ngx_http_docket_proc_t *hlp)
{
    pthread_condattr_t  attr;

    ngx_queue_init(&hlp->ready);
    ngx_queue_init(&hlp->done);
    ngx_queue_init(&hlp->notes);

    if (pthread_mutex_init(&hlp->mutex, NULL) != 0
        || pthread_condattr_init(&attr) != 0
        || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0
        || pthread_cond_init(&hlp->cond, &attr) != 0)
    {
        return NGX_ERROR;
    }

    (void) pthread_condattr_destroy(&attr);

    return NGX_OK;
}


void
ngx_http_docket_shared_ready(ngx_http_docket_run_t *run)
{
    (void) pthread_mutex_lock(&run->hlp->mutex);
    ngx_http_docket_shared_push(run);
    (void) pthread_mutex_unlock(&run->hlp->mutex);
}


void
ngx_http_docket_shared_ended(ngx_http_docket_run_t *run)
{
    ngx_http_docket_proc_t  *hlp;

    /* in one step: as soon as it is seen as ended it may be gone */

    hlp = run->hlp;

    (void) pthread_mutex_lock(&hlp->mutex);
    run->ended = 1;
    ngx_http_docket_shared_push(run);
    (void) pthread_mutex_unlock(&hlp->mutex);
}


static void
ngx_http_docket_shared_push(ngx_http_docket_run_t *run)
{
    if (run->ready) {
        return;
    }

    run->ready = 1;
    ngx_queue_insert_tail(&run->hlp->ready, &run->io_queue);

    (void) pthread_cond_signal(&run->hlp->cond);
}


void
ngx_http_docket_shared_halt(ngx_http_docket_run_t *run,
    ngx_http_docket_stop_e why)
{
    (void) pthread_mutex_lock(&run->hlp->mutex);

    if (run->stop == NGX_HTTP_DOCKET_STOP_NONE) {
        run->stop = why;
    }

    (void) pthread_mutex_unlock(&run->hlp->mutex);

    ngx_http_docket_poke(run->hlp->event);
}


ngx_uint_t
ngx_http_docket_shared_released(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t  released;

    (void) pthread_mutex_lock(&hlp->mutex);
    released = hlp->released;
    (void) pthread_mutex_unlock(&hlp->mutex);

    return released;
}


void
ngx_http_docket_shared_sync(ngx_http_docket_proc_t *hlp)
{
    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->sync = 1;
    (void) pthread_mutex_unlock(&hlp->mutex);
}


void
ngx_http_docket_poke(int event)
{
    ssize_t   n;
    uint64_t  one;

    one = 1;

    do {
        n = write(event, &one, sizeof(one));
    } while (n == -1 && ngx_errno == NGX_EINTR);
}
