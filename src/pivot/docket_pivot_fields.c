/*
 * What the fields of events are called, and what they say.
 */

#include <stdio.h>
#include <string.h>

#include "pivot/docket_pivot_int.h"


#define DOCKET_PIVOT_IS_NAME    "a name and no address"
#define DOCKET_PIVOT_IS_SET     "not one address"
#define DOCKET_PIVOT_IS_NAT     "an address or port of a translation: which "  \
                                "side of it a sensor sees is not known"
#define DOCKET_PIVOT_IS_CLOCK   "no time with its day"
#define DOCKET_PIVOT_IS_OTHER   "does not say whose address it is"
#define DOCKET_PIVOT_IS_VLAN    "a sensor may see other tags than who wrote "  \
                                "the event; give vlan= to ask for it"
#define DOCKET_PIVOT_IS_TUNNEL  "the connection went through a tunnel, and a " \
                                "sensor's index has only outer headers"


/* Among fields of one role and family an earlier one is preferred. */

static const docket_pivot_field_t  docket_pivot_fields[] = {

    /* Suricata: the outermost packet of a decapsulated one */

    { "tunnel.src.ip", DOCKET_PIVOT_SRC, DOCKET_PIVOT_TUNNEL, NULL },
    { "tunnel.dest.ip", DOCKET_PIVOT_DST, DOCKET_PIVOT_TUNNEL, NULL },
    { "tunnel.src.port", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_TUNNEL, NULL },
    { "tunnel.dest.port", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_TUNNEL, NULL },
    { "tunnel.proto", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_TUNNEL, NULL },

    /* Zeek */

    { "id.orig.h", DOCKET_PIVOT_SRC, DOCKET_PIVOT_ZEEK, NULL },
    { "id.resp.h", DOCKET_PIVOT_DST, DOCKET_PIVOT_ZEEK, NULL },
    { "id.orig.p", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_ZEEK, NULL },
    { "id.resp.p", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_ZEEK, NULL },
    { "ts", DOCKET_PIVOT_TIME, DOCKET_PIVOT_ZEEK, NULL },
    { "duration", DOCKET_PIVOT_DURATION, DOCKET_PIVOT_ZEEK, NULL },
    { "tunnel.parents", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ZEEK,
      DOCKET_PIVOT_IS_TUNNEL },
    { "inner.vlan", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ZEEK,
      DOCKET_PIVOT_IS_VLAN },

    /* Suricata */

    { "src.ip", DOCKET_PIVOT_SRC, DOCKET_PIVOT_EVE, NULL },
    { "dest.ip", DOCKET_PIVOT_DST, DOCKET_PIVOT_EVE, NULL },
    { "src.port", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_EVE, NULL },
    { "dest.port", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_EVE, NULL },

    /* others who have the same names for the source */

    { "dst.ip", DOCKET_PIVOT_DST, DOCKET_PIVOT_EVE, NULL },
    { "dst.port", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_EVE, NULL },

    { "proto", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_EVE, NULL },
    { "flow.start", DOCKET_PIVOT_START, DOCKET_PIVOT_EVE, NULL },
    { "flow.end", DOCKET_PIVOT_END, DOCKET_PIVOT_EVE, NULL },
    { "netflow.start", DOCKET_PIVOT_START, DOCKET_PIVOT_EVE, NULL },
    { "netflow.end", DOCKET_PIVOT_END, DOCKET_PIVOT_EVE, NULL },
    { "timestamp", DOCKET_PIVOT_TIME, DOCKET_PIVOT_EVE, NULL },
    { "vlan", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_EVE, DOCKET_PIVOT_IS_VLAN },
    { "flow.src.ip", DOCKET_PIVOT_SRC, DOCKET_PIVOT_FLOW, NULL },
    { "flow.dest.ip", DOCKET_PIVOT_DST, DOCKET_PIVOT_FLOW, NULL },
    { "flow.src.port", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_FLOW, NULL },
    { "flow.dest.port", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_FLOW, NULL },

    /* Elastic Common Schema */

    { "source.ip", DOCKET_PIVOT_SRC, DOCKET_PIVOT_ECS, NULL },
    { "destination.ip", DOCKET_PIVOT_DST, DOCKET_PIVOT_ECS, NULL },
    { "source.address", DOCKET_PIVOT_SRC, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_NAME },
    { "destination.address", DOCKET_PIVOT_DST, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_NAME },
    { "source.port", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_ECS, NULL },
    { "destination.port", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_ECS, NULL },
    { "client.ip", DOCKET_PIVOT_SRC, DOCKET_PIVOT_PEERS, NULL },
    { "server.ip", DOCKET_PIVOT_DST, DOCKET_PIVOT_PEERS, NULL },
    { "client.address", DOCKET_PIVOT_SRC, DOCKET_PIVOT_PEERS,
      DOCKET_PIVOT_IS_NAME },
    { "server.address", DOCKET_PIVOT_DST, DOCKET_PIVOT_PEERS,
      DOCKET_PIVOT_IS_NAME },
    { "client.port", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_PEERS, NULL },
    { "server.port", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_PEERS, NULL },
    { "network.transport", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_ECS, NULL },
    { "network.iana.number", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_ECS, NULL },
    { "event.start", DOCKET_PIVOT_START, DOCKET_PIVOT_ECS, NULL },
    { "event.end", DOCKET_PIVOT_END, DOCKET_PIVOT_ECS, NULL },
    { "event.duration", DOCKET_PIVOT_NANO, DOCKET_PIVOT_ECS, NULL },
    { "@timestamp", DOCKET_PIVOT_TIME, DOCKET_PIVOT_ECS, NULL },
    { "source.nat.ip", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_NAT },
    { "source.nat.port", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_NAT },
    { "destination.nat.ip", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_NAT },
    { "destination.nat.port", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_NAT },
    { "related.ip", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_OTHER },
    { "host.ip", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS, DOCKET_PIVOT_IS_OTHER },
    { "network.vlan.id", DOCKET_PIVOT_NOTE, DOCKET_PIVOT_ECS,
      DOCKET_PIVOT_IS_VLAN },

    /* firewalls, flow collectors, Arkime, Splunk, older notices of Zeek */

    { "src", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, DOCKET_PIVOT_IS_NAME },
    { "dst", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, DOCKET_PIVOT_IS_NAME },
    { "dest", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, DOCKET_PIVOT_IS_NAME },
    { "srcip", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "dstip", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "ip.src", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "ip.dst", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "ipv6.src", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "ipv6.dst", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "srcaddr", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "dstaddr", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "src.addr", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "dst.addr", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "src4.addr", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "dst4.addr", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "src6.addr", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "dst6.addr", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "sourceipv4address", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "destinationipv4address", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "sourceipv6address", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON, NULL },
    { "destinationipv6address", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON, NULL },
    { "tx.hosts", DOCKET_PIVOT_SRC, DOCKET_PIVOT_COMMON,
      DOCKET_PIVOT_IS_SET },
    { "rx.hosts", DOCKET_PIVOT_DST, DOCKET_PIVOT_COMMON,
      DOCKET_PIVOT_IS_SET },
    { "spt", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "dpt", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "sport", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "dport", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "srcport", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "dstport", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "port.src", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "port.dst", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "tcp.srcport", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "tcp.dstport", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "udp.srcport", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "udp.dstport", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "sourcetransportport", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_COMMON, NULL },
    { "destinationtransportport", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON,
      NULL },
    { "p", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_COMMON, NULL },
    { "ip.proto", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "ip.protocol", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "ipprotocol", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "protocolidentifier", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "transport", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "protocol", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "protocols", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_COMMON, NULL },
    { "firstpacket", DOCKET_PIVOT_START, DOCKET_PIVOT_COMMON, NULL },
    { "lastpacket", DOCKET_PIVOT_END, DOCKET_PIVOT_COMMON, NULL },
    { "flowstartmilliseconds", DOCKET_PIVOT_START, DOCKET_PIVOT_COMMON, NULL },
    { "flowendmilliseconds", DOCKET_PIVOT_END, DOCKET_PIVOT_COMMON, NULL },
    { "starttime", DOCKET_PIVOT_START, DOCKET_PIVOT_COMMON, NULL },
    { "stoptime", DOCKET_PIVOT_END, DOCKET_PIVOT_COMMON, NULL },
    { "endtime", DOCKET_PIVOT_END, DOCKET_PIVOT_COMMON, NULL },
    { "start", DOCKET_PIVOT_START, DOCKET_PIVOT_COMMON, NULL },
    { "end", DOCKET_PIVOT_END, DOCKET_PIVOT_COMMON, NULL },
    { "rt", DOCKET_PIVOT_TIME, DOCKET_PIVOT_COMMON, NULL },
    { "eventtime", DOCKET_PIVOT_TIME, DOCKET_PIVOT_COMMON, NULL },
    { ".time", DOCKET_PIVOT_TIME, DOCKET_PIVOT_COMMON, NULL },
    { "time", DOCKET_PIVOT_TIME, DOCKET_PIVOT_COMMON,
      DOCKET_PIVOT_IS_CLOCK },

    { "ip", DOCKET_PIVOT_ANY, DOCKET_PIVOT_UNDIRECTED, NULL },
    { "ip.addr", DOCKET_PIVOT_ANY, DOCKET_PIVOT_UNDIRECTED, NULL },
    { "ipv6.addr", DOCKET_PIVOT_ANY, DOCKET_PIVOT_UNDIRECTED, NULL },
    { "port", DOCKET_PIVOT_PORT, DOCKET_PIVOT_UNDIRECTED, NULL },
    { "tcp.port", DOCKET_PIVOT_PORT, DOCKET_PIVOT_UNDIRECTED, NULL },
    { "udp.port", DOCKET_PIVOT_PORT, DOCKET_PIVOT_UNDIRECTED, NULL }
};

#define DOCKET_PIVOT_NFIELDS                                                  \
    (sizeof(docket_pivot_fields) / sizeof(docket_pivot_fields[0]))


static const docket_pivot_field_t  docket_pivot_words[] = {
    { "", DOCKET_PIVOT_SRC, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_DST, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_ANY, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_SPORT, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_DPORT, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_PORT, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_PROTO, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_TIME, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_START, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_END, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_DURATION, DOCKET_PIVOT_TEXT, NULL },
    { "", DOCKET_PIVOT_NANO, DOCKET_PIVOT_TEXT, NULL }
};


/* What tools put an event into: an answer of Elasticsearch, a module of
   Filebeat, a message of a SIEM. */

static const char *const  docket_pivot_wraps[] = {
    ".source.", "fields.", "hits.", "json.", "data.", "suricata.", "eve.",
    "zeek.", "event.", "result."
};


const docket_pivot_field_t *
docket_pivot_field(const char *name, size_t len)
{
    char         key[DOCKET_PIVOT_NAME];
    size_t       i, n;
    const char  *s;

    if (len >= sizeof(key)) {
        return NULL;
    }

    for (i = 0; i < len; i++) {
        if (name[i] == '\0') {
            return NULL;
        }

        key[i] = (name[i] == '_' || name[i] == '-') ? '.'
                 : (name[i] >= 'A' && name[i] <= 'Z') ? (name[i] | 0x20)
                 : name[i];
    }

    key[len] = '\0';
    s = key;

    for ( ;; ) {
        for (i = 0; i < DOCKET_PIVOT_NFIELDS; i++) {
            if (strcmp(docket_pivot_fields[i].name, s) == 0) {
                return &docket_pivot_fields[i];
            }
        }

        n = 0;

        for (i = 0;
             i < sizeof(docket_pivot_wraps) / sizeof(docket_pivot_wraps[0]);
             i++)
        {
            n = strlen(docket_pivot_wraps[i]);

            if (strncmp(s, docket_pivot_wraps[i], n) == 0) {
                break;
            }

            n = 0;
        }

        if (n == 0) {
            return NULL;
        }

        s += n;
    }
}


const docket_pivot_field_t *
docket_pivot_word(docket_pivot_role_e role)
{
    return &docket_pivot_words[role];
}


/* The table has names with '.' for '_': these are as people write them. */

void
docket_pivot_names(char *buf, size_t size)
{
    (void) snprintf(buf, size, "%s",
                    "id.orig_h and id.resp_h (Zeek), src_ip and dest_ip "
                    "(Suricata), source.ip and destination.ip or client.ip "
                    "and server.ip (ECS), src and dst, ip.src and ip.dst, ip");
}


int
docket_pivot_add(docket_pivot_t *p, const docket_pivot_field_t *field,
    const char *name, size_t name_len, const char *value, size_t len)
{
    size_t                i;
    docket_pivot_fact_t  *fact;

    static const char *const  unset[] = { "-", "(empty)", "null" };

    while (len != 0 && (value[len - 1] == ' ' || value[len - 1] == '\t')) {
        len--;
    }

    while (len != 0 && (*value == ' ' || *value == '\t')) {
        value++;
        len--;
    }

    if (len == 0) {
        return DOCKET_OK;
    }

    for (i = 0; i < sizeof(unset) / sizeof(unset[0]); i++) {
        if (strlen(unset[i]) == len && memcmp(unset[i], value, len) == 0) {
            return DOCKET_OK;
        }
    }

    if (p->nfacts++ == DOCKET_PIVOT_MAX_FACTS) {
        return docket_query_fail(p->q, "", -1, "the event has more than %d "
                                 "addresses, ports and times",
                                 DOCKET_PIVOT_MAX_FACTS);
    }

    fact = docket_arena_alloc(&p->q->arena, sizeof(docket_pivot_fact_t));
    if (fact == NULL) {
        return docket_query_fail_memory(p->q);
    }

    /* one byte more than any value has makes it none */

    if (len > DOCKET_PIVOT_VALUE) {
        len = DOCKET_PIVOT_VALUE;
    }

    fact->field = field;
    fact->len = len;
    fact->value = docket_arena_copy(&p->q->arena, value, len);
    fact->name = docket_pivot_printable(p, name, name_len);

    if (fact->value == NULL || fact->name == NULL) {
        return docket_query_fail_memory(p->q);
    }

    *p->last = fact;
    p->last = &fact->next;

    return DOCKET_OK;
}


int
docket_pivot_use(docket_pivot_t *p, const char *field, const char *value,
    const char *name)
{
    docket_pivot_use_t  *use;

    use = docket_arena_alloc(&p->q->arena, sizeof(docket_pivot_use_t));
    if (use == NULL) {
        return docket_query_fail_memory(p->q);
    }

    use->field = field;
    use->name = name;

    if (value != NULL) {
        use->value = docket_arena_copy(&p->q->arena, value, strlen(value));
        if (use->value == NULL) {
            return docket_query_fail_memory(p->q);
        }
    }

    *p->last_use = use;
    p->last_use = &use->next;

    return DOCKET_OK;
}


int
docket_pivot_set(docket_pivot_t *p, const char *field, const char *value,
    const char *name)
{
    if (value != NULL
        && docket_query_set(p->q, field, value, strlen(value)) != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    return docket_pivot_use(p, field, value, name);
}


int
docket_pivot_unused(docket_pivot_t *p, const char *name, const char *why)
{
    docket_pivot_unused_t  *unused;

    for (unused = p->result.unused; unused != NULL; unused = unused->next) {
        if (strcmp(unused->name, name) == 0) {
            return DOCKET_OK;
        }
    }

    unused = docket_arena_alloc(&p->q->arena, sizeof(docket_pivot_unused_t));
    if (unused == NULL) {
        return docket_query_fail_memory(p->q);
    }

    unused->name = name;
    unused->why = why;

    *p->last_unused = unused;
    p->last_unused = &unused->next;

    return DOCKET_OK;
}


const char *
docket_pivot_printable(docket_pivot_t *p, const char *s, size_t len)
{
    char    *copy;
    size_t   i;

    if (len >= DOCKET_PIVOT_NAME) {
        len = DOCKET_PIVOT_NAME - 1;
    }

    copy = docket_arena_copy(&p->q->arena, s, len);
    if (copy == NULL) {
        (void) docket_query_fail_memory(p->q);
        return NULL;
    }

    for (i = 0; i < len; i++) {
        if (copy[i] < 0x20 || copy[i] >= 0x7f) {
            copy[i] = '?';
        }
    }

    return copy;
}
