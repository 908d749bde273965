/*
 * Questions: forms, canonical text, id, refusals.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "query/docket_query.h"


#define NOW  (1515622335LL * DOCKET_SECOND)   /* 2018-01-10T22:12:15Z */

static const char *const  sensors[] = { "alpha", "beta", "gamma" };

static docket_query_conf_t  conf = {
    NOW, 60 * DOCKET_SECOND, 86400 * DOCKET_SECOND, sensors, 3, NULL
};

typedef int (*reader_pt)(docket_query_t *q, const char *s, size_t len);

static char  text[DOCKET_MAX_TEXT * 2];
static char  id[DOCKET_ID_LEN + 1];
static docket_query_error_t  error;


static int
ask(reader_pt reader, const char *s)
{
    int              rc;
    docket_query_t  *q;

    q = docket_query_create(&conf);
    assert_non_null(q);

    rc = reader(q, s, strlen(s));

    if (rc == DOCKET_OK) {
        rc = docket_query_finish(q);
    }

    if (rc == DOCKET_OK) {
        strcpy(text, docket_query_result(q)->text);
        strcpy(id, docket_query_result(q)->id);

    } else {
        error = *docket_query_error(q);
    }

    docket_query_destroy(q);

    return rc;
}


#define RANGE  "after 2018-01-10T22:10:00Z and before 2018-01-10T22:12:00Z"
#define TIMES  "/after/2018-01-10T22:10:00Z/before/2018-01-10T22:12:00Z"


/* the id that the original gives to this question */

static void
test_original_id(void **state)
{
    (void) state;

    assert_int_equal(ask(docket_query_read_uri, "port/21" TIMES), 0);
    assert_string_equal(text, "port 21 and " RANGE);
    assert_string_equal(id, "10a53543eb90f99251add6c9d5dd664c");
}


static void
test_forms_meet(void **state)
{
    size_t  i;

    static const struct {
        reader_pt    reader;
        const char  *s;
    } forms[] = {
        { docket_query_read_uri, "port/21" TIMES "/" },
        { docket_query_read_uri, "PORT/21/after/2018-01-10T22:10:31Z/before/"
                                 "2018-01-10T22:11:59.5Z" },
        { docket_query_read_uri, "port/21/after/2018-01-11T05:10:00+07:00/"
                                 "before/2018-01-11T05%3A12%3A00%2B07%3A00" },
        { docket_query_read_form, "port=21&after=2018-01-10T22:10:00Z&before="
                                  "2018-01-11T05:12:00+07:00&host=" },
        { docket_query_read_json, "{\"port\":21,\"after\":\"2018-01-10T22:10:00\""
                                  ",\"before-ago\":\"1m\"}" },
        { docket_query_read_json, "{\"port\":[\"21\",21],\"after_ago\":\"2m15s\""
                                  ",\"before\":\"1m ago\"}" },
        { docket_query_read_raw, "port 21 and " RANGE },
        { docket_query_read_raw, "after 2018-01-10T22:10:00Z && (PORT 21 AND "
                                 "before 1m ago)" },
        { docket_query_read_form, "query=port+21+%26%26+" "after+"
                                  "2018-01-10T22:10:00Z&before=15s" },
    };

    (void) state;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (ask(forms[i].reader, forms[i].s) != 0) {
            fail_msg("%s: %s", forms[i].s, error.detail);
        }

        if (strcmp(text, "port 21 and " RANGE) != 0) {
            fail_msg("%s: %s", forms[i].s, text);
        }

        assert_string_equal(id, "10a53543eb90f99251add6c9d5dd664c");
    }
}


static void
test_canonical(void **state)
{
    size_t  i;
    char    want[512], again[512];

    static const struct {
        reader_pt    reader;
        const char  *s;
        const char  *terms;
    } vectors[] = {
        { docket_query_read_uri, "host/10.0.0.9/host/::ffff:10.0.0.1/port/443/"
                                 "port/80/tcp" TIMES,
          "host 10.0.0.1 and host 10.0.0.9 and port 80 and port 443 and tcp" },
        { docket_query_read_uri, "net/10.1.2.3/8/udp" TIMES,
          "net 10.0.0.0/8 and udp" },
        { docket_query_read_uri, "net/10.1.2.3%2F255.255.0.0" TIMES,
          "net 10.1.0.0/16" },
        { docket_query_read_uri, "proto/6" TIMES, "tcp" },
        { docket_query_read_uri, "proto-name/icmp/proto/58" TIMES,
          "icmp and ip proto 58" },
        { docket_query_read_uri, "net/::/0" TIMES, "net ::/0" },
        { docket_query_read_uri, "host/2001:DB8:0:0::1/vlan/7/mpls/9" TIMES,
          "host 2001:db8::1 and vlan 7 and mpls 9" },
        { docket_query_read_uri, "host/1.1.1.1/port/53/or/host/1.1.1.2" TIMES,
          "(host 1.1.1.1 and port 53) or host 1.1.1.2" },
        { docket_query_read_raw, RANGE " and (host 1.1.1.1 or host 1.1.1.2 and "
                                 "port 5)",
          "port 5 and (host 1.1.1.1 or host 1.1.1.2)" },
        { docket_query_read_raw, RANGE " and net 10.0.0.0 mask 255.0.0.0 and "
                                 "((ip proto 17))", "net 10.0.0.0/8 and udp" },
        { docket_query_read_json, "{\"any\":[{\"host\":\"1.1.1.2\"},{\"host\":"
                                  "\"1.1.1.1\",\"port\":53}],\"tcp\":true,"
                                  "\"after\":\"2018-01-10T22:10:00Z\","
                                  "\"before\":\"2018-01-10T22:12:00Z\"}",
          "tcp and ((host 1.1.1.1 and port 53) or host 1.1.1.2)" },
        { docket_query_read_raw, RANGE, "" },
    };

    (void) state;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {

        if (ask(vectors[i].reader, vectors[i].s) != 0) {
            fail_msg("%s: %s", vectors[i].s, error.detail);
        }

        if (strstr(vectors[i].terms, " or ") != NULL
            && strstr(vectors[i].terms, " and (") == NULL)
        {
            snprintf(want, sizeof(want), "(%s) and " RANGE, vectors[i].terms);

        } else {
            snprintf(want, sizeof(want), "%s%s" RANGE, vectors[i].terms,
                     *vectors[i].terms ? " and " : "");
        }

        assert_string_equal(text, want);

        /* canonicalising twice changes nothing */

        strcpy(again, text);
        assert_int_equal(ask(docket_query_read_raw, again), 0);
        assert_string_equal(text, want);
    }
}


static void
test_refused(void **state)
{
    size_t  i;

    static const struct {
        reader_pt    reader;
        const char  *s;
        const char  *field;
        long         position;
    } vectors[] = {
        { docket_query_read_raw, "port=80", "query", 0 },
        { docket_query_read_raw, "host 1.2.3.4 AND prt 9", "query", 17 },
        { docket_query_read_raw, "udp not icmp", "query", 4 },
        { docket_query_read_raw, "host 1.2.3.4 src port 9", "query", 13 },
        { docket_query_read_raw, "udp; rm", "query", 0 },
        { docket_query_read_raw, "(host 1.2.3.4", "query", 13 },
        { docket_query_read_raw, "after 5m", "query", 6 },
        { docket_query_read_raw, "net 10.0.0.0 mask 255.0.255.0", "query", 4 },
        { docket_query_read_raw, "", "query", 0 },
        { docket_query_read_uri, "host/1.2.3", "host", 5 },
        { docket_query_read_uri, "port/65536", "port", 5 },
        { docket_query_read_uri, "port/010", "port", 5 },
        { docket_query_read_uri, "port", "", 0 },
        { docket_query_read_uri, "hots/1.2.3.4", "", 0 },
        { docket_query_read_uri, "host/1.2.3.4//port/1", "", 13 },
        { docket_query_read_uri, "host/1.2.3.4/or", "", 15 },
        { docket_query_read_uri, "port/1/after/5", "after", 13 },
        { docket_query_read_uri, "port/1/after/2017", "after", 13 },
        { docket_query_read_uri, "port/1/after/1m/before/5m", "before", -1 },
        { docket_query_read_uri, "port/1/sensor/delta", "sensor", 14 },
        { docket_query_read_uri, "port/1/ignore-weight/maybe", "ignore-weight",
          21 },
        { docket_query_read_uri, "port/1%00", "", 6 },
        { docket_query_read_uri, "", "", -1 },
        { docket_query_read_form, "limit-packets=-1", "limit-packets", 0 },
        { docket_query_read_json, "{\"port\":80", "", -1 },
        { docket_query_read_json, "[1]", "", -1 },
        { docket_query_read_json, "{\"any\":[{}]}", "any", -1 },
        { docket_query_read_json, "{\"port\":{}}", "port", -1 },
    };

    (void) state;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {

        if (ask(vectors[i].reader, vectors[i].s) == 0) {
            fail_msg("taken: %s", vectors[i].s);
        }

        if (strcmp(error.field, vectors[i].field) != 0
            || error.position != vectors[i].position || error.status != 400
            || error.detail[0] == '\0')
        {
            fail_msg("%s: %s@%ld: %s", vectors[i].s, error.field,
                     error.position, error.detail);
        }
    }
}


static void
test_options(void **state)
{
    (void) state;

    assert_int_equal(ask(docket_query_read_uri, "port/21" TIMES "/sensor/gamma,"
                         "alpha/limit-packets/10/limit-bytes/20/filter/"
                         "tcp%5B13%5D%20%26%202%20!=%200"), 0);
    assert_string_equal(text, "port 21 and " RANGE "; sensors alpha,gamma; "
                        "limit-packets 10; limit-bytes 20; filter tcp[13] & 2 "
                        "!= 0");
}


static void
test_durations(void **state)
{
    size_t   i;
    int64_t  us;

    static const struct {
        const char  *s;
        int64_t      us;                  /* -1: refused */
    } vectors[] = {
        { "5ms", 5000 }, { "5m", 300 * DOCKET_SECOND }, { "7us", 7 },
        { "3h30m", 12600 * DOCKET_SECOND }, { "3.5h", 12600 * DOCKET_SECOND },
        { "3h30", 12600 * DOCKET_SECOND }, { "1w", 604800 * DOCKET_SECOND },
        { "5", -1 }, { "", -1 }, { "m", -1 }, { "5x", -1 }, { "-5m", -1 },
        { "5 m", -1 },
    };

    (void) state;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        us = -1;

        if (docket_parse_duration(vectors[i].s, strlen(vectors[i].s), &us) != 0)
        {
            us = -1;
        }

        if (us != vectors[i].us) {
            fail_msg("%s: %lld", vectors[i].s, (long long) us);
        }
    }
}


static void
test_weight(void **state)
{
    static docket_weight_t  w = {
        5e12, 8, 22e6, 50, 2, 100, 1
    };

    (void) state;

    conf.weight = &w;

    /* 5 TB in 8 hours: a host and a port for ten minutes is 20.8 MB */

    assert_int_equal(ask(docket_query_read_uri, "host/1.1.1.1/port/80/after/"
                         "2018-01-10T22:00:00Z/before/2018-01-10T22:10:00Z"),
                     0);
    assert_int_equal(ask(docket_query_read_uri, "host/1.1.1.1/port/80/after/"
                         "2018-01-10T22:00:00Z/before/2018-01-10T22:11:00Z"),
                     -1);
    assert_int_equal(error.status, 413);
    assert_int_equal(ask(docket_query_read_uri, "tcp/ignore-weight/true"), 0);
    assert_int_equal(ask(docket_query_read_uri, "tcp/ignore-weight/false"), -1);

    /* a union adds, an intersection divides */

    assert_int_equal(ask(docket_query_read_raw, "host 1.1.1.1 and port 80 and "
                         "after 2018-01-10T22:00:00Z and before "
                         "2018-01-10T22:05:00Z"), 0);
    assert_int_equal(ask(docket_query_read_raw, "host 1.1.1.1 or host 2.2.2.2 "
                         "and port 80 and after 2018-01-10T22:00:00Z and "
                         "before 2018-01-10T22:08:00Z"), -1);

    conf.weight = NULL;
}


static void
test_search(void **state)
{
    docket_query_t  *q;

    static const char  job[] = "host 1.1.1.1 and port 21 and " RANGE
                               "; filter host 9.9.9.9";

    (void) state;

    q = docket_query_create(&conf);
    assert_non_null(q);
    assert_int_equal(docket_query_set(q, "host", "1.1.1.1", 7), 0);
    assert_int_equal(docket_query_finish_search(q), 0);
    assert_int_equal(docket_query_matches(q, job, strlen(job), 1, 2), 1);
    docket_query_destroy(q);

    q = docket_query_create(&conf);
    assert_non_null(q);
    assert_int_equal(docket_query_set(q, "host", "9.9.9.9", 7), 0);
    assert_int_equal(docket_query_finish_search(q), 0);
    assert_int_equal(docket_query_matches(q, job, strlen(job), 1, 2), 0);
    docket_query_destroy(q);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_original_id),
        cmocka_unit_test(test_forms_meet),
        cmocka_unit_test(test_canonical),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_weight),
        cmocka_unit_test(test_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
