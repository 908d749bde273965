/*
 * The tree: canonical form, text, selectivity.
 */

#include "query/docket_expr.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


docket_expr_t *
docket_expr_create(docket_arena_t *a, docket_expr_e type)
{
    docket_expr_t  *e;

    e = docket_arena_alloc(a, sizeof(docket_expr_t));

    if (e != NULL) {
        e->type = type;
    }

    return e;
}


void
docket_expr_add(docket_expr_t *group, docket_expr_t *child)
{
    docket_expr_t  **p;

    for (p = &group->children; *p != NULL; p = &(*p)->next) {
        /* void */
    }

    *p = child;
    child->next = NULL;
}


static int
docket_expr_group(const docket_expr_t *e)
{
    return e->type == DOCKET_EXPR_AND || e->type == DOCKET_EXPR_OR;
}


/* Order of operands of an "and": by kind, numbers by value, the rest by
   text.  An "or" sorts by text alone. */

static int
docket_expr_cmp_and(const void *one, const void *two)
{
    const docket_expr_t  *a, *b;

    a = *(const docket_expr_t *const *) one;
    b = *(const docket_expr_t *const *) two;

    if (a->type != b->type) {
        return (a->type < b->type) ? -1 : 1;
    }

    if (a->number != b->number) {
        return (a->number < b->number) ? -1 : 1;
    }

    return strcmp(a->text, b->text);
}


static int
docket_expr_cmp_or(const void *one, const void *two)
{
    return strcmp((*(const docket_expr_t *const *) one)->text,
                  (*(const docket_expr_t *const *) two)->text);
}


static const char *
docket_expr_leaf_text(docket_arena_t *a, const docket_expr_t *e)
{
    char  buf[96], time[DOCKET_TIME_LEN];

    switch (e->type) {

    case DOCKET_EXPR_HOST:
        snprintf(buf, sizeof(buf), "host %s", e->addr);
        break;

    case DOCKET_EXPR_NET:
        snprintf(buf, sizeof(buf), "net %s", e->addr);
        break;

    case DOCKET_EXPR_PORT:
        snprintf(buf, sizeof(buf), "port %" PRIu64, e->number);
        break;

    case DOCKET_EXPR_VLAN:
        snprintf(buf, sizeof(buf), "vlan %" PRIu64, e->number);
        break;

    case DOCKET_EXPR_MPLS:
        snprintf(buf, sizeof(buf), "mpls %" PRIu64, e->number);
        break;

    case DOCKET_EXPR_PROTO:
        if (e->number == 6 || e->number == 17 || e->number == 1) {
            snprintf(buf, sizeof(buf), "%s",
                     e->number == 6 ? "tcp" : e->number == 17 ? "udp" : "icmp");
        } else {
            snprintf(buf, sizeof(buf), "ip proto %" PRIu64, e->number);
        }
        break;

    default: /* AFTER, BEFORE */
        docket_format_time(time, e->time);
        snprintf(buf, sizeof(buf), "%s %s",
                 e->type == DOCKET_EXPR_AFTER ? "after" : "before", time);
    }

    return docket_arena_copy(a, buf, strlen(buf));
}


/* Operands joined; a group inside a group is of the other kind, and is put in
   parentheses. */

static const char *
docket_expr_group_text(docket_arena_t *a, docket_expr_t **v, size_t n,
    docket_expr_e type)
{
    char        *text, *p;
    size_t       i, len, word;
    const char  *join;

    join = (type == DOCKET_EXPR_AND) ? " and " : " or ";
    word = strlen(join);

    len = 0;

    for (i = 0; i < n; i++) {
        len += strlen(v[i]->text) + word + 2;
    }

    text = docket_arena_alloc(a, len + 1);
    if (text == NULL) {
        return NULL;
    }

    p = text;

    for (i = 0; i < n; i++) {

        if (i != 0) {
            p = stpcpy(p, join);
        }

        if (docket_expr_group(v[i])) {
            *p++ = '(';
        }

        p = stpcpy(p, v[i]->text);

        if (docket_expr_group(v[i])) {
            *p++ = ')';
        }
    }

    return text;
}


/* Children in canonical form, those of the same kind taken in. */

static int
docket_expr_collect(docket_arena_t *a, docket_expr_t *e, docket_expr_e type,
    docket_expr_t **v, size_t *n)
{
    docket_expr_t  *child, *next, *c;

    for (child = e->children; child != NULL; child = next) {
        next = child->next;

        if (child->type == type) {
            if (docket_expr_collect(a, child, type, v, n) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

            continue;
        }

        c = docket_expr_canon(a, child);

        if (c == NULL) {
            return DOCKET_ERROR;
        }

        /* an unwrapped group may be of our kind now */

        if (c->type == type) {
            for (c = c->children; c != NULL; c = c->next) {
                v[(*n)++] = c;
            }

        } else {
            v[(*n)++] = c;
        }
    }

    return DOCKET_OK;
}


static size_t
docket_expr_leaves(const docket_expr_t *e)
{
    size_t                n;
    const docket_expr_t  *c;

    if (!docket_expr_group(e)) {
        return 1;
    }

    n = 0;

    for (c = e->children; c != NULL; c = c->next) {
        n += docket_expr_leaves(c);
    }

    return n;
}


docket_expr_t *
docket_expr_canon(docket_arena_t *a, docket_expr_t *e)
{
    size_t           i, n, kept;
    docket_expr_t  **v, *group;

    if (!docket_expr_group(e)) {
        e->text = docket_expr_leaf_text(a, e);
        return (e->text == NULL) ? NULL : e;
    }

    v = docket_arena_alloc(a, (docket_expr_leaves(e) + 1) * sizeof(*v));
    if (v == NULL) {
        return NULL;
    }

    n = 0;

    if (docket_expr_collect(a, e, e->type, v, &n) != DOCKET_OK) {
        return NULL;
    }

    qsort(v, n, sizeof(*v), e->type == DOCKET_EXPR_AND ? docket_expr_cmp_and
                                                       : docket_expr_cmp_or);

    kept = 0;

    for (i = 0; i < n; i++) {
        if (kept == 0 || strcmp(v[kept - 1]->text, v[i]->text) != 0
            || v[kept - 1]->type != v[i]->type)
        {
            v[kept++] = v[i];
        }
    }

    if (kept == 1) {
        return v[0];
    }

    group = docket_expr_create(a, e->type);
    if (group == NULL) {
        return NULL;
    }

    group->text = docket_expr_group_text(a, v, kept, e->type);

    for (i = kept; i > 0; i--) {
        v[i - 1]->next = group->children;
        group->children = v[i - 1];
    }

    return (group->text == NULL) ? NULL : group;
}


double
docket_expr_share(const docket_expr_t *e, const docket_weight_t *w)
{
    double                addrs, ports, share;
    docket_expr_t         one;
    const docket_expr_t  *c, *first;

    if (e->type == DOCKET_EXPR_OR) {
        share = 0;

        for (c = e->children; c != NULL; c = c->next) {
            share += docket_expr_share(c, w);
        }

        return (share < 1) ? share : 1;
    }

    first = e->children;

    if (e->type != DOCKET_EXPR_AND) {
        one = *e;
        one.next = NULL;
        first = &one;
    }

    addrs = 0;
    ports = 0;
    share = 1;

    for (c = first; c != NULL; c = c->next) {

        switch (c->type) {

        case DOCKET_EXPR_HOST:
            addrs += w->ips;
            break;

        case DOCKET_EXPR_NET:
            addrs += w->nets;
            break;

        case DOCKET_EXPR_PORT:
            ports += w->ports;
            break;

        case DOCKET_EXPR_OR:
            share *= docket_expr_share(c, w);
            break;

        default:
            break;
        }
    }

    if (addrs > 1) {
        share /= addrs;
    }

    if (ports > 1) {
        share /= ports;
    }

    return share;
}
