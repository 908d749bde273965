/*
 * Reader of one capture that arrives in pieces: see docket_reader.h.
 */

#include <stdio.h>
#include <string.h>
#include <pcap/pcap.h>
#include "pcap/docket_reader.h"


/* Not in libpcap's headers; the values are those of its sf-pcap.c and of
   the format's description. */

#define DOCKET_MAGIC_MICRO    0xa1b2c3d4
#define DOCKET_MAGIC_NANO     0xa1b23c4d
#define DOCKET_MAGIC_NG       0x0a0d0d0a    /* in both orders */

#define DOCKET_LINK_MASK      0x03ffffff    /* the rest tells of the FCS */


static int docket_reader_magic(docket_reader_t *r, const u_char *p, size_t n);
static int docket_reader_bad(docket_reader_t *r, const docket_record_t *h);


void
docket_reader_init(docket_reader_t *r, int64_t after, int64_t before)
{
    memset(r, 0, sizeof(docket_reader_t));

    r->link = -1;
    r->after = after;
    r->before = before;
}


static int
docket_reader_magic(docket_reader_t *r, const u_char *p, size_t n)
{
    char      seen[4 * 16 + 1];
    uint32_t  magic;

    memcpy(&magic, p, sizeof(uint32_t));

    r->swapped = (magic == __builtin_bswap32(DOCKET_MAGIC_MICRO)
                  || magic == __builtin_bswap32(DOCKET_MAGIC_NANO));

    if (r->swapped) {
        magic = __builtin_bswap32(magic);
    }

    r->nano = (magic == DOCKET_MAGIC_NANO);

    if (r->nano || magic == DOCKET_MAGIC_MICRO) {
        return DOCKET_OK;
    }

    if (magic == DOCKET_MAGIC_NG) {
        (void) snprintf(r->err, sizeof(r->err),
                        "a pcapng file instead of a pcap file");
        return DOCKET_ERROR;
    }

    docket_pcap_escape(seen, sizeof(seen), p, n > 16 ? 16 : n);

    (void) snprintf(r->err, sizeof(r->err),
                    "not a capture, it begins with \"%s\"", seen);

    return DOCKET_ERROR;
}


int
docket_reader_header(docket_reader_t *r, const u_char *p, size_t n)
{
    uint32_t  snaplen, link;
    uint16_t  major, minor;

    if (n < sizeof(uint32_t)) {
        return DOCKET_AGAIN;
    }

    if (docket_reader_magic(r, p, n) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (n < DOCKET_PCAP_HEADER) {
        return DOCKET_AGAIN;
    }

    memcpy(&major, p + 4, sizeof(uint16_t));
    memcpy(&minor, p + 6, sizeof(uint16_t));
    memcpy(&snaplen, p + 16, sizeof(uint32_t));
    memcpy(&link, p + 20, sizeof(uint32_t));

    if (r->swapped) {
        major = __builtin_bswap16(major);
        minor = __builtin_bswap16(minor);
        snaplen = __builtin_bswap32(snaplen);
        link = __builtin_bswap32(link);
    }

    /* before 2.3 the two lengths of a record stood the other way round, and in
       it they may stand in either */

    if (major != PCAP_VERSION_MAJOR || minor < PCAP_VERSION_MINOR) {
        (void) snprintf(r->err, sizeof(r->err),
                        "a pcap file of version %u.%u instead of 2.4",
                        (unsigned) major, (unsigned) minor);
        return DOCKET_ERROR;
    }

    if (snaplen == 0 || snaplen > DOCKET_PCAP_SNAPLEN) {
        snaplen = DOCKET_PCAP_SNAPLEN;
    }

    r->snaplen = snaplen;
    r->link = (int) (link & DOCKET_LINK_MASK);
    r->offset = DOCKET_PCAP_HEADER;

    return DOCKET_OK;
}


int
docket_reader_record(docket_reader_t *r, u_char *p, size_t n, size_t *size,
    int64_t *time)
{
    int64_t          t;
    docket_record_t  h;

    if (n < DOCKET_PCAP_RECORD) {
        *size = DOCKET_PCAP_RECORD;
        return DOCKET_AGAIN;
    }

    memcpy(&h, p, sizeof(docket_record_t));

    if (r->swapped) {
        h.sec = __builtin_bswap32(h.sec);
        h.nsec = __builtin_bswap32(h.nsec);
        h.caplen = __builtin_bswap32(h.caplen);
        h.len = __builtin_bswap32(h.len);
    }

    if (h.caplen > r->snaplen
        || h.nsec >= (r->nano ? 1000000000U : 1000000U))
    {
        return docket_reader_bad(r, &h);
    }

    *size = DOCKET_PCAP_RECORD + h.caplen;

    if (n < *size) {
        return DOCKET_AGAIN;
    }

    if (!r->nano) {
        h.nsec *= 1000;
    }

    memcpy(p, &h, sizeof(docket_record_t));

    r->record++;
    r->offset += *size;

    t = h.sec * DOCKET_PCAP_BILLION + h.nsec;
    *time = t;

    return (t >= r->after && t < r->before) ? DOCKET_OK : DOCKET_DECLINED;
}


static int
docket_reader_bad(docket_reader_t *r, const docket_record_t *h)
{
    int  n;

    n = snprintf(r->err, sizeof(r->err), "record %llu at byte %llu ",
                 (unsigned long long) r->record + 1,
                 (unsigned long long) r->offset);

    if (h->caplen > r->snaplen) {
        (void) snprintf(r->err + n, sizeof(r->err) - n,
                        "has a length of %u, over the capture's %u",
                        h->caplen, r->snaplen);

    } else {
        (void) snprintf(r->err + n, sizeof(r->err) - n,
                        "has a fraction of a second of %u %s",
                        h->nsec, r->nano ? "ns" : "us");
    }

    return DOCKET_ERROR;
}


int
docket_reader_end(docket_reader_t *r, size_t n)
{
    if (r->link == -1) {
        (void) snprintf(r->err, sizeof(r->err),
                        "no header: only %zu bytes came", n);
        return DOCKET_ERROR;
    }

    if (n == 0) {
        return DOCKET_OK;
    }

    (void) snprintf(r->err, sizeof(r->err),
                    "cut inside record %llu, which begins at byte %llu",
                    (unsigned long long) r->record + 1,
                    (unsigned long long) r->offset);

    return DOCKET_ERROR;
}


int64_t
docket_record_time(const u_char *p)
{
    uint32_t  t[2];

    memcpy(t, p, sizeof(t));

    return t[0] * DOCKET_PCAP_BILLION + t[1];
}


int
docket_link_dlt(int link)
{
    /* the few whose number in a file is not libpcap's own */

    switch (link) {

    case 100:
        return DLT_ATM_RFC1483;

    case 101:
        return DLT_RAW;

    case 102:
        return DLT_SLIP_BSDOS;

    case 103:
        return DLT_PPP_BSDOS;

    case 106:
        return DLT_ATM_CLIP;

    default:
        return link;
    }
}


const char *
docket_link_name(int link, char *buf, size_t size)
{
    const char  *name;

    name = pcap_datalink_val_to_name(docket_link_dlt(link));
    if (name != NULL) {
        return name;
    }

    (void) snprintf(buf, size, "%d", link);

    return buf;
}


void
docket_pcap_escape(char *out, size_t size, const u_char *p, size_t n)
{
    size_t  i, k;

    if (size == 0) {
        return;
    }

    for (i = 0, k = 0; i < n && k + 5 <= size; i++) {

        if (p[i] >= 0x20 && p[i] < 0x7f && p[i] != '\\' && p[i] != '"') {
            out[k++] = (char) p[i];
            continue;
        }

        k += (size_t) snprintf(out + k, size - k, "\\x%02x", p[i]);
    }

    out[k] = '\0';
}
