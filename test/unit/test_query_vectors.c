/*
 * Runs vectors/query.txt, whose head tells its form.
 */

#include <errno.h>

#include "test_query.h"


#define TEST_VECTORS  "vectors/query.txt"
#define TEST_LINE     4096


typedef struct {
    unsigned  line;
    char      form[TEST_LINE];
    char      input[TEST_LINE];
    char      now[TEST_LINE];
    char      text[TEST_LINE];
    char      id[TEST_LINE];
    char      error[TEST_LINE];
} test_vector_t;


static size_t
test_unescape(char *s)
{
    char      *d, *start;
    unsigned   byte;

    start = s;

    for (d = s; *s != '\0'; d++) {
        if (sscanf(s, "\\x%2x", &byte) == 1) {
            *d = byte;
            s += 4;
            continue;
        }

        *d = *s++;
    }

    return d - start;
}


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

    if (v->now[0] != '\0') {
        assert_int_equal(docket_parse_time(v->now, strlen(v->now), &conf.now),
                         DOCKET_OK);
    }

    len = test_unescape(v->input);
    q = test_ask_n(&conf, v->form, v->input, len, &rc);
    e = docket_query_error(q);

    if (rc != DOCKET_OK) {
        (void) snprintf(error, sizeof(error), "%s %ld",
                        (e->field[0] == '\0') ? "-" : e->field, e->position);

        if (strcmp(error, v->error) != 0) {
            fail_msg("line %u: %s: %s", v->line, error, e->detail);
        }

    } else if (strcmp(docket_query_result(q)->text, v->text) != 0
               || strcmp(docket_query_result(q)->id, v->id) != 0)
    {
        fail_msg("line %u: %s %s", v->line, docket_query_result(q)->text,
                 docket_query_result(q)->id);
    }

    docket_query_destroy(q);
}


static void
test_vectors(void **state)
{
    FILE           *f;
    char            line[TEST_LINE], *value;
    size_t          len;
    unsigned        n, vectors;
    test_vector_t   v;

    (void) state;

    f = fopen(TEST_VECTORS, "r");

    if (f == NULL) {
        fail_msg("%s: %s", TEST_VECTORS, strerror(errno));
    }

    n = 0;
    vectors = 0;
    memset(&v, 0, sizeof(v));

    for ( ;; ) {
        value = fgets(line, sizeof(line), f);
        n++;

        if (value != NULL && line[0] == '#') {
            continue;
        }

        len = (value != NULL) ? strcspn(line, "\n") : 0;
        line[len] = '\0';

        if (len == 0 && v.form[0] != '\0') {
            test_vector(&v);
            vectors++;
            memset(&v, 0, sizeof(v));
        }

        if (value == NULL) {
            break;
        }

        if (len == 0) {
            continue;
        }

        v.line = n;
        value = line + ((len < 6) ? len : 6);

        if (strncmp(line, "form", 4) == 0) {
            (void) strcpy(v.form, value);

        } else if (strncmp(line, "input", 5) == 0) {
            (void) strcpy(v.input, value);

        } else if (strncmp(line, "now", 3) == 0) {
            (void) strcpy(v.now, value);

        } else if (strncmp(line, "text", 4) == 0) {
            (void) strcpy(v.text, value);

        } else if (strncmp(line, "id", 2) == 0) {
            (void) strcpy(v.id, value);

        } else if (strncmp(line, "error", 5) == 0) {
            (void) strcpy(v.error, value);

        } else {
            fail_msg("line %u: what is \"%s\"?", n, line);
        }
    }

    (void) fclose(f);

    assert_true(vectors > 40);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
