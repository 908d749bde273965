/*
 * JSON: an EVE record, a Zeek line, an ECS document with dotted or nested
 * names, a hit of Elasticsearch.
 *
 * Read as a stream: what is kept are the values of known fields, by the path
 * that leads to them; lists add nothing to a path.
 */

#include <stdio.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "pivot/docket_pivot_int.h"


#define DOCKET_PIVOT_DEPTH  64


typedef struct {
    size_t                len;        /* of the path to here */
    unsigned              list:1;
    unsigned              objects;    /* in a list */
} docket_pivot_level_t;


typedef struct {
    docket_pivot_t       *p;
    yajl_handle           yajl;
    int                   ended;
    unsigned              depth;
    docket_pivot_level_t  level[DOCKET_PIVOT_DEPTH];

    /* "source.ip"; one that does not fit leads to no known field */
    char                  path[DOCKET_PIVOT_NAME];
    size_t                len;
} docket_pivot_json_t;


static int docket_pivot_json_number(void *data, const char *s, size_t len);
static int docket_pivot_json_string(void *data, const unsigned char *s,
    size_t len);
static int docket_pivot_json_start_map(void *data);
static int docket_pivot_json_key(void *data, const unsigned char *s,
    size_t len);
static int docket_pivot_json_start_array(void *data);
static int docket_pivot_json_end(void *data);

static int docket_pivot_json_value(docket_pivot_json_t *j, const char *s,
    size_t len);
static int docket_pivot_json_push(docket_pivot_json_t *j, unsigned list);
static int docket_pivot_json_syntax(docket_pivot_json_t *j, const char *s,
    size_t len, size_t pos);


static const yajl_callbacks  docket_pivot_json_callbacks = {
    NULL,                             /* null, true and false say nothing */
    NULL,
    NULL,
    NULL,
    docket_pivot_json_number,
    docket_pivot_json_string,
    docket_pivot_json_start_map,
    docket_pivot_json_key,
    docket_pivot_json_end,
    docket_pivot_json_start_array,
    docket_pivot_json_end
};


int
docket_pivot_read_json(docket_pivot_t *p, const char *s, size_t len)
{
    int                  rc;
    size_t               pos;
    yajl_status          status;
    docket_pivot_json_t  j;

    memset(&j, 0, sizeof(docket_pivot_json_t));

    j.p = p;

    j.yajl = yajl_alloc(&docket_pivot_json_callbacks, NULL, &j);
    if (j.yajl == NULL) {
        return docket_query_fail_memory(p->q);
    }

    rc = DOCKET_OK;

    /* a second line is told from rubbish below */

    (void) yajl_config(j.yajl, yajl_allow_trailing_garbage, 1);

    status = yajl_parse(j.yajl, (const unsigned char *) s, len);
    pos = yajl_get_bytes_consumed(j.yajl);

    if (status == yajl_status_ok) {
        status = yajl_complete_parse(j.yajl);
    }

    if (status == yajl_status_error) {
        rc = docket_pivot_json_syntax(&j, s, len, pos - (pos != 0));

    } else if (status != yajl_status_ok) {

        /* a callback that stops the parser has filled in the error */

        rc = DOCKET_ERROR;

    } else {

        while (pos < len && docket_pivot_is_space(s[pos])) {
            pos++;
        }

        if (pos != len) {
            rc = docket_query_fail(p->q, "", pos, (s[pos] == '{')
                                   ? "one event is asked for at a time, and a "
                                     "second one follows"
                                   : "something follows the event");
        }
    }

    yajl_free(j.yajl);

    return rc;
}


static int
docket_pivot_json_syntax(docket_pivot_json_t *j, const char *s, size_t len,
    size_t pos)
{
    char            text[128], *end;
    unsigned char  *why;

    why = yajl_get_error(j->yajl, 0, (const unsigned char *) s, len);

    if (why == NULL) {
        return docket_query_fail(j->p->q, "", pos,
                                 "the event is no valid JSON");
    }

    (void) snprintf(text, sizeof(text), "%s", (const char *) why);
    yajl_free_error(j->yajl, why);

    end = strchr(text, '\n');

    if (end != NULL) {
        *end = '\0';
    }

    return docket_query_fail(j->p->q, "", pos,
                             "the event is no valid JSON: %s", text);
}


static int
docket_pivot_json_number(void *data, const char *s, size_t len)
{
    return docket_pivot_json_value(data, s, len);
}


static int
docket_pivot_json_string(void *data, const unsigned char *s, size_t len)
{
    return docket_pivot_json_value(data, (const char *) s, len);
}


static int
docket_pivot_json_value(docket_pivot_json_t *j, const char *s, size_t len)
{
    const docket_pivot_field_t  *field;

    if (j->depth == 0 || j->len >= sizeof(j->path)) {
        return 1;
    }

    field = docket_pivot_field(j->path, j->len);

    if (field == NULL) {
        return 1;
    }

    return docket_pivot_add(j->p, field, j->path, j->len, s, len)
           == DOCKET_OK;
}


static int
docket_pivot_json_start_map(void *data)
{
    docket_pivot_json_t   *j;
    docket_pivot_level_t  *level;

    j = data;

    if (j->depth != 0) {
        level = &j->level[j->depth - 1];

        /* a list of events, and not one inside of an event */

        if (level->list && level->objects++ != 0
            && (j->len == 0
                || (j->len == sizeof("hits.hits") - 1
                    && memcmp(j->path, "hits.hits", j->len) == 0)))
        {
            (void) docket_query_fail(j->p->q, "",
                                     yajl_get_bytes_consumed(j->yajl) - 1,
                                     "one event is asked for at a time, and "
                                     "a second one follows");
            return 0;
        }
    }

    return docket_pivot_json_push(j, 0);
}


static int
docket_pivot_json_start_array(void *data)
{
    return docket_pivot_json_push(data, 1);
}


static int
docket_pivot_json_push(docket_pivot_json_t *j, unsigned list)
{
    docket_pivot_level_t  *level;

    if (j->depth == DOCKET_PIVOT_DEPTH) {
        (void) docket_query_fail(j->p->q, "",
                                 yajl_get_bytes_consumed(j->yajl) - 1,
                                 "the event has more than %d levels",
                                 DOCKET_PIVOT_DEPTH);
        return 0;
    }

    level = &j->level[j->depth++];

    level->len = j->len;
    level->list = list;
    level->objects = 0;

    return 1;
}


static int
docket_pivot_json_end(void *data)
{
    docket_pivot_json_t  *j;

    j = data;
    j->len = j->level[--j->depth].len;

    return 1;
}


/* the path of the object and the name; too long a one only counts */

static int
docket_pivot_json_key(void *data, const unsigned char *s, size_t len)
{
    size_t                base;
    docket_pivot_json_t  *j;

    j = data;
    base = j->level[j->depth - 1].len;

    if (base != 0) {

        if (base < sizeof(j->path)) {
            j->path[base] = '.';
        }

        base++;
    }

    if (base < sizeof(j->path) && len < sizeof(j->path) - base) {
        memcpy(j->path + base, s, len);
        j->len = base + len;

    } else {
        j->len = sizeof(j->path);
    }

    return 1;
}
