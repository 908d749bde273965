/*
 * Expiry by time and by space, the space that is left, who asked.
 */

#include "helper/ngx_http_docket_clean.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_merge.h"
#include "helper/ngx_http_docket_record.h"
#include "helper/ngx_http_docket_shared.h"


static void ngx_http_docket_clean_ahead(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record, int64_t now);
static void ngx_http_docket_clean_one(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record, ngx_uint_t remove,
    ngx_uint_t *removed);
static void ngx_http_docket_clean_count(ngx_http_docket_zone_info_t *info,
    void *data);
static void ngx_http_docket_space_copy(ngx_http_docket_zone_info_t *info,
    void *data);
static void ngx_http_docket_askers_job(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_asker_t *askers, ngx_uint_t n);


typedef struct {
    ngx_http_docket_proc_t  *hlp;
    ngx_uint_t               removed;
} ngx_http_docket_cleaned_t;


/*
 * The jobs that were not touched for longest come first; those that are live
 * are left alone.  Names are removed: whoever reads a capture reads on.
 */

void
ngx_http_docket_clean(ngx_http_docket_proc_t *hlp)
{
    size_t                        i, n;
    int64_t                       now, old;
    ngx_uint_t                    low, removed;
    docket_index_record_t        *recs;
    ngx_http_docket_cleaned_t     cleaned;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = hlp->mcf;

    if (docket_index_by_age(hlp->index, &recs, &n) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, 0,
                      "docket: no memory for cleaning");
        return;
    }

    now = ngx_http_docket_now();
    old = now - (int64_t) mcf->expire_time * 1000;

    /* the time by which the clock was set forward made no job older */

    old -= ngx_http_docket_clock_ahead(hlp) * 1000;

    removed = 0;

    for (i = 0; i < n; i++) {

        if (ngx_http_docket_merge_serve(hlp)) {
            break;
        }

        if (recs[i].touched > now + NGX_HTTP_DOCKET_DRIFT * 1000) {
            ngx_http_docket_clean_ahead(hlp, &recs[i], now);
        }

        low = (hlp->free_bytes < (uint64_t) mcf->expire_space);

        ngx_http_docket_clean_one(hlp, &recs[i],
                                  recs[i].touched < old || low, &removed);

        if (low) {
            ngx_http_docket_space(hlp);
        }
    }

    free(recs);

    cleaned.hlp = hlp;
    cleaned.removed = removed;

    ngx_http_docket_zone_info_update(mcf->zone, ngx_http_docket_clean_count,
                                     &cleaned);

    if (removed != 0) {
        ngx_http_docket_space(hlp);
        ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                      "docket: %ui jobs were removed by cleaning", removed);
    }
}


static void
ngx_http_docket_clean_one(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record, ngx_uint_t remove,
    ngx_uint_t *removed)
{
    int                           dirfd;
    char                          id[DOCKET_ID_LEN + 1];
    char                          name[DOCKET_SPOOL_NAME_LEN + 1];
    ngx_http_docket_main_conf_t  *mcf;

    mcf = hlp->mcf;
    docket_id_unpack(record->id, id);

    if (!remove || !docket_state_final(record->state)) {

        /* one that somebody else removed */

        docket_spool_name(&mcf->sp, id, name);

        if (faccessat(mcf->sp.fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == -1
            && ngx_errno == NGX_ENOENT)
        {
            (void) docket_index_delete(hlp->index, record->id);
        }

        return;
    }

    dirfd = docket_spool_lock_dir(&mcf->sp, id);

    if (dirfd == -1) {

        if (ngx_errno == NGX_ENOENT) {
            (void) docket_index_delete(hlp->index, record->id);
        }

        return;
    }

    if (ngx_http_docket_zone_forget(mcf->zone, id) == NGX_BUSY) {
        (void) close(dirfd);
        return;
    }

    if (docket_spool_remove(&mcf->sp, id) != DOCKET_OK
        && ngx_errno != NGX_ENOENT)
    {
        ngx_log_error(NGX_LOG_ERR, hlp->log, ngx_errno,
                      "docket: removing job %s failed", id);

    } else {
        (*removed)++;
    }

    /* a worker may have read its record before */

    (void) ngx_http_docket_zone_forget(mcf->zone, id);

    /* a job is there as long as its record is */

    if (!docket_spool_has(&mcf->sp, id)) {
        (void) docket_index_delete(hlp->index, record->id);
    }

    (void) close(dirfd);
}


/*
 * A finished job with times that are yet to come: the clock was ahead.  Its
 * age counts from now, and its result may have been settled too early.
 */

static void
ngx_http_docket_clean_ahead(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record, int64_t now)
{
    int                     lock;
    char                    id[DOCKET_ID_LEN + 1], *text, err[256];
    size_t                  i, len;
    docket_job_t           *job;
    docket_index_record_t   mended;

    docket_id_unpack(record->id, id);

    if (!docket_state_final(record->state)) {
        return;
    }

    /* one that is run or removed just now has its turn the next time */

    lock = docket_spool_lock_dir(&hlp->mcf->sp, id);
    if (lock == -1) {
        return;
    }

    if (ngx_http_docket_zone_forget(hlp->mcf->zone, id) == NGX_BUSY) {
        (void) close(lock);
        return;
    }

    job = docket_spool_load_at(lock, id, err, sizeof(err));
    if (job == NULL) {
        (void) close(lock);
        return;
    }

    if (job->started > now) {
        job->settled = 0;
    }

    job->created = ngx_min(job->created, now);
    job->requested = ngx_min(job->requested, now);
    job->started = ngx_min(job->started, now);
    job->finished = ngx_min(job->finished, now);

    for (i = 0; i < job->naskers; i++) {
        job->askers[i].first = ngx_min(job->askers[i].first, now);
        job->askers[i].last = ngx_min(job->askers[i].last, now);
    }

    if (docket_job_print(job, &text, &len) == DOCKET_OK) {

        if (docket_spool_save_at(lock, text, len, hlp->mcf->sync)
            == DOCKET_OK)
        {
            docket_index_from_job(&mended, job);
            ngx_http_docket_index_put(hlp, &mended);
            ngx_http_docket_shared_sync(hlp);
        }

        free(text);
    }

    docket_job_destroy(job);
    (void) close(lock);
}


static void
ngx_http_docket_clean_count(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_cleaned_t *cleaned = data;

    info->counters.expired += cleaned->removed;
    info->jobs = docket_index_count(cleaned->hlp->index);
}


void
ngx_http_docket_space(ngx_http_docket_proc_t *hlp)
{
    ngx_http_docket_main_conf_t  *mcf;

    mcf = hlp->mcf;

    if (docket_spool_space(&mcf->sp, &hlp->free_bytes, &hlp->free_nodes)
        != DOCKET_OK)
    {
        ngx_log_error(NGX_LOG_ALERT, hlp->log, ngx_errno,
                      "statvfs() of docket spool \"%V\" failed",
                      &mcf->spool->name);
        return;
    }

    hlp->low = (hlp->free_bytes <= (uint64_t) mcf->free_bytes
                || hlp->free_nodes <= mcf->free_nodes);

    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->full = hlp->low;
    (void) pthread_mutex_unlock(&hlp->mutex);

    ngx_http_docket_zone_info_update(mcf->zone, ngx_http_docket_space_copy,
                                     hlp);
}


static void
ngx_http_docket_space_copy(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_proc_t *hlp = data;

    info->free_bytes = hlp->free_bytes;
    info->free_nodes = hlp->free_nodes;
    info->low = hlp->low;
}


/* The zone counts on its own; a record is written once for all its askers. */

void
ngx_http_docket_askers_save(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_asker_t *askers, ngx_uint_t n)
{
    ngx_uint_t               i, j, same;
    ngx_http_docket_asker_t  tmp;

    for (i = 0; i < n; i += same) {

        if (ngx_http_docket_merge_serve(hlp)) {
            return;
        }

        same = 1;

        for (j = i + 1; j < n; j++) {

            if (ngx_strcmp(askers[j].id, askers[i].id) == 0) {
                tmp = askers[j];
                askers[j] = askers[i + same];
                askers[i + same] = tmp;
                same++;
            }
        }

        ngx_http_docket_askers_job(hlp, &askers[i], same);
    }
}


static void
ngx_http_docket_askers_job(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_asker_t *askers, ngx_uint_t n)
{
    int                      lock;
    char                    *text, err[256];
    size_t                   len;
    uint64_t                 k, count;
    ngx_uint_t               i;
    docket_job_t            *job;
    docket_index_record_t    record;
    const char              *id;

    id = (char *) askers[0].id;

    /* whoever runs or removes it now writes its record anew, or it is gone */

    lock = docket_spool_lock_dir(&hlp->mcf->sp, id);
    if (lock == -1) {
        return;
    }

    job = docket_spool_load_at(lock, id, err, sizeof(err));
    if (job == NULL) {
        goto done;
    }

    count = 0;

    for (i = 0; i < n; i++) {
        for (k = 0; k < askers[i].count && k < 100000; k++) {
            (void) docket_job_asked(job, askers[i].addr, askers[i].user,
                                    askers[i].subject, askers[i].time);
        }

        count += k;
    }

    if (docket_job_print(job, &text, &len) != DOCKET_OK) {
        goto done;
    }

    if (docket_spool_save_at(lock, text, len, hlp->mcf->sync) == DOCKET_OK) {
        docket_index_from_job(&record, job);
        ngx_http_docket_index_put(hlp, &record);
        ngx_http_docket_zone_askers_saved(hlp->mcf->zone, job, count, text,
                                          len);
        ngx_http_docket_shared_sync(hlp);
    }

    free(text);

done:

    docket_job_destroy(job);
    (void) close(lock);
}


