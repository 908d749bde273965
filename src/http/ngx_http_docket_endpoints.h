/*
 * What the endpoints share among themselves; ngx_http_docket_api.h has what
 * streaming and waiting use too.
 */

#ifndef NGX_HTTP_DOCKET_ENDPOINTS_H
#define NGX_HTTP_DOCKET_ENDPOINTS_H


#include "http/ngx_http_docket_api.h"
#include "job/docket_index.h"


#define NGX_HTTP_DOCKET_MAX_BODY   (64 * 1024)
#define NGX_HTTP_DOCKET_MAX_IDS    1000
#define NGX_HTTP_DOCKET_MAX_WAIT   (300 * 1000)    /* milliseconds */
#define NGX_HTTP_DOCKET_PAGE       100
#define NGX_HTTP_DOCKET_MAX_PAGE   1000


/* Now, in microseconds. */
int64_t ngx_http_docket_time_now(void);

/* What a function returns that has sent a problem, so that its caller does not
   take NGX_OK for leave to go on. */
#define ngx_http_docket_refused(rc)                                           \
    (((rc) == NGX_OK) ? NGX_HTTP_DOCKET_REFUSED : (rc))


/* A header of the request by its name in lower case; NULL: not there. */
ngx_str_t *ngx_http_docket_request_header(ngx_http_request_t *r,
    const char *name);

/* An argument of the URL, decoded into r->pool.  NGX_DECLINED: not there. */
ngx_int_t ngx_http_docket_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);


/* ngx_http_docket_site.c: NGX_OK, or what the content handler returns because
   another site sent this.  "page" is the page's view that shows such a question
   before it is asked, when a person may follow a link to it, or NULL. */
ngx_int_t ngx_http_docket_site(ngx_http_request_t *r, const char *page);
/* The client shows pages, and there is one to be shown. */
ngx_uint_t ngx_http_docket_wants_page(ngx_http_request_t *r);


/* A question as it came, read once. */

typedef enum {
    NGX_HTTP_DOCKET_IS_URI,
    NGX_HTTP_DOCKET_IS_FORM,
    NGX_HTTP_DOCKET_IS_JSON,
    NGX_HTTP_DOCKET_IS_RAW,
    NGX_HTTP_DOCKET_IS_EVENT,                  /* "args" are a part of it */
    NGX_HTTP_DOCKET_IS_EVENT_FORM
} ngx_http_docket_form_e;

typedef struct {
    ngx_http_docket_form_e   form;
    ngx_str_t                text;
    ngx_str_t                args;      /* those that are fields */
} ngx_http_docket_input_t;

/* "options" (NULL-terminated list, may be NULL): arguments that are no fields
   of the question.  NGX_OK, or what the content handler returns. */
ngx_int_t ngx_http_docket_input(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset,
    const char *const *options, ngx_http_docket_input_t *in);

/* What the location asks of a question; "now" is now. */
docket_query_conf_t *ngx_http_docket_query_conf(ngx_http_request_t *r);

/* Reads "in" into a query that is freed with r->pool; of an event ctx->pivot is
   filled in.  NGX_OK;
   NGX_DECLINED: the error is in *query; NGX_ERROR: no memory. */
ngx_int_t ngx_http_docket_parse(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_conf_t *conf,
    docket_query_t **query);

/* The part of it before docket_query_finish(); as docket_query_read_uri(). */
int ngx_http_docket_read_input(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_t *q);

/* Compiles the filter, if there is one.  As ngx_http_docket_parse(), with the
   error in *err. */
ngx_int_t ngx_http_docket_check_filter(const docket_query_result_t *q,
    docket_query_error_t *err);

/* A body that was read, as one string. */
ngx_int_t ngx_http_docket_body(ngx_http_request_t *r, ngx_str_t *body);

/* Ids of a list ("," ";" "+" tab or space between them); words that are none
   are left out.  NGX_OK, or what the content handler returns. */
typedef struct {
    char                     id[DOCKET_ID_LEN + 1];
} ngx_http_docket_id_t;

ngx_int_t ngx_http_docket_ids_of(ngx_http_request_t *r, ngx_str_t *list,
    ngx_array_t *ids);
/* For qsort() and bsearch(). */
int ngx_libc_cdecl ngx_http_docket_cmp_ids(const void *one, const void *two);


/* Names of the sensors that are asked out of the configured ones. */
const char *const *ngx_http_docket_selected(ngx_http_docket_main_conf_t *mcf,
    const char *const *sensors, ngx_uint_t *n);

/*
 * Queues a further run of a finished job.  "what": DOCKET_AGAIN_*; 0 for a
 * job that never finished, but that nobody knows of.  NGX_OK: as _ask();
 * NGX_DECLINED: the job has just been removed.
 */
ngx_int_t ngx_http_docket_again(ngx_http_request_t *r,
    const docket_job_t *rec, int what, int64_t now, ngx_uint_t *status);
/* Counts the question, if the job is known. */
void ngx_http_docket_count(ngx_http_request_t *r, int64_t now);

/* Logs why the spool failed, and sends 507, 503 or 500.  "id" is NULL when it
   is no single job. */
ngx_int_t ngx_http_docket_spool_failed(ngx_http_request_t *r, ngx_err_t err,
    const char *call, const char *id);
/* The header of a 503. */
ngx_int_t ngx_http_docket_retry_after(ngx_http_request_t *r);


/* A finished job's record, made from the spool's, as zone_get() gives it. */
void ngx_http_docket_job_of(const docket_job_t *rec,
    ngx_http_docket_job_t *job);

/* As ngx_http_docket_find(); "cache": what was on disk goes into the zone. */
ngx_int_t ngx_http_docket_lookup(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record, ngx_uint_t cache);
/* The same for the record as it is parsed; a live job's is as old as the last
   one saved.  The caller destroys it. */
ngx_int_t ngx_http_docket_lookup_record(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, docket_job_t **rec);
/* When that was not NGX_OK for a job of a list.  NGX_OK: the list goes on
   without it; else what the content handler returns. */
ngx_int_t ngx_http_docket_no_entry(ngx_http_request_t *r, ngx_int_t rc,
    const char *id);


/* Jobs, newest first, out of the index and of what is not yet in it. */

typedef struct ngx_http_docket_walk_s  ngx_http_docket_walk_t;

typedef struct {
    char                     id[DOCKET_ID_LEN + 1];
    docket_state_e           state;     /* as indexed: it may be older */
    unsigned                 capture:1;
} ngx_http_docket_entry_t;

/* NULL: no memory.  Open until the request ends. */
ngx_http_docket_walk_t *ngx_http_docket_walk(ngx_http_request_t *r);
/* 0: there is no further one, or it can't be read. */
ngx_uint_t ngx_http_docket_walk_next(ngx_http_docket_walk_t *w,
    ngx_http_docket_entry_t *entry);
/* NGX_OK: all was read; else what the content handler returns. */
ngx_int_t ngx_http_docket_walk_end(ngx_http_request_t *r,
    ngx_http_docket_walk_t *w);


/* What "limit", "page" and "cursor" of the URL ask for. */

typedef struct {
    ngx_uint_t               limit;
    ngx_uint_t               skip;
    char                     cursor[DOCKET_ID_LEN + 1];    /* or "" */

    unsigned                 more:1;    /* set by the endpoint */
    char                     last[DOCKET_ID_LEN + 1];      /* the same */
} ngx_http_docket_page_t;

/* NGX_OK, or what the content handler returns. */
ngx_int_t ngx_http_docket_page(ngx_http_request_t *r,
    ngx_http_docket_page_t *page);
/* Goes to the page's first entry. */
ngx_int_t ngx_http_docket_walk_to(ngx_http_docket_walk_t *w,
    ngx_http_docket_page_t *page);
/* Link to the next page, when there is more. */
ngx_int_t ngx_http_docket_page_link(ngx_http_request_t *r,
    ngx_http_docket_page_t *page);

/* A search among jobs; NULL, -1, "" where nothing is asked. */

typedef struct {
    docket_query_t          *query;     /* docket_query_finish_search() */
    ngx_str_t                text;      /* part of the canonical text */
    ngx_int_t                state;
    ngx_array_t             *ids;       /* ngx_http_docket_id_t, sorted */
} ngx_http_docket_search_t;

/* 400 that names an argument. */
ngx_int_t ngx_http_docket_bad_arg(ngx_http_request_t *r, const char *name,
    const char *why);

/* "state" by its name, in any case.  NGX_OK, or what is returned. */
ngx_int_t ngx_http_docket_search_state(ngx_http_request_t *r,
    ngx_str_t *value, ngx_http_docket_search_t *search);

/* [{id, state, query, url, time}, ..] */
ngx_int_t ngx_http_docket_send_jobs(ngx_http_request_t *r,
    ngx_http_docket_page_t *page, ngx_http_docket_search_t *search);


/* What a generator holds, which is never nothing.  NGX_ERROR: there was no
   memory for it. */
ngx_int_t ngx_http_docket_gen_chain(ngx_http_request_t *r, yajl_gen g,
    ngx_chain_t **chain, off_t *len);
/* The same as one string. */
ngx_int_t ngx_http_docket_gen_take(ngx_http_request_t *r, yajl_gen g,
    ngx_str_t *text);
/* Text that is JSON already. */
void ngx_http_docket_gen_raw(yajl_gen g, const void *s, size_t len);
void ngx_http_docket_gen_number(yajl_gen g, uint64_t n);
void ngx_http_docket_gen_double(yajl_gen g, double n);

/* ngx_http_docket_result_url() into "p", which has room for _size() bytes;
   returns the end. */
size_t ngx_http_docket_result_url_size(ngx_http_request_t *r);
u_char *ngx_http_docket_result_url_put(ngx_http_request_t *r, const char *id,
    u_char *p);

/* 303; "url" is not copied. */
ngx_int_t ngx_http_docket_send_page(ngx_http_request_t *r, ngx_str_t *url);
/* 303 to the page with the question filled in, and not sent. */
ngx_int_t ngx_http_docket_ask_page(ngx_http_request_t *r, const char *page);
ngx_int_t ngx_http_docket_page_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url);
ngx_int_t ngx_http_docket_ask_url(ngx_http_request_t *r, const char *page,
    ngx_str_t *url);


/* As /uri answers, from any source. */
ngx_int_t ngx_http_docket_ask_link(ngx_http_request_t *r,
    ngx_http_docket_source_e source);
/* ngx_http_docket_api.c: asks, or looks for HEAD, and answers with JSON. */
ngx_int_t ngx_http_docket_ask_and_send(ngx_http_request_t *r,
    ngx_http_docket_source_e source);
/* As /explain answers, from any source. */
ngx_int_t ngx_http_docket_explain_from(ngx_http_request_t *r,
    ngx_http_docket_source_e source);
/* Adds "pivot" to an object. */
void ngx_http_docket_gen_pivot(yajl_gen g, const docket_pivot_result_t *p);


/* The endpoints; called after routing and method check. */
ngx_int_t ngx_http_docket_explain(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_pivot(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_status(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_summary(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_ids(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_urls(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_jobs(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_search(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_stats(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_sensors(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_metrics(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_cancel(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_retry(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_clean_now(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_delete(ngx_http_request_t *r, ngx_str_t *rest);

const char *ngx_http_docket_health_name(ngx_uint_t health);


#endif /* NGX_HTTP_DOCKET_ENDPOINTS_H */
