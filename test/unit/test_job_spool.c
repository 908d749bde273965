/*
 * The spool: what is in its folders, and what happens when that is not what
 * it should be, when there is no room, and when several want the same.
 */

#include <dirent.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "test_job.h"


#define TEST_ID2   "20a53543eb90f99251add6c9d5dd664c"
#define TEST_UUID  "10a53543-eb90-f992-51ad-d6c9d5dd664c"


typedef struct {
    int   jobs;
    int   odds;
    char  odd[1024];
    int   stop;
} test_walk_t;


static char *
test_json(const char *id, size_t *len)
{
    char          *json;
    docket_job_t  *job;

    job = test_job_full();
    memcpy(job->id, id, DOCKET_ID_LEN);
    test_ok(docket_job_print(job, &json, len));
    docket_job_destroy(job);

    return json;
}


static void
test_create(const docket_spool_t *sp)
{
    char    *json;
    size_t   len;

    json = test_json(TEST_ID, &len);
    test_ok(docket_spool_create(sp, TEST_ID, json, len, 0));
    free(json);
}


/* Number of entries of a folder below the spool, or -1. */

static int
test_count_entries(const docket_spool_t *sp, const char *path)
{
    int   fd, n;
    DIR  *dir;

    fd = openat(sp->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        return -1;
    }

    dir = fdopendir(fd);
    assert_non_null(dir);

    for (n = 0; readdir(dir) != NULL; n++) { /* void */ }

    assert_int_equal(closedir(dir), 0);

    /* "." and ".." */
    return n - 2;
}


static void
test_not_loaded(const docket_spool_t *sp, int error, const char *words)
{
    char           err[256] = "";
    docket_job_t  *job;

    errno = 0;
    job = docket_spool_load(sp, TEST_ID, err, sizeof(err));

    assert_null(job);
    assert_int_equal(errno, error);

    if (strstr(err, words) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", words, err);
    }
}


static void
test_names(void **state)
{
    char             name[DOCKET_SPOOL_NAME_LEN + 1];
    char             id[DOCKET_ID_LEN + 1];
    size_t           i;
    docket_spool_t   sp;

    static const char  *ids[] = {
        TEST_ID, TEST_UUID, "10A53543EB90F99251ADD6C9D5DD664C",
        "10a53543-EB90-f992-51ad-d6c9d5dd664c"
    };
    static const char  *none[] = {
        "", "1", "10a53543eb90f99251add6c9d5dd664", TEST_ID "0",
        "10a53543eb90f99251add6c9d5dd664g", "10a53543-eb90f99251add6c9d5dd664c",
        "10a53543-eb90-f992-51ad-d6c9-5dd664c",
        "10a5354-3eb90-f992-51ad-d6c9d5dd664c",
        "10a53543-eb90-f992-51ad_d6c9d5dd664c"
    };

    (void) state;

    memset(&sp, 0, sizeof(sp));
    docket_spool_name(&sp, TEST_ID, name);
    assert_string_equal(name, TEST_ID);

    sp.uuid = 1;
    docket_spool_name(&sp, TEST_ID, name);
    assert_string_equal(name, TEST_UUID);

    for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_int_equal(docket_spool_id(ids[i], strlen(ids[i]), id), 1);
        assert_string_equal(id, TEST_ID);
    }

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_int_equal(docket_spool_id(none[i], strlen(none[i]), id), 0);
    }
}


static void
test_create_load_save(void **state)
{
    int            uuid, sync;
    char          *json, err[256];
    size_t         len;
    struct stat    st;
    docket_job_t  *job, *copy;
    test_spool_t  *t = *state;

    job = test_job_full();
    umask(0);

    for (uuid = 0; uuid < 2; uuid++) {
        t->sp.uuid = uuid;
        sync = uuid;

        test_error(docket_spool_save(&t->sp, TEST_ID, "{}", 2, 0), ENOENT);
        test_not_loaded(&t->sp, ENOENT, "");

        job->state = DOCKET_CREATED;
        test_ok(docket_job_print(job, &json, &len));

        errno = EIO;
        test_ok(docket_spool_create(&t->sp, TEST_ID, json, len, sync));
        assert_int_equal(errno, 0);

        assert_int_equal(fstatat(t->sp.fd, uuid ? TEST_UUID : TEST_ID, &st,
                                 0), 0);
        assert_int_equal(st.st_mode, S_IFDIR | 0750);
        assert_int_equal(fstatat(t->sp.fd, uuid ? TEST_UUID "/query.json"
                                                : TEST_ID "/query.json",
                                 &st, 0), 0);
        assert_int_equal(st.st_mode, S_IFREG | 0640);
        assert_int_equal(st.st_nlink, 1);
        assert_int_equal(test_count_entries(&t->sp,
                                            uuid ? TEST_UUID : TEST_ID), 1);

        copy = docket_spool_load(&t->sp, TEST_ID, err, sizeof(err));
        assert_non_null(copy);
        test_job_equal(job, copy);
        docket_job_destroy(copy);

        /* the first stays */
        test_ok(docket_spool_create(&t->sp, TEST_ID, "{}", 2, sync));
        assert_int_equal(errno, EEXIST);
        copy = docket_spool_load(&t->sp, TEST_ID, err, sizeof(err));
        assert_non_null(copy);
        docket_job_destroy(copy);
        free(json);

        job->state = DOCKET_COMPLETED;
        test_ok(docket_job_print(job, &json, &len));
        test_ok(docket_spool_save(&t->sp, TEST_ID, json, len, sync));
        free(json);

        copy = docket_spool_load(&t->sp, TEST_ID, err, sizeof(err));
        assert_non_null(copy);
        assert_int_equal(copy->state, DOCKET_COMPLETED);
        docket_job_destroy(copy);

        assert_int_equal(test_count_entries(&t->sp,
                                            uuid ? TEST_UUID : TEST_ID), 1);
    }

    docket_job_destroy(job);
}


/* A folder without a record is what a creation that died leaves. */

static void
test_create_in_folder(void **state)
{
    char          *json, err[256];
    size_t         len;
    docket_job_t  *job;
    test_spool_t  *t = *state;

    assert_int_equal(mkdirat(t->sp.fd, TEST_ID, 0750), 0);
    test_not_loaded(&t->sp, ENOENT, "");

    json = test_json(TEST_ID, &len);
    test_ok(docket_spool_create(&t->sp, TEST_ID, json, len, 0));
    assert_int_equal(errno, 0);
    free(json);

    job = docket_spool_load(&t->sp, TEST_ID, err, sizeof(err));
    assert_non_null(job);
    docket_job_destroy(job);
}


static void
test_hostile_record(void **state)
{
    int                  fd, s;
    char                *json;
    size_t               i, len;
    test_spool_t        *t = *state;
    struct sockaddr_un   sa;

    static const char  path[] = TEST_ID "/query.json";

    assert_int_equal(mkdirat(t->sp.fd, TEST_ID, 0750), 0);
    json = test_json(TEST_ID, &len);

    test_write(&t->sp, "good.json", json, len);
    assert_int_equal(symlinkat("../good.json", t->sp.fd, path), 0);
    test_not_loaded(&t->sp, EBADMSG, "no regular file");
    assert_int_equal(unlinkat(t->sp.fd, path, 0), 0);

    assert_int_equal(mkfifoat(t->sp.fd, path, 0640), 0);
    test_not_loaded(&t->sp, EBADMSG, "no regular file");
    assert_int_equal(unlinkat(t->sp.fd, path, 0), 0);

    assert_int_equal(mkdirat(t->sp.fd, path, 0750), 0);
    test_not_loaded(&t->sp, EBADMSG, "no regular file");
    assert_int_equal(unlinkat(t->sp.fd, path, AT_REMOVEDIR), 0);

    memset(&sa, 0, sizeof(sa));
    sa.sun_family = AF_UNIX;
    snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/%s", t->path, path);
    s = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_true(s != -1);
    assert_int_equal(bind(s, (struct sockaddr *) &sa, sizeof(sa)), 0);
    test_not_loaded(&t->sp, EBADMSG, "no regular file");
    assert_int_equal(unlinkat(t->sp.fd, path, 0), 0);
    close(s);

    /* a sparse file: were it read, memory would be gone */
    test_write(&t->sp, path, json, len);
    fd = openat(t->sp.fd, path, O_WRONLY);
    assert_int_equal(ftruncate(fd, 1LL << 40), 0);
    test_not_loaded(&t->sp, EBADMSG, "too large");
    assert_int_equal(ftruncate(fd, DOCKET_JOB_MAX_JSON), 0);
    test_not_loaded(&t->sp, EBADMSG, "");
    close(fd);

    for (i = 0; i < len; i++) {
        test_write(&t->sp, path, json, i);
        test_not_loaded(&t->sp, EBADMSG, "");
    }

    free(json);
    json = test_json(TEST_ID2, &len);
    test_write(&t->sp, path, json, len);
    test_not_loaded(&t->sp, EBADMSG, "another job");

    free(json);
}


static void
test_hostile_folder(void **state)
{
    test_spool_t  *t = *state;

    assert_int_equal(mkdirat(t->sp.fd, "elsewhere", 0750), 0);

    assert_int_equal(symlinkat("elsewhere", t->sp.fd, TEST_ID), 0);
    test_not_loaded(&t->sp, EBADMSG, "no folder");
    test_error(docket_spool_create(&t->sp, TEST_ID, "{}", 2, 0), EBADMSG);
    test_error(docket_spool_save(&t->sp, TEST_ID, "{}", 2, 0), EBADMSG);
    test_error(docket_spool_again(&t->sp, TEST_ID, 1, 0), EBADMSG);
    test_error(docket_spool_lock_dir(&t->sp, TEST_ID), EBADMSG);
    test_error(docket_spool_open_dir(&t->sp, TEST_ID), EBADMSG);
    test_error(docket_spool_remove(&t->sp, TEST_ID), EBADMSG);
    assert_int_equal(test_count_entries(&t->sp, "elsewhere"), 0);
    assert_true(test_exists(&t->sp, TEST_ID));
    assert_int_equal(unlinkat(t->sp.fd, TEST_ID, 0), 0);

    test_write(&t->sp, TEST_ID, "x", 1);
    test_not_loaded(&t->sp, EBADMSG, "no folder");
    test_error(docket_spool_create(&t->sp, TEST_ID, "{}", 2, 0), EBADMSG);
    test_error(docket_spool_remove(&t->sp, TEST_ID), EBADMSG);
    assert_true(test_exists(&t->sp, TEST_ID));
}


static void
test_no_room(void **state)
{
    char          *json, err[256];
    size_t         len;
    docket_job_t  *job;
    test_spool_t  *t = *state;

    json = test_json(TEST_ID, &len);

    test_limit_file(100);
    test_error(docket_spool_create(&t->sp, TEST_ID, json, len, 0), EFBIG);
    assert_false(test_exists(&t->sp, TEST_ID));

    test_limit_file(RLIM_INFINITY);
    test_ok(docket_spool_create(&t->sp, TEST_ID, json, len, 0));

    test_limit_file(100);
    test_error(docket_spool_save(&t->sp, TEST_ID, json, len, 0), EFBIG);
    test_limit_file(1);
    test_error(docket_spool_again(&t->sp, TEST_ID, 1, 0), EFBIG);
    test_limit_file(RLIM_INFINITY);

    assert_int_equal(test_count_entries(&t->sp, TEST_ID), 1);
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID), 0);

    job = docket_spool_load(&t->sp, TEST_ID, err, sizeof(err));
    assert_non_null(job);
    docket_job_destroy(job);
    free(json);
}


/* The same on a file system that is really full. */

static void
test_full_disk(void **state)
{
    int              fd;
    char             path[128], id[DOCKET_ID_LEN + 1], err[256], *json;
    char             page[4096];
    size_t           len;
    docket_job_t    *job;
    test_spool_t    *t = *state;
    docket_spool_t   sp;

    snprintf(path, sizeof(path), "%s/full", t->path);
    assert_int_equal(mkdir(path, 0750), 0);

    if (mount("tmpfs", path, "tmpfs", 0, "size=64k") == -1) {
        print_message("no tmpfs can be mounted here: %s\n", strerror(errno));
        skip();
    }

    sp = t->sp;
    sp.fd = open(path, O_RDONLY | O_DIRECTORY);
    assert_true(sp.fd != -1);

    json = test_json(TEST_ID, &len);
    test_ok(docket_spool_create(&sp, TEST_ID, json, len, 1));

    memset(page, 'x', sizeof(page));
    fd = openat(sp.fd, "ballast", O_WRONLY | O_CREAT, 0640);
    while (write(fd, page, sizeof(page)) > 0) { /* void */ }
    assert_int_equal(errno, ENOSPC);
    close(fd);

    memcpy(id, TEST_ID2, sizeof(id));
    test_error(docket_spool_create(&sp, id, json, len, 1), ENOSPC);
    assert_false(test_exists(&sp, id));

    test_error(docket_spool_save(&sp, TEST_ID, json, len, 1), ENOSPC);
    assert_int_equal(test_count_entries(&sp, TEST_ID), 1);
    job = docket_spool_load(&sp, TEST_ID, err, sizeof(err));

    assert_int_equal(docket_spool_remove(&sp, TEST_ID), DOCKET_OK);
    assert_int_equal(docket_spool_create(&sp, id, json, len, 1), DOCKET_OK);

    close(sp.fd);
    assert_int_equal(umount2(path, MNT_DETACH), 0);

    assert_non_null(job);
    docket_job_destroy(job);
    free(json);
}


static void
test_no_access(void **state)
{
    int            status;
    pid_t          pid;
    test_spool_t  *t = *state;

    assert_int_equal(fchmod(t->sp.fd, 0500), 0);

    pid = test_fork();

    if (pid == 0) {
        /* root may write anywhere */

        if (geteuid() == 0 && setresuid(65534, 65534, 65534) == -1) {
            _exit(255);
        }

        _exit(docket_spool_create(&t->sp, TEST_ID, "{}", 2, 0) == -1 ? errno
                                                                      : 0);
    }

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));

    if (WEXITSTATUS(status) == 255) {
        print_message("cannot become another user here\n");
        skip();
    }

    assert_int_equal(WEXITSTATUS(status), EACCES);
    assert_false(test_exists(&t->sp, TEST_ID));
    assert_int_equal(fchmod(t->sp.fd, 0700), 0);
}


static void
test_again(void **state)
{
    int            dirfd;
    test_spool_t  *t = *state;

    test_error(docket_spool_again(&t->sp, TEST_ID, DOCKET_AGAIN_RETRY, 0),
               ENOENT);
    test_error(docket_spool_again_read(&t->sp, TEST_ID), ENOENT);

    test_create(&t->sp);
    dirfd = docket_spool_open_dir(&t->sp, TEST_ID);
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID), 0);
    test_ok(docket_spool_again_clear(dirfd));

    test_ok(docket_spool_again(&t->sp, TEST_ID, DOCKET_AGAIN_RETRY, 1));
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID),
                     DOCKET_AGAIN_RETRY);
    test_ok(docket_spool_again(&t->sp, TEST_ID, DOCKET_AGAIN_REFRESH, 0));
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID),
                     DOCKET_AGAIN_REFRESH);
    assert_int_equal(test_count_entries(&t->sp, TEST_ID), 2);

    test_write(&t->sp, TEST_ID "/again", "", 0);
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID),
                     DOCKET_AGAIN_REFRESH);

    test_ok(docket_spool_again_clear(dirfd));
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID), 0);

    assert_int_equal(mkfifoat(t->sp.fd, TEST_ID "/again", 0640), 0);
    test_error(docket_spool_again_read(&t->sp, TEST_ID), EBADMSG);
    close(dirfd);
}


static void
test_capture(void **state)
{
    int            dirfd, fd, fd2;
    char           buf[8];
    test_spool_t  *t = *state;

    test_create(&t->sp);
    dirfd = docket_spool_open_dir(&t->sp, TEST_ID);
    assert_true(dirfd != -1);
    assert_int_equal(fcntl(dirfd, F_GETFD), FD_CLOEXEC);

    test_error(docket_spool_open_part(dirfd, 3), ENOENT);

    /* what a dead process left is not written into: who reads it keeps it */
    test_write(&t->sp, TEST_ID "/.run.3", "old", 3);
    fd2 = docket_spool_open_part(dirfd, 3);
    assert_true(fd2 != -1);
    fd = docket_spool_part(dirfd, 3);
    assert_true(fd != -1);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(write(fd, "new!", 4), 4);
    assert_int_equal(pread(fd, buf, 8, 0), 4);
    assert_int_equal(pread(fd2, buf, 8, 0), 3);
    assert_memory_equal(buf, "old", 3);
    close(fd2);

    test_ok(docket_spool_summary(dirfd, "{}", 2));
    assert_false(test_exists(&t->sp, TEST_ID "/merged.pcap"));
    test_ok(docket_spool_publish(&t->sp, dirfd, fd, 3, 1));
    assert_true(test_exists(&t->sp, TEST_ID "/merged.pcap"));
    assert_true(test_exists(&t->sp, TEST_ID "/summary.json"));
    assert_false(test_exists(&t->sp, TEST_ID "/.run.3"));
    test_error(docket_spool_publish(&t->sp, dirfd, fd, 3, 0), ENOENT);
    close(fd);

    /* a link is replaced, not followed */
    test_write(&t->sp, "victim", "keep", 4);
    assert_int_equal(symlinkat("../victim", t->sp.fd, TEST_ID "/.run.4"), 0);
    test_error(docket_spool_open_part(dirfd, 4), EBADMSG);
    fd = docket_spool_part(dirfd, 4);
    assert_true(fd != -1);
    assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
    fd = openat(t->sp.fd, "victim", O_RDONLY);
    assert_int_equal(read(fd, buf, 8), 4);
    close(fd);

    test_write(&t->sp, TEST_ID "/.spill.dmz.1", "x", 1);
    test_write(&t->sp, TEST_ID "/.99.1.tmp", "x", 1);
    test_ok(docket_spool_tidy(dirfd));
    assert_int_equal(test_count_entries(&t->sp, TEST_ID), 3);
    assert_true(test_exists(&t->sp, TEST_ID "/query.json"));

    close(dirfd);
}


static void
test_remove(void **state)
{
    test_spool_t  *t = *state;

    t->sp.merged = "all.pcap";

    test_error(docket_spool_remove(&t->sp, TEST_ID), ENOENT);

    test_create(&t->sp);
    test_write(&t->sp, TEST_ID "/all.pcap", "x", 1);
    test_write(&t->sp, TEST_ID "/summary.json", "x", 1);
    test_write(&t->sp, TEST_ID "/again", "x", 1);
    test_write(&t->sp, TEST_ID "/.run.1", "x", 1);
    test_write(&t->sp, TEST_ID "/.spill.s.0", "x", 1);
    test_write(&t->sp, TEST_ID "/.1.1.tmp", "x", 1);
    test_ok(docket_spool_remove(&t->sp, TEST_ID));
    assert_false(test_exists(&t->sp, TEST_ID));

    /* what is not ours stays, with its folder, but is no job any more */
    test_create(&t->sp);
    test_write(&t->sp, TEST_ID "/all.pcap", "x", 1);
    test_write(&t->sp, TEST_ID "/merged.pcap", "x", 1);
    test_error(docket_spool_remove(&t->sp, TEST_ID), ENOTEMPTY);
    assert_int_equal(test_count_entries(&t->sp, TEST_ID), 1);
    assert_true(test_exists(&t->sp, TEST_ID "/merged.pcap"));
    test_not_loaded(&t->sp, ENOENT, "");

    /* half removed */
    assert_int_equal(unlinkat(t->sp.fd, TEST_ID "/merged.pcap", 0), 0);
    test_write(&t->sp, TEST_ID "/summary.json", "x", 1);
    test_ok(docket_spool_remove(&t->sp, TEST_ID));

    /* folders under our names, and links */
    test_create(&t->sp);
    assert_int_equal(mkdirat(t->sp.fd, TEST_ID "/.run.1", 0750), 0);
    assert_int_equal(mkdirat(t->sp.fd, "elsewhere", 0750), 0);
    test_write(&t->sp, "elsewhere/again", "x", 1);
    assert_int_equal(symlinkat("../elsewhere", t->sp.fd, TEST_ID "/again"),
                     0);
    test_error(docket_spool_remove(&t->sp, TEST_ID), ENOTEMPTY);
    assert_true(test_exists(&t->sp, "elsewhere/again"));
    assert_false(test_exists(&t->sp, TEST_ID "/again"));
}


static int
test_walk_job(void *ctx, const char *id)
{
    test_walk_t *w = ctx;

    assert_true(strcmp(id, TEST_ID) == 0 || strcmp(id, TEST_ID2) == 0);
    w->jobs++;

    return w->stop ? 77 : DOCKET_OK;
}


static void
test_walk_odd(void *ctx, const char *name, const char *why)
{
    test_walk_t *w = ctx;

    assert_true(strlen(why) != 0);
    w->odds++;
    strcat(w->odd, name);
    strcat(w->odd, "|");
}


static void
test_walk(void **state)
{
    int            fd;
    test_walk_t    w;
    test_spool_t  *t = *state;

    memset(&w, 0, sizeof(w));
    test_ok(docket_spool_walk(&t->sp, test_walk_job, test_walk_odd, &w));
    assert_int_equal(w.jobs + w.odds, 0);

    test_create(&t->sp);
    assert_int_equal(mkdirat(t->sp.fd, TEST_ID2, 0750), 0);
    fd = docket_spool_own(&t->sp);
    assert_true(fd != -1);
    close(fd);
    fd = docket_spool_slot(&t->sp, "s1", 1);
    assert_true(fd != -1);
    close(fd);
    test_write(&t->sp, "index", "x", 1);
    test_write(&t->sp, ".1.2.tmp", "x", 1);

    test_ok(docket_spool_walk(&t->sp, test_walk_job, test_walk_odd, &w));
    assert_int_equal(w.jobs, 2);
    assert_int_equal(w.odds, 0);

    assert_int_equal(mkdirat(t->sp.fd, "lost+found", 0750), 0);
    assert_int_equal(mkdirat(t->sp.fd, TEST_UUID, 0750), 0);
    assert_int_equal(mkdirat(t->sp.fd, "30A53543eb90f99251add6c9d5dd664c",
                             0750), 0);
    test_write(&t->sp, "40a53543eb90f99251add6c9d5dd664c", "x", 1);
    assert_int_equal(symlinkat(TEST_ID, t->sp.fd,
                               "50a53543eb90f99251add6c9d5dd664c"), 0);
    test_write(&t->sp, "\xff\n", "x", 1);

    memset(&w, 0, sizeof(w));
    test_ok(docket_spool_walk(&t->sp, test_walk_job, test_walk_odd, &w));
    assert_int_equal(w.jobs, 2);
    assert_int_equal(w.odds, 6);
    assert_non_null(strstr(w.odd, "lost+found|"));
    assert_non_null(strstr(w.odd, TEST_UUID "|"));
    assert_non_null(strstr(w.odd, "\xff\n|"));

    test_ok(docket_spool_walk(&t->sp, test_walk_job, NULL, &w));

    memset(&w, 0, sizeof(w));
    w.stop = 1;
    assert_int_equal(docket_spool_walk(&t->sp, test_walk_job, NULL, &w), 77);
    assert_int_equal(w.jobs, 1);

    memset(&w, 0, sizeof(w));
    t->sp.uuid = 1;
    test_ok(docket_spool_walk(&t->sp, test_walk_job, test_walk_odd, &w));
    assert_int_equal(w.jobs, 1);
}


static void
test_space(void **state)
{
    uint64_t       bytes, nodes;
    test_spool_t  *t = *state;

    test_ok(docket_spool_space(&t->sp, &bytes, &nodes));
    assert_true(bytes != 0 && nodes != 0);
}


/* Several processes make the same jobs: each has one maker, and is whole. */

#define TEST_CREATORS  4
#define TEST_JOBS      200

static void
test_creator(const docket_spool_t *sp, int start, int me)
{
    int   i, made;
    char  id[DOCKET_ID_LEN + 1], json[20000], byte;

    /* each writes bytes of its own, more than one write() may take at once */
    memset(json, 'a' + me, sizeof(json));

    if (read(start, &byte, 1) != 0) {
        _exit(255);
    }

    made = 0;

    for (i = 0; i < TEST_JOBS; i++) {
        snprintf(id, sizeof(id), "%032x", i);

        if (docket_spool_create(sp, id, json, sizeof(json), 0) != DOCKET_OK) {
            _exit(254);
        }

        if (errno == 0) {
            made++;
        } else if (errno != EEXIST) {
            _exit(253);
        }
    }

    _exit(made);
}


static void
test_creators(void **state)
{
    int            i, n, fd, status, made, start[2];
    char           path[64], *json;
    pid_t          pids[TEST_CREATORS];
    test_spool_t  *t = *state;

    assert_int_equal(pipe(start), 0);

    for (i = 0; i < TEST_CREATORS; i++) {
        pids[i] = test_fork();

        if (pids[i] == 0) {
            close(start[1]);
            test_creator(&t->sp, start[0], i);
        }
    }

    /* end of file lets all of them go at once */
    close(start[1]);

    made = 0;

    for (i = 0; i < TEST_CREATORS; i++) {
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= TEST_JOBS);
        made += WEXITSTATUS(status);
    }

    close(start[0]);
    assert_int_equal(made, TEST_JOBS);

    json = malloc(20001);
    assert_non_null(json);

    for (i = 0; i < TEST_JOBS; i++) {
        snprintf(path, sizeof(path), "%032x/query.json", i);
        fd = openat(t->sp.fd, path, O_RDONLY);
        assert_true(fd != -1);
        assert_int_equal(read(fd, json, 20001), 20000);
        close(fd);

        for (n = 1; n < 20000; n++) {
            assert_int_equal(json[n], json[0]);
        }
    }

    free(json);

    snprintf(path, sizeof(path), "%032x", 7);
    assert_int_equal(test_count_entries(&t->sp, path), 1);
}


/* The cleaning removes a job while it is asked for again.  Against a remover
   that never rests the tries are bounded: each one makes the job or says that
   its folder was taken away, and nothing else. */

static void
test_create_against_remove(void **state)
{
    int            i, made, status;
    char          *json, err[256];
    pid_t          pid;
    size_t         len;
    docket_job_t  *job;
    test_spool_t  *t = *state;

    json = test_json(TEST_ID, &len);

    pid = test_fork();

    if (pid == 0) {
        for ( ;; ) {
            if (docket_spool_remove(&t->sp, TEST_ID) != DOCKET_OK
                && errno != ENOENT && errno != ENOTEMPTY)
            {
                _exit(errno);
            }
        }
    }

    made = 0;

    for (i = 0; i < 500; i++) {
        if (docket_spool_create(&t->sp, TEST_ID, json, len, 0) == DOCKET_OK) {
            made++;

        } else {
            assert_int_equal(errno, ENOENT);
        }
    }

    assert_true(made > 0);

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));

    test_ok(docket_spool_create(&t->sp, TEST_ID, json, len, 0));
    job = docket_spool_load(&t->sp, TEST_ID, err, sizeof(err));
    assert_non_null(job);
    docket_job_destroy(job);

    test_ok(docket_spool_remove(&t->sp, TEST_ID));
    free(json);
}


/* Against a tidier that never rests the tries are bounded, too; what was made
   stays. */

static void
test_replace_against_tidy(void **state)
{
    int            i, made, status, dirfd;
    pid_t          pid;
    test_spool_t  *t = *state;

    test_create(&t->sp);

    pid = test_fork();

    if (pid == 0) {
        dirfd = docket_spool_open_dir(&t->sp, TEST_ID);

        while (docket_spool_tidy(dirfd) == DOCKET_OK) { /* void */ }

        _exit(errno);
    }

    made = 0;

    for (i = 0; i < 500; i++) {
        if (docket_spool_again(&t->sp, TEST_ID, DOCKET_AGAIN_RETRY, 0)
            == DOCKET_OK)
        {
            made++;

        } else {
            assert_int_equal(errno, ENOENT);
        }
    }

    assert_true(made > 0);

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(docket_spool_again_read(&t->sp, TEST_ID),
                     DOCKET_AGAIN_RETRY);
}


/* Any number of jobs stands beside what writing the index left. */

static void
test_tidy_top(void **state)
{
    int            i;
    char           name[DOCKET_ID_LEN + 1];
    test_spool_t  *t = *state;

    for (i = 0; i < 3000; i++) {
        snprintf(name, sizeof(name), "%032x", i);
        assert_int_equal(mkdirat(t->sp.fd, name, 0750), 0);

        if (i % 300 == 0) {
            snprintf(name, sizeof(name), ".%d.1.tmp", i + 1);
            test_write(&t->sp, name, "x", 1);
        }
    }

    test_write(&t->sp, ".1.tmp", "x", 1);

    test_ok(docket_spool_tidy_top(&t->sp));
    assert_int_equal(test_count_entries(&t->sp, "."), 3001);
    assert_true(test_exists(&t->sp, ".1.tmp"));
}


/* A process that holds "lock" (1: the owner's, 2: the job's, 3: slots of s1
   up to "slots") until it is killed. */

static pid_t
test_holder(const docket_spool_t *sp, int lock, unsigned slots)
{
    int    fd, ready[2];
    char   byte;
    pid_t  pid;

    assert_int_equal(pipe(ready), 0);

    pid = test_fork();

    if (pid == 0) {
        fd = (lock == 1) ? docket_spool_own(sp)
             : (lock == 2) ? docket_spool_lock_dir(sp, TEST_ID)
             : docket_spool_slot(sp, "s1", slots);

        byte = (fd == -1) ? 'n' : 'y';

        if (write(ready[1], &byte, 1) != 1) {
            _exit(1);
        }

        for ( ;; ) {
            pause();
        }
    }

    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(byte, 'y');

    return pid;
}


static void
test_end(pid_t pid)
{
    int  status;

    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
}


static void
test_locks(void **state)
{
    int            fd, fd2;
    pid_t          pid, pid2;
    test_spool_t  *t = *state;

    test_create(&t->sp);

    pid = test_holder(&t->sp, 1, 0);
    test_error(docket_spool_own(&t->sp), EWOULDBLOCK);
    test_end(pid);
    fd = docket_spool_own(&t->sp);
    assert_true(fd != -1);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    test_error(docket_spool_own(&t->sp), EWOULDBLOCK);

    /* who owned it last */
    assert_int_equal(docket_spool_owner(fd, 1), 0);
    assert_int_equal(docket_spool_owner(fd, 1), 1);
    assert_int_equal(docket_spool_owner(fd, UINT64_MAX), 0);
    close(fd);
    fd = docket_spool_own(&t->sp);
    assert_int_equal(docket_spool_owner(fd, UINT64_MAX), 1);
    assert_int_equal(docket_spool_owner(fd, 1), 0);
    assert_int_equal(ftruncate(fd, 3), 0);
    assert_int_equal(docket_spool_owner(fd, 1), 0);
    close(fd);

    pid = test_holder(&t->sp, 2, 0);
    test_error(docket_spool_lock_dir(&t->sp, TEST_ID), EWOULDBLOCK);
    fd = docket_spool_open_dir(&t->sp, TEST_ID);
    assert_true(fd != -1);
    close(fd);
    test_error(docket_spool_lock_dir(&t->sp, TEST_ID2), ENOENT);
    test_end(pid);
    fd = docket_spool_lock_dir(&t->sp, TEST_ID);
    assert_true(fd != -1);
    test_error(docket_spool_lock_dir(&t->sp, TEST_ID), EWOULDBLOCK);
    close(fd);

    pid = test_holder(&t->sp, 3, 2);
    pid2 = test_holder(&t->sp, 3, 2);
    test_error(docket_spool_slot(&t->sp, "s1", 2), EWOULDBLOCK);
    fd = docket_spool_slot(&t->sp, "s1", 3);
    assert_true(fd != -1);
    close(fd);
    fd = docket_spool_slot(&t->sp, "s2", 1);
    assert_true(fd != -1);
    test_end(pid);
    fd2 = docket_spool_slot(&t->sp, "s1", 2);
    assert_true(fd2 != -1);
    test_error(docket_spool_slot(&t->sp, "s1", 2), EWOULDBLOCK);
    test_end(pid2);
    close(fd);
    close(fd2);

    test_error(docket_spool_slot(&t->sp, "s1", 0), EWOULDBLOCK);
    test_error(docket_spool_slot(&t->sp, "../x", 1), EINVAL);
    test_error(docket_spool_slot(&t->sp, "", 1), EINVAL);
}


static void
test_hostile_locks(void **state)
{
    test_spool_t  *t = *state;

    assert_int_equal(symlinkat("victim", t->sp.fd, ".owner"), 0);
    test_error(docket_spool_own(&t->sp), EBADMSG);
    assert_false(test_exists(&t->sp, "victim"));
    assert_int_equal(unlinkat(t->sp.fd, ".owner", 0), 0);

    assert_int_equal(mkfifoat(t->sp.fd, ".owner", 0640), 0);
    test_error(docket_spool_own(&t->sp), EBADMSG);

    assert_int_equal(mkdirat(t->sp.fd, "elsewhere", 0750), 0);
    assert_int_equal(symlinkat("elsewhere", t->sp.fd, ".sensors"), 0);
    test_error(docket_spool_slot(&t->sp, "s1", 1), EBADMSG);
    assert_int_equal(test_count_entries(&t->sp, "elsewhere"), 0);
}


#define test_case(name)                                                       \
    cmocka_unit_test_setup_teardown(name, test_spool_setup,                   \
                                    test_spool_teardown)


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_names),
        test_case(test_create_load_save),
        test_case(test_create_in_folder),
        test_case(test_hostile_record),
        test_case(test_hostile_folder),
        test_case(test_no_room),
        test_case(test_full_disk),
        test_case(test_no_access),
        test_case(test_again),
        test_case(test_capture),
        test_case(test_remove),
        test_case(test_walk),
        test_case(test_space),
        test_case(test_creators),
        test_case(test_create_against_remove),
        test_case(test_replace_against_tidy),
        test_case(test_tidy_top),
        test_case(test_locks),
        test_case(test_hostile_locks)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
