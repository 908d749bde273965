/*
 * The record of a job: what was asked, by whom, how far it is, how it ended.
 * Its JSON is at once SPOOL/ID/query.json and the entry of the job in
 * the answer of /status; one writer and one reader make and take both.
 *
 * Pure C: no nginx.  A record owns all its memory (malloc); it is not
 * thread-safe.  Times are microseconds since the epoch, UTC; 0 is "never".
 */

#ifndef DOCKET_JOB_H
#define DOCKET_JOB_H


#include <stddef.h>
#include <stdint.h>
#include "query/docket_query.h"


#define DOCKET_JOB_VERSION    1       /* "version" in query.json */

#define DOCKET_JOB_EVENTS     64      /* the first is kept, then the newest */
#define DOCKET_JOB_ASKERS     32      /* the first is kept, then the newest */
#define DOCKET_JOB_SENSORS    4096
#define DOCKET_JOB_MAX_REASON 1024    /* bytes; the rest is cut */
#define DOCKET_JOB_MAX_JSON   (8 * 1024 * 1024)


/* Values are stored in SPOOL/index and in shared memory: append only. */

typedef enum {
    DOCKET_CREATED = 0,               /* queued */
    DOCKET_REQUESTING,
    DOCKET_MERGING,                   /* the last sensor is done, the rest is
                                         being written */
    DOCKET_COMPLETED,
    DOCKET_FAILED,
    DOCKET_CANCELLED
} docket_state_e;

#define docket_state_final(s)  ((s) >= DOCKET_COMPLETED)


typedef enum {
    DOCKET_SENSOR_WAITING = 0,
    DOCKET_SENSOR_REQUESTING,
    DOCKET_SENSOR_COMPLETE,           /* "Request Complete" */
    DOCKET_SENSOR_EMPTY,
    DOCKET_SENSOR_PARTIAL,
    DOCKET_SENSOR_FAILED,
    DOCKET_SENSOR_CANCELLED
} docket_sensor_state_e;

/* covered: this sensor's packets of the range are all in the capture */
#define docket_sensor_covered(s)                                              \
    ((s) == DOCKET_SENSOR_COMPLETE || (s) == DOCKET_SENSOR_EMPTY)
#define docket_sensor_final(s)  ((s) >= DOCKET_SENSOR_COMPLETE)

/* The names that users see; NULL for a value out of range. */
const char *docket_state_name(docket_state_e s);
const char *docket_sensor_state_name(docket_sensor_state_e s);


typedef struct {
    int64_t                time;
    char                   name[32];  /* "Created", "Retry", .. */
    char                   msg[256];
    docket_state_e         state;
} docket_event_t;


typedef struct {
    char                   addr[64];
    char                   user[64];
    char                   subject[192];
    int64_t                first;
    int64_t                last;
    uint64_t               count;
} docket_asker_t;


/* One sensor's part of a job; plain data, shared memory holds it too. */

typedef struct {
    char                   name[DOCKET_MAX_SENSOR + 1];
    docket_sensor_state_e  state;
    uint64_t               received;  /* bytes, off the wire */
    uint64_t               packets;   /* in the merged capture */
    uint64_t               bytes;     /* in the merged capture */
    uint64_t               disordered;
    uint32_t               slices;    /* of all */
    uint32_t               slices_done;
    uint32_t               attempts;
    int64_t                started;
    int64_t                finished;
    char                   error[256];    /* "" or why, or the last one */
    char                   warning[128];  /* "" or why it may be incomplete */
} docket_request_t;


typedef struct {
    char                   id[DOCKET_ID_LEN + 1];

    /* the question */
    char                  *query;     /* canonical text */
    char                  *terms;     /* what is sent, without the range */
    char                  *filter;    /* NULL: none */
    char                 **sensors;   /* asked for by name; nsensors 0: all */
    size_t                 nsensors;
    int64_t                after;
    int64_t                before;
    uint64_t               limit_packets;
    uint64_t               limit_bytes;
    double                 weight;
    unsigned               exact:1;

    /* the run */
    unsigned               partial:1;
    unsigned               truncated:1;
    unsigned               empty:1;
    unsigned               settled:1;
    docket_state_e         state;
    uint32_t               run;       /* 1 for the first; 0: none began */
    int64_t                created;
    int64_t                requested; /* when this run was asked for */
    int64_t                started;
    int64_t                finished;
    int64_t                settles_at;
    char                  *reason;    /* of partial, truncated, failed; or
                                         NULL */

    /* the capture that is served; from an earlier run when this one failed */
    uint32_t               capture_run;   /* 0: there is none */
    uint64_t               packets;
    uint64_t               bytes;     /* of the file */
    int64_t                first;     /* first and last packet */
    int64_t                last;

    docket_request_t      *requests;  /* of the last run that wrote; */
    size_t                 nrequests; /* by sensor's name */

    docket_event_t        *events;
    size_t                 nevents;

    docket_asker_t        *askers;
    size_t                 naskers;
    uint64_t               asked;     /* times, by anyone */
} docket_job_t;


/* 1 when it may name a sensor: letters, digits, ".", "_" and "-", beginning
   with a letter or digit, at most DOCKET_MAX_SENSOR.  It is part of names of
   files, so nothing else is taken, whoever says it. */
int docket_job_sensor_name(const char *name, size_t len);

/* A new record from a finished query, state Created, run 0, with its first
   event.  NULL: out of memory. */
docket_job_t *docket_job_create(const docket_query_result_t *q, int64_t now);
void docket_job_destroy(docket_job_t *job);

/* Adds an event, sets job->state.  DOCKET_ERROR: out of memory. */
int docket_job_event(docket_job_t *job, docket_state_e state,
    const char *name, const char *msg, int64_t now);

/* Counts one more question; the same (addr, user, subject) has one entry. */
int docket_job_asked(docket_job_t *job, const char *addr, const char *user,
    const char *subject, int64_t now);

/* Entry of a sensor, made (state Waiting) when "make" is set; NULL: not
   there, no sensor's name, too many, or out of memory.  Keeps requests sorted
   by name; pointers into them are void after one was made. */
docket_request_t *docket_job_request(docket_job_t *job, const char *name,
    int make);

/* Replaces or clears (NULL) job->reason; DOCKET_ERROR: out of memory, the old
   one stays. */
int docket_job_reason(docket_job_t *job, const char *reason);

/* What the reason says when the spool was low; only these words tell it from
   a limit of the question itself, where there was one, too. */
#define DOCKET_JOB_LOW_SPOOL                                                  \
    "the spool is down to docket_free_bytes or docket_free_nodes"

/* 1 when the capture was truncated by something else than the question's own
   limits: packets are missing that were asked for. */
int docket_job_short(const docket_job_t *job);

/*
 * Good (docket_query.h has the question, this the answer): final, Completed,
 * settled, not partial, and every name of "sensors" (those that the
 * question selects out of the configured ones) is covered.  On 0, "*why"
 * points to a constant: "live", "failed", "unsettled", "partial", "sensors",
 * "truncated" (docket_job_short), "missing" (no capture).
 */
int docket_job_good(const docket_job_t *job, const char *const *sensors,
    size_t n, const char **why);
/* The same without "settled": all of these sensors have answered, as far as
   they had the packets by then. */
int docket_job_whole(const docket_job_t *job, const char *const *sensors,
    size_t n);


/*
 * JSON.  The object as docs/api.md describes it.  "*out" is malloc'd,
 * NUL-terminated, "*len" without the NUL.  Whatever bytes a sensor or a
 * client sent, the text is valid UTF-8, and docket_job_parse() takes it:
 * what is none becomes '?', and so do control characters, but for those in
 * the question itself.  DOCKET_ERROR: out of memory, or a record that could
 * not be read again (more sensors than DOCKET_JOB_SENSORS, no such state).
 */
int docket_job_print(const docket_job_t *job, char **out, size_t *len);

/* Hostile input: bounded, every value checked; NULL with words in err and
   errno ENOMEM or EBADMSG. */
docket_job_t *docket_job_parse(const char *json, size_t len, char *err,
    size_t size);


#endif /* DOCKET_JOB_H */
