/*
 * Tags of frames, and the words of a filter that ask for them; see
 * docket_filter_tags.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "pcap/docket_filter_tags.h"


#define DOCKET_FILTER_MASK    ((1U << DOCKET_FILTER_LEN) - 1)
#define DOCKET_FILTER_GROWTH  8       /* bytes made of one, at most */


typedef struct {
    docket_filter_tags_t  *tags;
    char                  *out;
    size_t                 used;
    const char            *token;
    size_t                 len;       /* of it */
    const char            *next;      /* what comes behind the token */
    unsigned               link:1;    /* the token before is a link's name */
    unsigned               types:1;   /* "ether proto" has been seen, */
    unsigned               geneve:1;  /*   or "geneve" */
} docket_filter_tokens_t;


static int docket_filter_tags_next(docket_filter_tokens_t *k);
static int docket_filter_tags_is(const docket_filter_tokens_t *k,
    const char *word);
static void docket_filter_tags_bytes(docket_filter_tokens_t *k);
static int docket_filter_tags_word(docket_filter_tokens_t *k);
static int docket_filter_tags_number(const char *p, uint32_t *number);
static int docket_filter_is_vlan(uint32_t type);
static int docket_filter_is_mpls(uint32_t type);
static uint32_t docket_filter_found(const docket_filter_tags_t *t,
    unsigned mpls, uint32_t number);


static inline uint32_t
docket_filter_u16(const u_char *p)
{
    return (uint32_t) p[0] << 8 | p[1];
}


static void
docket_filter_tags_put(docket_filter_tokens_t *k, const char *p, size_t n)
{
    memcpy(k->out + k->used, p, n);
    k->used += n;
    k->out[k->used++] = ' ';
}


char *
docket_filter_tags_text(docket_filter_tags_t *t, const char *text, char *err,
    size_t size)
{
    int                     n;
    char                    buf[64];
    docket_filter_tokens_t  k;

    memset(t, 0, sizeof(docket_filter_tags_t));
    memset(&k, 0, sizeof(docket_filter_tokens_t));

    k.tags = t;
    k.next = text;

    k.out = malloc(strlen(text) * DOCKET_FILTER_GROWTH + 1);
    if (k.out == NULL) {
        (void) snprintf(err, size, "out of memory");
        return NULL;
    }

    while (docket_filter_tags_next(&k)) {

        docket_filter_tags_bytes(&k);

        n = 0;

        if (docket_filter_tags_is(&k, "vlan")
            || docket_filter_tags_is(&k, "mpls"))
        {
            n = docket_filter_tags_word(&k);

            if (n == DOCKET_ERROR) {
                (void) snprintf(err, size, "more than %d different words "
                                "\"vlan\" and \"mpls\"", DOCKET_FILTER_WORDS);
                free(k.out);
                return NULL;
            }

            n = snprintf(buf, sizeof(buf), "( len & 0x%x != 0 )",
                         1U << (DOCKET_FILTER_LEN + n));

        } else if (docket_filter_tags_is(&k, "len")
                   || docket_filter_tags_is(&k, "length"))
        {
            n = snprintf(buf, sizeof(buf), "( len & 0x%x )",
                         DOCKET_FILTER_MASK);

        } else if (docket_filter_tags_is(&k, "less")) {
            n = snprintf(buf, sizeof(buf), "len & 0x%x <=",
                         DOCKET_FILTER_MASK);

        } else if (docket_filter_tags_is(&k, "greater")) {
            n = snprintf(buf, sizeof(buf), "len & 0x%x >=",
                         DOCKET_FILTER_MASK);
        }

        if (n > 0) {
            docket_filter_tags_put(&k, buf, (size_t) n);

        } else {
            docket_filter_tags_put(&k, k.token, k.len);
        }
    }

    /* "vlan" behind "geneve" is about the frame inside */

    if (k.geneve && t->n > 0) {
        t->bytes = 1;
    }

    if (t->bytes || t->n == 0) {
        t->n = 0;
        strcpy(k.out, text);
        return k.out;
    }

    k.out[k.used] = '\0';

    return k.out;
}


/* Each token has one blank behind it. */

static int
docket_filter_tags_next(docket_filter_tokens_t *k)
{
    k->token = k->next;
    k->len = strcspn(k->token, " ");

    if (k->len == 0) {
        return 0;
    }

    k->next = k->token + k->len + 1;

    return 1;
}


static int
docket_filter_tags_is(const docket_filter_tokens_t *k, const char *word)
{
    return (strlen(word) == k->len && memcmp(k->token, word, k->len) == 0);
}


/* Notices "ether[..", and a tag's type behind "ether proto". */

static void
docket_filter_tags_bytes(docket_filter_tokens_t *k)
{
    size_t    i;
    unsigned  link;
    uint32_t  number;

    static const char *const  links[] = {
        "ether", "fddi", "link", "ppp", "slip", "tr", "wlan"
    };

    link = 0;

    for (i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        link |= docket_filter_tags_is(k, links[i]);
    }

    if (k->link && docket_filter_tags_is(k, "[")) {
        k->tags->bytes = 1;
    }

    k->types |= k->link && docket_filter_tags_is(k, "proto");
    k->geneve |= docket_filter_tags_is(k, "geneve");

    if (k->types && docket_filter_tags_number(k->token, &number)
        && (docket_filter_is_vlan(number) || docket_filter_is_mpls(number)))
    {
        k->tags->bytes = 1;
    }

    k->link = link;
}


/* Number of the word, which with its number is one; DOCKET_ERROR: one too
   many. */

static int
docket_filter_tags_word(docket_filter_tokens_t *k)
{
    size_t                 i;
    docket_filter_tags_t  *t;
    docket_filter_word_t   word;

    t = k->tags;

    word.mpls = docket_filter_tags_is(k, "mpls");

    if (docket_filter_tags_number(k->next, &word.number)) {
        (void) docket_filter_tags_next(k);

    } else {
        word.number = DOCKET_FILTER_ANY;
    }

    for (i = 0; i < t->n; i++) {
        if (t->words[i].mpls == word.mpls
            && t->words[i].number == word.number)
        {
            return (int) i;
        }
    }

    if (t->n == DOCKET_FILTER_WORDS) {
        return DOCKET_ERROR;
    }

    t->words[t->n++] = word;

    return (int) i;
}


/* As libpcap reads it. */

static int
docket_filter_tags_number(const char *p, uint32_t *number)
{
    char  *end;

    if (*p < '0' || *p > '9') {
        return 0;
    }

    *number = (uint32_t) strtoul(p, &end, 0);

    return (*end == ' ');
}


static int
docket_filter_is_vlan(uint32_t type)
{
    return (type == 0x8100 || type == 0x88a8 || type == 0x9100);
}


static int
docket_filter_is_mpls(uint32_t type)
{
    return (type == 0x8847 || type == 0x8848);
}


void
docket_filter_tags_find(const docket_filter_tags_t *t, const u_char *data,
    uint32_t caplen, docket_filter_frame_t *frame)
{
    uint32_t  off, i, version, label;

    off = DOCKET_ETHER_MACS;

    frame->off = off;
    frame->type = docket_filter_u16(data + off);
    frame->found = 0;

    for (i = 0; i < DOCKET_FILTER_TAGS; i++) {

        if (!docket_filter_is_vlan(frame->type) || caplen < off + 4) {
            break;
        }

        frame->found |= docket_filter_found(t, 0,
                                   docket_filter_u16(data + off + 2) & 0xfff);

        if (caplen < off + 6) {
            break;
        }

        off += 4;
        frame->off = off;
        frame->type = docket_filter_u16(data + off);
    }

    if (!docket_filter_is_mpls(frame->type)) {
        return;
    }

    for (i = 0; i < DOCKET_FILTER_LABELS; i++) {

        if (caplen < off + 6) {
            return;
        }

        label = docket_filter_u16(data + off + 2) << 4 | data[off + 4] >> 4;
        frame->found |= docket_filter_found(t, 1, label);

        off += 4;

        if (data[off] & 0x01) {
            break;
        }
    }

    if (i == DOCKET_FILTER_LABELS || caplen < off + 3) {
        return;
    }

    /* the label does not say what it carries: IP says so itself */

    version = data[off + 2] >> 4;

    if (version == 4 || version == 6) {
        frame->off = off;
        frame->type = (version == 4) ? 0x0800 : 0x86dd;
    }
}


static uint32_t
docket_filter_found(const docket_filter_tags_t *t, unsigned mpls,
    uint32_t number)
{
    size_t    i;
    uint32_t  found;

    found = 0;

    for (i = 0; i < t->n; i++) {
        if (t->words[i].mpls == mpls
            && (t->words[i].number == number
                || t->words[i].number == DOCKET_FILTER_ANY))
        {
            found |= 1U << i;
        }
    }

    return found;
}


uint32_t
docket_filter_tags_len(const docket_filter_tags_t *t, uint32_t len,
    const docket_filter_frame_t *frame)
{
    if (t->n == 0) {
        return len;
    }

    if (len > DOCKET_FILTER_MASK) {
        len = DOCKET_FILTER_MASK;
    }

    return len | frame->found << DOCKET_FILTER_LEN;
}
