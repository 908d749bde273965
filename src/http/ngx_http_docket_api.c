/*
 * Routes.
 */

#include "http/ngx_http_docket_status.h"


typedef enum {
    NGX_HTTP_DOCKET_R_ASK = 0,        /* POST / */
    NGX_HTTP_DOCKET_R_URI,
    NGX_HTTP_DOCKET_R_PCAP,
    NGX_HTTP_DOCKET_R_RAW,
    NGX_HTTP_DOCKET_R_QUERY,
    NGX_HTTP_DOCKET_R_STATUS,
    NGX_HTTP_DOCKET_R_EVENTS,
    NGX_HTTP_DOCKET_R_STATS,
    NGX_HTTP_DOCKET_R_IDS,
    NGX_HTTP_DOCKET_R_URLS,
    NGX_HTTP_DOCKET_R_CANCEL
} ngx_http_docket_route_e;


typedef struct {
    ngx_str_t                  name;
    ngx_uint_t                 methods;
    const char                *allow;
    ngx_http_docket_route_e    route;
} ngx_http_docket_route_t;


#define NGX_HTTP_DOCKET_READ  (NGX_HTTP_GET|NGX_HTTP_HEAD)


static const ngx_http_docket_route_t  ngx_http_docket_routes[] = {
    { ngx_string(""), NGX_HTTP_POST, "POST", NGX_HTTP_DOCKET_R_ASK },
    { ngx_string("uri"), NGX_HTTP_GET, "GET", NGX_HTTP_DOCKET_R_URI },
    { ngx_string("q"), NGX_HTTP_GET, "GET", NGX_HTTP_DOCKET_R_URI },
    { ngx_string("pcap"), NGX_HTTP_GET, "GET", NGX_HTTP_DOCKET_R_PCAP },
    { ngx_string("raw"), NGX_HTTP_GET|NGX_HTTP_POST, "GET, POST",
      NGX_HTTP_DOCKET_R_RAW },
    { ngx_string("query"), NGX_HTTP_POST, "POST", NGX_HTTP_DOCKET_R_QUERY },
    { ngx_string("status"), NGX_HTTP_DOCKET_READ, "GET, HEAD",
      NGX_HTTP_DOCKET_R_STATUS },
    { ngx_string("events"), NGX_HTTP_GET, "GET", NGX_HTTP_DOCKET_R_EVENTS },
    { ngx_string("stats"), NGX_HTTP_DOCKET_READ, "GET, HEAD",
      NGX_HTTP_DOCKET_R_STATS },
    { ngx_string("ids"), NGX_HTTP_DOCKET_READ, "GET, HEAD",
      NGX_HTTP_DOCKET_R_IDS },
    { ngx_string("urls"), NGX_HTTP_DOCKET_READ, "GET, HEAD",
      NGX_HTTP_DOCKET_R_URLS },
    { ngx_string("cancel"), NGX_HTTP_POST, "POST", NGX_HTTP_DOCKET_R_CANCEL },
    { ngx_null_string, 0, NULL, 0 }
};


static ngx_int_t ngx_http_docket_paths(ngx_http_request_t *r,
    ngx_http_docket_ctx_t *ctx);
static ngx_int_t ngx_http_docket_route(ngx_http_request_t *r);
static ngx_int_t ngx_http_docket_question(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset, ngx_uint_t stream);
static ngx_int_t ngx_http_docket_cancel(ngx_http_request_t *r,
    ngx_str_t *rest);
static void ngx_http_docket_body_handler(ngx_http_request_t *r);


ngx_int_t
ngx_http_docket_api_handler(ngx_http_request_t *r)
{
    ngx_int_t               rc;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    if (ctx == NULL) {
        ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_ctx_t));
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_http_set_ctx(r, ctx, ngx_http_docket_module);
    }

    if (ngx_http_docket_paths(r, ctx) != NGX_OK) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "there is no such endpoint");
    }

    if (!(r->method & NGX_HTTP_POST)) {
        rc = ngx_http_discard_request_body(r);

        return (rc != NGX_OK) ? rc : ngx_http_docket_route(r);
    }

    rc = ngx_http_read_client_request_body(r, ngx_http_docket_body_handler);

    return (rc >= NGX_HTTP_SPECIAL_RESPONSE) ? rc : NGX_DONE;
}


static void
ngx_http_docket_body_handler(ngx_http_request_t *r)
{
    ngx_http_finalize_request(r, ngx_http_docket_route(r));
}


/* Below the prefix: as nginx decoded it, and as it was sent. */

static ngx_int_t
ngx_http_docket_paths(ngx_http_request_t *r, ngx_http_docket_ctx_t *ctx)
{
    u_char                      *p, *last;
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    ctx->path = r->uri;
    ctx->raw_path = r->unparsed_uri;

    last = ctx->raw_path.data + ctx->raw_path.len;
    p = ngx_strlchr(ctx->raw_path.data, last, '?');

    if (p != NULL) {
        ctx->raw_path.len = p - ctx->raw_path.data;
    }

    if (ctx->path.len < lcf->prefix.len
        || ngx_strncmp(ctx->path.data, lcf->prefix.data, lcf->prefix.len) != 0)
    {
        return NGX_DECLINED;
    }

    ctx->path.data += lcf->prefix.len;
    ctx->path.len -= lcf->prefix.len;

    /* a rewritten or oddly escaped prefix: what nginx made of it counts */

    if (ctx->raw_path.len >= lcf->prefix.len
        && ngx_strncmp(ctx->raw_path.data, lcf->prefix.data, lcf->prefix.len)
           == 0)
    {
        ctx->raw_path.data += lcf->prefix.len;
        ctx->raw_path.len -= lcf->prefix.len;

    } else {
        ctx->raw_path = ctx->path;
    }

    return (ctx->path.len == 0 || ctx->path.data[0] == '/') ? NGX_OK
                                                            : NGX_DECLINED;
}


static ngx_int_t
ngx_http_docket_route(ngx_http_request_t *r)
{
    u_char                         *p, *last;
    size_t                          offset;
    ngx_str_t                       name, rest, allow;
    ngx_http_docket_ctx_t          *ctx;
    const ngx_http_docket_route_t  *t;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    p = ctx->path.data + (ctx->path.len != 0);
    last = ctx->path.data + ctx->path.len;

    name.data = p;
    rest.data = ngx_strlchr(p, last, '/');

    if (rest.data == NULL) {
        rest.data = last;
        name.len = last - p;

    } else {
        name.len = rest.data - p;
        rest.data++;
    }

    rest.len = last - rest.data;

    for (t = ngx_http_docket_routes; t->allow != NULL; t++) {
        if (t->name.len == name.len
            && ngx_strncmp(t->name.data, name.data, name.len) == 0)
        {
            break;
        }
    }

    if (t->allow == NULL || (name.len == 0 && rest.len != 0)) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "there is no such endpoint");
    }

    if (!(r->method & t->methods)) {
        allow.data = (u_char *) t->allow;
        allow.len = ngx_strlen(t->allow);

        if (ngx_http_docket_header(r, "Allow", &allow) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_docket_problem(r, NGX_HTTP_NOT_ALLOWED,
                                       "this endpoint takes %V", &allow);
    }

    /* endpoint names are plain: they are as long in the raw path */

    offset = ngx_min(ctx->raw_path.len, name.len + 2);

    if (t->route >= NGX_HTTP_DOCKET_R_STATUS && rest.len != 0
        && rest.data[rest.len - 1] == '/')
    {
        rest.len--;
    }

    switch (t->route) {

    case NGX_HTTP_DOCKET_R_ASK:
        return ngx_http_docket_question(r, NGX_HTTP_DOCKET_FROM_BODY, 0, 0);

    case NGX_HTTP_DOCKET_R_URI:
        return ngx_http_docket_question(r, NGX_HTTP_DOCKET_FROM_URI, offset,
                                        0);

    case NGX_HTTP_DOCKET_R_PCAP:
        return ngx_http_docket_question(r, NGX_HTTP_DOCKET_FROM_URI, offset,
                                        1);

    case NGX_HTTP_DOCKET_R_RAW:
        return (r->method & NGX_HTTP_POST)
               ? ngx_http_docket_question(r, NGX_HTTP_DOCKET_FROM_RAW_BODY, 0,
                                          0)
               : ngx_http_docket_question(r, NGX_HTTP_DOCKET_FROM_RAW_URI,
                                          rest.data - ctx->path.data, 0);

    case NGX_HTTP_DOCKET_R_QUERY:
        return ngx_http_docket_question(r, NGX_HTTP_DOCKET_FROM_STENO_BODY, 0,
                                        1);

    case NGX_HTTP_DOCKET_R_STATUS:
        return ngx_http_docket_status(r, &rest);

    case NGX_HTTP_DOCKET_R_EVENTS:
        return ngx_http_docket_events(r, &rest);

    case NGX_HTTP_DOCKET_R_STATS:
        return ngx_http_docket_stats(r, &rest);

    case NGX_HTTP_DOCKET_R_IDS:
        return ngx_http_docket_list(r, &rest, 0);

    case NGX_HTTP_DOCKET_R_URLS:
        return ngx_http_docket_list(r, &rest, 1);

    default: /* NGX_HTTP_DOCKET_R_CANCEL */
        return ngx_http_docket_cancel(r, &rest);
    }
}


static ngx_int_t
ngx_http_docket_question(ngx_http_request_t *r,
    ngx_http_docket_source_e source, size_t offset, ngx_uint_t stream)
{
    ngx_int_t   rc;
    ngx_uint_t  status;

    rc = ngx_http_docket_read_query(r, source, offset);

    /* a problem document was sent: its outcome is the request's */

    if (((ngx_http_docket_ctx_t *)
         ngx_http_get_module_ctx(r, ngx_http_docket_module))->query == NULL)
    {
        return rc;
    }

    if (stream) {
        return ngx_http_docket_stream(r);
    }

    rc = ngx_http_docket_ask(r, &status);

    if (!((ngx_http_docket_ctx_t *)
          ngx_http_get_module_ctx(r, ngx_http_docket_module))->known)
    {
        return rc;
    }

    return ngx_http_docket_send_asked(r, status);
}


static ngx_int_t
ngx_http_docket_cancel(ngx_http_request_t *r, ngx_str_t *rest)
{
    char                          id[DOCKET_ID_LEN + 1];
    yajl_gen                      g;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (!docket_spool_id((char *) rest->data, rest->len, id)
        || ngx_http_docket_find(r, id, &ctx->job, NULL) != NGX_OK)
    {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no job has this id");
    }

    ctx->known = 1;

    if (ngx_http_docket_zone_cancel(mcf->zone, id) != NGX_OK) {
        return ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                       "the job is over: %s",
                                       docket_state_name(ctx->job.state));
    }

    ngx_http_docket_wake_helper(mcf);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "id");
    ngx_http_docket_gen_cstr(g, id);
    ngx_http_docket_gen_key(g, "cancelling");
    (void) yajl_gen_bool(g, 1);
    (void) yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


ngx_int_t
ngx_http_docket_result_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url)
{
    char                          name[DOCKET_SPOOL_NAME_LEN + 1];
    ngx_http_docket_loc_conf_t   *lcf;
    ngx_http_docket_main_conf_t  *mcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    docket_spool_name(&mcf->sp, id, name);

    url->data = ngx_pnalloc(r->pool, lcf->results_url.len + sizeof(name)
                                     + ngx_strlen(mcf->sp.merged) + 2);
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_sprintf(url->data, "%V/%s/%s", &lcf->results_url, name,
                           mcf->sp.merged)
               - url->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_status_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url)
{
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    url->data = ngx_pnalloc(r->pool, lcf->prefix.len + DOCKET_ID_LEN
                                     + sizeof("/status/"));
    if (url->data == NULL) {
        return NGX_ERROR;
    }

    url->len = ngx_sprintf(url->data, "%V/status/%s", &lcf->prefix, id)
               - url->data;

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_send_asked(ngx_http_request_t *r, ngx_uint_t status)
{
    char                         requested[128];
    time_t                       sec;
    struct tm                    tm;
    yajl_gen                     g;
    ngx_str_t                    url, location;
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_loc_conf_t  *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    g = ngx_http_docket_gen(r);

    if (g == NULL
        || ngx_http_docket_result_url(r, (char *) ctx->job.id, &url) != NGX_OK
        || ngx_http_docket_status_url(r, (char *) ctx->job.id, &location)
           != NGX_OK
        || ngx_http_docket_header(r, "Location", &location) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sec = (time_t) (ctx->job.requested / DOCKET_SECOND);

    if (gmtime_r(&sec, &tm) == NULL
        || strftime(requested, sizeof(requested),
                    (char *) lcf->date_format.data, &tm)
           == 0)
    {
        requested[0] = '\0';
    }

    (void) yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "id");
    ngx_http_docket_gen_cstr(g, (char *) ctx->job.id);
    ngx_http_docket_gen_key(g, "query");
    ngx_http_docket_gen_str(g, ctx->text.data, ctx->text.len);
    ngx_http_docket_gen_key(g, "state");
    ngx_http_docket_gen_cstr(g, docket_state_name(ctx->job.state));
    ngx_http_docket_gen_key(g, "url");
    ngx_http_docket_gen_str(g, url.data, url.len);
    ngx_http_docket_gen_key(g, "time");
    ngx_http_docket_gen_time(g, ctx->job.requested);
    ngx_http_docket_gen_key(g, "Requested");
    ngx_http_docket_gen_cstr(g, requested);
    ngx_http_docket_gen_key(g, "duplicate");
    (void) yajl_gen_bool(g, (int) ctx->duplicate);
    (void) yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, status, g);
}
