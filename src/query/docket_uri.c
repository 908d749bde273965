/*
 * Fields in a path: /host/1.2.3.4/port/80/or/net/10.0.0.0/8/after/5m
 */

#include "query/docket_query_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>


static int
docket_hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : -1;
}


int
docket_query_decode(docket_query_t *q, const char *s, size_t len, int plus,
    const char *field, long position, const char **out, size_t *out_len)
{
    int          hi, lo;
    char        *p;
    size_t       i, at;
    const char  *start;

    p = docket_arena_alloc(&q->arena, len + 1);
    if (p == NULL) {
        return docket_query_no_memory(q);
    }

    start = p;

    for (i = 0; i < len; i++, p++) {
        *p = s[i];
        at = i;

        if (s[i] == '+' && plus) {
            *p = ' ';
            continue;
        }

        if (s[i] == '%') {
            hi = (i + 2 < len) ? docket_hex(s[i + 1]) : -1;
            lo = (i + 2 < len) ? docket_hex(s[i + 2]) : -1;

            if (hi < 0 || lo < 0) {
                return docket_query_fail(q, field, position + (long) at, s, len,
                                         "has a broken %XX");
            }

            *p = (char) (hi * 16 + lo);
            i += 2;
        }

        /* white space may stand in a text, the rest of them nowhere */

        if ((unsigned char) *p < 0x20 && strchr("\t\r\n", *p) == NULL) {
            return docket_query_fail(q, field, position + (long) at, s, len,
                                     "has a control character");
        }

        if (*p == '\0') {
            return docket_query_fail(q, field, position + (long) at, s, len,
                                     "has a NUL");
        }
    }

    *out = start;
    *out_len = (size_t) (p - start);

    return DOCKET_OK;
}


typedef struct {
    const char  *s;
    size_t       len;
    long         position;
} docket_segment_t;


/* The next segment, decoded; 0: the path is at its end. */

static int
docket_uri_next(docket_query_t *q, const char **p, const char *end,
    const char *base, docket_segment_t *seg)
{
    size_t       n;
    const char  *s;

    if (*p >= end) {
        return 0;
    }

    s = *p;
    n = (size_t) (end - s);

    if (memchr(s, '/', n) != NULL) {
        n = (size_t) ((const char *) memchr(s, '/', n) - s);
    }

    *p = s + n + 1;
    seg->position = s - base;

    if (n == 0) {
        (void) docket_query_fail(q, NULL, seg->position, NULL, 0,
                                 "the path has an empty segment");
        return -1;
    }

    if (docket_query_decode(q, s, n, 0, NULL, seg->position, &seg->s, &seg->len)
        != DOCKET_OK)
    {
        return -1;
    }

    return 1;
}


static int
docket_all_digits(const char *s, const char *end)
{
    const char  *p;

    for (p = s; p < end && *p != '/'; p++) {
        if (*p < '0' || *p > '9') {
            return 0;
        }
    }

    return p > s && p - s <= 3;
}


int
docket_query_read_uri(docket_query_t *q, const char *s, size_t len)
{
    int                rc, arity;
    char               net[64];
    const char        *p, *end;
    docket_expr_t     *group, *any;
    docket_segment_t   name, value, length;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, NULL, -1, NULL, 0,
                                 "the path has more than 8192 bytes");
    }

    p = s;
    end = s + len;
    any = NULL;
    group = q->root;

    while ((rc = docket_uri_next(q, &p, end, s, &name)) == 1) {

        if (name.len == 2 && strncasecmp(name.s, "or", 2) == 0) {

            /* what stood before belongs to the first group */

            if (any == NULL) {
                any = docket_expr_create(&q->arena, DOCKET_EXPR_OR);
                if (any == NULL) {
                    return docket_query_no_memory(q);
                }

                group = docket_expr_create(&q->arena, DOCKET_EXPR_AND);
                if (group == NULL) {
                    return docket_query_no_memory(q);
                }

                group->children = q->root->children;
                q->root->children = NULL;
                docket_expr_add(any, group);
                docket_expr_add(q->root, any);
            }

            if (group->children == NULL) {
                return docket_query_fail(q, NULL, name.position, name.s,
                                         name.len,
                                         "has no term before it");
            }

            group = docket_expr_create(&q->arena, DOCKET_EXPR_AND);
            if (group == NULL) {
                return docket_query_no_memory(q);
            }

            docket_expr_add(any, group);
            continue;
        }

        arity = docket_field_arity(name.s, name.len);
        value = name;

        if (arity != 0) {
            rc = docket_uri_next(q, &p, end, s, &value);

            if (rc == -1) {
                return DOCKET_ERROR;
            }

            if (rc == 0 && arity > 0) {
                return docket_query_fail(q, NULL, name.position, name.s,
                                         name.len, "has no value behind it");
            }
        }

        if (arity == 2 && memchr(value.s, '/', value.len) == NULL
            && p < end && docket_all_digits(p, end) && value.len < 48)
        {
            if (docket_uri_next(q, &p, end, s, &length) != 1) {
                return DOCKET_ERROR;
            }

            value.len = (size_t) snprintf(net, sizeof(net), "%.*s/%.*s",
                                          (int) value.len, value.s,
                                          (int) length.len, length.s);
            value.s = net;
        }

        if (docket_field(q, group, name.s, name.len, value.s, value.len,
                         arity == -1 ? name.position : value.position)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    if (rc == -1) {
        return DOCKET_ERROR;
    }

    if (any != NULL && group->children == NULL) {
        return docket_query_fail(q, NULL, (long) len, NULL, 0,
                                 "\"or\" has no term behind it");
    }

    return DOCKET_OK;
}
