/*
 * Locks of the spool.  flock() belongs to the open file description: it is
 * gone when the process is, however that died.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/docket_spool.h"
#include "job/docket_spool_file.h"


static int docket_spool_lock(int fd);


int
docket_spool_lock_dir(const docket_spool_t *sp, const char *id)
{
    int          fd;
    char         name[DOCKET_SPOOL_NAME_LEN + 1];
    struct stat  ours, there;

    docket_spool_name(sp, id, name);

    fd = docket_spool_lock(docket_file_open_dir(sp->fd, name));
    if (fd == -1) {
        return -1;
    }

    /* the lock of a folder that was removed meanwhile holds nobody off */

    if (fstat(fd, &ours) == -1
        || fstatat(sp->fd, name, &there, AT_SYMLINK_NOFOLLOW) == -1)
    {
        docket_file_close(fd);
        return -1;
    }

    if (ours.st_dev != there.st_dev || ours.st_ino != there.st_ino) {
        docket_file_close(fd);
        errno = ENOENT;
        return -1;
    }

    return fd;
}


int
docket_spool_own(const docket_spool_t *sp)
{
    return docket_spool_lock(docket_file_open(sp->fd, ".owner",
                                              O_RDWR | O_CREAT));
}


int
docket_spool_owner(int fd, uint64_t token)
{
    char     last[17], text[17];
    ssize_t  n;

    (void) snprintf(text, sizeof(text), "%016" PRIx64, token);

    n = pread(fd, last, 16, 0);

    if (n == 16 && memcmp(last, text, 16) == 0) {
        return 1;
    }

    /* one that can't be written only costs the next owner a cache */

    n = pwrite(fd, text, 16, 0);
    (void) n;

    return 0;
}


int
docket_spool_slot(const docket_spool_t *sp, const char *sensor,
    unsigned slots)
{
    int       fd, dirfd;
    char      name[DOCKET_MAX_SENSOR + sizeof(".4294967295")];
    unsigned  i;

    if (!docket_job_sensor_name(sensor, strlen(sensor))) {
        errno = EINVAL;
        return -1;
    }

    dirfd = docket_file_open_dir(sp->fd, ".sensors");

    if (dirfd == -1 && errno == ENOENT) {

        if (mkdirat(sp->fd, ".sensors", 0750) == -1 && errno != EEXIST) {
            return -1;
        }

        dirfd = docket_file_open_dir(sp->fd, ".sensors");
    }

    if (dirfd == -1) {
        return -1;
    }

    fd = -1;
    errno = EWOULDBLOCK;

    for (i = 0; i < slots; i++) {

        (void) snprintf(name, sizeof(name), "%s.%u", sensor, i);

        fd = docket_spool_lock(docket_file_open(dirfd, name,
                                                O_RDWR | O_CREAT));

        if (fd != -1 || errno != EWOULDBLOCK) {
            break;
        }
    }

    docket_file_close(dirfd);

    return fd;
}


/* Locks "fd" (which may be -1 already), or closes it. */

static int
docket_spool_lock(int fd)
{
    int  rc;

    if (fd == -1) {
        return -1;
    }

    do {
        rc = flock(fd, LOCK_EX | LOCK_NB);
    } while (rc == -1 && errno == EINTR);

    if (rc == -1) {
        docket_file_close(fd);
        return -1;
    }

    return fd;
}
