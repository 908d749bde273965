/*
 * Chunks and the spans in them, below all that a stream does; see
 * docket_stream_core.h.
 */

#include <stdlib.h>
#include "pcap/docket_stream_core.h"


void
docket_chunk_unref(docket_stream_t *s, docket_chunk_t *c)
{
    if (__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL) != 0) {
        return;
    }

    pthread_mutex_lock(&s->mutex);

    /* those of odd size, and all when nothing more comes, are not kept */

    if (c->size == s->chunk_size && !s->finished) {
        c->next = s->free;
        s->free = c;
        c = NULL;

    } else {
        s->allocated -= c->size;
    }

    pthread_mutex_unlock(&s->mutex);

    free(c);
}


docket_span_t *
docket_span_create(docket_chunk_t *c, u_char *start, u_char *end,
    uint64_t slice)
{
    docket_span_t  *sp;

    sp = malloc(sizeof(docket_span_t));
    if (sp == NULL) {
        return NULL;
    }

    (void) __atomic_add_fetch(&c->refs, 1, __ATOMIC_RELAXED);

    sp->next = NULL;
    sp->prev = NULL;
    sp->chunk = c;
    sp->start = start;
    sp->end = end;
    sp->slice = slice;

    return sp;
}


void
docket_span_append(docket_spans_t *l, docket_span_t *sp)
{
    sp->next = NULL;
    sp->prev = l->tail;

    if (l->tail == NULL) {
        l->head = sp;

    } else {
        l->tail->next = sp;
    }

    l->tail = sp;
}


void
docket_spans_destroy(docket_stream_t *s, docket_spans_t *l)
{
    docket_span_t  *sp, *next;

    for (sp = l->head; sp != NULL; sp = next) {
        next = sp->next;
        docket_chunk_unref(s, sp->chunk);
        free(sp);
    }

    l->head = NULL;
    l->tail = NULL;
}


int
docket_span_split(docket_span_t *sp, u_char *at, docket_spans_t *l)
{
    docket_span_t  *rest;

    rest = docket_span_create(sp->chunk, at, sp->end, sp->slice);
    if (rest == NULL) {
        return DOCKET_ERROR;
    }

    sp->end = at;

    rest->prev = sp;
    rest->next = sp->next;

    if (sp->next == NULL) {
        l->tail = rest;

    } else {
        sp->next->prev = rest;
    }

    sp->next = rest;

    return DOCKET_OK;
}
