/*
 * The record of a job as JSON.  docket_job_parse.c must read all that is
 * written here: what it would refuse is not written.
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_gen.h>

#include "job/docket_job.h"
#include "job/docket_job_json.h"


typedef struct {
    yajl_gen               gen;
    char                  *buf;
    size_t                 len;
    size_t                 size;
    char                  *text;      /* the string at hand, made valid */
    size_t                 text_size;
    int                    failed;
} docket_printer_t;


static void docket_print_question(docket_printer_t *pr,
    const docket_job_t *job);
static void docket_print_run(docket_printer_t *pr, const docket_job_t *job);
static void docket_print_capture(docket_printer_t *pr,
    const docket_job_t *job);
static void docket_print_requests(docket_printer_t *pr,
    const docket_job_t *job);
static void docket_print_events(docket_printer_t *pr,
    const docket_job_t *job);
static void docket_print_askers(docket_printer_t *pr,
    const docket_job_t *job);

static void docket_print_append(void *ctx, const char *s, size_t len);
static void docket_print_check(docket_printer_t *pr, yajl_gen_status rc);
static void docket_print_key(docket_printer_t *pr, const char *key);
static void docket_print_string(docket_printer_t *pr, const char *key,
    const char *s, size_t len, int controls);
static void docket_print_words(docket_printer_t *pr, const char *key,
    const char *s, size_t size);
static void docket_print_number(docket_printer_t *pr, const char *key,
    uint64_t n);
static void docket_print_bool(docket_printer_t *pr, const char *key, int b);
static void docket_print_time(docket_printer_t *pr, const char *key,
    int64_t us);
static void docket_print_time_or_null(docket_printer_t *pr, const char *key,
    int64_t us);


int
docket_job_print(const docket_job_t *job, char **out, size_t *len)
{
    docket_printer_t  pr;

    *out = NULL;
    *len = 0;

    if (job->nrequests > DOCKET_JOB_SENSORS
        || job->nsensors > DOCKET_JOB_SENSORS
        || job->nevents > DOCKET_JOB_EVENTS
        || job->naskers > DOCKET_JOB_ASKERS
        || job->after >= job->before
        || job->before <= DOCKET_JOB_TIME_MIN
        || job->after >= DOCKET_JOB_TIME_MAX)
    {
        return DOCKET_ERROR;
    }

    memset(&pr, 0, sizeof(docket_printer_t));

    pr.gen = yajl_gen_alloc(NULL);
    if (pr.gen == NULL) {
        return DOCKET_ERROR;
    }

    if (yajl_gen_config(pr.gen, yajl_gen_print_callback, docket_print_append,
                        &pr)
        == 0)
    {
        pr.failed = 1;
    }

    docket_print_check(&pr, yajl_gen_map_open(pr.gen));
    docket_print_number(&pr, "version", DOCKET_JOB_VERSION);

    docket_print_question(&pr, job);
    docket_print_run(&pr, job);
    docket_print_capture(&pr, job);
    docket_print_requests(&pr, job);
    docket_print_events(&pr, job);
    docket_print_askers(&pr, job);

    docket_print_number(&pr, "asked", job->asked);
    docket_print_check(&pr, yajl_gen_map_close(pr.gen));

    yajl_gen_free(pr.gen);
    free(pr.text);

    if (pr.failed || pr.len > DOCKET_JOB_MAX_JSON) {
        free(pr.buf);
        return DOCKET_ERROR;
    }

    *out = pr.buf;
    *len = pr.len;

    return DOCKET_OK;
}


static void
docket_print_question(docket_printer_t *pr, const docket_job_t *job)
{
    char         number[32];
    size_t       i, len;
    const char  *state;

    if (strlen(job->query) > DOCKET_JOB_MAX_TEXT
        || strlen(job->terms) > DOCKET_JOB_MAX_TEXT
        || (job->filter != NULL && strlen(job->filter) > DOCKET_MAX_FILTER))
    {
        pr->failed = 1;
        return;
    }

    state = docket_state_name(job->state);
    if (state == NULL) {
        pr->failed = 1;
        return;
    }

    docket_print_words(pr, "id", job->id, sizeof(job->id));
    docket_print_words(pr, "state", state, DOCKET_JOB_MAX_TEXT);
    docket_print_string(pr, "query", job->query, strlen(job->query), 1);
    docket_print_time(pr, "after", job->after);
    docket_print_time(pr, "before", job->before);
    docket_print_bool(pr, "exact", job->exact);
    docket_print_string(pr, "terms", job->terms, strlen(job->terms), 1);

    if (job->filter != NULL) {
        docket_print_string(pr, "filter", job->filter, strlen(job->filter), 1);
    }

    if (job->nsensors != 0) {
        docket_print_key(pr, "sensors");
        docket_print_check(pr, yajl_gen_array_open(pr->gen));

        for (i = 0; i < job->nsensors; i++) {
            docket_print_words(pr, NULL, job->sensors[i], DOCKET_JOB_MAX_TEXT);
        }

        docket_print_check(pr, yajl_gen_array_close(pr->gen));
    }

    if (job->limit_packets != 0) {
        docket_print_number(pr, "limit_packets", job->limit_packets);
    }

    if (job->limit_bytes != 0) {
        docket_print_number(pr, "limit_bytes", job->limit_bytes);
    }

    if (job->weight > 0 && isfinite(job->weight)) {
        len = snprintf(number, sizeof(number), "%.17g", job->weight);

        docket_print_key(pr, "weight");
        docket_print_check(pr, yajl_gen_number(pr->gen, number, len));
    }
}


static void
docket_print_run(docket_printer_t *pr, const docket_job_t *job)
{
    docket_print_number(pr, "run", job->run);
    docket_print_time(pr, "created", job->created);
    docket_print_time_or_null(pr, "requested", job->requested);
    docket_print_time_or_null(pr, "started", job->started);
    docket_print_time_or_null(pr, "finished", job->finished);
    docket_print_bool(pr, "settled", job->settled);
    docket_print_time_or_null(pr, "settles_at", job->settles_at);
    docket_print_bool(pr, "partial", job->partial);
    docket_print_bool(pr, "truncated", job->truncated);
    docket_print_bool(pr, "empty", job->empty);

    if (job->reason != NULL) {
        docket_print_words(pr, "reason", job->reason, DOCKET_JOB_MAX_REASON);

    } else {
        docket_print_key(pr, "reason");
        docket_print_check(pr, yajl_gen_null(pr->gen));
    }
}


static void
docket_print_capture(docket_printer_t *pr, const docket_job_t *job)
{
    docket_print_key(pr, "capture");

    if (job->capture_run == 0) {
        docket_print_check(pr, yajl_gen_null(pr->gen));
        return;
    }

    docket_print_check(pr, yajl_gen_map_open(pr->gen));
    docket_print_number(pr, "run", job->capture_run);
    docket_print_number(pr, "packets", job->packets);
    docket_print_number(pr, "bytes", job->bytes);
    docket_print_time_or_null(pr, "first", job->first);
    docket_print_time_or_null(pr, "last", job->last);
    docket_print_check(pr, yajl_gen_map_close(pr->gen));
}


static void
docket_print_requests(docket_printer_t *pr, const docket_job_t *job)
{
    size_t                   i;
    const char              *state;
    const docket_request_t  *rq;

    docket_print_key(pr, "requests");
    docket_print_check(pr, yajl_gen_map_open(pr->gen));

    for (i = 0; i < job->nrequests; i++) {
        rq = &job->requests[i];

        state = docket_sensor_state_name(rq->state);

        if (state == NULL
            || !docket_job_sensor_name(rq->name,
                                       strnlen(rq->name, sizeof(rq->name)))
            || (i != 0 && strcmp(job->requests[i - 1].name, rq->name) >= 0))
        {
            pr->failed = 1;
            return;
        }

        docket_print_key(pr, rq->name);
        docket_print_check(pr, yajl_gen_map_open(pr->gen));
        docket_print_words(pr, "state", state, DOCKET_JOB_MAX_TEXT);
        docket_print_number(pr, "received", rq->received);
        docket_print_number(pr, "packets", rq->packets);
        docket_print_number(pr, "bytes", rq->bytes);
        docket_print_number(pr, "disordered", rq->disordered);
        docket_print_number(pr, "slices", rq->slices);
        docket_print_number(pr, "slices_done", rq->slices_done);
        docket_print_number(pr, "attempts", rq->attempts);
        docket_print_time_or_null(pr, "started", rq->started);
        docket_print_time_or_null(pr, "finished", rq->finished);
        docket_print_words(pr, "error", rq->error, sizeof(rq->error));
        docket_print_words(pr, "warning", rq->warning, sizeof(rq->warning));
        docket_print_check(pr, yajl_gen_map_close(pr->gen));
    }

    docket_print_check(pr, yajl_gen_map_close(pr->gen));

    docket_print_key(pr, "successes");
    docket_print_check(pr, yajl_gen_array_open(pr->gen));

    for (i = 0; i < job->nrequests; i++) {
        rq = &job->requests[i];

        if (docket_sensor_covered(rq->state)) {
            docket_print_words(pr, NULL, rq->name, sizeof(rq->name));
        }
    }

    docket_print_check(pr, yajl_gen_array_close(pr->gen));
}


static void
docket_print_events(docket_printer_t *pr, const docket_job_t *job)
{
    size_t                 i;
    const char            *state;
    const docket_event_t  *ev;

    docket_print_key(pr, "events");
    docket_print_check(pr, yajl_gen_array_open(pr->gen));

    for (i = 0; i < job->nevents; i++) {
        ev = &job->events[i];

        state = docket_state_name(ev->state);
        if (state == NULL) {
            pr->failed = 1;
            return;
        }

        docket_print_check(pr, yajl_gen_map_open(pr->gen));
        docket_print_time(pr, "datetime", ev->time);
        docket_print_words(pr, "name", ev->name, sizeof(ev->name));
        docket_print_words(pr, "msg", ev->msg, sizeof(ev->msg));
        docket_print_words(pr, "state", state, DOCKET_JOB_MAX_TEXT);
        docket_print_check(pr, yajl_gen_map_close(pr->gen));
    }

    docket_print_check(pr, yajl_gen_array_close(pr->gen));
}


static void
docket_print_askers(docket_printer_t *pr, const docket_job_t *job)
{
    size_t                 i;
    const docket_asker_t  *a;

    docket_print_key(pr, "askers");
    docket_print_check(pr, yajl_gen_array_open(pr->gen));

    for (i = 0; i < job->naskers; i++) {
        a = &job->askers[i];

        docket_print_check(pr, yajl_gen_map_open(pr->gen));
        docket_print_words(pr, "address", a->addr, sizeof(a->addr));
        docket_print_words(pr, "user", a->user, sizeof(a->user));
        docket_print_words(pr, "subject", a->subject, sizeof(a->subject));
        docket_print_time(pr, "first", a->first);
        docket_print_time(pr, "last", a->last);
        docket_print_number(pr, "count", a->count);
        docket_print_check(pr, yajl_gen_map_close(pr->gen));
    }

    docket_print_check(pr, yajl_gen_array_close(pr->gen));
}


/* yajl's own buffer is not used because it does not survive a failed
   realloc(). */

static void
docket_print_append(void *ctx, const char *s, size_t len)
{
    docket_printer_t *pr = ctx;

    char    *buf;
    size_t   size;

    if (pr->failed) {
        return;
    }

    if (pr->size - pr->len <= len) {
        size = (pr->size == 0) ? 4096 : pr->size;

        while (size - pr->len <= len) {
            size *= 2;
        }

        buf = realloc(pr->buf, size);
        if (buf == NULL) {
            pr->failed = 1;
            return;
        }

        pr->buf = buf;
        pr->size = size;
    }

    memcpy(pr->buf + pr->len, s, len);
    pr->len += len;
    pr->buf[pr->len] = '\0';
}


static void
docket_print_check(docket_printer_t *pr, yajl_gen_status rc)
{
    if (rc != yajl_gen_status_ok) {
        pr->failed = 1;
    }
}


static void
docket_print_key(docket_printer_t *pr, const char *key)
{
    docket_print_check(pr, yajl_gen_string(pr->gen,
                                           (const unsigned char *) key,
                                           strlen(key)));
}


/* "key" is NULL inside an array. */

static void
docket_print_string(docket_printer_t *pr, const char *key, const char *s,
    size_t len, int controls)
{
    char  *text;

    if (key != NULL) {
        docket_print_key(pr, key);
    }

    if (pr->text_size < len + 1) {
        text = realloc(pr->text, len + 1);
        if (text == NULL) {
            pr->failed = 1;
            return;
        }

        pr->text = text;
        pr->text_size = len + 1;
    }

    docket_json_clean(pr->text, s, len, controls);

    docket_print_check(pr, yajl_gen_string(pr->gen,
                                           (unsigned char *) pr->text, len));
}


/* Foreign words of at most "size" bytes, NUL-terminated or not. */

static void
docket_print_words(docket_printer_t *pr, const char *key, const char *s,
    size_t size)
{
    docket_print_string(pr, key, s, strnlen(s, size), 0);
}


static void
docket_print_number(docket_printer_t *pr, const char *key, uint64_t n)
{
    char    number[sizeof("18446744073709551615")];
    size_t  len;

    len = snprintf(number, sizeof(number), "%" PRIu64, n);

    docket_print_key(pr, key);
    docket_print_check(pr, yajl_gen_number(pr->gen, number, len));
}


static void
docket_print_bool(docket_printer_t *pr, const char *key, int b)
{
    docket_print_key(pr, key);
    docket_print_check(pr, yajl_gen_bool(pr->gen, b));
}


static void
docket_print_time(docket_printer_t *pr, const char *key, int64_t us)
{
    char    buf[DOCKET_TIME_LEN];
    size_t  len;

    /* a packet may claim any time; four digits of year can be read again */

    if (us < DOCKET_JOB_TIME_MIN) {
        us = DOCKET_JOB_TIME_MIN;

    } else if (us > DOCKET_JOB_TIME_MAX) {
        us = DOCKET_JOB_TIME_MAX;
    }

    len = docket_format_time(buf, us);

    docket_print_string(pr, key, buf, len, 0);
}


static void
docket_print_time_or_null(docket_printer_t *pr, const char *key, int64_t us)
{
    if (us != 0) {
        docket_print_time(pr, key, us);
        return;
    }

    docket_print_key(pr, key);
    docket_print_check(pr, yajl_gen_null(pr->gen));
}
