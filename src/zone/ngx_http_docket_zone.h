/*
 * Shared memory: the jobs that matter now, the queue, the sensors.
 *
 * The zone is a cache of the spool.  Workers insert and look up, the helper
 * takes jobs from the queue and reports.  Nothing of it is a pointer that a
 * caller may keep: every function takes the mutex itself, holds it for a few
 * operations on memory, and copies in and out.  No function does I/O.
 *
 * A job's node sits in one tree (by id) and one queue: "queued" in order of
 * arrival, "running", or "finished" in order of last use, from whose end
 * nodes are evicted when memory is short.  Queued and running ones are never.
 *
 * "record" is the text of query.json, as last saved by the helper (or as the
 * worker wrote it); for a finished job it is the answer of /status.
 */

#ifndef NGX_HTTP_DOCKET_ZONE_H
#define NGX_HTTP_DOCKET_ZONE_H


#include "ngx_http_docket.h"


/* outcome of ngx_http_docket_zone_enqueue() */
#define NGX_HTTP_DOCKET_QUEUED     0  /* a node in state "writing": the caller
                                         puts the job on disk, then calls
                                         _commit() or _abort() */
#define NGX_HTTP_DOCKET_LIVE       1  /* queued or running already */
#define NGX_HTTP_DOCKET_FULL       2  /* docket_queue_size reached */
#define NGX_HTTP_DOCKET_NO_MEMORY  3  /* only live jobs in the zone */
#define NGX_HTTP_DOCKET_NO_SPACE   4  /* the spool is low */
#define NGX_HTTP_DOCKET_NO_HELPER  5  /* master_process off */
#define NGX_HTTP_DOCKET_LEAVING    6  /* this nginx is to end, its helper did */

#define NGX_HTTP_DOCKET_ASKERS     256


/* A copy of a job's node. */

typedef struct {
    u_char                   id[DOCKET_ID_LEN + 1];
    docket_state_e           state;
    uint32_t                 run;         /* that runs or ran last */
    uint32_t                 capture_run; /* whose capture is served; 0: none */
    uint32_t                 version;     /* rises with each change */
    ngx_uint_t               position;    /* in the queue, from 1; 0: not */
    unsigned                 writing:1;
    unsigned                 cancel:1;    /* asked for */
    unsigned                 indexed:1;   /* stands in SPOOL/index */
    unsigned                 growing:1;   /* .run.N can be read up to written */
    unsigned                 partial:1;
    unsigned                 settled:1;   /* and not docket_job_short() */
    uint64_t                 cover;       /* ngx_http_docket_cover() of the
                                             sensors that the capture covers */
    int64_t                  created;     /* microseconds */
    int64_t                  requested;
    int64_t                  started;

    /* progress of a running job */
    uint64_t                 written;     /* bytes of .run.N, whole records */
    uint64_t                 packets;
    uint64_t                 received;

    uint64_t                 asked;       /* since the record was saved */
    int64_t                  last_asked;
} ngx_http_docket_job_t;


/* Live state of a sensor. */

#define NGX_HTTP_DOCKET_SENSOR_UNKNOWN  0
#define NGX_HTTP_DOCKET_SENSOR_UP       1
#define NGX_HTTP_DOCKET_SENSOR_BUSY     2
#define NGX_HTTP_DOCKET_SENSOR_DOWN     3

#define NGX_HTTP_DOCKET_STATS_LEN       4096

typedef struct {
    u_char                   name[DOCKET_MAX_SENSOR + 1];
    ngx_uint_t               health;
    int64_t                  checked;     /* microseconds; last contact */
    int64_t                  changed;     /* of health */
    int64_t                  oldest;      /* microseconds; 0: unknown */
    int64_t                  not_after;   /* server's certificate; seconds */
    ngx_uint_t               active;      /* queries under way */
    ngx_uint_t               waiting;     /* jobs that wait for it */
    uint64_t                 queries;
    uint64_t                 failures;
    uint64_t                 received;    /* bytes */
    char                     error[256];  /* last one, "" for none */
    uint32_t                 stats_seq;   /* rises with each answer */
    int64_t                  stats_time;
    size_t                   stats_len;   /* "name<TAB>value" lines */
    u_char                   stats[NGX_HTTP_DOCKET_STATS_LEN];
} ngx_http_docket_sensor_state_t;


/* Cumulative histogram in the shape that Prometheus wants. */

#define NGX_HTTP_DOCKET_BUCKETS  12       /* the last one is +Inf */

extern const double  ngx_http_docket_bucket_le[NGX_HTTP_DOCKET_BUCKETS];

typedef struct {
    uint64_t                 count[NGX_HTTP_DOCKET_BUCKETS];
    double                   sum;         /* seconds */
} ngx_http_docket_histogram_t;


typedef struct {
    uint64_t                 asked;       /* questions taken, new or known */
    uint64_t                 duplicates;
    uint64_t                 refused;     /* 4xx of questions */
    uint64_t                 completed;
    uint64_t                 failed;
    uint64_t                 cancelled;
    uint64_t                 partial;
    uint64_t                 packets;     /* written into captures */
    uint64_t                 bytes;
    uint64_t                 expired;     /* jobs removed by cleaning */
    ngx_http_docket_histogram_t  wait;    /* asked to started */
    ngx_http_docket_histogram_t  run;     /* started to final */
    ngx_http_docket_histogram_t  query;   /* one question to one sensor */
} ngx_http_docket_counters_t;


typedef struct {
    ngx_uint_t               queued;
    ngx_uint_t               running;
    ngx_uint_t               finished;    /* nodes in the zone */
    ngx_uint_t               jobs;        /* in the spool, as indexed */
    uint32_t                 generation;
    ngx_pid_t                helper;      /* 0: none owns the queue */
    ngx_uint_t               waits;       /* it is another process's */
    int64_t                  heartbeat;   /* of the helper:
                                             ngx_http_docket_monotonic() */
    uint64_t                 free_bytes;  /* of the spool's filesystem */
    uint64_t                 free_nodes;
    ngx_uint_t               low;         /* below docket_free_* */
    ngx_uint_t               loaded;      /* the spool was read; 0 again when
                                             the table was lost with a process
                                             that died while it held the mutex:
                                             the helper reads the spool anew */
    ngx_uint_t               stats_wanted;/* rises with each /stats */
    ngx_http_docket_counters_t  counters;
} ngx_http_docket_zone_info_t;


/* The same person's repeated questions share an entry until it is drained. */

typedef struct {
    u_char                   id[DOCKET_ID_LEN + 1];
    int64_t                  time;        /* of the last of them */
    uint64_t                 count;
    char                     addr[64];
    char                     user[64];
    char                     subject[192];
} ngx_http_docket_asker_t;


/*
 * One number for a list of sensors, sorted by name: a finished job is good
 * without a look at its record when it is Completed, settled, not partial,
 * and its "cover" is that of the sensors that the question selects.
 */
uint64_t ngx_http_docket_cover(const char *const *names, ngx_uint_t n);


/* Life cycle. */

/* Smallest zone that holds docket_queue_size jobs and the sensors. */
size_t ngx_http_docket_zone_min_size(ngx_http_docket_main_conf_t *mcf);
/* shm_zone->init; finds or makes the node of each sensor. */
ngx_int_t ngx_http_docket_zone_init(ngx_shm_zone_t *shm_zone, void *data);
/* init_module, not under -t: returns the new generation's number. */
uint32_t ngx_http_docket_zone_generation(ngx_http_docket_zone_t *z, int next);


/* Workers. */

/* NGX_OK and a copy, or NGX_DECLINED.  "record" (may be NULL) is copied into
   "pool".  "touch": it moves to the fresh end of its queue. */
ngx_int_t ngx_http_docket_zone_get(ngx_http_docket_zone_t *z, const char *id,
    ngx_http_docket_job_t *job, ngx_pool_t *pool, ngx_str_t *record,
    ngx_uint_t touch);

/*
 * A question that has to run.  "record" becomes the node's text.  A finished
 * node of this id becomes queued again, its run still the old one's.  On
 * QUEUED and LIVE "job" is filled.
 */
ngx_int_t ngx_http_docket_zone_enqueue(ngx_http_docket_zone_t *z,
    ngx_http_docket_main_conf_t *mcf, const char *id, ngx_str_t *record,
    uint32_t capture_run, int64_t now, ngx_http_docket_job_t *job);
/* Written to disk: the job enters the queue, the helper is to be woken.
   NGX_DECLINED: it does not, the node was taken out of the zone or out of the
   queue meanwhile; the caller looks anew. */
ngx_int_t ngx_http_docket_zone_commit(ngx_http_docket_zone_t *z,
    const char *id);
/* Could not be written: the node goes (or is finished again, as before). */
void ngx_http_docket_zone_abort(ngx_http_docket_zone_t *z, const char *id);

/* Keeps a finished job that was read from disk; no error when it can't, or
   when the spool may be another nginx's. */
void ngx_http_docket_zone_cache(ngx_http_docket_zone_t *z,
    const docket_job_t *job, ngx_str_t *record);

/* Counts a question; "who" is put into a ring that the helper empties ("time"
   is set by the caller, "id" and "count" here; lost when that is full, the
   job's own count is kept), or is NULL: the record says it already. */
void ngx_http_docket_zone_asked(ngx_http_docket_zone_t *z, const char *id,
    const ngx_http_docket_asker_t *who, ngx_uint_t duplicate);

/* NGX_OK: the helper was told; NGX_DECLINED: not live. */
ngx_int_t ngx_http_docket_zone_cancel(ngx_http_docket_zone_t *z,
    const char *id);
/* NGX_OK: forgotten; NGX_BUSY: live; NGX_DECLINED: not there. */
ngx_int_t ngx_http_docket_zone_forget(ngx_http_docket_zone_t *z,
    const char *id);

/* All nodes that are not yet in the index, newest first, at most n. */
ngx_uint_t ngx_http_docket_zone_unindexed(ngx_http_docket_zone_t *z,
    ngx_http_docket_job_t *jobs, ngx_uint_t n);
/* Live state of the jobs that run: entry i's sensors into "requests" (pool);
   NGX_DECLINED when the job does not run. */
ngx_int_t ngx_http_docket_zone_requests(ngx_http_docket_zone_t *z,
    const char *id, ngx_pool_t *pool, docket_request_t **requests,
    ngx_uint_t *n);

/* Milliseconds of a clock that nobody sets, the same in all processes. */
int64_t ngx_http_docket_monotonic(void);

void ngx_http_docket_zone_info(ngx_http_docket_zone_t *z,
    ngx_http_docket_zone_info_t *info);
/* NGX_DECLINED: no such sensor. */
ngx_int_t ngx_http_docket_zone_sensor(ngx_http_docket_zone_t *z,
    ngx_http_docket_zone_sensor_t *s, ngx_http_docket_sensor_state_t *state);
/* Asks the helper for fresh stats of all sensors; returns the new number of
   stats_wanted.  A sensor's stats_seq reaches it when it answered or failed. */
uint32_t ngx_http_docket_zone_want_stats(ngx_http_docket_zone_t *z);
/* Asks the helper to clean now. */
void ngx_http_docket_zone_want_clean(ngx_http_docket_zone_t *z);
void ngx_http_docket_zone_refused(ngx_http_docket_zone_t *z);

/* Helper and manager died with the mutex: frees it.  For the supervisor. */
void ngx_http_docket_zone_unstick(ngx_http_docket_zone_t *z);

/* A worker that has waiting requests is woken by the helper. */
void ngx_http_docket_zone_waiters(ngx_http_docket_zone_t *z, ngx_uint_t worker,
    ngx_int_t delta);


/* The helper; each call may come from either of its threads. */

/* Takes the queue: helper, generation.  Jobs left as running by a helper that
   died come back to the head of the queue, unless "locked(ctx, id)" says that
   another process still works on them; it is called without the mutex.
   "stale": the spool was another nginx's meanwhile, so what this zone has of
   finished jobs is forgotten. */
void ngx_http_docket_zone_adopt(ngx_http_docket_zone_t *z, ngx_pid_t helper,
    ngx_uint_t stale, int (*locked)(void *ctx, const char *id), void *ctx);
/* Differs from that of every other zone. */
uint64_t ngx_http_docket_zone_token(ngx_http_docket_zone_t *z);
/* The helper of this zone has to wait for another process's spool, or not. */
void ngx_http_docket_zone_waits(ngx_http_docket_zone_t *z, ngx_uint_t waits);
void ngx_http_docket_zone_disown(ngx_http_docket_zone_t *z, ngx_pid_t helper);

/* A job from the spool that is to run (at start): NGX_OK, also when it is
   there already; NGX_ERROR: no memory. */
ngx_int_t ngx_http_docket_zone_restore(ngx_http_docket_zone_t *z,
    const docket_job_t *job, const char *record, size_t len);

/* The head of the queue becomes running; NGX_DECLINED: nothing queued. */
ngx_int_t ngx_http_docket_zone_take(ngx_http_docket_zone_t *z,
    ngx_http_docket_job_t *job);
/* Back to the head of the queue (a drain that ended). */
void ngx_http_docket_zone_give_back(ngx_http_docket_zone_t *z,
    const char *id);
/* Queued jobs whose cancelling was asked for; NGX_DECLINED: none (left). */
ngx_int_t ngx_http_docket_zone_cancelled(ngx_http_docket_zone_t *z,
    char id[DOCKET_ID_LEN + 1]);
/* 1 when cancelling of a running job was asked for. */
ngx_uint_t ngx_http_docket_zone_cancel_asked(ngx_http_docket_zone_t *z,
    const char *id);

/* The saved record of a job; a final state moves the node to "finished". */
void ngx_http_docket_zone_update(ngx_http_docket_zone_t *z,
    const docket_job_t *job, const char *record, size_t len);
/* Sensors and progress of a running job. */
void ngx_http_docket_zone_progress(ngx_http_docket_zone_t *z, const char *id,
    const docket_request_t *requests, ngx_uint_t n);
void ngx_http_docket_zone_written(ngx_http_docket_zone_t *z, const char *id,
    uint32_t run, uint64_t written, uint64_t packets);
/* The record of a finished job says of "n" more questions who asked them. */
void ngx_http_docket_zone_askers_saved(ngx_http_docket_zone_t *z,
    const docket_job_t *job, uint64_t n, const char *record, size_t len);
void ngx_http_docket_zone_indexed(ngx_http_docket_zone_t *z, const char *id);

/* Up to n askers out of the ring. */
ngx_uint_t ngx_http_docket_zone_askers(ngx_http_docket_zone_t *z,
    ngx_http_docket_asker_t *askers, ngx_uint_t n);

typedef void (*ngx_http_docket_sensor_pt)(ngx_http_docket_sensor_state_t *s,
    void *data);
/* Runs "update" on the live state under the mutex: it may only copy. */
void ngx_http_docket_zone_sensor_update(ngx_http_docket_zone_t *z,
    ngx_http_docket_zone_sensor_t *s, ngx_http_docket_sensor_pt update,
    void *data);
typedef void (*ngx_http_docket_info_pt)(ngx_http_docket_zone_info_t *info,
    void *data);
void ngx_http_docket_zone_info_update(ngx_http_docket_zone_t *z,
    ngx_http_docket_info_pt update, void *data);
void ngx_http_docket_histogram_add(ngx_http_docket_histogram_t *h,
    double seconds);
/* 1 once after each ngx_http_docket_zone_want_clean(). */
ngx_uint_t ngx_http_docket_zone_clean_wanted(ngx_http_docket_zone_t *z);

/* Wakes the helper; wakes the workers that have waiting requests. */
void ngx_http_docket_wake_helper(ngx_http_docket_main_conf_t *mcf);
void ngx_http_docket_wake_workers(ngx_http_docket_main_conf_t *mcf);


#endif /* NGX_HTTP_DOCKET_ZONE_H */
