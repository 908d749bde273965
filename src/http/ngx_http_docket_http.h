/*
 * What the module's directives and life-cycle hooks need of the handlers.
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
