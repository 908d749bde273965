/*
 * docket_api: from a request's path and method to its endpoint.
 *
 * nginx has chosen the location, and with it what the request may do, by the
 * decoded path; so the endpoint is chosen by the decoded path too.  Questions
 * in a path are read as they were sent, since "%2F" is no "/" in them.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_http.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_openapi.h"
#include "http/ngx_http_docket_site.h"


#define NGX_HTTP_DOCKET_READ  (NGX_HTTP_GET|NGX_HTTP_HEAD)

/* flags of an endpoint */
#define NGX_HTTP_DOCKET_REST  0x01    /* something follows its name */
#define NGX_HTTP_DOCKET_BODY  0x02    /* the body of a POST is read */


typedef ngx_int_t (*ngx_http_docket_endpoint_pt)(ngx_http_request_t *r,
    ngx_str_t *rest);

typedef struct {
    ngx_str_t                    name;
    ngx_uint_t                   methods;
    ngx_uint_t                   flags;
    ngx_http_docket_endpoint_pt  handler;
    const char                  *page;      /* as ngx_http_docket_site() */
} ngx_http_docket_endpoint_t;


static ngx_int_t ngx_http_docket_path(ngx_http_request_t *r,
    ngx_http_docket_ctx_t *ctx);
static ngx_uint_t ngx_http_docket_empty_segment(ngx_str_t *path);
static ngx_int_t ngx_http_docket_raw_path(ngx_http_request_t *r,
    ngx_http_docket_ctx_t *ctx, ngx_str_t *prefix);
static ngx_http_docket_endpoint_t *ngx_http_docket_route(
    ngx_http_docket_ctx_t *ctx);
static ngx_int_t ngx_http_docket_not_allowed(ngx_http_request_t *r,
    ngx_uint_t methods);
static void ngx_http_docket_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_docket_too_large(ngx_http_request_t *r);

static ngx_int_t ngx_http_docket_openapi(ngx_http_request_t *r,
    ngx_str_t *rest);


static ngx_http_docket_endpoint_t  ngx_http_docket_root = {
    ngx_string(""), NGX_HTTP_POST, NGX_HTTP_DOCKET_BODY, ngx_http_docket_post,
    NULL
};


static ngx_http_docket_endpoint_t  ngx_http_docket_job = {
    ngx_string("ID"), NGX_HTTP_DELETE, NGX_HTTP_DOCKET_REST,
    ngx_http_docket_delete, NULL
};


static ngx_http_docket_endpoint_t  ngx_http_docket_endpoints[] = {

    { ngx_string("uri"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_uri, "ask/" },

    { ngx_string("q"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_uri, "ask/" },

    { ngx_string("raw"), NGX_HTTP_DOCKET_READ|NGX_HTTP_POST,
      NGX_HTTP_DOCKET_REST|NGX_HTTP_DOCKET_BODY, ngx_http_docket_raw, NULL },

    { ngx_string("pcap"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_pcap, NULL },

    { ngx_string("query"), NGX_HTTP_POST,
      NGX_HTTP_DOCKET_BODY, ngx_http_docket_query, NULL },

    { ngx_string("explain"), NGX_HTTP_DOCKET_READ|NGX_HTTP_POST,
      NGX_HTTP_DOCKET_REST|NGX_HTTP_DOCKET_BODY, ngx_http_docket_explain,
      NULL },

    { ngx_string("pivot"), NGX_HTTP_DOCKET_READ|NGX_HTTP_POST,
      NGX_HTTP_DOCKET_BODY, ngx_http_docket_pivot, "pivot" },

    { ngx_string("status"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_status, NULL },

    { ngx_string("summary"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_summary, NULL },

    { ngx_string("events"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_events, NULL },

    { ngx_string("stats"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_stats, NULL },

    { ngx_string("ids"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_ids, NULL },

    { ngx_string("urls"), NGX_HTTP_DOCKET_READ,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_urls, NULL },

    { ngx_string("jobs"), NGX_HTTP_DOCKET_READ, 0, ngx_http_docket_jobs, NULL },

    { ngx_string("find"), NGX_HTTP_POST,
      NGX_HTTP_DOCKET_BODY, ngx_http_docket_search, NULL },

    { ngx_string("cancel"), NGX_HTTP_POST,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_cancel, NULL },

    { ngx_string("retry"), NGX_HTTP_POST,
      NGX_HTTP_DOCKET_REST, ngx_http_docket_retry, NULL },

    { ngx_string("clean"), NGX_HTTP_POST, 0, ngx_http_docket_clean_now, NULL },

    { ngx_string("sensors"), NGX_HTTP_DOCKET_READ,
      0, ngx_http_docket_sensors, NULL },

    { ngx_string("metrics"), NGX_HTTP_DOCKET_READ,
      0, ngx_http_docket_metrics, NULL },

    { ngx_string("openapi.json"), NGX_HTTP_DOCKET_READ,
      0, ngx_http_docket_openapi, NULL },

    { ngx_null_string, 0, 0, NULL, NULL }
};


ngx_int_t
ngx_http_docket_api_handler(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_endpoint_t  *ep;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_ctx_t));
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_set_ctx(r, ctx, ngx_http_docket_module);

    rc = ngx_http_docket_path(r, ctx);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ep = (rc == NGX_OK) ? ngx_http_docket_route(ctx) : NULL;

    rc = ngx_http_docket_site(r, (ep != NULL) ? ep->page : NULL);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ep == NULL) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "there is no such endpoint");
    }

    if ((r->method & ep->methods) == 0) {
        return ngx_http_docket_not_allowed(r, ep->methods);
    }

    if (r->method != NGX_HTTP_POST
        || (ep->flags & NGX_HTTP_DOCKET_BODY) == 0)
    {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }

        return ep->handler(r, &ctx->rest);
    }

    if (r->headers_in.content_length_n > NGX_HTTP_DOCKET_MAX_BODY) {
        return ngx_http_docket_too_large(r);
    }

    ctx->data = ep;
    r->request_body_in_single_buf = 1;

    /* a body of more than client_body_buffer_size is nothing to warn of */
    r->request_body_file_log_level = NGX_LOG_INFO;

    rc = ngx_http_read_client_request_body(r, ngx_http_docket_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


static void
ngx_http_docket_body_handler(ngx_http_request_t *r)
{
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_endpoint_t  *ep;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    ep = ctx->data;
    ctx->data = NULL;

    /* a length that was not told before the body */

    if (r->headers_in.content_length_n > NGX_HTTP_DOCKET_MAX_BODY) {
        ngx_http_finalize_request(r, ngx_http_docket_too_large(r));
        return;
    }

    ngx_http_finalize_request(r, ep->handler(r, &ctx->rest));
}


static ngx_int_t
ngx_http_docket_too_large(ngx_http_request_t *r)
{
    return ngx_http_docket_problem(r, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                   "the body has more than %d bytes",
                                   NGX_HTTP_DOCKET_MAX_BODY);
}


/* NGX_DECLINED: no endpoint has such a path. */

static ngx_int_t
ngx_http_docket_path(ngx_http_request_t *r, ngx_http_docket_ctx_t *ctx)
{
    ngx_str_t                   *prefix;
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    prefix = &lcf->prefix;

    if (r->uri.len < prefix->len
        || ngx_memcmp(r->uri.data, prefix->data, prefix->len) != 0)
    {
        return NGX_DECLINED;
    }

    ctx->path.data = r->uri.data + prefix->len;
    ctx->path.len = r->uri.len - prefix->len;

    if (ctx->path.len == 0) {
        ngx_str_set(&ctx->path, "/");
    }

    if (ctx->path.data[0] != '/') {
        return NGX_DECLINED;
    }

    if (ngx_http_docket_raw_path(r, ctx, prefix) != NGX_OK) {
        return NGX_ERROR;
    }

    /* nginx merges empty segments, so they are looked for as they were sent */

    if (ngx_http_docket_empty_segment(&ctx->raw_path)
        || (r->valid_unparsed_uri
            && ngx_http_docket_empty_segment(&r->unparsed_uri)))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_docket_empty_segment(ngx_str_t *path)
{
    size_t  i;

    for (i = 0; i + 1 < path->len && path->data[i] != '?'; i++) {
        if (path->data[i] == '/' && path->data[i + 1] == '/') {
            return 1;
        }
    }

    return 0;
}


/* A path that was rewritten, or came with another spelling of the prefix, is
   spelled anew. */

static ngx_int_t
ngx_http_docket_raw_path(ngx_http_request_t *r, ngx_http_docket_ctx_t *ctx,
    ngx_str_t *prefix)
{
    u_char  *p, *last;

    p = r->unparsed_uri.data;

    if (r->valid_unparsed_uri && r->unparsed_uri.len >= prefix->len
        && ngx_memcmp(p, prefix->data, prefix->len) == 0)
    {
        last = ngx_strlchr(p, p + r->unparsed_uri.len, '?');

        if (last == NULL) {
            last = p + r->unparsed_uri.len;
        }

        ctx->raw_path.data = p + prefix->len;
        ctx->raw_path.len = last - ctx->raw_path.data;

        if (ctx->raw_path.len != 0) {
            return NGX_OK;
        }
    }

    ctx->raw_path.len = ctx->path.len
                        + 2 * ngx_escape_uri(NULL, ctx->path.data,
                                             ctx->path.len, NGX_ESCAPE_URI);

    ctx->raw_path.data = ngx_pnalloc(r->pool, ctx->raw_path.len);
    if (ctx->raw_path.data == NULL) {
        return NGX_ERROR;
    }

    ngx_escape_uri(ctx->raw_path.data, ctx->path.data, ctx->path.len,
                   NGX_ESCAPE_URI);

    return NGX_OK;
}


static ngx_http_docket_endpoint_t *
ngx_http_docket_route(ngx_http_docket_ctx_t *ctx)
{
    char                         id[DOCKET_ID_LEN + 1];
    u_char                      *p, *last;
    ngx_str_t                    name;
    ngx_http_docket_endpoint_t  *ep;

    p = ctx->path.data + 1;
    last = ctx->path.data + ctx->path.len;

    name.data = p;

    while (p < last && *p != '/') {
        p++;
    }

    name.len = p - name.data;

    if (name.len == 0) {
        return (p == last) ? &ngx_http_docket_root : NULL;
    }

    if (p < last) {
        p++;
    }

    ctx->rest.data = p;
    ctx->rest.len = last - p;

    if (ctx->rest.len != 0 && last[-1] == '/') {
        ctx->rest.len--;
    }

    if (docket_spool_id((char *) name.data, name.len, id)) {

        if (ctx->rest.len != 0) {
            return NULL;
        }

        ctx->rest = name;

        return &ngx_http_docket_job;
    }

    /* the name as it was sent must be the one that nginx saw */

    ctx->offset = 1 + name.len;

    if (ctx->raw_path.len < ctx->offset
        || ngx_memcmp(ctx->raw_path.data, ctx->path.data, ctx->offset) != 0
        || (ctx->raw_path.len > ctx->offset
            && ctx->raw_path.data[ctx->offset] != '/'))
    {
        return NULL;
    }

    if (ctx->raw_path.len > ctx->offset) {
        ctx->offset++;
    }

    for (ep = ngx_http_docket_endpoints; ep->handler != NULL; ep++) {

        if (ep->name.len == name.len
            && ngx_memcmp(ep->name.data, name.data, name.len) == 0)
        {
            if (ctx->rest.len != 0 && (ep->flags & NGX_HTTP_DOCKET_REST) == 0)
            {
                return NULL;
            }

            return ep;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_docket_not_allowed(ngx_http_request_t *r, ngx_uint_t methods)
{
    u_char     *p;
    ngx_str_t   allow;

    allow.data = ngx_pnalloc(r->pool, sizeof("GET, HEAD, POST, DELETE, "));
    if (allow.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = allow.data;

    if (methods & NGX_HTTP_GET) {
        p = ngx_cpymem(p, "GET, HEAD, ", sizeof("GET, HEAD, ") - 1);
    }

    if (methods & NGX_HTTP_POST) {
        p = ngx_cpymem(p, "POST, ", sizeof("POST, ") - 1);
    }

    if (methods & NGX_HTTP_DELETE) {
        p = ngx_cpymem(p, "DELETE, ", sizeof("DELETE, ") - 1);
    }

    allow.len = p - allow.data - (sizeof(", ") - 1);

    if (ngx_http_docket_header(r, "Allow", &allow) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_problem(r, NGX_HTTP_NOT_ALLOWED,
                                   "this endpoint takes only %V", &allow);
}


static ngx_int_t
ngx_http_docket_openapi(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_str_t  type, body;

    ngx_str_set(&type, "application/json");

    body.data = (u_char *) ngx_http_docket_openapi_json;
    body.len = sizeof(ngx_http_docket_openapi_json) - 1;

    return ngx_http_docket_send(r, NGX_HTTP_OK, &type, &body);
}
