/*
 * Headers of a request.
 */

#include "http/ngx_http_docket_headers.h"


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
    ngx_str_t  *accept;

    accept = ngx_http_docket_request_header(r, "accept");

    return accept != NULL
           && ngx_strlcasestrn(accept->data, accept->data + accept->len,
                               (u_char *) type, ngx_strlen(type) - 1)
              != NULL;
}
