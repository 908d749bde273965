/*
 * A question out of a request: path, arguments, headers, body.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_headers.h"
#include "http/ngx_http_docket_input.h"
#include "pcap/docket_filter.h"


static ngx_int_t ngx_http_docket_input_body(ngx_http_request_t *r,
    ngx_http_docket_source_e source, ngx_http_docket_input_t *in);
static ngx_uint_t ngx_http_docket_is_type(ngx_http_request_t *r,
    const char *type);
static ngx_uint_t ngx_http_docket_is_form(ngx_str_t *body);
static ngx_int_t ngx_http_docket_input_event(ngx_http_request_t *r,
    ngx_http_docket_input_t *in);
static ngx_int_t ngx_http_docket_body(ngx_http_request_t *r, ngx_str_t *body);
static ngx_int_t ngx_http_docket_fields_of_args(ngx_http_request_t *r,
    const char *const *options, ngx_str_t *args);
static int ngx_http_docket_read_event(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_t *q);
static int ngx_http_docket_read_headers(ngx_http_request_t *r,
    docket_query_t *q);
static void ngx_http_docket_query_cleanup(void *data);


static const char *const  ngx_http_docket_options[] = { "partial", NULL };

static const char *const  ngx_http_docket_event_options[] = {
    "explain", NULL
};


int64_t
ngx_http_docket_time_now(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (int64_t) tv.tv_sec * DOCKET_SECOND + tv.tv_usec;
}


docket_query_conf_t *
ngx_http_docket_query_conf(ngx_http_request_t *r)
{
    docket_query_conf_t          *conf;
    ngx_http_docket_loc_conf_t   *lcf;
    ngx_http_docket_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    conf = ngx_palloc(r->pool, sizeof(docket_query_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->now = ngx_http_docket_time_now();
    conf->time_window = (int64_t) lcf->time_window * 1000;
    conf->long_ago = (int64_t) lcf->long_ago * 1000;
    conf->sensors = mcf->sensor_names;
    conf->nsensors = mcf->sensors.nelts;
    conf->weight = lcf->weight;

    return conf;
}


const char *const *
ngx_http_docket_selected(ngx_http_docket_main_conf_t *mcf,
    const char *const *sensors, ngx_uint_t *n)
{
    if (*n != 0) {
        return sensors;
    }

    *n = mcf->sensors.nelts;

    return mcf->sensor_names;
}


ngx_int_t
ngx_http_docket_read_query(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset)
{
    ngx_int_t                     rc;
    docket_query_conf_t          *conf;
    docket_query_error_t          err;
    ngx_http_docket_ctx_t        *ctx;
    const docket_query_result_t  *q;
    ngx_http_docket_input_t       in;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_input(r, source, offset, ngx_http_docket_options,
                               &in);
    if (rc != NGX_OK) {
        ngx_http_docket_zone_refused(mcf->zone);
        return rc;
    }

    conf = ngx_http_docket_query_conf(r);
    if (conf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_parse(r, &in, conf, &ctx->query);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        err = *docket_query_error(ctx->query);

    } else {
        rc = ngx_http_docket_check_filter(docket_query_result(ctx->query),
                                          &err);
    }

    if (rc != NGX_OK) {
        ngx_http_docket_zone_refused(mcf->zone);

        rc = ngx_http_docket_problem_field(r, &err);

        return ngx_http_docket_refused(rc);
    }

    q = docket_query_result(ctx->query);

    ctx->text.data = (u_char *) q->text;
    ctx->text.len = q->text_len;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_input(ngx_http_request_t *r, ngx_http_docket_source_e source,
    size_t offset, const char *const *options, ngx_http_docket_input_t *in)
{
    u_char                 *dst, *src;
    ngx_str_t               raw;
    ngx_http_docket_ctx_t  *ctx;

    if (source == NGX_HTTP_DOCKET_FROM_EVENT_ARGS
        || source == NGX_HTTP_DOCKET_FROM_EVENT_BODY)
    {
        options = ngx_http_docket_event_options;
    }

    if (ngx_http_docket_fields_of_args(r, options, &in->args) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (source == NGX_HTTP_DOCKET_FROM_EVENT_ARGS) {
        in->form = NGX_HTTP_DOCKET_IS_EVENT;
        ngx_str_null(&in->text);

        return NGX_OK;
    }

    if (source != NGX_HTTP_DOCKET_FROM_URI
        && source != NGX_HTTP_DOCKET_FROM_RAW_URI)
    {
        return ngx_http_docket_input_body(r, source, in);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    raw.data = ctx->raw_path.data + offset;
    raw.len = ctx->raw_path.len - offset;

    if (raw.len != 0 && raw.data[raw.len - 1] == '/') {
        raw.len--;
    }

    in->form = NGX_HTTP_DOCKET_IS_URI;
    in->text = raw;

    if (source == NGX_HTTP_DOCKET_FROM_URI) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(r->pool, raw.len + 1);
    if (dst == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    in->form = NGX_HTTP_DOCKET_IS_RAW;
    in->text.data = dst;
    src = raw.data;

    ngx_unescape_uri(&dst, &src, raw.len, 0);

    in->text.len = dst - in->text.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_input_body(ngx_http_request_t *r,
    ngx_http_docket_source_e source, ngx_http_docket_input_t *in)
{
    ngx_int_t   rc;
    ngx_uint_t  form;

    if (ngx_http_docket_body(r, &in->text) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (source == NGX_HTTP_DOCKET_FROM_EVENT_BODY) {
        return ngx_http_docket_input_event(r, in);
    }

    in->form = NGX_HTTP_DOCKET_IS_RAW;

    if (source == NGX_HTTP_DOCKET_FROM_STENO_BODY) {
        return NGX_OK;
    }

    if (ngx_http_docket_is_type(r, "application/json")) {
        in->form = NGX_HTTP_DOCKET_IS_JSON;
        return NGX_OK;
    }

    form = ngx_http_docket_is_type(r, "application/x-www-form-urlencoded");

    if (source == NGX_HTTP_DOCKET_FROM_BODY) {

        if (form) {
            in->form = NGX_HTTP_DOCKET_IS_FORM;
            return NGX_OK;
        }

        rc = ngx_http_docket_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                     "a question is application/json or "
                                     "application/x-www-form-urlencoded");

        return ngx_http_docket_refused(rc);
    }

    if (form) {

        /* many clients call any body a form */

        if (ngx_http_docket_is_form(&in->text)) {
            in->form = NGX_HTTP_DOCKET_IS_FORM;
        }

        return NGX_OK;
    }

    if (r->headers_in.content_type == NULL
        || ngx_http_docket_is_type(r, "text/plain")
        || ngx_http_docket_is_type(r, "application/octet-stream"))
    {
        return NGX_OK;
    }

    rc = ngx_http_docket_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                 "an expression is text/plain, "
                                 "application/json or "
                                 "application/x-www-form-urlencoded");

    return ngx_http_docket_refused(rc);
}


static ngx_uint_t
ngx_http_docket_is_type(ngx_http_request_t *r, const char *type)
{
    size_t      len;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;
    len = ngx_strlen(type);

    if (value->len < len
        || ngx_strncasecmp(value->data, (u_char *) type, len) != 0)
    {
        return 0;
    }

    return value->len == len || value->data[len] == ';'
           || value->data[len] == ' ' || value->data[len] == '\t';
}


/* "name=" at its beginning, which no expression has, escaped or not */

static ngx_uint_t
ngx_http_docket_is_form(ngx_str_t *body)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < body->len; i++) {
        c = body->data[i];

        if (c == '=') {
            return i != 0;
        }

        if (c == '%' && body->len - i > 2
            && ngx_hextoi(body->data + i + 1, 2) != NGX_ERROR)
        {
            i += 2;
            continue;
        }

        if (c != '-' && c != '_'
            && ((c | 0x20) < 'a' || (c | 0x20) > 'z'))
        {
            return 0;
        }
    }

    return 0;
}


/* An event tells by itself what it is: a form of its fields has "name=", but no
   blank, and only once the sign that makes "==" of an expression. */

static ngx_int_t
ngx_http_docket_input_event(ngx_http_request_t *r,
    ngx_http_docket_input_t *in)
{
    u_char     *p, *last;
    ngx_int_t   rc;

    in->form = NGX_HTTP_DOCKET_IS_EVENT;

    if (ngx_http_docket_is_type(r, "application/x-www-form-urlencoded")) {
        last = in->text.data + in->text.len;
        p = ngx_strlchr(in->text.data, last, '=');

        if (in->text.len != 0 && in->text.data[0] != '{'
            && p != NULL && p + 1 < last && p[1] != '='
            && ngx_strlchr(in->text.data, last, ' ') == NULL
            && ngx_strlchr(in->text.data, last, '\n') == NULL)
        {
            in->form = NGX_HTTP_DOCKET_IS_EVENT_FORM;
        }

        return NGX_OK;
    }

    if (r->headers_in.content_type == NULL
        || ngx_http_docket_is_type(r, "application/json")
        || ngx_http_docket_is_type(r, "application/x-ndjson")
        || ngx_http_docket_is_type(r, "text/plain")
        || ngx_http_docket_is_type(r, "application/octet-stream"))
    {
        return NGX_OK;
    }

    rc = ngx_http_docket_problem(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                 "an event is application/json, text/plain or "
                                 "application/x-www-form-urlencoded");

    return ngx_http_docket_refused(rc);
}


/* All of it, as one string. */

static ngx_int_t
ngx_http_docket_body(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    size_t        size;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(body);

    if (r->request_body == NULL) {
        return NGX_OK;
    }

    size = 0;

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size == 0 || size > NGX_HTTP_DOCKET_MAX_BODY) {
        return (size == 0) ? NGX_OK : NGX_ERROR;
    }

    p = ngx_pnalloc(r->pool, size);
    if (p == NULL) {
        return NGX_ERROR;
    }

    body->data = p;
    body->len = size;

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        b = cl->buf;
        size = ngx_buf_size(b);

        if (!b->in_file) {
            p = ngx_cpymem(p, b->pos, size);
            continue;
        }

        n = ngx_read_file(b->file, p, size, b->file_pos);

        if (n == NGX_ERROR || (size_t) n != size) {
            return NGX_ERROR;
        }

        p += size;
    }

    return NGX_OK;
}


/* r->args without the options of the endpoint. */

static ngx_int_t
ngx_http_docket_fields_of_args(ngx_http_request_t *r,
    const char *const *options, ngx_str_t *args)
{
    u_char      *p, *next, *last, *dst;
    size_t       len;
    ngx_uint_t   i;

    *args = r->args;

    if (options == NULL || r->args.len == 0) {
        return NGX_OK;
    }

    dst = ngx_pnalloc(r->pool, r->args.len + 1);
    if (dst == NULL) {
        return NGX_ERROR;
    }

    args->data = dst;
    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = next + 1) {
        next = ngx_strlchr(p, last, '&');

        if (next == NULL) {
            next = last;
        }

        for (i = 0; options[i] != NULL; i++) {
            len = ngx_strlen(options[i]);

            if ((size_t) (next - p) >= len
                && ngx_memcmp(p, options[i], len) == 0
                && (p + len == next || p[len] == '='))
            {
                break;
            }
        }

        if (options[i] == NULL) {
            dst = ngx_cpymem(dst, p, next - p);
            *dst++ = '&';
        }
    }

    args->len = dst - args->data;

    if (args->len != 0) {
        args->len--;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_parse(ngx_http_request_t *r, ngx_http_docket_input_t *in,
    docket_query_conf_t *conf, docket_query_t **query)
{
    docket_query_t      *q;
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    q = docket_query_create(conf);
    if (q == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_docket_query_cleanup;
    cln->data = q;

    *query = q;

    if (ngx_http_docket_read_input(r, in, q) != DOCKET_OK
        || docket_query_finish(q) != DOCKET_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_http_docket_query_cleanup(void *data)
{
    docket_query_destroy(data);
}


int
ngx_http_docket_read_input(ngx_http_request_t *r, ngx_http_docket_input_t *in,
    docket_query_t *q)
{
    int          rc;
    const char  *s;

    if (ngx_http_docket_read_headers(r, q) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (in->form == NGX_HTTP_DOCKET_IS_EVENT
        || in->form == NGX_HTTP_DOCKET_IS_EVENT_FORM)
    {
        return ngx_http_docket_read_event(r, in, q);
    }

    if (in->args.len != 0
        && docket_query_read_args(q, (char *) in->args.data, in->args.len)
           != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    s = (in->text.len != 0) ? (char *) in->text.data : "";

    switch (in->form) {

    case NGX_HTTP_DOCKET_IS_URI:
        rc = docket_query_read_uri(q, s, in->text.len);
        break;

    case NGX_HTTP_DOCKET_IS_FORM:
        rc = docket_query_read_form(q, s, in->text.len);
        break;

    case NGX_HTTP_DOCKET_IS_JSON:
        rc = docket_query_read_json(q, s, in->text.len);
        break;

    default: /* NGX_HTTP_DOCKET_IS_RAW */
        rc = docket_query_read_raw(q, s, in->text.len);
        break;
    }

    return rc;
}


static int
ngx_http_docket_read_event(ngx_http_request_t *r, ngx_http_docket_input_t *in,
    docket_query_t *q)
{
    int                     rc;
    docket_pivot_t         *p;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    p = docket_pivot_create(q);
    if (p == NULL) {
        return DOCKET_ERROR;
    }

    rc = docket_pivot_read_args(p, (char *) in->args.data, in->args.len);

    if (rc == DOCKET_OK && in->form == NGX_HTTP_DOCKET_IS_EVENT_FORM) {
        rc = docket_pivot_read_args(p, (char *) in->text.data, in->text.len);

    } else if (rc == DOCKET_OK && in->text.len != 0) {
        rc = docket_pivot_read(p, (char *) in->text.data, in->text.len);
    }

    if (rc != DOCKET_OK || docket_pivot_finish(p) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    ctx->pivot = docket_pivot_result(p);

    return DOCKET_OK;
}


static int
ngx_http_docket_read_headers(ngx_http_request_t *r, docket_query_t *q)
{
    ngx_str_t   *value;
    ngx_uint_t   i;

    static const struct {
        const char  *header;
        const char  *field;
    } limits[] = {
        { "steno-limit-packets", "limit-packets" },
        { "steno-limit-bytes", "limit-bytes" }
    };

    for (i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        value = ngx_http_docket_request_header(r, limits[i].header);

        if (value != NULL
            && docket_query_set(q, limits[i].field, (char *) value->data,
                                value->len)
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


ngx_int_t
ngx_http_docket_check_filter(const docket_query_result_t *q,
    docket_query_error_t *err)
{
    docket_filter_t  *filter;

    if (q->filter == NULL) {
        return NGX_OK;
    }

    ngx_memzero(err, sizeof(docket_query_error_t));

    filter = docket_filter_create(q->filter, ngx_strlen(q->filter),
                                  err->detail, sizeof(err->detail),
                                  &err->position);

    if (filter == NULL) {
        err->status = NGX_HTTP_BAD_REQUEST;
        ngx_memcpy(err->field, "filter", sizeof("filter"));

        return NGX_DECLINED;
    }

    docket_filter_destroy(filter);

    return NGX_OK;
}
