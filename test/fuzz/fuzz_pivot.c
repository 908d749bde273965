/*
 * Events, and behind a '?' the arguments of a URL.
 */

#include "fuzz_query.h"
#include "pivot/docket_pivot.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static int
fuzz_pivot(docket_query_t *q, const char *s, size_t len)
{
    int                           rc;
    docket_pivot_t               *p;
    const docket_pivot_use_t     *use;
    const docket_pivot_result_t  *r;

    p = docket_pivot_create(q);
    fuzz_assert(p != NULL);

    rc = (len != 0 && *s == '?') ? docket_pivot_read_args(p, s + 1, len - 1)
                                 : docket_pivot_read(p, s, len);

    if (rc != DOCKET_OK || docket_pivot_finish(p) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    r = docket_pivot_result(p);

    fuzz_assert(r->kind != NULL);
    fuzz_assert(r->used != NULL && strcmp(r->used->field, "host") == 0);
    fuzz_assert(r->used->value != NULL);
    fuzz_assert(r->start <= r->end && (r->start >= 0) == (r->end >= 0));
    fuzz_assert(r->margin >= 0);

    for (use = r->used; use != NULL; use = use->next) {
        fuzz_assert(use->name != NULL && use->field != NULL);
    }

    return DOCKET_OK;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_query(fuzz_pivot, data, size);
}
