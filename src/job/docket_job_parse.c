/*
 * The record of a job from its JSON.  yajl's tree is not used: it takes 80
 * bytes and more for each byte of a file that is all brackets, and frees them
 * by recursion.  Here each value goes straight to its place in the record, or
 * the text is refused.
 *
 * Unknown keys are passed over, so that a field can be added without a new
 * version; what changes its meaning needs one.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "job/docket_job.h"
#include "job/docket_job_parse.h"


#define DOCKET_PARSE_DEPTH  32        /* below an unknown key */


typedef enum {
    DOCKET_GOT_NULL,
    DOCKET_GOT_BOOL,                  /* "len" is its value */
    DOCKET_GOT_NUMBER,
    DOCKET_GOT_STRING
} docket_got_e;


static int docket_parse_check(docket_parser_t *p);

static int docket_parse_null(void *ctx);
static int docket_parse_boolean(void *ctx, int value);
static int docket_parse_number(void *ctx, const char *s, size_t len);
static int docket_parse_string(void *ctx, const unsigned char *s, size_t len);
static int docket_parse_start_map(void *ctx);
static int docket_parse_key(void *ctx, const unsigned char *s, size_t len);
static int docket_parse_end_map(void *ctx);
static int docket_parse_start_array(void *ctx);
static int docket_parse_end_array(void *ctx);

static int docket_parse_value(docket_parser_t *p, docket_got_e got,
    const char *s, size_t len);
static int docket_parse_element(docket_parser_t *p, docket_got_e got,
    const char *s, size_t len);
static int docket_parse_add_request(docket_parser_t *p, const char *s,
    size_t len);
static int docket_parse_add_event(docket_parser_t *p);
static int docket_parse_add_asker(docket_parser_t *p);
static int docket_parse_add_sensor(docket_parser_t *p, const char *s,
    size_t len);


static const yajl_callbacks  docket_parse_callbacks = {
    docket_parse_null,
    docket_parse_boolean,
    NULL,
    NULL,
    docket_parse_number,
    docket_parse_string,
    docket_parse_start_map,
    docket_parse_key,
    docket_parse_end_map,
    docket_parse_start_array,
    docket_parse_end_array
};


docket_job_t *
docket_job_parse(const char *json, size_t len, char *err, size_t size)
{
    yajl_handle      handle;
    yajl_status      rc;
    unsigned char   *words;
    docket_parser_t  p;

    memset(&p, 0, sizeof(docket_parser_t));
    p.err = err;
    p.err_size = size;

    if (len > DOCKET_JOB_MAX_JSON) {
        (void) docket_parse_fail(&p, "the text is longer than %d bytes",
                                 DOCKET_JOB_MAX_JSON);
        errno = EBADMSG;
        return NULL;
    }

    p.job = calloc(1, sizeof(docket_job_t));
    handle = yajl_alloc(&docket_parse_callbacks, NULL, &p);

    if (p.job == NULL || handle == NULL) {
        (void) docket_parse_no_memory(&p);
        goto failed;
    }

    rc = yajl_parse(handle, (const unsigned char *) json, len);

    if (rc == yajl_status_ok) {
        rc = yajl_complete_parse(handle);
    }

    if (rc == yajl_status_error) {
        words = yajl_get_error(handle, 0, NULL, 0);

        (void) docket_parse_fail(&p, "%.*s",
                          (words != NULL) ? (int) strcspn((char *) words, "\n")
                                          : 0,
                          (words != NULL) ? (char *) words : "");

        if (words != NULL) {
            yajl_free_error(handle, words);
        }
    }

    if (p.failed || docket_parse_check(&p) == 0) {
        goto failed;
    }

    yajl_free(handle);

    return p.job;

failed:

    if (handle != NULL) {
        yajl_free(handle);
    }

    docket_job_destroy(p.job);

    errno = p.no_memory ? ENOMEM : EBADMSG;

    return NULL;
}


/* What one value alone does not show. */

static int
docket_parse_check(docket_parser_t *p)
{
    docket_job_t  *job;

    job = p->job;

    if (p->level != DOCKET_IN_END) {
        return docket_parse_fail(p, "the text is no whole object");
    }

    if (job->after >= job->before) {
        return docket_parse_fail(p, "\"after\" is not before \"before\"");
    }

    job->exact = p->flags.exact;
    job->settled = p->flags.settled;
    job->partial = p->flags.partial;
    job->truncated = p->flags.truncated;
    job->empty = p->flags.empty;

    return 1;
}


static int
docket_parse_null(void *ctx)
{
    return docket_parse_value(ctx, DOCKET_GOT_NULL, NULL, 0);
}


static int
docket_parse_boolean(void *ctx, int value)
{
    return docket_parse_value(ctx, DOCKET_GOT_BOOL, NULL, value != 0);
}


static int
docket_parse_number(void *ctx, const char *s, size_t len)
{
    return docket_parse_value(ctx, DOCKET_GOT_NUMBER, s, len);
}


static int
docket_parse_string(void *ctx, const unsigned char *s, size_t len)
{
    return docket_parse_value(ctx, DOCKET_GOT_STRING, (const char *) s, len);
}


static int
docket_parse_start_map(void *ctx)
{
    docket_parser_t *p = ctx;

    if (p->skip) {
        if (++p->depth > DOCKET_PARSE_DEPTH) {
            return docket_parse_fail(p, "nested too deep");
        }

        return 1;
    }

    switch (p->level) {

    case DOCKET_IN_NOTHING:
        p->level = DOCKET_IN_JOB;
        return 1;

    case DOCKET_IN_EVENTS:
        return docket_parse_add_event(p);

    case DOCKET_IN_ASKERS:
        return docket_parse_add_asker(p);

    case DOCKET_IN_REQUESTS:
        /* its key made the entry */
        p->level = DOCKET_IN_REQUEST;
        p->seen = 0;
        return 1;

    default:
        break;
    }

    if (p->field == NULL
        || (p->field->kind != DOCKET_IS_MAP
            && p->field->kind != DOCKET_IS_MAP_OR_NULL))
    {
        return docket_parse_fail(p, "an object that does not belong in %s",
                                 docket_levels[p->level].name);
    }

    p->level = p->field->size;
    p->field = NULL;
    p->seen = 0;

    return 1;
}


static int
docket_parse_key(void *ctx, const unsigned char *s, size_t len)
{
    docket_parser_t *p = ctx;

    uint64_t              *seen, bit;
    const docket_field_t  *f;

    if (p->skip) {
        return 1;
    }

    if (p->level == DOCKET_IN_REQUESTS) {
        return docket_parse_add_request(p, (const char *) s, len);
    }

    seen = (p->level == DOCKET_IN_JOB) ? &p->seen_job : &p->seen;
    bit = 1;

    for (f = docket_levels[p->level].fields; f->name != NULL; f++) {

        if (strlen(f->name) == len && memcmp(f->name, s, len) == 0) {

            if (*seen & bit) {
                return docket_parse_fail(p, "\"%s\" is there twice", f->name);
            }

            *seen |= bit;
            p->field = f;

            return 1;
        }

        bit <<= 1;
    }

    p->skip = 1;
    p->depth = 0;

    return 1;
}


static int
docket_parse_end_map(void *ctx)
{
    docket_parser_t *p = ctx;

    uint64_t               seen;
    const docket_field_t  *f;

    if (p->skip) {
        p->skip = --p->depth != 0;
        return 1;
    }

    f = docket_levels[p->level].fields;

    if (f != NULL) {
        seen = (p->level == DOCKET_IN_JOB) ? p->seen_job : p->seen;

        for ( /* void */ ; f->name != NULL; f++, seen >>= 1) {

            if (!f->optional && (seen & 1) == 0) {
                return docket_parse_fail(p, "\"%s\" is missing in %s",
                                         f->name,
                                         docket_levels[p->level].name);
            }
        }
    }

    p->level = docket_levels[p->level].parent;

    return 1;
}


static int
docket_parse_start_array(void *ctx)
{
    docket_parser_t *p = ctx;

    if (p->skip) {
        if (++p->depth > DOCKET_PARSE_DEPTH) {
            return docket_parse_fail(p, "nested too deep");
        }

        return 1;
    }

    if (p->field == NULL || p->field->kind != DOCKET_IS_ARRAY) {
        return docket_parse_fail(p, "an array that does not belong in %s",
                                 docket_levels[p->level].name);
    }

    p->level = p->field->size;
    p->field = NULL;

    return 1;
}


static int
docket_parse_end_array(void *ctx)
{
    docket_parser_t *p = ctx;

    if (p->skip) {
        p->skip = --p->depth != 0;
        return 1;
    }

    p->level = docket_levels[p->level].parent;

    return 1;
}


static int
docket_parse_value(docket_parser_t *p, docket_got_e got, const char *s,
    size_t len)
{
    int                    fits;
    const docket_field_t  *f;

    if (p->skip) {
        if (p->depth == 0) {
            p->skip = 0;
        }

        return 1;
    }

    f = p->field;

    if (f == NULL) {
        return docket_parse_element(p, got, s, len);
    }

    switch (got) {

    case DOCKET_GOT_NULL:
        fits = f->kind == DOCKET_IS_TEXT_OR_NULL
               || f->kind == DOCKET_IS_TIME_OR_NULL
               || f->kind == DOCKET_IS_MAP_OR_NULL;
        break;

    case DOCKET_GOT_BOOL:
        fits = docket_parse_set_bool(p, len);
        break;

    case DOCKET_GOT_NUMBER:
        fits = docket_parse_set_number(p, s, len);
        break;

    default: /* DOCKET_GOT_STRING */
        fits = docket_parse_set_string(p, s, len);
        break;
    }

    if (!fits) {
        return docket_parse_fail(p, "the value of \"%s\" in %s does not fit",
                                 f->name, docket_levels[p->level].name);
    }

    p->field = NULL;

    return 1;
}


/* A value in an array, or one where none belongs. */

static int
docket_parse_element(docket_parser_t *p, docket_got_e got, const char *s,
    size_t len)
{
    if (got == DOCKET_GOT_STRING && docket_job_sensor_name(s, len)) {

        if (p->level == DOCKET_IN_SENSORS) {
            return docket_parse_add_sensor(p, s, len);
        }

        if (p->level == DOCKET_IN_SUCCESSES) {
            /* follows from the requests */
            return 1;
        }
    }

    return docket_parse_fail(p, "a value that does not belong in %s",
                             docket_levels[p->level].name);
}


static int
docket_parse_add_request(docket_parser_t *p, const char *s, size_t len)
{
    char               name[DOCKET_MAX_SENSOR + 1];
    size_t             room;
    docket_job_t      *job;
    docket_request_t  *rq;

    job = p->job;

    if (!docket_job_sensor_name(s, len)) {
        return docket_parse_fail(p, "\"requests\" names what is no sensor");
    }

    memcpy(name, s, len);
    name[len] = '\0';

    /* the writer's order; any other would cost n * n */

    if (job->nrequests != 0
        && strcmp(job->requests[job->nrequests - 1].name, name) >= 0)
    {
        return docket_parse_fail(p, "\"requests\" is not in order");
    }

    if (job->nrequests >= DOCKET_JOB_SENSORS) {
        return docket_parse_fail(p, "too many requests");
    }

    if (job->nrequests == p->room) {
        room = (p->room == 0) ? 16 : 2 * p->room;

        rq = realloc(job->requests, room * sizeof(docket_request_t));
        if (rq == NULL) {
            return docket_parse_no_memory(p);
        }

        job->requests = rq;
        p->room = room;
    }

    rq = &job->requests[job->nrequests++];

    memset(rq, 0, sizeof(docket_request_t));
    memcpy(rq->name, name, len);

    return 1;
}


static int
docket_parse_add_event(docket_parser_t *p)
{
    docket_job_t    *job;
    docket_event_t  *ev;

    job = p->job;

    if (job->nevents >= DOCKET_JOB_EVENTS) {
        return docket_parse_fail(p, "too many events");
    }

    ev = realloc(job->events, (job->nevents + 1) * sizeof(docket_event_t));
    if (ev == NULL) {
        return docket_parse_no_memory(p);
    }

    memset(&ev[job->nevents], 0, sizeof(docket_event_t));

    job->events = ev;
    job->nevents++;

    p->level = DOCKET_IN_EVENT;
    p->seen = 0;

    return 1;
}


static int
docket_parse_add_asker(docket_parser_t *p)
{
    docket_job_t    *job;
    docket_asker_t  *a;

    job = p->job;

    if (job->naskers >= DOCKET_JOB_ASKERS) {
        return docket_parse_fail(p, "too many askers");
    }

    a = realloc(job->askers, (job->naskers + 1) * sizeof(docket_asker_t));
    if (a == NULL) {
        return docket_parse_no_memory(p);
    }

    memset(&a[job->naskers], 0, sizeof(docket_asker_t));

    job->askers = a;
    job->naskers++;

    p->level = DOCKET_IN_ASKER;
    p->seen = 0;

    return 1;
}


static int
docket_parse_add_sensor(docket_parser_t *p, const char *s, size_t len)
{
    char          **sensors;
    docket_job_t   *job;

    job = p->job;

    if (job->nsensors >= DOCKET_JOB_SENSORS) {
        return docket_parse_fail(p, "too many sensors");
    }

    sensors = realloc(job->sensors, (job->nsensors + 1) * sizeof(char *));
    if (sensors == NULL) {
        return docket_parse_no_memory(p);
    }

    job->sensors = sensors;

    sensors[job->nsensors] = strndup(s, len);
    if (sensors[job->nsensors] == NULL) {
        return docket_parse_no_memory(p);
    }

    job->nsensors++;

    return 1;
}
