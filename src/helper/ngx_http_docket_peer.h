/*
 * A sensor, its places, their transfers.  All of it is the query thread's;
 * what others are to know of a sensor is copied into the zone.
 */

#ifndef NGX_HTTP_DOCKET_PEER_H
#define NGX_HTTP_DOCKET_PEER_H


#include "helper/ngx_http_docket_state.h"


typedef struct ngx_http_docket_fetch_s  ngx_http_docket_fetch_t;


/* What became of a transfer. */

typedef struct {
    unsigned                   ok:1;
    unsigned                   retry:1;     /* another attempt may help */
    unsigned                   down:1;      /* the sensor, not the question */
    char                       words[NGX_HTTP_DOCKET_WORDS];
} ngx_http_docket_outcome_t;


/* A transfer; its handle is kept for the next one. */

typedef enum {
    NGX_HTTP_DOCKET_FETCH_STATS,
    NGX_HTTP_DOCKET_FETCH_QUERY
} ngx_http_docket_fetch_e;

typedef void (*ngx_http_docket_fetch_pt)(ngx_http_docket_fetch_t *f,
    ngx_http_docket_outcome_t *out);

struct ngx_http_docket_fetch_s {
    CURL                      *easy;        /* NULL until the first one */
    ngx_http_docket_peer_t    *peer;
    ngx_http_docket_slot_t    *slot;        /* NULL: the peer's own look */
    ngx_http_docket_ask_t     *ask;         /* of a query */
    ngx_queue_t                queue;       /* in hlp->fetches */
    ngx_http_docket_fetch_pt   handler;     /* told of its end */
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


#endif /* NGX_HTTP_DOCKET_PEER_H */
