/*
 * One sensor's part of a run: what it is asked for, and how far it is.
 */

#include "helper/ngx_http_docket_ask.h"
#include "helper/ngx_http_docket_clock.h"
#include "helper/ngx_http_docket_peer.h"
#include "helper/ngx_http_docket_shared.h"


docket_request_t *
ngx_http_docket_ask_request(ngx_http_docket_ask_t *ask)
{
    return &ask->run->job->requests[ask->request];
}


const char *
ngx_http_docket_ask_text(ngx_http_docket_ask_t *ask, size_t *len)
{
    int64_t                  after, before, padding;
    ngx_http_docket_proc_t  *hlp;

    hlp = ask->run->hlp;
    padding = (int64_t) hlp->mcf->time_padding * 1000;

    ngx_http_docket_ask_edges(ask, &after, &before);

    *len = docket_query_sensor_text(ask->run->job->terms,
                                    ngx_max(after - padding, 0),
                                    before + padding,
                                    hlp->text, sizeof(hlp->text));

    if (*len >= sizeof(hlp->text)) {
        /* never a text that was cut: it would ask for something else */
        *len = 0;
    }

    return hlp->text;
}


void
ngx_http_docket_ask_edges(ngx_http_docket_ask_t *ask, int64_t *after,
    int64_t *before)
{
    docket_job_t      *job;
    docket_request_t  *rq;

    job = ask->run->job;
    rq = ngx_http_docket_ask_request(ask);

    *after = (ask->slice == 0)
             ? job->after : ask->edge + (ask->slice - 1) * ask->run->slice;

    *before = (ask->slice + 1 >= rq->slices)
              ? job->before : ask->edge + ask->slice * ask->run->slice;
}


ngx_uint_t
ngx_http_docket_ask_next(ngx_http_docket_ask_t *ask)
{
    docket_request_t  *rq;

    rq = ngx_http_docket_ask_request(ask);

    rq->slices_done++;

    ask->slice++;
    ask->tries = 0;
    ask->begun = 0;

    ngx_http_docket_ask_changed(ask);
    ngx_http_docket_ask_wake(ask);

    return ask->slice < rq->slices;
}


void
ngx_http_docket_ask_close(ngx_http_docket_ask_t *ask,
    docket_sensor_state_e state, const char *words)
{
    char               oldest[DOCKET_TIME_LEN];
    uint64_t           records;
    docket_request_t  *rq;

    rq = ngx_http_docket_ask_request(ask);

    docket_stream_finish(ask->stream);
    records = docket_stream_count(ask->stream)->records;

    if (state == DOCKET_SENSOR_FAILED && records != 0) {
        state = DOCKET_SENSOR_PARTIAL;

    } else if (state == DOCKET_SENSOR_COMPLETE && records == 0
               && ask->slice >= rq->slices)
    {
        state = DOCKET_SENSOR_EMPTY;
    }

    if (words != NULL) {
        (void) snprintf(rq->error, sizeof(rq->error), "%s", words);

        ngx_log_error((state == DOCKET_SENSOR_CANCELLED ? NGX_LOG_INFO
                                                        : NGX_LOG_WARN),
                      ask->run->hlp->log, 0,
                      "docket job %s, sensor \"%s\": %s",
                      ask->run->id, rq->name, words);
    }

    if (ask->peer->oldest > ask->run->job->after + DOCKET_SECOND
        && rq->warning[0] == '\0' && docket_sensor_covered(state))
    {
        (void) docket_format_time(oldest, ask->peer->oldest);
        (void) snprintf(rq->warning, sizeof(rq->warning),
                        "it has no packets from before %s", oldest);
    }

    rq->state = state;
    rq->finished = ngx_http_docket_now();

    ask->open = 0;

    ngx_http_docket_ask_changed(ask);
    ngx_http_docket_ask_wake(ask);

    if (--ask->run->nopen == 0) {

        /* nothing more comes: the record is the io thread's from here on */

        ask->run->dirty = 0;
        ngx_http_docket_shared_ended(ask->run);
    }
}


void
ngx_http_docket_ask_wake(ngx_http_docket_ask_t *ask)
{
    ngx_http_docket_run_t  *run;

    run = ask->run;

    if (!run->go && (docket_stream_count(ask->stream)->records != 0
                     || ask->slice != 0))
    {
        (void) pthread_mutex_lock(&run->hlp->mutex);
        run->go = 1;
        (void) pthread_mutex_unlock(&run->hlp->mutex);

        ngx_http_docket_shared_ready(run);
    }

    if (docket_stream_wakes(ask->stream)) {
        ngx_http_docket_shared_ready(run);
    }
}


void
ngx_http_docket_ask_changed(ngx_http_docket_ask_t *ask)
{
    ngx_http_docket_run_t  *run;

    run = ask->run;

    if (!run->dirty) {
        run->dirty = 1;
        ngx_http_docket_timer(run->hlp, run->said + NGX_HTTP_DOCKET_PROGRESS);
    }
}
