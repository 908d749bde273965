/*
 * Durations and times, read whole or refused.
 */

#include <stdint.h>
#include <string.h>

#include "query/docket_query.h"
#include "query/docket_when.h"


#define DOCKET_DAY  (86400 * DOCKET_SECOND)

/* Digits of a whole number of any unit; more would pass the longest span. */
#define DOCKET_DURATION_DIGITS  18


typedef struct {
    const char  *name;
    int64_t      us;
    const char  *next;                /* unit of a number that follows */
} docket_unit_t;


static const docket_unit_t *docket_unit(const char *name, size_t len);
static int docket_duration_number(const char *s, size_t len, size_t *pos,
    int64_t *whole, size_t *fraction, size_t *nfraction);
static int docket_duration_add(const char *s, int64_t whole, size_t fraction,
    size_t nfraction, const docket_unit_t *unit, int64_t *sum);
static int docket_digits(const char *s, size_t n, int *value);
static int docket_read_clock(const char *s, size_t len, size_t *pos,
    int64_t *us, int *leap);
static int docket_read_offset(const char *s, size_t len, int64_t *us);
static int64_t docket_days(int year, int month, int day);


static const docket_unit_t  docket_units[] = {
    { "us", 1, NULL },
    { "ms", 1000, NULL },
    { "s", DOCKET_SECOND, NULL },
    { "m", 60 * DOCKET_SECOND, "s" },
    { "h", 3600 * DOCKET_SECOND, "m" },
    { "d", DOCKET_DAY, "h" },
    { "w", 7 * DOCKET_DAY, "d" }
};


int
docket_parse_duration(const char *s, size_t len, int64_t *us)
{
    size_t                pos, start, fraction, nfraction;
    int64_t               sum, whole;
    const docket_unit_t  *unit;

    sum = 0;
    pos = 0;
    unit = NULL;

    if (len == 0) {
        return DOCKET_ERROR;
    }

    while (pos < len) {
        if (docket_duration_number(s, len, &pos, &whole, &fraction,
                                   &nfraction)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        start = pos;

        while (pos < len && s[pos] >= 'a' && s[pos] <= 'z') {
            pos++;
        }

        if (pos != start) {
            unit = docket_unit(s + start, pos - start);

        } else if (pos == len && unit != NULL && unit->next != NULL) {
            unit = docket_unit(unit->next, strlen(unit->next));

        } else {
            return DOCKET_ERROR;
        }

        if (unit == NULL
            || docket_duration_add(s, whole, fraction, nfraction, unit, &sum)
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    *us = sum;

    return DOCKET_OK;
}


static const docket_unit_t *
docket_unit(const char *name, size_t len)
{
    size_t  i;

    for (i = 0; i < sizeof(docket_units) / sizeof(docket_units[0]); i++) {
        if (strlen(docket_units[i].name) == len
            && memcmp(docket_units[i].name, name, len) == 0)
        {
            return &docket_units[i];
        }
    }

    return NULL;
}


/* "12", "3.5", ".5": where the fraction's digits start and how many */

static int
docket_duration_number(const char *s, size_t len, size_t *pos, int64_t *whole,
    size_t *fraction, size_t *nfraction)
{
    size_t   p, digits;

    p = *pos;
    digits = 0;
    *whole = 0;
    *nfraction = 0;

    for ( /* void */ ; p < len && s[p] >= '0' && s[p] <= '9'; p++) {
        if (++digits > DOCKET_DURATION_DIGITS) {
            return DOCKET_ERROR;
        }

        *whole = *whole * 10 + (s[p] - '0');
    }

    *fraction = p;

    if (p < len && s[p] == '.') {
        *fraction = ++p;

        while (p < len && s[p] >= '0' && s[p] <= '9') {
            p++;
        }

        *nfraction = p - *fraction;

        if (*nfraction == 0) {
            return DOCKET_ERROR;
        }
    }

    if (digits == 0 && *nfraction == 0) {
        return DOCKET_ERROR;
    }

    *pos = p;

    return DOCKET_OK;
}


static int
docket_duration_add(const char *s, int64_t whole, size_t fraction,
    size_t nfraction, const docket_unit_t *unit, int64_t *sum)
{
    size_t   i;
    int64_t  part;

    if (whole > DOCKET_TIME_MAX / unit->us) {
        return DOCKET_ERROR;
    }

    *sum += whole * unit->us;

    part = unit->us;

    for (i = 0; i < nfraction; i++) {
        part /= 10;
        *sum += (s[fraction + i] - '0') * part;
    }

    return (*sum > DOCKET_TIME_MAX) ? DOCKET_ERROR : DOCKET_OK;
}


int
docket_parse_time(const char *s, size_t len, int64_t *us)
{
    int            year, month, day, leap;
    size_t         pos;
    int64_t        t, part;

    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (len < sizeof("2017-04-30") - 1
        || docket_digits(s, 4, &year) != DOCKET_OK
        || s[4] != '-'
        || docket_digits(s + 5, 2, &month) != DOCKET_OK
        || s[7] != '-'
        || docket_digits(s + 8, 2, &day) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (month < 1 || month > 12 || day < 1) {
        return DOCKET_ERROR;
    }

    if (day > days[month - 1]
        && !(month == 2 && day == 29 && year % 4 == 0
             && (year % 100 != 0 || year % 400 == 0)))
    {
        return DOCKET_ERROR;
    }

    t = docket_days(year, month, day) * DOCKET_DAY;
    pos = sizeof("2017-04-30") - 1;
    leap = 0;

    if (pos < len) {
        if (docket_read_clock(s, len, &pos, &part, &leap) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        t += part;
    }

    if (pos < len) {
        if (docket_read_offset(s + pos, len - pos, &part) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        t -= part;
    }

    /* a leap second ends a day of UTC; a fraction may have been rounded up to
       the next one */

    if (leap && (t + DOCKET_SECOND) % DOCKET_DAY > DOCKET_SECOND) {
        return DOCKET_ERROR;
    }

    if (t < 0 || t > DOCKET_TIME_MAX) {
        return DOCKET_ERROR;
    }

    *us = t;

    return DOCKET_OK;
}


static int
docket_digits(const char *s, size_t n, int *value)
{
    size_t  i;

    *value = 0;

    for (i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9') {
            return DOCKET_ERROR;
        }

        *value = *value * 10 + (s[i] - '0');
    }

    return DOCKET_OK;
}


/* "T13:26:43.5"; of a fraction finer than a microsecond the rest counts as
   one more, which parts the packets of a capture at the same place; in a leap
   second the clock that stamps packets shows the second before it once more */

static int
docket_read_clock(const char *s, size_t len, size_t *pos, int64_t *us,
    int *leap)
{
    int      hour, minute, second, rest;
    size_t   p;
    int64_t  unit, fraction;

    p = *pos;

    if (len - p < sizeof("T13:26:43") - 1
        || (s[p] != 'T' && s[p] != 't')
        || docket_digits(s + p + 1, 2, &hour) != DOCKET_OK
        || s[p + 3] != ':'
        || docket_digits(s + p + 4, 2, &minute) != DOCKET_OK
        || s[p + 6] != ':'
        || docket_digits(s + p + 7, 2, &second) != DOCKET_OK
        || hour > 23 || minute > 59 || second > 60)
    {
        return DOCKET_ERROR;
    }

    *leap = (second == 60);
    second -= *leap;

    p += sizeof("T13:26:43") - 1;
    fraction = 0;

    if (p < len && s[p] == '.') {
        unit = DOCKET_SECOND;
        rest = 0;

        if (++p == len || s[p] < '0' || s[p] > '9') {
            return DOCKET_ERROR;
        }

        for ( /* void */ ; p < len && s[p] >= '0' && s[p] <= '9'; p++) {
            unit /= 10;
            fraction += (s[p] - '0') * unit;

            if (unit == 0 && s[p] != '0') {
                rest = 1;
            }
        }

        fraction += rest;
    }

    *us = ((hour * 60LL + minute) * 60 + second) * DOCKET_SECOND + fraction;
    *pos = p;

    return DOCKET_OK;
}


static int
docket_read_offset(const char *s, size_t len, int64_t *us)
{
    int  hour, minute;

    if (len == 1 && (s[0] == 'Z' || s[0] == 'z')) {
        *us = 0;
        return DOCKET_OK;
    }

    if (len != sizeof("+07:00") - 1
        || (s[0] != '+' && s[0] != '-')
        || docket_digits(s + 1, 2, &hour) != DOCKET_OK
        || s[3] != ':'
        || docket_digits(s + 4, 2, &minute) != DOCKET_OK
        || hour > 23 || minute > 59)
    {
        return DOCKET_ERROR;
    }

    *us = (hour * 60LL + minute) * 60 * DOCKET_SECOND;

    if (s[0] == '-') {
        *us = -*us;
    }

    return DOCKET_OK;
}


/* days since 1970-01-01 of a date of the Gregorian calendar; years that
   start in March have their leap day at the end */

static int64_t
docket_days(int year, int month, int day)
{
    int64_t  y, m;

    y = (month > 2) ? year : year - 1;
    m = (month > 2) ? month - 3 : month + 9;

    return 365 * y + (y + 4) / 4 - (y + 100) / 100 + (y + 400) / 400
           + (153 * m + 2) / 5 + day - 719470;
}


size_t
docket_format_time(char buf[DOCKET_TIME_LEN], int64_t us)
{
    char     *p;
    int       i;
    int64_t   days, rest, year, fraction, unit, field[5];

    if (us < 0) {
        us = 0;
    }

    if (us > DOCKET_TIME_MAX) {
        us = DOCKET_TIME_MAX;
    }

    days = us / DOCKET_DAY;
    rest = us % DOCKET_DAY;
    fraction = rest % DOCKET_SECOND;
    rest /= DOCKET_SECOND;

    year = 1970 + days / 366;

    while (docket_days(year + 1, 1, 1) <= days) {
        year++;
    }

    field[0] = 1;

    while (field[0] < 12 && docket_days(year, field[0] + 1, 1) <= days) {
        field[0]++;
    }

    field[1] = days - docket_days(year, field[0], 1) + 1;
    field[2] = rest / 3600;
    field[3] = rest / 60 % 60;
    field[4] = rest % 60;

    p = buf;

    for (unit = 1000; unit != 0; unit /= 10) {
        *p++ = '0' + year / unit % 10;
    }

    for (i = 0; i < 5; i++) {
        *p++ = "--T::"[i];
        *p++ = '0' + field[i] / 10;
        *p++ = '0' + field[i] % 10;
    }

    if (fraction != 0) {
        *p++ = '.';

        for (unit = DOCKET_SECOND / 10; unit != 0; unit /= 10) {
            *p++ = '0' + fraction / unit % 10;
        }
    }

    *p++ = 'Z';
    *p = '\0';

    return p - buf;
}
