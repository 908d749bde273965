#include <stdlib.h>
#include <string.h>

#include "query/docket_expr.h"


static docket_expr_t **docket_expr_operands(docket_arena_t *a,
    docket_expr_t *group, size_t *n);
static int docket_expr_cmp_and(const void *one, const void *two);
static int docket_expr_cmp_text(const void *one, const void *two);
static int docket_expr_print(docket_arena_t *a, docket_expr_t *group);


docket_expr_t *
docket_expr_group(docket_arena_t *a, docket_expr_type_e type)
{
    docket_expr_t  *e;

    e = docket_arena_alloc(a, sizeof(docket_expr_t));
    if (e == NULL) {
        return NULL;
    }

    e->type = type;
    e->depth = 1;

    return e;
}


docket_expr_t *
docket_expr_term(docket_arena_t *a, docket_expr_type_e type, int64_t value,
    const char *text, size_t len)
{
    docket_expr_t  *e;

    e = docket_arena_alloc(a, sizeof(docket_expr_t));
    if (e == NULL) {
        return NULL;
    }

    e->text = docket_arena_copy(a, text, len);
    if (e->text == NULL) {
        return NULL;
    }

    e->type = type;
    e->value = value;
    e->len = len;

    return e;
}


void
docket_expr_append(docket_expr_t *group, docket_expr_t *e)
{
    e->next = NULL;

    if (group->first == NULL) {
        group->first = e;

    } else {
        group->last->next = e;
    }

    group->last = e;
    group->n++;

    if (group->depth < e->depth + 1) {
        group->depth = e->depth + 1;
    }
}


docket_expr_t *
docket_expr_join(docket_arena_t *a, docket_expr_type_e op,
    docket_expr_t *left, docket_expr_t *right)
{
    docket_expr_t  *group;

    if (left->type == op) {
        docket_expr_append(left, right);
        return left;
    }

    group = docket_expr_group(a, op);
    if (group == NULL) {
        return NULL;
    }

    docket_expr_append(group, left);
    docket_expr_append(group, right);

    return group;
}


docket_expr_t *
docket_expr_canonical(docket_arena_t *a, docket_expr_t *e)
{
    size_t           i, n;
    docket_expr_t  **operand, *group;

    if (!docket_expr_is_group(e)) {
        return e;
    }

    operand = docket_expr_operands(a, e, &n);
    if (operand == NULL) {
        return NULL;
    }

    qsort(operand, n, sizeof(docket_expr_t *),
          (e->type == DOCKET_EXPR_AND) ? docket_expr_cmp_and
                                       : docket_expr_cmp_text);

    group = docket_expr_group(a, e->type);
    if (group == NULL) {
        return NULL;
    }

    for (i = 0; i < n; i++) {
        if (i == 0 || docket_expr_cmp_text(&operand[i - 1], &operand[i]) != 0) {
            docket_expr_append(group, operand[i]);
        }
    }

    if (group->n == 1) {
        return group->first;
    }

    return (docket_expr_print(a, group) == 0) ? group : NULL;
}


/* the operands in canonical form, those of groups of the same kind in place
   of these groups */

static docket_expr_t **
docket_expr_operands(docket_arena_t *a, docket_expr_t *group, size_t *n)
{
    size_t           i;
    docket_expr_t   *e, *next, *inner, **operand, *list;

    list = docket_expr_group(a, group->type);
    if (list == NULL) {
        return NULL;
    }

    for (e = group->first; e != NULL; e = next) {
        next = e->next;

        e = docket_expr_canonical(a, e);
        if (e == NULL) {
            return NULL;
        }

        if (e->type != group->type) {
            docket_expr_append(list, e);
            continue;
        }

        for (inner = e->first; inner != NULL; inner = e) {
            e = inner->next;
            docket_expr_append(list, inner);
        }
    }

    operand = docket_arena_alloc(a, (list->n + 1) * sizeof(docket_expr_t *));
    if (operand == NULL) {
        return NULL;
    }

    for (e = list->first, i = 0; e != NULL; e = e->next) {
        operand[i++] = e;
    }

    *n = i;

    return operand;
}


static int
docket_expr_cmp_and(const void *one, const void *two)
{
    const docket_expr_t  *a, *b;

    a = *(docket_expr_t *const *) one;
    b = *(docket_expr_t *const *) two;

    if (a->type != b->type) {
        return (a->type < b->type) ? -1 : 1;
    }

    if (a->value != b->value) {
        return (a->value < b->value) ? -1 : 1;
    }

    return docket_expr_cmp_text(one, two);
}


static int
docket_expr_cmp_text(const void *one, const void *two)
{
    int                   rc;
    const docket_expr_t  *a, *b;

    a = *(docket_expr_t *const *) one;
    b = *(docket_expr_t *const *) two;

    rc = memcmp(a->text, b->text, (a->len < b->len) ? a->len : b->len);

    if (rc != 0 || a->len == b->len) {
        return rc;
    }

    return (a->len < b->len) ? -1 : 1;
}


static int
docket_expr_print(docket_arena_t *a, docket_expr_t *group)
{
    char           *p;
    size_t          len, word;
    const char     *op;
    docket_expr_t  *e;

    op = (group->type == DOCKET_EXPR_AND) ? " and " : " or ";
    word = strlen(op);
    len = 2;

    for (e = group->first; e != NULL; e = e->next) {
        len += e->len + ((e->next != NULL) ? word : 0);
    }

    p = docket_arena_alloc(a, len + 1);
    if (p == NULL) {
        return -1;
    }

    group->text = p;
    group->len = len;

    *p++ = '(';

    for (e = group->first; e != NULL; e = e->next) {
        memcpy(p, e->text, e->len);
        p += e->len;

        if (e->next != NULL) {
            memcpy(p, op, word);
            p += word;
        }
    }

    *p++ = ')';
    *p = '\0';

    return 0;
}


size_t
docket_expr_count(const docket_expr_t *e)
{
    size_t                n;
    const docket_expr_t  *child;

    if (!docket_expr_is_group(e)) {
        return 1;
    }

    n = 0;

    for (child = e->first; child != NULL; child = child->next) {
        n += docket_expr_count(child);
    }

    return n;
}
