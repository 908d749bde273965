/*
 * Builder of captures for tests: any byte order and resolution.
 */

#ifndef PCAP_BUILD_H
#define PCAP_BUILD_H


#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "pcap/docket_merge.h"


typedef struct {
    u_char                *p;
    size_t                 n;
    size_t                 max;
    int                    swapped;
    int                    nano;
} cap_t;


static inline void
cap_bytes(cap_t *c, const void *p, size_t n)
{
    if (c->n + n > c->max) {
        c->max = (c->n + n) * 2 + 4096;
        c->p = realloc(c->p, c->max);
        assert_non_null(c->p);
    }

    if (n > 0) {
        memcpy(c->p + c->n, p, n);
        c->n += n;
    }
}


static inline void
cap_u32(cap_t *c, uint32_t v)
{
    if (c->swapped) {
        v = __builtin_bswap32(v);
    }

    cap_bytes(c, &v, 4);
}


static inline void
cap_u16(cap_t *c, uint16_t v)
{
    if (c->swapped) {
        v = __builtin_bswap16(v);
    }

    cap_bytes(c, &v, 2);
}


static inline void
cap_begin(cap_t *c, int swapped, int nano, uint32_t snaplen, uint32_t link)
{
    memset(c, 0, sizeof(cap_t));

    c->swapped = swapped;
    c->nano = nano;

    cap_u32(c, nano ? 0xa1b23c4d : 0xa1b2c3d4);
    cap_u16(c, 2);
    cap_u16(c, 4);
    cap_u32(c, 0);
    cap_u32(c, 0);
    cap_u32(c, snaplen);
    cap_u32(c, link);
}


/* A record at "ns", of n bytes that all are "fill". */

static inline void
cap_record(cap_t *c, int64_t ns, int fill, size_t n)
{
    u_char  *p;

    p = malloc(n + 1);
    assert_non_null(p);
    memset(p, fill, n);

    cap_u32(c, (uint32_t) (ns / DOCKET_PCAP_BILLION));
    cap_u32(c, (uint32_t) (ns % DOCKET_PCAP_BILLION / (c->nano ? 1 : 1000)));
    cap_u32(c, (uint32_t) n);
    cap_u32(c, (uint32_t) n);
    cap_bytes(c, p, n);
    free(p);
}


static inline void
cap_frame(cap_t *c, int64_t ns, const void *p, size_t n)
{
    cap_u32(c, (uint32_t) (ns / DOCKET_PCAP_BILLION));
    cap_u32(c, (uint32_t) (ns % DOCKET_PCAP_BILLION / (c->nano ? 1 : 1000)));
    cap_u32(c, (uint32_t) n);
    cap_u32(c, (uint32_t) n);
    cap_bytes(c, p, n);
}


static inline void
cap_end(cap_t *c)
{
    free(c->p);
    memset(c, 0, sizeof(cap_t));
}


static inline int64_t
at_us(int64_t us)
{
    return 1700000000 * DOCKET_PCAP_BILLION + us * 1000;
}


/* A stream that holds one whole capture. */

static inline docket_stream_t *
stream_of(cap_t *c)
{
    docket_stream_t  *s;

    s = docket_stream_create(8 * 1024 * 1024, -1, NULL);
    assert_non_null(s);

    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    assert_int_equal(docket_stream_write(s, c->p, c->n), DOCKET_OK);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    docket_stream_finish(s);
    cap_end(c);

    return s;
}


/* A sink that keeps everything; fails once "max" bytes came, if that is set. */

typedef struct {
    cap_t                  out;
    size_t                 max;
    size_t                 calls;
} sink_t;


static inline int
sink_write(void *ctx, const void *buf, size_t n)
{
    sink_t  *s = ctx;

    s->calls++;

    if (s->max != 0 && s->out.n + n > s->max) {
        errno = ENOSPC;
        return DOCKET_ERROR;
    }

    cap_bytes(&s->out, buf, n);

    return DOCKET_OK;
}


/* Walks over a capture in this machine's order: calls back for each record;
   returns how many, fails the test if it is not well-formed. */

typedef void (*walk_pt)(void *ctx, int64_t time, const u_char *p,
    const docket_record_t *h);

static inline size_t
cap_walk(const cap_t *c, int link, int nano, walk_pt f, void *ctx)
{
    size_t           i, n;
    uint32_t         magic, l;
    docket_record_t  h;

    assert_true(c->n >= 24);
    memcpy(&magic, c->p, 4);
    memcpy(&l, c->p + 20, 4);
    assert_int_equal(magic, nano ? 0xa1b23c4d : 0xa1b2c3d4);
    assert_int_equal(l, link);

    for (i = 24, n = 0; i < c->n; i += 16 + h.caplen, n++) {
        assert_true(c->n - i >= 16);
        memcpy(&h, c->p + i, 16);
        assert_true(c->n - i - 16 >= h.caplen);

        if (f != NULL) {
            f(ctx, h.sec * DOCKET_PCAP_BILLION + (int64_t) h.nsec
                   * (nano ? 1 : 1000), c->p + i + 16, &h);
        }
    }

    return n;
}


#endif /* PCAP_BUILD_H */
