#include "job/docket_job_json.h"


static size_t docket_json_utf8(const unsigned char *s, size_t len);


void
docket_json_clean(char *dst, const char *src, size_t len, int controls)
{
    size_t                i, n;
    const unsigned char  *s;

    s = (const unsigned char *) src;

    for (i = 0; i < len; /* void */) {

        n = docket_json_utf8(s + i, len - i);

        if (n == 0 || s[i] == '\0'
            || (!controls && (s[i] < 0x20 || s[i] == 0x7f)))
        {
            dst[i++] = '?';
            continue;
        }

        while (n-- != 0) {
            dst[i] = src[i];
            i++;
        }
    }
}


/* Length of the character at "s"; 0: none.  RFC 3629: no overlong forms, no
   surrogates, nothing above U+10FFFF. */

static size_t
docket_json_utf8(const unsigned char *s, size_t len)
{
    size_t         i, n;
    unsigned char  lo, hi;

    lo = 0x80;
    hi = 0xbf;

    if (s[0] < 0x80) {
        return 1;

    } else if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        n = 2;

    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        n = 3;
        lo = (s[0] == 0xe0) ? 0xa0 : 0x80;
        hi = (s[0] == 0xed) ? 0x9f : 0xbf;

    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        n = 4;
        lo = (s[0] == 0xf0) ? 0x90 : 0x80;
        hi = (s[0] == 0xf4) ? 0x8f : 0xbf;

    } else {
        return 0;
    }

    if (len < n || s[1] < lo || s[1] > hi) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf) {
            return 0;
        }
    }

    return n;
}
