/*
 * Merge: order, link types, resolution, limits, waiting, failing outputs, and
 * two threads against a plain sort.
 */

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>
#include "pcap_build.h"


typedef struct {
    int64_t                last;
    size_t                 disorder;
    size_t                 n;
    u_char                 fills[65536];
} seen_t;


static seen_t  seen;


static void
see(void *ctx, int64_t time, const u_char *p, const docket_record_t *h)
{
    (void) ctx;

    seen.disorder += (seen.n > 0 && time < seen.last);
    seen.last = time;

    if (seen.n < sizeof(seen.fills)) {
        seen.fills[seen.n] = (h->caplen > 0) ? p[0] : 0;
    }

    seen.n++;
}


static docket_merge_t *
merge_of(docket_merge_conf_t *conf, sink_t *sink, docket_stream_t **s,
    size_t n)
{
    size_t           i;
    docket_merge_t  *m;

    memset(sink, 0, sizeof(sink_t));
    conf->write = sink_write;
    conf->ctx = sink;

    m = docket_merge_create(conf);
    assert_non_null(m);

    for (i = 0; i < n; i++) {
        assert_int_equal(docket_merge_add(m, s[i]), DOCKET_OK);
    }

    return m;
}


static int
run(docket_merge_t *m)
{
    int  rc;

    do {
        rc = docket_merge_run(m);
    } while (rc == DOCKET_BUSY);

    return rc;
}


static void
finish(docket_merge_t *m, sink_t *sink, docket_stream_t **s, size_t n)
{
    size_t  i;

    docket_merge_destroy(m);

    for (i = 0; i < n; i++) {
        docket_stream_destroy(s[i]);
    }

    cap_end(&sink->out);
}


static size_t
walk(sink_t *sink, int link, int nano)
{
    memset(&seen, 0, sizeof(seen));

    return cap_walk(&sink->out, link, nano, see, NULL);
}


static void
test_order(void **state)
{
    int                   i, k;
    cap_t                 c;
    char                  fills[16];
    uint64_t              packets, bytes;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[3];
    docket_merge_conf_t   conf;

    (void) state;

    /* equal times: the first stream first; runs of each */

    static const struct { int us; int fill; }  in[3][5] = {
        { { 0, 'a' }, { 5, 'd' }, { 5, 'e' }, { 9, 'i' }, { 20, 'l' } },
        { { 1, 'b' }, { 5, 'f' }, { 6, 'g' }, { 7, 'h' }, { 9, 'j' } },
        { { 2, 'c' }, { 9, 'k' }, { 30, 'm' }, { 31, 'n' }, { 32, 'o' } }
    };

    memset(&conf, 0, sizeof(conf));

    for (i = 0; i < 3; i++) {
        cap_begin(&c, i == 1, 0, 65535, 1);

        for (k = 0; k < 5; k++) {
            cap_record(&c, at_us(in[i][k].us), in[i][k].fill, 10);
        }

        s[i] = stream_of(&c);
    }

    m = merge_of(&conf, &sink, s, 3);
    assert_int_equal(run(m), DOCKET_DONE);
    assert_int_equal(run(m), DOCKET_DONE);
    assert_int_equal(walk(&sink, 1, 0), 15);
    assert_int_equal(seen.disorder, 0);

    memcpy(fills, seen.fills, 15);
    fills[15] = '\0';
    assert_string_equal(fills, "abcdefghijklmno");

    assert_int_equal(docket_merge_count(m)->packets, 15);
    assert_int_equal(docket_merge_count(m)->bytes, 24 + 15 * 26);
    assert_int_equal(docket_merge_count(m)->bytes, sink.out.n);
    assert_true(docket_merge_count(m)->first == at_us(0));
    assert_true(docket_merge_count(m)->last == at_us(32));

    docket_merge_stream(m, 2, &packets, &bytes);
    assert_int_equal(packets, 5);
    assert_int_equal(bytes, 5 * 26);

    finish(m, &sink, s, 3);
}


static void
test_empty(void **state)
{
    int                   n;
    cap_t                 c;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[2];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    for (n = 0; n < 3; n++) {

        /* no stream; one that failed; that and an empty one */

        s[0] = docket_stream_create(0, -1, NULL);
        assert_non_null(s[0]);
        docket_stream_finish(s[0]);

        cap_begin(&c, 0, 0, 65535, 1);
        s[1] = stream_of(&c);

        m = merge_of(&conf, &sink, s, (size_t) n);
        assert_int_equal(run(m), DOCKET_DONE);
        assert_int_equal(sink.out.n, 24);
        assert_int_equal(walk(&sink, 1, 0), 0);
        assert_int_equal(docket_merge_count(m)->bytes, 24);
        finish(m, &sink, s, 2);
    }
}


static docket_stream_t *
linked(int link, int us, int nano)
{
    cap_t  c;

    cap_begin(&c, 0, nano, 65535, (uint32_t) link);
    cap_record(&c, at_us(us) + (nano ? 5 : 0), us, 40);
    cap_record(&c, at_us(us + 10), us, 40);

    return stream_of(&c);
}


static void
test_links(void **state)
{
    size_t                i;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[5];
    docket_merge_conf_t   conf;

    /* links of the streams; which wins, with how many packets */

    static const struct { int links[5]; int best; size_t n; }  v[] = {
        { { 1, 1, 1, 1, 1 }, 1, 10 },
        { { 101, 1, 1, 101, 1 }, 1, 6 },
        { { 101, 1, 101, 113, 101 }, 101, 6 },
        { { 101, 1, 1, 101, 113 }, 1, 4 },
        { { 113, 101, 101, 113, 1 }, 113, 4 },
        { { 113, 1, 101, 147, 228 }, 1, 2 }
    };

    (void) state;

    memset(&conf, 0, sizeof(conf));

    for (i = 0; i < 6 * 5; i++) {

        s[i % 5] = linked(v[i / 5].links[i % 5], (int) (i % 5), 0);

        if (i % 5 != 4) {
            continue;
        }

        m = merge_of(&conf, &sink, s, 5);
        assert_int_equal(run(m), DOCKET_DONE);
        assert_int_equal(walk(&sink, v[i / 5].best, 0), v[i / 5].n);
        assert_int_equal(docket_merge_count(m)->link, v[i / 5].best);

        if (i / 5 == 1) {
            assert_string_equal(docket_merge_reason(m, 0),
                                "link type RAW, the others have EN10MB");
            assert_string_equal(docket_merge_reason(m, 1), "");
        }

        finish(m, &sink, s, 5);
    }
}


static void
test_resolution(void **state)
{
    int                   nano;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[2];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    for (nano = 0; nano < 2; nano++) {
        s[0] = linked(1, 1, 0);
        s[1] = linked(1, 2, nano);

        m = merge_of(&conf, &sink, s, 2);
        assert_int_equal(run(m), DOCKET_DONE);
        assert_int_equal(walk(&sink, 1, nano), 4);
        assert_true(seen.last == at_us(12));
        assert_int_equal(docket_merge_count(m)->nano, nano);
        finish(m, &sink, s, 2);
    }
}


static docket_stream_t *
series(int from, int step, int n, size_t size)
{
    int    i;
    cap_t  c;

    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < n; i++) {
        cap_record(&c, at_us(from + i * step), from, size);
    }

    return stream_of(&c);
}


static void
test_limits(void **state)
{
    size_t                i;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[2];
    docket_merge_conf_t   conf;

    static const struct {
        uint64_t  packets, bytes;
        int       rc;
        size_t    n;
    } v[] = {
        { 0, 0, DOCKET_DONE, 20 },
        { 1, 0, DOCKET_LIMIT, 1 },
        { 19, 0, DOCKET_LIMIT, 19 },
        { 20, 0, DOCKET_DONE, 20 },
        { 21, 0, DOCKET_DONE, 20 },
        { 0, 1, DOCKET_LIMIT, 0 },
        { 0, 24, DOCKET_LIMIT, 0 },
        { 0, 24 + 46 * 7, DOCKET_LIMIT, 7 },
        { 0, 24 + 46 * 7 - 1, DOCKET_LIMIT, 6 },
        { 0, 24 + 46 * 20, DOCKET_DONE, 20 },
        { 5, 24 + 46 * 7, DOCKET_LIMIT, 5 },
        { 9, 24 + 46 * 7, DOCKET_LIMIT, 7 }
    };

    (void) state;

    for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {

        memset(&conf, 0, sizeof(conf));
        conf.limit_packets = v[i].packets;
        conf.limit_bytes = v[i].bytes;

        s[0] = series(0, 2, 10, 30);
        s[1] = series(1, 2, 10, 30);

        m = merge_of(&conf, &sink, s, 2);
        assert_int_equal(run(m), v[i].rc);
        assert_int_equal(run(m), v[i].rc);
        assert_int_equal(walk(&sink, 1, 0), v[i].n);
        assert_int_equal(docket_merge_count(m)->bytes, sink.out.n);

        if (v[i].rc == DOCKET_DONE) {
            assert_string_equal(docket_merge_error(m), "");

        } else {
            assert_non_null(strstr(docket_merge_error(m), "limit of "));
        }

        finish(m, &sink, s, 2);
    }
}


/* A limit counts what the filter lets through. */

static void
test_filter(void **state)
{
    char                  err[DOCKET_PCAP_WORDS];
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[2];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));
    conf.limit_packets = 8;
    conf.filter = docket_filter_create("ether[0] = 1", 12, err, sizeof(err),
                                       NULL);
    assert_non_null(conf.filter);

    s[0] = series(0, 2, 10, 30);
    s[1] = series(1, 2, 10, 30);

    m = merge_of(&conf, &sink, s, 2);
    assert_int_equal(run(m), DOCKET_LIMIT);
    assert_int_equal(walk(&sink, 1, 0), 8);
    assert_int_equal(seen.fills[0], 1);
    assert_int_equal(seen.fills[7], 1);
    assert_int_equal(docket_merge_count(m)->filtered, 8);
    finish(m, &sink, s, 2);

    docket_filter_destroy(conf.filter);

    /* what makes no sense on this link type */

    conf.filter = docket_filter_create("ether host 1:2:3:4:5:6", 22, err,
                                       sizeof(err), NULL);
    assert_non_null(conf.filter);

    s[0] = linked(101, 1, 0);
    m = merge_of(&conf, &sink, s, 1);
    assert_int_equal(run(m), DOCKET_ERROR);
    assert_true(docket_merge_error(m)[0] != '\0');
    finish(m, &sink, s, 1);

    docket_filter_destroy(conf.filter);
}


static void
test_sink(void **state)
{
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[1];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    s[0] = series(0, 1, 3000, 1000);
    m = merge_of(&conf, &sink, s, 1);
    sink.max = DOCKET_MERGE_BUFFER * 3 / 2;
    assert_int_equal(run(m), DOCKET_ERROR);
    assert_int_equal(run(m), DOCKET_ERROR);
    assert_int_equal(docket_merge_errno(m), ENOSPC);
    assert_string_equal(docket_merge_error(m), strerror(ENOSPC));
    assert_int_equal(sink.calls, 2);
    assert_int_equal(sink.out.n, DOCKET_MERGE_BUFFER);
    finish(m, &sink, s, 1);
}


static void
test_full_device(void **state)
{
    int                   fd;
    docket_merge_t       *m;
    docket_stream_t      *s;
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    fd = open("/dev/full", O_WRONLY);
    assert_true(fd != -1);
    conf.write = docket_merge_fd;
    conf.ctx = &fd;

    s = series(0, 1, 3, 10);
    m = docket_merge_create(&conf);
    assert_non_null(m);
    assert_int_equal(docket_merge_add(m, s), DOCKET_OK);
    assert_int_equal(run(m), DOCKET_ERROR);
    assert_int_equal(docket_merge_errno(m), ENOSPC);

    docket_merge_destroy(m);
    docket_stream_destroy(s);
    close(fd);
}


static void
send(docket_stream_t *s, int from, int n)
{
    int    i;
    cap_t  c;

    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < n; i++) {
        cap_record(&c, at_us(from + i), from, 20);
    }

    assert_int_equal(docket_stream_write(s, c.p, c.n), DOCKET_OK);
    docket_stream_flush(s);
    cap_end(&c);
}


static void
test_waits(void **state)
{
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[3];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    s[0] = docket_stream_create(0, -1, NULL);
    s[1] = docket_stream_create(0, -1, NULL);
    s[2] = docket_stream_create(0, -1, NULL);
    m = merge_of(&conf, &sink, s, 3);

    assert_int_equal(run(m), DOCKET_AGAIN);
    assert_int_equal(docket_merge_waits(m), 0);
    assert_int_equal(sink.out.n, 0);

    send(s[0], 0, 10);
    assert_int_equal(docket_stream_wakes(s[0]), 1);
    send(s[2], 5, 10);
    assert_int_equal(docket_stream_wakes(s[2]), 0);
    assert_int_equal(run(m), DOCKET_AGAIN);
    assert_int_equal(docket_merge_waits(m), 1);
    assert_int_equal(sink.out.n, 0);

    /* the first packets go out when the last one has sent some */

    send(s[1], 3, 1);
    assert_int_equal(docket_stream_wakes(s[1]), 1);
    assert_int_equal(run(m), DOCKET_AGAIN);
    assert_int_equal(docket_merge_waits(m), 1);
    assert_int_equal(walk(&sink, 1, 0), 5);

    /* the slice that was looked at goes back, and comes again */

    docket_stream_finish(s[1]);
    assert_int_equal(docket_stream_rewind(s[2]), DOCKET_OK);
    assert_int_equal(run(m), DOCKET_AGAIN);
    assert_int_equal(docket_merge_waits(m), 2);
    assert_int_equal(walk(&sink, 1, 0), 7);

    send(s[2], 5, 20);
    assert_int_equal(run(m), DOCKET_AGAIN);
    assert_int_equal(docket_merge_waits(m), 0);
    assert_int_equal(walk(&sink, 1, 0), 15);
    assert_int_equal(docket_stream_rewind(s[2]), DOCKET_DECLINED);

    /* one leaves, with what it has not given */

    docket_merge_leave(m, 2, "cancelled");
    assert_string_equal(docket_merge_reason(m, 2), "cancelled");
    assert_int_equal(docket_stream_write(s[2], "x", 1), DOCKET_ERROR);
    docket_stream_finish(s[0]);
    assert_int_equal(run(m), DOCKET_DONE);
    assert_int_equal(walk(&sink, 1, 0), 15);
    assert_int_equal(docket_merge_count(m)->disordered, 0);

    finish(m, &sink, s, 3);
}


/* What one stream had is taken back while another is waited for. */

static void
test_rewound(void **state)
{
    int                   alone;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[2];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    for (alone = 0; alone < 2; alone++) {

        s[0] = docket_stream_create(0, -1, NULL);
        s[1] = docket_stream_create(0, -1, NULL);
        m = merge_of(&conf, &sink, s, 2);

        send(s[0], 0, 10);
        assert_int_equal(run(m), DOCKET_AGAIN);
        assert_int_equal(docket_merge_waits(m), 1);

        assert_int_equal(docket_stream_rewind(s[0]), DOCKET_OK);
        assert_int_equal(docket_stream_link(s[0]), -1);

        if (!alone) {
            send(s[1], 5, 10);
        }

        docket_stream_finish(s[1]);
        assert_int_equal(run(m), DOCKET_AGAIN);
        assert_int_equal(docket_merge_waits(m), 0);
        assert_int_equal(sink.out.n, 0);

        send(s[0], 2, 10);
        docket_stream_finish(s[0]);
        assert_int_equal(run(m), DOCKET_DONE);
        assert_string_equal(docket_merge_reason(m, 0), "");
        assert_int_equal(walk(&sink, 1, 0), alone ? 10 : 20);
        finish(m, &sink, s, 2);
    }
}


/* The one that the merge waits for leaves, before and after the start. */

static void
test_leave(void **state)
{
    int                   begun;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[2];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));

    for (begun = 0; begun < 2; begun++) {

        s[0] = series(0, 1, 10, 10);
        s[1] = docket_stream_create(0, -1, NULL);
        m = merge_of(&conf, &sink, s, 2);

        if (begun) {
            send(s[1], 0, 1);
        }

        assert_int_equal(run(m), DOCKET_AGAIN);
        assert_int_equal(docket_merge_waits(m), 1);
        docket_merge_leave(m, 1, "cancelled");
        assert_int_equal(run(m), DOCKET_DONE);
        assert_int_equal(walk(&sink, 1, 0), 10 + begun);
        finish(m, &sink, s, 2);
    }
}


static void
test_thousand(void **state)
{
    int                   i;
    sink_t                sink;
    docket_merge_t       *m;
    docket_stream_t      *s[1000];
    docket_merge_conf_t   conf;

    (void) state;

    memset(&conf, 0, sizeof(conf));
    conf.step = 1;

    for (i = 0; i < 1000; i++) {
        s[i] = series(i * 7919 % 1000, 1000, 20, 10);
    }

    m = merge_of(&conf, &sink, s, 1000);
    assert_int_equal(docket_merge_run(m), DOCKET_BUSY);
    assert_int_equal(run(m), DOCKET_DONE);
    assert_int_equal(walk(&sink, 1, 0), 20000);
    assert_int_equal(seen.disorder, 0);
    finish(m, &sink, s, 1000);
}


/* Two threads: producers of six streams at random, a consumer, a sort. */

#define STREAMS  6


typedef struct {
    docket_stream_t       *s[STREAMS];
    cap_t                  c[STREAMS];
} produce_t;


static void *
produce(void *arg)
{
    int         i, left, more;
    size_t      n, pos[STREAMS] = { 0 };
    unsigned    seed;
    produce_t  *p = arg;

    seed = 12345;

    for (left = STREAMS; left > 0; /* void */ ) {

        i = rand_r(&seed) % STREAMS;
        n = (size_t) rand_r(&seed) % 9000;
        more = (pos[i] < p->c[i].n);

        if (n > p->c[i].n - pos[i]) {
            n = p->c[i].n - pos[i];
        }

        if (more && docket_stream_write(p->s[i], p->c[i].p + pos[i], n)
                    != DOCKET_OK)
        {
            return "write";
        }

        pos[i] += n;

        if (n % 7 == 0) {
            docket_stream_flush(p->s[i]);
        }

        if (more && pos[i] == p->c[i].n) {

            if (docket_stream_end(p->s[i]) != DOCKET_OK) {
                return "end";
            }

            docket_stream_finish(p->s[i]);
            left--;
        }

        (void) docket_stream_wakes(p->s[i]);

        if (i == 0) {
            sched_yield();
        }
    }

    return NULL;
}


static int
by_time(const void *a, const void *b)
{
    int64_t  x = *(const int64_t *) a, y = *(const int64_t *) b;

    return (x > y) - (x < y);
}


typedef struct {
    int64_t               *times;
    size_t                 n;
} expect_t;


static void
expect(void *ctx, int64_t time, const u_char *p, const docket_record_t *h)
{
    expect_t  *e = ctx;

    (void) p;
    (void) h;

    assert_true(e->times[e->n] == time);
    e->n++;
}


static void
test_threads(void **state)
{
    int                   i, k, rc, dirfd;
    char                  dir[] = "/tmp/docket-test-XXXXXX";
    void                 *why;
    size_t                n, total;
    sink_t                sink;
    int64_t               t, *times;
    uint64_t              spilled;
    expect_t              e;
    unsigned              seed;
    pthread_t             thread;
    produce_t             p;
    docket_merge_t       *m;
    docket_merge_conf_t   conf;

    (void) state;

    assert_non_null(mkdtemp(dir));
    dirfd = open(dir, O_RDONLY|O_DIRECTORY);
    assert_true(dirfd != -1);

    seed = 99;
    total = 0;
    times = malloc(STREAMS * 5000 * sizeof(int64_t));
    assert_non_null(times);

    for (i = 0; i < STREAMS; i++) {
        p.s[i] = docket_stream_create(40000, dirfd, "spill");
        assert_non_null(p.s[i]);
        docket_stream_begin(p.s[i], DOCKET_PCAP_TIME_MIN,
                            DOCKET_PCAP_TIME_MAX);
        cap_begin(&p.c[i], i & 1, i & 2, 65535, 1);

        for (k = 0, t = 0; k < 5000; k++) {
            t += rand_r(&seed) % 20;
            cap_record(&p.c[i], at_us(t), i, (size_t) rand_r(&seed) % 300);
            times[total++] = at_us(t);
        }
    }

    qsort(times, total, sizeof(int64_t), by_time);

    memset(&conf, 0, sizeof(conf));
    conf.step = 5000;
    m = merge_of(&conf, &sink, p.s, STREAMS);

    assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);

    do {
        rc = docket_merge_run(m);

        if (rc == DOCKET_AGAIN) {
            sched_yield();
        }

    } while (rc == DOCKET_AGAIN || rc == DOCKET_BUSY);

    assert_int_equal(pthread_join(thread, &why), 0);
    assert_null(why);
    assert_int_equal(rc, DOCKET_DONE);

    e.times = times;
    e.n = 0;
    n = cap_walk(&sink.out, 1, 1, expect, &e);
    assert_int_equal(n, total);

    for (i = 0, spilled = 0; i < STREAMS; i++) {
        spilled += docket_stream_spilled(p.s[i]);
        cap_end(&p.c[i]);
    }

    print_message("spilled %llu bytes\n", (unsigned long long) spilled);

    finish(m, &sink, p.s, STREAMS);
    free(times);
    close(dirfd);
    assert_int_equal(rmdir(dir), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_resolution),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_filter),
        cmocka_unit_test(test_sink),
        cmocka_unit_test(test_full_device),
        cmocka_unit_test(test_waits),
        cmocka_unit_test(test_rewound),
        cmocka_unit_test(test_leave),
        cmocka_unit_test(test_thousand),
        cmocka_unit_test(test_threads)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
