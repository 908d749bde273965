/*
 * The producer's side of a stream, and its chunks; see docket_stream.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pcap/docket_stream_core.h"


#define DOCKET_CHUNK_MAX      (256 * 1024)


static int docket_stream_fail(docket_stream_t *s, const char *words);
static int docket_stream_dropped(docket_stream_t *s);
static int docket_stream_header(docket_stream_t *s);
static int docket_stream_room(docket_stream_t *s, size_t n);
static void docket_stream_close(docket_stream_t *s);
static docket_chunk_t *docket_chunk_take(docket_stream_t *s, size_t n);


docket_stream_t *
docket_stream_create(size_t mem, int dirfd, const char *name)
{
    docket_stream_t  *s;

    s = calloc(1, sizeof(docket_stream_t));
    if (s == NULL) {
        return NULL;
    }

    if (mem < DOCKET_STREAM_MEM) {
        mem = DOCKET_STREAM_MEM;
    }

    s->mem = mem;
    s->chunk_size = (mem / 8) & ~(size_t) 4095;

    if (s->chunk_size < DOCKET_STREAM_CHUNK) {
        s->chunk_size = DOCKET_STREAM_CHUNK;
    }

    if (s->chunk_size > DOCKET_CHUNK_MAX) {
        s->chunk_size = DOCKET_CHUNK_MAX;
    }

    s->dirfd = dirfd;
    s->file = -1;

    if (name != NULL) {
        (void) snprintf(s->name, sizeof(s->name), "%s", name);
    }

    s->spill.fd = -1;
    s->spill.slice = -1;
    s->window_pos = -1;
    s->link = -1;
    s->newest = DOCKET_PCAP_TIME_MIN;
    s->newest_out = DOCKET_PCAP_TIME_MIN;
    s->before.newest = DOCKET_PCAP_TIME_MIN;
    s->before.link = -1;

    if (pthread_mutex_init(&s->mutex, NULL) != 0) {
        free(s);
        return NULL;
    }

    return s;
}


void
docket_stream_destroy(docket_stream_t *s)
{
    docket_chunk_t  *c, *next;

    if (s == NULL) {
        return;
    }

    docket_spans_destroy(s, &s->held);
    docket_spans_destroy(s, &s->released);
    docket_spans_destroy(s, &s->ready);

    if (s->taken != NULL) {
        docket_chunk_unref(s, s->taken->chunk);
        free(s->taken);
    }

    if (s->chunk != NULL) {
        docket_chunk_unref(s, s->chunk);
    }

    free(s->window);

    for (c = s->free; c != NULL; c = next) {
        next = c->next;
        free(c);
    }

    if (s->spill.fd != -1) {
        (void) close(s->spill.fd);
    }

    (void) pthread_mutex_destroy(&s->mutex);
    free(s);
}


/* From those that are free, or a new one within the bound. */

static docket_chunk_t *
docket_chunk_take(docket_stream_t *s, size_t n)
{
    docket_chunk_t  *c;

    pthread_mutex_lock(&s->mutex);

    c = s->free;

    if (c != NULL && n <= s->chunk_size) {
        s->free = c->next;
        pthread_mutex_unlock(&s->mutex);
        return c;
    }

    if (s->allocated != 0 && s->allocated + n > s->mem) {
        pthread_mutex_unlock(&s->mutex);
        return NULL;
    }

    s->allocated += n;

    pthread_mutex_unlock(&s->mutex);

    c = malloc(sizeof(docket_chunk_t) + n);

    if (c == NULL) {
        pthread_mutex_lock(&s->mutex);
        s->allocated -= n;
        pthread_mutex_unlock(&s->mutex);
        return NULL;
    }

    c->size = n;

    return c;
}


docket_chunk_t *
docket_stream_chunk(docket_stream_t *s, size_t n)
{
    docket_chunk_t  *c;

    if (n < s->chunk_size) {
        n = s->chunk_size;
    }

    c = docket_chunk_take(s, n);

    if (c == NULL && s->file == -1) {

        if (docket_stream_room(s, n) != DOCKET_OK) {
            return NULL;
        }

        c = docket_chunk_take(s, n);
    }

    if (c == NULL) {

        /* what the consumer has, or one large record, fills the memory */

        c = malloc(sizeof(docket_chunk_t) + n);
        if (c == NULL) {
            (void) docket_stream_fail(s, "out of memory");
            return NULL;
        }

        c->size = n;

        pthread_mutex_lock(&s->mutex);
        s->allocated += n;
        pthread_mutex_unlock(&s->mutex);
    }

    c->refs = 1;
    c->next = NULL;

    return c;
}


/* Spills: what is ready; then, if that does not do, what is held back. */

static int
docket_stream_room(docket_stream_t *s, size_t n)
{
    int              i, full;
    docket_chunk_t  *c, *next;

    for (i = 0; i < 2; i++) {

        if (i == 1) {
            docket_stream_release(s);
        }

        if (docket_stream_publish(s) != DOCKET_OK) {
            return docket_stream_fail(s, "out of memory");
        }

        if (docket_stream_spill(s) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        pthread_mutex_lock(&s->mutex);

        c = NULL;
        full = (s->free == NULL);

        if (n > s->chunk_size) {
            c = s->free;
            s->free = NULL;

            for (next = c; next != NULL; next = next->next) {
                s->allocated -= next->size;
            }

            full = (s->allocated + n > s->mem);
        }

        pthread_mutex_unlock(&s->mutex);

        for ( /* void */ ; c != NULL; c = next) {
            next = c->next;
            free(c);
        }

        if (!full) {
            break;
        }
    }

    return DOCKET_OK;
}


void
docket_stream_begin(docket_stream_t *s, int64_t after, int64_t before)
{
    docket_stream_abandon(s);
    docket_reader_init(&s->reader, after, before);

    s->open = 1;
    s->failed = 0;
    s->err[0] = '\0';
    s->before.count = s->count;
    s->before.newest = s->newest;

    pthread_mutex_lock(&s->mutex);

    s->slice++;
    s->before.link = s->link;
    s->before.nano = s->nano;
    s->spill.slice = -1;

    pthread_mutex_unlock(&s->mutex);
}


static int
docket_stream_fail(docket_stream_t *s, const char *words)
{
    s->failed = 1;

    if (words != s->err) {
        (void) snprintf(s->err, sizeof(s->err), "%s", words);
    }

    return DOCKET_ERROR;
}


static int
docket_stream_dropped(docket_stream_t *s)
{
    int  dropped;

    pthread_mutex_lock(&s->mutex);

    dropped = s->dropped;

    if (dropped) {
        s->failed = 1;
        memcpy(s->err, s->drop, sizeof(s->err));
    }

    pthread_mutex_unlock(&s->mutex);

    return dropped;
}


int
docket_stream_write(docket_stream_t *s, const void *data, size_t n)
{
    size_t         k;
    u_char        *to;
    const u_char  *from;

    if (s->failed) {
        return DOCKET_ERROR;
    }

    if (!s->open) {
        return docket_stream_fail(s, "no capture was begun");
    }

    if (docket_stream_dropped(s)) {
        return DOCKET_ERROR;
    }

    for (from = data; n > 0; from += k, n -= k) {

        to = docket_stream_space(s, &k);
        if (to == NULL) {
            return DOCKET_ERROR;
        }

        if (k > n) {
            k = n;
        }

        memcpy(to, from, k);

        if (docket_stream_filled(s, k) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


/*
 * A record that is not complete goes on to the next chunk when this one can't
 * hold it.  Only when all before it is read is the chunk used again.
 */

u_char *
docket_stream_space(docket_stream_t *s, size_t *n)
{
    size_t           left, need;
    docket_chunk_t  *c;
    docket_record_t  h;

    c = s->chunk;
    left = s->fill - s->parse;

    if (s->reader.link == -1) {
        need = DOCKET_PCAP_HEADER;

    } else if (left >= DOCKET_PCAP_RECORD) {
        memcpy(&h, s->parse, sizeof(docket_record_t));
        need = DOCKET_PCAP_RECORD
               + (s->reader.swapped ? __builtin_bswap32(h.caplen) : h.caplen);

    } else {
        need = DOCKET_PCAP_RECORD;
    }

    if (c != NULL && s->parse == s->fill
        && __atomic_load_n(&c->refs, __ATOMIC_ACQUIRE) == 1)
    {
        /* everything in it was trimmed or is gone */

        s->parse = c->data;
        s->fill = c->data;
    }

    if (c == NULL || need > (size_t) (c->data + c->size - s->parse)) {

        c = docket_stream_chunk(s, need);
        if (c == NULL) {
            return NULL;
        }

        if (left > 0) {
            memcpy(c->data, s->parse, left);
        }

        if (s->chunk != NULL) {
            docket_chunk_unref(s, s->chunk);
        }

        s->chunk = c;
        s->parse = c->data;
        s->fill = c->data + left;
    }

    *n = c->data + c->size - s->fill;

    return s->fill;
}


int
docket_stream_filled(docket_stream_t *s, size_t n)
{
    int      rc;
    size_t   size;
    int64_t  time;

    s->fill += n;

    if (s->reader.link == -1) {

        rc = docket_stream_header(s);
        if (rc != DOCKET_OK) {
            return (rc == DOCKET_AGAIN) ? DOCKET_OK : DOCKET_ERROR;
        }
    }

    for ( ;; ) {

        rc = docket_reader_record(&s->reader, s->parse, s->fill - s->parse,
                                  &size, &time);

        if (rc == DOCKET_DECLINED) {
            s->count.trimmed++;
            s->parse += size;
            continue;
        }

        if (rc != DOCKET_OK) {
            break;
        }

        if (docket_stream_hold(s, s->parse, size, time) != DOCKET_OK) {
            return docket_stream_fail(s, "out of memory");
        }

        s->parse += size;
    }

    if (docket_stream_publish(s) != DOCKET_OK) {
        return docket_stream_fail(s, "out of memory");
    }

    if (rc == DOCKET_ERROR) {
        return docket_stream_fail(s, s->reader.err);
    }

    return DOCKET_OK;
}


static int
docket_stream_header(docket_stream_t *s)
{
    int   rc, link;
    char  a[32], b[32];

    rc = docket_reader_header(&s->reader, s->parse, s->fill - s->parse);

    if (rc == DOCKET_ERROR) {
        return docket_stream_fail(s, s->reader.err);
    }

    if (rc == DOCKET_AGAIN) {
        return DOCKET_AGAIN;
    }

    s->parse += DOCKET_PCAP_HEADER;

    pthread_mutex_lock(&s->mutex);

    link = s->link;

    if (link == -1 || s->count.records == 0) {
        link = s->reader.link;
        s->link = link;
    }

    s->nano |= s->reader.nano;

    pthread_mutex_unlock(&s->mutex);

    if (link == s->reader.link) {
        return DOCKET_OK;
    }

    (void) snprintf(s->err, sizeof(s->err),
                    "link type %s, the packets before have %s",
                    docket_link_name(s->reader.link, a, sizeof(a)),
                    docket_link_name(link, b, sizeof(b)));

    return docket_stream_fail(s, s->err);
}


/* The slice is over: what was held is in order now; raw bytes go. */

static void
docket_stream_close(docket_stream_t *s)
{
    s->open = 0;
    s->fill = s->parse;

    docket_stream_flush(s);
}


int
docket_stream_end(docket_stream_t *s)
{
    int     rc;
    size_t  left;

    if (s->failed) {
        docket_stream_close(s);
        return DOCKET_ERROR;
    }

    if (!s->open) {
        return docket_stream_fail(s, "no capture was begun");
    }

    left = s->fill - s->parse;

    docket_stream_close(s);

    if (s->failed) {
        return DOCKET_ERROR;
    }

    rc = docket_reader_end(&s->reader, left);

    return (rc == DOCKET_OK) ? rc : docket_stream_fail(s, s->reader.err);
}


void
docket_stream_abandon(docket_stream_t *s)
{
    if (s->open) {
        docket_stream_close(s);
    }
}


int
docket_stream_rewind(docket_stream_t *s)
{
    docket_span_t   *sp, *prev;
    docket_spans_t   gone;

    pthread_mutex_lock(&s->mutex);

    if (s->taken_slice == s->slice) {
        pthread_mutex_unlock(&s->mutex);
        return DOCKET_DECLINED;
    }

    gone.head = NULL;
    gone.tail = NULL;

    for (sp = s->ready.tail; sp != NULL && sp->slice == s->slice; sp = prev) {
        prev = sp->prev;
        s->ready.tail = prev;
        docket_span_append(&gone, sp);
    }

    if (s->ready.tail == NULL) {
        s->ready.head = NULL;

    } else {
        s->ready.tail->next = NULL;
    }

    if (s->spill.slice != -1) {
        s->spill.written = s->spill.slice;
        s->spill.slice = -1;
    }

    s->epoch++;
    s->link = s->before.link;
    s->nano = s->before.nano;

    pthread_mutex_unlock(&s->mutex);

    docket_spans_destroy(s, &gone);
    docket_spans_destroy(s, &s->released);
    docket_spans_destroy(s, &s->held);

    docket_stream_forget(s);

    s->fill = s->parse;
    s->open = 0;
    s->count = s->before.count;
    s->newest = s->before.newest;
    s->newest_out = s->before.newest;

    return DOCKET_OK;
}


void
docket_stream_flush(docket_stream_t *s)
{
    docket_stream_release(s);

    if (docket_stream_publish(s) != DOCKET_OK) {
        (void) docket_stream_fail(s, "out of memory");
    }
}


void
docket_stream_finish(docket_stream_t *s)
{
    docket_chunk_t  *c, *next;

    docket_stream_abandon(s);

    pthread_mutex_lock(&s->mutex);

    s->finished = 1;

    c = s->free;
    s->free = NULL;

    for (next = c; next != NULL; next = next->next) {
        s->allocated -= next->size;
    }

    pthread_mutex_unlock(&s->mutex);

    for ( /* void */ ; c != NULL; c = next) {
        next = c->next;
        free(c);
    }

    if (s->chunk != NULL) {
        docket_chunk_unref(s, s->chunk);
        s->chunk = NULL;
        s->parse = NULL;
        s->fill = NULL;
    }
}


int
docket_stream_wakes(docket_stream_t *s)
{
    int  wakes;

    pthread_mutex_lock(&s->mutex);

    wakes = s->hungry && (s->ready.head != NULL || s->finished
                          || s->spill.read < s->spill.written);
    if (wakes) {
        s->hungry = 0;
    }

    pthread_mutex_unlock(&s->mutex);

    return wakes;
}


const char *
docket_stream_error(const docket_stream_t *s)
{
    return s->err;
}


const docket_pcap_count_t *
docket_stream_count(const docket_stream_t *s)
{
    return &s->count;
}
