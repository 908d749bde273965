/*
 * The merge: a tree of losers over the streams' next times.  See
 * docket_merge.h.
 *
 * Each inner node holds the loser of the match played there, node 0 the
 * winner.  When a stream wins twice it is worth knowing how far it may run:
 * up to the best of the losers on its path.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pcap/docket_merge.h"
#include "pcap/docket_merge_core.h"


#define DOCKET_MERGE_STEP     (4 * 1024 * 1024)
#define DOCKET_MERGE_AHEAD    1536    /* bytes that are asked for ahead */


static int docket_merge_begin(docket_merge_t *m);
static int docket_merge_links(docket_merge_t *m);
static int docket_merge_key(docket_merge_t *m, size_t i);
static int docket_merge_take(docket_merge_t *m, size_t i);
static int docket_merge_next(docket_merge_t *m, size_t i);
static inline int64_t docket_merge_look(const u_char *p);
static int docket_merge_out(docket_merge_t *m, int rc);
static void docket_merge_build(docket_merge_t *m);
static void docket_merge_replay(docket_merge_t *m, size_t i);
static void docket_merge_bound(docket_merge_t *m, size_t i);


/* Stream a comes before stream b. */
#define docket_merge_less(m, a, b)                                            \
    ((m)->keys[a] < (m)->keys[b]                                              \
     || ((m)->keys[a] == (m)->keys[b] && (a) < (b)))


docket_merge_t *
docket_merge_create(const docket_merge_conf_t *conf)
{
    docket_merge_t  *m;

    m = calloc(1, sizeof(docket_merge_t));
    if (m == NULL) {
        return NULL;
    }

    m->conf = *conf;

    if (m->conf.step == 0) {
        m->conf.step = DOCKET_MERGE_STEP;
    }

    if (m->conf.buffer == 0) {
        m->conf.buffer = DOCKET_MERGE_BUFFER;
    }

    m->buf = malloc(m->conf.buffer);
    if (m->buf == NULL) {
        free(m);
        return NULL;
    }

    m->waits = -1;
    m->last_winner = -1;
    m->count.link = -1;
    m->final = DOCKET_OK;

    return m;
}


void
docket_merge_destroy(docket_merge_t *m)
{
    if (m == NULL) {
        return;
    }

    free(m->inputs);
    free(m->keys);
    free(m->tree);
    free(m->buf);
    free(m);
}


int
docket_merge_add(docket_merge_t *m, docket_stream_t *s)
{
    size_t                  max;
    docket_merge_input_t   *inputs;

    if (m->begun || m->n == DOCKET_MERGE_STREAMS) {
        return DOCKET_ERROR;
    }

    if (m->n == m->max) {

        max = (m->max == 0) ? 16 : m->max * 2;

        inputs = realloc(m->inputs, max * sizeof(docket_merge_input_t));
        if (inputs == NULL) {
            return DOCKET_ERROR;
        }

        m->inputs = inputs;
        m->max = max;
    }

    memset(&m->inputs[m->n], 0, sizeof(docket_merge_input_t));
    m->inputs[m->n].stream = s;
    m->n++;

    return DOCKET_OK;
}


int
docket_merge_run(docket_merge_t *m)
{
    int     rc;
    size_t  w;

    if (m->final != DOCKET_OK) {
        return m->final;
    }

    m->made = 0;

    if (!m->begun) {
        rc = docket_merge_begin(m);
        if (rc != DOCKET_OK) {
            return docket_merge_out(m, rc);
        }

    } else if (m->waits != -1) {

        w = (size_t) m->waits;

        if (docket_merge_key(m, w) != DOCKET_OK) {
            return DOCKET_AGAIN;
        }

        docket_merge_replay(m, w);
    }

    while (m->made < m->conf.step) {

        w = m->tree[0];

        if (m->keys[w] == DOCKET_PCAP_TIME_MAX) {
            return docket_merge_out(m, DOCKET_DONE);
        }

        rc = docket_merge_next(m, w);
        if (rc != DOCKET_OK) {
            return docket_merge_out(m, rc);
        }
    }

    return DOCKET_BUSY;
}


/* One run of records of the stream that won. */

static int
docket_merge_next(docket_merge_t *m, size_t i)
{
    int                    rc;
    docket_merge_input_t  *in;

    in = &m->inputs[i];

    if (in->p == in->end) {

        rc = docket_merge_take(m, i);
        if (rc != DOCKET_OK) {
            return (rc == DOCKET_DECLINED) ? DOCKET_OK : rc;
        }
    }

    /* one record, unless the stream has won before */

    m->bound = DOCKET_PCAP_TIME_MIN;

    if (m->last_winner == (long) i) {
        docket_merge_bound(m, i);
    }

    m->last_winner = (long) i;

    rc = docket_merge_copy(m, in);
    if (rc != DOCKET_OK && rc != DOCKET_LIMIT) {
        return rc;
    }

    if (in->p < in->end) {

        if (rc == DOCKET_LIMIT) {
            return rc;
        }

        m->keys[i] = docket_merge_look(in->p);

    } else if (docket_merge_key(m, i) != DOCKET_OK) {
        return (rc == DOCKET_LIMIT) ? DOCKET_LIMIT : DOCKET_AGAIN;
    }

    docket_merge_replay(m, i);

    if (rc == DOCKET_LIMIT) {

        if (m->keys[m->tree[0]] != DOCKET_PCAP_TIME_MAX) {
            return rc;
        }

        /* exactly as many packets as the limit allows are not too many */

        m->err[0] = '\0';
    }

    return DOCKET_OK;
}


/*
 * Time of a record that waits for its turn: it lies where nobody has looked
 * since it was read, so it is asked for now.
 */

static inline int64_t
docket_merge_look(const u_char *p)
{
    size_t           i;
    docket_record_t  h;

    memcpy(&h, p, sizeof(docket_record_t));

    for (i = 64; i < h.caplen + 64 && i < DOCKET_MERGE_AHEAD; i += 64) {
        __builtin_prefetch(p + i);
    }

    return h.sec * DOCKET_PCAP_BILLION + h.nsec;
}


/* What goes on before run() returns: all that was merged is written. */

static int
docket_merge_out(docket_merge_t *m, int rc)
{
    if (rc == DOCKET_ERROR) {
        m->final = rc;
        return rc;
    }

    if (rc != DOCKET_AGAIN && !m->begun) {
        return rc;
    }

    if (docket_merge_flush(m) != DOCKET_OK) {
        m->final = DOCKET_ERROR;
        return DOCKET_ERROR;
    }

    if (rc == DOCKET_DONE || rc == DOCKET_LIMIT) {
        m->final = rc;
    }

    return rc;
}


/* Looks for the next time of a stream: DOCKET_OK, or DOCKET_AGAIN. */

static int
docket_merge_key(docket_merge_t *m, size_t i)
{
    int                    rc;
    docket_merge_input_t  *in;

    in = &m->inputs[i];
    in->p = NULL;
    in->end = NULL;

    m->waits = -1;

    if (in->left) {
        m->keys[i] = DOCKET_PCAP_TIME_MAX;
        return DOCKET_OK;
    }

    rc = docket_stream_peek(in->stream, &m->keys[i]);

    if (rc == DOCKET_OK) {
        return DOCKET_OK;
    }

    if (rc == DOCKET_AGAIN) {
        m->waits = (long) i;
        return DOCKET_AGAIN;
    }

    m->keys[i] = DOCKET_PCAP_TIME_MAX;
    in->left = 1;

    if (rc == DOCKET_ERROR) {
        (void) snprintf(in->reason, sizeof(in->reason), "%s",
                        docket_stream_consumer_error(in->stream));
    }

    return DOCKET_OK;
}


/*
 * The winner's records.  DOCKET_DECLINED: it has another time than it had, or
 * left; the tree was played again.
 */

static int
docket_merge_take(docket_merge_t *m, size_t i)
{
    int                    rc;
    docket_merge_input_t  *in;

    in = &m->inputs[i];

    rc = docket_stream_take(in->stream, &in->p, &in->end);

    if (rc == DOCKET_OK && docket_stream_link(in->stream) == m->count.link) {
        return DOCKET_OK;
    }

    if (rc == DOCKET_OK) {
        docket_merge_refuse(m, i);
    }

    if (docket_merge_key(m, i) != DOCKET_OK) {
        return DOCKET_AGAIN;
    }

    docket_merge_replay(m, i);

    return DOCKET_DECLINED;
}


static int
docket_merge_begin(docket_merge_t *m)
{
    size_t  i;

    if (m->keys == NULL) {

        m->keys = calloc(m->n + 1, sizeof(int64_t));
        m->tree = calloc(m->n + 1, sizeof(size_t));

        if (m->keys == NULL || m->tree == NULL) {
            return docket_merge_fail(m, "out of memory", ENOMEM);
        }
    }

    for (i = (m->waits == -1) ? 0 : (size_t) m->waits; i < m->n; i++) {
        if (docket_merge_key(m, i) != DOCKET_OK) {
            return DOCKET_AGAIN;
        }
    }

    if (docket_merge_links(m) != DOCKET_OK) {
        return DOCKET_AGAIN;
    }

    m->begun = 1;

    if (docket_merge_choose(m) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (m->n == 0) {
        m->keys[0] = DOCKET_PCAP_TIME_MAX;
        m->tree[0] = 0;
        return DOCKET_OK;
    }

    docket_merge_build(m);

    return DOCKET_OK;
}


/*
 * What a stream had may have been taken back by a rewind while others were
 * waited for: then it has no link type either, and is waited for anew.
 */

static int
docket_merge_links(docket_merge_t *m)
{
    size_t                 i;
    docket_merge_input_t  *in;

    for (i = 0; i < m->n; i++) {

        in = &m->inputs[i];

        while ((in->link = docket_stream_link(in->stream)) == -1 && !in->left)
        {
            if (docket_merge_key(m, i) != DOCKET_OK) {
                return DOCKET_AGAIN;
            }
        }
    }

    return DOCKET_OK;
}


/* Leaf i stands at node n + i; the parent of node k is k / 2. */

static void
docket_merge_build(docket_merge_t *m)
{
    size_t  i, k, w, t;

    for (k = 0; k < m->n; k++) {
        m->tree[k] = DOCKET_MERGE_STREAMS;
    }

    for (i = 0; i < m->n; i++) {

        w = i;

        /* the first to come to a node waits there for the second */

        for (k = (m->n + i) / 2; k > 0; k /= 2) {

            if (m->tree[k] == DOCKET_MERGE_STREAMS) {
                m->tree[k] = w;
                break;
            }

            if (docket_merge_less(m, m->tree[k], w)) {
                t = m->tree[k];
                m->tree[k] = w;
                w = t;
            }
        }

        if (k == 0) {
            m->tree[0] = w;
        }
    }
}


/* Who wins a match can't be foretold: so nothing here branches on it. */

static void
docket_merge_replay(docket_merge_t *m, size_t i)
{
    int      less;
    size_t   k, w, t, mask;
    int64_t  key, other;

    w = i;
    key = m->keys[w];

    for (k = (m->n + i) / 2; k > 0; k /= 2) {

        t = m->tree[k];
        other = m->keys[t];

        less = (other < key) | ((other == key) & (t < w));

        mask = (size_t) 0 - (size_t) less;

        m->tree[k] = t ^ ((t ^ w) & mask);
        w ^= (t ^ w) & mask;
        key = (int64_t) ((uint64_t) key
                         ^ (((uint64_t) other ^ (uint64_t) key) & mask));
    }

    m->tree[0] = w;
}


/* How far the winner may run: m->bound, the first time that is too late. */

static void
docket_merge_bound(docket_merge_t *m, size_t i)
{
    size_t   k, t;
    int64_t  bound;

    m->bound = DOCKET_PCAP_TIME_MAX;

    for (k = (m->n + i) / 2; k > 0; k /= 2) {

        t = m->tree[k];
        bound = m->keys[t];

        if (i < t && bound != DOCKET_PCAP_TIME_MAX) {
            bound++;
        }

        if (bound < m->bound) {
            m->bound = bound;
        }
    }
}


long
docket_merge_waits(const docket_merge_t *m)
{
    return m->waits;
}


const char *
docket_merge_reason(const docket_merge_t *m, size_t i)
{
    return m->inputs[i].reason;
}


void
docket_merge_stream(const docket_merge_t *m, size_t i, uint64_t *packets,
    uint64_t *bytes)
{
    *packets = m->inputs[i].packets;
    *bytes = m->inputs[i].bytes;
}


const docket_merge_count_t *
docket_merge_count(const docket_merge_t *m)
{
    return &m->count;
}


const char *
docket_merge_error(const docket_merge_t *m)
{
    return m->err;
}


int
docket_merge_errno(const docket_merge_t *m)
{
    return m->error;
}
