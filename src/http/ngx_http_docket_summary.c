/*
 * /summary: what is in a job's capture, as the helper counted it.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_lookup.h"

#include <stdlib.h>


ngx_int_t
ngx_http_docket_summary(ngx_http_request_t *r, ngx_str_t *rest)
{
    char                          id[DOCKET_ID_LEN + 1], *json;
    size_t                        len;
    ngx_int_t                     rc;
    ngx_str_t                     type, text;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_find_named(r, rest, id);

    if (rc != NGX_OK) {
        return ngx_http_docket_no_job(r, rc, id);
    }

    json = docket_spool_summary_read(&mcf->sp, id, &len);

    if (json == NULL && ngx_errno == NGX_ENOENT) {

        if (!docket_state_final(ctx->job.state)) {
            return ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                           "the capture is not ready yet");
        }

        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "the job has no capture");
    }

    if (json == NULL) {
        return ngx_http_docket_spool_failed(r, ngx_errno,
                                            "reading the summary", id);
    }

    text.len = len;
    text.data = ngx_pnalloc(r->pool, len);

    if (text.data == NULL) {
        free(json);
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memcpy(text.data, json, len);
    free(json);

    ngx_str_set(&type, "application/json");

    return ngx_http_docket_send(r, NGX_HTTP_OK, &type, &text);
}
