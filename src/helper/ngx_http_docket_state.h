/*
 * What the two threads of the docket process work on: the process, a job that
 * runs, one sensor's part of it.  Sensors and transfers, which are the query
 * thread's alone, stand in ngx_http_docket_peer.h.
 *
 * The files, each of which uses only those below it:
 *
 *   ngx_http_docket_supervisor.c  the manager's side: spawns, respawns
 *   ngx_http_docket_process.c     the process: set-up, main loop, leaving
 *
 *   the query thread:
 *   ngx_http_docket_queue.c       whose the queue is; taking jobs from it
 *   ngx_http_docket_run.c         a job that runs: its start, what stops it
 *   ngx_http_docket_sensor.c      a sensor: its FIFO, its health, its stats
 *   ngx_http_docket_slot.c        a place at a sensor: idle check, question
 *   ngx_http_docket_fetch.c       transfers: curl, and what became of them
 *   ngx_http_docket_tls.c         certificates of all connections
 *   ngx_http_docket_ask.c         a sensor's part of a run: slices, progress
 *
 *   the io thread:
 *   ngx_http_docket_io.c          its loop
 *   ngx_http_docket_load.c        reading the spool at start
 *   ngx_http_docket_clean.c       expiry, free space, who asked
 *   ngx_http_docket_merge.c       a step for each run: merging and writing
 *   ngx_http_docket_finish.c      how a run ends: publishing, the record
 *
 *   both:
 *   ngx_http_docket_record.c      the index; records that were not saved yet
 *   ngx_http_docket_clock.c       the day's clock, and when it was set
 *   ngx_http_docket_shared.c      what one thread tells the other
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

#ifndef NGX_HTTP_DOCKET_STATE_H
#define NGX_HTTP_DOCKET_STATE_H


#include "ngx_http_docket.h"
#include "job/docket_index.h"
#include "pcap/docket_merge.h"
#include "zone/ngx_http_docket_zone.h"

#include <curl/curl.h>
#include <pthread.h>


/* milliseconds */
#define NGX_HTTP_DOCKET_TICK          500   /* fallback of every wake-up */
#define NGX_HTTP_DOCKET_PROGRESS      50    /* between reports to the zone */

#define NGX_HTTP_DOCKET_STEP          (1024 * 1024)   /* of a merge */
#define NGX_HTTP_DOCKET_WORDS         256   /* as docket_request_t's error */
#define NGX_HTTP_DOCKET_TEXT          (64 * 1024 + 256)


typedef struct ngx_http_docket_proc_s   ngx_http_docket_proc_t;
typedef struct ngx_http_docket_run_s    ngx_http_docket_run_t;
typedef struct ngx_http_docket_ask_s    ngx_http_docket_ask_t;
typedef struct ngx_http_docket_peer_s   ngx_http_docket_peer_t;
typedef struct ngx_http_docket_slot_s   ngx_http_docket_slot_t;


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
    int64_t                    clock;       /* the day's, less boot's */
    int64_t                    ahead;       /* it was set forward by so much, */
    int64_t                    ahead_until; /* which counts until then */
    int64_t                    io_second;
    int64_t                    cleaned;
    int64_t                    space_cleaned;
    uint64_t                   free_bytes;
    uint64_t                   free_nodes;
    unsigned                   low:1;
    unsigned                   loaded:1;
};


/* Query thread: something is due at "at" (hlp->now's milliseconds). */

static ngx_inline void
ngx_http_docket_timer(ngx_http_docket_proc_t *hlp, int64_t at)
{
    if (at < hlp->timer) {
        hlp->timer = at;
    }
}


#endif /* NGX_HTTP_DOCKET_STATE_H */
