/*
 * A line of a Zeek log: with the header that names its columns, or with the
 * columns that conn.log has by default, of which other logs share the first.
 */

#include <string.h>

#include "pivot/docket_pivot_int.h"


#define DOCKET_PIVOT_COLUMNS  256


typedef struct {
    const char  *s;
    size_t       len;
} docket_pivot_str_t;


typedef struct {
    docket_pivot_str_t  column[DOCKET_PIVOT_COLUMNS];
    size_t              n;
} docket_pivot_row_t;


static int docket_pivot_zeek_header(docket_pivot_t *p, const char *s,
    size_t len);
static int docket_pivot_zeek_named(docket_pivot_t *p,
    const docket_pivot_row_t *names, const docket_pivot_row_t *row,
    const docket_pivot_str_t *unset);
static int docket_pivot_zeek_default(docket_pivot_t *p,
    const docket_pivot_row_t *row);
static char docket_pivot_zeek_separator(const char *s, size_t len);
static int docket_pivot_split(docket_pivot_row_t *row, const char *s,
    size_t len, char separator);
static docket_pivot_str_t docket_pivot_line(const char *s, size_t len,
    size_t *pos);
static int docket_pivot_starts(const docket_pivot_str_t *s, const char *word);


/* of conn.log; "" is not looked at */

static const char *const  docket_pivot_conn[] = {
    "ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto",
    "", "duration", "", "", "", "", "", "", "", "", "", "", "",
    "tunnel_parents"
};

#define DOCKET_PIVOT_CONN                                                     \
    (sizeof(docket_pivot_conn) / sizeof(docket_pivot_conn[0]))

#define DOCKET_PIVOT_CONN_PROTO  6
#define DOCKET_PIVOT_CONN_STATE  11


int
docket_pivot_read_zeek(docket_pivot_t *p, const char *s, size_t len)
{
    size_t              pos, next;
    docket_pivot_str_t  line, more;
    docket_pivot_row_t  row;

    if (*s == '#') {
        return docket_pivot_zeek_header(p, s, len);
    }

    pos = 0;
    line = docket_pivot_line(s, len, &pos);

    /* a terminal makes blanks of tabs */

    if (docket_pivot_split(&row, line.s, line.len,
                           (memchr(line.s, '\t', line.len) != NULL)
                           ? '\t' : ' ')
        != DOCKET_OK
        || row.n < DOCKET_PIVOT_CONN_PROTO)
    {
        return DOCKET_PIVOT_DECLINED;
    }

    if (docket_pivot_zeek_default(NULL, &row) != DOCKET_OK) {
        return DOCKET_PIVOT_DECLINED;
    }

    for (next = pos; next < len; /* void */) {
        pos = next;
        more = docket_pivot_line(s, len, &next);

        if (more.len != 0) {
            return docket_query_fail(p->q, "", pos,
                                     "one event is asked for at a time, and a "
                                     "second line follows");
        }
    }

    return docket_pivot_zeek_default(p, &row);
}


/* Without "p": whether it is such a line. */

static int
docket_pivot_zeek_default(docket_pivot_t *p, const docket_pivot_row_t *row)
{
    char                       addr[DOCKET_PIVOT_ADDR];
    size_t                     i, n;
    int64_t                    us;
    uint64_t                   port, proto;
    const docket_pivot_str_t  *c;

    static const char *const  states[] = {
        "S0", "S1", "SF", "REJ", "S2", "S3", "RSTO", "RSTR", "RSTOS0",
        "RSTRH", "SH", "SHR", "OTH"
    };

    c = row->column;

    if (p == NULL) {
        return (docket_pivot_time(c[0].s, c[0].len, &us) == DOCKET_OK
                && docket_pivot_addr(c[2].s, c[2].len, addr) == DOCKET_OK
                && docket_parse_number(c[3].s, c[3].len, 65535, &port)
                   == DOCKET_OK
                && docket_pivot_addr(c[4].s, c[4].len, addr) == DOCKET_OK
                && docket_parse_number(c[5].s, c[5].len, 65535, &port)
                   == DOCKET_OK) ? DOCKET_OK : DOCKET_ERROR;
    }

    n = DOCKET_PIVOT_CONN_PROTO;

    /* further columns are those of conn.log when they look like it */

    if (row->n > n && c[n].len != 0 && c[n].s[0] > '9'
        && docket_pivot_proto(c[n].s, c[n].len, &proto) != DOCKET_ERROR)
    {
        n++;

        for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
            if (row->n > DOCKET_PIVOT_CONN_STATE
                && c[DOCKET_PIVOT_CONN_STATE].len == strlen(states[i])
                && memcmp(c[DOCKET_PIVOT_CONN_STATE].s, states[i],
                          strlen(states[i]))
                   == 0)
            {
                n = (row->n < DOCKET_PIVOT_CONN) ? row->n : DOCKET_PIVOT_CONN;
            }
        }
    }

    for (i = 0; i < n; i++) {
        if (docket_pivot_field(docket_pivot_conn[i],
                               strlen(docket_pivot_conn[i]))
            == NULL)
        {
            continue;
        }

        if (docket_pivot_add(p, docket_pivot_field(docket_pivot_conn[i],
                                                strlen(docket_pivot_conn[i])),
                             docket_pivot_conn[i],
                             strlen(docket_pivot_conn[i]), c[i].s, c[i].len)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


static int
docket_pivot_zeek_header(docket_pivot_t *p, const char *s, size_t len)
{
    char                separator;
    size_t              pos, start;
    docket_pivot_str_t  line, unset;
    docket_pivot_row_t  names, row, words;

    separator = '\t';
    unset.s = "-";
    unset.len = 1;
    names.n = 0;
    row.n = 0;

    for (pos = 0; pos < len; /* void */) {
        start = pos;
        line = docket_pivot_line(s, len, &pos);

        if (line.len == 0) {
            continue;
        }

        if (docket_pivot_starts(&line, "#separator ")) {
            separator = docket_pivot_zeek_separator(line.s + 11,
                                                    line.len - 11);
            continue;
        }

        if (line.s[0] != '#') {

            if (names.n == 0) {
                return docket_query_fail(p->q, "", start,
                                         "no line \"#fields\" names the "
                                         "columns of this one");
            }

            if (row.n != 0) {
                return docket_query_fail(p->q, "", start,
                                         "one event is asked for at a time, "
                                         "and a second line follows");
            }

            if (docket_pivot_split(&row, line.s, line.len, separator)
                != DOCKET_OK || row.n != names.n)
            {
                return docket_query_fail(p->q, "", start, "the line has not "
                                         "the %zu columns of \"#fields\"",
                                         names.n);
            }

            continue;
        }

        /* a terminal makes blanks of tabs */

        if (docket_pivot_starts(&line, "#fields ")) {
            separator = ' ';
        }

        if (docket_pivot_split(&words, line.s, line.len, separator)
            != DOCKET_OK)
        {
            return docket_query_fail(p->q, "", start, "more than %d columns",
                                     DOCKET_PIVOT_COLUMNS);
        }

        if (words.n > 1 && words.column[0].len == sizeof("#fields") - 1
            && docket_pivot_starts(&words.column[0], "#fields"))
        {
            names.n = words.n - 1;
            memcpy(names.column, words.column + 1,
                   names.n * sizeof(docket_pivot_str_t));
        }

        if (words.n == 2 && docket_pivot_starts(&words.column[0],
                                                "#unset_field"))
        {
            unset = words.column[1];
        }
    }

    if (row.n == 0) {
        return docket_query_fail(p->q, "", -1,
                                 "there is no line behind the header");
    }

    return docket_pivot_zeek_named(p, &names, &row, &unset);
}


static int
docket_pivot_zeek_named(docket_pivot_t *p,
    const docket_pivot_row_t *names, const docket_pivot_row_t *row,
    const docket_pivot_str_t *unset)
{
    size_t                       i;
    const docket_pivot_str_t    *name, *value;
    const docket_pivot_field_t  *field;

    for (i = 0; i < row->n; i++) {
        name = &names->column[i];
        value = &row->column[i];

        field = docket_pivot_field(name->s, name->len);

        if (field == NULL
            || (value->len == unset->len
                && memcmp(value->s, unset->s, unset->len) == 0))
        {
            continue;
        }

        if (docket_pivot_add(p, field, name->s, name->len, value->s,
                             value->len)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


/* "\x09", or the sign itself */

static char
docket_pivot_zeek_separator(const char *s, size_t len)
{
    int     value;
    char    c;
    size_t  i;

    if (len != sizeof("\\x09") - 1 || s[0] != '\\' || s[1] != 'x') {
        return (len == 1) ? s[0] : '\t';
    }

    value = 0;

    for (i = 2; i < 4; i++) {
        c = s[i] | 0x20;

        if (s[i] >= '0' && s[i] <= '9') {
            value = value * 16 + (s[i] - '0');

        } else if (c >= 'a' && c <= 'f') {
            value = value * 16 + (c - 'a' + 10);

        } else {
            return '\t';
        }
    }

    return (char) value;
}


/* blanks part words by any number of them */

static int
docket_pivot_split(docket_pivot_row_t *row, const char *s, size_t len,
    char separator)
{
    size_t  i, start;

    row->n = 0;
    start = 0;

    for (i = 0; i <= len; i++) {
        if (i < len && s[i] != separator) {
            continue;
        }

        if (separator != ' ' || i != start) {

            if (row->n == DOCKET_PIVOT_COLUMNS) {
                return DOCKET_ERROR;
            }

            row->column[row->n].s = s + start;
            row->column[row->n].len = i - start;
            row->n++;
        }

        start = i + 1;
    }

    return DOCKET_OK;
}


static docket_pivot_str_t
docket_pivot_line(const char *s, size_t len, size_t *pos)
{
    const char          *end;
    docket_pivot_str_t   line;

    line.s = s + *pos;
    end = memchr(line.s, '\n', len - *pos);
    line.len = (end != NULL) ? (size_t) (end - line.s) : len - *pos;

    *pos += line.len + 1;

    if (*pos > len) {
        *pos = len;
    }

    if (line.len != 0 && line.s[line.len - 1] == '\r') {
        line.len--;
    }

    return line;
}


static int
docket_pivot_starts(const docket_pivot_str_t *s, const char *word)
{
    return s->len >= strlen(word) && memcmp(s->s, word, strlen(word)) == 0;
}
