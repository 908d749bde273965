/*
 * A job by its id: out of the zone, else out of the spool.
 *
 * All that look return NGX_OK; NGX_DECLINED: there is none; NGX_ERROR with
 * errno: nobody knows.
 */

#ifndef NGX_HTTP_DOCKET_LOOKUP_H
#define NGX_HTTP_DOCKET_LOOKUP_H


#include "ngx_http_docket.h"
#include "zone/ngx_http_docket_zone.h"


/* What was on disk is cached in the zone.  "record" (may be NULL): JSON of the
   job with live state and progress, as /status gives it. */
ngx_int_t ngx_http_docket_find(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record);
/* The one that a path names, into ctx->job; "id" is set, unless none is
   named. */
ngx_int_t ngx_http_docket_find_named(ngx_http_request_t *r, ngx_str_t *name,
    char id[DOCKET_ID_LEN + 1]);
/* As ngx_http_docket_find(), for one of many: "cache" says whether what was on
   disk goes into the zone. */
ngx_int_t ngx_http_docket_lookup(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record, ngx_uint_t cache);
/* The same for the record as it is parsed; a live job's is as old as the last
   one saved.  The caller destroys it. */
ngx_int_t ngx_http_docket_lookup_record(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, docket_job_t **rec);

/* Puts a finished job into the zone, whose record was read from disk; "text" is
   that record printed. */
void ngx_http_docket_cache(ngx_http_docket_main_conf_t *mcf,
    const docket_job_t *rec, ngx_str_t *text);

/* A finished job's record, made from the spool's, as zone_get() gives it. */
void ngx_http_docket_job_of(const docket_job_t *rec,
    ngx_http_docket_job_t *job);


/* Sends what the client is to hear when a look was not NGX_OK: 404, or (never
   NGX_OK then) as ngx_http_docket_spool_failed(). */
ngx_int_t ngx_http_docket_no_job(ngx_http_request_t *r, ngx_int_t rc,
    const char *id);
/* The same for a job of a list.  NGX_OK: the list goes on without it; else
   what the content handler returns. */
ngx_int_t ngx_http_docket_no_entry(ngx_http_request_t *r, ngx_int_t rc,
    const char *id);


#endif /* NGX_HTTP_DOCKET_LOOKUP_H */
