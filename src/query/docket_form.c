/*
 * "host=1.2.3.4&port=80": forms and the arguments of a URL.
 */

#include <string.h>

#include "query/docket_fields.h"


static int docket_form_pair(docket_query_t *q, const char *s, size_t start,
    size_t end);
static int docket_form_text(docket_query_t *q, const char *s, size_t start,
    size_t end, char **text, size_t *len);


int
docket_query_read_args(docket_query_t *q, const char *s, size_t len)
{
    return docket_query_read_form(q, s, len);
}


int
docket_query_read_form(docket_query_t *q, const char *s, size_t len)
{
    size_t  start, end;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, "", DOCKET_MAX_TEXT,
                                 "the question has more than %d bytes",
                                 DOCKET_MAX_TEXT);
    }

    for (start = 0; start < len; start = end + 1) {
        end = start;

        while (end < len && s[end] != '&') {
            end++;
        }

        if (end != start
            && docket_form_pair(q, s, start, end) != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


static int
docket_form_pair(docket_query_t *q, const char *s, size_t start, size_t end)
{
    char                  *name, *value;
    size_t                 name_len, value_len, name_end;
    const char            *equals;
    docket_scope_t         scope;
    const docket_field_t  *field;

    equals = memchr(s + start, '=', end - start);
    name_end = (equals != NULL) ? (size_t) (equals - s) : end;

    if (docket_form_text(q, s, start, name_end, &name, &name_len)
        != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    field = docket_field_find(name, name_len);

    if (field == NULL) {
        return docket_field_unknown(q, name, name_len);
    }

    scope.terms = q->root;
    scope.times = q->root;
    scope.options = 1;

    if (equals == NULL && field->alone != DOCKET_FIELD_VALUE) {
        return docket_field_set(q, field, &scope, "true", 4, 1);
    }

    if (equals == NULL) {
        return docket_query_fail(q, field->name, -1, "\"%s\" has no value",
                                 field->name);
    }

    if (docket_form_text(q, s, name_end + 1, end, &value, &value_len)
        != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    return docket_field_set(q, field, &scope, value, value_len, 1);
}


static int
docket_form_text(docket_query_t *q, const char *s, size_t start, size_t end,
    char **text, size_t *len)
{
    size_t  bad;

    *text = docket_arena_alloc(&q->arena, end - start + 1);
    if (*text == NULL) {
        return docket_query_fail_memory(q);
    }

    if (docket_unescape(*text, len, s + start, end - start, 1, &bad)
        != DOCKET_OK)
    {
        return docket_query_fail(q, "", start + bad,
                                 "'%%' without two hexadecimal digits");
    }

    return DOCKET_OK;
}


int
docket_unescape(char *dst, size_t *dst_len, const char *s, size_t len,
    int plus, size_t *bad)
{
    int     digit, byte;
    char    c;
    size_t  i, k, n;

    n = 0;

    for (i = 0; i < len; i++) {
        if (plus && s[i] == '+') {
            dst[n++] = ' ';
            continue;
        }

        if (s[i] != '%') {
            dst[n++] = s[i];
            continue;
        }

        *bad = i;
        byte = 0;

        if (len - i < 3) {
            return DOCKET_ERROR;
        }

        for (k = 1; k <= 2; k++) {
            c = s[i + k];

            if (c >= '0' && c <= '9') {
                digit = c - '0';

            } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
                digit = (c | 0x20) - 'a' + 10;

            } else {
                return DOCKET_ERROR;
            }

            byte = byte * 16 + digit;
        }

        dst[n++] = byte;
        i += 2;
    }

    *dst_len = n;

    return DOCKET_OK;
}
