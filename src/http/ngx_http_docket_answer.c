/*
 * Answers: JSON, problem documents, the way to the page, headers.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_url.h"


#define NGX_HTTP_DOCKET_MAX_DETAIL   1024

#define NGX_HTTP_DOCKET_RETRY_AFTER  "10"


typedef struct {
    ngx_uint_t                     status;
    const char                    *title;
} ngx_http_docket_title_t;


static ngx_int_t ngx_http_docket_send_chain(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_chain_t *out, off_t len);
static ngx_int_t ngx_http_docket_send_gen(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, yajl_gen gen);
static ngx_int_t ngx_http_docket_send_problem(ngx_http_request_t *r,
    ngx_uint_t status, const u_char *detail, size_t len,
    const docket_query_error_t *err);


static ngx_http_docket_title_t  ngx_http_docket_titles[] = {
    { NGX_HTTP_BAD_REQUEST, "Bad Request" },
    { NGX_HTTP_FORBIDDEN, "Forbidden" },
    { NGX_HTTP_NOT_FOUND, "Not Found" },
    { NGX_HTTP_NOT_ALLOWED, "Method Not Allowed" },
    { NGX_HTTP_CONFLICT, "Conflict" },
    { NGX_HTTP_REQUEST_ENTITY_TOO_LARGE, "Content Too Large" },
    { NGX_HTTP_UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type" },
    { NGX_HTTP_INTERNAL_SERVER_ERROR, "Internal Server Error" },
    { NGX_HTTP_BAD_GATEWAY, "Bad Gateway" },
    { NGX_HTTP_SERVICE_UNAVAILABLE, "Service Unavailable" },
    { NGX_HTTP_GATEWAY_TIME_OUT, "Gateway Timeout" },
    { NGX_HTTP_INSUFFICIENT_STORAGE, "Insufficient Storage" },
    { 0, "Error" }
};


static ngx_str_t  ngx_http_docket_json_type = ngx_string("application/json");
static ngx_str_t  ngx_http_docket_problem_type =
    ngx_string("application/problem+json");


ngx_int_t
ngx_http_docket_send(ngx_http_request_t *r, ngx_uint_t status, ngx_str_t *type,
    ngx_str_t *body)
{
    ngx_buf_t    *b;
    ngx_chain_t  *out;

    if (body->len == 0) {
        return ngx_http_docket_send_chain(r, status, type, NULL, 0);
    }

    b = ngx_calloc_buf(r->pool);
    out = ngx_alloc_chain_link(r->pool);

    if (b == NULL || out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;

    out->buf = b;
    out->next = NULL;

    return ngx_http_docket_send_chain(r, status, type, out, body->len);
}


static ngx_int_t
ngx_http_docket_send_chain(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_chain_t *out, off_t len)
{
    u_char       *last;
    ngx_int_t     rc;
    ngx_str_t     value;
    ngx_chain_t  *cl;

    if (r->header_sent) {
        return NGX_ERROR;
    }

    /* of a request that is refused before its body was read */

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    r->headers_out.status = status;
    r->headers_out.content_length_n = len;

    if (type != NULL) {
        /* without its parameters, by which filters don't know it */

        last = ngx_strlchr(type->data, type->data + type->len, ';');

        if (last == NULL) {
            last = type->data + type->len;
        }

        r->headers_out.content_type = *type;
        r->headers_out.content_type_len = last - type->data;
        r->headers_out.content_type_lowcase = NULL;
    }

    ngx_str_set(&value, "no-store");

    if (ngx_http_docket_header(r, "Cache-Control", &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (out == NULL) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return (rc == NGX_AGAIN) ? NGX_OK : rc;
    }

    for (cl = out; cl->next != NULL; cl = cl->next) {
        /* void */
    }

    cl->buf->last_buf = (r == r->main) ? 1 : 0;
    cl->buf->last_in_chain = 1;

    rc = ngx_http_output_filter(r, out);

    return (rc == NGX_AGAIN) ? NGX_OK : rc;
}


ngx_int_t
ngx_http_docket_send_json(ngx_http_request_t *r, ngx_uint_t status,
    yajl_gen gen)
{
    return ngx_http_docket_send_gen(r, status, &ngx_http_docket_json_type,
                                    gen);
}


static ngx_int_t
ngx_http_docket_send_gen(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, yajl_gen gen)
{
    off_t         len;
    ngx_chain_t  *out;

    if (ngx_http_docket_gen_chain(r, gen, &out, &len) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_chain(r, status, type, out, len);
}


ngx_int_t
ngx_http_docket_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail, ...)
{
    u_char   buf[NGX_HTTP_DOCKET_MAX_DETAIL], *p;
    va_list  args;

    va_start(args, detail);
    p = ngx_vslprintf(buf, buf + sizeof(buf), detail, args);
    va_end(args);

    return ngx_http_docket_send_problem(r, status, buf, p - buf, NULL);
}


ngx_int_t
ngx_http_docket_problem_field(ngx_http_request_t *r,
    const docket_query_error_t *err)
{
    return ngx_http_docket_send_problem(r, err->status,
                                        (u_char *) err->detail,
                                        ngx_strlen(err->detail), err);
}


static ngx_int_t
ngx_http_docket_send_problem(ngx_http_request_t *r, ngx_uint_t status,
    const u_char *detail, size_t len, const docket_query_error_t *err)
{
    yajl_gen                  g;
    ngx_http_docket_ctx_t    *ctx;
    ngx_http_docket_title_t  *title;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    if (ctx != NULL && ctx->page != NULL
        && (status == NGX_HTTP_BAD_REQUEST
            || status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE))
    {
        return ngx_http_docket_ask_page(r, ctx->page);
    }

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (title = ngx_http_docket_titles; title->status != 0; title++) {
        if (title->status == status) {
            break;
        }
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "type");
    ngx_http_docket_gen_cstr(g, "about:blank");
    ngx_http_docket_gen_key(g, "title");
    ngx_http_docket_gen_cstr(g, title->title);
    ngx_http_docket_gen_key(g, "status");
    ngx_http_docket_gen_number(g, status);
    ngx_http_docket_gen_key(g, "detail");
    ngx_http_docket_gen_str(g, detail, len);

    if (err != NULL && err->field[0] != '\0') {
        ngx_http_docket_gen_key(g, "field");
        ngx_http_docket_gen_cstr(g, err->field);
    }

    if (err != NULL && err->position >= 0) {
        ngx_http_docket_gen_key(g, "position");
        ngx_http_docket_gen_number(g, err->position);
    }

    yajl_gen_map_close(g);

    return ngx_http_docket_send_gen(r, status, &ngx_http_docket_problem_type,
                                    g);
}


ngx_int_t
ngx_http_docket_spool_failed(ngx_http_request_t *r, ngx_err_t err,
    const char *call, const char *id)
{
    ngx_int_t    rc;
    ngx_uint_t   status;
    const char  *words;

    ngx_log_error(NGX_LOG_CRIT, r->connection->log, err,
                  "docket: %s%s%s%s failed", call,
                  id != NULL ? " of job \"" : "", id != NULL ? id : "",
                  id != NULL ? "\"" : "");

    switch (err) {

    case NGX_ENOSPC:
    case EDQUOT:
        status = NGX_HTTP_INSUFFICIENT_STORAGE;
        words = "the spool is full";
        break;

    case NGX_EMFILE:
    case NGX_ENFILE:
    case NGX_ENOMEM:
        status = NGX_HTTP_SERVICE_UNAVAILABLE;
        words = "there are too many open files, or too little memory";

        if (ngx_http_docket_retry_after(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        break;

    case EBADMSG:
        status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        words = (id != NULL)
                ? "the record of this job is damaged; DELETE removes it"
                : "the index of the jobs is damaged; a reload of nginx makes "
                  "it anew";
        break;

    default:
        status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        words = "the spool failed";
        break;
    }

    rc = ngx_http_docket_problem(r, status, "%s", words);

    return ngx_http_docket_refused(rc);
}


ngx_int_t
ngx_http_docket_retry_after(ngx_http_request_t *r)
{
    ngx_str_t  value;

    ngx_str_set(&value, NGX_HTTP_DOCKET_RETRY_AFTER);

    return ngx_http_docket_header(r, "Retry-After", &value);
}


ngx_int_t
ngx_http_docket_header(ngx_http_request_t *r, const char *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_send_page(ngx_http_request_t *r, ngx_str_t *url)
{
    ngx_str_t  empty;

    if (ngx_http_docket_header(r, "Location", url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&empty);

    return ngx_http_docket_send(r, NGX_HTTP_SEE_OTHER, NULL, &empty);
}


ngx_int_t
ngx_http_docket_ask_page(ngx_http_request_t *r, const char *page)
{
    ngx_str_t  url;

    if (ngx_http_docket_ask_url(r, page, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_page(r, &url);
}
