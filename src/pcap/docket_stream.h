/*
 * One sensor's part of a job: a FIFO of records between the thread that
 * fetches (the producer) and the one that merges (the consumer), bounded in
 * memory, with a spill file behind it.
 *
 * The producer hands in the bytes of captures; the stream reads, trims and
 * orders their records (docket_reader.h).  A record that is out of order is
 * put into its place as long as that is among the newest
 * DOCKET_STREAM_WINDOW records (it may be up to 63 more): these are held back
 * until newer ones came, the capture ended, or docket_stream_flush().  The
 * window is also bounded by half of the stream's memory.  One that comes
 * later than that is kept, counted, and comes out next.
 *
 * The consumer is never waited for: when memory is full, what it did not take
 * goes into the spill file and comes back from there.  A record that is larger
 * than the memory is held nevertheless, while it lasts.
 *
 * Memory: chunks of "mem" / 8, but 16 KB to 256 KB each, allocated when
 * bytes come and given back when the stream is drained.  A spill file takes
 * one descriptor from the first spill on, and one chunk while it is read.
 *
 * Threads: one producer and one consumer may call at the same time.  Errors'
 * words belong to the side that got the error.  create and destroy: no other
 * call may be under way.
 */

#ifndef DOCKET_STREAM_H
#define DOCKET_STREAM_H


#include "pcap/docket_reader.h"


#define DOCKET_STREAM_WINDOW  1024            /* records */
#define DOCKET_STREAM_CHUNK   (16 * 1024)     /* the smallest */
#define DOCKET_STREAM_MEM     (32 * 1024)     /* the least that "mem" means */
#define DOCKET_STREAM_BACKLOG (64 * 1024 * 1024)  /* in the spill */


typedef struct docket_stream_s  docket_stream_t;


/*
 * "mem": bytes of memory.  "dirfd", "name": where the spill file is made
 * (O_EXCL, O_NOFOLLOW, 0640, unlinked at once) when it is needed; dirfd must
 * stay open, name is copied.  dirfd -1: no spill, then a full memory is an
 * error of docket_stream_write().  NULL: out of memory.
 */
docket_stream_t *docket_stream_create(size_t mem, int dirfd,
    const char *name);
void docket_stream_destroy(docket_stream_t *s);


/* Producer.  DOCKET_ERROR leaves words in docket_stream_error(). */

/*
 * A new capture: a slice of the range, in nanoseconds, half-open.  Slices come
 * in ascending order.  One that is still open is abandoned.
 */
void docket_stream_begin(docket_stream_t *s, int64_t after, int64_t before);

/*
 * The next bytes of the capture.  DOCKET_OK, or DOCKET_ERROR: what is no
 * capture, a wrong record, another link type than the packets before, no
 * room for the spill, or refused by the merge.  After an error
 * only rewind, abandon and finish make sense; the whole records before the
 * fault are kept until a rewind.
 */
int docket_stream_write(docket_stream_t *s, const void *data, size_t n);

/* The capture is complete.  DOCKET_ERROR: it was cut inside a record, or no
   header came; its whole records are kept until a rewind. */
int docket_stream_end(docket_stream_t *s);

/* The capture is over, complete or not; its whole records stay. */
void docket_stream_abandon(docket_stream_t *s);

/*
 * Takes back all records of the slice begun last, also after its end or an
 * error; docket_stream_begin() comes next.  DOCKET_DECLINED: the merge has
 * taken some of them; nothing is changed.  Counters go back with it.
 */
int docket_stream_rewind(docket_stream_t *s);

/* Releases what is held back for order.  For a transfer that pauses. */
void docket_stream_flush(docket_stream_t *s);

/* There will be nothing more.  Abandons an open slice.  Idempotent. */
void docket_stream_finish(docket_stream_t *s);

/*
 * 1 if the consumer found nothing at its last look and would now find
 * something (records, or the end): then the caller wakes it.  Says so once.
 */
int docket_stream_wakes(docket_stream_t *s);

/* 1 if the next bytes would be spilled, and the consumer will soon be through
   with what is in the spill: a producer that can pause may do so first. */
int docket_stream_full(docket_stream_t *s);

/* Words of the last error of the producer's side; "" when there was none. */
const char *docket_stream_error(const docket_stream_t *s);

/* Counters of all slices, those not released yet too.  Producer's side, or
   after the end. */
const docket_pcap_count_t *docket_stream_count(const docket_stream_t *s);

/* Bytes that went through the spill file so far.  Any thread. */
uint64_t docket_stream_spilled(docket_stream_t *s);


/*
 * Consumer as its own producer: the stream reads a capture from a file (an
 * earlier result) when the merge asks for records.  Takes the place of all
 * producer's calls.  The descriptor is read from its position, is not seeked,
 * and stays the caller's: open until the stream is destroyed.
 */
void docket_stream_file(docket_stream_t *s, int fd, int64_t after,
    int64_t before);


/* Consumer: what docket_merge.h calls. */

/*
 * Time of the next record.  DOCKET_OK; DOCKET_AGAIN: none yet;
 * DOCKET_DONE: no more; DOCKET_ERROR: reading the spill or the file failed,
 * or the file is no good, words in docket_stream_consumer_error(): the stream
 * ends here.  The window taken before is given back.
 */
int docket_stream_peek(docket_stream_t *s, int64_t *time);

/*
 * Takes whole records, at "*p" up to "*end"; they belong to the caller, who
 * may write to them, until the next peek, take or drop.  DOCKET_OK, or
 * DOCKET_AGAIN: the records that peek saw were taken back by a rewind.  Comes
 * after a peek that said DOCKET_OK.
 */
int docket_stream_take(docket_stream_t *s, u_char **p, u_char **end);

/*
 * The merge wants nothing more of this stream: everything in it goes, and the
 * producer's next write fails with these words.
 */
void docket_stream_drop(docket_stream_t *s, const char *words);

/* Link type of the packets (or of an empty capture), -1: no header came;
   whether any capture so far had nanoseconds.  Any thread. */
int docket_stream_link(docket_stream_t *s);
int docket_stream_nano(docket_stream_t *s);

const char *docket_stream_consumer_error(const docket_stream_t *s);


#endif /* DOCKET_STREAM_H */
