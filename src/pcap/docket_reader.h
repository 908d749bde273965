/*
 * Reader of one capture that arrives in pieces.
 *
 * It is shown the bytes where they lie and brings each complete record, in
 * place, into the form that everything behind it uses (docket_record_t):
 * host byte order, the fraction of the second in nanoseconds.  Nothing is
 * copied.  The formats are those of libpcap's classic file: both byte orders,
 * microseconds and nanoseconds, version 2.4.
 *
 * Times are nanoseconds since the epoch, UTC, in int64_t; the 32 bit seconds
 * of the file are unsigned, so they reach from 1970 to 2106.
 *
 * Pure C; a reader is one thread's.
 */

#ifndef DOCKET_READER_H
#define DOCKET_READER_H


#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "query/docket_query.h"       /* DOCKET_OK, DOCKET_ERROR */


/* Further answers of the functions of this folder, beside DOCKET_OK and
   DOCKET_ERROR; each function says which it gives. */

#define DOCKET_AGAIN          (-2)    /* there is nothing now, but may be */
#define DOCKET_BUSY           (-3)    /* more to do at once: call again */
#define DOCKET_DONE           (-4)    /* there is nothing more */
#define DOCKET_DECLINED       (-5)
#define DOCKET_LIMIT          (-6)

#define DOCKET_PCAP_HEADER    24      /* bytes of a file's header */
#define DOCKET_PCAP_RECORD    16      /* bytes of a record's header */
#define DOCKET_PCAP_SNAPLEN   262144  /* MAXIMUM_SNAPLEN of libpcap */
#define DOCKET_PCAP_BILLION   1000000000LL
#define DOCKET_PCAP_WORDS     256     /* bytes that hold any error's words */

/* nanoseconds since 1970: before and behind every packet */
#define DOCKET_PCAP_TIME_MIN  INT64_MIN
#define DOCKET_PCAP_TIME_MAX  INT64_MAX


/* A record as the streams hold it: this header, then caplen bytes.  It may
   lie at any address: read it with memcpy or docket_record_time(). */

typedef struct {
    uint32_t               sec;
    uint32_t               nsec;      /* < 1,000,000,000 */
    uint32_t               caplen;    /* <= DOCKET_PCAP_SNAPLEN */
    uint32_t               len;       /* on the wire */
} docket_record_t;


/* The counters of one or several captures. */

typedef struct {
    uint64_t               records;   /* kept */
    uint64_t               bytes;     /* of them, with their headers */
    uint64_t               trimmed;   /* records outside of the range */
    uint64_t               reordered; /* put into their place */
    uint64_t               disordered;    /* too late for that, but kept */
    int64_t                first;     /* smallest and largest time that was */
    int64_t                last;      /*   kept; valid if records > 0 */
} docket_pcap_count_t;


typedef struct {
    /* the capture, valid once "link" is not -1 */
    int                    link;      /* LINKTYPE_ of the file, or -1 */
    uint32_t               snaplen;   /* as declared; 0 and huge: the maximum */
    unsigned               nano:1;    /* nanoseconds */
    unsigned               swapped:1; /* of the other byte order */

    int64_t                after;     /* kept: after <= time < before */
    int64_t                before;

    uint64_t               record;    /* records read, dropped ones too */
    uint64_t               offset;    /* bytes read */
    char                   err[DOCKET_PCAP_WORDS];
} docket_reader_t;


/* Nanoseconds of a question's microseconds, which may be of the year 9999; what
   64 bits don't hold, from 2262 on, is later than any packet. */

static inline int64_t
docket_pcap_time(int64_t us)
{
    return (us > DOCKET_PCAP_TIME_MAX / 1000) ? DOCKET_PCAP_TIME_MAX
                                              : us * 1000;
}


/* Begins a capture; the range is half-open and in nanoseconds. */
void docket_reader_init(docket_reader_t *r, int64_t after, int64_t before);

/*
 * Shows the n bytes that follow those read before.
 *
 * docket_reader_header(): DOCKET_OK when the header was read (it takes
 * DOCKET_PCAP_HEADER bytes), DOCKET_AGAIN when more bytes are needed,
 * DOCKET_ERROR with words in r->err: what was seen instead (the
 * first bytes escaped to printable ASCII), pcapng by its name.  It needs only
 * four bytes to refuse.
 *
 * docket_reader_record(): DOCKET_OK: a record was brought into its form at p;
 * "*size" is its length with header, "*time" its time.  DOCKET_DECLINED: the
 * same, but it lies outside of the range.  DOCKET_AGAIN: it is not complete;
 * "*size" says how many bytes there must be to get further (16, or the whole
 * record, of which the header alone was checked but not changed).
 * DOCKET_ERROR: "record N at byte M ...", N from 1, in r->err.
 */
int docket_reader_header(docket_reader_t *r, const u_char *p, size_t n);
int docket_reader_record(docket_reader_t *r, u_char *p, size_t n,
    size_t *size, int64_t *time);

/* The capture ends here, with n bytes unread.  DOCKET_OK at the boundary of a
   record, else DOCKET_ERROR with words: "cut inside record N", "no header". */
int docket_reader_end(docket_reader_t *r, size_t n);

/* Time of a normalised record. */
int64_t docket_record_time(const u_char *p);

/* libpcap's DLT_ of a file's LINKTYPE_. */
int docket_link_dlt(int link);

/* Name of a link type: libpcap's, or its number in buf. */
const char *docket_link_name(int link, char *buf, size_t size);

/* Escapes up to n bytes for words: printable ASCII as it is, \xHH else. */
void docket_pcap_escape(char *out, size_t size, const u_char *p, size_t n);


#endif /* DOCKET_READER_H */
