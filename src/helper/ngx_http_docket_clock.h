/*
 * The day's clock, which may be set.
 */

#ifndef NGX_HTTP_DOCKET_CLOCK_H
#define NGX_HTTP_DOCKET_CLOCK_H


#include "helper/ngx_http_docket_state.h"


/* milliseconds by which a clock drifts in a second at most */
#define NGX_HTTP_DOCKET_DRIFT  2000


/* Any thread: microseconds of the day's clock. */
int64_t ngx_http_docket_now(void);
/* io thread, each second: whether the day's clock was set. */
void ngx_http_docket_clock(ngx_http_docket_proc_t *hlp);
/* io thread: milliseconds by which it was set forward, and which are no job's
   age yet. */
int64_t ngx_http_docket_clock_ahead(ngx_http_docket_proc_t *hlp);


#endif /* NGX_HTTP_DOCKET_CLOCK_H */
