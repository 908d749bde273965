/*
 * Each form: what it takes, what it refuses, and where it says so.
 */

#include "test_query.h"


static void
test_example_has_its_id(void **state)
{
    docket_query_t  *q;

    (void) state;

    q = test_ask("raw", "port 21 and after 2018-01-10T22:10:00Z "
                        "and before 2018-01-10T22:12:00Z");
    assert_string_equal(docket_query_result(q)->text,
                        "port 21 and after 2018-01-10T22:10:00Z "
                        "and before 2018-01-10T22:12:00Z");
    assert_string_equal(docket_query_result(q)->id,
                        "10a53543eb90f99251add6c9d5dd664c");
    docket_query_destroy(q);

    test_same("uri", "port/21/after/2018-01-10T22:10:00Z/before/"
              "2018-01-10T22:12:00Z", "form",
              "before=2018-01-10T22:12:00&port=21&after=2018-01-10T22:10:00");
}


static void
test_all_forms_meet_in_one_id(void **state)
{
    size_t  i;

    static const char *const  same[][2] = {
        { "uri", "host/1.2.3.4/port/80/tcp/after/5m" },
        { "uri", "tcp/after/5m/port/80/host/1.2.3.4/" },
        { "uri", "HOST/1.2.3.4/Port/080/proto/6/after-ago/5m/" },
        { "args", "host=1.2.3.4&port=80&proto=tcp&after=5m+ago" },
        { "form", "host=1.2.3.4&port=80&proto-name=TCP&after=5m" },
        { "form", "ip_proto=6&host=+1.2.3.4+&port=80&port=80&after=300s" },
        { "form", "query=host+1.2.3.4+and+tcp&port=80&after=5m&vlan=" },
        { "json", "{\"host\":\"1.2.3.4\",\"port\":80,\"proto\":6,"
                  "\"after\":\"5m\"}" },
        { "json", "{\"host\":[\"1.2.3.4\",\"::ffff:1.2.3.4\"],"
                  "\"port\":[\"80\"],\"proto-name\":\"tcp\","
                  "\"after\":[\"5m\",\"1h\"],\"vlan\":null}" },
        { "json", "{\"any\":[{\"host\":\"1.2.3.4\"}],\"query\":"
                  "\"tcp and (port 80)\",\"after-ago\":\"5m\"}" },
        { "raw", "host 1.2.3.4 and port 80 and tcp and after 5m ago" },
        { "raw", "after 5m ago && (ip proto 6 && (port 80)) and "
                 "((host 1.2.3.4 or host 1.2.3.4))" }
    };

    (void) state;

    for (i = 1; i < sizeof(same) / sizeof(same[0]); i++) {
        test_same(same[0][0], same[0][1], same[i][0], same[i][1]);
    }
}


static void
test_stenographers_examples_parse(void **state)
{
    size_t  i;

    static const char *const  t[][2] = {
        { "host 8.8.8.8", "host 8.8.8.8" },
        { "net 1.0.0.0/8", "net 1.0.0.0/8" },
        { "net 1.0.0.0 mask 255.255.255.0", "net 1.0.0.0/24" },
        { "port 80", "port 80" },
        { "ip proto 6", "tcp" },
        { "icmp", "icmp" },
        { "tcp", "tcp" },
        { "udp", "udp" },
        { "before 45m ago", "" },
        { "after 3h ago", "" },
        { "(udp and port 514) or (tcp and port 8080)",
          "(port 514 and udp) or (port 8080 and tcp)" },
        { "host 1.2.3.4 and port 6543", "host 1.2.3.4 and port 6543" },
        { "port 8765", "port 8765" },
        { "net 1.1.1.0/24", "net 1.1.1.0/24" },
        { "net 1.2.3.4 mask 255.255.254.0", "net 1.2.2.0/23" },
        { "(port 80 or (host 1.2.3.4 and tcp) or port 7)",
          "(host 1.2.3.4 and tcp) or port 7 or port 80" },
        { "udp and port 514 or tcp and port 80",
          "port 80 and ((port 514 and udp) or tcp)" },
        { "vlan 7 and mpls 1048575", "vlan 7 and mpls 1048575" },
        { "vlan 0 and vlan 4095", "vlan 0 and vlan 4095" },
        { "port 0 and port 65535 and ip proto 0 or ip proto 255",
          "(port 0 and port 65535 and ip proto 0) or ip proto 255" }
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        test_terms("raw", t[i][0], t[i][1]);
    }

    test_text("raw", "after 2012-11-03T11:05:00-07:00 "
              "and before 2012-11-03T19:05:00Z",
              "after 2012-11-03T18:05:00Z and before 2012-11-03T19:05:00Z");
}


static void
test_canonical_order(void **state)
{
    (void) state;

    test_text("raw", "before 1m ago and (tcp or udp) and ip proto 47 and udp "
              "and icmp and mpls 5 and vlan 10 and vlan 9 and port 443 and "
              "port 80 and net 10.0.0.0/8 and host 9.9.9.9 and host 10.0.0.1 "
              "and (port 2 or port 1) and after 2m ago and port 80",
              "host 10.0.0.1 and host 9.9.9.9 and net 10.0.0.0/8 and port 80 "
              "and port 443 and vlan 9 and vlan 10 and mpls 5 and icmp and "
              "udp and ip proto 47 and (port 1 or port 2) and (tcp or udp) "
              "and after 2018-01-10T22:13:00Z and before 2018-01-10T22:15:00Z");

    test_terms("raw", "(port 3 or (port 1 or (port 2 or port 3)))",
               "port 1 or port 2 or port 3");
    test_terms("raw", "(tcp and port 1) or (port 1 and tcp)",
               "port 1 and tcp");
    test_terms("raw", "udp and ((tcp and port 1) or (port 1 and tcp))",
               "port 1 and tcp and udp");
    test_terms("raw", "port 1 or port 2 and port 3 or port 4",
               "(port 3 and (port 1 or port 2)) or port 4");
}


static void
test_times_intersect(void **state)
{
    (void) state;

    test_text("raw", "after 5m ago and after 2018-01-10T22:13:00Z and tcp and "
              "before 1m ago and before 0s ago",
              "tcp and after 2018-01-10T22:13:00Z "
              "and before 2018-01-10T22:15:00Z");
    test_text("form", "after=1h&after=5m&query=tcp+and+after+3m+ago",
              "tcp and after 2018-01-10T22:12:00Z "
              "and before 2018-01-10T22:16:00Z");

    /* the outermost is an "or": no range is meant */

    test_terms("raw", "tcp and after 5m ago or udp",
               "(tcp and after 2018-01-10T22:10:00Z) or udp");
    test_terms("raw", "(after 5m ago or after 5m ago) and tcp", "tcp");
}


static void
test_raw_refused(void **state)
{
    size_t  i;

    static const struct {
        const char  *text;
        long         position;
        const char  *words;
    } t[] = {
        { "", 0, "ends here" },
        { "  ", 2, "ends here" },
        { "host", 4, "an IPv4 or IPv6 address" },
        { "host 1.2.3", 5, "\"1.2.3\"" },
        { "host 1.2.3.4/8", 12, "\"/\"" },
        { "net 1.2.3.4", 11, "'/' or 'mask'" },
        { "net 1.2.3.4/", 12, "length or mask" },
        { "net 1.2.3.4/44", 4, "0 to 32" },
        { "net 1.2.3.4/x", 4, "a number as its length" },
        { "net ( /8", 4, "an address" },
        { "port", 4, "a port, 0 to 65535" },
        { "port 8 and port 77777", 16, "\"77777\"" },
        { "port 0x50", 5, "\"0x50\"" },
        { "vlan 4096", 5, "a VLAN, 0 to 4095" },
        { "mpls 1048576", 5, "0 to 1048575" },
        { "ip 6", 3, "'proto'" },
        { "ip proto 256", 9, "0 to 255" },
        { "protocol 256", 0, "\"protocol\"" },
        { "last 4", 0, "host, net, port" },
        { "tcp and", 7, "ends here" },
        { "and tcp", 0, "a term" },
        { "tcp and or udp", 8, "a term" },
        { "tcp & udp", 4, "\"&\"" },
        { "(tcp", 4, "')'" },
        { "tcp)", 3, "without its '('" },
        { "()", 1, "a term" },
        { "! tcp", 0, "use \"filter\"" },
        { "after", 5, "a time" },
        { "after (", 6, "a time" },
        { "after 5", 6, "a duration such as 5m" },
        { "after 2018-13-01", 6, "1970 to 9999" },
        { "after 2018-01-01 ago", 17, "\"ago\"" },
        { "after 2018-01-01 12:00:00", 17, "\"12:00:00\"" },
        { "before 9999-12-31T23:59:59.5Z", 7, "after the year 9999" },
        { "after 5000w ago", 6, "before 1970" },
        { "port 80 \x01", 8, "\\x01" },
        { "port 80 \xc3\xa9", 8, "\\xc3" }
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        test_refused("raw", t[i].text, "", t[i].position, t[i].words);
    }

    test_refused_n("raw", "tcp\0 and udp", 12, "", 3, "\\x00");
    test_refused("form", "query=+tcp+oder+udp", "query", 5, "\"oder\"");
    test_refused("raw", "before 9999-12-31T23:59:59Z", "before", -1,
                 "after the year 9999");
}


static void
test_uri(void **state)
{
    (void) state;

    test_terms("uri", "host/A::1/host/B::1/after/1m/port/1/port/2",
               "host a::1 and host b::1 and port 1 and port 2");
    test_terms("uri", "net/10.1.2.3%2F8", "net 10.0.0.0/8");
    test_terms("uri", "net/10.1.2.3/8/port/80", "net 10.0.0.0/8 and port 80");
    test_terms("uri", "%68ost/1.2%2E3.4", "host 1.2.3.4");
    test_terms("uri", "host/1.2.3.4/or/host/1.2.3.5/port/80/or/udp",
               "(host 1.2.3.5 and port 80) or host 1.2.3.4 or udp");

    /* a time and an option apply to all, wherever they stand */

    test_text("uri", "host/1.2.3.4/after/5m/or/tcp/sensor/beta",
              "(host 1.2.3.4 or tcp) and after 2018-01-10T22:10:00Z "
              "and before 2018-01-10T22:16:00Z; sensors beta");

    test_refused("uri", "", "", -1, "nothing to look for");
    test_refused("uri", "/", "", -1, "nothing to look for");
    test_refused("uri", "host", "host", -1, "has no value");
    test_refused("uri", "host/", "host", -1, "has no value");
    test_refused("uri", "host//port/80", "", 5, "an empty segment");
    test_refused("uri", "host/1.2.3.4//", "", 13, "an empty segment");
    test_refused("uri", "/host/1.2.3.4", "", 0, "an empty segment");
    test_refused("uri", "or/tcp", "", 0, "has no term");
    test_refused("uri", "tcp/or", "", 6, "has no term");
    test_refused("uri", "tcp/or/or/udp", "", 7, "has no term");
    test_refused("uri", "tcp/or/after/5m", "", 15, "has no term");
    test_refused("uri", "net/10.0.0.0", "net", 0, "needs its length");
    test_refused("uri", "net/10.0.0.0/port/80", "net", 0, "needs its length");
    test_refused("uri", "host/%31%zz", "", 8, "hexadecimal");
    test_refused("uri", "host/1%2", "", 6, "hexadecimal");
    test_refused("uri", "host/1.2.3.4%00", "", 5, "control character 0x00");
    test_refused("uri", "query/tcp%0Aand%20udp", "", 6,
                 "control character 0x0a");
    test_refused("uri", "hots/1.2.3.4", "hots", -1, "\"hots\" is no field");
    test_refused("uri", "ho%00st/1.2.3.4", "", 0, "control character");
    test_refused("uri", "any/tcp", "any", -1, "is no field");
}


static void
test_form(void **state)
{
    (void) state;

    test_terms("form", "&&port=80&&", "port 80");
    test_terms("form", "p%6Frt=8%30", "port 80");
    test_terms("form", "query=tcp%0Aor+udp", "tcp or udp");
    test_text("form", "port=80&filter=+tcp%5B13%5D+%26+2+%21%3D+0+",
              "port 80 and " TEST_RANGE "; filter tcp[13] & 2 != 0");

    test_refused("form", "", "", -1, "nothing to look for");
    test_refused("form", "port=", "", -1, "nothing to look for");
    test_refused("form", "sensor=alpha", "", -1, "nothing to look for");
    test_refused("form", "port", "port", -1, "has no value");
    test_refused("form", "port=%", "", 5, "hexadecimal");
    test_refused("form", "p%=80", "", 1, "hexadecimal");
    test_refused("form", "=80", "", -1, "\"\" is no field");
    test_refused("form", "Port-80=1", "Port-80", -1, "the fields are host");
    test_refused("form", "host=1.2.3.4%00", "host", 7, "0x00");
    test_refused("form", "host=1.2.3.4%0a", "host", 7, "0x0a");
    test_refused("form", "host=+x", "host", 1, "not \"x\"");
    test_refused("form", "host=1.2.3.0/24", "host", 0, "into \"net\"");
    test_refused("form", "proto-name=gre", "proto-name", 0, "by number");
    test_refused("form", "proto=gre", "proto", 0, "tcp, udp or icmp");
    test_refused("form", "after-ago=2018-01-01", "after-ago", 0,
                 "d, w) is expected");
    test_refused("form", "after=5x", "after", 0, "d, w) or a date such as");
    test_refused("form", "port=80&port=081x", "port", 0, "\"081x\"");
    test_refused("form", "vlan=-1", "vlan", 0, "0 to 4095");

    /* what no packet can carry, in every form */

    test_refused("form", "vlan=5000", "vlan", 0,
                 "a VLAN is a number from 0 to 4095, not \"5000\"");
    test_refused("form", "mpls=2000000", "mpls", 0, "0 to 1048575");
    test_refused("uri", "vlan/4096", "vlan", 0, "0 to 4095");
    test_refused("uri", "mpls/1048576", "mpls", 0, "0 to 1048575");
    test_refused("uri", "port/65536", "port", 0, "0 to 65535");
    test_refused("json", "{\"vlan\":[1,4096]}", "vlan", 0, "0 to 4095");
    test_refused("json", "{\"any\":[{\"vlan\":\"5000\"}]}", "vlan", 0,
                 "0 to 4095");
    test_refused("json", "{\"mpls\":1048576}", "mpls", 0, "0 to 1048575");
    test_refused("json", "{\"proto\":256}", "proto", 0, "0 to 255");
}


static void
test_options(void **state)
{
    char             text[DOCKET_MAX_FILTER + 32];
    docket_query_t  *q;

    (void) state;

    test_text("form", "port=80&sensor=beta%2Calpha%3Bbeta%09gamma+alpha%2B",
              "port 80 and " TEST_RANGE "; sensors alpha,beta,gamma");
    test_text("form", "port=80&sensor=+&limit-packets=0&limit-bytes=&filter=+",
              "port 80 and " TEST_RANGE);

    /* of two limits the smaller one holds */

    test_text("args", "port=80&limit-packets=9&Steno-Limit-Packets=7"
              "&limit_packets=0", "port 80 and " TEST_RANGE
              "; limit-packets 7");

    test_refused("args", "limit-bytes=9223372036854775808", "limit-bytes", 0,
                 "plain decimal");
    test_refused("args", "limit-bytes=1e3", "limit-bytes", 0, "\"1e3\"");
    test_refused("args", "limit-bytes=00", "limit-bytes", 0, "\"00\"");
    test_refused("args", "filter=tcp%0aport", "filter", 3, "0x0a");
    test_refused("args", "filter=tcp%09port", "filter", 3, "0x09");
    test_refused("args", "filter=tcp%c3%a9", "filter", 3, "ASCII");
    test_refused("args", "filter=tcp&filter=udp", "filter", 0, "two filters");
    test_refused("args", "refresh=true&refresh=false", "refresh", 0, "both");
    test_refused("args", "refresh=on", "refresh", 0, "true or false");
    test_refused("args", "sensor=Alpha", "sensor", 0, "no sensor \"Alpha\"");

    memset(text, 'x', sizeof(text));
    memcpy(text, "port=1&filter=", 14);
    text[14 + DOCKET_MAX_FILTER] = '\0';
    q = test_ask("form", text);
    assert_int_equal(strlen(docket_query_result(q)->filter),
                     DOCKET_MAX_FILTER);
    docket_query_destroy(q);

    text[14 + DOCKET_MAX_FILTER] = 'x';
    text[14 + DOCKET_MAX_FILTER + 1] = '\0';
    test_refused("form", text, "filter", DOCKET_MAX_FILTER, "at most 1024");
}


/* names that say something on their own */

static void
test_words_and_flags(void **state)
{
    docket_query_t  *q;

    (void) state;

    test_terms("uri", "tcp/UDP/icmp", "icmp and tcp and udp");
    test_terms("args", "tcp", "tcp");
    test_terms("form", "udp=1&tcp=0", "udp");
    test_terms("json", "{\"tcp\":true,\"udp\":false}", "tcp");
    test_terms("json", "{\"any\":[{\"tcp\":true},{\"icmp\":\"yes\"}]}",
               "icmp or tcp");

    q = test_ask("args", "refresh&port=80");
    assert_int_equal(docket_query_result(q)->refresh, 1);
    assert_int_equal(docket_query_result(q)->ignore_weight, 0);
    docket_query_destroy(q);

    test_refused("json", "{\"tcp\":6}", "tcp", 0, "true or false");
    test_refused("uri", "port/80/refresh", "refresh", -1, "has no value");
    test_refused("json", "{\"udp\":false}", "", -1, "nothing to look for");
}


static void
test_headers(void **state)
{
    docket_query_t  *q;

    (void) state;

    q = docket_query_create(&test_conf);
    assert_non_null(q);

    assert_int_equal(docket_query_read_raw(q, "port 80", 7), DOCKET_OK);
    assert_int_equal(docket_query_set(q, "Steno-Limit-Packets", "5", 1),
                     DOCKET_OK);
    assert_int_equal(docket_query_set(q, "Steno-Limit-Bytes", "", 0),
                     DOCKET_OK);
    assert_int_equal(docket_query_finish(q), DOCKET_OK);
    assert_string_equal(docket_query_result(q)->text,
                        "port 80 and " TEST_RANGE "; limit-packets 5");
    docket_query_destroy(q);

    q = docket_query_create(&test_conf);
    assert_non_null(q);
    assert_int_equal(docket_query_set(q, "Steno-Limit-Packets", "-5", 2),
                     DOCKET_ERROR);
    assert_string_equal(docket_query_error(q)->field, "limit-packets");
    docket_query_destroy(q);

    docket_query_destroy(NULL);
}


static void
test_json(void **state)
{
    (void) state;

    test_terms("json", "{\"any\":[{\"port\":80},{\"port\":443,\"proto\":6}],"
               "\"host\":\"1.2.3.4\"}",
               "host 1.2.3.4 and ((port 443 and tcp) or port 80)");
    test_terms("json", "{\"any\":[{\"any\":[{\"port\":1},{\"port\":2}],"
               "\"vlan\":3},{\"port\":[4,5]}]}",
               "(port 4 and port 5) or (vlan 3 and (port 1 or port 2))");
    test_terms("json", "{\"any\":[{\"port\":1},{\"port\":2}],"
               "\"any\":[{\"port\":3},{\"port\":4}],\"port\":5,\"port\":6}",
               "port 5 and port 6 and (port 1 or port 2) and "
               "(port 3 or port 4)");
    test_terms("json", "{\"any\":[{\"port\":1,\"after-ago\":\"1h\"},"
               "{\"before\":\"2018-01-10T20:00:00+01:00\"}]}",
               "(port 1 and after 2018-01-10T21:15:00Z) or "
               "before 2018-01-10T19:00:00Z");
    test_terms("json", " {\"\\u0070ort\" : 80 , \"host\":[]} \n", "port 80");

    test_refused("json", "", "", 0, "no valid JSON");
    test_refused("json", "{", "", 1, "no valid JSON");
    test_refused("json", "{}", "", -1, "nothing to look for");
    test_refused("json", "[]", "", -1, "no JSON object");
    test_refused("json", "80", "", -1, "no JSON object");
    test_refused("json", "null", "", -1, "null");
    test_refused("json", "{\"port\":80} {}", "", 12, "trailing garbage");
    test_refused("json", "{\"port\":80,}", "", 11, "no valid JSON");
    test_refused("json", "{\"port\":80 /* x */}", "", 10, "no valid JSON");
    test_refused("json", "{\"port\":[80,[443]]}", "port", -1, "a list");
    test_refused("json", "{\"port\":{\"a\":1}}", "port", -1, "an object");
    test_refused("json", "{\"port\":[null]}", "port", -1, "null");
    test_refused("json", "{\"port\":true}", "port", 0, "\"true\"");
    test_refused("json", "{\"port\":80.0}", "port", 0, "\"80.0\"");
    test_refused("json", "{\"port\":\"\"}", "port", 0, "not \"\"");
    test_refused("json", "{\"host\":\"1.2.3.4\\u0000\"}", "host", 7, "0x00");
    test_refused("json", "{\"host\":\"\xff\"}", "", 9, "UTF8");
    test_refused("json", "{\"hots\":1}", "hots", -1, "is no field");
    test_refused("json", "{\"any\":{}}", "", -1, "a list of objects");
    test_refused("json", "{\"any\":5}", "", -1, "a list of objects");
    test_refused("json", "{\"any\":[5]}", "", -1, "a list of objects");
    test_refused("json", "{\"any\":[[]]}", "", -1, "a list");
    test_refused("json", "{\"any\":[]}", "", -1, "\"any\" is empty");
    test_refused("json", "{\"any\":[{}]}", "", -1, "has no term");
    test_refused("json", "{\"any\":[{\"port\":1},2]}", "", -1,
                 "a list of objects");
    test_refused("json", "{\"any\":[{\"sensor\":\"alpha\"}]}", "sensor", -1,
                 "the whole question");
    test_refused("json", "{\"any\":[{\"query\":\"tcp or\"}]}", "query", 6,
                 "ends here");
}


/* a text of "n" times "one", with "open" in front and "shut" behind, each
   "depth" times */

static char *
test_repeat(const char *open, const char *one, const char *shut, size_t depth,
    size_t n)
{
    char    *s, *p;
    size_t   i;

    s = malloc((strlen(open) + strlen(shut)) * depth + strlen(one) * n + 1);
    assert_non_null(s);
    p = s;

    for (i = 0; i < depth; i++) {
        p = stpcpy(p, open);
    }

    for (i = 0; i < n; i++) {
        p = stpcpy(p, one);
    }

    for (i = 0; i < depth; i++) {
        p = stpcpy(p, shut);
    }

    *p = '\0';

    return s;
}


static void
test_bounds(void **state)
{
    int              rc;
    char            *s;
    size_t           len;
    docket_query_t  *q;

    (void) state;

    s = test_repeat("(", "tcp", ")", DOCKET_MAX_DEPTH, 1);
    test_terms("raw", s, "tcp");
    free(s);

    s = test_repeat("(", "tcp", ")", DOCKET_MAX_DEPTH + 1, 1);
    test_refused("raw", s, "", DOCKET_MAX_DEPTH, "more than 32 parentheses");
    free(s);

    /* the same term 256 times, and once more than could ever be sent */

    s = test_repeat("", "tcp or ", "udp", 1, DOCKET_MAX_TERMS - 1);
    test_terms("raw", s, "tcp or udp");
    free(s);

    s = test_repeat("", "tcp or ", "udp", 1, DOCKET_MAX_TERMS + 2);
    test_refused("raw", s, "", -1, "more than 256 terms");
    free(s);

    /* one beside the other they are not counted */

    s = test_repeat("", "(tcp) or ", "(udp)", 1, 2 * DOCKET_MAX_DEPTH);
    test_terms("raw", s, "tcp or udp");
    free(s);

    /* depth without parentheses; the range is one level more */

    s = test_repeat("", "tcp or port 1 and ", "udp", 1, 15);
    q = test_ask("raw", s);
    docket_query_destroy(q);
    free(s);

    s = test_repeat("port 7 and ", "tcp or port 1 and ", "udp", 1, 15);
    q = test_ask("raw", s);
    test_same("raw", s, "raw", docket_query_result(q)->text);
    docket_query_destroy(q);
    free(s);

    s = test_repeat("", "tcp or port 1 and ", "udp or vlan 1", 1, 16);
    test_refused("raw", s, "", -1, "more than 32 levels");
    free(s);

    s = test_repeat("", "tcp or port 1 and ", "udp", 1, 100);
    q = test_ask_n(&test_conf, "raw", s, strlen(s), &rc);
    assert_int_equal(rc, DOCKET_ERROR);
    assert_non_null(strstr(docket_query_error(q)->detail, "too deep"));
    docket_query_destroy(q);
    free(s);

    s = test_repeat("{\"any\":[", "{\"port\":1}", "]}", 31, 1);
    test_terms("json", s, "port 1");
    free(s);

    s = test_repeat("{\"any\":[", "{\"port\":1}", "]}", 100, 1);
    test_refused("json", s, "", -1, "too many levels");
    free(s);

    s = test_repeat("", " ", "tcp", 1, DOCKET_MAX_TEXT - 3);
    test_terms("raw", s, "tcp");
    free(s);

    s = test_repeat("", " ", "tcp", 1, DOCKET_MAX_TEXT - 2);
    len = strlen(s);
    test_refused_n("raw", s, len, "", DOCKET_MAX_TEXT, "8192 bytes");
    test_refused_n("uri", s, len, "", DOCKET_MAX_TEXT, "8192 bytes");
    test_refused_n("form", s, len, "", DOCKET_MAX_TEXT, "8192 bytes");
    test_refused_n("json", s, len, "", DOCKET_MAX_TEXT, "8192 bytes");
    free(s);
}


/* terms at their bound whose canonical text, range and all, is read again */

static void
test_most_terms_read_again(void **state)
{
    char             text[DOCKET_MAX_TEXT];
    size_t           i, n, len;
    docket_query_t  *q;

    (void) state;

    for (n = DOCKET_MAX_TERMS; n <= DOCKET_MAX_TERMS + 1; n++) {
        len = 0;

        for (i = 1; i <= n; i++) {
            len += sprintf(text + len, "%sport %zu", (i == 1) ? "" : " or ",
                           i);
        }

        if (n > DOCKET_MAX_TERMS) {
            test_refused("raw", text, "", -1, "more than 256 terms");
            break;
        }

        q = test_ask("raw", text);
        test_same("raw", text, "raw", docket_query_result(q)->text);
        docket_query_destroy(q);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_example_has_its_id),
        cmocka_unit_test(test_all_forms_meet_in_one_id),
        cmocka_unit_test(test_stenographers_examples_parse),
        cmocka_unit_test(test_canonical_order),
        cmocka_unit_test(test_times_intersect),
        cmocka_unit_test(test_raw_refused),
        cmocka_unit_test(test_uri),
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_words_and_flags),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_most_terms_read_again)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
