/*
 * A filter's text without names; see docket_filter_text.h.
 *
 * libpcap asks the resolver for each word that is not one of its keywords.
 * So each token is made out here, by libpcap's own rules, and only tokens go
 * on that it can't take for a name: keywords, numbers, addresses, operators.
 * They are set apart by blanks, so that it sees the same tokens.
 */

#include <arpa/inet.h>
#include <ctype.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pcap/docket_filter_text.h"


#define DOCKET_FILTER_DEPTH   64      /* of parentheses */
#define DOCKET_FILTER_TERMS   64      /* joined by "and" and "or"; a range of
                                         ports is two */
#define DOCKET_TOKEN_MAX      64
#define DOCKET_NUMBER_MAX     12      /* digits of a number, and a blank */


typedef struct {
    const char            *text;
    size_t                 len;
    size_t                 pos;
    char                  *out;
    size_t                 used;
    size_t                 depth;
    size_t                 terms;     /* beside the first one */
    const char            *before;    /* the keyword right before, or NULL */
    const char            *kind;      /* last of "port", "host", .. */
    char                  *err;
    size_t                 size;
} docket_filter_scan_t;


/* Sorted; of scanner.l of libpcap 1.10 those that need no live interface, no
   resolver and no loop. */

static const char *const  docket_filter_keywords[] = {
    "aarp", "addr1", "addr2", "addr3", "addr4", "address1", "address2",
    "address3", "address4", "ah", "and", "arp", "atalk", "broadcast", "byte",
    "carp", "clnp", "csnp", "decnet", "dir", "direction", "dst", "es-is",
    "esis", "esp", "ether", "fddi", "geneve", "greater", "host", "icmp",
    "icmp-echo", "icmp-echoreply", "icmp-ireq", "icmp-ireqreply",
    "icmp-maskreply", "icmp-maskreq", "icmp-paramprob", "icmp-redirect",
    "icmp-routeradvert", "icmp-routersolicit", "icmp-sourcequench",
    "icmp-timxceed", "icmp-tstamp", "icmp-tstampreply", "icmp-unreach",
    "icmp6", "icmp6-certpathadvert", "icmp6-certpathsolicit",
    "icmp6-destinationunreach", "icmp6-echo", "icmp6-echoreply",
    "icmp6-homeagentdiscoveryreply", "icmp6-homeagentdiscoveryrequest",
    "icmp6-ineighbordiscoveryadvert", "icmp6-ineighbordiscoverysolicit",
    "icmp6-mobileprefixadvert", "icmp6-mobileprefixsolicit",
    "icmp6-multicastlistenerdone", "icmp6-multicastlistenerquery",
    "icmp6-multicastlistenerreportv1", "icmp6-multicastlistenerreportv2",
    "icmp6-multicastrouteradvert", "icmp6-multicastroutersolicit",
    "icmp6-multicastrouterterm", "icmp6-neighboradvert",
    "icmp6-neighborsolicit", "icmp6-nodeinformationquery",
    "icmp6-nodeinformationresponse", "icmp6-packettoobig",
    "icmp6-parameterproblem", "icmp6-redirect", "icmp6-routeradvert",
    "icmp6-routerrenum", "icmp6-routersolicit", "icmp6-timeexceeded",
    "icmp6code", "icmp6type", "icmpcode", "icmptype", "igmp", "igrp", "iih",
    "ip", "ip6", "ipx", "is-is", "isis", "iso", "l1", "l2", "lat", "len",
    "length", "less", "link", "llc", "lsp", "mask", "mopdl", "moprc", "mpls",
    "multicast", "net", "netbeui", "not", "or", "pim", "port", "portrange",
    "ppp", "pppoed", "pppoes", "proto", "psnp", "ra", "rarp", "sca", "sctp",
    "slip", "snp", "src", "stp", "subtype", "ta", "tcp", "tcp-ack",
    "tcp-cwr", "tcp-ece", "tcp-fin", "tcp-push", "tcp-rst", "tcp-syn",
    "tcp-urg", "tcpflags", "tr", "type", "udp", "vlan", "vrrp", "wlan"
};


static int docket_filter_token(docket_filter_scan_t *sc);
static int docket_filter_address(docket_filter_scan_t *sc);
static int docket_filter_word(docket_filter_scan_t *sc, const char *word,
    size_t n);
static int docket_filter_operator(docket_filter_scan_t *sc);
static int docket_filter_term(docket_filter_scan_t *sc, const char *p,
    size_t n, const char *why);
static int docket_filter_escaped(docket_filter_scan_t *sc);
static int docket_filter_service(docket_filter_scan_t *sc, const char *word,
    const char *before);
static int docket_filter_protocol(docket_filter_scan_t *sc, const char *word,
    int *number);
static const char *docket_filter_keyword(const char *word);
static int docket_filter_is_number(const char *p, size_t n);
static int docket_filter_is_dotted(const char *word);
static int docket_filter_is_mac(const char *word);
static int docket_filter_is_range(const char *word);
static void docket_filter_put(docket_filter_scan_t *sc, const char *p,
    size_t n);
static int docket_filter_bad(docket_filter_scan_t *sc, const char *p,
    size_t n, const char *why);


char *
docket_filter_text(const char *text, size_t len, char *err, size_t size,
    long *position)
{
    docket_filter_scan_t  sc;

    if (len > DOCKET_MAX_FILTER) {
        (void) snprintf(err, size, "longer than %d bytes", DOCKET_MAX_FILTER);
        return NULL;
    }

    memset(&sc, 0, sizeof(docket_filter_scan_t));

    sc.text = text;
    sc.len = len;
    sc.err = err;
    sc.size = size;

    sc.out = malloc(len * DOCKET_NUMBER_MAX + 1);
    if (sc.out == NULL) {
        (void) snprintf(err, size, "out of memory");
        return NULL;
    }

    for ( ;; ) {

        while (sc.pos < len && strchr(" \t\r\n", text[sc.pos]) != NULL
               && text[sc.pos] != '\0')
        {
            sc.pos++;
        }

        if (sc.pos == len) {
            break;
        }

        if (docket_filter_token(&sc) != DOCKET_OK) {
            *position = (long) sc.pos;
            free(sc.out);
            return NULL;
        }
    }

    if (sc.used == 0) {
        (void) snprintf(err, size, "empty");
        free(sc.out);
        return NULL;
    }

    sc.out[sc.used] = '\0';

    return sc.out;
}


static int
docket_filter_bad(docket_filter_scan_t *sc, const char *p, size_t n,
    const char *why)
{
    char  seen[4 * 32 + 1];

    docket_pcap_escape(seen, sizeof(seen), (const u_char *) p,
                       n > 32 ? 32 : n);

    (void) snprintf(sc->err, sc->size, "\"%s\" %s", seen, why);

    return DOCKET_ERROR;
}


static void
docket_filter_put(docket_filter_scan_t *sc, const char *p, size_t n)
{
    memcpy(sc->out + sc->used, p, n);
    sc->used += n;
    sc->out[sc->used++] = ' ';
}


static int
docket_filter_token(docket_filter_scan_t *sc)
{
    size_t       n, left;
    const char  *p;
    char         word[DOCKET_TOKEN_MAX];

    p = sc->text + sc->pos;
    left = sc->len - sc->pos;

    if (docket_filter_address(sc)) {
        return DOCKET_OK;
    }

    if (*p == '\\') {
        return docket_filter_escaped(sc);
    }

    if (!isalnum((u_char) *p)) {
        return docket_filter_operator(sc);
    }

    for (n = 1; n < left; n++) {
        if (!isalnum((u_char) p[n]) && strchr("-_.", p[n]) == NULL) {
            break;
        }

        if (p[n] == '\0') {
            break;
        }
    }

    /* a word ends neither in "-" nor in "_": these are the next token */

    while (p[n - 1] == '-' || p[n - 1] == '_') {
        n--;
    }

    if (n >= sizeof(word)) {
        return docket_filter_bad(sc, p, n, "is no word of the language");
    }

    memcpy(word, p, n);
    word[n] = '\0';

    if (docket_filter_word(sc, word, n) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    sc->pos += n;

    return DOCKET_OK;
}


/* Addresses with colons; inside of brackets a colon is an operator. */

static int
docket_filter_address(docket_filter_scan_t *sc)
{
    size_t           n, left, colons;
    const char      *p;
    char             word[DOCKET_TOKEN_MAX];
    struct in6_addr  addr;

    p = sc->text + sc->pos;
    left = sc->len - sc->pos;

    for (n = 0, colons = 0; n < left && n < sizeof(word) - 1; n++) {

        if (p[n] == ':') {
            colons++;
            continue;
        }

        if (!isxdigit((u_char) p[n]) && p[n] != '.') {
            break;
        }
    }

    if (colons < 2 || (n < left && (isalnum((u_char) p[n]) || p[n] == '_'))) {
        return 0;
    }

    memcpy(word, p, n);
    word[n] = '\0';

    if (inet_pton(AF_INET6, word, &addr) != 1 && !docket_filter_is_mac(word)) {
        return 0;
    }

    docket_filter_put(sc, word, n);

    sc->before = NULL;
    sc->pos += n;

    return 1;
}


static int
docket_filter_word(docket_filter_scan_t *sc, const char *word, size_t n)
{
    const char  *before, *keyword;

    before = sc->before;
    sc->before = NULL;

    keyword = docket_filter_keyword(word);

    if (keyword != NULL) {

        if (strcmp(keyword, "port") == 0 || strcmp(keyword, "host") == 0
            || strcmp(keyword, "net") == 0 || strcmp(keyword, "proto") == 0
            || strcmp(keyword, "portrange") == 0)
        {
            sc->kind = keyword;
        }

        if ((strcmp(keyword, "and") == 0 || strcmp(keyword, "or") == 0)
            && docket_filter_term(sc, word, n, "joins more than 64 terms")
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        if (strcmp(keyword, "portrange") == 0
            && docket_filter_term(sc, word, n, "is two terms, and they are "
                                  "more than 64")
               != DOCKET_OK)
        {
            return DOCKET_ERROR;
        }

        sc->before = keyword;
        docket_filter_put(sc, word, n);

        return DOCKET_OK;
    }

    if (docket_filter_is_number(word, n) || docket_filter_is_dotted(word)
        || docket_filter_is_mac(word))
    {
        docket_filter_put(sc, word, n);
        return DOCKET_OK;
    }

    if (before != NULL && strcmp(before, "portrange") == 0) {

        if (docket_filter_is_range(word)) {
            docket_filter_put(sc, word, n);
            return DOCKET_OK;
        }

        return docket_filter_bad(sc, word, n, "is no range of port numbers");
    }

    if (strcmp(word, "gateway") == 0 || strcmp(word, "protochain") == 0) {
        return docket_filter_bad(sc, word, n, "is not supported here");
    }

    return docket_filter_service(sc, word, before);
}


/* What is neither word nor address; two signs together where libpcap has
   such. */

static int
docket_filter_operator(docket_filter_scan_t *sc)
{
    size_t       i, n;
    const char  *p;

    static const char *const  pairs[] = {
        "&&", "||", ">=", "<=", "!=", "==", "<<", ">>"
    };

    p = sc->text + sc->pos;
    n = 1;

    for (i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (sc->len - sc->pos >= 2 && memcmp(p, pairs[i], 2) == 0) {
            n = 2;
        }
    }

    if (*p == '\0' || strchr("+-*/%:[]!<>()&|^=", *p) == NULL) {
        return docket_filter_bad(sc, p, 1, "does not belong in a filter");
    }

    if (*p == '(' && ++sc->depth > DOCKET_FILTER_DEPTH) {
        return docket_filter_bad(sc, p, 1, "is nested too deep");
    }

    if (*p == ')' && sc->depth > 0) {
        sc->depth--;
    }

    if (n == 2 && (*p == '&' || *p == '|')
        && docket_filter_term(sc, p, n, "joins more than 64 terms")
           != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    docket_filter_put(sc, p, n);

    sc->before = NULL;
    sc->pos += n;

    return DOCKET_OK;
}


/* libpcap's time grows by the square of the terms: of ports, 0.03 s for 64 of
   them, and a third of a second for the hundred that a filter has room for.  A
   range of ports has twice the comparisons. */

static int
docket_filter_term(docket_filter_scan_t *sc, const char *p, size_t n,
    const char *why)
{
    if (++sc->terms == DOCKET_FILTER_TERMS) {
        return docket_filter_bad(sc, p, n, why);
    }

    return DOCKET_OK;
}


/* "\tcp": a protocol whose name is a keyword too; only right after "proto". */

static int
docket_filter_escaped(docket_filter_scan_t *sc)
{
    int          number;
    size_t       n, left;
    const char  *p;
    char         word[DOCKET_TOKEN_MAX], text[DOCKET_NUMBER_MAX];

    p = sc->text + sc->pos + 1;
    left = sc->len - sc->pos - 1;

    for (n = 0; n < left && n < sizeof(word) - 1; n++) {
        if (!isalnum((u_char) p[n]) && p[n] != '-') {
            break;
        }
    }

    memcpy(word, p, n);
    word[n] = '\0';

    if (sc->before == NULL || strcmp(sc->before, "proto") != 0
        || !docket_filter_protocol(sc, word, &number))
    {
        return docket_filter_bad(sc, p - 1, n + 1,
                                 "is no protocol's name after \"proto\"");
    }

    (void) snprintf(text, sizeof(text), "%d", number);
    docket_filter_put(sc, text, strlen(text));

    sc->before = NULL;
    sc->pos += n + 1;

    return DOCKET_OK;
}


/* "ether proto" has its own names, the others those of the local table. */

static int
docket_filter_protocol(docket_filter_scan_t *sc, const char *word,
    int *number)
{
    char              buf[1024];
    size_t            i;
    const char       *ether;
    struct protoent   entry, *found;

    static const struct {
        const char  *name;
        int          number;
    } types[] = {
        { "ip", 0x0800 }, { "arp", 0x0806 }, { "rarp", 0x8035 },
        { "ip6", 0x86dd }, { "atalk", 0x809b }, { "aarp", 0x80f3 },
        { "decnet", 0x6003 }, { "lat", 0x6004 }, { "sca", 0x6007 },
        { "moprc", 0x6002 }, { "mopdl", 0x6001 }
    };

    /* the last tokens are "ether proto" */

    ether = "ether proto ";
    i = strlen(ether);

    if (sc->used >= i && memcmp(sc->out + sc->used - i, ether, i) == 0) {

        for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
            if (strcmp(types[i].name, word) == 0) {
                *number = types[i].number;
                return 1;
            }
        }

        return 0;
    }

    if (word[0] == '\0'
        || getprotobyname_r(word, &entry, buf, sizeof(buf), &found) != 0
        || found == NULL)
    {
        return 0;
    }

    *number = found->p_proto;

    return 1;
}


static int
docket_filter_service(docket_filter_scan_t *sc, const char *word,
    const char *before)
{
    int              rc, number;
    char             buf[1024], text[DOCKET_NUMBER_MAX];
    struct servent   entry, *found;

    if (before != NULL && strcmp(before, "proto") == 0
        && docket_filter_protocol(sc, word, &number))
    {
        (void) snprintf(text, sizeof(text), "%d", number);
        docket_filter_put(sc, text, strlen(text));
        return DOCKET_OK;
    }

    if (sc->kind == NULL || strcmp(sc->kind, "port") != 0) {
        return docket_filter_bad(sc, word, strlen(word),
                                 "is no word of the language, and names are "
                                 "not looked up: give an address or a number");
    }

    rc = getservbyname_r(word, NULL, &entry, buf, sizeof(buf), &found);

    if (rc != 0 || found == NULL) {
        return docket_filter_bad(sc, word, strlen(word),
                                 "is no service known here: give the port's "
                                 "number");
    }

    (void) snprintf(text, sizeof(text), "%u",
                    (unsigned) ntohs((uint16_t) found->s_port));
    docket_filter_put(sc, text, strlen(text));

    return DOCKET_OK;
}


static const char *
docket_filter_keyword(const char *word)
{
    int     rc;
    size_t  low, high, mid;

    low = 0;
    high = sizeof(docket_filter_keywords) / sizeof(docket_filter_keywords[0]);

    while (low < high) {

        mid = (low + high) / 2;
        rc = strcmp(word, docket_filter_keywords[mid]);

        if (rc == 0) {
            return docket_filter_keywords[mid];
        }

        if (rc < 0) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return NULL;
}


/* Decimal, or hexadecimal after 0x; at most ten digits. */

static int
docket_filter_is_number(const char *p, size_t n)
{
    size_t  i;

    if (n > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {

        for (i = 2; i < n && isxdigit((u_char) p[i]); i++) { /* void */ }

        return (i == n && n <= 10);
    }

    for (i = 0; i < n && isdigit((u_char) p[i]); i++) { /* void */ }

    return (i == n && n > 0 && n <= 10);
}


/* Two to four decimal numbers with dots between. */

static int
docket_filter_is_dotted(const char *word)
{
    size_t       n;
    unsigned     parts;
    const char  *p;

    for (p = word, parts = 1; /* void */ ; p += n + 1, parts++) {

        n = strspn(p, "0123456789");

        if (n == 0 || n > 5) {
            return 0;
        }

        if (p[n] == '\0') {
            break;
        }

        if (p[n] != '.') {
            return 0;
        }
    }

    return (parts >= 2 && parts <= 4);
}


/* Six bytes with ":", "-" or "." between, three words with ".", or twelve
   digits. */

static int
docket_filter_is_mac(const char *word)
{
    size_t       n, len;
    char         sep;
    unsigned     parts, width;
    const char  *p;

    len = strspn(word, "0123456789abcdefABCDEF");
    sep = word[len];

    if (sep == '\0') {
        return (len == 12);
    }

    if (sep != ':' && sep != '-' && sep != '.') {
        return 0;
    }

    width = (sep == '.' && len == 4) ? 4 : 2;

    for (p = word, parts = 1; /* void */ ; p += n + 1, parts++) {

        n = strspn(p, "0123456789abcdefABCDEF");

        if (n == 0 || n > width || (width == 4 && n != 4)) {
            return 0;
        }

        if (p[n] == '\0') {
            break;
        }

        if (p[n] != sep) {
            return 0;
        }
    }

    return (parts == (width == 4 ? 3 : 6));
}


static int
docket_filter_is_range(const char *word)
{
    size_t  n, k;

    n = strspn(word, "0123456789");

    if (n == 0 || n > 5 || word[n] != '-') {
        return 0;
    }

    k = strspn(word + n + 1, "0123456789");

    return (k > 0 && k <= 5 && word[n + 1 + k] == '\0');
}
