/*
 * The guard against a fat finger: total / hours, times the range, divided by
 * what the terms select.
 */

#include <math.h>

#include "test_query.h"


/* 3,600,000 bytes an hour: 1,000 for each second */

static docket_weight_t  test_weight = { 3600000, 1, 60000, 50, 2, 100, 1 };


static double
test_weigh(const char *form, const char *s)
{
    int                   rc;
    double                weight;
    docket_query_t       *q;
    docket_query_conf_t   conf;

    conf = test_conf;
    conf.weight = &test_weight;

    q = test_ask_n(&conf, form, s, strlen(s), &rc);
    weight = docket_query_result(q)->weight;
    docket_query_destroy(q);

    return weight;
}


#define TEST_MINUTE                                                           \
    "after 2018-01-10T22:00:00Z and before 2018-01-10T22:01:00Z"

#define test_part(s, part)                                                    \
    assert_true(fabs(test_weigh("raw", TEST_MINUTE " and (" s ")")            \
                     - 60000 * (part)) < 0.001)


static void
test_terms_divide(void **state)
{
    (void) state;

    assert_true(fabs(test_weigh("raw", TEST_MINUTE) - 60000) < 0.001);

    test_part("host 1.2.3.4", 1. / 50);
    test_part("host 1.2.3.4 and host 1.2.3.5", 1. / 100);
    test_part("net 10.0.0.0/8", 1. / 2);
    test_part("port 80", 1. / 100);
    test_part("port 80 and port 443", 1. / 200);
    test_part("host 1.2.3.4 and net 10.0.0.0/8 and port 80", 1. / (52 * 100));
    test_part("tcp and vlan 5 and mpls 7", 1.);
    test_part("tcp and port 80", 1. / 100);
}


static void
test_union_adds_and_intersection_divides(void **state)
{
    (void) state;

    test_part("port 80 or port 443", 2. / 100);
    test_part("host 1.2.3.4 or net 10.0.0.0/8", 1. / 50 + 1. / 2);
    test_part("tcp or udp", 1.);
    test_part("tcp or port 80", 1.);
    test_part("port 80 and (host 1.2.3.4 or host 1.2.3.5)", 2. / 50 / 100);
    test_part("(host 1.2.3.4 and port 80) or udp and host 1.2.3.5", 1. / 50);
    test_part("(port 1 or port 2) and (port 3 or port 4)", 0.02 * 0.02);
    test_part("net 1.0.0.0/8 or net 2.0.0.0/8 or net 3.0.0.0/8", 1.);
}


static void
test_too_heavy(void **state)
{
    int                          rc;
    size_t                       i;
    docket_query_t              *q;
    docket_query_conf_t          conf;
    const docket_query_error_t  *e;

    static const struct {
        const char  *ask;
        int          override;
        int          taken;
    } t[] = {
        { "proto=6&after=15m&before=13m", 1, 0 },
        { "proto=6&after=15m&before=13m&ignore-weight=false", 1, 0 },
        { "proto=6&after=15m&before=13m&ignore-weight=true", 1, 1 },
        { "proto=6&after=15m&before=13m&ignore-weight=true", 0, 0 }
    };

    (void) state;

    conf = test_conf;
    conf.weight = &test_weight;

    for (i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
        test_weight.override = t[i].override;

        q = test_ask_n(&conf, "form", t[i].ask, strlen(t[i].ask), &rc);
        e = docket_query_error(q);

        if (t[i].taken) {
            assert_int_equal(rc, DOCKET_OK);
            assert_true(docket_query_result(q)->weight > 120000);

        } else {
            assert_int_equal(rc, DOCKET_ERROR);
            assert_int_equal(e->status, 413);
            assert_non_null(strstr(e->detail, "180000 bytes"));
            assert_non_null(strstr(e->detail, "60000 are"));
            assert_int_equal(strstr(e->detail, "ignore-weight") != NULL,
                             t[i].override);
        }

        docket_query_destroy(q);
    }

    test_weight.override = 1;

    /* at the threshold it passes */

    q = test_ask_n(&conf, "raw", TEST_MINUTE, strlen(TEST_MINUTE), &rc);
    assert_int_equal(rc, DOCKET_OK);
    docket_query_destroy(q);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_terms_divide),
        cmocka_unit_test(test_union_adds_and_intersection_divides),
        cmocka_unit_test(test_too_heavy)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
