/*
 * Files of vectors: lines "KEY VALUE", a vector ends with an empty line; lines
 * that begin with "#" are comments.
 */

#ifndef TEST_VECTORS_H
#define TEST_VECTORS_H


#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define TEST_LINE  4096
#define TEST_KEYS  8


typedef struct {
    unsigned  line;                    /* of its first key */
    char      value[TEST_KEYS][TEST_LINE];     /* "": not given */
} test_vector_t;


/* \t, \n and \xNN become bytes, in place; returns the length */

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


static void
test_vector_line(test_vector_t *v, char *line, const char *const *keys,
    unsigned nkeys)
{
    char      *value;
    unsigned   i;

    value = line + strcspn(line, " ");

    if (*value != '\0') {
        *value++ = '\0';
        value += strspn(value, " ");
    }

    for (i = 0; i < nkeys; i++) {
        if (strcmp(line, keys[i]) == 0) {
            (void) strcpy(v->value[i], value);
            return;
        }
    }

    fail_msg("vector of line %u: what is \"%s\"?", v->line, line);
}


/* calls run() for each vector of the file; returns how many there are */

static unsigned
test_vectors_run(const char *path, const char *const *keys, unsigned nkeys,
    void (*run)(test_vector_t *v))
{
    FILE           *f;
    char            line[TEST_LINE], *last;
    unsigned        n, vectors;
    test_vector_t   v;

    f = fopen(path, "r");

    if (f == NULL) {
        fail_msg("%s: %s", path, strerror(errno));
    }

    vectors = 0;
    memset(&v, 0, sizeof(v));

    for (n = 1; /* void */ ; n++) {
        last = fgets(line, sizeof(line), f);

        if (last != NULL && line[0] == '#') {
            continue;
        }

        line[(last != NULL) ? strcspn(line, "\n") : 0] = '\0';

        if (line[0] == '\0' && v.line != 0) {
            run(&v);
            vectors++;
            memset(&v, 0, sizeof(v));
        }

        if (last == NULL) {
            break;
        }

        if (line[0] != '\0') {
            v.line = (v.line == 0) ? n : v.line;
            test_vector_line(&v, line, keys, nkeys);
        }
    }

    (void) fclose(f);

    return vectors;
}


#endif /* TEST_VECTORS_H */
