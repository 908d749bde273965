/*
 * The endpoints, and what one takes from another.
 */

#ifndef NGX_HTTP_DOCKET_ENDPOINTS_H
#define NGX_HTTP_DOCKET_ENDPOINTS_H


#include "ngx_http_docket.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_walk.h"
#include "pivot/docket_pivot.h"


/* Called after routing and method check, when the body was read, the path's
   rest in "rest" (without a leading '/').  Each returns what a content handler
   returns. */
ngx_int_t ngx_http_docket_post(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_uri(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_raw(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_pcap(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_query(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_explain(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_pivot(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_status(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_summary(ngx_http_request_t *r, ngx_str_t *rest);
ngx_int_t ngx_http_docket_events(ngx_http_request_t *r, ngx_str_t *rest);
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


/* ngx_http_docket_question.c: reads a question, asks it (HEAD only looks), and
   answers with JSON; _link() with the page for a client that shows it. */
ngx_int_t ngx_http_docket_ask_and_send(ngx_http_request_t *r,
    ngx_http_docket_source_e source);
ngx_int_t ngx_http_docket_ask_link(ngx_http_request_t *r,
    ngx_http_docket_source_e source);
/* That JSON of ctx->job: {id, query, state, url, time, Requested, duplicate}
   with 200 or 202; of /pivot with "pivot". */
ngx_int_t ngx_http_docket_send_asked(ngx_http_request_t *r,
    ngx_uint_t status);

/* As /explain answers, from any source. */
ngx_int_t ngx_http_docket_explain_from(ngx_http_request_t *r,
    ngx_http_docket_source_e source);

/* After ngx_http_docket_read_query(): asks, then streams the capture. */
ngx_int_t ngx_http_docket_stream(ngx_http_request_t *r);

/* Adds "pivot" to an object. */
void ngx_http_docket_gen_pivot(yajl_gen g, const docket_pivot_result_t *p);


/* A search among jobs; NULL, -1, "" where nothing is asked. */

typedef struct {
    docket_query_t          *query;     /* docket_query_finish_search() */
    ngx_str_t                text;      /* part of the canonical text */
    ngx_int_t                state;
    ngx_array_t             *ids;       /* ngx_http_docket_id_t, sorted */
} ngx_http_docket_search_t;

/* "state" by its name, in any case.  NGX_OK, or what is returned. */
ngx_int_t ngx_http_docket_search_state(ngx_http_request_t *r,
    ngx_str_t *value, ngx_http_docket_search_t *search);
/* [{id, state, query, url, time}, ..] */
ngx_int_t ngx_http_docket_send_jobs(ngx_http_request_t *r,
    ngx_http_docket_page_t *page, ngx_http_docket_search_t *search);


#endif /* NGX_HTTP_DOCKET_ENDPOINTS_H */
