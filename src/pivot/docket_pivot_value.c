/*
 * Values of events: times, durations, protocols, addresses.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pivot/docket_pivot_int.h"
#include "query/docket_addr.h"
#include "query/docket_when.h"


/* "2024-01-02T03:04:05.678901234+02:00", and some */
#define DOCKET_PIVOT_TIME_LEN  48

/* Digits of a number; a float has 17, and zeros beside them. */
#define DOCKET_PIVOT_DIGITS    40


/* A decimal number: its digits without leading zeros, and how many of them
   stand before the point; there may be zeros behind the last one. */

typedef struct {
    char    digit[DOCKET_PIVOT_DIGITS];
    int     n;
    int     point;
    int     whole;                    /* it is written without a fraction */
} docket_pivot_decimal_t;


typedef struct {
    const char  *name;
    int          number;
} docket_pivot_proto_t;


static int docket_pivot_decimal(const char *s, size_t len,
    docket_pivot_decimal_t *d);
static int docket_pivot_scale(const docket_pivot_decimal_t *d, int shift,
    int64_t *value);
static int docket_pivot_epoch(const char *s, size_t len, int64_t *us);
static int docket_pivot_date(const char *s, size_t len, int64_t *us);
static int docket_pivot_month(const char *s, size_t len, int64_t *us);
static int docket_pivot_port(const char *s, size_t len,
    char addr[DOCKET_PIVOT_ADDR], long *port);
static size_t docket_pivot_word_end(const char *s, size_t len, size_t pos);


static const docket_pivot_proto_t  docket_pivot_protos[] = {
    { "icmp", 1 }, { "igmp", 2 }, { "ipip", 4 }, { "ipencap", 4 },
    { "tcp", 6 }, { "udp", 17 }, { "dccp", 33 }, { "ipv6", 41 },
    { "gre", 47 }, { "esp", 50 }, { "ah", 51 }, { "ipv6-icmp", 58 },
    { "icmp6", 58 }, { "icmpv6", 58 }, { "eigrp", 88 }, { "ospf", 89 },
    { "ospfigp", 89 }, { "pim", 103 }, { "vrrp", 112 }, { "l2tp", 115 },
    { "sctp", 132 }, { "udplite", 136 }
};

static const char *const  docket_pivot_no_protos[] = {
    "unknown_transport", "unknown", "ip", "ipv4"
};


int
docket_pivot_time(const char *s, size_t len, int64_t *us)
{
    char  text[DOCKET_PIVOT_TIME_LEN];

    if (len >= sizeof("01/02/2024-03:04:05") - 1 && len < sizeof(text)
        && s[2] == '/' && s[5] == '/' && s[10] == '-')
    {
        /* as Suricata writes it into fast.log */

        memcpy(text, s + 6, 4);
        text[4] = '-';
        memcpy(text + 5, s, 2);
        text[7] = '-';
        memcpy(text + 8, s + 3, 2);
        text[10] = 'T';
        memcpy(text + 11, s + 11, len - 11);

        return docket_parse_time(text, len, us);
    }

    if (docket_is_date(s, len)) {
        return docket_pivot_date(s, len, us);
    }

    if (len != 0 && (s[0] | 0x20) >= 'a' && (s[0] | 0x20) <= 'z') {
        return docket_pivot_month(s, len, us);
    }

    return docket_pivot_epoch(s, len, us);
}


size_t
docket_pivot_time_words(const char *s, size_t len)
{
    size_t   n, end, words;
    int64_t  us;

    n = docket_pivot_word_end(s, len, 0);

    /* one that begins with its month has four words */

    for (words = 1; docket_pivot_time(s, n, &us) != DOCKET_OK; words++) {

        if (words == 4 || n + 1 >= len || s[n] != ' '
            || s[0] < 'A' || s[0] > 'S')
        {
            return 0;
        }

        n = docket_pivot_word_end(s, len, n + 1);
    }

    while (n + 1 < len && s[n] == ' ') {

        /* a number behind a clock is no zone without its sign */

        if (n != sizeof("2017-04-30") - 1
            && s[n + 1] >= '0' && s[n + 1] <= '9')
        {
            break;
        }

        end = docket_pivot_word_end(s, len, n + 1);

        if (docket_pivot_time(s, end, &us) != DOCKET_OK) {
            break;
        }

        n = end;
    }

    return n;
}


static size_t
docket_pivot_word_end(const char *s, size_t len, size_t pos)
{
    while (pos < len && !docket_pivot_is_space(s[pos])
           && strchr(",;)&|\"']", s[pos]) == NULL)
    {
        pos++;
    }

    return pos;
}


/* RFC 3339 as it is really written: a blank for the "T" and before the zone,
   a comma for the point, a zone without its colon or without its minutes */

static int
docket_pivot_date(const char *s, size_t len, int64_t *us)
{
    char    text[DOCKET_PIVOT_TIME_LEN + sizeof(":00")], *zone;
    size_t  n;

    if (len >= DOCKET_PIVOT_TIME_LEN || memchr(s, '\0', len) != NULL) {
        return DOCKET_ERROR;
    }

    memcpy(text, s, len);
    text[len] = '\0';
    n = len;

    if (n <= sizeof("2017-04-30T") - 1) {
        return docket_parse_time(text, n, us);
    }

    if (text[10] == ' ') {
        text[10] = 'T';
    }

    if (n > 19 && text[19] == ',') {
        text[19] = '.';
    }

    if (n > 4 && strcasecmp(text + n - 3, "utc") == 0) {
        n -= 3;
        text[n++] = 'Z';
        text[n] = '\0';
    }

    zone = strpbrk(text + 11, " +-Z");

    if (zone != NULL && *zone == ' ') {

        /* a form's decoding makes a blank of the sign, too */

        if (zone[1] == '+' || zone[1] == '-' || zone[1] == 'Z') {
            memmove(zone, zone + 1, strlen(zone));
            n--;

        } else {
            *zone = '+';
        }
    }

    if (zone != NULL && *zone != 'Z') {

        if (strlen(zone) == sizeof("+0200") - 1 && zone[3] != ':') {
            memmove(zone + 4, zone + 3, 3);
            zone[3] = ':';
            n++;

        } else if (strlen(zone) == sizeof("+02") - 1) {
            memcpy(zone + 3, ":00", sizeof(":00"));
            n += 3;
        }
    }

    return docket_parse_time(text, n, us);
}


/* "Jan 10 2018 22:10:00.500", as CEF has it */

static int
docket_pivot_month(const char *s, size_t len, int64_t *us)
{
    char    text[DOCKET_PIVOT_TIME_LEN];
    size_t  i, month, day;

    static const char  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (month = 0; month < 12; month++) {
        if (len > 4 && memcmp(s, months + 3 * month, 3) == 0) {
            break;
        }
    }

    if (month == 12 || s[3] != ' ' || memchr(s, '\0', len) != NULL) {
        return DOCKET_ERROR;
    }

    i = 4;
    day = 0;

    while (i < 6 && i < len && s[i] >= '0' && s[i] <= '9') {
        day = day * 10 + (s[i++] - '0');
    }

    /* " 2018 22:10:00" */

    if (len - i < sizeof(" 2018 22:10:00") - 1 || s[i] != ' '
        || s[i + 5] != ' ' || len - i - 6 >= sizeof(text) - 11)
    {
        return DOCKET_ERROR;
    }

    (void) snprintf(text, sizeof(text), "%.4s-%02zu-%02zuT%.*s", s + i + 1,
                    month + 1, day, (int) (len - i - 6), s + i + 6);

    return docket_pivot_date(text, strlen(text), us);
}


/* seconds have at most 11 digits before the year 5138, milliseconds 12 or more
   since 1973, and so on */

static int
docket_pivot_epoch(const char *s, size_t len, int64_t *us)
{
    int                     shift;
    docket_pivot_decimal_t  d;

    if (docket_pivot_decimal(s, len, &d) != DOCKET_OK
        || d.point < 9 || d.point > 20)
    {
        return DOCKET_ERROR;
    }

    shift = (d.point <= 11) ? 6 : (d.point <= 14) ? 3 : (d.point <= 17) ? 0
            : -3;

    return docket_pivot_scale(&d, shift, us);
}


int
docket_pivot_duration(const char *s, size_t len, int nano, int64_t *us)
{
    docket_pivot_decimal_t  d;

    if (docket_pivot_decimal(s, len, &d) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    return docket_pivot_scale(&d, (nano && d.whole) ? -3 : 6, us);
}


/* "12", "12.50", "1.57e12" */

static int
docket_pivot_decimal(const char *s, size_t len, docket_pivot_decimal_t *d)
{
    int     digits, sign, exponent;
    size_t  i;

    memset(d, 0, sizeof(docket_pivot_decimal_t));

    digits = 0;
    d->whole = 1;

    for (i = 0; i < len; i++) {

        if (s[i] == '.' && d->whole) {
            d->whole = 0;
            continue;
        }

        if (s[i] < '0' || s[i] > '9') {
            break;
        }

        digits++;

        if (d->n == 0 && s[i] == '0') {
            d->point -= !d->whole;
            continue;
        }

        if (d->n == DOCKET_PIVOT_DIGITS) {
            return DOCKET_ERROR;
        }

        d->digit[d->n++] = s[i];
        d->point += d->whole;
    }

    if (digits == 0 || digits > 2 * DOCKET_PIVOT_DIGITS) {
        return DOCKET_ERROR;
    }

    if (i == len) {
        return DOCKET_OK;
    }

    if ((s[i] | 0x20) != 'e' || ++i == len) {
        return DOCKET_ERROR;
    }

    sign = (s[i] == '-') ? -1 : 1;
    i += (s[i] == '-' || s[i] == '+');
    exponent = 0;

    if (i == len) {
        return DOCKET_ERROR;
    }

    for ( /* void */ ; i < len; i++) {
        if (s[i] < '0' || s[i] > '9' || exponent > 99) {
            return DOCKET_ERROR;
        }

        exponent = exponent * 10 + (s[i] - '0');
    }

    d->point += sign * exponent;

    return DOCKET_OK;
}


/* times ten to the power of "shift", the rest cut off */

static int
docket_pivot_scale(const docket_pivot_decimal_t *d, int shift, int64_t *value)
{
    int  i, last;

    last = d->point + shift;
    *value = 0;

    if (d->n == 0) {
        return DOCKET_OK;
    }

    if (last > 18) {
        return DOCKET_ERROR;
    }

    for (i = 0; i < last; i++) {
        *value = *value * 10 + ((i < d->n) ? d->digit[i] - '0' : 0);
    }

    return (*value > DOCKET_TIME_MAX) ? DOCKET_ERROR : DOCKET_OK;
}


int
docket_pivot_proto(const char *s, size_t len, uint64_t *proto)
{
    size_t  i;

    for (i = 0;
         i < sizeof(docket_pivot_protos) / sizeof(docket_pivot_protos[0]);
         i++)
    {
        if (strlen(docket_pivot_protos[i].name) == len
            && strncasecmp(docket_pivot_protos[i].name, s, len) == 0)
        {
            *proto = docket_pivot_protos[i].number;
            return DOCKET_OK;
        }
    }

    for (i = 0;
         i < sizeof(docket_pivot_no_protos) / sizeof(docket_pivot_no_protos[0]);
         i++)
    {
        if (strlen(docket_pivot_no_protos[i]) == len
            && strncasecmp(docket_pivot_no_protos[i], s, len) == 0)
        {
            return DOCKET_PIVOT_DECLINED;
        }
    }

    return docket_parse_number(s, len, 255, proto);
}


int
docket_pivot_addr(const char *s, size_t len, char buf[DOCKET_PIVOT_ADDR])
{
    const char  *end, *why;

    if (len > 2 && s[0] == '[') {
        end = memchr(s, ']', len);

        if (end == NULL || (end + 1 != s + len && end[1] != '%')
            || memchr(end, ':', s + len - end) != NULL)
        {
            return DOCKET_ERROR;
        }

        s++;
        len = end - s;
    }

    /* a colon in its zone parts it from a port */

    end = memchr(s, '%', len);

    if (end != NULL) {

        if (memchr(end, ':', s + len - end) != NULL) {
            return DOCKET_ERROR;
        }

        len = end - s;
    }

    return docket_addr_host(s, len, buf, &why);
}


int
docket_pivot_endpoint(const char *s, size_t len, char addr[DOCKET_PIVOT_ADDR],
    long *port)
{
    size_t  n;

    *port = -1;

    if (docket_pivot_addr(s, len, addr) == DOCKET_OK
        || docket_pivot_port(s, len, addr, port) == DOCKET_OK)
    {
        return DOCKET_OK;
    }

    /* nfdump has ICMP's type and code where a port would be: "192.0.2.1:8.0" */

    for (n = len; n != 0 && s[n - 1] >= '0' && s[n - 1] <= '9'; n--) {
        /* void */
    }

    if (n < 2 || n == len || s[n - 1] != '.' || memchr(s, ':', n) == NULL
        || docket_pivot_port(s, n - 1, addr, port) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    *port = 0;

    return DOCKET_OK;
}


static int
docket_pivot_port(const char *s, size_t len, char addr[DOCKET_PIVOT_ADDR],
    long *port)
{
    size_t    i;
    uint64_t  value;

    /* the last sign that may part a port from its address */

    for (i = len; i != 0; i--) {
        if (s[i - 1] < '0' || s[i - 1] > '9') {
            break;
        }
    }

    if (i < 2 || (s[i - 1] != ':' && s[i - 1] != '.' && s[i - 1] != '#')
        || docket_parse_number(s + i, len - i, 65535, &value) != DOCKET_OK
        || docket_pivot_addr(s, i - 1, addr) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    *port = (long) value;

    return DOCKET_OK;
}
