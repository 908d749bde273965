/*
 * The record of a job and its JSON.
 */

#include "test_job.h"


static char *
test_print(const docket_job_t *job, size_t *len)
{
    char  *json;

    test_ok(docket_job_print(job, &json, len));
    assert_int_equal(strlen(json), *len);

    return json;
}


static docket_job_t *
test_parse(const char *json, size_t len)
{
    char           err[256] = "";
    docket_job_t  *job;

    job = docket_job_parse(json, len, err, sizeof(err));
    if (job == NULL) {
        fail_msg("%s", err);
    }

    return job;
}


/* The text with the first "from" replaced; "from" must be there. */

static char *
test_replace(const char *json, const char *from, const char *to)
{
    char        *s;
    const char  *at;

    at = strstr(json, from);
    if (at == NULL) {
        fail_msg("no %s in the record", from);
    }

    s = malloc(strlen(json) + strlen(to) + 1);
    assert_non_null(s);

    sprintf(s, "%.*s%s%s", (int) (at - json), json, to, at + strlen(from));

    return s;
}


/* Refused, with words that hold "words". */

static void
test_refused(const char *json, size_t len, const char *words)
{
    char           err[256] = "";
    docket_job_t  *job;

    errno = 0;
    job = docket_job_parse(json, len, err, sizeof(err));

    if (job != NULL || errno != EBADMSG || strstr(err, words) == NULL) {
        fail_msg("taken, or for another reason than \"%s\": \"%s\"", words,
                 err);
    }
}


static void
test_round_trip(void **state)
{
    char          *json, *json2;
    size_t         len, len2;
    docket_job_t  *job, *copy;

    (void) state;

    job = test_job_full();
    json = test_print(job, &len);
    copy = test_parse(json, len);
    test_job_equal(job, copy);

    json2 = test_print(copy, &len2);
    assert_string_equal(json, json2);

    docket_job_destroy(job);
    docket_job_destroy(copy);
    free(json);
    free(json2);

    job = test_job_plain();
    json = test_print(job, &len);
    copy = test_parse(json, len);
    test_job_equal(job, copy);

    docket_job_destroy(job);
    docket_job_destroy(copy);
    free(json);
}


static void
test_text(void **state)
{
    char          *json;
    size_t         len;
    docket_job_t  *job;

    (void) state;

    job = test_job_plain();
    test_ok(docket_job_asked(job, "192.0.2.1", "", "", TEST_NOW));
    assert_non_null(docket_job_request(job, "s1", 1));
    docket_job_request(job, "s1", 0)->state = DOCKET_SENSOR_EMPTY;
    job->capture_run = job->run = 1;
    job->bytes = 24;
    job->empty = 1;
    job->started = TEST_NOW;

    json = test_print(job, &len);

    assert_string_equal(json,
        "{\"version\":1,\"id\":\"" TEST_ID "\",\"state\":\"Created\","
        "\"query\":\"port 21 and after 2018-01-10T22:10:00Z"
        " and before 2018-01-10T22:12:00Z\","
        "\"after\":\"2018-01-10T22:10:00Z\","
        "\"before\":\"2018-01-10T22:12:00Z\",\"exact\":true,"
        "\"terms\":\"port 21\",\"run\":1,"
        "\"created\":\"2018-01-10T22:20:00Z\","
        "\"requested\":\"2018-01-10T22:20:00Z\","
        "\"started\":\"2018-01-10T22:20:00Z\",\"finished\":null,"
        "\"settled\":false,\"settles_at\":null,\"partial\":false,"
        "\"truncated\":false,\"empty\":true,\"reason\":null,"
        "\"capture\":{\"run\":1,\"packets\":0,\"bytes\":24,\"first\":null,"
        "\"last\":null},"
        "\"requests\":{\"s1\":{\"state\":\"Empty\",\"received\":0,"
        "\"packets\":0,\"bytes\":0,\"disordered\":0,\"slices\":0,"
        "\"slices_done\":0,\"attempts\":0,\"started\":null,"
        "\"finished\":null,\"error\":\"\",\"warning\":\"\"}},"
        "\"successes\":[\"s1\"],"
        "\"events\":[{\"datetime\":\"2018-01-10T22:20:00Z\","
        "\"name\":\"Created\",\"msg\":\"the query is queued\","
        "\"state\":\"Created\"}],"
        "\"askers\":[{\"address\":\"192.0.2.1\",\"user\":\"\","
        "\"subject\":\"\",\"first\":\"2018-01-10T22:20:00Z\","
        "\"last\":\"2018-01-10T22:20:00Z\",\"count\":1}],\"asked\":1}");

    free(json);
    docket_job_destroy(job);
}


static void
test_foreign_words(void **state)
{
    size_t             i, len;
    char              *json;
    docket_job_t      *job, *copy;
    docket_request_t  *rq;

    static const struct {
        const char  *in;
        const char  *out;
    } cases[] = {
        { "a\"b\\c/</script>", "a\"b\\c/</script>" },
        { "line\r\n\t\x01\x7f", "line?????" },
        { "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
          "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80" },
        { "\xff\xfe\x80", "???" },
        { "cut \xe2\x82", "cut ??" },
        { "cut \xe2\x82 here", "cut ?? here" },
        { "overlong \xc0\xaf \xe0\x80\xaf", "overlong ?? ???" },
        { "surrogate \xed\xa0\x80", "surrogate ???" },
        { "\xf4\x90\x80\x80 \xf5\x80", "???? ??" }
    };

    (void) state;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        job = test_job_plain();
        rq = docket_job_request(job, "s", 1);
        assert_non_null(rq);

        strcpy(rq->error, cases[i].in);
        strcpy(rq->warning, cases[i].in);
        test_ok(docket_job_reason(job, cases[i].in));
        test_ok(docket_job_event(job, DOCKET_CREATED, "x", cases[i].in, 1));
        test_ok(docket_job_asked(job, cases[i].in, cases[i].in, cases[i].in,
                                 1));

        json = test_print(job, &len);
        copy = test_parse(json, len);

        assert_string_equal(copy->requests[0].error, cases[i].out);
        assert_string_equal(copy->requests[0].warning, cases[i].out);
        assert_string_equal(copy->reason, cases[i].out);
        assert_string_equal(copy->events[1].msg, cases[i].out);
        assert_string_equal(copy->askers[0].addr, cases[i].out);
        assert_string_equal(copy->askers[0].user, cases[i].out);
        assert_string_equal(copy->askers[0].subject, cases[i].out);

        docket_job_destroy(job);
        docket_job_destroy(copy);
        free(json);
    }
}


/* The largest record that can be: it must be written and be read again. */

static void
test_worst(void **state)
{
    int                i;
    char              *json, name[80], words[4096];
    size_t             len;
    docket_job_t      *job, *copy;
    docket_request_t  *rq;

    (void) state;

    memset(words, '"', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';

    job = test_job_plain();
    test_ok(docket_job_reason(job, words));

    job->sensors = calloc(DOCKET_JOB_SENSORS, sizeof(char *));
    assert_non_null(job->sensors);
    job->requests = calloc(DOCKET_JOB_SENSORS, sizeof(docket_request_t));
    assert_non_null(job->requests);

    for (i = 0; i < DOCKET_JOB_SENSORS; i++) {
        snprintf(name, sizeof(name), "%0*d", DOCKET_MAX_SENSOR, i);

        job->sensors[i] = strdup(name);
        assert_non_null(job->sensors[i]);
        job->nsensors++;

        rq = &job->requests[job->nrequests++];
        strcpy(rq->name, name);
        rq->state = DOCKET_SENSOR_COMPLETE;
        rq->received = rq->packets = rq->bytes = UINT64_MAX;
        rq->disordered = UINT64_MAX;
        rq->slices = rq->slices_done = rq->attempts = UINT32_MAX;
        rq->started = rq->finished = INT64_MAX;
        memset(rq->error, '"', sizeof(rq->error) - 1);
        memset(rq->warning, '\\', sizeof(rq->warning) - 1);
    }

    assert_null(docket_job_request(job, "one-more", 1));

    for (i = 0; i < 2 * DOCKET_JOB_EVENTS; i++) {
        test_ok(docket_job_event(job, DOCKET_MERGING, words, words, i));
        test_ok(docket_job_asked(job, words, words, words + i, i));
    }

    json = test_print(job, &len);
    assert_true(len <= DOCKET_JOB_MAX_JSON);

    copy = test_parse(json, len);
    assert_int_equal(copy->nrequests, DOCKET_JOB_SENSORS);
    assert_int_equal(copy->nsensors, DOCKET_JOB_SENSORS);
    assert_string_equal(copy->requests[4095].error, rq->error);
    assert_int_equal(strlen(copy->reason), DOCKET_JOB_MAX_REASON);

    docket_job_destroy(job);
    docket_job_destroy(copy);
    free(json);
}


static void
test_not_printable(void **state)
{
    char          *json;
    size_t         len;
    docket_job_t  *job;

    (void) state;

    job = test_job_full();

    job->requests[1].state = 99;
    assert_int_equal(docket_job_print(job, &json, &len), DOCKET_ERROR);
    assert_null(json);
    job->requests[1].state = DOCKET_SENSOR_EMPTY;

    job->state = 99;
    assert_int_equal(docket_job_print(job, &json, &len), DOCKET_ERROR);
    job->state = DOCKET_CREATED;

    job->events[1].state = 99;
    assert_int_equal(docket_job_print(job, &json, &len), DOCKET_ERROR);
    job->events[1].state = DOCKET_CREATED;

    strcpy(job->requests[0].name, "zzz");
    assert_int_equal(docket_job_print(job, &json, &len), DOCKET_ERROR);
    strcpy(job->requests[0].name, "../x");
    assert_int_equal(docket_job_print(job, &json, &len), DOCKET_ERROR);
    strcpy(job->requests[0].name, "dmz-1");

    job->before = job->after;
    assert_int_equal(docket_job_print(job, &json, &len), DOCKET_ERROR);
    job->before = job->after + 1;

    test_ok(docket_job_print(job, &json, &len));
    free(json);

    docket_job_destroy(job);
}


static void
test_events(void **state)
{
    int            i;
    char           name[16];
    docket_job_t  *job;

    (void) state;

    job = test_job_plain();

    for (i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "%d", i);
        test_ok(docket_job_event(job, DOCKET_REQUESTING, name, name, i));
    }

    assert_int_equal(job->nevents, DOCKET_JOB_EVENTS);
    assert_string_equal(job->events[0].name, "Created");

    for (i = 1; i < DOCKET_JOB_EVENTS; i++) {
        snprintf(name, sizeof(name), "%d", 200 - DOCKET_JOB_EVENTS + i);
        assert_string_equal(job->events[i].name, name);
    }

    assert_int_equal(job->state, DOCKET_REQUESTING);

    docket_job_destroy(job);
}


static void
test_askers(void **state)
{
    int            i;
    char           name[16];
    docket_job_t  *job;

    (void) state;

    job = test_job_plain();

    for (i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        test_ok(docket_job_asked(job, "192.0.2.1", name, NULL, 1000 + i));
        test_ok(docket_job_asked(job, "192.0.2.1", "u1", NULL, 1000 + i));
    }

    assert_int_equal(job->asked, 200);
    assert_int_equal(job->naskers, DOCKET_JOB_ASKERS);
    assert_string_equal(job->askers[0].user, "u0");

    /* who asks again and again is not pushed out */
    assert_string_equal(job->askers[1].user, "u1");
    assert_int_equal(job->askers[1].count, 101);
    assert_int_equal(job->askers[1].first, 1000);
    assert_int_equal(job->askers[1].last, 1099);

    assert_string_equal(job->askers[2].user, "u70");
    assert_string_equal(job->askers[DOCKET_JOB_ASKERS - 1].user, "u99");

    docket_job_destroy(job);
}


static void
test_requests(void **state)
{
    size_t         i;
    docket_job_t  *job;

    (void) state;

    job = test_job_plain();

    assert_null(docket_job_request(job, "b", 0));
    assert_non_null(docket_job_request(job, "b", 1));
    assert_non_null(docket_job_request(job, "c", 1));
    assert_non_null(docket_job_request(job, "a", 1));
    assert_non_null(docket_job_request(job, "B", 1));
    assert_non_null(docket_job_request(job, "b", 1));
    assert_int_equal(job->nrequests, 4);

    for (i = 1; i < job->nrequests; i++) {
        assert_true(strcmp(job->requests[i - 1].name, job->requests[i].name)
                    < 0);
    }

    assert_string_equal(docket_job_request(job, "c", 0)->name, "c");

    assert_null(docket_job_request(job, "", 1));
    assert_null(docket_job_request(job, ".hidden", 1));
    assert_null(docket_job_request(job, "a/b", 1));
    assert_null(docket_job_request(job, "a b", 1));
    assert_null(docket_job_request(job, "caf\xc3\xa9", 1));
    assert_null(docket_job_request(job,
        "12345678901234567890123456789012345678901234567890123456789012345",
        1));

    docket_job_destroy(job);
}


static void
test_good(void **state)
{
    const char    *why;
    docket_job_t  *job;

    static const char  *sensors[] = { "s1", "s2", "s3" };

    (void) state;

    job = test_job_plain();
    docket_job_request(job, "s1", 1);
    docket_job_request(job, "s2", 1);
    docket_job_request(job, "s1", 0)->state = DOCKET_SENSOR_COMPLETE;
    docket_job_request(job, "s2", 0)->state = DOCKET_SENSOR_EMPTY;

    job->state = DOCKET_COMPLETED;
    job->capture_run = 1;
    job->settled = 1;

    assert_int_equal(docket_job_good(job, sensors, 2, &why), 1);
    assert_null(why);

    job->settled = 0;
    assert_int_equal(docket_job_good(job, sensors, 2, &why), 0);
    assert_string_equal(why, "unsettled");
    assert_int_equal(docket_job_whole(job, sensors, 2), 1);
    assert_int_equal(docket_job_whole(job, sensors, 3), 0);

    job->settled = 1;

    /* a limit of its own ends a question well, a full spool does not */

    job->truncated = 1;
    assert_int_equal(docket_job_good(job, sensors, 2, &why), 0);
    assert_string_equal(why, "truncated");

    job->limit_packets = 10;
    assert_int_equal(docket_job_reason(job, "limit-packets 10 reached"), 0);
    assert_int_equal(docket_job_good(job, sensors, 2, &why), 1);

    assert_int_equal(docket_job_reason(job, "x: " DOCKET_JOB_LOW_SPOOL), 0);
    assert_int_equal(docket_job_good(job, sensors, 2, &why), 0);
    assert_string_equal(why, "truncated");

    job->truncated = 0;

    assert_int_equal(docket_job_good(job, sensors, 3, &why), 0);
    assert_string_equal(why, "sensors");

    docket_job_request(job, "s2", 0)->state = DOCKET_SENSOR_PARTIAL;
    assert_int_equal(docket_job_good(job, sensors, 2, &why), 0);
    assert_string_equal(why, "sensors");

    job->partial = 1;
    assert_int_equal(docket_job_good(job, sensors, 1, &why), 0);
    assert_string_equal(why, "partial");

    job->settled = 0;
    assert_int_equal(docket_job_good(job, sensors, 1, &why), 0);
    assert_string_equal(why, "unsettled");
    assert_int_equal(docket_job_whole(job, sensors, 1), 0);

    job->capture_run = 0;
    assert_int_equal(docket_job_good(job, sensors, 1, &why), 0);
    assert_string_equal(why, "missing");

    job->state = DOCKET_CANCELLED;
    assert_int_equal(docket_job_good(job, sensors, 1, &why), 0);
    assert_string_equal(why, "failed");

    job->state = DOCKET_MERGING;
    assert_int_equal(docket_job_good(job, sensors, 1, &why), 0);
    assert_string_equal(why, "live");

    docket_job_destroy(job);
}


static void
test_names(void **state)
{
    (void) state;

    assert_string_equal(docket_state_name(DOCKET_CANCELLED), "Cancelled");
    assert_null(docket_state_name(DOCKET_CANCELLED + 1));
    assert_null(docket_state_name(-1));
    assert_string_equal(docket_sensor_state_name(DOCKET_SENSOR_COMPLETE),
                        "Request Complete");
    assert_null(docket_sensor_state_name(DOCKET_SENSOR_CANCELLED + 1));
    assert_null(docket_sensor_state_name(-1));
}


static void
test_hostile(void **state)
{
    char          *json, *s;
    size_t         i, len;
    docket_job_t  *job;

    static const struct {
        const char  *from;
        const char  *to;
        const char  *words;
    } cases[] = {
        { "\"version\":1", "\"version\":2", "version 2" },
        { "\"version\":1", "\"version\":\"1\"", "\"version\"" },
        { "\"version\":1,", "", "\"version\" is missing" },
        { "\"id\":\"10a5", "\"id\":\"10A5", "\"id\"" },
        { "\"id\":\"10a5", "\"id\":\"0a5", "\"id\"" },
        { "\"id\":\"10a5", "\"id\":\"../5", "\"id\"" },
        { "\"id\":\"" TEST_ID "\"", "\"id\":null", "\"id\"" },
        { "\"state\":\"Completed\"", "\"state\":\"Complete\"", "\"state\"" },
        { "\"state\":\"Completed\"", "\"state\":3", "\"state\"" },
        { "\"state\":\"Completed\"", "\"state\":\"Waiting\"", "\"state\"" },
        { "\"query\":\"host", "\"query\":\"\\u0000host", "\"query\"" },
        { "\"query\":\"host", "\"query\":\"\xff", "UTF8" },
        { "\"after\":\"2018", "\"after\":\"2019", "\"after\" is not" },
        { "\"after\":\"2018", "\"after\":\"", "\"after\"" },
        { "\"after\":\"2018-01-10T22:10:00Z\"", "\"after\":null",
          "\"after\"" },
        { "\"after\":\"2018-01-10T22:10:00Z\"", "\"after\":1515622200",
          "\"after\"" },
        { "\"exact\":false", "\"exact\":0", "\"exact\"" },
        { "\"exact\":false", "\"exact\":null", "\"exact\"" },
        { "\"exact\":false", "\"exact\":{}", "an object" },
        { "\"exact\":false", "\"exact\":[]", "an array" },
        { "\"exact\":false", "\"exact\":false,\"exact\":true", "twice" },
        { "\"sensors\":[\"dmz-1\"", "\"sensors\":[1", "\"sensors\"" },
        { "\"sensors\":[\"dmz-1\"", "\"sensors\":[\"..\"", "\"sensors\"" },
        { "\"sensors\":[\"dmz-1\"", "\"sensors\":[\"a/b\"", "\"sensors\"" },
        { "\"sensors\":[\"dmz-1\"", "\"sensors\":[[\"a\"]", "an array" },
        { "\"sensors\":[\"dmz-1\"", "\"sensors\":[{\"a\":1}", "an object" },
        { "\"sensors\":[\"dmz-1\",\"lab.2\"]", "\"sensors\":\"dmz-1\"",
          "\"sensors\"" },
        { "18446744073709551615", "18446744073709551616",
          "\"limit_packets\"" },
        { "18446744073709551615", "184467440737095516150",
          "\"limit_packets\"" },
        { "18446744073709551615", "-1", "\"limit_packets\"" },
        { "18446744073709551615", "1.5", "\"limit_packets\"" },
        { "18446744073709551615", "1e3", "\"limit_packets\"" },
        { "\"weight\":1", "\"weight\":-1", "\"weight\"" },
        { "\"weight\":123456789", "\"weight\":1e999", "" },
        { "\"run\":4294967295", "\"run\":4294967296", "\"run\"" },
        { "\"run\":4294967295", "\"run\":-1", "\"run\"" },
        { "\"reason\":\"lab", "\"reason\":true,\"x\":\"", "\"reason\"" },
        { "\"capture\":{\"run\":7", "\"capture\":{\"run\":0", "\"run\"" },
        { "\"capture\":{\"run\":7,", "\"capture\":{", "missing" },
        { "\"capture\":{", "\"capture\":7,\"y\":{", "\"capture\"" },
        { "\"requests\":{\"dmz-1\":{", "\"requests\":{\"..\":{", "no sensor" },
        { "\"requests\":{\"dmz-1\":{", "\"requests\":{\"zzz\":{", "order" },
        { "\"requests\":{\"dmz-1\":{", "\"requests\":{\"lab.2\":{",
          "order" },
        { "\"requests\":{", "\"requests\":{\"a\":1,", "\"requests\"" },
        { "\"requests\":{", "\"requests\":{\"a\":[],", "an array" },
        { "\"requests\":{", "\"requests\":{\"a\":{},", "missing" },
        { "\"requests\":{", "\"requests\":null,\"y\":{", "\"requests\"" },
        { "\"slices\":24", "\"slices\":-24", "\"slices\"" },
        { "\"slices\":24", "\"slices\":4294967296", "\"slices\"" },
        { "\"successes\":[\"dmz-1\"]", "\"successes\":[null]",
          "\"successes\"" },
        { "\"events\":[", "\"events\":[1,", "\"events\"" },
        { "\"events\":[", "\"events\":[{},", "missing" },
        { "\"events\":[", "\"events\":[[],", "an array" },
        { "\"msg\":\"asks 2\"", "\"msg\":2", "\"msg\"" },
        { "\"name\":\"Created\"",
          "\"name\":\"12345678901234567890123456789012\"", "\"name\"" },
        { "\"count\":2", "\"count\":-2", "\"count\"" },
        { "\"asked\":3", "\"asked\":3,}", "" },
        { "\"asked\":3}", "\"asked\":3}}", "trailing" },
        { "\"asked\":3}", "\"asked\":3}{}", "trailing" },
        { ",\"asked\":3", "", "\"asked\" is missing" }
    };

    (void) state;

    job = test_job_full();
    json = test_print(job, &len);

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        s = test_replace(json, cases[i].from, cases[i].to);
        test_refused(s, strlen(s), cases[i].words);
        free(s);
    }

    test_refused("", 0, "");
    test_refused("null", 4, "");
    test_refused("7", 1, "");
    test_refused("\"x\"", 3, "");
    test_refused("[]", 2, "an array");
    test_refused("{}", 2, "missing");

    /* what is longer than 8 M is not even looked at */
    test_refused(json, DOCKET_JOB_MAX_JSON + 1, "longer");

    free(json);
    docket_job_destroy(job);
}


static void
test_truncated(void **state)
{
    char          *json, *part;
    size_t         i, len;
    docket_job_t  *job;

    (void) state;

    job = test_job_full();
    json = test_print(job, &len);

    for (i = 0; i < len; i++) {
        /* a copy of that length, so that reading behind it is seen */
        part = malloc(i + 1);
        assert_non_null(part);
        part = realloc(part, (i == 0) ? 1 : i);
        assert_non_null(part);
        memcpy(part, json, i);

        test_refused(part, i, "");
        free(part);
    }

    free(json);
    docket_job_destroy(job);
}


/* Each byte replaced by others: refused, or a record that can be written. */

static void
test_flipped(void **state)
{
    char           err[256], keep, *json, *again;
    size_t         i, n, len, len2;
    docket_job_t  *job, *copy;

    static const char  bytes[] = "\0\xff\"{}[]:,0-\\9aZ";

    (void) state;

    job = test_job_full();
    json = test_print(job, &len);

    for (i = 0; i < len; i++) {
        keep = json[i];

        for (n = 0; n < sizeof(bytes) - 1; n++) {
            json[i] = bytes[n];

            copy = docket_job_parse(json, len, err, sizeof(err));

            if (copy != NULL) {
                test_ok(docket_job_print(copy, &again, &len2));
                free(again);
                docket_job_destroy(copy);
            }
        }

        json[i] = keep;
    }

    free(json);
    docket_job_destroy(job);
}


static void
test_unknown_keys(void **state)
{
    char          *json, *s;
    size_t         len;
    docket_job_t  *job, *copy;

    (void) state;

    job = test_job_full();
    json = test_print(job, &len);

    s = test_replace(json, "\"exact\"",
                     "\"new\":{\"id\":[1,{\"a\":null}],\"b\":{}},\"n\":1,"
                     "\"exact\"");
    copy = test_parse(s, strlen(s));
    test_job_equal(job, copy);
    docket_job_destroy(copy);
    free(s);

    s = test_replace(json, "\"slices\"", "\"new\":[[],{}],\"slices\"");
    copy = test_parse(s, strlen(s));
    test_job_equal(job, copy);
    docket_job_destroy(copy);
    free(s);

    free(json);
    docket_job_destroy(job);
}


static void
test_deep(void **state)
{
    size_t       i, n;
    char        *s;

    static const char  *heads[] = {
        "", "{\"x\":", "{\"events\":", "{\"requests\":", "{\"sensors\":"
    };

    (void) state;

    s = malloc(DOCKET_JOB_MAX_JSON);
    assert_non_null(s);

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        n = strlen(heads[i]);

        memset(s, '[', DOCKET_JOB_MAX_JSON);
        memcpy(s, heads[i], n);
        test_refused(s, DOCKET_JOB_MAX_JSON, "");
    }

    for (i = 0; i + 5 <= DOCKET_JOB_MAX_JSON; i += 5) {
        memcpy(s + i, "{\"x\":", 5);
    }

    test_refused(s, i, "nested too deep");

    free(s);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_foreign_words),
        cmocka_unit_test(test_worst),
        cmocka_unit_test(test_not_printable),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_askers),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_flipped),
        cmocka_unit_test(test_unknown_keys),
        cmocka_unit_test(test_deep)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
