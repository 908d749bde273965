/*
 * The question: what an analyst asks, read from any of its written forms,
 * resolved to a range of time, brought into one canonical text, identified.
 *
 * Pure C: no nginx, no I/O, no clock (the caller passes "now").  A query owns
 * all its memory; docket_query_destroy() frees every string that it hands
 * out.  Not thread-safe per object; objects are independent.
 *
 * All times are microseconds since the epoch, UTC, in int64_t.
 */

#ifndef DOCKET_QUERY_H
#define DOCKET_QUERY_H


#include <stddef.h>
#include <stdint.h>


#define DOCKET_OK             0
#define DOCKET_ERROR        (-1)

#define DOCKET_ID_LEN         32      /* MD5 in lower case hex */
#define DOCKET_SECOND         1000000LL

/* bounds of one question: a sensor needs 0.7 s for 1,000 terms */
#define DOCKET_MAX_TERMS      256
#define DOCKET_MAX_DEPTH      32
#define DOCKET_MAX_TEXT       8192    /* bytes of any written form */
#define DOCKET_MAX_FILTER     1024
#define DOCKET_MAX_SENSOR     64      /* bytes of a sensor's name */


typedef struct docket_query_s  docket_query_t;


/* What "docket_weight" configures; see docket_query_finish(). */

typedef struct {
    double        total;              /* bytes held by all sensors */
    double        hours;              /* that these bytes span */
    double        threshold;          /* bytes */
    double        ips;                /* selectivity of one address */
    double        nets;
    double        ports;
    int           override;           /* ignore-weight is allowed */
} docket_weight_t;


typedef struct {
    int64_t                now;
    int64_t                time_window;    /* microseconds, a whole number
                                              of seconds, > 0 */
    int64_t                long_ago;       /* microseconds */
    const char *const     *sensors;        /* configured names; not copied */
    size_t                 nsensors;
    const docket_weight_t *weight;         /* NULL: not weighed */
} docket_query_conf_t;


/* Why a question was refused: becomes the problem document. */

typedef struct {
    int           status;             /* 400; 404: an empty segment in a URI;
                                         413: too heavy; 500: no memory, no
                                         MD5 */
    char          field[64];          /* field at fault, or "" */
    long          position;           /* offset in bytes in the decoded value
                                         of "field", or without a field in
                                         what was read, or -1 */
    char          detail[384];        /* one sentence; what and why, quotes
                                         the offending text escaped to
                                         printable ASCII */
} docket_query_error_t;


/*
 * The forms.  Any number of them may be read into one query (a URI and its
 * arguments, a form and two headers); what they say adds up.  Each returns
 * DOCKET_OK, or DOCKET_ERROR with the error filled in; after an error only
 * docket_query_error() and docket_query_destroy() may be called.
 */

/* NULL: out of memory.  "conf" must outlive the query. */
docket_query_t *docket_query_create(const docket_query_conf_t *conf);
void docket_query_destroy(docket_query_t *q);
const docket_query_error_t *docket_query_error(const docket_query_t *q);

/* "host/1.2.3.4/port/80/after/5m": the part of the path below /uri/, still
   percent-encoded; '/' separates, one trailing '/' is allowed.  A net takes
   a following number (or "%2F24" inside) as its length.  "/or/" separates
   alternatives of terms; times and options stand for the whole question,
   wherever they are. */
int docket_query_read_uri(docket_query_t *q, const char *s, size_t len);

/* URL query arguments ("filter=..&limit-packets=.."), percent-encoded. */
int docket_query_read_args(docket_query_t *q, const char *s, size_t len);

/* application/x-www-form-urlencoded; "query=" is a raw expression.  An empty
   value says nothing: browsers send the fields that were left blank. */
int docket_query_read_form(docket_query_t *q, const char *s, size_t len);

/* A JSON object (yajl); "any": [{...}, ...] is a union.  null says
   nothing. */
int docket_query_read_json(docket_query_t *q, const char *s, size_t len);

/* A raw Stenographer expression, verbatim. */
int docket_query_read_raw(docket_query_t *q, const char *s, size_t len);

/* One field by its NUL-terminated name, with its value as if from a decoded
   form (used for request headers). */
int docket_query_set(docket_query_t *q, const char *name, const char *value,
    size_t len);

/*
 * Resolves times, canonicalises, identifies, weighs.  DOCKET_ERROR when there
 * is nothing to ask (no term and no time), after >= before, an unknown
 * sensor, too heavy (status 413).
 */
int docket_query_finish(docket_query_t *q);

/* true, yes, 1: 1; false, no, 0: 0, in any case; -1: anything else. */
int docket_query_flag(const char *s, size_t len);


/* After docket_query_finish(). */

typedef struct {
    const char   *text;               /* canonical, NUL-terminated */
    size_t        text_len;
    char          id[DOCKET_ID_LEN + 1];
    const char   *terms;              /* the expression without the range,
                                         "" when only a time was asked */
    size_t        terms_len;
    int64_t       after;              /* widened, [after, before) */
    int64_t       before;
    int           exact;              /* no time term below an "or" */
    int           relative;           /* a time was relative to now, so the
                                         id changes with the window */
    const char *const *sensors;       /* asked for by name, sorted; none: all */
    size_t        nsensors;
    uint64_t      limit_packets;      /* 0: none */
    uint64_t      limit_bytes;        /* 0: none */
    const char   *filter;             /* NULL: none; not yet compiled */
    double        weight;             /* bytes expected; 0 when not weighed */
    int           ignore_weight;
    int           refresh;
} docket_query_result_t;

const docket_query_result_t *docket_query_result(const docket_query_t *q);


/*
 * What one slice of a question sends to a sensor:
 * "after T and before T and (terms)", or only the times without terms.
 * "after" is rounded down and "before" up to whole seconds.  Writes at most
 * "size" bytes with the NUL; returns the length that it needs (as snprintf).
 */
size_t docket_query_sensor_text(const char *terms, int64_t after,
    int64_t before, char *buf, size_t size);


/*
 * Search over canonical texts.  A query that was read and prepared with
 * docket_query_finish_search() (which needs no time and no term) matches a
 * text when each of its terms stands in the text and their ranges overlap.
 * Sensors, limits and the filter must be the text's; a text without sensors
 * was put to all of them.  The result then has the range (all of time when
 * none was given) and the options, but no text and no id.
 */
int docket_query_finish_search(docket_query_t *q);
int docket_query_matches(const docket_query_t *q, const char *text,
    size_t len, int64_t after, int64_t before);


/* Times; src/query/docket_time.c. */

#define DOCKET_TIME_LEN  sizeof("2018-01-10T22:10:00.000000Z")

/* "3h30m", "3.5h", "5m"; whole or DOCKET_ERROR.  A bare number is an error. */
int docket_parse_duration(const char *s, size_t len, int64_t *us);
/* RFC 3339 with fraction and offset, "2017-04-30T13:26:43" (UTC),
   "2017-04-30". */
int docket_parse_time(const char *s, size_t len, int64_t *us);
/* RFC 3339 UTC; the fraction only when there is one. Returns the length. */
size_t docket_format_time(char buf[DOCKET_TIME_LEN], int64_t us);


#endif /* DOCKET_QUERY_H */
