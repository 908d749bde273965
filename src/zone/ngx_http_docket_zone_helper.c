/*
 * The helper's side of the job table: take, report, finish.
 */

#include "zone/ngx_http_docket_node.h"


/* a worker that has not committed its job after this long has died */
#define NGX_HTTP_DOCKET_WRITING_TIME  (10 * DOCKET_SECOND)


static void ngx_http_docket_zone_drop(ngx_http_docket_zone_t *z);
static void ngx_http_docket_zone_requeue(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node);
static void ngx_http_docket_zone_orphans(ngx_http_docket_zone_t *z);


void
ngx_http_docket_zone_adopt(ngx_http_docket_zone_t *z, ngx_pid_t helper,
    ngx_uint_t stale, int (*locked)(void *ctx, const char *id), void *ctx)
{
    char                     id[DOCKET_ID_LEN + 1];
    ngx_uint_t               i, n;
    ngx_queue_t             *q, *running;
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    z->info.helper = helper;
    z->info.waits = 0;

    if (stale) {
        ngx_http_docket_zone_drop(z);
    }

    n = z->counts[NGX_HTTP_DOCKET_IN_RUNNING];

    /* each node is looked at once: those that stay go to the tail */

    for (i = 0; i < n; i++) {

        running = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_RUNNING);

        if (ngx_queue_empty(running)) {
            break;
        }

        q = ngx_queue_head(running);
        node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

        ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_RUNNING);
        docket_id_unpack(node->id, id);

        ngx_http_docket_zone_unlock(z);

        if (locked(ctx, id)) {
            ngx_http_docket_zone_lock(z);
            continue;
        }

        ngx_http_docket_zone_lock(z);

        node = ngx_http_docket_node_find(z, id);

        if (node != NULL && node->in == NGX_HTTP_DOCKET_IN_RUNNING) {
            ngx_http_docket_zone_requeue(z, node);
        }
    }

    ngx_http_docket_zone_unlock(z);
}


static void
ngx_http_docket_zone_drop(ngx_http_docket_zone_t *z)
{
    ngx_queue_t             *q, *finished;
    ngx_http_docket_node_t  *node;

    finished = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_FINISHED);

    while (!ngx_queue_empty(finished)) {
        q = ngx_queue_head(finished);
        node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

        ngx_http_docket_node_delete(z, node);
    }
}


void
ngx_http_docket_zone_waits(ngx_http_docket_zone_t *z, ngx_uint_t waits)
{
    ngx_http_docket_zone_lock(z);

    z->info.waits = waits;

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_disown(ngx_http_docket_zone_t *z, ngx_pid_t helper)
{
    ngx_http_docket_zone_lock(z);

    if (z->info.helper == helper) {
        z->info.helper = 0;
    }

    ngx_http_docket_zone_unlock(z);
}


/* To the head of the queue: it has waited longest. */

static void
ngx_http_docket_zone_requeue(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node)
{
    ngx_queue_t             *queued;
    ngx_http_docket_node_t  *head;

    queued = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_QUEUED);

    ngx_queue_remove(&node->queue);
    z->counts[node->in]--;

    if (ngx_queue_empty(queued)) {
        node->seq = ++z->seq;

    } else {
        head = ngx_queue_data(ngx_queue_head(queued), ngx_http_docket_node_t,
                              queue);
        node->seq = head->seq - 1;
    }

    ngx_queue_insert_head(queued, &node->queue);

    node->in = NGX_HTTP_DOCKET_IN_QUEUED;
    z->counts[node->in]++;

    node->state = DOCKET_CREATED;
    node->growing = 0;
    node->written = 0;
    node->packets = 0;
    node->received = 0;

    ngx_http_docket_node_drop_requests(z, node);
    ngx_http_docket_node_changed(z, node);
}


ngx_int_t
ngx_http_docket_zone_restore(ngx_http_docket_zone_t *z,
    const docket_job_t *job, const char *record, size_t len)
{
    uint8_t                  bin[16];
    ngx_http_docket_node_t  *node;

    docket_id_pack(job->id, bin);

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_lookup(z, bin);

    if (node != NULL && node->in != NGX_HTTP_DOCKET_IN_FINISHED) {
        ngx_http_docket_zone_unlock(z);
        return NGX_OK;
    }

    if (node == NULL) {
        node = ngx_http_docket_node_create(z, bin);
    }

    if (node == NULL
        || ngx_http_docket_node_record(z, node, record, len) != NGX_OK)
    {
        if (node != NULL) {
            ngx_http_docket_node_delete(z, node);
        }

        ngx_http_docket_zone_unlock(z);
        return NGX_ERROR;
    }

    node->state = DOCKET_CREATED;
    node->run = job->run;
    node->capture_run = job->capture_run;
    node->created = job->created;
    node->requested = job->requested;
    node->started = 0;
    node->cancel = 0;

    ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_QUEUED);
    ngx_http_docket_node_changed(z, node);

    ngx_http_docket_zone_unlock(z);

    return NGX_OK;
}


/* Jobs of workers that died between the disk and the queue. */

static void
ngx_http_docket_zone_orphans(ngx_http_docket_zone_t *z)
{
    int64_t                  now;
    struct timeval           tv;
    ngx_queue_t             *q, *writing;
    ngx_http_docket_node_t  *node;

    writing = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_WRITING);

    if (ngx_queue_empty(writing)) {
        return;
    }

    ngx_gettimeofday(&tv);
    now = (int64_t) tv.tv_sec * DOCKET_SECOND + tv.tv_usec;

    while (!ngx_queue_empty(writing)) {
        q = ngx_queue_head(writing);
        node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

        if (node->requested + NGX_HTTP_DOCKET_WRITING_TIME > now
            && node->requested <= now)
        {
            return;
        }

        ngx_http_docket_node_written(z, node);
    }
}


ngx_int_t
ngx_http_docket_zone_take(ngx_http_docket_zone_t *z,
    ngx_http_docket_job_t *job)
{
    ngx_queue_t             *q, *queued;
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    queued = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_QUEUED);

    ngx_http_docket_zone_orphans(z);

    if (ngx_queue_empty(queued)) {
        ngx_http_docket_zone_unlock(z);
        return NGX_DECLINED;
    }

    q = ngx_queue_head(queued);
    node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

    ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_RUNNING);
    ngx_http_docket_node_changed(z, node);
    ngx_http_docket_node_copy(z, node, job);

    ngx_http_docket_zone_unlock(z);

    return NGX_OK;
}


void
ngx_http_docket_zone_give_back(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node != NULL && node->in == NGX_HTTP_DOCKET_IN_RUNNING) {
        ngx_http_docket_zone_requeue(z, node);
    }

    ngx_http_docket_zone_unlock(z);
}


ngx_int_t
ngx_http_docket_zone_cancelled(ngx_http_docket_zone_t *z,
    char id[DOCKET_ID_LEN + 1])
{
    ngx_int_t                rc;
    ngx_queue_t             *q, *queued;
    ngx_http_docket_node_t  *node;

    rc = NGX_DECLINED;

    ngx_http_docket_zone_lock(z);

    queued = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_QUEUED);

    for (q = ngx_queue_head(queued);
         q != ngx_queue_sentinel(queued);
         q = ngx_queue_next(q))
    {
        node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

        if (node->cancel) {
            docket_id_unpack(node->id, id);
            rc = NGX_OK;
            break;
        }
    }

    ngx_http_docket_zone_unlock(z);

    return rc;
}


ngx_uint_t
ngx_http_docket_zone_cancel_asked(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_uint_t               cancel;
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);
    cancel = (node != NULL && node->cancel);

    ngx_http_docket_zone_unlock(z);

    return cancel;
}


void
ngx_http_docket_zone_update(ngx_http_docket_zone_t *z,
    const docket_job_t *job, const char *record, size_t len)
{
    uint8_t                  bin[16];
    ngx_http_docket_node_t  *node;

    docket_id_pack(job->id, bin);

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_lookup(z, bin);

    if (node == NULL) {

        /* the table was started anew while the job ran */

        node = ngx_http_docket_node_create(z, bin);

        if (node == NULL) {
            ngx_http_docket_zone_unlock(z);
            return;
        }

        node->created = job->created;
        node->requested = job->requested;

        ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_RUNNING);
    }

    ngx_http_docket_node_job(node, job);
    node->asked = 0;

    if (docket_state_final(job->state)) {
        node->growing = 0;
        node->cancel = 0;
        node->packets = job->packets;
        ngx_http_docket_node_drop_requests(z, node);
        ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_FINISHED);
    }

    if (ngx_http_docket_node_record(z, node, record, len) != NGX_OK
        && docket_state_final(job->state))
    {
        /* it stands on disk, where it is found again */

        ngx_http_docket_node_delete(z, node);

    } else {
        ngx_http_docket_node_changed(z, node);
    }

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_progress(ngx_http_docket_zone_t *z, const char *id,
    const docket_request_t *requests, ngx_uint_t n)
{
    size_t                   size;
    ngx_uint_t               i;
    docket_request_t        *copy;
    ngx_http_docket_node_t  *node;

    size = n * sizeof(docket_request_t);

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node == NULL || node->in != NGX_HTTP_DOCKET_IN_RUNNING || n == 0) {
        ngx_http_docket_zone_unlock(z);
        return;
    }

    if (node->nrequests != n) {
        copy = ngx_http_docket_node_alloc(z, size, node);

        if (copy == NULL) {
            ngx_http_docket_zone_unlock(z);
            return;
        }

        ngx_http_docket_node_drop_requests(z, node);
        node->requests = copy;
        node->nrequests = n;
    }

    ngx_memcpy(node->requests, requests, size);

    node->received = 0;

    for (i = 0; i < n; i++) {
        node->received += requests[i].received;
    }

    ngx_http_docket_node_changed(z, node);

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_written(ngx_http_docket_zone_t *z, const char *id,
    uint32_t run, uint64_t written, uint64_t packets)
{
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node != NULL && node->in == NGX_HTTP_DOCKET_IN_RUNNING) {
        node->run = run;
        node->growing = 1;
        node->written = written;
        node->packets = packets;
        ngx_http_docket_node_changed(z, node);
    }

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_askers_saved(ngx_http_docket_zone_t *z,
    const docket_job_t *job, uint64_t n, const char *record, size_t len)
{
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, job->id);

    if (node != NULL && node->in == NGX_HTTP_DOCKET_IN_FINISHED
        && node->run == job->run)
    {
        node->asked -= ngx_min(n, node->asked);

        if (ngx_http_docket_node_record(z, node, record, len) != NGX_OK) {

            /* it stands on disk, where it is found again */

            ngx_http_docket_node_delete(z, node);
        }
    }

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_indexed(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node != NULL) {
        node->indexed = 1;
    }

    ngx_http_docket_zone_unlock(z);
}


ngx_uint_t
ngx_http_docket_zone_askers(ngx_http_docket_zone_t *z,
    ngx_http_docket_asker_t *askers, ngx_uint_t n)
{
    ngx_http_docket_zone_lock(z);

    if (n > z->naskers) {
        n = z->naskers;
    }

    /* the newest first: what stays keeps its place, and its nodes' number */

    z->naskers -= n;
    ngx_memcpy(askers, &z->askers[z->naskers],
               n * sizeof(ngx_http_docket_asker_t));

    ngx_http_docket_zone_unlock(z);

    return n;
}
