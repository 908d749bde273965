/*
 * Runs vectors/query.txt, whose head tells its form.
 */

#include "test_query.h"
#include "test_vectors.h"


#define TEST_VECTORS  "vectors/query.txt"


typedef enum {
    TEST_FORM = 0,
    TEST_INPUT,
    TEST_TIME,
    TEST_TEXT,
    TEST_ID,
    TEST_ERROR,
    TEST_NKEYS
} test_key_e;


static const char *const  test_keys[] = {
    "form", "input", "now", "text", "id", "error"
};


static void
test_vector(test_vector_t *v)
{
    int                          rc;
    char                         error[TEST_LINE];
    size_t                       len;
    docket_query_t              *q;
    docket_query_conf_t          conf;
    const docket_query_error_t  *e;

    conf = test_conf;

    if (v->value[TEST_TIME][0] != '\0') {
        assert_int_equal(docket_parse_time(v->value[TEST_TIME], strlen(v->value[TEST_TIME]), &conf.now),
                         DOCKET_OK);
    }

    len = test_unescape(v->value[TEST_INPUT]);
    q = test_ask_n(&conf, v->value[TEST_FORM], v->value[TEST_INPUT], len, &rc);
    e = docket_query_error(q);

    if (rc != DOCKET_OK) {
        (void) snprintf(error, sizeof(error), "%s %ld",
                        (e->field[0] == '\0') ? "-" : e->field, e->position);

        if (strcmp(error, v->value[TEST_ERROR]) != 0) {
            fail_msg("line %u: %s: %s", v->line, error, e->detail);
        }

    } else if (strcmp(docket_query_result(q)->text, v->value[TEST_TEXT]) != 0
               || strcmp(docket_query_result(q)->id, v->value[TEST_ID]) != 0)
    {
        fail_msg("line %u: %s %s", v->line, docket_query_result(q)->text,
                 docket_query_result(q)->id);
    }

    docket_query_destroy(q);
}


static void
test_vectors(void **state)
{
    (void) state;

    assert_true(test_vectors_run(TEST_VECTORS, test_keys, TEST_NKEYS,
                                 test_vector) > 40);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
