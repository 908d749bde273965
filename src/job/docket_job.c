/*
 * The record of a job in memory; its JSON is in docket_job_json.c.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "job/docket_job.h"


static int docket_job_judge(const docket_job_t *job, int settled,
    const char *const *sensors, size_t n, const char **why);
static docket_request_t *docket_job_find(const docket_job_t *job,
    const char *name, size_t *at);


static const char  *docket_state_names[] = {
    "Created", "Requesting", "Merging", "Completed", "Failed", "Cancelled"
};

static const char  *docket_sensor_state_names[] = {
    "Waiting", "Requesting", "Request Complete", "Empty", "Partial", "Failed",
    "Cancelled"
};


const char *
docket_state_name(docket_state_e s)
{
    if ((unsigned) s > DOCKET_CANCELLED) {
        return NULL;
    }

    return docket_state_names[s];
}


const char *
docket_sensor_state_name(docket_sensor_state_e s)
{
    if ((unsigned) s > DOCKET_SENSOR_CANCELLED) {
        return NULL;
    }

    return docket_sensor_state_names[s];
}


int
docket_job_sensor_name(const char *name, size_t len)
{
    char    c;
    size_t  i;

    if (len == 0 || len > DOCKET_MAX_SENSOR) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        c = name[i];

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9'))
        {
            continue;
        }

        if (i == 0 || (c != '.' && c != '_' && c != '-')) {
            return 0;
        }
    }

    return 1;
}


docket_job_t *
docket_job_create(const docket_query_result_t *q, int64_t now)
{
    size_t         i;
    docket_job_t  *job;

    if (q->nsensors > DOCKET_JOB_SENSORS) {
        return NULL;
    }

    job = calloc(1, sizeof(docket_job_t));
    if (job == NULL) {
        return NULL;
    }

    memcpy(job->id, q->id, DOCKET_ID_LEN + 1);

    job->after = q->after;
    job->before = q->before;
    job->limit_packets = q->limit_packets;
    job->limit_bytes = q->limit_bytes;
    job->weight = q->weight;
    job->exact = q->exact != 0;
    job->created = now;
    job->requested = now;

    job->query = strdup(q->text);
    job->terms = strdup(q->terms);
    if (job->query == NULL || job->terms == NULL) {
        goto failed;
    }

    if (q->filter != NULL) {
        job->filter = strdup(q->filter);
        if (job->filter == NULL) {
            goto failed;
        }
    }

    if (q->nsensors != 0) {
        job->sensors = calloc(q->nsensors, sizeof(char *));
        if (job->sensors == NULL) {
            goto failed;
        }

        for (i = 0; i < q->nsensors; i++) {
            job->sensors[i] = strdup(q->sensors[i]);
            if (job->sensors[i] == NULL) {
                goto failed;
            }

            job->nsensors++;
        }
    }

    if (docket_job_event(job, DOCKET_CREATED, "Created", "the query is queued",
                         now)
        != DOCKET_OK)
    {
        goto failed;
    }

    return job;

failed:

    docket_job_destroy(job);

    return NULL;
}


void
docket_job_destroy(docket_job_t *job)
{
    size_t  i;

    if (job == NULL) {
        return;
    }

    for (i = 0; i < job->nsensors; i++) {
        free(job->sensors[i]);
    }

    free(job->sensors);
    free(job->query);
    free(job->terms);
    free(job->filter);
    free(job->reason);
    free(job->requests);
    free(job->events);
    free(job->askers);
    free(job);
}


int
docket_job_event(docket_job_t *job, docket_state_e state, const char *name,
    const char *msg, int64_t now)
{
    docket_event_t  *ev;

    job->state = state;

    if (job->nevents < DOCKET_JOB_EVENTS) {
        ev = realloc(job->events, (job->nevents + 1) * sizeof(docket_event_t));
        if (ev == NULL) {
            return DOCKET_ERROR;
        }

        job->events = ev;
        job->nevents++;

    } else {
        memmove(&job->events[1], &job->events[2],
                (DOCKET_JOB_EVENTS - 2) * sizeof(docket_event_t));
    }

    ev = &job->events[job->nevents - 1];

    memset(ev, 0, sizeof(docket_event_t));
    ev->time = now;
    ev->state = state;
    snprintf(ev->name, sizeof(ev->name), "%s", name);
    snprintf(ev->msg, sizeof(ev->msg), "%s", (msg != NULL) ? msg : "");

    return DOCKET_OK;
}


int
docket_job_asked(docket_job_t *job, const char *addr, const char *user,
    const char *subject, int64_t now)
{
    size_t           i, old;
    docket_asker_t   who, *a;

    job->asked++;

    /* compared as stored, so that a name that is cut has one entry too */

    memset(&who, 0, sizeof(docket_asker_t));
    snprintf(who.addr, sizeof(who.addr), "%s", (addr != NULL) ? addr : "");
    snprintf(who.user, sizeof(who.user), "%s", (user != NULL) ? user : "");
    snprintf(who.subject, sizeof(who.subject), "%s",
             (subject != NULL) ? subject : "");
    who.first = now;
    who.last = now;
    who.count = 1;

    for (i = 0; i < job->naskers; i++) {
        a = &job->askers[i];

        if (strcmp(a->addr, who.addr) == 0 && strcmp(a->user, who.user) == 0
            && strcmp(a->subject, who.subject) == 0)
        {
            a->count++;

            if (a->last < now) {
                a->last = now;
            }

            return DOCKET_OK;
        }
    }

    if (job->naskers < DOCKET_JOB_ASKERS) {
        a = realloc(job->askers, (job->naskers + 1) * sizeof(docket_asker_t));
        if (a == NULL) {
            return DOCKET_ERROR;
        }

        job->askers = a;
        job->askers[job->naskers++] = who;

        return DOCKET_OK;
    }

    old = 1;

    for (i = 2; i < job->naskers; i++) {
        if (job->askers[i].last < job->askers[old].last) {
            old = i;
        }
    }

    memmove(&job->askers[old], &job->askers[old + 1],
            (job->naskers - old - 1) * sizeof(docket_asker_t));
    job->askers[job->naskers - 1] = who;

    return DOCKET_OK;
}


docket_request_t *
docket_job_request(docket_job_t *job, const char *name, int make)
{
    size_t             at;
    docket_request_t  *rq;

    rq = docket_job_find(job, name, &at);

    if (rq != NULL || !make) {
        return rq;
    }

    if (job->nrequests >= DOCKET_JOB_SENSORS
        || !docket_job_sensor_name(name, strlen(name)))
    {
        return NULL;
    }

    rq = realloc(job->requests,
                 (job->nrequests + 1) * sizeof(docket_request_t));
    if (rq == NULL) {
        return NULL;
    }

    job->requests = rq;

    rq = &job->requests[at];

    memmove(rq + 1, rq, (job->nrequests - at) * sizeof(docket_request_t));
    memset(rq, 0, sizeof(docket_request_t));
    memcpy(rq->name, name, strlen(name) + 1);

    job->nrequests++;

    return rq;
}


int
docket_job_reason(docket_job_t *job, const char *reason)
{
    char  *copy;

    copy = NULL;

    if (reason != NULL) {
        copy = strndup(reason, DOCKET_JOB_MAX_REASON);
        if (copy == NULL) {
            return DOCKET_ERROR;
        }
    }

    free(job->reason);
    job->reason = copy;

    return DOCKET_OK;
}


int
docket_job_short(const docket_job_t *job)
{
    return job->truncated
           && ((job->limit_packets == 0 && job->limit_bytes == 0)
               || (job->reason != NULL
                   && strstr(job->reason, DOCKET_JOB_LOW_SPOOL) != NULL));
}


int
docket_job_good(const docket_job_t *job, const char *const *sensors, size_t n,
    const char **why)
{
    return docket_job_judge(job, job->settled, sensors, n, why);
}


int
docket_job_whole(const docket_job_t *job, const char *const *sensors,
    size_t n)
{
    const char  *why;

    return docket_job_judge(job, 1, sensors, n, &why);
}


static int
docket_job_judge(const docket_job_t *job, int settled,
    const char *const *sensors, size_t n, const char **why)
{
    size_t                   i, at;
    const docket_request_t  *rq;

    *why = NULL;

    if (!docket_state_final(job->state)) {
        *why = "live";

    } else if (job->state != DOCKET_COMPLETED) {
        *why = "failed";

    } else if (job->capture_run == 0) {
        *why = "missing";

    } else if (!settled) {
        *why = "unsettled";

    } else if (job->partial) {
        *why = "partial";

    } else if (docket_job_short(job)) {
        *why = "truncated";
    }

    if (*why != NULL) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        rq = docket_job_find(job, sensors[i], &at);

        if (rq == NULL || !docket_sensor_covered(rq->state)) {
            *why = "sensors";
            return 0;
        }
    }

    return 1;
}


/* The entry of "name", or NULL and the place where it belongs. */

static docket_request_t *
docket_job_find(const docket_job_t *job, const char *name, size_t *at)
{
    int     rc;
    size_t  lo, hi, mid;

    lo = 0;
    hi = job->nrequests;

    while (lo < hi) {
        mid = lo + (hi - lo) / 2;

        rc = strcmp(job->requests[mid].name, name);

        if (rc == 0) {
            *at = mid;
            return &job->requests[mid];
        }

        if (rc < 0) {
            lo = mid + 1;

        } else {
            hi = mid;
        }
    }

    *at = lo;

    return NULL;
}
