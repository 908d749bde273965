/*
 * A JSON object of fields; "any" holds alternatives.
 */

#include "query/docket_query_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yajl/yajl_tree.h>


static int docket_json_object(docket_query_t *q, docket_expr_t *group,
    yajl_val object, int depth);


static int
docket_json_scalar(docket_query_t *q, docket_expr_t *group, const char *name,
    yajl_val value)
{
    const char  *s;

    if (YAJL_IS_STRING(value)) {
        s = YAJL_GET_STRING(value);

    } else if (YAJL_IS_NUMBER(value)) {
        s = YAJL_GET_NUMBER(value);

    } else if (YAJL_IS_TRUE(value)) {
        s = "true";

    } else if (YAJL_IS_FALSE(value)) {
        s = "false";

    } else {
        return docket_query_fail(q, name, -1, NULL, 0,
                                 "a string, a number, true, false or an array "
                                 "of them is expected");
    }

    if (strlen(s) > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, name, -1, NULL, 0,
                                 "the value has more than 8192 bytes");
    }

    return docket_field(q, group, name, strlen(name), s, strlen(s), -1);
}


static int
docket_json_any(docket_query_t *q, docket_expr_t *group, yajl_val value,
    int depth)
{
    size_t          i, n;
    yajl_val       *v;
    docket_expr_t  *any, *one;

    if (!YAJL_IS_ARRAY(value) || YAJL_GET_ARRAY(value)->len == 0) {
        return docket_query_fail(q, "any", -1, NULL, 0,
                                 "\"any\" holds an array of objects");
    }

    any = docket_expr_create(&q->arena, DOCKET_EXPR_OR);
    if (any == NULL) {
        return docket_query_no_memory(q);
    }

    n = YAJL_GET_ARRAY(value)->len;
    v = YAJL_GET_ARRAY(value)->values;

    for (i = 0; i < n; i++) {

        if (!YAJL_IS_OBJECT(v[i])) {
            return docket_query_fail(q, "any", -1, NULL, 0,
                                     "\"any\" holds an array of objects");
        }

        one = docket_expr_create(&q->arena, DOCKET_EXPR_AND);
        if (one == NULL) {
            return docket_query_no_memory(q);
        }

        if (docket_json_object(q, one, v[i], depth + 1) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        if (one->children == NULL) {
            return docket_query_fail(q, "any", -1, NULL, 0,
                                     "an alternative of \"any\" has no term");
        }

        docket_expr_add(any, one);
    }

    docket_expr_add(group, any);

    return DOCKET_OK;
}


/* A time inside an alternative is a term, with Stenographer's own meaning. */

static int
docket_json_time(docket_query_t *q, docket_expr_t *group, const char *name,
    yajl_val value)
{
    int             ago;
    char            text[DOCKET_TIME_LEN + 16];
    const char     *s;

    s = YAJL_GET_STRING(value);

    if (s == NULL || strlen(s) > DOCKET_TIME_LEN + 8) {
        return docket_query_fail(q, name, -1, NULL, 0, "a time is expected");
    }

    ago = (docket_parse_time(s, strlen(s), &(int64_t) { 0 }) != DOCKET_OK);

    if (snprintf(text, sizeof(text), "%s %s%s",
                 strncasecmp(name, "after", 5) == 0 ? "after" : "before", s,
                 ago ? " ago" : "")
        >= (int) sizeof(text))
    {
        return docket_query_fail(q, name, -1, NULL, 0, "a time is expected");
    }

    return docket_raw_parse(q, group, text, strlen(text));
}


static int
docket_json_is_time(const char *name)
{
    return strncasecmp(name, "after", 5) == 0
           || strncasecmp(name, "before", 6) == 0;
}


static int
docket_json_object(docket_query_t *q, docket_expr_t *group, yajl_val object,
    int depth)
{
    int          rc;
    size_t       i, k, n;
    yajl_val     value, *v;
    const char  *name;

    if (depth > DOCKET_MAX_DEPTH) {
        return docket_query_fail(q, "any", -1, NULL, 0,
                                 "is nested too deep: at most 32 levels");
    }

    for (i = 0; i < YAJL_GET_OBJECT(object)->len; i++) {
        name = YAJL_GET_OBJECT(object)->keys[i];
        value = YAJL_GET_OBJECT(object)->values[i];

        if (strcasecmp(name, "any") == 0) {
            if (docket_json_any(q, group, value, depth) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

            continue;
        }

        if (YAJL_IS_NULL(value)) {
            continue;
        }

        n = 1;
        v = &value;

        if (YAJL_IS_ARRAY(value)) {
            n = YAJL_GET_ARRAY(value)->len;
            v = YAJL_GET_ARRAY(value)->values;
        }

        for (k = 0; k < n; k++) {
            rc = (depth > 0 && docket_json_is_time(name))
                 ? docket_json_time(q, group, name, v[k])
                 : docket_json_scalar(q, group, name, v[k]);

            if (rc != DOCKET_OK) {
                return DOCKET_ERROR;
            }
        }
    }

    return DOCKET_OK;
}


int
docket_query_read_json(docket_query_t *q, const char *s, size_t len)
{
    int       rc;
    char     *text, err[256];
    size_t    i, depth;
    yajl_val  root;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, NULL, -1, NULL, 0,
                                 "the object has more than 8192 bytes");
    }

    if (memchr(s, '\0', len) != NULL) {
        return docket_query_fail(q, NULL, -1, NULL, 0, "the object has a NUL");
    }

    /* yajl frees a tree by recursion: its depth is bounded beforehand */

    for (depth = 0, i = 0; i < len; i++) {
        depth += (s[i] == '[' || s[i] == '{');
    }

    if (depth > DOCKET_MAX_TERMS * 2) {
        return docket_query_fail(q, NULL, -1, NULL, 0,
                                 "the object has too many arrays and objects");
    }

    text = docket_arena_copy(&q->arena, s, len);
    if (text == NULL) {
        return docket_query_no_memory(q);
    }

    err[0] = '\0';
    root = yajl_tree_parse(text, err, sizeof(err));

    if (root == NULL) {
        err[strcspn(err, "\n")] = '\0';
        return docket_query_fail(q, NULL, -1, NULL, 0,
                                 err[0] != '\0' ? err : "the body is no JSON");
    }

    rc = YAJL_IS_OBJECT(root)
         ? docket_json_object(q, q->root, root, 0)
         : docket_query_fail(q, NULL, -1, NULL, 0,
                             "a JSON object is expected");

    yajl_tree_free(root);

    return rc;
}
