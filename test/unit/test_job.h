/*
 * What the tests of src/job share: a record with something in each field, and
 * a spool in a folder of its own.
 */

#ifndef TEST_JOB_H
#define TEST_JOB_H


#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "job/docket_spool.h"


#define TEST_ID     "10a53543eb90f99251add6c9d5dd664c"
#define TEST_AFTER  1515622200000000LL    /* 2018-01-10T22:10:00Z */
#define TEST_NOW    (TEST_AFTER + 600 * DOCKET_SECOND)

#define test_ok(call)     assert_int_equal(call, DOCKET_OK)
#define test_error(call, error)                                               \
    do {                                                                      \
        errno = 0;                                                            \
        assert_int_equal(call, -1);                                           \
        assert_int_equal(errno, error);                                       \
    } while (0)


typedef struct {
    char            path[64];
    docket_spool_t  sp;
} test_spool_t;


static inline docket_job_t *
test_job_plain(void)
{
    docket_job_t           *job;
    docket_query_result_t   q;

    memset(&q, 0, sizeof(q));
    q.text = "port 21 and after 2018-01-10T22:10:00Z"
             " and before 2018-01-10T22:12:00Z";
    q.text_len = strlen(q.text);
    memcpy(q.id, TEST_ID, sizeof(TEST_ID));
    q.terms = "port 21";
    q.terms_len = strlen(q.terms);
    q.after = TEST_AFTER;
    q.before = TEST_AFTER + 120 * DOCKET_SECOND;
    q.exact = 1;

    job = docket_job_create(&q, TEST_NOW);
    assert_non_null(job);

    return job;
}


static inline docket_job_t *
test_job_full(void)
{
    docket_job_t           *job;
    docket_request_t       *rq;
    docket_query_result_t   q;
    static const char      *sensors[] = { "dmz-1", "lab.2" };

    memset(&q, 0, sizeof(q));
    q.text = "host 1.2.3.4 and (port 80 or port 443); sensors dmz-1,lab.2";
    q.text_len = strlen(q.text);
    memcpy(q.id, TEST_ID, sizeof(TEST_ID));
    q.terms = "host 1.2.3.4 and (port 80 or port 443)";
    q.terms_len = strlen(q.terms);
    q.filter = "tcp[13] & 2 != 0 and \"x\"\n";
    q.after = TEST_AFTER;
    q.before = TEST_AFTER + 120 * DOCKET_SECOND;
    q.sensors = sensors;
    q.nsensors = 2;
    q.limit_packets = UINT64_MAX;
    q.limit_bytes = 1ULL << 63;
    q.weight = 123456789.1;

    job = docket_job_create(&q, TEST_NOW);
    assert_non_null(job);

    job->partial = 1;
    job->truncated = 1;
    job->settled = 1;
    job->run = UINT32_MAX;
    job->started = TEST_NOW + 1;
    job->finished = TEST_NOW + 999999;
    job->settles_at = TEST_NOW + 240 * DOCKET_SECOND;
    job->capture_run = 7;
    job->packets = 12;
    job->bytes = UINT64_MAX;
    job->first = TEST_AFTER;
    job->last = TEST_AFTER + 5;
    test_ok(docket_job_reason(job, "lab.2: no route to host"));

    rq = docket_job_request(job, "lab.2", 1);
    assert_non_null(rq);
    rq->state = DOCKET_SENSOR_FAILED;
    rq->attempts = 3;
    rq->started = TEST_NOW + 2;
    rq->finished = TEST_NOW + 3;
    strcpy(rq->error, "no route to host");

    rq = docket_job_request(job, "dmz-1", 1);
    assert_non_null(rq);
    rq->state = DOCKET_SENSOR_COMPLETE;
    rq->received = 5000000000ULL;
    rq->packets = 12;
    rq->bytes = 3000;
    rq->disordered = 1;
    rq->slices = 24;
    rq->slices_done = 23;
    rq->attempts = 1;
    rq->started = TEST_NOW + 4;
    strcpy(rq->warning, "its oldest packet is younger than the range");

    test_ok(docket_job_event(job, DOCKET_REQUESTING, "Requesting", "asks 2",
                             TEST_NOW + 5));
    test_ok(docket_job_event(job, DOCKET_COMPLETED, "Completed", NULL,
                             TEST_NOW + 6));
    test_ok(docket_job_asked(job, "192.0.2.1", "alice", "CN=alice", TEST_NOW));
    test_ok(docket_job_asked(job, "2001:db8::1", NULL, NULL, TEST_NOW + 7));
    test_ok(docket_job_asked(job, "192.0.2.1", "alice", "CN=alice",
                             TEST_NOW + 8));

    return job;
}


static inline void
test_job_equal(const docket_job_t *a, const docket_job_t *b)
{
    size_t  i;

    assert_string_equal(a->id, b->id);
    assert_string_equal(a->query, b->query);
    assert_string_equal(a->terms, b->terms);

    assert_int_equal(a->filter == NULL, b->filter == NULL);
    if (a->filter != NULL) {
        assert_string_equal(a->filter, b->filter);
    }

    assert_int_equal(a->nsensors, b->nsensors);
    for (i = 0; i < a->nsensors; i++) {
        assert_string_equal(a->sensors[i], b->sensors[i]);
    }

    assert_true(a->after == b->after && a->before == b->before);
    assert_true(a->limit_packets == b->limit_packets);
    assert_true(a->limit_bytes == b->limit_bytes);
    assert_true(a->weight == b->weight);
    assert_int_equal(a->exact, b->exact);
    assert_int_equal(a->partial, b->partial);
    assert_int_equal(a->truncated, b->truncated);
    assert_int_equal(a->empty, b->empty);
    assert_int_equal(a->settled, b->settled);
    assert_int_equal(a->state, b->state);
    assert_true(a->run == b->run);
    assert_true(a->created == b->created && a->requested == b->requested);
    assert_true(a->started == b->started && a->finished == b->finished);
    assert_true(a->settles_at == b->settles_at);

    assert_int_equal(a->reason == NULL, b->reason == NULL);
    if (a->reason != NULL) {
        assert_string_equal(a->reason, b->reason);
    }

    assert_true(a->capture_run == b->capture_run);
    assert_true(a->packets == b->packets && a->bytes == b->bytes);
    assert_true(a->first == b->first && a->last == b->last);
    assert_true(a->asked == b->asked);

    /* filled with zeros behind each string, so bytes can be compared */

    assert_int_equal(a->nrequests, b->nrequests);
    if (a->nrequests != 0) {
        assert_memory_equal(a->requests, b->requests,
                            a->nrequests * sizeof(docket_request_t));
    }

    assert_int_equal(a->nevents, b->nevents);
    if (a->nevents != 0) {
        assert_memory_equal(a->events, b->events,
                            a->nevents * sizeof(docket_event_t));
    }

    assert_int_equal(a->naskers, b->naskers);
    if (a->naskers != 0) {
        assert_memory_equal(a->askers, b->askers,
                            a->naskers * sizeof(docket_asker_t));
    }
}


static inline int
test_spool_setup(void **state)
{
    test_spool_t  *t;

    t = calloc(1, sizeof(test_spool_t));
    if (t == NULL) {
        return -1;
    }

    strcpy(t->path, "/tmp/docket-test-XXXXXX");

    if (mkdtemp(t->path) == NULL) {
        free(t);
        return -1;
    }

    t->sp.fd = open(t->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    t->sp.merged = "merged.pcap";

    *state = t;

    return (t->sp.fd == -1) ? -1 : 0;
}


static inline int
test_unlink(const char *path, const struct stat *st, int type,
    struct FTW *ftw)
{
    (void) st;
    (void) type;
    (void) ftw;

    return remove(path);
}


static inline int
test_spool_teardown(void **state)
{
    int            rc;
    char           path[128];
    test_spool_t  *t = *state;

    /* what a test that failed left */
    snprintf(path, sizeof(path), "%s/full", t->path);
    (void) umount2(path, MNT_DETACH);

    close(t->sp.fd);
    rc = nftw(t->path, test_unlink, 16, FTW_DEPTH | FTW_PHYS);
    free(t);

    return rc;
}


/* 1 when "path" is there below the spool, whatever it is. */

static inline int
test_exists(const docket_spool_t *sp, const char *path)
{
    struct stat  st;

    return fstatat(sp->fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}


static inline void
test_write(const docket_spool_t *sp, const char *path, const char *s,
    size_t len)
{
    int  fd;

    fd = openat(sp->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    assert_true(fd != -1);
    assert_true(write(fd, s, len) == (ssize_t) len);
    assert_int_equal(close(fd), 0);
}


/* As fork(); the child does not outlive a test that fails. */

static inline pid_t
test_fork(void)
{
    pid_t  pid;

    pid = fork();

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return 0;
    }

    assert_true(pid != -1);

    return pid;
}


/* No file may grow beyond "bytes"; RLIM_INFINITY again afterwards. */

static inline void
test_limit_file(rlim_t bytes)
{
    struct rlimit  rl;

    signal(SIGXFSZ, SIG_IGN);

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &rl), 0);
    rl.rlim_cur = (bytes < rl.rlim_max) ? bytes : rl.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
}


#endif /* TEST_JOB_H */
