/*
 * What holds for every question that is taken, whatever its form.
 */

#ifndef FUZZ_QUERY_H
#define FUZZ_QUERY_H


#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "query/docket_query.h"


typedef int (*fuzz_read_pt)(docket_query_t *q, const char *s, size_t len);


#define fuzz_assert(x)  if (!(x)) { abort(); }


static const char *const  fuzz_sensors[] = { "alpha", "beta", "a" };

static const docket_weight_t  fuzz_weight = {
    5e12, 8, 22e12, 50, 2, 100, 1
};

static const docket_query_conf_t  fuzz_conf = {
    1515622530 * DOCKET_SECOND, 60 * DOCKET_SECOND, 86400 * DOCKET_SECOND,
    fuzz_sensors, 3, &fuzz_weight
};


static inline void
fuzz_error(const docket_query_t *q, size_t len)
{
    const char                  *p;
    const docket_query_error_t  *e;

    e = docket_query_error(q);

    fuzz_assert(e->status == 400 || e->status == 404 || e->status == 413);
    fuzz_assert(e->detail[0] != '\0');
    fuzz_assert(e->position >= -1 && e->position <= (long) len);

    for (p = e->detail; *p != '\0'; p++) {
        fuzz_assert(*p >= 0x20 && *p < 0x7f);
    }

    for (p = e->field; *p != '\0'; p++) {
        fuzz_assert(*p >= 0x20 && *p < 0x7f);
    }
}


/* the canonical text, read again, is itself; what is sent can be read too */

static inline void
fuzz_again(const docket_query_result_t *r)
{
    char                         *sent;
    size_t                        len;
    const char                   *end;
    docket_query_t               *q;
    const docket_query_result_t  *r2;

    end = strstr(r->text, "; ");
    len = (end != NULL) ? (size_t) (end - r->text) : r->text_len;

    q = docket_query_create(&fuzz_conf);
    fuzz_assert(q != NULL);
    fuzz_assert(docket_query_read_raw(q, r->text, len) == DOCKET_OK);
    fuzz_assert(docket_query_set(q, "ignore-weight", "1", 1) == DOCKET_OK);
    fuzz_assert(docket_query_finish(q) == DOCKET_OK);

    r2 = docket_query_result(q);

    fuzz_assert(r2->text_len == len && memcmp(r2->text, r->text, len) == 0);
    fuzz_assert(r2->exact == r->exact);
    fuzz_assert(r2->weight == r->weight);
    fuzz_assert(r2->after == r->after && r2->before == r->before);
    fuzz_assert(end != NULL || strcmp(r2->id, r->id) == 0);
    fuzz_assert(docket_query_matches(q, r->text, r->text_len, r->after,
                                     r->before));

    docket_query_destroy(q);

    len = docket_query_sensor_text(r->terms, r->after, r->before, NULL, 0);
    sent = malloc(len + 1);
    fuzz_assert(sent != NULL);
    fuzz_assert(docket_query_sensor_text(r->terms, r->after, r->before, sent,
                                         len + 1)
                == len);

    q = docket_query_create(&fuzz_conf);
    fuzz_assert(q != NULL);

    if (len <= DOCKET_MAX_TEXT) {
        fuzz_assert(docket_query_read_raw(q, sent, len) == DOCKET_OK);
        fuzz_assert(docket_query_set(q, "ignore-weight", "1", 1)
                    == DOCKET_OK);
        fuzz_assert(docket_query_finish(q) == DOCKET_OK);
        fuzz_assert(strcmp(docket_query_result(q)->terms, r->terms) == 0);
    }

    docket_query_destroy(q);
    free(sent);
}


static inline int
fuzz_query(fuzz_read_pt read, const uint8_t *data, size_t size)
{
    docket_query_t               *q;
    const docket_query_result_t  *r;

    q = docket_query_create(&fuzz_conf);
    fuzz_assert(q != NULL);

    if (read(q, (const char *) data, size) != DOCKET_OK
        || docket_query_finish(q) != DOCKET_OK)
    {
        fuzz_error(q, size);
        docket_query_destroy(q);
        return 0;
    }

    r = docket_query_result(q);

    fuzz_assert(strlen(r->text) == r->text_len);
    fuzz_assert(strlen(r->terms) == r->terms_len);
    fuzz_assert(strlen(r->id) == DOCKET_ID_LEN);
    fuzz_assert(r->after >= 0 && r->after < r->before);
    fuzz_assert(r->after % fuzz_conf.time_window == 0);
    fuzz_assert(r->before % fuzz_conf.time_window == 0);

    fuzz_again(r);
    docket_query_destroy(q);

    return 0;
}


#endif /* FUZZ_QUERY_H */
