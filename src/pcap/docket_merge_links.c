/*
 * Which streams take part in the merge: those of the link type that it has;
 * see docket_merge_core.h.
 */

#include <stdio.h>
#include <pcap/pcap.h>
#include "pcap/docket_merge_core.h"


static int docket_merge_vote(docket_merge_t *m);


/*
 * The link type that most streams with packets have; of equally many Ethernet
 * if it is among them, else that of the first stream.
 */

static int
docket_merge_vote(docket_merge_t *m)
{
    int     link, best, empty;
    size_t  i, k, votes, most;
    struct {
        int       link;
        size_t    votes;
    } list[64];
    size_t  n;

    best = -1;
    empty = -1;
    n = 0;

    for (i = 0; i < m->n; i++) {

        link = m->inputs[i].link;

        if (m->inputs[i].left) {
            empty = (empty == -1) ? link : empty;
            continue;
        }

        for (k = 0; k < n && list[k].link != link; k++) { /* void */ }

        if (k == sizeof(list) / sizeof(list[0])) {
            continue;
        }

        if (k == n) {
            list[n].link = link;
            list[n].votes = 0;
            n++;
        }

        list[k].votes++;
    }

    for (k = 0, most = 0; k < n; k++) {

        votes = list[k].votes;

        if (votes > most || (votes == most && list[k].link == DLT_EN10MB)) {
            most = votes;
            best = list[k].link;
        }
    }

    if (best == -1) {
        best = (empty == -1) ? DLT_EN10MB : empty;
    }

    return best;
}


int
docket_merge_choose(docket_merge_t *m)
{
    size_t  i;

    m->count.link = docket_merge_vote(m);

    for (i = 0; i < m->n; i++) {

        if (m->inputs[i].left) {
            m->keys[i] = DOCKET_PCAP_TIME_MAX;
            continue;
        }

        if (m->inputs[i].link != m->count.link) {
            docket_merge_refuse(m, i);
            m->keys[i] = DOCKET_PCAP_TIME_MAX;
            continue;
        }

        m->count.nano |= docket_stream_nano(m->inputs[i].stream);
    }

    if (m->conf.filter != NULL
        && docket_filter_link(m->conf.filter, m->count.link, m->err,
                              sizeof(m->err))
           != DOCKET_OK)
    {
        return docket_merge_fail(m, m->err, 0);
    }

    return docket_merge_open(m);
}


void
docket_merge_refuse(docket_merge_t *m, size_t i)
{
    char  a[32], b[32], words[DOCKET_PCAP_WORDS];

    (void) snprintf(words, sizeof(words), "link type %s, the others have %s",
                    docket_link_name(docket_stream_link(m->inputs[i].stream),
                                     a, sizeof(a)),
                    docket_link_name(m->count.link, b, sizeof(b)));

    docket_merge_leave(m, i, words);
}


void
docket_merge_leave(docket_merge_t *m, size_t i, const char *words)
{
    docket_merge_input_t  *in;

    in = &m->inputs[i];

    if (in->left) {
        return;
    }

    (void) snprintf(in->reason, sizeof(in->reason), "%s", words);
    docket_stream_drop(in->stream, words);

    in->left = 1;
    in->p = NULL;
    in->end = NULL;

    /* it keeps its place in the tree, and is found to have left when it
       wins: only from the winner can the tree be played again */
}
