/*
 * Waiting requests of this worker.
 *
 * The helper wakes a worker through its eventfd, but only while the zone says
 * that somebody waits there.  A timer looks every half second as well: jobs
 * of another generation's helper change without a wake-up.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_http.h"
#include "http/ngx_http_docket_wait.h"


#define NGX_HTTP_DOCKET_WAITERS    1024
#define NGX_HTTP_DOCKET_TICK       500


typedef struct {
    ngx_queue_t                    queue;
    ngx_http_request_t            *request;
    ngx_http_docket_wait_pt        handler;
    ngx_event_t                    event;      /* time-out; or first look */
    unsigned                       queued:1;
    unsigned                       told:1;     /* that the worker is to exit */
    unsigned                       blind:1;    /* to a client that goes away */
} ngx_http_docket_waiter_t;


typedef struct {
    ngx_http_docket_main_conf_t   *mcf;
    ngx_queue_t                    waiters;
    ngx_uint_t                     n;
    ngx_event_t                    tick;
    ngx_connection_t               dummy;      /* of the timer, for logging */
} ngx_http_docket_wait_t;


static ngx_int_t ngx_http_docket_wait_channel(ngx_cycle_t *cycle,
    ngx_socket_t fd);
static void ngx_http_docket_wait_wake(ngx_event_t *ev);
static void ngx_http_docket_wait_tick(ngx_event_t *ev);
static void ngx_http_docket_wait_round(void);
static void ngx_http_docket_wait_event(ngx_event_t *ev);
static void ngx_http_docket_wait_call(ngx_http_docket_waiter_t *w,
    ngx_uint_t why);
static ngx_http_docket_waiter_t *ngx_http_docket_waiter(
    ngx_http_request_t *r, ngx_http_docket_ctx_t *ctx);
static ngx_int_t ngx_http_docket_wait_client(ngx_http_docket_waiter_t *w);
static void ngx_http_docket_wait_remove(ngx_http_docket_waiter_t *w);
static void ngx_http_docket_wait_cleanup(void *data);


static ngx_http_docket_wait_t  ngx_http_docket_waiting;


ngx_int_t
ngx_http_docket_wait_init_process(ngx_cycle_t *cycle)
{
    ngx_http_docket_wait_t       *wait;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_docket_module);

    wait = &ngx_http_docket_waiting;

    ngx_memzero(wait, sizeof(ngx_http_docket_wait_t));

    ngx_queue_init(&wait->waiters);

    wait->mcf = mcf;
    wait->dummy.fd = (ngx_socket_t) -1;

    wait->tick.handler = ngx_http_docket_wait_tick;
    wait->tick.data = &wait->dummy;
    wait->tick.log = cycle->log;

    if (ngx_process != NGX_PROCESS_WORKER
        || ngx_worker >= mcf->wake.nworkers)
    {
        return NGX_OK;
    }

    return ngx_http_docket_wait_channel(cycle,
                                        mcf->wake.workers[ngx_worker]);
}


void
ngx_http_docket_wait_exit_process(ngx_cycle_t *cycle)
{
    ngx_http_docket_wait_t  *wait;

    wait = &ngx_http_docket_waiting;

    /* a worker that is terminated leaves its requests as they are */

    if (wait->n != 0) {
        ngx_http_docket_zone_waiters(wait->mcf->zone, ngx_worker,
                                     -(ngx_int_t) wait->n);
        wait->n = 0;
    }
}


/*
 * As ngx_add_channel_event() does, but the connection counts as idle: when
 * the worker begins to exit, nginx closes the idle connections by calling
 * their read handlers, and so the waiters learn of it at once.
 */

static ngx_int_t
ngx_http_docket_wait_channel(ngx_cycle_t *cycle, ngx_socket_t fd)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->pool = cycle->pool;
    c->idle = 1;

    c->read->log = cycle->log;
    c->read->channel = 1;
    c->read->handler = ngx_http_docket_wait_wake;

    c->write->log = cycle->log;
    c->write->channel = 1;

    if (ngx_add_conn && (ngx_event_flags & NGX_USE_EPOLL_EVENT) == 0) {
        rc = ngx_add_conn(c);

    } else {
        rc = ngx_add_event(c->read, NGX_READ_EVENT, 0);
    }

    if (rc == NGX_ERROR) {
        ngx_free_connection(c);
    }

    return rc;
}


static void
ngx_http_docket_wait_wake(ngx_event_t *ev)
{
    ssize_t            n;
    uint64_t           count;
    ngx_connection_t  *c;

    c = ev->data;

    do {
        n = read(c->fd, &count, sizeof(count));
    } while (n == -1 && ngx_errno == NGX_EINTR);

    if (n == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, ev->log, ngx_errno,
                      "read() of docket eventfd failed");
    }

    ngx_http_docket_wait_round();
}


static void
ngx_http_docket_wait_tick(ngx_event_t *ev)
{
    ngx_http_docket_wait_round();

    if (ngx_http_docket_waiting.n != 0 && !ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_DOCKET_TICK);
    }
}


/*
 * A handler may end its own request, and with it any other one of the same
 * connection; so the queue is emptied from its head, and whoever stays goes
 * back.
 */

static void
ngx_http_docket_wait_round(void)
{
    ngx_uint_t                 why;
    ngx_queue_t                round, *q;
    ngx_http_docket_wait_t    *wait;
    ngx_http_docket_waiter_t  *w;

    wait = &ngx_http_docket_waiting;

    if (ngx_queue_empty(&wait->waiters)) {
        return;
    }

    ngx_queue_init(&round);
    ngx_queue_add(&round, &wait->waiters);
    ngx_queue_init(&wait->waiters);

    while (!ngx_queue_empty(&round)) {
        q = ngx_queue_head(&round);
        w = ngx_queue_data(q, ngx_http_docket_waiter_t, queue);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(&wait->waiters, q);

        why = NGX_HTTP_DOCKET_CHANGED;

        if ((ngx_exiting || ngx_quit) && !w->told) {
            w->told = 1;
            why = NGX_HTTP_DOCKET_EXITING;
        }

        ngx_http_docket_wait_call(w, why);
    }
}


static void
ngx_http_docket_wait_event(ngx_event_t *ev)
{
    ngx_uint_t                 why;
    ngx_http_docket_waiter_t  *w;

    w = ev->data;

    why = ev->timedout ? NGX_HTTP_DOCKET_TIMEOUT : NGX_HTTP_DOCKET_CHANGED;
    ev->timedout = 0;

    ngx_http_docket_wait_call(w, why);
}


/* The waiter may be gone afterwards. */

static void
ngx_http_docket_wait_call(ngx_http_docket_waiter_t *w, ngx_uint_t why)
{
    ngx_connection_t    *c;
    ngx_http_request_t  *r;

    r = w->request;
    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "http docket waiter: %ui \"%V\"", why, &r->uri);

    if (w->blind && ngx_http_docket_wait_client(w) != NGX_OK) {
        ngx_http_finalize_request(r, NGX_ERROR);

    } else {
        w->handler(r, why);
    }

    ngx_http_run_posted_requests(c);
}


ngx_int_t
ngx_http_docket_wait(ngx_http_request_t *r, ngx_msec_t timeout,
    ngx_http_docket_wait_pt handler)
{
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_wait_t    *wait;
    ngx_http_docket_waiter_t  *w;

    wait = &ngx_http_docket_waiting;
    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    w = ngx_http_docket_waiter(r, ctx);
    if (w == NULL) {
        return NGX_ERROR;
    }

    if (!w->queued) {

        if (wait->n >= NGX_HTTP_DOCKET_WAITERS) {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "docket: %d requests wait in this worker",
                          NGX_HTTP_DOCKET_WAITERS);
            return NGX_BUSY;
        }

        if (ngx_http_docket_wait_client(w) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_queue_insert_tail(&wait->waiters, &w->queue);
        w->queued = 1;
        w->told = 0;

        wait->n++;
        ngx_http_docket_zone_waiters(wait->mcf->zone, ngx_worker, 1);

        if (!wait->tick.timer_set) {
            ngx_add_timer(&wait->tick, NGX_HTTP_DOCKET_TICK);
        }

        /* what changed since the caller looked woke nobody here */

        ngx_post_event(&w->event, &ngx_posted_events);
    }

    w->handler = handler;

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    if (timeout != 0) {
        ngx_add_timer(&w->event, timeout);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_suspend(ngx_http_request_t *r, ngx_msec_t timeout,
    ngx_http_docket_wait_pt handler)
{
    ngx_int_t  rc;
    ngx_str_t  value;

    rc = ngx_http_docket_wait(r, timeout, handler);

    if (rc == NGX_OK) {
        r->main->count++;
        return NGX_DONE;
    }

    if (rc != NGX_BUSY) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&value, "1");

    if (ngx_http_docket_header(r, "Retry-After", &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                   "too many requests are waiting");
}


void
ngx_http_docket_wait_done(ngx_http_request_t *r)
{
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    if (ctx != NULL && ctx->wait != NULL) {
        ngx_http_docket_wait_remove(ctx->wait);
    }
}


static ngx_http_docket_waiter_t *
ngx_http_docket_waiter(ngx_http_request_t *r, ngx_http_docket_ctx_t *ctx)
{
    ngx_pool_cleanup_t        *cln;
    ngx_http_docket_waiter_t  *w;

    if (ctx->wait != NULL) {
        return ctx->wait;
    }

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_docket_waiter_t));
    if (cln == NULL) {
        return NULL;
    }

    w = cln->data;
    ngx_memzero(w, sizeof(ngx_http_docket_waiter_t));

    w->request = r;
    w->event.handler = ngx_http_docket_wait_event;
    w->event.data = w;
    w->event.log = r->connection->log;

    cln->handler = ngx_http_docket_wait_cleanup;
    ctx->wait = w;

    return w;
}


/*
 * From here on a client that goes away ends its request.  As long as nginx
 * throws away what comes of a body, it alone reads.
 */

static ngx_int_t
ngx_http_docket_wait_client(ngx_http_docket_waiter_t *w)
{
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    r = w->request;
    w->blind = r->discard_body;

    if (w->blind) {
        return NGX_OK;
    }

    r->read_event_handler = ngx_http_test_reading;

    rev = r->connection->read;

    if (rev->ready || rev->eof) {
        ngx_post_event(rev, &ngx_posted_events);
        return NGX_OK;
    }

    return ngx_handle_read_event(rev, 0);
}


static void
ngx_http_docket_wait_remove(ngx_http_docket_waiter_t *w)
{
    ngx_http_docket_wait_t  *wait;

    wait = &ngx_http_docket_waiting;

    if (w->event.timer_set) {
        ngx_del_timer(&w->event);
    }

    if (w->event.posted) {
        ngx_delete_posted_event(&w->event);
    }

    if (!w->queued) {
        return;
    }

    ngx_queue_remove(&w->queue);
    w->queued = 0;

    wait->n--;
    ngx_http_docket_zone_waiters(wait->mcf->zone, ngx_worker, -1);

    /* the timer alone would hold a worker that is to exit */

    if (wait->n == 0 && wait->tick.timer_set) {
        ngx_del_timer(&wait->tick);
    }
}


static void
ngx_http_docket_wait_cleanup(void *data)
{
    ngx_http_docket_wait_remove(data);
}
