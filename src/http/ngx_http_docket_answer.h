/*
 * Answers.  Each sends headers and body, and returns what the content handler
 * returns (to be given to ngx_http_finalize_request() when called from an
 * event); never NGX_AGAIN or NGX_DECLINED, but where REFUSED is named.
 */

#ifndef NGX_HTTP_DOCKET_ANSWER_H
#define NGX_HTTP_DOCKET_ANSWER_H


#include "ngx_http_docket.h"
#include "http/ngx_http_docket_gen.h"
#include "query/docket_query.h"


/*
 * A function that may refuse a request returns, besides NGX_OK, what the
 * content handler returns: the refusal was sent (REFUSED, to nginx the same as
 * NGX_OK), or could not be.  The macro makes it of what an answer returned, so
 * that no caller takes NGX_OK for leave to go on.
 */
#define NGX_HTTP_DOCKET_REFUSED  NGX_AGAIN

#define ngx_http_docket_refused(rc)                                           \
    (((rc) == NGX_OK) ? NGX_HTTP_DOCKET_REFUSED : (rc))


ngx_int_t ngx_http_docket_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body);
/* What the generator holds. */
ngx_int_t ngx_http_docket_send_json(ngx_http_request_t *r, ngx_uint_t status,
    yajl_gen gen);

/* RFC 9457; "detail" is printf-like in nginx's own format.  Where ctx->page is
   set, what is wrong with the question is told on the page instead. */
ngx_int_t ngx_http_docket_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail, ...);
ngx_int_t ngx_http_docket_problem_field(ngx_http_request_t *r,
    const docket_query_error_t *err);
/* Logs why the spool failed, and sends 507, 503 or 500.  "id" is NULL when it
   is no single job.  REFUSED. */
ngx_int_t ngx_http_docket_spool_failed(ngx_http_request_t *r, ngx_err_t err,
    const char *call, const char *id);

/* 303; "url" is not copied. */
ngx_int_t ngx_http_docket_send_page(ngx_http_request_t *r, ngx_str_t *url);
/* 303 to ngx_http_docket_ask_url(). */
ngx_int_t ngx_http_docket_ask_page(ngx_http_request_t *r, const char *page);


/* Adds a response header; name and value are not copied.  NGX_OK or
   NGX_ERROR. */
ngx_int_t ngx_http_docket_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
/* That of a 503. */
ngx_int_t ngx_http_docket_retry_after(ngx_http_request_t *r);


#endif /* NGX_HTTP_DOCKET_ANSWER_H */
