/*
 * Asking: a question meets the job that answers it, or queues a run.
 *
 * The zone is looked at first, the spool on a miss.  A finished job's node
 * tells by itself whether its result is good; only when that does not settle
 * it is the record read.  Files are written between _enqueue() and _commit(),
 * without the zone's mutex.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ask.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_lookup.h"

#include <stdlib.h>


/* another worker may queue or remove the job meanwhile */
#define NGX_HTTP_DOCKET_ASK_TRIES     4

/* a partial result is completed at most this often */
#define NGX_HTTP_DOCKET_PARTIAL_TIME  (60 * DOCKET_SECOND)


typedef struct {
    const docket_query_result_t   *q;
    const char *const             *sensors;
    ngx_uint_t                     nsensors;
    int64_t                        now;
    ngx_http_docket_main_conf_t   *mcf;
    ngx_http_docket_job_t         *job;
    ngx_uint_t                    *status;
    ngx_uint_t                     created;   /* by this request, on disk */
} ngx_http_docket_ask_t;


/* All return NGX_OK: answered; NGX_DECLINED: look anew; anything else is what
   the content handler returns. */
static ngx_int_t ngx_http_docket_ask_once(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a);
static ngx_int_t ngx_http_docket_ask_unknown(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a, const docket_job_t *rec);
static ngx_int_t ngx_http_docket_ask_live(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a);
static ngx_int_t ngx_http_docket_ask_created(ngx_http_docket_ask_t *a);
static ngx_int_t ngx_http_docket_ask_record(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a, const docket_job_t *rec);
static ngx_int_t ngx_http_docket_ask_new(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a);
static ngx_int_t ngx_http_docket_ask_print(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a, char **json, size_t *len);
static ngx_int_t ngx_http_docket_ask_queue(ngx_http_request_t *r,
    ngx_http_docket_ask_t *a, ngx_str_t *record);

static ngx_int_t ngx_http_docket_again_mark(ngx_http_request_t *r,
    ngx_http_docket_main_conf_t *mcf, const char *id, int what);

static ngx_uint_t ngx_http_docket_ask_good(ngx_http_docket_ask_t *a);
static ngx_uint_t ngx_http_docket_ask_capture(ngx_http_docket_main_conf_t *mcf,
    const char *id);
static ngx_int_t ngx_http_docket_refuse(ngx_http_request_t *r,
    ngx_http_docket_main_conf_t *mcf, ngx_int_t why);
static void ngx_http_docket_ask_cache(ngx_http_docket_main_conf_t *mcf,
    const docket_job_t *rec);
static void ngx_http_docket_ask_who(ngx_http_request_t *r, int64_t now,
    ngx_http_docket_asker_t *who);
static void ngx_http_docket_ask_subject(ngx_http_request_t *r,
    ngx_http_docket_asker_t *who);
static void ngx_http_docket_ask_copy(char *dst, size_t size,
    const ngx_str_t *s);


ngx_int_t
ngx_http_docket_ask(ngx_http_request_t *r, ngx_uint_t *status)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_http_docket_ask_t   a;
    ngx_http_docket_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    a.q = docket_query_result(ctx->query);
    a.now = ngx_http_docket_time_now();
    a.mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);
    a.job = &ctx->job;
    a.status = status;
    a.created = 0;

    a.nsensors = a.q->nsensors;
    a.sensors = ngx_http_docket_selected(a.mcf, a.q->sensors, &a.nsensors);

    rc = NGX_DECLINED;

    for (i = 0; rc == NGX_DECLINED && i < NGX_HTTP_DOCKET_ASK_TRIES; i++) {
        rc = ngx_http_docket_ask_once(r, &a);
    }

    if (rc == NGX_DECLINED) {

        if (ngx_http_docket_retry_after(r) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        rc = ngx_http_docket_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                     "the job is being removed");

        return ngx_http_docket_refused(rc);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->known = 1;

    if (a.created) {
        *status = NGX_HTTP_ACCEPTED;
        ngx_http_docket_zone_asked(a.mcf->zone, a.q->id, NULL, 0);

        return NGX_OK;
    }

    ctx->duplicate = (*status == NGX_HTTP_OK);

    ngx_http_docket_count(r, a.now);

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_ask_once(ngx_http_request_t *r, ngx_http_docket_ask_t *a)
{
    char           err[128];
    ngx_int_t      rc;
    ngx_err_t      error;
    ngx_uint_t     found;
    docket_job_t  *rec;

    found = (ngx_http_docket_zone_get(a->mcf->zone, a->q->id, a->job, r->pool,
                                      NULL, 1)
             == NGX_OK);

    if (found && !docket_state_final(a->job->state)) {
        return ngx_http_docket_ask_live(r, a);
    }

    if (found && !a->q->refresh && ngx_http_docket_ask_good(a)) {
        *a->status = NGX_HTTP_OK;
        return NGX_OK;
    }

    rec = docket_spool_load(&a->mcf->sp, a->q->id, err, sizeof(err));

    if (rec == NULL) {
        error = ngx_errno;

        if (error != NGX_ENOENT) {
            return ngx_http_docket_spool_failed(r, error, "reading the record",
                                                a->q->id);
        }

        if (found
            && ngx_http_docket_zone_forget(a->mcf->zone, a->q->id) == NGX_BUSY)
        {
            return NGX_DECLINED;
        }

        return ngx_http_docket_ask_new(r, a);
    }

    if (docket_state_final(rec->state)) {

        if (!found) {
            ngx_http_docket_ask_cache(a->mcf, rec);
        }

        ngx_http_docket_job_of(rec, a->job);
        rc = ngx_http_docket_ask_record(r, a, rec);

    } else if (found) {

        /* Its end is not on disk yet, and must not be taken for the end of this
           run when it comes there; hence the mark.  One that was queued after
           the look into the zone is found to be live. */

        rc = ngx_http_docket_again(r, rec, DOCKET_AGAIN_REFRESH, a->now,
                                   a->status);

    } else {
        rc = ngx_http_docket_ask_unknown(r, a, rec);
    }

    docket_job_destroy(rec);

    return rc;
}


/*
 * Live on disk, and not in the zone.  As long as no helper of this nginx owns
 * the spool it is in other hands; whoever takes over finds it there.
 */

static ngx_int_t
ngx_http_docket_ask_unknown(ngx_http_request_t *r, ngx_http_docket_ask_t *a,
    const docket_job_t *rec)
{
    ngx_http_docket_zone_info_t  info;

    ngx_http_docket_zone_info(a->mcf->zone, &info);

    if (info.helper != 0) {
        return ngx_http_docket_again(r, rec, 0, a->now, a->status);
    }

    ngx_http_docket_job_of(rec, a->job);
    *a->status = NGX_HTTP_OK;

    return NGX_OK;
}


/* Queued or running. */

static ngx_int_t
ngx_http_docket_ask_live(ngx_http_request_t *r, ngx_http_docket_ask_t *a)
{
    int         rc;
    char       *json;
    size_t      len;
    ngx_err_t   err;

    *a->status = NGX_HTTP_OK;

    if (!a->job->writing) {
        return NGX_OK;
    }

    /* Another worker is about to write it, or died: no client hears of a job
       that is not on disk. */

    if (ngx_http_docket_ask_print(r, a, &json, &len) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = docket_spool_create(&a->mcf->sp, a->q->id, json, len, a->mcf->sync);
    err = ngx_errno;

    free(json);

    if (rc != DOCKET_OK) {
        return ngx_http_docket_spool_failed(r, err, "making the folder",
                                            a->q->id);
    }

    if (err == NGX_EEXIST) {
        return NGX_OK;
    }

    return ngx_http_docket_ask_created(a);
}


/*
 * Two workers may be about to write one job: the one whose folder it is queues
 * it, the other one finds it in the queue.
 */

static ngx_int_t
ngx_http_docket_ask_created(ngx_http_docket_ask_t *a)
{
    a->created = 1;

    if (ngx_http_docket_zone_commit(a->mcf->zone, a->q->id) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_http_docket_wake_helper(a->mcf);

    return NGX_OK;
}


/* A finished job: good, or to be run again. */

static ngx_int_t
ngx_http_docket_ask_record(ngx_http_request_t *r, ngx_http_docket_ask_t *a,
    const docket_job_t *rec)
{
    int          what;
    const char  *why;

    if (docket_job_good(rec, a->sensors, a->nsensors, &why)) {

        if (!a->q->refresh
            && ngx_http_docket_ask_capture(a->mcf, rec->id))
        {
            *a->status = NGX_HTTP_OK;
            return NGX_OK;
        }

        why = "refresh";
    }

    what = DOCKET_AGAIN_REFRESH;

    if (!a->q->refresh && ngx_strcmp(why, "partial") == 0) {
        what = DOCKET_AGAIN_RETRY;

        if (rec->finished <= a->now
            && a->now - rec->finished < NGX_HTTP_DOCKET_PARTIAL_TIME)
        {
            *a->status = NGX_HTTP_OK;
            return NGX_OK;
        }
    }

    if (!a->q->refresh && ngx_strcmp(why, "sensors") == 0) {
        what = DOCKET_AGAIN_RETRY;
    }

    return ngx_http_docket_again(r, rec, what, a->now, a->status);
}


static ngx_int_t
ngx_http_docket_ask_new(ngx_http_request_t *r, ngx_http_docket_ask_t *a)
{
    char       *json;
    ngx_int_t   rc;
    ngx_str_t   record;

    if (ngx_http_docket_ask_print(r, a, &json, &record.len) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    record.data = (u_char *) json;

    rc = ngx_http_docket_ask_queue(r, a, &record);

    free(json);

    return rc;
}


/* The record of a new job, which says who asked first. */

static ngx_int_t
ngx_http_docket_ask_print(ngx_http_request_t *r, ngx_http_docket_ask_t *a,
    char **json, size_t *len)
{
    int                       rc;
    docket_job_t             *rec;
    ngx_http_docket_asker_t   who;

    ngx_http_docket_ask_who(r, a->now, &who);

    rec = docket_job_create(a->q, a->now);
    if (rec == NULL) {
        return NGX_ERROR;
    }

    rc = docket_job_asked(rec, who.addr, who.user, who.subject, a->now);

    if (rc == DOCKET_OK) {
        rc = docket_job_print(rec, json, len);
    }

    docket_job_destroy(rec);

    return (rc == DOCKET_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_docket_ask_queue(ngx_http_request_t *r, ngx_http_docket_ask_t *a,
    ngx_str_t *record)
{
    ngx_int_t                     rc;
    ngx_err_t                     err;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = a->mcf;

    rc = ngx_http_docket_zone_enqueue(mcf->zone, mcf, a->q->id, record, 0,
                                      a->now, a->job);

    if (rc == NGX_HTTP_DOCKET_LIVE) {
        return ngx_http_docket_ask_live(r, a);
    }

    if (rc != NGX_HTTP_DOCKET_QUEUED) {
        return ngx_http_docket_refuse(r, mcf, rc);
    }

    if (docket_spool_create(&mcf->sp, a->q->id, (char *) record->data,
                            record->len, mcf->sync)
        != DOCKET_OK)
    {
        err = ngx_errno;
        ngx_http_docket_zone_abort(mcf->zone, a->q->id);

        return ngx_http_docket_spool_failed(r, err, "making the folder",
                                            a->q->id);
    }

    if (ngx_errno == NGX_EEXIST) {

        /* it has come, and perhaps ended, since it was looked for */

        ngx_http_docket_zone_abort(mcf->zone, a->q->id);
        return NGX_DECLINED;
    }

    return ngx_http_docket_ask_created(a);
}


ngx_int_t
ngx_http_docket_again(ngx_http_request_t *r, const docket_job_t *rec,
    int what, int64_t now, ngx_uint_t *status)
{
    char                         *json;
    size_t                        len;
    ngx_int_t                     rc;
    ngx_str_t                     record;
    ngx_uint_t                    i;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (docket_job_print(rec, &json, &len) != DOCKET_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    record.data = (u_char *) json;
    record.len = len;

    /* The mark may come so late that the node is there no more: the table was
       started anew, or the helper took this worker for a dead one. */

    for (i = 0; i < NGX_HTTP_DOCKET_ASK_TRIES; i++) {

        rc = ngx_http_docket_zone_enqueue(mcf->zone, mcf, rec->id, &record,
                                          rec->capture_run, now, &ctx->job);

        if (rc == NGX_HTTP_DOCKET_LIVE) {
            *status = NGX_HTTP_OK;
            rc = NGX_OK;
            break;
        }

        if (rc != NGX_HTTP_DOCKET_QUEUED) {
            rc = ngx_http_docket_refuse(r, mcf, rc);
            break;
        }

        rc = ngx_http_docket_again_mark(r, mcf, rec->id, what);

        if (rc != NGX_OK) {
            break;
        }

        if (ngx_http_docket_zone_commit(mcf->zone, rec->id) == NGX_OK) {
            ngx_http_docket_wake_helper(mcf);

            /* a job that had been queued before is no new one */

            *status = (what != 0) ? NGX_HTTP_ACCEPTED : NGX_HTTP_OK;
            break;
        }

        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    free(json);

    return rc;
}


static ngx_int_t
ngx_http_docket_again_mark(ngx_http_request_t *r,
    ngx_http_docket_main_conf_t *mcf, const char *id, int what)
{
    ngx_err_t  err;

    if (what == 0
        || docket_spool_again(&mcf->sp, id, what, mcf->sync) == DOCKET_OK)
    {
        return NGX_OK;
    }

    err = ngx_errno;
    ngx_http_docket_zone_abort(mcf->zone, id);

    if (err == NGX_ENOENT) {
        (void) ngx_http_docket_zone_forget(mcf->zone, id);
        return NGX_DECLINED;
    }

    return ngx_http_docket_spool_failed(r, err, "marking", id);
}


/* The node alone says that the result is good. */

static ngx_uint_t
ngx_http_docket_ask_good(ngx_http_docket_ask_t *a)
{
    return a->job->state == DOCKET_COMPLETED
           && a->job->capture_run != 0
           && a->job->settled
           && !a->job->partial
           && a->job->cover == ngx_http_docket_cover(a->sensors, a->nsensors)
           && ngx_http_docket_ask_capture(a->mcf, a->q->id);
}


/* Somebody may have cleared the spool by hand. */

static ngx_uint_t
ngx_http_docket_ask_capture(ngx_http_docket_main_conf_t *mcf, const char *id)
{
    char         name[DOCKET_SPOOL_NAME_LEN + 1];
    u_char       path[NGX_MAX_PATH], *p;
    struct stat  st;

    docket_spool_name(&mcf->sp, id, name);

    p = ngx_snprintf(path, sizeof(path) - 1, "%s/%s", name, mcf->sp.merged);
    *p = '\0';

    return fstatat(mcf->sp.fd, (char *) path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}


static void
ngx_http_docket_ask_cache(ngx_http_docket_main_conf_t *mcf,
    const docket_job_t *rec)
{
    char       *json;
    size_t      len;
    ngx_str_t   record;

    if (docket_job_print(rec, &json, &len) != DOCKET_OK) {
        return;
    }

    record.data = (u_char *) json;
    record.len = len;

    ngx_http_docket_cache(mcf, rec, &record);

    free(json);
}


static ngx_int_t
ngx_http_docket_refuse(ngx_http_request_t *r, ngx_http_docket_main_conf_t *mcf,
    ngx_int_t why)
{
    ngx_int_t   rc;
    ngx_uint_t  status;
    const char  *words;

    status = NGX_HTTP_SERVICE_UNAVAILABLE;

    switch (why) {

    case NGX_HTTP_DOCKET_FULL:
        words = "the queue is full";
        break;

    case NGX_HTTP_DOCKET_NO_SPACE:
        status = NGX_HTTP_INSUFFICIENT_STORAGE;
        words = "the spool has too little free space";
        break;

    case NGX_HTTP_DOCKET_NO_HELPER:
        words = "no question is taken, since master_process is off";
        break;

    case NGX_HTTP_DOCKET_LEAVING:
        words = "this server is shutting down";
        break;

    default: /* NGX_HTTP_DOCKET_NO_MEMORY */
        words = "the zone of docket_spool is full of unfinished jobs";
        break;
    }

    ngx_http_docket_zone_refused(mcf->zone);

    if (status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_http_docket_retry_after(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_problem(r, status, "%s", words);

    return ngx_http_docket_refused(rc);
}


void
ngx_http_docket_count(ngx_http_request_t *r, int64_t now)
{
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_asker_t       who;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    ngx_http_docket_ask_who(r, now, &who);

    ngx_http_docket_zone_asked(mcf->zone, (char *) ctx->job.id, &who,
                               ctx->duplicate);
}


static void
ngx_http_docket_ask_who(ngx_http_request_t *r, int64_t now,
    ngx_http_docket_asker_t *who)
{
    /* it is copied whole, and must not hold what the stack held before */

    ngx_memzero(who, sizeof(ngx_http_docket_asker_t));

    who->time = now;

    ngx_http_docket_ask_copy(who->addr, sizeof(who->addr),
                             &r->connection->addr_text);

    if (ngx_http_auth_basic_user(r) == NGX_OK) {
        ngx_http_docket_ask_copy(who->user, sizeof(who->user),
                                 &r->headers_in.user);
    }

    ngx_http_docket_ask_subject(r, who);
}


/* Of a client certificate that nginx has verified. */

static void
ngx_http_docket_ask_subject(ngx_http_request_t *r,
    ngx_http_docket_asker_t *who)
{
#if (NGX_HTTP_SSL)

    ngx_str_t                   value;
    ngx_http_variable_value_t  *vv;

    static ngx_str_t  verify = ngx_string("ssl_client_verify");
    static ngx_str_t  subject = ngx_string("ssl_client_s_dn");

    if (r->connection->ssl == NULL) {
        return;
    }

    vv = ngx_http_get_variable(r, &verify,
                               ngx_hash_key(verify.data, verify.len));

    if (vv == NULL || vv->not_found || vv->len != sizeof("SUCCESS") - 1
        || ngx_memcmp(vv->data, "SUCCESS", vv->len) != 0)
    {
        return;
    }

    vv = ngx_http_get_variable(r, &subject,
                               ngx_hash_key(subject.data, subject.len));

    if (vv == NULL || vv->not_found) {
        return;
    }

    value.data = vv->data;
    value.len = vv->len;

    ngx_http_docket_ask_copy(who->subject, sizeof(who->subject), &value);

#endif
}


static void
ngx_http_docket_ask_copy(char *dst, size_t size, const ngx_str_t *s)
{
    size_t  len;

    len = ngx_min(size - 1, s->len);

    if (len != 0) {
        ngx_memcpy(dst, s->data, len);
    }

    dst[len] = '\0';
}
