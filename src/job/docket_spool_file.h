/*
 * Files below a folder's descriptor, as every part of the spool needs them;
 * not for others.
 */

#ifndef DOCKET_SPOOL_FILE_H
#define DOCKET_SPOOL_FILE_H


#include <stddef.h>
#include <sys/types.h>


#define DOCKET_SPOOL_TMP_LEN  64


/* Regular file or -1: EBADMSG for anything else (a symbolic link, a folder,
   a fifo, a device), which is never waited for.  "flags": O_RDONLY or O_RDWR,
   and O_CREAT. */
int docket_file_open(int dirfd, const char *name, int flags);

/* Folder or -1: EBADMSG for anything else. */
int docket_file_open_dir(int dirfd, const char *name);

/* All bytes or DOCKET_ERROR. */
int docket_file_write(int fd, const char *p, size_t len);

/* At most "size" bytes from "off" on; -1 on an error. */
long docket_file_read(int fd, char *p, size_t size, off_t off);

/* Closes; keeps errno. */
void docket_file_close(int fd);

/*
 * Writes a file of a name that no one else has, which is "tmp" then; with its
 * bytes on the disk when "sync" is set.  On an error it is removed again.
 */
int docket_file_make(int dirfd, const char *p, size_t len, int sync,
    char tmp[DOCKET_SPOOL_TMP_LEN]);

/* Makes such a file and renames it: "name" has the old bytes or the new. */
int docket_file_replace(int dirfd, const char *name, const char *p,
    size_t len, int sync);

/*
 * Unlinks every entry that "known" (1: ours) knows.  "*foreign": there are
 * others, and it ends early when there are many of them; NULL: all entries are
 * looked at, whatever their number.  The position of "dirfd" is moved: nobody
 * else may be reading the folder by it.  DOCKET_ERROR: some stay, with errno of
 * the last of them.
 */
int docket_file_unlink_all(int dirfd, int (*known)(const void *ctx,
    const char *name), const void *ctx, int *foreign);


#endif /* DOCKET_SPOOL_FILE_H */
