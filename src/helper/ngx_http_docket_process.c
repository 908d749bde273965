/*
 * The docket process: its set-up, its loop, its end.
 */

#include "helper/ngx_http_docket_process.h"

#include <grp.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>


#define NGX_HTTP_DOCKET_TICK  500


static void ngx_http_docket_process_setup(ngx_http_docket_helper_t *h);
static void ngx_http_docket_process_own(ngx_http_docket_helper_t *h);
static void ngx_http_docket_process_look(ngx_http_docket_helper_t *h);
static void ngx_http_docket_process_second(ngx_http_docket_helper_t *h);
static void ngx_http_docket_process_leave(ngx_http_docket_helper_t *h);


int64_t
ngx_http_docket_now(void)
{
    struct timeval  tv;

    ngx_gettimeofday(&tv);

    return (int64_t) tv.tv_sec * DOCKET_SECOND + tv.tv_usec;
}


ngx_msec_t
ngx_http_docket_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (ngx_msec_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


static void
ngx_http_docket_drain_fd(ngx_socket_t fd)
{
    uint64_t  n;

    while (read(fd, &n, sizeof(n)) == -1 && ngx_errno == NGX_EINTR) {
        /* void */
    }
}


/* A finished run comes back, its lock goes. */

static void
ngx_http_docket_process_done(ngx_http_docket_helper_t *h)
{
    ngx_queue_t            *q;
    ngx_http_docket_run_t  *run;

    for ( ;; ) {
        (void) pthread_mutex_lock(&h->mutex);

        q = ngx_queue_empty(&h->done) ? NULL : ngx_queue_head(&h->done);

        if (q != NULL) {
            ngx_queue_remove(q);
        }

        (void) pthread_mutex_unlock(&h->mutex);

        if (q == NULL) {
            return;
        }

        run = ngx_queue_data(q, ngx_http_docket_run_t, io);

        ngx_queue_remove(&run->queue);
        h->nruns--;
        ngx_http_docket_run_free(run);
    }
}


void
ngx_http_docket_process(ngx_cycle_t *cycle, void *data)
{
    ngx_msec_t                 timeout;
    struct curl_waitfd         fds[3];
    ngx_http_docket_helper_t  *h, helper;

    h = &helper;
    ngx_memzero(h, sizeof(ngx_http_docket_helper_t));

    h->cycle = cycle;
    h->log = cycle->log;
    h->mcf = data;

    ngx_http_docket_process_setup(h);

    ngx_memzero(fds, sizeof(fds));
    fds[0].fd = h->channel;
    fds[0].events = CURL_WAIT_POLLIN;
    fds[1].fd = h->mcf->wake.helper;
    fds[1].events = CURL_WAIT_POLLIN;
    fds[2].fd = h->io_fd;
    fds[2].events = CURL_WAIT_POLLIN;

    for ( ;; ) {
        ngx_time_update();

        ngx_http_docket_process_look(h);

        if (h->owner == -1 && !h->draining) {
            ngx_http_docket_process_own(h);
        }

        ngx_http_docket_process_second(h);
        ngx_http_docket_process_done(h);

        if (h->owner != -1) {
            ngx_http_docket_run_take(h);
        }

        timeout = ngx_http_docket_fetch_run(h);

        if (h->owner == -1) {
            timeout = ngx_min(timeout, 50);
        }

        if (h->draining
            && (h->nruns == 0
                || (ngx_msec_int_t) (ngx_http_docket_clock() - h->drain_until)
                   >= 0))
        {
            ngx_http_docket_process_leave(h);
        }

        fds[0].revents = 0;

        if (curl_multi_poll(h->multi, fds, 3,
                            (int) ngx_min(timeout, NGX_HTTP_DOCKET_TICK), NULL)
            != CURLM_OK)
        {
            ngx_log_error(NGX_LOG_ALERT, h->log, 0, "curl_multi_poll() failed");
            _exit(2);
        }

        ngx_http_docket_drain_fd(h->mcf->wake.helper);
        ngx_http_docket_drain_fd(h->io_fd);
    }
}


static void
ngx_http_docket_process_setup(ngx_http_docket_helper_t *h)
{
    sigset_t            set, old;
    ngx_uint_t          i;
    ngx_listening_t    *ls;
    ngx_core_conf_t    *ccf;
    pthread_attr_t      attr;

    h->parent = getppid();
    h->channel = ngx_channel;
    h->zone = h->mcf->zone;
    h->generation = h->mcf->generation;
    h->owner = -1;

    ngx_process = NGX_PROCESS_HELPER;
    ngx_setproctitle("docket process");

    /* our own copy of the parent's end would hide its death from us */

    if (close(ngx_processes[ngx_process_slot].channel[0]) == -1) {
        ngx_log_error(NGX_LOG_ALERT, h->log, ngx_errno,
                      "close() channel failed");
    }

    ls = h->cycle->listening.elts;

    for (i = 0; i < h->cycle->listening.nelts; i++) {
        if (ls[i].fd != (ngx_socket_t) -1) {
            (void) close(ls[i].fd);
        }
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(h->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() == 0
        && (setgid(ccf->group) == -1
            || initgroups(ccf->username, ccf->group) == -1
            || setuid(ccf->user) == -1))
    {
        ngx_log_error(NGX_LOG_EMERG, h->log, ngx_errno,
                      "giving up root's rights failed");
        _exit(2);
    }

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1
        || prctl(PR_SET_PDEATHSIG, SIGUSR2, 0, 0, 0) == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, h->log, ngx_errno, "prctl() failed");
    }

    (void) signal(SIGUSR2, SIG_IGN);
    (void) signal(SIGPIPE, SIG_IGN);
    (void) signal(SIGINT, SIG_IGN);
    (void) signal(SIGHUP, SIG_IGN);
    (void) signal(SIGTERM, SIG_DFL);
    (void) signal(SIGQUIT, SIG_DFL);

    sigemptyset(&set);
    (void) sigprocmask(SIG_SETMASK, &set, NULL);

    umask(0027);

    h->mcf->sp.fd = open((char *) h->mcf->spool->name.data,
                         O_RDONLY|O_DIRECTORY|O_CLOEXEC);
    h->io_fd = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);
    h->index = docket_index_create(&h->mcf->sp);

    if (h->mcf->sp.fd == -1 || h->io_fd == -1 || h->index == NULL) {
        ngx_log_error(NGX_LOG_EMERG, h->log, ngx_errno,
                      "opening the spool \"%V\" failed", &h->mcf->spool->name);
        _exit(2);
    }

    ngx_queue_init(&h->runs);
    ngx_queue_init(&h->todo);
    ngx_queue_init(&h->done);

    if (ngx_http_docket_fetch_init(h) != NGX_OK
        || pthread_mutex_init(&h->mutex, NULL) != 0
        || pthread_cond_init(&h->cond, NULL) != 0
        || pthread_attr_init(&attr) != 0
        || pthread_attr_setstacksize(&attr, 512 * 1024) != 0)
    {
        ngx_log_error(NGX_LOG_EMERG, h->log, 0, "docket process set-up failed");
        _exit(2);
    }

    /* signals are the first thread's */

    sigfillset(&set);
    (void) pthread_sigmask(SIG_SETMASK, &set, &old);

    if (pthread_create(&h->thread, &attr, ngx_http_docket_io, h) != 0) {
        ngx_log_error(NGX_LOG_EMERG, h->log, 0, "pthread_create() failed");
        _exit(2);
    }

    (void) pthread_sigmask(SIG_SETMASK, &old, NULL);
}


static int
ngx_http_docket_process_locked(void *ctx, const char *id)
{
    int                        fd;
    ngx_http_docket_helper_t  *h = ctx;

    fd = docket_spool_lock_dir(&h->mcf->sp, id);

    if (fd == -1) {
        return errno == EWOULDBLOCK;
    }

    (void) close(fd);

    return 0;
}


static void
ngx_http_docket_process_own(ngx_http_docket_helper_t *h)
{
    h->owner = docket_spool_own(&h->mcf->sp);

    if (h->owner == -1) {

        if (!h->told) {
            h->told = 1;
            ngx_log_error(NGX_LOG_NOTICE, h->log, errno,
                          "spool \"%V\" is owned by another process, waiting",
                          &h->mcf->spool->name);
        }

        return;
    }

    ngx_http_docket_zone_adopt(h->zone, ngx_pid, ngx_http_docket_process_locked,
                               h);

    (void) pthread_mutex_lock(&h->mutex);
    h->scan = 1;
    h->clean = 1;
    (void) pthread_cond_signal(&h->cond);
    (void) pthread_mutex_unlock(&h->mutex);
}


/* The parent's end of the channel is closed when it dies: a newer generation
   means drain, none means leave. */

static void
ngx_http_docket_process_look(ngx_http_docket_helper_t *h)
{
    if (h->draining || getppid() == h->parent) {
        return;
    }

    if (ngx_http_docket_zone_generation(h->zone, 0) == h->generation) {
        ngx_http_docket_process_leave(h);
    }

    h->draining = 1;
    h->drain_until = ngx_http_docket_clock() + h->mcf->shutdown_timeout;

    if (h->owner != -1) {
        ngx_http_docket_zone_disown(h->zone, ngx_pid);
        (void) close(h->owner);
        h->owner = -1;
    }
}


/* What has not been finished is fetched again by the next owner. */

static void
ngx_http_docket_process_leave(ngx_http_docket_helper_t *h)
{
    ngx_queue_t            *q;
    ngx_http_docket_run_t  *run;

    for (q = ngx_queue_head(&h->runs);
         q != ngx_queue_sentinel(&h->runs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_http_docket_run_t, queue);

        if (run->left != 0) {
            ngx_http_docket_zone_give_back(h->zone, run->job->id);
        }
    }

    ngx_http_docket_zone_disown(h->zone, ngx_pid);
    _exit(0);
}


typedef struct {
    uint64_t    bytes;
    uint64_t    nodes;
    ngx_uint_t  low;
} ngx_http_docket_space_t;


static void
ngx_http_docket_process_info(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_space_t *space = data;

    info->heartbeat = ngx_http_docket_now();
    info->free_bytes = space->bytes;
    info->free_nodes = space->nodes;
    info->low = space->low;
}


static void
ngx_http_docket_process_second(ngx_http_docket_helper_t *h)
{
    ngx_msec_t                    now;
    ngx_queue_t                  *q;
    ngx_http_docket_run_t        *run;
    ngx_http_docket_space_t       space;
    ngx_http_docket_zone_info_t   info;

    now = ngx_http_docket_clock();

    for (q = ngx_queue_head(&h->runs);
         q != ngx_queue_sentinel(&h->runs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_http_docket_run_t, queue);

        if (!run->cancelled && run->left != 0
            && ngx_http_docket_zone_cancel_asked(h->zone, run->job->id))
        {
            run->cancelled = 1;
            ngx_http_docket_fetch_abort(h, run, "cancelled");
        }
    }

    if ((ngx_msec_int_t) (now - h->second) < 0 || h->owner == -1) {
        return;
    }

    h->second = now + 1000;

    if (docket_spool_space(&h->mcf->sp, &space.bytes, &space.nodes)
        == DOCKET_OK)
    {
        space.low = space.bytes < (uint64_t) h->mcf->free_bytes
                    || (space.nodes < h->mcf->free_nodes && space.nodes != 0);

        ngx_http_docket_zone_info_update(h->zone, ngx_http_docket_process_info,
                                         &space);
    }

    ngx_http_docket_zone_info(h->zone, &info);

    if (!info.loaded && !h->scan) {
        (void) pthread_mutex_lock(&h->mutex);
        h->scan = 1;
        (void) pthread_cond_signal(&h->cond);
        (void) pthread_mutex_unlock(&h->mutex);
    }

    if (ngx_http_docket_zone_clean_wanted(h->zone)) {
        (void) pthread_mutex_lock(&h->mutex);
        h->clean = 1;
        (void) pthread_cond_signal(&h->cond);
        (void) pthread_mutex_unlock(&h->mutex);
    }

    ngx_http_docket_wake_workers(h->mcf);
}
