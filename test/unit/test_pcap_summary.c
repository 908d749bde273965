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


/*
 * The plainest way to count: every talk and port in a row of its own.  With
 * few of them no set is full, and the summary must say the same.
 */

#define HOSTS  12
#define SLOTS  (2 * HOSTS * HOSTS)

typedef struct {
    long long  packets;
    long long  bytes;
} plain_t;


static int
plain_cmp(const void *one, const void *two)
{
    const plain_t  *a = one, *b = two;

    return (a->packets < b->packets) - (a->packets > b->packets);
}


/* Each entry of the list has its row's counts, and no larger row is left out;
   an address ends in its host's number, "b" is the larger. */

static void
plain_compare(yajl_val list, const plain_t *plain, int ports)
{
    size_t       i, row, a, b;
    yajl_val     e;
    plain_t      sorted[SLOTS];
    const char  *one, *two;

    memcpy(sorted, plain, sizeof(sorted));
    qsort(sorted, SLOTS, sizeof(plain_t), plain_cmp);

    assert_int_equal(YAJL_GET_ARRAY(list)->len, DOCKET_SUMMARY_TOP);

    for (i = 0; i < DOCKET_SUMMARY_TOP; i++) {

        e = YAJL_GET_ARRAY(list)->values[i];

        if (ports) {
            one = YAJL_GET_STRING(get(e, "proto", NULL));
            row = (size_t) number(e, "port", NULL)
                  + (strcmp(one, "udp") == 0 ? HOSTS * HOSTS : 0);

        } else {
            one = YAJL_GET_STRING(get(e, "a", NULL));
            two = YAJL_GET_STRING(get(e, "b", NULL));

            if (strchr(one, ':') != NULL) {
                a = strtoul(strrchr(one, ':') + 1, NULL, 16);
                b = strtoul(strrchr(two, ':') + 1, NULL, 16);

            } else {
                a = strtoul(strrchr(one, '.') + 1, NULL, 10);
                b = strtoul(strrchr(two, '.') + 1, NULL, 10);
            }

            assert_true(a <= b && b < HOSTS);

            row = a * HOSTS + b
                  + (strchr(one, ':') != NULL ? HOSTS * HOSTS : 0);
        }

        assert_true(row < SLOTS);
        assert_int_equal(number(e, "packets", NULL), plain[row].packets);
        assert_int_equal(number(e, "bytes", NULL), plain[row].bytes);
        assert_int_equal(number(e, "packets", NULL), sorted[i].packets);
        assert_int_equal(number(e, "error", NULL), 0);
    }
}


static void
plain_count(plain_t *plain, size_t n)
{
    plain->packets++;
    plain->bytes += (long long) n;
}


static void
test_plain(void **state)
{
    char               frame[256];
    char               ip4[] = MACS "\x08\0" IP4("\x06", "\0") PORTS;
    char               ip6[] = MACS "\x86\xdd" IP6("\x11") PORTS;
    size_t             i, n, at, src, dst, low, high, v6;
    yajl_val           v;
    unsigned           seed;
    plain_t            talks[SLOTS], ports[SLOTS];
    docket_summary_t  *sm;

    (void) state;

    sm = docket_summary_create();
    assert_non_null(sm);

    memset(talks, 0, sizeof(talks));
    memset(ports, 0, sizeof(ports));
    seed = 7;

    for (i = 0; i < 50000; i++) {

        /* some pairs more often than others, both ways */

        src = (size_t) rand_r(&seed) % HOSTS;
        dst = (size_t) rand_r(&seed) % (src + 1);

        if (rand_r(&seed) & 1) {
            n = src;
            src = dst;
            dst = n;
        }

        low = (src < dst) ? src : dst;
        high = (src < dst) ? dst : src;
        v6 = (rand_r(&seed) & 0x300) == 0;

        memset(frame, 0, sizeof(frame));

        if (v6) {
            n = sizeof(ip6) - 1;
            memcpy(frame, ip6, n);
            frame[37] = (char) src;
            frame[53] = (char) dst;

        } else {
            n = sizeof(ip4) - 1;
            memcpy(frame, ip4, n);
            frame[29] = (char) src;
            frame[33] = (char) dst;
        }

        at = n - 4;
        frame[at] = 0;
        frame[at + 1] = (char) src;
        frame[at + 2] = 0;
        frame[at + 3] = (char) (16 + dst);
        n += (size_t) rand_r(&seed) % 100;

        plain_count(&talks[v6 * HOSTS * HOSTS + low * HOSTS + high], n);
        plain_count(&ports[v6 * HOSTS * HOSTS + src], n);
        plain_count(&ports[v6 * HOSTS * HOSTS + 16 + dst], n);

        add(sm, at_us((int64_t) i), frame, n);
    }

    v = json(sm);

    plain_compare(get(v, "conversations", NULL), talks, 0);
    plain_compare(get(v, "ports", NULL), ports, 1);

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
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_buckets)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
