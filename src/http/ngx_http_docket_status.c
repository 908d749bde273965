/*
 * What is known: jobs, lists, sensors.
 */

#include "http/ngx_http_docket_status.h"
#include "job/docket_index.h"


#define NGX_HTTP_DOCKET_MAX_IDS   1000
#define NGX_HTTP_DOCKET_MAX_WAIT  300000


typedef struct {
    ngx_array_t  ids;                 /* u_char[DOCKET_ID_LEN + 1] */
    ngx_uint_t   all;                 /* none was named */
} ngx_http_docket_ids_t;


static ngx_int_t ngx_http_docket_ids_parse(ngx_http_request_t *r,
    ngx_str_t *rest, ngx_http_docket_ids_t *list);
static ngx_int_t ngx_http_docket_ids_all(ngx_http_request_t *r,
    ngx_http_docket_ids_t *list, ngx_uint_t max, ngx_uint_t captures);
static ngx_int_t ngx_http_docket_status_send(ngx_http_request_t *r,
    ngx_uint_t may_wait);
static void ngx_http_docket_status_wait(ngx_http_request_t *r,
    ngx_uint_t why);


/* Separators are those of the original: , ; + tab space. */

static ngx_int_t
ngx_http_docket_ids_parse(ngx_http_request_t *r, ngx_str_t *rest,
    ngx_http_docket_ids_t *list)
{
    char    id[DOCKET_ID_LEN + 1];
    u_char  *p, *start, *last, *slot;

    list->all = (rest->len == 0);

    if (ngx_array_init(&list->ids, r->pool, 4, DOCKET_ID_LEN + 1) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    p = rest->data;
    last = p + rest->len;

    while (p < last) {
        start = p;

        while (p < last && ngx_strchr(",;+ \t", *p) == NULL) {
            p++;
        }

        if (p == start) {
            p++;
            continue;
        }

        if (!docket_spool_id((char *) start, p - start, id)) {
            return ngx_http_docket_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "\"%*s\" is no id: 32 hex digits "
                                           "are expected",
                                           ngx_min(p - start, 64), start);
        }

        if (list->ids.nelts >= NGX_HTTP_DOCKET_MAX_IDS) {
            return ngx_http_docket_problem(r, NGX_HTTP_BAD_REQUEST,
                                           "more than %d ids are asked for",
                                           NGX_HTTP_DOCKET_MAX_IDS);
        }

        slot = ngx_array_push(&list->ids);
        if (slot == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ngx_memcpy(slot, id, DOCKET_ID_LEN + 1);
    }

    return NGX_OK;
}


/* Newest first: what the helper has not indexed yet, then the index. */

static ngx_int_t
ngx_http_docket_ids_all(ngx_http_request_t *r, ngx_http_docket_ids_t *list,
    ngx_uint_t max, ngx_uint_t captures)
{
    size_t                        i;
    u_char                       *slot;
    ngx_uint_t                    n, k;
    ngx_http_docket_job_t        *jobs;
    docket_index_view_t           view;
    docket_index_record_t         rec;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);

    if (!captures) {
        jobs = ngx_palloc(r->pool, 1024 * sizeof(ngx_http_docket_job_t));
        if (jobs == NULL) {
            return NGX_ERROR;
        }

        n = ngx_http_docket_zone_unindexed(mcf->zone, jobs, 1024);

        for (k = 0; k < n && list->ids.nelts < max; k++) {
            slot = ngx_array_push(&list->ids);
            if (slot == NULL) {
                return NGX_ERROR;
            }

            ngx_memcpy(slot, jobs[k].id, DOCKET_ID_LEN + 1);
        }
    }

    if (docket_index_open(&mcf->sp, &view) != DOCKET_OK) {
        return NGX_OK;
    }

    for (i = view.count; i > 0 && list->ids.nelts < max; i--) {

        if (!docket_index_read(&view, i - 1, &rec)
            || (rec.flags & DOCKET_INDEX_DELETED)
            || (captures && !(rec.flags & DOCKET_INDEX_CAPTURE)))
        {
            continue;
        }

        slot = ngx_array_push(&list->ids);
        if (slot == NULL) {
            docket_index_close(&view);
            return NGX_ERROR;
        }

        docket_id_unpack(rec.id, (char *) slot);
    }

    docket_index_close(&view);

    return NGX_OK;
}


ngx_int_t
ngx_http_docket_status(ngx_http_request_t *r, ngx_str_t *rest)
{
    int64_t                 us;
    ngx_int_t               rc;
    ngx_str_t               wait;
    ngx_http_docket_ctx_t  *ctx;
    ngx_http_docket_ids_t  *list;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);

    list = ngx_pcalloc(r->pool, sizeof(ngx_http_docket_ids_t));
    if (list == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_docket_ids_parse(r, rest, list);
    if (rc != NGX_OK) {
        return rc;
    }

    if (list->all
        && ngx_http_docket_ids_all(r, list, 100, 0) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->data = list;

    if (list->all
        || ngx_http_arg(r, (u_char *) "wait", 4, &wait) != NGX_OK)
    {
        return ngx_http_docket_status_send(r, 0);
    }

    if (docket_parse_duration((char *) wait.data, wait.len, &us) != DOCKET_OK
        || us > (int64_t) NGX_HTTP_DOCKET_MAX_WAIT * 1000)
    {
        return ngx_http_docket_problem(r, NGX_HTTP_BAD_REQUEST,
                                       "wait: \"%V\" is no duration of at most "
                                       "5m, as 30s", &wait);
    }

    rc = ngx_http_docket_status_send(r, us >= 1000);

    if (rc != NGX_AGAIN) {
        return rc;
    }

    rc = ngx_http_docket_wait(r, (ngx_msec_t) (us / 1000),
                              ngx_http_docket_status_wait);

    if (rc == NGX_BUSY) {
        return ngx_http_docket_problem(r, NGX_HTTP_SERVICE_UNAVAILABLE,
                                       "too many requests wait");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->main->count++;

    return NGX_DONE;
}


static void
ngx_http_docket_status_wait(ngx_http_request_t *r, ngx_uint_t why)
{
    ngx_int_t  rc;

    rc = ngx_http_docket_status_send(r, why == NGX_HTTP_DOCKET_CHANGED);

    if (rc == NGX_AGAIN) {
        return;
    }

    ngx_http_docket_wait_done(r);
    ngx_http_finalize_request(r, rc);
}


/* NGX_AGAIN: "may_wait", and one of the jobs is not final. */

static ngx_int_t
ngx_http_docket_status_send(ngx_http_request_t *r, ngx_uint_t may_wait)
{
    u_char                       *id;
    yajl_gen                      g;
    ngx_str_t                     record;
    ngx_uint_t                    i, found;
    ngx_http_docket_ctx_t        *ctx;
    ngx_http_docket_ids_t        *list;
    ngx_http_docket_job_t         job;

    ctx = ngx_http_get_module_ctx(r, ngx_http_docket_module);
    list = ctx->data;
    id = list->ids.elts;

    if (may_wait) {

        for (i = 0; i < list->ids.nelts; i++) {
            if (ngx_http_docket_find(r, (char *) id + i * (DOCKET_ID_LEN + 1),
                                     &job, NULL)
                == NGX_OK
                && !docket_state_final(job.state))
            {
                return NGX_AGAIN;
            }
        }
    }

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    found = 0;
    (void) yajl_gen_map_open(g);

    for (i = 0; i < list->ids.nelts; i++, id += DOCKET_ID_LEN + 1) {

        if (ngx_http_docket_find(r, (char *) id, &job, &record) != NGX_OK) {
            continue;
        }

        found++;
        ngx_http_docket_gen_str(g, id, DOCKET_ID_LEN);

        /* the record is JSON already: it is put out as it is */
        (void) yajl_gen_number(g, (char *) record.data, record.len);
    }

    (void) yajl_gen_map_close(g);

    if (found == 0 && !list->all) {
        return ngx_http_docket_problem(r, NGX_HTTP_NOT_FOUND,
                                       "no job has this id");
    }

    if (list->ids.nelts == 1 && found == 1) {
        ctx->job = job;
        ctx->known = 1;
    }

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


ngx_int_t
ngx_http_docket_list(ngx_http_request_t *r, ngx_str_t *rest, ngx_uint_t urls)
{
    u_char                 *id;
    yajl_gen                g;
    ngx_int_t               rc;
    ngx_str_t               url;
    ngx_uint_t              i;
    ngx_http_docket_ids_t   list;
    ngx_http_docket_job_t   job;

    rc = ngx_http_docket_ids_parse(r, rest, &list);
    if (rc != NGX_OK) {
        return rc;
    }

    if (list.all
        && ngx_http_docket_ids_all(r, &list, NGX_MAX_UINT32_VALUE, urls)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) (urls ? yajl_gen_map_open(g) : yajl_gen_array_open(g));

    id = list.ids.elts;

    for (i = 0; i < list.ids.nelts; i++, id += DOCKET_ID_LEN + 1) {

        if (!list.all
            && (ngx_http_docket_find(r, (char *) id, &job, NULL) != NGX_OK
                || (urls && job.capture_run == 0)))
        {
            continue;
        }

        ngx_http_docket_gen_str(g, id, DOCKET_ID_LEN);

        if (urls) {
            if (ngx_http_docket_result_url(r, (char *) id, &url) != NGX_OK) {
                return NGX_HTTP_INTERNAL_SERVER_ERROR;
            }

            ngx_http_docket_gen_str(g, url.data, url.len);
        }
    }

    (void) (urls ? yajl_gen_map_close(g) : yajl_gen_array_close(g));

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}


/* "name<TAB>value" lines; the one time among them in words. */

static void
ngx_http_docket_stats_lines(yajl_gen g, ngx_http_docket_sensor_state_t *s)
{
    u_char  *p, *last, *tab, *end;

    p = s->stats;
    last = p + s->stats_len;

    while (p < last) {
        end = ngx_strlchr(p, last, '\n');
        end = (end == NULL) ? last : end;
        tab = ngx_strlchr(p, end, '\t');

        if (tab != NULL && tab + 1 < end && tab[1] >= '0' && tab[1] <= '9') {
            ngx_http_docket_gen_str(g, p, tab - p);

            if (tab - p == 16 && ngx_strncmp(p, "oldest_timestamp", 16) == 0) {
                ngx_http_docket_gen_time(g, s->oldest);

            } else {
                (void) yajl_gen_integer(g, ngx_atoof(tab + 1, end - tab - 1));
            }
        }

        p = end + 1;
    }
}


/* Is the name one of the list's? */

static ngx_uint_t
ngx_http_docket_named(ngx_str_t *list, ngx_str_t *name)
{
    u_char  *p, *start, *last;

    last = list->data + list->len;

    for (p = list->data; p < last; p++) {
        start = p;

        while (p < last && ngx_strchr(",;+ \t", *p) == NULL) {
            p++;
        }

        if ((size_t) (p - start) == name->len
            && ngx_strncmp(start, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_docket_stats(ngx_http_request_t *r, ngx_str_t *rest)
{
    yajl_gen                         g;
    ngx_uint_t                       i;
    ngx_http_docket_sensor_t        *sensor;
    ngx_http_docket_zone_info_t      info;
    ngx_http_docket_main_conf_t     *mcf;
    ngx_http_docket_sensor_state_t   s;

    static const char  *health[] = { "unknown", "up", "busy", "down" };

    mcf = ngx_http_get_module_main_conf(r, ngx_http_docket_module);
    sensor = mcf->sensors.elts;

    g = ngx_http_docket_gen(r);
    if (g == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    (void) yajl_gen_map_open(g);

    for (i = 0; i < mcf->sensors.nelts; i++) {

        if (rest->len != 0 && !ngx_http_docket_named(rest, &sensor[i].name)) {
            continue;
        }

        if (ngx_http_docket_zone_sensor(mcf->zone, sensor[i].shared, &s)
            != NGX_OK)
        {
            continue;
        }

        ngx_http_docket_gen_str(g, sensor[i].name.data, sensor[i].name.len);
        (void) yajl_gen_map_open(g);

        ngx_http_docket_stats_lines(g, &s);

        ngx_http_docket_gen_key(g, "health");
        ngx_http_docket_gen_cstr(g, health[s.health & 3]);
        ngx_http_docket_gen_key(g, "checked");
        ngx_http_docket_gen_time(g, s.checked);
        ngx_http_docket_gen_key(g, "error");

        if (s.error[0] != '\0') {
            ngx_http_docket_gen_cstr(g, s.error);
        } else {
            (void) yajl_gen_null(g);
        }

        ngx_http_docket_gen_key(g, "certificate_expires");
        ngx_http_docket_gen_time(g, (int64_t) sensor[i].certificate->not_after
                                    * DOCKET_SECOND);
        (void) yajl_gen_map_close(g);
    }

    ngx_http_docket_zone_info(mcf->zone, &info);

    ngx_http_docket_gen_key(g, "docket");
    (void) yajl_gen_map_open(g);
    ngx_http_docket_gen_key(g, "Free space");
    (void) yajl_gen_array_open(g);
    (void) yajl_gen_integer(g, (long long) info.free_bytes);
    (void) yajl_gen_integer(g, (long long) info.free_nodes);
    (void) yajl_gen_array_close(g);
    ngx_http_docket_gen_key(g, "queued");
    (void) yajl_gen_integer(g, info.queued);
    ngx_http_docket_gen_key(g, "running");
    (void) yajl_gen_integer(g, info.running);
    ngx_http_docket_gen_key(g, "helper");
    (void) yajl_gen_integer(g, info.helper);
    (void) yajl_gen_map_close(g);
    (void) yajl_gen_map_close(g);

    return ngx_http_docket_send_json(r, NGX_HTTP_OK, g);
}
