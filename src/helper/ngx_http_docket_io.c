/*
 * The io thread: merges what the streams have, writes it, and between these
 * steps sees to the rest that takes its time.
 *
 * Runs that have something to merge stand in hlp->ready and get a step in
 * turn.
 */

#include "helper/ngx_http_docket_process.h"


static void *ngx_http_docket_io_thread(void *data);
static void *ngx_http_docket_sync_thread(void *data);
static ngx_int_t ngx_http_docket_io_spawn(ngx_http_docket_proc_t *hlp,
    pthread_t *tid, void *(*start)(void *));
static ngx_uint_t ngx_http_docket_io_turn(ngx_http_docket_proc_t *hlp,
    ngx_uint_t wait);
static void ngx_http_docket_io_push(ngx_http_docket_run_t *run);
static void ngx_http_docket_io_chores(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_io_notes(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_io_step(ngx_http_docket_run_t *run);
static void ngx_http_docket_io_merge(ngx_http_docket_run_t *run);
static int ngx_http_docket_io_open(ngx_http_docket_run_t *run);
static int ngx_http_docket_io_write(void *ctx, const void *buf, size_t n);
static ngx_int_t ngx_http_docket_io_waits(ngx_http_docket_run_t *run);
static void ngx_http_docket_io_fail(ngx_http_docket_run_t *run,
    const char *what, ngx_err_t err);
static void ngx_http_docket_io_merging(ngx_http_docket_run_t *run);
static void ngx_http_docket_io_grown(ngx_http_docket_run_t *run);
static void ngx_http_docket_io_tell(ngx_http_docket_run_t *run);
static void ngx_http_docket_io_late(ngx_http_docket_proc_t *hlp);
static ngx_uint_t ngx_http_docket_io_room(ngx_http_docket_run_t *run);


ngx_int_t
ngx_http_docket_io_start(ngx_http_docket_proc_t *hlp)
{
    pthread_t           tid;
    pthread_condattr_t  attr;

    ngx_queue_init(&hlp->ready);
    ngx_queue_init(&hlp->done);
    ngx_queue_init(&hlp->notes);
    ngx_queue_init(&hlp->late);
    ngx_queue_init(&hlp->restore);
    ngx_queue_init(&hlp->unsaved);

    hlp->index = docket_index_create(&hlp->mcf->sp);

    if (hlp->index == NULL
        || pthread_mutex_init(&hlp->mutex, NULL) != 0
        || pthread_condattr_init(&attr) != 0
        || pthread_condattr_setclock(&attr, CLOCK_MONOTONIC) != 0
        || pthread_cond_init(&hlp->cond, &attr) != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, hlp->log, 0,
                      "docket process: no memory to start");
        return NGX_ERROR;
    }

    (void) pthread_condattr_destroy(&attr);

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


void
ngx_http_docket_io_ready(ngx_http_docket_run_t *run)
{
    (void) pthread_mutex_lock(&run->hlp->mutex);
    ngx_http_docket_io_push(run);
    (void) pthread_mutex_unlock(&run->hlp->mutex);
}


void
ngx_http_docket_io_ended(ngx_http_docket_run_t *run)
{
    ngx_http_docket_proc_t  *hlp;

    /* in one step: as soon as it is seen as ended it may be gone */

    hlp = run->hlp;

    (void) pthread_mutex_lock(&hlp->mutex);
    run->ended = 1;
    ngx_http_docket_io_push(run);
    (void) pthread_mutex_unlock(&hlp->mutex);
}


static void
ngx_http_docket_io_push(ngx_http_docket_run_t *run)
{
    if (run->ready) {
        return;
    }

    run->ready = 1;
    ngx_queue_insert_tail(&run->hlp->ready, &run->io_queue);

    (void) pthread_cond_signal(&run->hlp->cond);
}


void
ngx_http_docket_io_sync(ngx_http_docket_proc_t *hlp)
{
    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->sync = 1;
    (void) pthread_mutex_unlock(&hlp->mutex);
}


void
ngx_http_docket_io_halt(ngx_http_docket_run_t *run,
    ngx_http_docket_stop_e why)
{
    (void) pthread_mutex_lock(&run->hlp->mutex);

    if (run->stop == NGX_HTTP_DOCKET_STOP_NONE) {
        run->stop = why;
    }

    (void) pthread_mutex_unlock(&run->hlp->mutex);

    ngx_http_docket_poke(run->hlp->event);
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

    while (ngx_http_docket_io_turn(hlp, 1)) {
        ngx_http_docket_io_late(hlp);
        ngx_http_docket_io_chores(hlp);
    }

    return NULL;
}


ngx_uint_t
ngx_http_docket_io_serve(ngx_http_docket_proc_t *hlp)
{
    if (!ngx_http_docket_io_turn(hlp, 0)) {
        return 1;
    }

    ngx_http_docket_io_late(hlp);

    return ngx_http_docket_io_released(hlp);
}


ngx_uint_t
ngx_http_docket_io_released(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t  released;

    (void) pthread_mutex_lock(&hlp->mutex);
    released = hlp->released;
    (void) pthread_mutex_unlock(&hlp->mutex);

    return released;
}


/*
 * One step for each run that stands in the queue now; waits for one when told
 * to, but not for longer than something else can.  0: the thread is to end.
 */

static ngx_uint_t
ngx_http_docket_io_turn(ngx_http_docket_proc_t *hlp, ngx_uint_t wait)
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

        ngx_http_docket_io_step(run);

        (void) pthread_mutex_lock(&hlp->mutex);
    }

    n = !hlp->quit;

    (void) pthread_mutex_unlock(&hlp->mutex);

    return n;
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

    if (ngx_http_docket_io_released(hlp)) {
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


static void
ngx_http_docket_io_step(ngx_http_docket_run_t *run)
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
        if (ngx_http_docket_io_open(run) == DOCKET_OK) {
            ngx_http_docket_io_merge(run);
        }

        (void) pthread_mutex_lock(&hlp->mutex);
        stop = run->stop;
        run->waits = ngx_http_docket_io_waits(run);
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
            ngx_http_docket_io_ready(run);
        }

        return;
    }

    if (go && !cancel && stop == NGX_HTTP_DOCKET_STOP_NONE
        && (run->rc == DOCKET_AGAIN || run->rc == DOCKET_BUSY))
    {
        ngx_http_docket_io_merging(run);
        ngx_http_docket_io_ready(run);
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
ngx_http_docket_io_merge(ngx_http_docket_run_t *run)
{
    run->rc = docket_merge_run(run->merge);

    switch (run->rc) {

    case DOCKET_ERROR:
        ngx_http_docket_io_fail(run, NULL, 0);
        break;

    case DOCKET_BUSY:

        /* readers are told of whole records only */

        if (docket_merge_flush(run->merge) != DOCKET_OK) {
            ngx_http_docket_io_fail(run, NULL, 0);
            break;
        }

        ngx_http_docket_io_grown(run);
        break;

    case DOCKET_LIMIT:
        (void) snprintf(run->words, sizeof(run->words), "%s",
                        docket_merge_error(run->merge));
        ngx_http_docket_io_halt(run, NGX_HTTP_DOCKET_STOP_LIMIT);
        break;

    default:
        ngx_http_docket_io_grown(run);
        break;
    }
}


static int
ngx_http_docket_io_open(ngx_http_docket_run_t *run)
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
            ngx_http_docket_io_halt(run, NGX_HTTP_DOCKET_STOP_ERROR);
            return DOCKET_ERROR;
        }
    }

    run->fd = docket_spool_part(run->dirfd, job->run);

    if (run->fd == -1) {
        ngx_http_docket_io_fail(run, "making the capture's file", ngx_errno);
        return DOCKET_ERROR;
    }

    run->summary = docket_summary_create();

    ngx_memzero(&conf, sizeof(docket_merge_conf_t));

    conf.write = ngx_http_docket_io_write;
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
        ngx_http_docket_io_fail(run, "merging", ENOMEM);
        return DOCKET_ERROR;
    }

    for (i = 0; i < run->nasks; i++) {
        if (docket_merge_add(run->merge, run->asks[i].stream) != DOCKET_OK) {
            ngx_http_docket_io_fail(run, "merging", ENOMEM);
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


static int
ngx_http_docket_io_write(void *ctx, const void *buf, size_t n)
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
ngx_http_docket_io_waits(ngx_http_docket_run_t *run)
{
    if (run->rc != DOCKET_AGAIN) {
        return -1;
    }

    return docket_merge_waits(run->merge) - (run->old != NULL);
}


/* The job fails; what was written of it goes. "what": NULL: the merge's. */

static void
ngx_http_docket_io_fail(ngx_http_docket_run_t *run, const char *what,
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
    ngx_http_docket_io_halt(run, NGX_HTTP_DOCKET_STOP_ERROR);
}


/* All transfers are done, but there is still much to be written. */

static void
ngx_http_docket_io_merging(ngx_http_docket_run_t *run)
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
ngx_http_docket_io_grown(ngx_http_docket_run_t *run)
{
    ngx_http_docket_proc_t  *hlp;

    hlp = run->hlp;

    if (run->written == run->told || run->rc == DOCKET_DONE) {
        return;
    }

    if (run->written - run->checked >= NGX_HTTP_DOCKET_STEP / 2) {
        run->checked = run->written;

        if (!ngx_http_docket_io_room(run)) {
            ngx_http_docket_io_halt(run, NGX_HTTP_DOCKET_STOP_SPACE);
            return;
        }
    }

    if (ngx_http_docket_monotonic() - run->told_at
        >= NGX_HTTP_DOCKET_WRITTEN)
    {
        ngx_http_docket_io_tell(run);
        return;
    }

    if (!run->late) {
        run->late = 1;
        ngx_queue_insert_tail(&hlp->late, &run->late_queue);
    }
}


static void
ngx_http_docket_io_tell(ngx_http_docket_run_t *run)
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


static void
ngx_http_docket_io_late(ngx_http_docket_proc_t *hlp)
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
            ngx_http_docket_io_tell(run);
        }
    }
}


/* For the next step, which may end with the largest record. */

static ngx_uint_t
ngx_http_docket_io_room(ngx_http_docket_run_t *run)
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
