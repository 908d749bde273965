/*
 * Captures: reading and merging.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>
#include <cmocka.h>

#include "pcap/docket_pcap.h"


typedef struct {
    unsigned char  data[4096];
    size_t         len;
    int            swapped;
    int            nsec;
} capture_t;


static void
put32(capture_t *c, uint32_t v)
{
    v = c->swapped ? __builtin_bswap32(v) : v;
    memcpy(c->data + c->len, &v, 4);
    c->len += 4;
}


static void
begin(capture_t *c, int swapped, int nsec, uint32_t linktype)
{
    memset(c, 0, sizeof(*c));
    c->swapped = swapped;
    c->nsec = nsec;
    put32(c, nsec ? 0xa1b23c4d : 0xa1b2c3d4);
    put32(c, swapped ? 0x00020004 : 0x00040002);
    put32(c, 0);
    put32(c, 0);
    put32(c, 65536);
    put32(c, linktype);
}


/* A packet of one byte, "name", at "us" microseconds. */

static void
add(capture_t *c, uint32_t us, char name)
{
    put32(c, us / 1000000);
    put32(c, us % 1000000 * (c->nsec ? 1000 : 1));
    put32(c, 1);
    put32(c, 1);
    c->data[c->len++] = (unsigned char) name;
}


static int
file_of(const capture_t *c, size_t len)
{
    int   fd;
    char  name[] = "/tmp/docket-test-XXXXXX";

    fd = mkstemp(name);
    assert_true(fd != -1);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(write(fd, c->data, len), (ssize_t) len);

    return fd;
}


/* The names of the packets of n merged captures, in order. */

static docket_merged_t  merged;
static docket_reader_t  readers[8];
static uint64_t         counts[16];


static const char *
merge(const capture_t *c, size_t n, int64_t after, int64_t before,
    uint64_t packets, uint64_t bytes)
{
    int              fd, in[8];
    size_t           i;
    docket_reader_t  r;

    static char  names[256];

    memset(&merged, 0, sizeof(merged));
    memset(counts, 0, sizeof(counts));
    merged.packets_of = counts;
    merged.bytes_of = counts + 8;

    for (i = 0; i < n; i++) {
        in[i] = file_of(&c[i], c[i].len);
        (void) docket_reader_open(&readers[i], in[i], after, before);
    }

    fd = file_of(&c[0], 0);
    assert_int_equal(docket_merge(readers, n, fd, packets, bytes, NULL, NULL,
                                  &merged), 0);

    for (i = 0; i < n; i++) {
        docket_reader_close(&readers[i]);
        close(in[i]);
    }

    assert_int_equal(docket_reader_open(&r, fd, 0, INT64_MAX), 0);

    for (i = 0; docket_reader_next(&r) == 1; i++) {
        names[i] = (char) r.buf[r.pos + DOCKET_PCAP_RECORD];
    }

    names[i] = '\0';
    assert_string_equal(r.error, "");
    assert_int_equal(i, merged.packets);
    assert_int_equal(lseek(fd, 0, SEEK_END), merged.bytes);

    docket_reader_close(&r);
    close(fd);

    return names;
}


static void
test_merge(void **state)
{
    capture_t  c[3];

    (void) state;

    begin(&c[0], 0, 0, 1);
    add(&c[0], 1000000, 'a');
    add(&c[0], 1000003, 'd');
    add(&c[0], 2000000, 'f');
    begin(&c[1], 1, 0, 1);
    add(&c[1], 1000001, 'b');
    add(&c[1], 1000003, 'e');
    begin(&c[2], 0, 1, 1);
    add(&c[2], 1000002, 'c');

    assert_string_equal(merge(c, 3, 0, INT64_MAX, 0, 0), "abcdef");
    assert_int_equal(merged.first, 1000000000);
    assert_int_equal(merged.last, 2000000000);
    assert_int_equal(counts[0], 3);
    assert_int_equal(counts[8 + 1], 2 * 17);

    /* half-open, to the microsecond */

    assert_string_equal(merge(c, 3, 1000001000, 1000003000, 0, 0), "bc");

    /* limits, in order of time; bytes count the file */

    assert_string_equal(merge(c, 3, 0, INT64_MAX, 4, 0), "abcd");
    assert_true(merged.truncated);
    assert_string_equal(merge(c, 3, 0, INT64_MAX, 0, 24 + 2 * 17), "ab");
    assert_true(merged.truncated);
    assert_string_equal(merge(c, 3, 0, INT64_MAX, 6, 0), "abcdef");
    assert_false(merged.truncated);
}


static void
test_empty(void **state)
{
    capture_t  c[2];

    (void) state;

    begin(&c[0], 0, 0, 1);
    begin(&c[1], 0, 0, 1);

    assert_string_equal(merge(c, 2, 0, INT64_MAX, 0, 0), "");
    assert_int_equal(merged.bytes, DOCKET_PCAP_HEADER);
}


static void
test_linktype(void **state)
{
    capture_t  c[3];

    (void) state;

    begin(&c[0], 0, 0, 113);
    add(&c[0], 1, 'x');
    begin(&c[1], 0, 0, 1);
    add(&c[1], 2, 'a');
    begin(&c[2], 0, 0, 1);
    add(&c[2], 3, 'b');

    assert_string_equal(merge(c, 3, 0, INT64_MAX, 0, 0), "ab");
    assert_string_equal(readers[0].error, "the capture has link type "
                        "LINUX_SLL, the others have EN10MB");
    assert_string_equal(readers[1].error, "");
}


/* Cut at every byte: whole records come out, and the cut is told. */

static void
test_cut(void **state)
{
    int              fd;
    size_t           len, n;
    capture_t        c;
    docket_reader_t  r;

    (void) state;

    begin(&c, 0, 0, 1);
    add(&c, 1, 'a');
    add(&c, 2, 'b');

    for (len = 0; len <= c.len; len++) {
        fd = file_of(&c, len);
        n = 0;

        if (docket_reader_open(&r, fd, 0, INT64_MAX) == 0) {
            assert_true(len >= DOCKET_PCAP_HEADER);
            while (docket_reader_next(&r) == 1) {
                n++;
            }
        }

        assert_int_equal(n, len < 24 ? 0 : (len - 24) / 17);
        assert_int_equal(r.error[0] == '\0', len >= 24 && (len - 24) % 17 == 0);

        docket_reader_close(&r);
        close(fd);
    }
}


static void
test_garbage(void **state)
{
    int              fd;
    capture_t        c;
    docket_reader_t  r;

    (void) state;

    begin(&c, 0, 0, 1);
    memcpy(c.data, "<html>", 6);
    fd = file_of(&c, c.len);
    assert_int_equal(docket_reader_open(&r, fd, 0, INT64_MAX), -1);
    assert_non_null(strstr(r.error, "no pcap capture: \"<html>"));
    docket_reader_close(&r);
    close(fd);

    /* a record longer than the snaplen that its capture declares */

    begin(&c, 0, 0, 1);
    add(&c, 1, 'a');
    c.data[24 + 8 + 2] = 2;
    fd = file_of(&c, c.len);
    assert_int_equal(docket_reader_open(&r, fd, 0, INT64_MAX), 0);
    assert_int_equal(docket_reader_next(&r), 0);
    assert_non_null(strstr(r.error, "record 1 claims 131073 bytes"));
    docket_reader_close(&r);
    close(fd);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_merge),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_linktype),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_garbage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
