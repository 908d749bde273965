/*
 * A question out of a request: path, arguments, headers, body (which has been
 * read).
 */

#ifndef NGX_HTTP_DOCKET_INPUT_H
#define NGX_HTTP_DOCKET_INPUT_H


#include "ngx_http_docket.h"
#include "query/docket_query.h"


#define NGX_HTTP_DOCKET_MAX_BODY  (64 * 1024)


typedef enum {
    NGX_HTTP_DOCKET_FROM_URI,                  /* ctx->raw_path + offset */
    NGX_HTTP_DOCKET_FROM_BODY,                 /* form or JSON */
    NGX_HTTP_DOCKET_FROM_RAW_URI,              /* /raw/EXPR */
    NGX_HTTP_DOCKET_FROM_RAW_BODY,             /* text, form or JSON */
    NGX_HTTP_DOCKET_FROM_STENO_BODY,           /* /query: always verbatim */
    NGX_HTTP_DOCKET_FROM_EVENT_ARGS,           /* /pivot?src_ip=.. */
    NGX_HTTP_DOCKET_FROM_EVENT_BODY            /* an event, or a form of it */
} ngx_http_docket_source_e;


/* Reads the options from the URL's arguments and the Steno-Limit-* headers,
   then the body (by its Content-Type) or the URI form, into a finished
   query in ctx->query.  NGX_OK, or what the content handler returns. */
ngx_int_t ngx_http_docket_read_query(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset);


/* The steps of it: a question as it came, read once. */

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

/* What the location asks of a question; "now" is now.  NULL: no memory. */
docket_query_conf_t *ngx_http_docket_query_conf(ngx_http_request_t *r);

/* Reads "in" into a query that is freed with r->pool; of an event ctx->pivot
   is filled in.  NGX_OK; NGX_DECLINED: the error is in *query; NGX_ERROR: no
   memory. */
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


/* Those sensors of a question that are asked: all, when it names none (*n is
   0). */
const char *const *ngx_http_docket_selected(ngx_http_docket_main_conf_t *mcf,
    const char *const *sensors, ngx_uint_t *n);

/* Now, in microseconds. */
int64_t ngx_http_docket_time_now(void);


#endif /* NGX_HTTP_DOCKET_INPUT_H */
