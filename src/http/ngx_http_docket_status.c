/*
 * /status, and what it says of one job.
 *
 * The record of a finished job is its answer as it stands.  That of a live one
 * is older than what the zone knows, and is printed anew.
 */

#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_send.h"

#include <stdlib.h>


typedef struct {
    ngx_array_t                    ids;        /* ngx_http_docket_id_t */
    ngx_uint_t                     done;       /* so many are final */
} ngx_http_docket_status_t;


static ngx_int_t ngx_http_docket_status_wait(ngx_http_request_t *r,
    ngx_http_docket_status_t *st, ngx_str_t *arg);
static void ngx_http_docket_status_event(ngx_http_request_t *r,
    ngx_uint_t why);
static ngx_uint_t ngx_http_docket_status_final(ngx_http_request_t *r,
    ngx_http_docket_status_t *st);
static ngx_int_t ngx_http_docket_status_send(ngx_http_request_t *r,
    ngx_http_docket_status_t *st);
static ngx_int_t ngx_http_docket_status_all(ngx_http_request_t *r);
static void ngx_http_docket_status_entry(yajl_gen g, const char *id,
    ngx_str_t *record);

static ngx_int_t ngx_http_docket_from_spool(ngx_http_request_t *r,
    const char *id, ngx_http_docket_job_t *job, ngx_str_t *record,
    ngx_uint_t cache);
static ngx_int_t ngx_http_docket_live_record(ngx_http_request_t *r,
    ngx_http_docket_job_t *job, ngx_str_t *record);
static void ngx_http_docket_overlay(docket_job_t *rec,
    ngx_http_docket_job_t *job);
static ngx_int_t ngx_http_docket_progress(ngx_http_request_t *r,
    ngx_http_docket_job_t *job, docket_request_t *requests, ngx_uint_t n,
    ngx_str_t *text);


ngx_int_t
ngx_http_docket_find(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record)
{
    return ngx_http_docket_lookup(r, id, job, record, 1);
}


ngx_int_t
ngx_http_docket_lookup(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record, ngx_uint_t cache)
{
    ngx_int_t                     rc;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (record != NULL) {
        ngx_str_null(record);
    }

    rc = ngx_http_docket_zone_get(mcf->zone, id, job, r->pool, record, 0);

    if (rc == NGX_DECLINED) {
        return ngx_http_docket_from_spool(r, id, job, record, cache);
    }

    if (rc == NGX_OK && record != NULL && !docket_state_final(job->state)) {
        rc = ngx_http_docket_live_record(r, job, record);
    }

    if (rc != NGX_OK) {
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_no_job(ngx_http_request_t *r, ngx_int_t rc, const char *id)
{
    if (rc == NGX_ERROR) {
        return ngx_http_docket_spool_failed(r, ngx_errno, "reading the record",
                                            id);
    }

    return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                   "there is no such job");
}


/*
 * One job takes the others not away from a list: a record that is damaged, or
 * closed, is left out.
 */

ngx_int_t
ngx_http_docket_no_entry(ngx_http_request_t *r, ngx_int_t rc, const char *id)
{
    if (rc != NGX_ERROR) {
        return NGX_OK;
    }

    if (ngx_errno != EBADMSG && ngx_errno != NGX_EACCES) {
        return ngx_http_docket_no_job(r, rc, id);
    }

    ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                  "docket: job \"%s\" is left out: its record can not be read",
                  id);

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_from_spool(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record, ngx_uint_t cache)
{
    char                          err[128], *json;
    size_t                        len;
    ngx_int_t                     rc;
    ngx_str_t                     text;
    docket_job_t                 *rec;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rec = docket_spool_load(&mcf->sp, id, err, sizeof(err));

    if (rec == NULL) {
        return (ngx_errno == NGX_ENOENT) ? NGX_DECLINED : NGX_ERROR;
    }

    ngx_http_docket_job_of(rec, job);

    cache = cache && docket_state_final(rec->state);

    if (record == NULL && !cache) {
        docket_job_destroy(rec);
        return NGX_OK;
    }

    if (docket_job_print(rec, &json, &len) != DOCKET_OK) {
        docket_job_destroy(rec);
        ngx_set_errno(NGX_ENOMEM);
        return NGX_ERROR;
    }

    text.data = (u_char *) json;
    text.len = len;

    if (cache) {
        ngx_http_docket_zone_cache(mcf->zone, rec, &text);
    }

    rc = NGX_OK;

    if (record != NULL) {
        record->len = len;
        record->data = ngx_pstrdup(r->pool, &text);

        if (record->data == NULL) {
            rc = NGX_ERROR;
        }
    }

    free(json);
    docket_job_destroy(rec);

    if (rc != NGX_OK) {
        ngx_set_errno(NGX_ENOMEM);
    }

    return rc;
}


ngx_int_t
ngx_http_docket_lookup_record(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, docket_job_t **rec)
{
    char                          err[128];
    ngx_str_t                     record;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    ngx_str_null(&record);

    if (ngx_http_docket_zone_get(mcf->zone, id, job, r->pool, &record, 0)
        == NGX_OK)
    {
        *rec = docket_job_parse((char *) record.data, record.len, err,
                                sizeof(err));
        ngx_pfree(r->pool, record.data);

        if (*rec == NULL) {
            ngx_set_errno(NGX_ENOMEM);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    *rec = docket_spool_load(&mcf->sp, id, err, sizeof(err));

    if (*rec == NULL) {
        return (ngx_errno == NGX_ENOENT) ? NGX_DECLINED : NGX_ERROR;
    }

    ngx_http_docket_job_of(*rec, job);

    return NGX_OK;
}


void
ngx_http_docket_job_of(const docket_job_t *rec, ngx_http_docket_job_t *job)
{
    ngx_memzero(job, sizeof(ngx_http_docket_job_t));

    ngx_memcpy(job->id, rec->id, DOCKET_ID_LEN);

    job->state = rec->state;
    job->run = rec->run;
    job->capture_run = rec->capture_run;
    job->partial = rec->partial;
    job->settled = rec->settled;
    job->indexed = 1;
    job->created = rec->created;
    job->requested = rec->requested;
    job->started = rec->started;
    job->packets = rec->packets;
}


static ngx_int_t
ngx_http_docket_live_record(ngx_http_request_t *r, ngx_http_docket_job_t *job,
    ngx_str_t *record)
{
    int                           rc;
    char                          err[128], *json;
    u_char                       *p;
    size_t                        len, saved_n;
    ngx_str_t                     progress;
    ngx_uint_t                    n;
    docket_job_t                 *rec;
    docket_request_t             *requests, *saved;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    n = 0;

    if (ngx_http_docket_zone_requests(mcf->zone, (char *) job->id, r->pool,
                                      &requests, &n)
        != NGX_OK)
    {
        requests = NULL;
    }

    if (ngx_http_docket_progress(r, job, requests, n, &progress) != NGX_OK) {
        return NGX_ERROR;
    }

    rec = docket_job_parse((char *) record->data, record->len, err,
                           sizeof(err));
    if (rec == NULL) {
        return NGX_ERROR;
    }

    ngx_http_docket_overlay(rec, job);

    /* these belong to r->pool, and the record frees its own */

    saved = rec->requests;
    saved_n = rec->nrequests;

    if (requests != NULL) {
        rec->requests = requests;
        rec->nrequests = n;
    }

    rc = docket_job_print(rec, &json, &len);

    rec->requests = saved;
    rec->nrequests = saved_n;

    docket_job_destroy(rec);

    if (rc != DOCKET_OK) {
        return NGX_ERROR;
    }

    record->data = ngx_pnalloc(r->pool, len + sizeof(",\"progress\":}")
                                        + progress.len);
    if (record->data == NULL) {
        free(json);
        return NGX_ERROR;
    }

    p = ngx_cpymem(record->data, json, len - 1);
    p = ngx_sprintf(p, ",\"progress\":%V}", &progress);
    record->len = p - record->data;

    free(json);

    return NGX_OK;
}


/* What the record says of the last run's end is not yet true of this one. */

static void
ngx_http_docket_overlay(docket_job_t *rec, ngx_http_docket_job_t *job)
{
    rec->state = job->state;
    rec->run = job->run;
    rec->requested = job->requested;
    rec->started = job->started;
    rec->finished = 0;
    rec->partial = 0;
    rec->truncated = 0;
    rec->empty = 0;
    rec->settled = 0;
    rec->asked += job->asked;

    free(rec->reason);
    rec->reason = NULL;
}


static ngx_int_t
ngx_http_docket_progress(ngx_http_request_t *r, ngx_http_docket_job_t *job,
    docket_request_t *requests, ngx_uint_t n, ngx_str_t *text)
{
    yajl_gen    g;
    uint64_t    slices, done;
    ngx_uint_t  i;

    slices = 0;
    done = 0;

    for (i = 0; i < n; i++) {
        slices += requests[i].slices;
        done += requests[i].slices_done;
    }

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_ERROR;
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "position");
    ngx_http_docket_gen_number(g, job->position);
    ngx_http_docket_gen_key(g, "received");
    ngx_http_docket_gen_number(g, job->received);
    ngx_http_docket_gen_key(g, "written");
    ngx_http_docket_gen_number(g, job->written);
    ngx_http_docket_gen_key(g, "packets");
    ngx_http_docket_gen_number(g, job->packets);
    ngx_http_docket_gen_key(g, "slices");
    ngx_http_docket_gen_number(g, slices);
    ngx_http_docket_gen_key(g, "slices_done");
    ngx_http_docket_gen_number(g, done);
    ngx_http_docket_gen_key(g, "cancelling");
    yajl_gen_bool(g, job->cancel);
    yajl_gen_map_close(g);

    return ngx_http_docket_gen_take(r, g, text);
}


ngx_int_t
ngx_http_docket_status(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_int_t                  rc;
    ngx_str_t                  arg;
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_status_t  *st;

    if (rest->len == 0) {
        return ngx_http_docket_status_all(r);
    }

    st = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_status_t));
    if (st == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_ids_of(r, rest, &st->ids);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    ctx->data = st;

    rc = ngx_http_docket_arg(r, "wait", &arg);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        return ngx_http_docket_status_wait(r, st, &arg);
    }

    return ngx_http_docket_status_send(r, st);
}


static ngx_int_t
ngx_http_docket_status_wait(ngx_http_request_t *r,
    ngx_http_docket_status_t *st, ngx_str_t *arg)
{
    int64_t               us;
    ngx_msec_t            msec;
    docket_query_error_t  err;

    if (docket_parse_duration((char *) arg->data, arg->len, &us) != DOCKET_OK
        || us < 0)
    {
        ngx_memzero(&err, sizeof(docket_query_error_t));

        err.status = NGX_HTTP_BAD_REQUEST;
        err.position = -1;
        ngx_memcpy(err.field, "wait", sizeof("wait"));
        ngx_memcpy(err.detail, "wait: is no duration, as 30s or 2m",
                   sizeof("wait: is no duration, as 30s or 2m"));

        return ngx_http_docket_problem_field(r, &err);
    }

    msec = NGX_HTTP_DOCKET_MAX_WAIT;

    if (us / 1000 < NGX_HTTP_DOCKET_MAX_WAIT) {
        msec = (ngx_msec_t) (us / 1000);
    }

    if (msec == 0 || r->method == NGX_HTTP_HEAD
        || ngx_http_docket_status_final(r, st))
    {
        return ngx_http_docket_status_send(r, st);
    }

    return ngx_http_docket_suspend(r, msec, ngx_http_docket_status_event);
}


static void
ngx_http_docket_status_event(ngx_http_request_t *r, ngx_uint_t why)
{
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_status_t  *st;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    st = ctx->data;

    if (why == NGX_HTTP_DOCKET_CHANGED && !ngx_http_docket_status_final(r, st))
    {
        return;
    }

    ngx_http_docket_wait_done(r);
    ngx_http_finalize_request(r, ngx_http_docket_status_send(r, st));
}


/* Unknown jobs have nothing to wait for. */

static ngx_uint_t
ngx_http_docket_status_final(ngx_http_request_t *r,
    ngx_http_docket_status_t *st)
{
    ngx_http_docket_id_t   *ids;
    ngx_http_docket_job_t   job;

    ids = st->ids.elts;

    for ( /* void */ ; st->done < st->ids.nelts; st->done++) {

        if (ngx_http_docket_find(r, ids[st->done].id, &job, NULL) == NGX_OK
            && !docket_state_final(job.state))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_docket_status_send(ngx_http_request_t *r,
    ngx_http_docket_status_t *st)
{
    yajl_gen                g;
    ngx_int_t               rc;
    ngx_str_t               record;
    ngx_uint_t              i, known;
    ngx_http_docket_id_t   *ids;
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_job_t   job;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ids = st->ids.elts;
    known = 0;

    yajl_gen_map_open(g);

    for (i = 0; i < st->ids.nelts; i++) {

        rc = ngx_http_docket_find(r, ids[i].id, &job, &record);

        if (rc == NGX_ERROR) {
            return ngx_http_docket_no_job(r, rc, ids[i].id);
        }

        if (rc != NGX_OK) {
            continue;
        }

        ngx_http_docket_status_entry(g, ids[i].id, &record);

        ctx->job = job;
        known++;
    }

    yajl_gen_map_close(g);

    if (known == 0) {
        return ngx_http_docket_no_job(r, NGX_DECLINED, NULL);
    }

    ctx->known = (st->ids.nelts == 1);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


static void
ngx_http_docket_status_entry(yajl_gen g, const char *id, ngx_str_t *record)
{
    ngx_http_docket_gen_key(g, id);
    ngx_http_docket_gen_raw(g, record->data, record->len);
}


/* The newest jobs, a page of them. */

static ngx_int_t
ngx_http_docket_status_all(ngx_http_request_t *r)
{
    yajl_gen                  g;
    ngx_int_t                 rc;
    ngx_str_t                 record;
    ngx_uint_t                n;
    ngx_http_docket_job_t     job;
    ngx_http_docket_page_t    page;
    ngx_http_docket_walk_t   *walk;
    ngx_http_docket_entry_t   entry;

    rc = ngx_http_docket_page(r, &page);

    if (rc != NGX_OK) {
        return rc;
    }

    g = ngx_http_docket_gen(r);
    walk = ngx_http_docket_walk(r);

    if (g == NULL || walk == NULL
        || ngx_http_docket_walk_to(walk, &page) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);

    n = 0;

    while (ngx_http_docket_walk_next(walk, &entry)) {

        if (n == page.limit) {
            page.more = 1;
            break;
        }

        rc = ngx_http_docket_lookup(r, entry.id, &job, &record, 0);

        if (rc != NGX_OK) {
            rc = ngx_http_docket_no_entry(r, rc, entry.id);

            if (rc != NGX_OK) {
                return rc;
            }

            continue;
        }

        ngx_http_docket_status_entry(g, entry.id, &record);
        ngx_memcpy(page.last, entry.id, sizeof(entry.id));
        n++;
    }

    yajl_gen_map_close(g);

    rc = ngx_http_docket_walk_end(r, walk);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_docket_page_link(r, &page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}
