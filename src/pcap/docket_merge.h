/*
 * Streams in, one capture out: by time, stable (of equal times the stream
 * that was added first comes first), in one pass with filter, limits and
 * summary.
 *
 * The capture is pcap 2.4 in this machine's byte order, snaplen 262144, with
 * nanoseconds if any stream had them when the merge began, else with
 * microseconds.  It begins when every stream has a record or is finished.
 * Then the link type is chosen: that of most streams; of equally many
 * Ethernet, else that of the stream added first.  Streams of another type are
 * dropped with a reason.  No packets at all: a valid empty capture, Ethernet
 * unless an empty capture said something else.
 *
 * Pure C; a merge and the consumer's side of its streams are one thread's.
 */

#ifndef DOCKET_MERGE_H
#define DOCKET_MERGE_H


#include "pcap/docket_stream.h"
#include "pcap/docket_filter.h"
#include "pcap/docket_summary.h"


/* What fits a processor's own cache.  Larger writes make a file system look for
   larger pieces of memory, which costs some of them much more. */

#define DOCKET_MERGE_BUFFER   (256 * 1024)
#define DOCKET_MERGE_STREAMS  4096


typedef struct docket_merge_s  docket_merge_t;


/*
 * Takes n bytes of the capture, all of them: DOCKET_OK, or DOCKET_ERROR with
 * errno: then the merge ends.  docket_merge_fd() is one of these: ctx points
 * to an int, a descriptor.
 */
typedef int (*docket_merge_write_pt)(void *ctx, const void *buf, size_t n);

int docket_merge_fd(void *ctx, const void *buf, size_t n);


typedef struct {
    docket_merge_write_pt  write;
    void                  *ctx;
    docket_filter_t       *filter;            /* NULL: none; not owned */
    docket_summary_t      *summary;           /* NULL: none; not owned */
    uint64_t               limit_packets;     /* 0: none */
    uint64_t               limit_bytes;       /* 0: none; counts 24, and 16
                                                 + captured for each packet */
    size_t                 step;              /* bytes of output after which
                                                 run() says DOCKET_BUSY; 0:
                                                 4 MB */
    size_t                 buffer;            /* bytes of one write; 0:
                                                 DOCKET_MERGE_BUFFER */
} docket_merge_conf_t;


typedef struct {
    uint64_t               packets;   /* in the capture */
    uint64_t               bytes;     /* of the capture so far, header too;
                                         it may be ahead of what was written
                                         by one buffer while run() works */
    uint64_t               filtered;  /* packets that the filter refused */
    uint64_t               disordered;    /* earlier than one before */
    int64_t                first;     /* valid if packets > 0 */
    int64_t                last;
    int                    link;      /* -1: not begun */
    unsigned               nano:1;
} docket_merge_count_t;


/* NULL: out of memory.  The configuration is copied. */
docket_merge_t *docket_merge_create(const docket_merge_conf_t *conf);
/* Does not touch the streams. */
void docket_merge_destroy(docket_merge_t *m);

/* Adds a stream (not owned) before the first run; its index counts from 0 in
   the order of the calls.  DOCKET_ERROR: out of memory, too many, begun. */
int docket_merge_add(docket_merge_t *m, docket_stream_t *s);

/*
 * Merges on.  Everything that was merged has been written when it returns
 * anything but DOCKET_BUSY (that flushes too, but at whole buffers only).
 *
 *   DOCKET_AGAIN   waits for docket_merge_waits(); call again when a stream
 *                  wakes (docket_stream_wakes)
 *   DOCKET_BUSY    call again, as soon as other work allows
 *   DOCKET_DONE    all streams are at their end, the capture is complete
 *   DOCKET_LIMIT   a limit was reached: the capture ends here, is valid, and
 *                  docket_merge_error() says which; packets were left out
 *                  or may have been
 *   DOCKET_ERROR   write failed (errno in docket_merge_errno()), out of
 *                  memory, or a filter that does not suit the link type;
 *                  words in docket_merge_error()
 *
 * The last three are final: further calls say the same.
 */
int docket_merge_run(docket_merge_t *m);

/*
 * Hands out what is made and not yet written.  docket_merge_run() does so
 * itself when it waits or ends, but not at DOCKET_BUSY, where the output may
 * end inside a record.  DOCKET_ERROR: as above, and final.
 */
int docket_merge_flush(docket_merge_t *m);

/* Index of a stream that the merge waits for, -1: of none. */
long docket_merge_waits(const docket_merge_t *m);

/* The stream leaves: nothing more of it is taken, its producer's next write
   fails with these words.  (A transfer that broke off needs only
   docket_stream_finish(): what came before is merged.) */
void docket_merge_leave(docket_merge_t *m, size_t i, const char *words);

/* "" or the reason for which stream i was dropped by the merge, or ended
   with an error of the consumer's side. */
const char *docket_merge_reason(const docket_merge_t *m, size_t i);

/* Packets of stream i in the capture, and their bytes with record headers. */
void docket_merge_stream(const docket_merge_t *m, size_t i,
    uint64_t *packets, uint64_t *bytes);

const docket_merge_count_t *docket_merge_count(const docket_merge_t *m);
const char *docket_merge_error(const docket_merge_t *m);
int docket_merge_errno(const docket_merge_t *m);


/* Header of a capture, in this machine's byte order. */
void docket_merge_header(u_char out[DOCKET_PCAP_HEADER], int link, int nano);


#endif /* DOCKET_MERGE_H */
