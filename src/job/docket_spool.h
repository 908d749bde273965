/*
 * The spool: one folder for each job, named by its id (lower case hex, or
 * with the dashes of a UUID when "uuid" is set), that holds
 *
 *   query.json        the record, replaced by rename
 *   merged.pcap       the capture, appears by rename
 *   summary.json      what is in the capture, appears by rename before it
 *   again             a further run was asked for; what it says is one line:
 *                     "refresh" or "retry"
 *   .run.N            the capture of run N while it is written
 *
 * and beside the folders
 *
 *   .owner            locked (flock) by the helper that owns the queue
 *   .sensors/NAME.K   locked by whoever has query slot K of sensor NAME
 *   index             see docket_index.h
 *
 * A running job is locked by flock on its folder.  All functions work below
 * a directory descriptor, follow no symbolic link, and take only regular
 * files.  Folders are 0750, files 0640.  Errors: DOCKET_ERROR with errno.
 * Pure C; callable from any thread.
 */

#ifndef DOCKET_SPOOL_H
#define DOCKET_SPOOL_H


#include "job/docket_job.h"

#include <stdint.h>


typedef struct {
    int                    fd;        /* of the spool's folder; O_RDONLY */
    int                    uuid;      /* folders have dashes */
    const char            *merged;    /* "merged.pcap", docket_merged_name */
} docket_spool_t;


#define DOCKET_SPOOL_NAME_LEN  (DOCKET_ID_LEN + 4)
#define DOCKET_AGAIN_REFRESH   1
#define DOCKET_AGAIN_RETRY     2


/* Name of the folder of an id, NUL-terminated. */
void docket_spool_name(const docket_spool_t *sp, const char *id,
    char name[DOCKET_SPOOL_NAME_LEN + 1]);

/* 1 and the plain id when "name" (any case, with or without dashes) is one. */
int docket_spool_id(const char *name, size_t len, char id[DOCKET_ID_LEN + 1]);

/*
 * Makes the folder and query.json.  DOCKET_OK with errno 0, or with errno
 * EEXIST when query.json is already there (it is left as it is).  On an error
 * nothing half-made stays.  "sync": fsync the file and both folders.
 */
int docket_spool_create(const docket_spool_t *sp, const char *id,
    const char *json, size_t len, int sync);

/* Replaces query.json; .._at(): of a folder that is open.  Only the helper
   calls this. */
int docket_spool_save(const docket_spool_t *sp, const char *id,
    const char *json, size_t len, int sync);
int docket_spool_save_at(int dirfd, const char *json, size_t len, int sync);

/* Reads and checks a record; its id must be the folder's.  NULL: errno
   ENOENT (no such job), EBADMSG (words in err), or others. */
docket_job_t *docket_spool_load(const docket_spool_t *sp, const char *id,
    char *err, size_t size);
docket_job_t *docket_spool_load_at(int dirfd, const char *id, char *err,
    size_t size);

/* 0: there is no record of the job; whether one can be read is not looked at. */
int docket_spool_has(const docket_spool_t *sp, const char *id);

/*
 * The mark of a further run; stays until the helper took it.  Reading gives
 * DOCKET_AGAIN_*, 0 when there is none, or DOCKET_ERROR.  A mark that says
 * anything else (a power cut may leave an empty one) counts as a refresh.
 * Clearing what is not there is no error.
 */
int docket_spool_again(const docket_spool_t *sp, const char *id, int what,
    int sync);
int docket_spool_again_read(const docket_spool_t *sp, const char *id);
int docket_spool_again_read_at(int dirfd);
int docket_spool_again_clear(int dirfd);

/* Folder's descriptor, O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC; with the flock, or
   -1 EWOULDBLOCK when somebody has it.  ENOENT also when the folder was
   removed while it was being locked. */
int docket_spool_open_dir(const docket_spool_t *sp, const char *id);
int docket_spool_lock_dir(const docket_spool_t *sp, const char *id);

/* flock on .owner: descriptor or -1 (EWOULDBLOCK: another has it). */
int docket_spool_own(const docket_spool_t *sp);
/* Puts "token" into .owner, once it is owned; 1 when it stood there: nobody
   else has owned the spool in between. */
int docket_spool_owner(int fd, uint64_t token);
/* A free query slot of a sensor: descriptor or -1 (EWOULDBLOCK: all busy). */
int docket_spool_slot(const docket_spool_t *sp, const char *sensor,
    unsigned slots);

/* Capture of run "run": ".run.N", new (one that a dead process left is
   removed), for writing and reading; 0640. */
int docket_spool_part(int dirfd, uint32_t run);
int docket_spool_open_part(int dirfd, uint32_t run);    /* O_RDONLY */
/* fsyncs when asked, then renames .run.N to merged.pcap.  DOCKET_OK with an
   errno that is not 0: the folder could not be synced. */
int docket_spool_publish(const docket_spool_t *sp, int dirfd, int fd,
    uint32_t run, int sync);
/* Writes summary.json (atomically). */
int docket_spool_summary(int dirfd, const char *json, size_t len);
/* Its text as it stands, malloc'd; NULL: errno, ENOENT when there is none. */
char *docket_spool_summary_read(const docket_spool_t *sp, const char *id,
    size_t *len);

/* Removes what no finished job has: .run.*, .spill.*, *.tmp.  A file that
   another process is replacing meanwhile is written again by it. */
int docket_spool_tidy(int dirfd);

/* The same for the spool itself: what writing the index left there. */
int docket_spool_tidy_top(const docket_spool_t *sp);

/* Removes the folder with all that this project puts there; query.json goes
   first, so that a half-removed job is none.  Foreign files: DOCKET_ERROR,
   errno ENOTEMPTY, the folder stays.  No folder: errno ENOENT.  It takes no
   lock: the caller may have it. */
int docket_spool_remove(const docket_spool_t *sp, const char *id);

/* The same for a folder without a query.json, which is left of a job that was
   being made or removed.  A query.json that comes meanwhile stays, with its
   folder: errno ENOTEMPTY. */
int docket_spool_discard(const docket_spool_t *sp, const char *id);

/*
 * Calls "job" for each folder whose name is that of an id, in no order; "odd"
 * (may be NULL) for each other entry that is none of the spool's own; its
 * "name" may hold any bytes.  A return of "job" that is not DOCKET_OK ends the
 * walk and is returned.
 */
typedef int (*docket_spool_job_pt)(void *ctx, const char *id);
typedef void (*docket_spool_odd_pt)(void *ctx, const char *name,
    const char *why);
int docket_spool_walk(const docket_spool_t *sp, docket_spool_job_pt job,
    docket_spool_odd_pt odd, void *ctx);

/* statvfs: bytes and nodes that an unprivileged writer may still take;
   UINT64_MAX nodes where the file system does not count them. */
int docket_spool_space(const docket_spool_t *sp, uint64_t *bytes,
    uint64_t *nodes);


#endif /* DOCKET_SPOOL_H */
