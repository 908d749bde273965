/*
 * BPF filters, in libpcap's language, that never ask a resolver.
 *
 * The text is split into libpcap's own tokens first.  Words must be keywords
 * of the language; names of services and protocols are looked up in the local
 * tables and written as numbers; every other name is an error.  What libpcap
 * then compiles has no name left that it could look up.  Not taken:
 * "gateway", "protochain" and what needs a live interface.
 *
 * On Ethernet a filter is asked about the frame without its VLAN tags and
 * MPLS labels, except that its length counts them.  The words "vlan", "vlan N",
 * "mpls" and "mpls N" ask, wherever they stand, whether it has such a tag or
 * label.  One that reads bytes of the link's header ("ether[..]"), asks for the
 * types of tags ("ether proto 0x8100"), or for tags inside of Geneve, gets
 * the frame as it is, and its words have libpcap's meaning.
 *
 * Pure C.  Any thread; one filter is used by one thread at a time.
 */

#ifndef DOCKET_FILTER_H
#define DOCKET_FILTER_H


#include "pcap/docket_reader.h"


#define DOCKET_FILTER_LINKS   8       /* link types that one filter serves */


typedef struct docket_filter_s  docket_filter_t;


/*
 * Compiles "len" bytes of text (at most DOCKET_MAX_FILTER) for Ethernet.
 * NULL: words in err (DOCKET_PCAP_WORDS are enough), one sentence, offending
 * text escaped, and in "*position" (may be NULL) the offset in the text or -1.
 * At most 64 terms, of which a range of ports is two; they take some ten
 * milliseconds.  No network, no blocking but on the small local tables of
 * services and protocols.
 */
docket_filter_t *docket_filter_create(const char *text, size_t len,
    char *err, size_t size, long *position);
void docket_filter_destroy(docket_filter_t *f);

/* Makes the filter ready for a link type (LINKTYPE_ of a file).
   DOCKET_ERROR: libpcap's words in err, e.g. for "ether" on raw IP. */
int docket_filter_link(docket_filter_t *f, int link, char *err, size_t size);

/*
 * 1 or 0.  The link type must have been made ready.  "data" is changed while
 * tags are taken off, and is as before on return.
 */
int docket_filter_match(docket_filter_t *f, int link, u_char *data,
    uint32_t caplen, uint32_t len);


#endif /* DOCKET_FILTER_H */
