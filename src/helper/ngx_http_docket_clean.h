/*
 * Expiry, space, who asked; io thread.
 */

#ifndef NGX_HTTP_DOCKET_CLEAN_H
#define NGX_HTTP_DOCKET_CLEAN_H


#include "helper/ngx_http_docket_state.h"


void ngx_http_docket_clean(ngx_http_docket_proc_t *hlp);
/* Each second: the space that is left. */
void ngx_http_docket_space(ngx_http_docket_proc_t *hlp);
/* "askers" stay the caller's, and are put in another order. */
void ngx_http_docket_askers_save(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_asker_t *askers, ngx_uint_t n);


#endif /* NGX_HTTP_DOCKET_CLEAN_H */
