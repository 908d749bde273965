/*
 * Headers of a request.
 */

#include "http/ngx_http_docket_headers.h"


static ngx_uint_t ngx_http_docket_range_takes(u_char *p, u_char *last,
    const char *type);
static u_char *ngx_http_docket_skip_blank(u_char *p, u_char *last);


ngx_str_t *
ngx_http_docket_request_header(ngx_http_request_t *r, const char *name)
{
    size_t            len;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    len = ngx_strlen(name);
    part = &r->headers_in.headers.part;
    h = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                return NULL;
            }

            part = part->next;
            h = part->elts;
            i = 0;
        }

        if (h[i].key.len == len
            && ngx_memcmp(h[i].lowcase_key, name, len) == 0)
        {
            return &h[i].value;
        }
    }
}


ngx_uint_t
ngx_http_docket_accepts(ngx_http_request_t *r, const char *type)
{
    u_char     *p, *next, *last;
    ngx_str_t  *accept;

    accept = ngx_http_docket_request_header(r, "accept");

    if (accept == NULL) {
        return 0;
    }

    p = accept->data;
    last = p + accept->len;

    for ( /* void */ ; p < last; p = next + 1) {
        next = ngx_strlchr(p, last, ',');

        if (next == NULL) {
            next = last;
        }

        if (ngx_http_docket_range_takes(p, next, type)) {
            return 1;
        }
    }

    return 0;
}


/* "text/html; level=1; q=0.5"; a weight of 0 refuses what it names */

static ngx_uint_t
ngx_http_docket_range_takes(u_char *p, u_char *last, const char *type)
{
    size_t  len;

    len = ngx_strlen(type);
    p = ngx_http_docket_skip_blank(p, last);

    if ((size_t) (last - p) < len
        || ngx_strncasecmp(p, (u_char *) type, len) != 0)
    {
        return 0;
    }

    p = ngx_http_docket_skip_blank(p + len, last);

    if (p < last && *p != ';') {
        return 0;
    }

    for ( /* void */ ; p != NULL && p < last; p = ngx_strlchr(p, last, ';')) {
        p = ngx_http_docket_skip_blank(p + 1, last);

        if (last - p < 2 || (*p | 0x20) != 'q' || p[1] != '=') {
            continue;
        }

        for (p += 2; p < last && *p != ';'; p++) {
            if (*p >= '1' && *p <= '9') {
                return 1;
            }
        }

        return 0;
    }

    return 1;
}


static u_char *
ngx_http_docket_skip_blank(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}
