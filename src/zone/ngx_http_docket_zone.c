/*
 * The zone itself: its life, its lock, its memory, its nodes.
 */

#include "zone/ngx_http_docket_node.h"


/* bytes of a record's text that a queued job may need at the least */
#define NGX_HTTP_DOCKET_RECORD_SIZE   4096
/* sensors that a reload may add to those of the zone's first configuration */
#define NGX_HTTP_DOCKET_MORE_SENSORS  64
/* entry of a sensor in a running job, doubled while it is replaced */
#define NGX_HTTP_DOCKET_REQUEST_SIZE  (2 * sizeof(docket_request_t))


static size_t ngx_http_docket_zone_sensors_size(
    ngx_http_docket_main_conf_t *mcf);
static uint64_t ngx_http_docket_zone_new_token(void);
static void ngx_http_docket_zone_reset(ngx_http_docket_zone_t *z);
static ngx_int_t ngx_http_docket_zone_sensors(ngx_http_docket_zone_t *z,
    ngx_http_docket_main_conf_t *mcf);
static void ngx_http_docket_node_insert(ngx_rbtree_node_t *temp,
    ngx_rbtree_node_t *node, ngx_rbtree_node_t *sentinel);


#if (NGX_HTTP_DOCKET_LOCKCHECK)

/* the lock's word has the process alone, and the helper has two threads */
static __thread ngx_uint_t  ngx_http_docket_held;

#endif


size_t
ngx_http_docket_zone_min_size(ngx_http_docket_main_conf_t *mcf)
{
    size_t  size, job;

    job = ngx_align(sizeof(ngx_http_docket_node_t), 64)
          + NGX_HTTP_DOCKET_RECORD_SIZE;

    size = ngx_align(sizeof(ngx_http_docket_zone_t), ngx_pagesize)
           + mcf->queue_size * job
           + ngx_http_docket_zone_sensors_size(mcf)
           + mcf->max_active * mcf->sensors.nelts
             * NGX_HTTP_DOCKET_REQUEST_SIZE;

    /* slab's own pages and rounding */
    size += size / 16 + 16 * ngx_pagesize;

    return ngx_align(size, ngx_pagesize);
}


/* Of the first pool, where each sensor takes whole pages. */

static size_t
ngx_http_docket_zone_sensors_size(ngx_http_docket_main_conf_t *mcf)
{
    return (mcf->sensors.nelts * 2 + NGX_HTTP_DOCKET_MORE_SENSORS)
           * ngx_align(sizeof(ngx_http_docket_zone_sensor_t), ngx_pagesize);
}


ngx_int_t
ngx_http_docket_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_docket_main_conf_t *omcf = data;

    u_char                       *block;
    size_t                        size;
    ngx_slab_pool_t              *shpool, *jobs;
    ngx_http_docket_zone_t       *z;
    ngx_http_docket_main_conf_t  *mcf;

    mcf = shm_zone->data;

    if (omcf != NULL) {
        mcf->zone = omcf->zone;
        return ngx_http_docket_zone_sensors(mcf->zone, mcf);
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        mcf->zone = shpool->data;
        return ngx_http_docket_zone_sensors(mcf->zone, mcf);
    }

    z = ngx_slab_calloc(shpool, sizeof(ngx_http_docket_zone_t));
    if (z == NULL) {
        return NGX_ERROR;
    }

    shpool->data = z;
    z->shpool = shpool;
    z->token = ngx_http_docket_zone_new_token();
    ngx_queue_init(&z->sensors);
    mcf->zone = z;

    if (ngx_http_docket_zone_sensors(z, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    /* what a reload with more sensors needs stays in the first pool */

    size = ngx_http_docket_zone_sensors_size(mcf)
           - mcf->sensors.nelts
             * ngx_align(sizeof(ngx_http_docket_zone_sensor_t), ngx_pagesize)
           + 4 * ngx_pagesize;

    if (shpool->pfree * ngx_pagesize <= size) {
        return NGX_ERROR;
    }

    size = shpool->pfree * ngx_pagesize - size;

    block = ngx_slab_alloc(shpool, size);
    if (block == NULL) {
        return NGX_ERROR;
    }

    jobs = (ngx_slab_pool_t *) block;
    ngx_memzero(jobs, sizeof(ngx_slab_pool_t));

    jobs->addr = block;
    jobs->end = block + size;
    jobs->min_shift = 3;

    z->jobs = jobs;

    ngx_http_docket_zone_reset(z);

    return NGX_OK;
}


static uint64_t
ngx_http_docket_zone_new_token(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    return ((uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec)
           ^ ((uint64_t) ngx_pid << 40);
}


uint64_t
ngx_http_docket_zone_token(ngx_http_docket_zone_t *z)
{
    return z->token;
}


static void
ngx_http_docket_zone_reset(ngx_http_docket_zone_t *z)
{
    ngx_uint_t  i;

    ngx_slab_init(z->jobs);
    z->jobs->log_nomem = 0;

    ngx_rbtree_init(&z->rbtree, &z->sentinel, ngx_http_docket_node_insert);

    for (i = 0; i < NGX_HTTP_DOCKET_QUEUES; i++) {
        ngx_queue_init(&z->queues[i]);
        z->counts[i] = 0;
    }

    z->naskers = 0;
    z->info.loaded = 0;
}


/*
 * A sensor's live state is found again by its name.  A name that two
 * generations no longer know gives its place to a new one.
 */

static ngx_int_t
ngx_http_docket_zone_sensors(ngx_http_docket_zone_t *z,
    ngx_http_docket_main_conf_t *mcf)
{
    uint32_t                        next;
    ngx_uint_t                      i;
    ngx_queue_t                    *q, *sensors;
    ngx_http_docket_sensor_t       *sensor;
    ngx_http_docket_zone_sensor_t  *s, *found, *spare;

    sensor = mcf->sensors.elts;

    /* processes of older generations use them meanwhile */

    ngx_http_docket_zone_lock(z);

    sensors = ngx_http_docket_zone_sensor_queue(z);
    next = z->info.generation + 1;

    for (i = 0; i < mcf->sensors.nelts; i++) {
        found = NULL;
        spare = NULL;

        for (q = ngx_queue_head(sensors);
             q != ngx_queue_sentinel(sensors);
             q = ngx_queue_next(q))
        {
            s = ngx_queue_data(q, ngx_http_docket_zone_sensor_t, queue);

            if (ngx_strcmp(s->state.name, sensor[i].name.data) == 0) {
                found = s;
                break;
            }

            if (s->generation + 2 < next) {
                spare = s;
            }
        }

        if (found == NULL) {
            found = spare;

            if (found == NULL) {
                found = ngx_slab_alloc_locked(z->shpool,
                                      sizeof(ngx_http_docket_zone_sensor_t));
                if (found == NULL) {
                    ngx_http_docket_zone_unlock(z);
                    ngx_log_error(NGX_LOG_EMERG, ngx_cycle->log, 0,
                                  "the zone of \"docket_spool\" was made for "
                                  "fewer sensors than %ui: give it another "
                                  "size", mcf->sensors.nelts);
                    return NGX_ERROR;
                }

                ngx_queue_insert_tail(sensors, &found->queue);
            }

            ngx_memzero(&found->state, sizeof(ngx_http_docket_sensor_state_t));
            ngx_memcpy(found->state.name, sensor[i].name.data,
                       sensor[i].name.len);
        }

        found->generation = next;
        sensor[i].shared = found;
    }

    ngx_http_docket_zone_unlock(z);

    return NGX_OK;
}


uint32_t
ngx_http_docket_zone_generation(ngx_http_docket_zone_t *z, int next)
{
    uint32_t  generation;

    ngx_http_docket_zone_lock(z);

    if (next) {
        z->info.generation++;
    }

    generation = z->info.generation;

    ngx_http_docket_zone_unlock(z);

    return generation;
}


void
ngx_http_docket_zone_lock(ngx_http_docket_zone_t *z)
{
    ngx_shmtx_lock(&z->shpool->mutex);

    if (z->dirty) {
        ngx_http_docket_zone_reset(z);
    }

    z->dirty = 1;
    ngx_memory_barrier();

#if (NGX_HTTP_DOCKET_LOCKCHECK)
    ngx_http_docket_held = 1;
#endif
}


void
ngx_http_docket_zone_unlock(ngx_http_docket_zone_t *z)
{
#if (NGX_HTTP_DOCKET_LOCKCHECK)
    ngx_http_docket_held = 0;
#endif

    ngx_memory_barrier();
    z->dirty = 0;

    ngx_shmtx_unlock(&z->shpool->mutex);
}


#if (NGX_HTTP_DOCKET_LOCKCHECK)

void
ngx_http_docket_zone_held(ngx_http_docket_zone_t *z, const char *func)
{
    if (ngx_http_docket_held
        && *z->shpool->mutex.lock == (ngx_atomic_uint_t) ngx_pid)
    {
        return;
    }

    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  "docket lockcheck: %s() without the mutex", func);
    abort();
}

#endif


void
ngx_http_docket_zone_unstick(ngx_http_docket_zone_t *z)
{
    ngx_pid_t  pid;

    pid = (ngx_pid_t) *z->shpool->mutex.lock;

    if (pid > 0 && kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH) {
        (void) ngx_shmtx_force_unlock(&z->shpool->mutex, pid);
    }
}


static void
ngx_http_docket_node_insert(ngx_rbtree_node_t *temp, ngx_rbtree_node_t *node,
    ngx_rbtree_node_t *sentinel)
{
    ngx_rbtree_node_t       **p;
    ngx_http_docket_node_t   *n, *t;

    n = (ngx_http_docket_node_t *) node;

    for ( ;; ) {

        if (node->key != temp->key) {
            p = (node->key < temp->key) ? &temp->left : &temp->right;

        } else {
            t = (ngx_http_docket_node_t *) temp;
            p = (ngx_memcmp(n->id, t->id, 16) < 0) ? &temp->left
                                                   : &temp->right;
        }

        if (*p == sentinel) {
            break;
        }

        temp = *p;
    }

    *p = node;
    node->parent = temp;
    node->left = sentinel;
    node->right = sentinel;
    ngx_rbt_red(node);
}


static ngx_rbtree_key_t
ngx_http_docket_node_key(const uint8_t id[16])
{
    return ((ngx_rbtree_key_t) id[0] << 24) | ((ngx_rbtree_key_t) id[1] << 16)
           | ((ngx_rbtree_key_t) id[2] << 8) | id[3];
}


ngx_http_docket_node_t *
ngx_http_docket_node_lookup(ngx_http_docket_zone_t *z, const uint8_t id[16])
{
    ngx_int_t                rc;
    ngx_rbtree_t            *tree;
    ngx_rbtree_key_t         key;
    ngx_rbtree_node_t       *node, *sentinel;
    ngx_http_docket_node_t  *n;

    key = ngx_http_docket_node_key(id);

    tree = ngx_http_docket_zone_tree(z);
    node = tree->root;
    sentinel = tree->sentinel;

    while (node != sentinel) {

        if (key != node->key) {
            node = (key < node->key) ? node->left : node->right;
            continue;
        }

        n = (ngx_http_docket_node_t *) node;

        rc = ngx_memcmp(id, n->id, 16);

        if (rc == 0) {
            return n;
        }

        node = (rc < 0) ? node->left : node->right;
    }

    return NULL;
}


ngx_http_docket_node_t *
ngx_http_docket_node_find(ngx_http_docket_zone_t *z, const char *id)
{
    uint8_t  bin[16];

    docket_id_pack(id, bin);

    return ngx_http_docket_node_lookup(z, bin);
}


/* Finished nodes go, the longest unused first, until "size" can be had. */

void *
ngx_http_docket_node_alloc(ngx_http_docket_zone_t *z, size_t size,
    ngx_http_docket_node_t *keep)
{
    void                    *p;
    ngx_queue_t             *q, *next, *finished;
    ngx_http_docket_node_t  *node;

    p = ngx_slab_alloc_locked(z->jobs, size);
    if (p != NULL) {
        return p;
    }

    finished = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_FINISHED);

    /* the fresh end is the tail */

    for (q = ngx_queue_head(finished);
         q != ngx_queue_sentinel(finished);
         q = next)
    {
        next = ngx_queue_next(q);

        node = ngx_queue_data(q, ngx_http_docket_node_t, queue);

        if (node == keep || !node->indexed) {
            continue;
        }

        ngx_http_docket_node_delete(z, node);

        p = ngx_slab_alloc_locked(z->jobs, size);
        if (p != NULL) {
            return p;
        }
    }

    return NULL;
}


ngx_http_docket_node_t *
ngx_http_docket_node_create(ngx_http_docket_zone_t *z, const uint8_t id[16])
{
    ngx_http_docket_node_t  *node;

    node = ngx_http_docket_node_alloc(z, sizeof(ngx_http_docket_node_t), NULL);
    if (node == NULL) {
        return NULL;
    }

    ngx_memzero(node, sizeof(ngx_http_docket_node_t));
    ngx_memcpy(node->id, id, 16);

    node->rbnode.key = ngx_http_docket_node_key(id);
    ngx_rbtree_insert(ngx_http_docket_zone_tree(z), &node->rbnode);

    node->in = NGX_HTTP_DOCKET_IN_WRITING;
    ngx_queue_insert_tail(ngx_http_docket_zone_queue(z, node->in),
                          &node->queue);
    z->counts[node->in]++;

    return node;
}


void
ngx_http_docket_node_delete(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node)
{
    ngx_queue_remove(&node->queue);
    z->counts[node->in]--;

    ngx_rbtree_delete(ngx_http_docket_zone_tree(z), &node->rbnode);

    if (node->record != NULL) {
        ngx_slab_free_locked(z->jobs, node->record);
    }

    if (node->old_record != NULL) {
        ngx_slab_free_locked(z->jobs, node->old_record);
    }

    ngx_http_docket_node_drop_requests(z, node);

    ngx_slab_free_locked(z->jobs, node);
}


ngx_int_t
ngx_http_docket_node_record(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node, const void *record, size_t len)
{
    u_char  *p;

    p = ngx_http_docket_node_alloc(z, len, node);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(p, record, len);

    if (node->record != NULL) {
        ngx_slab_free_locked(z->jobs, node->record);
    }

    node->record = p;
    node->record_len = len;

    return NGX_OK;
}


void
ngx_http_docket_node_drop_requests(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node)
{
    if (node->requests != NULL) {
        ngx_slab_free_locked(z->jobs, node->requests);
        node->requests = NULL;
        node->nrequests = 0;
    }
}


void
ngx_http_docket_node_move(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node, ngx_http_docket_queue_e in)
{
    ngx_queue_t             *q, *queued;
    ngx_http_docket_node_t  *n;

    queued = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_QUEUED);

    if (node->in == NGX_HTTP_DOCKET_IN_QUEUED
        && &node->queue != ngx_queue_head(queued))
    {
        /* it leaves a gap: those behind it move up */

        for (q = ngx_queue_next(&node->queue);
             q != ngx_queue_sentinel(queued);
             q = ngx_queue_next(q))
        {
            n = ngx_queue_data(q, ngx_http_docket_node_t, queue);
            n->seq--;
        }

        z->seq--;
    }

    ngx_queue_remove(&node->queue);
    z->counts[node->in]--;

    node->in = in;

    ngx_queue_insert_tail(ngx_http_docket_zone_queue(z, in), &node->queue);
    z->counts[in]++;

    if (in == NGX_HTTP_DOCKET_IN_QUEUED) {
        node->seq = ++z->seq;
    }
}


void
ngx_http_docket_node_written(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node)
{
    if (node->old_record != NULL) {
        ngx_slab_free_locked(z->jobs, node->old_record);
        node->old_record = NULL;
    }

    ngx_http_docket_node_move(z, node, NGX_HTTP_DOCKET_IN_QUEUED);
    ngx_http_docket_node_changed(z, node);
}


void
ngx_http_docket_node_changed(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node)
{
    node->version = ++z->version;
}


void
ngx_http_docket_node_job(ngx_http_docket_node_t *node,
    const docket_job_t *job)
{
    size_t    i;
    uint64_t  cover;

    node->state = job->state;
    node->run = job->run;
    node->capture_run = job->capture_run;
    node->started = job->started;
    node->partial = job->partial;
    node->settled = (job->settled && !docket_job_short(job));

    cover = NGX_HTTP_DOCKET_COVER_NONE;

    for (i = 0; i < job->nrequests; i++) {
        if (docket_sensor_covered(job->requests[i].state)) {
            cover = ngx_http_docket_cover_add(cover, job->requests[i].name);
        }
    }

    node->cover = cover;
}


/* FNV-1a, 64 bits, the names with their NUL */

uint64_t
ngx_http_docket_cover_add(uint64_t cover, const char *name)
{
    do {
        cover = (cover ^ (u_char) *name) * 1099511628211ULL;
    } while (*name++ != '\0');

    return cover;
}


uint64_t
ngx_http_docket_cover(const char *const *names, ngx_uint_t n)
{
    uint64_t    cover;
    ngx_uint_t  i;

    cover = NGX_HTTP_DOCKET_COVER_NONE;

    for (i = 0; i < n; i++) {
        cover = ngx_http_docket_cover_add(cover, names[i]);
    }

    return cover;
}


void
ngx_http_docket_node_copy(ngx_http_docket_zone_t *z,
    ngx_http_docket_node_t *node, ngx_http_docket_job_t *job)
{
    ngx_queue_t             *queued;
    ngx_http_docket_node_t  *head;

    ngx_memzero(job, sizeof(ngx_http_docket_job_t));

    docket_id_unpack(node->id, (char *) job->id);

    job->state = node->state;
    job->run = node->run;
    job->capture_run = node->capture_run;
    job->version = node->version;

    if (node->in == NGX_HTTP_DOCKET_IN_QUEUED) {
        queued = ngx_http_docket_zone_queue(z, NGX_HTTP_DOCKET_IN_QUEUED);
        head = ngx_queue_data(ngx_queue_head(queued), ngx_http_docket_node_t,
                              queue);
        job->position = (ngx_uint_t) (node->seq - head->seq + 1);
    }

    job->writing = (node->in == NGX_HTTP_DOCKET_IN_WRITING);
    job->cancel = node->cancel;
    job->indexed = node->indexed;
    job->growing = node->growing;
    job->partial = node->partial;
    job->settled = node->settled;
    job->cover = node->cover;

    job->created = node->created;
    job->requested = node->requested;
    job->started = node->started;

    job->written = node->written;
    job->packets = node->packets;
    job->received = node->received;

    job->asked = node->asked;
    job->last_asked = node->last_asked;
}
