/*
 * The fields of a question: every form ends here.
 */

#include "query/docket_query_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>


typedef int (*docket_field_pt)(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);

typedef struct {
    const char       *name;
    docket_field_pt   set;
    int               arity;          /* see docket_field_arity() */
} docket_field_t;


static int docket_field_host(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_net(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_port(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_vlan(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_mpls(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_proto(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_after(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_before(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_after_ago(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_before_ago(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_sensor(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_limit_packets(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_limit_bytes(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_filter(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_ignore_weight(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_refresh(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);
static int docket_field_query(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len);


static const docket_field_t  docket_fields[] = {
    { "host", docket_field_host, 1 },
    { "net", docket_field_net, 2 },
    { "port", docket_field_port, 1 },
    { "vlan", docket_field_vlan, 1 },
    { "mpls", docket_field_mpls, 1 },
    { "proto", docket_field_proto, 1 },
    { "ip-proto", docket_field_proto, 1 },
    { "proto-name", docket_field_proto, 1 },
    { "after", docket_field_after, 1 },
    { "before", docket_field_before, 1 },
    { "after-ago", docket_field_after_ago, 1 },
    { "before-ago", docket_field_before_ago, 1 },
    { "sensor", docket_field_sensor, 1 },
    { "limit-packets", docket_field_limit_packets, 1 },
    { "limit-bytes", docket_field_limit_bytes, 1 },
    { "steno-limit-packets", docket_field_limit_packets, 1 },
    { "steno-limit-bytes", docket_field_limit_bytes, 1 },
    { "filter", docket_field_filter, 1 },
    { "ignore-weight", docket_field_ignore_weight, 1 },
    { "refresh", docket_field_refresh, 1 },
    { "query", docket_field_query, 1 },
    { "tcp", NULL, 0 },
    { "udp", NULL, 0 },
    { "icmp", NULL, 0 },
    { NULL, NULL, -1 }
};


static const docket_field_t *
docket_field_lookup(const char *name, size_t len)
{
    size_t                 i;
    const docket_field_t  *f;

    for (f = docket_fields; f->name != NULL; f++) {

        if (strlen(f->name) != len) {
            continue;
        }

        for (i = 0; i < len; i++) {
            if ((name[i] == '_' ? '-' : name[i] | 0x20)
                != (f->name[i] | 0x20))
            {
                break;
            }
        }

        if (i == len) {
            return f;
        }
    }

    return f;
}


int
docket_field_arity(const char *name, size_t len)
{
    return docket_field_lookup(name, len)->arity;
}


int
docket_field(docket_query_t *q, docket_expr_t *group, const char *name,
    size_t name_len, const char *value, size_t len, long position)
{
    docket_place_t         at;
    const docket_field_t  *f;

    f = docket_field_lookup(name, name_len);

    if (f->name == NULL) {
        return docket_query_fail(q, NULL, position, name, name_len,
                                 "is no field; known are host, net, port, "
                                 "vlan, mpls, proto, proto-name, after, "
                                 "before, after-ago, before-ago, sensor, "
                                 "limit-packets, limit-bytes, filter, "
                                 "ignore-weight, refresh, query");
    }

    at.field = f->name;
    at.position = position;

    if (f->set == NULL) {
        return docket_field_proto(q, group, &at, f->name, strlen(f->name));
    }

    return f->set(q, group, &at, value, len);
}


docket_expr_t *
docket_query_term(docket_query_t *q, docket_expr_e type)
{
    docket_expr_t  *e;

    if (++q->nterms > DOCKET_MAX_TERMS) {
        (void) docket_query_fail(q, NULL, -1, NULL, 0,
                                 "the question has more than 256 terms");
        return NULL;
    }

    e = docket_expr_create(&q->arena, type);

    if (e == NULL) {
        (void) docket_query_no_memory(q);
    }

    return e;
}


static int
docket_field_addr(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, docket_expr_e type, const char *s, size_t len)
{
    const char     *why;
    docket_expr_t  *e;

    e = docket_query_term(q, type);
    if (e == NULL) {
        return DOCKET_ERROR;
    }

    e->addr = (type == DOCKET_EXPR_HOST)
              ? docket_host(&q->arena, s, len, &why)
              : docket_net(&q->arena, s, len, NULL, 0, &why);

    if (e->addr == NULL) {
        return (why == NULL) ? docket_query_no_memory(q)
                             : docket_query_fail(q, at->field, at->position, s,
                                                 len, why);
    }

    docket_expr_add(group, e);

    return DOCKET_OK;
}


static int
docket_field_host(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    return docket_field_addr(q, group, at, DOCKET_EXPR_HOST, s, len);
}


static int
docket_field_net(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    return docket_field_addr(q, group, at, DOCKET_EXPR_NET, s, len);
}


static int
docket_field_decimal(const char *s, size_t len, uint64_t max, uint64_t *number)
{
    size_t    i;
    uint64_t  n;

    n = 0;

    for (i = 0; i < len; i++) {

        if (s[i] < '0' || s[i] > '9' || n > (UINT64_MAX - 9) / 10) {
            return DOCKET_ERROR;
        }

        n = n * 10 + (uint64_t) (s[i] - '0');
    }

    if (len == 0 || n > max || (len > 1 && s[0] == '0')) {
        return DOCKET_ERROR;
    }

    *number = n;

    return DOCKET_OK;
}


static int
docket_field_number(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, docket_expr_e type, const char *s, size_t len,
    uint64_t max, const char *why)
{
    docket_expr_t  *e;

    e = docket_query_term(q, type);
    if (e == NULL) {
        return DOCKET_ERROR;
    }

    if (docket_field_decimal(s, len, max, &e->number) != DOCKET_OK) {
        return docket_query_fail(q, at->field, at->position, s, len, why);
    }

    docket_expr_add(group, e);

    return DOCKET_OK;
}


static int
docket_field_port(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    return docket_field_number(q, group, at, DOCKET_EXPR_PORT, s, len, 65535,
                               "is no port: a number of 0 to 65535");
}


static int
docket_field_vlan(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    return docket_field_number(q, group, at, DOCKET_EXPR_VLAN, s, len, 4095,
                               "is no VLAN: a number of 0 to 4095");
}


static int
docket_field_mpls(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    return docket_field_number(q, group, at, DOCKET_EXPR_MPLS, s, len,
                               0xfffff,
                               "is no MPLS label: a number of 0 to 1048575");
}


static int
docket_field_proto(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    size_t  i;

    static const struct {
        const char  *name;
        const char  *number;
    } names[] = {
        { "tcp", "6" }, { "udp", "17" }, { "icmp", "1" }
    };

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (len == strlen(names[i].name)
            && strncasecmp(s, names[i].name, len) == 0)
        {
            s = names[i].number;
            len = strlen(s);
            break;
        }
    }

    return docket_field_number(q, group, at, DOCKET_EXPR_PROTO, s, len, 255,
                               "is no protocol: tcp, udp, icmp or a number "
                               "of 0 to 255");
}


int
docket_query_time(docket_query_t *q, const char *s, size_t len, int64_t *us,
    int *relative)
{
    int64_t  ago;

    if (docket_parse_time(s, len, us) == DOCKET_OK) {
        return DOCKET_OK;
    }

    if (len > 4 && strncasecmp(s + len - 4, " ago", 4) == 0) {
        len -= 4;
    }

    if (docket_parse_duration(s, len, &ago) != DOCKET_OK
        || ago > q->conf->now)
    {
        return DOCKET_ERROR;
    }

    *us = q->conf->now - ago;
    *relative = 1;

    return DOCKET_OK;
}


void
docket_query_range(docket_query_t *q, docket_expr_e type, int64_t us)
{
    if (type == DOCKET_EXPR_AFTER) {
        if (us > q->after) {
            q->after = us;
        }

        return;
    }

    if (q->before == -1 || us < q->before) {
        q->before = us;
    }
}


static int
docket_field_time(docket_query_t *q, const docket_place_t *at,
    docket_expr_e type, const char *s, size_t len)
{
    char     *copy;
    int64_t   us;

    /* a "+" of an offset that form decoding took for a blank */

    if (len > 20 && s[len - 6] == ' ' && s[len - 3] == ':') {
        copy = docket_arena_copy(&q->arena, s, len);
        if (copy == NULL) {
            return docket_query_no_memory(q);
        }

        copy[len - 6] = '+';
        s = copy;
    }

    if (docket_query_time(q, s, len, &us, &q->result.relative) != DOCKET_OK) {
        return docket_query_fail(q, at->field, at->position, s, len,
                                 "is no time: 2018-01-10T22:10:00Z, "
                                 "2018-01-10, or a duration as 5m, 3h30m, "
                                 "1.5d that counts back from now");
    }

    docket_query_range(q, type, us);

    return DOCKET_OK;
}


static int
docket_field_after(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_time(q, at, DOCKET_EXPR_AFTER, s, len);
}


static int
docket_field_before(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_time(q, at, DOCKET_EXPR_BEFORE, s, len);
}


static int
docket_field_ago(docket_query_t *q, const docket_place_t *at,
    docket_expr_e type, const char *s, size_t len)
{
    int64_t  us;

    if (docket_parse_duration(s, len, &us) != DOCKET_OK || us > q->conf->now) {
        return docket_query_fail(q, at->field, at->position, s, len,
                                 "is no duration: 5m, 3h30m, 1.5d (us ms s m "
                                 "h d w)");
    }

    q->result.relative = 1;
    docket_query_range(q, type, q->conf->now - us);

    return DOCKET_OK;
}


static int
docket_field_after_ago(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_ago(q, at, DOCKET_EXPR_AFTER, s, len);
}


static int
docket_field_before_ago(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_ago(q, at, DOCKET_EXPR_BEFORE, s, len);
}


static int
docket_field_sensor(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    size_t        i, n;
    char          known[192];
    const char  **names;

    (void) group;

    while (len > 0) {

        n = strcspn(s, ",;+ \t");
        n = (n < len) ? n : len;

        if (n == 0) {
            s++;
            len--;
            continue;
        }

        for (i = 0; i < q->conf->nsensors; i++) {
            if (strlen(q->conf->sensors[i]) == n
                && memcmp(q->conf->sensors[i], s, n) == 0)
            {
                break;
            }
        }

        if (i == q->conf->nsensors) {
            int  used;

            used = snprintf(known, sizeof(known),
                            "is no sensor; configured are");

            for (i = 0; i < q->conf->nsensors
                        && used < (int) sizeof(known) - DOCKET_MAX_SENSOR - 4;
                 i++)
            {
                used += snprintf(known + used, sizeof(known) - used, "%s %s",
                                 i != 0 ? "," : "", q->conf->sensors[i]);
            }

            if (i < q->conf->nsensors) {
                strcpy(known + used, " ..");
            }

            return docket_query_fail(q, at->field, at->position, s, n, known);
        }

        if (q->nsensors % 32 == 0) {
            names = docket_arena_alloc(&q->arena,
                                       (q->nsensors + 32) * sizeof(char *));
            if (names == NULL) {
                return docket_query_no_memory(q);
            }

            if (q->nsensors != 0) {
                memcpy(names, q->sensors, q->nsensors * sizeof(char *));
            }

            q->sensors = names;
        }

        q->sensors[q->nsensors++] = q->conf->sensors[i];

        s += n;
        len -= n;
    }

    return DOCKET_OK;
}


static int
docket_field_limit(docket_query_t *q, const docket_place_t *at, uint64_t *limit,
    const char *s, size_t len)
{
    uint64_t  n;

    n = 0;

    if (len != 0 && docket_field_decimal(s, len, INT64_MAX, &n) != DOCKET_OK) {
        return docket_query_fail(q, at->field, at->position, s, len,
                                 "is no limit: a decimal number, 0 for none");
    }

    if (n != 0 && (*limit == 0 || n < *limit)) {
        *limit = n;
    }

    return DOCKET_OK;
}


static int
docket_field_limit_packets(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_limit(q, at, &q->result.limit_packets, s, len);
}


static int
docket_field_limit_bytes(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_limit(q, at, &q->result.limit_bytes, s, len);
}


static int
docket_field_filter(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    size_t  i;

    (void) group;

    for ( /* void */ ; len > 0 && *s == ' '; s++, len--) {
        /* void */
    }

    for ( /* void */ ; len > 0 && s[len - 1] == ' '; len--) {
        /* void */
    }

    if (len == 0) {
        return DOCKET_OK;
    }

    if (len > DOCKET_MAX_FILTER) {
        return docket_query_fail(q, at->field, at->position, NULL, 0,
                                 "a filter has at most 1024 bytes");
    }

    if (q->result.filter != NULL) {
        return docket_query_fail(q, at->field, at->position, s, len,
                                 "is a second filter");
    }

    for (i = 0; i < len; i++) {
        if ((unsigned char) s[i] < 0x20 || (unsigned char) s[i] >= 0x7f) {
            return docket_query_fail(q, at->field, at->position, s, len,
                                     "has a character that no filter has");
        }
    }

    q->result.filter = docket_arena_copy(&q->arena, s, len);

    return (q->result.filter == NULL) ? docket_query_no_memory(q) : DOCKET_OK;
}


static int
docket_field_flag(docket_query_t *q, const docket_place_t *at, int *flag,
    const char *s, size_t len)
{
    size_t  i;

    static const struct {
        const char  *name;
        int          value;
    } values[] = {
        { "true", 1 }, { "1", 1 }, { "yes", 1 }, { "on", 1 },
        { "false", 0 }, { "0", 0 }, { "no", 0 }, { "off", 0 }
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {

        if (len == strlen(values[i].name)
            && strncasecmp(s, values[i].name, len) == 0)
        {
            *flag = values[i].value;
            return DOCKET_OK;
        }
    }

    return docket_query_fail(q, at->field, at->position, s, len,
                             "is neither true nor false");
}


static int
docket_field_ignore_weight(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_flag(q, at, &q->result.ignore_weight, s, len);
}


static int
docket_field_refresh(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) group;

    return docket_field_flag(q, at, &q->result.refresh, s, len);
}


static int
docket_field_query(docket_query_t *q, docket_expr_t *group,
    const docket_place_t *at, const char *s, size_t len)
{
    (void) at;

    return docket_raw_parse(q, group, s, len);
}
