/*
 * A job that runs: its start, and what stops it.
 */

#include "helper/ngx_http_docket_run.h"
#include "helper/ngx_http_docket_ask.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_sensor.h"
#include "helper/ngx_http_docket_shared.h"

#include <malloc.h>


/* milliseconds */
#define NGX_HTTP_DOCKET_TRIM          1000  /* between two of them */

#define NGX_HTTP_DOCKET_SLICES        20000
#define NGX_HTTP_DOCKET_STREAM_MAX    (4 * 1024 * 1024)


static ngx_http_docket_run_t *ngx_http_docket_run_create(
    ngx_http_docket_proc_t *hlp, docket_job_t *job, int dirfd,
    ngx_uint_t again);
static void ngx_http_docket_run_old(ngx_http_docket_run_t *run);
static void ngx_http_docket_run_reset(ngx_http_docket_run_t *run);
static ngx_int_t ngx_http_docket_run_requests(ngx_http_docket_run_t *run);
static ngx_int_t ngx_http_docket_run_asks(ngx_http_docket_run_t *run);
static ngx_int_t ngx_http_docket_run_ask(ngx_http_docket_run_t *run,
    ngx_uint_t request, size_t memory);
static void ngx_http_docket_run_slices(ngx_http_docket_run_t *run,
    ngx_http_docket_ask_t *ask, docket_request_t *rq);
static void ngx_http_docket_run_say(ngx_http_docket_run_t *run);
static void ngx_http_docket_run_waited(ngx_http_docket_zone_info_t *info,
    void *data);
static void ngx_http_docket_run_begin(ngx_http_docket_run_t *run);
static ngx_uint_t ngx_http_docket_run_large(ngx_http_docket_run_t *run);
static void ngx_http_docket_run_abort(ngx_http_docket_run_t *run,
    docket_sensor_state_e state, const char *words);
static void ngx_http_docket_run_destroy(ngx_http_docket_run_t *run);


ngx_int_t
ngx_http_docket_run_start(ngx_http_docket_proc_t *hlp, docket_job_t *job,
    int dirfd, ngx_uint_t again)
{
    ngx_http_docket_run_t  *run;

    run = ngx_http_docket_run_create(hlp, job, dirfd, again);

    if (run == NULL) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&hlp->runs, &run->queue);
    hlp->nruns++;

    ngx_http_docket_run_say(run);
    ngx_http_docket_run_begin(run);

    return NGX_OK;
}


static ngx_http_docket_run_t *
ngx_http_docket_run_create(ngx_http_docket_proc_t *hlp, docket_job_t *job,
    int dirfd, ngx_uint_t again)
{
    ngx_http_docket_run_t  *run;

    run = ngx_calloc(sizeof(ngx_http_docket_run_t), hlp->log);
    if (run == NULL) {
        return NULL;
    }

    run->hlp = hlp;
    run->job = job;
    run->dirfd = dirfd;
    run->again = again;
    run->fd = -1;
    run->old_fd = -1;
    run->rc = DOCKET_BUSY;
    run->waits = -1;

    ngx_memcpy(run->id, job->id, DOCKET_ID_LEN + 1);

    if (again == DOCKET_AGAIN_RETRY) {
        ngx_http_docket_run_old(run);
    }

    ngx_http_docket_run_reset(run);

    if (ngx_http_docket_run_requests(run) != NGX_OK
        || ngx_http_docket_run_asks(run) != NGX_OK)
    {
        /* the job and its folder stay with the caller */

        run->job = NULL;
        run->dirfd = -1;
        ngx_http_docket_run_destroy(run);
        return NULL;
    }

    return run;
}


/*
 * What an earlier run got of some sensors is merged in, if it is whole: not
 * after a limit or for want of space.  Nor when a part of some sensor's packets
 * is in it: they would come twice, and can't be told from the others'.
 */

static void
ngx_http_docket_run_old(ngx_http_docket_run_t *run)
{
    int                fd;
    size_t             i;
    ngx_uint_t         covered;
    struct stat        st;
    docket_job_t      *job;
    docket_request_t  *rq;

    job = run->job;
    covered = 0;

    for (i = 0; i < job->nrequests; i++) {
        rq = &job->requests[i];

        if (docket_sensor_covered(rq->state)) {
            covered++;

        } else if (rq->packets != 0) {
            return;
        }
    }

    if (job->capture_run == 0 || job->state != DOCKET_COMPLETED
        || job->truncated || covered == 0)
    {
        return;
    }

    fd = openat(run->dirfd, run->hlp->mcf->sp.merged,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
        (void) close(fd);
        return;
    }

    run->old = docket_stream_create(DOCKET_STREAM_MEM, -1, NULL);
    if (run->old == NULL) {
        (void) close(fd);
        return;
    }

    run->old_fd = fd;
    run->old_settled = job->settled;

    docket_stream_file(run->old, fd, docket_pcap_time(job->after),
                       docket_pcap_time(job->before));
}


static void
ngx_http_docket_run_reset(ngx_http_docket_run_t *run)
{
    int64_t        settle;
    docket_job_t  *job;

    job = run->job;
    settle = (int64_t) run->hlp->mcf->settle * 1000;

    job->run++;
    job->started = ngx_http_docket_now();
    job->finished = 0;
    job->settles_at = job->before + settle;
    job->settled = (job->started >= job->settles_at
                    && (run->old == NULL || run->old_settled));
    job->partial = 0;
    job->truncated = 0;
    job->empty = 0;

    (void) docket_job_reason(job, NULL);
    (void) docket_job_event(job, DOCKET_REQUESTING, "Requesting",
                            (run->old != NULL)
                            ? "the sensors that are missing are asked"
                            : "the sensors are asked", job->started);
}


/* An entry for each sensor; those that the old capture covers keep theirs. */

static ngx_int_t
ngx_http_docket_run_requests(ngx_http_docket_run_t *run)
{
    size_t                        i, n;
    const char                   *name;
    docket_job_t                 *job;
    docket_request_t             *rq;
    ngx_http_docket_main_conf_t  *mcf;

    job = run->job;
    mcf = run->hlp->mcf;

    n = 0;

    for (i = 0; i < job->nrequests; i++) {

        if (run->old != NULL
            && docket_sensor_covered(job->requests[i].state))
        {
            if (n != i) {
                job->requests[n] = job->requests[i];
            }

            n++;
        }
    }

    job->nrequests = n;

    n = (job->nsensors != 0) ? job->nsensors : mcf->sensors.nelts;

    for (i = 0; i < n; i++) {
        name = (job->nsensors != 0) ? job->sensors[i] : mcf->sensor_names[i];

        rq = docket_job_request(job, name, 1);

        if (rq == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_run_asks(ngx_http_docket_run_t *run)
{
    size_t                   i, n, memory, half;
    docket_job_t            *job;
    docket_request_t        *rq;
    ngx_http_docket_proc_t  *hlp;

    job = run->job;
    hlp = run->hlp;

    n = 0;

    for (i = 0; i < job->nrequests; i++) {
        rq = &job->requests[i];

        if (rq->state != DOCKET_SENSOR_WAITING) {
            continue;
        }

        if (ngx_http_docket_peer_find(hlp, rq->name) == NULL) {
            rq->state = DOCKET_SENSOR_FAILED;
            (void) snprintf(rq->error, sizeof(rq->error),
                            "no such sensor is configured");
            continue;
        }

        n++;
    }

    if (n == 0) {
        return NGX_OK;
    }

    run->asks = ngx_calloc(n * sizeof(ngx_http_docket_ask_t), hlp->log);
    if (run->asks == NULL) {
        return NGX_ERROR;
    }

    run->slice = (int64_t) hlp->mcf->slice * 1000;

    while ((job->before - job->after) / run->slice > NGX_HTTP_DOCKET_SLICES) {
        run->slice *= 2;
    }

    /*
     * One half of docket_buffer is shared equally, of the other one the first
     * to come gets most.
     */

    half = hlp->mcf->buffer / 2;
    memory = half / hlp->mcf->max_active;

    if (hlp->memory < half) {
        memory += (half - hlp->memory) / 4 * 3;
    }

    memory = ngx_min(memory / n, NGX_HTTP_DOCKET_STREAM_MAX);
    memory = ngx_max(memory, DOCKET_STREAM_MEM);

    for (i = 0; i < job->nrequests; i++) {

        if (job->requests[i].state == DOCKET_SENSOR_WAITING
            && ngx_http_docket_run_ask(run, i, memory) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    run->nopen = run->nasks;
    run->memory = memory * run->nasks;
    hlp->memory += run->memory;

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_run_ask(ngx_http_docket_run_t *run, ngx_uint_t request,
    size_t memory)
{
    char                    name[sizeof(".spill.4294967295")];
    docket_request_t       *rq;
    ngx_http_docket_ask_t  *ask;

    rq = &run->job->requests[request];
    ask = &run->asks[run->nasks];

    ask->run = run;
    ask->peer = ngx_http_docket_peer_find(run->hlp, rq->name);
    ask->request = request;
    ask->open = 1;

    (void) snprintf(name, sizeof(name), ".spill.%u", (unsigned) run->nasks);

    ask->stream = docket_stream_create(memory, run->dirfd, name);
    if (ask->stream == NULL) {
        return NGX_ERROR;
    }

    run->nasks++;

    ngx_http_docket_run_slices(run, ask, rq);

    return NGX_OK;
}


/*
 * The first slice also has what lies before the sensor's oldest packets, the
 * last one what lies in the future: there is nothing to be cut up.
 */

static void
ngx_http_docket_run_slices(ngx_http_docket_run_t *run,
    ngx_http_docket_ask_t *ask, docket_request_t *rq)
{
    int64_t        end;
    docket_job_t  *job;

    job = run->job;

    ask->edge = job->after + run->slice;

    if (ask->peer->oldest > ask->edge) {
        ask->edge += (ask->peer->oldest - ask->edge) / run->slice * run->slice;
    }

    end = ngx_min(job->before, job->started);

    rq->slices = 1;

    if (end > ask->edge) {
        rq->slices += (end - ask->edge + run->slice - 1) / run->slice;

    } else {
        ask->edge = job->before;
    }
}


/* Entries per sensor are not in the record while the job runs. */

static void
ngx_http_docket_run_say(ngx_http_docket_run_t *run)
{
    char                         *text;
    size_t                        n, len;
    docket_job_t                 *job;
    ngx_http_docket_main_conf_t  *mcf;

    job = run->job;
    mcf = run->hlp->mcf;

    n = job->nrequests;
    job->nrequests = 0;

    if (docket_job_print(job, &text, &len) == DOCKET_OK) {
        ngx_http_docket_zone_update(mcf->zone, job, text, len);
        free(text);
    }

    job->nrequests = n;

    ngx_http_docket_zone_info_update(mcf->zone, ngx_http_docket_run_waited,
                                     job);

    run->dirty = 1;
    ngx_http_docket_run_progress(run->hlp);
}


static void
ngx_http_docket_run_waited(ngx_http_docket_zone_info_t *info, void *data)
{
    docket_job_t *job = data;

    ngx_http_docket_histogram_add(&info->counters.wait,
        (double) ngx_max(job->started - job->requested, 0) / DOCKET_SECOND);
}


static void
ngx_http_docket_run_begin(ngx_http_docket_run_t *run)
{
    ngx_uint_t  i;

    run->go = (run->old == NULL);

    if (run->nasks == 0) {
        run->dirty = 0;
        ngx_http_docket_shared_ended(run);
        return;
    }

    for (i = 0; i < run->nasks; i++) {
        ngx_http_docket_peer_queue(&run->asks[i]);
    }

    /* the merge looks at its streams once, and is woken from then on */

    if (run->go) {
        ngx_http_docket_shared_ready(run);
    }

    /* the run may be over before the last one is served */

    for (i = 0; i < run->nasks; i++) {
        if (run->asks[i].open) {
            ngx_http_docket_peer_work(run->asks[i].peer);
        }
    }
}


void
ngx_http_docket_run_progress(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t              told;
    ngx_queue_t            *q;
    ngx_http_docket_run_t  *run;

    told = 0;

    for (q = ngx_queue_head(&hlp->runs);
         q != ngx_queue_sentinel(&hlp->runs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_http_docket_run_t, queue);

        if (!run->dirty || run->nopen == 0) {
            continue;
        }

        if (hlp->now - run->said < NGX_HTTP_DOCKET_PROGRESS) {
            ngx_http_docket_timer(hlp, run->said + NGX_HTTP_DOCKET_PROGRESS);
            continue;
        }

        run->dirty = 0;
        run->said = hlp->now;
        told = 1;

        ngx_http_docket_zone_progress(hlp->mcf->zone, run->id,
                                      run->job->requests,
                                      run->job->nrequests);
    }

    if (told) {
        ngx_http_docket_wake_workers(hlp->mcf);
    }
}


void
ngx_http_docket_run_check(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t               large;
    ngx_queue_t             *q, *next;
    ngx_http_docket_run_t   *run;
    ngx_http_docket_stop_e   stop;

    for (q = ngx_queue_head(&hlp->runs);
         q != ngx_queue_sentinel(&hlp->runs);
         q = next)
    {
        next = ngx_queue_next(q);
        run = ngx_queue_data(q, ngx_http_docket_run_t, queue);

        if (run->nopen == 0 || run->aborted) {

            /* the merge looks before each of its steps */

            if (hlp->look
                && ngx_http_docket_zone_cancel_asked(hlp->mcf->zone, run->id))
            {
                (void) pthread_mutex_lock(&hlp->mutex);
                run->cancel = 1;
                (void) pthread_mutex_unlock(&hlp->mutex);
            }

            continue;
        }

        large = ngx_http_docket_run_large(run);

        (void) pthread_mutex_lock(&hlp->mutex);

        if (hlp->full && large && run->stop == NGX_HTTP_DOCKET_STOP_NONE) {
            run->stop = NGX_HTTP_DOCKET_STOP_SPACE;
        }

        stop = run->stop;

        (void) pthread_mutex_unlock(&hlp->mutex);

        switch (stop) {

        case NGX_HTTP_DOCKET_STOP_LIMIT:
            ngx_http_docket_run_abort(run, DOCKET_SENSOR_COMPLETE, NULL);
            continue;

        case NGX_HTTP_DOCKET_STOP_SPACE:
            ngx_http_docket_run_abort(run, DOCKET_SENSOR_FAILED,
                                      "stopped: the spool is full");
            continue;

        case NGX_HTTP_DOCKET_STOP_ERROR:
            ngx_http_docket_run_abort(run, DOCKET_SENSOR_CANCELLED,
                                      "stopped: the job failed");
            continue;

        default:
            break;
        }

        if (hlp->look
            && ngx_http_docket_zone_cancel_asked(hlp->mcf->zone, run->id))
        {

            (void) pthread_mutex_lock(&hlp->mutex);
            run->cancel = 1;
            (void) pthread_mutex_unlock(&hlp->mutex);

            ngx_http_docket_run_abort(run, DOCKET_SENSOR_CANCELLED,
                                      "cancelled");
        }
    }
}


/* One that may have a part in filling the spool, be it by what it spills. */

static ngx_uint_t
ngx_http_docket_run_large(ngx_http_docket_run_t *run)
{
    size_t    i;
    uint64_t  received;

    received = 0;

    for (i = 0; i < run->nasks; i++) {
        received += ngx_http_docket_ask_request(&run->asks[i])->received;
    }

    return received > NGX_HTTP_DOCKET_STEP;
}


static void
ngx_http_docket_run_abort(ngx_http_docket_run_t *run,
    docket_sensor_state_e state, const char *words)
{
    ngx_uint_t              i;
    ngx_http_docket_ask_t  *ask;

    run->aborted = 1;

    for (i = 0; i < run->nasks; i++) {
        ask = &run->asks[i];

        if (!ask->open) {
            continue;
        }

        ngx_http_docket_peer_forget(ask);
        ngx_http_docket_ask_close(ask, state, words);

        /* the next one's question can be asked */

        ngx_http_docket_peer_work(ask->peer);
    }
}


void
ngx_http_docket_run_reap(ngx_http_docket_proc_t *hlp)
{
    ngx_queue_t            *q;
    ngx_http_docket_run_t  *run;

    for ( ;; ) {
        run = NULL;

        (void) pthread_mutex_lock(&hlp->mutex);

        if (!ngx_queue_empty(&hlp->done)) {
            q = ngx_queue_head(&hlp->done);
            ngx_queue_remove(q);
            run = ngx_queue_data(q, ngx_http_docket_run_t, io_queue);
        }

        (void) pthread_mutex_unlock(&hlp->mutex);

        if (run == NULL) {
            break;
        }

        ngx_queue_remove(&run->queue);
        hlp->nruns--;
        hlp->look = 1;
        hlp->memory -= run->memory;

        ngx_http_docket_run_destroy(run);
        hlp->untrimmed = 1;
    }

    if (hlp->untrimmed && hlp->nruns == 0
        && hlp->now - hlp->trimmed >= NGX_HTTP_DOCKET_TRIM)
    {
        hlp->untrimmed = 0;
        hlp->trimmed = hlp->now;
        (void) malloc_trim(0);
    }
}


static void
ngx_http_docket_run_destroy(ngx_http_docket_run_t *run)
{
    ngx_uint_t  i;

    for (i = 0; i < run->nasks; i++) {
        docket_stream_destroy(run->asks[i].stream);
    }

    if (run->old != NULL) {
        docket_stream_destroy(run->old);
    }

    if (run->old_fd != -1) {
        (void) close(run->old_fd);
    }

    if (run->dirfd != -1) {
        (void) close(run->dirfd);
    }

    if (run->job != NULL) {
        docket_job_destroy(run->job);
    }

    ngx_free(run->asks);
    ngx_free(run);
}
