/*
 * What one thread tells the other.  Each function takes hlp->mutex itself; the
 * caller must not hold it.
 */

#ifndef NGX_HTTP_DOCKET_SHARED_H
#define NGX_HTTP_DOCKET_SHARED_H


#include "helper/ngx_http_docket_state.h"


/* Once, before the io thread is started. */
ngx_int_t ngx_http_docket_shared_init(ngx_http_docket_proc_t *hlp);

/* The run has something for the io thread: the query thread, or the io thread
   itself when a step ended in the middle. */
void ngx_http_docket_shared_ready(ngx_http_docket_run_t *run);
/* Query thread: no transfer is left, the run is the io thread's; it may be
   freed before this returns. */
void ngx_http_docket_shared_ended(ngx_http_docket_run_t *run);
/* io thread: wants the transfers to be stopped; the first reason counts. */
void ngx_http_docket_shared_halt(ngx_http_docket_run_t *run,
    ngx_http_docket_stop_e why);
/* Any thread: the spool's index and what is finished are another's now. */
ngx_uint_t ngx_http_docket_shared_released(ngx_http_docket_proc_t *hlp);
/* Any thread: there is something to be synced. */
void ngx_http_docket_shared_sync(ngx_http_docket_proc_t *hlp);
/* Wakes the query thread: any thread, also a signal's handler. */
void ngx_http_docket_poke(int event);


#endif /* NGX_HTTP_DOCKET_SHARED_H */
