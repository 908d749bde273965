/*
 * Bounds of time, and its rounding.
 */

#ifndef DOCKET_WHEN_H
#define DOCKET_WHEN_H


#include <stdint.h>

#include "query/docket_query.h"


/* 9999-12-31T23:59:59.999999Z: RFC 3339 has four digits for a year */
#define DOCKET_TIME_MAX  (253402300799LL * DOCKET_SECOND + 999999)


static inline int64_t
docket_round_down(int64_t us, int64_t unit)
{
    return us - us % unit;
}


/* "us" within 0 .. DOCKET_TIME_MAX and "unit" within DOCKET_TIME_MAX */

static inline int64_t
docket_round_up(int64_t us, int64_t unit)
{
    return (us % unit == 0) ? us : us - us % unit + unit;
}


#endif /* DOCKET_WHEN_H */
