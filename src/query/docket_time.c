/*
 * Durations and points of time.
 */

#include "query/docket_query.h"

#include <stdio.h>
#include <string.h>


/* 9999-12-31T23:59:59 */
#define DOCKET_TIME_MAX  (253402300799LL * DOCKET_SECOND)


typedef struct {
    const char  *name;
    int64_t      us;
    int64_t      below;               /* unit of a number that follows bare */
} docket_unit_t;


static const docket_unit_t  docket_units[] = {
    { "us", 1, 0 },
    { "ms", 1000, 0 },
    { "s",  DOCKET_SECOND, 0 },
    { "m",  60 * DOCKET_SECOND, DOCKET_SECOND },
    { "h",  3600 * DOCKET_SECOND, 60 * DOCKET_SECOND },
    { "d",  86400 * DOCKET_SECOND, 3600 * DOCKET_SECOND },
    { "w",  604800 * DOCKET_SECOND, 86400 * DOCKET_SECOND },
    { NULL, 0, 0 }
};


static const docket_unit_t *
docket_unit(const char *s, const char *end)
{
    size_t                n;
    const docket_unit_t  *u;

    for (n = 0; s + n < end && s[n] >= 'a' && s[n] <= 'z'; n++) {
        /* void */
    }

    for (u = docket_units; u->name != NULL; u++) {
        if (n == strlen(u->name) && memcmp(s, u->name, n) == 0) {
            return u;
        }
    }

    return NULL;
}


int
docket_parse_duration(const char *s, size_t len, int64_t *us)
{
    int                   digits;
    double                value, scale, sum;
    const char           *end;
    const docket_unit_t  *u, *last;

    end = s + len;
    sum = 0;
    last = NULL;

    if (len == 0 || len > 64) {
        return DOCKET_ERROR;
    }

    while (s < end) {
        value = 0;
        scale = 1;
        digits = 0;

        for ( /* void */ ; s < end && *s >= '0' && *s <= '9'; s++) {
            value = value * 10 + (*s - '0');
            digits++;
        }

        if (s < end && *s == '.') {
            for (s++; s < end && *s >= '0' && *s <= '9'; s++) {
                scale /= 10;
                value += (*s - '0') * scale;
                digits++;
            }
        }

        if (digits == 0) {
            return DOCKET_ERROR;
        }

        if (s == end) {

            /* "3h30": the number behind a unit has the unit below it */

            if (last == NULL || last->below == 0) {
                return DOCKET_ERROR;
            }

            sum += value * (double) last->below;
            break;
        }

        u = docket_unit(s, end);

        if (u == NULL) {
            return DOCKET_ERROR;
        }

        s += strlen(u->name);
        sum += value * (double) u->us;
        last = u;
    }

    if (!(sum <= (double) DOCKET_TIME_MAX)) {
        return DOCKET_ERROR;
    }

    *us = (int64_t) (sum + 0.5);

    return DOCKET_OK;
}


/* Days since the epoch of a date of the Gregorian calendar (the era is 400
   years, the year begins in March). */

static int64_t
docket_days(int64_t year, int64_t month, int64_t day)
{
    int64_t  era, yoe, doy;

    year -= (month <= 2);
    era = year / 400;
    yoe = year - era * 400;
    doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}


static void
docket_date(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t  era, doe, yoe, doy, mp;

    days += 719468;
    era = days / 146097;
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;

    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp + (mp < 10 ? 3 : -9);
    *year = yoe + era * 400 + (*month <= 2);
}


/* "n" digits at s; -1 when they are none. */

static int64_t
docket_digits(const char *s, const char *end, int n)
{
    int64_t  v;

    if (end - s < n) {
        return -1;
    }

    for (v = 0; n > 0; n--, s++) {
        if (*s < '0' || *s > '9') {
            return -1;
        }

        v = v * 10 + (*s - '0');
    }

    return v;
}


static int64_t
docket_month_days(int64_t year, int64_t month)
{
    static const int  days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (month == 2 && (year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
    {
        return 29;
    }

    return days[month - 1];
}


/* "Z", "+hh:mm" or nothing, up to the end: microseconds to subtract. */

static int
docket_offset(const char *s, const char *end, int64_t *us)
{
    int64_t  h, m;

    *us = 0;

    if (s == end) {
        return DOCKET_OK;
    }

    if (end - s == 1 && (*s == 'Z' || *s == 'z')) {
        return DOCKET_OK;
    }

    if (end - s != 6 || (*s != '+' && *s != '-') || s[3] != ':') {
        return DOCKET_ERROR;
    }

    h = docket_digits(s + 1, end, 2);
    m = docket_digits(s + 4, end, 2);

    if (h < 0 || h > 23 || m < 0 || m > 59) {
        return DOCKET_ERROR;
    }

    *us = (h * 3600 + m * 60) * DOCKET_SECOND;

    if (*s == '-') {
        *us = -*us;
    }

    return DOCKET_OK;
}


int
docket_parse_time(const char *s, size_t len, int64_t *us)
{
    int64_t      year, month, day, h, m, sec, frac, scale, offset;
    const char  *end;

    end = s + len;

    year = docket_digits(s, end, 4);

    if (year < 1970 || len < 10 || s[4] != '-' || s[7] != '-') {
        return DOCKET_ERROR;
    }

    month = docket_digits(s + 5, end, 2);
    day = docket_digits(s + 8, end, 2);

    if (month < 1 || month > 12 || day < 1
        || day > docket_month_days(year, month))
    {
        return DOCKET_ERROR;
    }

    h = m = sec = frac = offset = 0;

    if (len > 10) {

        if ((s[10] != 'T' && s[10] != 't' && s[10] != ' ') || len < 19
            || s[13] != ':' || s[16] != ':')
        {
            return DOCKET_ERROR;
        }

        h = docket_digits(s + 11, end, 2);
        m = docket_digits(s + 14, end, 2);
        sec = docket_digits(s + 17, end, 2);

        /* a leap second is the first one of the next minute */

        if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60) {
            return DOCKET_ERROR;
        }

        s += 19;

        if (s < end && *s == '.') {
            s++;

            if (s == end || *s < '0' || *s > '9') {
                return DOCKET_ERROR;
            }

            for (scale = DOCKET_SECOND / 10;
                 s < end && *s >= '0' && *s <= '9';
                 s++)
            {
                frac += (*s - '0') * scale;
                scale /= 10;
            }
        }

        if (docket_offset(s, end, &offset) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    *us = (docket_days(year, month, day) * 86400 + h * 3600 + m * 60 + sec)
          * DOCKET_SECOND + frac - offset;

    return (*us < 0 || *us > DOCKET_TIME_MAX) ? DOCKET_ERROR : DOCKET_OK;
}


size_t
docket_format_time(char buf[DOCKET_TIME_LEN], int64_t us)
{
    int      n;
    int64_t  year, month, day, sec, frac;

    if (us < 0) {
        us = 0;

    } else if (us > DOCKET_TIME_MAX) {
        us = DOCKET_TIME_MAX;
    }

    frac = us % DOCKET_SECOND;
    sec = us / DOCKET_SECOND;

    docket_date(sec / 86400, &year, &month, &day);
    sec %= 86400;

    n = snprintf(buf, DOCKET_TIME_LEN, "%04d-%02d-%02dT%02d:%02d:%02d",
                 (int) year % 10000, (int) month % 100, (int) day % 100,
                 (int) (sec / 3600) % 100, (int) (sec / 60 % 60),
                 (int) (sec % 60));

    if (frac != 0) {
        n += snprintf(buf + n, DOCKET_TIME_LEN - n, ".%06d", (int) frac);
    }

    buf[n++] = 'Z';
    buf[n] = '\0';

    return (size_t) n;
}
