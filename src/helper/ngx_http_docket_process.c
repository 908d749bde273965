/*
 * The docket process: set-up, main loop, leaving.
 *
 * It is a child of the cache manager.  nginx's events are never touched: the
 * epoll descriptor is the manager's too.
 */

#include "helper/ngx_http_docket_process.h"
#include "helper/ngx_http_docket_fetch.h"
#include "helper/ngx_http_docket_io.h"
#include "helper/ngx_http_docket_queue.h"
#include "helper/ngx_http_docket_run.h"
#include "helper/ngx_http_docket_sensor.h"
#include "helper/ngx_http_docket_shared.h"

#include <ngx_channel.h>
#include <ngx_syslog.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>


/* milliseconds */
#define NGX_HTTP_DOCKET_ASKERS_TIME   3000


/* logs, the channel, the eventfd of this process, the spool */
#define NGX_HTTP_DOCKET_KEEP  32


typedef struct {
    int                       *fds;
    ngx_uint_t                 n;
    ngx_uint_t                 room;
} ngx_http_docket_keep_t;


static ngx_int_t ngx_http_docket_process_rights(ngx_http_docket_proc_t *hlp);
static ngx_int_t ngx_http_docket_process_files(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_nameless(ngx_http_docket_proc_t *hlp);
static ngx_uint_t ngx_http_docket_process_logs(ngx_http_docket_proc_t *hlp,
    ngx_open_file_t *file);
static void ngx_http_docket_process_keep(ngx_http_docket_keep_t *keep,
    int fd);
static int ngx_libc_cdecl ngx_http_docket_process_cmp(const void *one,
    const void *two);
static ngx_int_t ngx_http_docket_process_signals(ngx_log_t *log);
static void ngx_http_docket_process_signal(int signo);
static ngx_int_t ngx_http_docket_process_init(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_wait(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_woken(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_second(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_askers(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_alive(ngx_http_docket_zone_info_t *info,
    void *data);
static void ngx_http_docket_process_reopen(ngx_http_docket_proc_t *hlp);
static ngx_uint_t ngx_http_docket_process_orphan(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_process_leave(ngx_http_docket_proc_t *hlp,
    ngx_uint_t drained);


static ngx_http_docket_proc_t  ngx_http_docket_proc;

static volatile sig_atomic_t   ngx_http_docket_quit;


void
ngx_http_docket_process(ngx_cycle_t *cycle, void *data)
{
    ngx_http_docket_spawn_t *spawn = data;

    ngx_uint_t               due;
    ngx_http_docket_proc_t  *hlp;

    hlp = &ngx_http_docket_proc;

    hlp->cycle = cycle;
    hlp->log = cycle->log;
    hlp->mcf = spawn->mcf;
    hlp->event = -1;
    hlp->owner = -1;
    hlp->manager = ngx_parent;
    hlp->master = spawn->master;

    ngx_process = NGX_PROCESS_HELPER;
    ngx_setproctitle("docket process");

    if (ngx_http_docket_process_rights(hlp) != NGX_OK
        || ngx_http_docket_process_init(hlp) != NGX_OK)
    {
        _exit(2);
    }

    for ( ;; ) {
        hlp->now = ngx_http_docket_monotonic();
        ngx_time_update();

        if (ngx_http_docket_quit || ngx_http_docket_process_orphan(hlp)) {
            break;
        }

        ngx_http_docket_run_reap(hlp);

        if (hlp->drain_until != 0
            && (hlp->nruns == 0 || hlp->now >= hlp->drain_until))
        {
            break;
        }

        if (hlp->now - hlp->second >= 1000) {
            hlp->second = hlp->now;
            ngx_http_docket_process_second(hlp);
        }

        if (hlp->now - hlp->looked >= NGX_HTTP_DOCKET_TICK) {
            hlp->looked = hlp->now;
            hlp->look = 1;
        }

        ngx_http_docket_run_check(hlp);

        if (hlp->look || hlp->owner == -1) {
            hlp->look = 0;
            ngx_http_docket_queue_turn(hlp);
        }

        due = (hlp->now >= hlp->timer);

        if (due) {
            hlp->timer = hlp->now + NGX_HTTP_DOCKET_TICK;
        }

        ngx_http_docket_fetch_resume(hlp);
        ngx_http_docket_fetch_perform(hlp);

        /* only now: if this process stood still, what came meanwhile has been
           read, and nobody is blamed for it */

        if (due) {
            ngx_http_docket_fetch_timers(hlp);
            ngx_http_docket_peers_timers(hlp);
            ngx_http_docket_run_progress(hlp);
        }

        ngx_http_docket_process_wait(hlp);
    }

    ngx_http_docket_process_leave(hlp, hlp->drain_until != 0);
}


/*
 * The manager has dropped root's rights already, unless nginx is built or
 * configured so that it could not.
 */

static ngx_int_t
ngx_http_docket_process_rights(ngx_http_docket_proc_t *hlp)
{
    struct rlimit     rl;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(hlp->cycle->conf_ctx,
                                           ngx_core_module);

    if (geteuid() == 0 && ccf->user != 0
        && ccf->user != (ngx_uid_t) NGX_CONF_UNSET_UINT)
    {
        if (initgroups(ccf->username, ccf->group) == -1
            || setgid(ccf->group) == -1 || setuid(ccf->user) == -1)
        {
            ngx_log_error(NGX_LOG_EMERG, hlp->log, ngx_errno,
                          "docket process: becoming user \"%s\" failed",
                          ccf->username);
            return NGX_ERROR;
        }
    }

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
        ngx_log_error(NGX_LOG_ALERT, hlp->log, ngx_errno,
                      "prctl(PR_SET_NO_NEW_PRIVS) failed");
    }

    /* each sensor takes a connection, and maybe a spill file for each job */

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
        rl.rlim_cur = rl.rlim_max;

        if (setrlimit(RLIMIT_NOFILE, &rl) == -1) {
            ngx_log_error(NGX_LOG_ALERT, hlp->log, ngx_errno,
                          "setrlimit(RLIMIT_NOFILE) failed");
        }
    }

    return NGX_OK;
}


/* What of the manager's descriptors is of no use here is closed. */

static ngx_int_t
ngx_http_docket_process_files(ngx_http_docket_proc_t *hlp)
{
    int                      next;
    ngx_log_t               *log;
    ngx_uint_t               i;
    ngx_syslog_peer_t       *peer;
    ngx_http_docket_wake_t  *wake;
    ngx_http_docket_keep_t   keep;

    wake = &hlp->mcf->wake;

    keep.n = 0;
    keep.room = wake->nworkers + NGX_HTTP_DOCKET_KEEP;

    keep.fds = ngx_alloc(keep.room * sizeof(int), hlp->log);
    if (keep.fds == NULL) {
        return NGX_ERROR;
    }

    ngx_http_docket_process_keep(&keep, ngx_channel);
    ngx_http_docket_process_keep(&keep, wake->helper);
    ngx_http_docket_process_keep(&keep, hlp->mcf->sp.fd);

    for (i = 0; i < wake->nworkers; i++) {
        ngx_http_docket_process_keep(&keep, wake->workers[i]);
    }

    for (log = hlp->log; log != NULL; log = log->next) {

        if (log->file != NULL) {
            ngx_http_docket_process_keep(&keep, log->file->fd);
        }

        if (log->writer == ngx_syslog_writer && log->wdata != NULL) {
            peer = log->wdata;
            ngx_http_docket_process_keep(&keep, peer->conn.fd);
        }
    }

    ngx_http_docket_process_nameless(hlp);

    ngx_qsort(keep.fds, keep.n, sizeof(int), ngx_http_docket_process_cmp);

    next = STDERR_FILENO + 1;

    for (i = 0; i < keep.n; i++) {

        if (keep.fds[i] > next) {
            (void) close_range(next, keep.fds[i] - 1, 0);
        }

        if (keep.fds[i] >= next) {
            next = keep.fds[i] + 1;
        }
    }

    (void) close_range(next, ~0U, 0);

    ngx_free(keep.fds);

    return NGX_OK;
}


/* ngx_reopen_files() leaves alone what has no name. */

static void
ngx_http_docket_process_nameless(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_open_file_t  *file;

    part = &hlp->cycle->open_files.part;
    file = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                break;
            }

            part = part->next;
            file = part->elts;
            i = 0;
        }

        if (!ngx_http_docket_process_logs(hlp, &file[i])) {
            file[i].name.len = 0;
        }
    }
}


static ngx_uint_t
ngx_http_docket_process_logs(ngx_http_docket_proc_t *hlp,
    ngx_open_file_t *file)
{
    ngx_log_t  *log;

    for (log = hlp->log; log != NULL; log = log->next) {

        if (log->file == file) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_http_docket_process_keep(ngx_http_docket_keep_t *keep, int fd)
{
    if (fd >= 0 && keep->n < keep->room) {
        keep->fds[keep->n++] = fd;
    }
}


static int ngx_libc_cdecl
ngx_http_docket_process_cmp(const void *one, const void *two)
{
    return *(const int *) one - *(const int *) two;
}


static ngx_int_t
ngx_http_docket_process_signals(ngx_log_t *log)
{
    ngx_uint_t        i;
    struct sigaction  sa;

    static const struct {
        int           signo;
        unsigned      handled;
    } signals[] = {
        { SIGTERM, 1 },
        { SIGINT, 1 },
        { SIGQUIT, 1 },
        { SIGHUP, 1 },                        /* the manager's death */
        { SIGUSR1, 0 },
        { SIGUSR2, 0 },
        { SIGWINCH, 0 },
        { SIGALRM, 0 },
        { SIGIO, 0 },
        { SIGPIPE, 0 },
        { SIGCHLD, 0 }
    };

    for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        ngx_memzero(&sa, sizeof(struct sigaction));

        sa.sa_handler = signals[i].handled ? ngx_http_docket_process_signal
                                           : SIG_IGN;
        sigemptyset(&sa.sa_mask);

        if (sigaction(signals[i].signo, &sa, NULL) == -1) {
            ngx_log_error(NGX_LOG_EMERG, log, ngx_errno,
                          "sigaction(%d) failed", signals[i].signo);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_docket_process_signal(int signo)
{
    ngx_err_t  err;

    err = ngx_errno;

    if (signo != SIGHUP) {
        ngx_http_docket_quit = 1;
    }

    ngx_http_docket_poke(ngx_http_docket_proc.event);

    ngx_set_errno(err);
}


static ngx_int_t
ngx_http_docket_process_init(ngx_http_docket_proc_t *hlp)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = hlp->mcf;

    /* the other end would keep this process from seeing the manager's death */

    (void) close(ngx_processes[NGX_MAX_PROCESSES - 1].channel[0]);

    if (ngx_http_docket_process_files(hlp) != NGX_OK) {
        return NGX_ERROR;
    }

    hlp->event = eventfd(0, EFD_NONBLOCK|EFD_CLOEXEC);
    if (hlp->event == -1) {
        ngx_log_error(NGX_LOG_EMERG, hlp->log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    if (ngx_http_docket_process_signals(hlp->log) != NGX_OK) {
        return NGX_ERROR;
    }

    if (prctl(PR_SET_PDEATHSIG, SIGHUP, 0, 0, 0) == -1) {
        ngx_log_error(NGX_LOG_ALERT, hlp->log, ngx_errno,
                      "prctl(PR_SET_PDEATHSIG) failed");
    }

    if (mcf->sp.fd == -1) {
        ngx_log_error(NGX_LOG_ALERT, hlp->log, 0,
                      "docket: spool \"%V\" could not be opened",
                      &mcf->spool->name);
        return NGX_ERROR;
    }

    ngx_queue_init(&hlp->runs);
    ngx_queue_init(&hlp->fetches);
    ngx_queue_init(&hlp->foreign);

    if (ngx_http_docket_fetch_init(hlp) != NGX_OK
        || ngx_http_docket_peers_create(hlp) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_http_docket_io_start(hlp);
}


static void
ngx_http_docket_process_wait(ngx_http_docket_proc_t *hlp)
{
    int                 n, timeout;
    int64_t             now;
    CURLMcode           rc;
    struct curl_waitfd  fds[3];

    ngx_memzero(fds, sizeof(fds));

    fds[0].fd = hlp->event;
    fds[0].events = CURL_WAIT_POLLIN;
    fds[1].fd = hlp->mcf->wake.helper;
    fds[1].events = CURL_WAIT_POLLIN;
    fds[2].fd = ngx_channel;
    fds[2].events = CURL_WAIT_POLLIN;

    now = ngx_http_docket_monotonic();

    timeout = (hlp->timer <= now)
              ? 0 : (int) ngx_min(hlp->timer - now, NGX_HTTP_DOCKET_TICK);

    /* a channel at its end is always readable */

    rc = curl_multi_poll(hlp->multi, fds, hlp->orphan ? 2 : 3, timeout, &n);

    if (rc != CURLM_OK) {
        ngx_log_error(NGX_LOG_ALERT, hlp->log, 0,
                      "curl_multi_poll() failed: %s",
                      curl_multi_strerror(rc));
        ngx_msleep(10);
    }

    if (fds[0].revents != 0 || fds[1].revents != 0) {
        ngx_http_docket_process_woken(hlp);
    }
}


static void
ngx_http_docket_process_woken(ngx_http_docket_proc_t *hlp)
{
    ssize_t                       n;
    uint64_t                      count;
    ngx_http_docket_zone_info_t   info;

    /* nonblocking; what matters is looked at anyway */

    do {
        n = read(hlp->event, &count, sizeof(count));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    do {
        n = read(hlp->mcf->wake.helper, &count, sizeof(count));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    if (n != sizeof(count)) {
        return;
    }

    hlp->look = 1;

    /* a worker has written something, or wants something */

    ngx_http_docket_shared_sync(hlp);

    if (hlp->drain_until != 0) {
        return;
    }

    if (hlp->owner != -1 && ngx_http_docket_zone_clean_wanted(hlp->mcf->zone))
    {
        (void) pthread_mutex_lock(&hlp->mutex);
        hlp->clean = 1;
        (void) pthread_cond_signal(&hlp->cond);
        (void) pthread_mutex_unlock(&hlp->mutex);
    }

    ngx_http_docket_zone_info(hlp->mcf->zone, &info);
    ngx_http_docket_peers_stats(hlp, (uint32_t) info.stats_wanted);
}


static void
ngx_http_docket_process_second(ngx_http_docket_proc_t *hlp)
{
    ngx_http_docket_zone_info_t  info;

    ngx_http_docket_process_reopen(hlp);

    /* one that drains may be the only one in its zone */

    if (hlp->owner != -1 || hlp->drain_until != 0) {
        ngx_http_docket_zone_info_update(hlp->mcf->zone,
                                         ngx_http_docket_process_alive, hlp);
    }

    if (hlp->drain_until != 0) {
        return;
    }

    ngx_http_docket_zone_info(hlp->mcf->zone, &info);
    ngx_http_docket_peers_stats(hlp, (uint32_t) info.stats_wanted);

    if (hlp->owner == -1) {
        return;
    }

    if (hlp->now - hlp->asked_at >= NGX_HTTP_DOCKET_ASKERS_TIME) {
        hlp->asked_at = hlp->now;
        ngx_http_docket_process_askers(hlp);
    }

    /* the table was lost with a process that died inside of it */

    (void) pthread_mutex_lock(&hlp->mutex);

    if (!info.loaded) {
        hlp->load = 1;
        (void) pthread_cond_signal(&hlp->cond);
    }

    (void) pthread_mutex_unlock(&hlp->mutex);
}


static void
ngx_http_docket_process_alive(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_proc_t *hlp = data;

    if (hlp->owner != -1) {
        info->helper = ngx_pid;
    }

    info->heartbeat = ngx_http_docket_monotonic();
}


/* Who asked: into the records that are at hand, the rest is for the disk. */

static void
ngx_http_docket_process_askers(ngx_http_docket_proc_t *hlp)
{
    ngx_uint_t                i, j, n, rest;
    ngx_queue_t              *q;
    docket_job_t             *job;
    ngx_http_docket_run_t    *run;
    ngx_http_docket_asker_t  *askers;

    (void) pthread_mutex_lock(&hlp->mutex);
    n = hlp->naskers;
    (void) pthread_mutex_unlock(&hlp->mutex);

    if (n != 0) {
        /* the io thread has not come to the last ones */
        return;
    }

    askers = malloc(NGX_HTTP_DOCKET_ASKERS * sizeof(ngx_http_docket_asker_t));
    if (askers == NULL) {
        return;
    }

    n = ngx_http_docket_zone_askers(hlp->mcf->zone, askers,
                                    NGX_HTTP_DOCKET_ASKERS);
    rest = 0;

    for (i = 0; i < n; i++) {
        job = NULL;

        for (q = ngx_queue_head(&hlp->runs);
             q != ngx_queue_sentinel(&hlp->runs);
             q = ngx_queue_next(q))
        {
            run = ngx_queue_data(q, ngx_http_docket_run_t, queue);

            if (run->nopen != 0
                && ngx_strcmp(run->id, askers[i].id) == 0)
            {
                job = run->job;
                break;
            }
        }

        if (job == NULL) {
            askers[rest++] = askers[i];
            continue;
        }

        for (j = 0; j < askers[i].count && j < 100000; j++) {
            (void) docket_job_asked(job, askers[i].addr, askers[i].user,
                                    askers[i].subject, askers[i].time);
        }
    }

    if (rest == 0) {
        free(askers);
        return;
    }

    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->askers = askers;
    hlp->naskers = rest;
    (void) pthread_cond_signal(&hlp->cond);
    (void) pthread_mutex_unlock(&hlp->mutex);
}


/*
 * The master tells its children of new log files by a signal that does not
 * reach a grandchild.
 */

static void
ngx_http_docket_process_reopen(ngx_http_docket_proc_t *hlp)
{
    ngx_log_t        *log;
    ngx_file_info_t   there, ours;

    for (log = hlp->log; log != NULL; log = log->next) {

        if (log->file == NULL || log->file->name.len == 0
            || ngx_file_info(log->file->name.data, &there) == NGX_FILE_ERROR
            || ngx_fd_info(log->file->fd, &ours) == NGX_FILE_ERROR)
        {
            continue;
        }

        if (there.st_ino != ours.st_ino || there.st_dev != ours.st_dev) {
            ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0, "reopening logs");
            ngx_reopen_files(hlp->cycle, (ngx_uid_t) -1);
            return;
        }
    }
}


/*
 * Without its manager a helper has no place, unless a newer generation took
 * over: then it ends what it began.  Without its master it has none in any
 * case: workers and manager live on then, but an nginx that is started in
 * their place needs the spool.  1: leave.
 */

static ngx_uint_t
ngx_http_docket_process_orphan(ngx_http_docket_proc_t *hlp)
{
    char     c;
    ssize_t  n;

    /* nobody tells of the master's death, nor of a stop once the manager has
       gone */

    if (hlp->now - hlp->watched >= NGX_HTTP_DOCKET_TICK) {
        hlp->watched = hlp->now;

        if (kill(hlp->master, 0) == -1 && ngx_errno == NGX_ESRCH) {
            return 1;
        }
    }

    if (!hlp->orphan) {
        n = recv(ngx_channel, &c, 1, MSG_DONTWAIT);

        if (n != 0 && getppid() == hlp->manager) {
            return 0;
        }

        hlp->orphan = 1;

        if (ngx_http_docket_zone_generation(hlp->mcf->zone, 0)
            == hlp->mcf->generation)
        {
            return 1;
        }

        ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                      "docket process: a newer generation took over, "
                      "%ui jobs are still running", hlp->nruns);

        hlp->drain_until = hlp->now + hlp->mcf->shutdown_timeout;
        ngx_http_docket_queue_release(hlp);
    }

    return 0;
}


static void
ngx_http_docket_process_leave(ngx_http_docket_proc_t *hlp,
    ngx_uint_t drained)
{
    ngx_queue_t            *q;
    ngx_http_docket_run_t  *run;

    if (ngx_http_docket_io_stop(hlp) == NGX_OK) {
        ngx_http_docket_run_reap(hlp);
    }

    ngx_http_docket_queue_release(hlp);

    /* what is not done stands as such on disk */

    for (q = ngx_queue_head(&hlp->runs);
         q != ngx_queue_sentinel(&hlp->runs);
         q = ngx_queue_next(q))
    {
        run = ngx_queue_data(q, ngx_http_docket_run_t, queue);

        if (drained) {
            ngx_http_docket_zone_give_back(hlp->mcf->zone, run->id);
        }
    }

    ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                  "docket process exiting, %ui jobs unfinished", hlp->nruns);

    _exit(0);
}
