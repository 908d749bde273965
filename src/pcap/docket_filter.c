/*
 * Compiled filters and their match; see docket_filter.h.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pcap/pcap.h>
#include "pcap/docket_filter.h"
#include "pcap/docket_filter_tags.h"
#include "pcap/docket_filter_text.h"


typedef struct {
    int                    link;
    struct bpf_program     program;
} docket_filter_program_t;


struct docket_filter_s {
    docket_filter_program_t  programs[DOCKET_FILTER_LINKS];
    size_t                   n;
    char                    *text;    /* as libpcap sees it */
    docket_filter_tags_t     tags;
};


static int docket_filter_ethernet(docket_filter_t *f, char *err, size_t size);
static int docket_filter_compile(docket_filter_t *f, int link,
    const char *text, int optimize, char *err, size_t size);
static int docket_filter_run(const struct bpf_program *program, u_char *data,
    uint32_t caplen, uint32_t len, const docket_filter_frame_t *frame);


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
        || docket_filter_ethernet(f, err, size) != DOCKET_OK)
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

    return docket_filter_compile(f, link, f->text, 1, err, size);
}


/*
 * libpcap judges the text as it was given, too, but not by what it would
 * match: that no packet has port 80 before its tag does not matter here.
 */

static int
docket_filter_ethernet(docket_filter_t *f, char *err, size_t size)
{
    int    rc;
    char  *text;

    text = docket_filter_tags_text(&f->tags, f->text, err, size);
    if (text == NULL) {
        return DOCKET_ERROR;
    }

    rc = DOCKET_OK;

    if (f->tags.n > 0) {
        rc = docket_filter_compile(f, DLT_EN10MB, f->text, 0, err, size);

        if (rc == DOCKET_OK) {
            pcap_freecode(&f->programs[--f->n].program);
        }
    }

    if (rc == DOCKET_OK) {
        rc = docket_filter_compile(f, DLT_EN10MB, text, 1, err, size);
    }

    free(text);

    return rc;
}


static int
docket_filter_compile(docket_filter_t *f, int link, const char *text,
    int optimize, char *err, size_t size)
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

    rc = pcap_compile(pcap, &p->program, text, optimize,
                      PCAP_NETMASK_UNKNOWN);

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
    docket_filter_frame_t      frame;
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

    if (link != DLT_EN10MB || caplen < DOCKET_ETHER_HEADER || f->tags.bytes) {
        return (bpf_filter(program->bf_insns, data, len, caplen) != 0);
    }

    docket_filter_tags_find(&f->tags, data, caplen, &frame);

    len = docket_filter_tags_len(&f->tags, len, &frame);

    if (frame.off == DOCKET_ETHER_MACS) {
        return (bpf_filter(program->bf_insns, data, len, caplen) != 0);
    }

    return docket_filter_run(program, data, caplen, len, &frame);
}


/*
 * Matches the frame that begins with the addresses and the type and goes on
 * behind the tags.  Its header is put right before that, over the tags, and
 * these are put back afterwards: so the filter sees all bytes, and none is
 * copied but these fourteen.
 */

static int
docket_filter_run(const struct bpf_program *program, u_char *data,
    uint32_t caplen, uint32_t len, const docket_filter_frame_t *frame)
{
    int        rc;
    u_char    *p, saved[DOCKET_ETHER_HEADER], head[DOCKET_ETHER_HEADER];
    uint32_t   cut;

    cut = frame->off - DOCKET_ETHER_MACS;
    p = data + cut;

    memcpy(head, data, DOCKET_ETHER_MACS);
    head[12] = (u_char) (frame->type >> 8);
    head[13] = (u_char) frame->type;

    memcpy(saved, p, DOCKET_ETHER_HEADER);
    memcpy(p, head, DOCKET_ETHER_HEADER);

    rc = (bpf_filter(program->bf_insns, p, len, caplen - cut) != 0);

    memcpy(p, saved, DOCKET_ETHER_HEADER);

    return rc;
}
