/*
 * Compiled filters and their match; see docket_filter.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>
#include "pcap/docket_filter.h"
#include "pcap/docket_filter_text.h"


#define DOCKET_ETHER_HEADER   14
#define DOCKET_ETHER_MACS     12
#define DOCKET_FILTER_LABELS  16      /* MPLS labels that are looked through */


typedef struct {
    int                    link;
    struct bpf_program     program;
} docket_filter_program_t;


struct docket_filter_s {
    docket_filter_program_t  programs[DOCKET_FILTER_LINKS];
    size_t                   n;
    char                    *text;    /* as libpcap sees it */
};


static int docket_filter_compile(docket_filter_t *f, int link, char *err,
    size_t size);
static int docket_filter_tagged(const struct bpf_program *program,
    u_char *data, uint32_t caplen, uint32_t len);
static int docket_filter_run(const struct bpf_program *program, u_char *data,
    uint32_t caplen, uint32_t len, uint32_t off, uint32_t type);


docket_filter_t *
docket_filter_create(const char *text, size_t len, char *err, size_t size,
    long *position)
{
    long              at;
    docket_filter_t  *f;

    if (position == NULL) {
        position = &at;
    }

    *position = -1;

    f = calloc(1, sizeof(docket_filter_t));
    if (f == NULL) {
        (void) snprintf(err, size, "out of memory");
        return NULL;
    }

    f->text = docket_filter_text(text, len, err, size, position);

    if (f->text == NULL
        || docket_filter_compile(f, DLT_EN10MB, err, size) != DOCKET_OK)
    {
        docket_filter_destroy(f);
        return NULL;
    }

    return f;
}


void
docket_filter_destroy(docket_filter_t *f)
{
    size_t  i;

    if (f == NULL) {
        return;
    }

    for (i = 0; i < f->n; i++) {
        pcap_freecode(&f->programs[i].program);
    }

    free(f->text);
    free(f);
}


int
docket_filter_link(docket_filter_t *f, int link, char *err, size_t size)
{
    size_t  i;

    for (i = 0; i < f->n; i++) {
        if (f->programs[i].link == link) {
            return DOCKET_OK;
        }
    }

    return docket_filter_compile(f, link, err, size);
}


static int
docket_filter_compile(docket_filter_t *f, int link, char *err, size_t size)
{
    int                       rc;
    pcap_t                   *pcap;
    docket_filter_program_t  *p;

    if (f->n == DOCKET_FILTER_LINKS) {
        (void) snprintf(err, size, "too many link types");
        return DOCKET_ERROR;
    }

    pcap = pcap_open_dead(docket_link_dlt(link), DOCKET_PCAP_SNAPLEN);
    if (pcap == NULL) {
        (void) snprintf(err, size, "out of memory");
        return DOCKET_ERROR;
    }

    p = &f->programs[f->n];
    p->link = link;

    rc = pcap_compile(pcap, &p->program, f->text, 1, PCAP_NETMASK_UNKNOWN);

    if (rc != 0) {
        (void) snprintf(err, size, "%s", pcap_geterr(pcap));

    } else {
        f->n++;
    }

    pcap_close(pcap);

    return (rc == 0) ? DOCKET_OK : DOCKET_ERROR;
}


int
docket_filter_match(docket_filter_t *f, int link, u_char *data,
    uint32_t caplen, uint32_t len)
{
    size_t                     i;
    const struct bpf_program  *program;

    program = NULL;

    for (i = 0; i < f->n; i++) {
        if (f->programs[i].link == link) {
            program = &f->programs[i].program;
            break;
        }
    }

    if (program == NULL) {
        return 0;
    }

    if (bpf_filter(program->bf_insns, data, len, caplen) != 0) {
        return 1;
    }

    if (link != DLT_EN10MB || caplen < DOCKET_ETHER_HEADER) {
        return 0;
    }

    return docket_filter_tagged(program, data, caplen, len);
}


static uint32_t
docket_filter_u16(const u_char *p)
{
    return (uint32_t) p[0] << 8 | p[1];
}


/* "off" is where the type of what follows stands; it moves behind each tag. */

static int
docket_filter_tagged(const struct bpf_program *program, u_char *data,
    uint32_t caplen, uint32_t len)
{
    u_char    *p;
    uint32_t   off, type, i;

    off = DOCKET_ETHER_MACS;
    type = docket_filter_u16(data + off);

    for (i = 0; i < 2; i++) {

        if (type != 0x8100 && type != 0x88a8 && type != 0x9100) {
            break;
        }

        if (caplen < off + 6) {
            return 0;
        }

        off += 4;
        type = docket_filter_u16(data + off);

        if (docket_filter_run(program, data, caplen, len, off, type)) {
            return 1;
        }
    }

    if (type != 0x8847 && type != 0x8848) {
        return 0;
    }

    for (i = 0; i < DOCKET_FILTER_LABELS; i++) {

        off += 4;

        if (caplen < off + 3) {
            return 0;
        }

        if (data[off] & 0x01) {
            break;
        }
    }

    /* the label does not say what it carries: IP says so itself */

    p = data + off + 2;

    if (i == DOCKET_FILTER_LABELS) {
        return 0;
    }

    switch (p[0] >> 4) {

    case 4:
        type = 0x0800;
        break;

    case 6:
        type = 0x86dd;
        break;

    default:
        return 0;
    }

    return docket_filter_run(program, data, caplen, len, off, type);
}


/*
 * Matches the frame that begins with the addresses and "type" and goes on at
 * off + 2.  Its header is put right before that, over the tags, and these are
 * put back afterwards: so the filter sees all bytes, and none is copied but
 * these fourteen.
 */

static int
docket_filter_run(const struct bpf_program *program, u_char *data,
    uint32_t caplen, uint32_t len, uint32_t off, uint32_t type)
{
    int        rc;
    u_char    *frame, saved[DOCKET_ETHER_HEADER], head[DOCKET_ETHER_HEADER];
    uint32_t   cut;

    cut = off - DOCKET_ETHER_MACS;
    frame = data + cut;

    memcpy(head, data, DOCKET_ETHER_MACS);
    head[12] = (u_char) (type >> 8);
    head[13] = (u_char) type;

    memcpy(saved, frame, DOCKET_ETHER_HEADER);
    memcpy(frame, head, DOCKET_ETHER_HEADER);

    rc = (bpf_filter(program->bf_insns, frame, len > cut ? len - cut : 0,
                     caplen - cut)
          != 0);

    memcpy(frame, saved, DOCKET_ETHER_HEADER);

    return rc;
}
