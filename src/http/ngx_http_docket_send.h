/*
 * Answers that are made piece by piece, and captures as files.
 */

#ifndef NGX_HTTP_DOCKET_SEND_H
#define NGX_HTTP_DOCKET_SEND_H


#include "ngx_http_docket.h"


/* An answer in pieces; one piece is under way at a time, so that a slow
   client costs no memory. */

typedef struct {
    ngx_chain_t                   *free;
    ngx_chain_t                   *busy;
} ngx_http_docket_pieces_t;


/* A buffer for the next piece; NULL: out of memory. */
ngx_chain_t *ngx_http_docket_piece(ngx_http_request_t *r,
    ngx_http_docket_pieces_t *pieces);

/*
 * Sends a piece (NULL: what is left of the last one).  NGX_OK: all of it has
 * left; NGX_AGAIN: r->write_event_handler will be called; NGX_ERROR.
 */
ngx_int_t ngx_http_docket_piece_send(ngx_http_request_t *r,
    ngx_http_docket_pieces_t *pieces, ngx_chain_t *piece);

/* What a write event handler does first.  NGX_OK: go on; NGX_DONE: the event
   was dealt with, the request may be gone. */
ngx_int_t ngx_http_docket_writable(ngx_http_request_t *r);


/* A capture that is open; closed with the request's pool. */

typedef struct {
    ngx_file_t                     file;
    off_t                          size;
    struct stat                    info;
} ngx_http_docket_capture_t;


/* Closes "fd" with the request, which then reads it.  Takes regular files
   only.  NGX_OK; NGX_DECLINED: none of that kind; NGX_ERROR.  "fd" is closed
   on both. */
ngx_int_t ngx_http_docket_capture_take(ngx_http_request_t *r, ngx_fd_t fd,
    ngx_http_docket_capture_t *capture);

/* The capture that is served for an id; as above, NGX_DECLINED: there is
   none. */
ngx_int_t ngx_http_docket_capture_open(ngx_http_request_t *r, const char *id,
    ngx_http_docket_capture_t *capture);

/* Sends it whole, with its length; "ranges" with its date and, but for "etag
   off", an ETag.  Returns what a content handler returns. */
ngx_int_t ngx_http_docket_capture_send(ngx_http_request_t *r,
    ngx_http_docket_capture_t *capture, ngx_uint_t ranges);

/* Content-Type application/vnd.tcpdump.pcap. */
void ngx_http_docket_capture_type(ngx_http_request_t *r);


#endif /* NGX_HTTP_DOCKET_SEND_H */
