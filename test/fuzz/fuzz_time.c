#include "fuzz_query.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char     buf[DOCKET_TIME_LEN];
    size_t   len;
    int64_t  us, again;

    if (size == sizeof(us)) {
        memcpy(&us, data, sizeof(us));
        len = docket_format_time(buf, us);
        fuzz_assert(len < DOCKET_TIME_LEN && buf[len] == '\0');
        fuzz_assert(docket_parse_time(buf, len, &again) == DOCKET_OK);
        fuzz_assert(again == us || us < 0 || us > 253402300799999999);
    }

    us = -1;

    if (docket_parse_time((const char *) data, size, &us) != DOCKET_OK) {
        fuzz_assert(us == -1);
        return 0;
    }

    fuzz_assert(us >= 0);

    len = docket_format_time(buf, us);
    fuzz_assert(docket_parse_time(buf, len, &again) == DOCKET_OK);
    fuzz_assert(again == us);

    return 0;
}
