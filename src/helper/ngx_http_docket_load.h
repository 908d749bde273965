/*
 * Reading the spool; io thread.
 */

#ifndef NGX_HTTP_DOCKET_LOAD_H
#define NGX_HTTP_DOCKET_LOAD_H


#include "helper/ngx_http_docket_state.h"


/* All of it; hlp->loaded says whether it came to its end. */
void ngx_http_docket_load(ngx_http_docket_proc_t *hlp);
/* Jobs that found no room in the zone try again. */
void ngx_http_docket_load_rest(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_LOAD_H */
