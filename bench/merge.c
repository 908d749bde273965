/*
 * docket-merge: the merge alone, from files to a file, for measuring.
 *
 *   docket-merge [-o OUT] [-f FILTER] [-c PACKETS] [-b BYTES] [-s] [-v] IN...
 *
 *   -o OUT      output, "-" is standard output (default)
 *   -f FILTER   BPF expression
 *   -c, -b      limits
 *   -s          summary as JSON to standard error
 *   -v          counters to standard error
 *
 * Exit code 0: merged (a limit is no fault); 1: some input is no good, or the
 * output failed; 2: usage.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pcap/docket_merge.h"


#define BENCH_MEM  (2 * 1024 * 1024)


typedef struct {
    const char            *out;
    const char            *filter;
    int                    summary;
    int                    verbose;
    docket_merge_conf_t    conf;
    int                    fd;
} bench_t;


static int bench_options(bench_t *b, int argc, char **argv);
static int bench_merge(bench_t *b, docket_merge_t *m, docket_stream_t **s,
    char **names, size_t n);
static int bench_report(bench_t *b, docket_merge_t *m, char **names,
    size_t n);


int
main(int argc, char **argv)
{
    int                i, fd, rc;
    char               err[DOCKET_PCAP_WORDS];
    size_t             n;
    bench_t            b;
    docket_merge_t    *m;
    docket_stream_t  **s;

    if (bench_options(&b, argc, argv) != 0) {
        fprintf(stderr, "usage: docket-merge [-o OUT] [-f FILTER] "
                        "[-c PACKETS] [-b BYTES] [-s] [-v] IN...\n");
        return 2;
    }

    n = (size_t) (argc - optind);

    if (b.filter != NULL) {
        b.conf.filter = docket_filter_create(b.filter, strlen(b.filter), err,
                                             sizeof(err), NULL);
        if (b.conf.filter == NULL) {
            fprintf(stderr, "filter: %s\n", err);
            return 2;
        }
    }

    b.conf.summary = b.summary ? docket_summary_create() : NULL;
    b.conf.write = docket_merge_fd;
    b.conf.ctx = &b.fd;

    m = docket_merge_create(&b.conf);
    s = calloc(n, sizeof(docket_stream_t *));

    if (m == NULL || s == NULL || (b.summary && b.conf.summary == NULL)) {
        fprintf(stderr, "out of memory\n");
        return 1;
    }

    for (i = 0; (size_t) i < n; i++) {

        fd = open(argv[optind + i], O_RDONLY|O_CLOEXEC);
        if (fd == -1) {
            fprintf(stderr, "%s: %s\n", argv[optind + i], strerror(errno));
            return 1;
        }

        s[i] = docket_stream_create(BENCH_MEM, -1, NULL);

        if (s[i] == NULL || docket_merge_add(m, s[i]) != DOCKET_OK) {
            fprintf(stderr, "%s: no room\n", argv[optind + i]);
            return 1;
        }

        docket_stream_file(s[i], fd, DOCKET_TIME_MIN, DOCKET_TIME_MAX);
    }

    rc = bench_merge(&b, m, s, argv + optind, n);

    docket_merge_destroy(m);

    for (i = 0; (size_t) i < n; i++) {
        docket_stream_destroy(s[i]);
    }

    free(s);
    docket_summary_destroy(b.conf.summary);
    docket_filter_destroy(b.conf.filter);

    return rc;
}


static int
bench_options(bench_t *b, int argc, char **argv)
{
    int  c;

    memset(b, 0, sizeof(bench_t));
    b->out = "-";

    while ((c = getopt(argc, argv, "o:f:c:b:sv")) != -1) {

        switch (c) {

        case 'o':
            b->out = optarg;
            break;

        case 'f':
            b->filter = optarg;
            break;

        case 'c':
            b->conf.limit_packets = strtoull(optarg, NULL, 10);
            break;

        case 'b':
            b->conf.limit_bytes = strtoull(optarg, NULL, 10);
            break;

        case 's':
            b->summary = 1;
            break;

        case 'v':
            b->verbose = 1;
            break;

        default:
            return -1;
        }
    }

    return (optind < argc) ? 0 : -1;
}


static int
bench_merge(bench_t *b, docket_merge_t *m, docket_stream_t **s, char **names,
    size_t n)
{
    int                         rc, bad;
    size_t                      i;
    const docket_pcap_count_t  *c;

    b->fd = STDOUT_FILENO;

    if (strcmp(b->out, "-") != 0) {
        b->fd = open(b->out, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0640);
        if (b->fd == -1) {
            fprintf(stderr, "%s: %s\n", b->out, strerror(errno));
            return 1;
        }
    }

    do {
        rc = docket_merge_run(m);
    } while (rc == DOCKET_BUSY);

    bad = (rc == DOCKET_ERROR);

    if (bad || (rc == DOCKET_LIMIT && b->verbose)) {
        fprintf(stderr, "%s: %s\n", b->out, docket_merge_error(m));
    }

    for (i = 0; i < n; i++) {

        if (docket_merge_reason(m, i)[0] != '\0') {
            fprintf(stderr, "%s: %s\n", names[i], docket_merge_reason(m, i));
            bad = 1;
        }

        c = docket_stream_count(s[i]);

        if (b->verbose) {
            fprintf(stderr, "%s: %llu records, %llu reordered, "
                            "%llu disordered\n",
                    names[i], (unsigned long long) c->records,
                    (unsigned long long) c->reordered,
                    (unsigned long long) c->disordered);
        }
    }

    if (close(b->fd) == -1) {
        fprintf(stderr, "%s: %s\n", b->out, strerror(errno));
        bad = 1;
    }

    return (bench_report(b, m, names, n) == 0 && !bad) ? 0 : 1;
}


static int
bench_report(bench_t *b, docket_merge_t *m, char **names, size_t n)
{
    int                          rc;
    char                        *json;
    size_t                       i, len;
    docket_summary_stream_t     *streams;
    const docket_merge_count_t  *c;

    c = docket_merge_count(m);

    if (b->verbose) {
        fprintf(stderr, "%llu packets, %llu bytes, %llu filtered, "
                        "%llu disordered\n",
                (unsigned long long) c->packets,
                (unsigned long long) c->bytes,
                (unsigned long long) c->filtered,
                (unsigned long long) c->disordered);
    }

    if (!b->summary) {
        return 0;
    }

    streams = calloc(n, sizeof(docket_summary_stream_t));
    if (streams == NULL) {
        return -1;
    }

    for (i = 0; i < n; i++) {
        streams[i].name = names[i];
        docket_merge_stream(m, i, &streams[i].packets, &streams[i].bytes);
        streams[i].bytes -= DOCKET_PCAP_RECORD * streams[i].packets;
    }

    rc = docket_summary_print(b->conf.summary, streams, n, &json, &len);

    free(streams);

    if (rc != DOCKET_OK) {
        return -1;
    }

    fprintf(stderr, "%s\n", json);
    free(json);

    return 0;
}
