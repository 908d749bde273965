/*
 * /status: records of jobs, at once or when they are final.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_lookup.h"
#include "http/ngx_http_docket_wait.h"
#include "http/ngx_http_docket_walk.h"


#define NGX_HTTP_DOCKET_MAX_WAIT  (300 * 1000)    /* milliseconds */


typedef struct {
    ngx_array_t                    ids;        /* ngx_http_docket_id_t */
    ngx_uint_t                     done;       /* so many are final */
} ngx_http_docket_status_t;


static ngx_int_t ngx_http_docket_status_wait(ngx_http_request_t *r,
    ngx_http_docket_status_t *st, ngx_str_t *arg);
static void ngx_http_docket_status_event(ngx_http_request_t *r,
    ngx_uint_t why);
static ngx_uint_t ngx_http_docket_status_final(ngx_http_request_t *r,
    ngx_http_docket_status_t *st);
static ngx_int_t ngx_http_docket_status_send(ngx_http_request_t *r,
    ngx_http_docket_status_t *st);
static ngx_int_t ngx_http_docket_status_all(ngx_http_request_t *r);
static void ngx_http_docket_status_entry(yajl_gen g, const char *id,
    ngx_str_t *record);


ngx_int_t
ngx_http_docket_status(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_int_t                  rc;
    ngx_str_t                  arg;
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_status_t  *st;

    if (rest->len == 0) {
        return ngx_http_docket_status_all(r);
    }

    st = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_status_t));
    if (st == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_ids_of(r, rest, &st->ids);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    ctx->data = st;

    rc = ngx_http_docket_arg(r, "wait", &arg);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_OK) {
        return ngx_http_docket_status_wait(r, st, &arg);
    }

    return ngx_http_docket_status_send(r, st);
}


static ngx_int_t
ngx_http_docket_status_wait(ngx_http_request_t *r,
    ngx_http_docket_status_t *st, ngx_str_t *arg)
{
    int64_t     us;
    ngx_msec_t  msec;

    if (docket_parse_duration((char *) arg->data, arg->len, &us) != DOCKET_OK
        || us < 0)
    {
        return ngx_http_docket_bad_arg(r, "wait",
                                       "is no duration, as 30s or 2m");
    }

    msec = NGX_HTTP_DOCKET_MAX_WAIT;

    if (us / 1000 < NGX_HTTP_DOCKET_MAX_WAIT) {
        msec = (ngx_msec_t) (us / 1000);
    }

    if (msec == 0 || r->method == NGX_HTTP_HEAD
        || ngx_http_docket_status_final(r, st))
    {
        return ngx_http_docket_status_send(r, st);
    }

    return ngx_http_docket_suspend(r, msec, ngx_http_docket_status_event);
}


static void
ngx_http_docket_status_event(ngx_http_request_t *r, ngx_uint_t why)
{
    ngx_http_docket_ctx_t     *ctx;
    ngx_http_docket_status_t  *st;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    st = ctx->data;

    if (why == NGX_HTTP_DOCKET_CHANGED && !ngx_http_docket_status_final(r, st))
    {
        return;
    }

    ngx_http_docket_wait_done(r);
    ngx_http_finalize_request(r, ngx_http_docket_status_send(r, st));
}


/* Unknown jobs have nothing to wait for. */

static ngx_uint_t
ngx_http_docket_status_final(ngx_http_request_t *r,
    ngx_http_docket_status_t *st)
{
    ngx_http_docket_id_t   *ids;
    ngx_http_docket_job_t   job;

    ids = st->ids.elts;

    for ( /* void */ ; st->done < st->ids.nelts; st->done++) {

        if (ngx_http_docket_find(r, ids[st->done].id, &job, NULL) == NGX_OK
            && !docket_state_final(job.state))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_docket_status_send(ngx_http_request_t *r,
    ngx_http_docket_status_t *st)
{
    yajl_gen                g;
    ngx_int_t               rc;
    ngx_str_t               record;
    ngx_uint_t              i, known;
    ngx_http_docket_id_t   *ids;
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_job_t   job;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ids = st->ids.elts;
    known = 0;

    yajl_gen_map_open(g);

    for (i = 0; i < st->ids.nelts; i++) {

        rc = ngx_http_docket_find(r, ids[i].id, &job, &record);

        if (rc == NGX_ERROR) {
            return ngx_http_docket_no_job(r, rc, ids[i].id);
        }

        if (rc != NGX_OK) {
            continue;
        }

        ngx_http_docket_status_entry(g, ids[i].id, &record);

        ctx->job = job;
        known++;
    }

    yajl_gen_map_close(g);

    if (known == 0) {
        return ngx_http_docket_no_job(r, NGX_DECLINED, NULL);
    }

    ctx->known = (st->ids.nelts == 1);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


static void
ngx_http_docket_status_entry(yajl_gen g, const char *id, ngx_str_t *record)
{
    ngx_http_docket_gen_key(g, id);
    ngx_http_docket_gen_raw(g, record->data, record->len);
}


/* The newest jobs, a page of them. */

static ngx_int_t
ngx_http_docket_status_all(ngx_http_request_t *r)
{
    yajl_gen                  g;
    ngx_int_t                 rc;
    ngx_str_t                 record;
    ngx_uint_t                n;
    ngx_http_docket_job_t     job;
    ngx_http_docket_page_t    page;
    ngx_http_docket_walk_t   *walk;
    ngx_http_docket_entry_t   entry;

    rc = ngx_http_docket_page(r, &page);

    if (rc != NGX_OK) {
        return rc;
    }

    g = ngx_http_docket_gen(r);
    walk = ngx_http_docket_walk(r);

    if (g == NULL || walk == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_docket_walk_to(walk, &page);

    yajl_gen_map_open(g);

    n = 0;

    while (ngx_http_docket_walk_next(walk, &entry)) {

        if (n == page.limit) {
            page.more = 1;
            break;
        }

        rc = ngx_http_docket_lookup(r, entry.id, &job, &record, 0);

        if (rc != NGX_OK) {
            rc = ngx_http_docket_no_entry(r, rc, entry.id);

            if (rc != NGX_OK) {
                return rc;
            }

            continue;
        }

        ngx_http_docket_status_entry(g, entry.id, &record);
        ngx_memcpy(page.last, entry.id, sizeof(entry.id));
        n++;
    }

    yajl_gen_map_close(g);

    rc = ngx_http_docket_walk_end(r, walk);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_http_docket_page_link(r, &page) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}
