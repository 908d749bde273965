/*
 * The docket process itself.
 */

#ifndef NGX_HTTP_DOCKET_PROCESS_H
#define NGX_HTTP_DOCKET_PROCESS_H


#include "helper/ngx_http_docket_state.h"


typedef struct {
    ngx_http_docket_main_conf_t  *mcf;
    ngx_pid_t                     master;
} ngx_http_docket_spawn_t;


/* The child's main function; "data" is a ngx_http_docket_spawn_t. */
void ngx_http_docket_process(ngx_cycle_t *cycle, void *data);


#endif /* NGX_HTTP_DOCKET_PROCESS_H */
