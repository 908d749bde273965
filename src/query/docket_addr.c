/*
 * Hosts and networks in normal form.
 */

#include "query/docket_expr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>


typedef struct {
    int            family;            /* AF_INET, AF_INET6 */
    unsigned char  bytes[16];
} docket_addr_t;


static int
docket_addr_parse(const char *s, size_t len, docket_addr_t *addr)
{
    char  buf[INET6_ADDRSTRLEN + 1];

    static const unsigned char  mapped[12] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (len == 0 || len > INET6_ADDRSTRLEN) {
        return DOCKET_ERROR;
    }

    memcpy(buf, s, len);
    buf[len] = '\0';

    if (strlen(buf) != len) {
        return DOCKET_ERROR;
    }

    if (inet_pton(AF_INET, buf, addr->bytes) == 1) {
        addr->family = AF_INET;
        return DOCKET_OK;
    }

    if (inet_pton(AF_INET6, buf, addr->bytes) != 1) {
        return DOCKET_ERROR;
    }

    addr->family = AF_INET6;

    /* Stenographer reads ::ffff:a.b.c.d as IPv4 */

    if (memcmp(addr->bytes, mapped, sizeof(mapped)) == 0) {
        memmove(addr->bytes, addr->bytes + 12, 4);
        addr->family = AF_INET;
    }

    return DOCKET_OK;
}


const char *
docket_host(docket_arena_t *a, const char *s, size_t len, const char **why)
{
    char           buf[INET6_ADDRSTRLEN];
    docket_addr_t  addr;

    if (docket_addr_parse(s, len, &addr) != DOCKET_OK) {
        *why = "is no IPv4 or IPv6 address";
        return NULL;
    }

    *why = NULL;

    if (inet_ntop(addr.family, addr.bytes, buf, sizeof(buf)) == NULL) {
        return NULL;
    }

    return docket_arena_copy(a, buf, strlen(buf));
}


/* Length of a mask of leading ones, or -1. */

static int
docket_mask_length(const docket_addr_t *mask)
{
    int  i, n, bits;

    bits = (mask->family == AF_INET) ? 32 : 128;

    for (n = 0; n < bits; n++) {
        if ((mask->bytes[n / 8] & (0x80 >> (n % 8))) == 0) {
            break;
        }
    }

    for (i = n; i < bits; i++) {
        if ((mask->bytes[i / 8] & (0x80 >> (i % 8))) != 0) {
            return -1;
        }
    }

    return n;
}


static int
docket_prefix(const char *s, size_t len, const docket_addr_t *addr, int mapped,
    const char **why)
{
    int            n;
    size_t         i;
    docket_addr_t  mask;

    if (len == 0) {
        *why = "has no length";
        return -1;
    }

    if (memchr(s, '.', len) != NULL || memchr(s, ':', len) != NULL) {

        if (docket_addr_parse(s, len, &mask) != DOCKET_OK
            || mask.family != addr->family)
        {
            *why = "has a bad mask";
            return -1;
        }

        n = docket_mask_length(&mask);

        if (n < 0) {
            *why = "has a mask that is not contiguous";
        }

        return n;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9' || i > 2) {
            *why = "has a length that is no number";
            return -1;
        }

        n = n * 10 + (s[i] - '0');
    }

    if (mapped) {
        n -= 96;
    }

    if (n < 0 || n > (addr->family == AF_INET ? 32 : 128)) {
        *why = (addr->family == AF_INET) ? "needs a length of 0 to 32"
                                         : "needs a length of 0 to 128";
        return -1;
    }

    return n;
}


const char *
docket_net(docket_arena_t *a, const char *s, size_t len, const char *mask,
    size_t mask_len, const char **why)
{
    int            i, n, bits, mapped;
    char           buf[INET6_ADDRSTRLEN + 5];
    const char    *slash;
    docket_addr_t  addr;

    if (mask == NULL) {
        slash = memchr(s, '/', len);

        if (slash == NULL) {
            *why = "has no length: A.B.C.D/N is expected";
            return NULL;
        }

        mask = slash + 1;
        mask_len = (size_t) (s + len - mask);
        len = (size_t) (slash - s);
    }

    if (docket_addr_parse(s, len, &addr) != DOCKET_OK) {
        *why = "is no IPv4 or IPv6 network";
        return NULL;
    }

    mapped = (addr.family == AF_INET && memchr(s, ':', len) != NULL);

    n = docket_prefix(mask, mask_len, &addr, mapped, why);

    if (n < 0) {
        return NULL;
    }

    *why = NULL;
    bits = (addr.family == AF_INET) ? 32 : 128;

    for (i = n; i < bits; i++) {
        addr.bytes[i / 8] &= (unsigned char) ~(0x80 >> (i % 8));
    }

    if (inet_ntop(addr.family, addr.bytes, buf, INET6_ADDRSTRLEN) == NULL) {
        return NULL;
    }

    sprintf(buf + strlen(buf), "/%d", n);

    return docket_arena_copy(a, buf, strlen(buf));
}
