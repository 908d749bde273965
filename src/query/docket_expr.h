/*
 * The expression of a question as a tree, and its canonical form.
 */

#ifndef DOCKET_EXPR_H
#define DOCKET_EXPR_H


#include "query/docket_arena.h"
#include "query/docket_query.h"


/* In the order in which operands of an "and" are printed. */

typedef enum {
    DOCKET_EXPR_HOST = 0,
    DOCKET_EXPR_NET,
    DOCKET_EXPR_PORT,
    DOCKET_EXPR_VLAN,
    DOCKET_EXPR_MPLS,
    DOCKET_EXPR_PROTO,
    DOCKET_EXPR_OR,
    DOCKET_EXPR_AND,
    DOCKET_EXPR_AFTER,
    DOCKET_EXPR_BEFORE
} docket_expr_e;


typedef struct docket_expr_s  docket_expr_t;

struct docket_expr_s {
    docket_expr_e     type;
    uint64_t          number;         /* port, vlan, mpls, protocol */
    int64_t           time;           /* microseconds */
    const char       *addr;           /* normal form, "A" or "A/n" */
    docket_expr_t    *children;       /* of "and" and "or" */
    docket_expr_t    *next;           /* sibling */
    const char       *text;           /* canonical, after docket_expr_canon() */
};


docket_expr_t *docket_expr_create(docket_arena_t *a, docket_expr_e type);
/* Appends to an "and" or "or". */
void docket_expr_add(docket_expr_t *group, docket_expr_t *child);

/*
 * Canonical form: nested groups of one kind are flattened, groups of one
 * unwrapped, operands sorted and without doubles, texts made.  Depth is
 * bounded by the parsers.  NULL: out of memory.
 */
docket_expr_t *docket_expr_canon(docket_arena_t *a, docket_expr_t *e);

/* Bytes that 1 byte of all traffic yields: 0..1, by the selectivity of
   addresses, networks and ports. */
double docket_expr_share(const docket_expr_t *e, const docket_weight_t *w);


/* Addresses; docket_addr.c.  Normal form of "A", "A/n", "A/m.a.s.k", or of
   an address and a separate mask or length.  NULL: "*why" says what is wrong
   (or, with *why NULL, out of memory). */
const char *docket_host(docket_arena_t *a, const char *s, size_t len,
    const char **why);
const char *docket_net(docket_arena_t *a, const char *s, size_t len,
    const char *mask, size_t mask_len, const char **why);


#endif /* DOCKET_EXPR_H */
