/*
 * What is in a capture, counted while it is merged.
 *
 * Exact: packets, bytes, first and last, per stream, per protocol, packets
 * and bytes per time bucket (seconds times a power of two, at most
 * DOCKET_SUMMARY_BUCKETS).  Conversations (pairs of addresses) and ports are
 * counted in tables of fixed size: when a set is full the entry with the
 * fewest packets gives its place and its count to the new one (Space-Saving),
 * so a count may be too large by at most the "error" that stands beside it,
 * never too small.
 *
 * Looks through VLAN tags (2) and MPLS labels.  Bytes are captured bytes
 * without the record's header, as in the conversations of other tools.
 * Constant memory (about 200 KB).  Pure C; one thread at a time.
 */

#ifndef DOCKET_SUMMARY_H
#define DOCKET_SUMMARY_H


#include "pcap/docket_reader.h"


#define DOCKET_SUMMARY_BUCKETS  256
#define DOCKET_SUMMARY_TOP      20    /* entries that the JSON lists */


typedef struct docket_summary_s  docket_summary_t;


/* NULL: out of memory. */
docket_summary_t *docket_summary_create(void);
void docket_summary_destroy(docket_summary_t *sm);

/* Counts one packet; "time" in nanoseconds, data of caplen bytes. */
void docket_summary_add(docket_summary_t *sm, int link, int64_t time,
    const u_char *data, uint32_t caplen, uint32_t len);

/* What the JSON says of a stream. */

typedef struct {
    const char            *name;
    uint64_t               packets;
    uint64_t               bytes;     /* captured, without headers */
} docket_summary_stream_t;

/*
 * The JSON object:
 *
 *   {"packets":N, "bytes":N, "wire_bytes":N, "first":"RFC 3339", "last":..,
 *    "sensors":{NAME:{"packets":N,"bytes":N}},
 *    "protocols":{"tcp":{"packets":N,"bytes":N}, "ip-47":.., "arp":..,
 *                 "ethertype-0x88cc":.., "link-113":..},
 *    "conversations":[{"a":ADDR,"b":ADDR,"packets":N,"bytes":N,
 *                      "error":N,"error_bytes":N}],
 *    "ports":[{"proto":"tcp","port":N,"packets":..,..}],
 *    "estimated":BOOL,   some count in these two lists may be too large
 *    "buckets":{"start":"RFC 3339","seconds":N,
 *               "packets":[N,..],"bytes":[N,..]}}
 *
 * first, last and buckets are null without packets.  "*out" is malloc'd and
 * NUL-terminated.  DOCKET_ERROR: out of memory.
 */
int docket_summary_print(const docket_summary_t *sm,
    const docket_summary_stream_t *streams, size_t n, char **out,
    size_t *len);


#endif /* DOCKET_SUMMARY_H */
