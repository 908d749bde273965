/*
 * SPOOL/index: all jobs in fixed records, so that no request reads as many
 * folders as there are jobs.  Only the helper writes it; workers read.
 *
 * File: a header of 64 bytes, then records of 64 bytes in the order of
 * their creation, in host byte order (the file never leaves the machine and
 * is rebuilt at each start).  A record is replaced in place by one pwrite();
 * a reader that catches a torn one sees a check byte that does not match, or
 * other bytes when it looks again.  Rebuilding writes a new file and renames
 * it.
 */

#ifndef DOCKET_INDEX_H
#define DOCKET_INDEX_H


#include "job/docket_spool.h"


#define DOCKET_INDEX_MAGIC    "DOCKETIX"

#define DOCKET_INDEX_DELETED  0x01
#define DOCKET_INDEX_PARTIAL  0x02
#define DOCKET_INDEX_EMPTY    0x04
#define DOCKET_INDEX_CAPTURE  0x08    /* a capture can be fetched */
#define DOCKET_INDEX_TRUNCATED 0x10


typedef struct {
    uint8_t                id[16];    /* binary */
    int64_t                created;
    int64_t                touched;   /* last run's end or last question */
    uint64_t               packets;   /* of the capture */
    uint64_t               bytes;
    uint32_t               run;       /* the last one, as in the record */
    uint8_t                state;
    uint8_t                flags;
    uint8_t                check;     /* over the 63 others */
    uint8_t                pad[9];    /* 0 */
} docket_index_record_t;              /* 64 bytes */

void docket_index_from_job(docket_index_record_t *rec,
    const docket_job_t *job);


/* The helper's side: keeps a table id -> slot in memory (malloc). */

typedef struct docket_index_s  docket_index_t;

/* Empty, nothing on disk yet. */
docket_index_t *docket_index_create(const docket_spool_t *sp);
void docket_index_destroy(docket_index_t *ix);

/*
 * Adds or replaces; on disk too once docket_index_rebuild() has run.  Fills in
 * rec->check itself.  DOCKET_ERROR: out of memory (nothing changed), or the
 * disk has it not (memory has; the next call writes what is missing).  Now
 * and then it rebuilds, when most of the file is deleted records.
 */
int docket_index_put(docket_index_t *ix, const docket_index_record_t *rec);
/* Not there: no error. */
int docket_index_delete(docket_index_t *ix, const uint8_t id[16]);
/* NULL: not there.  Void after any change of the index. */
const docket_index_record_t *docket_index_get(const docket_index_t *ix,
    const uint8_t id[16]);
size_t docket_index_count(const docket_index_t *ix);
/* Sorts by creation, drops deleted ones, writes the file anew.  On an error
   the old file and the table stay as they are. */
int docket_index_rebuild(docket_index_t *ix);
/* All live records, oldest "touched" first, for the cleaning; malloc'd. */
int docket_index_by_age(const docket_index_t *ix,
    docket_index_record_t **recs, size_t *n);


/* A worker's side: opened for one request. */

#define DOCKET_INDEX_BLOCK    256     /* slots */

typedef struct {
    int                    fd;
    int                    error;     /* errno of what could not be read */
    size_t                 count;     /* slots, deleted ones too */
    size_t                 first;     /* slot that the block begins with */
    size_t                 n;         /* slots in the block */
    unsigned               looks;     /* that are left */
    docket_index_record_t  block[DOCKET_INDEX_BLOCK];
    docket_index_record_t  again[DOCKET_INDEX_BLOCK];
} docket_index_view_t;

/* DOCKET_ERROR with errno ENOENT: no index yet; EBADMSG: it is none. */
int docket_index_open(const docket_spool_t *sp, docket_index_view_t *v);
void docket_index_close(docket_index_view_t *v);
/* Copies slot i out; 0 when it is deleted, and when it can't be read or is
   torn beyond repair: then v->error says so, and stays. */
int docket_index_read(docket_index_view_t *v, size_t i,
    docket_index_record_t *rec);


/* id in hex <-> 16 bytes; "id" must be 32 hex digits. */
void docket_id_pack(const char *id, uint8_t bin[16]);
void docket_id_unpack(const uint8_t bin[16], char id[DOCKET_ID_LEN + 1]);


#endif /* DOCKET_INDEX_H */
