/*
 * Inside of a summary; for docket_summary*.c alone.
 */

#ifndef DOCKET_SUMMARY_CORE_H
#define DOCKET_SUMMARY_CORE_H


#include "pcap/docket_summary.h"


/*
 * Tables of sets: an entry is looked for, and displaced, in its set only.  So
 * whatever a capture holds, a packet costs the same.  The hash has no secret:
 * who floods one set makes its "error" large, and to push somebody out of it
 * takes eight talks as loud; to push them out of the list takes twenty, and
 * no hash would help against that.
 */

#define DOCKET_TALK_SETS      128
#define DOCKET_PORT_SETS      64
#define DOCKET_SET_WAYS       8
#define DOCKET_TYPES          32      /* ethertypes that have their name */


typedef struct {
    uint64_t               packets;
    uint64_t               bytes;
} docket_tally_t;


/* A pair of addresses as numbers, the upper half first; IPv4 has one word. */

typedef struct {
    uint64_t               a[2];      /* the smaller one */
    uint64_t               b[2];
    uint64_t               len;       /* of an address: 4 or 16 */
} docket_talk_t;


/* packets - error <= true <= packets; the same for bytes. */

typedef struct {
    uint64_t               packets[DOCKET_SET_WAYS];  /* 0: free */
    uint32_t               tags[DOCKET_SET_WAYS];     /* hash of the key */
    uint64_t               bytes[DOCKET_SET_WAYS];
    docket_tally_t         errors[DOCKET_SET_WAYS];
} docket_set_t;


typedef struct {
    uint32_t               type;
    docket_tally_t         tally;
} docket_type_t;


struct docket_summary_s {
    docket_tally_t         all;
    uint64_t               wire_bytes;
    int64_t                first;
    int64_t                last;

    docket_tally_t         protocols[256];    /* of IP */
    docket_type_t          types[DOCKET_TYPES];
    size_t                 ntypes;
    docket_tally_t         other;     /* more ethertypes than fit */
    docket_tally_t         links;     /* of a link type not looked into */
    int                    link;

    docket_set_t           talk_sets[DOCKET_TALK_SETS];
    docket_talk_t          talks[DOCKET_TALK_SETS][DOCKET_SET_WAYS];
    docket_set_t           port_sets[DOCKET_PORT_SETS];

    int64_t                start;     /* of the first bucket, in ns */
    int64_t                width;     /* of a bucket, in ns; 0: none yet */
    int64_t                now;       /* bounds of the bucket used last */
    int64_t                now_end;
    docket_tally_t        *now_tally;
    docket_tally_t         buckets[DOCKET_SUMMARY_BUCKETS];
};


/* A port's key: protocol << 16 | port. */
#define docket_port_proto(key)  ((key) >> 16)
#define docket_port_number(key) ((key) & 0xffff)


#endif /* DOCKET_SUMMARY_CORE_H */
