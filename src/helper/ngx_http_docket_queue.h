/*
 * The queue and whose it is; query thread.
 */

#ifndef NGX_HTTP_DOCKET_QUEUE_H
#define NGX_HTTP_DOCKET_QUEUE_H


#include "helper/ngx_http_docket_state.h"


/* Owns the queue if it can, takes jobs, sees to cancelled ones. */
void ngx_http_docket_queue_turn(ngx_http_docket_proc_t *hlp);
/* The queue is another's from now on; running jobs go on. */
void ngx_http_docket_queue_release(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_QUEUE_H */
