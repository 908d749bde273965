/*
 * Headers of a request.
 */

#ifndef NGX_HTTP_DOCKET_HEADERS_H
#define NGX_HTTP_DOCKET_HEADERS_H


#include "ngx_http_docket.h"


/* By its name in lower case, the first of that name; NULL: not there. */
ngx_str_t *ngx_http_docket_request_header(ngx_http_request_t *r,
    const char *name);

/* Whether Accept names this media type, and does not refuse it (q=0).  A range
   with "*" names none: who does not care gets what a program gets. */
ngx_uint_t ngx_http_docket_accepts(ngx_http_request_t *r, const char *type);


#endif /* NGX_HTTP_DOCKET_HEADERS_H */
