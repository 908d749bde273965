/*
 * Hosts and networks in their normal form.
 *
 * Both functions read the whole text or return DOCKET_ERROR with "*why", a
 * constant that ends a sentence such as "a host ...".
 */

#ifndef DOCKET_ADDR_H
#define DOCKET_ADDR_H


#include <netinet/in.h>
#include <stddef.h>


/* "ADDRESS/128" */
#define DOCKET_ADDR_LEN  (INET6_ADDRSTRLEN + sizeof("/128"))


/* "1.2.3.4", "2001:db8::1"; "::ffff:1.2.3.4" becomes "1.2.3.4". */
int docket_addr_host(const char *s, size_t len, char buf[DOCKET_ADDR_LEN],
    const char **why);

/* "addr" with "mask", a length ("24") or a mask ("255.255.255.0"); the bits
   behind the mask are cleared. */
int docket_addr_net(const char *addr, size_t addr_len, const char *mask,
    size_t mask_len, char buf[DOCKET_ADDR_LEN], const char **why);


#endif /* DOCKET_ADDR_H */
