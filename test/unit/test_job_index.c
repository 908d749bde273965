/*
 * SPOOL/index: the helper's table, the file, and those who read it meanwhile.
 */

#include <time.h>

#include "test_job.h"
#include "job/docket_index.h"


#define TEST_MANY  100000


/* As an MD5 would be: all bits differ from one to the next. */

static void
test_record(docket_index_record_t *rec, uint64_t i)
{
    uint64_t  a, b;

    a = (i + 1) * 0x9e3779b97f4a7c15ULL;
    a ^= a >> 29;
    b = a * 0xbf58476d1ce4e5b9ULL;

    memset(rec, 0, sizeof(*rec));
    memcpy(rec->id, &a, 8);
    memcpy(rec->id + 8, &b, 8);
    rec->created = 1000 + i;
    rec->touched = 5000000 - i;
    rec->packets = i;
    rec->bytes = ~i;
    rec->run = i;
    rec->state = DOCKET_COMPLETED;
    rec->flags = DOCKET_INDEX_CAPTURE;
}


static void
test_id(void **state)
{
    char     id[DOCKET_ID_LEN + 1];
    uint8_t  bin[16];

    (void) state;

    docket_id_pack(TEST_ID, bin);
    assert_int_equal(bin[0], 0x10);
    assert_int_equal(bin[15], 0x4c);
    docket_id_unpack(bin, id);
    assert_string_equal(id, TEST_ID);

    docket_id_pack("10A53543EB90F99251ADD6C9D5DD664C", bin);
    docket_id_unpack(bin, id);
    assert_string_equal(id, TEST_ID);
}


static void
test_from_job(void **state)
{
    docket_job_t           *job;
    docket_index_record_t   rec;

    (void) state;

    job = test_job_full();
    docket_index_from_job(&rec, job);

    assert_int_equal(rec.state, DOCKET_COMPLETED);
    assert_int_equal(rec.flags, DOCKET_INDEX_PARTIAL | DOCKET_INDEX_TRUNCATED
                                | DOCKET_INDEX_CAPTURE);
    assert_int_equal(rec.run, UINT32_MAX);
    assert_int_equal(rec.packets, 12);
    assert_true(rec.bytes == UINT64_MAX);
    assert_true(rec.created == TEST_NOW);
    assert_true(rec.touched == TEST_NOW + 999999);

    test_ok(docket_job_asked(job, "192.0.2.9", "", "", TEST_NOW + 1000000));
    docket_index_from_job(&rec, job);
    assert_true(rec.touched == TEST_NOW + 1000000);

    docket_job_destroy(job);

    job = test_job_plain();
    job->empty = 1;
    docket_index_from_job(&rec, job);
    assert_int_equal(rec.flags, DOCKET_INDEX_EMPTY);
    assert_true(rec.touched == TEST_NOW);
    docket_job_destroy(job);
}


/* The view has exactly the live records of "ix", in order of creation. */

static void
test_view_equal(const docket_spool_t *sp, const docket_index_t *ix)
{
    size_t                        i, n;
    int64_t                       created;
    docket_index_view_t           v;
    docket_index_record_t         rec;
    const docket_index_record_t  *r;

    test_ok(docket_index_open(sp, &v));

    n = 0;
    created = 0;

    for (i = 0; i < v.count; i++) {

        if (docket_index_read(&v, i, &rec)) {
            r = docket_index_get(ix, rec.id);
            assert_non_null(r);
            assert_memory_equal(r, &rec, sizeof(rec));

            assert_true(rec.created >= created);
            created = rec.created;
            n++;
        }
    }

    assert_int_equal(n, docket_index_count(ix));
    assert_int_equal(docket_index_read(&v, v.count, &rec), 0);
    assert_int_equal(v.error, 0);

    docket_index_close(&v);
    docket_index_close(&v);
}


static void
test_basic(void **state)
{
    docket_index_t         *ix;
    docket_index_view_t     v;
    docket_index_record_t   rec, *recs;
    size_t                  i, n;
    test_spool_t           *t = *state;

    test_error(docket_index_open(&t->sp, &v), ENOENT);

    ix = docket_index_create(&t->sp);
    assert_non_null(ix);

    /* only in memory before the first rebuild */
    for (i = 10; i-- != 0; /* void */) {
        test_record(&rec, i);
        test_ok(docket_index_put(ix, &rec));
    }

    test_error(docket_index_open(&t->sp, &v), ENOENT);

    test_ok(docket_index_rebuild(ix));
    test_view_equal(&t->sp, ix);

    test_record(&rec, 10);
    test_ok(docket_index_put(ix, &rec));
    test_view_equal(&t->sp, ix);

    rec.packets = 77;
    test_ok(docket_index_put(ix, &rec));
    assert_int_equal(docket_index_get(ix, rec.id)->packets, 77);
    assert_int_equal(docket_index_count(ix), 11);
    test_view_equal(&t->sp, ix);

    test_record(&rec, 3);
    test_ok(docket_index_delete(ix, rec.id));
    test_ok(docket_index_delete(ix, rec.id));
    assert_null(docket_index_get(ix, rec.id));
    assert_int_equal(docket_index_count(ix), 10);
    test_view_equal(&t->sp, ix);

    /* asked for again: a new job, at the end */
    rec.created = 2000000;
    test_ok(docket_index_put(ix, &rec));
    assert_int_equal(docket_index_count(ix), 11);
    test_view_equal(&t->sp, ix);

    test_ok(docket_index_open(&t->sp, &v));
    assert_int_equal(v.count, 12);
    assert_int_equal(docket_index_read(&v, 3, &rec), 0);
    assert_int_equal(docket_index_read(&v, 11, &rec), 1);
    assert_int_equal(rec.created, 2000000);

    /* an open view goes on when the file is replaced */
    test_ok(docket_index_rebuild(ix));
    assert_int_equal(docket_index_read(&v, 11, &rec), 1);
    assert_int_equal(rec.created, 2000000);
    docket_index_close(&v);
    test_view_equal(&t->sp, ix);

    test_ok(docket_index_by_age(ix, &recs, &n));
    assert_int_equal(n, 11);

    for (i = 1; i < n; i++) {
        assert_true(recs[i - 1].touched <= recs[i].touched);
    }

    free(recs);

    /* what was never there */
    memset(rec.id, 0xee, sizeof(rec.id));
    assert_null(docket_index_get(ix, rec.id));
    test_ok(docket_index_delete(ix, rec.id));

    docket_index_destroy(ix);
    docket_index_destroy(NULL);
}


static void
test_many(void **state)
{
    double                  seconds;
    uint64_t                i;
    docket_index_t         *ix;
    struct timespec         begin, end;
    docket_index_record_t   rec;
    test_spool_t           *t = *state;

    ix = docket_index_create(&t->sp);
    assert_non_null(ix);

    clock_gettime(CLOCK_MONOTONIC, &begin);

    for (i = 0; i < TEST_MANY; i++) {
        test_record(&rec, (i * 7919) % TEST_MANY);
        test_ok(docket_index_put(ix, &rec));
    }

    assert_int_equal(docket_index_count(ix), TEST_MANY);
    test_ok(docket_index_rebuild(ix));

    for (i = 0; i < TEST_MANY; i++) {
        test_record(&rec, i);
        assert_int_equal(docket_index_get(ix, rec.id)->run, i);
        rec.packets++;
        test_ok(docket_index_put(ix, &rec));
    }

    clock_gettime(CLOCK_MONOTONIC, &end);
    seconds = (end.tv_sec - begin.tv_sec)
              + (end.tv_nsec - begin.tv_nsec) / 1e9;

    print_message("%d records put, sorted, written, found, replaced: %.3f s\n",
                  TEST_MANY, seconds);

    /* far above what it takes, far below what n * n would */
    assert_true(seconds < 30);

    test_view_equal(&t->sp, ix);

    /* most are deleted: the file shrinks by itself */

    for (i = 0; i < TEST_MANY; i++) {
        if (i % 10 != 0) {
            test_record(&rec, i);
            test_ok(docket_index_delete(ix, rec.id));
        }
    }

    assert_int_equal(docket_index_count(ix), TEST_MANY / 10);
    test_view_equal(&t->sp, ix);

    struct stat  st;
    assert_int_equal(fstatat(t->sp.fd, "index", &st, 0), 0);
    assert_true(st.st_size < 64 * TEST_MANY / 2);

    docket_index_destroy(ix);
}


/* No room for a while: memory goes on, and the file has all afterwards. */

static void
test_no_room(void **state)
{
    uint64_t                i;
    docket_index_t         *ix;
    docket_index_record_t   rec;
    test_spool_t           *t = *state;

    ix = docket_index_create(&t->sp);
    assert_non_null(ix);

    for (i = 0; i < 10; i++) {
        test_record(&rec, i);
        test_ok(docket_index_put(ix, &rec));
    }

    test_ok(docket_index_rebuild(ix));

    test_limit_file(64 * 12 + 32);

    for (i = 10; i < 20; i++) {
        test_record(&rec, i);
        assert_int_equal(docket_index_put(ix, &rec),
                         (i < 11) ? DOCKET_OK : DOCKET_ERROR);
    }

    /* in place there is room */
    test_record(&rec, 4);
    rec.packets = 99;
    test_ok(docket_index_put(ix, &rec));
    test_record(&rec, 5);
    test_ok(docket_index_delete(ix, rec.id));

    /* a file that can't be written anew leaves the old one */
    test_error(docket_index_rebuild(ix), EFBIG);
    assert_int_equal(docket_index_count(ix), 19);
    assert_int_equal(test_exists(&t->sp, "index"), 1);

    /* one in place that fails, and others behind it */
    test_limit_file(64 * 5);
    test_record(&rec, 7);
    rec.packets = 98;
    assert_int_equal(docket_index_put(ix, &rec), DOCKET_ERROR);
    assert_int_equal(docket_index_get(ix, rec.id)->packets, 98);
    test_limit_file(RLIM_INFINITY);

    test_record(&rec, 20);
    test_ok(docket_index_put(ix, &rec));
    assert_int_equal(docket_index_count(ix), 20);
    test_view_equal(&t->sp, ix);

    docket_index_destroy(ix);
}


static void
test_hostile(void **state)
{
    int                     fd;
    char                    buf[64 * 3];
    docket_index_t         *ix;
    docket_index_view_t     v;
    docket_index_record_t   rec;
    test_spool_t           *t = *state;

    ix = docket_index_create(&t->sp);
    assert_non_null(ix);
    test_record(&rec, 1);
    test_ok(docket_index_put(ix, &rec));
    test_record(&rec, 2);
    test_ok(docket_index_put(ix, &rec));
    test_ok(docket_index_rebuild(ix));

    fd = openat(t->sp.fd, "index", O_RDWR);
    assert_int_equal(pread(fd, buf, sizeof(buf), 0), sizeof(buf));

    /* torn beyond repair */
    assert_int_equal(pwrite(fd, "xxxx", 4, 64 + 20), 4);
    test_ok(docket_index_open(&t->sp, &v));
    assert_int_equal(v.count, 2);
    assert_int_equal(docket_index_read(&v, 1, &rec), 1);
    assert_int_equal(v.error, 0);
    assert_int_equal(docket_index_read(&v, 0, &rec), 0);
    assert_int_equal(v.error, EBADMSG);
    assert_int_equal(docket_index_read(&v, 1, &rec), 1);
    docket_index_close(&v);

    /* a hole, and a slot that is not whole */
    assert_int_equal(ftruncate(fd, 64), 0);
    assert_int_equal(ftruncate(fd, 64 * 3 + 63), 0);
    test_ok(docket_index_open(&t->sp, &v));
    assert_int_equal(v.count, 2);
    assert_int_equal(docket_index_read(&v, 0, &rec), 0);
    assert_int_equal(v.error, EBADMSG);
    docket_index_close(&v);

    /* cut while it is read */
    test_ok(docket_index_open(&t->sp, &v));
    assert_int_equal(ftruncate(fd, 64), 0);
    assert_int_equal(docket_index_read(&v, 1, &rec), 0);
    assert_int_equal(v.error, EBADMSG);
    docket_index_close(&v);

    /* not to be read at all */
    assert_int_equal(ftruncate(fd, 64 * 2), 0);
    test_ok(docket_index_open(&t->sp, &v));
    assert_int_equal(close(v.fd), 0);
    assert_int_equal(docket_index_read(&v, 0, &rec), 0);
    assert_int_equal(v.error, EBADF);

    assert_int_equal(ftruncate(fd, 63), 0);
    test_error(docket_index_open(&t->sp, &v), EBADMSG);
    docket_index_close(&v);
    assert_int_equal(ftruncate(fd, 1LL << 40), 0);
    test_error(docket_index_open(&t->sp, &v), EBADMSG);
    assert_int_equal(ftruncate(fd, sizeof(buf)), 0);

    /* another version, another size of records */
    buf[8]++;
    assert_int_equal(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf));
    test_error(docket_index_open(&t->sp, &v), EBADMSG);
    buf[8]--;
    buf[12]++;
    assert_int_equal(pwrite(fd, buf, sizeof(buf), 0), sizeof(buf));
    test_error(docket_index_open(&t->sp, &v), EBADMSG);
    close(fd);

    assert_int_equal(unlinkat(t->sp.fd, "index", 0), 0);
    assert_int_equal(mkfifoat(t->sp.fd, "index", 0640), 0);
    test_error(docket_index_open(&t->sp, &v), EBADMSG);

    /* rebuilding replaces it, whatever it is */
    test_ok(docket_index_rebuild(ix));
    test_view_equal(&t->sp, ix);

    docket_index_destroy(ix);
}


/* Another process replaces records while this one reads them: whatever is
   read is one that was written. */

static void
test_concurrent(void **state)
{
    int                     status;
    char                    byte;
    pid_t                   pid;
    uint8_t                 last;
    uint64_t                i, n, seen, changes, before[8];
    docket_index_t         *ix;
    docket_index_view_t     v;
    docket_index_record_t   rec;
    test_spool_t           *t = *state;
    int                     ready[2];

    ix = docket_index_create(&t->sp);
    assert_non_null(ix);

    for (i = 0; i < 8; i++) {
        test_record(&rec, i);
        memset(&rec.created, 0, 36);
        test_ok(docket_index_put(ix, &rec));
    }

    test_ok(docket_index_rebuild(ix));
    assert_int_equal(pipe(ready), 0);

    pid = test_fork();

    if (pid == 0) {
        last = 0;

        for (n = 0; /* void */ ; n++) {
            test_record(&rec, n % 8);

            /* every byte from "created" to "run" is the same */
            if (n % 8 == 0) {
                last++;
            }

            memset(&rec.created, last, 36);

            if (docket_index_put(ix, &rec) != DOCKET_OK) {
                _exit(1);
            }

            if (n == 100 && write(ready[1], "x", 1) != 1) {
                _exit(1);
            }
        }
    }

    assert_int_equal(read(ready[0], &byte, 1), 1);

    seen = 0;
    changes = 0;
    memset(before, 0, sizeof(before));
    v.fd = -1;

    /* as many as are needed to see it change often */

    while (changes < 20000) {
        i = seen++ % 8;

        if (i == 0) {
            docket_index_close(&v);
            test_ok(docket_index_open(&t->sp, &v));
            assert_int_equal(v.count, 8);
        }

        if (docket_index_read(&v, i, &rec) == 0) {
            fail_msg("a record that is there was not read");
        }

        for (n = 1; n < 36; n++) {
            if (((uint8_t *) &rec.created)[n]
                != ((uint8_t *) &rec.created)[0])
            {
                fail_msg("a torn record was taken after %lu reads",
                         (unsigned long) seen);
            }
        }

        changes += rec.packets != before[i];
        before[i] = rec.packets;
    }

    docket_index_close(&v);
    close(ready[0]);
    close(ready[1]);

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));

    docket_index_destroy(ix);
}


#define test_case(name)                                                       \
    cmocka_unit_test_setup_teardown(name, test_spool_setup,                   \
                                    test_spool_teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_id),
        cmocka_unit_test(test_from_job),
        test_case(test_basic),
        test_case(test_many),
        test_case(test_no_room),
        test_case(test_hostile),
        test_case(test_concurrent)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
