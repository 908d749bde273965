/*
 * Records of one capture.
 */

#include "pcap/docket_pcap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pcap/pcap.h>


#define DOCKET_READER_BUFFER  (512 * 1024)

/* pcap-savefile(5) */
#define DOCKET_MAGIC_USEC     0xa1b2c3d4
#define DOCKET_MAGIC_NSEC     0xa1b23c4d


static uint32_t
docket_get32(const unsigned char *p, int swapped)
{
    uint32_t  v;

    memcpy(&v, p, sizeof(v));

    return swapped ? __builtin_bswap32(v) : v;
}


static void
docket_put32(unsigned char *p, uint32_t v)
{
    memcpy(p, &v, sizeof(v));
}


/* At least "need" bytes behind pos: 1; fewer are left: 0. */

static int
docket_reader_fill(docket_reader_t *r, size_t need)
{
    ssize_t  n;

    if (r->end - r->pos >= need) {
        return 1;
    }

    memmove(r->buf, r->buf + r->pos, r->end - r->pos);
    r->end -= r->pos;
    r->pos = 0;

    while (r->end < need && !r->eof) {
        n = pread(r->fd, r->buf + r->end, r->size - r->end, r->offset);

        if (n == -1 && errno == EINTR) {
            continue;
        }

        if (n == -1) {
            snprintf(r->error, sizeof(r->error), "reading the capture: %s",
                     strerror(errno));
            r->eof = 1;
            break;
        }

        r->eof = (n == 0);
        r->end += (size_t) n;
        r->offset += n;
    }

    return r->end - r->pos >= need;
}


static int
docket_reader_garbage(docket_reader_t *r)
{
    char    seen[33];
    size_t  i, n;

    n = r->end - r->pos;

    for (i = 0; i < n && i < sizeof(seen) - 1; i++) {
        seen[i] = (r->buf[r->pos + i] >= 0x20 && r->buf[r->pos + i] < 0x7f)
                  ? (char) r->buf[r->pos + i] : '.';
    }

    seen[i] = '\0';

    if (n == 0) {
        snprintf(r->error, sizeof(r->error), "the answer is empty");

    } else if (n < DOCKET_PCAP_HEADER) {
        snprintf(r->error, sizeof(r->error),
                 "the capture is cut inside its header");

    } else {
        snprintf(r->error, sizeof(r->error),
                 "the answer is no pcap capture: \"%s\"", seen);
    }

    return DOCKET_ERROR;
}


int
docket_reader_open(docket_reader_t *r, int fd, int64_t after, int64_t before)
{
    uint32_t  magic;

    memset(r, 0, sizeof(docket_reader_t));

    r->fd = fd;
    r->after = after;
    r->before = before;
    r->linktype = -1;
    r->size = DOCKET_READER_BUFFER;

    r->buf = malloc(r->size);

    if (r->buf == NULL) {
        snprintf(r->error, sizeof(r->error), "out of memory");
        return DOCKET_ERROR;
    }

    if (!docket_reader_fill(r, DOCKET_PCAP_HEADER)) {
        return (r->error[0] != '\0') ? DOCKET_ERROR : docket_reader_garbage(r);
    }

    magic = docket_get32(r->buf, 0);

    if (magic != DOCKET_MAGIC_USEC && magic != DOCKET_MAGIC_NSEC) {
        magic = __builtin_bswap32(magic);
        r->swapped = 1;
    }

    if (magic != DOCKET_MAGIC_USEC && magic != DOCKET_MAGIC_NSEC) {
        return docket_reader_garbage(r);
    }

    r->nsec = (magic == DOCKET_MAGIC_NSEC);
    r->snaplen = docket_get32(r->buf + 16, r->swapped);
    r->linktype = (int) (docket_get32(r->buf + 20, r->swapped) & 0x03ffffff);

    if (r->snaplen == 0 || r->snaplen > DOCKET_PCAP_SNAPLEN) {
        r->snaplen = DOCKET_PCAP_SNAPLEN;
    }

    r->pos = DOCKET_PCAP_HEADER;
    r->caplen = 0;
    r->last = INT64_MIN;

    return DOCKET_OK;
}


void
docket_reader_close(docket_reader_t *r)
{
    free(r->buf);
    r->buf = NULL;
}


int
docket_reader_next(docket_reader_t *r)
{
    uint32_t        sec, frac;
    unsigned char  *p;

    if (r->error[0] != '\0') {
        return 0;
    }

    if (r->records != 0) {
        r->pos += DOCKET_PCAP_RECORD + r->caplen;
    }

    for ( ;; ) {

        if (!docket_reader_fill(r, DOCKET_PCAP_RECORD)) {

            if (r->end != r->pos && r->error[0] == '\0') {
                snprintf(r->error, sizeof(r->error),
                         "the capture is cut inside the header of record %"
                         PRIu64, r->records + 1);
            }

            return 0;
        }

        p = r->buf + r->pos;
        sec = docket_get32(p, r->swapped);
        frac = docket_get32(p + 4, r->swapped);
        r->caplen = docket_get32(p + 8, r->swapped);

        if (r->caplen > r->snaplen) {
            snprintf(r->error, sizeof(r->error), "record %" PRIu64 " claims %u "
                     "bytes, more than the capture's snaplen of %u",
                     r->records + 1, r->caplen, r->snaplen);
            return 0;
        }

        if (frac >= (r->nsec ? 1000000000u : 1000000u)) {
            snprintf(r->error, sizeof(r->error), "record %" PRIu64 " has a "
                     "broken time", r->records + 1);
            return 0;
        }

        if (!docket_reader_fill(r, DOCKET_PCAP_RECORD + r->caplen)) {

            if (r->error[0] == '\0') {
                snprintf(r->error, sizeof(r->error), "the capture is cut "
                         "inside record %" PRIu64, r->records + 1);
            }

            return 0;
        }

        r->records++;

        frac = r->nsec ? frac : frac * 1000;
        r->time = (int64_t) sec * 1000000000 + frac;

        if (r->time < r->after || r->time >= r->before) {
            r->pos += DOCKET_PCAP_RECORD + r->caplen;
            continue;
        }

        p = r->buf + r->pos;
        docket_put32(p, sec);
        docket_put32(p + 4, frac);
        docket_put32(p + 8, r->caplen);
        docket_put32(p + 12, docket_get32(p + 12, r->swapped));

        r->kept++;
        r->disordered += (r->time < r->last);
        r->last = r->time;

        return 1;
    }
}


const char *
docket_linktype_name(int linktype)
{
    const char  *name;

    name = pcap_datalink_val_to_name(linktype);

    return (name != NULL) ? name : "unknown";
}
