/*
 * Captures: reading records of a pcap file, merging several by time.
 *
 * Pure C on libpcap's constants.  Times are nanoseconds since the epoch,
 * UTC.  File format: pcap-savefile(5), version 2.4, either byte order,
 * microseconds or nanoseconds.
 */

#ifndef DOCKET_PCAP_H
#define DOCKET_PCAP_H


#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>


#ifndef DOCKET_OK
#define DOCKET_OK           0
#define DOCKET_ERROR      (-1)
#endif

#define DOCKET_PCAP_HEADER   24
#define DOCKET_PCAP_RECORD   16
#define DOCKET_PCAP_SNAPLEN  262144   /* libpcap's MAXIMUM_SNAPLEN */


/*
 * One capture, read from a file in large pieces.  The header of each record
 * is brought into host order and nanoseconds in place.
 */

typedef struct {
    int            fd;                /* the caller's; pread() from offset 0 */
    int            swapped;
    int            nsec;
    int            linktype;          /* DLT_.. ; -1: no header was read */
    uint32_t       snaplen;

    int64_t        after;             /* [after, before): others are dropped */
    int64_t        before;

    unsigned char *buf;
    size_t         size;
    size_t         pos;               /* of the current record */
    size_t         end;               /* of what was read */
    off_t          offset;            /* of the file, behind "end" */
    int            eof;

    int64_t        time;              /* of the current record */
    uint32_t       caplen;
    int64_t        last;              /* time of the record before */

    uint64_t       records;           /* in the file, so far */
    uint64_t       kept;              /* within the range, so far */
    uint64_t       disordered;
    char           error[160];        /* "" or why reading ended early */
} docket_reader_t;


/* Reads the header.  DOCKET_ERROR: no capture (words in error), or errno in
   words.  An empty capture is fine. */
int docket_reader_open(docket_reader_t *r, int fd, int64_t after,
    int64_t before);
/* The next record within the range: 1; 0 at the end, which is a bad one when
   error is not "".  The record is at buf + pos, 16 bytes of header and
   caplen bytes of packet, until the next call. */
int docket_reader_next(docket_reader_t *r);
void docket_reader_close(docket_reader_t *r);
/* Words for a link type. */
const char *docket_linktype_name(int linktype);


typedef struct {
    uint64_t       packets;
    uint64_t       bytes;             /* of the file, header included */
    int64_t        first;             /* nanoseconds; 0: no packet */
    int64_t        last;
    int            truncated;         /* a limit was reached */
    uint64_t      *packets_of;        /* by input; the caller's, zeroed */
    uint64_t      *bytes_of;
    char           error[160];
} docket_merged_t;


/* Called between pieces of 1 MB; what is not DOCKET_OK ends the merge. */
typedef int (*docket_merge_pt)(void *ctx, const docket_merged_t *m);

/*
 * Merges open readers (n of them) in order of time into fd, stable: equal
 * times in the order of the inputs.  Inputs whose link type is not that of
 * the majority (ties: Ethernet, then the first) are left out, with words in
 * their error.  Nanoseconds when one of the inputs has them.  Limits: 0 for
 * none; a record that would exceed limit_bytes is not written.
 * DOCKET_ERROR: writing failed (errno), "check" said so (errno 0), or out of
 * memory.  Errors of inputs are in the readers.
 */
int docket_merge(docket_reader_t *inputs, size_t n, int fd,
    uint64_t limit_packets, uint64_t limit_bytes, docket_merge_pt check,
    void *ctx, docket_merged_t *m);


#endif /* DOCKET_PCAP_H */
