/*
 * Inside of a stream; for docket_stream*.c alone.
 *
 * Bytes lie in chunks, a record never across two.  What is said about them is
 * said by spans, ranges of whole records inside of one chunk, so a record is
 * put into its place by linking a span, and nothing is moved.
 *
 * The way of a record:  chunk (raw) -> held -> released -> ready -> taken,
 * or, when memory is full,                     ready -> spill -> taken.
 * "held" and "released" are the producer's, "ready" is shared.
 */

#ifndef DOCKET_STREAM_CORE_H
#define DOCKET_STREAM_CORE_H


#include <pthread.h>
#include "pcap/docket_stream.h"


typedef struct docket_chunk_s  docket_chunk_t;
typedef struct docket_span_s   docket_span_t;

struct docket_chunk_s {
    docket_chunk_t        *next;      /* of those that are free */
    size_t                 size;
    unsigned               refs;      /* atomic: spans, and the producer */
    u_char                 data[];
};


struct docket_span_s {
    docket_span_t         *next;
    docket_span_t         *prev;      /* kept only in "held" */
    docket_chunk_t        *chunk;
    u_char                *start;
    u_char                *end;
    uint64_t               slice;
};


typedef struct {
    docket_span_t         *head;
    docket_span_t         *tail;
} docket_spans_t;


typedef struct {
    int                    fd;        /* -1: not made */
    int64_t                read;      /* the consumer is here */
    int64_t                written;   /* valid up to here */
    int64_t                punched;   /* given back up to here */
    int64_t                slice;     /* where the slice begins, or -1 */
    uint64_t               total;
    unsigned               busy:1;    /* the producer writes */
    unsigned               punching:1;    /* the consumer gives blocks back */
} docket_spill_t;


/*
 * Some records that are held one behind the other, those that were put into
 * their place meanwhile not counted.
 */

#define DOCKET_PART_RECORDS   64
#define DOCKET_PARTS          32      /* 17 that are full by records, and 9 by
                                         their bytes */

typedef struct {
    u_char                *end;       /* of the last of them */
    int64_t                newest;    /* time of the last */
    size_t                 n;
    size_t                 bytes;
} docket_part_t;


struct docket_stream_s {

    /* constant */
    size_t                 mem;
    size_t                 chunk_size;
    int                    dirfd;
    int                    file;      /* docket_stream_file(), or -1 */
    char                   name[64];

    /* under the mutex */
    pthread_mutex_t        mutex;
    docket_spans_t         ready;
    docket_spill_t         spill;
    docket_chunk_t        *free;
    size_t                 allocated; /* bytes of all chunks */
    uint64_t               taken_slice;   /* newest that the consumer has
                                             taken of */
    uint64_t               slice;     /* of the current one, from 1; only
                                         the producer changes it */
    uint64_t               epoch;     /* changes when what was peeked at may
                                         have gone elsewhere */
    int                    link;
    unsigned               nano:1;
    unsigned               finished:1;
    unsigned               hungry:1;  /* the consumer found nothing */
    unsigned               dropped:1;
    char                   drop[DOCKET_PCAP_WORDS];

    /* the producer's */
    docket_reader_t        reader;
    docket_chunk_t        *chunk;
    u_char                *parse;     /* first byte not read yet */
    u_char                *fill;      /* end of the bytes */
    docket_spans_t         held;
    docket_spans_t         released;  /* will be ready at the next publish */
    u_char                *release;   /* in the first span held: all before
                                         it is released */
    docket_part_t          parts[DOCKET_PARTS];   /* a ring */
    size_t                 part_first;
    size_t                 nparts;
    docket_part_t          part;      /* that is being filled */
    size_t                 held_n;    /* in the parts that are full */
    size_t                 held_bytes;
    int64_t                newest;    /* largest time so far */
    int64_t                newest_out;    /* the same, of the released */
    docket_pcap_count_t    count;
    unsigned               open:1;    /* between begin and end */
    unsigned               failed:1;  /* since begin */
    char                   err[DOCKET_PCAP_WORDS];

    struct {                          /* as it was at begin */
        docket_pcap_count_t  count;
        int64_t              newest;
        int                  link;
        unsigned             nano:1;
    } before;

    /* the consumer's */
    docket_span_t         *taken;
    docket_chunk_t        *window;    /* what was read from the spill */
    size_t                 window_size;   /* whole records in it */
    int64_t                window_pos;    /* in the file; -1: none */
    uint64_t               window_epoch;
    uint64_t               peeked;    /* epoch of the last peek */
    unsigned               ended:1;
    unsigned               broken:1;  /* cerr was told */
    char                   cerr[DOCKET_PCAP_WORDS];
};


/* docket_stream_span.c */

/* A reference to it goes; the last one gives the chunk back. */
void docket_chunk_unref(docket_stream_t *s, docket_chunk_t *c);

/* Takes a reference to the chunk.  NULL: out of memory. */
docket_span_t *docket_span_create(docket_chunk_t *c, u_char *start,
    u_char *end, uint64_t slice);
void docket_span_append(docket_spans_t *l, docket_span_t *sp);
/* Two spans of one, cut at "at".  DOCKET_ERROR: out of memory. */
int docket_span_split(docket_span_t *sp, u_char *at, docket_spans_t *l);
void docket_spans_destroy(docket_stream_t *s, docket_spans_t *l);

/* docket_stream.c */

/* A chunk that holds at least n bytes, with one reference; makes
   room by spilling.  NULL: words in s->err. */
docket_chunk_t *docket_stream_chunk(docket_stream_t *s, size_t n);

/* Where bytes may be put, at least one; NULL: words in s->err. */
u_char *docket_stream_space(docket_stream_t *s, size_t *n);
/* n bytes were put there. */
int docket_stream_filled(docket_stream_t *s, size_t n);

/* docket_stream_order.c */

/* A record at p, in the current chunk, joins those held. */
int docket_stream_hold(docket_stream_t *s, u_char *p, size_t size,
    int64_t time);
/* Releases all that is held. */
void docket_stream_release(docket_stream_t *s);
/* Nothing is held any more. */
void docket_stream_forget(docket_stream_t *s);
/* Makes ready what is released. */
int docket_stream_publish(docket_stream_t *s);

/* docket_stream_spill.c */

/* Writes all that is ready into the file.  DOCKET_ERROR: words in s->err,
   and all of it is ready as before. */
int docket_stream_spill(docket_stream_t *s);
/* Reads whole records at the spill's position into s->window. */
int docket_stream_unspill(docket_stream_t *s);
/* Gives the file's blocks before the consumer's position back. */
void docket_stream_punch(docket_stream_t *s);


#endif /* DOCKET_STREAM_CORE_H */
