/*
 * Inside of the merge; for docket_merge*.c alone.
 */

#ifndef DOCKET_MERGE_CORE_H
#define DOCKET_MERGE_CORE_H


#include "pcap/docket_merge.h"


typedef struct {
    docket_stream_t       *stream;
    u_char                *p;         /* records taken and not merged yet */
    u_char                *end;
    uint64_t               packets;
    uint64_t               bytes;
    int                    link;      /* when the merge began */
    unsigned               left:1;    /* nothing more comes */
    char                   reason[DOCKET_PCAP_WORDS];
} docket_merge_input_t;


struct docket_merge_s {
    docket_merge_conf_t    conf;

    docket_merge_input_t  *inputs;
    size_t                 n;
    size_t                 max;

    int64_t               *keys;      /* next time of each stream;
                                         DOCKET_PCAP_TIME_MAX: none */
    size_t                *tree;
    long                   waits;
    long                   last_winner;
    int64_t                bound;     /* records before this time may go */

    u_char                *buf;
    size_t                 used;
    size_t                 made;      /* bytes of output in this step */

    docket_merge_count_t   count;
    unsigned               begun:1;
    int                    final;
    int                    error;
    char                   err[DOCKET_PCAP_WORDS];
};


/* docket_merge_links.c, and docket_merge_leave() */

/* Chooses the link type, drops the streams of others, writes the header. */
int docket_merge_choose(docket_merge_t *m);
/* Drops a stream whose link type is another. */
void docket_merge_refuse(docket_merge_t *m, size_t i);

/* docket_merge_copy.c, and docket_merge_flush() */

/* Writes the header: the link type is known. */
int docket_merge_open(docket_merge_t *m);
/* Copies the first record taken, and those behind it that are before
   m->bound.  DOCKET_LIMIT when a limit is reached. */
int docket_merge_copy(docket_merge_t *m, docket_merge_input_t *in);
int docket_merge_fail(docket_merge_t *m, const char *words, int error);


#endif /* DOCKET_MERGE_CORE_H */
