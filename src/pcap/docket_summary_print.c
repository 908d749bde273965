/*
 * The summary's JSON; see docket_summary.h.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <netinet/in.h>
#include <yajl/yajl_gen.h>
#include "pcap/docket_summary_core.h"


typedef struct {
    uint64_t               packets;
    const docket_set_t    *set;
    size_t                 way;
    const docket_talk_t   *talk;      /* NULL for a port */
} docket_rank_t;


static void docket_print_number(yajl_gen g, const char *key, uint64_t n);
static void docket_print_time(yajl_gen g, const char *key, int64_t time,
    int valid);
static void docket_print_tally(yajl_gen g, const char *key,
    const docket_tally_t *t);
static void docket_print_protocols(yajl_gen g, const docket_summary_t *sm);
static void docket_print_talks(yajl_gen g, docket_rank_t *ranks, size_t n);
static void docket_print_address(yajl_gen g, const char *key,
    const uint64_t words[2], uint64_t len);
static void docket_print_ports(yajl_gen g, docket_rank_t *ranks, size_t n);
static void docket_print_estimate(yajl_gen g, const docket_rank_t *rank);
static void docket_print_buckets(yajl_gen g, const docket_summary_t *sm);
static size_t docket_rank(docket_rank_t *ranks, const docket_set_t *sets,
    size_t n, const docket_talk_t *talks, int *estimated);
static int docket_rank_cmp(const void *one, const void *two);


#define docket_print_string(g, s)                                             \
    yajl_gen_string(g, (const unsigned char *) (s), strlen(s))


int
docket_summary_print(const docket_summary_t *sm,
    const docket_summary_stream_t *streams, size_t n, char **out, size_t *len)
{
    int                   estimated;
    size_t                i, size, ntalks, nports;
    yajl_gen              g;
    docket_rank_t        *talks, *ports;
    docket_tally_t        t;
    const unsigned char  *text;

    *out = NULL;
    estimated = 0;

    talks = malloc((DOCKET_TALK_SETS + DOCKET_PORT_SETS) * DOCKET_SET_WAYS
                   * sizeof(docket_rank_t));
    if (talks == NULL) {
        return DOCKET_ERROR;
    }

    g = yajl_gen_alloc(NULL);
    if (g == NULL) {
        free(talks);
        return DOCKET_ERROR;
    }

    ntalks = docket_rank(talks, sm->talk_sets, DOCKET_TALK_SETS,
                         sm->talks[0], &estimated);
    ports = talks + ntalks;
    nports = docket_rank(ports, sm->port_sets, DOCKET_PORT_SETS, NULL,
                         &estimated);

    yajl_gen_map_open(g);

    docket_print_number(g, "packets", sm->all.packets);
    docket_print_number(g, "bytes", sm->all.bytes);
    docket_print_number(g, "wire_bytes", sm->wire_bytes);
    docket_print_time(g, "first", sm->first, sm->all.packets > 0);
    docket_print_time(g, "last", sm->last, sm->all.packets > 0);

    docket_print_string(g, "sensors");
    yajl_gen_map_open(g);

    for (i = 0; i < n; i++) {
        t.packets = streams[i].packets;
        t.bytes = streams[i].bytes;
        docket_print_tally(g, streams[i].name, &t);
    }

    yajl_gen_map_close(g);

    docket_print_protocols(g, sm);
    docket_print_talks(g, talks, ntalks);
    docket_print_ports(g, ports, nports);

    docket_print_string(g, "estimated");
    yajl_gen_bool(g, estimated);

    docket_print_buckets(g, sm);

    yajl_gen_map_close(g);

    /* a generator that failed at any call has no complete text */

    if (yajl_gen_get_buf(g, &text, &size) == yajl_gen_status_ok
        && size > 0 && text[size - 1] == '}')
    {
        *out = malloc(size + 1);
    }

    if (*out != NULL) {
        memcpy(*out, text, size);
        (*out)[size] = '\0';
        *len = size;
    }

    yajl_gen_free(g);
    free(talks);

    return (*out == NULL) ? DOCKET_ERROR : DOCKET_OK;
}


static void
docket_print_number(yajl_gen g, const char *key, uint64_t n)
{
    docket_print_string(g, key);
    yajl_gen_integer(g, (long long) n);
}


static void
docket_print_time(yajl_gen g, const char *key, int64_t time, int valid)
{
    int        n;
    char       text[64];
    time_t     sec;
    struct tm  tm;

    docket_print_string(g, key);

    sec = (time_t) (time / DOCKET_PCAP_BILLION);

    if (!valid || gmtime_r(&sec, &tm) == NULL) {
        yajl_gen_null(g);
        return;
    }

    n = (int) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);

    if (time % DOCKET_PCAP_BILLION != 0) {
        n += snprintf(text + n, sizeof(text) - n, ".%09lld",
                      (long long) (time % DOCKET_PCAP_BILLION));
    }

    (void) snprintf(text + n, sizeof(text) - n, "Z");

    docket_print_string(g, text);
}


static void
docket_print_tally(yajl_gen g, const char *key, const docket_tally_t *t)
{
    docket_print_string(g, key);

    yajl_gen_map_open(g);
    docket_print_number(g, "packets", t->packets);
    docket_print_number(g, "bytes", t->bytes);
    yajl_gen_map_close(g);
}


static void
docket_print_protocols(yajl_gen g, const docket_summary_t *sm)
{
    char         buf[32];
    size_t       i;
    const char  *name;

    docket_print_string(g, "protocols");
    yajl_gen_map_open(g);

    for (i = 0; i < 256; i++) {

        if (sm->protocols[i].packets == 0) {
            continue;
        }

        switch (i) {

        case IPPROTO_TCP:
            name = "tcp";
            break;

        case IPPROTO_UDP:
            name = "udp";
            break;

        case IPPROTO_ICMP:
            name = "icmp";
            break;

        case IPPROTO_ICMPV6:
            name = "icmp6";
            break;

        default:
            (void) snprintf(buf, sizeof(buf), "ip-%zu", i);
            name = buf;
        }

        docket_print_tally(g, name, &sm->protocols[i]);
    }

    for (i = 0; i < sm->ntypes; i++) {

        switch (sm->types[i].type) {

        case 0:
            name = "802.3";
            break;

        case 0x0806:
            name = "arp";
            break;

        default:
            (void) snprintf(buf, sizeof(buf), "ethertype-0x%04x",
                            sm->types[i].type);
            name = buf;
        }

        docket_print_tally(g, name, &sm->types[i].tally);
    }

    if (sm->other.packets != 0) {
        docket_print_tally(g, "ethertype-other", &sm->other);
    }

    if (sm->links.packets != 0) {
        (void) snprintf(buf, sizeof(buf), "link-%d", sm->link);
        docket_print_tally(g, buf, &sm->links);
    }

    yajl_gen_map_close(g);
}


static void
docket_print_talks(yajl_gen g, docket_rank_t *ranks, size_t n)
{
    size_t                i;
    const docket_talk_t  *talk;

    docket_print_string(g, "conversations");
    yajl_gen_array_open(g);

    for (i = 0; i < n && i < DOCKET_SUMMARY_TOP; i++) {

        talk = ranks[i].talk;

        yajl_gen_map_open(g);

        docket_print_address(g, "a", talk->a, talk->len);
        docket_print_address(g, "b", talk->b, talk->len);
        docket_print_estimate(g, &ranks[i]);

        yajl_gen_map_close(g);
    }

    yajl_gen_array_close(g);
}


static void
docket_print_address(yajl_gen g, const char *key, const uint64_t words[2],
    uint64_t len)
{
    char      text[INET6_ADDRSTRLEN];
    uint32_t  addr[4];

    if (len == 4) {
        addr[0] = htonl((uint32_t) words[0]);

    } else {
        addr[0] = htonl((uint32_t) (words[0] >> 32));
        addr[1] = htonl((uint32_t) words[0]);
        addr[2] = htonl((uint32_t) (words[1] >> 32));
        addr[3] = htonl((uint32_t) words[1]);
    }

    (void) inet_ntop(len == 4 ? AF_INET : AF_INET6, addr, text, sizeof(text));

    docket_print_string(g, key);
    docket_print_string(g, text);
}


static void
docket_print_ports(yajl_gen g, docket_rank_t *ranks, size_t n)
{
    size_t       i;
    uint32_t     key;
    const char  *name;

    docket_print_string(g, "ports");
    yajl_gen_array_open(g);

    for (i = 0; i < n && i < DOCKET_SUMMARY_TOP; i++) {

        key = ranks[i].set->tags[ranks[i].way];

        name = (docket_port_proto(key) == IPPROTO_TCP) ? "tcp"
               : (docket_port_proto(key) == IPPROTO_UDP) ? "udp" : "sctp";

        yajl_gen_map_open(g);

        docket_print_string(g, "proto");
        docket_print_string(g, name);
        docket_print_number(g, "port", docket_port_number(key));
        docket_print_estimate(g, &ranks[i]);

        yajl_gen_map_close(g);
    }

    yajl_gen_array_close(g);
}


static void
docket_print_estimate(yajl_gen g, const docket_rank_t *rank)
{
    docket_print_number(g, "packets", rank->packets);
    docket_print_number(g, "bytes", rank->set->bytes[rank->way]);
    docket_print_number(g, "error", rank->set->errors[rank->way].packets);
    docket_print_number(g, "error_bytes",
                        rank->set->errors[rank->way].bytes);
}


static void
docket_print_buckets(yajl_gen g, const docket_summary_t *sm)
{
    size_t  i, n;

    docket_print_string(g, "buckets");

    if (sm->all.packets == 0) {
        yajl_gen_null(g);
        return;
    }

    n = 0;

    for (i = 0; i < DOCKET_SUMMARY_BUCKETS; i++) {
        if (sm->buckets[i].packets != 0) {
            n = i + 1;
        }
    }

    yajl_gen_map_open(g);

    docket_print_time(g, "start", sm->start, 1);
    docket_print_number(g, "seconds",
                        (uint64_t) (sm->width / DOCKET_PCAP_BILLION));

    docket_print_string(g, "packets");
    yajl_gen_array_open(g);

    for (i = 0; i < n; i++) {
        yajl_gen_integer(g, (long long) sm->buckets[i].packets);
    }

    yajl_gen_array_close(g);

    docket_print_string(g, "bytes");
    yajl_gen_array_open(g);

    for (i = 0; i < n; i++) {
        yajl_gen_integer(g, (long long) sm->buckets[i].bytes);
    }

    yajl_gen_array_close(g);

    yajl_gen_map_close(g);
}


/* The entries in use, largest first; returns how many. */

static size_t
docket_rank(docket_rank_t *ranks, const docket_set_t *sets, size_t n,
    const docket_talk_t *talks, int *estimated)
{
    size_t  i, k, used;

    used = 0;

    for (i = 0; i < n; i++) {
        for (k = 0; k < DOCKET_SET_WAYS; k++) {

            if (sets[i].packets[k] == 0) {
                continue;
            }

            ranks[used].packets = sets[i].packets[k];
            ranks[used].set = &sets[i];
            ranks[used].way = k;
            ranks[used].talk = (talks == NULL)
                               ? NULL : &talks[i * DOCKET_SET_WAYS + k];
            used++;
        }
    }

    qsort(ranks, used, sizeof(docket_rank_t), docket_rank_cmp);

    for (i = 0; i < used && i < DOCKET_SUMMARY_TOP; i++) {
        if (ranks[i].set->errors[ranks[i].way].packets != 0) {
            *estimated = 1;
        }
    }

    return used;
}


static int
docket_rank_cmp(const void *one, const void *two)
{
    const docket_rank_t  *a, *b;

    a = one;
    b = two;

    if (a->packets != b->packets) {
        return (a->packets < b->packets) ? 1 : -1;
    }

    /* their order in the table: the text is the same in each run */

    if (a->set != b->set) {
        return (a->set > b->set) ? 1 : -1;
    }

    return (a->way > b->way) - (a->way < b->way);
}
