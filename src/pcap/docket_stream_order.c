/*
 * Order inside of a stream: records are held back until newer ones came, late
 * ones are linked in where they belong.  See docket_stream_core.h.
 *
 * "held" is always sorted.  The part of its first span before s->release is
 * released already and waits for the next publish.
 */

#include <stdlib.h>
#include <string.h>
#include "pcap/docket_stream_core.h"


static int docket_stream_late(docket_stream_t *s, u_char *p, size_t size,
    int64_t time);
static int docket_stream_part(docket_stream_t *s);
static int docket_stream_link_after(docket_stream_t *s, docket_span_t *at,
    u_char *p, size_t size);
static void docket_stream_mark(docket_stream_t *s, u_char *end);
static void docket_stream_release_to(docket_stream_t *s,
    const docket_part_t *part);


int
docket_stream_hold(docket_stream_t *s, u_char *p, size_t size, int64_t time)
{
    docket_span_t  *tail;

    if (s->count.records == 0 || time < s->count.first) {
        s->count.first = time;
    }

    s->count.records++;
    s->count.bytes += size;

    if (time < s->newest) {
        return docket_stream_late(s, p, size, time);
    }

    s->newest = time;
    s->count.last = time;

    tail = s->held.tail;

    if (tail != NULL && tail->end == p && tail->chunk == s->chunk) {
        tail->end += size;

    } else {
        tail = docket_span_create(s->chunk, p, p + size, s->slice);
        if (tail == NULL) {
            return DOCKET_ERROR;
        }

        docket_span_append(&s->held, tail);

        if (s->held.head == tail) {
            s->release = p;
        }
    }

    s->part.n++;
    s->part.bytes += size;

    if (s->part.n == DOCKET_PART_RECORDS || s->part.bytes >= s->mem / 16) {
        docket_stream_mark(s, tail->end);
    }

    return DOCKET_OK;
}


/*
 * What is held is released by parts of some records: the newest ones are
 * known by where they end, and the older need not be looked at again, which
 * by then would be a cache miss for each.
 */

static void
docket_stream_mark(docket_stream_t *s, u_char *end)
{
    docket_part_t  *part;

    part = &s->parts[(s->part_first + s->nparts) % DOCKET_PARTS];

    s->part.end = end;
    s->part.newest = s->newest;
    *part = s->part;
    s->nparts++;

    s->held_n += s->part.n;
    s->held_bytes += s->part.bytes;
    s->part.n = 0;
    s->part.bytes = 0;

    for ( ;; ) {
        part = &s->parts[s->part_first];

        if (s->nparts == 0
            || (s->held_n - part->n < DOCKET_STREAM_WINDOW
                && s->held_bytes <= s->mem / 2 && s->nparts < DOCKET_PARTS))
        {
            break;
        }

        s->held_n -= part->n;
        s->held_bytes -= part->bytes;
        s->part_first = (s->part_first + 1) % DOCKET_PARTS;
        s->nparts--;

        docket_stream_release_to(s, part);
    }
}


static void
docket_stream_release_to(docket_stream_t *s, const docket_part_t *part)
{
    docket_span_t  *sp;

    s->newest_out = part->newest;

    for ( ;; ) {
        sp = s->held.head;

        if (part->end > sp->start && part->end < sp->end) {
            s->release = part->end;
            return;
        }

        s->held.head = sp->next;

        if (sp->next == NULL) {
            s->held.tail = NULL;
            s->release = NULL;

        } else {
            sp->next->prev = NULL;
            s->release = sp->next->start;
        }

        docket_span_append(&s->released, sp);

        if (part->end == sp->end) {
            return;
        }
    }
}


void
docket_stream_release(docket_stream_t *s)
{
    docket_span_t  *sp, *next;

    if (s->held.head == NULL) {
        return;
    }

    for (sp = s->held.head; sp != NULL; sp = next) {
        next = sp->next;
        docket_span_append(&s->released, sp);
    }

    s->held.head = NULL;
    s->held.tail = NULL;
    s->newest_out = s->newest;

    docket_stream_forget(s);
}


void
docket_stream_forget(docket_stream_t *s)
{
    s->release = NULL;
    s->nparts = 0;
    s->held_n = 0;
    s->held_bytes = 0;
    s->part.n = 0;
    s->part.bytes = 0;
}


/* Cuts the first span held where the released part of it ends. */

static int
docket_stream_part(docket_stream_t *s)
{
    docket_span_t  *sp, *head;

    head = s->held.head;

    if (head == NULL || s->release == head->start) {
        return DOCKET_OK;
    }

    sp = docket_span_create(head->chunk, head->start, s->release,
                            head->slice);
    if (sp == NULL) {
        return DOCKET_ERROR;
    }

    docket_span_append(&s->released, sp);

    head->start = s->release;

    return DOCKET_OK;
}


static int
docket_stream_late(docket_stream_t *s, u_char *p, size_t size, int64_t time)
{
    u_char           *q;
    docket_span_t    *sp;
    docket_record_t   h;

    if (docket_stream_part(s) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (time < s->newest_out || s->held.head == NULL) {

        /* its place is gone: it comes out next */

        s->count.disordered++;

        sp = docket_span_create(s->chunk, p, p + size, s->slice);
        if (sp == NULL) {
            return DOCKET_ERROR;
        }

        docket_span_append(&s->released, sp);

        return DOCKET_OK;
    }

    s->count.reordered++;

    for (sp = s->held.tail; sp != NULL; sp = sp->prev) {
        if (docket_record_time(sp->start) <= time) {
            break;
        }
    }

    if (sp != NULL) {

        /* after the last record that is not newer */

        for (q = sp->start; q < sp->end; q += DOCKET_PCAP_RECORD + h.caplen) {
            memcpy(&h, q, sizeof(docket_record_t));

            if (h.sec * DOCKET_PCAP_BILLION + h.nsec > time) {
                break;
            }
        }

        if (q < sp->end && docket_span_split(sp, q, &s->held) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    if (docket_stream_link_after(s, sp, p, size) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    s->part.n++;
    s->part.bytes += size;

    return DOCKET_OK;
}


/* "at" NULL: at the head, of which nothing is released. */

static int
docket_stream_link_after(docket_stream_t *s, docket_span_t *at, u_char *p,
    size_t size)
{
    docket_span_t  *sp;

    sp = docket_span_create(s->chunk, p, p + size, s->slice);
    if (sp == NULL) {
        return DOCKET_ERROR;
    }

    sp->prev = at;

    if (at == NULL) {
        sp->next = s->held.head;
        s->held.head = sp;
        s->release = p;

    } else {
        sp->next = at->next;
        at->next = sp;
    }

    if (sp->next == NULL) {
        s->held.tail = sp;

    } else {
        sp->next->prev = sp;
    }

    return DOCKET_OK;
}


int
docket_stream_publish(docket_stream_t *s)
{
    docket_span_t  *sp, *next, *tail;

    if (docket_stream_part(s) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (s->released.head == NULL) {
        return DOCKET_OK;
    }

    pthread_mutex_lock(&s->mutex);

    for (sp = s->released.head; sp != NULL; sp = next) {
        next = sp->next;
        tail = s->ready.tail;

        if (tail != NULL && tail->end == sp->start
            && tail->chunk == sp->chunk && tail->slice == sp->slice)
        {
            tail->end = sp->end;
            (void) __atomic_sub_fetch(&sp->chunk->refs, 1, __ATOMIC_RELEASE);
            free(sp);
            continue;
        }

        docket_span_append(&s->ready, sp);
    }

    pthread_mutex_unlock(&s->mutex);

    s->released.head = NULL;
    s->released.tail = NULL;

    return DOCKET_OK;
}
