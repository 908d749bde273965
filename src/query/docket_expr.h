/*
 * The tree of a question: terms, and groups of them.
 */

#ifndef DOCKET_EXPR_H
#define DOCKET_EXPR_H


#include <stddef.h>
#include <stdint.h>

#include "query/docket_arena.h"


/* In the order of the canonical text. */

typedef enum {
    DOCKET_EXPR_HOST = 0,
    DOCKET_EXPR_NET,
    DOCKET_EXPR_PORT,
    DOCKET_EXPR_VLAN,
    DOCKET_EXPR_MPLS,
    DOCKET_EXPR_PROTO,
    DOCKET_EXPR_OR,
    DOCKET_EXPR_AFTER,
    DOCKET_EXPR_BEFORE,
    DOCKET_EXPR_AND
} docket_expr_type_e;


typedef struct docket_expr_s  docket_expr_t;

struct docket_expr_s {
    docket_expr_type_e   type;
    int64_t              value;       /* number, or time in microseconds */
    const char          *text;        /* of a group: with its parentheses,
                                         from docket_expr_canonical() on */
    size_t               len;
    unsigned             depth;       /* 0: a term */

    size_t               n;           /* of a group: its operands */
    docket_expr_t       *first;
    docket_expr_t       *last;

    docket_expr_t       *next;        /* beside it in its group */
};


#define docket_expr_is_group(e)                                               \
    ((e)->type == DOCKET_EXPR_OR || (e)->type == DOCKET_EXPR_AND)


/* An empty DOCKET_EXPR_OR or DOCKET_EXPR_AND.  NULL: out of memory. */
docket_expr_t *docket_expr_group(docket_arena_t *a, docket_expr_type_e type);

/* A term with its canonical text, which is copied.  NULL: out of memory. */
docket_expr_t *docket_expr_term(docket_arena_t *a, docket_expr_type_e type,
    int64_t value, const char *text, size_t len);

/* "e" becomes the last operand; it must be complete and in no other group. */
void docket_expr_append(docket_expr_t *group, docket_expr_t *e);

/* "left op right" as a tree; a "left" that is such a group takes "right" in.
   NULL: out of memory. */
docket_expr_t *docket_expr_join(docket_arena_t *a, docket_expr_type_e op,
    docket_expr_t *left, docket_expr_t *right);

/* The canonical form, made of the nodes of "e", which is used up: groups in
   groups of their own kind dissolved, operands sorted and without doubles,
   groups of one operand dissolved.  Every group in it has an operand if each
   in "e" has.  NULL: out of memory.  Recursion is as deep as the tree. */
docket_expr_t *docket_expr_canonical(docket_arena_t *a, docket_expr_t *e);

/* Terms in the tree. */
size_t docket_expr_count(const docket_expr_t *e);


#endif /* DOCKET_EXPR_H */
