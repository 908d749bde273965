/*
 * Endpoints that only tell; "rest" is the path behind the endpoint's name,
 * without a leading slash.
 */

#ifndef NGX_HTTP_DOCKET_STATUS_H
#define NGX_HTTP_DOCKET_STATUS_H


#include "http/ngx_http_docket_api.h"


ngx_int_t ngx_http_docket_status(ngx_http_request_t *r, ngx_str_t *rest);
/* /ids, or with "urls" /urls. */
ngx_int_t ngx_http_docket_list(ngx_http_request_t *r, ngx_str_t *rest,
    ngx_uint_t urls);


#endif /* NGX_HTTP_DOCKET_STATUS_H */
