/*
 * The runs' part of the io thread.
 */

#ifndef NGX_HTTP_DOCKET_MERGE_H
#define NGX_HTTP_DOCKET_MERGE_H


#include "helper/ngx_http_docket_state.h"


/* One step for each run that stands in hlp->ready now; waits for one when told
   to, but not for longer than something else can.  0: the thread is to end. */
ngx_uint_t ngx_http_docket_merge_turn(ngx_http_docket_proc_t *hlp,
    ngx_uint_t wait);
/* Tells the zone of growth that was not told at once, when that is due. */
void ngx_http_docket_merge_late(ngx_http_docket_proc_t *hlp);
/* Inside of long work: both; 1 when it is to stop, or the spool is
   another's. */
ngx_uint_t ngx_http_docket_merge_serve(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_MERGE_H */
