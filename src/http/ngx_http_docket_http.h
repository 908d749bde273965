/*
 * What the module's directives and life-cycle hooks need of the handlers.
 *
 * The files of this folder; each uses only what stands further down, and the
 * endpoints use one another as ngx_http_docket_endpoints.h says:
 *
 *   ngx_http_docket_api.c          docket_api: routes, methods, bodies
 *
 *   ngx_http_docket_pivot.c        /pivot
 *   ngx_http_docket_change.c       /cancel /retry /clean DELETE
 *   ngx_http_docket_question.c     / /uri /q /raw /pcap /query
 *   ngx_http_docket_explain.c      /explain
 *   ngx_http_docket_find.c         /find
 *   ngx_http_docket_jobs.c         /jobs
 *   ngx_http_docket_list.c         /ids /urls
 *   ngx_http_docket_status.c       /status
 *   ngx_http_docket_summary.c      /summary
 *   ngx_http_docket_events.c       /events
 *   ngx_http_docket_stats.c        /stats /sensors
 *   ngx_http_docket_metrics.c      /metrics
 *   ngx_http_docket_results.c      docket_results
 *
 *   ngx_http_docket_stream.c       a capture while it is merged
 *   ngx_http_docket_ask.c          a question -> queued or known
 *   ngx_http_docket_lookup.c       a job by its id
 *   ngx_http_docket_walk.c         all jobs, newest first, and pages of them
 *   ngx_http_docket_input.c        a request -> a question
 *   ngx_http_docket_pivot_print.c  what was made of an event
 *   ngx_http_docket_wait.c         waiting requests of this worker
 *   ngx_http_docket_site.c         browsers of other sites
 *   ngx_http_docket_args.c         arguments of the URL
 *   ngx_http_docket_answer.c       JSON, problem documents, headers
 *   ngx_http_docket_send.c         answers in pieces, captures as files
 *   ngx_http_docket_headers.c      headers of a request
 *   ngx_http_docket_gen.c          the generator of JSON
 *   ngx_http_docket_url.c          where things are found
 *   ngx_http_docket_variables.c    variables for logs
 */

#ifndef NGX_HTTP_DOCKET_HTTP_H
#define NGX_HTTP_DOCKET_HTTP_H


#include "ngx_http_docket.h"


/* Content handlers of docket_api and docket_results. */
ngx_int_t ngx_http_docket_api_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_docket_results_handler(ngx_http_request_t *r);

/* Registers $docket_id, $docket_query, $docket_state, $docket_duplicate. */
ngx_int_t ngx_http_docket_add_variables(ngx_conf_t *cf);

/* Wake-ups and waiting requests of a worker. */
ngx_int_t ngx_http_docket_wait_init_process(ngx_cycle_t *cycle);
void ngx_http_docket_wait_exit_process(ngx_cycle_t *cycle);


#endif /* NGX_HTTP_DOCKET_HTTP_H */
