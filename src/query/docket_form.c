/*
 * name=value&name=value, as a form's body or a URL's arguments have it.
 */

#include "query/docket_query_int.h"

#include <string.h>


int
docket_query_read_form(docket_query_t *q, const char *s, size_t len)
{
    size_t       name_len, value_len;
    const char  *p, *end, *next, *eq, *name, *value;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, NULL, -1, NULL, 0,
                                 "the form has more than 8192 bytes");
    }

    end = s + len;

    for (p = s; p < end; p = next + 1) {

        next = memchr(p, '&', (size_t) (end - p));
        if (next == NULL) {
            next = end;
        }

        if (next == p) {
            continue;
        }

        eq = memchr(p, '=', (size_t) (next - p));
        if (eq == NULL) {
            eq = next;
        }

        if (docket_query_decode(q, p, (size_t) (eq - p), 1, NULL, p - s, &name,
                                &name_len)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        if (eq == next) {

            /* a flag or a word ("tcp") may stand alone */

            value = "true";
            value_len = 4;

        } else if (docket_query_decode(q, eq + 1, (size_t) (next - eq - 1), 1,
                                       name, eq + 1 - s, &value, &value_len)
                   != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        /* an empty field of a page's form was left empty */

        if (value_len == 0 && docket_field_arity(name, name_len) > 0) {
            continue;
        }

        if (docket_field(q, q->root, name, name_len, value, value_len, p - s)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


int
docket_query_read_args(docket_query_t *q, const char *s, size_t len)
{
    return docket_query_read_form(q, s, len);
}
