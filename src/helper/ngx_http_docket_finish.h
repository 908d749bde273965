/*
 * The end of a run; io thread.
 */

#ifndef NGX_HTTP_DOCKET_FINISH_H
#define NGX_HTTP_DOCKET_FINISH_H


#include "helper/ngx_http_docket_state.h"


/* The run has ended and stands in no queue; its record is saved, its folder
   unlocked.  What is left of it is freed by the query thread. */
void ngx_http_docket_finish(ngx_http_docket_run_t *run, ngx_uint_t cancel,
    ngx_uint_t go, ngx_http_docket_stop_e stop);


#endif /* NGX_HTTP_DOCKET_FINISH_H */
