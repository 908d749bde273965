/*
 * What the writer and the reader of a record share; not for others.
 */

#ifndef DOCKET_JOB_JSON_H
#define DOCKET_JOB_JSON_H


#include <stddef.h>


#define DOCKET_JOB_MAX_TEXT   (64 * 1024)     /* of "query" and "terms" */

/* microseconds: 1970-01-01T00:00:00Z, 9999-12-31T23:59:59.999999Z */
#define DOCKET_JOB_TIME_MIN   0LL
#define DOCKET_JOB_TIME_MAX   253402300799999999LL


/* Copies "len" bytes and makes them valid UTF-8 of the same length: each
   byte that is none becomes '?', a NUL always, a control character only
   when "controls" is 0.  "dst" may be "src". */
void docket_json_clean(char *dst, const char *src, size_t len, int controls);


#endif /* DOCKET_JOB_JSON_H */
