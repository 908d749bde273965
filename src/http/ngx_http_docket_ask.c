/*
 * A question becomes a job, or meets the one that is there.
 */

#include "http/ngx_http_docket_api.h"


#define NGX_HTTP_DOCKET_PARTIAL_TIME  (60 * DOCKET_SECOND)


static ngx_int_t ngx_http_docket_good(ngx_http_request_t *r,
    const docket_job_t *job, const char **why);
static ngx_int_t ngx_http_docket_queue(ngx_http_request_t *r,
    docket_job_t *known, ngx_uint_t *status);


static void
ngx_http_docket_who(ngx_http_request_t *r, ngx_uint_t duplicate)
{
    u_char                       *p;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_asker_t       who;
    ngx_http_variable_value_t    *vv;
    ngx_http_docket_main_conf_t  *mcf;

    static ngx_str_t  subject = ngx_string("ssl_client_s_dn");

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    ngx_memzero(&who, sizeof(ngx_http_docket_asker_t));

    who.time = (int64_t) ngx_time() * DOCKET_SECOND;

    p = ngx_cpymem(who.addr, r->connection->addr_text.data,
                   ngx_min(r->connection->addr_text.len,
                           sizeof(who.addr) - 1));
    *p = '\0';

    if (r->headers_in.authorization != NULL
        && ngx_http_auth_basic_user(r) == NGX_OK)
    {
        ngx_memcpy(who.user, r->headers_in.user.data,
                   ngx_min(r->headers_in.user.len, sizeof(who.user) - 1));
    }

    vv = ngx_http_get_variable(r, &subject,
                               ngx_hash_key(subject.data, subject.len));

    if (vv != NULL && !vv->not_found) {
        ngx_memcpy(who.subject, vv->data,
                   ngx_min((size_t) vv->len, sizeof(who.subject) - 1));
    }

    ngx_http_docket_zone_asked(mcf->zone, (char *) ctx->job.id, &who,
                               duplicate);
}


static ngx_int_t
ngx_http_docket_good(ngx_http_request_t *r, const docket_job_t *job,
    const char **why)
{
    ngx_http_docket_ctx_t        *ctx;
    const docket_query_result_t  *q;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);
    q = docket_query_result(ctx->query);

    if (q->nsensors != 0) {
        return docket_job_good(job, q->sensors, q->nsensors, why);
    }

    return docket_job_good(job, mcf->sensor_names, mcf->sensors.nelts, why);
}


static void
ngx_http_docket_job_cleanup(void *data)
{
    docket_job_destroy(data);
}


/* The record of a finished job, of the zone or of the disk; NULL: none. */

static docket_job_t *
ngx_http_docket_load(ngx_http_request_t *r, const char *id)
{
    char                         *json, err[160];
    size_t                        len;
    ngx_int_t                     rc;
    ngx_str_t                     record;
    docket_job_t                 *job;
    ngx_pool_cleanup_t           *cln;
    ngx_http_docket_job_t         node;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    rc = ngx_http_docket_zone_get(mcf->zone, id, &node, r->pool, &record, 0);

    if (rc == NGX_OK) {
        job = docket_job_parse((char *) record.data, record.len, err,
                               sizeof(err));

    } else {
        job = docket_spool_load(&mcf->sp, id, err, sizeof(err));

        if (job == NULL && errno == EBADMSG) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "docket job %s can't be read: %s", id, err);
        }

        if (job != NULL && docket_state_final(job->state)
            && docket_job_print(job, &json, &len) == DOCKET_OK)
        {
            record.data = (u_char *) json;
            record.len = len;
            ngx_http_docket_zone_cache(mcf->zone, job, &record);
            free(json);
        }
    }

    if (job != NULL) {
        cln->handler = ngx_http_docket_job_cleanup;
        cln->data = job;
    }

    return job;
}


ngx_int_t
ngx_http_docket_ask(ngx_http_request_t *r, ngx_uint_t *status)
{
    ngx_int_t                     rc;
    const char                   *why;
    docket_job_t                 *job;
    ngx_http_docket_ctx_t        *ctx;
    const docket_query_result_t  *q;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);
    q = docket_query_result(ctx->query);

    *status = NGX_HTTP_OK;
    ctx->duplicate = 1;

    rc = ngx_http_docket_zone_get(mcf->zone, q->id, &ctx->job, NULL, NULL, 1);

    job = NULL;

    if (rc != NGX_OK || docket_state_final(ctx->job.state)) {
        job = ngx_http_docket_load(r, q->id);
    }

    if (rc == NGX_OK && (!docket_state_final(ctx->job.state)
                         || ctx->job.writing))
    {
        /* live */

    } else if (job != NULL && !q->refresh
               && (ngx_http_docket_good(r, job, &why)
                   || (job->state == DOCKET_COMPLETED && job->partial
                       && job->settled
                       && job->finished + NGX_HTTP_DOCKET_PARTIAL_TIME
                          > (int64_t) ngx_time() * DOCKET_SECOND)))
    {
        rc = ngx_http_docket_find(r, q->id, &ctx->job, NULL);

        if (rc != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

    } else {
        rc = ngx_http_docket_queue(r, job, status);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    ctx->known = 1;
    ngx_http_docket_who(r, ctx->duplicate);

    return NGX_OK;
}


/* Into the zone, onto the disk, into the queue: in this order. */

static ngx_int_t
ngx_http_docket_queue(ngx_http_request_t *r, docket_job_t *known,
    ngx_uint_t *status)
{
    int                           rc;
    char                         *json;
    size_t                        len;
    int64_t                       now;
    ngx_int_t                     outcome;
    ngx_str_t                     record, seconds;
    docket_job_t                 *job;
    struct timeval                tv;
    ngx_http_docket_ctx_t        *ctx;
    const docket_query_result_t  *q;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);
    q = docket_query_result(ctx->query);

    ngx_gettimeofday(&tv);
    now = (int64_t) tv.tv_sec * DOCKET_SECOND + tv.tv_usec;

    job = known;

    if (job == NULL) {
        job = docket_job_create(q, now);
    }

    if (job == NULL || docket_job_print(job, &json, &len) != DOCKET_OK) {

        if (job != NULL && job != known) {
            docket_job_destroy(job);
        }

        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    record.data = (u_char *) json;
    record.len = len;

    outcome = ngx_http_docket_zone_enqueue(mcf->zone, mcf, q->id, &record,
                                           known ? known->capture_run : 0,
                                           now, &ctx->job);
    rc = DOCKET_OK;

    if (outcome == NGX_HTTP_DOCKET_QUEUED || outcome == NGX_HTTP_DOCKET_LIVE) {

        /* of a live one too: its asker may not have written it yet */

        rc = (known != NULL)
             ? docket_spool_again(&mcf->sp, q->id,
                                  q->refresh ? DOCKET_AGAIN_REFRESH
                                             : DOCKET_AGAIN_RETRY,
                                  (int) mcf->sync)
             : docket_spool_create(&mcf->sp, q->id, json, len,
                                   (int) mcf->sync);
    }

    free(json);

    if (job != known) {
        docket_job_destroy(job);
    }

    if (rc != DOCKET_OK) {
        rc = ngx_errno;

        ngx_log_error(NGX_LOG_ERR, r->connection->log, rc,
                      "docket job %s can't be written", q->id);
        ngx_http_docket_zone_abort(mcf->zone, q->id);

        return ngx_http_docket_problem(r, (rc == ENOSPC || rc == EDQUOT)
                                       ? NGX_HTTP_INSUFFICIENT_STORAGE
                                       : NGX_HTTP_INTERNAL_SERVER_ERROR,
                                       "the job could not be written");
    }

    ngx_str_set(&seconds, "10");

    switch (outcome) {

    case NGX_HTTP_DOCKET_QUEUED:
        ngx_http_docket_zone_commit(mcf->zone, q->id);
        ngx_http_docket_wake_helper(mcf);
        ctx->duplicate = 0;
        *status = NGX_HTTP_ACCEPTED;
        return NGX_OK;

    case NGX_HTTP_DOCKET_LIVE:
        return NGX_OK;

    case NGX_HTTP_DOCKET_NO_SPACE:
        return ngx_http_docket_problem(r, NGX_HTTP_INSUFFICIENT_STORAGE,
                                       "the spool is low on space");

    case NGX_HTTP_DOCKET_NO_HELPER:
        return ngx_http_docket_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "no docket process runs: nginx has "
                                       "\"master_process off\"");

    default:
        if (ngx_http_docket_header(r, "Retry-After", &seconds) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_docket_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "the queue is full");
    }
}


/* Live state over a record that was saved before. */

static ngx_int_t
ngx_http_docket_live(ngx_http_request_t *r, ngx_http_docket_job_t *node,
    ngx_str_t *record)
{
    char                         *json, err[160];
    size_t                        i, len;
    ngx_uint_t                    n;
    docket_job_t                 *job;
    docket_request_t             *rqs, *rq;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    job = docket_job_parse((char *) record->data, record->len, err,
                           sizeof(err));
    if (job == NULL) {
        return NGX_ERROR;
    }

    job->state = node->state;

    if (ngx_http_docket_zone_requests(mcf->zone, (char *) node->id, r->pool,
                                      &rqs, &n)
        == NGX_OK)
    {
        for (i = 0; i < n; i++) {
            rq = docket_job_request(job, rqs[i].name, 1);

            if (rq != NULL) {
                *rq = rqs[i];
            }
        }
    }

    if (docket_job_print(job, &json, &len) != DOCKET_OK) {
        docket_job_destroy(job);
        return NGX_ERROR;
    }

    docket_job_destroy(job);

    record->data = ngx_pnalloc(r->pool, len + 160);

    if (record->data == NULL) {
        free(json);
        return NGX_ERROR;
    }

    record->len = ngx_sprintf(record->data, "%*s,\"progress\":{\"position\":%ui,"
                              "\"received\":%uL,\"written\":%uL,\"packets\":%uL}}",
                              len - 1, json, node->position, node->received,
                              node->written, node->packets)
                  - record->data;
    free(json);

    return NGX_OK;
}


/* A job that only the disk knows: finished and evicted, or not yet taken back
   into the queue after a start. */

static ngx_int_t
ngx_http_docket_disk(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *node, ngx_str_t *record)
{
    char          *json;
    size_t         len;
    docket_job_t  *job;

    job = ngx_http_docket_load(r, id);

    if (job == NULL || docket_job_print(job, &json, &len) != DOCKET_OK) {
        return NGX_DECLINED;
    }

    record->data = ngx_pnalloc(r->pool, len);

    if (record->data != NULL) {
        record->len = len;
        ngx_memcpy(record->data, json, len);
    }

    free(json);

    ngx_memzero(node, sizeof(ngx_http_docket_job_t));
    ngx_memcpy(node->id, job->id, DOCKET_ID_LEN);

    node->state = job->state;
    node->run = job->run;
    node->capture_run = job->capture_run;
    node->partial = job->partial;
    node->settled = job->settled;
    node->created = job->created;
    node->requested = job->requested;
    node->started = job->started;
    node->packets = job->packets;

    return (record->data != NULL) ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_http_docket_find(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record)
{
    ngx_str_t                     text;
    ngx_int_t                     rc;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_zone_get(mcf->zone, id, job, r->pool, &text, 1);

    if (rc == NGX_DECLINED) {
        rc = ngx_http_docket_disk(r, id, job, &text);
    }

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    if (record != NULL) {
        *record = text;

        if (!docket_state_final(job->state)
            && ngx_http_docket_live(r, job, record) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
