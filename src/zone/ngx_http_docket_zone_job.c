/*
 * The workers' side of the job table: look up, enqueue, count who asked.
 */

#include "zone/ngx_http_docket_node.h"


static ngx_int_t ngx_http_docket_zone_refuse(ngx_http_docket_zone_t *z,
    ngx_http_docket_main_conf_t *mcf);
static void ngx_http_docket_zone_undo(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node);


ngx_int_t
ngx_http_docket_zone_get(ngx_http_docket_zone_t *z, const char *id,
    ngx_http_docket_job_t *job, ngx_pool_t *pool, ngx_str_t *record,
    ngx_uint_t touch)
{
    size_t                   size;
    ngx_http_docket_node_t  *node;

    size = 0;

    for ( ;; ) {

        /* memory for the text is taken from the pool without the mutex */

        if (size != 0) {
            record->data = ngx_pnalloc(pool, size);
            if (record->data == NULL) {
                return NGX_ERROR;
            }
        }

        ngx_http_docket_zone_lock(z);

        node = ngx_http_docket_node_find(z, id);

        if (node == NULL) {
            ngx_http_docket_zone_unlock(z);
            return NGX_DECLINED;
        }

        if (record != NULL && node->record_len > size) {
            size = node->record_len;
            ngx_http_docket_zone_unlock(z);
            continue;
        }

        if (touch && node->in == NGX_HTTP_DOCKET_IN_FINISHED) {
            ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_FINISHED);
        }

        ngx_http_docket_node_copy(z, node, job);

        if (record != NULL) {
            record->len = node->record_len;
            ngx_memcpy(record->data, node->record, node->record_len);
        }

        ngx_http_docket_zone_unlock(z);

        return NGX_OK;
    }
}


static ngx_int_t
ngx_http_docket_zone_refuse(ngx_http_docket_zone_t *z,
    ngx_http_docket_main_conf_t *mcf)
{
    if (!mcf->master) {
        return NGX_HTTP_DOCKET_NO_HELPER;
    }

    /* the spool's next owner may have read it already */

    if ((ngx_exiting || ngx_quit) && z->info.helper == 0
        && z->info.generation == mcf->generation)
    {
        return NGX_HTTP_DOCKET_LEAVING;
    }

    if (z->info.low) {
        return NGX_HTTP_DOCKET_NO_SPACE;
    }

    if (z->counts[NGX_HTTP_DOCKET_IN_QUEUED]
        + z->counts[NGX_HTTP_DOCKET_IN_WRITING] >= mcf->queue_size)
    {
        return NGX_HTTP_DOCKET_FULL;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_zone_enqueue(ngx_http_docket_zone_t *z,
    ngx_http_docket_main_conf_t *mcf, const char *id, ngx_str_t *record,
    uint32_t capture_run, int64_t now, ngx_http_docket_job_t *job)
{
    u_char                  *text;
    uint8_t                  bin[16];
    ngx_int_t                rc;
    ngx_http_docket_node_t  *node;

    docket_id_pack(id, bin);

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_lookup(z, bin);

    if (node != NULL && node->in != NGX_HTTP_DOCKET_IN_FINISHED) {
        ngx_http_docket_node_copy(z, node, job);
        ngx_http_docket_zone_unlock(z);
        return NGX_HTTP_DOCKET_LIVE;
    }

    rc = ngx_http_docket_zone_refuse(z, mcf);

    if (rc != NGX_OK) {
        ngx_http_docket_zone_unlock(z);
        return rc;
    }

    text = ngx_http_docket_node_alloc(z, record->len, node);

    if (text != NULL && node == NULL) {
        node = ngx_http_docket_node_create(z, bin);

        if (node == NULL) {
            ngx_slab_free_locked(z->jobs, text);

        } else {
            node->created = now;
            node->run = capture_run;
        }
    }

    if (text == NULL || node == NULL) {
        ngx_http_docket_zone_unlock(z);
        return NGX_HTTP_DOCKET_NO_MEMORY;
    }

    if (node->in == NGX_HTTP_DOCKET_IN_FINISHED) {
        node->old_record = node->record;
        node->old_len = node->record_len;
        node->old_requested = node->requested;
        node->old_capture_run = node->capture_run;
        node->old_state = node->state;

        ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_WRITING);
    }

    ngx_memcpy(text, record->data, record->len);

    node->record = text;
    node->record_len = record->len;

    node->state = DOCKET_CREATED;
    node->capture_run = capture_run;
    node->requested = now;
    node->started = 0;
    node->cancel = 0;
    node->growing = 0;
    node->written = 0;
    node->packets = 0;
    node->received = 0;

    ngx_http_docket_node_changed(z, node);
    ngx_http_docket_node_copy(z, node, job);

    ngx_http_docket_zone_unlock(z);

    return NGX_HTTP_DOCKET_QUEUED;
}


ngx_int_t
ngx_http_docket_zone_commit(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_int_t                rc;
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node == NULL || node->in == NGX_HTTP_DOCKET_IN_FINISHED) {
        rc = NGX_DECLINED;

    } else {
        rc = NGX_OK;

        if (node->in == NGX_HTTP_DOCKET_IN_WRITING) {
            ngx_http_docket_node_written(z, node);
        }
    }

    ngx_http_docket_zone_unlock(z);

    return rc;
}


void
ngx_http_docket_zone_abort(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node != NULL && node->in == NGX_HTTP_DOCKET_IN_WRITING) {
        ngx_http_docket_zone_undo(z, node);
    }

    ngx_http_docket_zone_unlock(z);
}


static void
ngx_http_docket_zone_undo(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node)
{
    if (node->old_record == NULL) {
        ngx_http_docket_node_delete(z, node);
        return;
    }

    ngx_slab_free_locked(z->jobs, node->record);

    node->record = node->old_record;
    node->record_len = node->old_len;
    node->old_record = NULL;

    node->requested = node->old_requested;
    node->capture_run = node->old_capture_run;
    node->state = node->old_state;

    ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_FINISHED);
    ngx_http_docket_node_changed(z, node);
}


void
ngx_http_docket_zone_cache(ngx_http_docket_zone_t *z, const docket_job_t *job,
    ngx_str_t *record)
{
    uint8_t                  bin[16];
    ngx_http_docket_node_t  *node;

    docket_id_pack(job->id, bin);

    ngx_http_docket_zone_lock(z);

    if (z->info.helper != 0 && ngx_http_docket_node_lookup(z, bin) == NULL) {
        node = ngx_http_docket_node_create(z, bin);

        if (node != NULL) {
            ngx_http_docket_node_job(node, job);
            node->created = job->created;
            node->requested = job->requested;
            node->packets = job->packets;
            node->indexed = 1;

            ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_FINISHED);
            ngx_http_docket_node_changed(z, node);

            if (ngx_http_docket_node_record(z, node, record->data, record->len)
                != NGX_OK)
            {
                ngx_http_docket_node_delete(z, node);
            }
        }
    }

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_asked(ngx_http_docket_zone_t *z, const char *id,
    const ngx_http_docket_asker_t *who, ngx_uint_t duplicate)
{
    ngx_http_docket_node_t   *node;
    ngx_http_docket_asker_t  *a;

    ngx_http_docket_zone_lock(z);

    z->info.counters.asked++;
    z->info.counters.duplicates += duplicate;

    node = (who != NULL) ? ngx_http_docket_node_find(z, id) : NULL;

    if (node == NULL) {
        ngx_http_docket_zone_unlock(z);
        return;
    }

    node->asked++;
    node->last_asked = who->time;

    if (node->asker != 0 && node->asker <= z->naskers) {
        a = &z->askers[node->asker - 1];

        if (ngx_strncmp(a->id, id, DOCKET_ID_LEN) == 0
            && ngx_strcmp(a->addr, who->addr) == 0
            && ngx_strcmp(a->user, who->user) == 0
            && ngx_strcmp(a->subject, who->subject) == 0)
        {
            a->count++;
            a->time = who->time;
            ngx_http_docket_zone_unlock(z);
            return;
        }
    }

    if (z->naskers < NGX_HTTP_DOCKET_ASKERS) {
        a = &z->askers[z->naskers++];
        *a = *who;
        ngx_memcpy(a->id, id, DOCKET_ID_LEN);
        a->id[DOCKET_ID_LEN] = '\0';
        a->count = 1;
        node->asker = z->naskers;
    }

    ngx_http_docket_zone_unlock(z);
}


ngx_int_t
ngx_http_docket_zone_cancel(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_int_t                rc;
    ngx_http_docket_node_t  *node;

    rc = NGX_DECLINED;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node != NULL && node->in != NGX_HTTP_DOCKET_IN_FINISHED) {
        node->cancel = 1;
        ngx_http_docket_node_changed(z, node);
        rc = NGX_OK;
    }

    ngx_http_docket_zone_unlock(z);

    return rc;
}


ngx_int_t
ngx_http_docket_zone_forget(ngx_http_docket_zone_t *z, const char *id)
{
    ngx_int_t                rc;
    ngx_http_docket_node_t  *node;

    ngx_http_docket_zone_lock(z);

    node = ngx_http_docket_node_find(z, id);

    if (node == NULL) {
        rc = NGX_DECLINED;

    } else if (node->in != NGX_HTTP_DOCKET_IN_FINISHED) {
        rc = NGX_BUSY;

    } else {
        ngx_http_docket_node_delete(z, node);
        rc = NGX_OK;
    }

    ngx_http_docket_zone_unlock(z);

    return rc;
}


/* What the helper has not yet put into the index: the queues' fresh ends. */

ngx_uint_t
ngx_http_docket_zone_unindexed(ngx_http_docket_zone_t *z,
    ngx_http_docket_job_t *jobs, ngx_uint_t n)
{
    ngx_uint_t               i, count;
    ngx_queue_t             *q, *queue;
    ngx_http_docket_node_t  *node;

    count = 0;

    ngx_http_docket_zone_lock(z);

    for (i = NGX_HTTP_DOCKET_IN_QUEUED; i < NGX_HTTP_DOCKET_IN_FINISHED; i++) {

        queue = ngx_http_docket_zone_queue(z, i);

        for (q = ngx_queue_last(queue);
             q != ngx_queue_sentinel(queue) && count < n;
             q = ngx_queue_prev(q))
        {
            node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

            if (!node->indexed) {
                ngx_http_docket_node_copy(z, node, &jobs[count++]);
            }
        }
    }

    ngx_http_docket_zone_unlock(z);

    return count;
}


ngx_int_t
ngx_http_docket_zone_requests(ngx_http_docket_zone_t *z, const char *id,
    ngx_pool_t *pool, docket_request_t **requests, ngx_uint_t *n)
{
    ngx_uint_t               room;
    ngx_http_docket_node_t  *node;

    room = 0;
    *requests = NULL;

    for ( ;; ) {

        if (room != 0) {
            *requests = ngx_palloc(pool, room * sizeof(docket_request_t));
            if (*requests == NULL) {
                return NGX_ERROR;
            }
        }

        ngx_http_docket_zone_lock(z);

        node = ngx_http_docket_node_find(z, id);

        if (node == NULL || node->requests == NULL) {
            ngx_http_docket_zone_unlock(z);
            return NGX_DECLINED;
        }

        if (node->nrequests > room) {
            room = node->nrequests;
            ngx_http_docket_zone_unlock(z);
            continue;
        }

        *n = node->nrequests;
        ngx_memcpy(*requests, node->requests,
                   node->nrequests * sizeof(docket_request_t));

        ngx_http_docket_zone_unlock(z);

        return NGX_OK;
    }
}
