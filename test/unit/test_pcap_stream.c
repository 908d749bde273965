/*
 * Stream: order, spill, large records, rewind, faults.
 */

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <dirent.h>
#include "pcap_build.h"


static int  dirfd_;
static char  dir_[] = "/tmp/docket-test-XXXXXX";


typedef struct {
    size_t                 n;
    int64_t                times[8192];
    uint32_t               lens[8192];
} got_t;


static got_t  got;


static size_t
entries(void)
{
    DIR            *d;
    size_t          n;
    struct dirent  *e;

    d = opendir(dir_);
    assert_non_null(d);

    for (n = 0; (e = readdir(d)) != NULL; /* void */ ) {
        n += (e->d_name[0] != '.');
    }

    closedir(d);

    return n;
}


/* Takes at most "max" windows; the code that ended it. */

static int
drain(docket_stream_t *s, size_t max)
{
    int              rc;
    u_char          *p, *end;
    int64_t          time;
    docket_record_t  h;

    while (max-- > 0) {

        rc = docket_stream_peek(s, &time);
        if (rc != DOCKET_OK) {
            return rc;
        }

        assert_int_equal(docket_stream_take(s, &p, &end), DOCKET_OK);
        assert_true(p < end);
        assert_true(docket_record_time(p) == time);

        for ( /* void */ ; p < end; p += 16 + h.caplen) {
            memcpy(&h, p, 16);
            assert_true(got.n < 8192);
            got.times[got.n] = docket_record_time(p);
            got.lens[got.n] = h.caplen;
            got.n++;

            if (h.caplen > 0) {
                assert_int_equal(p[16], p[15 + h.caplen]);
            }
        }

        assert_ptr_equal(p, end);
    }

    return DOCKET_OK;
}


static docket_stream_t *
stream(size_t mem)
{
    docket_stream_t  *s;

    s = docket_stream_create(mem, dirfd_, "spill");
    assert_non_null(s);
    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    got.n = 0;

    return s;
}


static void
put(docket_stream_t *s, cap_t *c, size_t step)
{
    size_t  i, n;

    for (i = 0; i < c->n; i += n) {
        n = (c->n - i < step) ? c->n - i : step;
        assert_int_equal(docket_stream_write(s, c->p + i, n), DOCKET_OK);
    }

    cap_end(c);
}


static void
sorted(size_t n)
{
    size_t  i;

    assert_int_equal(got.n, n);

    for (i = 1; i < n; i++) {
        assert_true(got.times[i - 1] <= got.times[i]);
    }
}


static void
test_hold(void **state)
{
    int               i;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    s = stream(1024 * 1024);
    assert_int_equal(drain(s, 1), DOCKET_AGAIN);
    assert_int_equal(docket_stream_wakes(s), 0);

    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < 100; i++) {
        cap_record(&c, at_us(i), i, 60);
    }

    put(s, &c, 7);

    /* all of them are held back, until a flush */

    assert_int_equal(drain(s, 10), DOCKET_AGAIN);
    assert_int_equal(docket_stream_wakes(s), 0);

    docket_stream_flush(s);
    assert_int_equal(docket_stream_wakes(s), 1);
    assert_int_equal(docket_stream_wakes(s), 0);
    assert_int_equal(drain(s, 10), DOCKET_AGAIN);
    sorted(100);

    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    assert_int_equal(docket_stream_wakes(s), 0);
    docket_stream_finish(s);
    assert_int_equal(docket_stream_wakes(s), 1);
    assert_int_equal(drain(s, 1), DOCKET_DONE);
    assert_int_equal(docket_stream_link(s), 1);
    assert_int_equal(docket_stream_nano(s), 0);

    docket_stream_destroy(s);
}


/* 1,024 newer ones and some of a part: a long stream does not wait. */

static void
test_window(void **state)
{
    int               i;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    s = stream(8 * 1024 * 1024);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < 5000; i++) {
        cap_record(&c, at_us(i), i, 60);
    }

    put(s, &c, 1000);
    assert_int_equal(drain(s, 100), DOCKET_AGAIN);
    assert_in_range(got.n, 5000 - 1024 - 128, 5000 - 1024);

    docket_stream_finish(s);
    assert_int_equal(drain(s, 100), DOCKET_DONE);
    sorted(5000);

    docket_stream_destroy(s);
}


static void
test_disorder(void **state)
{
    int               i, k, step;
    cap_t             c;
    int64_t           t;
    docket_stream_t  *s;

    (void) state;

    for (step = 1; step < 4000; step = step * 5 + 3) {

        s = stream(8 * 1024 * 1024);
        cap_begin(&c, step & 1, 0, 65535, 1);

        /* blocks of 1,000 records, each shuffled */

        for (i = 0; i < 6000; i++) {
            k = i / 1000 * 1000 + (i % 1000) * 7 % 1000;
            cap_record(&c, at_us(k), k, k % 90);
        }

        put(s, &c, step);
        assert_int_equal(docket_stream_end(s), DOCKET_OK);
        docket_stream_finish(s);
        assert_int_equal(drain(s, 100000), DOCKET_DONE);
        sorted(6000);
        assert_int_equal(docket_stream_count(s)->disordered, 0);
        assert_true(docket_stream_count(s)->reordered > 3000);
        docket_stream_destroy(s);
    }

    /* one that comes 2,000 records late, and one 1,000 late */

    s = stream(8 * 1024 * 1024);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < 4000; i++) {
        t = (i == 3000) ? 1000 : (i == 3500) ? 2500 : i;
        cap_record(&c, at_us(t), i, 60);
    }

    put(s, &c, 100000);
    docket_stream_finish(s);
    assert_int_equal(drain(s, 100), DOCKET_DONE);
    assert_int_equal(got.n, 4000);
    assert_int_equal(docket_stream_count(s)->disordered, 1);
    assert_int_equal(docket_stream_count(s)->reordered, 1);
    assert_true(docket_stream_count(s)->first == at_us(0));
    assert_true(docket_stream_count(s)->last == at_us(3999));

    for (i = 1, k = 0; i < 4000; i++) {
        k += (got.times[i - 1] > got.times[i]);
    }

    assert_int_equal(k, 1);
    docket_stream_destroy(s);
}


/* Equal times keep their order. */

static void
test_ties(void **state)
{
    int               i;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    s = stream(1024 * 1024);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < 300; i++) {
        cap_record(&c, at_us(i % 3), 0, 10 + i);
    }

    put(s, &c, 50);
    docket_stream_finish(s);
    assert_int_equal(drain(s, 10000), DOCKET_DONE);
    sorted(300);

    for (i = 1; i < 300; i++) {
        if (got.times[i - 1] == got.times[i]) {
            assert_true(got.lens[i - 1] < got.lens[i]);
        }
    }

    docket_stream_destroy(s);
}


static void
test_spill(void **state)
{
    int               i, round;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    s = stream(0);

    cap_begin(&c, 0, 0, 65535, 1);

    for (round = 0; round < 4; round++) {

        for (i = 0; i < 2000; i++) {
            cap_record(&c, at_us(round * 2000 + (i ^ 1)), i, 500);
        }

        put(s, &c, 16384);
        memset(&c, 0, sizeof(c));

        if (round == 1) {
            assert_true(docket_stream_spilled(s) > 1000000);
            assert_int_equal(entries(), 0);
            assert_int_equal(drain(s, 3), DOCKET_OK);
        }

        if (round == 2) {
            assert_int_equal(drain(s, 100000), DOCKET_AGAIN);
        }
    }

    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    docket_stream_finish(s);
    assert_int_equal(drain(s, 100000), DOCKET_DONE);
    sorted(8000);
    assert_int_equal(docket_stream_count(s)->reordered, 4000);
    assert_int_equal(docket_stream_count(s)->bytes, 8000 * 516);

    docket_stream_destroy(s);
}


/* Whether the stream is full before some more records. */

static int
gets_full(docket_stream_t *s, int n)
{
    cap_t  c;

    static int  next;

    for ( /* void */ ; n > 0; n--) {

        if (docket_stream_full(s)) {
            return 1;
        }

        memset(&c, 0, sizeof(c));
        cap_record(&c, at_us(next++), 1, 1000);
        put(s, &c, 4096);
    }

    return docket_stream_full(s);
}


/* Full means that it may be waited for, but not behind a long backlog. */

static void
test_full(void **state)
{
    int               i;
    u_char           *p, *end;
    cap_t             c;
    int64_t           time;
    uint64_t          left;
    docket_stream_t  *s;

    (void) state;

    s = stream(0);

    cap_begin(&c, 0, 0, 65535, 1);
    put(s, &c, 4096);

    assert_true(gets_full(s, 64));
    assert_int_equal(docket_stream_spilled(s), 0);

    while (docket_stream_spilled(s) <= DOCKET_STREAM_BACKLOG) {

        assert_true(gets_full(s, 64));

        /* whoever does not wait spills */

        for (i = 0; i < 32; i++) {
            memset(&c, 0, sizeof(c));
            cap_record(&c, at_us(1), 1, 1000);
            put(s, &c, 4096);
        }
    }

    assert_false(gets_full(s, 64));

    /* what is taken from the spill is not behind it any more */

    left = docket_stream_spilled(s);

    while (left > DOCKET_STREAM_BACKLOG / 2) {
        assert_int_equal(docket_stream_peek(s, &time), DOCKET_OK);
        assert_int_equal(docket_stream_take(s, &p, &end), DOCKET_OK);
        left -= (uint64_t) (end - p);
    }

    assert_true(gets_full(s, 64));

    docket_stream_destroy(s);
}


static void
test_large(void **state)
{
    int               i;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    s = stream(0);
    cap_begin(&c, 1, 1, 0, 1);

    for (i = 0; i < 40; i++) {
        cap_record(&c, at_us(i), i, (i % 5 == 0) ? 262144 : 100 * (size_t) i);
    }

    put(s, &c, 5000);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    docket_stream_finish(s);
    assert_int_equal(drain(s, 100000), DOCKET_DONE);
    sorted(40);
    assert_true(docket_stream_spilled(s) > 1000000);
    assert_int_equal(docket_stream_nano(s), 1);

    docket_stream_destroy(s);
}


static void
test_slices(void **state)
{
    int               i, slice;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    s = stream(1024 * 1024);

    for (slice = 0; slice < 3; slice++) {

        /* each has the packets of 50 us around its edges too */

        docket_stream_begin(s, at_us(slice * 100), at_us(slice * 100 + 100));
        cap_begin(&c, slice & 1, 0, 65535, 1);

        for (i = slice * 100 - 50; i < slice * 100 + 150; i++) {
            cap_record(&c, at_us(i), i, 40);
        }

        put(s, &c, 33);
        assert_int_equal(docket_stream_end(s), DOCKET_OK);
    }

    docket_stream_finish(s);
    assert_int_equal(drain(s, 100), DOCKET_DONE);
    sorted(300);
    assert_true(got.times[0] == at_us(0));
    assert_true(got.times[299] == at_us(299));
    assert_int_equal(docket_stream_count(s)->trimmed, 300);
    assert_int_equal(docket_stream_count(s)->disordered, 0);

    docket_stream_destroy(s);
}


static void
slice(docket_stream_t *s, int from, int n, size_t size)
{
    int    i;
    cap_t  c;

    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = from; i < from + n; i++) {
        cap_record(&c, at_us(i), i, size);
    }

    put(s, &c, 1000);
}


static void
test_rewind(void **state)
{
    int64_t           time;
    docket_stream_t  *s;

    (void) state;

    /* nothing was taken, only looked at */

    s = stream(1024 * 1024);
    slice(s, 0, 50, 60);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    slice(s, 50, 10, 60);
    docket_stream_flush(s);
    assert_int_equal(docket_stream_peek(s, &time), DOCKET_OK);
    assert_int_equal(docket_stream_write(s, "\xff\xff\xff\xff\xff\xff\xff\xff"
                                         "\xff\xff\xff\xff\xff\xff\xff\xff",
                                         16), DOCKET_ERROR);
    assert_non_null(strstr(docket_stream_error(s), "record 11 at byte 784"));
    assert_int_equal(docket_stream_rewind(s), DOCKET_OK);
    assert_int_equal(docket_stream_count(s)->records, 50);

    /* the first slice was taken, the second was not */

    slice(s, 50, 20, 60);
    assert_int_equal(drain(s, 1), DOCKET_OK);
    assert_int_equal(got.n, 50);
    assert_int_equal(docket_stream_rewind(s), DOCKET_OK);

    /* now it is */

    slice(s, 50, 30, 60);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    assert_int_equal(drain(s, 2), DOCKET_AGAIN);
    assert_int_equal(docket_stream_rewind(s), DOCKET_DECLINED);

    docket_stream_finish(s);
    assert_int_equal(drain(s, 2), DOCKET_DONE);
    sorted(80);

    docket_stream_destroy(s);
}


static void
test_rewind_spill(void **state)
{
    u_char           *p, *end;
    int64_t           time;
    docket_stream_t  *s;

    (void) state;

    s = stream(0);
    slice(s, 0, 500, 500);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    slice(s, 500, 500, 500);
    assert_true(docket_stream_spilled(s) > 300000);

    /* a rewind between look and grasp: the grasp looks again */

    assert_int_equal(docket_stream_peek(s, &time), DOCKET_OK);
    assert_int_equal(docket_stream_rewind(s), DOCKET_OK);
    assert_int_equal(docket_stream_take(s, &p, &end), DOCKET_AGAIN);
    assert_int_equal(docket_stream_count(s)->records, 500);

    slice(s, 500, 700, 400);

    /* all of the first slice goes, and nothing of the second with it */

    while (got.n < 500) {
        assert_int_equal(drain(s, 1), DOCKET_OK);
    }

    assert_int_equal(docket_stream_rewind(s), DOCKET_OK);
    assert_int_equal(drain(s, 1000), DOCKET_AGAIN);
    sorted(500);

    slice(s, 500, 600, 300);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    assert_int_equal(drain(s, 1), DOCKET_OK);
    assert_int_equal(docket_stream_rewind(s), DOCKET_DECLINED);
    docket_stream_finish(s);
    assert_int_equal(drain(s, 10000), DOCKET_DONE);
    sorted(1100);

    docket_stream_destroy(s);
}


static void
test_faults(void **state)
{
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    /* cut: the whole records stay */

    s = stream(1024 * 1024);
    cap_begin(&c, 0, 0, 65535, 1);
    cap_record(&c, at_us(1), 1, 60);
    cap_record(&c, at_us(2), 1, 60);
    c.n--;
    put(s, &c, 10);
    assert_int_equal(docket_stream_end(s), DOCKET_ERROR);
    assert_non_null(strstr(docket_stream_error(s), "cut inside record 2"));

    /* another link type */

    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    cap_begin(&c, 0, 0, 65535, 101);
    assert_int_equal(docket_stream_write(s, c.p, c.n), DOCKET_ERROR);
    assert_string_equal(docket_stream_error(s),
                        "link type RAW, the packets before have EN10MB");
    cap_end(&c);

    /* an answer that is no capture, and none at all */

    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    assert_int_equal(docket_stream_write(s, "Bad Gateway", 11), DOCKET_ERROR);
    assert_non_null(strstr(docket_stream_error(s), "\"Bad Gateway\""));
    assert_int_equal(docket_stream_write(s, "x", 1), DOCKET_ERROR);

    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    assert_int_equal(docket_stream_end(s), DOCKET_ERROR);
    assert_non_null(strstr(docket_stream_error(s), "no header"));

    docket_stream_finish(s);
    docket_stream_finish(s);
    assert_int_equal(drain(s, 10), DOCKET_DONE);
    assert_int_equal(got.n, 1);
    docket_stream_destroy(s);

    /* an empty capture of another type does no harm */

    s = stream(1024 * 1024);
    cap_begin(&c, 0, 0, 65535, 113);
    put(s, &c, 10);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    slice(s, 0, 10, 10);
    assert_int_equal(docket_stream_end(s), DOCKET_OK);
    assert_int_equal(docket_stream_link(s), 1);

    /* what the merge does not want */

    docket_stream_drop(s, "not wanted");
    assert_int_equal(docket_stream_write(s, "x", 1), DOCKET_ERROR);
    docket_stream_begin(s, DOCKET_PCAP_TIME_MIN, DOCKET_PCAP_TIME_MAX);
    assert_int_equal(docket_stream_write(s, "x", 1), DOCKET_ERROR);
    assert_string_equal(docket_stream_error(s), "not wanted");
    assert_int_equal(drain(s, 10), DOCKET_DONE);
    docket_stream_destroy(s);
}


static void
test_no_room(void **state)
{
    int               i, rc;
    cap_t             c;
    size_t            k;
    struct rlimit     limit, old;
    docket_stream_t  *s;

    (void) state;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    limit = old;
    limit.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);

    s = stream(0);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < 1000; i++) {
        cap_record(&c, at_us(i), i, 500);
    }

    rc = DOCKET_OK;

    for (k = 0; k + 1000 <= c.n && rc == DOCKET_OK; k += 1000) {
        rc = docket_stream_write(s, c.p + k, 1000);
    }

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);

    assert_int_equal(rc, DOCKET_ERROR);
    assert_string_equal(docket_stream_error(s),
                        "spill file \"spill\": File too large");

    /* all that came is there still */

    docket_stream_finish(s);
    assert_int_equal(drain(s, 10000), DOCKET_DONE);
    assert_int_equal(got.n, docket_stream_count(s)->records);
    assert_true(got.n > 150);
    sorted(got.n);

    cap_end(&c);
    docket_stream_destroy(s);

    /* no place for the file: somebody's file has the name */

    assert_int_equal(symlinkat("/dev/null", dirfd_, "spill"), 0);

    s = stream(0);
    cap_begin(&c, 0, 0, 65535, 1);

    for (i = 0; i < 200; i++) {
        cap_record(&c, at_us(i), i, 500);
    }

    assert_int_equal(docket_stream_write(s, c.p, c.n), DOCKET_ERROR);
    assert_string_equal(docket_stream_error(s),
                        "spill file \"spill\": File exists");
    docket_stream_destroy(s);
    assert_int_equal(unlinkat(dirfd_, "spill", 0), 0);
    cap_end(&c);
}


static void
test_file(void **state)
{
    int               i, fd, cut;
    cap_t             c;
    docket_stream_t  *s;

    (void) state;

    for (cut = 0; cut < 2; cut++) {

        cap_begin(&c, 0, 0, 65535, 1);

        for (i = 0; i < 8000; i++) {
            cap_record(&c, at_us(i ^ 3), i, 500);
        }

        fd = openat(dirfd_, "file", O_RDWR|O_CREAT|O_TRUNC, 0600);
        assert_true(fd != -1);
        assert_int_equal(write(fd, c.p, c.n - (size_t) cut), c.n - cut);
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        cap_end(&c);

        s = docket_stream_create(1024 * 1024, -1, NULL);
        assert_non_null(s);
        got.n = 0;
        docket_stream_file(s, fd, at_us(2), DOCKET_PCAP_TIME_MAX);
        assert_int_equal(drain(s, 100000), cut ? DOCKET_ERROR : DOCKET_DONE);
        sorted(7998 - (size_t) cut);

        if (cut) {
            assert_non_null(strstr(docket_stream_consumer_error(s),
                                   "cut inside record 8000"));
        }

        docket_stream_destroy(s);
        close(fd);
        assert_int_equal(unlinkat(dirfd_, "file", 0), 0);
    }
}


static int
setup(void **state)
{
    (void) state;

    if (mkdtemp(dir_) == NULL) {
        return -1;
    }

    dirfd_ = open(dir_, O_RDONLY|O_DIRECTORY);

    return (dirfd_ == -1) ? -1 : 0;
}


static int
teardown(void **state)
{
    (void) state;

    close(dirfd_);

    return rmdir(dir_);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_disorder),
        cmocka_unit_test(test_ties),
        cmocka_unit_test(test_spill),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_rewind),
        cmocka_unit_test(test_rewind_spill),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_file)
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
