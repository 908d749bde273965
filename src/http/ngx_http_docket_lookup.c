/*
 * A job by its id: out of the zone, else out of the spool.
 *
 * The record of a finished job is its answer as it stands.  That of a live one
 * is older than what the zone knows, and is printed anew.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_lookup.h"

#include <stdlib.h>


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
ngx_http_docket_find_named(ngx_http_request_t *r, ngx_str_t *name,
    char id[DOCKET_ID_LEN + 1])
{
    ngx_int_t               rc;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    if (!docket_spool_id((char *) name->data, name->len, id)) {
        return NGX_DECLINED;
    }

    rc = ngx_http_docket_find(r, id, &ctx->job, NULL);

    ctx->known = (rc == NGX_OK);

    return rc;
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
        ngx_http_docket_cache(mcf, rec, &text);
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


/*
 * Who removes a job forgets it afterwards too: it may have been read before,
 * and been put here since.  What is put here later still is looked for on disk.
 */

void
ngx_http_docket_cache(ngx_http_docket_main_conf_t *mcf, const docket_job_t *rec,
    ngx_str_t *text)
{
    ngx_http_docket_zone_cache(mcf->zone, rec, text);

    if (!docket_spool_has(&mcf->sp, rec->id)) {
        (void) ngx_http_docket_zone_forget(mcf->zone, rec->id);
    }
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
