/*
 * The consumer's side of a stream; see docket_stream.h.
 *
 * Oldest first: what it took, the spill file, what is ready.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pcap/docket_stream_core.h"


static void docket_stream_pull(docket_stream_t *s);
static int docket_stream_peek_spill(docket_stream_t *s, uint64_t epoch);
static int docket_stream_stop(docket_stream_t *s, const char *words);


void
docket_stream_file(docket_stream_t *s, int fd, int64_t after, int64_t before)
{
    s->file = fd;
    docket_stream_begin(s, after, before);
}


/* Reads from the file until there are records, or its end. */

static void
docket_stream_pull(docket_stream_t *s)
{
    int      rc;
    size_t   n;
    u_char  *to;
    ssize_t  got;

    while (s->ready.head == NULL && !s->finished) {

        to = docket_stream_space(s, &n);
        if (to == NULL) {
            docket_stream_finish(s);
            return;
        }

        do {
            got = read(s->file, to, n);
        } while (got == -1 && errno == EINTR);

        if (got > 0) {
            rc = docket_stream_filled(s, (size_t) got);

        } else {
            rc = docket_stream_end(s);

            if (got == -1) {
                (void) snprintf(s->err, sizeof(s->err), "read: %s",
                                strerror(errno));
                s->failed = 1;
            }
        }

        if (rc != DOCKET_OK || got <= 0) {
            docket_stream_finish(s);
        }
    }
}


int
docket_stream_peek(docket_stream_t *s, int64_t *time)
{
    uint64_t        epoch;
    docket_span_t  *sp;

    if (s->taken != NULL) {
        docket_chunk_unref(s, s->taken->chunk);
        free(s->taken);
        s->taken = NULL;
    }

    if (s->ended) {
        return s->broken ? DOCKET_ERROR : DOCKET_DONE;
    }

    if (s->file != -1) {
        docket_stream_pull(s);
    }

    for ( ;; ) {

        pthread_mutex_lock(&s->mutex);

        epoch = s->epoch;
        s->peeked = epoch;

        if (s->spill.read == s->spill.written) {
            break;
        }

        if (s->window_pos == s->spill.read && s->window_epoch == epoch) {
            *time = docket_record_time(s->window->data);
            pthread_mutex_unlock(&s->mutex);
            return DOCKET_OK;
        }

        pthread_mutex_unlock(&s->mutex);

        if (docket_stream_peek_spill(s, epoch) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    sp = s->ready.head;

    if (sp != NULL && !s->spill.busy) {
        *time = docket_record_time(sp->start);
        pthread_mutex_unlock(&s->mutex);
        return DOCKET_OK;
    }

    if (!s->finished) {
        s->hungry = 1;
        pthread_mutex_unlock(&s->mutex);
        return DOCKET_AGAIN;
    }

    pthread_mutex_unlock(&s->mutex);

    if (s->file != -1 && s->failed) {
        return docket_stream_stop(s, s->err);
    }

    s->ended = 1;

    free(s->window);
    s->window = NULL;

    return DOCKET_DONE;
}


/* Reads ahead; DOCKET_OK also when a rewind came between: the caller looks
   again. */

static int
docket_stream_peek_spill(docket_stream_t *s, uint64_t epoch)
{
    int   rc, changed, err;
    char  words[DOCKET_PCAP_WORDS];

    rc = docket_stream_unspill(s);
    err = errno;

    pthread_mutex_lock(&s->mutex);
    changed = (s->epoch != epoch);
    pthread_mutex_unlock(&s->mutex);

    if (changed) {
        s->window_pos = -1;
        return DOCKET_OK;
    }

    if (rc == DOCKET_OK && s->window_size > 0) {
        s->window_epoch = epoch;
        return DOCKET_OK;
    }

    (void) snprintf(words, sizeof(words), "spill file \"%s\": %s", s->name,
                    (rc == DOCKET_OK) ? "wrong content" : strerror(err));

    return docket_stream_stop(s, words);
}


static int
docket_stream_stop(docket_stream_t *s, const char *words)
{
    s->ended = 1;
    s->broken = 1;

    (void) snprintf(s->cerr, sizeof(s->cerr), "%s", words);

    docket_stream_drop(s, words);

    return DOCKET_ERROR;
}


int
docket_stream_take(docket_stream_t *s, u_char **p, u_char **end)
{
    docket_span_t  *sp;

    pthread_mutex_lock(&s->mutex);

    if (s->epoch != s->peeked || s->ended) {
        pthread_mutex_unlock(&s->mutex);
        return DOCKET_AGAIN;
    }

    if (s->spill.read < s->spill.written) {

        *p = s->window->data;
        *end = s->window->data + s->window_size;

        s->window_pos = -1;
        s->spill.read += (int64_t) s->window_size;

        if (s->spill.slice != -1 && s->spill.read > s->spill.slice) {
            s->taken_slice = s->slice;
        }

        pthread_mutex_unlock(&s->mutex);

        docket_stream_punch(s);

        return DOCKET_OK;
    }

    sp = s->ready.head;

    if (sp == NULL) {
        pthread_mutex_unlock(&s->mutex);
        return DOCKET_AGAIN;
    }

    s->ready.head = sp->next;

    if (sp->next == NULL) {
        s->ready.tail = NULL;

    } else {
        sp->next->prev = NULL;
    }

    s->taken = sp;

    if (sp->slice > s->taken_slice) {
        s->taken_slice = sp->slice;
    }

    pthread_mutex_unlock(&s->mutex);

    *p = sp->start;
    *end = sp->end;

    return DOCKET_OK;
}


void
docket_stream_drop(docket_stream_t *s, const char *words)
{
    docket_spans_t  gone;

    pthread_mutex_lock(&s->mutex);

    s->dropped = 1;
    s->hungry = 0;
    (void) snprintf(s->drop, sizeof(s->drop), "%s", words);

    gone = s->ready;
    s->ready.head = NULL;
    s->ready.tail = NULL;
    s->spill.read = s->spill.written;
    s->epoch++;

    pthread_mutex_unlock(&s->mutex);

    docket_spans_destroy(s, &gone);

    if (s->taken != NULL) {
        docket_chunk_unref(s, s->taken->chunk);
        free(s->taken);
        s->taken = NULL;
    }

    s->ended = 1;

    free(s->window);
    s->window = NULL;
    s->window_pos = -1;
}


int
docket_stream_link(docket_stream_t *s)
{
    int  link;

    pthread_mutex_lock(&s->mutex);
    link = s->link;
    pthread_mutex_unlock(&s->mutex);

    return link;
}


int
docket_stream_nano(docket_stream_t *s)
{
    int  nano;

    pthread_mutex_lock(&s->mutex);
    nano = s->nano;
    pthread_mutex_unlock(&s->mutex);

    return nano;
}


const char *
docket_stream_consumer_error(const docket_stream_t *s)
{
    return s->cerr;
}
