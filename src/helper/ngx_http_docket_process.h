/*
 * What the files of src/helper share; not for others.
 *
 *   ngx_http_docket_supervisor.c  the manager's side: spawns, respawns
 *   ngx_http_docket_process.c     the process: set-up, main loop, leaving
 *   ngx_http_docket_queue.c       whose the queue is; taking jobs from it
 *   ngx_http_docket_run.c         a job that runs: sensors, slices, progress
 *   ngx_http_docket_sensor.c      a sensor: its FIFO, its health, its stats
 *   ngx_http_docket_slot.c        a place at a sensor: idle check, question
 *   ngx_http_docket_fetch.c       transfers: curl, and what became of them
 *   ngx_http_docket_tls.c         certificates of all connections
 *   ngx_http_docket_io.c          the io thread: merging and writing
 *   ngx_http_docket_finish.c      how a run ends: publishing, the record
 *   ngx_http_docket_unsaved.c     records that the disk did not take yet
 *   ngx_http_docket_load.c        reading the spool at start
 *   ngx_http_docket_clean.c       expiry, free space, who asked
 *
 * Threads.  The query thread is the process's first: it owns the sensors, the
 * transfers, the producers' sides of the streams, and a run with its record
 * from its start until it sets run->ended.  From then on, and for what stands
 * under "io" from the beginning, a run is the io thread's, until it comes
 * back in hlp->done to be freed.  The io thread also owns the index, the
 * consumers' sides of the streams, and everything that walks the spool.
 *
 * The one locking rule: whatever stands under "shared" is read and written
 * only with hlp->mutex held; nothing else is done under it, neither I/O nor a
 * call of zone, stream or merge.  A third thread only calls syncfs().
 */

#ifndef NGX_HTTP_DOCKET_PROCESS_H
#define NGX_HTTP_DOCKET_PROCESS_H


#include "ngx_http_docket.h"
#include "helper/ngx_http_docket_helper.h"
#include "job/docket_index.h"
#include "pcap/docket_merge.h"
#include "zone/ngx_http_docket_zone.h"

#include <curl/curl.h>
#include <pthread.h>


/* milliseconds */
#define NGX_HTTP_DOCKET_TICK          500   /* fallback of every wake-up */
#define NGX_HTTP_DOCKET_HOLD          10    /* a pause, frees held records */
#define NGX_HTTP_DOCKET_PAUSE         100   /* of one whose stream is full */
#define NGX_HTTP_DOCKET_PACE          250   /* gap of one that keeps pace */
#define NGX_HTTP_DOCKET_PROGRESS      50    /* between reports to the zone */
#define NGX_HTTP_DOCKET_RETRY         250   /* first back-off of a retry */
#define NGX_HTTP_DOCKET_RETRY_MAX     4000
#define NGX_HTTP_DOCKET_SLOW          500   /* a failure that delays others */
#define NGX_HTTP_DOCKET_PROBE_MIN     1000  /* looks at one that is down */
#define NGX_HTTP_DOCKET_PROBE_MAX     30000
#define NGX_HTTP_DOCKET_OWN_MAX       500
#define NGX_HTTP_DOCKET_TRIM          1000  /* between two of them */
#define NGX_HTTP_DOCKET_SLOT_WAIT     20
#define NGX_HTTP_DOCKET_WRITTEN       3     /* between two marks of growth */
#define NGX_HTTP_DOCKET_LEAVE         700   /* for the io thread to stop */
#define NGX_HTTP_DOCKET_ASKERS_TIME   3000
#define NGX_HTTP_DOCKET_SPACE_CLEAN   10000

#define NGX_HTTP_DOCKET_SUSPECT       880   /* s: the server cuts at 15 min */
#define NGX_HTTP_DOCKET_SLICES        20000
#define NGX_HTTP_DOCKET_WORDS         256   /* as docket_request_t's error */
#define NGX_HTTP_DOCKET_TEXT          (64 * 1024 + 256)
#define NGX_HTTP_DOCKET_BODY          120   /* bytes of an error's body */
#define NGX_HTTP_DOCKET_HEAD          (64 * 1024)   /* of any answer */
#define NGX_HTTP_DOCKET_STREAM_MAX    (4 * 1024 * 1024)
#define NGX_HTTP_DOCKET_STEP          (1024 * 1024)   /* of a merge */
#define NGX_HTTP_DOCKET_STACK         (512 * 1024)


typedef struct ngx_http_docket_proc_s   ngx_http_docket_proc_t;
typedef struct ngx_http_docket_run_s    ngx_http_docket_run_t;
typedef struct ngx_http_docket_ask_s    ngx_http_docket_ask_t;
typedef struct ngx_http_docket_peer_s   ngx_http_docket_peer_t;
typedef struct ngx_http_docket_slot_s   ngx_http_docket_slot_t;
typedef struct ngx_http_docket_fetch_s  ngx_http_docket_fetch_t;


/* A transfer; its handle is kept for the next one. */

typedef enum {
    NGX_HTTP_DOCKET_FETCH_STATS,
    NGX_HTTP_DOCKET_FETCH_QUERY
} ngx_http_docket_fetch_e;

struct ngx_http_docket_fetch_s {
    CURL                      *easy;        /* NULL until the first one */
    ngx_http_docket_peer_t    *peer;
    ngx_http_docket_slot_t    *slot;        /* NULL: the peer's own look */
    ngx_http_docket_ask_t     *ask;         /* of a query */
    ngx_queue_t                queue;       /* in hlp->fetches */
    ngx_http_docket_fetch_e    kind;

    int64_t                    started;     /* hlp->now's milliseconds */
    int64_t                    last;        /* the last byte, or the start */
    uint64_t                   received;    /* bytes of the body */
    size_t                     head;        /* and of the head */
    long                       status;      /* of HTTP, once the body comes */

    int64_t                    paused_at;

    unsigned                   active:1;
    unsigned                   paused:1;    /* its stream is full */
    unsigned                   waited:1;    /* in vain, for room in it */
    unsigned                   held:1;      /* records may be held back */
    unsigned                   refused:1;   /* by the stream */
    unsigned                   certified:1; /* not_after was looked at */

    char                       error[CURL_ERROR_SIZE];
    size_t                     text_len;
    u_char                    *text;        /* of stats, of an error */
};


/* What became of a transfer. */

typedef struct {
    unsigned                   ok:1;
    unsigned                   retry:1;     /* another attempt may help */
    unsigned                   down:1;      /* the sensor, not the question */
    char                       words[NGX_HTTP_DOCKET_WORDS];
} ngx_http_docket_outcome_t;


/* One of the max_queries places at a sensor. */

typedef enum {
    NGX_HTTP_DOCKET_SLOT_FREE = 0,
    NGX_HTTP_DOCKET_SLOT_LOCK,              /* another process has the place */
    NGX_HTTP_DOCKET_SLOT_LOOK,
    NGX_HTTP_DOCKET_SLOT_BUSY,              /* looks again at "at" */
    NGX_HTTP_DOCKET_SLOT_QUERY,
    NGX_HTTP_DOCKET_SLOT_BACKOFF
} ngx_http_docket_slot_e;

struct ngx_http_docket_slot_s {
    ngx_http_docket_peer_t    *peer;
    ngx_http_docket_slot_e     state;
    ngx_http_docket_ask_t     *ask;
    int                        lock;        /* descriptor or -1 */
    int64_t                    at;          /* when it goes on; 0: by itself */
    ngx_http_docket_fetch_t    fetch;
};


/* A sensor. */

struct ngx_http_docket_peer_s {
    ngx_http_docket_proc_t    *hlp;
    ngx_http_docket_sensor_t  *conf;
    char                      *stats_url;
    char                      *query_url;
    struct curl_slist         *connect_to;  /* NULL: dialled as it is named */

    ngx_queue_t                waiting;     /* of ask.queue, in order */
    ngx_uint_t                 nwaiting;
    ngx_uint_t                 nactive;     /* queries under way */
    ngx_http_docket_slot_t    *slots;

    ngx_http_docket_fetch_t    probe;       /* looks without a question */
    uint32_t                   stats_want;
    uint32_t                   stats_sent;  /* that the look answers */

    ngx_uint_t                 health;
    int64_t                    idle_at;     /* found idle; 0: not known */
    int64_t                    busy_since;  /* 0: not busy */
    int64_t                    down_until;  /* nobody waits for it before */
    int64_t                    probe_at;    /* 0: not down */
    ngx_msec_t                 backoff;

    /* for the zone, said at most every NGX_HTTP_DOCKET_PROGRESS */
    unsigned                   dirty:1;
    int64_t                    said;
    int64_t                    checked;     /* microseconds */
    int64_t                    changed;
    int64_t                    oldest;
    int64_t                    not_after;
    uint64_t                   queries;
    uint64_t                   failures;
    uint64_t                   received;
    double                     took;        /* seconds, of the last query */
    char                       error[NGX_HTTP_DOCKET_WORDS];
};


/* One sensor's part of a run. */

struct ngx_http_docket_ask_s {
    ngx_queue_t                queue;       /* in peer->waiting */
    ngx_http_docket_run_t     *run;
    ngx_http_docket_peer_t    *peer;
    ngx_http_docket_slot_t    *slot;        /* NULL: it waits */
    ngx_uint_t                 request;     /* index in job->requests */
    docket_stream_t           *stream;

    uint32_t                   slice;
    uint32_t                   tries;       /* of this slice, after the first */
    int64_t                    edge;        /* end of the first slice */
    int64_t                    queued_at;   /* milliseconds */
    unsigned                   open:1;
    unsigned                   begun:1;     /* this slice, in the stream */
    unsigned                   doubtful:1;  /* the sensor was down before */
};


/* Why the io thread wants no more packets. */

typedef enum {
    NGX_HTTP_DOCKET_STOP_NONE = 0,
    NGX_HTTP_DOCKET_STOP_LIMIT,
    NGX_HTTP_DOCKET_STOP_SPACE,
    NGX_HTTP_DOCKET_STOP_ERROR
} ngx_http_docket_stop_e;


/* A job that runs. */

struct ngx_http_docket_run_s {
    ngx_queue_t                queue;       /* in hlp->runs */
    ngx_http_docket_proc_t    *hlp;
    docket_job_t              *job;
    char                       id[DOCKET_ID_LEN + 1];
    int                        dirfd;       /* locked */
    ngx_uint_t                 again;       /* DOCKET_AGAIN_*, 0: the first */

    ngx_http_docket_ask_t     *asks;
    ngx_uint_t                 nasks;
    ngx_uint_t                 nopen;
    int64_t                    slice;       /* microseconds */
    size_t                     memory;      /* of its streams */
    int64_t                    said;        /* progress, milliseconds */
    unsigned                   dirty:1;
    unsigned                   aborted:1;   /* its asks were closed */

    /* an earlier capture that is merged in; set before io sees the run */
    docket_stream_t           *old;
    int                        old_fd;
    unsigned                   old_settled:1;

    /* shared */
    ngx_queue_t                io_queue;    /* in hlp->ready or hlp->done */
    ngx_uint_t                 go;          /* there is something to merge;
                                               read without the mutex by the
                                               thread that sets it */
    unsigned                   ready:1;     /* stands in hlp->ready */
    unsigned                   ended:1;     /* no transfer is left */
    unsigned                   cancel:1;
    unsigned                   paused:1;    /* transfers, for the merge */
    ngx_int_t                  waits;       /* ask that the merge waits for;
                                               -1: for none */
    ngx_http_docket_stop_e     stop;

    /* io */
    docket_merge_t            *merge;
    docket_summary_t          *summary;
    docket_filter_t           *filter;
    int                        fd;          /* of .run.N, -1: not made */
    uint64_t                   written;
    uint64_t                   told;        /* to the zone */
    int64_t                    told_at;     /* milliseconds */
    uint64_t                   checked;     /* written, when space was */
    int                        rc;          /* of the merge */
    unsigned                   late:1;      /* stands in hlp->late */
    unsigned                   merging:1;   /* the state was shown */
    ngx_queue_t                late_queue;
    char                       words[DOCKET_JOB_MAX_REASON];
};


/* The end of a job, which the disk did not take. */

typedef struct {
    ngx_queue_t                queue;
    char                       id[DOCKET_ID_LEN + 1];
    int64_t                    created;
    int64_t                    finished;
    size_t                     len;
    char                       text[];      /* the record */
} ngx_http_docket_unsaved_t;


/* For the io thread: a record that is in no run's hands. */

typedef struct {
    ngx_queue_t                queue;
    docket_index_record_t      record;
    char                       id[DOCKET_ID_LEN + 1];
    ngx_http_docket_unsaved_t *unsaved;     /* NULL: it is on disk */
} ngx_http_docket_note_t;


/* A job that another generation's helper works on. */

typedef struct {
    ngx_queue_t                queue;
    char                       id[DOCKET_ID_LEN + 1];
} ngx_http_docket_foreign_t;


struct ngx_http_docket_proc_s {
    ngx_cycle_t               *cycle;
    ngx_log_t                 *log;
    ngx_http_docket_main_conf_t  *mcf;
    int                        event;       /* eventfd of the query thread */
    ngx_pid_t                  manager;
    ngx_pid_t                  master;

    /* query */
    CURLM                     *multi;
    struct curl_slist         *headers;     /* of a query */
    int64_t                    now;         /* monotonic milliseconds */
    int64_t                    timer;       /* when something is due */
    int64_t                    second;      /* last turn of the slow clock */
    int64_t                    watched;     /* the master */
    int64_t                    looked;      /* at the queue, without a call */
    int64_t                    asked_at;    /* askers */
    int64_t                    trimmed;     /* free memory was given back */
    ngx_http_docket_peer_t    *peers;       /* in the order of mcf->sensors */
    ngx_http_docket_peer_t   **by_name;
    ngx_uint_t                 npeers;
    ngx_queue_t                runs;
    ngx_uint_t                 nruns;       /* the io thread's too */
    size_t                     memory;      /* of all streams */
    ngx_queue_t                fetches;
    ngx_uint_t                 npaused;
    ngx_queue_t                foreign;
    int64_t                    foreign_at;
    uint32_t                   stats_seen;

    int                        owner;       /* descriptor or -1 */
    int64_t                    own_at;
    ngx_msec_t                 own_wait;
    ngx_err_t                  own_err;     /* why not, as was said */
    int64_t                    drain_until; /* 0: not draining */
    unsigned                   orphan:1;    /* the manager has gone */
    unsigned                   look:1;      /* at the queue, at cancels */
    unsigned                   untrimmed:1;
    char                       text[NGX_HTTP_DOCKET_TEXT];

    /* shared */
    pthread_mutex_t            mutex;
    pthread_cond_t             cond;        /* for the io thread */
    ngx_queue_t                ready;       /* runs with something to merge */
    ngx_queue_t                done;        /* runs that are over */
    ngx_queue_t                notes;
    ngx_http_docket_asker_t   *askers;
    ngx_uint_t                 naskers;
    unsigned                   load:1;
    unsigned                   clean:1;
    unsigned                   quit:1;
    unsigned                   released:1;  /* the spool is another's */
    unsigned                   sync:1;      /* something to be synced */
    unsigned                   full:1;      /* the spool, but for its reserve */

    /* io */
    pthread_t                  io;
    docket_index_t            *index;
    ngx_queue_t                late;        /* runs with growth to be told */
    ngx_queue_t                restore;     /* foreign_t: no room in the zone */
    ngx_queue_t                unsaved;
    ngx_uint_t                 nunsaved;
    int64_t                    clock;       /* the day's, less that since boot */
    int64_t                    ahead;       /* it was set forward by so much, */
    int64_t                    ahead_until; /* which counts until then */
    int64_t                    io_second;
    int64_t                    cleaned;
    int64_t                    space_cleaned;
    uint64_t                   free_bytes;
    uint64_t                   free_nodes;
    unsigned                   low:1;
    unsigned                   loading:1;
    unsigned                   loaded:1;
};


/* ngx_http_docket_process.c */

typedef struct {
    ngx_http_docket_main_conf_t  *mcf;
    ngx_pid_t                     master;
} ngx_http_docket_spawn_t;

/* The child's main function; "data" is a ngx_http_docket_spawn_t. */
void ngx_http_docket_process(ngx_cycle_t *cycle, void *data);
/* Microseconds of the day's clock. */
int64_t ngx_http_docket_now(void);
/* Something is due at "at" (hlp->now's milliseconds). */
void ngx_http_docket_timer(ngx_http_docket_proc_t *hlp, int64_t at);
/* snprintf() into NGX_HTTP_DOCKET_WORDS bytes. */
void ngx_http_docket_words(char *words, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Wakes the query thread; any thread, also a signal's handler. */
void ngx_http_docket_poke(int event);


/* ngx_http_docket_queue.c; query thread */

/* Owns the queue if it can, takes jobs, sees to cancelled ones. */
void ngx_http_docket_queue_turn(ngx_http_docket_proc_t *hlp);
/* The queue is another's from now on; running jobs go on. */
void ngx_http_docket_queue_release(ngx_http_docket_proc_t *hlp);
/* Saves, tells the zone and the index.  DOCKET_ERROR: it is not on disk. */
int ngx_http_docket_queue_save(ngx_http_docket_proc_t *hlp,
    docket_job_t *job);


/* ngx_http_docket_run.c; query thread */

/* Starts the job; takes both, also on an error. */
void ngx_http_docket_run_start(ngx_http_docket_proc_t *hlp,
    docket_job_t *job, int dirfd, ngx_uint_t again);
/* Frees what the io thread gave back. */
void ngx_http_docket_run_reap(ngx_http_docket_proc_t *hlp);
/* Cancelling, and what the io thread wants to be stopped. */
void ngx_http_docket_run_check(ngx_http_docket_proc_t *hlp);
/* Progress that is due goes into the zone. */
void ngx_http_docket_run_progress(ngx_http_docket_proc_t *hlp);

docket_request_t *ngx_http_docket_ask_request(ngx_http_docket_ask_t *ask);
/* Text and edges (microseconds) of the slice that is to be asked. */
const char *ngx_http_docket_ask_text(ngx_http_docket_ask_t *ask,
    size_t *len);
void ngx_http_docket_ask_edges(ngx_http_docket_ask_t *ask, int64_t *after,
    int64_t *before);
/* The slice came whole: 1 when there is another one. */
ngx_uint_t ngx_http_docket_ask_next(ngx_http_docket_ask_t *ask);
/* The sensor is done with the job. "words": NULL when it gave everything. */
void ngx_http_docket_ask_close(ngx_http_docket_ask_t *ask,
    docket_sensor_state_e state, const char *words);
/* The stream has something that the merge waits for. */
void ngx_http_docket_ask_wake(ngx_http_docket_ask_t *ask);
void ngx_http_docket_ask_changed(ngx_http_docket_ask_t *ask);


/* ngx_http_docket_sensor.c; query thread */

ngx_int_t ngx_http_docket_peers_create(ngx_http_docket_proc_t *hlp);
ngx_http_docket_peer_t *ngx_http_docket_peer_find(
    ngx_http_docket_proc_t *hlp, const char *name);
/* To the end of the sensor's FIFO. */
void ngx_http_docket_peer_queue(ngx_http_docket_ask_t *ask);
/* Whatever can be started is. */
void ngx_http_docket_peer_work(ngx_http_docket_peer_t *peer);
/* Out of the FIFO, or its transfer is broken off. */
void ngx_http_docket_peer_forget(ngx_http_docket_ask_t *ask);
/* A transfer is over. */
void ngx_http_docket_peer_fetched(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out);
/* Looks that /stats wants; waits that are over; the zone's copy. */
void ngx_http_docket_peers_stats(ngx_http_docket_proc_t *hlp,
    uint32_t wanted);
void ngx_http_docket_peers_timers(ngx_http_docket_proc_t *hlp);


/* Found idle recently enough. */
ngx_uint_t ngx_http_docket_peer_idle(ngx_http_docket_peer_t *peer);
/* It is busy: those who waited for long enough give up. */
void ngx_http_docket_peer_busy(ngx_http_docket_peer_t *peer);
void ngx_http_docket_peer_up(ngx_http_docket_peer_t *peer, ngx_uint_t health);
/* "slow": those who wait for it now are told at once. */
void ngx_http_docket_peer_down(ngx_http_docket_peer_t *peer,
    const char *words, ngx_uint_t slow);


/* ngx_http_docket_slot.c; query thread; slot->ask is its own on entry */

/* An attempt begins; goes on after a wait. */
void ngx_http_docket_slot_start(ngx_http_docket_slot_t *slot);
void ngx_http_docket_slot_go(ngx_http_docket_slot_t *slot);
/* The look is over: the sensor is idle or not; it failed. */
void ngx_http_docket_slot_looked(ngx_http_docket_slot_t *slot,
    uint64_t reads);
void ngx_http_docket_slot_failed(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out);
/* The question is over. */
void ngx_http_docket_slot_queried(ngx_http_docket_slot_t *slot,
    ngx_http_docket_outcome_t *out);
/* The place is free. */
void ngx_http_docket_slot_close(ngx_http_docket_slot_t *slot,
    docket_sensor_state_e state, const char *words);


/* ngx_http_docket_fetch.c; query thread */

ngx_int_t ngx_http_docket_fetch_init(ngx_http_docket_proc_t *hlp);
/* NGX_ERROR: words in out, nothing is under way. */
ngx_int_t ngx_http_docket_fetch_start(ngx_http_docket_fetch_t *f,
    ngx_http_docket_fetch_e kind, ngx_http_docket_outcome_t *out);
void ngx_http_docket_fetch_abort(ngx_http_docket_fetch_t *f);
/* Lets curl work; those that ended go to ngx_http_docket_peer_fetched(). */
void ngx_http_docket_fetch_perform(ngx_http_docket_proc_t *hlp);
/* Those that were paused go on when they can. */
void ngx_http_docket_fetch_resume(ngx_http_docket_proc_t *hlp);
/* Those that stall are broken off; records held back for nothing go on. */
void ngx_http_docket_fetch_timers(ngx_http_docket_proc_t *hlp);


/* ngx_http_docket_tls.c; query thread */

/* Sets an option, or returns from the function with what curl says. */
#define ngx_http_docket_setopt(easy, option, value)                           \
    do {                                                                      \
        CURLcode  code = curl_easy_setopt(easy, option, value);               \
                                                                              \
        if (code != CURLE_OK) {                                               \
            return code;                                                      \
        }                                                                     \
    } while (0)

CURLcode ngx_http_docket_tls(ngx_http_docket_sensor_t *sensor, CURL *easy);


/* ngx_http_docket_io.c */

ngx_int_t ngx_http_docket_io_start(ngx_http_docket_proc_t *hlp);
/* Query thread: the io thread ends its step and leaves; NGX_ERROR: not in
   time. */
ngx_int_t ngx_http_docket_io_stop(ngx_http_docket_proc_t *hlp);
/* Query thread: the run has something for the io thread. */
void ngx_http_docket_io_ready(ngx_http_docket_run_t *run);
/* Query thread: no transfer is left, the run is the io thread's. */
void ngx_http_docket_io_ended(ngx_http_docket_run_t *run);
/* io thread, inside of long work: serves the runs; 1 when it is to stop, or
   the spool is another's. */
ngx_uint_t ngx_http_docket_io_serve(ngx_http_docket_proc_t *hlp);
/* io thread: the spool's index and what is finished are another's now. */
ngx_uint_t ngx_http_docket_io_released(ngx_http_docket_proc_t *hlp);
/* io thread: wants the transfers to be stopped. */
void ngx_http_docket_io_halt(ngx_http_docket_run_t *run,
    ngx_http_docket_stop_e why);
/* Any thread: there is something to be synced. */
void ngx_http_docket_io_sync(ngx_http_docket_proc_t *hlp);


/* ngx_http_docket_finish.c; io thread */

void ngx_http_docket_finish(ngx_http_docket_run_t *run, ngx_uint_t cancel,
    ngx_uint_t go, ngx_http_docket_stop_e stop);
/* Adds to words, separated by "; ". */
void ngx_http_docket_reason(char *words, size_t size, const char *name,
    const char *why);


/* ngx_http_docket_unsaved.c */

/* Any thread: the end of "job", whose record is "text"; NULL: no memory. */
ngx_http_docket_unsaved_t *ngx_http_docket_unsaved_create(
    ngx_http_docket_proc_t *hlp, const docket_job_t *job, const char *text,
    size_t len);
/* io thread: takes "unsaved" (may be NULL), to be saved when that is
   possible. */
void ngx_http_docket_unsaved_add(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_unsaved_t *unsaved);
/* io thread, each second: tries again. */
void ngx_http_docket_unsaved_turn(ngx_http_docket_proc_t *hlp);


/* ngx_http_docket_load.c; io thread */

void ngx_http_docket_load(ngx_http_docket_proc_t *hlp);
/* Jobs that found no room in the zone try again. */
void ngx_http_docket_load_rest(ngx_http_docket_proc_t *hlp);


/* ngx_http_docket_clean.c; io thread */

void ngx_http_docket_clean(ngx_http_docket_proc_t *hlp);
/* Each second: whether the day's clock was set. */
void ngx_http_docket_clock(ngx_http_docket_proc_t *hlp);
/* Each second: the space that is left. */
void ngx_http_docket_space(ngx_http_docket_proc_t *hlp);
void ngx_http_docket_askers_save(ngx_http_docket_proc_t *hlp,
    ngx_http_docket_asker_t *askers, ngx_uint_t n);
void ngx_http_docket_index_put(ngx_http_docket_proc_t *hlp,
    const docket_index_record_t *record);


#endif /* NGX_HTTP_DOCKET_PROCESS_H */
