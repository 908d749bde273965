/*
 * The manager's side: starts the docket process when none lives.
 *
 * It runs in nginx's cache manager process, which calls it again after the
 * milliseconds that it returned.
 */

#include "helper/ngx_http_docket_helper.h"
#include "helper/ngx_http_docket_process.h"

#include <sys/prctl.h>


/* a number that neither the master nor the manager uses for a child */
#define NGX_HTTP_DOCKET_SLOT          (NGX_MAX_PROCESSES - 1)

#define NGX_HTTP_DOCKET_LOOK          200     /* milliseconds */
#define NGX_HTTP_DOCKET_BACKOFF_MAX   30000
#define NGX_HTTP_DOCKET_LIFE          30000   /* that counts as good */


typedef struct {
    ngx_pid_t      pid;                       /* 0: none was started */
    int64_t        started;
    int64_t        next;                      /* not before */
    ngx_msec_t     backoff;
} ngx_http_docket_child_t;


static void ngx_http_docket_guard(void);
static ngx_uint_t ngx_http_docket_alive(ngx_http_docket_child_t *child);
static void ngx_http_docket_spawn(ngx_http_docket_main_conf_t *mcf,
    ngx_http_docket_child_t *child);


static ngx_http_docket_child_t  ngx_http_docket_child;


ngx_msec_t
ngx_http_docket_supervisor(void *data)
{
    ngx_http_docket_main_conf_t *mcf = data;

    int64_t                   now;
    ngx_http_docket_child_t  *child;

    child = &ngx_http_docket_child;

    if (child->pid != 0 && ngx_http_docket_alive(child)) {
        return NGX_HTTP_DOCKET_LOOK;
    }

    /* the manager outlives a master that was killed: another nginx may be
       started in their place */

    if (getppid() != ngx_parent) {
        return NGX_HTTP_DOCKET_LOOK;
    }

    now = ngx_http_docket_monotonic();

    if (child->pid != 0) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "docket process %P has gone", child->pid);

        if (now - child->started >= NGX_HTTP_DOCKET_LIFE) {
            child->backoff = 0;
        }

        child->pid = 0;
        child->next = now + child->backoff;

        child->backoff = (child->backoff == 0) ? 1000 : child->backoff * 2;

        if (child->backoff > NGX_HTTP_DOCKET_BACKOFF_MAX) {
            child->backoff = NGX_HTTP_DOCKET_BACKOFF_MAX;
        }
    }

    /* a worker may have died with it as well */

    ngx_http_docket_zone_unstick(mcf->zone);

    if (now < child->next) {
        return ngx_min(child->next - now, NGX_HTTP_DOCKET_LOOK);
    }

    ngx_http_docket_guard();
    ngx_http_docket_spawn(mcf, child);

    return NGX_HTTP_DOCKET_LOOK;
}


/*
 * Workers have wiped out the sensors' keys; they must not get them by tracing
 * this process or its child, which have the same user, nor from a core.  What
 * the master itself could not keep from that user needs no guard.
 */

static void
ngx_http_docket_guard(void)
{
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    if (ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT) {
        return;
    }

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "prctl(PR_SET_DUMPABLE) failed");
    }
}


/*
 * The child's end of the channel is open as long as the child lives, whatever
 * becomes of its pid.
 */

static ngx_uint_t
ngx_http_docket_alive(ngx_http_docket_child_t *child)
{
    char           c;
    ssize_t        n;
    ngx_socket_t  *channel;

    channel = ngx_processes[NGX_HTTP_DOCKET_SLOT].channel;

    n = recv(channel[0], &c, 1, MSG_PEEK|MSG_DONTWAIT);

    if (n > 0
        || (n == -1 && (ngx_errno == NGX_EAGAIN || ngx_errno == NGX_EINTR)))
    {
        return 1;
    }

    (void) close(channel[0]);
    channel[0] = -1;

    ngx_processes[NGX_HTTP_DOCKET_SLOT].pid = -1;

    return 0;
}


static void
ngx_http_docket_spawn(ngx_http_docket_main_conf_t *mcf,
    ngx_http_docket_child_t *child)
{
    ngx_int_t                slot;
    ngx_pid_t                pid;
    ngx_socket_t             channel, *pair;
    ngx_http_docket_spawn_t  spawn;

    spawn.mcf = mcf;
    spawn.master = ngx_parent;

    slot = ngx_process_slot;
    channel = ngx_channel;

    pid = ngx_spawn_process((ngx_cycle_t *) ngx_cycle,
                            ngx_http_docket_process, &spawn, "docket process",
                            NGX_HTTP_DOCKET_SLOT);

    ngx_process_slot = slot;
    ngx_channel = channel;

    child->started = ngx_http_docket_monotonic();

    if (pid == NGX_INVALID_PID) {
        child->next = child->started + 1000;
        return;
    }

    pair = ngx_processes[NGX_HTTP_DOCKET_SLOT].channel;

    /* else the child's death would not be seen */

    (void) close(pair[1]);
    pair[1] = -1;

    child->pid = pid;
}
