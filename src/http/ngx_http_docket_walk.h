/*
 * Jobs, newest first, and pages of them.
 */

#ifndef NGX_HTTP_DOCKET_WALK_H
#define NGX_HTTP_DOCKET_WALK_H


#include "ngx_http_docket.h"


/* All jobs: out of the index, and of what is not yet in it. */

typedef struct ngx_http_docket_walk_s  ngx_http_docket_walk_t;

typedef struct {
    char                     id[DOCKET_ID_LEN + 1];
    docket_state_e           state;     /* as indexed: it may be older */
    unsigned                 capture:1;
} ngx_http_docket_entry_t;

/* NULL: no memory.  Open until the request ends. */
ngx_http_docket_walk_t *ngx_http_docket_walk(ngx_http_request_t *r);
/* 0: there is no further one, or it can't be read. */
ngx_uint_t ngx_http_docket_walk_next(ngx_http_docket_walk_t *w,
    ngx_http_docket_entry_t *entry);
/* NGX_OK: all was read; else what the content handler returns. */
ngx_int_t ngx_http_docket_walk_end(ngx_http_request_t *r,
    ngx_http_docket_walk_t *w);


/* What "limit", "page" and "cursor" of the URL ask for. */

typedef struct {
    ngx_uint_t               limit;
    ngx_uint_t               skip;
    char                     cursor[DOCKET_ID_LEN + 1];    /* or "" */

    unsigned                 more:1;    /* set by the endpoint */
    char                     last[DOCKET_ID_LEN + 1];      /* the same */
} ngx_http_docket_page_t;

/* NGX_OK, or what the content handler returns. */
ngx_int_t ngx_http_docket_page(ngx_http_request_t *r,
    ngx_http_docket_page_t *page);
/* Goes to the page's first entry. */
void ngx_http_docket_walk_to(ngx_http_docket_walk_t *w,
    ngx_http_docket_page_t *page);
/* Link to the next page, when there is more.  NGX_OK or NGX_ERROR. */
ngx_int_t ngx_http_docket_page_link(ngx_http_request_t *r,
    ngx_http_docket_page_t *page);


#endif /* NGX_HTTP_DOCKET_WALK_H */
