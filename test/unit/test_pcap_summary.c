/*
 * Summary: what its JSON says of known packets.
 */

#include <yajl/yajl_tree.h>
#include "pcap_build.h"


#define MACS   "\1\2\3\4\5\6\7\10\11\12\13\14"
#define IP4(proto, frag)                                                      \
    "\x45\0\0\x28\0\0\0" frag "\x40" proto "\0\0\x0a\0\0\2\x0a\0\0\1"
#define PORTS  "\x04\xd2\0\x35"
#define IP6(next)                                                             \
    "\x60\0\0\0\0\x14" next "\x40"                                            \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"                                \
    "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"


static yajl_val
get(yajl_val v, const char *a, const char *b)
{
    const char  *path[] = { a, b, NULL };

    return yajl_tree_get(v, path, yajl_t_any);
}


static long long
number(yajl_val v, const char *a, const char *b)
{
    v = get(v, a, b);

    if (v == NULL) {
        return -1;
    }

    assert_true(YAJL_IS_INTEGER(v));

    return YAJL_GET_INTEGER(v);
}


static long long
packets(yajl_val v, const char *protocol)
{
    return number(get(v, "protocols", protocol), "packets", NULL);
}


static yajl_val
json(docket_summary_t *sm)
{
    char                     *text, err[128];
    size_t                    len;
    yajl_val                  v;
    docket_summary_stream_t   s[2] = { { "s1", 3, 300 }, { "s\"2", 0, 0 } };

    assert_int_equal(docket_summary_print(sm, s, 2, &text, &len), DOCKET_OK);
    assert_int_equal(strlen(text), len);

    v = yajl_tree_parse(text, err, sizeof(err));

    if (v == NULL) {
        fail_msg("%s in %s", err, text);
    }

    free(text);
    docket_summary_destroy(sm);

    return v;
}


static void
add(docket_summary_t *sm, int64_t time, const char *p, size_t n)
{
    docket_summary_add(sm, 1, time, (const u_char *) p, (uint32_t) n,
                       (uint32_t) n + 10);
}

#define ADD(sm, us, s)  add(sm, at_us(us), s, sizeof(s) - 1)


static void
test_empty(void **state)
{
    yajl_val  v;

    (void) state;

    v = json(docket_summary_create());

    assert_int_equal(number(v, "packets", NULL), 0);
    assert_true(YAJL_IS_NULL(get(v, "first", NULL)));
    assert_true(YAJL_IS_NULL(get(v, "buckets", NULL)));
    assert_int_equal(number(get(v, "sensors", "s1"), "packets", NULL), 3);
    assert_int_equal(number(get(v, "sensors", "s\"2"), "bytes", NULL), 0);

    yajl_tree_free(v);
}


static void
test_protocols(void **state)
{
    yajl_val           v, talk, port;
    docket_summary_t  *sm;

    (void) state;

    sm = docket_summary_create();
    assert_non_null(sm);

    ADD(sm, 0, MACS "\x08\0" IP4("\x06", "\0") PORTS);
    ADD(sm, 1, MACS "\x81\0\0\5\x08\0" IP4("\x06", "\0") PORTS);
    ADD(sm, 2, MACS "\x88\xa8\0\5\x81\0\0\5\x08\0" IP4("\x11", "\0") PORTS);
    ADD(sm, 3, MACS "\x88\x47\0\0\x10\x40\0\0\x11\x40" IP4("\x11", "\0")
               PORTS);
    ADD(sm, 4, MACS "\x08\0" IP4("\x11", "\7") PORTS);
    ADD(sm, 5, MACS "\x08\0" IP4("\x01", "\0"));
    ADD(sm, 6, MACS "\x86\xdd" IP6("\x3a"));
    ADD(sm, 7, MACS "\x86\xdd" IP6("\0") "\x2c\0\0\0\0\0\0\0"
               "\x06\0\0\0\0\0\0\0" PORTS);
    ADD(sm, 8, MACS "\x86\xdd" IP6("\0") "\x2c\0\0\0\0\0\0\0"
               "\x06\0\0\x08\0\0\0\0" PORTS);
    ADD(sm, 9, MACS "\x08\0" IP4("\x2f", "\0"));
    ADD(sm, 10, MACS "\x08\x06");
    ADD(sm, 11, MACS "\x88\xcc");
    ADD(sm, 12, MACS "\0\x20");
    ADD(sm, 13, MACS "\x08\0\x45");
    ADD(sm, 14, "");
    ADD(sm, 15, MACS "\x88\x47\0\0\x10\x40");
    docket_summary_add(sm, 147, at_us(16), (const u_char *) "x", 1, 1);

    v = json(sm);

    assert_int_equal(number(v, "packets", NULL), 17);
    assert_int_equal(number(v, "wire_bytes", NULL)
                     - number(v, "bytes", NULL), 160);
    assert_int_equal(packets(v, "tcp"), 4);
    assert_int_equal(packets(v, "udp"), 3);
    assert_int_equal(packets(v, "icmp"), 1);
    assert_int_equal(packets(v, "icmp6"), 1);
    assert_int_equal(packets(v, "ip-47"), 1);
    assert_int_equal(packets(v, "arp"), 1);
    assert_int_equal(packets(v, "ethertype-0x88cc"), 1);
    assert_int_equal(packets(v, "ethertype-0x0800"), 1);
    assert_int_equal(packets(v, "ethertype-0x8847"), 1);
    assert_int_equal(packets(v, "802.3"), 2);
    assert_int_equal(packets(v, "link-147"), 1);
    assert_string_equal(YAJL_GET_STRING(get(v, "first", NULL)),
                        "2023-11-14T22:13:20Z");
    assert_string_equal(YAJL_GET_STRING(get(v, "last", NULL)),
                        "2023-11-14T22:13:20.000016000Z");
    assert_true(YAJL_IS_FALSE(get(v, "estimated", NULL)));

    talk = get(v, "conversations", NULL);
    assert_int_equal(YAJL_GET_ARRAY(talk)->len, 2);
    talk = YAJL_GET_ARRAY(talk)->values[0];
    assert_string_equal(YAJL_GET_STRING(get(talk, "a", NULL)), "10.0.0.1");
    assert_string_equal(YAJL_GET_STRING(get(talk, "b", NULL)), "10.0.0.2");
    assert_int_equal(number(talk, "packets", NULL), 7);
    assert_int_equal(number(talk, "error", NULL), 0);

    /* a later fragment has no ports */

    port = get(v, "ports", NULL);
    assert_int_equal(YAJL_GET_ARRAY(port)->len, 4);
    port = YAJL_GET_ARRAY(port)->values[0];
    assert_string_equal(YAJL_GET_STRING(get(port, "proto", NULL)), "tcp");
    assert_int_equal(number(port, "packets", NULL), 3);

    yajl_tree_free(v);
}


/* More talks than fit: the big ones are there, no count is too small. */

static void
test_estimates(void **state)
{
    char               frame[] = MACS "\x08\0" IP4("\x06", "\0") PORTS;
    char               addr[16];
    size_t             i, k;
    yajl_val           v, list, e;
    unsigned           seed;
    long long          n, error;
    docket_summary_t  *sm;

    (void) state;

    sm = docket_summary_create();
    assert_non_null(sm);
    seed = 3;

    for (i = 0; i < 200000; i++) {

        /* five hosts with 2,000 to 10,000 packets, 60,000 with a few */

        k = i % 100;

        if (k < 15) {
            frame[28] = (char) 200;
            frame[29] = (char) (k == 0 ? 1 : k < 3 ? 2 : k < 6 ? 3
                                : k < 10 ? 4 : 5);
        } else {
            frame[28] = (char) (rand_r(&seed) % 200);
            frame[29] = (char) rand_r(&seed);
        }

        frame[34] = (char) rand_r(&seed);
        frame[35] = (char) rand_r(&seed);
        add(sm, at_us((int64_t) i), frame, sizeof(frame) - 1);
    }

    v = json(sm);
    assert_true(YAJL_IS_TRUE(get(v, "estimated", NULL)));
    list = get(v, "conversations", NULL);
    assert_int_equal(YAJL_GET_ARRAY(list)->len, DOCKET_SUMMARY_TOP);

    for (i = 0; i < 5; i++) {
        e = YAJL_GET_ARRAY(list)->values[i];
        n = number(e, "packets", NULL);
        error = number(e, "error", NULL);
        k = 2000 * (5 - i);
        assert_true(n >= (long long) k && n - error <= (long long) k);

        (void) snprintf(addr, sizeof(addr), "10.0.200.%zu", 5 - i);
        assert_string_equal(YAJL_GET_STRING(get(e, "b", NULL)), addr);
        assert_int_equal(number(e, "bytes", NULL),
                         n * (long long) (sizeof(frame) - 1));
    }

    e = YAJL_GET_ARRAY(get(v, "ports", NULL))->values[0];
    assert_int_equal(number(e, "port", NULL), 53);
    assert_true(number(e, "packets", NULL) >= 200000);

    yajl_tree_free(v);
}


static long long
bucket(yajl_val v, size_t i)
{
    v = get(v, "buckets", "packets");
    assert_true(i < YAJL_GET_ARRAY(v)->len);

    return YAJL_GET_INTEGER(YAJL_GET_ARRAY(v)->values[i]);
}


static void
test_buckets(void **state)
{
    int                i;
    yajl_val           v;
    docket_summary_t  *sm;

    (void) state;

    sm = docket_summary_create();
    assert_non_null(sm);

    for (i = 0; i < 256; i++) {
        ADD(sm, i * 1000000LL + 500000, MACS);
    }

    v = json(sm);
    assert_int_equal(number(v, "buckets", "seconds"), 1);
    assert_int_equal(YAJL_GET_ARRAY(get(v, "buckets", "bytes"))->len, 256);
    assert_int_equal(bucket(v, 0), 1);
    assert_int_equal(bucket(v, 255), 1);
    assert_string_equal(YAJL_GET_STRING(get(v, "buckets", "start")),
                        "2023-11-14T22:13:20Z");
    yajl_tree_free(v);

    /* a packet of next year, and one before the first: disorder */

    sm = docket_summary_create();
    assert_non_null(sm);

    for (i = 0; i < 256; i++) {
        ADD(sm, i * 1000000LL, MACS);
    }

    ADD(sm, 256 * 1000000LL, MACS);
    ADD(sm, -5, MACS);
    ADD(sm, 1000 * 1000000LL, MACS);

    v = json(sm);
    assert_int_equal(number(v, "buckets", "seconds"), 4);
    assert_int_equal(bucket(v, 0), 5);
    assert_int_equal(bucket(v, 1), 4);
    assert_int_equal(bucket(v, 64), 1);
    assert_int_equal(bucket(v, 250), 1);
    yajl_tree_free(v);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_protocols),
        cmocka_unit_test(test_estimates),
        cmocka_unit_test(test_buckets)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
