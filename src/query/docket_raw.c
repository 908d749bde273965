/*
 * Stenographer's grammar, with keywords in any case and all of this project's
 * times.  A word that it does not know is an error here, while Stenographer
 * would end the query at it and run what stood before.
 */

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "query/docket_addr.h"
#include "query/docket_query_int.h"


/* A chain such as "a or b and c or d" deepens the tree without parentheses;
   what is too deep after simplification is refused later. */
#define DOCKET_RAW_DEPTH  (2 * DOCKET_MAX_DEPTH)


typedef enum {
    DOCKET_TOKEN_END = 0,
    DOCKET_TOKEN_WORD,
    DOCKET_TOKEN_AND,
    DOCKET_TOKEN_OR,
    DOCKET_TOKEN_OPEN,
    DOCKET_TOKEN_CLOSE,
    DOCKET_TOKEN_SLASH,
    DOCKET_TOKEN_OTHER
} docket_token_e;


typedef struct {
    docket_query_t  *q;
    const char      *field;
    const char      *s;
    size_t           len;

    docket_token_e   type;            /* of the token at hand */
    size_t           start;
    size_t           end;

    unsigned         parens;
} docket_raw_t;


static void docket_raw_next(docket_raw_t *r);
static int docket_raw_is_word(char c);
static int docket_raw_is(const docket_raw_t *r, const char *word);
static docket_expr_t *docket_raw_expr(docket_raw_t *r);
static docket_expr_t *docket_raw_operand(docket_raw_t *r);
static docket_expr_t *docket_raw_group(docket_raw_t *r);
static docket_expr_t *docket_raw_term(docket_raw_t *r);
static docket_expr_t *docket_raw_host(docket_raw_t *r);
static docket_expr_t *docket_raw_net(docket_raw_t *r);
static docket_expr_t *docket_raw_number(docket_raw_t *r,
    docket_expr_type_e type);
static docket_expr_t *docket_raw_proto(docket_raw_t *r);
static docket_expr_t *docket_raw_time(docket_raw_t *r,
    docket_expr_type_e type);
static docket_expr_t *docket_raw_expected(docket_raw_t *r,
    const char *expected);
static docket_expr_t *docket_raw_bad(docket_raw_t *r, size_t position,
    const char *format, ...) __attribute__((format(printf, 3, 4)));


int
docket_query_read_raw(docket_query_t *q, const char *s, size_t len)
{
    docket_expr_t  *e;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, "", DOCKET_MAX_TEXT,
                                 "the question has more than %d bytes",
                                 DOCKET_MAX_TEXT);
    }

    e = docket_raw_parse(q, "", s, len);
    if (e == NULL) {
        return DOCKET_ERROR;
    }

    docket_expr_append(q->root, e);

    return DOCKET_OK;
}


docket_expr_t *
docket_raw_parse(docket_query_t *q, const char *field, const char *s,
    size_t len)
{
    docket_raw_t    r;
    docket_expr_t  *e;

    memset(&r, 0, sizeof(docket_raw_t));

    r.q = q;
    r.field = field;
    r.s = s;
    r.len = len;

    docket_raw_next(&r);

    e = docket_raw_expr(&r);
    if (e == NULL) {
        return NULL;
    }

    if (r.type == DOCKET_TOKEN_CLOSE) {
        return docket_raw_bad(&r, r.start, "a ')' without its '('");
    }

    if (r.type != DOCKET_TOKEN_END) {
        return docket_raw_expected(&r, "'and', 'or' or the end");
    }

    return e;
}


static void
docket_raw_next(docket_raw_t *r)
{
    size_t  p;

    p = r->end;

    while (p < r->len && r->s[p] != '\0' && strchr(" \t\r\n\v\f", r->s[p])) {
        p++;
    }

    r->start = p;

    if (p == r->len) {
        r->type = DOCKET_TOKEN_END;
        r->end = p;
        return;
    }

    r->end = p + 1;

    switch (r->s[p]) {

    case '(':
        r->type = DOCKET_TOKEN_OPEN;
        return;

    case ')':
        r->type = DOCKET_TOKEN_CLOSE;
        return;

    case '/':
        r->type = DOCKET_TOKEN_SLASH;
        return;

    case '&':
    case '|':
        if (r->end < r->len && r->s[r->end] == r->s[p]) {
            r->end++;
            r->type = (r->s[p] == '&') ? DOCKET_TOKEN_AND : DOCKET_TOKEN_OR;
            return;
        }

        r->type = DOCKET_TOKEN_OTHER;
        return;
    }

    if (!docket_raw_is_word(r->s[p])) {
        r->type = DOCKET_TOKEN_OTHER;
        return;
    }

    while (r->end < r->len && docket_raw_is_word(r->s[r->end])) {
        r->end++;
    }

    r->type = DOCKET_TOKEN_WORD;

    if (docket_raw_is(r, "and")) {
        r->type = DOCKET_TOKEN_AND;

    } else if (docket_raw_is(r, "or")) {
        r->type = DOCKET_TOKEN_OR;
    }
}


static int
docket_raw_is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')
           || (c >= 'A' && c <= 'Z') || c == '.' || c == ':' || c == '+'
           || c == '-' || c == '_';
}


static int
docket_raw_is(const docket_raw_t *r, const char *word)
{
    return r->type == DOCKET_TOKEN_WORD
           && r->end - r->start == strlen(word)
           && strncasecmp(r->s + r->start, word, r->end - r->start) == 0;
}


static docket_expr_t *
docket_raw_expr(docket_raw_t *r)
{
    docket_expr_t       *left, *right;
    docket_expr_type_e   op;

    left = docket_raw_operand(r);

    while (left != NULL
           && (r->type == DOCKET_TOKEN_AND || r->type == DOCKET_TOKEN_OR))
    {
        op = (r->type == DOCKET_TOKEN_AND) ? DOCKET_EXPR_AND
                                           : DOCKET_EXPR_OR;

        docket_raw_next(r);

        right = docket_raw_operand(r);
        if (right == NULL) {
            return NULL;
        }

        left = docket_expr_join(&r->q->arena, op, left, right);

        if (left == NULL) {
            (void) docket_query_fail_memory(r->q);
            return NULL;
        }

        if (left->depth > DOCKET_RAW_DEPTH) {
            return docket_raw_bad(r, r->start, "too deep an expression");
        }
    }

    return left;
}


static docket_expr_t *
docket_raw_operand(docket_raw_t *r)
{
    if (r->type == DOCKET_TOKEN_OPEN) {
        return docket_raw_group(r);
    }

    if (r->type == DOCKET_TOKEN_WORD) {
        return docket_raw_term(r);
    }

    return docket_raw_expected(r, "a term such as 'host 10.0.0.1' or '('");
}


static docket_expr_t *
docket_raw_group(docket_raw_t *r)
{
    docket_expr_t  *e;

    if (r->parens == DOCKET_MAX_DEPTH) {
        return docket_raw_bad(r, r->start,
                              "more than %d parentheses in each other",
                              DOCKET_MAX_DEPTH);
    }

    r->parens++;
    docket_raw_next(r);

    e = docket_raw_expr(r);
    if (e == NULL) {
        return NULL;
    }

    if (r->type != DOCKET_TOKEN_CLOSE) {
        return docket_raw_expected(r, "'and', 'or' or ')'");
    }

    r->parens--;
    docket_raw_next(r);

    return e;
}


static docket_expr_t *
docket_raw_term(docket_raw_t *r)
{
    size_t           i;
    docket_expr_t   *e;

    static const struct {
        const char          *name;
        docket_expr_type_e   type;
        uint64_t             value;
        docket_expr_t     *(*parse)(docket_raw_t *r, docket_expr_type_e type);
    } words[] = {
        { "port", DOCKET_EXPR_PORT, 0, docket_raw_number },
        { "vlan", DOCKET_EXPR_VLAN, 0, docket_raw_number },
        { "mpls", DOCKET_EXPR_MPLS, 0, docket_raw_number },
        { "after", DOCKET_EXPR_AFTER, 0, docket_raw_time },
        { "before", DOCKET_EXPR_BEFORE, 0, docket_raw_time },
        { "tcp", DOCKET_EXPR_PROTO, 6, NULL },
        { "udp", DOCKET_EXPR_PROTO, 17, NULL },
        { "icmp", DOCKET_EXPR_PROTO, 1, NULL }
    };

    if (docket_raw_is(r, "host")) {
        return docket_raw_host(r);
    }

    if (docket_raw_is(r, "net")) {
        return docket_raw_net(r);
    }

    if (docket_raw_is(r, "ip")) {
        return docket_raw_proto(r);
    }

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!docket_raw_is(r, words[i].name)) {
            continue;
        }

        if (words[i].parse != NULL) {
            docket_raw_next(r);
            return words[i].parse(r, words[i].type);
        }

        e = docket_query_number(r->q, words[i].type, words[i].value);
        docket_raw_next(r);

        return e;
    }

    return docket_raw_expected(r, "host, net, port, vlan, mpls, ip proto, "
                                  "tcp, udp, icmp, before, after or '('");
}


static docket_expr_t *
docket_raw_host(docket_raw_t *r)
{
    char            addr[DOCKET_ADDR_LEN], text[DOCKET_ADDR_LEN + 8];
    const char     *why;
    docket_expr_t  *e;

    docket_raw_next(r);

    if (r->type != DOCKET_TOKEN_WORD
        || docket_addr_host(r->s + r->start, r->end - r->start, addr, &why)
           != DOCKET_OK)
    {
        return docket_raw_expected(r, "an IPv4 or IPv6 address after 'host'");
    }

    (void) snprintf(text, sizeof(text), "host %s", addr);

    e = docket_query_term(r->q, DOCKET_EXPR_HOST, 0, text, strlen(text));
    docket_raw_next(r);

    return e;
}


static docket_expr_t *
docket_raw_net(docket_raw_t *r)
{
    char            addr[DOCKET_ADDR_LEN], text[DOCKET_ADDR_LEN + 8];
    size_t          start, end;
    const char     *why;
    docket_expr_t  *e;

    docket_raw_next(r);

    if (r->type != DOCKET_TOKEN_WORD) {
        return docket_raw_expected(r, "an address after 'net'");
    }

    start = r->start;
    end = r->end;

    docket_raw_next(r);

    if (r->type != DOCKET_TOKEN_SLASH && !docket_raw_is(r, "mask")) {
        return docket_raw_expected(r, "'/' or 'mask' after the network's "
                                      "address");
    }

    docket_raw_next(r);

    if (r->type != DOCKET_TOKEN_WORD) {
        return docket_raw_expected(r, "the network's length or mask");
    }

    if (docket_addr_net(r->s + start, end - start, r->s + r->start,
                        r->end - r->start, addr, &why)
        != DOCKET_OK)
    {
        return docket_raw_bad(r, start, "a network %s", why);
    }

    (void) snprintf(text, sizeof(text), "net %s", addr);

    e = docket_query_term(r->q, DOCKET_EXPR_NET, 0, text, strlen(text));
    docket_raw_next(r);

    return e;
}


static docket_expr_t *
docket_raw_number(docket_raw_t *r, docket_expr_type_e type)
{
    char            expected[64];
    uint64_t        max, value;
    docket_expr_t  *e;

    max = docket_number_max(type);

    if (r->type != DOCKET_TOKEN_WORD
        || docket_parse_number(r->s + r->start, r->end - r->start, max,
                               &value)
           != DOCKET_OK)
    {
        (void) snprintf(expected, sizeof(expected), "%s, 0 to %u",
                        docket_number_name(type), (unsigned) max);

        return docket_raw_expected(r, expected);
    }

    e = docket_query_number(r->q, type, value);
    docket_raw_next(r);

    return e;
}


static docket_expr_t *
docket_raw_proto(docket_raw_t *r)
{
    docket_raw_next(r);

    if (!docket_raw_is(r, "proto")) {
        return docket_raw_expected(r, "'proto' after 'ip'");
    }

    docket_raw_next(r);

    return docket_raw_number(r, DOCKET_EXPR_PROTO);
}


static docket_expr_t *
docket_raw_time(docket_raw_t *r, docket_expr_type_e type)
{
    int             absolute;
    docket_expr_t  *e;

    if (r->type != DOCKET_TOKEN_WORD) {
        return docket_raw_expected(r, "a time such as 2018-01-10T22:10:00Z "
                                      "or '5m ago'");
    }

    absolute = docket_is_date(r->s + r->start, r->end - r->start);

    e = docket_query_when(r->q, type, r->s + r->start, r->end - r->start,
                          r->field, r->start);
    if (e == NULL) {
        return NULL;
    }

    docket_raw_next(r);

    if (!absolute && docket_raw_is(r, "ago")) {
        docket_raw_next(r);
    }

    return e;
}


static docket_expr_t *
docket_raw_expected(docket_raw_t *r, const char *expected)
{
    char         quote[DOCKET_QUOTE_LEN];
    const char  *hint;

    hint = "";

    if (r->type == DOCKET_TOKEN_END) {
        return docket_raw_bad(r, r->start,
                              "expected %s, but the expression ends here",
                              expected);
    }

    if (docket_raw_is(r, "not") || docket_raw_is(r, "src")
        || docket_raw_is(r, "dst") || docket_raw_is(r, "portrange")
        || r->s[r->start] == '!')
    {
        hint = " (sensors do not know it; use \"filter\")";

    } else if (r->s[r->start] == '=') {
        hint = " (a blank parts name and value)";
    }

    return docket_raw_bad(r, r->start, "expected %s, but found %s%s",
                          expected,
                          docket_quote(quote, r->s + r->start,
                                       r->end - r->start), hint);
}


static docket_expr_t *
docket_raw_bad(docket_raw_t *r, size_t position, const char *format, ...)
{
    char     text[sizeof(r->q->error.detail)];
    va_list  args;

    va_start(args, format);
    (void) vsnprintf(text, sizeof(text), format, args);
    va_end(args);

    (void) docket_query_fail(r->q, r->field, position, "%s", text);

    return NULL;
}
