/*
 * Reader: formats, every cut, trims, faults.
 */

#include "pcap_build.h"


typedef struct {
    size_t                 kept;
    int64_t                times[16];
    u_char                 fills[16];
    int                    rc;
    char                   err[DOCKET_PCAP_WORDS];
} got_t;


/* Feeds the reader through a growing buffer, "step" bytes at a time. */

static void
feed(const cap_t *c, size_t end, size_t step, int64_t after, int64_t before,
    got_t *got)
{
    int              rc;
    size_t           seen, pos, size;
    u_char          *buf;
    int64_t          time;
    docket_reader_t  r;

    memset(got, 0, sizeof(got_t));
    docket_reader_init(&r, after, before);

    buf = malloc(end + 1);
    assert_non_null(buf);
    memcpy(buf, c->p, end);

    pos = 0;
    rc = DOCKET_AGAIN;

    for (seen = 0; seen < end && rc != DOCKET_ERROR; /* void */ ) {

        seen = (seen + step < end) ? seen + step : end;

        if (r.link == -1) {
            rc = docket_reader_header(&r, buf, seen);
            if (rc != DOCKET_OK) {
                continue;
            }

            pos = DOCKET_PCAP_HEADER;
        }

        for ( ;; ) {
            rc = docket_reader_record(&r, buf + pos, seen - pos, &size,
                                      &time);

            if (rc == DOCKET_AGAIN) {
                assert_true(size > seen - pos);
            }

            if (rc != DOCKET_OK && rc != DOCKET_DECLINED) {
                break;
            }

            if (rc == DOCKET_OK) {
                assert_true(got->kept < 16);
                assert_true(docket_record_time(buf + pos) == time);
                got->times[got->kept] = time;
                got->fills[got->kept] = size > 16 ? buf[pos + 16] : 0;
                got->kept++;
            }

            pos += size;
            assert_int_equal(r.offset, pos);
        }
    }

    got->rc = (rc == DOCKET_ERROR) ? rc : docket_reader_end(&r, seen - pos);
    memcpy(got->err, r.err, sizeof(got->err));

    free(buf);
}


static void
build(cap_t *c, int swapped, int nano)
{
    cap_begin(c, swapped, nano, 65535, 1);
    cap_record(c, at_us(0), 'a', 60);
    cap_record(c, at_us(1) + (nano ? 7 : 0), 'b', 0);
    cap_record(c, at_us(999999), 'c', 61);
    cap_record(c, at_us(1000000), 'd', 1);
}


static void
test_formats(void **state)
{
    int     swapped, nano;
    size_t  step;
    cap_t   c;
    got_t   got;

    (void) state;

    for (swapped = 0; swapped < 2; swapped++) {
        for (nano = 0; nano < 2; nano++) {

            build(&c, swapped, nano);

            for (step = 1; step < c.n + 1; step++) {
                feed(&c, c.n, step, DOCKET_PCAP_TIME_MIN,
                     DOCKET_PCAP_TIME_MAX, &got);

                assert_int_equal(got.rc, DOCKET_OK);
                assert_int_equal(got.kept, 4);
                assert_true(got.times[0] == at_us(0));
                assert_true(got.times[1] == at_us(1) + (nano ? 7 : 0));
                assert_true(got.times[2] == at_us(999999));
                assert_true(got.times[3] == at_us(1000000));
                assert_int_equal(got.fills[0], 'a');
                assert_int_equal(got.fills[3], 'd');
            }

            cap_end(&c);
        }
    }
}


static void
test_cuts(void **state)
{
    int     whole;
    char    words[64];
    size_t  end, i, kept;
    cap_t   c;
    got_t   got;

    static const size_t  bounds[] = { 24, 100, 116, 193, 210 };

    (void) state;

    build(&c, 1, 0);
    assert_int_equal(c.n, 210);

    for (end = 0; end <= c.n; end++) {

        feed(&c, end, 1, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX, &got);

        kept = 0;
        whole = 0;

        for (i = 0; i < 5; i++) {
            kept = (end >= bounds[i]) ? i : kept;
            whole |= (end == bounds[i]);
        }

        assert_int_equal(got.kept, kept);
        assert_int_equal(got.rc, whole ? DOCKET_OK : DOCKET_ERROR);

        if (end < 24) {
            assert_non_null(strstr(got.err, "no header"));

        } else if (!whole) {
            (void) snprintf(words, sizeof(words), "cut inside record %zu,",
                            kept + 1);
            assert_non_null(strstr(got.err, words));
        }
    }

    cap_end(&c);
}


static void
test_trim(void **state)
{
    cap_t  c;
    got_t  got;

    (void) state;

    build(&c, 0, 0);

    feed(&c, c.n, c.n, at_us(1), at_us(1000000), &got);
    assert_int_equal(got.kept, 2);
    assert_int_equal(got.fills[1], 'c');

    feed(&c, c.n, c.n, at_us(1) + 1, at_us(1000000) + 1, &got);
    assert_int_equal(got.kept, 2);
    assert_int_equal(got.fills[0], 'c');
    assert_int_equal(got.fills[1], 'd');

    feed(&c, c.n, c.n, at_us(5), at_us(5), &got);
    assert_int_equal(got.kept, 0);

    cap_end(&c);
}


static void
test_latest_time(void **state)
{
    cap_t  c;
    got_t  got;

    (void) state;

    cap_begin(&c, 0, 1, 100, 1);
    cap_record(&c, 0xffffffffLL * DOCKET_PCAP_BILLION + 999999999, 'z', 4);

    feed(&c, c.n, c.n, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX, &got);
    assert_int_equal(got.kept, 1);
    assert_true(got.times[0] == 4294967295999999999LL);

    cap_end(&c);
}


static void
bad(const void *p, size_t n, const char *words)
{
    size_t  step;
    cap_t   c;
    got_t   got;

    memset(&c, 0, sizeof(cap_t));
    cap_bytes(&c, p, n);

    for (step = 1; step <= n; step += n - 1) {
        feed(&c, n, step, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX, &got);
        assert_int_equal(got.rc, DOCKET_ERROR);

        if (strstr(got.err, words) == NULL) {
            fail_msg("\"%s\" lacks \"%s\"", got.err, words);
        }
    }

    cap_end(&c);
}


static void
test_garbage(void **state)
{
    cap_t  c;

    (void) state;

    bad("<html>\r\n500", 11, "not a capture, it begins with \"<htm");
    bad("\x0a\x0d\x0d\x0a....\x4d\x3c\x2b\x1a", 12, "pcapng");

    cap_begin(&c, 0, 0, 65535, 1);
    c.p[4] = 1;
    bad(c.p, c.n, "version 1.4 instead of 2.4");
    cap_end(&c);

    cap_begin(&c, 1, 0, 65535, 1);
    c.p[7] = 3;
    bad(c.p, c.n, "version 2.3 instead of 2.4");
    cap_end(&c);
}


static void
test_time(void **state)
{
    (void) state;

    assert_int_equal(docket_pcap_time(0), 0);
    assert_int_equal(docket_pcap_time(1515622200000001), 1515622200000001000);
    assert_int_equal(docket_pcap_time(INT64_MAX / 1000),
                     INT64_MAX / 1000 * 1000);
    assert_int_equal(docket_pcap_time(INT64_MAX / 1000 + 1),
                     DOCKET_PCAP_TIME_MAX);
    assert_int_equal(docket_pcap_time(253402300799999999),
                     DOCKET_PCAP_TIME_MAX);
}


static void
test_records(void **state)
{
    int    nano;
    cap_t  c;

    (void) state;

    cap_begin(&c, 1, 0, 100, 1);
    cap_record(&c, at_us(0), 'a', 100);
    cap_record(&c, at_us(0), 'a', 101);
    bad(c.p, c.n, "record 2 at byte 140 has a length of 101, over the "
                  "capture's 100");
    cap_end(&c);

    cap_begin(&c, 0, 0, 0xffffffff, 1);
    cap_u32(&c, 1);
    cap_u32(&c, 1);
    cap_u32(&c, 262145);
    cap_u32(&c, 262145);
    bad(c.p, c.n, "has a length of 262145");
    cap_end(&c);

    for (nano = 0; nano < 2; nano++) {
        cap_begin(&c, 0, nano, 0, 1);
        cap_u32(&c, 1);
        cap_u32(&c, nano ? 1000000000 : 1000000);
        cap_u32(&c, 0);
        cap_u32(&c, 0);
        bad(c.p, c.n, nano ? "record 1 at byte 24 has a fraction of a second "
                             "of 1000000000 ns"
                           : "fraction of a second of 1000000 us");
        cap_end(&c);
    }
}


static void
test_names(void **state)
{
    char  buf[32];

    (void) state;

    assert_string_equal(docket_link_name(1, buf, sizeof(buf)), "EN10MB");
    assert_string_equal(docket_link_name(101, buf, sizeof(buf)), "RAW");
    assert_string_equal(docket_link_name(60000, buf, sizeof(buf)), "60000");

    docket_pcap_escape(buf, sizeof(buf), (const u_char *) "a\"\\\n\xff", 5);
    assert_string_equal(buf, "a\\x22\\x5c\\x0a\\xff");

    docket_pcap_escape(buf, 6, (const u_char *) "\n\n\n", 3);
    assert_string_equal(buf, "\\x0a");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_trim),
        cmocka_unit_test(test_latest_time),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_names)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
