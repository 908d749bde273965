/*
 * Several captures into one, in order of time.
 */

#include "pcap/docket_pcap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pcap/pcap.h>


#define DOCKET_MERGE_PIECE  (1024 * 1024)


typedef struct {
    docket_reader_t   *inputs;
    size_t            *heap;          /* numbers of inputs, the earliest on top */
    size_t             n;
    int                fd;
    int                nsec;
    unsigned char     *buf;
    size_t             used;
    docket_merge_pt    check;
    void              *ctx;
    docket_merged_t   *m;
} docket_merge_t;


static int
docket_merge_less(const docket_merge_t *mg, size_t a, size_t b)
{
    if (mg->inputs[a].time != mg->inputs[b].time) {
        return mg->inputs[a].time < mg->inputs[b].time;
    }

    return a < b;
}


static void
docket_merge_down(docket_merge_t *mg, size_t i)
{
    size_t  child, top;

    top = mg->heap[i];

    for ( ;; ) {
        child = 2 * i + 1;

        if (child >= mg->n) {
            break;
        }

        if (child + 1 < mg->n
            && docket_merge_less(mg, mg->heap[child + 1], mg->heap[child]))
        {
            child++;
        }

        if (!docket_merge_less(mg, mg->heap[child], top)) {
            break;
        }

        mg->heap[i] = mg->heap[child];
        i = child;
    }

    mg->heap[i] = top;
}


static int
docket_merge_flush(docket_merge_t *mg)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < mg->used; done += (size_t) n) {
        n = write(mg->fd, mg->buf + done, mg->used - done);

        if (n == -1 && errno == EINTR) {
            n = 0;

        } else if (n == -1) {
            snprintf(mg->m->error, sizeof(mg->m->error),
                     "writing the capture: %s", strerror(errno));
            return DOCKET_ERROR;
        }
    }

    mg->used = 0;

    if (mg->check != NULL && mg->check(mg->ctx, mg->m) != DOCKET_OK) {
        errno = 0;
        return DOCKET_ERROR;
    }

    return DOCKET_OK;
}


static int
docket_merge_linktype(docket_reader_t *inputs, size_t n)
{
    int     best;
    size_t  i, k, count, most;

    best = DLT_EN10MB;
    most = 0;

    for (i = 0; i < n; i++) {

        if (inputs[i].linktype == -1) {
            continue;
        }

        for (count = 0, k = 0; k < n; k++) {
            count += (inputs[k].linktype == inputs[i].linktype);
        }

        if (count > most
            || (count == most && inputs[i].linktype == DLT_EN10MB))
        {
            most = count;
            best = inputs[i].linktype;
        }
    }

    return best;
}


static int
docket_merge_start(docket_merge_t *mg, size_t n)
{
    int                       linktype;
    size_t                    i;
    docket_reader_t          *r;
    struct pcap_file_header   fh;

    linktype = docket_merge_linktype(mg->inputs, n);

    for (i = 0; i < n; i++) {
        r = &mg->inputs[i];

        if (r->linktype == -1) {
            continue;
        }

        if (r->linktype != linktype) {
            snprintf(r->error, sizeof(r->error), "the capture has link type %s,"
                     " the others have %s", docket_linktype_name(r->linktype),
                     docket_linktype_name(linktype));
            continue;
        }

        mg->nsec |= r->nsec;

        if (docket_reader_next(r) == 1) {
            mg->heap[mg->n++] = i;
        }
    }

    for (i = mg->n / 2; i > 0; i--) {
        docket_merge_down(mg, i - 1);
    }

    memset(&fh, 0, sizeof(fh));
    fh.magic = mg->nsec ? 0xa1b23c4d : 0xa1b2c3d4;
    fh.version_major = PCAP_VERSION_MAJOR;
    fh.version_minor = PCAP_VERSION_MINOR;
    fh.snaplen = DOCKET_PCAP_SNAPLEN;
    fh.linktype = (bpf_u_int32) linktype;

    memcpy(mg->buf, &fh, DOCKET_PCAP_HEADER);
    mg->used = DOCKET_PCAP_HEADER;
    mg->m->bytes = DOCKET_PCAP_HEADER;

    return DOCKET_OK;
}


static int
docket_merge_put(docket_merge_t *mg, size_t input)
{
    size_t            len;
    uint32_t          frac;
    unsigned char    *p;
    docket_reader_t  *r;

    r = &mg->inputs[input];
    len = DOCKET_PCAP_RECORD + r->caplen;

    if (mg->used + len > DOCKET_MERGE_PIECE
        && docket_merge_flush(mg) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    p = mg->buf + mg->used;
    memcpy(p, r->buf + r->pos, len);

    if (!mg->nsec) {
        memcpy(&frac, p + 4, sizeof(frac));
        frac /= 1000;
        memcpy(p + 4, &frac, sizeof(frac));
    }

    mg->used += len;

    mg->m->packets++;
    mg->m->bytes += len;
    mg->m->packets_of[input]++;
    mg->m->bytes_of[input] += len;

    if (mg->m->packets == 1) {
        mg->m->first = r->time;
    }

    if (r->time > mg->m->last) {
        mg->m->last = r->time;
    }

    return DOCKET_OK;
}


static int
docket_merge_run(docket_merge_t *mg, uint64_t limit_packets,
    uint64_t limit_bytes)
{
    size_t            top;
    docket_reader_t  *r;

    while (mg->n > 0) {
        top = mg->heap[0];
        r = &mg->inputs[top];

        if ((limit_packets != 0 && mg->m->packets == limit_packets)
            || (limit_bytes != 0
                && mg->m->bytes + DOCKET_PCAP_RECORD + r->caplen > limit_bytes))
        {
            mg->m->truncated = 1;
            break;
        }

        if (docket_merge_put(mg, top) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        if (docket_reader_next(r) != 1) {
            mg->heap[0] = mg->heap[--mg->n];
        }

        docket_merge_down(mg, 0);
    }

    return docket_merge_flush(mg);
}


int
docket_merge(docket_reader_t *inputs, size_t n, int fd, uint64_t limit_packets,
    uint64_t limit_bytes, docket_merge_pt check, void *ctx,
    docket_merged_t *m)
{
    int             rc;
    docket_merge_t  mg;

    memset(&mg, 0, sizeof(docket_merge_t));

    mg.inputs = inputs;
    mg.fd = fd;
    mg.check = check;
    mg.ctx = ctx;
    mg.m = m;

    /* the largest record fits into an empty piece */
    mg.buf = malloc(DOCKET_MERGE_PIECE + DOCKET_PCAP_RECORD);
    mg.heap = malloc((n + 1) * sizeof(size_t));

    if (mg.buf == NULL || mg.heap == NULL) {
        snprintf(m->error, sizeof(m->error), "out of memory");
        rc = DOCKET_ERROR;

    } else if (docket_merge_start(&mg, n) != DOCKET_OK) {
        rc = DOCKET_ERROR;

    } else {
        rc = docket_merge_run(&mg, limit_packets, limit_bytes);
    }

    free(mg.heap);
    free(mg.buf);

    return rc;
}
