/*
 * /pivot: from an event to the question for its packets, which is then asked
 * as any other one.
 */

#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_input.h"


static ngx_int_t ngx_http_docket_wants_explain(ngx_http_request_t *r,
    ngx_uint_t *explain);


ngx_int_t
ngx_http_docket_pivot(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_uint_t                explain;
    ngx_http_docket_source_e  source;

    if (ngx_http_docket_wants_explain(r, &explain) != NGX_OK) {
        return ngx_http_docket_bad_arg(r, "explain", "is true or false");
    }

    source = (r->method == NGX_HTTP_POST) ? NGX_HTTP_DOCKET_FROM_EVENT_BODY
                                          : NGX_HTTP_DOCKET_FROM_EVENT_ARGS;

    if (explain) {
        return ngx_http_docket_explain_from(r, source);
    }

    return (r->method == NGX_HTTP_POST)
           ? ngx_http_docket_ask_and_send(r, source)
           : ngx_http_docket_ask_link(r, source);
}


/* "explain" alone, or with a value as flags of a question have it */

static ngx_int_t
ngx_http_docket_wants_explain(ngx_http_request_t *r, ngx_uint_t *explain)
{
    int      flag;
    u_char  *p, *next, *last;
    size_t   len;

    *explain = 0;
    len = sizeof("explain") - 1;

    p = r->args.data;
    last = p + r->args.len;

    for ( /* void */ ; p < last; p = next + 1) {
        next = ngx_strlchr(p, last, '&');

        if (next == NULL) {
            next = last;
        }

        if ((size_t) (next - p) < len || ngx_memcmp(p, "explain", len) != 0) {
            continue;
        }

        if (p + len == next) {
            *explain = 1;
            continue;
        }

        if (p[len] != '=') {
            continue;
        }

        flag = docket_query_flag((char *) p + len + 1, next - p - len - 1);

        if (flag == -1) {
            return NGX_ERROR;
        }

        *explain |= flag;
    }

    return NGX_OK;
}
