/*
 * The range of time of an event, and from what it is known.
 */

#include <string.h>

#include "pivot/docket_pivot_int.h"
#include "query/docket_when.h"


/* nothing is captured in the last second of the last year */
#define DOCKET_PIVOT_LAST  (DOCKET_TIME_MAX - DOCKET_SECOND)


static int docket_pivot_when(docket_pivot_t *p, docket_pivot_role_e role,
    const docket_pivot_fact_t **found, int64_t *us);
static int docket_pivot_length(docket_pivot_t *p,
    const docket_pivot_fact_t **found, int64_t *us);
static int docket_pivot_put_time(docket_pivot_t *p, const char *field,
    const docket_pivot_use_t *given, int64_t us,
    const docket_pivot_fact_t *one, const docket_pivot_fact_t *two);


int
docket_pivot_range(docket_pivot_t *p)
{
    int64_t                     start, end, time, length;
    const docket_pivot_fact_t  *from, *to, *at, *by, *from_by, *to_by;

    if (docket_pivot_when(p, DOCKET_PIVOT_START, &from, &start) != DOCKET_OK
        || docket_pivot_when(p, DOCKET_PIVOT_END, &to, &end) != DOCKET_OK
        || docket_pivot_when(p, DOCKET_PIVOT_TIME, &at, &time) != DOCKET_OK
        || docket_pivot_length(p, &by, &length) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    from_by = NULL;
    to_by = NULL;

    /* a firewall writes when a connection is over, and then how long it was */

    if (from == NULL && to == NULL && at != NULL) {

        if (at->field->family == DOCKET_PIVOT_COMMON
            || at->field->family == DOCKET_PIVOT_TEXT)
        {
            to = at;
            end = time;

        } else {
            from = at;
            start = time;
        }
    }

    if (from != NULL && to == NULL) {
        to = from;
        end = start;

        if (by != NULL) {
            to_by = by;
            end += length;

        } else if (at != NULL && time > start) {
            to = at;
            end = time;
        }
    }

    if (from == NULL && to != NULL) {
        from = to;
        start = end;

        if (by != NULL) {
            from_by = by;
            start -= length;

        } else if (at != NULL && time < end) {
            from = at;
            start = time;
        }
    }

    if (from == NULL) {
        return (docket_pivot_put_time(p, "after", p->after, 0, NULL, NULL)
                == DOCKET_OK)
               ? docket_pivot_put_time(p, "before", p->before, 0, NULL, NULL)
               : DOCKET_ERROR;
    }

    if (end < start) {
        if (docket_pivot_unused(p, to->name, "an end before the beginning")
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        to = from;
        end = start;
    }

    p->result.start = (start < 0) ? 0 : start;
    p->result.end = (end > DOCKET_TIME_MAX) ? DOCKET_TIME_MAX : end;

    /* the last packet is asked for, too; nothing here is over thrice
       DOCKET_TIME_MAX */

    start = p->result.start - p->result.margin;
    end = p->result.end + ((p->result.margin != 0) ? p->result.margin : 1);

    if (start < 0) {
        start = 0;
    }

    if (end > DOCKET_PIVOT_LAST) {
        end = DOCKET_PIVOT_LAST;
    }

    if (docket_pivot_put_time(p, "after", p->after,
                              docket_round_down(start, DOCKET_SECOND), from,
                              from_by)
        != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    return docket_pivot_put_time(p, "before", p->before,
                                 docket_round_up(end, DOCKET_SECOND), to,
                                 to_by);
}


/*
 * The time of this role: the first one of the best family that has one, which
 * a log's reader has put there rather than what shipped it.  What is no time
 * is an error when there is no other one, and the range was not given.
 */

static int
docket_pivot_when(docket_pivot_t *p, docket_pivot_role_e role,
    const docket_pivot_fact_t **found, int64_t *us)
{
    char                        quote[DOCKET_QUOTE_LEN];
    int64_t                     value;
    const docket_pivot_fact_t  *fact, *bad;

    *found = NULL;
    *us = 0;
    bad = NULL;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (fact->field->role != role) {
            continue;
        }

        if (docket_pivot_time(fact->value, fact->len, &value) != DOCKET_OK) {

            if (fact->field->why == NULL) {
                bad = (bad == NULL) ? fact : bad;

            } else if (docket_pivot_unused(p, fact->name, fact->field->why)
                       != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }

            continue;
        }

        if (*found == NULL || fact->field->family < (*found)->field->family) {
            *found = fact;
            *us = value;

        } else if (fact->field == (*found)->field && value != *us
                   && docket_pivot_unused(p, fact->name, "has several values, "
                                          "of which the first is asked for")
                      != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    if (bad == NULL) {
        return DOCKET_OK;
    }

    if (*found != NULL || (p->after != NULL && p->before != NULL)) {
        return docket_pivot_unused(p, bad->name, "no time");
    }

    return docket_query_fail(p->q, bad->name, 0,
                             "%s is no time such as 2018-01-10T22:10:00Z, "
                             "2018-01-10T23:10:00.5+0100 or 1515622200.5",
                             docket_quote(quote, bad->value, bad->len));
}


static int
docket_pivot_length(docket_pivot_t *p, const docket_pivot_fact_t **found,
    int64_t *us)
{
    int64_t                     value;
    const docket_pivot_fact_t  *fact;

    *found = NULL;
    *us = 0;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (fact->field->role != DOCKET_PIVOT_DURATION
            && fact->field->role != DOCKET_PIVOT_NANO)
        {
            continue;
        }

        if (docket_pivot_duration(fact->value, fact->len,
                                  fact->field->role == DOCKET_PIVOT_NANO,
                                  &value)
            != DOCKET_OK)
        {
            if (docket_pivot_unused(p, fact->name, "no duration")
                != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }

            continue;
        }

        /* the longest one has all packets */

        if (*found == NULL || value > *us) {
            *found = fact;
            *us = value;
        }
    }

    return DOCKET_OK;
}


/* a time that was given stands in the query already */

static int
docket_pivot_put_time(docket_pivot_t *p, const char *field,
    const docket_pivot_use_t *given, int64_t us,
    const docket_pivot_fact_t *one, const docket_pivot_fact_t *two)
{
    char  text[DOCKET_TIME_LEN];

    if (given != NULL) {
        return docket_pivot_use(p, field, given->value, given->name);
    }

    if (one == NULL) {
        return DOCKET_OK;
    }

    (void) docket_format_time(text, us);

    if (docket_pivot_set(p, field, text, one->name) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    return (two == NULL) ? DOCKET_OK
                         : docket_pivot_set(p, field, NULL, two->name);
}
