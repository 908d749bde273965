/*
 * Asking in tests: one question in one form, at one known time.
 */

#ifndef TEST_QUERY_H
#define TEST_QUERY_H


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "query/docket_query.h"


#define TEST_NOW    1515622530        /* 2018-01-10T22:15:30Z */
#define TEST_RANGE                                                            \
    "after 2018-01-09T22:15:00Z and before 2018-01-10T22:16:00Z"


static const char *const  test_sensors[] = { "gamma", "alpha", "beta" };

static docket_query_conf_t  test_conf = {
    TEST_NOW * DOCKET_SECOND, 60 * DOCKET_SECOND, 86400 * DOCKET_SECOND,
    test_sensors, 3, NULL
};


static inline int
test_read(docket_query_t *q, const char *form, const char *s, size_t len)
{
    if (strcmp(form, "raw") == 0) {
        return docket_query_read_raw(q, s, len);
    }

    if (strcmp(form, "uri") == 0) {
        return docket_query_read_uri(q, s, len);
    }

    if (strcmp(form, "args") == 0) {
        return docket_query_read_args(q, s, len);
    }

    if (strcmp(form, "form") == 0) {
        return docket_query_read_form(q, s, len);
    }

    if (strcmp(form, "json") == 0) {
        return docket_query_read_json(q, s, len);
    }

    fail_msg("unknown form %s", form);

    return DOCKET_ERROR;
}


/* the question read and finished; "*rc" tells how */

static inline docket_query_t *
test_ask_n(const docket_query_conf_t *conf, const char *form, const char *s,
    size_t len, int *rc)
{
    char            *copy;
    docket_query_t  *q;

    q = docket_query_create(conf);
    assert_non_null(q);

    /* a buffer of just this size lets ASAN see a byte too far */

    copy = malloc(len + (len == 0));
    assert_non_null(copy);
    memcpy(copy, s, len);

    *rc = test_read(q, form, copy, len);

    free(copy);

    if (*rc == DOCKET_OK) {
        *rc = docket_query_finish(q);
    }

    return q;
}


static inline docket_query_t *
test_ask(const char *form, const char *s)
{
    int              rc;
    docket_query_t  *q;

    q = test_ask_n(&test_conf, form, s, strlen(s), &rc);

    if (rc != DOCKET_OK) {
        fail_msg("%s \"%s\" is refused: %s", form, s,
                 docket_query_error(q)->detail);
    }

    return q;
}


static inline void
test_text(const char *form, const char *s, const char *text)
{
    docket_query_t  *q;

    q = test_ask(form, s);
    assert_string_equal(docket_query_result(q)->text, text);
    docket_query_destroy(q);
}


/* the text without its range */

static inline void
test_terms(const char *form, const char *s, const char *terms)
{
    docket_query_t  *q;

    q = test_ask(form, s);
    assert_string_equal(docket_query_result(q)->terms, terms);
    docket_query_destroy(q);
}


static inline void
test_same(const char *form, const char *s, const char *form2, const char *s2)
{
    docket_query_t  *q, *q2;

    q = test_ask(form, s);
    q2 = test_ask(form2, s2);

    assert_string_equal(docket_query_result(q)->text,
                        docket_query_result(q2)->text);
    assert_string_equal(docket_query_result(q)->id,
                        docket_query_result(q2)->id);

    docket_query_destroy(q);
    docket_query_destroy(q2);
}


/* "words" are part of the error's sentence */

static inline void
test_refused_n(const char *form, const char *s, size_t len, const char *field,
    long position, const char *words)
{
    int                          rc;
    const char                  *p;
    docket_query_t              *q;
    const docket_query_error_t  *e;

    q = test_ask_n(&test_conf, form, s, len, &rc);

    if (rc == DOCKET_OK) {
        fail_msg("%s \"%s\" is taken as %s", form, s,
                 docket_query_result(q)->text);
    }

    e = docket_query_error(q);

    assert_int_not_equal(e->status, 0);
    assert_string_equal(e->field, field);
    assert_int_equal(e->position, position);

    if (strstr(e->detail, words) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", e->detail, words);
    }

    for (p = e->detail; *p != '\0'; p++) {
        assert_in_range(*p, 0x20, 0x7e);
    }

    docket_query_destroy(q);
}


static inline void
test_refused(const char *form, const char *s, const char *field,
    long position, const char *words)
{
    test_refused_n(form, s, strlen(s), field, position, words);
}


#endif /* TEST_QUERY_H */
