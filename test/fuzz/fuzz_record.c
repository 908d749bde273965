/*
 * The reader of query.json: whatever it takes can be written, and what is
 * written is read again and written the same.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "job/docket_index.h"


static void
fuzz_check(int ok)
{
    if (!ok) {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   *first, *second, err[128];
    size_t                  len, len2;
    docket_job_t           *job, *again;
    docket_index_record_t   rec;

    err[0] = '\0';

    job = docket_job_parse((const char *) data, size, err, sizeof(err));

    if (job == NULL) {
        fuzz_check(err[0] != '\0');
        return 0;
    }

    docket_index_from_job(&rec, job);

    fuzz_check(docket_job_print(job, &first, &len) == DOCKET_OK);

    again = docket_job_parse(first, len, err, sizeof(err));
    fuzz_check(again != NULL);

    fuzz_check(docket_job_print(again, &second, &len2) == DOCKET_OK);
    fuzz_check(len == len2 && memcmp(first, second, len) == 0);

    free(first);
    free(second);
    docket_job_destroy(job);
    docket_job_destroy(again);

    return 0;
}
