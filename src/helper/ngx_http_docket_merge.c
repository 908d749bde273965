/*
 * Merges what the streams have, and writes it.
 *
 * Runs that have something to merge stand in hlp->ready and get a step in
 * turn.
 */

#include "helper/ngx_http_docket_merge.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_finish.h"
#include "helper/ngx_http_docket_shared.h"


/* milliseconds */
#define NGX_HTTP_DOCKET_WRITTEN       3     /* between two marks of growth */


static void ngx_http_docket_merge_step(ngx_http_docket_run_t *run);
static void ngx_http_docket_merge_run(ngx_http_docket_run_t *run);
static int ngx_http_docket_merge_open(ngx_http_docket_run_t *run);
static int ngx_http_docket_merge_write(void *ctx, const void *buf, size_t n);
static ngx_int_t ngx_http_docket_merge_waits(ngx_http_docket_run_t *run);
static void ngx_http_docket_merge_fail(ngx_http_docket_run_t *run,
    const char *what, ngx_err_t err);
static void ngx_http_docket_merge_merging(ngx_http_docket_run_t *run);
static void ngx_http_docket_merge_grown(ngx_http_docket_run_t *run);
static void ngx_http_docket_merge_tell(ngx_http_docket_run_t *run);
static ngx_uint_t ngx_http_docket_merge_room(ngx_http_docket_run_t *run);


ngx_uint_t
ngx_http_docket_merge_turn(ngx_http_docket_proc_t *hlp, ngx_uint_t wait)
{
    int64_t                 delay;
    ngx_uint_t              n;
    ngx_queue_t            *q;
    struct timespec         ts;
    ngx_http_docket_run_t  *run;

    delay = ngx_queue_empty(&hlp->late) ? NGX_HTTP_DOCKET_TICK
                                        : NGX_HTTP_DOCKET_WRITTEN;

    (void) pthread_mutex_lock(&hlp->mutex);

    if (wait && ngx_queue_empty(&hlp->ready) && !hlp->quit
        && ngx_queue_empty(&hlp->notes) && hlp->naskers == 0 && !hlp->load
        && !hlp->clean)
    {
        (void) clock_gettime(CLOCK_MONOTONIC, &ts);

        ts.tv_nsec += delay * 1000000;
        ts.tv_sec += ts.tv_nsec / 1000000000;
        ts.tv_nsec %= 1000000000;

        (void) pthread_cond_timedwait(&hlp->cond, &hlp->mutex, &ts);
    }

    for (n = hlp->mcf->max_active + 1; n > 0 && !hlp->quit; n--) {

        if (ngx_queue_empty(&hlp->ready)) {
            break;
        }

        q = ngx_queue_head(&hlp->ready);
        ngx_queue_remove(q);

        run = ngx_queue_data(q, ngx_http_docket_run_t, io_queue);
        run->ready = 0;

        (void) pthread_mutex_unlock(&hlp->mutex);

        ngx_http_docket_merge_step(run);

        (void) pthread_mutex_lock(&hlp->mutex);
    }

    n = !hlp->quit;

    (void) pthread_mutex_unlock(&hlp->mutex);

    return n;
}


ngx_uint_t
ngx_http_docket_merge_serve(ngx_http_docket_proc_t *hlp)
{
    if (!ngx_http_docket_merge_turn(hlp, 0)) {
        return 1;
    }

    ngx_http_docket_merge_late(hlp);

    return ngx_http_docket_shared_released(hlp);
}


static void
ngx_http_docket_merge_step(ngx_http_docket_run_t *run)
{
    ngx_uint_t               go, ended, cancel, paused;
    ngx_http_docket_proc_t  *hlp;
    ngx_http_docket_stop_e   stop;

    hlp = run->hlp;

    (void) pthread_mutex_lock(&hlp->mutex);
    go = run->go;
    ended = run->ended;
    cancel = run->cancel;
    stop = run->stop;
    run->waits = -1;
    (void) pthread_mutex_unlock(&hlp->mutex);

    if (go && !cancel && stop == NGX_HTTP_DOCKET_STOP_NONE
        && (run->rc == DOCKET_AGAIN || run->rc == DOCKET_BUSY))
    {
        if (ngx_http_docket_merge_open(run) == DOCKET_OK) {
            ngx_http_docket_merge_run(run);
        }

        (void) pthread_mutex_lock(&hlp->mutex);
        stop = run->stop;
        run->waits = ngx_http_docket_merge_waits(run);
        paused = run->paused;
        run->paused = 0;
        (void) pthread_mutex_unlock(&hlp->mutex);

        if (paused) {
            ngx_http_docket_poke(hlp->event);
        }
    }

    if (!ended) {

        /* a step ended in the middle: the others come first */

        if (run->rc == DOCKET_BUSY && go && !cancel
            && stop == NGX_HTTP_DOCKET_STOP_NONE)
        {
            ngx_http_docket_shared_ready(run);
        }

        return;
    }

    if (go && !cancel && stop == NGX_HTTP_DOCKET_STOP_NONE
        && (run->rc == DOCKET_AGAIN || run->rc == DOCKET_BUSY))
    {
        ngx_http_docket_merge_merging(run);
        ngx_http_docket_shared_ready(run);
        return;
    }

    if (run->late) {
        ngx_queue_remove(&run->late_queue);
        run->late = 0;
    }

    /* its end may have been told after it was taken from the queue */

    (void) pthread_mutex_lock(&hlp->mutex);

    if (run->ready) {
        ngx_queue_remove(&run->io_queue);
        run->ready = 0;
    }

    (void) pthread_mutex_unlock(&hlp->mutex);

    ngx_http_docket_finish(run, cancel, go, stop);

    (void) pthread_mutex_lock(&hlp->mutex);
    ngx_queue_insert_tail(&hlp->done, &run->io_queue);
    hlp->sync = 1;
    (void) pthread_mutex_unlock(&hlp->mutex);

    ngx_http_docket_poke(hlp->event);
}


static void
ngx_http_docket_merge_run(ngx_http_docket_run_t *run)
{
    run->rc = docket_merge_run(run->merge);

    switch (run->rc) {

    case DOCKET_ERROR:
        ngx_http_docket_merge_fail(run, NULL, 0);
        break;

    case DOCKET_BUSY:

        /* readers are told of whole records only */

        if (docket_merge_flush(run->merge) != DOCKET_OK) {
            ngx_http_docket_merge_fail(run, NULL, 0);
            break;
        }

        ngx_http_docket_merge_grown(run);
        break;

    case DOCKET_LIMIT:
        (void) snprintf(run->words, sizeof(run->words), "%s",
                        docket_merge_error(run->merge));
        ngx_http_docket_shared_halt(run, NGX_HTTP_DOCKET_STOP_LIMIT);
        break;

    default:
        ngx_http_docket_merge_grown(run);
        break;
    }
}


static int
ngx_http_docket_merge_open(ngx_http_docket_run_t *run)
{
    char                  err[DOCKET_PCAP_WORDS];
    ngx_uint_t            i;
    docket_job_t         *job;
    docket_merge_conf_t   conf;

    if (run->merge != NULL) {
        return DOCKET_OK;
    }

    job = run->job;

    if (job->filter != NULL) {
        run->filter = docket_filter_create(job->filter, strlen(job->filter),
                                           err, sizeof(err), NULL);
        if (run->filter == NULL) {
            (void) snprintf(run->words, sizeof(run->words), "filter: %s", err);
            run->rc = DOCKET_ERROR;
            ngx_http_docket_shared_halt(run, NGX_HTTP_DOCKET_STOP_ERROR);
            return DOCKET_ERROR;
        }
    }

    run->fd = docket_spool_part(run->dirfd, job->run);

    if (run->fd == -1) {
        ngx_http_docket_merge_fail(run, "making the capture's file",
                                   ngx_errno);
        return DOCKET_ERROR;
    }

    run->summary = docket_summary_create();

    ngx_memzero(&conf, sizeof(docket_merge_conf_t));

    conf.write = ngx_http_docket_merge_write;
    conf.ctx = run;
    conf.filter = run->filter;
    conf.summary = run->summary;
    conf.limit_packets = job->limit_packets;
    conf.limit_bytes = job->limit_bytes;
    conf.step = NGX_HTTP_DOCKET_STEP;

    run->merge = docket_merge_create(&conf);

    if (run->merge == NULL || run->summary == NULL
        || (run->old != NULL
            && docket_merge_add(run->merge, run->old) != DOCKET_OK))
    {
        ngx_http_docket_merge_fail(run, "merging", ENOMEM);
        return DOCKET_ERROR;
    }

    for (i = 0; i < run->nasks; i++) {
        if (docket_merge_add(run->merge, run->asks[i].stream) != DOCKET_OK) {
            ngx_http_docket_merge_fail(run, "merging", ENOMEM);
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


static int
ngx_http_docket_merge_write(void *ctx, const void *buf, size_t n)
{
    ngx_http_docket_run_t *run = ctx;

    if (docket_merge_fd(&run->fd, buf, n) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    run->written += n;

    return DOCKET_OK;
}


/* An earlier capture, which is the first stream, is never waited for. */

static ngx_int_t
ngx_http_docket_merge_waits(ngx_http_docket_run_t *run)
{
    if (run->rc != DOCKET_AGAIN) {
        return -1;
    }

    return docket_merge_waits(run->merge) - (run->old != NULL);
}


/* The job fails; what was written of it goes. "what": NULL: the merge's. */

static void
ngx_http_docket_merge_fail(ngx_http_docket_run_t *run, const char *what,
    ngx_err_t err)
{
    if (what == NULL) {
        err = docket_merge_errno(run->merge);
        (void) snprintf(run->words, sizeof(run->words), "%s%s",
                        (err == 0) ? "" : "writing the capture failed: ",
                        docket_merge_error(run->merge));

    } else {
        (void) snprintf(run->words, sizeof(run->words), "%s failed: %s", what,
                        strerror(err));
    }

    ngx_log_error(NGX_LOG_CRIT, run->hlp->log, err, "docket job %s: %s",
                  run->id, run->words);

    run->rc = DOCKET_ERROR;
    ngx_http_docket_shared_halt(run, NGX_HTTP_DOCKET_STOP_ERROR);
}


/* All transfers are done, but there is still much to be written. */

static void
ngx_http_docket_merge_merging(ngx_http_docket_run_t *run)
{
    char    *text;
    size_t   len;

    if (run->merging) {
        return;
    }

    run->merging = 1;

    (void) docket_job_event(run->job, DOCKET_MERGING, "Merging",
                            "the sensors are done", ngx_http_docket_now());

    if (docket_job_print(run->job, &text, &len) == DOCKET_OK) {
        ngx_http_docket_zone_update(run->hlp->mcf->zone, run->job, text, len);
        free(text);
        ngx_http_docket_wake_workers(run->hlp->mcf);
    }
}


/* Readers learn of growth at once, but not of each of many small ones. */

static void
ngx_http_docket_merge_grown(ngx_http_docket_run_t *run)
{
    ngx_http_docket_proc_t  *hlp;

    hlp = run->hlp;

    if (run->written == run->told || run->rc == DOCKET_DONE) {
        return;
    }

    if (run->written - run->checked >= NGX_HTTP_DOCKET_STEP / 2) {
        run->checked = run->written;

        if (!ngx_http_docket_merge_room(run)) {
            ngx_http_docket_shared_halt(run, NGX_HTTP_DOCKET_STOP_SPACE);
            return;
        }
    }

    if (ngx_http_docket_monotonic() - run->told_at
        >= NGX_HTTP_DOCKET_WRITTEN)
    {
        ngx_http_docket_merge_tell(run);
        return;
    }

    if (!run->late) {
        run->late = 1;
        ngx_queue_insert_tail(&hlp->late, &run->late_queue);
    }
}


static void
ngx_http_docket_merge_tell(ngx_http_docket_run_t *run)
{
    uint64_t  packets;

    if (run->late) {
        ngx_queue_remove(&run->late_queue);
        run->late = 0;
    }

    run->told = run->written;
    run->told_at = ngx_http_docket_monotonic();

    packets = docket_merge_count(run->merge)->packets;

    ngx_http_docket_zone_written(run->hlp->mcf->zone, run->id, run->job->run,
                                 run->written, packets);
    ngx_http_docket_wake_workers(run->hlp->mcf);
}


void
ngx_http_docket_merge_late(ngx_http_docket_proc_t *hlp)
{
    int64_t                 now;
    ngx_queue_t            *q, *next;
    ngx_http_docket_run_t  *run;

    if (ngx_queue_empty(&hlp->late)) {
        return;
    }

    now = ngx_http_docket_monotonic();

    for (q = ngx_queue_head(&hlp->late);
         q != ngx_queue_sentinel(&hlp->late);
         q = next)
    {
        next = ngx_queue_next(q);
        run = ngx_queue_data(q, ngx_http_docket_run_t, late_queue);

        if (now - run->told_at >= NGX_HTTP_DOCKET_WRITTEN) {
            ngx_http_docket_merge_tell(run);
        }
    }
}


/* For the next step, which may end with the largest record. */

static ngx_uint_t
ngx_http_docket_merge_room(ngx_http_docket_run_t *run)
{
    uint64_t                      bytes, nodes;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = run->hlp->mcf;

    if (docket_spool_space(&mcf->sp, &bytes, &nodes) != DOCKET_OK) {
        return 1;
    }

    return bytes > (uint64_t) mcf->free_bytes + NGX_HTTP_DOCKET_STEP
                   + DOCKET_PCAP_SNAPLEN + DOCKET_PCAP_RECORD
           && nodes > mcf->free_nodes;
}
