/*
 * /stats and /sensors.
 *
 * The helper alone talks to sensors: it is asked to look at all of them now,
 * and the answer waits until each has answered or failed.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_args.h"
#include "http/ngx_http_docket_ctx.h"
#include "http/ngx_http_docket_endpoints.h"
#include "http/ngx_http_docket_gen.h"
#include "http/ngx_http_docket_wait.h"


#define NGX_HTTP_DOCKET_STATS_GRACE  1000     /* milliseconds */
#define NGX_HTTP_DOCKET_DAY          86400


typedef struct {
    ngx_http_docket_sensor_t       **sensors;
    ngx_uint_t                       n;
    uint32_t                         wanted;
} ngx_http_docket_stats_t;


static ngx_int_t ngx_http_docket_stats_select(ngx_http_request_t *r,
    ngx_str_t *rest, ngx_http_docket_stats_t *st);
static ngx_int_t ngx_http_docket_stats_add(ngx_http_request_t *r,
    ngx_str_t *name, ngx_http_docket_stats_t *st);
static void ngx_http_docket_stats_event(ngx_http_request_t *r,
    ngx_uint_t why);
static ngx_uint_t ngx_http_docket_stats_fresh(ngx_http_request_t *r,
    ngx_http_docket_stats_t *st);
static ngx_int_t ngx_http_docket_stats_send(ngx_http_request_t *r,
    ngx_http_docket_stats_t *st);
static void ngx_http_docket_stats_sensor(yajl_gen g,
    ngx_http_docket_sensor_t *sensor, ngx_http_docket_sensor_state_t *state,
    ngx_uint_t fresh);
static void ngx_http_docket_stats_counters(yajl_gen g,
    ngx_http_docket_sensor_state_t *state);
static ngx_uint_t ngx_http_docket_stats_is_number(u_char *p, u_char *last);
static void ngx_http_docket_stats_health(yajl_gen g,
    ngx_http_docket_sensor_state_t *state);
static const char *ngx_http_docket_stats_health_name(ngx_uint_t health);
static void ngx_http_docket_stats_certificate(yajl_gen g,
    ngx_http_docket_sensor_t *sensor, ngx_http_docket_sensor_state_t *state);
static void ngx_http_docket_stats_docket(yajl_gen g,
    ngx_http_docket_main_conf_t *mcf);


ngx_int_t
ngx_http_docket_stats(ngx_http_request_t *r, ngx_str_t *rest)
{
    ngx_int_t                     rc;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_stats_t      *st;
    ngx_http_docket_main_conf_t  *mcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    st = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_stats_t));
    if (st == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_stats_select(r, rest, st);

    if (rc != NGX_OK) {
        return rc;
    }

    ctx->data = st;

    st->wanted = ngx_http_docket_zone_want_stats(mcf->zone);
    ngx_http_docket_wake_helper(mcf);

    if (!mcf->master || ngx_http_docket_stats_fresh(r, st)) {
        return ngx_http_docket_stats_send(r, st);
    }

    return ngx_http_docket_suspend(r, mcf->stat_timeout
                                      + NGX_HTTP_DOCKET_STATS_GRACE,
                                   ngx_http_docket_stats_event);
}


static ngx_int_t
ngx_http_docket_stats_select(ngx_http_request_t *r, ngx_str_t *rest,
    ngx_http_docket_stats_t *st)
{
    ngx_int_t                     rc;
    ngx_str_t                     list, name;
    ngx_uint_t                    i;
    ngx_http_docket_sensor_t     *sensor;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    st->sensors = ngx_palloc(r->pool, mcf->sensors.nelts
                                      * sizeof(ngx_http_docket_sensor_t *));
    if (st->sensors == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sensor = mcf->sensors.elts;

    if (rest->len == 0) {

        for (i = 0; i < mcf->sensors.nelts; i++) {
            st->sensors[st->n++] = &sensor[i];
        }

        return NGX_OK;
    }

    list = *rest;

    while (ngx_http_docket_word(&list, &name)) {
        rc = ngx_http_docket_stats_add(r, &name, st);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_docket_stats_add(ngx_http_request_t *r, ngx_str_t *name,
    ngx_http_docket_stats_t *st)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, k;
    ngx_http_docket_sensor_t     *sensor;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    sensor = mcf->sensors.elts;

    for (i = 0; i < mcf->sensors.nelts; i++) {

        if (sensor[i].name.len != name->len
            || ngx_memcmp(sensor[i].name.data, name->data, name->len) != 0)
        {
            continue;
        }

        for (k = 0; k < st->n; k++) {
            if (st->sensors[k] == &sensor[i]) {
                return NGX_OK;
            }
        }

        st->sensors[st->n++] = &sensor[i];

        return NGX_OK;
    }

    name->len = ngx_min(name->len, DOCKET_MAX_SENSOR);

    rc = ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                 "there is no sensor \"%V\"", name);

    return ngx_http_docket_refused(rc);
}


static void
ngx_http_docket_stats_event(ngx_http_request_t *r, ngx_uint_t why)
{
    ngx_http_docket_ctx_t    *ctx;
    ngx_http_docket_stats_t  *st;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    st = ctx->data;

    if (why == NGX_HTTP_DOCKET_CHANGED && !ngx_http_docket_stats_fresh(r, st))
    {
        return;
    }

    ngx_http_docket_wait_done(r);
    ngx_http_finalize_request(r, ngx_http_docket_stats_send(r, st));
}


static ngx_uint_t
ngx_http_docket_stats_fresh(ngx_http_request_t *r,
    ngx_http_docket_stats_t *st)
{
    ngx_uint_t                      i;
    ngx_http_docket_main_conf_t    *mcf;
    ngx_http_docket_sensor_state_t  state;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    for (i = 0; i < st->n; i++) {

        if (ngx_http_docket_zone_sensor(mcf->zone, st->sensors[i]->shared,
                                        &state)
            == NGX_OK
            && (int32_t) (state.stats_seq - st->wanted) < 0)
        {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ngx_http_docket_stats_send(ngx_http_request_t *r,
    ngx_http_docket_stats_t *st)
{
    yajl_gen                        g;
    ngx_uint_t                      i;
    ngx_http_docket_main_conf_t    *mcf;
    ngx_http_docket_sensor_state_t  state;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    yajl_gen_map_open(g);

    for (i = 0; i < st->n; i++) {

        if (ngx_http_docket_zone_sensor(mcf->zone, st->sensors[i]->shared,
                                        &state)
            != NGX_OK)
        {
            continue;
        }

        ngx_http_docket_gen_key(g, (char *) st->sensors[i]->name.data);
        ngx_http_docket_stats_sensor(g, st->sensors[i], &state,
                                     (int32_t) (state.stats_seq - st->wanted)
                                     >= 0);
    }

    ngx_http_docket_gen_key(g, "docket");
    ngx_http_docket_stats_docket(g, mcf);
    yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


static void
ngx_http_docket_stats_sensor(yajl_gen g, ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state, ngx_uint_t fresh)
{
    yajl_gen_map_open(g);

    ngx_http_docket_stats_counters(g, state);

    ngx_http_docket_gen_key(g, "oldest_timestamp");
    ngx_http_docket_gen_time(g, state->oldest);

    ngx_http_docket_stats_health(g, state);

    ngx_http_docket_gen_key(g, "fresh");
    yajl_gen_bool(g, fresh);
    ngx_http_docket_gen_key(g, "error");

    if (state->error[0] != '\0') {
        ngx_http_docket_gen_cstr(g, state->error);

    } else if (!fresh) {
        ngx_http_docket_gen_cstr(g, "there is no fresh answer");

    } else {
        yajl_gen_null(g);
    }

    ngx_http_docket_stats_certificate(g, sensor, state);

    yajl_gen_map_close(g);
}


/* Stenographer's own, as it names them; its timestamp comes as a time. */

static void
ngx_http_docket_stats_counters(yajl_gen g,
    ngx_http_docket_sensor_state_t *state)
{
    u_char  *p, *last, *end, *tab;

    p = state->stats;
    end = p + ngx_min(state->stats_len, NGX_HTTP_DOCKET_STATS_LEN);

    for ( /* void */ ; p < end; p = last + 1) {
        last = ngx_strlchr(p, end, '\n');

        if (last == NULL) {
            last = end;
        }

        tab = ngx_strlchr(p, last, '\t');

        if (tab == NULL || tab == p
            || ((size_t) (tab - p) == sizeof("oldest_timestamp") - 1
                && ngx_memcmp(p, "oldest_timestamp", tab - p) == 0))
        {
            continue;
        }

        ngx_http_docket_gen_str(g, p, tab - p);

        if (ngx_http_docket_stats_is_number(tab + 1, last)) {
            ngx_http_docket_gen_raw(g, tab + 1, last - tab - 1);

        } else {
            ngx_http_docket_gen_str(g, tab + 1, last - tab - 1);
        }
    }
}


/* An integer as JSON has it. */

static ngx_uint_t
ngx_http_docket_stats_is_number(u_char *p, u_char *last)
{
    if (p < last && *p == '-') {
        p++;
    }

    if (p == last || last - p > 19 || (*p == '0' && last - p > 1)) {
        return 0;
    }

    for ( /* void */ ; p < last; p++) {
        if (*p < '0' || *p > '9') {
            return 0;
        }
    }

    return 1;
}


static void
ngx_http_docket_stats_health(yajl_gen g,
    ngx_http_docket_sensor_state_t *state)
{
    ngx_http_docket_gen_key(g, "health");
    ngx_http_docket_gen_cstr(g,
                             ngx_http_docket_stats_health_name(state->health));
    ngx_http_docket_gen_key(g, "checked");
    ngx_http_docket_gen_time(g, state->checked);
    ngx_http_docket_gen_key(g, "changed");
    ngx_http_docket_gen_time(g, state->changed);
    ngx_http_docket_gen_key(g, "active");
    ngx_http_docket_gen_number(g, state->active);
    ngx_http_docket_gen_key(g, "waiting");
    ngx_http_docket_gen_number(g, state->waiting);
}


static const char *
ngx_http_docket_stats_health_name(ngx_uint_t health)
{
    switch (health) {

    case NGX_HTTP_DOCKET_SENSOR_UP:
        return "up";

    case NGX_HTTP_DOCKET_SENSOR_BUSY:
        return "busy";

    case NGX_HTTP_DOCKET_SENSOR_DOWN:
        return "down";

    default:
        return "unknown";
    }
}


static void
ngx_http_docket_stats_certificate(yajl_gen g,
    ngx_http_docket_sensor_t *sensor, ngx_http_docket_sensor_state_t *state)
{
    int64_t  client, server, first, days;
    u_char   buf[NGX_INT64_LEN + 1];

    client = (sensor->certificate != NULL) ? sensor->certificate->not_after : 0;
    server = state->not_after;

    first = (client == 0 || (server != 0 && server < client)) ? server : client;

    ngx_http_docket_gen_key(g, "certificate");
    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "client_not_after");
    ngx_http_docket_gen_time(g, client * DOCKET_SECOND);
    ngx_http_docket_gen_key(g, "server_not_after");
    ngx_http_docket_gen_time(g, server * DOCKET_SECOND);
    ngx_http_docket_gen_key(g, "days_left");

    if (first == 0) {
        yajl_gen_null(g);

    } else {
        days = (first - (int64_t) ngx_time()) / NGX_HTTP_DOCKET_DAY;
        ngx_http_docket_gen_raw(g, buf, ngx_sprintf(buf, "%L", days) - buf);
    }

    yajl_gen_map_close(g);
}


static void
ngx_http_docket_stats_docket(yajl_gen g, ngx_http_docket_main_conf_t *mcf)
{
    uint64_t                     bytes, nodes;
    ngx_http_docket_zone_info_t  info;

    ngx_http_docket_zone_info(mcf->zone, &info);

    if (docket_spool_space(&mcf->sp, &bytes, &nodes) != DOCKET_OK) {
        bytes = info.free_bytes;
        nodes = info.free_nodes;
    }

    yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "Free space");
    yajl_gen_array_open(g);
    ngx_http_docket_gen_number(g, bytes);
    ngx_http_docket_gen_number(g, nodes);
    yajl_gen_array_close(g);
    ngx_http_docket_gen_key(g, "low");
    yajl_gen_bool(g, info.low);
    ngx_http_docket_gen_key(g, "queue");
    ngx_http_docket_gen_number(g, info.queued);
    ngx_http_docket_gen_key(g, "running");
    ngx_http_docket_gen_number(g, info.running);
    ngx_http_docket_gen_key(g, "jobs");
    ngx_http_docket_gen_number(g, info.jobs);
    ngx_http_docket_gen_key(g, "expire_time");
    ngx_http_docket_gen_number(g, mcf->expire_time / 1000);
    ngx_http_docket_gen_key(g, "generation");
    ngx_http_docket_gen_number(g, info.generation);
    ngx_http_docket_gen_key(g, "helper");
    yajl_gen_bool(g, info.helper != 0);
    ngx_http_docket_gen_key(g, "waits");
    yajl_gen_bool(g, info.helper == 0 && info.waits);
    ngx_http_docket_gen_key(g, "version");
    ngx_http_docket_gen_cstr(g, NGX_HTTP_DOCKET_VERSION);
    yajl_gen_map_close(g);
}


ngx_int_t
ngx_http_docket_sensors(ngx_http_request_t *r, ngx_str_t *rest)
{
    yajl_gen                        g;
    ngx_uint_t                      i;
    ngx_http_docket_sensor_t       *sensor;
    ngx_http_docket_main_conf_t    *mcf;
    ngx_http_docket_sensor_state_t  state;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sensor = mcf->sensors.elts;

    yajl_gen_array_open(g);

    for (i = 0; i < mcf->sensors.nelts; i++) {

        if (ngx_http_docket_zone_sensor(mcf->zone, sensor[i].shared, &state)
            != NGX_OK)
        {
            continue;
        }

        yajl_gen_map_open(g);
        ngx_http_docket_gen_key(g, "name");
        ngx_http_docket_gen_cstr(g, (char *) sensor[i].name.data);
        ngx_http_docket_gen_key(g, "host");
        ngx_http_docket_gen_cstr(g, (char *) sensor[i].host.data);
        ngx_http_docket_gen_key(g, "port");
        ngx_http_docket_gen_number(g, sensor[i].port);
        ngx_http_docket_gen_key(g, "max_queries");
        ngx_http_docket_gen_number(g, sensor[i].max_queries);
        ngx_http_docket_stats_health(g, &state);
        ngx_http_docket_gen_key(g, "error");

        if (state.error[0] != '\0') {
            ngx_http_docket_gen_cstr(g, state.error);

        } else {
            yajl_gen_null(g);
        }

        ngx_http_docket_gen_key(g, "oldest_timestamp");
        ngx_http_docket_gen_time(g, state.oldest);
        ngx_http_docket_stats_certificate(g, &sensor[i], &state);
        yajl_gen_map_close(g);
    }

    yajl_gen_array_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}
