/*
 * Where a client finds a job's capture, its status, and the page.
 */

#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_url.h"


static ngx_str_t ngx_http_docket_url_base(ngx_str_t *url);
static ngx_int_t ngx_http_docket_append_escaped(u_char **p, u_char *last,
    ngx_str_t *s);


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

    base = ngx_http_docket_url_base(&lcf->results_url);

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

    base = ngx_http_docket_url_base(&lcf->ui_url);

    url->data = ngx_pnalloc(r->pool, base.len + sizeof("/#/status/")
                                     + DOCKET_ID_LEN);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_sprintf(url->data, "%V/#/status/%s", &base, id) - url->data;

    return NGX_OK;
}


/* UI_URL/#/ask/host/1.2.3.4?filter=.. or UI_URL/#/pivot?src_ip=.. */

ngx_int_t
ngx_http_docket_ask_url(ngx_http_request_t *r, const char *page,
    ngx_str_t *url)
{
    size_t                       size;
    u_char                      *p, *last;
    ngx_str_t                    base, raw;
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_loc_conf_t  *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    base = ngx_http_docket_url_base(&lcf->ui_url);

    raw.data = ctx->raw_path.data + ctx->offset;
    raw.len = ctx->raw_path.len - ctx->offset;

    size = base.len + sizeof("/#/?") + ngx_strlen(page)
           + 3 * (raw.len + r->args.len);

    url->data = ngx_pnalloc(r->pool, size);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    last = url->data + size;
    p = ngx_slprintf(url->data, last, "%V/#/%s", &base, page);

    if (ngx_http_docket_append_escaped(&p, last, &raw) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->args.len != 0) {
        *p++ = '?';

        if (ngx_http_docket_append_escaped(&p, last, &r->args) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    url->len = p - url->data;

    return NGX_OK;
}


/* "/" alone stands for the root, so the configuration keeps it. */

static ngx_str_t
ngx_http_docket_url_base(ngx_str_t *url)
{
    ngx_str_t  base;

    base = *url;

    if (base.len != 0 && base.data[base.len - 1] == '/') {
        base.len--;
    }

    return base;
}


/* What is escaped already stays; what no header may hold is escaped. */

static ngx_int_t
ngx_http_docket_append_escaped(u_char **p, u_char *last, ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {

        if (last - *p < 3) {
            return NGX_ERROR;
        }

        if (s->data[i] <= 0x20 || s->data[i] >= 0x7f || s->data[i] == '"'
            || s->data[i] == '#')
        {
            *p = ngx_sprintf(*p, "%%%02Xi", (ngx_uint_t) s->data[i]);

        } else {
            *(*p)++ = s->data[i];
        }
    }

    return NGX_OK;
}
