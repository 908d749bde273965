/*
 * Answers: JSON, problem documents (RFC 9457), headers.
 */

#include "http/ngx_http_docket_api.h"


typedef struct {
    ngx_uint_t   status;
    const char  *title;
} ngx_http_docket_title_t;


static const ngx_http_docket_title_t  ngx_http_docket_titles[] = {
    { 400, "Bad Request" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 409, "Conflict" },
    { 413, "Content Too Large" },
    { 415, "Unsupported Media Type" },
    { 500, "Internal Server Error" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 507, "Insufficient Storage" },
    { 0, "Error" }
};


static void
ngx_http_docket_gen_cleanup(void *data)
{
    yajl_gen_free(data);
}


yajl_gen
ngx_http_docket_gen(ngx_http_request_t *r)
{
    yajl_gen             gen;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NULL;
    }

    gen = yajl_gen_alloc(NULL);

    if (gen != NULL) {
        (void) yajl_gen_config(gen, yajl_gen_validate_utf8, 1);
        cln->handler = ngx_http_docket_gen_cleanup;
        cln->data = gen;
    }

    return gen;
}


void
ngx_http_docket_gen_str(yajl_gen g, const u_char *s, size_t len)
{
    if (yajl_gen_string(g, s, len) == yajl_gen_invalid_string) {
        (void) yajl_gen_string(g, (u_char *) "?", 1);
    }
}


void
ngx_http_docket_gen_cstr(yajl_gen g, const char *s)
{
    ngx_http_docket_gen_str(g, (u_char *) s, ngx_strlen(s));
}


void
ngx_http_docket_gen_key(yajl_gen g, const char *key)
{
    ngx_http_docket_gen_cstr(g, key);
}


void
ngx_http_docket_gen_time(yajl_gen g, int64_t us)
{
    char    buf[DOCKET_TIME_LEN];
    size_t  len;

    if (us == 0) {
        (void) yajl_gen_null(g);
        return;
    }

    len = docket_format_time(buf, us);
    ngx_http_docket_gen_str(g, (u_char *) buf, len);
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

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value = *value;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_send(ngx_http_request_t *r, ngx_uint_t status,
    ngx_str_t *type, ngx_str_t *body)
{
    ngx_int_t     rc;
    ngx_buf_t    *b;
    ngx_chain_t   out;

    r->headers_out.status = status;
    r->headers_out.content_length_n = body->len;
    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = type->len;
    r->headers_out.content_type_lowcase = NULL;

    if (body->len == 0) {
        r->header_only = 1;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->pos = body->data;
    b->last = body->data + body->len;
    b->memory = 1;
    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static ngx_int_t
ngx_http_docket_send_gen(ngx_http_request_t *r, ngx_uint_t status,
    yajl_gen gen, ngx_str_t *type)
{
    size_t         len;
    ngx_str_t      body;
    const u_char  *buf;

    if (yajl_gen_get_buf(gen, &buf, &len) != yajl_gen_status_ok) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    body.data = (u_char *) buf;
    body.len = len;

    return ngx_http_docket_send(r, status, type, &body);
}


ngx_int_t
ngx_http_docket_send_json(ngx_http_request_t *r, ngx_uint_t status,
    yajl_gen gen)
{
    static ngx_str_t  type = ngx_string("application/json");

    return ngx_http_docket_send_gen(r, status, gen, &type);
}


static ngx_int_t
ngx_http_docket_send_problem(ngx_http_request_t *r, ngx_uint_t status,
    const u_char *detail, size_t len, const char *field, long position)
{
    yajl_gen                        g;
    const ngx_http_docket_title_t  *t;

    static ngx_str_t  type = ngx_string("application/problem+json");

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    for (t = ngx_http_docket_titles; t->status != 0; t++) {
        if (t->status == status) {
            break;
        }
    }

    (void) yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "title");
    ngx_http_docket_gen_cstr(g, t->title);
    ngx_http_docket_gen_key(g, "status");
    (void) yajl_gen_integer(g, status);
    ngx_http_docket_gen_key(g, "detail");
    ngx_http_docket_gen_str(g, detail, len);

    if (field != NULL && *field != '\0') {
        ngx_http_docket_gen_key(g, "field");
        ngx_http_docket_gen_cstr(g, field);
    }

    if (position >= 0) {
        ngx_http_docket_gen_key(g, "position");
        (void) yajl_gen_integer(g, position);
    }

    (void) yajl_gen_map_close(g);

    return ngx_http_docket_send_gen(r, status, g, &type);
}


ngx_int_t
ngx_http_docket_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail, ...)
{
    u_char   *last, buf[NGX_MAX_ERROR_STR];
    va_list   args;

    va_start(args, detail);
    last = ngx_vslprintf(buf, buf + sizeof(buf), detail, args);
    va_end(args);

    return ngx_http_docket_send_problem(r, status, buf, last - buf, NULL, -1);
}


ngx_int_t
ngx_http_docket_problem_field(ngx_http_request_t *r,
    const docket_query_error_t *err)
{
    return ngx_http_docket_send_problem(r, err->status, (u_char *) err->detail,
                                        ngx_strlen(err->detail), err->field,
                                        err->position);
}
