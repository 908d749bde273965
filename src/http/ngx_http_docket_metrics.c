/*
 * /metrics: Prometheus' text format, version 0.0.4.
 */

#include "http/ngx_http_docket_answer.h"
#include "http/ngx_http_docket_endpoints.h"
#include "job/docket_index.h"
#include "zone/ngx_http_docket_zone.h"


#define NGX_HTTP_DOCKET_LINE         320      /* with a sensor's name */
#define NGX_HTTP_DOCKET_COUNT_AGAIN  10000    /* milliseconds */


typedef struct {
    u_char                          *pos;
    u_char                          *last;
} ngx_http_docket_text_t;


/* A value of each sensor. */

typedef double (*ngx_http_docket_gauge_pt)(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);

typedef struct {
    const char                      *name;
    const char                      *type;
    const char                      *help;
    ngx_http_docket_gauge_pt         value;
} ngx_http_docket_gauge_t;


static void ngx_http_docket_metrics_print(ngx_http_docket_text_t *t,
    const char *fmt, ...);
static void ngx_http_docket_metrics_head(ngx_http_docket_text_t *t,
    const char *name, const char *type, const char *help);
static void ngx_http_docket_metrics_one(ngx_http_docket_text_t *t,
    const char *name, const char *type, const char *help, uint64_t value);
static void ngx_http_docket_metrics_jobs(ngx_http_docket_text_t *t,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_zone_info_t *info,
    ngx_log_t *log);
static void ngx_http_docket_metrics_counters(ngx_http_docket_text_t *t,
    ngx_http_docket_zone_info_t *info);
static void ngx_http_docket_metrics_histogram(ngx_http_docket_text_t *t,
    const char *name, const char *help, ngx_http_docket_histogram_t *h);
static void ngx_http_docket_metrics_sensors(ngx_http_docket_text_t *t,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_sensor_state_t *states);
static void ngx_http_docket_metrics_space(ngx_http_docket_text_t *t,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_zone_info_t *info);
static const uint64_t *ngx_http_docket_metrics_count(
    ngx_http_docket_main_conf_t *mcf, ngx_log_t *log);

static double ngx_http_docket_gauge_up(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_busy(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_active(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_waiting(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_queries(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_failures(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_received(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_client(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);
static double ngx_http_docket_gauge_server(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state);


static ngx_http_docket_gauge_t  ngx_http_docket_gauges[] = {

    { "docket_sensor_up", "gauge",
      "Whether the sensor answered last.", ngx_http_docket_gauge_up },

    { "docket_sensor_busy", "gauge",
      "Whether the sensor was at work for others.",
      ngx_http_docket_gauge_busy },

    { "docket_sensor_active", "gauge",
      "Queries under way.", ngx_http_docket_gauge_active },

    { "docket_sensor_waiting", "gauge",
      "Jobs that wait for the sensor.", ngx_http_docket_gauge_waiting },

    { "docket_sensor_queries_total", "counter",
      "Queries sent to the sensor.", ngx_http_docket_gauge_queries },

    { "docket_sensor_failures_total", "counter",
      "Queries that the sensor did not answer whole.",
      ngx_http_docket_gauge_failures },

    { "docket_sensor_received_bytes_total", "counter",
      "Bytes that came from the sensor.", ngx_http_docket_gauge_received },

    { "docket_sensor_certificate_expiry_seconds", "gauge",
      "When the sensor's own certificate ends, since the epoch; 0: unknown.",
      ngx_http_docket_gauge_server },

    { "docket_sensor_client_certificate_expiry_seconds", "gauge",
      "When the certificate shown to the sensor ends, since the epoch.",
      ngx_http_docket_gauge_client },

    { NULL, NULL, NULL, NULL }
};


ngx_int_t
ngx_http_docket_metrics(ngx_http_request_t *r, ngx_str_t *rest)
{
    size_t                           size;
    ngx_str_t                        type, body;
    ngx_uint_t                       i, n, ngauges;
    ngx_http_docket_text_t           t;
    ngx_http_docket_sensor_t        *sensor;
    ngx_http_docket_zone_info_t      info;
    ngx_http_docket_main_conf_t     *mcf;
    ngx_http_docket_sensor_state_t  *states;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    sensor = mcf->sensors.elts;
    n = mcf->sensors.nelts;
    ngauges = sizeof(ngx_http_docket_gauges)
              / sizeof(ngx_http_docket_gauges[0]);

    size = (n * ngauges + 128) * NGX_HTTP_DOCKET_LINE;

    states = ngx_pcalloc(r->pool, n * sizeof(ngx_http_docket_sensor_state_t));
    body.data = ngx_pnalloc(r->pool, size);

    if (states == NULL || body.data == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_docket_zone_info(mcf->zone, &info);

    for (i = 0; i < n; i++) {
        (void) ngx_http_docket_zone_sensor(mcf->zone, sensor[i].shared,
                                           &states[i]);
    }

    t.pos = body.data;
    t.last = body.data + size;

    ngx_http_docket_metrics_head(&t, "docket_build_info", "gauge",
                                 "The module's version.");
    ngx_http_docket_metrics_print(&t, "docket_build_info{version=\"%s\","
                                  "nginx=\"%s\"} 1\n",
                                  NGX_HTTP_DOCKET_VERSION, NGINX_VERSION);
    ngx_http_docket_metrics_one(&t, "docket_helper_up", "gauge",
                                "Whether a helper works off the queue.",
                                info.helper != 0);
    ngx_http_docket_metrics_one(&t, "docket_generation", "gauge",
                                "Configurations loaded since the zone was "
                                "made.", info.generation);

    ngx_http_docket_metrics_jobs(&t, mcf, &info, r->connection->log);
    ngx_http_docket_metrics_counters(&t, &info);
    ngx_http_docket_metrics_histogram(&t, "docket_wait_seconds",
                                      "From the question to its start.",
                                      &info.counters.wait);
    ngx_http_docket_metrics_histogram(&t, "docket_run_seconds",
                                      "From a run's start to its end.",
                                      &info.counters.run);
    ngx_http_docket_metrics_histogram(&t, "docket_query_seconds",
                                      "One query to one sensor.",
                                      &info.counters.query);
    ngx_http_docket_metrics_sensors(&t, mcf, states);
    ngx_http_docket_metrics_space(&t, mcf, &info);

    ngx_str_set(&type, "text/plain; version=0.0.4; charset=utf-8");
    body.len = t.pos - body.data;

    return ngx_http_docket_send(r, NGX_HTTP_OK, &type, &body);
}


static void
ngx_http_docket_metrics_print(ngx_http_docket_text_t *t, const char *fmt, ...)
{
    va_list  args;

    va_start(args, fmt);
    t->pos = ngx_vslprintf(t->pos, t->last, fmt, args);
    va_end(args);
}


static void
ngx_http_docket_metrics_head(ngx_http_docket_text_t *t, const char *name,
    const char *type, const char *help)
{
    ngx_http_docket_metrics_print(t, "# HELP %s %s\n# TYPE %s %s\n", name,
                                  help, name, type);
}


static void
ngx_http_docket_metrics_one(ngx_http_docket_text_t *t, const char *name,
    const char *type, const char *help, uint64_t value)
{
    ngx_http_docket_metrics_head(t, name, type, help);
    ngx_http_docket_metrics_print(t, "%s %uL\n", name, value);
}


static void
ngx_http_docket_metrics_jobs(ngx_http_docket_text_t *t,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_zone_info_t *info,
    ngx_log_t *log)
{
    const uint64_t  *count;

    count = ngx_http_docket_metrics_count(mcf, log);

    ngx_http_docket_metrics_head(t, "docket_jobs", "gauge",
                                 "Jobs by state; finished ones as last "
                                 "counted.");
    ngx_http_docket_metrics_print(t, "docket_jobs{state=\"queued\"} %ui\n"
                                  "docket_jobs{state=\"running\"} %ui\n",
                                  info->queued, info->running);

    if (count != NULL) {
        ngx_http_docket_metrics_print(t,
                                  "docket_jobs{state=\"completed\"} %uL\n"
                                  "docket_jobs{state=\"failed\"} %uL\n"
                                  "docket_jobs{state=\"cancelled\"} %uL\n",
                                  count[DOCKET_COMPLETED],
                                  count[DOCKET_FAILED],
                                  count[DOCKET_CANCELLED]);
    }

    ngx_http_docket_metrics_one(t, "docket_queue_length", "gauge",
                                "Jobs that wait for their turn.",
                                info->queued);
}


/*
 * Some milliseconds for a large spool, and so not at each scrape.  NULL: the
 * index can't be read; no number is better than a wrong one.
 */

static const uint64_t *
ngx_http_docket_metrics_count(ngx_http_docket_main_conf_t *mcf, ngx_log_t *log)
{
    size_t                  i;
    docket_index_view_t     view;
    docket_index_record_t   rec;

    static uint64_t         count[DOCKET_CANCELLED + 1];
    static ngx_msec_t       counted;
    static ngx_uint_t       valid;

    if (valid && ngx_current_msec - counted < NGX_HTTP_DOCKET_COUNT_AGAIN) {
        return count;
    }

    valid = 0;
    ngx_memzero(count, sizeof(count));

    if (docket_index_open(&mcf->sp, &view) != DOCKET_OK) {

        if (ngx_errno == NGX_ENOENT) {
            return count;
        }

        ngx_log_error(NGX_LOG_CRIT, log, ngx_errno,
                      "docket: reading the index failed");
        return NULL;
    }

    for (i = 0; i < view.count; i++) {
        if (docket_index_read(&view, i, &rec)
            && rec.state <= DOCKET_CANCELLED)
        {
            count[rec.state]++;
        }

        if (view.error != 0) {
            docket_index_close(&view);

            ngx_log_error(NGX_LOG_CRIT, log, view.error,
                          "docket: reading the index failed");
            return NULL;
        }
    }

    /* a small one costs nothing */

    valid = (view.count > 1000);
    counted = ngx_current_msec;

    docket_index_close(&view);

    return count;
}


static void
ngx_http_docket_metrics_counters(ngx_http_docket_text_t *t,
    ngx_http_docket_zone_info_t *info)
{
    ngx_http_docket_counters_t  *c;

    c = &info->counters;

    ngx_http_docket_metrics_one(t, "docket_questions_total", "counter",
                                "Questions taken.", c->asked);
    ngx_http_docket_metrics_one(t, "docket_duplicates_total", "counter",
                                "Questions that a known job answered.",
                                c->duplicates);
    ngx_http_docket_metrics_one(t, "docket_refused_total", "counter",
                                "Questions refused.", c->refused);
    ngx_http_docket_metrics_head(t, "docket_jobs_total", "counter",
                                 "Runs that ended, by result; partial ones "
                                 "are completed ones too.");
    ngx_http_docket_metrics_print(t,
                                  "docket_jobs_total{result=\"completed\"} "
                                  "%uL\n"
                                  "docket_jobs_total{result=\"partial\"} "
                                  "%uL\n"
                                  "docket_jobs_total{result=\"failed\"} %uL\n"
                                  "docket_jobs_total{result=\"cancelled\"} "
                                  "%uL\n",
                                  c->completed, c->partial, c->failed,
                                  c->cancelled);
    ngx_http_docket_metrics_one(t, "docket_packets_total", "counter",
                                "Packets written into captures.", c->packets);
    ngx_http_docket_metrics_one(t, "docket_bytes_total", "counter",
                                "Bytes written into captures.", c->bytes);
    ngx_http_docket_metrics_one(t, "docket_expired_total", "counter",
                                "Jobs removed by cleaning.", c->expired);
}


static void
ngx_http_docket_metrics_histogram(ngx_http_docket_text_t *t, const char *name,
    const char *help, ngx_http_docket_histogram_t *h)
{
    char        number[32];
    ngx_uint_t  i;

    ngx_http_docket_metrics_head(t, name, "histogram", help);

    for (i = 0; i < NGX_HTTP_DOCKET_BUCKETS - 1; i++) {
        (void) snprintf(number, sizeof(number), "%g",
                        ngx_http_docket_bucket_le[i]);
        ngx_http_docket_metrics_print(t, "%s_bucket{le=\"%s\"} %uL\n", name,
                                      number, h->count[i]);
    }

    (void) snprintf(number, sizeof(number), "%.9g", h->sum);

    ngx_http_docket_metrics_print(t, "%s_bucket{le=\"+Inf\"} %uL\n"
                                  "%s_sum %s\n%s_count %uL\n",
                                  name, h->count[i], name, number, name,
                                  h->count[i]);
}


static void
ngx_http_docket_metrics_sensors(ngx_http_docket_text_t *t,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_sensor_state_t *states)
{
    char                      number[32];
    ngx_uint_t                i;
    ngx_http_docket_gauge_t  *gauge;
    ngx_http_docket_sensor_t *sensor;

    sensor = mcf->sensors.elts;

    for (gauge = ngx_http_docket_gauges; gauge->name != NULL; gauge++) {

        ngx_http_docket_metrics_head(t, gauge->name, gauge->type,
                                     gauge->help);

        for (i = 0; i < mcf->sensors.nelts; i++) {
            (void) snprintf(number, sizeof(number), "%.15g",
                            gauge->value(&sensor[i], &states[i]));
            ngx_http_docket_metrics_print(t, "%s{sensor=\"%V\"} %s\n",
                                          gauge->name, &sensor[i].name,
                                          number);
        }
    }
}


static void
ngx_http_docket_metrics_space(ngx_http_docket_text_t *t,
    ngx_http_docket_main_conf_t *mcf, ngx_http_docket_zone_info_t *info)
{
    uint64_t  bytes, nodes;

    if (docket_spool_space(&mcf->sp, &bytes, &nodes) != DOCKET_OK) {
        bytes = info->free_bytes;
        nodes = info->free_nodes;
    }

    ngx_http_docket_metrics_one(t, "docket_spool_free_bytes", "gauge",
                                "Free space of the spool.", bytes);
    ngx_http_docket_metrics_one(t, "docket_spool_free_nodes", "gauge",
                                "Free nodes of the spool.", nodes);
    ngx_http_docket_metrics_one(t, "docket_spool_low", "gauge",
                                "Whether questions are refused for lack of "
                                "space.", info->low);
}


static double
ngx_http_docket_gauge_up(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return state->health == NGX_HTTP_DOCKET_SENSOR_UP
           || state->health == NGX_HTTP_DOCKET_SENSOR_BUSY;
}


static double
ngx_http_docket_gauge_busy(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return state->health == NGX_HTTP_DOCKET_SENSOR_BUSY;
}


static double
ngx_http_docket_gauge_active(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return state->active;
}


static double
ngx_http_docket_gauge_waiting(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return state->waiting;
}


static double
ngx_http_docket_gauge_queries(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return (double) state->queries;
}


static double
ngx_http_docket_gauge_failures(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return (double) state->failures;
}


static double
ngx_http_docket_gauge_received(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return (double) state->received;
}


static double
ngx_http_docket_gauge_server(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return (double) state->not_after;
}


static double
ngx_http_docket_gauge_client(ngx_http_docket_sensor_t *sensor,
    ngx_http_docket_sensor_state_t *state)
{
    return (sensor->certificate != NULL)
           ? (double) sensor->certificate->not_after : 0;
}
