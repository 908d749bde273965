/*
 * An event's way in: what kind of text it is, and the arguments of a URL.
 */

#include <string.h>
#include <strings.h>

#include "pivot/docket_pivot_int.h"
#include "query/docket_fields.h"


static int docket_pivot_read_kind(docket_pivot_t *p, const char *s,
    size_t len);
static int docket_pivot_arg(docket_pivot_t *p, const char *name,
    size_t name_len, const char *value, size_t len);
static int docket_pivot_margin(docket_pivot_t *p, const char *s, size_t len);
static int docket_pivot_given(docket_pivot_t *p, const char *name,
    docket_pivot_use_t **given, const char *value, size_t len);
static int docket_pivot_decode(docket_pivot_t *p, const char *s, size_t start,
    size_t end, char **text, size_t *len);


docket_pivot_t *
docket_pivot_create(docket_query_t *q)
{
    docket_pivot_t  *p;

    p = docket_arena_alloc(&q->arena, sizeof(docket_pivot_t));
    if (p == NULL) {
        (void) docket_query_fail_memory(q);
        return NULL;
    }

    p->q = q;
    p->last = &p->facts;
    p->last_use = &p->result.used;
    p->last_unused = &p->result.unused;

    p->result.start = -1;
    p->result.end = -1;
    p->result.margin = DOCKET_PIVOT_MARGIN;

    return p;
}


const docket_pivot_result_t *
docket_pivot_result(const docket_pivot_t *p)
{
    return &p->result;
}


int
docket_pivot_read(docket_pivot_t *p, const char *s, size_t len)
{
    int                    rc;
    size_t                 start;
    docket_query_error_t  *e;

    if (len > DOCKET_PIVOT_MAX_TEXT) {
        return docket_query_fail(p->q, "", DOCKET_PIVOT_MAX_TEXT,
                                 "an event has at most %d bytes",
                                 DOCKET_PIVOT_MAX_TEXT);
    }

    if (p->events++ != 0) {
        return docket_query_fail(p->q, "event", -1,
                                 "one event is asked for at a time");
    }

    start = 0;

    /* some editors put a mark before UTF-8 */

    if (len >= 3 && memcmp(s, "\xef\xbb\xbf", 3) == 0) {
        start = 3;
    }

    while (start < len && docket_pivot_is_space(s[start])) {
        start++;
    }

    if (start == len) {
        return docket_query_fail(p->q, "", -1, "the event is empty");
    }

    rc = docket_pivot_read_kind(p, s + start, len - start);
    e = &p->q->error;

    if (rc != DOCKET_OK && e->field[0] == '\0' && e->position >= 0) {
        e->position += start;
    }

    return rc;
}


static int
docket_pivot_read_kind(docket_pivot_t *p, const char *s, size_t len)
{
    int     rc;
    size_t  i;

    /* "[2001:db8::1]:443" is no list */

    if (*s == '{' || (*s == '[' && memchr(s, '{', len) != NULL)) {
        return docket_pivot_read_json(p, s, len);
    }

    for (i = 0; i < len; i++) {
        if (((unsigned char) s[i] < 0x20 && !docket_pivot_is_space(s[i]))
            || s[i] == 0x7f)
        {
            return docket_query_fail(p->q, "", i,
                                     "control character 0x%02x in an event",
                                     (unsigned char) s[i]);
        }
    }

    rc = docket_pivot_read_zeek(p, s, len);

    if (rc == DOCKET_PIVOT_DECLINED) {
        rc = docket_pivot_read_pairs(p, s, len);
    }

    if (rc == DOCKET_PIVOT_DECLINED) {
        rc = docket_pivot_read_words(p, s, len);
    }

    return rc;
}


int
docket_pivot_read_args(docket_pivot_t *p, const char *s, size_t len)
{
    char        *name, *value;
    size_t       start, end, name_end, name_len, value_len;
    const char  *equals;

    if (len > DOCKET_PIVOT_MAX_TEXT) {
        return docket_query_fail(p->q, "", DOCKET_PIVOT_MAX_TEXT,
                                 "an event has at most %d bytes",
                                 DOCKET_PIVOT_MAX_TEXT);
    }

    for (start = 0; start < len; start = end + 1) {
        end = start;

        while (end < len && s[end] != '&') {
            end++;
        }

        if (end == start) {
            continue;
        }

        equals = memchr(s + start, '=', end - start);
        name_end = (equals != NULL) ? (size_t) (equals - s) : end;
        value = NULL;
        value_len = 0;

        if (docket_pivot_decode(p, s, start, name_end, &name, &name_len)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        if (equals != NULL
            && docket_pivot_decode(p, s, name_end + 1, end, &value, &value_len)
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        if (docket_pivot_arg(p, name, name_len, value, value_len)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


static int
docket_pivot_decode(docket_pivot_t *p, const char *s, size_t start,
    size_t end, char **text, size_t *len)
{
    size_t  bad;

    *text = docket_arena_alloc(&p->q->arena, end - start + 1);
    if (*text == NULL) {
        return docket_query_fail_memory(p->q);
    }

    if (docket_unescape(*text, len, s + start, end - start, 1, &bad)
        != DOCKET_OK)
    {
        return docket_query_fail(p->q, "", start + bad,
                                 "'%%' without two hexadecimal digits");
    }

    (*text)[*len] = '\0';

    return DOCKET_OK;
}


/* "value" is NULL when there is only a name */

static int
docket_pivot_arg(docket_pivot_t *p, const char *name, size_t name_len,
    const char *value, size_t len)
{
    char                         quote[DOCKET_QUOTE_LEN];
    const docket_field_t        *field;
    const docket_pivot_field_t  *known;

    field = docket_field_find(name, name_len);
    known = docket_pivot_field(name, name_len);

    if (strcasecmp(name, "event") == 0) {
        return (len == 0) ? DOCKET_OK : docket_pivot_read(p, value, len);
    }

    if (strcasecmp(name, "margin") == 0) {
        return (len == 0) ? DOCKET_OK : docket_pivot_margin(p, value, len);
    }

    /* the names that both have: a protocol is the event's, which may say it in
       more ways, but a VLAN that someone gives is to be asked for */

    if (known != NULL
        && (field == NULL || known->role == DOCKET_PIVOT_PROTO
            || known->role == DOCKET_PIVOT_PORT))
    {
        return (len == 0) ? DOCKET_OK
                          : docket_pivot_add(p, known, name, name_len, value,
                                             len);
    }

    if (field == NULL) {
        return docket_query_fail(p->q, "", -1, "%s is neither a field of an "
                                 "event nor one of a question",
                                 docket_quote(quote, name, name_len));
    }

    if (value == NULL) {

        if (field->alone == DOCKET_FIELD_VALUE) {
            return docket_query_fail(p->q, field->name, -1,
                                     "\"%s\" has no value", field->name);
        }

        value = "true";
        len = 4;
    }

    if (strcmp(field->name, "after") == 0
        || strcmp(field->name, "after-ago") == 0)
    {
        return docket_pivot_given(p, field->name, &p->after, value, len);
    }

    if (strcmp(field->name, "before") == 0
        || strcmp(field->name, "before-ago") == 0)
    {
        return docket_pivot_given(p, field->name, &p->before, value, len);
    }

    return docket_query_set(p->q, field->name, value, len);
}


static int
docket_pivot_margin(docket_pivot_t *p, const char *s, size_t len)
{
    char     quote[DOCKET_QUOTE_LEN];
    int64_t  us;

    /* nothing has no unit */

    if (len == 1 && *s == '0') {
        p->result.margin = 0;
        return DOCKET_OK;
    }

    if (docket_parse_duration(s, len, &us) != DOCKET_OK) {
        return docket_query_fail(p->q, "margin", 0,
                                 "a margin is a duration such as 30s, 5m or "
                                 "0s, not %s", docket_quote(quote, s, len));
    }

    p->result.margin = us;

    return DOCKET_OK;
}


/* a time that stands for the event's own */

static int
docket_pivot_given(docket_pivot_t *p, const char *name,
    docket_pivot_use_t **given, const char *value, size_t len)
{
    docket_pivot_use_t  *use;

    if (docket_query_set(p->q, name, value, len) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (len == 0) {
        return DOCKET_OK;
    }

    use = docket_arena_alloc(&p->q->arena, sizeof(docket_pivot_use_t));
    if (use == NULL) {
        return docket_query_fail_memory(p->q);
    }

    use->name = name;
    use->value = docket_pivot_printable(p, value, len);

    if (use->value == NULL) {
        return DOCKET_ERROR;
    }

    *given = use;

    return DOCKET_OK;
}
