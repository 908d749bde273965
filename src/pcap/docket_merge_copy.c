/*
 * Output of the merge: the header, the records, the limits; see
 * docket_merge_core.h.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <pcap/pcap.h>
#include "pcap/docket_merge_core.h"


static int docket_merge_fill(docket_merge_t *m, const u_char *p, size_t n);


int
docket_merge_fail(docket_merge_t *m, const char *words, int error)
{
    m->error = error;

    if (words != m->err) {
        (void) snprintf(m->err, sizeof(m->err), "%s", words);
    }

    return DOCKET_ERROR;
}


int
docket_merge_fd(void *ctx, const void *buf, size_t n)
{
    int            fd;
    ssize_t        k;
    const u_char  *p;

    fd = *(int *) ctx;

    for (p = buf; n > 0; p += k, n -= (size_t) k) {

        do {
            k = write(fd, p, n);
        } while (k == -1 && errno == EINTR);

        if (k <= 0) {
            if (k == 0) {
                errno = EIO;
            }

            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


int
docket_merge_flush(docket_merge_t *m)
{
    int  error;

    if (m->used == 0) {
        return DOCKET_OK;
    }

    errno = 0;

    if (m->conf.write(m->conf.ctx, m->buf, m->used) != DOCKET_OK) {
        error = errno;
        return docket_merge_fail(m, strerror(error), error);
    }

    m->used = 0;

    return DOCKET_OK;
}


static inline int
docket_merge_put(docket_merge_t *m, const u_char *p, size_t n)
{
    if (n < m->conf.buffer - m->used) {
        memcpy(m->buf + m->used, p, n);

        m->used += n;
        m->made += n;

        return DOCKET_OK;
    }

    return docket_merge_fill(m, p, n);
}


static int
docket_merge_fill(docket_merge_t *m, const u_char *p, size_t n)
{
    size_t  k;

    m->made += n;

    while (n > 0) {

        k = m->conf.buffer - m->used;

        if (k > n) {
            k = n;
        }

        memcpy(m->buf + m->used, p, k);

        m->used += k;
        p += k;
        n -= k;

        if (m->used == m->conf.buffer
            && docket_merge_flush(m) != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


void
docket_merge_header(u_char out[DOCKET_PCAP_HEADER], int link, int nano)
{
    uint16_t  version[2];
    uint32_t  head[6];

    version[0] = PCAP_VERSION_MAJOR;
    version[1] = PCAP_VERSION_MINOR;

    head[0] = nano ? 0xa1b23c4d : 0xa1b2c3d4;
    memcpy(&head[1], version, sizeof(uint32_t));
    head[2] = 0;
    head[3] = 0;
    head[4] = DOCKET_PCAP_SNAPLEN;
    head[5] = (uint32_t) link;

    memcpy(out, head, DOCKET_PCAP_HEADER);
}


int
docket_merge_open(docket_merge_t *m)
{
    u_char  header[DOCKET_PCAP_HEADER];

    docket_merge_header(header, m->count.link, m->count.nano);
    m->count.bytes = DOCKET_PCAP_HEADER;

    return docket_merge_put(m, header, DOCKET_PCAP_HEADER);
}


int
docket_merge_copy(docket_merge_t *m, docket_merge_input_t *in)
{
    int               rc;
    size_t            size;
    u_char           *p, *run;
    int64_t           time;
    uint64_t          packets, bytes;
    docket_record_t   h;

    rc = DOCKET_OK;
    packets = m->count.packets;
    bytes = m->count.bytes;
    p = in->p;
    run = p;

    do {
        memcpy(&h, p, sizeof(docket_record_t));

        time = h.sec * DOCKET_PCAP_BILLION + h.nsec;

        if (time >= m->bound && p != in->p) {
            break;
        }

        size = DOCKET_PCAP_RECORD + h.caplen;

        if (m->conf.filter != NULL
            && !docket_filter_match(m->conf.filter, m->count.link,
                                    p + DOCKET_PCAP_RECORD, h.caplen, h.len))
        {
            m->count.filtered++;

            if (docket_merge_put(m, run, (size_t) (p - run)) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

            p += size;
            run = p;
            continue;
        }

        if (m->conf.limit_bytes != 0 && bytes + size > m->conf.limit_bytes) {
            (void) snprintf(m->err, sizeof(m->err),
                            "limit of %llu bytes",
                            (unsigned long long) m->conf.limit_bytes);
            rc = DOCKET_LIMIT;
            break;
        }

        if (!m->count.nano) {
            h.nsec /= 1000;
            memcpy(p + offsetof(docket_record_t, nsec), &h.nsec,
                   sizeof(uint32_t));
        }

        if (packets == 0) {
            m->count.first = time;
            m->count.last = time;
        }

        if (time < m->count.last) {
            m->count.disordered++;
            m->count.first = (time < m->count.first) ? time : m->count.first;

        } else {
            m->count.last = time;
        }

        if (m->conf.summary != NULL) {
            docket_summary_add(m->conf.summary, m->count.link, time,
                               p + DOCKET_PCAP_RECORD, h.caplen, h.len);
        }

        p += size;
        packets++;
        bytes += size;

        if (packets == m->conf.limit_packets) {
            (void) snprintf(m->err, sizeof(m->err),
                            "limit of %llu packets",
                            (unsigned long long) m->conf.limit_packets);
            rc = DOCKET_LIMIT;
            break;
        }

    } while (p < in->end);

    in->packets += packets - m->count.packets;
    in->bytes += bytes - m->count.bytes;
    in->p = p;

    m->count.packets = packets;
    m->count.bytes = bytes;

    if (docket_merge_put(m, run, (size_t) (p - run)) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    return rc;
}
