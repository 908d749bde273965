/*
 * The pivot while it is read; shared by the kinds of events.
 */

#ifndef DOCKET_PIVOT_INT_H
#define DOCKET_PIVOT_INT_H


#include "pivot/docket_pivot.h"
#include "query/docket_query_int.h"


#define DOCKET_PIVOT_MAX_FACTS  256
#define DOCKET_PIVOT_NAME       128       /* bytes of a name, with its NUL */
#define DOCKET_PIVOT_VALUE      256       /* of a value; more is no value of
                                             any field that is looked for */


#define docket_pivot_is_space(c)                                              \
    ((c) == ' ' || (c) == '\t' || (c) == '\r' || (c) == '\n')


/* What a field of an event says. */

typedef enum {
    DOCKET_PIVOT_SRC = 0,             /* addresses */
    DOCKET_PIVOT_DST,
    DOCKET_PIVOT_ANY,
    DOCKET_PIVOT_SPORT,
    DOCKET_PIVOT_DPORT,
    DOCKET_PIVOT_PORT,
    DOCKET_PIVOT_PROTO,
    DOCKET_PIVOT_TIME,                /* of the event, or of its log */
    DOCKET_PIVOT_START,
    DOCKET_PIVOT_END,
    DOCKET_PIVOT_DURATION,            /* seconds */
    DOCKET_PIVOT_NANO,                /* the same in nanoseconds */
    DOCKET_PIVOT_NOTE                 /* known, and not used: "why" */
} docket_pivot_role_e;


/* Fields that tell of one connection together; of several that do, the first
   in this order is asked for. */

typedef enum {
    DOCKET_PIVOT_TUNNEL = 0,          /* around the connection */
    DOCKET_PIVOT_ZEEK,
    DOCKET_PIVOT_EVE,
    DOCKET_PIVOT_ECS,
    DOCKET_PIVOT_PEERS,               /* ECS, client and server */
    DOCKET_PIVOT_FLOW,                /* EVE, of an alert's flow */
    DOCKET_PIVOT_COMMON,
    DOCKET_PIVOT_UNDIRECTED,
    DOCKET_PIVOT_TEXT,                /* words of a text */
    DOCKET_PIVOT_NFAMILIES
} docket_pivot_family_e;


typedef struct {
    const char             *name;     /* in lower case, with '.' for '_' */
    docket_pivot_role_e     role;
    docket_pivot_family_e   family;
    const char             *why;      /* a note's; of another role: it may
                                         hold what is none, which is left out
                                         for this reason */
} docket_pivot_field_t;


/* One thing that the event says. */

typedef struct docket_pivot_fact_s  docket_pivot_fact_t;

struct docket_pivot_fact_s {
    const docket_pivot_field_t  *field;
    const char                  *name;     /* as the event has it */
    const char                  *value;
    size_t                       len;
    docket_pivot_fact_t         *next;
};


struct docket_pivot_s {
    docket_query_t              *q;
    docket_pivot_fact_t         *facts;
    docket_pivot_fact_t        **last;
    size_t                       nfacts;

    int                          events;        /* that were read */
    docket_pivot_use_t          *after;         /* given instead */
    docket_pivot_use_t          *before;

    docket_pivot_result_t        result;
    docket_pivot_use_t         **last_use;
    docket_pivot_unused_t      **last_unused;
};


/* docket_pivot_fields.c */

/* By the name that an event has it under, in any case, with "_" or "." in it,
   and below what documents are wrapped in.  NULL: it says nothing here. */
const docket_pivot_field_t *docket_pivot_field(const char *name, size_t len);

/* The field of a text's word. */
const docket_pivot_field_t *docket_pivot_word(docket_pivot_role_e role);

/* Names of the fields that hold addresses, for an error. */
void docket_pivot_names(char *buf, size_t size);

/* Adds what the event says; a value that stands for none is left out. */
int docket_pivot_add(docket_pivot_t *p, const docket_pivot_field_t *field,
    const char *name, size_t name_len, const char *value, size_t len);

/* Adds to the result's lists. */
int docket_pivot_use(docket_pivot_t *p, const char *field, const char *value,
    const char *name);
int docket_pivot_unused(docket_pivot_t *p, const char *name,
    const char *why);

/* One value of the query, and its place among the result's. */
int docket_pivot_set(docket_pivot_t *p, const char *field, const char *value,
    const char *name);

/* A copy of what may be any bytes, as printable ASCII and cut to
   DOCKET_PIVOT_NAME.  NULL: no memory, with the error filled in. */
const char *docket_pivot_printable(docket_pivot_t *p, const char *s,
    size_t len);


/* Kinds of events; each returns DOCKET_OK or DOCKET_ERROR. */

int docket_pivot_read_json(docket_pivot_t *p, const char *s, size_t len);

/* DOCKET_PIVOT_DECLINED: this is no line of a Zeek log. */
#define DOCKET_PIVOT_DECLINED  1

int docket_pivot_read_zeek(docket_pivot_t *p, const char *s, size_t len);
int docket_pivot_read_pairs(docket_pivot_t *p, const char *s, size_t len);
int docket_pivot_read_words(docket_pivot_t *p, const char *s, size_t len);


/* docket_pivot_range.c: the times of the facts, as "after" and "before" of the
   query.  An event without any adds none. */
int docket_pivot_range(docket_pivot_t *p);


/* docket_pivot_value.c: values; each reads its text whole, or returns
   DOCKET_ERROR without an error filled in. */

/* An absolute time: RFC 3339 and its relatives ("+0200", a blank for "T", no
   zone: UTC), "01/02/2024-03:04:05.678901", "Jan 2 2024 03:04:05.678", or
   seconds, milliseconds, microseconds or nanoseconds since 1970, told apart by
   their size. */
int docket_pivot_time(const char *s, size_t len, int64_t *us);

/* How many bytes at the beginning are such a time: one word, or a day, its
   clock, and its zone.  0: none. */
size_t docket_pivot_time_words(const char *s, size_t len);

/* A decimal number of seconds; or, with "nano", a whole one of nanoseconds,
   while one with a fraction is taken for seconds. */
int docket_pivot_duration(const char *s, size_t len, int nano, int64_t *us);

/* A protocol by its name or number.  DOCKET_PIVOT_DECLINED: a name that says
   that it is not known. */
int docket_pivot_proto(const char *s, size_t len, uint64_t *proto);

/* An address without its brackets and zone, in its normal form. */
#define DOCKET_PIVOT_ADDR  64
int docket_pivot_addr(const char *s, size_t len, char buf[DOCKET_PIVOT_ADDR]);

/* "1.2.3.4:80", "[2001:db8::1]:443", "1.2.3.4.80", "2001:db8::1.443", with
   ICMP's type and code "1.2.3.4:8.0": *port is 0, or an address alone: *port is
   -1.  "addr" and *port are filled in. */
int docket_pivot_endpoint(const char *s, size_t len,
    char addr[DOCKET_PIVOT_ADDR], long *port);


#endif /* DOCKET_PIVOT_INT_H */
