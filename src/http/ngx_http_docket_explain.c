/*
 * /explain: what a question means and what it would do; nothing is queued.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_input.h"
#include "http/ngx_http_docket_lookup.h"

#include <math.h>


#define NGX_HTTP_DOCKET_TEXTS        3    /* slices that are written out */
#define NGX_HTTP_DOCKET_TEXT         256  /* of one, without its terms */
#define NGX_HTTP_DOCKET_MOST_SLICES  20000


static ngx_int_t ngx_http_docket_explain_query(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_conf_t *conf,
    docket_query_t **query);
static ngx_int_t ngx_http_docket_valid_until(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_conf_t *conf, const char *id,
    int64_t *until);
static void ngx_http_docket_explain_weight(yajl_gen g,
    const docket_query_result_t *q, const docket_weight_t *weight);
static ngx_int_t ngx_http_docket_explain_requests(ngx_http_request_t *r,
    yajl_gen g, const docket_query_result_t *q);
static void ngx_http_docket_explain_sensor(yajl_gen g,
    ngx_http_docket_main_conf_t *mcf, const docket_query_result_t *q,
    int64_t oldest, char *buf);


ngx_int_t
ngx_http_docket_explain(ngx_http_request_t *r, ngx_str_t *rest)
{
    if (r->method == NGX_HTTP_POST && rest->len != 0) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "the question is taken from the path "
                                       "or from the body, not from both");
    }

    return ngx_http_docket_explain_from(r, (r->method == NGX_HTTP_POST)
                                           ? NGX_HTTP_DOCKET_FROM_RAW_BODY
                                           : NGX_HTTP_DOCKET_FROM_URI);
}


ngx_int_t
ngx_http_docket_explain_from(ngx_http_request_t *r,
    ngx_http_docket_source_e source)
{
    int64_t                       until;
    yajl_gen                      g;
    ngx_int_t                     rc;
    docket_query_t               *query;
    docket_query_conf_t          *conf;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_job_t         job;
    const docket_query_result_t  *q;
    ngx_http_docket_input_t       in;
    ngx_http_docket_loc_conf_t   *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_docket_module);

    rc = ngx_http_docket_input(r, source, ctx->offset, NULL, &in);

    if (rc != NGX_OK) {
        return rc;
    }

    conf = ngx_http_docket_query_conf(r);
    if (conf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_explain_query(r, &in, conf, &query);

    if (rc != NGX_OK) {
        return rc;
    }

    q = docket_query_result(query);

    until = 0;

    if (q->relative
        && ngx_http_docket_valid_until(r, &in, conf, q->id, &until) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "query");
    ngx_http_docket_gen_str(g, (u_char *) q->text, q->text_len);
    ngx_http_docket_gen_key(g, "id");
    ngx_http_docket_gen_cstr(g, q->id);
    ngx_http_docket_gen_key(g, "id_valid_until");
    ngx_http_docket_gen_time(g, until);
    ngx_http_docket_gen_key(g, "exact");
    yajl_gen_bool(g, q->exact);
    ngx_http_docket_gen_key(g, "relative");
    yajl_gen_bool(g, q->relative);
    ngx_http_docket_gen_key(g, "after");
    ngx_http_docket_gen_time(g, q->after);
    ngx_http_docket_gen_key(g, "before");
    ngx_http_docket_gen_time(g, q->before);

    ngx_http_docket_explain_weight(g, q, lcf->weight);

    ngx_http_docket_gen_key(g, "known");

    rc = ngx_http_docket_find(r, q->id, &job, NULL);

    if (rc == NGX_ERROR) {
        return ngx_http_docket_no_job(r, rc, q->id);
    }

    if (rc == NGX_OK) {
        ngx_http_docket_gen_cstr(g, docket_state_name(job.state));

    } else {
        yajl_gen_null(g);
    }

    if (ngx_http_docket_explain_requests(r, g, q) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->pivot != NULL) {
        ngx_http_docket_gen_pivot(g, ctx->pivot);
    }

    yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


/* However heavy it is: that is one of the things to be explained. */

static ngx_int_t
ngx_http_docket_explain_query(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_conf_t *conf,
    docket_query_t **query)
{
    ngx_int_t             rc;
    docket_weight_t      *weight;
    docket_query_error_t  err;

    if (conf->weight != NULL) {
        weight = ngx_palloc(r->pool, sizeof(docket_weight_t));
        if (weight == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        *weight = *conf->weight;
        weight->threshold = HUGE_VAL;
        conf->weight = weight;
    }

    rc = ngx_http_docket_parse(r, in, conf, query);

    if (rc == NGX_ERROR) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (rc == NGX_DECLINED) {
        err = *docket_query_error(*query);

    } else {
        rc = ngx_http_docket_check_filter(docket_query_result(*query), &err);
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_http_docket_problem_field(r, &err);

    return ngx_http_docket_refused(rc);
}


/*
 * The same words mean the same question until one of its ends goes on to the
 * next window, which happens within one window from now.
 */

static ngx_int_t
ngx_http_docket_valid_until(ngx_http_request_t *r,
    ngx_http_docket_input_t *in, docket_query_conf_t *conf, const char *id,
    int64_t *until)
{
    int64_t               same, other, mid;
    ngx_int_t             rc;
    docket_query_t       *query;
    docket_query_conf_t  *later;

    same = conf->now;
    other = conf->now + conf->time_window;

    while (other - same > DOCKET_SECOND / 1000) {
        mid = same + (other - same) / 2;

        later = ngx_palloc(r->pool, sizeof(docket_query_conf_t));
        if (later == NULL) {
            return NGX_ERROR;
        }

        *later = *conf;
        later->now = mid;

        rc = ngx_http_docket_parse(r, in, later, &query);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_OK && ngx_strcmp(docket_query_result(query)->id, id) == 0)
        {
            same = mid;

        } else {
            other = mid;
        }
    }

    *until = other - other % (DOCKET_SECOND / 1000);

    return NGX_OK;
}


static void
ngx_http_docket_explain_weight(yajl_gen g, const docket_query_result_t *q,
    const docket_weight_t *weight)
{
    ngx_http_docket_gen_key(g, "weight");

    if (weight == NULL) {
        yajl_gen_null(g);

    } else {
        ngx_http_docket_gen_double(g, q->weight);
    }

    ngx_http_docket_gen_key(g, "threshold");

    if (weight == NULL) {
        yajl_gen_null(g);

    } else {
        ngx_http_docket_gen_double(g, weight->threshold);
    }

    ngx_http_docket_gen_key(g, "too_heavy");
    yajl_gen_bool(g, weight != NULL && q->weight > weight->threshold
                     && !(q->ignore_weight && weight->override));
}


static ngx_int_t
ngx_http_docket_explain_requests(ngx_http_request_t *r, yajl_gen g,
    const docket_query_result_t *q)
{
    char                            *buf;
    ngx_uint_t                       i, k, n;
    const char *const               *names;
    ngx_http_docket_sensor_t        *sensor;
    ngx_http_docket_main_conf_t     *mcf;
    ngx_http_docket_sensor_state_t  *state;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    n = q->nsensors;
    names = ngx_http_docket_selected(mcf, q->sensors, &n);

    buf = ngx_pnalloc(r->pool, q->terms_len + NGX_HTTP_DOCKET_TEXT);
    state = ngx_palloc(r->pool, sizeof(ngx_http_docket_sensor_state_t));

    if (buf == NULL || state == NULL) {
        return NGX_ERROR;
    }

    ngx_http_docket_gen_key(g, "sensors");
    yajl_gen_array_open(g);

    for (i = 0; i < n; i++) {
        ngx_http_docket_gen_cstr(g, names[i]);
    }

    yajl_gen_array_close(g);

    sensor = mcf->sensors.elts;

    ngx_http_docket_gen_key(g, "requests");
    yajl_gen_map_open(g);

    for (i = 0; i < n; i++) {

        for (k = 0; k < mcf->sensors.nelts; k++) {
            if (ngx_strcmp(sensor[k].name.data, names[i]) == 0) {
                break;
            }
        }

        if (k == mcf->sensors.nelts
            || ngx_http_docket_zone_sensor(mcf->zone, sensor[k].shared, state)
               != NGX_OK)
        {
            continue;
        }

        ngx_http_docket_gen_key(g, names[i]);
        ngx_http_docket_explain_sensor(g, mcf, q, state->oldest, buf);
    }

    yajl_gen_map_close(g);

    return NGX_OK;
}


/*
 * As the helper cuts it: the first slice also has what lies before the
 * sensor's oldest packets, the last one what lies in the future.
 */

static void
ngx_http_docket_explain_sensor(yajl_gen g, ngx_http_docket_main_conf_t *mcf,
    const docket_query_result_t *q, int64_t oldest, char *buf)
{
    size_t      len, size;
    int64_t     after, before, edge, end, slice, padding;
    ngx_uint_t  k, slices;

    size = q->terms_len + NGX_HTTP_DOCKET_TEXT;
    padding = (int64_t) mcf->time_padding * 1000;
    slice = (int64_t) mcf->slice * 1000;

    while ((q->before - q->after) / slice > NGX_HTTP_DOCKET_MOST_SLICES) {
        slice *= 2;
    }

    edge = q->after + slice;

    if (oldest > edge) {
        edge += (oldest - edge) / slice * slice;
    }

    end = ngx_min(q->before, ngx_http_docket_time_now());
    slices = 1;

    if (end > edge) {
        slices += (ngx_uint_t) ((end - edge + slice - 1) / slice);
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "slices");
    ngx_http_docket_gen_number(g, slices);
    ngx_http_docket_gen_key(g, "texts");
    yajl_gen_array_open(g);

    for (k = 0; k < slices && k < NGX_HTTP_DOCKET_TEXTS; k++) {
        after = (k == 0) ? q->after : edge + (int64_t) (k - 1) * slice;
        before = (k + 1 == slices) ? q->before : edge + (int64_t) k * slice;

        len = docket_query_sensor_text(q->terms, ngx_max(after - padding, 0),
                                       before + padding, buf, size);

        ngx_http_docket_gen_str(g, (u_char *) buf, ngx_min(len, size - 1));
    }

    yajl_gen_array_close(g);
    yajl_gen_map_close(g);
}
