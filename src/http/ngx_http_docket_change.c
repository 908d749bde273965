/*
 * What changes jobs: /cancel /retry /clean, and DELETE.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ask.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_lookup.h"


static ngx_int_t ngx_http_docket_retry_job(ngx_http_request_t *r,
    docket_job_t *rec);
static ngx_uint_t ngx_http_docket_configured(ngx_http_docket_main_conf_t *mcf,
    const docket_job_t *rec, const char **names);
static ngx_int_t ngx_http_docket_remove(ngx_http_request_t *r, const char *id);
static void ngx_http_docket_destroy_job(void *data);


ngx_int_t
ngx_http_docket_cancel(ngx_http_request_t *r, ngx_str_t *rest)
{
    char                          id[DOCKET_ID_LEN + 1];
    yajl_gen                      g;
    ngx_int_t                     rc;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_find_named(r, rest, id);

    if (rc != NGX_OK) {
        return ngx_http_docket_no_job(r, rc, id);
    }

    if (ngx_http_docket_zone_cancel(mcf->zone, id) != NGX_OK) {
        return ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                       "the job is neither queued nor "
                                       "running: it is %s",
                                       docket_state_name(ctx->job.state));
    }

    ngx_http_docket_wake_helper(mcf);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "id");
    ngx_http_docket_gen_cstr(g, id);
    ngx_http_docket_gen_key(g, "state");
    ngx_http_docket_gen_cstr(g, docket_state_name(ctx->job.state));
    ngx_http_docket_gen_key(g, "cancelling");
    yajl_gen_bool(g, 1);
    yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


ngx_int_t
ngx_http_docket_retry(ngx_http_request_t *r, ngx_str_t *rest)
{
    char                          id[DOCKET_ID_LEN + 1], err[128];
    ngx_int_t                     rc;
    docket_job_t                 *rec;
    ngx_pool_cleanup_t           *cln;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_find_named(r, rest, id);

    if (rc != NGX_OK) {
        return ngx_http_docket_no_job(r, rc, id);
    }

    if (!docket_state_final(ctx->job.state)) {
        return ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                       "the job has not ended yet: it is %s",
                                       docket_state_name(ctx->job.state));
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rec = docket_spool_load(&mcf->sp, id, err, sizeof(err));

    if (rec == NULL) {
        rc = (ngx_errno == NGX_ENOENT) ? NGX_DECLINED : NGX_ERROR;

        return ngx_http_docket_no_job(r, rc, id);
    }

    cln->handler = ngx_http_docket_destroy_job;
    cln->data = rec;

    return ngx_http_docket_retry_job(r, rec);
}


static void
ngx_http_docket_destroy_job(void *data)
{
    docket_job_destroy(data);
}


static ngx_int_t
ngx_http_docket_retry_job(ngx_http_request_t *r, docket_job_t *rec)
{
    int64_t                       now;
    ngx_int_t                     rc;
    ngx_uint_t                    n, status;
    const char                  **names;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    names = ngx_palloc(r->pool, mcf->sensors.nelts * sizeof(char *));
    if (names == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = ngx_http_docket_configured(mcf, rec, names);

    ctx->text.data = (u_char *) rec->query;
    ctx->text.len = ngx_strlen(rec->query);
    ctx->duplicate = 1;

    /* all sensors have answered, whether it is settled or not */

    if (docket_job_whole(rec, names, n)) {
        return ngx_http_docket_send_asked(r, NGX_HTTP_OK);
    }

    now = ngx_http_docket_time_now();

    rc = ngx_http_docket_again(r, rec, DOCKET_AGAIN_RETRY, now, &status);

    if (rc == NGX_DECLINED) {
        return ngx_http_docket_no_job(r, rc, rec->id);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->duplicate = (status == NGX_HTTP_OK);

    ngx_http_docket_count(r, now);

    return ngx_http_docket_send_asked(r, status);
}


/* Those of the job's sensors that there still are; room for all in "names". */

static ngx_uint_t
ngx_http_docket_configured(ngx_http_docket_main_conf_t *mcf,
    const docket_job_t *rec, const char **names)
{
    size_t      k;
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < mcf->sensors.nelts; i++) {

        for (k = 0; k < rec->nsensors; k++) {
            if (ngx_strcmp(rec->sensors[k], mcf->sensor_names[i]) == 0) {
                break;
            }
        }

        if (rec->nsensors == 0 || k < rec->nsensors) {
            names[n++] = mcf->sensor_names[i];
        }
    }

    return n;
}


ngx_int_t
ngx_http_docket_clean_now(ngx_http_request_t *r, ngx_str_t *rest)
{
    yajl_gen                      g;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (!mcf->master) {
        return ngx_http_docket_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "nothing is cleaned, since "
                                       "master_process is off");
    }

    ngx_http_docket_zone_want_clean(mcf->zone);
    ngx_http_docket_wake_helper(mcf);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "cleaning");
    yajl_gen_bool(g, 1);
    yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_ACCEPTED, g);
}


/*
 * The folder goes at once; its entry in the index goes when the helper cleans,
 * and readers of the index do without the folder until then.
 */

ngx_int_t
ngx_http_docket_delete(ngx_http_request_t *r, ngx_str_t *rest)
{
    char                          id[DOCKET_ID_LEN + 1];
    ngx_int_t                     rc;
    ngx_str_t                     empty;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (!docket_spool_id((char *) rest->data, rest->len, id)) {
        return ngx_http_docket_no_job(r, NGX_DECLINED, NULL);
    }

    /* for the log; one that is damaged is removed as well */

    ctx->known = (ngx_http_docket_lookup(r, id, &ctx->job, NULL, 0)
                  == NGX_OK);

    if (ngx_http_docket_zone_forget(mcf->zone, id) == NGX_BUSY) {
        return ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                       "the job has not ended yet; it can be "
                                       "cancelled");
    }

    rc = ngx_http_docket_remove(r, id);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_http_docket_zone_want_clean(mcf->zone);
    ngx_http_docket_wake_helper(mcf);

    ngx_str_null(&empty);

    return ngx_http_docket_send(r, NGX_HTTP_NO_CONTENT, NULL, &empty);
}


static ngx_int_t
ngx_http_docket_remove(ngx_http_request_t *r, const char *id)
{
    int                           lock, rc;
    ngx_err_t                     err;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    /* another generation, whose zone is another one, may run it */

    lock = docket_spool_lock_dir(&mcf->sp, id);

    if (lock == -1) {
        err = ngx_errno;

        if (err == NGX_ENOENT) {
            rc = ngx_http_docket_no_job(r, NGX_DECLINED, id);

        } else if (err == EWOULDBLOCK) {
            rc = ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                         "the job is at work");

        } else {
            return ngx_http_docket_spool_failed(r, err, "locking", id);
        }

        return ngx_http_docket_refused(rc);
    }

    rc = docket_spool_remove(&mcf->sp, id);
    err = ngx_errno;

    /* another worker may have read its record before */

    (void) ngx_http_docket_zone_forget(mcf->zone, id);

    (void) close(lock);

    if (rc == DOCKET_OK || err == NGX_ENOENT) {
        return NGX_OK;
    }

    if (err == ENOTEMPTY) {
        rc = ngx_http_docket_problem(r, NGX_HTTP_CONFLICT,
                                     "the job is gone, but its folder has "
                                     "files of somebody else, and stays");

        return ngx_http_docket_refused(rc);
    }

    return ngx_http_docket_spool_failed(r, err, "removing the folder", id);
}
