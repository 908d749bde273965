/*
 * Finding jobs by their canonical texts.
 */

#include "test_query.h"


#define TEST_TEXT                                                             \
    "host 1.2.3.4 and port 8080 and tcp and (port 1 or vlan 12) and "         \
    "after 2018-01-10T22:10:00Z and before 2018-01-10T22:12:00Z"
#define TEST_AFTER   (1515622200 * DOCKET_SECOND)
#define TEST_BEFORE  (1515622320 * DOCKET_SECOND)


static int
test_find(const char *form, const char *text)
{
    int              found;
    docket_query_t  *q;

    q = docket_query_create(&test_conf);
    assert_non_null(q);

    assert_int_equal(docket_query_set(q, "query", "", 0), DOCKET_OK);

    if (docket_query_read_form(q, form, strlen(form)) != DOCKET_OK
        || docket_query_finish_search(q) != DOCKET_OK)
    {
        fail_msg("%s: %s", form, docket_query_error(q)->detail);
    }

    found = docket_query_matches(q, text, strlen(text), TEST_AFTER,
                                 TEST_BEFORE);
    docket_query_destroy(q);

    return found;
}


static void
test_terms_stand_in_the_text(void **state)
{
    (void) state;

    assert_true(test_find("", TEST_TEXT));
    assert_true(test_find("host=1.2.3.4", TEST_TEXT));
    assert_true(test_find("port=8080&proto=6", TEST_TEXT));
    assert_true(test_find("port=1", TEST_TEXT));
    assert_true(test_find("vlan=12", TEST_TEXT));
    assert_true(test_find("query=vlan+12+or+port+1", TEST_TEXT));

    assert_false(test_find("host=1.2.3.40", TEST_TEXT));
    assert_false(test_find("host=2.3.4.0", TEST_TEXT));
    assert_false(test_find("port=80", TEST_TEXT));
    assert_false(test_find("vlan=1", TEST_TEXT));
    assert_false(test_find("port=8080&proto=17", TEST_TEXT));
    assert_false(test_find("host=1.2.3.4", "port 80 and " TEST_RANGE
                           "; filter host 1.2.3.4"));
    assert_false(test_find("host=1.2.3.4", ""));
}


static void
test_ranges_overlap(void **state)
{
    (void) state;

    assert_true(test_find("after=2018-01-10T22:11:59Z", TEST_TEXT));
    assert_false(test_find("after=2018-01-10T22:12:00Z", TEST_TEXT));
    assert_true(test_find("before=2018-01-10T22:10:01Z", TEST_TEXT));
    assert_false(test_find("before=2018-01-10T22:10:00Z", TEST_TEXT));
    assert_true(test_find("after=6m", TEST_TEXT));
    assert_false(test_find("after=3m", TEST_TEXT));
    assert_true(test_find("after=2018-01-01&before=2018-02-01&port=1",
                          TEST_TEXT));
}


static void
test_options_are_found(void **state)
{
    const char  *text;

    (void) state;

    text = TEST_TEXT "; sensors alpha,gamma; limit-packets 5; limit-bytes 70"
                     "; filter tcp; limit-packets 6";

    assert_true(test_find("sensor=alpha", text));
    assert_true(test_find("sensor=gamma,alpha", text));
    assert_false(test_find("sensor=alpha,beta", text));
    assert_true(test_find("limit-packets=5&limit-bytes=70", text));
    assert_false(test_find("limit-packets=6", text));
    assert_false(test_find("limit-bytes=7", text));
    assert_true(test_find("filter=tcp%3B+limit-packets+6", text));
    assert_false(test_find("filter=tcp", text));

    assert_false(test_find("sensor=beta", TEST_TEXT "; sensors alpha-beta"));
    assert_false(test_find("sensor=beta", TEST_TEXT "; sensors beta-2"));

    /* without a choice all were asked */

    assert_true(test_find("sensor=beta", TEST_TEXT));
    assert_true(test_find("sensor=beta&limit-bytes=7",
                          TEST_TEXT "; limit-bytes 7"));
    assert_false(test_find("limit-bytes=7", TEST_TEXT));
    assert_false(test_find("filter=tcp", TEST_TEXT));
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_terms_stand_in_the_text),
        cmocka_unit_test(test_ranges_overlap),
        cmocka_unit_test(test_options_are_found)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
