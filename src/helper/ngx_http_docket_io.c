/*
 * The io thread: merging, records, the spool's walk, cleaning.
 */

#include "helper/ngx_http_docket_process.h"
#include "pcap/docket_pcap.h"


static void ngx_http_docket_io_finish(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run);
static void ngx_http_docket_io_merge(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run);
static void ngx_http_docket_io_save(ngx_http_docket_helper_t *h,
    docket_job_t *job);
static void ngx_http_docket_io_scan(ngx_http_docket_helper_t *h);
static void ngx_http_docket_io_clean(ngx_http_docket_helper_t *h);
static void ngx_http_docket_io_askers(ngx_http_docket_helper_t *h);


void *
ngx_http_docket_io(void *data)
{
    uint64_t                   one;
    ngx_uint_t                 scan, clean;
    ngx_msec_t                 period;
    ngx_queue_t               *q;
    struct timespec            ts;
    ngx_http_docket_run_t     *run;
    ngx_http_docket_helper_t  *h = data;

    one = 1;
    period = ngx_http_docket_clock() + h->mcf->cleanup_period;

    for ( ;; ) {
        (void) pthread_mutex_lock(&h->mutex);

        if (ngx_queue_empty(&h->todo) && !h->scan && !h->clean) {
            (void) clock_gettime(CLOCK_REALTIME, &ts);
            ts.tv_sec += 3;
            (void) pthread_cond_timedwait(&h->cond, &h->mutex, &ts);
        }

        q = ngx_queue_empty(&h->todo) ? NULL : ngx_queue_head(&h->todo);

        if (q != NULL) {
            ngx_queue_remove(q);
        }

        scan = (q == NULL && h->scan);
        clean = (q == NULL && !scan && h->clean);

        (void) pthread_mutex_unlock(&h->mutex);

        if (q != NULL) {
            run = ngx_queue_data(q, ngx_http_docket_run_t, io);
            ngx_http_docket_io_finish(h, run);

            (void) pthread_mutex_lock(&h->mutex);
            ngx_queue_insert_tail(&h->done, &run->io);
            (void) pthread_mutex_unlock(&h->mutex);

            while (write(h->io_fd, &one, sizeof(one)) == -1
                   && ngx_errno == NGX_EINTR)
            {
                /* void */
            }

            continue;
        }

        if (scan) {
            ngx_http_docket_io_scan(h);

            (void) pthread_mutex_lock(&h->mutex);
            h->scan = 0;
            (void) pthread_mutex_unlock(&h->mutex);
            continue;
        }

        if (!clean
            && (ngx_msec_int_t) (ngx_http_docket_clock() - period) >= 0)
        {
            clean = 1;
        }

        if (clean && h->owner != -1) {
            (void) pthread_mutex_lock(&h->mutex);
            h->clean = 0;
            (void) pthread_mutex_unlock(&h->mutex);

            ngx_http_docket_io_clean(h);
            period = ngx_http_docket_clock() + h->mcf->cleanup_period;
        }

        ngx_http_docket_io_askers(h);
    }

    return NULL;
}


/* A reason in the record; "extra" is added to one that is there. */

static void
ngx_http_docket_io_reason(docket_job_t *job, const char *extra)
{
    char  words[512];

    if (job->reason == NULL) {
        (void) docket_job_reason(job, extra);
        return;
    }

    (void) snprintf(words, sizeof(words), "%s; %s", job->reason, extra);
    (void) docket_job_reason(job, words);
}


static void
ngx_http_docket_io_finish(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run)
{
    char           words[384];
    size_t         i, answered, failed;
    int64_t        now;
    const char    *first;
    docket_job_t  *job;

    job = run->job;
    answered = 0;
    failed = 0;
    first = NULL;

    for (i = 0; i < job->nrequests; i++) {

        if (docket_sensor_covered(job->requests[i].state)
            || job->requests[i].state == DOCKET_SENSOR_PARTIAL)
        {
            answered++;
        }
    }

    if (run->cancelled) {
        (void) docket_job_event(job, DOCKET_CANCELLED, "Cancelled",
                                "cancelled", ngx_http_docket_now());

    } else if (answered != 0) {
        (void) docket_job_event(job, DOCKET_MERGING, "Merging",
                                "merging the answers", ngx_http_docket_now());
        ngx_http_docket_io_merge(h, run);
    }

    answered = 0;

    for (i = 0; i < job->nrequests; i++) {

        if (docket_sensor_covered(job->requests[i].state)) {
            answered++;
            continue;
        }

        if (job->requests[i].state == DOCKET_SENSOR_PARTIAL) {
            answered++;
        }

        failed++;

        if (first == NULL) {
            first = job->requests[i].name;
            (void) snprintf(words, sizeof(words), "%s: %s", first,
                            job->requests[i].error);
        }
    }

    now = ngx_http_docket_now();

    if (job->state == DOCKET_MERGING) {

        if (failed != 0) {
            job->partial = 1;
            ngx_http_docket_io_reason(job, words);
        }

        (void) docket_job_event(job, answered != 0 ? DOCKET_COMPLETED
                                                   : DOCKET_FAILED,
                                answered != 0 ? "Completed" : "Failed",
                                answered == 0 ? words
                                : job->empty ? "no packets"
                                : job->partial ? "sensors are missing" : "",
                                now);

    } else if (!docket_state_final(job->state)) {
        ngx_http_docket_io_reason(job, first != NULL ? words
                                                     : "no sensor was asked");
        (void) docket_job_event(job, DOCKET_FAILED, "Failed", job->reason, now);
    }

    job->finished = now;

    ngx_http_docket_io_save(h, job);
}


/* Between two pieces of the merge: is there still room? */

static int
ngx_http_docket_io_room(void *ctx, const docket_merged_t *m)
{
    uint64_t                   bytes, nodes;
    ngx_http_docket_helper_t  *h = ctx;

    return (docket_spool_space(&h->mcf->sp, &bytes, &nodes) == DOCKET_OK
            && bytes < (uint64_t) h->mcf->free_bytes)
           ? DOCKET_ERROR : DOCKET_OK;
}


/* What the reader and the merge say of one sensor's answer. */

static void
ngx_http_docket_io_outcome(docket_request_t *rq, docket_reader_t *r,
    uint64_t packets, uint64_t bytes)
{
    rq->packets = packets;
    rq->bytes = bytes;
    rq->disordered = r->disordered;

    /* a fault of the transfer was told already, in better words */

    if (r->error[0] != '\0' && rq->state == DOCKET_SENSOR_COMPLETE) {
        rq->state = (packets != 0) ? DOCKET_SENSOR_PARTIAL
                                   : DOCKET_SENSOR_FAILED;
        (void) snprintf(rq->error, sizeof(rq->error), "%s", r->error);
        return;
    }

    if (rq->state == DOCKET_SENSOR_COMPLETE && packets == 0
        && r->kept == 0)
    {
        rq->state = DOCKET_SENSOR_EMPTY;

    } else if (rq->state == DOCKET_SENSOR_PARTIAL && packets == 0) {
        rq->state = DOCKET_SENSOR_FAILED;
    }
}


static void
ngx_http_docket_io_merge(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run)
{
    int                       fd, rc, err, old;
    size_t                    i, n;
    uint64_t                 *counts;
    docket_job_t             *job;
    docket_merged_t           m;
    docket_reader_t          *inputs;
    docket_request_t        **rqs;
    ngx_http_docket_fetch_t  *f;

    job = run->job;
    old = -1;
    err = 0;
    n = 0;

    ngx_memzero(&m, sizeof(docket_merged_t));

    inputs = ngx_calloc((run->n + 1) * sizeof(docket_reader_t), h->log);
    counts = ngx_calloc((run->n + 1) * 2 * sizeof(uint64_t), h->log);
    rqs = ngx_calloc((run->n + 1) * sizeof(docket_request_t *), h->log);
    fd = docket_spool_part(run->dirfd, job->run);

    if (inputs == NULL || counts == NULL || rqs == NULL || fd == -1) {
        err = (fd == -1) ? errno : ENOMEM;
        (void) snprintf(m.error, sizeof(m.error), "writing the capture: %s",
                        strerror(err));
        rc = DOCKET_ERROR;
        goto done;
    }

    for (i = 0; i < run->n; i++) {
        f = &run->fetches[i];

        if (f->fd == -1 || f->received == 0) {

            if (f->request->state == DOCKET_SENSOR_COMPLETE) {
                f->request->state = DOCKET_SENSOR_FAILED;
                (void) snprintf(f->request->error, sizeof(f->request->error),
                                "the answer is empty");
            }

            continue;
        }

        rqs[n] = f->request;
        (void) docket_reader_open(&inputs[n++], f->fd, job->after * 1000,
                                  job->before * 1000);
    }

    if (run->old) {
        old = openat(run->dirfd, h->mcf->sp.merged,
                     O_RDONLY|O_NOFOLLOW|O_CLOEXEC);

        if (old != -1) {
            (void) docket_reader_open(&inputs[n++], old, job->after * 1000,
                                      job->before * 1000);
        }
    }

    m.packets_of = counts;
    m.bytes_of = counts + run->n + 1;

    rc = docket_merge(inputs, n, fd, job->limit_packets, job->limit_bytes,
                      ngx_http_docket_io_room, h, &m);
    err = errno;

    for (i = 0; i < n; i++) {

        if (rqs[i] != NULL) {
            ngx_http_docket_io_outcome(rqs[i], &inputs[i], m.packets_of[i],
                                       m.bytes_of[i]);
        }

        docket_reader_close(&inputs[i]);
    }

    if (rc != DOCKET_OK && err == 0) {

        /* the spool fell to its limit: what is written is whole */

        job->truncated = 1;
        ngx_http_docket_io_reason(job, "the spool is low on space");
        rc = DOCKET_OK;
    }

    if (m.truncated) {
        job->truncated = 1;
        ngx_http_docket_io_reason(job, "a limit was reached");
    }

    if (rc == DOCKET_OK
        && docket_spool_publish(&h->mcf->sp, run->dirfd, fd, job->run,
                                (int) h->mcf->sync)
           != DOCKET_OK)
    {
        (void) snprintf(m.error, sizeof(m.error), "publishing the capture: %s",
                        strerror(errno));
        rc = DOCKET_ERROR;
    }

done:

    if (rc == DOCKET_OK) {
        job->capture_run = job->run;
        job->packets = m.packets;
        job->bytes = m.bytes;
        job->first = m.first / 1000;
        job->last = m.last / 1000;
        job->empty = (m.packets == 0);
        (void) docket_spool_again_clear(&h->mcf->sp, job->id);

    } else {
        ngx_log_error(NGX_LOG_ERR, h->log, err, "docket job %s: %s", job->id,
                      m.error);
        ngx_http_docket_io_reason(job, m.error);
        (void) docket_job_event(job, DOCKET_FAILED, "Failed", m.error,
                                ngx_http_docket_now());
        (void) docket_spool_tidy(run->dirfd);
    }

    if (fd != -1) {
        (void) close(fd);
    }

    if (old != -1) {
        (void) close(old);
    }

    ngx_free(inputs);
    ngx_free(counts);
    ngx_free(rqs);
}


static void
ngx_http_docket_io_count(ngx_http_docket_zone_info_t *info, void *data)
{
    docket_job_t                *job = data;
    ngx_http_docket_counters_t  *c;

    c = &info->counters;

    c->completed += (job->state == DOCKET_COMPLETED);
    c->failed += (job->state == DOCKET_FAILED);
    c->cancelled += (job->state == DOCKET_CANCELLED);
    c->partial += job->partial;

    if (job->capture_run == job->run) {
        c->packets += job->packets;
        c->bytes += job->bytes;
    }

    ngx_http_docket_histogram_add(&c->wait, (double) (job->started
                                  - job->requested) / DOCKET_SECOND);
    ngx_http_docket_histogram_add(&c->run, (double) (job->finished
                                  - job->started) / DOCKET_SECOND);
}


static void
ngx_http_docket_io_save(ngx_http_docket_helper_t *h, docket_job_t *job)
{
    char                  *json;
    size_t                 len;
    docket_index_record_t  rec;

    if (docket_job_print(job, &json, &len) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, h->log, errno,
                      "docket job %s can't be put into words", job->id);
        return;
    }

    if (docket_spool_save(&h->mcf->sp, job->id, json, len, (int) h->mcf->sync)
        != DOCKET_OK)
    {
        ngx_log_error(NGX_LOG_ERR, h->log, errno,
                      "docket job %s: saving the record failed", job->id);
    }

    docket_index_from_job(&rec, job);

    if (docket_index_put(h->index, &rec) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_ERR, h->log, errno, "docket index failed");
    }

    if (docket_state_final(job->state)) {
        ngx_http_docket_zone_info_update(h->zone, ngx_http_docket_io_count,
                                         job);
    }

    ngx_http_docket_zone_update(h->zone, job, json, len);
    ngx_http_docket_zone_indexed(h->zone, job->id);
    ngx_http_docket_wake_workers(h->mcf);

    free(json);
}


/* One folder of the spool, at start. */

static int
ngx_http_docket_io_found(void *ctx, const char *id)
{
    int                        fd;
    char                      *json, err[160];
    size_t                     len;
    docket_job_t              *job;
    docket_index_record_t      rec;
    ngx_http_docket_helper_t  *h = ctx;

    job = docket_spool_load(&h->mcf->sp, id, err, sizeof(err));

    if (job == NULL) {
        ngx_log_error(NGX_LOG_WARN, h->log, errno,
                      "docket spool: \"%s\" is skipped: %s", id,
                      errno == EBADMSG ? err : "no record");
        return DOCKET_OK;
    }

    docket_index_from_job(&rec, job);
    (void) docket_index_put(h->index, &rec);

    if (!docket_state_final(job->state)
        || docket_spool_again_read(&h->mcf->sp, id) > 0)
    {
        /* whoever has the lock works on it still */

        fd = docket_spool_lock_dir(&h->mcf->sp, id);

        if (fd != -1) {
            (void) close(fd);

            if (docket_job_print(job, &json, &len) == DOCKET_OK) {

                if (ngx_http_docket_zone_restore(h->zone, job, json, len)
                    != NGX_OK)
                {
                    ngx_log_error(NGX_LOG_ERR, h->log, 0,
                                  "docket job %s waits on disk: the zone is "
                                  "full", id);
                }

                free(json);
            }
        }
    }

    docket_job_destroy(job);

    return DOCKET_OK;
}


static void
ngx_http_docket_io_odd(void *ctx, const char *name, const char *why)
{
    ngx_http_docket_helper_t  *h = ctx;

    ngx_log_error(NGX_LOG_WARN, h->log, 0,
                  "docket spool: \"%s\" is skipped: %s", name, why);
}


static void
ngx_http_docket_io_loaded(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_helper_t  *h = data;

    info->loaded = 1;
    info->jobs = docket_index_count(h->index);
}


static void
ngx_http_docket_io_scan(ngx_http_docket_helper_t *h)
{
    if (docket_spool_walk(&h->mcf->sp, ngx_http_docket_io_found,
                          ngx_http_docket_io_odd, h)
        != DOCKET_OK
        || docket_index_rebuild(h->index) != DOCKET_OK)
    {
        ngx_log_error(NGX_LOG_ERR, h->log, errno,
                      "reading the docket spool failed");
    }

    ngx_http_docket_zone_info_update(h->zone, ngx_http_docket_io_loaded, h);
    ngx_http_docket_wake_helper(h->mcf);
}


static void
ngx_http_docket_io_expired(ngx_http_docket_zone_info_t *info, void *data)
{
    info->counters.expired += *(uint64_t *) data;
}


/* The oldest finished jobs go: by their age, then for want of space. */

static void
ngx_http_docket_io_clean(ngx_http_docket_helper_t *h)
{
    int                     fd;
    char                    id[DOCKET_ID_LEN + 1];
    size_t                  i, n;
    int64_t                 limit;
    uint64_t                bytes, nodes, expired;
    docket_index_record_t  *recs;

    if (docket_index_by_age(h->index, &recs, &n) != DOCKET_OK) {
        return;
    }

    expired = 0;
    limit = ngx_http_docket_now() - (int64_t) h->mcf->expire_time * 1000;

    for (i = 0; i < n; i++) {
        docket_id_unpack(recs[i].id, id);

        if (!docket_state_final(recs[i].state)) {
            continue;
        }

        if (recs[i].touched >= limit
            && (docket_spool_space(&h->mcf->sp, &bytes, &nodes) != DOCKET_OK
                || bytes >= (uint64_t) h->mcf->expire_space))
        {
            /* one that was deleted still stands in the index */

            fd = docket_spool_open_dir(&h->mcf->sp, id);

            if (fd != -1) {
                (void) close(fd);
                continue;
            }
        }

        fd = docket_spool_lock_dir(&h->mcf->sp, id);

        if ((fd == -1 && errno == EWOULDBLOCK)
            || ngx_http_docket_zone_forget(h->zone, id) == NGX_BUSY)
        {
            if (fd != -1) {
                (void) close(fd);
            }

            continue;
        }

        if (fd != -1 && docket_spool_remove(&h->mcf->sp, id) != DOCKET_OK) {
            ngx_log_error(NGX_LOG_ERR, h->log, errno,
                          "removing docket job %s failed", id);

        } else {
            (void) docket_index_delete(h->index, recs[i].id);
            expired++;
        }

        if (fd != -1) {
            (void) close(fd);
        }
    }

    free(recs);

    if (expired != 0) {
        ngx_http_docket_zone_info_update(h->zone, ngx_http_docket_io_expired,
                                         &expired);
    }
}


/* Who asked, from the ring into the records of finished jobs. */

static void
ngx_http_docket_io_askers(ngx_http_docket_helper_t *h)
{
    char                     *json, err[160];
    size_t                    len;
    uint64_t                  k;
    ngx_uint_t                i, n;
    docket_job_t             *job;
    ngx_http_docket_job_t     node;
    ngx_http_docket_asker_t   askers[16];

    n = ngx_http_docket_zone_askers(h->zone, askers, 16);

    for (i = 0; i < n; i++) {

        if (ngx_http_docket_zone_get(h->zone, (char *) askers[i].id, &node,
                                     NULL, NULL, 0)
            != NGX_OK
            || !docket_state_final(node.state))
        {
            continue;
        }

        job = docket_spool_load(&h->mcf->sp, (char *) askers[i].id, err,
                                sizeof(err));
        if (job == NULL) {
            continue;
        }

        for (k = 0; k < askers[i].count && k < 1000000; k++) {
            if (docket_job_asked(job, askers[i].addr, askers[i].user,
                                 askers[i].subject, askers[i].time)
                != DOCKET_OK)
            {
                break;
            }
        }

        if (docket_state_final(job->state)
            && docket_job_print(job, &json, &len) == DOCKET_OK)
        {
            (void) docket_spool_save(&h->mcf->sp, job->id, json, len, 0);
            free(json);
        }

        docket_job_destroy(job);
    }
}
