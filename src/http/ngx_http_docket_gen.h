/*
 * JSON: yajl's generator, which writes into buffers of the request's pool.
 * Lack of memory shows when what it holds is taken.
 */

#ifndef NGX_HTTP_DOCKET_GEN_H
#define NGX_HTTP_DOCKET_GEN_H


#include "ngx_http_docket.h"

#include <yajl/yajl_gen.h>


/* Freed with r->pool.  NULL: no memory. */
yajl_gen ngx_http_docket_gen(ngx_http_request_t *r);

/* What it holds.  NGX_ERROR: nothing, or there was no memory for it. */
ngx_int_t ngx_http_docket_gen_chain(ngx_http_request_t *r, yajl_gen g,
    ngx_chain_t **chain, off_t *len);
/* The same, copied into one string. */
ngx_int_t ngx_http_docket_gen_take(ngx_http_request_t *r, yajl_gen g,
    ngx_str_t *text);

void ngx_http_docket_gen_key(yajl_gen g, const char *key);
void ngx_http_docket_gen_cstr(yajl_gen g, const char *s);
/* What is no UTF-8 loses all but its ASCII. */
void ngx_http_docket_gen_str(yajl_gen g, const u_char *s, size_t len);
/* Microseconds as RFC 3339; 0 is null. */
void ngx_http_docket_gen_time(yajl_gen g, int64_t us);
/* Text that is JSON already. */
void ngx_http_docket_gen_raw(yajl_gen g, const void *s, size_t len);
void ngx_http_docket_gen_number(yajl_gen g, uint64_t n);
/* Infinite, or no number: null. */
void ngx_http_docket_gen_double(yajl_gen g, double n);


#endif /* NGX_HTTP_DOCKET_GEN_H */
