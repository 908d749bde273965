/*
 * A job that runs: from the queue to its last fetch.
 */

#include "helper/ngx_http_docket_process.h"


static ngx_http_docket_run_t *ngx_http_docket_run_create(
    ngx_http_docket_helper_t *h, docket_job_t *job, int dirfd);
static ngx_int_t ngx_http_docket_run_fetch(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run, ngx_http_docket_fetch_t *f,
    ngx_http_docket_peer_t *peer);


void
ngx_http_docket_run_take(ngx_http_docket_helper_t *h)
{
    int                     fd;
    char                   *json, err[160];
    size_t                  len;
    docket_job_t           *job;
    ngx_http_docket_job_t   node;
    ngx_http_docket_run_t  *run;

    while (h->nruns < h->mcf->max_active
           && ngx_http_docket_zone_take(h->zone, &node) == NGX_OK)
    {
        job = docket_spool_load(&h->mcf->sp, (char *) node.id, err,
                                sizeof(err));

        if (job == NULL) {
            ngx_log_error(NGX_LOG_ERR, h->log, errno,
                          "docket job %s can't be read: %s", node.id,
                          errno == EBADMSG ? err : "");
            ngx_http_docket_zone_lost(h->zone, (char *) node.id);
            continue;
        }

        fd = docket_spool_lock_dir(&h->mcf->sp, job->id);

        if (fd == -1) {
            ngx_log_error(NGX_LOG_ERR, h->log, errno,
                          "docket job %s can't be locked", job->id);
            ngx_http_docket_zone_lost(h->zone, job->id);
            docket_job_destroy(job);
            continue;
        }

        (void) docket_spool_tidy(fd);

        run = ngx_http_docket_run_create(h, job, fd);

        if (run == NULL) {
            ngx_log_error(NGX_LOG_ERR, h->log, 0,
                          "docket job %s: out of memory", job->id);
            ngx_http_docket_zone_give_back(h->zone, job->id);
            docket_job_destroy(job);
            (void) close(fd);
            return;
        }

        run->cancelled = node.cancel;

        if (docket_job_print(job, &json, &len) == DOCKET_OK) {
            ngx_http_docket_zone_update(h->zone, job, json, len);
            free(json);
        }

        ngx_http_docket_zone_progress(h->zone, job->id, job->requests,
                                      job->nrequests);
        ngx_http_docket_wake_workers(h->mcf);

        ngx_queue_insert_tail(&h->runs, &run->queue);
        h->nruns++;

        if (run->left == 0) {
            ngx_http_docket_run_fetched(h, run);

        } else if (run->cancelled) {
            ngx_http_docket_fetch_abort(h, run, "cancelled");
        }
    }
}


static ngx_uint_t
ngx_http_docket_run_selects(docket_job_t *job, const char *name)
{
    size_t  i;

    for (i = 0; i < job->nsensors; i++) {
        if (ngx_strcmp(job->sensors[i], name) == 0) {
            return 1;
        }
    }

    return job->nsensors == 0;
}


static ngx_http_docket_run_t *
ngx_http_docket_run_create(ngx_http_docket_helper_t *h, docket_job_t *job,
    int dirfd)
{
    int                        again;
    char                      *name;
    int64_t                    now;
    ngx_uint_t                 i;
    docket_request_t          *rq;
    ngx_http_docket_run_t     *run;

    run = ngx_calloc(sizeof(ngx_http_docket_run_t), h->log);
    if (run == NULL) {
        return NULL;
    }

    run->fetches = ngx_calloc(h->mcf->sensors.nelts
                              * sizeof(ngx_http_docket_fetch_t), h->log);
    if (run->fetches == NULL) {
        ngx_free(run);
        return NULL;
    }

    now = ngx_http_docket_now();
    again = docket_spool_again_read(&h->mcf->sp, job->id);

    run->job = job;
    run->dirfd = dirfd;

    /* what an earlier run has of other sensors is merged again */

    run->old = (job->capture_run != 0 && job->partial
                && again != DOCKET_AGAIN_REFRESH);

    job->run++;
    job->started = now;
    job->finished = 0;
    job->partial = 0;
    job->truncated = 0;
    job->settles_at = job->before + (int64_t) h->mcf->settle * 1000;
    job->settled = (now >= job->settles_at);

    if (docket_job_reason(job, NULL) != DOCKET_OK
        || docket_job_event(job, DOCKET_REQUESTING, "Requesting",
                            "asking the sensors", now)
           != DOCKET_OK)
    {
        goto failed;
    }

    for (i = 0; i < h->mcf->sensors.nelts; i++) {
        name = (char *) h->peers[i].conf->name.data;

        if (!ngx_http_docket_run_selects(job, name)) {
            continue;
        }

        rq = docket_job_request(job, name, 1);
        if (rq == NULL) {
            goto failed;
        }

        if (run->old && docket_sensor_covered(rq->state)) {
            continue;
        }

        ngx_memzero((u_char *) rq + sizeof(rq->name),
                    sizeof(docket_request_t) - sizeof(rq->name));
        rq->slices = 1;
    }

    /* the list of requests does not move any more */

    for (i = 0; i < h->mcf->sensors.nelts; i++) {
        name = (char *) h->peers[i].conf->name.data;
        rq = docket_job_request(job, name, 0);

        if (rq == NULL || rq->state != DOCKET_SENSOR_WAITING
            || !ngx_http_docket_run_selects(job, name))
        {
            continue;
        }

        run->fetches[run->n].request = rq;

        if (ngx_http_docket_run_fetch(h, run, &run->fetches[run->n],
                                      &h->peers[i])
            == NGX_OK)
        {
            run->left++;
        }

        run->n++;
    }

    return run;

failed:

    ngx_free(run->fetches);
    ngx_free(run);

    return NULL;
}


static ngx_int_t
ngx_http_docket_run_fetch(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run, ngx_http_docket_fetch_t *f,
    ngx_http_docket_peer_t *peer)
{
    int64_t  padding;
    char     name[DOCKET_MAX_SENSOR + 16];

    f->run = run;
    f->peer = peer;
    f->slot = -1;
    f->at = ngx_http_docket_clock();

    padding = (int64_t) h->mcf->time_padding * 1000;

    (void) docket_query_sensor_text(run->job->terms, run->job->after - padding,
                                    run->job->before + padding, f->text,
                                    sizeof(f->text));

    (void) snprintf(name, sizeof(name), ".spill.%s",
                    (char *) peer->conf->name.data);

    f->fd = openat(run->dirfd, name,
                   O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0640);

    if (f->fd == -1 || unlinkat(run->dirfd, name, 0) == -1) {
        f->state = NGX_HTTP_DOCKET_FETCH_DONE;
        f->request->state = DOCKET_SENSOR_FAILED;
        (void) snprintf(f->request->error, sizeof(f->request->error),
                        "writing to the spool: %s", strerror(errno));
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&peer->waiting, &f->queue);

    return NGX_OK;
}


void
ngx_http_docket_run_free(ngx_http_docket_run_t *run)
{
    ngx_uint_t  i;

    for (i = 0; i < run->n; i++) {
        if (run->fetches[i].fd > 0) {
            (void) close(run->fetches[i].fd);
        }
    }

    (void) close(run->dirfd);
    docket_job_destroy(run->job);
    ngx_free(run->fetches);
    ngx_free(run);
}


/* The last fetch has ended: the rest is the io thread's. */

void
ngx_http_docket_run_fetched(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run)
{
    (void) pthread_mutex_lock(&h->mutex);
    ngx_queue_insert_tail(&h->todo, &run->io);
    (void) pthread_cond_signal(&h->cond);
    (void) pthread_mutex_unlock(&h->mutex);
}
