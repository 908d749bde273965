/*
 * From what an event says to the fields of one question.
 */

#include <stdio.h>
#include <string.h>

#include "pivot/docket_pivot_int.h"


#define DOCKET_PIVOT_TCP     6
#define DOCKET_PIVOT_UDP     17
#define DOCKET_PIVOT_ICMP    1
#define DOCKET_PIVOT_ICMP6   58
#define DOCKET_PIVOT_IPV6    41


/* What one family says. */

typedef struct {
    docket_pivot_family_e       family;
    const docket_pivot_fact_t  *host[2];
    const docket_pivot_fact_t  *port[2];
    char                        addr[2][DOCKET_PIVOT_ADDR];
    long                        number[2];
    int                         n;        /* hosts */
} docket_pivot_peers_t;


static int docket_pivot_peers(docket_pivot_t *p, docket_pivot_peers_t *peers);
static int docket_pivot_hosts(docket_pivot_t *p, docket_pivot_family_e family,
    docket_pivot_peers_t *peers, const docket_pivot_fact_t **bad);
static int docket_pivot_side(docket_pivot_role_e role,
    docket_pivot_role_e first, int full);
static int docket_pivot_no_host(docket_pivot_t *p,
    const docket_pivot_fact_t *bad);
static int docket_pivot_others(docket_pivot_t *p,
    const docket_pivot_peers_t *peers);
static int docket_pivot_ports(docket_pivot_t *p, docket_pivot_peers_t *peers);
static int docket_pivot_has_port(const docket_pivot_field_t *field,
    docket_pivot_family_e family);
static int docket_pivot_protocol(docket_pivot_t *p,
    docket_pivot_family_e family, const docket_pivot_fact_t **found,
    uint64_t *proto);
static int docket_pivot_put_hosts(docket_pivot_t *p,
    const docket_pivot_peers_t *peers);
static int docket_pivot_put_ports(docket_pivot_t *p,
    const docket_pivot_peers_t *peers, const docket_pivot_fact_t *fact,
    uint64_t proto);
static int docket_pivot_put_proto(docket_pivot_t *p,
    const docket_pivot_fact_t *fact, uint64_t proto);


int
docket_pivot_finish(docket_pivot_t *p)
{
    uint64_t                    proto;
    docket_pivot_peers_t        peers;
    docket_pivot_fact_t        *fact;
    const docket_pivot_fact_t  *by;

    static const char *const  kinds[] = {
        "eve", "zeek", "eve", "ecs", "ecs", "eve", "fields", "fields", "text"
    };

    if (docket_pivot_peers(p, &peers) != DOCKET_OK
        || docket_pivot_protocol(p, peers.family, &by, &proto) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    p->result.kind = kinds[peers.family];

    /* Zeek has one name for both */

    if (by != NULL && proto == DOCKET_PIVOT_ICMP
        && strchr(peers.addr[0], ':') != NULL)
    {
        proto = DOCKET_PIVOT_ICMP6;
    }

    /* beside such addresses it tells their version, and not what IP carries */

    if (by != NULL && proto == DOCKET_PIVOT_IPV6
        && strchr(peers.addr[0], ':') != NULL)
    {
        by = NULL;
    }

    if (docket_pivot_put_hosts(p, &peers) != DOCKET_OK
        || docket_pivot_put_ports(p, &peers, by, proto) != DOCKET_OK
        || docket_pivot_put_proto(p, by, proto) != DOCKET_OK
        || docket_pivot_range(p) != DOCKET_OK
        || docket_pivot_others(p, &peers) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    for (fact = p->facts; fact != NULL; fact = fact->next) {
        if (fact->field->role == DOCKET_PIVOT_NOTE
            && docket_pivot_unused(p, fact->name, fact->field->why)
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


/* the first family that has two hosts, else the first that has one */

static int
docket_pivot_peers(docket_pivot_t *p, docket_pivot_peers_t *peers)
{
    docket_pivot_peers_t        one;
    docket_pivot_family_e       family;
    const docket_pivot_fact_t  *bad;

    memset(peers, 0, sizeof(docket_pivot_peers_t));
    bad = NULL;

    for (family = 0; family < DOCKET_PIVOT_NFAMILIES && peers->n < 2; family++)
    {
        if (docket_pivot_hosts(p, family, &one, &bad) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        if (one.n > peers->n) {
            *peers = one;
        }
    }

    if (peers->n == 0) {
        return docket_pivot_no_host(p, bad);
    }

    if (bad != NULL && bad->field->family == peers->family) {
        return docket_pivot_no_host(p, bad);
    }

    if (bad != NULL
        && docket_pivot_unused(p, bad->name, "no address") != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    return docket_pivot_ports(p, peers);
}


/* "*bad" becomes the first that should be an address and is none */

static int
docket_pivot_hosts(docket_pivot_t *p, docket_pivot_family_e family,
    docket_pivot_peers_t *peers, const docket_pivot_fact_t **bad)
{
    int                         i, n, split[2];
    char                        addr[DOCKET_PIVOT_ADDR];
    docket_pivot_fact_t        *fact;
    const docket_pivot_fact_t  *host[2];

    memset(peers, 0, sizeof(docket_pivot_peers_t));
    memset(split, 0, sizeof(split));

    peers->family = family;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (fact->field->family != family
            || fact->field->role > DOCKET_PIVOT_ANY)
        {
            continue;
        }

        if (docket_pivot_addr(fact->value, fact->len, addr) != DOCKET_OK) {

            if (fact->field->why == NULL) {
                *bad = (*bad == NULL) ? fact : *bad;

            } else if (docket_pivot_unused(p, fact->name, fact->field->why)
                       != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }

            continue;
        }

        /* one that is there, on its side or on any, is there again */

        i = docket_pivot_side(fact->field->role, DOCKET_PIVOT_SRC,
                              peers->host[0] != NULL
                              && strcmp(peers->addr[0], addr) != 0);

        if (peers->host[i] == NULL) {
            peers->host[i] = fact;
            (void) strcpy(peers->addr[i], addr);
            continue;
        }

        if (strcmp(peers->addr[i], addr) != 0) {
            split[i] = 1;
            split[1 - i] |= (fact->field->role == DOCKET_PIVOT_ANY);

            if (docket_pivot_unused(p, fact->name,
                                    "has several values, and which one is "
                                    "meant is not known")
                != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }
        }
    }

    /* of two values neither is meant for sure */

    memcpy(host, peers->host, sizeof(host));

    for (i = 0, n = 0; i < 2; i++) {

        if (host[i] != NULL && !split[i]) {
            peers->host[n] = host[i];
            memmove(peers->addr[n], peers->addr[i], DOCKET_PIVOT_ADDR);
            n++;
        }
    }

    peers->n = n;

    for ( /* void */ ; n < 2; n++) {
        peers->host[n] = NULL;
    }

    return DOCKET_OK;
}


/* 0 or 1; of what has no direction the second one when the first is taken by
   something else */

static int
docket_pivot_side(docket_pivot_role_e role, docket_pivot_role_e first,
    int full)
{
    return (role == first) ? 0 : (role == first + 1) ? 1 : full;
}


static int
docket_pivot_no_host(docket_pivot_t *p, const docket_pivot_fact_t *bad)
{
    char  quote[DOCKET_QUOTE_LEN], names[256];

    if (bad != NULL) {
        return docket_query_fail(p->q, bad->name, 0,
                                 "a host is an IPv4 or IPv6 address, not %s",
                                 docket_quote(quote, bad->value, bad->len));
    }

    docket_pivot_names(names, sizeof(names));

    if (p->result.unused != NULL) {
        return docket_query_fail(p->q, p->result.unused->name, -1,
                                 "there is no address to ask for: \"%s\" %s",
                                 p->result.unused->name,
                                 p->result.unused->why);
    }

    return docket_query_fail(p->q, "", -1, "there is no address in the event; "
                             "looked for: %s", names);
}


static int
docket_pivot_ports(docket_pivot_t *p, docket_pivot_peers_t *peers)
{
    int                   i;
    char                  quote[DOCKET_QUOTE_LEN];
    uint64_t              number;
    docket_pivot_fact_t  *fact;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (!docket_pivot_has_port(fact->field, peers->family)) {
            continue;
        }

        if (docket_parse_number(fact->value, fact->len, 65535, &number)
            != DOCKET_OK)
        {
            return docket_query_fail(p->q, fact->name, 0,
                                     "a port is a number from 0 to 65535, not "
                                     "%s", docket_quote(quote, fact->value,
                                                        fact->len));
        }

        i = docket_pivot_side(fact->field->role, DOCKET_PIVOT_SPORT,
                              peers->port[0] != NULL
                              && peers->number[0] != (long) number);

        if (peers->port[i] == NULL) {
            peers->port[i] = fact;
            peers->number[i] = (long) number;

        } else if (peers->number[i] != (long) number
                   && docket_pivot_unused(p, fact->name, "has several values, "
                                          "of which the first is asked for")
                      != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}


/* It is a port of the connection that this family tells of. */

static int
docket_pivot_has_port(const docket_pivot_field_t *field,
    docket_pivot_family_e family)
{
    if (field->role < DOCKET_PIVOT_SPORT || field->role > DOCKET_PIVOT_PORT) {
        return 0;
    }

    if (field->family == family) {
        return 1;
    }

    if (field->role == DOCKET_PIVOT_PORT) {
        return family != DOCKET_PIVOT_TUNNEL;
    }

    /* "src" and "dst" stand beside "src_port", and "src_ip" beside "spt" */

    return (field->family == DOCKET_PIVOT_EVE
            && family == DOCKET_PIVOT_COMMON)
           || (field->family == DOCKET_PIVOT_COMMON
               && family == DOCKET_PIVOT_EVE);
}


static int
docket_pivot_protocol(docket_pivot_t *p, docket_pivot_family_e family,
    const docket_pivot_fact_t **found, uint64_t *proto)
{
    int                   rc;
    uint64_t              number;
    docket_pivot_fact_t  *fact;

    *found = NULL;
    *proto = 0;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (fact->field->role != DOCKET_PIVOT_PROTO
            || (fact->field->family == DOCKET_PIVOT_TUNNEL)
               != (family == DOCKET_PIVOT_TUNNEL))
        {
            continue;
        }

        rc = docket_pivot_proto(fact->value, fact->len, &number);

        if (rc == DOCKET_PIVOT_DECLINED) {
            continue;
        }

        if (rc != DOCKET_OK) {
            if (docket_pivot_unused(p, fact->name, "no protocol of IP that is "
                                    "known by such a name")
                != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }

            continue;
        }

        /* a table of fields has the better one first */

        if (*found == NULL || fact->field < (*found)->field) {
            *found = fact;
            *proto = number;
        }
    }

    return DOCKET_OK;
}


static int
docket_pivot_put_hosts(docket_pivot_t *p, const docket_pivot_peers_t *peers)
{
    if (docket_pivot_set(p, "host", peers->addr[0], peers->host[0]->name)
        != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    if (peers->n == 1) {
        return DOCKET_OK;
    }

    return docket_pivot_set(p, "host",
                            (strcmp(peers->addr[0], peers->addr[1]) == 0)
                            ? NULL : peers->addr[1], peers->host[1]->name);
}


static int
docket_pivot_put_ports(docket_pivot_t *p, const docket_pivot_peers_t *peers,
    const docket_pivot_fact_t *by, uint64_t proto)
{
    int          i, n;
    char         text[32];
    const char  *why;

    why = NULL;

    if (by != NULL && proto != DOCKET_PIVOT_TCP && proto != DOCKET_PIVOT_UDP) {
        why = (proto == DOCKET_PIVOT_ICMP || proto == DOCKET_PIVOT_ICMP6)
              ? "no port: ICMP has types and codes"
              : "a sensor's index has only ports of TCP and UDP";
    }

    for (i = 0, n = 0; i < 2; i++) {

        if (peers->port[i] == NULL) {
            continue;
        }

        if (why != NULL || peers->number[i] == 0) {
            if (docket_pivot_unused(p, peers->port[i]->name,
                                    (why != NULL) ? why : "0 is no port")
                != DOCKET_OK)
            {
                return DOCKET_ERROR;
            }

            continue;
        }

        (void) snprintf(text, sizeof(text), "%ld", peers->number[i]);

        if (docket_pivot_set(p, "port",
                             (n == 1 && peers->number[0] == peers->number[1])
                             ? NULL : text, peers->port[i]->name)
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        n++;
    }

    return DOCKET_OK;
}


static int
docket_pivot_put_proto(docket_pivot_t *p, const docket_pivot_fact_t *by,
    uint64_t proto)
{
    char  text[32];

    if (by == NULL) {
        return DOCKET_OK;
    }

    (void) snprintf(text, sizeof(text), "%u", (unsigned) proto);

    return docket_pivot_set(p, "proto", (proto == DOCKET_PIVOT_TCP) ? "tcp"
                            : (proto == DOCKET_PIVOT_UDP) ? "udp"
                            : (proto == DOCKET_PIVOT_ICMP) ? "icmp" : text,
                            by->name);
}


/* addresses that the event has elsewhere */

static int
docket_pivot_others(docket_pivot_t *p, const docket_pivot_peers_t *peers)
{
    char                  addr[DOCKET_PIVOT_ADDR];
    docket_pivot_fact_t  *fact;

    for (fact = p->facts; fact != NULL; fact = fact->next) {

        if (fact->field->family == peers->family
            || fact->field->role > DOCKET_PIVOT_ANY
            || docket_pivot_addr(fact->value, fact->len, addr) != DOCKET_OK
            || strcmp(addr, peers->addr[0]) == 0
            || (peers->n == 2 && strcmp(addr, peers->addr[1]) == 0))
        {
            continue;
        }

        if (docket_pivot_unused(p, fact->name,
                                (peers->family == DOCKET_PIVOT_TUNNEL)
                                ? "inside of the tunnel, and a sensor's index "
                                  "has only outer headers"
                                : "another address than those that are asked "
                                  "for")
            != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }
    }

    return DOCKET_OK;
}
