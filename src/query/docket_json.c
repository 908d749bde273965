/*
 * {"host": ["1.2.3.4", "1.2.3.5"], "any": [{"port": 80}, {"port": 443}]}
 *
 * Read as a stream, so that a name that stands twice is not lost.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <yajl/yajl_parse.h>

#include "query/docket_fields.h"


/* An object and the list that it stands in, for each level of "any". */
#define DOCKET_JSON_DEPTH  (2 * DOCKET_MAX_DEPTH)


typedef enum {
    DOCKET_JSON_OBJECT = 0,           /* of fields */
    DOCKET_JSON_ANY,                  /* a list of objects */
    DOCKET_JSON_VALUES                /* a list of one field's values */
} docket_json_e;


typedef struct {
    docket_json_e    type;
    docket_expr_t   *group;           /* what an object or "any" collects */
} docket_json_level_t;


typedef struct {
    docket_query_t        *q;
    yajl_handle            yajl;
    const docket_field_t  *field;     /* NULL: the value is that of "any" */
    int                    ended;     /* the outermost object */
    unsigned               depth;
    docket_json_level_t    level[DOCKET_JSON_DEPTH];
} docket_json_t;


static int docket_json_null(void *data);
static int docket_json_boolean(void *data, int value);
static int docket_json_number(void *data, const char *s, size_t len);
static int docket_json_string(void *data, const unsigned char *s,
    size_t len);
static int docket_json_start_map(void *data);
static int docket_json_key(void *data, const unsigned char *s, size_t len);
static int docket_json_end_map(void *data);
static int docket_json_start_array(void *data);
static int docket_json_end_array(void *data);

static int docket_json_value(docket_json_t *j, const char *s, size_t len);
static int docket_json_push(docket_json_t *j, docket_json_e type,
    docket_expr_type_e group);
static int docket_json_fail(docket_json_t *j, const char *detail);
static int docket_json_syntax(docket_json_t *j, const char *s, size_t len,
    size_t pos);


static const yajl_callbacks  docket_json_callbacks = {
    docket_json_null,
    docket_json_boolean,
    NULL,
    NULL,
    docket_json_number,
    docket_json_string,
    docket_json_start_map,
    docket_json_key,
    docket_json_end_map,
    docket_json_start_array,
    docket_json_end_array
};


int
docket_query_read_json(docket_query_t *q, const char *s, size_t len)
{
    int            rc;
    size_t         pos;
    yajl_status    status;
    docket_json_t  j;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, "", DOCKET_MAX_TEXT,
                                 "the question has more than %d bytes",
                                 DOCKET_MAX_TEXT);
    }

    memset(&j, 0, sizeof(docket_json_t));

    j.q = q;

    j.yajl = yajl_alloc(&docket_json_callbacks, NULL, &j);
    if (j.yajl == NULL) {
        return docket_query_fail_memory(q);
    }

    rc = DOCKET_OK;
    pos = len;
    status = yajl_parse(j.yajl, (const unsigned char *) s, len);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(j.yajl);

    } else {

        /* what it took last is at fault */

        pos = yajl_get_bytes_consumed(j.yajl);
        pos -= (pos != 0);
    }

    if (status != yajl_status_ok) {

        /* a callback that stops the parser has filled in the error */

        if (status == yajl_status_error) {
            (void) docket_json_syntax(&j, s, len, pos);
        }

        rc = DOCKET_ERROR;

    } else if (!j.ended) {
        rc = docket_query_fail(q, "", 0, "the body is no JSON object");
    }

    yajl_free(j.yajl);

    return rc;
}


static int
docket_json_syntax(docket_json_t *j, const char *s, size_t len, size_t pos)
{
    char            text[128], *p;
    unsigned char  *why;

    why = yajl_get_error(j->yajl, 0, (const unsigned char *) s, len);

    if (why == NULL) {
        return docket_query_fail(j->q, "", pos, "the body is no valid JSON");
    }

    (void) snprintf(text, sizeof(text), "%s", (const char *) why);
    yajl_free_error(j->yajl, why);

    p = strchr(text, '\n');

    if (p != NULL) {
        *p = '\0';
    }

    return docket_query_fail(j->q, "", pos, "the body is no valid JSON: %s",
                             text);
}


/* null says nothing, as if the name were not there */

static int
docket_json_null(void *data)
{
    docket_json_t  *j;

    j = data;

    if (j->depth == 0 || j->level[j->depth - 1].type != DOCKET_JSON_OBJECT) {
        return docket_json_fail(j, "null stands where a value is expected");
    }

    return 1;
}


static int
docket_json_boolean(void *data, int value)
{
    return value ? docket_json_value(data, "true", 4)
                 : docket_json_value(data, "false", 5);
}


static int
docket_json_number(void *data, const char *s, size_t len)
{
    return docket_json_value(data, s, len);
}


static int
docket_json_string(void *data, const unsigned char *s, size_t len)
{
    return docket_json_value(data, (const char *) s, len);
}


static int
docket_json_value(docket_json_t *j, const char *s, size_t len)
{
    unsigned              d;
    docket_scope_t        scope;
    docket_json_level_t  *object;

    if (j->depth == 0) {
        return docket_json_fail(j, "the body is no JSON object");
    }

    if (j->field == NULL) {
        return docket_json_fail(j, "\"any\" is a list of objects");
    }

    d = j->depth - 1;

    if (j->level[d].type == DOCKET_JSON_VALUES) {
        d--;
    }

    object = &j->level[d];

    scope.terms = object->group;
    scope.times = object->group;
    scope.options = (d == 0);

    return docket_field_set(j->q, j->field, &scope, s, len, 0) == DOCKET_OK;
}


static int
docket_json_start_map(void *data)
{
    docket_json_t  *j;

    j = data;

    if (j->depth == 0) {
        j->level[0].type = DOCKET_JSON_OBJECT;
        j->level[0].group = j->q->root;
        j->depth = 1;

        return 1;
    }

    if (j->level[j->depth - 1].type != DOCKET_JSON_ANY) {
        return docket_json_fail(j, (j->field == NULL)
                                   ? "\"any\" is a list of objects"
                                   : "an object stands where a value is "
                                     "expected");
    }

    return docket_json_push(j, DOCKET_JSON_OBJECT, DOCKET_EXPR_AND);
}


static int
docket_json_push(docket_json_t *j, docket_json_e type,
    docket_expr_type_e group)
{
    docket_json_level_t  *level;

    if (j->depth == DOCKET_JSON_DEPTH) {
        return docket_json_fail(j, "too many levels");
    }

    level = &j->level[j->depth++];

    level->type = type;
    level->group = docket_expr_group(&j->q->arena, group);

    if (level->group == NULL) {
        (void) docket_query_fail_memory(j->q);
        return 0;
    }

    return 1;
}


static int
docket_json_key(void *data, const unsigned char *s, size_t len)
{
    docket_json_t  *j;

    j = data;

    if (len == 3 && strncasecmp((const char *) s, "any", 3) == 0) {
        j->field = NULL;
        return 1;
    }

    j->field = docket_field_find((const char *) s, len);

    if (j->field == NULL) {
        (void) docket_field_unknown(j->q, (const char *) s, len);
        return 0;
    }

    return 1;
}


static int
docket_json_end_map(void *data)
{
    docket_expr_t  *group;
    docket_json_t  *j;

    j = data;
    j->depth--;

    if (j->depth == 0) {
        j->ended = 1;
        return 1;
    }

    group = j->level[j->depth].group;

    if (group->n == 0) {
        return docket_json_fail(j, "an alternative of \"any\" has no term");
    }

    docket_expr_append(j->level[j->depth - 1].group, group);

    /* the list goes on, and its next element is no value of a field */

    j->field = NULL;

    return 1;
}


static int
docket_json_start_array(void *data)
{
    docket_json_t  *j;

    j = data;

    if (j->depth == 0) {
        return docket_json_fail(j, "the body is no JSON object");
    }

    if (j->level[j->depth - 1].type != DOCKET_JSON_OBJECT) {
        return docket_json_fail(j, "a list stands where a value is expected");
    }

    if (j->field == NULL) {
        return docket_json_push(j, DOCKET_JSON_ANY, DOCKET_EXPR_OR);
    }

    return docket_json_push(j, DOCKET_JSON_VALUES, DOCKET_EXPR_AND);
}


static int
docket_json_end_array(void *data)
{
    docket_json_t        *j;
    docket_json_level_t  *level;

    j = data;
    level = &j->level[--j->depth];

    if (level->type == DOCKET_JSON_VALUES) {
        return 1;
    }

    if (level->group->n == 0) {
        return docket_json_fail(j, "\"any\" is empty");
    }

    docket_expr_append(j->level[j->depth - 1].group, level->group);

    return 1;
}


/* what goes wrong inside of a value has its place in the value; this has its
   place in the body */

static int
docket_json_fail(docket_json_t *j, const char *detail)
{
    (void) docket_query_fail(j->q, (j->field != NULL) ? j->field->name : "",
                             -1, "%s", detail);

    return 0;
}
