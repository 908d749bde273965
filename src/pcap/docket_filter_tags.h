/*
 * Filters and tagged frames; for docket_filter.c alone.
 *
 * libpcap's words look at what lies right behind the addresses, and "vlan"
 * and "mpls" shift that for all words that follow.  So "not port 80" holds for
 * each tagged frame, and "vlan 5 or port 80" for no untagged one.  Here a
 * program runs on the frame without its tags and labels instead.  What "vlan"
 * and "mpls" ask for is found out before, and it reads the answers from the
 * upper bits of the frame's length.
 */

#ifndef DOCKET_FILTER_TAGS_H
#define DOCKET_FILTER_TAGS_H


#include "pcap/docket_reader.h"


#define DOCKET_ETHER_HEADER   14
#define DOCKET_ETHER_MACS     12

#define DOCKET_FILTER_TAGS    16      /* VLAN tags that are looked through, */
#define DOCKET_FILTER_LABELS  16      /* and MPLS labels */
#define DOCKET_FILTER_WORDS   12      /* different "vlan N" and "mpls N" */
#define DOCKET_FILTER_LEN     20      /* bits of the length itself */
#define DOCKET_FILTER_ANY     UINT32_MAX


typedef struct {
    uint32_t               number;    /* of the tag or label, or _ANY */
    unsigned               mpls:1;
} docket_filter_word_t;


typedef struct {
    docket_filter_word_t   words[DOCKET_FILTER_WORDS];
    size_t                 n;
    unsigned               bytes:1;   /* it reads bytes or types of the link's
                                         header: those of the frame as it is */
} docket_filter_tags_t;


/* A frame without its tags. */

typedef struct {
    uint32_t               off;       /* where the type of what follows stands,
                                         or stood */
    uint32_t               type;
    uint32_t               found;     /* bit i: word i of the filter holds */
} docket_filter_frame_t;


/* What libpcap is to compile for Ethernet in place of "text", which
   docket_filter_text() made; malloc'd.  NULL: words in err. */
char *docket_filter_tags_text(docket_filter_tags_t *t, const char *text,
    char *err, size_t size);

/* "caplen" is at least DOCKET_ETHER_HEADER.  A tag that is cut off, or label
   that carries no IP, is left where it is. */
void docket_filter_tags_find(const docket_filter_tags_t *t,
    const u_char *data, uint32_t caplen, docket_filter_frame_t *frame);

/* The length that the program is told. */
uint32_t docket_filter_tags_len(const docket_filter_tags_t *t, uint32_t len,
    const docket_filter_frame_t *frame);


#endif /* DOCKET_FILTER_TAGS_H */
