/*
 * /pcap and /query: the capture itself, sent while it is being merged.
 *
 * The helper writes .run.N and says in the zone how far whole records reach;
 * what lies below that mark is sent out of the file, at the client's pace.
 * The name changes when the run is done, the open descriptor stays good.
 * An answer that is not the whole capture ends without its last chunk.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ask.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_send.h"
#include "http/ngx_http_docket_url.h"
#include "http/ngx_http_docket_wait.h"


#define NGX_HTTP_DOCKET_PCAP_HEADER  24

/* a helper that has shown no life for this long will not finish the job */
#define NGX_HTTP_DOCKET_LOST         10000
#define NGX_HTTP_DOCKET_LOST_CHECK   1000

/* pieces in a row for one client before others get their turn */
#define NGX_HTTP_DOCKET_TURN         16


typedef struct {
    char                       id[DOCKET_ID_LEN + 1];
    ngx_http_docket_capture_t  capture;
    ngx_http_docket_pieces_t   pieces;

    uint32_t                   run;        /* that "capture" is of */
    int64_t                    started;

    off_t                      sent;
    off_t                      ready;      /* whole records reach here */
    ngx_msec_t                 checked;    /* whether the helper lives */

    unsigned                   steno:1;    /* /query: Stenographer's contract */
    unsigned                   whole:1;    /* no way to end broken: send only
                                              what is complete */
    unsigned                   partial_ok:1;
    unsigned                   sending:1;  /* the header is out */
    unsigned                   ended:1;    /* "ready" is the end */
    unsigned                   broken:1;   /* .. and not a good one */
} ngx_http_docket_stream_t;


static ngx_int_t ngx_http_docket_stream_head(ngx_http_request_t *r);
static ngx_http_docket_stream_t *ngx_http_docket_stream_create(
    ngx_http_request_t *r, const char *id);
static void ngx_http_docket_stream_wait(ngx_http_request_t *r,
    ngx_uint_t why);
static ngx_int_t ngx_http_docket_stream_job(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_find(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_late(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_open(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_final(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_failed(ngx_http_request_t *r,
    docket_job_t *job, const char *what);
static ngx_uint_t ngx_http_docket_stream_short(ngx_http_docket_stream_t *s,
    const ngx_http_docket_job_t *live, const docket_job_t *job);
static ngx_int_t ngx_http_docket_stream_headers(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_begin(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static void ngx_http_docket_stream_write(ngx_http_request_t *r);
static void ngx_http_docket_stream_pump(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static void ngx_http_docket_stream_look(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static void ngx_http_docket_stream_end(ngx_http_docket_stream_t *s,
    ngx_uint_t broken);
static void ngx_http_docket_stream_whole(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_uint_t ngx_http_docket_stream_lost(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);
static ngx_int_t ngx_http_docket_stream_piece(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s);


ngx_int_t
ngx_http_docket_stream(ngx_http_request_t *r)
{
    ngx_int_t                    rc;
    ngx_uint_t                   status;
    ngx_http_docket_ctx_t       *ctx;
    ngx_http_docket_stream_t    *s;
    ngx_http_docket_loc_conf_t  *lcf;

    if (r->method == NGX_HTTP_HEAD) {
        return ngx_http_docket_stream_head(r);
    }

    rc = ngx_http_docket_ask(r, &status);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    s = ngx_http_docket_stream_create(r, (char *) ctx->job.id);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->data = s;

    if (docket_state_final(ctx->job.state)) {
        rc = ngx_http_docket_stream_final(r, s);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (s->sending) {

        /* a reference for the events that finalize the request */

        r->main->count++;
        ngx_http_docket_stream_pump(r, s);
        return NGX_DONE;
    }

    return ngx_http_docket_suspend(r, lcf->wait_timeout,
                                   ngx_http_docket_stream_wait);
}


/* What GET would begin with, as far as it is known; nothing is queued. */

static ngx_int_t
ngx_http_docket_stream_head(ngx_http_request_t *r)
{
    ngx_int_t                      rc;
    ngx_http_docket_ctx_t         *ctx;
    ngx_http_docket_stream_t      *s;
    const docket_query_result_t   *q;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    q = docket_query_result(ctx->query);

    s = ngx_http_docket_stream_create(r, q->id);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_find(r, s->id, &ctx->job, NULL);

    if (rc == NGX_ERROR) {
        return ngx_http_docket_no_job(r, rc, s->id);
    }

    if (rc != NGX_OK) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "this was not asked yet");
    }

    ctx->known = 1;

    if (docket_state_final(ctx->job.state)) {
        return ngx_http_docket_stream_final(r, s);
    }

    if (ngx_http_docket_stream_headers(r, s) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_send_header(r);
}


static ngx_http_docket_stream_t *
ngx_http_docket_stream_create(ngx_http_request_t *r, const char *id)
{
    ngx_str_t                  value;
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_docket_stream_t  *s;

    s = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_stream_t));
    if (s == NULL) {
        return NULL;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    ngx_memcpy(s->id, id, DOCKET_ID_LEN);

    s->steno = (ctx->path.len >= sizeof("/query") - 1
                && ngx_strncmp(ctx->path.data, "/query",
                               sizeof("/query") - 1) == 0);

    /* what ends with the connection looks complete wherever it ends */

    s->whole = (r->http_version < NGX_HTTP_VERSION_11
                || (r->http_version == NGX_HTTP_VERSION_11
                    && !clcf->chunked_transfer_encoding));

    /* the endpoint takes no other value than "ok" */

    s->partial_ok = (ngx_http_arg(r, (u_char *) "partial", 7, &value)
                     == NGX_OK);

    return s;
}


/* Called while it waits, and while it follows the growing file. */

static void
ngx_http_docket_stream_wait(ngx_http_request_t *r, ngx_uint_t why)
{
    ngx_int_t                  rc;
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_stream_t  *s;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    s = ctx->data;

    if (s->sending) {

        /* a slow client's write event comes by itself */

        if (s->pieces.busy == NULL && !r->buffered
            && !r->connection->buffered)
        {
            ngx_http_docket_stream_pump(r, s);
        }

        return;
    }

    /* a download goes on while its worker exits, as any other one */

    rc = ngx_http_docket_stream_job(r, s);

    if (rc == NGX_DECLINED && why == NGX_HTTP_DOCKET_TIMEOUT
        && !s->sending)
    {
        rc = ngx_http_docket_stream_late(r, s);
    }

    if (rc == NGX_DECLINED && !s->sending) {
        return;
    }

    /* from here on without a time-out */

    if (rc != NGX_DECLINED
        || ngx_http_docket_wait(r, 0, ngx_http_docket_stream_wait) != NGX_OK)
    {
        ngx_http_docket_wait_done(r);
        ngx_http_finalize_request(r, rc == NGX_DECLINED ? NGX_ERROR : rc);
        return;
    }

    ngx_http_docket_stream_pump(r, s);
}


/*
 * Is there something to begin with?  NGX_DECLINED: not yet, or the header went
 * out and s->sending is set; anything else finalizes the request.
 */

static ngx_int_t
ngx_http_docket_stream_job(ngx_http_request_t *r, ngx_http_docket_stream_t *s)
{
    ngx_int_t               rc;
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_job_t  *job;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    job = &ctx->job;

    rc = ngx_http_docket_stream_find(r, s);

    if (rc == NGX_ERROR) {
        return ngx_http_docket_no_job(r, rc, s->id);
    }

    if (rc != NGX_OK) {
        return ngx_http_docket_problem(r, NGX_HTTP_BAD_GATEWAY,
                                       "the job was removed");
    }

    if (docket_state_final(job->state)) {
        return ngx_http_docket_stream_final(r, s);
    }

    if (s->whole || !job->growing
        || job->written <= NGX_HTTP_DOCKET_PCAP_HEADER)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_docket_stream_open(r, s);

    if (rc == NGX_DECLINED) {

        /* renamed just now, or it is about to be written anew */

        return NGX_DECLINED;
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    s->run = job->run;
    s->started = job->started;
    s->ready = job->written;

    return ngx_http_docket_stream_begin(r, s);
}


/* Looks for the job again, into ctx->job. */

static ngx_int_t
ngx_http_docket_stream_find(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    ngx_int_t                     rc;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_zone_get(mcf->zone, s->id, &ctx->job, NULL, NULL, 0);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    return ngx_http_docket_find(r, s->id, &ctx->job, NULL);
}


static ngx_int_t
ngx_http_docket_stream_late(ngx_http_request_t *r, ngx_http_docket_stream_t *s)
{
    ngx_str_t  url;

    if (ngx_http_docket_status_url(r, s->id, &url) != NGX_OK
        || ngx_http_docket_header(r, "Location", &url) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_problem(r, NGX_HTTP_GATEWAY_TIME_OUT,
                                   "there is nothing to send yet; the job "
                                   "goes on");
}


static ngx_int_t
ngx_http_docket_stream_open(ngx_http_request_t *r, ngx_http_docket_stream_t *s)
{
    int                           dir;
    ngx_fd_t                      fd;
    ngx_err_t                     err;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    fd = -1;
    dir = docket_spool_open_dir(&mcf->sp, s->id);
    err = ngx_errno;

    if (dir != -1) {
        fd = docket_spool_open_part(dir, ctx->job.run);
        err = ngx_errno;

        (void) close(dir);
    }

    if (fd != -1) {
        return ngx_http_docket_capture_take(r, fd, &s->capture);
    }

    if (err == NGX_ENOENT) {
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_CRIT, r->connection->log, err,
                  "docket: opening the growing capture of \"%s\" failed",
                  s->id);

    return NGX_ERROR;
}


/*
 * The job was final before anything was sent.  As
 * ngx_http_docket_stream_job().
 */

static ngx_int_t
ngx_http_docket_stream_final(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    char                          err[128];
    ngx_int_t                     rc;
    ngx_uint_t                    broken;
    docket_job_t                 *job;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    job = docket_spool_load(&mcf->sp, s->id, err, sizeof(err));

    if (ctx->job.state != DOCKET_COMPLETED) {
        rc = ngx_http_docket_stream_failed(r, job,
                                           ctx->job.state == DOCKET_CANCELLED
                                           ? "the job was cancelled"
                                           : "no sensor gave an answer");
        docket_job_destroy(job);
        return rc;
    }

    broken = ngx_http_docket_stream_short(s, &ctx->job, job);

    if (broken && s->whole) {
        rc = ngx_http_docket_stream_failed(r, job,
                                           "the capture is not complete");
        docket_job_destroy(job);
        return rc;
    }

    docket_job_destroy(job);

    rc = ngx_http_docket_capture_open(r, s->id, &s->capture);

    if (rc == NGX_DECLINED) {
        return ngx_http_docket_problem(r, NGX_HTTP_BAD_GATEWAY,
                                       "the capture was removed");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!broken) {

        /* nothing more is to come */

        ngx_http_docket_wait_done(r);

        if (ngx_http_docket_stream_headers(r, s) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_docket_capture_send(r, &s->capture, 0);
    }

    s->ready = s->capture.size;
    ngx_http_docket_stream_end(s, 1);

    return ngx_http_docket_stream_begin(r, s);
}


/* "job" may be NULL; its reason says more than "what". */

static ngx_int_t
ngx_http_docket_stream_failed(ngx_http_request_t *r, docket_job_t *job,
    const char *what)
{
    return ngx_http_docket_problem(r, NGX_HTTP_BAD_GATEWAY, "%s",
                                   (job != NULL && job->reason != NULL)
                                   ? job->reason : what);
}


/*
 * Whether packets are missing that were asked for.  An answer that its own
 * limit ended is complete; one that a full disk ended is not.
 */

static ngx_uint_t
ngx_http_docket_stream_short(ngx_http_docket_stream_t *s,
    const ngx_http_docket_job_t *live, const docket_job_t *job)
{
    ngx_uint_t  partial;

    partial = live->partial;

    if (job != NULL && docket_job_short(job)) {
        partial = 1;
    }

    return partial && !s->partial_ok;
}


static ngx_int_t
ngx_http_docket_stream_headers(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    u_char     *p;
    ngx_str_t   value;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = -1;

    if (s->steno) {
        ngx_str_set(&r->headers_out.content_type, "application/octet-stream");
        r->headers_out.content_type_len = r->headers_out.content_type.len;
        r->headers_out.content_type_lowcase = NULL;

    } else {
        ngx_http_docket_capture_type(r);

        value.len = sizeof("attachment; filename=.pcap") - 1 + DOCKET_ID_LEN;
        value.data = ngx_pnalloc(r->pool, value.len);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_sprintf(value.data, "attachment; filename=%s.pcap", s->id);
        value.len = p - value.data;

        if (ngx_http_docket_header(r, "Content-Disposition", &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* the same question gives another answer in a minute; and a proxy in
       front of this server is to pass packets on as they come */

    ngx_str_set(&value, "no-store");

    if (ngx_http_docket_header(r, "Cache-Control", &value) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_str_set(&value, "no");

    return ngx_http_docket_header(r, "X-Accel-Buffering", &value);
}


static ngx_int_t
ngx_http_docket_stream_begin(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    ngx_int_t  rc;

    if (ngx_http_docket_stream_headers(r, s) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    s->sending = 1;
    s->checked = ngx_current_msec;

    r->write_event_handler = ngx_http_docket_stream_write;

    return NGX_DECLINED;
}


static void
ngx_http_docket_stream_write(ngx_http_request_t *r)
{
    ngx_http_docket_ctx_t  *ctx;

    if (ngx_http_docket_writable(r) != NGX_OK) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    ngx_http_docket_stream_pump(r, ctx->data);
}


/* Sends what there is; ends the request at the end. */

static void
ngx_http_docket_stream_pump(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    ngx_int_t   rc;
    ngx_uint_t  n;

    rc = NGX_OK;

    if (s->pieces.busy != NULL || r->buffered || r->connection->buffered) {
        rc = ngx_http_docket_piece_send(r, &s->pieces, NULL);
    }

    for (n = 0; rc == NGX_OK && n < NGX_HTTP_DOCKET_TURN; n++) {

        ngx_http_docket_stream_look(r, s);

        if (s->sent >= s->ready) {
            break;
        }

        rc = ngx_http_docket_stream_piece(r, s);
    }

    if (rc == NGX_ERROR) {
        ngx_http_docket_wait_done(r);
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    if (s->ended) {
        ngx_http_docket_wait_done(r);
    }

    if (rc == NGX_OK && n == NGX_HTTP_DOCKET_TURN) {
        ngx_post_event(r->connection->write, &ngx_posted_next_events);
        return;
    }

    if (rc == NGX_AGAIN || !s->ended) {
        return;
    }

    if (s->broken) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "docket: the capture of \"%s\" is not complete, the "
                      "answer is broken off after %O bytes", s->id, s->sent);
        ngx_http_finalize_request(r, NGX_ERROR);
        return;
    }

    ngx_http_finalize_request(r, ngx_http_send_special(r, NGX_HTTP_LAST));
}


/* How far the file reaches now, and whether that is its end. */

static void
ngx_http_docket_stream_look(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_job_t  *job;

    if (s->ended) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    job = &ctx->job;

    if (ngx_http_docket_stream_find(r, s) != NGX_OK) {
        ngx_http_docket_stream_end(s, 1);
        return;
    }

    if (job->capture_run == s->run
        && (!job->growing || docket_state_final(job->state)))
    {
        /* published */

        ngx_http_docket_stream_whole(r, s);
        return;
    }

    if (docket_state_final(job->state) || !job->growing
        || job->run != s->run || job->started != s->started)
    {
        ngx_http_docket_stream_end(s, 1);
        return;
    }

    if ((off_t) job->written > s->ready) {
        s->ready = job->written;
    }

    if (ngx_http_docket_stream_lost(r, s)) {
        ngx_http_docket_stream_end(s, 1);
    }
}


static void
ngx_http_docket_stream_end(ngx_http_docket_stream_t *s, ngx_uint_t broken)
{
    s->ended = 1;
    s->broken = broken ? 1 : 0;
}


/* The run has ended well, and the open file is its capture. */

static void
ngx_http_docket_stream_whole(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    char                          err[128];
    ngx_uint_t                    broken;
    docket_job_t                 *job;
    ngx_file_info_t               fi;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (ngx_fd_info(s->capture.file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_CRIT, r->connection->log, ngx_errno,
                      ngx_fd_info_n " of a docket capture failed");
        ngx_http_docket_stream_end(s, 1);
        return;
    }

    job = docket_spool_load(&mcf->sp, s->id, err, sizeof(err));
    broken = ngx_http_docket_stream_short(s, &ctx->job, job);

    if (job == NULL || job->capture_run != s->run
        || (off_t) job->bytes != ngx_file_size(&fi))
    {
        /* begun anew under the same number, or not known any more */

        broken = 1;
    }

    docket_job_destroy(job);

    s->ready = ngx_file_size(&fi);
    ngx_http_docket_stream_end(s, broken);
}


static ngx_uint_t
ngx_http_docket_stream_lost(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    ngx_http_docket_zone_info_t   info;
    ngx_http_docket_main_conf_t  *mcf;

    if (ngx_current_msec - s->checked < NGX_HTTP_DOCKET_LOST_CHECK) {
        return 0;
    }

    s->checked = ngx_current_msec;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    ngx_http_docket_zone_info(mcf->zone, &info);

    return ngx_http_docket_monotonic() - info.heartbeat > NGX_HTTP_DOCKET_LOST;
}


static ngx_int_t
ngx_http_docket_stream_piece(ngx_http_request_t *r,
    ngx_http_docket_stream_t *s)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    cl = ngx_http_docket_piece(r, &s->pieces);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    b = cl->buf;

    b->in_file = 1;
    b->file = &s->capture.file;
    b->file_pos = s->sent;
    b->file_last = s->ready;

    s->sent = s->ready;

    return ngx_http_docket_piece_send(r, &s->pieces, cl);
}
