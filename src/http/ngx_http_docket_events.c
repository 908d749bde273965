/*
 * GET /events/ID: server-sent events until the job is final.
 *
 *   event: status   data: the job as /status gives it   id: VERSION
 *   event: end      data: {"id": .., "state": ..}       id: VERSION.end
 *
 * A client that comes back and says that it has seen the end gets 204, which
 * is how an EventSource learns not to come again.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_headers.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_send.h"
#include "http/ngx_http_docket_wait.h"


#define NGX_HTTP_DOCKET_EVENTS_PAUSE    200     /* between two of progress */
#define NGX_HTTP_DOCKET_EVENTS_COMMENT  15000   /* when nothing else is sent */


typedef struct {
    char                       id[DOCKET_ID_LEN + 1];
    ngx_http_docket_pieces_t   pieces;
    ngx_pool_t                *pool;       /* of the piece under way */

    uint32_t                   version;    /* last one sent */
    docket_state_e             state;
    ngx_msec_t                 sent;       /* when */

    unsigned                   seen:1;     /* "version" and "state" are set */
    unsigned                   ended:1;
} ngx_http_docket_events_t;


static ngx_int_t ngx_http_docket_events_headers(ngx_http_request_t *r);
static void ngx_http_docket_events_wait(ngx_http_request_t *r,
    ngx_uint_t why);
static void ngx_http_docket_events_write(ngx_http_request_t *r);
static void ngx_http_docket_events_pump(ngx_http_request_t *r,
    ngx_http_docket_events_t *e);
static ngx_msec_t ngx_http_docket_events_pause(ngx_http_docket_events_t *e,
    ngx_http_docket_job_t *job);
static ngx_int_t ngx_http_docket_events_find(ngx_http_request_t *r,
    ngx_http_docket_events_t *e, ngx_str_t *record);
static ngx_int_t ngx_http_docket_events_status(ngx_http_request_t *r,
    ngx_http_docket_events_t *e);
static ngx_int_t ngx_http_docket_events_send(ngx_http_request_t *r,
    ngx_http_docket_events_t *e, u_char *text, size_t len);
static void ngx_http_docket_events_free(ngx_http_docket_events_t *e);
static void ngx_http_docket_events_cleanup(void *data);


ngx_int_t
ngx_http_docket_events(ngx_http_request_t *r, ngx_str_t *rest)
{
    u_char                    *p;
    ngx_int_t                  rc;
    ngx_str_t                 *last;
    ngx_pool_cleanup_t        *cln;
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_events_t  *e;
    u_char                     end[NGX_INT64_LEN + sizeof(".end")];

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_docket_events_t));
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    e = cln->data;
    ngx_memzero(e, sizeof(ngx_http_docket_events_t));
    cln->handler = ngx_http_docket_events_cleanup;

    rc = ngx_http_docket_find_named(r, rest, e->id);

    if (rc != NGX_OK) {
        return ngx_http_docket_no_job(r, rc, e->id);
    }

    ctx->data = e;

    last = ngx_http_docket_request_header(r, "last-event-id");

    if (docket_state_final(ctx->job.state)) {
        p = ngx_sprintf(end, "%uD.end", ctx->job.version);

        if (last != NULL && last->len == (size_t) (p - end)
            && ngx_memcmp(last->data, end, last->len) == 0)
        {
            r->headers_out.status = NGX_HTTP_NO_CONTENT;
            r->header_only = 1;

            return ngx_http_send_header(r);
        }

    } else if (last != NULL
               && ngx_atoi(last->data, last->len)
                  == (ngx_int_t) ctx->job.version)
    {
        e->seen = 1;
        e->version = ctx->job.version;
        e->state = ctx->job.state;
    }

    if (r->method == NGX_HTTP_HEAD) {
        return ngx_http_docket_events_headers(r);
    }

    /* a place first: nothing has been said yet that can't be taken back */

    rc = ngx_http_docket_suspend(r, NGX_HTTP_DOCKET_EVENTS_COMMENT,
                                 ngx_http_docket_events_wait);
    if (rc != NGX_DONE) {
        return rc;
    }

    rc = ngx_http_docket_events_headers(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        ngx_http_docket_wait_done(r);
        r->main->count--;
        return rc;
    }

    r->write_event_handler = ngx_http_docket_events_write;

    /* the comment takes the header along; the first look comes by itself */

    e->sent = ngx_current_msec - NGX_HTTP_DOCKET_EVENTS_COMMENT;

    return NGX_DONE;
}


static ngx_int_t
ngx_http_docket_events_headers(ngx_http_request_t *r)
{
    ngx_str_t  value;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    ngx_str_set(&r->headers_out.content_type, "text/event-stream");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    ngx_str_set(&value, "no-cache");

    if (ngx_http_docket_header(r, "Cache-Control", &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_str_set(&value, "no");

    if (ngx_http_docket_header(r, "X-Accel-Buffering", &value) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_send_header(r);
}


static void
ngx_http_docket_events_wait(ngx_http_request_t *r, ngx_uint_t why)
{
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_events_t  *e;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    e = ctx->data;

    if (why == NGX_HTTP_DOCKET_EXITING) {
        ngx_http_docket_wait_done(r);
        e->ended = 1;
    }

    /* a slow client's write event comes by itself, and skips what is old */

    if (e->pieces.busy == NULL && !r->buffered && !r->connection->buffered) {
        ngx_http_docket_events_pump(r, e);
    }
}


static void
ngx_http_docket_events_write(ngx_http_request_t *r)
{
    ngx_http_docket_ctx_t  *ctx;

    if (ngx_http_docket_writable(r) != NGX_OK) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    ngx_http_docket_events_pump(r, ctx->data);
}


static void
ngx_http_docket_events_pump(ngx_http_request_t *r,
    ngx_http_docket_events_t *e)
{
    ngx_int_t               rc;
    ngx_msec_t              pause;
    ngx_http_docket_ctx_t  *ctx;

    static u_char  comment[] = ":\n\n";

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    rc = NGX_OK;

    if (e->pieces.busy != NULL || r->buffered || r->connection->buffered) {
        rc = ngx_http_docket_piece_send(r, &e->pieces, NULL);
    }

    if (rc == NGX_OK) {
        ngx_http_docket_events_free(e);
    }

    pause = NGX_HTTP_DOCKET_EVENTS_COMMENT;

    if (rc == NGX_OK && !e->ended) {

        if (ngx_http_docket_events_find(r, e, NULL) != NGX_OK) {
            pause = 0;

        } else {
            pause = ngx_http_docket_events_pause(e, &ctx->job);
        }

        if (pause == 0) {
            rc = ngx_http_docket_events_status(r, e);
            pause = NGX_HTTP_DOCKET_EVENTS_COMMENT;

        } else if (ngx_current_msec - e->sent
                   >= NGX_HTTP_DOCKET_EVENTS_COMMENT)
        {
            rc = ngx_http_docket_events_send(r, e, comment,
                                             sizeof(comment) - 1);
        }
    }

    if (rc == NGX_ERROR) {
        ngx_http_docket_wait_done(r);
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (e->ended && rc == NGX_OK) {
        ngx_http_docket_wait_done(r);
        ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
        return;
    }

    if (!e->ended
        && ngx_http_docket_wait(r, pause, ngx_http_docket_events_wait)
           != NGX_OK)
    {
        ngx_http_docket_wait_done(r);
        ngx_http_finalize_request(r, NGX_ERROR);
    }
}


/* Milliseconds until there is to be an event; 0: now. */

static ngx_msec_t
ngx_http_docket_events_pause(ngx_http_docket_events_t *e,
    ngx_http_docket_job_t *job)
{
    ngx_msec_t  passed;

    if (!e->seen || job->state != e->state) {
        return 0;
    }

    passed = ngx_current_msec - e->sent;

    if (job->version != e->version) {

        return passed >= NGX_HTTP_DOCKET_EVENTS_PAUSE
               ? 0 : NGX_HTTP_DOCKET_EVENTS_PAUSE - passed;
    }

    return passed >= NGX_HTTP_DOCKET_EVENTS_COMMENT
           ? NGX_HTTP_DOCKET_EVENTS_COMMENT
           : NGX_HTTP_DOCKET_EVENTS_COMMENT - passed;
}


/*
 * Looks for the job into ctx->job.  What a look takes out of the request's
 * pool would pile up there as long as the client stays, so it gets another.
 */

static ngx_int_t
ngx_http_docket_events_find(ngx_http_request_t *r,
    ngx_http_docket_events_t *e, ngx_str_t *record)
{
    void                         *out;
    ngx_int_t                     rc;
    ngx_pool_t                   *pool;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (record == NULL
        && ngx_http_docket_zone_get(mcf->zone, e->id, &ctx->job, NULL, NULL, 0)
           == NGX_OK)
    {
        return NGX_OK;
    }

    if (e->pool == NULL) {
        e->pool = ngx_create_pool(4096, r->connection->log);
        if (e->pool == NULL) {
            ngx_set_errno(NGX_ENOMEM);
            return NGX_ERROR;
        }
    }

    /* generators are kept in a list */

    pool = r->pool;
    out = ctx->out;
    r->pool = e->pool;

    rc = ngx_http_docket_find(r, e->id, &ctx->job, record);

    r->pool = pool;
    ctx->out = out;

    return rc;
}


static ngx_int_t
ngx_http_docket_events_status(ngx_http_request_t *r,
    ngx_http_docket_events_t *e)
{
    u_char                 *p, *text;
    size_t                  len, i;
    ngx_int_t               rc;
    ngx_str_t               record;
    const char             *state;
    ngx_http_docket_job_t  *job;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    job = &ctx->job;

    rc = ngx_http_docket_events_find(r, e, &record);

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                      "docket: reading the record of job \"%s\" failed",
                      e->id);
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {

        /* removed meanwhile */

        ngx_str_null(&record);
    }

    len = record.len + 256;

    text = ngx_pnalloc(e->pool, len);
    if (text == NULL) {
        return NGX_ERROR;
    }

    p = text;

    if (record.len != 0) {

        /* line feeds end a field; in JSON text they are only space */

        for (i = 0; i < record.len; i++) {
            if (record.data[i] == LF || record.data[i] == CR) {
                record.data[i] = ' ';
            }
        }

        p = ngx_sprintf(p, "id: %uD\nevent: status\ndata: %V\n\n",
                        job->version, &record);
    }

    if (rc != NGX_OK || docket_state_final(job->state)) {
        state = (rc == NGX_OK) ? docket_state_name(job->state) : "Removed";

        p = ngx_sprintf(p, "id: %uD.end\nevent: end\n"
                        "data: {\"id\":\"%s\",\"state\":\"%s\"}\n\n",
                        job->version, e->id, state);

        e->ended = 1;
    }

    e->seen = 1;
    e->version = job->version;
    e->state = job->state;

    return ngx_http_docket_events_send(r, e, text, p - text);
}


static ngx_int_t
ngx_http_docket_events_send(ngx_http_request_t *r,
    ngx_http_docket_events_t *e, u_char *text, size_t len)
{
    ngx_buf_t    *b;
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    cl = ngx_http_docket_piece(r, &e->pieces);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    b = cl->buf;

    b->memory = 1;
    b->start = text;
    b->pos = text;
    b->last = text + len;
    b->end = b->last;

    e->sent = ngx_current_msec;

    rc = ngx_http_docket_piece_send(r, &e->pieces, cl);

    if (rc == NGX_OK) {
        ngx_http_docket_events_free(e);
    }

    return rc;
}


static void
ngx_http_docket_events_free(ngx_http_docket_events_t *e)
{
    if (e->pool != NULL) {
        ngx_destroy_pool(e->pool);
        e->pool = NULL;
    }
}


static void
ngx_http_docket_events_cleanup(void *data)
{
    ngx_http_docket_events_free(data);
}
