/*
 * Reading the spool at start: every record goes into the index, every job
 * that is to run into the queue, in the order in which they were asked.
 *
 * It takes a while when there are many; the runs go on meanwhile.
 */

#include "helper/ngx_http_docket_load.h"
#include "helper/ngx_http_docket_merge.h"
#include "helper/ngx_http_docket_record.h"


typedef struct {
    char                     id[DOCKET_ID_LEN + 1];
    int64_t                  requested;
} ngx_http_docket_todo_t;


typedef struct {
    ngx_http_docket_proc_t  *hlp;
    ngx_http_docket_todo_t  *todo;
    size_t                   n;
    size_t                   room;
    ngx_uint_t               jobs;
    ngx_uint_t               odd;
    unsigned                 stopped:1;
} ngx_http_docket_walk_t;


/* odd entries that are told one by one */
#define NGX_HTTP_DOCKET_ODD  1000


static int ngx_http_docket_load_job(void *ctx, const char *id);
static void ngx_http_docket_load_none(ngx_http_docket_walk_t *walk,
    const char *id);
static int ngx_http_docket_load_todo(ngx_http_docket_walk_t *walk,
    const docket_job_t *job);
static void ngx_http_docket_load_odd(void *ctx, const char *name,
    const char *why);
static void ngx_http_docket_load_queue(ngx_http_docket_walk_t *walk);
static ngx_int_t ngx_http_docket_load_restore(ngx_http_docket_proc_t *hlp,
    const char *id);
static int ngx_libc_cdecl ngx_http_docket_load_cmp(const void *one,
    const void *two);
static void ngx_http_docket_load_done(ngx_http_docket_zone_info_t *info,
    void *data);


void
ngx_http_docket_load(ngx_http_docket_proc_t *hlp)
{
    int64_t                  started;
    ngx_http_docket_walk_t   walk;

    started = ngx_http_docket_monotonic();

    ngx_memzero(&walk, sizeof(ngx_http_docket_walk_t));
    walk.hlp = hlp;

    (void) docket_spool_tidy_top(&hlp->mcf->sp);

    if (docket_spool_walk(&hlp->mcf->sp, ngx_http_docket_load_job,
                          ngx_http_docket_load_odd, &walk)
        != DOCKET_OK)
    {
        free(walk.todo);

        if (!walk.stopped) {
            ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                          "reading docket spool \"%V\" failed",
                          &hlp->mcf->spool->name);
        }

        return;
    }

    ngx_http_docket_load_queue(&walk);
    free(walk.todo);

    if (docket_index_rebuild(hlp->index) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                      "writing the index of docket spool \"%V\" failed",
                      &hlp->mcf->spool->name);
    }

    hlp->loaded = 1;

    ngx_http_docket_zone_info_update(hlp->mcf->zone,
                                     ngx_http_docket_load_done, hlp);

    /* the query thread asks for it as long as the zone says that it is due */

    (void) pthread_mutex_lock(&hlp->mutex);
    hlp->load = 0;
    (void) pthread_mutex_unlock(&hlp->mutex);

    /* jobs may be waiting for this thread's word */

    ngx_http_docket_wake_helper(hlp->mcf);
    ngx_http_docket_wake_workers(hlp->mcf);

    ngx_log_error(NGX_LOG_NOTICE, hlp->log, 0,
                  "docket spool \"%V\" was read in %L ms: %ui jobs, %uz of "
                  "them to be run, %ui odd entries", &hlp->mcf->spool->name,
                  ngx_http_docket_monotonic() - started, walk.jobs, walk.n,
                  walk.odd);
}


static int
ngx_http_docket_load_job(void *ctx, const char *id)
{
    ngx_http_docket_walk_t *walk = ctx;

    int                      dirfd, rc;
    char                     err[256];
    ngx_err_t                error;
    docket_job_t            *job;
    docket_index_record_t    record;
    ngx_http_docket_proc_t  *hlp;

    hlp = walk->hlp;

    if (ngx_http_docket_merge_serve(hlp)) {
        walk->stopped = 1;
        return DOCKET_ERROR;
    }

    dirfd = docket_spool_lock_dir(&hlp->mcf->sp, id);

    if (dirfd != -1 && docket_spool_tidy(dirfd) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_WARN, hlp->log, ngx_errno,
                      "docket spool: tidying \"%s\" failed", id);
    }

    job = docket_spool_load(&hlp->mcf->sp, id, err, sizeof(err));

    if (job == NULL) {
        rc = DOCKET_OK;

        switch (ngx_errno) {

        case NGX_ENOENT:

            if (dirfd != -1) {
                ngx_http_docket_load_none(walk, id);
            }

            break;

        case NGX_EMFILE:
        case NGX_ENFILE:
        case NGX_ENOMEM:

            /* it is not the job that is wrong: all is read again */

            rc = DOCKET_ERROR;
            break;

        default:
            ngx_http_docket_load_odd(walk, id, err);
            break;
        }

        if (dirfd != -1) {
            error = ngx_errno;
            (void) close(dirfd);
            ngx_set_errno(error);
        }

        return rc;
    }

    if (dirfd != -1) {
        (void) close(dirfd);
    }

    walk->jobs++;

    docket_index_from_job(&record, job);
    ngx_http_docket_index_put(hlp, &record);

    rc = DOCKET_OK;

    if (!docket_state_final(job->state)
        || docket_spool_again_read(&hlp->mcf->sp, id) != 0)
    {
        rc = ngx_http_docket_load_todo(walk, job);
    }

    docket_job_destroy(job);

    return rc;
}


/* What is left of a job that was being made or removed; or another process
   makes it just now. */

static void
ngx_http_docket_load_none(ngx_http_docket_walk_t *walk, const char *id)
{
    if (docket_spool_discard(&walk->hlp->mcf->sp, id) == DOCKET_OK
        || ngx_errno == NGX_ENOENT)
    {
        return;
    }

    ngx_http_docket_load_odd(walk, id, "has no query.json");
}


static int
ngx_http_docket_load_todo(ngx_http_docket_walk_t *walk,
    const docket_job_t *job)
{
    size_t                   room;
    ngx_http_docket_todo_t  *todo;

    if (walk->n == walk->room) {
        room = (walk->room == 0) ? 64 : walk->room * 2;

        todo = realloc(walk->todo, room * sizeof(ngx_http_docket_todo_t));
        if (todo == NULL) {
            return DOCKET_ERROR;
        }

        walk->todo = todo;
        walk->room = room;
    }

    todo = &walk->todo[walk->n++];

    ngx_memcpy(todo->id, job->id, DOCKET_ID_LEN + 1);
    todo->requested = job->requested;

    return DOCKET_OK;
}


static void
ngx_http_docket_load_odd(void *ctx, const char *name, const char *why)
{
    ngx_http_docket_walk_t *walk = ctx;

    char  escaped[DOCKET_PCAP_WORDS];

    if (walk->odd++ >= NGX_HTTP_DOCKET_ODD) {
        return;
    }

    docket_pcap_escape(escaped, sizeof(escaped), (const u_char *) name,
                       ngx_min(strlen(name), 64));

    ngx_log_error(NGX_LOG_WARN, walk->hlp->log, 0,
                  "docket spool: \"%s\" is left alone: %s", escaped, why);
}


static void
ngx_http_docket_load_queue(ngx_http_docket_walk_t *walk)
{
    size_t                      i;
    ngx_http_docket_proc_t     *hlp;
    ngx_http_docket_foreign_t  *rest;

    hlp = walk->hlp;

    if (walk->n != 0) {
        qsort(walk->todo, walk->n, sizeof(ngx_http_docket_todo_t),
              ngx_http_docket_load_cmp);
    }

    for (i = 0; i < walk->n; i++) {

        /* the rest in its order, when there is room again */

        if (ngx_queue_empty(&hlp->restore)
            && ngx_http_docket_load_restore(hlp, walk->todo[i].id) == NGX_OK)
        {
            continue;
        }

        rest = ngx_alloc(sizeof(ngx_http_docket_foreign_t), hlp->log);
        if (rest == NULL) {
            return;
        }

        ngx_memcpy(rest->id, walk->todo[i].id, DOCKET_ID_LEN + 1);
        ngx_queue_insert_tail(&hlp->restore, &rest->queue);
    }
}


/* NGX_DECLINED: no room. */

static ngx_int_t
ngx_http_docket_load_restore(ngx_http_docket_proc_t *hlp, const char *id)
{
    char          *text, err[256];
    size_t         len;
    ngx_int_t      rc;
    docket_job_t  *job;

    job = docket_spool_load(&hlp->mcf->sp, id, err, sizeof(err));

    if (job == NULL) {
        return NGX_OK;
    }

    /* it may have been run in the meantime */

    if (docket_state_final(job->state)
        && docket_spool_again_read(&hlp->mcf->sp, id) == 0)
    {
        docket_job_destroy(job);
        return NGX_OK;
    }

    rc = NGX_DECLINED;

    if (docket_job_print(job, &text, &len) == DOCKET_OK) {

        if (ngx_http_docket_zone_restore(hlp->mcf->zone, job, text, len)
            == NGX_OK)
        {
            ngx_http_docket_zone_indexed(hlp->mcf->zone, id);
            rc = NGX_OK;
        }

        free(text);
    }

    docket_job_destroy(job);

    return rc;
}


void
ngx_http_docket_load_rest(ngx_http_docket_proc_t *hlp)
{
    ngx_queue_t                *q;
    ngx_http_docket_foreign_t  *rest;

    while (!ngx_queue_empty(&hlp->restore)) {
        q = ngx_queue_head(&hlp->restore);
        rest = ngx_queue_data(q, ngx_http_docket_foreign_t, queue);

        if (ngx_http_docket_load_restore(hlp, rest->id) != NGX_OK) {
            return;
        }

        ngx_queue_remove(q);
        ngx_free(rest);

        ngx_http_docket_wake_helper(hlp->mcf);
    }
}


static int ngx_libc_cdecl
ngx_http_docket_load_cmp(const void *one, const void *two)
{
    const ngx_http_docket_todo_t *a = one;
    const ngx_http_docket_todo_t *b = two;

    if (a->requested != b->requested) {
        return (a->requested < b->requested) ? -1 : 1;
    }

    return strcmp(a->id, b->id);
}


static void
ngx_http_docket_load_done(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_proc_t *hlp = data;

    info->loaded = 1;
    info->jobs = docket_index_count(hlp->index);
}
