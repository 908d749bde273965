/*
 * $docket_id, $docket_query, $docket_state, $docket_duplicate
 */

#include "http/ngx_http_docket_api.h"


static ngx_int_t ngx_http_docket_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_variable_t  ngx_http_docket_vars[] = {

    { ngx_string("docket_id"), NULL, ngx_http_docket_variable, 0,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("docket_query"), NULL, ngx_http_docket_variable, 1,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("docket_state"), NULL, ngx_http_docket_variable, 2,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("docket_duplicate"), NULL, ngx_http_docket_variable, 3,
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_docket_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_docket_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_variable(ngx_http_request_t *r, ngx_http_variable_value_t *v,
    uintptr_t data)
{
    const char             *s;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    if (ctx == NULL || (data == 1 ? ctx->text.len == 0 : !ctx->known)) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    if (data == 1) {
        v->data = ctx->text.data;
        v->len = ctx->text.len;
        return NGX_OK;
    }

    s = (data == 0) ? (char *) ctx->job.id
        : (data == 2) ? docket_state_name(ctx->job.state)
        : ctx->duplicate ? "1" : "0";

    v->data = (u_char *) s;
    v->len = ngx_strlen(s);

    return NGX_OK;
}
