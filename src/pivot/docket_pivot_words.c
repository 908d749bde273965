/*
 * "tcp 192.0.2.1:1234 -> 198.51.100.2:80" and its relatives: a five-tuple out
 * of its words, be it all of the text or a part of it.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "pivot/docket_pivot_int.h"


#define DOCKET_PIVOT_MAX_WORDS  256


typedef enum {
    DOCKET_PIVOT_WORD = 0,
    DOCKET_PIVOT_ADDRESS,
    DOCKET_PIVOT_NUMBER,
    DOCKET_PIVOT_NAMED,               /* a protocol */
    DOCKET_PIVOT_ARROW
} docket_pivot_word_e;


typedef struct {
    docket_pivot_word_e   type;
    const char           *s;
    size_t                len;
    long                  port;       /* of an address, or -1 */
    char                  addr[DOCKET_PIVOT_ADDR];
} docket_pivot_word_t;


typedef struct {
    docket_pivot_t       *p;
    const char           *text;
    size_t                len;
    docket_pivot_word_t   word[DOCKET_PIVOT_MAX_WORDS];
    size_t                n;

    size_t                from;       /* the two addresses; the same: there is
                                         but one */
    size_t                to;
    int                   arrow;
} docket_pivot_words_t;


static int docket_pivot_words_split(docket_pivot_words_t *w);
static int docket_pivot_words_put(docket_pivot_words_t *w, const char *s,
    size_t len);
static size_t docket_pivot_arrow(const char *s, size_t len);
static int docket_pivot_words_times(docket_pivot_words_t *w);
static size_t docket_pivot_words_time(docket_pivot_words_t *w, size_t i,
    char *buf, size_t size);
static int docket_pivot_words_arrow(docket_pivot_words_t *w);
static int docket_pivot_words_half(docket_pivot_words_t *w, size_t from,
    size_t to);
static int docket_pivot_words_pair(docket_pivot_words_t *w);
static int docket_pivot_words_none(docket_pivot_words_t *w);
static int docket_pivot_words_ports(docket_pivot_words_t *w, size_t *next,
    int *numbers);
static int docket_pivot_words_proto(docket_pivot_words_t *w, size_t next,
    int numbers);
static int docket_pivot_words_add(docket_pivot_words_t *w,
    docket_pivot_role_e role, const docket_pivot_word_t *word,
    const char *value);
static int docket_pivot_words_is(const docket_pivot_words_t *w, size_t i,
    docket_pivot_word_e type);


int
docket_pivot_read_words(docket_pivot_t *p, const char *s, size_t len)
{
    int                         numbers;
    size_t                      next;
    docket_pivot_words_t        w;
    const docket_pivot_word_t  *from, *to;

    memset(&w, 0, sizeof(docket_pivot_words_t));

    w.p = p;
    w.text = s;
    w.len = len;

    if (docket_pivot_words_split(&w) != DOCKET_OK
        || docket_pivot_words_times(&w) != DOCKET_OK
        || docket_pivot_words_arrow(&w) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (!w.arrow && docket_pivot_words_pair(&w) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    from = &w.word[w.from];
    to = &w.word[w.to];

    if (docket_pivot_words_add(&w, DOCKET_PIVOT_SRC, from, from->addr)
        != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (w.to != w.from
        && docket_pivot_words_add(&w, DOCKET_PIVOT_DST, to, to->addr)
           != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (docket_pivot_words_ports(&w, &next, &numbers) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    return docket_pivot_words_proto(&w, next, numbers);
}


static int
docket_pivot_words_split(docket_pivot_words_t *w)
{
    size_t       i, n, start;
    const char  *s;

    s = w->text;
    start = 0;

    for (i = 0; i <= w->len; /* void */) {

        n = (i < w->len) ? docket_pivot_arrow(s + i, w->len - i) : 0;

        if (i < w->len && n == 0
            && (strchr(" \t\r\n,;|\"'(){}", s[i]) == NULL))
        {
            i++;
            continue;
        }

        if (i != start
            && docket_pivot_words_put(w, s + start, i - start) != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        if (n != 0) {

            if (docket_pivot_words_put(w, s + i, n) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

            w->word[w->n - 1].type = DOCKET_PIVOT_ARROW;
            i += n;

        } else {
            i++;
        }

        start = i;
    }

    return DOCKET_OK;
}


/* its length: "->", ">", "<->", "=>", or an arrow of Unicode */

static size_t
docket_pivot_arrow(const char *s, size_t len)
{
    size_t  n;

    if (len >= 3 && s[0] == '\xe2' && (s[1] == '\x86' || s[1] == '\x87')) {
        return 3;
    }

    for (n = 0; n < len && (s[n] == '-' || s[n] == '='); n++) {
        /* void */
    }

    if (n == len || (s[n] != '>' && s[n] != '<') || (n != 0 && s[n] == '<')) {
        return 0;
    }

    while (n < len && strchr("<>-=", s[n]) != NULL && s[n] != '\0') {
        n++;
    }

    return n;
}


static int
docket_pivot_words_put(docket_pivot_words_t *w, const char *s, size_t len)
{
    size_t                i;
    uint64_t              number;
    docket_pivot_word_t  *word;

    static const char *const  fill[] = {
        "port", "host", "on", "and", "&&", "src", "dst"
    };

    for (i = 0; i < sizeof(fill) / sizeof(fill[0]); i++) {
        if (strlen(fill[i]) == len && strncasecmp(fill[i], s, len) == 0) {
            return DOCKET_OK;
        }
    }

    if (w->n == DOCKET_PIVOT_MAX_WORDS) {
        return docket_query_fail(w->p->q, "", s - w->text,
                                 "the event has more than %d words",
                                 DOCKET_PIVOT_MAX_WORDS);
    }

    word = &w->word[w->n++];

    word->s = s;
    word->len = len;
    word->port = -1;

    if (docket_pivot_endpoint(s, len, word->addr, &word->port) == DOCKET_OK) {
        word->type = DOCKET_PIVOT_ADDRESS;
        return DOCKET_OK;
    }

    /* what ends a part of a sentence */

    if (len > 1 && (s[len - 1] == ':' || s[len - 1] == '.')) {
        len--;
        word->len = len;

        if (docket_pivot_endpoint(s, len, word->addr, &word->port)
            == DOCKET_OK)
        {
            word->type = DOCKET_PIVOT_ADDRESS;
            return DOCKET_OK;
        }
    }

    if (docket_parse_number(s, len, 65535, &number) == DOCKET_OK) {
        word->type = DOCKET_PIVOT_NUMBER;
        word->port = (long) number;

    } else if (docket_pivot_proto(s, len, &number) == DOCKET_OK) {
        word->type = DOCKET_PIVOT_NAMED;
    }

    return DOCKET_OK;
}


/* times that are written as a date; one in seconds only at the beginning,
   where no other number can be */

static int
docket_pivot_words_times(docket_pivot_words_t *w)
{
    char                  buf[64];
    size_t                i, n, used;
    int64_t               us;
    docket_pivot_role_e   role;
    docket_pivot_word_t  *word;

    n = 0;

    for (i = 0; i < w->n; i += used) {
        word = &w->word[i];
        used = docket_pivot_words_time(w, i, buf, sizeof(buf));

        if (used == 0) {
            used = 1;
            continue;
        }

        role = (n++ == 0) ? DOCKET_PIVOT_START : DOCKET_PIVOT_END;

        if (n > 2) {
            break;
        }

        if (docket_pivot_add(w->p, docket_pivot_word(role), word->s,
                             w->word[i + used - 1].s
                             + w->word[i + used - 1].len - word->s,
                             buf, strlen(buf))
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        /* a table of flows has their lengths behind it */

        word = &w->word[i + used];

        if (n == 1 && docket_pivot_words_is(w, i + used, DOCKET_PIVOT_WORD)
            && docket_pivot_words_is(w, i + used + 1, DOCKET_PIVOT_NAMED)
            && memchr(word->s, '.', word->len) != NULL
            && docket_pivot_duration(word->s, word->len, 0, &us) == DOCKET_OK
            && docket_pivot_add(w->p,
                                docket_pivot_word(DOCKET_PIVOT_DURATION),
                                word->s, word->len, word->s, word->len)
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


/* how many words are a time, which is put into "buf" */

static size_t
docket_pivot_words_time(docket_pivot_words_t *w, size_t i, char *buf,
    size_t size)
{
    size_t                n;
    int64_t               us;
    docket_pivot_word_t  *word;

    word = &w->word[i];

    if (word->type == DOCKET_PIVOT_ADDRESS || word->len >= 40
        || (word->len < sizeof("2017-04-30") - 1))
    {
        return 0;
    }

    (void) snprintf(buf, size, "%.*s", (int) word->len, word->s);

    if (docket_pivot_time(buf, word->len, &us) != DOCKET_OK) {
        return 0;
    }

    if (!docket_is_date(buf, word->len) && buf[2] != '/') {
        return (i == 0) ? 1 : 0;
    }

    if (word->len != sizeof("2017-04-30") - 1) {
        return 1;
    }

    /* a day, its clock, and its zone, which is no number without a sign */

    for (n = 1; n < 3 && i + n < w->n && word[n].len < 20; n++) {

        if (n == 2 && word[n].s[0] >= '0' && word[n].s[0] <= '9') {
            break;
        }

        (void) snprintf(buf + strlen(buf), size - strlen(buf), " %.*s",
                        (int) word[n].len, word[n].s);

        if (docket_pivot_time(buf, strlen(buf), &us) != DOCKET_OK) {
            buf[strlen(buf) - word[n].len - 1] = '\0';
            break;
        }
    }

    return n;
}


/* "A > B", with or without ports beside them */

static int
docket_pivot_words_arrow(docket_pivot_words_t *w)
{
    size_t  i, from;

    for (i = 1; i + 1 < w->n; i++) {

        if (!docket_pivot_words_is(w, i, DOCKET_PIVOT_ARROW)) {
            continue;
        }

        from = i - 1;

        if (docket_pivot_words_is(w, from, DOCKET_PIVOT_NUMBER) && from != 0) {
            from--;
        }

        if (!docket_pivot_words_is(w, from, DOCKET_PIVOT_ADDRESS)
            || !docket_pivot_words_is(w, i + 1, DOCKET_PIVOT_ADDRESS))
        {
            if (docket_pivot_words_half(w, from, i + 1) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

            continue;
        }

        if (w->arrow
            && (strcmp(w->word[from].addr, w->word[w->from].addr) != 0
                || strcmp(w->word[i + 1].addr, w->word[w->to].addr) != 0))
        {
            return docket_query_fail(w->p->q, "", w->word[from].s - w->text,
                                     "one event is asked for at a time, and a "
                                     "second connection follows");
        }

        if (!w->arrow) {
            w->from = from;
            w->to = i + 1;
            w->arrow = 1;
        }
    }

    return DOCKET_OK;
}


/* an address on one side alone: what stands on the other is told of */

static int
docket_pivot_words_half(docket_pivot_words_t *w, size_t from, size_t to)
{
    const char                 *name;
    const docket_pivot_word_t  *other;

    if (docket_pivot_words_is(w, from, DOCKET_PIVOT_ADDRESS)) {
        other = &w->word[to];

    } else if (docket_pivot_words_is(w, to, DOCKET_PIVOT_ADDRESS)) {
        other = &w->word[from];

    } else {
        return DOCKET_OK;
    }

    name = docket_pivot_printable(w->p, other->s, other->len);

    return (name == NULL) ? DOCKET_ERROR
                          : docket_pivot_unused(w->p, name, "no address");
}


/* without an arrow: the only two addresses, or the only one */

static int
docket_pivot_words_pair(docket_pivot_words_t *w)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < w->n; i++) {

        if (!docket_pivot_words_is(w, i, DOCKET_PIVOT_ADDRESS)) {
            continue;
        }

        if (n == 0) {
            w->from = i;
            w->to = i;
            n = 1;
            continue;
        }

        if (strcmp(w->word[i].addr, w->word[w->from].addr) == 0
            || (n == 2
                && strcmp(w->word[i].addr, w->word[w->to].addr) == 0))
        {
            continue;
        }

        if (n++ == 2) {
            return docket_query_fail(w->p->q, "", w->word[i].s - w->text,
                                     "there are more than two addresses, and "
                                     "no arrow says which two are meant");
        }

        w->to = i;
    }

    if (n == 0) {
        return docket_pivot_words_none(w);
    }

    for (i = w->from + 1; i < w->to; i++) {
        if ((w->word[i].len == 2 && strncasecmp(w->word[i].s, "or", 2) == 0)
            || (w->word[i].len == 3
                && strncasecmp(w->word[i].s, "not", 3) == 0))
        {
            return docket_query_fail(w->p->q, "", w->word[i].s - w->text,
                                     "an event is one connection: what has "
                                     "\"or\" or \"not\" in it is none");
        }
    }

    return DOCKET_OK;
}


static int
docket_pivot_words_none(docket_pivot_words_t *w)
{
    char                  quote[DOCKET_QUOTE_LEN], names[256];
    size_t                i, n;
    docket_pivot_word_t  *word;

    for (i = 0; i < w->n; i++) {
        word = &w->word[i];

        for (n = 0; n < word->len; n++) {
            if ((word->s[n] < '0' || word->s[n] > ':') && word->s[n] != '.'
                && word->s[n] != '/')
            {
                break;
            }
        }

        if (n == word->len && n > 6 && memchr(word->s, '.', n) != NULL) {
            return docket_query_fail(w->p->q, "", word->s - w->text,
                                     "%s is no address, and there is no other "
                                     "one",
                                     docket_quote(quote, word->s, word->len));
        }
    }

    docket_pivot_names(names, sizeof(names));

    return docket_query_fail(w->p->q, "", -1, "there is no address in the "
                             "event; looked for: 192.0.2.1:1234 -> "
                             "198.51.100.2:80, SRC= and DST=, a line of a "
                             "Zeek log, or JSON with %s", names);
}


/* beside the addresses, or both of them behind */

static int
docket_pivot_words_ports(docket_pivot_words_t *w, size_t *next, int *numbers)
{
    size_t                i;
    docket_pivot_word_t  *from, *to, *port;

    from = &w->word[w->from];
    to = &w->word[w->to];
    i = w->to + 1;
    *numbers = 0;

    if (w->from != w->to && from->port == -1 && to->port == -1
        && !docket_pivot_words_is(w, w->from + 1, DOCKET_PIVOT_NUMBER)
        && docket_pivot_words_is(w, i, DOCKET_PIVOT_NUMBER)
        && docket_pivot_words_is(w, i + 1, DOCKET_PIVOT_NUMBER))
    {
        *next = i + 2;
        *numbers = 2;

        if (docket_pivot_words_add(w, DOCKET_PIVOT_SPORT, &w->word[i], NULL)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        return docket_pivot_words_add(w, DOCKET_PIVOT_DPORT, &w->word[i + 1],
                                      NULL);
    }

    port = from;

    if (from->port == -1
        && docket_pivot_words_is(w, w->from + 1, DOCKET_PIVOT_NUMBER))
    {
        port = from + 1;
        *numbers += 1;
    }

    if (port->port != -1
        && docket_pivot_words_add(w, DOCKET_PIVOT_SPORT, port, NULL)
           != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (w->from == w->to) {
        *next = (port == from) ? i : i + 1;
        return DOCKET_OK;
    }

    port = to;

    if (to->port == -1 && docket_pivot_words_is(w, i, DOCKET_PIVOT_NUMBER)) {
        port = to + 1;
        *numbers += 1;
        i++;
    }

    *next = i;

    if (port->port == -1) {
        return DOCKET_OK;
    }

    return docket_pivot_words_add(w, DOCKET_PIVOT_DPORT, port, NULL);
}


/* right before the addresses, after "proto", or right behind the ports */

static int
docket_pivot_words_proto(docket_pivot_words_t *w, size_t next, int numbers)
{
    size_t                i;
    docket_pivot_word_t  *word;

    if (w->from != 0
        && docket_pivot_words_is(w, w->from - 1, DOCKET_PIVOT_NAMED))
    {
        return docket_pivot_words_add(w, DOCKET_PIVOT_PROTO,
                                      &w->word[w->from - 1], NULL);
    }

    for (i = 0; i + 1 < w->n; i++) {
        word = &w->word[i];

        if (word->len == 5 && strncasecmp(word->s, "proto", 5) == 0
            && (docket_pivot_words_is(w, i + 1, DOCKET_PIVOT_NAMED)
                || docket_pivot_words_is(w, i + 1, DOCKET_PIVOT_NUMBER)))
        {
            return docket_pivot_words_add(w, DOCKET_PIVOT_PROTO, word + 1,
                                          NULL);
        }
    }

    if (docket_pivot_words_is(w, next, DOCKET_PIVOT_NAMED)
        || (numbers == 2 && docket_pivot_words_is(w, next,
                                                  DOCKET_PIVOT_NUMBER)
            && w->word[next].port < 256))
    {
        return docket_pivot_words_add(w, DOCKET_PIVOT_PROTO, &w->word[next],
                                      NULL);
    }

    /* as tcpdump tells of TCP */

    if (w->arrow && next < w->n && w->word[next].len == 5
        && memcmp(w->word[next].s, "Flags", 5) == 0)
    {
        return docket_pivot_words_add(w, DOCKET_PIVOT_PROTO, &w->word[next],
                                      "tcp");
    }

    /* as a table of sockets begins */

    if (docket_pivot_words_is(w, 0, DOCKET_PIVOT_NAMED)) {
        return docket_pivot_words_add(w, DOCKET_PIVOT_PROTO, &w->word[0],
                                      NULL);
    }

    return DOCKET_OK;
}


/* without a value it is the word's number, or the word */

static int
docket_pivot_words_add(docket_pivot_words_t *w, docket_pivot_role_e role,
    const docket_pivot_word_t *word, const char *value)
{
    char    number[32];
    size_t  len;

    len = (value != NULL) ? strlen(value) : word->len;

    if (value == NULL) {
        value = word->s;

        if (word->port != -1) {
            len = snprintf(number, sizeof(number), "%ld", word->port);
            value = number;
        }
    }

    return docket_pivot_add(w->p, docket_pivot_word(role), word->s, word->len,
                            value, len);
}


static int
docket_pivot_words_is(const docket_pivot_words_t *w, size_t i,
    docket_pivot_word_e type)
{
    return i < w->n && w->word[i].type == type;
}
