#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "query/docket_addr.h"
#include "query/docket_query.h"


/* Bits of "::ffff:" in front of an IPv4 address that is written as IPv6. */
#define DOCKET_MAPPED  96


typedef struct {
    int            family;
    int            mapped;            /* was written as ::ffff:a.b.c.d */
    unsigned       bits;              /* 32 or 128 */
    unsigned char  byte[16];
} docket_addr_t;


static int docket_addr_read(const char *s, size_t len, docket_addr_t *addr);
static int docket_addr_length(const char *s, size_t len,
    const docket_addr_t *addr, unsigned *length, const char **why);
static int docket_addr_mask(const char *s, size_t len,
    const docket_addr_t *addr, unsigned *length, const char **why);


int
docket_addr_host(const char *s, size_t len, char buf[DOCKET_ADDR_LEN],
    const char **why)
{
    docket_addr_t  addr;

    if (memchr(s, '/', len) != NULL) {
        *why = "is one address; a network goes into \"net\"";
        return DOCKET_ERROR;
    }

    if (docket_addr_read(s, len, &addr) != DOCKET_OK
        || inet_ntop(addr.family, addr.byte, buf, DOCKET_ADDR_LEN) == NULL)
    {
        *why = "is an IPv4 or IPv6 address";
        return DOCKET_ERROR;
    }

    return DOCKET_OK;
}


static int
docket_addr_read(const char *s, size_t len, docket_addr_t *addr)
{
    char  text[INET6_ADDRSTRLEN];

    static const unsigned char  mapped[] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff
    };

    if (len == 0 || len >= sizeof(text) || memchr(s, '\0', len) != NULL) {
        return DOCKET_ERROR;
    }

    memcpy(text, s, len);
    text[len] = '\0';

    memset(addr, 0, sizeof(docket_addr_t));

    if (inet_pton(AF_INET, text, addr->byte) == 1) {
        addr->family = AF_INET;
        addr->bits = 32;
        return DOCKET_OK;
    }

    if (inet_pton(AF_INET6, text, addr->byte) != 1) {
        return DOCKET_ERROR;
    }

    addr->family = AF_INET6;
    addr->bits = 128;

    if (memcmp(addr->byte, mapped, sizeof(mapped)) == 0) {
        memmove(addr->byte, addr->byte + sizeof(mapped), 4);
        addr->family = AF_INET;
        addr->bits = 32;
        addr->mapped = 1;
    }

    return DOCKET_OK;
}


int
docket_addr_net(const char *s, size_t addr_len, const char *mask,
    size_t mask_len, char buf[DOCKET_ADDR_LEN], const char **why)
{
    int            rc;
    size_t         len;
    unsigned       i, bit, length;
    docket_addr_t  addr;

    if (docket_addr_read(s, addr_len, &addr) != DOCKET_OK) {
        *why = "starts with an IPv4 or IPv6 address";
        return DOCKET_ERROR;
    }

    if (memchr(mask, '.', mask_len) != NULL
        || memchr(mask, ':', mask_len) != NULL)
    {
        rc = docket_addr_mask(mask, mask_len, &addr, &length, why);

    } else {
        rc = docket_addr_length(mask, mask_len, &addr, &length, why);
    }

    if (rc != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    for (i = 0; i < addr.bits / 8; i++) {
        for (bit = 0; bit < 8; bit++) {
            if (i * 8 + bit >= length) {
                addr.byte[i] &= ~(0x80 >> bit);
            }
        }
    }

    if (inet_ntop(addr.family, addr.byte, buf, DOCKET_ADDR_LEN) == NULL) {
        *why = "cannot be written";
        return DOCKET_ERROR;
    }

    len = strlen(buf);
    (void) snprintf(buf + len, DOCKET_ADDR_LEN - len, "/%u", length);

    return DOCKET_OK;
}


/* the length of a mapped network counts from the start of its IPv6 form, so
   that one shorter than the prefix would be no network of IPv4 */

static int
docket_addr_length(const char *s, size_t len, const docket_addr_t *addr,
    unsigned *length, const char **why)
{
    size_t    i;
    unsigned  n, least, most;

    least = addr->mapped ? DOCKET_MAPPED : 0;
    most = addr->bits + least;
    n = 0;

    if (len == 0 || len > 3) {
        *why = "needs its length, as in 10.0.0.0/8";
        return DOCKET_ERROR;
    }

    for (i = 0; i < len; i++) {
        if (s[i] < '0' || s[i] > '9') {
            *why = "needs a number as its length, as in 10.0.0.0/8";
            return DOCKET_ERROR;
        }

        n = n * 10 + (s[i] - '0');
    }

    if (n > most) {
        *why = (addr->bits == 128 || addr->mapped)
               ? "of IPv6 has a length of 0 to 128"
               : "of IPv4 has a length of 0 to 32";
        return DOCKET_ERROR;
    }

    if (n < least) {
        *why = "of addresses ::ffff:a.b.c.d has a length of 96 to 128";
        return DOCKET_ERROR;
    }

    *length = n - least;

    return DOCKET_OK;
}


static int
docket_addr_mask(const char *s, size_t len, const docket_addr_t *addr,
    unsigned *length, const char **why)
{
    unsigned       i, n;
    docket_addr_t  mask;

    if (docket_addr_read(s, len, &mask) != DOCKET_OK
        || mask.family != addr->family || mask.mapped)
    {
        *why = "needs a mask of its own kind of address";
        return DOCKET_ERROR;
    }

    n = 0;

    while (n < mask.bits && (mask.byte[n / 8] & (0x80 >> n % 8)) != 0) {
        n++;
    }

    for (i = n; i < mask.bits; i++) {
        if ((mask.byte[i / 8] & (0x80 >> i % 8)) != 0) {
            *why = "needs a mask whose ones are all in front";
            return DOCKET_ERROR;
        }
    }

    *length = n;

    return DOCKET_OK;
}
