/*
 * What the original got wrong: one test for each fault.
 */

#include "test_query.h"


/* "a raw GET and a raw POST with query= crash" */

static void
test_fault_raw_get_and_post_with_query_crash(void **state)
{
    (void) state;

    test_terms("raw", "host 1.2.3.4 and port 80", "host 1.2.3.4 and port 80");
    test_same("form", "query=host+1.2.3.4+and+port+80", "raw",
              "host 1.2.3.4 and port 80");
    test_same("json", "{\"query\": \"host 1.2.3.4 and port 80\"}", "raw",
              "host 1.2.3.4 and port 80");
    test_same("uri", "query/host%201.2.3.4%20and%20port%2080", "raw",
              "host 1.2.3.4 and port 80");
}


/* "&&, +07:00 and = in a raw body are mangled by form decoding" */

static void
test_fault_raw_body_is_mangled_by_form_decoding(void **state)
{
    (void) state;

    test_text("raw", "udp && after 2018-01-10T22:10:00+07:00 "
              "&& before 2018-01-10T22:12:00Z",
              "udp and after 2018-01-10T15:10:00Z "
              "and before 2018-01-10T22:12:00Z");
    test_refused("raw", "query=port 80", "", 0, "found \"query\"");
    test_refused("raw", "port=80", "", 4, "a blank parts name and value");
    test_refused("raw", "host 1.2.3.4%20and%20tcp", "", 12, "\"%\"");

    /* where a form does decode, a blank in a time was a '+' */

    test_same("form", "port=1&after=2018-01-10T22:10:00+07:00", "form",
              "port=1&after=2018-01-10T22:10:00%2B07:00");
    test_same("uri", "port/1/after/2018-01-10T22:10:00+07:00", "form",
              "port=1&after=2018-01-10T15:10:00");
}


/* "/query without the slash is not found": the expression is the same with
   the newline that tools put at its end */

static void
test_fault_query_of_stenoread_is_not_found(void **state)
{
    (void) state;

    test_same("raw", "port 80\n", "raw", "port 80");
    test_same("raw", " port\t80\r\n", "raw", "port 80");
}


/* "/proto/6 in a URI crashes" */

static void
test_fault_proto_in_a_uri_crashes(void **state)
{
    (void) state;

    test_terms("uri", "proto/6", "tcp");
    test_terms("uri", "proto/17", "udp");
    test_terms("uri", "proto/1", "icmp");
    test_terms("uri", "proto/58", "ip proto 58");
    test_terms("uri", "proto-name/tcp", "tcp");
    test_terms("uri", "tcp", "tcp");
    test_refused("uri", "proto/256", "proto", 0, "0 to 255");
    test_refused("uri", "proto/-1", "proto", 0, "\"-1\"");
}


/* "ignore-weight in a URI is dropped and "false" counts as true" */

static void
test_fault_ignore_weight_is_dropped_or_false_is_true(void **state)
{
    size_t           i;
    docket_query_t  *q;

    static const struct {
        const char  *form;
        const char  *input;
        int          ignore;
    } t[] = {
        { "uri", "port/80/ignore-weight/true", 1 },
        { "uri", "ignore-weight/1/port/80", 1 },
        { "uri", "port/80/ignore-weight/false", 0 },
        { "form", "port=80&ignore-weight=yes", 1 },
        { "form", "port=80&ignore_weight=FALSE", 0 },
        { "form", "port=80&ignore-weight=no", 0 },
        { "form", "port=80&ignore-weight=0", 0 },
        { "json", "{\"port\":80,\"ignore-weight\":true}", 1 },
        { "json", "{\"port\":80,\"ignore-weight\":false}", 0 },
        { "json", "{\"port\":80,\"ignore-weight\":\"false\"}", 0 },
        { "json", "{\"port\":80,\"ignore-weight\":1}", 1 }
    };

    (void) state;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        q = test_ask(t[i].form, t[i].input);
        assert_int_equal(docket_query_result(q)->ignore_weight, t[i].ignore);
        docket_query_destroy(q);
    }

    test_refused("form", "port=80&ignore-weight=maybe", "ignore-weight", 0,
                 "\"maybe\"");
    test_refused("json", "{\"port\":80,\"ignore-weight\":2}", "ignore-weight",
                 0, "\"2\"");
}


/* "5ms reads as 5 minutes" */

static void
test_fault_milliseconds_read_as_minutes(void **state)
{
    (void) state;

    test_text("form", "port=1&after=5ms&before=2018-01-10T22:20:00Z",
              "port 1 and after 2018-01-10T22:15:00Z "
              "and before 2018-01-10T22:20:00Z");
    test_text("form", "port=1&after=5m",
              "port 1 and after 2018-01-10T22:10:00Z "
              "and before 2018-01-10T22:16:00Z");
}


/* "a bare year reads as seconds" */

static void
test_fault_bare_year_reads_as_seconds(void **state)
{
    (void) state;

    test_refused("form", "after=2018", "after", 0, "\"2018\" is no time");
    test_refused("form", "after-ago=2018", "after-ago", 0, "\"2018\"");
    test_refused("raw", "after 2018", "", 6, "\"2018\"");
    test_refused("json", "{\"after\": 2018}", "after", 0, "\"2018\"");
}


/* "offsets in times are dropped instead of converted" */

static void
test_fault_offsets_are_dropped(void **state)
{
    (void) state;

    test_text("uri", "port/1/after/2018-01-10T12:00:00-03:30/before/"
              "2018-01-10T22:00:00+01:00",
              "port 1 and after 2018-01-10T15:30:00Z "
              "and before 2018-01-10T21:00:00Z");
}


/* "/128 and ::/0 are refused" */

static void
test_fault_edge_lengths_are_refused(void **state)
{
    (void) state;

    test_terms("uri", "net/2001:db8::1/128", "net 2001:db8::1/128");
    test_terms("uri", "net/::/0", "net ::/0");
    test_terms("uri", "net/0.0.0.0/0", "net 0.0.0.0/0");
    test_terms("form", "net=1.2.3.4/32", "net 1.2.3.4/32");
    test_terms("raw", "net ::/0 or net ::1/128", "net ::/0 or net ::1/128");
    test_refused("uri", "net/::/129", "net", 0, "0 to 128");
    test_refused("uri", "net/1.2.3.4/33", "net", 0, "0 to 32");
}


/* "a dotted mask is passed on in a form Stenographer refuses" */

static void
test_fault_dotted_mask_is_passed_on(void **state)
{
    (void) state;

    test_terms("form", "net=1.2.3.4/255.255.254.0", "net 1.2.2.0/23");
    test_terms("form", "net=1.2.3.4+mask+255.255.254.0", "net 1.2.2.0/23");
    test_terms("uri", "net/1.2.3.4/255.255.254.0", "net 1.2.2.0/23");
    test_terms("raw", "net 1.2.3.4 mask 255.255.254.0", "net 1.2.2.0/23");
    test_terms("raw", "net 1.2.3.4/255.255.254.0", "net 1.2.2.0/23");
    test_terms("raw", "net 1:2:3:4::5 mask ffff:ffff::", "net 1:2::/32");
    test_refused("raw", "net 1.2.3.4 mask 255.0.255.0", "", 4,
                 "ones are all in front");
    test_refused("form", "net=1.2.3.4/0.0.0.255", "net", 0,
                 "ones are all in front");
    test_refused("raw", "net 1::2 mask 255.0.0.0", "", 4, "own kind");
}


/* "addresses are not normalised, so doubles are missed" */

static void
test_fault_addresses_are_not_normalised(void **state)
{
    (void) state;

    test_terms("form", "host=2001:DB8:0:0::1&host=2001:db8::1"
               "&host=2001:0db8::0001", "host 2001:db8::1");
    test_terms("form", "host=::ffff:1.2.3.4&host=1.2.3.4", "host 1.2.3.4");
    test_terms("form", "host=::FFFF:102:304", "host 1.2.3.4");
    test_terms("form", "net=10.1.2.3/8&net=10.0.0.0/8", "net 10.0.0.0/8");
    test_terms("form", "net=::ffff:10.1.2.3/104", "net 10.0.0.0/8");
    test_refused("form", "net=::ffff:10.1.2.3/95", "net", 0, "96 to 128");
    test_refused("form", "host=1.2.3.04", "host", 0, "\"1.2.3.04\"");
    test_refused("form", "host=example.org", "host", 0, "IPv4 or IPv6");
}


/* "after later than before passes" */

static void
test_fault_after_later_than_before_passes(void **state)
{
    (void) state;

    test_refused("form", "port=1&after=2018-01-10&before=2018-01-09", "after",
                 -1, "the range is empty");
    test_refused("form", "port=1&after=2018-01-10&before=2018-01-10", "after",
                 -1, "the range is empty");
    test_refused("form", "port=1&after=2030-01-01", "after", -1,
                 "(not given)");
    test_refused("form", "port=1&before=2d", "before", -1, "(not given)");
    test_refused("raw", "before 2h ago and tcp and after 1h ago", "after", -1,
                 "the range is empty");
}


/* "time goes last, so a sensor opens every index" */

static void
test_fault_time_goes_last_to_a_sensor(void **state)
{
    char    buf[256];
    size_t  len;

    (void) state;

    len = docket_query_sensor_text("host 1.2.3.4 and (tcp or udp)",
                                   1515622200500000, 1515622320000001, buf,
                                   sizeof(buf));
    assert_string_equal(buf, "after 2018-01-10T22:10:00Z and "
                        "before 2018-01-10T22:12:01Z and "
                        "(host 1.2.3.4 and (tcp or udp))");
    assert_int_equal(len, strlen(buf));

    len = docket_query_sensor_text("", 1515622200000000, 1515622320000000,
                                   buf, sizeof(buf));
    assert_string_equal(buf, "after 2018-01-10T22:10:00Z and "
                        "before 2018-01-10T22:12:00Z");

    assert_int_equal(docket_query_sensor_text("", 1515622200000000,
                                              1515622320000000, NULL, 0),
                     len);
}


/* "the range is padded and never trimmed": the range is what the text says,
   in whole windows, and exact but below an "or" */

static void
test_fault_range_is_not_what_was_asked(void **state)
{
    docket_query_t               *q;
    const docket_query_result_t  *r;

    (void) state;

    q = test_ask("raw", "tcp and after 2018-01-10T22:10:00Z "
                        "and before 2018-01-10T22:12:00Z");
    r = docket_query_result(q);
    assert_int_equal(r->after, 1515622200 * DOCKET_SECOND);
    assert_int_equal(r->before, 1515622320 * DOCKET_SECOND);
    assert_int_equal(r->exact, 1);
    assert_int_equal(r->relative, 0);
    docket_query_destroy(q);

    q = test_ask("raw", "tcp and after 2018-01-10T22:10:59.999Z "
                        "and before 2018-01-10T22:11:00.001Z");
    r = docket_query_result(q);
    assert_int_equal(r->after, 1515622200 * DOCKET_SECOND);
    assert_int_equal(r->before, 1515622320 * DOCKET_SECOND);
    docket_query_destroy(q);

    q = test_ask("raw", "tcp and (udp or after 2018-01-10T22:10:59.9Z)");
    r = docket_query_result(q);
    assert_string_equal(r->text,
                        "tcp and (after 2018-01-10T22:10:59Z or udp) and "
                        TEST_RANGE);
    assert_int_equal(r->exact, 0);
    assert_int_equal(r->relative, 1);
    docket_query_destroy(q);
}


/* "before gets one window more than before-ago" */

static void
test_fault_before_gets_one_window_more(void **state)
{
    (void) state;

    test_same("form", "port=1&before=5m", "form", "port=1&before-ago=5m");
    test_same("form", "port=1&before=5m", "raw", "port 1 and before 5m ago");
    test_text("form", "port=1&before-ago=5m",
              "port 1 and after 2018-01-09T22:15:00Z "
              "and before 2018-01-10T22:11:00Z");

    /* a multiple of the window stays */

    test_text("form", "port=1&before=2018-01-10T22:11:00Z",
              "port 1 and after 2018-01-09T22:15:00Z "
              "and before 2018-01-10T22:11:00Z");
}


/* "sensor choice and limits are accepted and ignored" */

static void
test_fault_sensors_and_limits_are_ignored(void **state)
{
    docket_query_t               *q;
    const docket_query_result_t  *r;

    (void) state;

    q = test_ask("form", "port=1&sensor=gamma&sensor=beta,gamma"
                         "&Steno-Limit-Packets=7&limit-bytes=1000");
    r = docket_query_result(q);

    assert_string_equal(r->text, "port 1 and " TEST_RANGE
                        "; sensors beta,gamma; limit-packets 7"
                        "; limit-bytes 1000");
    assert_int_equal(r->nsensors, 2);
    assert_string_equal(r->sensors[0], "beta");
    assert_string_equal(r->sensors[1], "gamma");
    assert_int_equal(r->limit_packets, 7);
    assert_int_equal(r->limit_bytes, 1000);

    docket_query_destroy(q);

    test_refused("form", "port=1&sensor=alpha,delta", "sensor", 6,
                 "known are: gamma, alpha, beta");
    test_refused("form", "port=1&limit-packets=010", "limit-packets", 0,
                 "\"010\"");
    test_refused("form", "port=1&limit-packets=-1", "limit-packets", 0,
                 "\"-1\"");
}


/* "a raw 5m ago returns an old result for ever" */

static void
test_fault_raw_ago_returns_an_old_result(void **state)
{
    int                   rc;
    docket_query_t       *q;
    docket_query_conf_t   later;

    static const char     ask[] = "port 1 and after 5m ago";

    (void) state;

    q = test_ask("raw", ask);
    assert_int_equal(docket_query_result(q)->relative, 1);
    docket_query_destroy(q);

    later = test_conf;
    later.now += 29 * DOCKET_SECOND;
    q = test_ask_n(&later, "raw", ask, strlen(ask), &rc);
    assert_int_equal(rc, DOCKET_OK);
    assert_string_equal(docket_query_result(q)->text,
                        "port 1 and after 2018-01-10T22:10:00Z "
                        "and before 2018-01-10T22:16:00Z");
    docket_query_destroy(q);

    later.now += DOCKET_SECOND;
    q = test_ask_n(&later, "raw", ask, strlen(ask), &rc);
    assert_int_equal(rc, DOCKET_OK);
    assert_string_equal(docket_query_result(q)->text,
                        "port 1 and after 2018-01-10T22:11:00Z "
                        "and before 2018-01-10T22:17:00Z");
    docket_query_destroy(q);
}


/* Stenographer's own: "an unknown token after a complete term ends the query
   silently" */

static void
test_fault_unknown_token_ends_the_query(void **state)
{
    (void) state;

    test_refused("raw", "udp not icmp", "", 4, "use \"filter\"");
    test_refused("raw", "host 1.2.3.4 src port 9", "", 13, "\"src\"");
    test_refused("raw", "udp; rm", "", 3, "\";\"");
    test_refused("raw", "udp icmp", "", 4, "'and', 'or' or the end");
    test_terms("raw", "HOST FE80::1 AND Port 9 Or tcp",
               "(host fe80::1 and port 9) or tcp");
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_fault_raw_get_and_post_with_query_crash),
        cmocka_unit_test(test_fault_raw_body_is_mangled_by_form_decoding),
        cmocka_unit_test(test_fault_query_of_stenoread_is_not_found),
        cmocka_unit_test(test_fault_proto_in_a_uri_crashes),
        cmocka_unit_test(test_fault_ignore_weight_is_dropped_or_false_is_true),
        cmocka_unit_test(test_fault_milliseconds_read_as_minutes),
        cmocka_unit_test(test_fault_bare_year_reads_as_seconds),
        cmocka_unit_test(test_fault_offsets_are_dropped),
        cmocka_unit_test(test_fault_edge_lengths_are_refused),
        cmocka_unit_test(test_fault_dotted_mask_is_passed_on),
        cmocka_unit_test(test_fault_addresses_are_not_normalised),
        cmocka_unit_test(test_fault_after_later_than_before_passes),
        cmocka_unit_test(test_fault_time_goes_last_to_a_sensor),
        cmocka_unit_test(test_fault_range_is_not_what_was_asked),
        cmocka_unit_test(test_fault_before_gets_one_window_more),
        cmocka_unit_test(test_fault_sensors_and_limits_are_ignored),
        cmocka_unit_test(test_fault_raw_ago_returns_an_old_result),
        cmocka_unit_test(test_fault_unknown_token_ends_the_query)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
