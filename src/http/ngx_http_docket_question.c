/*
 * Questions: POST /, /uri, /q, /raw, /pcap and /query read one each, have it
 * asked, and answer with JSON, with the way to the page, or with the capture.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_ask.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_headers.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_url.h"


static ngx_int_t ngx_http_docket_capture(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset);


ngx_int_t
ngx_http_docket_post(ngx_http_request_t *r, ngx_str_t *rest)
{
    return ngx_http_docket_ask_and_send(r, NGX_HTTP_DOCKET_FROM_BODY);
}


ngx_int_t
ngx_http_docket_uri(ngx_http_request_t *r, ngx_str_t *rest)
{
    return ngx_http_docket_ask_link(r, NGX_HTTP_DOCKET_FROM_URI);
}


ngx_int_t
ngx_http_docket_raw(ngx_http_request_t *r, ngx_str_t *rest)
{
    if (r->method != NGX_HTTP_POST) {
        return ngx_http_docket_ask_and_send(r, NGX_HTTP_DOCKET_FROM_RAW_URI);
    }

    if (rest->len != 0) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "the expression is taken from the "
                                       "path or from the body, not from both");
    }

    return ngx_http_docket_ask_and_send(r, NGX_HTTP_DOCKET_FROM_RAW_BODY);
}


ngx_int_t
ngx_http_docket_pcap(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    return ngx_http_docket_capture(r, NGX_HTTP_DOCKET_FROM_URI, ctx->offset);
}


ngx_int_t
ngx_http_docket_query(ngx_http_request_t *r, ngx_str_t *rest)
{
    if (ngx_http_docket_accepts(r, "application/json")) {
        return ngx_http_docket_ask_and_send(r,
                                            NGX_HTTP_DOCKET_FROM_STENO_BODY);
    }

    return ngx_http_docket_capture(r, NGX_HTTP_DOCKET_FROM_STENO_BODY, 0);
}


static ngx_int_t
ngx_http_docket_capture(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    rc = ngx_http_docket_arg(r, "partial", &value);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK
        && (value.len != 2 || ngx_memcmp(value.data, "ok", 2) != 0))
    {
        return ngx_http_docket_bad_arg(r, "partial", "is \"ok\" or not there");
    }

    rc = ngx_http_docket_read_query(r, source, offset);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_docket_stream(r);
}


ngx_int_t
ngx_http_docket_ask_link(ngx_http_request_t *r,
    ngx_http_docket_source_e source)
{
    ngx_int_t                    rc;
    ngx_str_t                    url;
    ngx_uint_t                   status;
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    if (lcf->ui_url.len == 0) {
        return ngx_http_docket_ask_and_send(r, source);
    }

    ngx_str_set(&url, "Accept");

    if (ngx_http_docket_header(r, "Vary", &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!ngx_http_docket_accepts(r, "text/html")
        || r->method == NGX_HTTP_HEAD)
    {
        return ngx_http_docket_ask_and_send(r, source);
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    /* a person is told on the page what is wrong, with the question at hand */

    ctx->page = (source == NGX_HTTP_DOCKET_FROM_URI) ? "ask/" : "pivot";

    rc = ngx_http_docket_read_query(r, source, ctx->offset);

    if (rc == NGX_OK) {
        rc = ngx_http_docket_ask(r, &status);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_docket_page_url(r, (char *) ctx->job.id, &url) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_page(r, &url);
}


ngx_int_t
ngx_http_docket_ask_and_send(ngx_http_request_t *r,
    ngx_http_docket_source_e source)
{
    ngx_int_t               rc;
    ngx_uint_t              status;
    const char             *id;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    rc = ngx_http_docket_read_query(r, source, ctx->offset);

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->method == NGX_HTTP_HEAD) {

        /* nothing is queued by it */

        id = docket_query_result(ctx->query)->id;
        rc = ngx_http_docket_find(r, id, &ctx->job, NULL);

        if (rc == NGX_ERROR) {
            return ngx_http_docket_no_job(r, rc, id);
        }

        if (rc != NGX_OK) {
            return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                           "this was not asked yet");
        }

        ctx->known = 1;
        ctx->duplicate = 1;

        return ngx_http_docket_send_asked(r, NGX_HTTP_OK);
    }

    rc = ngx_http_docket_ask(r, &status);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_docket_send_asked(r, status);
}


ngx_int_t
ngx_http_docket_send_asked(ngx_http_request_t *r, ngx_uint_t status)
{
    u_char                       buf[256];
    size_t                       len;
    time_t                       sec;
    yajl_gen                     g;
    ngx_str_t                    url, location;
    struct tm                    tm;
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_job_t       *job;
    ngx_http_docket_loc_conf_t  *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    job = &ctx->job;
    g = ngx_http_docket_gen(r);

    if (g == NULL
        || ngx_http_docket_result_url(r, (char *) job->id, &url) != NGX_OK
        || ngx_http_docket_status_url(r, (char *) job->id, &location) != NGX_OK
        || ngx_http_docket_header(r, "Location", &location) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sec = job->requested / DOCKET_SECOND;
    (void) gmtime_r(&sec, &tm);

    len = strftime((char *) buf, sizeof(buf), (char *) lcf->date_format.data,
                   &tm);

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "id");
    ngx_http_docket_gen_cstr(g, (char *) job->id);
    ngx_http_docket_gen_key(g, "query");
    ngx_http_docket_gen_str(g, ctx->text.data, ctx->text.len);
    ngx_http_docket_gen_key(g, "state");
    ngx_http_docket_gen_cstr(g, docket_state_name(job->state));
    ngx_http_docket_gen_key(g, "url");
    ngx_http_docket_gen_str(g, url.data, url.len);
    ngx_http_docket_gen_key(g, "time");
    ngx_http_docket_gen_time(g, job->requested);
    ngx_http_docket_gen_key(g, "Requested");
    ngx_http_docket_gen_str(g, buf, len);
    ngx_http_docket_gen_key(g, "duplicate");
    yajl_gen_bool(g, ctx->duplicate);

    if (ctx->pivot != NULL) {
        ngx_http_docket_gen_pivot(g, ctx->pivot);
    }

    yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, status, g);
}
