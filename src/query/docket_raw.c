/*
 * Stenographer's grammar (its query.y): terms, parentheses, "and"/"&&" and
 * "or"/"||" of equal precedence, left to right.  Nothing else is known: a
 * sensor would take an unknown word as the end, and run a broader question.
 */

#include "query/docket_query_int.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>


#define DOCKET_RAW_EXPECTED  "host, net, port, vlan, mpls, ip proto, tcp, "   \
                             "udp, icmp, before, after or ( is expected"


typedef struct {
    docket_query_t  *q;
    const char      *text;
    const char      *pos;
    const char      *end;
    const char      *word;            /* the current token */
    size_t           len;             /* 0: the end */
    int              depth;
} docket_raw_t;


static docket_expr_t *docket_raw_expr(docket_raw_t *r, int outer);


/* A token is a parenthesis, an operator or a run of other characters. */

static void
docket_raw_next(docket_raw_t *r)
{
    const char  *p;

    for (p = r->pos; p < r->end && (*p == ' ' || *p == '\t' || *p == '\n'
                                    || *p == '\r');
         p++)
    {
        /* void */
    }

    r->word = p;

    if (p < r->end && (*p == '(' || *p == ')')) {
        p++;

    } else if (r->end - p >= 2 && (memcmp(p, "&&", 2) == 0
                                   || memcmp(p, "||", 2) == 0))
    {
        p += 2;

    } else {
        while (p < r->end && *p != '\0' && strchr(" \t\r\n()&|", *p) == NULL) {
            p++;
        }

        /* a character that belongs to no token is one */

        if (p == r->word && p < r->end) {
            p++;
        }
    }

    r->len = (size_t) (p - r->word);
    r->pos = p;
}


static int
docket_raw_is(const docket_raw_t *r, const char *word)
{
    return r->len == strlen(word) && strncasecmp(r->word, word, r->len) == 0;
}


static docket_expr_t *
docket_raw_fail(docket_raw_t *r, const char *expected)
{
    (void) docket_query_fail(r->q, "query", (long) (r->word - r->text),
                             r->len != 0 ? r->word : NULL, r->len,
                             r->len != 0 ? expected : "the expression ends "
                             "where more is expected");
    return NULL;
}


static docket_expr_t *
docket_raw_time(docket_raw_t *r, docket_expr_e type)
{
    int             relative;
    int64_t         window;
    const char     *pos, *word;
    docket_expr_t  *e;

    docket_raw_next(r);

    relative = 0;

    e = docket_query_term(r->q, type);
    if (e == NULL) {
        return NULL;
    }

    if (r->len == 0
        || docket_query_time(r->q, r->word, r->len, &e->time, &relative)
           != DOCKET_OK)
    {
        return docket_raw_fail(r, "is no time: RFC 3339 or \"Nm ago\" is "
                                  "expected");
    }

    pos = r->pos;
    word = r->word;
    docket_raw_next(r);

    if (relative && docket_raw_is(r, "ago")) {
        docket_raw_next(r);

    } else if (relative) {
        r->word = word;
        r->len = (size_t) (pos - word);
        return docket_raw_fail(r, "must be followed by \"ago\"");
    }

    r->q->result.relative |= relative;

    /* the same question has to mean the same all through a window */

    if (relative) {
        window = r->q->conf->time_window;
        e->number = 0;

        if (type == DOCKET_EXPR_AFTER) {
            e->time -= e->time % window;

        } else {
            e->time += (window - e->time % window) % window;
        }
    }

    return e;
}


static docket_expr_t *
docket_raw_net(docket_raw_t *r)
{
    size_t          len, mask_len;
    const char     *why, *net, *mask;
    docket_expr_t  *e;

    docket_raw_next(r);

    net = r->word;
    len = r->len;
    mask = NULL;
    mask_len = 0;

    e = docket_query_term(r->q, DOCKET_EXPR_NET);
    if (e == NULL) {
        return NULL;
    }

    if (len == 0) {
        return docket_raw_fail(r, "");
    }

    docket_raw_next(r);

    if (docket_raw_is(r, "mask")) {
        docket_raw_next(r);

        if (r->len == 0) {
            return docket_raw_fail(r, "");
        }

        mask = r->word;
        mask_len = r->len;
        docket_raw_next(r);
    }

    e->addr = docket_net(&r->q->arena, net, len, mask, mask_len, &why);

    if (e->addr == NULL) {
        if (why != NULL) {
            (void) docket_query_fail(r->q, "query", (long) (net - r->text),
                                     net, len, why);
        } else {
            (void) docket_query_no_memory(r->q);
        }

        return NULL;
    }

    return e;
}


/* "host A" and its like, by the fields' own parsers. */

static docket_expr_t *
docket_raw_field(docket_raw_t *r, const char *name)
{
    docket_expr_t   group;
    const char     *value;
    size_t          len;

    docket_raw_next(r);

    value = r->word;
    len = r->len;

    if (len == 0) {
        return docket_raw_fail(r, "");
    }

    memset(&group, 0, sizeof(docket_expr_t));
    group.type = DOCKET_EXPR_AND;

    if (docket_field(r->q, &group, name, strlen(name), value, len,
                     (long) (value - r->text))
        != DOCKET_OK)
    {
        snprintf(r->q->error.field, sizeof(r->q->error.field), "query");
        return NULL;
    }

    docket_raw_next(r);

    return group.children;
}


static docket_expr_t *
docket_raw_term(docket_raw_t *r)
{
    size_t          i;
    docket_expr_t  *e;

    static const char  *names[] = { "host", "port", "vlan", "mpls", NULL };

    for (i = 0; names[i] != NULL; i++) {
        if (docket_raw_is(r, names[i])) {
            return docket_raw_field(r, names[i]);
        }
    }

    if (docket_raw_is(r, "net")) {
        return docket_raw_net(r);
    }

    if (docket_raw_is(r, "after")) {
        return docket_raw_time(r, DOCKET_EXPR_AFTER);
    }

    if (docket_raw_is(r, "before")) {
        return docket_raw_time(r, DOCKET_EXPR_BEFORE);
    }

    if (docket_raw_is(r, "ip")) {
        docket_raw_next(r);

        if (!docket_raw_is(r, "proto")) {
            return docket_raw_fail(r, "\"proto\" is expected behind \"ip\"");
        }

        return docket_raw_field(r, "proto");
    }

    if (docket_raw_is(r, "tcp") || docket_raw_is(r, "udp")
        || docket_raw_is(r, "icmp"))
    {
        e = docket_query_term(r->q, DOCKET_EXPR_PROTO);

        if (e != NULL) {
            e->number = (r->len == 4) ? 1
                        : (*r->word == 't' || *r->word == 'T') ? 6 : 17;
            docket_raw_next(r);
        }

        return e;
    }

    return docket_raw_fail(r, DOCKET_RAW_EXPECTED);
}


static docket_expr_t *
docket_raw_operand(docket_raw_t *r)
{
    docket_expr_t  *e;

    if (!docket_raw_is(r, "(")) {
        return docket_raw_term(r);
    }

    if (++r->depth > DOCKET_MAX_DEPTH) {
        return docket_raw_fail(r, "is nested too deep: at most 32 levels");
    }

    docket_raw_next(r);

    e = docket_raw_expr(r, 0);
    if (e == NULL) {
        return NULL;
    }

    if (!docket_raw_is(r, ")")) {
        return docket_raw_fail(r, "is met where \"and\", \"or\" or ) is "
                                  "expected");
    }

    docket_raw_next(r);
    r->depth--;

    return e;
}


/* Left to right: an operator other than the last one makes all that was read
   its first operand. */

static docket_expr_t *
docket_raw_expr(docket_raw_t *r, int outer)
{
    docket_expr_t  *e, *group, *operand;
    docket_expr_e   type;

    e = docket_raw_operand(r);

    while (e != NULL && r->len != 0) {

        if (docket_raw_is(r, "and") || docket_raw_is(r, "&&")) {
            type = DOCKET_EXPR_AND;

        } else if (docket_raw_is(r, "or") || docket_raw_is(r, "||")) {
            type = DOCKET_EXPR_OR;

        } else if (!outer && docket_raw_is(r, ")")) {
            break;

        } else {
            return docket_raw_fail(r, "is met where \"and\" or \"or\" is "
                                      "expected");
        }

        docket_raw_next(r);

        operand = docket_raw_operand(r);
        if (operand == NULL) {
            return NULL;
        }

        if (e->type != type) {
            group = docket_expr_create(&r->q->arena, type);

            if (group == NULL) {
                (void) docket_query_no_memory(r->q);
                return NULL;
            }

            docket_expr_add(group, e);
            e = group;
        }

        docket_expr_add(e, operand);
    }

    return e;
}


/* Times among the operands of the outermost "and" are the range. */

static void
docket_raw_outermost(docket_query_t *q, docket_expr_t *group, docket_expr_t *e)
{
    docket_expr_t  *c, *next;

    switch (e->type) {

    case DOCKET_EXPR_AND:
        for (c = e->children; c != NULL; c = next) {
            next = c->next;
            docket_raw_outermost(q, group, c);
        }

        return;

    case DOCKET_EXPR_AFTER:
    case DOCKET_EXPR_BEFORE:
        docket_query_range(q, e->type, e->time);
        return;

    default:
        docket_expr_add(group, e);
    }
}


int
docket_raw_parse(docket_query_t *q, docket_expr_t *group, const char *s,
    size_t len)
{
    docket_raw_t    r;
    docket_expr_t  *e;

    memset(&r, 0, sizeof(docket_raw_t));

    r.q = q;
    r.text = s;
    r.pos = s;
    r.end = s + len;

    docket_raw_next(&r);

    if (r.len == 0) {
        return docket_query_fail(q, "query", 0, NULL, 0,
                                 "the expression is empty");
    }

    e = docket_raw_expr(&r, 1);
    if (e == NULL) {
        return DOCKET_ERROR;
    }

    if (group == q->root) {
        docket_raw_outermost(q, group, e);

    } else {
        docket_expr_add(group, e);
    }

    return DOCKET_OK;
}
