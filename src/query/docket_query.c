#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "query/docket_query_int.h"
#include "query/docket_when.h"


static docket_expr_t *docket_query_back(docket_query_t *q,
    docket_expr_type_e type, const char *s, size_t len, const char *field,
    long position, const char *also);


docket_query_t *
docket_query_create(const docket_query_conf_t *conf)
{
    docket_query_t  *q;

    q = calloc(1, sizeof(docket_query_t));
    if (q == NULL) {
        return NULL;
    }

    q->conf = conf;
    q->error.position = -1;
    q->ignore_weight = -1;
    q->refresh = -1;

    q->root = docket_expr_group(&q->arena, DOCKET_EXPR_AND);

    if (q->root == NULL) {
        docket_query_destroy(q);
        return NULL;
    }

    return q;
}


void
docket_query_destroy(docket_query_t *q)
{
    if (q == NULL) {
        return;
    }

    docket_arena_free(&q->arena);
    free(q);
}


const docket_query_error_t *
docket_query_error(const docket_query_t *q)
{
    return &q->error;
}


const docket_query_result_t *
docket_query_result(const docket_query_t *q)
{
    return &q->result;
}


int
docket_query_fail(docket_query_t *q, const char *field, long position,
    const char *format, ...)
{
    va_list                args;
    docket_query_error_t  *e;

    e = &q->error;

    e->status = 400;
    e->position = position;

    (void) snprintf(e->field, sizeof(e->field), "%s", field);

    va_start(args, format);
    (void) vsnprintf(e->detail, sizeof(e->detail), format, args);
    va_end(args);

    return DOCKET_ERROR;
}


int
docket_query_fail_memory(docket_query_t *q)
{
    (void) docket_query_fail(q, "", -1, "no memory for this question");
    q->error.status = 500;

    return DOCKET_ERROR;
}


const char *
docket_quote(char buf[DOCKET_QUOTE_LEN], const char *s, size_t len)
{
    char    *p;
    size_t   i;

    p = buf;
    *p++ = '"';

    for (i = 0; i < len; i++) {
        if (i == 48) {
            p += sprintf(p, "...");
            break;
        }

        if (s[i] == '"' || s[i] == '\\') {
            *p++ = '\\';
            *p++ = s[i];

        } else if (s[i] < 0x20 || s[i] >= 0x7f) {
            p += sprintf(p, "\\x%02x", (unsigned char) s[i]);

        } else {
            *p++ = s[i];
        }
    }

    *p++ = '"';
    *p = '\0';

    return buf;
}


docket_expr_t *
docket_query_term(docket_query_t *q, docket_expr_type_e type, int64_t value,
    const char *text, size_t len)
{
    docket_expr_t  *e;

    /* the two of the range are not counted in the end */

    if (q->nterms == DOCKET_MAX_TERMS + 2) {
        (void) docket_query_fail(q, "", -1, "more than %d terms",
                                 DOCKET_MAX_TERMS);
        return NULL;
    }

    q->nterms++;

    e = docket_expr_term(&q->arena, type, value, text, len);

    if (e == NULL) {
        (void) docket_query_fail_memory(q);
    }

    return e;
}


docket_expr_t *
docket_query_number(docket_query_t *q, docket_expr_type_e type,
    uint64_t value)
{
    char         text[32];
    const char  *name;

    switch (type) {

    case DOCKET_EXPR_PORT:
        name = "port";
        break;

    case DOCKET_EXPR_VLAN:
        name = "vlan";
        break;

    case DOCKET_EXPR_MPLS:
        name = "mpls";
        break;

    default:
        name = "ip proto";
        break;
    }

    (void) snprintf(text, sizeof(text), "%s %u", name, (unsigned) value);

    if (type == DOCKET_EXPR_PROTO) {
        switch (value) {

        case 1:
            (void) strcpy(text, "icmp");
            break;

        case 6:
            (void) strcpy(text, "tcp");
            break;

        case 17:
            (void) strcpy(text, "udp");
            break;
        }
    }

    return docket_query_term(q, type, value, text, strlen(text));
}


uint64_t
docket_number_max(docket_expr_type_e type)
{
    switch (type) {

    case DOCKET_EXPR_VLAN:

        /* 12 bits; 0 (a priority alone) and 4095 do stand in frames */

        return (1 << 12) - 1;

    case DOCKET_EXPR_MPLS:
        return (1 << 20) - 1;

    case DOCKET_EXPR_PROTO:
        return 255;

    default:
        return 65535;
    }
}


const char *
docket_number_name(docket_expr_type_e type)
{
    switch (type) {

    case DOCKET_EXPR_PORT:
        return "a port";

    case DOCKET_EXPR_VLAN:
        return "a VLAN";

    case DOCKET_EXPR_MPLS:
        return "an MPLS label";

    default:
        return "a protocol's number";
    }
}


int
docket_parse_number(const char *s, size_t len, uint64_t max, uint64_t *value)
{
    size_t    i;
    uint64_t  n, digit;

    if (len == 0) {
        return DOCKET_ERROR;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return DOCKET_ERROR;
        }

        digit = s[i] - '0';

        if (n > (max - digit) / 10) {
            return DOCKET_ERROR;
        }

        n = n * 10 + digit;
    }

    *value = n;

    return DOCKET_OK;
}


int
docket_is_date(const char *s, size_t len)
{
    return len > 4 && s[4] == '-';
}


docket_expr_t *
docket_query_when(docket_query_t *q, docket_expr_type_e type, const char *s,
    size_t len, const char *field, long position)
{
    char     quote[DOCKET_QUOTE_LEN];
    int64_t  us;

    if (!docket_is_date(s, len)) {
        return docket_query_back(q, type, s, len, field, position,
                                 " or a date such as 2018-01-10T22:10:00Z");
    }

    if (docket_parse_time(s, len, &us) != DOCKET_OK) {
        (void) docket_query_fail(q, field, position,
                                 "%s is no time of the years 1970 to 9999 "
                                 "such as 2018-01-10T22:10:00Z, "
                                 "2018-01-10T22:10:00.5+01:00 or 2018-01-10",
                                 docket_quote(quote, s, len));
        return NULL;
    }

    return docket_query_time(q, type, us, 0, field, position);
}


docket_expr_t *
docket_query_ago(docket_query_t *q, docket_expr_type_e type, const char *s,
    size_t len, const char *field, long position)
{
    return docket_query_back(q, type, s, len, field, position, "");
}


/* "also": what else would do. */

static docket_expr_t *
docket_query_back(docket_query_t *q, docket_expr_type_e type, const char *s,
    size_t len, const char *field, long position, const char *also)
{
    char     quote[DOCKET_QUOTE_LEN];
    size_t   n;
    int64_t  us;

    n = len;

    if (n > 4 && strncasecmp(s + n - 4, " ago", 4) == 0) {
        n -= 4;

        while (n != 0 && s[n - 1] == ' ') {
            n--;
        }
    }

    if (docket_parse_duration(s, n, &us) != DOCKET_OK) {
        (void) docket_query_fail(q, field, position,
                                 "%s is no time: a duration such as 5m or "
                                 "3h30m (units us, ms, s, m, h, d, w)%s is "
                                 "expected", docket_quote(quote, s, len),
                                 also);
        return NULL;
    }

    if (us > q->conf->now) {
        (void) docket_query_fail(q, field, position,
                                 "%s ago was before 1970",
                                 docket_quote(quote, s, n));
        return NULL;
    }

    return docket_query_time(q, type, q->conf->now - us, 1, field, position);
}


docket_expr_t *
docket_query_time(docket_query_t *q, docket_expr_type_e type, int64_t us,
    int relative, const char *field, long position)
{
    char     text[sizeof("before ") + DOCKET_TIME_LEN], time[DOCKET_TIME_LEN];
    int64_t  unit;

    unit = relative ? q->conf->time_window : DOCKET_SECOND;

    if (relative) {
        q->relative = 1;
    }

    us = (type == DOCKET_EXPR_AFTER) ? docket_round_down(us, unit)
                                     : docket_round_up(us, unit);

    if (us > DOCKET_TIME_MAX) {
        (void) docket_query_fail(q, field, position,
                                 "a time after the year 9999");
        return NULL;
    }

    (void) docket_format_time(time, us);
    (void) snprintf(text, sizeof(text), "%s %s",
                    (type == DOCKET_EXPR_AFTER) ? "after" : "before", time);

    return docket_query_term(q, type, us, text, strlen(text));
}
