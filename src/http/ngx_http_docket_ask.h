/*
 * Asking: a question meets the job that answers it, or queues a run.
 */

#ifndef NGX_HTTP_DOCKET_ASK_H
#define NGX_HTTP_DOCKET_ASK_H


#include "ngx_http_docket.h"


/*
 * Finds a good or live job for ctx->query's result or queues a run.  NGX_OK:
 * ctx->job is filled, *status is 200 or 202.  Else what the content handler
 * returns; refusals are 503, 507, and 500 when the spool fails.
 */
ngx_int_t ngx_http_docket_ask(ngx_http_request_t *r, ngx_uint_t *status);

/*
 * Queues a further run of a finished job.  "what": DOCKET_AGAIN_*; 0 for a
 * job that never finished, but that nobody knows of.  NGX_OK: as _ask();
 * NGX_DECLINED: the job has just been removed.
 */
ngx_int_t ngx_http_docket_again(ngx_http_request_t *r,
    const docket_job_t *rec, int what, int64_t now, ngx_uint_t *status);

/* Counts the question for ctx->job, and who asked it. */
void ngx_http_docket_count(ngx_http_request_t *r, int64_t now);


#endif /* NGX_HTTP_DOCKET_ASK_H */
