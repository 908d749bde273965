/*
 * The spool's folders and what is in them; the locks are in
 * docket_spool_lock.c.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "job/docket_spool.h"
#include "job/docket_spool_file.h"


#define DOCKET_SPOOL_TRIES     100    /* against those who remove the folder */
#define DOCKET_SPOOL_PART_LEN  sizeof(".run.4294967295")


static int docket_spool_create_in(const docket_spool_t *sp, int dirfd,
    const char *json, size_t len, int sync);
static docket_job_t *docket_spool_refuse(int error, char *err, size_t size,
    const char *words);
static char *docket_spool_read(int fd, size_t *len);
static void docket_spool_part_name(char name[DOCKET_SPOOL_PART_LEN],
    uint32_t run);
static int docket_spool_leftover(const void *ctx, const char *name);
static int docket_spool_temporary(const void *ctx, const char *name);
static int docket_spool_clear(const docket_spool_t *sp, const char *id,
    int record);
static int docket_spool_known(const void *ctx, const char *name);
static int docket_spool_visit(const docket_spool_t *sp, const char *name,
    docket_spool_job_pt job, docket_spool_odd_pt odd, void *ctx);


void
docket_spool_name(const docket_spool_t *sp, const char *id,
    char name[DOCKET_SPOOL_NAME_LEN + 1])
{
    if (sp->uuid) {
        (void) snprintf(name, DOCKET_SPOOL_NAME_LEN + 1,
                        "%.8s-%.4s-%.4s-%.4s-%.12s",
                        id, id + 8, id + 12, id + 16, id + 20);
        return;
    }

    memcpy(name, id, DOCKET_ID_LEN);
    name[DOCKET_ID_LEN] = '\0';
}


int
docket_spool_id(const char *name, size_t len, char id[DOCKET_ID_LEN + 1])
{
    char    c;
    size_t  i, n;

    if (len != DOCKET_ID_LEN && len != DOCKET_SPOOL_NAME_LEN) {
        return 0;
    }

    n = 0;

    for (i = 0; i < len; i++) {
        c = name[i];

        if (len == DOCKET_SPOOL_NAME_LEN
            && (i == 8 || i == 13 || i == 18 || i == 23))
        {
            if (c != '-') {
                return 0;
            }

            continue;
        }

        if (c >= 'A' && c <= 'F') {
            c += 'a' - 'A';
        }

        if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
            return 0;
        }

        id[n++] = c;
    }

    id[n] = '\0';

    return 1;
}


int
docket_spool_create(const docket_spool_t *sp, const char *id,
    const char *json, size_t len, int sync)
{
    int   i, rc, dirfd, saved;
    char  name[DOCKET_SPOOL_NAME_LEN + 1];

    docket_spool_name(sp, id, name);

    for (i = 0; i < DOCKET_SPOOL_TRIES; i++) {

        if (mkdirat(sp->fd, name, 0750) == -1 && errno != EEXIST) {
            return DOCKET_ERROR;
        }

        dirfd = docket_file_open_dir(sp->fd, name);

        if (dirfd == -1) {
            rc = DOCKET_ERROR;

        } else {
            rc = docket_spool_create_in(sp, dirfd, json, len, sync);
            docket_file_close(dirfd);
        }

        if (rc == DOCKET_OK) {
            return DOCKET_OK;
        }

        if (errno != ENOENT) {
            break;
        }

        /* the folder is being removed: by the cleaning, or by another creator
           who failed; make it again */
    }

    /* whoever made it: when it is empty it is nobody's, and another creator
       who is about to use it makes it again; of several the last to fail
       leaves nothing */

    saved = errno;
    (void) unlinkat(sp->fd, name, AT_REMOVEDIR);
    errno = saved;

    return DOCKET_ERROR;
}


static int
docket_spool_create_in(const docket_spool_t *sp, int dirfd, const char *json,
    size_t len, int sync)
{
    int   linked, saved;
    char  tmp[DOCKET_SPOOL_TMP_LEN];

    if (docket_file_make(dirfd, json, len, sync, tmp) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    /* a link is made or refused in one step, on any file system */

    linked = linkat(dirfd, tmp, dirfd, "query.json", 0) == 0;
    saved = errno;

    (void) unlinkat(dirfd, tmp, 0);

    if (!linked && saved != EEXIST) {
        errno = saved;
        return DOCKET_ERROR;
    }

    /* also for what another made: its caller relies on it as well */

    if (sync && (fsync(dirfd) == -1 || fsync(sp->fd) == -1)) {

        if (linked) {
            saved = errno;
            (void) unlinkat(dirfd, "query.json", 0);
            errno = saved;
        }

        return DOCKET_ERROR;
    }

    errno = linked ? 0 : EEXIST;

    return DOCKET_OK;
}


int
docket_spool_save(const docket_spool_t *sp, const char *id, const char *json,
    size_t len, int sync)
{
    int  rc, dirfd;

    dirfd = docket_spool_open_dir(sp, id);
    if (dirfd == -1) {
        return DOCKET_ERROR;
    }

    rc = docket_spool_save_at(dirfd, json, len, sync);

    docket_file_close(dirfd);

    return rc;
}


int
docket_spool_save_at(int dirfd, const char *json, size_t len, int sync)
{
    return docket_file_replace(dirfd, "query.json", json, len, sync);
}


docket_job_t *
docket_spool_load(const docket_spool_t *sp, const char *id, char *err,
    size_t size)
{
    int            dirfd;
    docket_job_t  *job;

    dirfd = docket_spool_open_dir(sp, id);
    if (dirfd == -1) {
        return docket_spool_refuse(errno, err, size, "no folder");
    }

    job = docket_spool_load_at(dirfd, id, err, size);

    docket_file_close(dirfd);

    return job;
}


docket_job_t *
docket_spool_load_at(int dirfd, const char *id, char *err, size_t size)
{
    int            fd, saved;
    char          *json;
    size_t         len;
    docket_job_t  *job;

    fd = docket_file_open(dirfd, "query.json", O_RDONLY);

    if (fd == -1) {
        return docket_spool_refuse(errno, err, size,
                                   "query.json is no regular file");
    }

    json = docket_spool_read(fd, &len);
    docket_file_close(fd);

    if (json == NULL) {
        return docket_spool_refuse(errno, err, size,
                                   "query.json is too large");
    }

    job = docket_job_parse(json, len, err, size);
    saved = errno;

    free(json);

    if (job == NULL) {
        errno = saved;
        return NULL;
    }

    if (memcmp(job->id, id, DOCKET_ID_LEN) != 0) {
        docket_job_destroy(job);
        return docket_spool_refuse(EBADMSG, err, size,
                                   "query.json has the id of another job");
    }

    return job;
}


int
docket_spool_has(const docket_spool_t *sp, const char *id)
{
    char  name[DOCKET_SPOOL_NAME_LEN + 1];
    char  path[DOCKET_SPOOL_NAME_LEN + sizeof("/query.json")];

    docket_spool_name(sp, id, name);
    (void) snprintf(path, sizeof(path), "%s/query.json", name);

    return faccessat(sp->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0
           || (errno != ENOENT && errno != ENOTDIR);
}


/* Words only for what is wrong with the content: the rest has its errno. */

static docket_job_t *
docket_spool_refuse(int error, char *err, size_t size, const char *words)
{
    (void) snprintf(err, size, "%s",
                    (error == EBADMSG) ? words : strerror(error));
    errno = error;

    return NULL;
}


/* The whole file, malloc'd, or NULL: EBADMSG when it is too large.  Its size
   is asked for, but not relied upon: it may grow. */

static char *
docket_spool_read(int fd, size_t *len)
{
    int          saved;
    char        *buf;
    long         n;
    size_t       size;
    struct stat  st;

    if (fstat(fd, &st) == -1) {
        return NULL;
    }

    if (st.st_size > DOCKET_JOB_MAX_JSON) {
        errno = EBADMSG;
        return NULL;
    }

    size = (size_t) st.st_size + 1;

    buf = malloc(size);
    if (buf == NULL) {
        return NULL;
    }

    n = docket_file_read(fd, buf, size, 0);

    if (n == -1 || (size_t) n == size) {
        saved = (n == -1) ? errno : EBADMSG;
        free(buf);
        errno = saved;

        return NULL;
    }

    *len = n;

    return buf;
}


int
docket_spool_again(const docket_spool_t *sp, const char *id, int what,
    int sync)
{
    int          rc, dirfd;
    const char  *words;

    dirfd = docket_spool_open_dir(sp, id);
    if (dirfd == -1) {
        return DOCKET_ERROR;
    }

    words = (what == DOCKET_AGAIN_RETRY) ? "retry\n" : "refresh\n";

    rc = docket_file_replace(dirfd, "again", words, strlen(words), sync);

    docket_file_close(dirfd);

    return rc;
}


int
docket_spool_again_read(const docket_spool_t *sp, const char *id)
{
    int  rc, dirfd;

    dirfd = docket_spool_open_dir(sp, id);
    if (dirfd == -1) {
        return DOCKET_ERROR;
    }

    rc = docket_spool_again_read_at(dirfd);

    docket_file_close(dirfd);

    return rc;
}


int
docket_spool_again_read_at(int dirfd)
{
    int   fd;
    char  buf[16];
    long  n;

    fd = docket_file_open(dirfd, "again", O_RDONLY);

    if (fd == -1) {
        return (errno == ENOENT) ? 0 : DOCKET_ERROR;
    }

    n = docket_file_read(fd, buf, sizeof(buf), 0);
    docket_file_close(fd);

    if (n == -1) {
        return DOCKET_ERROR;
    }

    if (n == sizeof("retry\n") - 1 && memcmp(buf, "retry\n", n) == 0) {
        return DOCKET_AGAIN_RETRY;
    }

    return DOCKET_AGAIN_REFRESH;
}


int
docket_spool_again_clear(int dirfd)
{
    if (unlinkat(dirfd, "again", 0) == -1 && errno != ENOENT) {
        return DOCKET_ERROR;
    }

    return DOCKET_OK;
}


int
docket_spool_open_dir(const docket_spool_t *sp, const char *id)
{
    char  name[DOCKET_SPOOL_NAME_LEN + 1];

    docket_spool_name(sp, id, name);

    return docket_file_open_dir(sp->fd, name);
}


int
docket_spool_part(int dirfd, uint32_t run)
{
    int   i, fd;
    char  name[DOCKET_SPOOL_PART_LEN];

    docket_spool_part_name(name, run);

    for (i = 0; /* void */ ; i++) {

        do {
            fd = openat(dirfd, name,
                        O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                        0640);
        } while (fd == -1 && errno == EINTR);

        if (fd != -1 || errno != EEXIST || i != 0) {
            return fd;
        }

        /* never truncated: whoever still reads the old one keeps its bytes */

        if (unlinkat(dirfd, name, 0) == -1 && errno != ENOENT) {
            return -1;
        }
    }
}


int
docket_spool_open_part(int dirfd, uint32_t run)
{
    char  name[DOCKET_SPOOL_PART_LEN];

    docket_spool_part_name(name, run);

    return docket_file_open(dirfd, name, O_RDONLY);
}


int
docket_spool_publish(const docket_spool_t *sp, int dirfd, int fd,
    uint32_t run, int sync)
{
    char  name[DOCKET_SPOOL_PART_LEN];

    docket_spool_part_name(name, run);

    if (sync && fsync(fd) == -1) {
        return DOCKET_ERROR;
    }

    if (renameat(dirfd, name, dirfd, sp->merged) == -1) {
        return DOCKET_ERROR;
    }

    /* It is published, whatever the folder says: a name that a power cut takes
       away again is seen to be missing. */

    errno = 0;

    if (sync) {
        (void) fsync(dirfd);
    }

    return DOCKET_OK;
}


static void
docket_spool_part_name(char name[DOCKET_SPOOL_PART_LEN], uint32_t run)
{
    (void) snprintf(name, DOCKET_SPOOL_PART_LEN, ".run.%" PRIu32, run);
}


int
docket_spool_summary(int dirfd, const char *json, size_t len)
{
    return docket_file_replace(dirfd, "summary.json", json, len, 0);
}


char *
docket_spool_summary_read(const docket_spool_t *sp, const char *id,
    size_t *len)
{
    int    fd, dirfd;
    char  *json;

    dirfd = docket_spool_open_dir(sp, id);
    if (dirfd == -1) {
        return NULL;
    }

    fd = docket_file_open(dirfd, "summary.json", O_RDONLY);
    docket_file_close(dirfd);

    if (fd == -1) {
        return NULL;
    }

    json = docket_spool_read(fd, len);
    docket_file_close(fd);

    return json;
}


int
docket_spool_tidy(int dirfd)
{
    return docket_file_unlink_all(dirfd, docket_spool_leftover, NULL, NULL);
}


static int
docket_spool_leftover(const void *ctx, const char *name)
{
    size_t  len;

    (void) ctx;

    len = strlen(name);

    return strncmp(name, ".run.", 5) == 0
           || strncmp(name, ".spill.", 7) == 0
           || (len >= 4 && strcmp(name + len - 4, ".tmp") == 0);
}


int
docket_spool_tidy_top(const docket_spool_t *sp)
{
    return docket_file_unlink_all(sp->fd, docket_spool_temporary, NULL, NULL);
}


/* ".PID.N.tmp", as docket_file_make() names them, and nothing that resembles
   it: the spool's own folder may have files of others. */

static int
docket_spool_temporary(const void *ctx, const char *name)
{
    size_t  pid, n;

    (void) ctx;

    if (name[0] != '.') {
        return 0;
    }

    pid = strspn(name + 1, "0123456789");

    if (pid == 0 || name[1 + pid] != '.') {
        return 0;
    }

    n = strspn(name + pid + 2, "0123456789");

    return n != 0 && strcmp(name + pid + 2 + n, ".tmp") == 0;
}


int
docket_spool_remove(const docket_spool_t *sp, const char *id)
{
    return docket_spool_clear(sp, id, 1);
}


int
docket_spool_discard(const docket_spool_t *sp, const char *id)
{
    return docket_spool_clear(sp, id, 0);
}


/* The record first, if it is to go; then all else, and the folder. */

static int
docket_spool_clear(const docket_spool_t *sp, const char *id, int record)
{
    int   rc, dirfd, saved, foreign;
    char  name[DOCKET_SPOOL_NAME_LEN + 1];

    docket_spool_name(sp, id, name);

    dirfd = docket_file_open_dir(sp->fd, name);
    if (dirfd == -1) {
        return DOCKET_ERROR;
    }

    if (record && unlinkat(dirfd, "query.json", 0) == -1 && errno != ENOENT
        && errno != EISDIR)
    {
        docket_file_close(dirfd);
        return DOCKET_ERROR;
    }

    rc = docket_file_unlink_all(dirfd, docket_spool_known, sp, &foreign);
    saved = errno;

    docket_file_close(dirfd);

    if (rc != DOCKET_OK) {
        errno = saved;
        return DOCKET_ERROR;
    }

    if (foreign) {
        errno = ENOTEMPTY;
        return DOCKET_ERROR;
    }

    if (unlinkat(sp->fd, name, AT_REMOVEDIR) == -1) {

        if (errno == EEXIST) {
            errno = ENOTEMPTY;
        }

        return DOCKET_ERROR;
    }

    return DOCKET_OK;
}


/* All but query.json, which is a new job's when it is there again. */

static int
docket_spool_known(const void *ctx, const char *name)
{
    const docket_spool_t *sp = ctx;

    return strcmp(name, sp->merged) == 0
           || strcmp(name, "summary.json") == 0
           || strcmp(name, "again") == 0
           || docket_spool_leftover(NULL, name);
}


int
docket_spool_walk(const docket_spool_t *sp, docket_spool_job_pt job,
    docket_spool_odd_pt odd, void *ctx)
{
    int             fd, rc, saved;
    DIR            *dir;
    struct dirent  *de;

    fd = docket_file_open_dir(sp->fd, ".");
    if (fd == -1) {
        return DOCKET_ERROR;
    }

    dir = fdopendir(fd);
    if (dir == NULL) {
        docket_file_close(fd);
        return DOCKET_ERROR;
    }

    do {
        errno = 0;

        de = readdir(dir);
        if (de == NULL) {
            rc = (errno == 0) ? DOCKET_OK : DOCKET_ERROR;
            break;
        }

        rc = docket_spool_visit(sp, de->d_name, job, odd, ctx);

    } while (rc == DOCKET_OK);

    saved = errno;
    (void) closedir(dir);
    errno = saved;

    return rc;
}


static int
docket_spool_visit(const docket_spool_t *sp, const char *name,
    docket_spool_job_pt job, docket_spool_odd_pt odd, void *ctx)
{
    char         id[DOCKET_ID_LEN + 1];
    char         ours[DOCKET_SPOOL_NAME_LEN + 1];
    const char  *why;
    struct stat  st;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0
        || strcmp(name, ".owner") == 0 || strcmp(name, ".sensors") == 0
        || strcmp(name, "index") == 0 || docket_spool_temporary(NULL, name))
    {
        return DOCKET_OK;
    }

    why = "is no id";

    if (docket_spool_id(name, strlen(name), id)) {

        docket_spool_name(sp, id, ours);

        if (strcmp(name, ours) != 0) {
            /* no request would find it */
            why = "is an id, but not in the form that is configured";

        } else if (fstatat(sp->fd, name, &st, AT_SYMLINK_NOFOLLOW) == -1) {

            if (errno == ENOENT) {
                return DOCKET_OK;
            }

            why = strerror(errno);

        } else if (!S_ISDIR(st.st_mode)) {
            why = "is no folder";

        } else {
            return job(ctx, id);
        }
    }

    if (odd != NULL) {
        odd(ctx, name, why);
    }

    return DOCKET_OK;
}


int
docket_spool_space(const docket_spool_t *sp, uint64_t *bytes, uint64_t *nodes)
{
    int             rc;
    struct statvfs  st;

    do {
        rc = fstatvfs(sp->fd, &st);
    } while (rc == -1 && errno == EINTR);

    if (rc == -1) {
        return DOCKET_ERROR;
    }

    *bytes = (uint64_t) st.f_bavail * st.f_frsize;
    *nodes = (st.f_files == 0) ? UINT64_MAX : (uint64_t) st.f_favail;

    return DOCKET_OK;
}
