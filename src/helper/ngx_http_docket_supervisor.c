/*
 * Starts the docket process, from nginx's cache manager process, which calls
 * the manager of each path again and again.
 */

#include "helper/ngx_http_docket_helper.h"
#include "helper/ngx_http_docket_process.h"


#define NGX_HTTP_DOCKET_SLOT      (NGX_MAX_PROCESSES - 1)
#define NGX_HTTP_DOCKET_LOOK      200
#define NGX_HTTP_DOCKET_BACKOFF   30000


static ngx_pid_t   ngx_http_docket_pid;
static ngx_msec_t  ngx_http_docket_started;
static ngx_msec_t  ngx_http_docket_backoff;
static ngx_msec_t  ngx_http_docket_next;


ngx_msec_t
ngx_http_docket_supervisor(void *data)
{
    ngx_http_docket_main_conf_t *mcf = data;

    ngx_int_t     slot;
    ngx_msec_t    now;
    ngx_socket_t  channel;

    /* "docket_api" in a process without a manager is refused elsewhere */

    if (ngx_quit || ngx_terminate) {
        return NGX_HTTP_DOCKET_LOOK;
    }

    now = ngx_http_docket_clock();

    ngx_http_docket_zone_unstick(mcf->zone);

    if (ngx_http_docket_pid != 0) {

        if (kill(ngx_http_docket_pid, 0) == 0) {
            return NGX_HTTP_DOCKET_LOOK;
        }

        ngx_http_docket_zone_disown(mcf->zone, ngx_http_docket_pid);
        ngx_http_docket_pid = 0;

        /* one that lived for a while is started again at once */

        if (now - ngx_http_docket_started > NGX_HTTP_DOCKET_BACKOFF) {
            ngx_http_docket_backoff = 0;
        }

        ngx_http_docket_next = now + ngx_http_docket_backoff;

        ngx_http_docket_backoff = ngx_min(NGX_HTTP_DOCKET_BACKOFF,
                                          ngx_http_docket_backoff * 2 + 1000);
    }

    if ((ngx_msec_int_t) (ngx_http_docket_next - now) > 0) {
        return ngx_min(NGX_HTTP_DOCKET_LOOK, ngx_http_docket_next - now);
    }

    slot = ngx_process_slot;
    channel = ngx_channel;

    ngx_http_docket_pid = ngx_spawn_process((ngx_cycle_t *) ngx_cycle,
                                            ngx_http_docket_process, mcf,
                                            "docket process",
                                            NGX_HTTP_DOCKET_SLOT);

    ngx_process_slot = slot;
    ngx_channel = channel;

    ngx_http_docket_started = now;

    if (ngx_http_docket_pid == NGX_INVALID_PID) {
        ngx_http_docket_pid = 0;
        ngx_http_docket_next = now + NGX_HTTP_DOCKET_BACKOFF;
        return NGX_HTTP_DOCKET_LOOK;
    }

    /* the child's end: it has to see the end of file when we die */

    if (close(ngx_processes[NGX_HTTP_DOCKET_SLOT].channel[1]) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "close() channel failed");
    }

    ngx_processes[NGX_HTTP_DOCKET_SLOT].channel[1] = -1;

    return NGX_HTTP_DOCKET_LOOK;
}
