/*
 * Jobs that run; query thread.
 */

#ifndef NGX_HTTP_DOCKET_RUN_H
#define NGX_HTTP_DOCKET_RUN_H


#include "helper/ngx_http_docket_state.h"


/* Starts the job, whose folder is locked with "dirfd".  NGX_ERROR: no memory,
   both stay the caller's. */
ngx_int_t ngx_http_docket_run_start(ngx_http_docket_proc_t *hlp,
    docket_job_t *job, int dirfd, ngx_uint_t again);
/* Frees what the io thread gave back. */
void ngx_http_docket_run_reap(ngx_http_docket_proc_t *hlp);
/* Cancelling, and what the io thread wants to be stopped. */
void ngx_http_docket_run_check(ngx_http_docket_proc_t *hlp);
/* Progress that is due goes into the zone. */
void ngx_http_docket_run_progress(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_RUN_H */
