/*
 * From an event to the question for its packets.
 *
 * An event is what an alert, a log or a person says of a connection: a Zeek
 * line, a Suricata EVE record, an ECS document, a five-tuple in any common
 * writing, or single fields of these.  It becomes hosts, ports, a protocol and
 * a range of time of a docket_query_t, as if they had been given as fields.
 *
 * Pure C, as src/query is: no nginx, no I/O, no clock.  A pivot's memory and
 * its error are those of the query that it reads into: what fails returns
 * DOCKET_ERROR, and docket_query_error() says why.  Its strings live as long
 * as the query.
 */

#ifndef DOCKET_PIVOT_H
#define DOCKET_PIVOT_H


#include <stddef.h>
#include <stdint.h>

#include "query/docket_query.h"


#define DOCKET_PIVOT_MARGIN    (60 * DOCKET_SECOND)
#define DOCKET_PIVOT_MAX_TEXT  65536      /* bytes of one event */


typedef struct docket_pivot_s  docket_pivot_t;


/* What a field of the question was taken from. */

typedef struct docket_pivot_use_s  docket_pivot_use_t;

struct docket_pivot_use_s {
    const char          *field;       /* host, port, proto, after, before */
    const char          *value;       /* as the field takes it; NULL: a further
                                         source of the value before it */
    const char          *name;        /* of the event's field, or its text */
    docket_pivot_use_t  *next;
};


/* What was left out of the question, and why. */

typedef struct docket_pivot_unused_s  docket_pivot_unused_t;

struct docket_pivot_unused_s {
    const char             *name;
    const char             *why;
    docket_pivot_unused_t  *next;
};


/* After docket_pivot_finish(). */

typedef struct {
    const char             *kind;     /* "zeek", "eve", "ecs", "fields",
                                         "text" */
    int64_t                 start;    /* of the event, -1: it has no time */
    int64_t                 end;
    int64_t                 margin;
    docket_pivot_use_t     *used;     /* values of a field are distinct, and
                                         stand in the order of the list above */
    docket_pivot_unused_t  *unused;
} docket_pivot_result_t;


/* NULL: no memory, with the query's error filled in. */
docket_pivot_t *docket_pivot_create(docket_query_t *q);

/* One event, verbatim: JSON, a Zeek log of one line (with its header or with
   the columns of conn.log), or a text with addresses. */
int docket_pivot_read(docket_pivot_t *p, const char *s, size_t len);

/*
 * Percent-encoded "src_ip=..&dest_ip=..": fields of an event by their names,
 * "event" (as docket_pivot_read()), "margin", "after" and "before" (instead of
 * the event's times), and the other fields of a question.  An empty value says
 * nothing.
 */
int docket_pivot_read_args(docket_pivot_t *p, const char *s, size_t len);

/* Decides what the question is, and puts it into the query, which is then to
   be finished.  DOCKET_ERROR when there is no address, or something that the
   question would need is wrong. */
int docket_pivot_finish(docket_pivot_t *p);

const docket_pivot_result_t *docket_pivot_result(const docket_pivot_t *p);


#endif /* DOCKET_PIVOT_H */
