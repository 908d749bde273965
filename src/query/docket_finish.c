/*
 * From all that was read to one text, one id, one range.
 */

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "query/docket_query_int.h"
#include "query/docket_when.h"


typedef struct {
    char    *buf;                     /* DOCKET_MAX_TEXT + 1 bytes */
    size_t   len;                     /* over DOCKET_MAX_TEXT: too long */
} docket_text_t;


static int docket_finish_terms(docket_query_t *q, int64_t *after,
    int64_t *before);
static docket_expr_t *docket_finish_root(docket_query_t *q);
static int docket_finish_range(docket_query_t *q, int64_t after,
    int64_t before);
static int docket_finish_exact(const docket_expr_t *e);
static int docket_finish_sensors(docket_query_t *q);
static int docket_finish_cmp(const void *one, const void *two);
static int docket_finish_text(docket_query_t *q);
static int docket_finish_terms_text(docket_query_t *q,
    const docket_text_t *t);
static void docket_text_add(docket_text_t *t, const char *s);
static int docket_finish_id(docket_query_t *q);
static int docket_finish_weight(docket_query_t *q);
static int docket_find_word(const char *text, size_t len, const char *word);
static int docket_match_option(const docket_query_t *q, const char *s,
    size_t len);


int
docket_query_finish(docket_query_t *q)
{
    int64_t                 after, before;
    docket_query_result_t  *r;

    if (q->finished) {
        return DOCKET_OK;
    }

    if (q->root->n == 0) {
        return docket_query_fail(q, "", -1, "there is nothing to look for: "
                                 "give a host, a port, a time or any other "
                                 "term");
    }

    r = &q->result;

    if (docket_finish_terms(q, &after, &before) != DOCKET_OK
        || docket_finish_range(q, after, before) != DOCKET_OK
        || docket_finish_sensors(q) != DOCKET_OK
        || docket_finish_text(q) != DOCKET_OK
        || docket_finish_id(q) != DOCKET_OK
        || docket_finish_weight(q) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    r->relative = q->relative;
    r->refresh = (q->refresh == 1);
    q->finished = 1;

    return DOCKET_OK;
}


/* brings the tree into its canonical form and takes the times of the
   outermost "and" out of it; -1: not said */

static int
docket_finish_terms(docket_query_t *q, int64_t *after, int64_t *before)
{
    docket_expr_t          *e, *next, *root;
    docket_query_result_t  *r;

    root = docket_finish_root(q);
    if (root == NULL) {
        return docket_query_fail_memory(q);
    }

    if (root->depth > DOCKET_MAX_DEPTH) {
        return docket_query_fail(q, "", -1, "\"and\" and \"or\" in more than "
                                 "%d levels", DOCKET_MAX_DEPTH);
    }

    *after = -1;
    *before = -1;
    r = &q->result;
    r->exact = 1;

    q->root = docket_expr_group(&q->arena, DOCKET_EXPR_AND);
    if (q->root == NULL) {
        return docket_query_fail_memory(q);
    }

    for (e = root->first; e != NULL; e = next) {
        next = e->next;

        if (e->type == DOCKET_EXPR_AFTER) {
            if (e->value > *after) {
                *after = e->value;
            }

            continue;
        }

        if (e->type == DOCKET_EXPR_BEFORE) {
            if (*before == -1 || e->value < *before) {
                *before = e->value;
            }

            continue;
        }

        if (!docket_finish_exact(e)) {
            r->exact = 0;
        }

        docket_expr_append(q->root, e);
    }

    if (docket_expr_count(q->root) > DOCKET_MAX_TERMS) {
        return docket_query_fail(q, "", -1, "more than %d terms",
                                 DOCKET_MAX_TERMS);
    }

    return DOCKET_OK;
}


/* the canonical tree as an "and", be it of one operand */

static docket_expr_t *
docket_finish_root(docket_query_t *q)
{
    docket_expr_t  *e, *root;

    e = docket_expr_canonical(&q->arena, q->root);

    if (e == NULL || e->type == DOCKET_EXPR_AND) {
        return e;
    }

    root = docket_expr_group(&q->arena, DOCKET_EXPR_AND);

    if (root != NULL) {
        docket_expr_append(root, e);
    }

    return root;
}


static int
docket_finish_exact(const docket_expr_t *e)
{
    const docket_expr_t  *child;

    if (!docket_expr_is_group(e)) {
        return e->type != DOCKET_EXPR_AFTER && e->type != DOCKET_EXPR_BEFORE;
    }

    for (child = e->first; child != NULL; child = child->next) {
        if (!docket_finish_exact(child)) {
            return 0;
        }
    }

    return 1;
}


static int
docket_finish_range(docket_query_t *q, int64_t after, int64_t before)
{
    char                        from[DOCKET_TIME_LEN], to[DOCKET_TIME_LEN];
    int64_t                     window, start;
    docket_query_result_t      *r;
    const docket_query_conf_t  *conf;

    r = &q->result;
    conf = q->conf;
    window = conf->time_window;

    if (after == -1 || before == -1) {
        q->relative = 1;
    }

    start = after;

    if (after == -1) {
        start = (conf->now > conf->long_ago) ? conf->now - conf->long_ago : 0;
    }

    r->after = docket_round_down(start, window);

    r->before = (before == -1) ? docket_round_down(conf->now, window) + window
                               : docket_round_up(before, window);

    if (r->before > DOCKET_TIME_MAX) {
        return docket_query_fail(q, "before", -1,
                                 "the range ends after the year 9999");
    }

    if (r->after >= r->before) {
        (void) docket_format_time(from, r->after);
        (void) docket_format_time(to, r->before);

        return docket_query_fail(q, (after == -1) ? "before" : "after", -1,
                                 "the range is empty: after %s%s, before %s%s",
                                 from, (after == -1) ? " (not given)" : "", to,
                                 (before == -1) ? " (not given)" : "");
    }

    return DOCKET_OK;
}


static int
docket_finish_sensors(docket_query_t *q)
{
    size_t                  i, n;
    const char            **names;
    docket_query_result_t  *r;

    if (q->asked == NULL) {
        return DOCKET_OK;
    }

    r = &q->result;

    names = docket_arena_alloc(&q->arena,
                               (q->conf->nsensors + 1) * sizeof(char *));
    if (names == NULL) {
        return docket_query_fail_memory(q);
    }

    for (i = 0, n = 0; i < q->conf->nsensors; i++) {
        if (!q->asked[i]) {
            continue;
        }

        names[n] = docket_arena_copy(&q->arena, q->conf->sensors[i],
                                     strlen(q->conf->sensors[i]));
        if (names[n] == NULL) {
            return docket_query_fail_memory(q);
        }

        n++;
    }

    qsort(names, n, sizeof(char *), docket_finish_cmp);

    r->sensors = names;
    r->nsensors = n;

    return DOCKET_OK;
}


static int
docket_finish_cmp(const void *one, const void *two)
{
    return strcmp(*(const char *const *) one, *(const char *const *) two);
}


static int
docket_finish_text(docket_query_t *q)
{
    char                    time[DOCKET_TIME_LEN], number[32];
    size_t                  i;
    docket_text_t           t;
    docket_expr_t          *e;
    docket_query_result_t  *r;

    r = &q->result;

    t.len = 0;
    t.buf = docket_arena_alloc(&q->arena, DOCKET_MAX_TEXT + 1);
    if (t.buf == NULL) {
        return docket_query_fail_memory(q);
    }

    for (e = q->root->first; e != NULL; e = e->next) {
        docket_text_add(&t, (e == q->root->first) ? "" : " and ");
        docket_text_add(&t, e->text);
    }

    if (docket_finish_terms_text(q, &t) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    (void) docket_format_time(time, r->after);
    docket_text_add(&t, (t.len == 0) ? "after " : " and after ");
    docket_text_add(&t, time);

    (void) docket_format_time(time, r->before);
    docket_text_add(&t, " and before ");
    docket_text_add(&t, time);

    for (i = 0; i < r->nsensors; i++) {
        docket_text_add(&t, (i == 0) ? "; sensors " : ",");
        docket_text_add(&t, r->sensors[i]);
    }

    r->limit_packets = q->limit_packets;
    r->limit_bytes = q->limit_bytes;
    r->filter = q->filter;

    if (r->limit_packets != 0) {
        (void) snprintf(number, sizeof(number), "%llu",
                        (unsigned long long) r->limit_packets);
        docket_text_add(&t, "; limit-packets ");
        docket_text_add(&t, number);
    }

    if (r->limit_bytes != 0) {
        (void) snprintf(number, sizeof(number), "%llu",
                        (unsigned long long) r->limit_bytes);
        docket_text_add(&t, "; limit-bytes ");
        docket_text_add(&t, number);
    }

    if (r->filter != NULL) {
        docket_text_add(&t, "; filter ");
        docket_text_add(&t, r->filter);
    }

    if (t.len > DOCKET_MAX_TEXT) {
        return docket_query_fail(q, "", -1,
                                 "the canonical text has more than %d bytes",
                                 DOCKET_MAX_TEXT);
    }

    r->text = t.buf;
    r->text_len = t.len;

    return DOCKET_OK;
}


/* a lone "or" needs its parentheses only beside a range */

static int
docket_finish_terms_text(docket_query_t *q, const docket_text_t *t)
{
    size_t                  paren;
    docket_query_result_t  *r;

    if (t->len > DOCKET_MAX_TEXT) {
        return DOCKET_OK;
    }

    r = &q->result;
    paren = (q->root->n == 1 && q->root->first->type == DOCKET_EXPR_OR);

    r->terms_len = t->len - 2 * paren;
    r->terms = docket_arena_copy(&q->arena, t->buf + paren, r->terms_len);

    return (r->terms != NULL) ? DOCKET_OK : docket_query_fail_memory(q);
}


static void
docket_text_add(docket_text_t *t, const char *s)
{
    size_t  len;

    len = strlen(s);

    if (t->len > DOCKET_MAX_TEXT || len > DOCKET_MAX_TEXT - t->len) {
        t->len = DOCKET_MAX_TEXT + 1;
        return;
    }

    memcpy(t->buf + t->len, s, len);
    t->len += len;
}


/* EVP_md5() is looked up anew for each digest, which takes as long again. */

static const EVP_MD *
docket_finish_md5(void)
{
#if (OPENSSL_VERSION_NUMBER >= 0x30000000L)

    EVP_MD         *md, *other;
    static EVP_MD  *md5;

    md = __atomic_load_n(&md5, __ATOMIC_ACQUIRE);

    if (md == NULL) {
        md = EVP_MD_fetch(NULL, "MD5", NULL);
        other = NULL;

        if (md != NULL
            && !__atomic_compare_exchange_n(&md5, &other, md, 0,
                                            __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE))
        {
            EVP_MD_free(md);
            md = other;
        }
    }

    return md;

#else
    return EVP_md5();
#endif
}


static int
docket_finish_id(docket_query_t *q)
{
    unsigned                i, n;
    const EVP_MD           *md5;
    unsigned char           md[EVP_MAX_MD_SIZE];
    docket_query_result_t  *r;

    static const char       hex[] = "0123456789abcdef";

    r = &q->result;
    md5 = docket_finish_md5();

    if (md5 == NULL
        || EVP_Digest(r->text, r->text_len, md, &n, md5, NULL) != 1
        || n != DOCKET_ID_LEN / 2)
    {
        (void) docket_query_fail(q, "", -1, "this machine's OpenSSL has no "
                                 "MD5");
        q->error.status = 500;

        return DOCKET_ERROR;
    }

    for (i = 0; i < n; i++) {
        r->id[2 * i] = hex[md[i] >> 4];
        r->id[2 * i + 1] = hex[md[i] & 15];
    }

    r->id[2 * n] = '\0';

    return DOCKET_OK;
}


static int
docket_finish_weight(docket_query_t *q)
{
    const docket_weight_t  *w;
    docket_query_result_t  *r;

    r = &q->result;
    w = q->conf->weight;

    r->ignore_weight = (q->ignore_weight == 1);

    if (w == NULL) {
        return DOCKET_OK;
    }

    r->weight = docket_weight(w, q->root,
                              (r->before - r->after) / DOCKET_SECOND);

    if (r->weight <= w->threshold || (r->ignore_weight && w->override)) {
        return DOCKET_OK;
    }

    (void) docket_query_fail(q, "", -1, "about %.0f bytes are expected, and "
                             "%.0f are allowed: ask for a shorter time or add "
                             "terms%s", r->weight, w->threshold,
                             w->override ? ", or set \"ignore-weight\"" : "");
    q->error.status = 413;

    return DOCKET_ERROR;
}


size_t
docket_query_sensor_text(const char *terms, int64_t after, int64_t before,
    char *buf, size_t size)
{
    int   n;
    char  from[DOCKET_TIME_LEN], to[DOCKET_TIME_LEN];

    (void) docket_format_time(from, (after < 0) ? 0
                              : docket_round_down(after, DOCKET_SECOND));

    /* nothing is captured in the last second of the last year */

    if (before > DOCKET_TIME_MAX - DOCKET_SECOND) {
        before = DOCKET_TIME_MAX - DOCKET_SECOND;
    }

    (void) docket_format_time(to, (before < 0) ? 0
                              : docket_round_up(before, DOCKET_SECOND));

    n = snprintf(buf, size, "after %s and before %s%s%s%s", from, to,
                 (*terms != '\0') ? " and (" : "", terms,
                 (*terms != '\0') ? ")" : "");

    return (n < 0) ? 0 : (size_t) n;
}


int
docket_query_finish_search(docket_query_t *q)
{
    int64_t                 after, before;
    docket_query_result_t  *r;

    if (q->finished) {
        return DOCKET_OK;
    }

    r = &q->result;

    after = -1;
    before = -1;

    if (q->root->n != 0 && docket_finish_terms(q, &after, &before) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (docket_finish_sensors(q) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    r->text = "";
    r->terms = "";
    r->after = (after == -1) ? 0 : after;
    r->before = (before == -1) ? DOCKET_TIME_MAX : before;
    r->limit_packets = q->limit_packets;
    r->limit_bytes = q->limit_bytes;
    r->filter = q->filter;
    r->relative = q->relative;

    q->finished = 1;

    return DOCKET_OK;
}


int
docket_query_matches(const docket_query_t *q, const char *text, size_t len,
    int64_t after, int64_t before)
{
    size_t                        end;
    const char                   *p;
    const docket_expr_t          *e;
    const docket_query_result_t  *r;

    r = &q->result;

    if (r->after >= before || after >= r->before) {
        return 0;
    }

    p = memmem(text, len, "; ", 2);
    end = (p != NULL) ? (size_t) (p - text) : len;

    for (e = q->root->first; e != NULL; e = e->next) {
        if (!docket_find_word(text, end, e->text)) {
            return 0;
        }
    }

    return docket_match_option(q, text + end, len - end);
}


/* "word" with no part of another one beside it: "port 80" is not in
   "port 8080" */

static int
docket_find_word(const char *text, size_t len, const char *word)
{
    char         c;
    size_t       n;
    const char  *p, *last;

    n = strlen(word);
    last = text + len;

    for (p = text; p < last; p++) {
        p = memmem(p, last - p, word, n);

        if (p == NULL) {
            return 0;
        }

        c = (p == text) ? ' ' : p[-1];

        if (c != ' ' && c != '(' && c != ',') {
            continue;
        }

        c = (p + n == last) ? ' ' : p[n];

        if (c == ' ' || c == ')' || c == ',' || c == ';') {
            return 1;
        }
    }

    return 0;
}


/* "; sensors a,b; limit-packets 5; filter TEXT"; a text without sensors was
   put to all */

static int
docket_match_option(const docket_query_t *q, const char *s, size_t len)
{
    char                          option[64];
    size_t                        i, end, options;
    const char                   *filter, *list, *p;
    const docket_query_result_t  *r;

    r = &q->result;

    filter = memmem(s, len, "; filter ", 9);
    options = (filter != NULL) ? (size_t) (filter - s) : len;

    if (r->filter != NULL
        && (filter == NULL
            || len - options - 9 != strlen(r->filter)
            || memcmp(filter + 9, r->filter, strlen(r->filter)) != 0))
    {
        return 0;
    }

    list = "; sensors ";

    if (options > strlen(list) && memcmp(s, list, strlen(list)) == 0) {
        s += strlen(list);
        options -= strlen(list);

        p = memchr(s, ';', options);
        end = (p != NULL) ? (size_t) (p - s) : options;

        for (i = 0; i < r->nsensors; i++) {
            if (!docket_find_word(s, end, r->sensors[i])) {
                return 0;
            }
        }
    }

    if (r->limit_packets != 0) {
        (void) snprintf(option, sizeof(option), "limit-packets %llu",
                        (unsigned long long) r->limit_packets);

        if (!docket_find_word(s, options, option)) {
            return 0;
        }
    }

    if (r->limit_bytes != 0) {
        (void) snprintf(option, sizeof(option), "limit-bytes %llu",
                        (unsigned long long) r->limit_bytes);

        if (!docket_find_word(s, options, option)) {
            return 0;
        }
    }

    return 1;
}
