/*
 * Runs vectors/pivot.txt, whose head tells its form.
 */

#include <errno.h>

#include "test_query.h"
#include "pivot/docket_pivot.h"


#define TEST_VECTORS  "vectors/pivot.txt"
#define TEST_LINE     4096


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


typedef struct {
    unsigned  line;
    char      value[TEST_NKEYS][TEST_LINE];
} test_vector_t;


static const char *const  test_keys[] = {
    "args", "input", "kind", "text", "used", "unused", "error"
};


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

        } else if (s[0] == '\\' && (s[1] == 't' || s[1] == 'n')) {
            *d = (s[1] == 't') ? '\t' : '\n';
            s += 2;

        } else {
            *d = *s++;
        }
    }

    return d - start;
}


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
    int             i;
    FILE           *f;
    char            line[TEST_LINE], *value, *last;
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
        last = fgets(line, sizeof(line), f);
        n++;

        if (last != NULL && line[0] == '#') {
            continue;
        }

        len = (last != NULL) ? strcspn(line, "\n") : 0;
        line[len] = '\0';

        if (len == 0 && v.line != 0) {
            test_vector(&v);
            vectors++;
            memset(&v, 0, sizeof(v));
        }

        if (last == NULL) {
            break;
        }

        if (len == 0) {
            continue;
        }

        if (v.line == 0) {
            v.line = n;
        }

        value = strchr(line, ' ');
        assert_non_null(value);
        *value = '\0';
        value += strspn(value + 1, " ") + 1;

        for (i = 0; i < TEST_NKEYS; i++) {
            if (strcmp(line, test_keys[i]) == 0) {
                (void) strcpy(v.value[i], value);
                break;
            }
        }

        if (i == TEST_NKEYS) {
            fail_msg("line %u: what is \"%s\"?", n, line);
        }
    }

    (void) fclose(f);

    assert_true(vectors > 60);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_vectors)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
