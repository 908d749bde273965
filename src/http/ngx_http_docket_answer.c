/*
 * Answers: JSON, problem documents, headers, URLs.
 */

#include "http/ngx_http_docket_endpoints.h"


#define NGX_HTTP_DOCKET_FIRST_BUF    1024
#define NGX_HTTP_DOCKET_LARGEST_BUF  (256 * 1024)
#define NGX_HTTP_DOCKET_MAX_DETAIL   1024


/* What a generator has written: a chain of buffers of r->pool. */

typedef struct ngx_http_docket_out_s  ngx_http_docket_out_t;

struct ngx_http_docket_out_s {
    ngx_http_request_t            *request;
    yajl_gen                       gen;
    ngx_chain_t                   *chain;
    ngx_chain_t                  **last;
    ngx_buf_t                     *buf;
    size_t                         size;       /* of the next buffer */
    off_t                          len;
    ngx_uint_t                     failed;
    ngx_http_docket_out_t         *next;
};


typedef struct {
    ngx_uint_t                     status;
    const char                    *title;
} ngx_http_docket_title_t;


static ngx_int_t ngx_http_docket_send_chain(ngx_http_request_t *r,
    ngx_uint_t status, ngx_str_t *type, ngx_chain_t *out, off_t len);
static ngx_int_t ngx_http_docket_send_problem(ngx_http_request_t *r,
    ngx_uint_t status, const u_char *detail, size_t len,
    const docket_query_error_t *err);
static void ngx_http_docket_out_append(void *ctx, const char *s, size_t len);
static ngx_http_docket_out_t *ngx_http_docket_out(ngx_http_request_t *r,
    yajl_gen g);
static void ngx_http_docket_gen_cleanup(void *data);


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
    ngx_http_docket_out_t  *out;

    out = ngx_http_docket_out(r, gen);

    if (out == NULL || out->failed || out->chain == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_chain(r, status, &ngx_http_docket_json_type,
                                      out->chain, out->len);
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
    ngx_http_docket_out_t    *out;
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

    out = ngx_http_docket_out(r, g);

    if (out == NULL || out->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_chain(r, status, &ngx_http_docket_problem_type,
                                      out->chain, out->len);
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


yajl_gen
ngx_http_docket_gen(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t     *cln;
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_out_t  *out;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_docket_out_t));
    if (cln == NULL) {
        return NULL;
    }

    out = cln->data;
    ngx_memzero(out, sizeof(ngx_http_docket_out_t));

    out->gen = yajl_gen_alloc(NULL);
    if (out->gen == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_docket_gen_cleanup;

    /* yajl's own buffer does not survive a failed realloc() */

    if (yajl_gen_config(out->gen, yajl_gen_print_callback,
                        ngx_http_docket_out_append, out)
        == 0
        || yajl_gen_config(out->gen, yajl_gen_validate_utf8, 1) == 0)
    {
        return NULL;
    }

    out->request = r;
    out->size = NGX_HTTP_DOCKET_FIRST_BUF;
    out->last = &out->chain;
    out->next = ctx->out;
    ctx->out = out;

    return out->gen;
}


static void
ngx_http_docket_gen_cleanup(void *data)
{
    ngx_http_docket_out_t  *out = data;

    yajl_gen_free(out->gen);
}


static ngx_http_docket_out_t *
ngx_http_docket_out(ngx_http_request_t *r, yajl_gen g)
{
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_out_t  *out;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    for (out = ctx->out; out != NULL; out = out->next) {
        if (out->gen == g) {
            break;
        }
    }

    return out;
}


static void
ngx_http_docket_out_append(void *ctx, const char *s, size_t len)
{
    ngx_http_docket_out_t *out = ctx;

    size_t        n;
    ngx_chain_t  *cl;

    if (out->failed) {
        return;
    }

    out->len += len;

    while (len != 0) {

        if (out->buf == NULL || out->buf->last == out->buf->end) {

            cl = ngx_alloc_chain_link(out->request->pool);
            if (cl == NULL) {
                out->failed = 1;
                return;
            }

            out->buf = ngx_create_temp_buf(out->request->pool, out->size);
            if (out->buf == NULL) {
                out->failed = 1;
                return;
            }

            if (out->size < NGX_HTTP_DOCKET_LARGEST_BUF) {
                out->size *= 2;
            }

            cl->buf = out->buf;
            cl->next = NULL;
            *out->last = cl;
            out->last = &cl->next;
        }

        n = ngx_min(len, (size_t) (out->buf->end - out->buf->last));

        out->buf->last = ngx_cpymem(out->buf->last, s, n);
        s += n;
        len -= n;
    }
}


ngx_int_t
ngx_http_docket_gen_take(ngx_http_request_t *r, yajl_gen g, ngx_str_t *text)
{
    u_char                 *p;
    ngx_chain_t            *cl;
    ngx_http_docket_out_t  *out;

    out = ngx_http_docket_out(r, g);

    if (out == NULL || out->failed) {
        return NGX_ERROR;
    }

    text->len = out->len;
    text->data = ngx_pnalloc(r->pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (cl = out->chain; cl != NULL; cl = cl->next) {
        p = ngx_cpymem(p, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    return NGX_OK;
}


void
ngx_http_docket_gen_key(yajl_gen g, const char *key)
{
    yajl_gen_string(g, (const u_char *) key, ngx_strlen(key));
}


void
ngx_http_docket_gen_cstr(yajl_gen g, const char *s)
{
    ngx_http_docket_gen_str(g, (const u_char *) s, ngx_strlen(s));
}


/* What is no UTF-8 loses all but its ASCII. */

void
ngx_http_docket_gen_str(yajl_gen g, const u_char *s, size_t len)
{
    size_t   i;
    u_char  *copy;

    if (yajl_gen_string(g, s, len) != yajl_gen_invalid_string) {
        return;
    }

    copy = ngx_alloc(len, ngx_cycle->log);

    if (copy == NULL) {
        yajl_gen_null(g);
        return;
    }

    for (i = 0; i < len; i++) {
        copy[i] = (s[i] < 0x80) ? s[i] : '?';
    }

    yajl_gen_string(g, copy, len);
    ngx_free(copy);
}


void
ngx_http_docket_gen_time(yajl_gen g, int64_t us)
{
    char    buf[DOCKET_TIME_LEN];
    size_t  len;

    if (us == 0) {
        yajl_gen_null(g);
        return;
    }

    len = docket_format_time(buf, us);
    yajl_gen_string(g, (u_char *) buf, len);
}


/* yajl writes the text of a number as it is. */

void
ngx_http_docket_gen_raw(yajl_gen g, const void *s, size_t len)
{
    yajl_gen_number(g, s, len);
}


void
ngx_http_docket_gen_number(yajl_gen g, uint64_t n)
{
    u_char  buf[NGX_INT64_LEN];

    ngx_http_docket_gen_raw(g, buf, ngx_sprintf(buf, "%uL", n) - buf);
}


void
ngx_http_docket_gen_double(yajl_gen g, double n)
{
    char  buf[32];
    int   len;

    len = snprintf(buf, sizeof(buf), "%.12g", n);

    /* neither "inf" nor "nan" is JSON */

    if (len <= 0 || (buf[0] != '-' && (buf[0] < '0' || buf[0] > '9'))
        || buf[1] == 'i' || buf[1] == 'n')
    {
        yajl_gen_null(g);
        return;
    }

    ngx_http_docket_gen_raw(g, buf, len);
}


ngx_int_t
ngx_http_docket_result_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url)
{
    url->data = ngx_pnalloc(r->pool, ngx_http_docket_result_url_size(r));
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_http_docket_result_url_put(r, id, url->data) - url->data;

    return NGX_OK;
}


size_t
ngx_http_docket_result_url_size(ngx_http_request_t *r)
{
    ngx_http_docket_loc_conf_t   *lcf;
    ngx_http_docket_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    return lcf->results_url.len + DOCKET_SPOOL_NAME_LEN
           + ngx_strlen(mcf->sp.merged) + sizeof("//");
}


u_char *
ngx_http_docket_result_url_put(ngx_http_request_t *r, const char *id,
    u_char *p)
{
    char                          name[DOCKET_SPOOL_NAME_LEN + 1];
    ngx_str_t                     base;
    ngx_http_docket_loc_conf_t   *lcf;
    ngx_http_docket_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    base = lcf->results_url;

    if (base.len != 0 && base.data[base.len - 1] == '/') {
        base.len--;
    }

    docket_spool_name(&mcf->sp, id, name);

    return ngx_sprintf(p, "%V/%s/%s", &base, name, mcf->sp.merged);
}


ngx_int_t
ngx_http_docket_status_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url)
{
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    url->data = ngx_pnalloc(r->pool, lcf->prefix.len + sizeof("/status/")
                                     + DOCKET_ID_LEN);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_sprintf(url->data, "%V/status/%s", &lcf->prefix, id)
               - url->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_page_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url)
{
    ngx_str_t                    base;
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    base = lcf->ui_url;

    if (base.len != 0 && base.data[base.len - 1] == '/') {
        base.len--;
    }

    url->data = ngx_pnalloc(r->pool, base.len + sizeof("/#/status/")
                                     + DOCKET_ID_LEN);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_sprintf(url->data, "%V/#/status/%s", &base, id) - url->data;

    return NGX_OK;
}
