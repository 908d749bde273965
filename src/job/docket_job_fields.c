/*
 * The fields of a record's JSON and their values.
 */

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/docket_job.h"
#include "job/docket_job_json.h"
#include "job/docket_job_parse.h"


static void *docket_parse_place(docket_parser_t *p);
static int docket_parse_set_state(docket_parser_t *p, void *dst,
    const char *s, size_t len);
static int docket_parse_set_text(docket_parser_t *p, char **dst,
    const char *s, size_t len);
static int docket_parse_id(const char *s, size_t len);
static int docket_parse_u64(const char *s, size_t len, uint64_t max,
    uint64_t *n);


#define docket_in_job(name, kind, optional, member, size)                     \
    { name, kind, optional, offsetof(docket_job_t, member), size }
#define docket_in_flags(name)                                                 \
    { #name, DOCKET_IS_BOOL, 0, offsetof(docket_parse_flags_t, name), 0 }
#define docket_in_request(name, kind, size)                                   \
    { #name, kind, 0, offsetof(docket_request_t, name), size }
#define docket_in_event(name, kind, member, size)                             \
    { name, kind, 0, offsetof(docket_event_t, member), size }
#define docket_in_asker(name, kind, member, size)                             \
    { name, kind, 0, offsetof(docket_asker_t, member), size }
#define docket_opens(name, kind, optional, level)                             \
    { name, kind, optional, 0, level }
#define docket_sizeof(type, member)  sizeof(((type *) NULL)->member)


static const docket_field_t  docket_job_fields[] = {
    { "version", DOCKET_IS_VERSION, 0, 0, 0 },
    docket_in_job("id", DOCKET_IS_ID, 0, id, 0),
    docket_in_job("state", DOCKET_IS_STATE, 0, state, 0),
    docket_in_job("query", DOCKET_IS_TEXT, 0, query, DOCKET_JOB_MAX_TEXT),
    docket_in_job("after", DOCKET_IS_TIME, 0, after, 0),
    docket_in_job("before", DOCKET_IS_TIME, 0, before, 0),
    docket_in_flags(exact),
    docket_in_job("terms", DOCKET_IS_TEXT, 0, terms, DOCKET_JOB_MAX_TEXT),
    docket_in_job("filter", DOCKET_IS_TEXT, 1, filter, DOCKET_MAX_FILTER),
    docket_opens("sensors", DOCKET_IS_ARRAY, 1, DOCKET_IN_SENSORS),
    docket_in_job("limit_packets", DOCKET_IS_U64, 1, limit_packets, 0),
    docket_in_job("limit_bytes", DOCKET_IS_U64, 1, limit_bytes, 0),
    docket_in_job("weight", DOCKET_IS_DOUBLE, 1, weight, 0),
    docket_in_job("run", DOCKET_IS_U32, 0, run, 0),
    docket_in_job("created", DOCKET_IS_TIME, 0, created, 0),
    docket_in_job("requested", DOCKET_IS_TIME_OR_NULL, 0, requested, 0),
    docket_in_job("started", DOCKET_IS_TIME_OR_NULL, 0, started, 0),
    docket_in_job("finished", DOCKET_IS_TIME_OR_NULL, 0, finished, 0),
    docket_in_flags(settled),
    docket_in_job("settles_at", DOCKET_IS_TIME_OR_NULL, 0, settles_at, 0),
    docket_in_flags(partial),
    docket_in_flags(truncated),
    docket_in_flags(empty),
    docket_in_job("reason", DOCKET_IS_TEXT_OR_NULL, 0, reason,
                  DOCKET_JOB_MAX_REASON),
    docket_opens("capture", DOCKET_IS_MAP_OR_NULL, 0, DOCKET_IN_CAPTURE),
    docket_opens("requests", DOCKET_IS_MAP, 0, DOCKET_IN_REQUESTS),
    docket_opens("successes", DOCKET_IS_ARRAY, 0, DOCKET_IN_SUCCESSES),
    docket_opens("events", DOCKET_IS_ARRAY, 0, DOCKET_IN_EVENTS),
    docket_opens("askers", DOCKET_IS_ARRAY, 0, DOCKET_IN_ASKERS),
    docket_in_job("asked", DOCKET_IS_U64, 0, asked, 0),
    { NULL, DOCKET_IS_ID, 0, 0, 0 }
};


static const docket_field_t  docket_capture_fields[] = {
    docket_in_job("run", DOCKET_IS_U32, 0, capture_run, 0),
    docket_in_job("packets", DOCKET_IS_U64, 0, packets, 0),
    docket_in_job("bytes", DOCKET_IS_U64, 0, bytes, 0),
    docket_in_job("first", DOCKET_IS_TIME_OR_NULL, 0, first, 0),
    docket_in_job("last", DOCKET_IS_TIME_OR_NULL, 0, last, 0),
    { NULL, DOCKET_IS_ID, 0, 0, 0 }
};


static const docket_field_t  docket_request_fields[] = {
    docket_in_request(state, DOCKET_IS_SENSOR_STATE, 0),
    docket_in_request(received, DOCKET_IS_U64, 0),
    docket_in_request(packets, DOCKET_IS_U64, 0),
    docket_in_request(bytes, DOCKET_IS_U64, 0),
    docket_in_request(disordered, DOCKET_IS_U64, 0),
    docket_in_request(slices, DOCKET_IS_U32, 0),
    docket_in_request(slices_done, DOCKET_IS_U32, 0),
    docket_in_request(attempts, DOCKET_IS_U32, 0),
    docket_in_request(started, DOCKET_IS_TIME_OR_NULL, 0),
    docket_in_request(finished, DOCKET_IS_TIME_OR_NULL, 0),
    docket_in_request(error, DOCKET_IS_WORDS,
                      docket_sizeof(docket_request_t, error)),
    docket_in_request(warning, DOCKET_IS_WORDS,
                      docket_sizeof(docket_request_t, warning)),
    { NULL, DOCKET_IS_ID, 0, 0, 0 }
};


static const docket_field_t  docket_event_fields[] = {
    docket_in_event("datetime", DOCKET_IS_TIME, time, 0),
    docket_in_event("name", DOCKET_IS_WORDS, name,
                    docket_sizeof(docket_event_t, name)),
    docket_in_event("msg", DOCKET_IS_WORDS, msg,
                    docket_sizeof(docket_event_t, msg)),
    docket_in_event("state", DOCKET_IS_STATE, state, 0),
    { NULL, DOCKET_IS_ID, 0, 0, 0 }
};


static const docket_field_t  docket_asker_fields[] = {
    docket_in_asker("address", DOCKET_IS_WORDS, addr,
                    docket_sizeof(docket_asker_t, addr)),
    docket_in_asker("user", DOCKET_IS_WORDS, user,
                    docket_sizeof(docket_asker_t, user)),
    docket_in_asker("subject", DOCKET_IS_WORDS, subject,
                    docket_sizeof(docket_asker_t, subject)),
    docket_in_asker("first", DOCKET_IS_TIME, first, 0),
    docket_in_asker("last", DOCKET_IS_TIME, last, 0),
    docket_in_asker("count", DOCKET_IS_U64, count, 0),
    { NULL, DOCKET_IS_ID, 0, 0, 0 }
};


const docket_level_t  docket_levels[] = {
    [DOCKET_IN_NOTHING] = { NULL, DOCKET_IN_END, "the text" },
    [DOCKET_IN_JOB] = { docket_job_fields, DOCKET_IN_END, "the record" },
    [DOCKET_IN_SENSORS] = { NULL, DOCKET_IN_JOB, "\"sensors\"" },
    [DOCKET_IN_CAPTURE] = { docket_capture_fields, DOCKET_IN_JOB,
                            "\"capture\"" },
    [DOCKET_IN_REQUESTS] = { NULL, DOCKET_IN_JOB, "\"requests\"" },
    [DOCKET_IN_REQUEST] = { docket_request_fields, DOCKET_IN_REQUESTS,
                            "a request" },
    [DOCKET_IN_SUCCESSES] = { NULL, DOCKET_IN_JOB, "\"successes\"" },
    [DOCKET_IN_EVENTS] = { NULL, DOCKET_IN_JOB, "\"events\"" },
    [DOCKET_IN_EVENT] = { docket_event_fields, DOCKET_IN_EVENTS, "an event" },
    [DOCKET_IN_ASKERS] = { NULL, DOCKET_IN_JOB, "\"askers\"" },
    [DOCKET_IN_ASKER] = { docket_asker_fields, DOCKET_IN_ASKERS, "an asker" },
    [DOCKET_IN_END] = { NULL, DOCKET_IN_END, "the text" }
};


/* Where the value of p->field belongs. */

static void *
docket_parse_place(docket_parser_t *p)
{
    char          *base;
    docket_job_t  *job;

    job = p->job;

    switch (p->level) {

    case DOCKET_IN_REQUEST:
        base = (char *) &job->requests[job->nrequests - 1];
        break;

    case DOCKET_IN_EVENT:
        base = (char *) &job->events[job->nevents - 1];
        break;

    case DOCKET_IN_ASKER:
        base = (char *) &job->askers[job->naskers - 1];
        break;

    default:
        base = (char *) job;
        break;
    }

    return base + p->field->offset;
}


int
docket_parse_fail(docket_parser_t *p, const char *fmt, ...)
{
    va_list  args;

    if (!p->failed && p->err_size != 0) {
        va_start(args, fmt);
        vsnprintf(p->err, p->err_size, fmt, args);
        va_end(args);
    }

    p->failed = 1;

    return 0;
}


int
docket_parse_no_memory(docket_parser_t *p)
{
    p->no_memory = 1;

    return docket_parse_fail(p, "out of memory");
}


int
docket_parse_set_bool(docket_parser_t *p, int value)
{
    if (p->field->kind != DOCKET_IS_BOOL) {
        return 0;
    }

    *((unsigned char *) &p->flags + p->field->offset) = value;

    return 1;
}


int
docket_parse_set_number(docket_parser_t *p, const char *s, size_t len)
{
    char      number[64];
    void     *dst;
    double    d;
    uint64_t  n;

    dst = docket_parse_place(p);

    switch (p->field->kind) {

    case DOCKET_IS_VERSION:
        if (docket_parse_u64(s, len, UINT32_MAX, &n) == 0) {
            return 0;
        }

        if (n != DOCKET_JOB_VERSION) {
            return docket_parse_fail(p, "version %" PRIu64 " is not known", n);
        }

        return 1;

    case DOCKET_IS_U64:
        return docket_parse_u64(s, len, UINT64_MAX, dst);

    case DOCKET_IS_U32:
        if (docket_parse_u64(s, len, UINT32_MAX, &n) == 0) {
            return 0;
        }

        if (n == 0 && dst == &p->job->capture_run) {
            /* that is null */
            return 0;
        }

        *(uint32_t *) dst = n;
        return 1;

    case DOCKET_IS_DOUBLE:
        if (len >= sizeof(number)) {
            return 0;
        }

        memcpy(number, s, len);
        number[len] = '\0';

        d = strtod(number, NULL);

        if (!isfinite(d) || d < 0) {
            return 0;
        }

        *(double *) dst = d;
        return 1;

    default:
        return 0;
    }
}


int
docket_parse_set_string(docket_parser_t *p, const char *s, size_t len)
{
    void                  *dst;
    int64_t                us;
    const docket_field_t  *f;

    f = p->field;
    dst = docket_parse_place(p);

    if (memchr(s, '\0', len) != NULL) {
        return 0;
    }

    switch (f->kind) {

    case DOCKET_IS_ID:
        if (docket_parse_id(s, len) == 0) {
            return 0;
        }

        memcpy(dst, s, len);
        return 1;

    case DOCKET_IS_TEXT:
    case DOCKET_IS_TEXT_OR_NULL:
        return docket_parse_set_text(p, dst, s, len);

    case DOCKET_IS_WORDS:
        if (len >= f->size) {
            return 0;
        }

        /* the rest is zero already */
        memcpy(dst, s, len);
        return 1;

    case DOCKET_IS_TIME:
    case DOCKET_IS_TIME_OR_NULL:
        if (docket_parse_time(s, len, &us) != DOCKET_OK
            || us < DOCKET_JOB_TIME_MIN || us > DOCKET_JOB_TIME_MAX)
        {
            return 0;
        }

        *(int64_t *) dst = us;
        return 1;

    case DOCKET_IS_STATE:
    case DOCKET_IS_SENSOR_STATE:
        return docket_parse_set_state(p, dst, s, len);

    default:
        return 0;
    }
}


static int
docket_parse_set_state(docket_parser_t *p, void *dst, const char *s,
    size_t len)
{
    unsigned     i, sensor;
    const char  *name;

    sensor = p->field->kind == DOCKET_IS_SENSOR_STATE;

    for (i = 0; /* void */ ; i++) {

        name = sensor ? docket_sensor_state_name(i) : docket_state_name(i);

        if (name == NULL) {
            return 0;
        }

        if (strlen(name) == len && memcmp(name, s, len) == 0) {
            break;
        }
    }

    if (sensor) {
        *(docket_sensor_state_e *) dst = i;

    } else {
        *(docket_state_e *) dst = i;
    }

    return 1;
}


static int
docket_parse_set_text(docket_parser_t *p, char **dst, const char *s,
    size_t len)
{
    if (len > p->field->size) {
        return 0;
    }

    *dst = malloc(len + 1);
    if (*dst == NULL) {
        return docket_parse_no_memory(p);
    }

    memcpy(*dst, s, len);
    (*dst)[len] = '\0';

    return 1;
}


static int
docket_parse_id(const char *s, size_t len)
{
    size_t  i;

    if (len != DOCKET_ID_LEN) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        if ((s[i] < '0' || s[i] > '9') && (s[i] < 'a' || s[i] > 'f')) {
            return 0;
        }
    }

    return 1;
}


/* Digits and nothing else. */

static int
docket_parse_u64(const char *s, size_t len, uint64_t max, uint64_t *n)
{
    size_t    i;
    uint64_t  v;
    unsigned  digit;

    v = 0;

    for (i = 0; i < len; i++) {

        if (s[i] < '0' || s[i] > '9') {
            return 0;
        }

        digit = s[i] - '0';

        if (v > (max - digit) / 10) {
            return 0;
        }

        v = v * 10 + digit;
    }

    if (len == 0) {
        return 0;
    }

    *n = v;

    return 1;
}
