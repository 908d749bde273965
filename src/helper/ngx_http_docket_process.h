/*
 * The docket process from within.
 *
 * Two threads.  The query thread (the process's first) owns the sensors, the
 * fetches and libcurl.  The io thread owns the index and everything that
 * writes or reads much: merging, records, the spool's walk, cleaning.  A run
 * belongs to the query thread until its last fetch has ended; then it is
 * handed to the io thread through a queue, and comes back through another.
 * The two queues are the only things that both touch, under one mutex that is
 * held for a pointer's change.  The zone has its own mutex.
 */

#ifndef NGX_HTTP_DOCKET_PROCESS_H
#define NGX_HTTP_DOCKET_PROCESS_H


#include "ngx_http_docket.h"
#include "zone/ngx_http_docket_zone.h"
#include "job/docket_index.h"

#include <curl/curl.h>
#include <pthread.h>


typedef struct ngx_http_docket_run_s     ngx_http_docket_run_t;
typedef struct ngx_http_docket_fetch_s   ngx_http_docket_fetch_t;
typedef struct ngx_http_docket_helper_s  ngx_http_docket_helper_t;


/* A sensor as the query thread sees it. */

typedef struct {
    ngx_http_docket_sensor_t   *conf;
    ngx_queue_t                 waiting;      /* fetches, first come first */
    ngx_uint_t                  active;
    ngx_msec_t                  idle_until;   /* an idle finding holds so long */
    ngx_uint_t                  idle;
    struct curl_slist          *connect;      /* NULL without a tls_name */
} ngx_http_docket_peer_t;


typedef enum {
    NGX_HTTP_DOCKET_FETCH_WAITING = 0,
    NGX_HTTP_DOCKET_FETCH_IDLE,               /* asks whether it is idle */
    NGX_HTTP_DOCKET_FETCH_QUERY,
    NGX_HTTP_DOCKET_FETCH_DONE
} ngx_http_docket_fetch_e;


struct ngx_http_docket_fetch_s {
    ngx_queue_t                 queue;        /* in peer->waiting */
    ngx_http_docket_run_t      *run;
    ngx_http_docket_peer_t     *peer;
    docket_request_t           *request;      /* in run->job */
    ngx_http_docket_fetch_e     state;
    CURL                       *curl;
    int                         fd;           /* what it sent; -1: nothing */
    int                         slot;         /* lock of a query slot */
    uint64_t                    received;
    ngx_msec_t                  at;           /* not before */
    ngx_msec_t                  since;        /* it found the sensor busy */
    ngx_msec_t                  begun;
    int                         write_errno;
    char                        text[DOCKET_MAX_TEXT * 2];
    char                        head[160];    /* of an answer that is none */
    size_t                      head_len;
    char                        error[CURL_ERROR_SIZE];
    u_char                      stats[NGX_HTTP_DOCKET_STATS_LEN];
    size_t                      stats_len;
};


struct ngx_http_docket_run_s {
    ngx_queue_t                 queue;        /* of the helper's runs */
    ngx_queue_t                 io;           /* of one of the two queues */
    docket_job_t               *job;
    int                         dirfd;        /* locked while it runs */
    ngx_http_docket_fetch_t    *fetches;
    ngx_uint_t                  n;
    ngx_uint_t                  left;         /* fetches that have not ended */
    ngx_uint_t                  old;          /* the old capture is an input */
    ngx_uint_t                  cancelled;
};


struct ngx_http_docket_helper_s {
    ngx_cycle_t                    *cycle;
    ngx_log_t                      *log;
    ngx_http_docket_main_conf_t    *mcf;
    ngx_http_docket_zone_t         *zone;
    uint32_t                        generation;
    ngx_pid_t                       parent;
    ngx_pid_t                       master;
    ngx_socket_t                    channel;
    ngx_socket_t                    io_fd;    /* eventfd: io -> query */
    int                             owner;    /* lock; -1: not ours */
    ngx_uint_t                      told;     /* that another one owns it */
    ngx_uint_t                      draining;
    ngx_msec_t                      drain_until;
    ngx_msec_t                      second;   /* of the next housekeeping */

    CURLM                          *multi;
    struct curl_slist              *headers;
    ngx_http_docket_peer_t         *peers;
    ngx_queue_t                     runs;
    ngx_uint_t                      nruns;

    pthread_t                       thread;
    pthread_mutex_t                 mutex;
    pthread_cond_t                  cond;
    ngx_queue_t                     todo;     /* runs to merge */
    ngx_queue_t                     done;     /* runs that are finished */
    ngx_uint_t                      scan;     /* the spool is to be walked */
    ngx_uint_t                      clean;

    docket_index_t                 *index;    /* the io thread's */
};


int64_t ngx_http_docket_now(void);            /* microseconds */
ngx_msec_t ngx_http_docket_clock(void);       /* milliseconds, monotonic */

/* ngx_http_docket_process.c */
void ngx_http_docket_process(ngx_cycle_t *cycle, void *data);

/* ngx_http_docket_fetch.c: the query thread. */
ngx_int_t ngx_http_docket_fetch_init(ngx_http_docket_helper_t *h);
/* Starts what may start, takes in what has ended; milliseconds until the
   next timer. */
ngx_msec_t ngx_http_docket_fetch_run(ngx_http_docket_helper_t *h);
void ngx_http_docket_fetch_abort(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run, const char *why);

/* ngx_http_docket_run.c: the query thread. */
void ngx_http_docket_run_take(ngx_http_docket_helper_t *h);
void ngx_http_docket_run_fetched(ngx_http_docket_helper_t *h,
    ngx_http_docket_run_t *run);
void ngx_http_docket_run_free(ngx_http_docket_run_t *run);

/* ngx_http_docket_io.c: the io thread. */
void *ngx_http_docket_io(void *data);


#endif /* NGX_HTTP_DOCKET_PROCESS_H */
