/*
 * A request becomes a question.
 */

#include "http/ngx_http_docket_api.h"


#define NGX_HTTP_DOCKET_MAX_BODY  (64 * 1024)


static ngx_int_t ngx_http_docket_body(ngx_http_request_t *r, ngx_str_t *body);
static ngx_int_t ngx_http_docket_type_is(ngx_http_request_t *r,
    const char *type);


static void
ngx_http_docket_query_cleanup(void *data)
{
    docket_query_destroy(data);
}


static docket_query_t *
ngx_http_docket_query(ngx_http_request_t *r)
{
    docket_query_t               *q;
    struct timeval                tv;
    ngx_pool_cleanup_t           *cln;
    docket_query_conf_t          *conf;
    ngx_http_docket_loc_conf_t   *lcf;
    ngx_http_docket_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    conf = ngx_pcalloc(r->pool, sizeof(docket_query_conf_t));
    cln = ngx_pool_cleanup_add(r->pool, 0);

    if (conf == NULL || cln == NULL) {
        return NULL;
    }

    ngx_gettimeofday(&tv);

    conf->now = (int64_t) tv.tv_sec * DOCKET_SECOND + tv.tv_usec;
    conf->time_window = (int64_t) lcf->time_window * 1000;
    conf->long_ago = (int64_t) lcf->long_ago * 1000;
    conf->sensors = mcf->sensor_names;
    conf->nsensors = mcf->sensors.nelts;
    conf->weight = lcf->weight;

    q = docket_query_create(conf);

    if (q != NULL) {
        cln->handler = ngx_http_docket_query_cleanup;
        cln->data = q;
    }

    return q;
}


/* The two limits may come as Stenographer's own headers. */

static int
ngx_http_docket_limits(ngx_http_request_t *r, docket_query_t *q)
{
    ngx_uint_t        i, k;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    static const char  *names[] = {
        "steno-limit-packets", "steno-limit-bytes"
    };

    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                return DOCKET_OK;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        for (k = 0; k < 2; k++) {

            if (h[i].key.len == ngx_strlen(names[k])
                && ngx_strncasecmp(h[i].key.data, (u_char *) names[k],
                                   h[i].key.len)
                   == 0
                && docket_query_set(q, names[k], (char *) h[i].value.data,
                                    h[i].value.len)
                   != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }
        }
    }
}


/* All but "partial", which says how to send and is no part of a question. */

static int
ngx_http_docket_args(ngx_http_request_t *r, docket_query_t *q)
{
    u_char  *p, *end, *last;

    last = r->args.data + r->args.len;

    for (p = r->args.data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, '&');
        end = (end == NULL) ? last : end;

        if (end - p >= 8 && ngx_strncmp(p, "partial=", 8) == 0) {
            continue;
        }

        if (docket_query_read_args(q, (char *) p, end - p) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


static ngx_int_t
ngx_http_docket_type_is(ngx_http_request_t *r, const char *type)
{
    size_t      len;
    ngx_str_t  *value;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    value = &r->headers_in.content_type->value;
    len = ngx_strlen(type);

    return value->len >= len
           && ngx_strncasecmp(value->data, (u_char *) type, len) == 0
           && (value->len == len || value->data[len] == ';'
               || value->data[len] == ' ');
}


static ngx_int_t
ngx_http_docket_body(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    size_t        len;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    len = 0;

    if (r->request_body == NULL) {
        ngx_str_null(body);
        return NGX_OK;
    }

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        len += (size_t) ngx_buf_size(cl->buf);

        if (len > NGX_HTTP_DOCKET_MAX_BODY) {
            return NGX_DECLINED;
        }
    }

    body->data = ngx_pnalloc(r->pool, len + 1);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    p = body->data;

    for (cl = r->request_body->bufs; cl != NULL; cl = cl->next) {
        b = cl->buf;

        if (!b->in_file) {
            p = ngx_cpymem(p, b->pos, b->last - b->pos);
            continue;
        }

        n = ngx_read_file(b->file, p, (size_t) (b->file_last - b->file_pos),
                          b->file_pos);

        if (n != b->file_last - b->file_pos) {
            return NGX_ERROR;
        }

        p += n;
    }

    *p = '\0';
    body->len = p - body->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_read_query(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset)
{
    int                           rc;
    char                         *s;
    size_t                        len;
    ngx_int_t                     n;
    ngx_str_t                     body;
    docket_query_t               *q;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;
    const docket_query_result_t  *result;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    q = ngx_http_docket_query(r);
    if (q == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_null(&body);

    if (source != NGX_HTTP_DOCKET_FROM_URI
        && source != NGX_HTTP_DOCKET_FROM_RAW_URI)
    {
        n = ngx_http_docket_body(r, &body);

        if (n == NGX_DECLINED) {
            return ngx_http_docket_problem(r,
                                           NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                           "the body has more than %d bytes",
                                           NGX_HTTP_DOCKET_MAX_BODY);
        }

        if (n != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    s = (char *) body.data;
    len = body.len;

    rc = ngx_http_docket_limits(r, q);

    if (rc == DOCKET_OK) {
        rc = ngx_http_docket_args(r, q);
    }

    if (rc != DOCKET_OK) {
        goto refused;
    }

    switch (source) {

    case NGX_HTTP_DOCKET_FROM_URI:
        rc = docket_query_read_uri(q, (char *) ctx->raw_path.data + offset,
                                   ctx->raw_path.len - offset);
        break;

    case NGX_HTTP_DOCKET_FROM_RAW_URI:
        rc = docket_query_read_raw(q, (char *) ctx->path.data + offset,
                                   ctx->path.len - offset);
        break;

    case NGX_HTTP_DOCKET_FROM_STENO_BODY:
        rc = docket_query_read_raw(q, s, len);
        break;

    default:

        if (ngx_http_docket_type_is(r, "application/json")) {
            rc = docket_query_read_json(q, s, len);

        } else if (ngx_http_docket_type_is(r,
                                        "application/x-www-form-urlencoded")
                   && (source == NGX_HTTP_DOCKET_FROM_BODY
                       || (len > 6 && ngx_strncmp(s, "query=", 6) == 0)))
        {
            rc = docket_query_read_form(q, s, len);

        } else if (source == NGX_HTTP_DOCKET_FROM_RAW_BODY) {
            rc = docket_query_read_raw(q, s, len);

        } else {
            return ngx_http_docket_problem(r,
                                         NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                         "a form or JSON is expected: "
                                         "application/x-www-form-urlencoded, "
                                         "application/json");
        }
    }

    if (rc == DOCKET_OK) {
        rc = docket_query_finish(q);
    }

    if (rc == DOCKET_OK) {
        result = docket_query_result(q);

        /* a result that was not filtered would be a wrong one */

        if (result->filter != NULL) {
            ngx_http_docket_zone_refused(mcf->zone);
            return ngx_http_docket_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "filter: filters are not applied "
                                           "by this version");
        }

        ctx->query = q;
        ctx->text.data = (u_char *) result->text;
        ctx->text.len = result->text_len;

        return NGX_OK;
    }

refused:

    ngx_http_docket_zone_refused(mcf->zone);

    return ngx_http_docket_problem_field(r, docket_query_error(q));
}
