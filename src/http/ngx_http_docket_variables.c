/*
 * Variables for logs.
 */

#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_http.h"


#define NGX_HTTP_DOCKET_VAR_ID         0
#define NGX_HTTP_DOCKET_VAR_QUERY      1
#define NGX_HTTP_DOCKET_VAR_STATE      2
#define NGX_HTTP_DOCKET_VAR_DUPLICATE  3


static ngx_int_t ngx_http_docket_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static void ngx_http_docket_variable_value(ngx_http_docket_ctx_t *ctx,
    uintptr_t data, ngx_str_t *value);


static ngx_http_variable_t  ngx_http_docket_variables[] = {

    { ngx_string("docket_id"), NULL, ngx_http_docket_variable,
      NGX_HTTP_DOCKET_VAR_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("docket_query"), NULL, ngx_http_docket_variable,
      NGX_HTTP_DOCKET_VAR_QUERY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("docket_state"), NULL, ngx_http_docket_variable,
      NGX_HTTP_DOCKET_VAR_STATE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("docket_duplicate"), NULL, ngx_http_docket_variable,
      NGX_HTTP_DOCKET_VAR_DUPLICATE, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_docket_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *v, *var;

    for (v = ngx_http_docket_variables; v->name.len != 0; v++) {
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
    ngx_str_t               value;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    ngx_str_null(&value);

    if (ctx != NULL) {
        ngx_http_docket_variable_value(ctx, data, &value);
    }

    if (value.len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = value.data;
    v->len = value.len;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static void
ngx_http_docket_variable_value(ngx_http_docket_ctx_t *ctx, uintptr_t data,
    ngx_str_t *value)
{
    const char  *state;

    switch (data) {

    case NGX_HTTP_DOCKET_VAR_QUERY:
        *value = ctx->text;
        break;

    case NGX_HTTP_DOCKET_VAR_ID:

        /* also of a question that was refused after it was understood */

        if (ctx->known) {
            value->data = ctx->job.id;

        } else if (ctx->text.len != 0 && ctx->query != NULL) {
            value->data = (u_char *) docket_query_result(ctx->query)->id;

        } else {
            break;
        }

        value->len = DOCKET_ID_LEN;
        break;

    case NGX_HTTP_DOCKET_VAR_STATE:

        state = ctx->known ? docket_state_name(ctx->job.state) : NULL;

        if (state != NULL) {
            value->data = (u_char *) state;
            value->len = ngx_strlen(state);
        }

        break;

    default: /* NGX_HTTP_DOCKET_VAR_DUPLICATE */

        if (ctx->known && ctx->text.len != 0) {
            value->data = (u_char *) (ctx->duplicate ? "1" : "0");
            value->len = 1;
        }

        break;
    }
}
