#include "fuzz_query.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t  us, twice;
    char    *text;

    us = -1;

    if (docket_parse_duration((const char *) data, size, &us) != DOCKET_OK) {
        fuzz_assert(us == -1);
        return 0;
    }

    fuzz_assert(us >= 0);

    /* a whole sum and a second more is a second more, in other words: nothing
       of the text was left out */

    text = malloc(size + 2);
    fuzz_assert(text != NULL);

    memcpy(text, "1s", 2);
    memcpy(text + 2, data, size);

    if (docket_parse_duration(text, size + 2, &twice) == DOCKET_OK) {
        fuzz_assert(twice == us + DOCKET_SECOND);
    }

    free(text);

    return 0;
}
