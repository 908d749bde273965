/*
 * "SRC=192.0.2.1 DST=198.51.100.2 PROTO=TCP SPT=1234 DPT=80",
 * "ip.src == 192.0.2.1 && port.dst == 80", "source.ip: 192.0.2.1": names and
 * values among other words.
 */

#include <string.h>
#include <strings.h>

#include "pivot/docket_pivot_int.h"


typedef struct {
    const docket_pivot_field_t  *field;
    const char                  *name;
    size_t                       name_len;
    const char                  *value;
    size_t                       len;
    int                          search;   /* it is an expression's */
} docket_pivot_pair_t;


static int docket_pivot_pair(const char *s, size_t len, size_t *pos,
    docket_pivot_pair_t *pair);
static void docket_pivot_pair_value(const char *s, size_t len, size_t *pos,
    docket_pivot_pair_t *pair);
static int docket_pivot_pair_add(docket_pivot_t *p,
    const docket_pivot_pair_t *pair);
static int docket_pivot_only_and(docket_pivot_t *p, const char *s,
    size_t len);
static int docket_pivot_leading(docket_pivot_t *p, const char *s, size_t len);


#define docket_pivot_is_letter(c)                                             \
    (((c) >= 'a' && (c) <= 'z') || ((c) >= 'A' && (c) <= 'Z'))

#define docket_pivot_is_name(c)                                               \
    (docket_pivot_is_letter(c) || ((c) >= '0' && (c) <= '9')                  \
     || (c) == '_' || (c) == '.' || (c) == '@')


int
docket_pivot_read_pairs(docket_pivot_t *p, const char *s, size_t len)
{
    int                  addresses, search;
    size_t               pos;
    docket_pivot_pair_t  pair;

    addresses = 0;
    search = 0;

    for (pos = 0; docket_pivot_pair(s, len, &pos, &pair); /* void */) {
        addresses += (pair.field->role <= DOCKET_PIVOT_ANY);
        search |= pair.search;
    }

    if (addresses == 0) {
        return DOCKET_PIVOT_DECLINED;
    }

    if (search && docket_pivot_only_and(p, s, len) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    for (pos = 0; docket_pivot_pair(s, len, &pos, &pair); /* void */) {
        if (docket_pivot_pair_add(p, &pair) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    return search ? DOCKET_OK : docket_pivot_leading(p, s, len);
}


/* the next pair of a known name; 0: there is none */

static int
docket_pivot_pair(const char *s, size_t len, size_t *pos,
    docket_pivot_pair_t *pair)
{
    int     blank;
    size_t  i, start;

    i = *pos;

    while (i < len) {

        if (!docket_pivot_is_name(s[i])) {
            i++;
            continue;
        }

        start = i;

        while (i < len && docket_pivot_is_name(s[i])) {
            i++;
        }

        pair->field = docket_pivot_field(s + start, i - start);

        if (pair->field == NULL) {
            continue;
        }

        pair->name = s + start;
        pair->name_len = i - start;
        blank = 0;

        while (i < len && s[i] == ' ') {
            i++;
            blank = 1;
        }

        if (i == len || (s[i] != '=' && s[i] != ':')) {
            continue;
        }

        pair->search = (blank || s[i] == ':');

        if (i + 1 < len && s[i] == '=' && s[i + 1] == '=') {
            pair->search = 1;
            i++;
        }

        i++;

        while (pair->search && i < len && s[i] == ' ') {
            i++;
        }

        docket_pivot_pair_value(s, len, &i, pair);

        *pos = i;

        return 1;
    }

    *pos = len;

    return 0;
}


static void
docket_pivot_pair_value(const char *s, size_t len, size_t *pos,
    docket_pivot_pair_t *pair)
{
    char    quote;
    size_t  i, start;

    i = *pos;

    if (i < len && (s[i] == '"' || s[i] == '\'')) {
        quote = s[i++];
        start = i;

        while (i < len && s[i] != quote) {
            i++;
        }

    } else {
        quote = (i < len && s[i] == '[') ? '\0' : ']';
        start = i;
        i += docket_pivot_time_words(s + i, len - i);

        while (i < len && !docket_pivot_is_space(s[i])
               && strchr(",;)&|\"'", s[i]) == NULL && s[i] != quote)
        {
            i++;
        }
    }

    pair->value = s + start;
    pair->len = i - start;

    *pos = i;
}


/* A packet inside of a packet, and the answers' direction of a connection,
   stand behind it under the same names. */

static int
docket_pivot_pair_add(docket_pivot_t *p, const docket_pivot_pair_t *pair)
{
    const char           *name;
    docket_pivot_fact_t  *fact;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (fact->field != pair->field
            || pair->field->role == DOCKET_PIVOT_ANY
            || pair->field->role == DOCKET_PIVOT_PORT)
        {
            continue;
        }

        if (fact->len == pair->len
            && memcmp(fact->value, pair->value, pair->len) == 0)
        {
            return DOCKET_OK;
        }

        name = docket_pivot_printable(p, pair->value, pair->len);

        return (name == NULL) ? DOCKET_ERROR
                              : docket_pivot_unused(p, name, "stands under a "
                                                    "name that was there "
                                                    "before");
    }

    return docket_pivot_add(p, pair->field, pair->name, pair->name_len,
                            pair->value, pair->len);
}


/* an expression of one connection has no alternatives */

static int
docket_pivot_only_and(docket_pivot_t *p, const char *s, size_t len)
{
    char    quote;
    size_t  i, start;

    quote = '\0';

    for (i = 0; i < len; i++) {

        if (quote != '\0') {

            if (s[i] == quote) {
                quote = '\0';
            }

            continue;
        }

        if (s[i] == '"' || s[i] == '\'') {
            quote = s[i];
            continue;
        }

        start = i;

        while (i < len && docket_pivot_is_letter(s[i])) {
            i++;
        }

        if ((i - start == 2 && strncasecmp(s + start, "or", 2) == 0)
            || (i - start == 3 && strncasecmp(s + start, "not", 3) == 0)
            || (i == start && (s[i] == '|' || s[i] == '!')))
        {
            return docket_query_fail(p->q, "", start,
                                     "an event is one connection: what has "
                                     "\"or\" or \"not\" in it is none");
        }

        if (i != start) {
            i--;
        }
    }

    return DOCKET_OK;
}


/* the first words: a time, or the protocol of a table of connections */

static int
docket_pivot_leading(docket_pivot_t *p, const char *s, size_t len)
{
    size_t    n;
    uint64_t  proto;

    n = docket_pivot_time_words(s, len);

    if (n != 0) {
        return docket_pivot_add(p, docket_pivot_word(DOCKET_PIVOT_TIME), s, n,
                                s, n);
    }

    while (n < len && !docket_pivot_is_space(s[n])) {
        n++;
    }

    if (docket_is_date(s, n) || n == 0 || !docket_pivot_is_letter(s[0])
        || docket_pivot_proto(s, n, &proto) != DOCKET_OK)
    {
        return DOCKET_OK;
    }

    return docket_pivot_add(p, docket_pivot_word(DOCKET_PIVOT_PROTO), s, n, s,
                            n);
}
