/*
 * What the files of src/zone share: the zone as it lies in shared memory.
 *
 * nginx's own slab pool of the zone holds this structure and the sensors,
 * which are made at start and never change their place.  All the rest of the
 * memory is one block, in which a second slab pool holds the jobs.  Whoever
 * takes the mutex marks the zone dirty until it lets go; the next one to find
 * the mark knows that a process died in the middle of a change, and starts
 * the second pool anew.  What is lost stands in the spool.
 */

#ifndef NGX_HTTP_DOCKET_NODE_H
#define NGX_HTTP_DOCKET_NODE_H


#include "zone/ngx_http_docket_zone.h"
#include "job/docket_index.h"


#define NGX_HTTP_DOCKET_COVER_NONE  14695981039346656037ULL


typedef enum {
    NGX_HTTP_DOCKET_IN_WRITING = 0,
    NGX_HTTP_DOCKET_IN_QUEUED,
    NGX_HTTP_DOCKET_IN_RUNNING,
    NGX_HTTP_DOCKET_IN_FINISHED,
    NGX_HTTP_DOCKET_QUEUES
} ngx_http_docket_queue_e;


typedef struct {
    ngx_rbtree_node_t              rbnode;     /* key: id's first 4 bytes */
    ngx_queue_t                    queue;
    ngx_http_docket_queue_e        in;

    uint8_t                        id[16];
    docket_state_e                 state;
    uint32_t                       run;
    uint32_t                       capture_run;
    uint32_t                       version;
    uint64_t                       seq;        /* place in the queue */

    unsigned                       cancel:1;
    unsigned                       indexed:1;
    unsigned                       growing:1;
    unsigned                       partial:1;
    unsigned                       settled:1;

    uint64_t                       cover;
    int64_t                        created;
    int64_t                        requested;
    int64_t                        started;

    uint64_t                       written;
    uint64_t                       packets;
    uint64_t                       received;

    uint64_t                       asked;
    int64_t                        last_asked;
    uint32_t                       asker;      /* its entry in the ring + 1 */

    u_char                        *record;
    size_t                         record_len;

    /* while "writing": what a finished one returns to on abort */
    u_char                        *old_record; /* NULL: it is a new one */
    size_t                         old_len;
    int64_t                        old_requested;
    uint32_t                       old_capture_run;
    docket_state_e                 old_state;

    docket_request_t              *requests;
    ngx_uint_t                     nrequests;
} ngx_http_docket_node_t;


struct ngx_http_docket_zone_sensor_s {
    ngx_queue_t                    queue;
    uint32_t                       generation; /* last one that names it */
    ngx_http_docket_sensor_state_t state;
};


struct ngx_http_docket_zone_s {
    ngx_slab_pool_t               *shpool;
    ngx_slab_pool_t               *jobs;       /* the second pool */
    uint64_t                       token;      /* of this zone alone */
    ngx_uint_t                     dirty;

    ngx_rbtree_t                   rbtree;
    ngx_rbtree_node_t              sentinel;
    ngx_queue_t                    queues[NGX_HTTP_DOCKET_QUEUES];
    ngx_uint_t                     counts[NGX_HTTP_DOCKET_QUEUES];
    uint64_t                       seq;
    uint32_t                       version;

    ngx_queue_t                    sensors;
    ngx_http_docket_zone_info_t    info;
    ngx_uint_t                     clean_wanted;

    ngx_http_docket_asker_t        askers[NGX_HTTP_DOCKET_ASKERS];
    ngx_uint_t                     naskers;

    ngx_atomic_t                   waiters[NGX_MAX_PROCESSES];
};


void ngx_http_docket_zone_lock(ngx_http_docket_zone_t *z);
void ngx_http_docket_zone_unlock(ngx_http_docket_zone_t *z);

/*
 * Whoever walks or changes the tree or a queue comes to it through one of the
 * accessors.  In the build of "make lockcheck" they end a process that has not
 * taken the mutex, with an alert; elsewhere they cost nothing.
 */

#if (NGX_HTTP_DOCKET_LOCKCHECK)

void ngx_http_docket_zone_held(ngx_http_docket_zone_t *z, const char *func);

#else

#define ngx_http_docket_zone_held(z, func)  ((void) 0)

#endif

#define ngx_http_docket_zone_tree(z)                                          \
    (ngx_http_docket_zone_held(z, __func__), &(z)->rbtree)

#define ngx_http_docket_zone_queue(z, n)                                      \
    (ngx_http_docket_zone_held(z, __func__), &(z)->queues[n])

#define ngx_http_docket_zone_sensor_queue(z)                                  \
    (ngx_http_docket_zone_held(z, __func__), &(z)->sensors)

/* All below are called with the mutex held. */

ngx_http_docket_node_t *ngx_http_docket_node_lookup(
    ngx_http_docket_zone_t *z, const uint8_t id[16]);
/* The same by its text. */
ngx_http_docket_node_t *ngx_http_docket_node_find(ngx_http_docket_zone_t *z,
    const char *id);
/* Evicts finished nodes when memory is short; NULL: only live ones. */
ngx_http_docket_node_t *ngx_http_docket_node_create(
    ngx_http_docket_zone_t *z, const uint8_t id[16]);
void *ngx_http_docket_node_alloc(ngx_http_docket_zone_t *z, size_t size,
    ngx_http_docket_node_t *keep);
void ngx_http_docket_node_delete(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node);
ngx_int_t ngx_http_docket_node_record(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node, const void *record, size_t len);
void ngx_http_docket_node_drop_requests(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node);
/* Moves to the tail of a queue (of "finished": to its fresh end). */
void ngx_http_docket_node_move(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node, ngx_http_docket_queue_e in);
/* The job is on disk, a finished one's former record is needed no more. */
void ngx_http_docket_node_written(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node);
void ngx_http_docket_node_copy(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node, ngx_http_docket_job_t *job);
uint64_t ngx_http_docket_cover_add(uint64_t cover, const char *name);

/* What the node says of a job's record. */
void ngx_http_docket_node_job(ngx_http_docket_node_t *node,
    const docket_job_t *job);
void ngx_http_docket_node_changed(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node);


#endif /* NGX_HTTP_DOCKET_NODE_H */
