/*
 * What the two halves of the reader of a record share; not for others:
 * docket_job_parse.c follows the text, docket_job_fields.c knows the fields
 * and takes their values.
 */

#ifndef DOCKET_JOB_PARSE_H
#define DOCKET_JOB_PARSE_H


#include "job/docket_job.h"


typedef enum {
    DOCKET_IN_NOTHING = 0,
    DOCKET_IN_JOB,
    DOCKET_IN_SENSORS,
    DOCKET_IN_CAPTURE,
    DOCKET_IN_REQUESTS,
    DOCKET_IN_REQUEST,
    DOCKET_IN_SUCCESSES,
    DOCKET_IN_EVENTS,
    DOCKET_IN_EVENT,
    DOCKET_IN_ASKERS,
    DOCKET_IN_ASKER,
    DOCKET_IN_END
} docket_level_e;


typedef enum {
    DOCKET_IS_VERSION,
    DOCKET_IS_ID,
    DOCKET_IS_TEXT,                   /* char *, "size" bytes at most */
    DOCKET_IS_TEXT_OR_NULL,
    DOCKET_IS_WORDS,                  /* char [size] */
    DOCKET_IS_TIME,
    DOCKET_IS_TIME_OR_NULL,           /* null: 0 */
    DOCKET_IS_U64,
    DOCKET_IS_U32,
    DOCKET_IS_DOUBLE,
    DOCKET_IS_BOOL,                   /* in docket_parse_flags_t */
    DOCKET_IS_STATE,
    DOCKET_IS_SENSOR_STATE,
    DOCKET_IS_MAP,                    /* "size": the level that it opens */
    DOCKET_IS_MAP_OR_NULL,
    DOCKET_IS_ARRAY
} docket_kind_e;


typedef struct {
    const char            *name;
    docket_kind_e          kind;
    unsigned               optional;
    size_t                 offset;
    size_t                 size;
} docket_field_t;


/* bit fields have no offset */

typedef struct {
    unsigned char          exact;
    unsigned char          settled;
    unsigned char          partial;
    unsigned char          truncated;
    unsigned char          empty;
} docket_parse_flags_t;


typedef struct {
    docket_job_t          *job;
    docket_parse_flags_t   flags;
    size_t                 room;      /* for entries in job->requests */

    docket_level_e         level;
    const docket_field_t  *field;     /* whose value is next */
    uint64_t               seen_job;  /* bit i: field i of the object */
    uint64_t               seen;      /* the same, of an object inside */

    unsigned               skip;      /* the next value is passed over */
    unsigned               depth;     /* in a value that is passed over */

    char                  *err;
    size_t                 err_size;
    int                    failed;
    int                    no_memory;
} docket_parser_t;


/* fields: of an object, ended by one without a name; NULL: none
   parent: the level to which its end leads */

typedef struct {
    const docket_field_t  *fields;
    docket_level_e         parent;
    const char            *name;
} docket_level_t;


/* docket_job_fields.c */

extern const docket_level_t  docket_levels[];

/* All return 0 when the text is to be refused, which is yajl's way. */

/* The first words stay. */
int docket_parse_fail(docket_parser_t *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int docket_parse_no_memory(docket_parser_t *p);

/* The value of p->field; without words when it does not fit. */
int docket_parse_set_bool(docket_parser_t *p, int value);
int docket_parse_set_number(docket_parser_t *p, const char *s, size_t len);
int docket_parse_set_string(docket_parser_t *p, const char *s, size_t len);


#endif /* DOCKET_JOB_PARSE_H */
