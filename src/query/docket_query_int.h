/*
 * The query while it is read; shared by the forms.
 */

#ifndef DOCKET_QUERY_INT_H
#define DOCKET_QUERY_INT_H


#include <stddef.h>
#include <stdint.h>

#include "query/docket_arena.h"
#include "query/docket_expr.h"
#include "query/docket_query.h"


/* Of a quoted piece of input: enough to find it again. */
#define DOCKET_QUOTE_LEN  (4 * 48 + sizeof("\"...\""))


struct docket_query_s {
    const docket_query_conf_t  *conf;
    docket_arena_t              arena;
    docket_query_error_t        error;
    docket_query_result_t       result;

    docket_expr_t              *root;      /* all that was read, and-ed */
    size_t                      nterms;

    unsigned char              *asked;     /* of each configured sensor */
    uint64_t                    limit_packets;
    uint64_t                    limit_bytes;
    const char                 *filter;
    int                         ignore_weight;  /* -1: not said */
    int                         refresh;        /* -1: not said */
    int                         relative;
    int                         finished;
};


/* Where the values of a form go. */

typedef struct {
    docket_expr_t  *terms;            /* the group that takes terms */
    docket_expr_t  *times;            /* the group that takes times */
    int             options;          /* sensor, limits and flags fit here */
} docket_scope_t;


/* Fills in the error with status 400; always DOCKET_ERROR. */
int docket_query_fail(docket_query_t *q, const char *field, long position,
    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for what is no fault of the question. */
int docket_query_fail_memory(docket_query_t *q);

/* "s" in double quotes as printable ASCII, cut when long; returns "buf". */
const char *docket_quote(char buf[DOCKET_QUOTE_LEN], const char *s,
    size_t len);

/* A term, bounded in number; NULL with the error filled in. */
docket_expr_t *docket_query_term(docket_query_t *q, docket_expr_type_e type,
    int64_t value, const char *text, size_t len);

/* "port 80": a term of a number. */
docket_expr_t *docket_query_number(docket_query_t *q,
    docket_expr_type_e type, uint64_t value);

/* "after T", "before T" with the time rounded outward: to the window when it
   is relative to now, else to a second. */
docket_expr_t *docket_query_time(docket_query_t *q, docket_expr_type_e type,
    int64_t us, int relative, const char *field, long position);

/* "5m", "5m ago" (before now) or an absolute time.  Fills in the error. */
docket_expr_t *docket_query_when(docket_query_t *q, docket_expr_type_e type,
    const char *s, size_t len, const char *field, long position);

/* It is meant as an absolute time: "2017-..." */
int docket_is_date(const char *s, size_t len);

/* "5m", "5m ago" only. */
docket_expr_t *docket_query_ago(docket_query_t *q, docket_expr_type_e type,
    const char *s, size_t len, const char *field, long position);

/* Decimal digits, at most "max"; DOCKET_ERROR without an error filled in. */
int docket_parse_number(const char *s, size_t len, uint64_t max,
    uint64_t *value);

/* The greatest number of a port, VLAN, label, protocol. */
uint64_t docket_number_max(docket_expr_type_e type);
const char *docket_number_name(docket_expr_type_e type);

/* The tree of a raw expression; NULL with the error filled in. */
docket_expr_t *docket_raw_parse(docket_query_t *q, const char *field,
    const char *s, size_t len);

/* Undoes percent-encoding, and with "plus" reads '+' as a blank.  "dst" has
   room for "len" bytes.  DOCKET_ERROR: "*bad" is the offset in "s". */
int docket_unescape(char *dst, size_t *dst_len, const char *s, size_t len,
    int plus, size_t *bad);

/* What "docket_query_result_t.weight" holds. */
double docket_weight(const docket_weight_t *w, const docket_expr_t *terms,
    int64_t seconds);


#endif /* DOCKET_QUERY_INT_H */
