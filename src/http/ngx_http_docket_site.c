/*
 * Browsers of other sites.
 *
 * A page of another site must not make a browser ask, cancel or delete with
 * the rights of the person in front of it.  Browsers say where a request
 * comes from (Sec-Fetch-Site), older ones at least for what changes things
 * (Origin).  A sister site under the same domain counts as another one.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_headers.h"
#include "http/ngx_http_docket_site.h"


static ngx_uint_t ngx_http_docket_foreign(ngx_http_request_t *r);
static ngx_uint_t ngx_http_docket_header_is(ngx_http_request_t *r,
    const char *name, const char *value);


ngx_int_t
ngx_http_docket_site(ngx_http_request_t *r, const char *page)
{
    ngx_int_t                    rc;
    ngx_uint_t                   click;
    ngx_http_docket_loc_conf_t  *lcf;

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    if (lcf->cross_site == NGX_HTTP_DOCKET_CROSS_ALLOW
        || !ngx_http_docket_foreign(r))
    {
        return NGX_OK;
    }

    if (lcf->cross_site == NGX_HTTP_DOCKET_CROSS_DENY || page == NULL
        || r->method != NGX_HTTP_GET
        || !ngx_http_docket_header_is(r, "sec-fetch-mode", "navigate"))
    {
        rc = ngx_http_docket_problem(r, NGX_HTTP_FORBIDDEN,
                                     "another site sent this request");

        return ngx_http_docket_refused(rc);
    }

    /* a frame can be put under a person's click */

    click = ngx_http_docket_header_is(r, "sec-fetch-user", "?1")
            && (ngx_http_docket_request_header(r, "sec-fetch-dest") == NULL
                || ngx_http_docket_header_is(r, "sec-fetch-dest", "document"));

    if (click && lcf->cross_site == NGX_HTTP_DOCKET_CROSS_CLICK) {
        return NGX_OK;
    }

    if (lcf->ui_url.len == 0) {
        rc = ngx_http_docket_problem(r, NGX_HTTP_FORBIDDEN,
                                     "another site sent this request, and "
                                     "there is no page that could show it");

        return ngx_http_docket_refused(rc);
    }

    rc = ngx_http_docket_ask_page(r, page);

    return ngx_http_docket_refused(rc);
}


static ngx_uint_t
ngx_http_docket_foreign(ngx_http_request_t *r)
{
    u_char     *p, *last;
    size_t      len;
    ngx_str_t  *origin, host, port;

    if (ngx_http_docket_request_header(r, "sec-fetch-site") != NULL) {
        return !ngx_http_docket_header_is(r, "sec-fetch-site", "same-origin")
               && !ngx_http_docket_header_is(r, "sec-fetch-site", "none");
    }

    origin = ngx_http_docket_request_header(r, "origin");

    if (origin == NULL) {
        return 0;
    }

    if (r->headers_in.host == NULL) {
        return 1;
    }

    p = origin->data;
    last = p + origin->len;

    if (origin->len > 7 && ngx_strncasecmp(p, (u_char *) "http://", 7) == 0) {
        p += 7;
        ngx_str_set(&port, ":80");

    } else if (origin->len > 8
               && ngx_strncasecmp(p, (u_char *) "https://", 8) == 0)
    {
        p += 8;
        ngx_str_set(&port, ":443");

    } else {
        return 1;
    }

    host = r->headers_in.host->value;
    len = last - p;

    if (host.len == len + port.len
        && ngx_memcmp(host.data + len, port.data, port.len) == 0)
    {
        host.len = len;
    }

    return host.len != len || ngx_strncasecmp(host.data, p, len) != 0;
}


static ngx_uint_t
ngx_http_docket_header_is(ngx_http_request_t *r, const char *name,
    const char *value)
{
    size_t      len;
    ngx_str_t  *h;

    h = ngx_http_docket_request_header(r, name);
    len = ngx_strlen(value);

    return h != NULL && h->len == len && ngx_memcmp(h->data, value, len) == 0;
}
