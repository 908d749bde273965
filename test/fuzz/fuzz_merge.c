/*
 * Up to four streams and a merge, driven by the input: pieces, ends, flushes,
 * rewinds, leaving, in any order.  What comes out is a capture, holds what
 * the streams kept, and is in order but for what was counted.
 *
 * Byte 0: number of streams; byte 1: flags.  Then operations of two bytes:
 * stream and what, argument.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "pcap/docket_merge.h"


#define STREAMS  4
#define OUT_MAX  (1024 * 1024)
#define RECORDS  4000                  /* of one run, so that it stays fast */

#define require(x)  do { if (!(x)) { abort(); } } while (0)


typedef struct {
    docket_stream_t       *s;
    int64_t                time;      /* us */
    uint32_t               link;
    unsigned               nano:1;
    unsigned               finished:1;
    unsigned               left:1;
} input_t;


static u_char  out[OUT_MAX];
static size_t  used;
static int     records;


static int
collect(void *ctx, const void *buf, size_t n)
{
    (void) ctx;

    require(used + n <= OUT_MAX);
    memcpy(out + used, buf, n);
    used += n;

    return DOCKET_OK;
}


static void
begin(input_t *in, int arg)
{
    u_char  h[DOCKET_PCAP_HEADER];

    docket_stream_begin(in->s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);

    in->nano = arg & 1;
    in->link = (arg & 0x70) == 0x70 ? 101 : 1;
    docket_merge_header(h, (int) in->link, in->nano);
    (void) docket_stream_write(in->s, h, sizeof(h));
}


/* A record whose time goes on, or goes back if bit 7 is set. */

static void
record(input_t *in, int arg)
{
    u_char    buf[16 + 64];
    uint32_t  head[4];

    if (records == RECORDS) {
        return;
    }

    records++;

    in->time += (arg & 0x80) ? -(arg & 0x3f) : (arg & 0x3f);
    in->time = (in->time < 0) ? 0 : in->time;

    head[0] = (uint32_t) (in->time / 1000000);
    head[1] = (uint32_t) (in->time % 1000000) * (in->nano ? 1000 : 1);
    head[2] = (uint32_t) arg & 0x3f;
    head[3] = head[2];

    memcpy(buf, head, 16);
    memset(buf + 16, arg, 64);

    (void) docket_stream_write(in->s, buf, 16 + head[2]);
}


static void
operate(docket_merge_t *m, input_t *in, size_t i, int what, int arg)
{
    int  k;

    if (what == 7) {
        (void) docket_merge_run(m);
        return;
    }

    if (what == 6 && arg == 0xee) {
        docket_merge_leave(m, i, "left");
        in->left = 1;
        return;
    }

    if (in->finished) {
        return;
    }

    switch (what) {

    case 0:
        begin(in, arg);
        break;

    case 1:
        record(in, arg);
        break;

    case 2:
        for (k = 0; k < arg * 8; k++) {
            record(in, k & 3);
        }

        break;

    case 3:
        (void) docket_stream_end(in->s);
        break;

    case 4:
        docket_stream_flush(in->s);
        break;

    case 5:
        (void) docket_stream_rewind(in->s);
        break;

    default:
        if (arg & 1) {
            docket_stream_finish(in->s);
            in->finished = 1;
        }

        (void) docket_stream_wakes(in->s);
    }
}


/* Walks over the output; its packets, and in "*disorder" how many were
   earlier than the latest before them. */

static uint64_t
check(const docket_merge_count_t *c, uint64_t *disorder)
{
    size_t           i;
    int64_t          t, newest;
    uint64_t         n;
    docket_record_t  h;

    require(used >= DOCKET_PCAP_HEADER);

    n = 0;
    newest = 0;
    *disorder = 0;

    for (i = DOCKET_PCAP_HEADER; i < used; i += 16 + h.caplen) {

        require(used - i >= 16);
        memcpy(&h, out + i, 16);
        require(h.caplen < 64 && used - i - 16 >= h.caplen);
        require(h.nsec < (c->nano ? 1000000000U : 1000000U));

        t = h.sec * DOCKET_PCAP_BILLION + (int64_t) h.nsec
            * (c->nano ? 1 : 1000);

        if (t < newest) {
            (*disorder)++;

        } else {
            newest = t;
        }

        n++;
    }

    return n;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                           rc;
    size_t                        i, n;
    input_t                       in[STREAMS];
    uint64_t                      kept, packets, bytes, sum, disorder;
    docket_merge_t               *m;
    docket_merge_conf_t           conf;
    const docket_merge_count_t   *c;

    if (size < 2 || size > 512) {
        return 0;
    }

    memset(in, 0, sizeof(in));
    memset(&conf, 0, sizeof(conf));
    used = 0;
    records = 0;
    n = data[0] % (STREAMS + 1);
    conf.write = collect;
    conf.step = (data[1] & 1) ? 1 : 0;
    conf.buffer = 1000;
    conf.limit_packets = data[1] >> 4;

    m = docket_merge_create(&conf);
    require(m != NULL);

    for (i = 0; i < n; i++) {
        in[i].s = docket_stream_create(128 * 1024, -1, NULL);
        require(in[i].s != NULL);
        require(docket_merge_add(m, in[i].s) == DOCKET_OK);
        begin(&in[i], data[1]);
    }

    for (i = 2; n > 0 && i + 1 < size; i += 2) {
        operate(m, &in[data[i] % n], data[i] % n, (data[i] >> 3) & 7,
                data[i + 1]);
    }

    for (i = 0; i < n; i++) {
        docket_stream_finish(in[i].s);
    }

    while ((rc = docket_merge_run(m)) == DOCKET_BUSY) { /* void */ }

    require(rc == DOCKET_DONE
            || (rc == DOCKET_LIMIT && conf.limit_packets != 0));

    c = docket_merge_count(m);
    require(c->bytes == used);
    require(check(c, &disorder) == c->packets);
    require(disorder == c->disordered);
    require(conf.limit_packets == 0 || c->packets <= conf.limit_packets);

    for (i = 0, sum = 0; i < n; i++) {

        docket_merge_stream(m, i, &packets, &bytes);
        kept = docket_stream_count(in[i].s)->records;
        sum += packets;

        require(packets <= kept);
        require(rc == DOCKET_LIMIT || packets == kept || in[i].left
                || docket_merge_reason(m, i)[0] != '\0');
    }

    require(sum == c->packets);

    docket_merge_destroy(m);

    for (i = 0; i < n; i++) {
        docket_stream_destroy(in[i].s);
    }

    return 0;
}
