#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "query/docket_addr.h"
#include "query/docket_fields.h"


/* Longest name of a field or alias, with room for a typing error. */
#define DOCKET_FIELD_NAME  32

#define docket_is_blank(c)  ((c) == ' ' || (c) == '\t')


typedef enum {
    DOCKET_OPTION_PACKETS = 0,
    DOCKET_OPTION_BYTES,
    DOCKET_OPTION_IGNORE,
    DOCKET_OPTION_REFRESH
} docket_option_e;


static int docket_set_host(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_net(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_number(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_proto(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_word(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_time(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_ago(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_sensor(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_limit(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_filter(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_flag(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);
static int docket_set_query(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len);

static int docket_append(docket_expr_t *group, docket_expr_t *e);
static int docket_read_flag(docket_query_t *q, const docket_field_t *field,
    const char *s, size_t len, int *value);
static int docket_ask_sensor(docket_query_t *q, const docket_field_t *field,
    const char *s, size_t len, long position);
static int docket_wants_options(docket_query_t *q,
    const docket_field_t *field, const docket_scope_t *scope);


static const docket_field_t  docket_fields[] = {
    { "host", DOCKET_FIELD_VALUE, 0, docket_set_host },
    { "net", DOCKET_FIELD_VALUE, 0, docket_set_net },
    { "port", DOCKET_FIELD_VALUE, DOCKET_EXPR_PORT, docket_set_number },
    { "vlan", DOCKET_FIELD_VALUE, DOCKET_EXPR_VLAN, docket_set_number },
    { "mpls", DOCKET_FIELD_VALUE, DOCKET_EXPR_MPLS, docket_set_number },
    { "proto", DOCKET_FIELD_VALUE, 1, docket_set_proto },
    { "proto-name", DOCKET_FIELD_VALUE, 0, docket_set_proto },
    { "tcp", DOCKET_FIELD_WORD, 6, docket_set_word },
    { "udp", DOCKET_FIELD_WORD, 17, docket_set_word },
    { "icmp", DOCKET_FIELD_WORD, 1, docket_set_word },
    { "after", DOCKET_FIELD_VALUE, DOCKET_EXPR_AFTER, docket_set_time },
    { "before", DOCKET_FIELD_VALUE, DOCKET_EXPR_BEFORE, docket_set_time },
    { "after-ago", DOCKET_FIELD_VALUE, DOCKET_EXPR_AFTER, docket_set_ago },
    { "before-ago", DOCKET_FIELD_VALUE, DOCKET_EXPR_BEFORE, docket_set_ago },
    { "sensor", DOCKET_FIELD_VALUE, 0, docket_set_sensor },
    { "limit-packets", DOCKET_FIELD_VALUE, DOCKET_OPTION_PACKETS,
      docket_set_limit },
    { "limit-bytes", DOCKET_FIELD_VALUE, DOCKET_OPTION_BYTES,
      docket_set_limit },
    { "filter", DOCKET_FIELD_VALUE, 0, docket_set_filter },
    { "ignore-weight", DOCKET_FIELD_FLAG, DOCKET_OPTION_IGNORE,
      docket_set_flag },
    { "refresh", DOCKET_FIELD_FLAG, DOCKET_OPTION_REFRESH, docket_set_flag },
    { "query", DOCKET_FIELD_VALUE, 0, docket_set_query }
};

static const char *const  docket_field_aliases[][2] = {
    { "ip-proto", "proto" },
    { "steno-limit-packets", "limit-packets" },
    { "steno-limit-bytes", "limit-bytes" }
};

#define DOCKET_NFIELDS  (sizeof(docket_fields) / sizeof(docket_fields[0]))
#define DOCKET_NALIASES                                                       \
    (sizeof(docket_field_aliases) / sizeof(docket_field_aliases[0]))


const docket_field_t *
docket_field_find(const char *name, size_t len)
{
    char    key[DOCKET_FIELD_NAME];
    size_t  i;

    if (len >= sizeof(key) || memchr(name, '\0', len) != NULL) {
        return NULL;
    }

    for (i = 0; i < len; i++) {
        key[i] = (name[i] == '_') ? '-' : name[i];
    }

    key[len] = '\0';
    name = key;

    for (i = 0; i < DOCKET_NALIASES; i++) {
        if (strcasecmp(docket_field_aliases[i][0], key) == 0) {
            name = docket_field_aliases[i][1];
        }
    }

    for (i = 0; i < DOCKET_NFIELDS; i++) {
        if (strcasecmp(docket_fields[i].name, name) == 0) {
            return &docket_fields[i];
        }
    }

    return NULL;
}


int
docket_field_unknown(docket_query_t *q, const char *name, size_t len)
{
    int     n;
    char    quote[DOCKET_QUOTE_LEN], list[DOCKET_NFIELDS * 16];
    size_t  i, used;

    used = 0;

    for (i = 0; i < DOCKET_NFIELDS; i++) {
        n = snprintf(list + used, sizeof(list) - used, "%s%s",
                     (i == 0) ? "" : ", ", docket_fields[i].name);

        if (n < 0 || (size_t) n >= sizeof(list) - used) {
            break;
        }

        used += n;
    }

    (void) docket_quote(quote, name, (len < 32) ? len : 32);
    (void) docket_query_fail(q, "", -1, "%s is no field; the fields are %s",
                             quote, list);

    /* the name without its quotes */

    n = strlen(quote) - 2;
    (void) snprintf(q->error.field, sizeof(q->error.field), "%.*s", n,
                    quote + 1);

    return DOCKET_ERROR;
}


int
docket_field_set(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len, int form)
{
    int     rc;
    size_t  i, skipped;

    /* a raw expression takes any white space, a list of sensors tabs */

    for (i = 0; i < len; i++) {
        if ((unsigned char) s[i] >= 0x20 && s[i] != 0x7f) {
            continue;
        }

        if ((field->set == docket_set_query && strchr("\t\r\n", s[i]) != NULL
             && s[i] != '\0')
            || (field->set == docket_set_sensor && s[i] == '\t'))
        {
            continue;
        }

        return docket_query_fail(q, field->name, i,
                                 "control character 0x%02x in \"%s\"",
                                 (unsigned char) s[i], field->name);
    }

    skipped = 0;

    while (len != 0 && docket_is_blank(s[len - 1])) {
        len--;
    }

    while (skipped < len && docket_is_blank(s[skipped])) {
        skipped++;
    }

    if (len == skipped && form) {
        return DOCKET_OK;
    }

    rc = field->set(q, field, scope, s + skipped, len - skipped);

    if (rc != DOCKET_OK && q->error.position >= 0) {
        q->error.position += skipped;
    }

    return rc;
}


int
docket_query_set(docket_query_t *q, const char *name, const char *value,
    size_t len)
{
    docket_scope_t         scope;
    const docket_field_t  *field;

    field = docket_field_find(name, strlen(name));

    if (field == NULL) {
        return docket_field_unknown(q, name, strlen(name));
    }

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, field->name, DOCKET_MAX_TEXT,
                                 "\"%s\" has more than %d bytes", field->name,
                                 DOCKET_MAX_TEXT);
    }

    scope.terms = q->root;
    scope.times = q->root;
    scope.options = 1;

    return docket_field_set(q, field, &scope, value, len, 1);
}


static int
docket_append(docket_expr_t *group, docket_expr_t *e)
{
    if (e == NULL) {
        return DOCKET_ERROR;
    }

    docket_expr_append(group, e);

    return DOCKET_OK;
}


static int
docket_set_host(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    char         addr[DOCKET_ADDR_LEN], text[DOCKET_ADDR_LEN + 8];
    char         quote[DOCKET_QUOTE_LEN];
    const char  *why;

    if (docket_addr_host(s, len, addr, &why) != DOCKET_OK) {
        return docket_query_fail(q, field->name, 0, "a host %s, not %s", why,
                                 docket_quote(quote, s, len));
    }

    (void) snprintf(text, sizeof(text), "host %s", addr);

    return docket_append(scope->terms,
                         docket_query_term(q, DOCKET_EXPR_HOST, 0, text,
                                           strlen(text)));
}


static int
docket_set_net(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    char         addr[DOCKET_ADDR_LEN], text[DOCKET_ADDR_LEN + 8];
    char         quote[DOCKET_QUOTE_LEN];
    size_t       end, mask;
    const char  *why, *p;

    /* "A/24", "A/255.255.255.0", "A mask 255.255.255.0" */

    p = memchr(s, '/', len);
    end = (p != NULL) ? (size_t) (p - s) : len;
    mask = (p != NULL) ? end + 1 : len;

    if (p == NULL) {
        p = memchr(s, ' ', len);

        if (p != NULL && len - (p - s) > sizeof(" mask ") - 1
            && strncasecmp(p, " mask ", sizeof(" mask ") - 1) == 0)
        {
            end = p - s;
            mask = end + sizeof(" mask ") - 1;
        }
    }

    if (docket_addr_net(s, end, s + mask, len - mask, addr, &why)
        != DOCKET_OK)
    {
        return docket_query_fail(q, field->name, 0, "a network %s, not %s",
                                 why, docket_quote(quote, s, len));
    }

    (void) snprintf(text, sizeof(text), "net %s", addr);

    return docket_append(scope->terms,
                         docket_query_term(q, DOCKET_EXPR_NET, 0, text,
                                           strlen(text)));
}


static int
docket_set_number(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    char      quote[DOCKET_QUOTE_LEN];
    uint64_t  max, value;

    max = docket_number_max(field->kind);

    if (docket_parse_number(s, len, max, &value) != DOCKET_OK) {
        return docket_query_fail(q, field->name, 0,
                                 "%s is a number from 0 to %u, not %s",
                                 docket_number_name(field->kind),
                                 (unsigned) max, docket_quote(quote, s, len));
    }

    return docket_append(scope->terms,
                         docket_query_number(q, field->kind, value));
}


static int
docket_set_proto(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    char                   quote[DOCKET_QUOTE_LEN];
    uint64_t               value;
    const docket_field_t  *word;

    word = docket_field_find(s, len);

    if (word != NULL && word->set == docket_set_word) {
        value = word->kind;
        goto found;
    }

    if (field->kind == 0) {
        return docket_query_fail(q, field->name, 0,
                                 "a protocol's name is tcp, udp or icmp, not "
                                 "%s; others go by number into \"proto\"",
                                 docket_quote(quote, s, len));
    }

    if (docket_parse_number(s, len, docket_number_max(DOCKET_EXPR_PROTO),
                            &value)
        != DOCKET_OK)
    {
        return docket_query_fail(q, field->name, 0,
                                 "a protocol is a number from 0 to 255, tcp, "
                                 "udp or icmp, not %s",
                                 docket_quote(quote, s, len));
    }

found:

    return docket_append(scope->terms,
                         docket_query_number(q, DOCKET_EXPR_PROTO, value));
}


static int
docket_set_word(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    int  value;

    if (docket_read_flag(q, field, s, len, &value) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (!value) {
        return DOCKET_OK;
    }

    return docket_append(scope->terms,
                         docket_query_number(q, DOCKET_EXPR_PROTO,
                                             field->kind));
}


static int
docket_set_time(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    char    text[sizeof("2018-01-10T22:10:00.000000000+07:00")];
    size_t  sign;

    /* form decoding turns the '+' of an offset into a blank */

    sign = len - (sizeof("+07:00") - 1);

    if (len > sizeof("2017-04-30T13:26:43") - 1 && len < sizeof(text)
        && s[sign] == ' ' && docket_is_date(s, len))
    {
        memcpy(text, s, len);
        text[sign] = '+';
        s = text;
    }

    return docket_append(scope->times,
                         docket_query_when(q, field->kind, s, len,
                                           field->name, 0));
}


static int
docket_set_ago(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    return docket_append(scope->times,
                         docket_query_ago(q, field->kind, s, len,
                                          field->name, 0));
}


static int
docket_set_sensor(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    size_t  i, start;

    if (docket_wants_options(q, field, scope) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    for (i = 0, start = 0; i <= len; i++) {
        if (i < len && memchr(",;+\t ", s[i], 5) == NULL) {
            continue;
        }

        if (i != start
            && docket_ask_sensor(q, field, s + start, i - start, start)
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        start = i + 1;
    }

    return DOCKET_OK;
}


static int
docket_ask_sensor(docket_query_t *q, const docket_field_t *field,
    const char *s, size_t len, long position)
{
    int     n;
    char    quote[DOCKET_QUOTE_LEN], list[256];
    size_t  i, used;

    if (q->asked == NULL) {
        q->asked = docket_arena_alloc(&q->arena, q->conf->nsensors + 1);
        if (q->asked == NULL) {
            return docket_query_fail_memory(q);
        }
    }

    used = 0;
    list[0] = '\0';

    for (i = 0; i < q->conf->nsensors; i++) {
        if (strlen(q->conf->sensors[i]) == len
            && memcmp(q->conf->sensors[i], s, len) == 0)
        {
            q->asked[i] = 1;
            return DOCKET_OK;
        }

        n = snprintf(list + used, sizeof(list) - used, "%s%s",
                     (used == 0) ? "" : ", ", q->conf->sensors[i]);

        /* a list that is too long ends in dots, as the cut tells */

        if (n > 0) {
            used += n;

            if (used >= sizeof(list)) {
                used = sizeof(list) - 1;
                memcpy(list + used - 3, "...", 3);
            }
        }
    }

    return docket_query_fail(q, field->name, position,
                             "there is no sensor %s; known are: %s",
                             docket_quote(quote, s, len), list);
}


static int
docket_wants_options(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope)
{
    if (!scope->options) {
        return docket_query_fail(q, field->name, -1,
                                 "\"%s\" belongs to the whole question, not "
                                 "into \"any\"", field->name);
    }

    return DOCKET_OK;
}


/* a smaller limit includes a greater one, so of several the smallest holds */

static int
docket_set_limit(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    char       quote[DOCKET_QUOTE_LEN];
    uint64_t   value, *limit;

    if (docket_wants_options(q, field, scope) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    limit = (field->kind == DOCKET_OPTION_PACKETS) ? &q->limit_packets
                                                   : &q->limit_bytes;

    value = 0;

    if (len != 0
        && ((len > 1 && s[0] == '0')
            || docket_parse_number(s, len, INT64_MAX, &value) != DOCKET_OK))
    {
        return docket_query_fail(q, field->name, 0,
                                 "\"%s\" is a plain decimal number, 0 for no "
                                 "limit, not %s", field->name,
                                 docket_quote(quote, s, len));
    }

    if (value != 0 && (*limit == 0 || value < *limit)) {
        *limit = value;
    }

    return DOCKET_OK;
}


static int
docket_set_filter(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    size_t       i;
    const char  *filter;

    if (docket_wants_options(q, field, scope) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    if (len == 0) {
        return DOCKET_OK;
    }

    if (len > DOCKET_MAX_FILTER) {
        return docket_query_fail(q, field->name, DOCKET_MAX_FILTER,
                                 "a filter has at most %d bytes, not %zu",
                                 DOCKET_MAX_FILTER, len);
    }

    for (i = 0; i < len; i++) {
        if ((unsigned char) s[i] >= 0x7f) {
            return docket_query_fail(q, field->name, i,
                                     "byte 0x%02x in a filter, which is ASCII",
                                     (unsigned char) s[i]);
        }
    }

    filter = docket_arena_copy(&q->arena, s, len);
    if (filter == NULL) {
        return docket_query_fail_memory(q);
    }

    if (q->filter != NULL && strcmp(q->filter, filter) != 0) {
        return docket_query_fail(q, field->name, 0,
                                 "there are two filters; join them to one");
    }

    q->filter = filter;

    return DOCKET_OK;
}


static int
docket_set_flag(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    int  *flag, value;

    if (docket_wants_options(q, field, scope) != DOCKET_OK
        || docket_read_flag(q, field, s, len, &value) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    flag = (field->kind == DOCKET_OPTION_IGNORE) ? &q->ignore_weight
                                                 : &q->refresh;

    if (*flag != -1 && *flag != value) {
        return docket_query_fail(q, field->name, 0,
                                 "\"%s\" is both true and false",
                                 field->name);
    }

    *flag = value;

    return DOCKET_OK;
}


static int
docket_read_flag(docket_query_t *q, const docket_field_t *field,
    const char *s, size_t len, int *value)
{
    char  quote[DOCKET_QUOTE_LEN];

    *value = docket_query_flag(s, len);

    if (*value != -1) {
        return DOCKET_OK;
    }

    return docket_query_fail(q, field->name, 0,
                             "\"%s\" is true or false, not %s", field->name,
                             docket_quote(quote, s, len));
}


int
docket_query_flag(const char *s, size_t len)
{
    size_t  i;

    static const char *const  words[] = {
        "false", "true", "no", "yes", "0", "1"
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i]) == len && strncasecmp(words[i], s, len) == 0) {
            return i % 2;
        }
    }

    return -1;
}


static int
docket_set_query(docket_query_t *q, const docket_field_t *field,
    const docket_scope_t *scope, const char *s, size_t len)
{
    return docket_append(scope->terms,
                         docket_raw_parse(q, field->name, s, len));
}
