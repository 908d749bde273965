/*
 * The io thread: serves the runs, and between their steps sees to the rest
 * that takes its time.
 */

#include "helper/ngx_http_docket_io.h"
#include "helper/ngx_http_docket_clean.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_load.h"
#include "helper/ngx_http_docket_merge.h"
#include "helper/ngx_http_docket_record.h"
#include "helper/ngx_http_docket_shared.h"


/* milliseconds */
#define NGX_HTTP_DOCKET_LEAVE         700   /* for the io thread to stop */
#define NGX_HTTP_DOCKET_SPACE_CLEAN   10000

#define NGX_HTTP_DOCKET_STACK         (512 * 1024)


static void *ngx_http_docket_io_thread(void *data);
static void *ngx_http_docket_sync_thread(void *data);
static ngx_int_t ngx_http_docket_io_spawn(ngx_http_docket_proc_t *hlp,
    pthread_t *tid, void *(*start)(void *));
static void ngx_http_docket_io_chores(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_io_notes(ngx_http_docket_proc_t *hlp);


ngx_int_t
ngx_http_docket_io_start(ngx_http_docket_proc_t *hlp)
{
    pthread_t  tid;

    ngx_queue_init(&hlp->late);
    ngx_queue_init(&hlp->restore);
    ngx_queue_init(&hlp->unsaved);

    hlp->index = docket_index_create(&hlp->mcf->sp);

    if (hlp->index == NULL || ngx_http_docket_shared_init(hlp) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, hlp->log, 0,
                      "docket process: no memory to start");
        return NGX_ERROR;
    }

    if (ngx_http_docket_io_spawn(hlp, &hlp->io, ngx_http_docket_io_thread)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* with docket_sync each file is synced where it is written */

    if (hlp->mcf->sync) {
        return NGX_OK;
    }

    return ngx_http_docket_io_spawn(hlp, &tid, ngx_http_docket_sync_thread);
}


static ngx_int_t
ngx_http_docket_io_spawn(ngx_http_docket_proc_t *hlp, pthread_t *tid,
    void *(*start)(void *))
{
    int             rc;
    sigset_t        all, old;
    pthread_attr_t  attr;

    if (pthread_attr_init(&attr) != 0
        || pthread_attr_setstacksize(&attr, NGX_HTTP_DOCKET_STACK) != 0)
    {
        return NGX_ERROR;
    }

    /* signals are the first thread's */

    (void) sigfillset(&all);
    (void) pthread_sigmask(SIG_BLOCK, &all, &old);

    rc = pthread_create(tid, &attr, start, hlp);

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
    (void) pthread_attr_destroy(&attr);

    if (rc != 0) {
        ngx_log_error(NGX_LOG_EMERG, hlp->log, rc, "pthread_create() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_io_stop(ngx_http_docket_proc_t *hlp)
{
    struct timespec  ts;

    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->quit = 1;
    (void) pthread_cond_broadcast(&hlp->cond);
    (void) pthread_mutex_unlock(&hlp->mutex);

    /* the day's clock may be set meanwhile */

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    ts.tv_nsec += NGX_HTTP_DOCKET_LEAVE * 1000000L;
    ts.tv_sec += ts.tv_nsec / 1000000000L;
    ts.tv_nsec %= 1000000000L;

    return (pthread_clockjoin_np(hlp->io, NULL, CLOCK_MONOTONIC, &ts) == 0)
           ? NGX_OK : NGX_ERROR;
}


/* What was accepted survives a power cut about a second later. */

static void *
ngx_http_docket_sync_thread(void *data)
{
    ngx_http_docket_proc_t *hlp = data;

    ngx_uint_t  sync;

    for ( ;; ) {
        ngx_msleep(500);

        (void) pthread_mutex_lock(&hlp->mutex);
        sync = hlp->sync;
        hlp->sync = 0;
        (void) pthread_mutex_unlock(&hlp->mutex);

        if (sync && syncfs(hlp->mcf->sp.fd) == -1) {
            ngx_log_error(NGX_LOG_ALERT, hlp->log, ngx_errno,
                          "syncfs() of the docket spool failed");
        }
    }

    return NULL;
}


static void *
ngx_http_docket_io_thread(void *data)
{
    ngx_http_docket_proc_t *hlp = data;

    while (ngx_http_docket_merge_turn(hlp, 1)) {
        ngx_http_docket_merge_late(hlp);
        ngx_http_docket_io_chores(hlp);
    }

    return NULL;
}


static void
ngx_http_docket_io_chores(ngx_http_docket_proc_t *hlp)
{
    int64_t                   now;
    ngx_uint_t                load, clean, n;
    ngx_http_docket_asker_t  *askers;

    ngx_http_docket_io_notes(hlp);

    (void) pthread_mutex_lock(&hlp->mutex);

    load = hlp->load;
    clean = hlp->clean;
    askers = hlp->askers;
    n = hlp->naskers;

    hlp->load = 0;
    hlp->clean = 0;
    hlp->askers = NULL;

    (void) pthread_mutex_unlock(&hlp->mutex);

    if (n != 0) {
        ngx_http_docket_askers_save(hlp, askers, n);
        free(askers);

        (void) pthread_mutex_lock(&hlp->mutex);
        hlp->naskers = 0;
        (void) pthread_mutex_unlock(&hlp->mutex);
    }

    if (ngx_http_docket_shared_released(hlp)) {
        return;
    }

    now = ngx_http_docket_monotonic();

    if (now - hlp->io_second >= 1000 || hlp->io_second == 0) {
        hlp->io_second = now;
        ngx_http_docket_space(hlp);
        ngx_http_docket_clock(hlp);
        ngx_http_docket_load_rest(hlp);
        ngx_http_docket_unsaved_turn(hlp);
    }

    if (load) {
        ngx_http_docket_load(hlp);
        hlp->cleaned = 0;
    }

    if (!hlp->loaded) {
        return;
    }

    now = ngx_http_docket_monotonic();

    if (clean || hlp->cleaned == 0
        || now - hlp->cleaned >= (int64_t) hlp->mcf->cleanup_period
        || (hlp->free_bytes < (uint64_t) hlp->mcf->expire_space
            && now - hlp->space_cleaned >= NGX_HTTP_DOCKET_SPACE_CLEAN))
    {
        hlp->cleaned = now;
        hlp->space_cleaned = now;
        ngx_http_docket_clean(hlp);
    }
}


static void
ngx_http_docket_io_notes(ngx_http_docket_proc_t *hlp)
{
    ngx_queue_t             *q;
    ngx_http_docket_note_t  *note;

    for ( ;; ) {
        note = NULL;

        (void) pthread_mutex_lock(&hlp->mutex);

        if (!ngx_queue_empty(&hlp->notes)) {
            q = ngx_queue_head(&hlp->notes);
            ngx_queue_remove(q);
            note = ngx_queue_data(q, ngx_http_docket_note_t, queue);
        }

        (void) pthread_mutex_unlock(&hlp->mutex);

        if (note == NULL) {
            return;
        }

        ngx_http_docket_index_put(hlp, &note->record);
        ngx_http_docket_zone_indexed(hlp->mcf->zone, note->id);
        ngx_http_docket_unsaved_add(hlp, note->unsaved);

        ngx_free(note);
    }
}


