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
 * As in the docket process one thread feeds the streams and another merges.
 * Here the one that feeds waits where it would spill.
 *
 * Exit code 0: merged (a limit is no fault); 1: some input is no good, or the
 * output failed; 2: usage.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pcap/docket_merge.h"


#define BENCH_MEM   (2 * 1024 * 1024)
#define BENCH_READ  (64 * 1024)
#define BENCH_STEP  (1024 * 1024)


typedef struct {
    docket_stream_t       *stream;
    const char            *name;
    int                    fd;        /* -1: all of it was fed */
    char                   err[DOCKET_PCAP_WORDS];
} bench_input_t;


typedef struct {
    const char            *out;
    const char            *filter;
    int                    summary;
    int                    verbose;
    docket_merge_conf_t    conf;
    int                    fd;

    docket_merge_t        *merge;
    bench_input_t         *inputs;
    size_t                 n;

    pthread_mutex_t        mutex;
    pthread_cond_t         cond;
    int                    fed;       /* what the merge waited for is there */
    int                    merged;    /* there may be room to feed */
    int                    over;
} bench_t;


static int bench_options(bench_t *b, int argc, char **argv);
static int bench_open(bench_t *b, char **names);
static int bench_run(bench_t *b);
static void *bench_feeder(void *data);
static int bench_feed(bench_input_t *in, u_char *buf);
static void bench_tell(bench_t *b, int *what);
static int bench_wait(bench_t *b, int *what);
static int bench_finish(bench_t *b, int rc);
static int bench_report(bench_t *b);


int
main(int argc, char **argv)
{
    int      rc;
    char     err[DOCKET_PCAP_WORDS];
    size_t   i;
    bench_t  b;

    if (bench_options(&b, argc, argv) != 0) {
        fprintf(stderr, "usage: docket-merge [-o OUT] [-f FILTER] "
                        "[-c PACKETS] [-b BYTES] [-s] [-v] IN...\n");
        return 2;
    }

    b.n = (size_t) (argc - optind);

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
    b.conf.step = BENCH_STEP;

    b.merge = docket_merge_create(&b.conf);
    b.inputs = calloc(b.n, sizeof(bench_input_t));

    if (b.merge == NULL || b.inputs == NULL
        || (b.summary && b.conf.summary == NULL))
    {
        fprintf(stderr, "out of memory\n");
        return 1;
    }

    if (bench_open(&b, argv + optind) != 0) {
        return 1;
    }

    rc = bench_finish(&b, bench_run(&b));

    docket_merge_destroy(b.merge);

    for (i = 0; i < b.n; i++) {
        docket_stream_destroy(b.inputs[i].stream);
    }

    free(b.inputs);
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
bench_open(bench_t *b, char **names)
{
    size_t          i;
    bench_input_t  *in;

    for (i = 0; i < b->n; i++) {

        in = &b->inputs[i];
        in->name = names[i];
        in->fd = open(in->name, O_RDONLY|O_CLOEXEC);

        if (in->fd == -1) {
            fprintf(stderr, "%s: %s\n", in->name, strerror(errno));
            return -1;
        }

        in->stream = docket_stream_create(BENCH_MEM, -1, NULL);

        if (in->stream == NULL
            || docket_merge_add(b->merge, in->stream) != DOCKET_OK)
        {
            fprintf(stderr, "%s: no room\n", in->name);
            return -1;
        }

        docket_stream_begin(in->stream, DOCKET_PCAP_TIME_MIN,
                            DOCKET_PCAP_TIME_MAX);
    }

    b->fd = STDOUT_FILENO;

    if (strcmp(b->out, "-") != 0) {
        b->fd = open(b->out, O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0640);
        if (b->fd == -1) {
            fprintf(stderr, "%s: %s\n", b->out, strerror(errno));
            return -1;
        }
    }

    return 0;
}


/* What docket_merge_run() says in the end. */

static int
bench_run(bench_t *b)
{
    int        rc;
    pthread_t  feeder;

    if (pthread_mutex_init(&b->mutex, NULL) != 0
        || pthread_cond_init(&b->cond, NULL) != 0
        || pthread_create(&feeder, NULL, bench_feeder, b) != 0)
    {
        fprintf(stderr, "no thread\n");
        exit(1);
    }

    for ( ;; ) {
        rc = docket_merge_run(b->merge);

        if (rc != DOCKET_BUSY && rc != DOCKET_AGAIN) {
            break;
        }

        bench_tell(b, &b->merged);

        if (rc == DOCKET_AGAIN) {
            (void) bench_wait(b, &b->fed);
        }
    }

    bench_tell(b, &b->over);
    (void) pthread_join(feeder, NULL);

    return rc;
}


static void *
bench_feeder(void *data)
{
    bench_t *b = data;

    int             open, fed;
    size_t          i;
    bench_input_t  *in;

    static u_char  buf[BENCH_READ];

    do {
        open = 0;
        fed = 0;

        for (i = 0; i < b->n; i++) {

            in = &b->inputs[i];

            if (in->fd == -1) {
                continue;
            }

            open = 1;

            if (docket_stream_full(in->stream)) {
                continue;
            }

            fed = 1;

            if (bench_feed(in, buf) != 0) {
                docket_stream_finish(in->stream);
                (void) close(in->fd);
                in->fd = -1;
            }

            if (docket_stream_wakes(in->stream)) {
                bench_tell(b, &b->fed);
            }
        }

    } while (open && (fed ? !b->over : bench_wait(b, &b->merged)));

    return NULL;
}


/* -1: there is no more. */

static int
bench_feed(bench_input_t *in, u_char *buf)
{
    int      rc;
    ssize_t  n;

    do {
        n = read(in->fd, buf, BENCH_READ);
    } while (n == -1 && errno == EINTR);

    if (n == -1) {
        (void) snprintf(in->err, sizeof(in->err), "%s", strerror(errno));
        return -1;
    }

    rc = (n > 0) ? docket_stream_write(in->stream, buf, (size_t) n)
                 : docket_stream_end(in->stream);

    if (rc != DOCKET_OK) {
        (void) snprintf(in->err, sizeof(in->err), "%s",
                        docket_stream_error(in->stream));
        return -1;
    }

    return (n > 0) ? 0 : -1;
}


static void
bench_tell(bench_t *b, int *what)
{
    (void) pthread_mutex_lock(&b->mutex);
    *what = 1;
    (void) pthread_cond_broadcast(&b->cond);
    (void) pthread_mutex_unlock(&b->mutex);
}


/* 0: the merge is over. */

static int
bench_wait(bench_t *b, int *what)
{
    int  over;

    (void) pthread_mutex_lock(&b->mutex);

    while (!*what && !b->over) {
        (void) pthread_cond_wait(&b->cond, &b->mutex);
    }

    *what = 0;
    over = b->over;

    (void) pthread_mutex_unlock(&b->mutex);

    return !over;
}


/* The exit code. */

static int
bench_finish(bench_t *b, int rc)
{
    int                         bad;
    size_t                      i;
    bench_input_t              *in;
    const docket_pcap_count_t  *c;

    bad = (rc == DOCKET_ERROR);

    if (bad || (rc == DOCKET_LIMIT && b->verbose)) {
        fprintf(stderr, "%s: %s\n", b->out, docket_merge_error(b->merge));
    }

    for (i = 0; i < b->n; i++) {

        in = &b->inputs[i];

        if (in->err[0] == '\0') {
            (void) snprintf(in->err, sizeof(in->err), "%s",
                            docket_merge_reason(b->merge, i));
        }

        if (in->err[0] != '\0') {
            fprintf(stderr, "%s: %s\n", in->name, in->err);
            bad = 1;
        }

        c = docket_stream_count(in->stream);

        if (b->verbose) {
            fprintf(stderr, "%s: %llu records, %llu reordered, "
                            "%llu disordered\n",
                    in->name, (unsigned long long) c->records,
                    (unsigned long long) c->reordered,
                    (unsigned long long) c->disordered);
        }
    }

    if (close(b->fd) == -1) {
        fprintf(stderr, "%s: %s\n", b->out, strerror(errno));
        bad = 1;
    }

    return (bench_report(b) == 0 && !bad) ? 0 : 1;
}


static int
bench_report(bench_t *b)
{
    int                          rc;
    char                        *json;
    size_t                       i, len;
    docket_summary_stream_t     *streams;
    const docket_merge_count_t  *c;

    c = docket_merge_count(b->merge);

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

    streams = calloc(b->n, sizeof(docket_summary_stream_t));
    if (streams == NULL) {
        return -1;
    }

    for (i = 0; i < b->n; i++) {
        streams[i].name = b->inputs[i].name;
        docket_merge_stream(b->merge, i, &streams[i].packets, &streams[i].bytes);
        streams[i].bytes -= DOCKET_PCAP_RECORD * streams[i].packets;
    }

    rc = docket_summary_print(b->conf.summary, streams, b->n, &json, &len);

    free(streams);

    if (rc != DOCKET_OK) {
        return -1;
    }

    fprintf(stderr, "%s\n", json);
    free(json);

    return 0;
}
