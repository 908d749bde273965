#include "test_query.h"


static int64_t
test_duration(const char *s)
{
    int64_t  us;

    if (docket_parse_duration(s, strlen(s), &us) != DOCKET_OK) {
        return -1;
    }

    return us;
}


static int64_t
test_time(const char *s)
{
    int64_t  us;

    if (docket_parse_time(s, strlen(s), &us) != DOCKET_OK) {
        return -1;
    }

    return us;
}


static void
test_durations(void **state)
{
    (void) state;

    assert_int_equal(test_duration("7us"), 7);
    assert_int_equal(test_duration("5ms"), 5000);
    assert_int_equal(test_duration("90s"), 90 * DOCKET_SECOND);
    assert_int_equal(test_duration("5m"), 300 * DOCKET_SECOND);
    assert_int_equal(test_duration("1d"), 86400 * DOCKET_SECOND);
    assert_int_equal(test_duration("2w"), 14 * 86400 * DOCKET_SECOND);
    assert_int_equal(test_duration("3h30m"), 12600 * DOCKET_SECOND);
    assert_int_equal(test_duration("3.5h"), 12600 * DOCKET_SECOND);
    assert_int_equal(test_duration("3h30"), 12600 * DOCKET_SECOND);
    assert_int_equal(test_duration("1d12"), 36 * 3600 * DOCKET_SECOND);
    assert_int_equal(test_duration("1h2m3s4ms5us"),
                     3723 * DOCKET_SECOND + 4005);
    assert_int_equal(test_duration("0.000001s"), 1);
    assert_int_equal(test_duration(".5m"), 30 * DOCKET_SECOND);
    assert_int_equal(test_duration("0s"), 0);
}


static void
test_durations_refused(void **state)
{
    size_t  i;

    static const char *const  bad[] = {
        "", "5", "2018", "m", "5x", "5M", "5 m", " 5m", "5m ", "-5m", "+5m",
        "5mm", "5m-", "3ms30", "3us1", "3s5", "1.h", "1..5h", "1.5.5h", ".h",
        "1e3s", "5m ago", "5min", "0x5m", "999999999999999999w",
        "9999999999999999999s", "10000y", "99999999999999999999999us"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (test_duration(bad[i]) != -1) {
            fail_msg("\"%s\" is taken", bad[i]);
        }
    }
}


static void
test_times(void **state)
{
    (void) state;

    assert_int_equal(test_time("1970-01-01"), 0);
    assert_int_equal(test_time("2017-04-30"), 1493510400 * DOCKET_SECOND);
    assert_int_equal(test_time("2017-04-30T13:26:43"),
                     1493558803 * DOCKET_SECOND);
    assert_int_equal(test_time("2017-04-30T13:26:43Z"),
                     1493558803 * DOCKET_SECOND);
    assert_int_equal(test_time("2017-04-30t13:26:43z"),
                     1493558803 * DOCKET_SECOND);
    assert_int_equal(test_time("2017-04-30T13:26:43.25Z"),
                     1493558803 * DOCKET_SECOND + 250000);
    assert_int_equal(test_time("2017-04-30T13:26:43+07:00"),
                     (1493558803 - 7 * 3600) * DOCKET_SECOND);
    assert_int_equal(test_time("2017-04-30T13:26:43.5-03:30"),
                     (1493558803 + 12600) * DOCKET_SECOND + 500000);
    assert_int_equal(test_time("2016-02-29"), 1456704000 * DOCKET_SECOND);
    assert_int_equal(test_time("2000-02-29"), 951782400 * DOCKET_SECOND);
    assert_int_equal(test_time("9999-12-31T23:59:59Z"),
                     253402300799 * DOCKET_SECOND);

    /* a leap second */
    assert_int_equal(test_time("2016-12-31T23:59:60Z"),
                     1483228799 * DOCKET_SECOND);
    assert_int_equal(test_time("2017-01-01T05:29:60.5+05:30"),
                     1483228799 * DOCKET_SECOND + 500000);
    assert_int_equal(test_time("2016-12-31T23:59:60.9999999Z"),
                     1483228800 * DOCKET_SECOND);

    /* packets have microseconds: what is finer parts them at the next one */
    assert_int_equal(test_time("1970-01-01T00:00:00.0000001Z"), 1);
    assert_int_equal(test_time("1970-01-01T00:00:00.0000010Z"), 1);
}


static void
test_times_refused(void **state)
{
    size_t  i;

    static const char *const  bad[] = {
        "", "2018", "2018-01", "2018-1-1", "2018-13-01", "2018-00-01",
        "2018-01-00", "2018-01-32", "2018-04-31", "2017-02-29", "1900-02-29",
        "1969-12-31", "1970-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01", "2018-01-01T", "2018-01-01T1:00:00",
        "2018-01-01T24:00:00", "2018-01-01T00:60:00", "2018-01-01T00:00:60",
        "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z",
        "1970-01-01T00:59:60+01:00",
        "2018-01-01T00:00", "2018-01-01 00:00:00", "2018-01-01T00:00:00.",
        "2018-01-01T00:00:00.Z", "2018-01-01T00:00:00+7",
        "2018-01-01T00:00:00+0700", "2018-01-01T00:00:00+24:00",
        "2018-01-01T00:00:00+07:60", "2018-01-01T00:00:00Zx",
        "2018-01-01Z", "20180101", "2018/01/01", "12018-01-01", "-018-01-01"
    };

    (void) state;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (test_time(bad[i]) != -1) {
            fail_msg("\"%s\" is taken", bad[i]);
        }
    }
}


static void
test_format(void **state)
{
    char  buf[DOCKET_TIME_LEN];

    (void) state;

    assert_int_equal(docket_format_time(buf, 0), 20);
    assert_string_equal(buf, "1970-01-01T00:00:00Z");

    assert_int_equal(docket_format_time(buf, 1515622530500000), 27);
    assert_string_equal(buf, "2018-01-10T22:15:30.500000Z");

    (void) docket_format_time(buf, INT64_MAX);
    assert_string_equal(buf, "9999-12-31T23:59:59.999999Z");

    (void) docket_format_time(buf, INT64_MIN);
    assert_string_equal(buf, "1970-01-01T00:00:00Z");
}


static void
test_every_day_reads_as_it_is_written(void **state)
{
    char     buf[DOCKET_TIME_LEN];
    size_t   len;
    int64_t  day, us, got;

    (void) state;

    for (day = 0; day < 2932896; day += 11) {
        us = day * 86400 * DOCKET_SECOND + (day % 86400) * DOCKET_SECOND
             + day % 3;
        len = docket_format_time(buf, us);

        assert_int_equal(docket_parse_time(buf, len, &got), DOCKET_OK);
        assert_int_equal(got, us);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_durations_refused),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_times_refused),
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_every_day_reads_as_it_is_written)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
