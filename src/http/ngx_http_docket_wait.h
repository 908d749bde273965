/*
 * Waiting requests of this worker.
 */

#ifndef NGX_HTTP_DOCKET_WAIT_H
#define NGX_HTTP_DOCKET_WAIT_H


#include "ngx_http_docket.h"


/*
 * A request that has to wait registers a handler, which is called on each
 * change in the zone (why CHANGED), after "timeout" (TIMEOUT), and when the
 * worker is to exit (EXITING).  It stays registered until
 * ngx_http_docket_wait_done() or the end of the request.  The handler runs
 * from an event: it finalizes the request itself.  A client that goes away
 * ends the request.
 *
 * ngx_http_docket_suspend() is for a content handler, which returns what it
 * returns: NGX_DONE, with a reference for the events, or the answer that too
 * many wait in this worker.  ngx_http_docket_wait() is for an event that goes
 * on waiting, with another timeout or handler: NGX_OK or NGX_ERROR.
 */
#define NGX_HTTP_DOCKET_CHANGED  0
#define NGX_HTTP_DOCKET_TIMEOUT  1
#define NGX_HTTP_DOCKET_EXITING  2

typedef void (*ngx_http_docket_wait_pt)(ngx_http_request_t *r,
    ngx_uint_t why);

ngx_int_t ngx_http_docket_wait(ngx_http_request_t *r, ngx_msec_t timeout,
    ngx_http_docket_wait_pt handler);
ngx_int_t ngx_http_docket_suspend(ngx_http_request_t *r, ngx_msec_t timeout,
    ngx_http_docket_wait_pt handler);
void ngx_http_docket_wait_done(ngx_http_request_t *r);


#endif /* NGX_HTTP_DOCKET_WAIT_H */
