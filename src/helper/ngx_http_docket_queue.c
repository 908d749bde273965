/*
 * Whose the queue is, and taking jobs from it.
 *
 * The lock on SPOOL/.owner dies with its process, so ownership passes at
 * once.  A job that another process still works on (its folder is locked) is
 * left to that one, and looked at again.
 */

#include "helper/ngx_http_docket_queue.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_record.h"
#include "helper/ngx_http_docket_run.h"
#include "helper/ngx_http_docket_shared.h"


/* milliseconds */
#define NGX_HTTP_DOCKET_OWN_MAX       500


static void ngx_http_docket_queue_own(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_queue_not_owned(ngx_http_docket_proc_t *hlp,
    ngx_err_t err);
static int ngx_http_docket_queue_locked(void *ctx, const char *id);
static void ngx_http_docket_queue_take(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_queue_job(ngx_http_docket_proc_t *hlp,
    const char *id);
static ngx_int_t ngx_http_docket_queue_load(ngx_http_docket_proc_t *hlp,
    const char *id, docket_job_t **job, int *dirfd);
static int ngx_http_docket_queue_write(ngx_http_docket_proc_t *hlp,
    docket_job_t *job);
static docket_job_t *ngx_http_docket_queue_known(ngx_http_docket_proc_t *hlp,
    const char *id);
static docket_job_t *ngx_http_docket_queue_again(ngx_http_docket_proc_t *hlp,
    const char *id);
static void ngx_http_docket_queue_broken(ngx_http_docket_proc_t *hlp,
    const char *id, const char *words);
static int ngx_http_docket_queue_save(ngx_http_docket_proc_t *hlp,
    docket_job_t *job);
static void ngx_http_docket_queue_cancelled(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_queue_foreign(ngx_http_docket_proc_t *hlp,
    const char *id);
static void ngx_http_docket_queue_foreign_turn(ngx_http_docket_proc_t *hlp);
static void ngx_http_docket_queue_came_back(ngx_http_docket_proc_t *hlp,
    const char *id, int dirfd);
static void ngx_http_docket_queue_note(ngx_http_docket_proc_t *hlp,
    const docket_job_t *job, ngx_http_docket_unsaved_t *unsaved);


void
ngx_http_docket_queue_turn(ngx_http_docket_proc_t *hlp)
{
    if (hlp->drain_until != 0) {
        return;
    }

    if (hlp->owner == -1) {

        if (hlp->now < hlp->own_at) {
            ngx_http_docket_timer(hlp, hlp->own_at);
            return;
        }

        ngx_http_docket_queue_own(hlp);

        if (hlp->owner == -1) {
            return;
        }
    }

    ngx_http_docket_queue_cancelled(hlp);

    if (hlp->now >= hlp->foreign_at) {
        ngx_http_docket_queue_foreign_turn(hlp);
    }

    /* what the workers of a newer configuration take may be about sensors
       that this process does not know */

    if (ngx_http_docket_zone_generation(hlp->mcf->zone, 0)
        == hlp->mcf->generation)
    {
        ngx_http_docket_queue_take(hlp);
    }
}


static void
ngx_http_docket_queue_own(ngx_http_docket_proc_t *hlp)
{
    int  same;

    hlp->owner = docket_spool_own(&hlp->mcf->sp);

    if (hlp->owner == -1) {

        ngx_http_docket_queue_not_owned(hlp, ngx_errno);

        hlp->own_wait = (hlp->own_wait == 0)
                        ? NGX_HTTP_DOCKET_OWN_MAX / 10
                        : ngx_min(hlp->own_wait * 2, NGX_HTTP_DOCKET_OWN_MAX);

        hlp->own_at = hlp->now + hlp->own_wait;
        ngx_http_docket_timer(hlp, hlp->own_at);
        return;
    }

    hlp->own_err = 0;

    ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                  "docket process owns spool \"%V\"", &hlp->mcf->spool->name);

    same = docket_spool_owner(hlp->owner,
                              ngx_http_docket_zone_token(hlp->mcf->zone));

    ngx_http_docket_zone_adopt(hlp->mcf->zone, ngx_pid, !same,
                               ngx_http_docket_queue_locked, hlp);

    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->load = 1;
    (void) pthread_cond_signal(&hlp->cond);
    (void) pthread_mutex_unlock(&hlp->mutex);

    hlp->second = 0;
}


/* Said once, and again when it is something else. */

static void
ngx_http_docket_queue_not_owned(ngx_http_docket_proc_t *hlp, ngx_err_t err)
{
    ngx_str_t  *name;

    if (hlp->own_err == err) {
        return;
    }

    hlp->own_err = err;
    name = &hlp->mcf->spool->name;

    ngx_http_docket_zone_waits(hlp->mcf->zone, err == EWOULDBLOCK);

    switch (err) {

    case EWOULDBLOCK:
        ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                      "docket spool \"%V\" is owned by another process yet",
                      name);
        break;

    case EBADMSG:
        ngx_log_error(NGX_LOG_CRIT, hlp->log, 0,
                      "docket spool \"%V\" can not be owned: its \".owner\" "
                      "is no regular file", name);
        break;

    default:
        ngx_log_error(NGX_LOG_CRIT, hlp->log, err,
                      "docket spool \"%V\" can not be owned: locking its "
                      "\".owner\" failed", name);
        break;
    }
}


static int
ngx_http_docket_queue_locked(void *ctx, const char *id)
{
    ngx_http_docket_proc_t *hlp = ctx;

    int  fd;

    fd = docket_spool_lock_dir(&hlp->mcf->sp, id);

    if (fd != -1) {
        (void) close(fd);
        return 0;
    }

    if (ngx_errno != EWOULDBLOCK) {
        return 0;
    }

    ngx_http_docket_queue_foreign(hlp, id);

    return 1;
}


void
ngx_http_docket_queue_release(ngx_http_docket_proc_t *hlp)
{
    if (hlp->owner == -1) {
        return;
    }

    /* before the lock goes: the next owner writes the index anew */

    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->released = 1;
    (void) pthread_mutex_unlock(&hlp->mutex);

    ngx_http_docket_zone_disown(hlp->mcf->zone, ngx_pid);

    (void) close(hlp->owner);
    hlp->owner = -1;
}


static void
ngx_http_docket_queue_take(ngx_http_docket_proc_t *hlp)
{
    ngx_http_docket_job_t  job;

    while (hlp->nruns < hlp->mcf->max_active
           && ngx_http_docket_zone_take(hlp->mcf->zone, &job) == NGX_OK)
    {
        ngx_http_docket_shared_sync(hlp);
        ngx_http_docket_queue_job(hlp, (char *) job.id);
    }
}


static void
ngx_http_docket_queue_job(ngx_http_docket_proc_t *hlp, const char *id)
{
    int            dirfd, again;
    char          *text;
    size_t         len;
    docket_job_t  *job;

    if (ngx_http_docket_queue_load(hlp, id, &job, &dirfd) != NGX_OK) {
        return;
    }

    again = docket_spool_again_read_at(dirfd);

    if (again == DOCKET_ERROR) {
        again = DOCKET_AGAIN_REFRESH;
    }

    if (docket_state_final(job->state) && again == 0) {

        /* done by one who died before it could say so */

        if (docket_job_print(job, &text, &len) == DOCKET_OK) {
            ngx_http_docket_zone_update(hlp->mcf->zone, job, text, len);
            free(text);
        }

        ngx_http_docket_queue_note(hlp, job, NULL);
        ngx_http_docket_wake_workers(hlp->mcf);

        docket_job_destroy(job);
        (void) close(dirfd);
        return;
    }

    if (ngx_http_docket_run_start(hlp, job, dirfd, again) == NGX_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_CRIT, hlp->log, 0,
                  "docket job %s: no memory to run it", id);

    (void) docket_job_reason(job, "out of memory");
    (void) docket_job_event(job, DOCKET_FAILED, "Failed", "out of memory",
                            ngx_http_docket_now());
    (void) ngx_http_docket_queue_save(hlp, job);

    docket_job_destroy(job);
    (void) close(dirfd);
}


/*
 * The record, its folder locked.  NGX_AGAIN: another process has it;
 * NGX_DECLINED: there is none, and the zone has forgotten the job.
 */

static ngx_int_t
ngx_http_docket_queue_load(ngx_http_docket_proc_t *hlp, const char *id,
    docket_job_t **job, int *dirfd)
{
    char         err[256];
    ngx_err_t    error;
    ngx_uint_t   i;

    for (i = 0; i < 3; i++) {
        *dirfd = docket_spool_lock_dir(&hlp->mcf->sp, id);

        if (*dirfd == -1) {
            error = ngx_errno;

            /* the io thread has it only for a moment */

            if (error == EWOULDBLOCK && i == 0) {
                ngx_msleep(1);
                continue;
            }

            if (error == EWOULDBLOCK) {
                ngx_http_docket_queue_foreign(hlp, id);
                return NGX_AGAIN;
            }

            (void) snprintf(err, sizeof(err), "%s", strerror(error));

        } else {
            *job = docket_spool_load_at(*dirfd, id, err, sizeof(err));
            error = ngx_errno;

            if (*job != NULL) {
                return NGX_OK;
            }

            (void) close(*dirfd);
        }

        /* it may have been removed just before it was asked again */

        if (error != NGX_ENOENT) {
            break;
        }

        *job = ngx_http_docket_queue_again(hlp, id);

        if (*job == NULL) {
            break;
        }

        docket_job_destroy(*job);
    }

    ngx_http_docket_queue_broken(hlp, id, err);

    return NGX_DECLINED;
}


/* The job as the zone has it, or NULL. */

static docket_job_t *
ngx_http_docket_queue_known(ngx_http_docket_proc_t *hlp, const char *id)
{
    char                    err[256];
    ngx_str_t               record;
    ngx_pool_t             *pool;
    docket_job_t           *job;
    ngx_http_docket_job_t   node;

    pool = ngx_create_pool(4096, hlp->log);
    if (pool == NULL) {
        return NULL;
    }

    job = NULL;

    if (ngx_http_docket_zone_get(hlp->mcf->zone, id, &node, pool, &record, 0)
        == NGX_OK
        && !node.cancel)
    {
        job = docket_job_parse((char *) record.data, record.len, err,
                               sizeof(err));
    }

    ngx_destroy_pool(pool);

    return job;
}


/* Writes the job anew from its text in the zone. */

static docket_job_t *
ngx_http_docket_queue_again(ngx_http_docket_proc_t *hlp, const char *id)
{
    docket_job_t  *job;

    job = ngx_http_docket_queue_known(hlp, id);

    if (job == NULL) {
        return NULL;
    }

    job->capture_run = 0;
    job->packets = 0;
    job->bytes = 0;
    job->nrequests = 0;

    if (docket_state_final(job->state)
        && docket_job_event(job, DOCKET_CREATED, "Created",
                            "the query is queued", ngx_http_docket_now())
           != DOCKET_OK)
    {
        docket_job_destroy(job);
        return NULL;
    }

    ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                  "docket job %s had lost its folder", id);

    if (ngx_http_docket_queue_write(hlp, job) != DOCKET_OK) {
        docket_job_destroy(job);
        return NULL;
    }

    return job;
}


static int
ngx_http_docket_queue_write(ngx_http_docket_proc_t *hlp, docket_job_t *job)
{
    int      rc;
    char    *text;
    size_t   len;

    if (docket_job_print(job, &text, &len) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    rc = docket_spool_create(&hlp->mcf->sp, job->id, text, len,
                             hlp->mcf->sync);
    free(text);

    return rc;
}


/*
 * A job whose record can't be read has failed, as far as it is known; one that
 * was removed is forgotten.
 */

static void
ngx_http_docket_queue_broken(ngx_http_docket_proc_t *hlp, const char *id,
    const char *words)
{
    char           reason[DOCKET_JOB_MAX_REASON];
    docket_job_t   job, *known;

    ngx_log_error(NGX_LOG_ERR, hlp->log, 0,
                  "docket job %s can't be run: %s", id, words);

    known = ngx_http_docket_queue_known(hlp, id);

    if (known != NULL) {
        (void) snprintf(reason, sizeof(reason), "the spool failed: %s", words);

        known->finished = ngx_http_docket_now();
        (void) docket_job_reason(known, reason);
        (void) docket_job_event(known, DOCKET_FAILED, "Failed", reason,
                                known->finished);

        (void) ngx_http_docket_queue_save(hlp, known);

        docket_job_destroy(known);
        return;
    }

    ngx_memzero(&job, sizeof(docket_job_t));
    ngx_memcpy(job.id, id, DOCKET_ID_LEN);
    job.state = DOCKET_FAILED;

    ngx_http_docket_zone_update(hlp->mcf->zone, &job, "{}", 2);
    (void) ngx_http_docket_zone_forget(hlp->mcf->zone, id);

    ngx_http_docket_wake_workers(hlp->mcf);
}


static void
ngx_http_docket_queue_cancelled(ngx_http_docket_proc_t *hlp)
{
    int            dirfd;
    char           id[DOCKET_ID_LEN + 1];
    int64_t        now;
    ngx_int_t      rc;
    docket_job_t  *job;

    while (ngx_http_docket_zone_cancelled(hlp->mcf->zone, id) == NGX_OK) {

        rc = ngx_http_docket_queue_load(hlp, id, &job, &dirfd);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc != NGX_OK) {
            continue;
        }

        now = ngx_http_docket_now();

        job->finished = now;
        (void) docket_job_reason(job, NULL);
        (void) docket_job_event(job, DOCKET_CANCELLED, "Cancelled",
                                "before it was run", now);

        (void) ngx_http_docket_queue_save(hlp, job);
        (void) docket_spool_again_clear(dirfd);

        docket_job_destroy(job);
        (void) close(dirfd);
    }
}


/* Saves, tells the zone and the index.  DOCKET_ERROR: it is not on disk. */

static int
ngx_http_docket_queue_save(ngx_http_docket_proc_t *hlp, docket_job_t *job)
{
    int                           rc;
    char                         *text;
    size_t                        len;
    ngx_http_docket_unsaved_t    *unsaved;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = hlp->mcf;
    unsaved = NULL;

    if (docket_job_print(job, &text, &len) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, 0,
                      "docket job %s: no memory for its record", job->id);
        ngx_http_docket_zone_update(mcf->zone, job, "{}", 2);
        (void) ngx_http_docket_zone_forget(mcf->zone, job->id);
        ngx_http_docket_wake_workers(mcf);
        return DOCKET_ERROR;
    }

    rc = docket_spool_save(&mcf->sp, job->id, text, len, mcf->sync);

    if (rc != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                      "docket job %s: saving its record failed", job->id);
        unsaved = ngx_http_docket_unsaved_create(hlp, job, text, len);
    }

    ngx_http_docket_zone_update(mcf->zone, job, text, len);
    ngx_http_docket_queue_note(hlp, job, unsaved);
    ngx_http_docket_wake_workers(mcf);
    ngx_http_docket_shared_sync(hlp);

    free(text);

    return rc;
}


static void
ngx_http_docket_queue_foreign(ngx_http_docket_proc_t *hlp, const char *id)
{
    ngx_queue_t                *q;
    ngx_http_docket_foreign_t  *foreign;

    for (q = ngx_queue_head(&hlp->foreign);
         q != ngx_queue_sentinel(&hlp->foreign);
         q = ngx_queue_next(q))
    {
        foreign = ngx_queue_data(q, ngx_http_docket_foreign_t, queue);

        if (ngx_strcmp(foreign->id, id) == 0) {
            return;
        }
    }

    foreign = ngx_alloc(sizeof(ngx_http_docket_foreign_t), hlp->log);
    if (foreign == NULL) {
        return;
    }

    ngx_memcpy(foreign->id, id, DOCKET_ID_LEN + 1);
    ngx_queue_insert_tail(&hlp->foreign, &foreign->queue);

    ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                  "docket job %s is another process's yet", id);
}


static void
ngx_http_docket_queue_foreign_turn(ngx_http_docket_proc_t *hlp)
{
    int                         fd;
    ngx_queue_t                *q, *next;
    ngx_http_docket_foreign_t  *foreign;

    hlp->foreign_at = hlp->now + NGX_HTTP_DOCKET_TICK;

    for (q = ngx_queue_head(&hlp->foreign);
         q != ngx_queue_sentinel(&hlp->foreign);
         q = next)
    {
        next = ngx_queue_next(q);
        foreign = ngx_queue_data(q, ngx_http_docket_foreign_t, queue);

        fd = docket_spool_lock_dir(&hlp->mcf->sp, foreign->id);

        if (fd == -1 && ngx_errno == EWOULDBLOCK) {
            continue;
        }

        ngx_http_docket_queue_came_back(hlp, foreign->id, fd);

        ngx_queue_remove(q);
        ngx_free(foreign);
    }
}


/* The other process is done with it, or was not able to be. */

static void
ngx_http_docket_queue_came_back(ngx_http_docket_proc_t *hlp, const char *id,
    int dirfd)
{
    char          *text, err[256];
    size_t         len;
    docket_job_t  *job;

    job = docket_spool_load(&hlp->mcf->sp, id, err, sizeof(err));

    if (dirfd != -1) {
        (void) close(dirfd);
    }

    if (job == NULL || docket_job_print(job, &text, &len) != DOCKET_OK) {

        /* taking it will show what is the matter */

        docket_job_destroy(job);
        ngx_http_docket_zone_give_back(hlp->mcf->zone, id);
        return;
    }

    if (docket_state_final(job->state)
        && docket_spool_again_read(&hlp->mcf->sp, id) == 0)
    {
        ngx_http_docket_zone_update(hlp->mcf->zone, job, text, len);
        ngx_http_docket_queue_note(hlp, job, NULL);
        ngx_http_docket_wake_workers(hlp->mcf);

    } else {
        ngx_http_docket_zone_give_back(hlp->mcf->zone, id);

        if (ngx_http_docket_zone_restore(hlp->mcf->zone, job, text, len)
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, hlp->log, 0,
                          "docket job %s: no room in the zone", id);
        }
    }

    free(text);
    docket_job_destroy(job);
}


/* For the index, which is the io thread's. */

static void
ngx_http_docket_queue_note(ngx_http_docket_proc_t *hlp,
    const docket_job_t *job, ngx_http_docket_unsaved_t *unsaved)
{
    ngx_http_docket_note_t  *note;

    note = ngx_alloc(sizeof(ngx_http_docket_note_t), hlp->log);
    if (note == NULL) {
        ngx_free(unsaved);
        return;
    }

    note->unsaved = unsaved;
    ngx_memcpy(note->id, job->id, DOCKET_ID_LEN + 1);
    docket_index_from_job(&note->record, job);

    (void) pthread_mutex_lock(&hlp->mutex);
    ngx_queue_insert_tail(&hlp->notes, &note->queue);
    (void) pthread_cond_signal(&hlp->cond);
    (void) pthread_mutex_unlock(&hlp->mutex);
}
