/*
 * docket_results: captures out of the spool, and nothing else of it.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_http.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_send.h"


static ngx_int_t ngx_http_docket_results_id(ngx_http_request_t *r,
    char id[DOCKET_ID_LEN + 1]);


ngx_int_t
ngx_http_docket_results_handler(ngx_http_request_t *r)
{
    char                        id[DOCKET_ID_LEN + 1];
    ngx_int_t                   rc;
    ngx_str_t                   allow;
    ngx_uint_t                  live;
    ngx_http_docket_ctx_t      *ctx;
    ngx_http_docket_capture_t   capture;

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    /* the log's variables say which capture went to whom */

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_docket_module);

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        ngx_str_set(&allow, "GET, HEAD");

        if (ngx_http_docket_header(r, "Allow", &allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_docket_problem(r, NGX_HTTP_NOT_ALLOWED,
                                       "captures can only be read");
    }

    if (ngx_http_docket_results_id(r, id) != NGX_OK) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "there is no such capture");
    }

    live = 0;

    /* a record that can't be read keeps nobody from the capture */

    if (ngx_http_docket_find(r, id, &ctx->job, NULL) == NGX_OK) {
        ctx->known = 1;
        live = !docket_state_final(ctx->job.state);
    }

    rc = ngx_http_docket_capture_open(r, id, &capture);

    if (rc == NGX_DECLINED && live) {
        return ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                       "the capture is not ready yet");
    }

    if (rc == NGX_DECLINED) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "there is no such capture");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_docket_capture_type(r);

    return ngx_http_docket_capture_send(r, &capture, 1);
}


/* "LOCATION/ID/merged.pcap", and nothing in any other form. */

static ngx_int_t
ngx_http_docket_results_id(ngx_http_request_t *r, char id[DOCKET_ID_LEN + 1])
{
    u_char                       *p, *last, *slash;
    size_t                        len;
    ngx_str_t                     name;
    ngx_http_core_loc_conf_t     *clcf;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    name = clcf->name;

    if (name.len != 0 && name.data[name.len - 1] == '/') {
        name.len--;
    }

    p = r->uri.data;
    last = p + r->uri.len;

    if (r->uri.len <= name.len || ngx_memcmp(p, name.data, name.len) != 0
        || p[name.len] != '/')
    {
        return NGX_DECLINED;
    }

    p += name.len + 1;
    slash = ngx_strlchr(p, last, '/');

    if (slash == NULL
        || docket_spool_id((char *) p, slash - p, id) == 0)
    {
        return NGX_DECLINED;
    }

    p = slash + 1;
    len = ngx_strlen(mcf->sp.merged);

    if ((size_t) (last - p) != len || ngx_memcmp(p, mcf->sp.merged, len) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
