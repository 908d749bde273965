#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "query/docket_query.h"
#include "job/docket_spool_file.h"


#define DOCKET_FILE_TRIES    100      /* against those who remove *.tmp */
#define DOCKET_FILE_FOREIGN  1000
#define DOCKET_FILE_ENTRIES  4096   /* bytes of names that are read at once */


static int docket_file_create(int dirfd, char tmp[DOCKET_SPOOL_TMP_LEN]);


int
docket_file_open(int dirfd, const char *name, int flags)
{
    int          fd;
    struct stat  st;

    do {
        fd = openat(dirfd, name,
                    flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                    0640);
    } while (fd == -1 && errno == EINTR);

    if (fd == -1) {
        /* ENXIO: a socket; EISDIR: a folder that was to be written */

        if (errno == ELOOP || errno == ENXIO || errno == EISDIR) {
            errno = EBADMSG;
        }

        return -1;
    }

    if (fstat(fd, &st) == -1) {
        docket_file_close(fd);
        return -1;
    }

    if (!S_ISREG(st.st_mode)) {
        docket_file_close(fd);
        errno = EBADMSG;
        return -1;
    }

    return fd;
}


int
docket_file_open_dir(int dirfd, const char *name)
{
    int  fd;

    do {
        fd = openat(dirfd, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    } while (fd == -1 && errno == EINTR);

    if (fd == -1 && (errno == ENOTDIR || errno == ELOOP)) {
        errno = EBADMSG;
    }

    return fd;
}


int
docket_file_write(int fd, const char *p, size_t len)
{
    ssize_t  n;

    while (len != 0) {
        n = write(fd, p, len);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            return DOCKET_ERROR;
        }

        p += n;
        len -= n;
    }

    return DOCKET_OK;
}


long
docket_file_read(int fd, char *p, size_t size, off_t off)
{
    size_t   len;
    ssize_t  n;

    len = 0;

    while (len < size) {
        n = pread(fd, p + len, size - len, off + len);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            return -1;
        }

        if (n == 0) {
            break;
        }

        len += n;
    }

    return len;
}


void
docket_file_close(int fd)
{
    int  saved;

    saved = errno;
    (void) close(fd);
    errno = saved;
}


int
docket_file_make(int dirfd, const char *p, size_t len, int sync,
    char tmp[DOCKET_SPOOL_TMP_LEN])
{
    int  fd, saved;

    fd = docket_file_create(dirfd, tmp);
    if (fd == -1) {
        return DOCKET_ERROR;
    }

    if (docket_file_write(fd, p, len) != DOCKET_OK
        || (sync && fsync(fd) == -1))
    {
        docket_file_close(fd);
        goto failed;
    }

    /* some file systems tell only now that there was no space; EINTR: Linux
       has closed it all the same */

    if (close(fd) == -1 && errno != EINTR) {
        goto failed;
    }

    return DOCKET_OK;

failed:

    saved = errno;
    (void) unlinkat(dirfd, tmp, 0);
    errno = saved;

    return DOCKET_ERROR;
}


int
docket_file_replace(int dirfd, const char *name, const char *p, size_t len,
    int sync)
{
    int   i, saved;
    char  tmp[DOCKET_SPOOL_TMP_LEN];

    for (i = 0; i < DOCKET_FILE_TRIES; i++) {

        if (docket_file_make(dirfd, p, len, sync, tmp) != DOCKET_OK) {
            return DOCKET_ERROR;
        }

        if (renameat(dirfd, tmp, dirfd, name) == 0) {

            if (sync && fsync(dirfd) == -1) {
                return DOCKET_ERROR;
            }

            return DOCKET_OK;
        }

        if (errno != ENOENT) {
            saved = errno;
            (void) unlinkat(dirfd, tmp, 0);
            errno = saved;

            return DOCKET_ERROR;
        }

        /* docket_spool_tidy() took it for one that a dead process left */
    }

    return DOCKET_ERROR;
}


int
docket_file_unlink_all(int dirfd, int (*known)(const void *ctx,
    const char *name), const void *ctx, int *foreign)
{
    int                       rc, saved, others;
    char                     *p;
    ssize_t                   n;
    const struct dirent64    *de;
    _Alignas(struct dirent64) char  buf[DOCKET_FILE_ENTRIES];

    if (lseek(dirfd, 0, SEEK_SET) == -1) {
        return DOCKET_ERROR;
    }

    rc = DOCKET_OK;
    saved = 0;
    others = 0;

    while (foreign == NULL || others < DOCKET_FILE_FOREIGN) {

        n = getdents64(dirfd, buf, sizeof(buf));

        if (n == -1) {
            rc = DOCKET_ERROR;
            saved = errno;
        }

        if (n <= 0) {
            break;
        }

        for (p = buf; p < buf + n; p += de->d_reclen) {
            de = (const struct dirent64 *) p;

            if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
            {
                continue;
            }

            if (!known(ctx, de->d_name)) {
                others++;
                continue;
            }

            if (unlinkat(dirfd, de->d_name, 0) == -1 && errno != ENOENT) {
                /* a folder by that name is none of ours */

                if (errno == EISDIR) {
                    others++;
                    continue;
                }

                rc = DOCKET_ERROR;
                saved = errno;
            }
        }
    }

    if (foreign != NULL) {
        *foreign = others != 0;
    }

    errno = saved;

    return rc;
}


static int
docket_file_create(int dirfd, char tmp[DOCKET_SPOOL_TMP_LEN])
{
    static atomic_uint  counter;

    int  i, fd;

    for (i = 0; i < DOCKET_FILE_TRIES; i++) {

        (void) snprintf(tmp, DOCKET_SPOOL_TMP_LEN, ".%ld.%u.tmp",
                        (long) getpid(), atomic_fetch_add(&counter, 1));

        fd = openat(dirfd, tmp,
                    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                    0640);

        if (fd != -1) {
            return fd;
        }

        /* EEXIST: an earlier process of this number left it */

        if (errno != EEXIST && errno != EINTR) {
            return -1;
        }
    }

    return -1;
}
