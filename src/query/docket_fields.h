/*
 * The fields of a question: the one table where every form ends.
 */

#ifndef DOCKET_FIELDS_H
#define DOCKET_FIELDS_H


#include "query/docket_query_int.h"


/* Whether the name says something without a value. */

typedef enum {
    DOCKET_FIELD_VALUE = 0,           /* no */
    DOCKET_FIELD_FLAG,                /* "refresh" in a form; true is meant */
    DOCKET_FIELD_WORD                 /* "tcp" in a URI, too */
} docket_field_e;


typedef struct docket_field_s  docket_field_t;

struct docket_field_s {
    const char       *name;
    docket_field_e    alone;
    int               kind;           /* of "set" */
    int             (*set)(docket_query_t *q, const docket_field_t *field,
                        const docket_scope_t *scope, const char *s,
                        size_t len);
};


/* By name or alias, in any case, '_' as '-'.  NULL: unknown. */
const docket_field_t *docket_field_find(const char *name, size_t len);

/* The error for a name that is not there; always DOCKET_ERROR. */
int docket_field_unknown(docket_query_t *q, const char *name, size_t len);

/* Reads one decoded value.  An empty one, for HTML forms send those too, says
   nothing when "form" is set. */
int docket_field_set(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len, int form);


#endif /* DOCKET_FIELDS_H */
