/*
 * JSON: yajl's generator, which writes into buffers of the request's pool.
 */

#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_gen.h"


#define NGX_HTTP_DOCKET_FIRST_BUF    1024
#define NGX_HTTP_DOCKET_LARGEST_BUF  (256 * 1024)


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


static void ngx_http_docket_out_append(void *ctx, const char *s, size_t len);
static ngx_http_docket_out_t *ngx_http_docket_out(ngx_http_request_t *r,
    yajl_gen g);
static void ngx_http_docket_gen_cleanup(void *data);


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
ngx_http_docket_gen_chain(ngx_http_request_t *r, yajl_gen g,
    ngx_chain_t **chain, off_t *len)
{
    ngx_http_docket_out_t  *out;

    out = ngx_http_docket_out(r, g);

    if (out == NULL || out->failed || out->chain == NULL) {
        return NGX_ERROR;
    }

    *chain = out->chain;
    *len = out->len;

    return NGX_OK;
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
