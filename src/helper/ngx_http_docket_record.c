/*
 * Records of jobs: in the index; and those of jobs that have ended, but whose
 * end the disk did not take, which are tried again each second.  Until then
 * the zone alone knows the end; after a restart such a job is run again.
 */

#include "helper/ngx_http_docket_record.h"
#include "helper/ngx_http_docket_shared.h"


/* more of them than this are not kept */
#define NGX_HTTP_DOCKET_UNSAVED_MAX  1024


static ngx_int_t ngx_http_docket_unsaved_save(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_unsaved_t *unsaved);
static void ngx_http_docket_unsaved_again(ngx_http_docket_proc_t *hlp,
    const char *id, int dirfd);
static ngx_uint_t ngx_http_docket_unsaved_live(ngx_http_docket_proc_t *hlp,
    const char *id);


void
ngx_http_docket_index_put(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record)
{
    if (ngx_http_docket_shared_released(hlp)) {
        return;
    }

    if (docket_index_put(hlp->index, record) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_ALERT, hlp->log, ngx_errno,
                      "writing the index of docket spool \"%V\" failed",
                      &hlp->mcf->spool->name);
    }
}


ngx_http_docket_unsaved_t *
ngx_http_docket_unsaved_create(ngx_http_docket_proc_t *hlp,
    const docket_job_t *job, const char *text, size_t len)
{
    ngx_http_docket_unsaved_t  *unsaved;

    unsaved = ngx_alloc(sizeof(ngx_http_docket_unsaved_t) + len, hlp->log);
    if (unsaved == NULL) {
        return NULL;
    }

    ngx_memcpy(unsaved->id, job->id, DOCKET_ID_LEN + 1);
    ngx_memcpy(unsaved->text, text, len);

    unsaved->len = len;
    unsaved->created = job->created;
    unsaved->finished = job->finished;

    return unsaved;
}


void
ngx_http_docket_unsaved_add(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_unsaved_t *unsaved)
{
    if (unsaved == NULL) {
        return;
    }

    if (hlp->nunsaved == NGX_HTTP_DOCKET_UNSAVED_MAX) {
        ngx_free(unsaved);
        return;
    }

    ngx_queue_insert_tail(&hlp->unsaved, &unsaved->queue);
    hlp->nunsaved++;
}


void
ngx_http_docket_unsaved_turn(ngx_http_docket_proc_t *hlp)
{
    ngx_queue_t                *q, *next;
    ngx_http_docket_unsaved_t  *unsaved;

    for (q = ngx_queue_head(&hlp->unsaved);
         q != ngx_queue_sentinel(&hlp->unsaved);
         q = next)
    {
        next = ngx_queue_next(q);
        unsaved = ngx_queue_data(q, ngx_http_docket_unsaved_t, queue);

        if (ngx_http_docket_unsaved_save(hlp, unsaved) == NGX_AGAIN) {
            continue;
        }

        ngx_queue_remove(q);
        hlp->nunsaved--;
        ngx_free(unsaved);
    }
}


/* NGX_OK: saved; NGX_DECLINED: the record is needed no more; NGX_AGAIN. */

static ngx_int_t
ngx_http_docket_unsaved_save(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_unsaved_t *unsaved)
{
    int                           dirfd;
    char                          err[256];
    ngx_int_t                     rc;
    docket_job_t                 *job;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = hlp->mcf;

    dirfd = docket_spool_lock_dir(&mcf->sp, unsaved->id);

    if (dirfd == -1) {

        /* removed; or run again, which gives it a new end */

        return (ngx_errno == NGX_ENOENT || ngx_errno == EWOULDBLOCK)
               ? NGX_DECLINED : NGX_AGAIN;
    }

    job = docket_spool_load(&mcf->sp, unsaved->id, err, sizeof(err));

    if (job == NULL) {
        rc = (ngx_errno == NGX_ENOENT) ? NGX_DECLINED : NGX_AGAIN;
        (void) close(dirfd);
        return rc;
    }

    /* another job by then, which was asked after the removal; or a later end */

    if (job->created != unsaved->created
        || (docket_state_final(job->state)
            && job->finished >= unsaved->finished))
    {
        rc = NGX_DECLINED;

    } else if (docket_spool_save(&mcf->sp, unsaved->id, unsaved->text,
                                 unsaved->len, mcf->sync)
               != DOCKET_OK)
    {
        rc = NGX_AGAIN;

    } else {
        rc = NGX_OK;

        ngx_http_docket_unsaved_again(hlp, unsaved->id, dirfd);
        ngx_http_docket_shared_sync(hlp);
        ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                      "docket job %s: its record is saved now", unsaved->id);
    }

    docket_job_destroy(job);
    (void) close(dirfd);

    return rc;
}


/*
 * The mark of the run that ended goes with it; that of somebody who asks anew
 * stays.  He has the job in the queue before he makes his mark, and nobody
 * takes it from there as long as its folder is locked.
 */

static void
ngx_http_docket_unsaved_again(ngx_http_docket_proc_t *hlp, const char *id,
    int dirfd)
{
    int  what;

    what = docket_spool_again_read_at(dirfd);

    if (what == 0 || ngx_http_docket_unsaved_live(hlp, id)) {
        return;
    }

    if (docket_spool_again_clear(dirfd) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                      "docket job %s: removing its \"again\" failed", id);
        return;
    }

    if (ngx_http_docket_unsaved_live(hlp, id)
        && docket_spool_again(&hlp->mcf->sp, id, what, hlp->mcf->sync)
           != DOCKET_OK)
    {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                      "docket job %s: making its \"again\" failed", id);
    }
}


static ngx_uint_t
ngx_http_docket_unsaved_live(ngx_http_docket_proc_t *hlp, const char *id)
{
    ngx_http_docket_job_t  job;

    return ngx_http_docket_zone_get(hlp->mcf->zone, id, &job, NULL, NULL, 0)
           == NGX_OK
           && !docket_state_final(job.state);
}
