/*
 * What the handlers share: the request's context, asking, answering, waiting.
 *
 *   ngx_http_docket_api.c      routes, methods
 *   ngx_http_docket_site.c     browsers of other sites
 *   ngx_http_docket_input.c    request -> docket_query_t
 *   ngx_http_docket_ask.c      docket_query_t -> queued or known
 *   ngx_http_docket_explain.c  /explain
 *   ngx_http_docket_pivot.c    /pivot
 *   ngx_http_docket_answer.c   JSON, problem documents, headers
 *   ngx_http_docket_gen.c      the generator of JSON
 *   ngx_http_docket_url.c      where things are found
 *   ngx_http_docket_status.c   /status, /events' data
 *   ngx_http_docket_summary.c  /summary
 *   ngx_http_docket_list.c     /ids /urls /jobs
 *   ngx_http_docket_find.c     /find
 *   ngx_http_docket_stats.c    /stats /sensors
 *   ngx_http_docket_metrics.c  /metrics
 *   ngx_http_docket_change.c   /cancel /retry /clean DELETE
 *   ngx_http_docket_wait.c     waiting requests of this worker
 *   ngx_http_docket_events.c   /events
 *   ngx_http_docket_stream.c   /pcap /query
 *   ngx_http_docket_results.c  docket_results
 *   ngx_http_docket_variables.c
 */

#ifndef NGX_HTTP_DOCKET_API_H
#define NGX_HTTP_DOCKET_API_H


#include "ngx_http_docket.h"
#include "zone/ngx_http_docket_zone.h"
#include "query/docket_query.h"
#include "pivot/docket_pivot.h"

#include <yajl/yajl_gen.h>


/* Context of a request, in ngx_http_get_module_ctx(). */

typedef struct {
    ngx_str_t                      path;       /* below the prefix, decoded
                                                  by nginx, from "/" */
    ngx_str_t                      raw_path;   /* the same, as sent */
    ngx_str_t                      rest;       /* of path, behind the
                                                  endpoint's name */
    size_t                         offset;     /* of the same in raw_path */
    const char                    *page;       /* shows what is wrong with the
                                                  question: as that of
                                                  ngx_http_docket_site() */
    docket_query_t                *query;      /* freed by a pool clean-up */
    const docket_pivot_result_t   *pivot;      /* of /pivot, as "query" */
    ngx_http_docket_job_t          job;        /* once asked or found */
    ngx_uint_t                     known;      /* job is filled */
    ngx_uint_t                     duplicate;
    ngx_str_t                      text;       /* canonical */
    void                          *wait;       /* of ngx_http_docket_wait.c */
    void                          *data;       /* of the endpoint */
    void                          *out;        /* of .._gen.c */
} ngx_http_docket_ctx_t;


/*
 * What ngx_http_docket_read_query() and _ask() return besides NGX_OK is what
 * the content handler returns: the refusal was sent (REFUSED, to nginx the
 * same as NGX_OK), or could not be.
 */
#define NGX_HTTP_DOCKET_REFUSED  NGX_AGAIN


/* Input; bodies have been read. */

/* Reads the options from the URL's arguments and the Steno-Limit-* headers,
   then the body (by its Content-Type) or the URI form, into a finished
   query in ctx->query. */
typedef enum {
    NGX_HTTP_DOCKET_FROM_URI,                  /* ctx->raw_path + offset */
    NGX_HTTP_DOCKET_FROM_BODY,                 /* form or JSON */
    NGX_HTTP_DOCKET_FROM_RAW_URI,              /* /raw/EXPR */
    NGX_HTTP_DOCKET_FROM_RAW_BODY,             /* text, form or JSON */
    NGX_HTTP_DOCKET_FROM_STENO_BODY,           /* /query: always verbatim */
    NGX_HTTP_DOCKET_FROM_EVENT_ARGS,           /* /pivot?src_ip=.. */
    NGX_HTTP_DOCKET_FROM_EVENT_BODY            /* an event, or a form of it */
} ngx_http_docket_source_e;

ngx_int_t ngx_http_docket_read_query(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset);


/*
 * Asks: finds a good or live job for ctx->query's result or queues a run.
 * NGX_OK: ctx->job is filled, *status is 200 or 202.  Refusals are 503, 507,
 * and 500 when the spool fails.
 */
ngx_int_t ngx_http_docket_ask(ngx_http_request_t *r, ngx_uint_t *status);

/* A job by id: the zone, else the spool (then cached in the zone).  NGX_OK;
   NGX_DECLINED: there is none; NGX_ERROR with errno: nobody knows.  "record"
   (may be NULL): JSON of the job with live state and progress, as /status
   gives it. */
ngx_int_t ngx_http_docket_find(ngx_http_request_t *r, const char *id,
    ngx_http_docket_job_t *job, ngx_str_t *record);
/* Sends what the client is to hear when that was not NGX_OK: 404, or as
   ngx_http_docket_spool_failed(). */
ngx_int_t ngx_http_docket_no_job(ngx_http_request_t *r, ngx_int_t rc,
    const char *id);

/* {id, query, state, url, time, Requested, duplicate} with 200 or 202; of
   /pivot with "pivot". */
ngx_int_t ngx_http_docket_send_asked(ngx_http_request_t *r,
    ngx_uint_t status);

/* Absolute path (or URL) of a job's capture, status, page. */
ngx_int_t ngx_http_docket_result_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url);
ngx_int_t ngx_http_docket_status_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url);


/* Answers.  Each sends headers and body, and returns what the content
   handler returns (to be given to ngx_http_finalize_request() when called
   from an event); never NGX_AGAIN or NGX_DECLINED. */

ngx_int_t ngx_http_docket_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body);
/* Takes what the generator holds, frees it. */
ngx_int_t ngx_http_docket_send_json(ngx_http_request_t *r, ngx_uint_t status,
    yajl_gen gen);
/* RFC 9457; "detail" is printf-like in nginx's own format. */
ngx_int_t ngx_http_docket_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail, ...);
ngx_int_t ngx_http_docket_problem_field(ngx_http_request_t *r,
    const docket_query_error_t *err);
/* Adds a response header; value is not copied. */
ngx_int_t ngx_http_docket_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);

/* yajl_gen that writes into buffers of r->pool, and is freed with it.  NULL:
   no memory; later lack of it is found by ngx_http_docket_send_json(). */
yajl_gen ngx_http_docket_gen(ngx_http_request_t *r);
void ngx_http_docket_gen_key(yajl_gen g, const char *key);
void ngx_http_docket_gen_cstr(yajl_gen g, const char *s);
void ngx_http_docket_gen_str(yajl_gen g, const u_char *s, size_t len);
void ngx_http_docket_gen_time(yajl_gen g, int64_t us);   /* RFC 3339, null */


/*
 * Waiting.  A request that has to wait registers a handler, which is called
 * on each change in the zone (why CHANGED), after "timeout" (TIMEOUT), and
 * when the worker is to exit (EXITING).  It stays registered until
 * ngx_http_docket_wait_done() or the end of the request.  The handler runs
 * from an event: it finalizes the request itself.  A client that goes away
 * ends the request.
 *
 * ngx_http_docket_suspend() is for a content handler, which returns what it
 * returns: NGX_DONE, with a reference for the events, or the answer that too
 * many wait in this worker.  ngx_http_docket_wait() is for an event that goes
 * on waiting, with another timeout or handler: NGX_OK or NGX_ERROR.
 */
#define NGX_HTTP_DOCKET_CHANGED  0
#define NGX_HTTP_DOCKET_TIMEOUT  1
#define NGX_HTTP_DOCKET_EXITING  2

typedef void (*ngx_http_docket_wait_pt)(ngx_http_request_t *r,
    ngx_uint_t why);

ngx_int_t ngx_http_docket_wait(ngx_http_request_t *r, ngx_msec_t timeout,
    ngx_http_docket_wait_pt handler);
ngx_int_t ngx_http_docket_suspend(ngx_http_request_t *r, ngx_msec_t timeout,
    ngx_http_docket_wait_pt handler);
void ngx_http_docket_wait_done(ngx_http_request_t *r);


/* Endpoints in files of their own; called after routing and method check,
   the path's rest in "rest" (without a leading '/'). */
ngx_int_t ngx_http_docket_events(ngx_http_request_t *r, ngx_str_t *rest);
/* After ngx_http_docket_read_query(): asks, then streams the capture. */
ngx_int_t ngx_http_docket_stream(ngx_http_request_t *r);


#endif /* NGX_HTTP_DOCKET_API_H */
