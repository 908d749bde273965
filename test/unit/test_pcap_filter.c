/*
 * Filters: what is taken and refused, that no resolver is ever asked, and
 * what matches below tags and labels.
 */

#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <pcap/pcap.h>
#include "pcap_build.h"


static int  asked;


/* In place of libc's, for libpcap too. */

int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    int              (*next)(const char *, const char *,
                             const struct addrinfo *, struct addrinfo **);
    struct in6_addr  addr;

    if (node != NULL && inet_pton(AF_INET, node, &addr) != 1
        && inet_pton(AF_INET6, node, &addr) != 1)
    {
        asked++;
        return EAI_NONAME;
    }

    *(void **) &next = dlsym(RTLD_NEXT, "getaddrinfo");

    return next(node, service, hints, res);
}


struct hostent *
gethostbyname(const char *name)
{
    (void) name;
    asked++;
    return NULL;
}


int
getnetbyname_r(const char *name, struct netent *buf, char *aux, size_t len,
    struct netent **result, int *error)
{
    (void) name;
    (void) buf;
    (void) aux;
    (void) len;

    asked++;
    *result = NULL;
    *error = HOST_NOT_FOUND;

    return 0;
}


int
ether_hostton(const char *name, struct ether_addr *addr)
{
    (void) name;
    (void) addr;

    asked++;

    return -1;
}


static docket_filter_t *
make(const char *text, char err[DOCKET_PCAP_WORDS], long *position)
{
    err[0] = '\0';

    return docket_filter_create(text, strlen(text), err, DOCKET_PCAP_WORDS,
                                position);
}


/* The traps above do catch libpcap. */

static void
test_traps(void **state)
{
    size_t              i;
    pcap_t             *p;
    struct bpf_program  program;

    static const char *const  texts[] = {
        "host example.com", "net example", "ether host example"
    };

    (void) state;

    p = pcap_open_dead(DLT_EN10MB, 65535);
    assert_non_null(p);

    for (i = 0; i < 3; i++) {
        asked = 0;
        assert_int_equal(pcap_compile(p, &program, texts[i], 1, 0), -1);
        assert_true(asked > 0);
    }

    pcap_close(p);
    asked = 0;
}


static void
test_taken(void **state)
{
    char              err[DOCKET_PCAP_WORDS];
    size_t            i;
    docket_filter_t  *f;

    static const char *const  good[] = {
        "tcp", "host 1.2.3.4", "host 1.2.3.4 and not port 80",
        "net 10", "net 10.0.0.0/8", "net 10.1", "net 10.0.0.0 mask 255.0.0.0",
        "src net 192.168.0.0/16 or dst host 2001:db8::1",
        "ip6 net 2001:db8::/32", "host ::ffff:1.2.3.4", "host ::",
        "port http", "tcp dst port https or udp port domain",
        "port (80 or 443)", "portrange 20-21", "ip proto \\tcp",
        "ip proto ospf", "ether proto \\arp", "ip proto 47",
        "ether host 00:11:22:aa:bb:cc", "ether src 001122aabbcc",
        "ether src 0011.22aa.bbcc", "ether dst 0-1-2-3-4-5",
        "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
        "tcp[13]&2!=0", "ip[2:2]-20>100", "ip[0] & 0xf != 5",
        "icmp[icmptype] == icmp-echo", "icmp6[icmp6type]=icmp6-echo",
        "vlan 5 and mpls 7", "len > 100", "greater 64 && less 1500",
        "not(tcp or udp)||arp", "ether multicast", "ether[0] >> 1 = 3",
        "tcp\tand\r\nport 5", "(((tcp)))"
    };

    (void) state;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        f = make(good[i], err, NULL);

        if (f == NULL) {
            fail_msg("%s: %s", good[i], err);
        }

        docket_filter_destroy(f);
    }

    assert_int_equal(asked, 0);
}


static void
test_refused(void **state)
{
    char    err[DOCKET_PCAP_WORDS];
    long    position;
    size_t  i;

    static const struct { const char *text; long at; const char *words; } v[] =
    {
        { "", -1, "empty" }, { " \t", -1, "empty" },
        { "host example.com", 5, "\"example.com\" is no word" },
        { "host 1.2.3.4 or example", 16, "names are not looked up" },
        { "example", 0, "\"example\"" },
        { "TCP", 0, "\"TCP\"" },
        { "host http", 5, "not looked up" },
        { "port 80 or host 1.2.3.4 or https", 27, "not looked up" },
        { "port nosuchservice", 5, "is no service known" },
        { "host 21-23", 5, "\"21-23\"" },
        { "portrange http-https", 10, "no range" },
        { "host 1.2.3.4.5", 5, "1.2.3.4.5" },
        { "host 0x10.2", 5, "0x10.2" },
        { "host 1.2.3.4-x", 5, "1.2.3.4-x" },
        { "host \\example", 5, "is no protocol's name" },
        { "ip proto (\\tcp)", 10, "is no protocol's name" },
        { "ip proto \\example.com", 9, "is no protocol's name" },
        { "ip proto example", 9, "\"example\"" },
        { "gateway foo", 0, "\"gateway\" is not supported" },
        { "ip protochain 6", 3, "not supported" },
        { "inbound", 0, "\"inbound\"" },
        { "ether host example", 11, "\"example\"" },
        { "net localnet", 4, "\"localnet\"" },
        { "tcp;rm", 3, "\";\" does not belong" },
        { "tcp \x01", 4, "\\x01" },
        { "host 1:2", -1, "" },
        { "host 1::2::3", -1, "" },
        { "port 99999", -1, "" },
        { "tcp and", -1, "syntax error" },
        { "(tcp", -1, "syntax error" },
        { "host 1.2.3.999", -1, "" },
        { "ip broadcast", -1, "" },
        { "vlan 4096", -1, "4096" },
        { "vlan 5 vlan 6", -1, "syntax error" },
        { "mpls and vlan", -1, "MPLS" },
        { "vlan 1 or vlan 2 or vlan 3 or vlan 4 or vlan 5 or vlan 6 or vlan 7 "
          "or vlan 8 or vlan 9 or vlan 10 or vlan 11 or vlan 12 or vlan 13",
          -1, "more than 12 different words" }
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {

        if (make(v[i].text, err, &position) != NULL) {
            fail_msg("%s: taken", v[i].text);
        }

        if (strstr(err, v[i].words) == NULL || err[0] == '\0') {
            fail_msg("%s: %s", v[i].text, err);
        }

        if (v[i].at != -1 && position != v[i].at) {
            fail_msg("%s: %s at %ld", v[i].text, err, position);
        }
    }

    assert_int_equal(asked, 0);
}


/* A name inside of any text that could bring libpcap to look it up. */

static void
test_never_asks(void **state)
{
    char              err[DOCKET_PCAP_WORDS], text[256];
    size_t            i, k, n;
    unsigned          seed;
    docket_filter_t  *f;

    static const char *const  words[] = {
        "host", "net", "port", "portrange", "proto", "ip", "tcp", "ether",
        "src", "dst", "and", "or", "not", "(", ")", "1.2.3.4", "21-23", "80",
        "http", "example.com", "\\tcp", "ospf", "abc", "::1", "dead:beef::",
        "1:2:3:4:5:6", "cafe", "/", "24", "mask", "[", "]", ":", "-", "0x",
        "a:b:c", "::1::", "1.2", "1.2.", "e", ":e", "\\x", "$a", "ip6",
        "link", "wlan", "vlan", "type", "arp", "len", "=", "12ab34cd56ef"
    };

    (void) state;

    seed = 7;

    for (i = 0; i < 20000; i++) {

        n = 0;

        for (k = (size_t) rand_r(&seed) % 8 + 1; k > 0; k--) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%s",
                     words[(size_t) rand_r(&seed) % (sizeof(words)
                                                     / sizeof(words[0]))],
                     rand_r(&seed) % 4 ? " " : "");
        }

        f = make(text, err, NULL);

        if (f == NULL && err[0] == '\0') {
            fail_msg("%s: no words", text);
        }

        docket_filter_destroy(f);

        if (asked != 0) {
            fail_msg("%s: asks the resolver", text);
        }
    }
}


/* The text is bounded, and what may grow with it: joined terms. */

static void
test_terms(void **state)
{
    char              err[DOCKET_PCAP_WORDS], text[2048];
    long              position;
    size_t            i, k, n;
    docket_filter_t  *f;

    static const char *const  joins[] = { " or ", " and ", "||", " && not " };

    (void) state;

    for (i = 0; i < sizeof(joins) / sizeof(joins[0]); i++) {

        n = (size_t) snprintf(text, sizeof(text), "port 1");

        for (k = 2; k <= 64; k++) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, "%s%zu",
                                   joins[i], k);
        }

        assert_true(n < DOCKET_MAX_FILTER);

        f = make(text, err, NULL);
        assert_true(f != NULL || strstr(err, "rejects all") != NULL);
        docket_filter_destroy(f);

        (void) snprintf(text + n, sizeof(text) - n, "%s65", joins[i]);

        assert_null(make(text, err, &position));
        assert_non_null(strstr(err, "joins more than 64 terms"));
        assert_int_equal(position, n + strspn(joins[i], " "));
    }

    /* a range of ports costs as much as two terms */

    n = (size_t) snprintf(text, sizeof(text), "portrange 1-9");

    for (k = 2; k <= 32; k++) {
        n += (size_t) snprintf(text + n, sizeof(text) - n,
                               " or portrange %zu-99", k);
    }

    f = make(text, err, NULL);
    assert_non_null(f);
    docket_filter_destroy(f);

    (void) snprintf(text + n, sizeof(text) - n, " or portrange 1-5");

    assert_null(make(text, err, &position));
    assert_non_null(strstr(err, "more than 64"));
}


static void
test_bounds(void **state)
{
    char              err[DOCKET_PCAP_WORDS], text[2048];
    size_t            i, n;

    static const char *const  parts[] = {
        "host 1.2.3.%d or ", "not ((tcp port %d) and vlan) or ",
        "(ip[%d] + 1) * 2 > 3 or ", "-(-(-(len))) > %d and ",
        "net 2001:db8:%d::/48 or ", "(", "!", "-"
    };

    (void) state;

    for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {

        for (n = 0; n < DOCKET_MAX_FILTER - 60; /* void */ ) {
            n += (size_t) snprintf(text + n, sizeof(text) - n, parts[i],
                                   (int) (n % 200));
        }

        (void) snprintf(text + n, sizeof(text) - n, "tcp");

        docket_filter_destroy(make(text, err, NULL));
    }

    memset(text, ' ', sizeof(text));
    assert_null(docket_filter_create(text, DOCKET_MAX_FILTER + 1, err,
                                     sizeof(err), NULL));
    assert_non_null(strstr(err, "longer than"));

    assert_null(docket_filter_create("tcp\0udp", 7, err, sizeof(err), NULL));
}


#define MACS   "\1\2\3\4\5\6\7\10\11\12\13\14"
#define IP4    "\x45\0\0\x28\0\0\0\0\x40\x06\0\0\x0a\0\0\1\x0a\0\0\2"
#define TCP80  "\x04\xd2\0\x50\0\0\0\0\0\0\0\0\x50\x02\0\0\0\0\0\0"
#define IP6    "\x60\0\0\0\0\x14\x06\x40" \
               "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1" \
               "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2"


static int
match_len(const char *text, const char *frame, size_t n, uint32_t len)
{
    int               rc;
    char              err[DOCKET_PCAP_WORDS];
    u_char           *copy;
    docket_filter_t  *f;

    f = make(text, err, NULL);

    if (f == NULL) {
        fail_msg("%s: %s", text, err);
    }

    copy = malloc(n);
    assert_non_null(copy);
    memcpy(copy, frame, n);

    rc = docket_filter_match(f, 1, copy, (uint32_t) n, len);
    assert_memory_equal(copy, frame, n);

    free(copy);
    docket_filter_destroy(f);

    return rc;
}


static int
match(const char *text, const char *frame, size_t n)
{
    return match_len(text, frame, n, (uint32_t) n);
}


/* Of a frame of which the most was not captured. */

static int
long_match(const char *text, const char *frame, size_t n)
{
    return match_len(text, frame, n, UINT32_MAX);
}


static void
test_match(void **state)
{
    size_t  i;

#define F(s)  s, sizeof(s) - 1

    static const struct {
        const char  *frame;
        size_t       n;
        int          v4, v6;
    } v[] = {
        { F(MACS "\x08\0" IP4 TCP80), 1, 0 },
        { F(MACS "\x81\0\0\5\x08\0" IP4 TCP80), 1, 0 },
        { F(MACS "\x88\xa8\0\5\x81\0\0\6\x08\0" IP4 TCP80), 1, 0 },
        { F(MACS "\x91\0\0\5\x81\0\0\6\x86\xdd" IP6 TCP80), 0, 1 },
        { F(MACS "\x88\x47\0\0\1\x40\0\0\2\x41\x40" IP4 TCP80), 0, 0 },
        { F(MACS "\x88\x47\0\0\x10\x40\0\0\x21\x40" IP4 TCP80), 1, 0 },
        { F(MACS "\x88\x48\0\0\x11\x40" IP6 TCP80), 0, 1 },
        { F(MACS "\x81\0\0\5\x88\x47\0\0\x11\x40" IP4 TCP80), 1, 0 },
        { F(MACS "\x86\xdd" IP6 TCP80), 0, 1 },
        { F(MACS "\x81\0\0\5\x81\0\0\6\x81\0\0\7\x08\0" IP4 TCP80), 1, 0 },
        { F(MACS "\x81\0\0\5"), 0, 0 },
        { F(MACS "\x81\0"), 0, 0 },
        { F(MACS "\x88\x47\0\0\x11"), 0, 0 },
        { F(MACS "\x88\x47\0\0\x11\x40"), 0, 0 },
        { F(MACS), 0, 0 }
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        assert_int_equal(match("tcp dst port 80 and host 10.0.0.1",
                               v[i].frame, v[i].n), v[i].v4);
        assert_int_equal(match("tcp dst port 80 and ip6 host 2001:db8::2",
                               v[i].frame, v[i].n), v[i].v6);
        assert_int_equal(match("port 81", v[i].frame, v[i].n), 0);
    }
}


/* What a filter says of a frame without tags, it says of one with tags. */

static void
test_tags(void **state)
{
    size_t  i, k;

    static const struct { const char *frame; size_t n; } frames[] = {
        { F(MACS "\x08\0" IP4 TCP80) },
        { F(MACS "\x81\0\x60\5\x08\0" IP4 TCP80) },
        { F(MACS "\x88\xa8\0\7\x81\0\0\5\x08\0" IP4 TCP80) },
        { F(MACS "\x91\0\0\5\x81\0\0\7\x81\0\0\x9\x08\0" IP4 TCP80) },
        { F(MACS "\x88\x47\0\x06\x41\x40" IP4 TCP80) },
        { F(MACS "\x81\0\0\5\x88\x48\0\x03\x20\x40\0\x06\x41\x40"
            IP4 TCP80) },
        { F(MACS "\x86\xdd" IP6 TCP80) },
        { F(MACS "\x81\0\0\7\x86\xdd" IP6 TCP80) }
    };

    /* one letter for each frame: whether it matches */

    static const struct { const char *text, *matches; } v[] = {
        { "port 80", "yyyyyyyy" },
        { "not port 80", "--------" },
        { "not port 81", "yyyyyyyy" },
        { "not (tcp and dst port 80)", "--------" },
        { "not udp and not port 443", "yyyyyyyy" },
        { "ip", "yyyyyy--" },
        { "not ip", "------yy" },
        { "not ip and not ip6", "--------" },
        { "not host 10.0.0.1", "------yy" },
        { "host 10.0.0.1 or not tcp", "yyyyyy--" },
        { "not ether src 7:10:11:12:13:14", "yyyyyyyy" },
        { "ether src 7:8:9:a:b:c", "yyyyyyyy" },
        { "tcp[13] & 2 != 0", "yyyyyy--" },
        { "not tcp[13] & 2 != 0", "------yy" },

        { "vlan", "-yyy-y-y" },
        { "not vlan", "y---y-y-" },
        { "vlan 5", "-yyy-y--" },
        { "vlan 0x5", "-yyy-y--" },
        { "not vlan 5", "y---y-yy" },
        { "vlan 5 and port 80", "-yyy-y--" },
        { "port 80 and vlan 5", "-yyy-y--" },
        { "vlan 5 and not port 80", "--------" },
        { "vlan 5 and not port 81", "-yyy-y--" },
        { "not (vlan 5 and port 80)", "y---y-yy" },
        { "vlan 5 or vlan 9", "-yyy-y--" },
        { "vlan 7 or vlan 9", "--yy---y" },
        { "vlan 7 and vlan 5", "--yy----" },
        { "not vlan 7 and not vlan 9", "yy--yyy-" },
        { "vlan 9 or ip6", "---y--yy" },
        { "vlan 9 || !ip", "---y--yy" },
        { "(vlan 9 and port 80) or (vlan 7 and ip6)", "---y---y" },
        { "mpls", "----yy--" },
        { "not mpls", "yyyy--yy" },
        { "mpls 100", "----yy--" },
        { "mpls 50", "-----y--" },
        { "mpls 50 and port 80", "-----y--" },
        { "not mpls 50 and port 80", "yyyyy-yy" },
        { "vlan and mpls", "-----y--" },
        { "vlan or mpls 100", "-yyyyy-y" },
        { "vlan 5 and mpls 50 and not port 81", "-----y--" },

        /* the length is that of the whole frame */

        { "len = 54", "y-------" },
        { "ip and len = 58", "-y--y---" },
        { "less 58 and ip", "yy--y---" },
        { "ip and vlan and length = 58", "-y------" },
        { "vlan and less 58", "-y------" },
        { "vlan and greater 59 and ip", "--yy-y--" },
        { "not less 58 and not vlan 7 and ip", "-----y--" },
        { "vlan and len - 8 > 54", "---y-y-y" },

        /* whoever reads the header's bytes has those of the frame */

        { "ether[12:2] = 0x8100", "-y---y-y" },
        { "ether[12:2] = 0x8100 and vlan 5", "-y---y--" },
        { "link[14] = 0x60", "-y----y-" },
        { "ether proto 0x8100", "-y---y-y" },
        { "not ether proto 0x8847", "yyyy-yyy" },
        { "ether proto 0x0800", "yyyyyy--" },
        { "ether proto \\ip6", "------yy" },
        { "port 0x8100 or ip6", "------yy" }
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
        for (k = 0; k < sizeof(frames) / sizeof(frames[0]); k++) {
            if (match(v[i].text, frames[k].frame, frames[k].n)
                != (v[i].matches[k] == 'y'))
            {
                fail_msg("%s: frame %zu", v[i].text, k);
            }
        }
    }

    /* as many words as there are bits, and a length that leaves them alone */

    assert_int_equal(match("vlan 0 or vlan 1 or vlan 2 or vlan 3 or vlan 4 or "
                           "vlan 6 or vlan 7 or vlan 8 or vlan 9 or vlan 10 "
                           "or vlan 6 or vlan or mpls 100 and less 0xffffffff",
                           frames[1].frame, frames[1].n), 1);
    assert_int_equal(long_match("vlan or mpls or greater 1048576",
                                frames[0].frame, frames[0].n), 0);
    assert_int_equal(long_match("not mpls and greater 1048575",
                                frames[0].frame, frames[0].n), 1);
    assert_int_equal(long_match("greater 1048576", frames[0].frame,
                                frames[0].n), 1);
}


/* Tags that are cut off, and such as carry no IP, stay. */

static void
test_tags_rest(void **state)
{
    size_t  i, n;
    char    deep[512];

    static const struct { const char *frame; size_t n; } frames[] = {
        { F(MACS "\x81\0") },
        { F(MACS "\x81\0\0\5") },
        { F(MACS "\x81\0\0\5\x08") },
        { F(MACS "\x88\x47\0\x06\x40") },
        { F(MACS "\x88\x47\0\x06\x40\x40") },
        { F(MACS "\x88\x47\0\x06\x41\x40") },
        { F(MACS "\x88\x47\0\x06\x41\x40" MACS "\x08\0" IP4 TCP80) }
    };

    (void) state;

    for (i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        assert_int_equal(match("port 80", frames[i].frame, frames[i].n), 0);
        assert_int_equal(match("ip", frames[i].frame, frames[i].n), 0);
        assert_int_equal(match("not ip", frames[i].frame, frames[i].n), 1);
        assert_int_equal(match("vlan 5", frames[i].frame, frames[i].n),
                         i == 1 || i == 2);
        assert_int_equal(match("mpls 100", frames[i].frame, frames[i].n),
                         i >= 4);
    }

    /* sixteen tags are looked through, and not one more */

    memcpy(deep, MACS, sizeof(MACS) - 1);
    n = sizeof(MACS) - 1;

    for (i = 0; i < 17; i++, n += 4) {
        memcpy(deep + n, "\x81\0\0\5", 4);

        memcpy(deep + n + 4, "\x08\0" IP4 TCP80, 42);
        assert_int_equal(match("port 80", deep, n + 46), i < 16);
    }

    /* and as many labels */

    memcpy(deep + 12, "\x88\x47", 2);
    n = 14;

    for (i = 0; i < 17; i++, n += 4) {
        memcpy(deep + n, "\0\x06\x41\x40", 4);
        memcpy(deep + n + 4, IP4 TCP80, 40);
        assert_int_equal(match("port 80", deep, n + 44), i < 16);
        deep[n + 2] = 0x40;
    }
}


static void
test_links(void **state)
{
    int               i;
    char              err[DOCKET_PCAP_WORDS];
    u_char            ip[] = IP4 TCP80;
    docket_filter_t  *f;

    (void) state;

    f = make("port 80", err, NULL);
    assert_non_null(f);

    assert_int_equal(docket_filter_match(f, 101, ip, 40, 40), 0);
    assert_int_equal(docket_filter_link(f, 101, err, sizeof(err)), DOCKET_OK);
    assert_int_equal(docket_filter_link(f, 101, err, sizeof(err)), DOCKET_OK);
    assert_int_equal(docket_filter_match(f, 101, ip, 40, 40), 1);

    /* a link type that libpcap knows nothing of, and too many of them */

    assert_int_equal(docket_filter_link(f, 60000, err, sizeof(err)),
                     DOCKET_ERROR);
    assert_true(err[0] != '\0');

    static const int  links[] = { 113, 276, 108, 50, 104, 105, 127 };

    for (i = 0; i < 6; i++) {
        (void) docket_filter_link(f, links[i], err, sizeof(err));
    }

    docket_filter_destroy(f);

    f = make("ether host 1:2:3:4:5:6", err, NULL);
    assert_non_null(f);
    assert_int_equal(docket_filter_link(f, 101, err, sizeof(err)),
                     DOCKET_ERROR);
    assert_true(err[0] != '\0');
    docket_filter_destroy(f);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_traps),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_never_asks),
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_match),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_tags_rest),
        cmocka_unit_test(test_links)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
