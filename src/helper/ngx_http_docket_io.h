/*
 * The io thread; these are the query thread's calls.
 */

#ifndef NGX_HTTP_DOCKET_IO_H
#define NGX_HTTP_DOCKET_IO_H


#include "helper/ngx_http_docket_state.h"


/* Makes what is shared, starts the threads. */
ngx_int_t ngx_http_docket_io_start(ngx_http_docket_proc_t *hlp);
/* It ends its step and leaves; NGX_ERROR: not in time, it may still run. */
ngx_int_t ngx_http_docket_io_stop(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_IO_H */
