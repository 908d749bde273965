/*
 * How a run ends: what the sensors' outcomes make of the job, the capture's
 * new name, the record.
 */

#include "helper/ngx_http_docket_finish.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_record.h"

#include <pcap/dlt.h>


typedef struct {
    ngx_uint_t       answered;                /* sensors with any outcome */
    ngx_uint_t       missing;                 /* not all of their packets */
    char             words[DOCKET_JOB_MAX_REASON];
} ngx_http_docket_sum_t;


static void ngx_http_docket_finish_requests(ngx_http_docket_run_t *run,
    ngx_http_docket_sum_t *sum);
static void ngx_http_docket_finish_merged(ngx_http_docket_run_t *run);
static void ngx_http_docket_finish_reason(char *words, size_t size,
    const char *name, const char *why);
static void ngx_http_docket_finish_judge(ngx_http_docket_run_t *run,
    ngx_http_docket_sum_t *sum, ngx_uint_t go, ngx_http_docket_stop_e stop);
static int ngx_http_docket_finish_publish(ngx_http_docket_run_t *run);
static int ngx_http_docket_finish_header(ngx_http_docket_run_t *run);
static int ngx_http_docket_finish_summary(ngx_http_docket_run_t *run);
static void ngx_http_docket_finish_state(ngx_http_docket_run_t *run,
    docket_state_e state, const char *words);
static void ngx_http_docket_finish_save(ngx_http_docket_run_t *run);
static void ngx_http_docket_finish_count(ngx_http_docket_zone_info_t *info,
    void *data);
static void ngx_http_docket_finish_free(ngx_http_docket_run_t *run);


void
ngx_http_docket_finish(ngx_http_docket_run_t *run, ngx_uint_t cancel,
    ngx_uint_t go, ngx_http_docket_stop_e stop)
{
    ngx_http_docket_sum_t  sum;

    if (!run->merging) {
        (void) docket_job_event(run->job, DOCKET_MERGING, "Merging",
                                "the sensors are done", ngx_http_docket_now());
    }

    if (cancel) {
        ngx_http_docket_finish_state(run, DOCKET_CANCELLED,
                                     "while it was running");

    } else {
        ngx_memzero(&sum, sizeof(ngx_http_docket_sum_t));

        if (run->merge != NULL) {
            ngx_http_docket_finish_merged(run);
        }

        ngx_http_docket_finish_requests(run, &sum);
        ngx_http_docket_finish_judge(run, &sum, go, stop);
    }

    /* whatever was not renamed goes, its space comes back at once */

    ngx_http_docket_finish_free(run);
    (void) docket_spool_tidy(run->dirfd);

    ngx_http_docket_finish_save(run);
}


/* What the merge took of each sensor, and which it refused. */

static void
ngx_http_docket_finish_merged(ngx_http_docket_run_t *run)
{
    size_t             i, first;
    const char        *reason;
    docket_request_t  *rq;

    first = (run->old != NULL) ? 1 : 0;

    for (i = 0; i < run->nasks; i++) {
        rq = &run->job->requests[run->asks[i].request];

        docket_merge_stream(run->merge, first + i, &rq->packets, &rq->bytes);
        rq->disordered = docket_stream_count(run->asks[i].stream)->disordered;

        reason = docket_merge_reason(run->merge, first + i);

        if (reason[0] != '\0') {
            rq->state = (rq->packets == 0) ? DOCKET_SENSOR_FAILED
                                           : DOCKET_SENSOR_PARTIAL;
            (void) snprintf(rq->error, sizeof(rq->error), "%s", reason);
        }
    }
}


static void
ngx_http_docket_finish_requests(ngx_http_docket_run_t *run,
    ngx_http_docket_sum_t *sum)
{
    size_t             i;
    docket_job_t      *job;
    docket_request_t  *rq;

    job = run->job;

    for (i = 0; i < job->nrequests; i++) {
        rq = &job->requests[i];

        if (docket_sensor_covered(rq->state)) {
            sum->answered++;
            continue;
        }

        if (rq->state == DOCKET_SENSOR_PARTIAL) {
            sum->answered++;
        }

        sum->missing++;
        ngx_http_docket_finish_reason(sum->words, sizeof(sum->words), rq->name,
                               rq->error);
    }
}


/* Adds to words, separated by "; ". */

static void
ngx_http_docket_finish_reason(char *words, size_t size, const char *name,
    const char *why)
{
    size_t  len;

    len = strlen(words);

    if (len + 1 >= size) {
        return;
    }

    (void) snprintf(words + len, size - len, "%s%s%s%s",
                    (len == 0) ? "" : "; ", name,
                    (name[0] == '\0') ? "" : ": ", why);
}


static void
ngx_http_docket_finish_judge(ngx_http_docket_run_t *run,
    ngx_http_docket_sum_t *sum, ngx_uint_t go, ngx_http_docket_stop_e stop)
{
    char           words[DOCKET_JOB_MAX_REASON];
    docket_job_t  *job;

    job = run->job;
    words[0] = '\0';

    if (stop == NGX_HTTP_DOCKET_STOP_SPACE) {
        (void) snprintf(run->words, sizeof(run->words), "%s",
                        DOCKET_JOB_LOW_SPOOL);
    }

    if (stop == NGX_HTTP_DOCKET_STOP_ERROR
        || (stop == NGX_HTTP_DOCKET_STOP_SPACE && run->merge == NULL))
    {
        ngx_http_docket_finish_state(run, DOCKET_FAILED, run->words);
        return;
    }

    if (sum->answered == 0) {
        ngx_http_docket_finish_reason(words, sizeof(words), "",
                               "no sensor answered");
        ngx_http_docket_finish_reason(words, sizeof(words), "", sum->words);
        ngx_http_docket_finish_state(run, DOCKET_FAILED, words);
        return;
    }

    /* a limit ends the sum where it is meant to end */

    job->truncated = (stop != NGX_HTTP_DOCKET_STOP_NONE);
    job->partial = (sum->missing != 0);

    if (job->truncated) {
        ngx_http_docket_finish_reason(words, sizeof(words), "", run->words);
    }

    if (job->partial) {
        ngx_http_docket_finish_reason(words, sizeof(words), "", sum->words);
    }

    /* nothing new for what is there already */

    if (go && ngx_http_docket_finish_publish(run) != DOCKET_OK) {
        job->truncated = 0;
        job->partial = 0;
        ngx_http_docket_finish_state(run, DOCKET_FAILED, run->words);
        return;
    }

    job->empty = (job->packets == 0 && !job->truncated);

    ngx_http_docket_finish_state(run, DOCKET_COMPLETED, words);
}


static int
ngx_http_docket_finish_publish(ngx_http_docket_run_t *run)
{
    docket_job_t                  *job;
    const docket_merge_count_t    *count;
    ngx_http_docket_main_conf_t   *mcf;

    job = run->job;
    mcf = run->hlp->mcf;

    if (run->merge == NULL) {
        (void) snprintf(run->words, sizeof(run->words), "nothing was merged");
        return DOCKET_ERROR;
    }

    if (ngx_http_docket_finish_header(run) != DOCKET_OK
        || ngx_http_docket_finish_summary(run) != DOCKET_OK
        || docket_spool_publish(&mcf->sp, run->dirfd, run->fd, job->run,
                                mcf->sync)
           != DOCKET_OK)
    {
        (void) snprintf(run->words, sizeof(run->words),
                        "publishing the capture failed: %s",
                        strerror(ngx_errno));
        ngx_log_error(NGX_LOG_CRIT, run->hlp->log, ngx_errno,
                      "docket job %s: publishing the capture failed",
                      run->id);
        return DOCKET_ERROR;
    }

    if (ngx_errno != 0) {
        ngx_log_error(NGX_LOG_CRIT, run->hlp->log, ngx_errno,
                      "docket job %s: syncing its folder failed", run->id);
    }

    count = docket_merge_count(run->merge);

    job->capture_run = job->run;
    job->packets = count->packets;
    job->bytes = run->written;
    job->first = (count->packets != 0) ? count->first / 1000 : 0;
    job->last = (count->packets != 0) ? count->last / 1000 : 0;

    return DOCKET_OK;
}


/* A merge that was stopped before it began has written none. */

static int
ngx_http_docket_finish_header(ngx_http_docket_run_t *run)
{
    u_char  header[DOCKET_PCAP_HEADER];

    if (run->written != 0) {
        return DOCKET_OK;
    }

    docket_merge_header(header, DLT_EN10MB, 0);
    run->written = sizeof(header);

    return docket_merge_fd(&run->fd, header, sizeof(header));
}


static int
ngx_http_docket_finish_summary(ngx_http_docket_run_t *run)
{
    int                       rc;
    char                     *text;
    size_t                    i, len;
    docket_job_t             *job;
    docket_request_t         *rq;
    docket_summary_stream_t  *streams;

    job = run->job;

    streams = calloc(job->nrequests + 1, sizeof(docket_summary_stream_t));
    if (streams == NULL) {
        return DOCKET_ERROR;
    }

    for (i = 0; i < job->nrequests; i++) {
        rq = &job->requests[i];

        streams[i].name = rq->name;
        streams[i].packets = rq->packets;
        streams[i].bytes = rq->bytes - rq->packets * DOCKET_PCAP_RECORD;
    }

    rc = docket_summary_print(run->summary, streams, job->nrequests, &text,
                              &len);
    free(streams);

    if (rc != DOCKET_OK) {
        ngx_set_errno(ENOMEM);
        return DOCKET_ERROR;
    }

    rc = docket_spool_summary(run->dirfd, text, len);
    free(text);

    return rc;
}


static void
ngx_http_docket_finish_state(ngx_http_docket_run_t *run, docket_state_e state,
    const char *words)
{
    docket_job_t  *job;

    job = run->job;
    job->finished = ngx_http_docket_now();

    /* the clock was set back since the run began: what it settled is not */

    if (job->finished < job->settles_at) {
        job->settled = 0;
    }

    if (docket_job_reason(job, (words[0] == '\0'
                                || state == DOCKET_CANCELLED) ? NULL : words)
        != DOCKET_OK)
    {
        ngx_log_error(NGX_LOG_CRIT, run->hlp->log, 0,
                      "docket job %s: no memory for the reason", run->id);
    }

    (void) docket_job_event(job, state, docket_state_name(state), words,
                            job->finished);
}


static void
ngx_http_docket_finish_save(ngx_http_docket_run_t *run)
{
    char                         *text;
    size_t                        len;
    docket_job_t                 *job;
    docket_index_record_t         record;
    ngx_http_docket_proc_t       *hlp;
    ngx_http_docket_main_conf_t  *mcf;

    job = run->job;
    hlp = run->hlp;
    mcf = hlp->mcf;

    if (docket_job_print(job, &text, &len) != DOCKET_OK) {

        /* unfinished on disk: it is run again at the next start */

        ngx_log_error(NGX_LOG_CRIT, hlp->log, 0,
                      "docket job %s: no memory for its record", run->id);

        ngx_http_docket_zone_update(mcf->zone, job, "{}", 2);
        return;
    }

    if (docket_spool_save_at(run->dirfd, text, len, mcf->sync) != DOCKET_OK) {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                      "docket job %s: saving its record failed", run->id);

        ngx_http_docket_unsaved_add(hlp,
            ngx_http_docket_unsaved_create(hlp, job, text, len));

    } else if (run->again != 0
               && docket_spool_again_clear(run->dirfd) != DOCKET_OK)
    {
        ngx_log_error(NGX_LOG_CRIT, hlp->log, ngx_errno,
                      "docket job %s: removing its \"again\" failed", run->id);
    }

    docket_index_from_job(&record, job);
    ngx_http_docket_index_put(hlp, &record);

    /* whoever sees the job's end may remove it, or ask it anew */

    (void) close(run->dirfd);
    run->dirfd = -1;

    ngx_http_docket_zone_update(mcf->zone, job, text, len);
    ngx_http_docket_zone_indexed(mcf->zone, run->id);
    ngx_http_docket_zone_info_update(mcf->zone, ngx_http_docket_finish_count,
                                     run);
    ngx_http_docket_wake_workers(mcf);

    free(text);

    ngx_log_error(NGX_LOG_INFO, hlp->log, 0,
                  "docket job %s: %s, %uL packets", run->id,
                  docket_state_name(job->state), job->packets);
}


static void
ngx_http_docket_finish_count(ngx_http_docket_zone_info_t *info, void *data)
{
    ngx_http_docket_run_t *run = data;

    docket_job_t                *job;
    ngx_http_docket_counters_t  *counters;

    job = run->job;
    counters = &info->counters;

    switch (job->state) {

    case DOCKET_COMPLETED:
        counters->completed++;
        counters->partial += job->partial;

        if (job->capture_run == job->run) {
            counters->packets += job->packets;
            counters->bytes += job->bytes;
        }

        break;

    case DOCKET_FAILED:
        counters->failed++;
        break;

    default:
        counters->cancelled++;
        break;
    }

    info->jobs = docket_index_count(run->hlp->index);

    ngx_http_docket_histogram_add(&counters->run,
        (double) ngx_max(job->finished - job->started, 0) / DOCKET_SECOND);
}


static void
ngx_http_docket_finish_free(ngx_http_docket_run_t *run)
{
    docket_merge_destroy(run->merge);
    run->merge = NULL;

    docket_summary_destroy(run->summary);
    run->summary = NULL;

    if (run->filter != NULL) {
        docket_filter_destroy(run->filter);
        run->filter = NULL;
    }

    if (run->fd != -1) {
        (void) close(run->fd);
        run->fd = -1;
    }
}
