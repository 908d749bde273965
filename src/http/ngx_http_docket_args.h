/*
 * Arguments of the URL, and lists in it.
 */

#ifndef NGX_HTTP_DOCKET_ARGS_H
#define NGX_HTTP_DOCKET_ARGS_H


#include "ngx_http_docket.h"


/* Decoded into r->pool.  NGX_DECLINED: not there; NGX_ERROR: no memory. */
ngx_int_t ngx_http_docket_arg(ngx_http_request_t *r, const char *name,
    ngx_str_t *value);
/* 400 that names an argument.  REFUSED. */
ngx_int_t ngx_http_docket_bad_arg(ngx_http_request_t *r, const char *name,
    const char *why);

/* The first word of a list ("," ";" "+" tab or space between them), which is
   taken from it.  0: there is none. */
ngx_uint_t ngx_http_docket_word(ngx_str_t *list, ngx_str_t *word);


/* The ids of a list, each once; words that are none are left out.  NGX_OK, or
   what the content handler returns. */
typedef struct {
    char                     id[DOCKET_ID_LEN + 1];
} ngx_http_docket_id_t;

ngx_int_t ngx_http_docket_ids_of(ngx_http_request_t *r, ngx_str_t *list,
    ngx_array_t *ids);
/* For qsort() and bsearch(). */
int ngx_libc_cdecl ngx_http_docket_cmp_ids(const void *one, const void *two);


#endif /* NGX_HTTP_DOCKET_ARGS_H */
