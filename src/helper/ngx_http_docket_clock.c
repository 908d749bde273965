/*
 * The day's clock, and when it was set.
 */

#include "helper/ngx_http_docket_clock.h"


static int64_t ngx_http_docket_uptime(void);


int64_t
ngx_http_docket_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return (int64_t) ts.tv_sec * DOCKET_SECOND + ts.tv_nsec / 1000;
}


void
ngx_http_docket_clock(ngx_http_docket_proc_t *hlp)
{
    int64_t  up, clock, step;

    up = ngx_http_docket_uptime();
    clock = ngx_http_docket_now() / 1000 - up;
    step = (hlp->clock == 0) ? 0 : clock - hlp->clock;

    hlp->clock = clock;

    if (step >= -NGX_HTTP_DOCKET_DRIFT && step <= NGX_HTTP_DOCKET_DRIFT) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                  "docket: the clock was set by %L s", step / 1000);

    if (up >= hlp->ahead_until) {
        hlp->ahead = 0;
    }

    hlp->ahead = ngx_max(hlp->ahead + step, 0);

    if (step > 0) {
        hlp->ahead_until = up + (int64_t) hlp->mcf->expire_time;
    }

    hlp->cleaned = 0;
}


int64_t
ngx_http_docket_clock_ahead(ngx_http_docket_proc_t *hlp)
{
    return (ngx_http_docket_uptime() < hlp->ahead_until) ? hlp->ahead : 0;
}


/* Milliseconds since the machine was started, its sleep with them. */

static int64_t
ngx_http_docket_uptime(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_BOOTTIME, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
