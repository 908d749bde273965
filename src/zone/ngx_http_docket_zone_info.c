/*
 * What belongs to no single job: sensors, counters, wishes, wake-ups.
 */

#include "zone/ngx_http_docket_node.h"


const double  ngx_http_docket_bucket_le[NGX_HTTP_DOCKET_BUCKETS] = {
    0.005, 0.01, 0.025, 0.1, 0.25, 1, 2.5, 10, 60, 300, 900, 0
};


int64_t
ngx_http_docket_monotonic(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
ngx_http_docket_zone_info(ngx_http_docket_zone_t *z,
    ngx_http_docket_zone_info_t *info)
{
    ngx_http_docket_zone_lock(z);

    *info = z->info;

    info->queued = z->counts[NGX_HTTP_DOCKET_IN_QUEUED]
                   + z->counts[NGX_HTTP_DOCKET_IN_WRITING];
    info->running = z->counts[NGX_HTTP_DOCKET_IN_RUNNING];
    info->finished = z->counts[NGX_HTTP_DOCKET_IN_FINISHED];

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_zone_info_update(ngx_http_docket_zone_t *z,
    ngx_http_docket_info_pt update, void *data)
{
    ngx_http_docket_zone_lock(z);

    update(&z->info, data);

    ngx_http_docket_zone_unlock(z);
}


ngx_int_t
ngx_http_docket_zone_sensor(ngx_http_docket_zone_t *z,
    ngx_http_docket_zone_sensor_t *s, ngx_http_docket_sensor_state_t *state)
{
    if (s == NULL) {
        return NGX_DECLINED;
    }

    ngx_http_docket_zone_lock(z);

    *state = s->state;

    ngx_http_docket_zone_unlock(z);

    return NGX_OK;
}


void
ngx_http_docket_zone_sensor_update(ngx_http_docket_zone_t *z,
    ngx_http_docket_zone_sensor_t *s, ngx_http_docket_sensor_pt update,
    void *data)
{
    ngx_http_docket_zone_lock(z);

    update(&s->state, data);

    ngx_http_docket_zone_unlock(z);
}


uint32_t
ngx_http_docket_zone_want_stats(ngx_http_docket_zone_t *z)
{
    uint32_t  wanted;

    ngx_http_docket_zone_lock(z);

    wanted = (uint32_t) ++z->info.stats_wanted;

    ngx_http_docket_zone_unlock(z);

    return wanted;
}


void
ngx_http_docket_zone_want_clean(ngx_http_docket_zone_t *z)
{
    ngx_http_docket_zone_lock(z);

    z->clean_wanted = 1;

    ngx_http_docket_zone_unlock(z);
}


ngx_uint_t
ngx_http_docket_zone_clean_wanted(ngx_http_docket_zone_t *z)
{
    ngx_uint_t  wanted;

    ngx_http_docket_zone_lock(z);

    wanted = z->clean_wanted;
    z->clean_wanted = 0;

    ngx_http_docket_zone_unlock(z);

    return wanted;
}


void
ngx_http_docket_zone_refused(ngx_http_docket_zone_t *z)
{
    ngx_http_docket_zone_lock(z);

    z->info.counters.refused++;

    ngx_http_docket_zone_unlock(z);
}


void
ngx_http_docket_histogram_add(ngx_http_docket_histogram_t *h, double seconds)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_DOCKET_BUCKETS; i++) {

        if (i == NGX_HTTP_DOCKET_BUCKETS - 1
            || seconds <= ngx_http_docket_bucket_le[i])
        {
            h->count[i]++;
        }
    }

    h->sum += seconds;
}


void
ngx_http_docket_zone_waiters(ngx_http_docket_zone_t *z, ngx_uint_t worker,
    ngx_int_t delta)
{
    if (worker < NGX_MAX_PROCESSES) {
        (void) ngx_atomic_fetch_add(&z->waiters[worker], delta);
    }
}


static void
ngx_http_docket_wake(ngx_socket_t fd)
{
    uint64_t  one;

    one = 1;

    /* a full counter means that the wake-up is on its way already */

    while (write(fd, &one, sizeof(one)) == -1 && ngx_errno == NGX_EINTR) {
        /* void */
    }
}


void
ngx_http_docket_wake_helper(ngx_http_docket_main_conf_t *mcf)
{
    ngx_http_docket_wake(mcf->wake.helper);
}


void
ngx_http_docket_wake_workers(ngx_http_docket_main_conf_t *mcf)
{
    ngx_uint_t  i;

    for (i = 0; i < mcf->wake.nworkers && i < NGX_MAX_PROCESSES; i++) {

        if (mcf->zone->waiters[i] != 0) {
            ngx_http_docket_wake(mcf->wake.workers[i]);
        }
    }
}
