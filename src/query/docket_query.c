/*
 * A question from its first field to its id.
 */

#include "query/docket_query_int.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>


static int docket_query_times(docket_query_t *q);
static int docket_query_terms(docket_query_t *q, docket_expr_t **canon);
static int docket_query_weigh(docket_query_t *q, const docket_expr_t *canon);
static int docket_query_text(docket_query_t *q);
static int docket_query_id(docket_query_t *q);


docket_query_t *
docket_query_create(const docket_query_conf_t *conf)
{
    docket_query_t  *q;

    q = calloc(1, sizeof(docket_query_t));
    if (q == NULL) {
        return NULL;
    }

    q->conf = conf;
    q->after = -1;
    q->before = -1;
    q->error.position = -1;
    q->result.exact = 1;

    q->root = docket_expr_create(&q->arena, DOCKET_EXPR_AND);

    if (q->root == NULL) {
        docket_query_destroy(q);
        return NULL;
    }

    return q;
}


void
docket_query_destroy(docket_query_t *q)
{
    docket_arena_free(&q->arena);
    free(q);
}


const docket_query_error_t *
docket_query_error(const docket_query_t *q)
{
    return &q->error;
}


const docket_query_result_t *
docket_query_result(const docket_query_t *q)
{
    return &q->result;
}


int
docket_query_fail(docket_query_t *q, const char *field, long position,
    const char *value, size_t len, const char *why)
{
    char    quoted[132], *p;
    size_t  i;

    p = quoted;

    if (value != NULL) {
        *p++ = '"';

        for (i = 0; i < len && p < quoted + sizeof(quoted) - 12; i++) {

            if ((unsigned char) value[i] < 0x20
                || (unsigned char) value[i] >= 0x7f)
            {
                p += sprintf(p, "\\x%02x", (unsigned char) value[i]);

            } else {
                *p++ = value[i];
            }
        }

        p = stpcpy(p, i < len ? "..\" " : "\" ");
    }

    *p = '\0';

    q->error.status = 400;
    q->error.position = position;

    snprintf(q->error.field, sizeof(q->error.field), "%s",
             field != NULL ? field : "");
    snprintf(q->error.detail, sizeof(q->error.detail), "%s%s%s%s",
             field != NULL ? field : "", field != NULL ? ": " : "", quoted,
             why);

    return DOCKET_ERROR;
}


int
docket_query_no_memory(docket_query_t *q)
{
    return docket_query_fail(q, NULL, -1, NULL, 0,
                             "the question is too large to be held");
}


int
docket_query_read_raw(docket_query_t *q, const char *s, size_t len)
{
    if (len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, "query", -1, NULL, 0,
                                 "the expression has more than 8192 bytes");
    }

    return docket_raw_parse(q, q->root, s, len);
}


int
docket_query_set(docket_query_t *q, const char *name, const char *value,
    size_t len)
{
    return docket_field(q, q->root, name, strlen(name), value, len, -1);
}


/* Widened outward to the window. */

static int
docket_query_times(docket_query_t *q)
{
    int64_t                 window, now;
    docket_query_result_t  *r;

    r = &q->result;
    now = q->conf->now;
    window = q->conf->time_window;

    if (q->after == -1) {
        q->after = (now > q->conf->long_ago) ? now - q->conf->long_ago : 0;
        r->relative = 1;
    }

    r->after = q->after - q->after % window;

    if (q->before == -1) {
        r->before = now - now % window + window;
        r->relative = 1;

    } else {
        if (q->before <= q->after) {
            return docket_query_fail(q, "before", -1, NULL, 0,
                                     "the range is empty: \"after\" is not "
                                     "earlier than \"before\"");
        }

        r->before = q->before + (window - q->before % window) % window;
    }

    if (r->after >= r->before) {
        return docket_query_fail(q, "after", -1, NULL, 0,
                                 "the range is empty: \"after\" is not "
                                 "earlier than \"before\" (now, where none is "
                                 "given)");
    }

    return DOCKET_OK;
}


static int
docket_query_depth(const docket_expr_t *e)
{
    int                   depth, d;
    const docket_expr_t  *c;

    depth = 0;

    for (c = e->children; c != NULL; c = c->next) {
        d = docket_query_depth(c);
        depth = (d > depth) ? d : depth;
    }

    return depth + 1;
}


static int
docket_query_inexact(const docket_expr_t *e)
{
    const docket_expr_t  *c;

    if (e->type == DOCKET_EXPR_AFTER || e->type == DOCKET_EXPR_BEFORE) {
        return 1;
    }

    for (c = e->children; c != NULL; c = c->next) {
        if (docket_query_inexact(c)) {
            return 1;
        }
    }

    return 0;
}


/* The expression without its range: an "and", with its only "or" in
   parentheses. */

static int
docket_query_terms(docket_query_t *q, docket_expr_t **canon)
{
    char           *p;
    docket_expr_t  *e;

    q->result.terms = "";
    q->result.terms_len = 0;

    if (q->root->children == NULL) {
        *canon = q->root;
        return DOCKET_OK;
    }

    e = docket_expr_canon(&q->arena, q->root);
    if (e == NULL) {
        return docket_query_no_memory(q);
    }

    if (docket_query_depth(e) > DOCKET_MAX_DEPTH) {
        return docket_query_fail(q, "query", -1, NULL, 0,
                                 "the expression is nested too deep: at most "
                                 "32 levels");
    }

    q->result.exact = !docket_query_inexact(e);

    if (e->type == DOCKET_EXPR_OR) {
        p = docket_arena_alloc(&q->arena, strlen(e->text) + 3);
        if (p == NULL) {
            return docket_query_no_memory(q);
        }

        sprintf(p, "(%s)", e->text);
        q->result.terms = p;

    } else {
        q->result.terms = e->text;
    }

    q->result.terms_len = strlen(q->result.terms);
    *canon = e;

    return DOCKET_OK;
}


static void
docket_query_bytes(char buf[32], double bytes)
{
    int          i;

    static const char  units[] = " kMGTPE";

    for (i = 0; bytes >= 1000 && units[i + 1] != '\0'; i++) {
        bytes /= 1000;
    }

    snprintf(buf, 32, "%.3g %.*sB", bytes, i != 0, &units[i]);
}


static int
docket_query_weigh(docket_query_t *q, const docket_expr_t *canon)
{
    char                    is[32], may[32], why[256];
    double                  seconds;
    const docket_weight_t  *w;

    w = q->conf->weight;

    if (w == NULL) {
        return DOCKET_OK;
    }

    seconds = (double) (q->result.before - q->result.after)
              / (double) DOCKET_SECOND;

    q->result.weight = w->total / (w->hours * 3600) * seconds
                       * docket_expr_share(canon, w);

    if (q->result.weight <= w->threshold
        || (q->result.ignore_weight && w->override))
    {
        return DOCKET_OK;
    }

    docket_query_bytes(is, q->result.weight);
    docket_query_bytes(may, w->threshold);

    snprintf(why, sizeof(why), "the question is expected to yield %s, more than "
             "the %s that one may: name more hosts or ports, or a shorter time"
             "%s", is, may, w->override ? ", or set ignore-weight" : "");

    (void) docket_query_fail(q, NULL, -1, NULL, 0, why);
    q->error.status = 413;

    return DOCKET_ERROR;
}


static int
docket_cmp_names(const void *one, const void *two)
{
    return strcmp(*(const char *const *) one, *(const char *const *) two);
}


static int
docket_query_text(docket_query_t *q)
{
    char                   *p, *text, after[DOCKET_TIME_LEN];
    char                    before[DOCKET_TIME_LEN];
    size_t                  i, n, len;
    docket_query_result_t  *r;

    r = &q->result;

    n = 0;

    if (q->nsensors != 0) {
        qsort(q->sensors, q->nsensors, sizeof(char *), docket_cmp_names);
    }

    for (i = 0; i < q->nsensors; i++) {
        if (n == 0 || strcmp(q->sensors[n - 1], q->sensors[i]) != 0) {
            q->sensors[n++] = q->sensors[i];
        }
    }

    q->nsensors = n;
    r->sensors = q->sensors;
    r->nsensors = n;

    len = r->terms_len + 256;

    for (i = 0; i < n; i++) {
        len += strlen(r->sensors[i]) + 1;
    }

    len += (r->filter != NULL) ? strlen(r->filter) : 0;

    text = docket_arena_alloc(&q->arena, len);
    if (text == NULL) {
        return docket_query_no_memory(q);
    }

    docket_format_time(after, r->after);
    docket_format_time(before, r->before);

    p = text;
    p += sprintf(p, "%s%safter %s and before %s", r->terms,
                 r->terms_len != 0 ? " and " : "", after, before);

    for (i = 0; i < n; i++) {
        p += sprintf(p, "%s%s", i == 0 ? "; sensors " : ",", r->sensors[i]);
    }

    if (r->limit_packets != 0) {
        p += sprintf(p, "; limit-packets %" PRIu64, r->limit_packets);
    }

    if (r->limit_bytes != 0) {
        p += sprintf(p, "; limit-bytes %" PRIu64, r->limit_bytes);
    }

    if (r->filter != NULL) {
        p += sprintf(p, "; filter %s", r->filter);
    }

    r->text = text;
    r->text_len = (size_t) (p - text);

    return DOCKET_OK;
}


static int
docket_query_id(docket_query_t *q)
{
    unsigned int   i, n;
    unsigned char  md5[EVP_MAX_MD_SIZE];

    if (EVP_Digest(q->result.text, q->result.text_len, md5, &n, EVP_md5(), NULL)
        != 1
        || n != DOCKET_ID_LEN / 2)
    {
        return docket_query_fail(q, NULL, -1, NULL, 0, "MD5 is not available");
    }

    for (i = 0; i < n; i++) {
        sprintf(q->result.id + i * 2, "%02x", md5[i]);
    }

    return DOCKET_OK;
}


int
docket_query_finish(docket_query_t *q)
{
    docket_expr_t  *canon;

    if (q->root->children == NULL && q->after == -1 && q->before == -1) {
        return docket_query_fail(q, NULL, -1, NULL, 0,
                                 "nothing is asked: at least a host, net, "
                                 "port, vlan, mpls, proto or time is needed");
    }

    if (docket_query_times(q) != DOCKET_OK
        || docket_query_terms(q, &canon) != DOCKET_OK
        || docket_query_weigh(q, canon) != DOCKET_OK
        || docket_query_text(q) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    return docket_query_id(q);
}


size_t
docket_query_sensor_text(const char *terms, int64_t after, int64_t before,
    char *buf, size_t size)
{
    char  a[DOCKET_TIME_LEN], b[DOCKET_TIME_LEN];

    if (after < 0) {
        after = 0;
    }

    docket_format_time(a, after - after % DOCKET_SECOND);
    docket_format_time(b, before + (DOCKET_SECOND - before % DOCKET_SECOND)
                                   % DOCKET_SECOND);

    return (size_t) snprintf(buf, size, "after %s and before %s%s%s%s", a, b,
                             *terms != '\0' ? " and (" : "", terms,
                             *terms != '\0' ? ")" : "");
}


int
docket_query_finish_search(docket_query_t *q)
{
    docket_expr_t  *canon;

    if (q->after != -1 && q->before != -1 && q->before <= q->after) {
        return docket_query_times(q);
    }

    if (docket_query_terms(q, &canon) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    q->canon = (q->root->children != NULL) ? canon : NULL;

    return DOCKET_OK;
}


/* Operands of an "and", or the one term that stands alone. */

static int
docket_query_has(const docket_expr_t *e, const char *text)
{
    const docket_expr_t  *c;

    if (e->type != DOCKET_EXPR_AND) {
        return strcmp(e->text, text) == 0;
    }

    for (c = e->children; c != NULL; c = c->next) {
        if (strcmp(c->text, text) == 0) {
            return 1;
        }
    }

    return 0;
}


static int
docket_query_contains(const docket_expr_t *have, const docket_expr_t *want)
{
    const docket_expr_t  *c;

    if (want->type != DOCKET_EXPR_AND) {
        return docket_query_has(have, want->text);
    }

    for (c = want->children; c != NULL; c = c->next) {
        if (!docket_query_has(have, c->text)) {
            return 0;
        }
    }

    return 1;
}


int
docket_query_matches(const docket_query_t *q, const char *text, size_t len,
    int64_t after, int64_t before)
{
    int                   found;
    const char           *end;
    docket_expr_t        *canon;
    docket_query_t       *job;
    docket_query_conf_t   conf;

    if ((q->after != -1 && before <= q->after)
        || (q->before != -1 && after >= q->before))
    {
        return 0;
    }

    if (q->canon == NULL) {
        return 1;
    }

    end = memmem(text, len, "; ", 2);
    len = (end != NULL) ? (size_t) (end - text) : len;

    conf = *q->conf;
    conf.weight = NULL;

    job = docket_query_create(&conf);
    if (job == NULL) {
        return 0;
    }

    found = docket_query_read_raw(job, text, len) == DOCKET_OK
            && docket_query_terms(job, &canon) == DOCKET_OK
            && job->root->children != NULL
            && docket_query_contains(canon, q->canon);

    docket_query_destroy(job);

    return found;
}
