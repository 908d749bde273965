/*
 * Runs vectors/pivot.txt, whose head tells its form.
 */

#include "test_query.h"
#include "test_vectors.h"
#include "pivot/docket_pivot.h"


#define TEST_VECTORS  "vectors/pivot.txt"


typedef enum {
    TEST_ARGS = 0,
    TEST_INPUT,
    TEST_KIND,
    TEST_TEXT,
    TEST_USED,
    TEST_UNUSED,
    TEST_ERROR,
    TEST_NKEYS
} test_key_e;


static const char *const  test_keys[] = {
    "args", "input", "kind", "text", "used", "unused", "error"
};


/* "host src_ip dest_ip; port dest_port" */

static void
test_used(const docket_pivot_result_t *r, char *buf)
{
    const char                *field;
    const docket_pivot_use_t  *use;

    field = "";
    *buf = '\0';

    for (use = r->used; use != NULL; use = use->next) {
        if (strcmp(field, use->field) != 0) {
            field = use->field;
            buf += sprintf(buf, "%s%s", (use == r->used) ? "" : "; ", field);
        }

        buf += sprintf(buf, " %s", use->name);
    }
}


static void
test_unused(const docket_pivot_result_t *r, char *buf)
{
    const docket_pivot_unused_t  *unused;

    *buf = '\0';

    for (unused = r->unused; unused != NULL; unused = unused->next) {
        assert_true(unused->why[0] != '\0');
        buf += sprintf(buf, "%s%s", (unused == r->unused) ? "" : "; ",
                       unused->name);
    }
}


static void
test_vector(test_vector_t *v)
{
    int                           rc, i;
    char                          got[TEST_NKEYS][4 * TEST_LINE];
    size_t                        args, input;
    docket_query_t               *q;
    docket_pivot_t               *p;
    const docket_query_error_t   *e;
    const docket_pivot_result_t  *r;

    memset(got, 0, sizeof(got));

    input = test_unescape(v->value[TEST_INPUT]);
    args = strlen(v->value[TEST_ARGS]);

    q = docket_query_create(&test_conf);
    assert_non_null(q);
    p = docket_pivot_create(q);
    assert_non_null(p);

    rc = docket_pivot_read_args(p, v->value[TEST_ARGS], args);

    if (rc == DOCKET_OK && input != 0) {
        rc = docket_pivot_read(p, v->value[TEST_INPUT], input);
    }

    if (rc == DOCKET_OK) {
        rc = docket_pivot_finish(p);
    }

    if (rc == DOCKET_OK) {
        rc = docket_query_finish(q);
    }

    e = docket_query_error(q);

    if (rc != DOCKET_OK) {
        (void) sprintf(got[TEST_ERROR], "%s %ld",
                       (e->field[0] == '\0') ? "-" : e->field, e->position);

    } else {
        r = docket_pivot_result(p);
        (void) strcpy(got[TEST_KIND], r->kind);
        (void) strcpy(got[TEST_TEXT], docket_query_result(q)->text);
        test_used(r, got[TEST_USED]);
        test_unused(r, got[TEST_UNUSED]);
    }

    for (i = TEST_KIND; i < TEST_NKEYS; i++) {
        if (strcmp(got[i], v->value[i]) != 0) {
            fail_msg("line %u: %s %s (%s)", v->line, test_keys[i], got[i],
                     e->detail);
        }
    }

    docket_query_destroy(q);
}


static void
test_vectors(void **state)
{
    (void) state;

    assert_true(test_vectors_run(TEST_VECTORS, test_keys, TEST_NKEYS,
                                 test_vector) > 60);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
