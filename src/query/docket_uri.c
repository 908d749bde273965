/*
 * "host/1.2.3.4/port/80/or/net/10.0.0.0/8/after/5m"
 */

#include <string.h>
#include <strings.h>

#include "query/docket_fields.h"


typedef struct {
    docket_query_t  *q;
    const char      *s;
    size_t           len;
    size_t           pos;             /* of the next segment */

    size_t           start;           /* of the segment at hand */
    char            *text;            /* of it, decoded */
    size_t           text_len;

    docket_expr_t   *any;             /* alternatives, once there is an "or" */
    docket_scope_t   scope;
} docket_uri_t;


static int docket_uri_next(docket_uri_t *u);
static int docket_uri_is(const docket_uri_t *u, const char *word);
static int docket_uri_field(docket_uri_t *u);
static int docket_uri_length(docket_uri_t *u, const char **value,
    size_t *value_len);
static int docket_uri_alternative(docket_uri_t *u);


int
docket_query_read_uri(docket_query_t *q, const char *s, size_t len)
{
    docket_uri_t  u;

    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, "", DOCKET_MAX_TEXT,
                                 "the question has more than %d bytes",
                                 DOCKET_MAX_TEXT);
    }

    if (len != 0 && s[len - 1] == '/') {
        len--;
    }

    if (len == 0) {
        return DOCKET_OK;
    }

    memset(&u, 0, sizeof(docket_uri_t));

    u.q = q;
    u.s = s;
    u.len = len;
    u.scope.times = q->root;
    u.scope.options = 1;

    u.scope.terms = docket_expr_group(&q->arena, DOCKET_EXPR_AND);
    if (u.scope.terms == NULL) {
        return docket_query_fail_memory(q);
    }

    while (u.pos <= u.len) {
        if (docket_uri_next(&u) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        if (docket_uri_is(&u, "or")) {
            if (docket_uri_alternative(&u) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

        } else if (docket_uri_field(&u) != DOCKET_OK) {
            return DOCKET_ERROR;
        }
    }

    if (u.any != NULL) {
        u.start = u.len;

        if (docket_uri_alternative(&u) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        docket_expr_append(q->root, u.any);

    } else if (u.scope.terms->n != 0) {
        docket_expr_append(q->root, u.scope.terms);
    }

    return DOCKET_OK;
}


/* decodes the segment at u->pos, and steps over the slash behind it */

static int
docket_uri_next(docket_uri_t *u)
{
    size_t       i, len, bad;
    const char  *slash;

    u->start = u->pos;

    slash = memchr(u->s + u->pos, '/', u->len - u->pos);
    len = (slash != NULL) ? (size_t) (slash - u->s) - u->pos
                          : u->len - u->pos;

    if (len == 0) {
        (void) docket_query_fail(u->q, "", u->start, "an empty segment");

        /* such an address is none at all */
        u->q->error.status = 404;

        return DOCKET_ERROR;
    }

    u->text = docket_arena_alloc(&u->q->arena, len + 1);
    if (u->text == NULL) {
        return docket_query_fail_memory(u->q);
    }

    if (docket_unescape(u->text, &u->text_len, u->s + u->pos, len, 0, &bad)
        != DOCKET_OK)
    {
        return docket_query_fail(u->q, "", u->pos + bad,
                                 "'%%' without two hexadecimal digits");
    }

    for (i = 0; i < u->text_len; i++) {
        if ((unsigned char) u->text[i] < 0x20 || u->text[i] == 0x7f) {
            return docket_query_fail(u->q, "", u->start,
                                     "control character 0x%02x in a segment",
                                     (unsigned char) u->text[i]);
        }
    }

    u->pos += len + 1;

    return DOCKET_OK;
}


static int
docket_uri_is(const docket_uri_t *u, const char *word)
{
    return u->text_len == strlen(word)
           && strncasecmp(u->text, word, u->text_len) == 0;
}


static int
docket_uri_field(docket_uri_t *u)
{
    size_t                 value_len;
    const char            *value;
    const docket_field_t  *field;

    field = docket_field_find(u->text, u->text_len);

    if (field == NULL) {
        return docket_field_unknown(u->q, u->text, u->text_len);
    }

    if (field->alone == DOCKET_FIELD_WORD) {
        return docket_field_set(u->q, field, &u->scope, "true", 4, 0);
    }

    if (u->pos > u->len) {
        return docket_query_fail(u->q, field->name, -1,
                                 "\"%s\" has no value", field->name);
    }

    if (docket_uri_next(u) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    value = u->text;
    value_len = u->text_len;

    if (strcmp(field->name, "net") == 0
        && memchr(value, '/', value_len) == NULL && u->pos <= u->len
        && docket_uri_length(u, &value, &value_len) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    return docket_field_set(u->q, field, &u->scope, value, value_len, 0);
}


/* a segment behind that of a network that starts with a digit is its length
   or its mask, for no field's name does */

static int
docket_uri_length(docket_uri_t *u, const char **value, size_t *value_len)
{
    char    *net;
    size_t   len;

    if (u->s[u->pos] < '0' || u->s[u->pos] > '9') {
        return DOCKET_OK;
    }

    len = *value_len;

    if (docket_uri_next(u) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    net = docket_arena_alloc(&u->q->arena, len + 1 + u->text_len + 1);
    if (net == NULL) {
        return docket_query_fail_memory(u->q);
    }

    memcpy(net, *value, len);
    net[len] = '/';
    memcpy(net + len + 1, u->text, u->text_len);

    *value = net;
    *value_len = len + 1 + u->text_len;

    return DOCKET_OK;
}


/* the end of one */

static int
docket_uri_alternative(docket_uri_t *u)
{
    docket_query_t  *q;

    q = u->q;

    if (u->scope.terms->n == 0) {
        return docket_query_fail(q, "", u->start,
                                 "an alternative of \"or\" has no term");
    }

    if (u->any == NULL) {
        u->any = docket_expr_group(&q->arena, DOCKET_EXPR_OR);
        if (u->any == NULL) {
            return docket_query_fail_memory(q);
        }
    }

    docket_expr_append(u->any, u->scope.terms);

    u->scope.terms = docket_expr_group(&q->arena, DOCKET_EXPR_AND);
    if (u->scope.terms == NULL) {
        return docket_query_fail_memory(q);
    }

    return DOCKET_OK;
}
