/*
 * Counting for the summary; see docket_summary.h.
 */

#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include "pcap/docket_summary_core.h"


#define DOCKET_TYPE_IP        0x0800
#define DOCKET_TYPE_IP6       0x86dd
#define DOCKET_IP6_HEADERS    8       /* extension headers passed over */


typedef struct {
    const u_char          *p;         /* what comes next */
    const u_char          *end;
    uint32_t               type;      /* ethertype of it */
} docket_layer_t;


static int docket_layer_link(docket_layer_t *l, int link);
static void docket_layer_tags(docket_layer_t *l);
static void docket_layer_labels(docket_layer_t *l);
static void docket_summary_ip(docket_summary_t *sm, docket_layer_t *l,
    uint32_t bytes);
static int docket_summary_ip6(docket_layer_t *l);
static void docket_summary_type(docket_summary_t *sm, uint32_t type,
    uint32_t bytes);
static void docket_summary_talk(docket_summary_t *sm, const u_char *src,
    uint32_t len, uint32_t bytes);
static void docket_summary_port(docket_summary_t *sm, uint32_t key,
    uint32_t bytes);
static void docket_summary_time(docket_summary_t *sm, int64_t time,
    uint32_t bytes);
static void docket_summary_widen(docket_summary_t *sm);
static uint32_t docket_set_find(const docket_set_t *set, uint32_t tag);
static int docket_set_displace(docket_set_t *set, uint32_t tag);


static inline void
docket_tally(docket_tally_t *t, uint32_t bytes)
{
    t->packets++;
    t->bytes += bytes;
}


static inline void
docket_set_count(docket_set_t *set, int i, uint32_t bytes)
{
    set->packets[i]++;
    set->bytes[i] += bytes;
}


static inline uint32_t
docket_u16(const u_char *p)
{
    return (uint32_t) p[0] << 8 | p[1];
}


static inline uint64_t
docket_u32(const u_char *p)
{
    uint32_t  n;

    memcpy(&n, p, sizeof(uint32_t));

    return ntohl(n);
}


/* The smaller address first; never put together in memory from pieces, which
   a processor would wait for when it reads the whole. */

static inline void
docket_talk_read(docket_talk_t *talk, const u_char *src, uint32_t len)
{
    uint64_t  s[2], d[2];

    if (len == 4) {
        s[0] = docket_u32(src);
        d[0] = docket_u32(src + 4);

        talk->a[0] = (s[0] < d[0]) ? s[0] : d[0];
        talk->b[0] = (s[0] < d[0]) ? d[0] : s[0];
        talk->a[1] = 0;
        talk->b[1] = 0;
        talk->len = len;

        return;
    }

    s[0] = docket_u32(src) << 32 | docket_u32(src + 4);
    s[1] = docket_u32(src + 8) << 32 | docket_u32(src + 12);
    d[0] = docket_u32(src + 16) << 32 | docket_u32(src + 20);
    d[1] = docket_u32(src + 24) << 32 | docket_u32(src + 28);

    if (s[0] < d[0] || (s[0] == d[0] && s[1] < d[1])) {
        memcpy(talk->a, s, sizeof(s));
        memcpy(talk->b, d, sizeof(d));

    } else {
        memcpy(talk->a, d, sizeof(d));
        memcpy(talk->b, s, sizeof(s));
    }

    talk->len = len;
}


/* No branch: of the many that have this tag almost all are the same. */

static inline int
docket_talk_same(const docket_talk_t *one, const docket_talk_t *two)
{
    return ((one->a[0] ^ two->a[0]) | (one->a[1] ^ two->a[1])
            | (one->b[0] ^ two->b[0]) | (one->b[1] ^ two->b[1])
            | (one->len ^ two->len)) == 0;
}


docket_summary_t *
docket_summary_create(void)
{
    return calloc(1, sizeof(docket_summary_t));
}


void
docket_summary_destroy(docket_summary_t *sm)
{
    free(sm);
}


void
docket_summary_add(docket_summary_t *sm, int link, int64_t time,
    const u_char *data, uint32_t caplen, uint32_t len)
{
    docket_layer_t  l;

    docket_tally(&sm->all, caplen);
    sm->wire_bytes += len;

    docket_summary_time(sm, time, caplen);

    l.p = data;
    l.end = data + caplen;

    if (!docket_layer_link(&l, link)) {
        docket_tally(&sm->links, caplen);
        sm->link = link;
        return;
    }

    if (l.type == 0x8100 || l.type == 0x88a8 || l.type == 0x9100) {
        docket_layer_tags(&l);
    }

    if (l.type == 0x8847 || l.type == 0x8848) {
        docket_layer_labels(&l);
    }

    if (l.type == DOCKET_TYPE_IP || l.type == DOCKET_TYPE_IP6) {
        docket_summary_ip(sm, &l, caplen);
        return;
    }

    docket_summary_type(sm, l.type, caplen);
}


/* 0: a link type that is not looked into. */

static int
docket_layer_link(docket_layer_t *l, int link)
{
    size_t  n, at;

    switch (docket_link_dlt(link)) {

    case DLT_EN10MB:
        n = 14;
        at = 12;
        break;

    case DLT_LINUX_SLL:
        n = 16;
        at = 14;
        break;

    case DLT_LINUX_SLL2:
        n = 20;
        at = 0;
        break;

    case DLT_RAW:
    case DLT_IPV4:
    case DLT_IPV6:
        l->type = (l->p < l->end && l->p[0] >> 4 == 6) ? DOCKET_TYPE_IP6
                                                       : DOCKET_TYPE_IP;
        return 1;

    default:
        return 0;
    }

    if ((size_t) (l->end - l->p) < n) {
        l->type = 0;
        l->p = l->end;
        return 1;
    }

    l->type = docket_u16(l->p + at);
    l->p += n;

    return 1;
}


static void
docket_layer_tags(docket_layer_t *l)
{
    int  i;

    for (i = 0; i < 2; i++) {

        if (l->type != 0x8100 && l->type != 0x88a8 && l->type != 0x9100) {
            return;
        }

        if (l->end - l->p < 4) {
            return;
        }

        l->type = docket_u16(l->p + 2);
        l->p += 4;
    }
}


/* What the last label carries says so itself, if it is IP. */

static void
docket_layer_labels(docket_layer_t *l)
{
    int            i;
    const u_char  *p;

    p = l->p;

    for (i = 0; i < 16; i++) {

        if (l->end - p < 5) {
            return;
        }

        p += 4;

        if (p[-2] & 0x01) {
            break;
        }
    }

    if (p[0] >> 4 == 4) {
        l->type = DOCKET_TYPE_IP;
        l->p = p;

    } else if (p[0] >> 4 == 6) {
        l->type = DOCKET_TYPE_IP6;
        l->p = p;
    }
}


static void
docket_summary_ip(docket_summary_t *sm, docket_layer_t *l, uint32_t bytes)
{
    int            proto;
    size_t         n;
    uint32_t       a, b;
    const u_char  *ip;

    ip = l->p;
    proto = -1;

    if (l->type == DOCKET_TYPE_IP) {

        if (l->end - ip >= 20 && ip[0] >> 4 == 4 && (ip[0] & 0x0f) >= 5) {

            proto = ip[9];
            n = (size_t) (ip[0] & 0x0f) * 4;

            docket_summary_talk(sm, ip + 12, 4, bytes);

            /* a later fragment has no ports */

            if (docket_u16(ip + 6) & 0x1fff) {
                l->p = l->end;

            } else {
                l->p = ((size_t) (l->end - ip) < n) ? l->end : ip + n;
            }
        }

    } else if (l->end - ip >= 40 && ip[0] >> 4 == 6) {

        docket_summary_talk(sm, ip + 8, 16, bytes);
        proto = docket_summary_ip6(l);
    }

    if (proto == -1) {
        docket_summary_type(sm, l->type, bytes);
        return;
    }

    docket_tally(&sm->protocols[proto], bytes);

    if ((proto != IPPROTO_TCP && proto != IPPROTO_UDP
         && proto != IPPROTO_SCTP)
        || l->end - l->p < 4)
    {
        return;
    }

    a = docket_u16(l->p);
    b = docket_u16(l->p + 2);

    docket_summary_port(sm, (uint32_t) proto << 16 | a, bytes);

    if (b != a) {
        docket_summary_port(sm, (uint32_t) proto << 16 | b, bytes);
    }
}


/* The protocol behind the extension headers; l->p is moved there. */

static int
docket_summary_ip6(docket_layer_t *l)
{
    int            i, next, later;
    size_t         n;
    const u_char  *p;

    next = l->p[6];
    p = l->p + 40;
    later = 0;

    for (i = 0; i < DOCKET_IP6_HEADERS; i++) {

        if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING
            && next != IPPROTO_DSTOPTS && next != IPPROTO_FRAGMENT
            && next != IPPROTO_AH)
        {
            break;
        }

        if (l->end - p < 8) {
            p = l->end;
            break;
        }

        n = ((size_t) p[1] + 1) * 8;

        if (next == IPPROTO_FRAGMENT) {
            n = 8;
            later |= (docket_u16(p + 2) & 0xfff8) != 0;

        } else if (next == IPPROTO_AH) {
            n = ((size_t) p[1] + 2) * 4;
        }

        next = p[0];
        p = ((size_t) (l->end - p) < n) ? l->end : p + n;
    }

    l->p = later ? l->end : p;

    return next;
}


static void
docket_summary_type(docket_summary_t *sm, uint32_t type, uint32_t bytes)
{
    size_t  i;

    /* what is no type is the length of an 802.3 frame */

    if (type < 0x0600) {
        type = 0;
    }

    for (i = 0; i < sm->ntypes; i++) {
        if (sm->types[i].type == type) {
            docket_tally(&sm->types[i].tally, bytes);
            return;
        }
    }

    if (i == DOCKET_TYPES) {
        docket_tally(&sm->other, bytes);
        return;
    }

    sm->types[i].type = type;
    docket_tally(&sm->types[i].tally, bytes);
    sm->ntypes++;
}


/* "src" with the destination behind it. */

static void
docket_summary_talk(docket_summary_t *sm, const u_char *src, uint32_t len,
    uint32_t bytes)
{
    int             i;
    uint32_t        tag, found;
    uint64_t        h;
    docket_set_t   *set;
    docket_talk_t   talk, *talks;

    docket_talk_read(&talk, src, len);

    h = (talk.a[0] * 0x9e3779b97f4a7c15ULL)
        ^ (talk.a[1] * 0xc2b2ae3d27d4eb4fULL);
    h = (h ^ (h >> 29)) * 0xbf58476d1ce4e5b9ULL;
    h ^= (talk.b[0] * 0x94d049bb133111ebULL)
         ^ (talk.b[1] * 0xd6e8feb86659fd93ULL);
    h = (h ^ (h >> 32)) * 0xbf58476d1ce4e5b9ULL;
    h ^= h >> 32;

    tag = (uint32_t) (h >> 8);
    set = &sm->talk_sets[h % DOCKET_TALK_SETS];
    talks = sm->talks[h % DOCKET_TALK_SETS];

    /* who asks for one talk has a capture of it alone */

    if (set->tags[0] == tag && docket_talk_same(&talks[0], &talk)) {
        docket_set_count(set, 0, bytes);
        return;
    }

    for (found = docket_set_find(set, tag); found != 0; found &= found - 1) {

        i = __builtin_ctz(found);

        if (docket_talk_same(&talks[i], &talk)) {
            docket_set_count(set, i, bytes);
            return;
        }
    }

    i = docket_set_displace(set, tag);
    talks[i] = talk;

    docket_set_count(set, i, bytes);
}


/* The key of a port is its own tag: two keys never look alike. */

static void
docket_summary_port(docket_summary_t *sm, uint32_t key, uint32_t bytes)
{
    int            i;
    uint32_t       h, found;
    docket_set_t  *set;

    h = (key * 0x9e3779b1U) >> 16;
    set = &sm->port_sets[h % DOCKET_PORT_SETS];

    if (set->tags[0] == key) {
        docket_set_count(set, 0, bytes);
        return;
    }

    found = docket_set_find(set, key);

    i = (found != 0) ? __builtin_ctz(found) : docket_set_displace(set, key);

    docket_set_count(set, i, bytes);
}


/*
 * A bit for each entry that has this tag.  Among many talks nobody can
 * foretell where it stands, nor which entry is the smallest: so neither loop
 * here branches on it.
 */

static uint32_t
docket_set_find(const docket_set_t *set, uint32_t tag)
{
    int       i;
    uint32_t  found;

    found = 0;

#pragma GCC unroll 8
    for (i = 0; i < DOCKET_SET_WAYS; i++) {
        found |= (uint32_t) (set->tags[i] == tag) << i;
    }

    return found;
}


/*
 * The place of the smallest, whose count the new one takes over; a free one
 * is the smallest.
 */

static int
docket_set_displace(docket_set_t *set, uint32_t tag)
{
    int       i, less, least;
    uint64_t  n, packets;

    least = 0;
    packets = set->packets[0];

#pragma GCC unroll 8
    for (i = 1; i < DOCKET_SET_WAYS; i++) {
        n = set->packets[i];
        less = (n < packets);

        least = less ? i : least;
        packets = less ? n : packets;
    }

    set->tags[least] = tag;
    set->errors[least].packets = packets;
    set->errors[least].bytes = set->bytes[least];

    return least;
}


static void
docket_summary_time(docket_summary_t *sm, int64_t time, uint32_t bytes)
{
    int64_t  i;

    if (sm->width == 0) {
        sm->width = DOCKET_PCAP_BILLION;
        sm->start = time - time % DOCKET_PCAP_BILLION;
        sm->first = time;
        sm->last = time;
        sm->now_tally = &sm->buckets[0];
        sm->now = sm->start;
        sm->now_end = sm->start + sm->width;
    }

    if (time > sm->last) {
        sm->last = time;

    } else if (time < sm->first) {
        sm->first = time;
    }

    if (time >= sm->now && time < sm->now_end) {
        docket_tally(sm->now_tally, bytes);
        return;
    }

    while ((time - sm->start) / sm->width >= DOCKET_SUMMARY_BUCKETS) {
        docket_summary_widen(sm);
    }

    /* only in disorder is one earlier than the first */

    i = (time < sm->start) ? 0 : (time - sm->start) / sm->width;

    sm->now_tally = &sm->buckets[i];
    sm->now = sm->start + i * sm->width;
    sm->now_end = sm->now + sm->width;

    docket_tally(sm->now_tally, bytes);
}


/* Two buckets become one. */

static void
docket_summary_widen(docket_summary_t *sm)
{
    size_t           i;
    docket_tally_t  *a, *b;

    for (i = 0; i < DOCKET_SUMMARY_BUCKETS / 2; i++) {
        a = &sm->buckets[2 * i];
        b = &sm->buckets[2 * i + 1];

        sm->buckets[i].packets = a->packets + b->packets;
        sm->buckets[i].bytes = a->bytes + b->bytes;
    }

    memset(&sm->buckets[DOCKET_SUMMARY_BUCKETS / 2], 0,
           sizeof(docket_tally_t) * DOCKET_SUMMARY_BUCKETS / 2);

    sm->width *= 2;
}
