/*
 * A library to be preloaded: system calls that fail, and a clock that is
 * wrong.  What it is to do stands in the file $DOCKET_FAULT, a "struct fault"
 * that all processes map and t/lib/Docket/Fault.pm writes.
 *
 * Of the calls that "ops" names, on what "path" begins, made by processes whose
 * title has "title" in it, the nth fails with "error" (and with "all" each one
 * after it), after a "sleep".  nth 0: they are counted only.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>


/* the bits of "ops", in the order of Fault.pm's names */
enum {
    FAULT_CREATE = 1 << 0,                 /* open() of a new file */
    FAULT_OPEN = 1 << 1,                   /* of one that is there */
    FAULT_WRITE = 1 << 2,
    FAULT_READ = 1 << 3,
    FAULT_MKDIR = 1 << 4,
    FAULT_RENAME = 1 << 5,
    FAULT_LINK = 1 << 6,
    FAULT_UNLINK = 1 << 7,
    FAULT_SYNC = 1 << 8,
    FAULT_TRUNCATE = 1 << 9,
    FAULT_CLOSE = 1 << 10
};


struct fault {
    _Atomic int32_t  ops;                  /* 0: nothing is to fail */
    int32_t          nth;
    int32_t          error;
    int32_t          all;
    int32_t          sleep;                /* milliseconds */
    _Atomic int32_t  count;
    _Atomic int32_t  fired;
    int32_t          unused;
    _Atomic int64_t  clock;                /* microseconds, added */
    char             path[256];
    char             title[64];
    char             last[256];            /* the call that failed last */
};


static struct fault  *fault;


static void __attribute__((constructor))
fault_init(void)
{
    int          fd;
    void        *p;
    const char  *name;

    name = getenv("DOCKET_FAULT");
    if (name == NULL) {
        return;
    }

    fd = syscall(SYS_openat, AT_FDCWD, name, O_RDWR | O_CLOEXEC);
    if (fd == -1) {
        return;
    }

    p = mmap(NULL, sizeof(struct fault), PROT_READ | PROT_WRITE, MAP_SHARED,
             fd, 0);

    (void) syscall(SYS_close, fd);

    if (p != MAP_FAILED) {
        fault = p;
    }
}


static int
fault_below(int dirfd, const char *name, char *path, size_t size)
{
    char     link[64];
    ssize_t  n;

    n = 0;

    if (name == NULL || name[0] != '/') {
        (void) snprintf(link, sizeof(link), "/proc/self/fd/%d", dirfd);

        n = readlink(link, path, size - 1);
        if (n <= 0) {
            return 0;
        }
    }

    path[n] = '\0';

    if (name != NULL) {
        (void) snprintf(path + n, size - n, "%s%s", (n == 0) ? "" : "/",
                        name);
    }

    return strncmp(path, fault->path, strlen(fault->path)) == 0;
}


static int
fault_ours(void)
{
    int      fd;
    char     title[256];
    ssize_t  n;

    if (fault->title[0] == '\0') {
        return 1;
    }

    fd = syscall(SYS_openat, AT_FDCWD, "/proc/self/cmdline",
                 O_RDONLY | O_CLOEXEC);
    if (fd == -1) {
        return 0;
    }

    n = syscall(SYS_read, fd, title, sizeof(title) - 1);
    (void) syscall(SYS_close, fd);

    title[n > 0 ? n : 0] = '\0';

    return strstr(title, fault->title) != NULL;
}


/* 1 with errno when this call is to fail. */

static int
fault_due(int op, const char *call, int dirfd, const char *name)
{
    int   n, saved;
    char  path[512];

    if (fault == NULL || (fault->ops & op) == 0) {
        return 0;
    }

    saved = errno;

    if (!fault_below(dirfd, name, path, sizeof(path)) || !fault_ours()) {
        errno = saved;
        return 0;
    }

    errno = saved;
    n = atomic_fetch_add(&fault->count, 1) + 1;

    if (fault->nth == 0 || n < fault->nth || (n > fault->nth && !fault->all)) {
        return 0;
    }

    (void) snprintf(fault->last, sizeof(fault->last), "%s %.200s", call,
                    path + strlen(fault->path));
    atomic_fetch_add(&fault->fired, 1);

    if (fault->sleep != 0) {
        (void) usleep(fault->sleep * 1000);
    }

    if (fault->error == 0) {
        errno = saved;
        return 0;
    }

    errno = fault->error;

    return 1;
}


#define REAL(name)                                                            \
    static __typeof__(&name)  real;                                           \
    if (real == NULL) { *(void **) &real = dlsym(RTLD_NEXT, #name); }

#define FAIL(op, fd, name)                                                    \
    if (fault_due(op, __func__, fd, name)) { return -1; }


/* Files are opened; -D_FORTIFY_SOURCE and large files give more names. */

static int
fault_open_op(int flags)
{
    return (flags & O_CREAT) ? FAULT_CREATE : FAULT_OPEN;
}

#define OPEN(call)                                                            \
    int                                                                       \
    call(const char *name, int flags, ...)                                    \
    {                                                                         \
        mode_t   mode;                                                        \
        va_list  args;                                                        \
                                                                              \
        REAL(call)                                                            \
        va_start(args, flags);                                                \
        mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;    \
        va_end(args);                                                         \
        FAIL(fault_open_op(flags), AT_FDCWD, name)                            \
        return real(name, flags, mode);                                       \
    }

#define OPENAT(call)                                                          \
    int                                                                       \
    call(int fd, const char *name, int flags, ...)                            \
    {                                                                         \
        mode_t   mode;                                                        \
        va_list  args;                                                        \
                                                                              \
        REAL(call)                                                            \
        va_start(args, flags);                                                \
        mode = (flags & O_CREAT) ? va_arg(args, mode_t) : 0;    \
        va_end(args);                                                         \
        FAIL(fault_open_op(flags), fd, name)                                  \
        return real(fd, name, flags, mode);                                   \
    }

int __open_2(const char *name, int flags);
int __open64_2(const char *name, int flags);
int __openat_2(int fd, const char *name, int flags);
int __openat64_2(int fd, const char *name, int flags);

#define OPEN_2(call)                                                          \
    int                                                                       \
    call(const char *name, int flags)                                         \
    {                                                                         \
        REAL(call)                                                            \
        FAIL(fault_open_op(flags), AT_FDCWD, name)                            \
        return real(name, flags);                                             \
    }

#define OPENAT_2(call)                                                        \
    int                                                                       \
    call(int fd, const char *name, int flags)                                 \
    {                                                                         \
        REAL(call)                                                            \
        FAIL(fault_open_op(flags), fd, name)                                  \
        return real(fd, name, flags);                                         \
    }

OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
OPEN_2(__open_2)
OPEN_2(__open64_2)
OPENAT_2(__openat_2)
OPENAT_2(__openat64_2)


#define CALL(type, call, params, args, op, fd, name)                          \
    type                                                                      \
    call params                                                               \
    {                                                                         \
        REAL(call)                                                            \
        FAIL(op, fd, name)                                                    \
        return real args;                                                     \
    }

ssize_t __read_chk(int fd, void *p, size_t n, size_t size);
ssize_t __pread_chk(int fd, void *p, size_t n, off_t at, size_t size);
ssize_t __pread64_chk(int fd, void *p, size_t n, off64_t at, size_t size);

CALL(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n),
     FAULT_WRITE, fd, NULL)
CALL(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at),
     (fd, p, n, at), FAULT_WRITE, fd, NULL)
CALL(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at),
     (fd, p, n, at), FAULT_WRITE, fd, NULL)
CALL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n),
     FAULT_WRITE, fd, NULL)
CALL(ssize_t, pwritev, (int fd, const struct iovec *v, int n, off_t at),
     (fd, v, n, at), FAULT_WRITE, fd, NULL)
CALL(ssize_t, pwritev64, (int fd, const struct iovec *v, int n, off64_t at),
     (fd, v, n, at), FAULT_WRITE, fd, NULL)

CALL(ssize_t, read, (int fd, void *p, size_t n), (fd, p, n),
     FAULT_READ, fd, NULL)
CALL(ssize_t, __read_chk, (int fd, void *p, size_t n, size_t size),
     (fd, p, n, size), FAULT_READ, fd, NULL)
CALL(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at),
     FAULT_READ, fd, NULL)
CALL(ssize_t, pread64, (int fd, void *p, size_t n, off64_t at),
     (fd, p, n, at), FAULT_READ, fd, NULL)
CALL(ssize_t, __pread_chk, (int fd, void *p, size_t n, off_t at, size_t size),
     (fd, p, n, at, size), FAULT_READ, fd, NULL)
CALL(ssize_t, __pread64_chk,
     (int fd, void *p, size_t n, off64_t at, size_t size),
     (fd, p, n, at, size), FAULT_READ, fd, NULL)

CALL(int, mkdirat, (int fd, const char *name, mode_t mode), (fd, name, mode),
     FAULT_MKDIR, fd, name)
CALL(int, renameat, (int fd, const char *name, int tofd, const char *to),
     (fd, name, tofd, to), FAULT_RENAME, tofd, to)
CALL(int, linkat,
     (int fd, const char *name, int tofd, const char *to, int flags),
     (fd, name, tofd, to, flags), FAULT_LINK, tofd, to)
CALL(int, unlinkat, (int fd, const char *name, int flags), (fd, name, flags),
     FAULT_UNLINK, fd, name)

CALL(int, fsync, (int fd), (fd), FAULT_SYNC, fd, NULL)
CALL(int, fdatasync, (int fd), (fd), FAULT_SYNC, fd, NULL)
CALL(int, syncfs, (int fd), (fd), FAULT_SYNC, fd, NULL)
CALL(int, ftruncate, (int fd, off_t len), (fd, len), FAULT_TRUNCATE, fd, NULL)
CALL(int, ftruncate64, (int fd, off64_t len), (fd, len), FAULT_TRUNCATE, fd,
     NULL)


/* Closed it is in any case, as on Linux. */

int
close(int fd)
{
    int  due, saved;

    REAL(close)

    due = fault_due(FAULT_CLOSE, __func__, fd, NULL);
    saved = errno;

    if (real(fd) == -1) {
        return -1;
    }

    errno = saved;

    return due ? -1 : 0;
}


/* The day's clock; the monotonic one goes on as it does. */

int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int      rc;
    int64_t  us;

    REAL(clock_gettime)

    rc = real(id, ts);

    if (rc == 0 && fault != NULL && fault->clock != 0
        && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE))
    {
        us = (int64_t) ts->tv_sec * 1000000 + ts->tv_nsec / 1000
             + fault->clock;

        ts->tv_nsec = (us % 1000000) * 1000 + ts->tv_nsec % 1000;
        ts->tv_sec = us / 1000000;
    }

    return rc;
}


int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec  ts;

    (void) tz;
    (void) clock_gettime(CLOCK_REALTIME, &ts);

    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;

    return 0;
}


time_t
time(time_t *t)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_REALTIME, &ts);

    if (t != NULL) {
        *t = ts.tv_sec;
    }

    return ts.tv_sec;
}
