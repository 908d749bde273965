/*
 * What the readers of src/query share.
 */

#ifndef DOCKET_QUERY_INT_H
#define DOCKET_QUERY_INT_H


#include "query/docket_expr.h"


struct docket_query_s {
    docket_arena_t              arena;
    const docket_query_conf_t  *conf;
    docket_query_error_t        error;
    docket_query_result_t       result;

    docket_expr_t              *root;     /* an "and" of all that is asked */
    docket_expr_t              *canon;    /* of a search; NULL: no term */
    size_t                      nterms;

    int64_t                     after;    /* as asked, before widening; -1 */
    int64_t                     before;   /* -1 */

    const char                **sensors;
    size_t                      nsensors;
};


/* Where a value stands in what was read, for errors. */

typedef struct {
    const char                 *field;    /* name to report */
    long                        position; /* of the value, or -1 */
} docket_place_t;


/* Fills the error; "value" (may be NULL) is quoted, escaped.  Returns
   DOCKET_ERROR. */
int docket_query_fail(docket_query_t *q, const char *field, long position,
    const char *value, size_t len, const char *why);
int docket_query_no_memory(docket_query_t *q);

/* One field of any form; term fields go into "group", an "and". */
int docket_field(docket_query_t *q, docket_expr_t *group, const char *name,
    size_t name_len, const char *value, size_t len, long position);
/* Nonzero when "name" (any case, "_" for "-") takes a value in a URI; 2 when
   it is a net, whose length may follow; 0 when it is a word of its own
   (tcp, udp, icmp); -1 when it is no field. */
int docket_field_arity(const char *name, size_t len);

/* A point of time: absolute, or a duration that means "ago".  "*relative" is
   set to 1 in the second case, and left alone in the first. */
int docket_query_time(docket_query_t *q, const char *s, size_t len,
    int64_t *us, int *relative);
/* Takes a time into the range (the latest after, the earliest before). */
void docket_query_range(docket_query_t *q, docket_expr_e type, int64_t us);

docket_expr_t *docket_query_term(docket_query_t *q, docket_expr_e type);

/* Decodes %XX (and "+" when "plus") into the arena; control characters and
   broken escapes are errors of field "field". */
int docket_query_decode(docket_query_t *q, const char *s, size_t len, int plus,
    const char *field, long position, const char **out, size_t *out_len);

/* Raw expression into "group"; its position counts from "base". */
int docket_raw_parse(docket_query_t *q, docket_expr_t *group, const char *s,
    size_t len);


#endif /* DOCKET_QUERY_INT_H */
