/*
 * Where a client finds a job's capture, its status, and the page.  All are
 * what the configuration makes of them: a path, or a whole URL.  NGX_OK, or
 * NGX_ERROR: no memory.
 */

#ifndef NGX_HTTP_DOCKET_URL_H
#define NGX_HTTP_DOCKET_URL_H


#include "ngx_http_docket.h"


ngx_int_t ngx_http_docket_result_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url);
/* The same for many: into "p", which has room for _size() bytes; returns the
   end. */
size_t ngx_http_docket_result_url_size(ngx_http_request_t *r);
u_char *ngx_http_docket_result_url_put(ngx_http_request_t *r, const char *id,
    u_char *p);

ngx_int_t ngx_http_docket_status_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url);

/* Only with docket_ui_url: the page of a job, and the page's view "page" with
   the question of this request filled in, and not sent. */
ngx_int_t ngx_http_docket_page_url(ngx_http_request_t *r, const char *id,
    ngx_str_t *url);
ngx_int_t ngx_http_docket_ask_url(ngx_http_request_t *r, const char *page,
    ngx_str_t *url);


#endif /* NGX_HTTP_DOCKET_URL_H */
