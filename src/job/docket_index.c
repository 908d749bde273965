/*
 * SPOOL/index, the helper's side; a worker's side is in docket_index_view.c.
 *
 * All slots are kept in memory as they stand in the file, header first.  A
 * table with open addressing leads from an id to its newest slot; the slot of
 * a deleted job keeps its place there until the table is made anew, so that
 * no search ends before its goal.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "job/docket_index.h"
#include "job/docket_index_file.h"
#include "job/docket_spool_file.h"


#define DOCKET_INDEX_ROOM  1024       /* slots, at first; a power of two */
#define DOCKET_INDEX_MAX   (1u << 26)


struct docket_index_s {
    docket_spool_t          spool;
    int                     fd;       /* -1: not yet on disk */

    docket_index_image_t   *image;    /* [0] is the header */
    size_t                  n;        /* slots in use, deleted ones too */
    size_t                  room;     /* a power of two */
    size_t                  deleted;
    size_t                  clean;    /* leading slots that the disk has */
    size_t                  enough;   /* deleted ones to rebuild for */

    uint32_t               *table;    /* slot + 1, or 0; 2 * room of them */
};


static uint32_t *docket_index_lookup(const docket_index_t *ix,
    const uint8_t id[16]);
static int docket_index_grow(docket_index_t *ix);
static void docket_index_fill_table(docket_index_t *ix);
static int docket_index_flush(docket_index_t *ix, size_t slot);
static int docket_index_pwrite(int fd, const void *p, size_t len, off_t off);
static int docket_index_write(docket_index_t *ix,
    const docket_index_image_t *image, size_t n);
static int docket_index_cmp_created(const void *one, const void *two);
static int docket_index_cmp_touched(const void *one, const void *two);


void
docket_index_from_job(docket_index_record_t *rec, const docket_job_t *job)
{
    size_t   i;
    int64_t  touched;

    memset(rec, 0, sizeof(docket_index_record_t));

    docket_id_pack(job->id, rec->id);

    touched = job->created;

    if (job->requested > touched) {
        touched = job->requested;
    }

    if (job->finished > touched) {
        touched = job->finished;
    }

    for (i = 0; i < job->naskers; i++) {
        if (job->askers[i].last > touched) {
            touched = job->askers[i].last;
        }
    }

    rec->created = job->created;
    rec->touched = touched;
    rec->run = job->run;
    rec->state = job->state;

    rec->flags = (job->partial ? DOCKET_INDEX_PARTIAL : 0)
                 | (job->empty ? DOCKET_INDEX_EMPTY : 0)
                 | (job->truncated ? DOCKET_INDEX_TRUNCATED : 0);

    if (job->capture_run != 0) {
        rec->flags |= DOCKET_INDEX_CAPTURE;
        rec->packets = job->packets;
        rec->bytes = job->bytes;
    }

    rec->check = docket_index_check(rec);
}


docket_index_t *
docket_index_create(const docket_spool_t *sp)
{
    docket_index_t  *ix;

    ix = calloc(1, sizeof(docket_index_t));
    if (ix == NULL) {
        return NULL;
    }

    ix->spool = *sp;
    ix->fd = -1;
    ix->room = DOCKET_INDEX_ROOM;
    ix->enough = DOCKET_INDEX_ROOM;

    ix->image = malloc((ix->room + 1) * sizeof(docket_index_image_t));
    ix->table = calloc(2 * ix->room, sizeof(uint32_t));

    if (ix->image == NULL || ix->table == NULL) {
        docket_index_destroy(ix);
        return NULL;
    }

    docket_index_header_init(&ix->image[0].header);

    return ix;
}


void
docket_index_destroy(docket_index_t *ix)
{
    if (ix == NULL) {
        return;
    }

    if (ix->fd != -1) {
        (void) close(ix->fd);
    }

    free(ix->image);
    free(ix->table);
    free(ix);
}


int
docket_index_put(docket_index_t *ix, const docket_index_record_t *rec)
{
    size_t                  slot;
    uint32_t               *entry;
    docket_index_record_t  *r;

    entry = docket_index_lookup(ix, rec->id);

    if (*entry != 0
        && (ix->image[*entry].record.flags & DOCKET_INDEX_DELETED) == 0)
    {
        slot = *entry - 1;

    } else {
        /* the old slot of a deleted job stays deleted: the new job belongs
           to the end */

        if (ix->n == ix->room) {
            if (docket_index_grow(ix) != DOCKET_OK) {
                return DOCKET_ERROR;
            }

            entry = docket_index_lookup(ix, rec->id);
        }

        slot = ix->n++;
        *entry = slot + 1;
    }

    r = &ix->image[slot + 1].record;

    *r = *rec;
    r->flags &= ~DOCKET_INDEX_DELETED;
    memset(r->pad, 0, sizeof(r->pad));
    r->check = docket_index_check(r);

    return docket_index_flush(ix, slot);
}


int
docket_index_delete(docket_index_t *ix, const uint8_t id[16])
{
    uint32_t               *entry;
    docket_index_record_t  *r;

    entry = docket_index_lookup(ix, id);
    if (*entry == 0) {
        return DOCKET_OK;
    }

    r = &ix->image[*entry].record;

    if (r->flags & DOCKET_INDEX_DELETED) {
        return DOCKET_OK;
    }

    r->flags |= DOCKET_INDEX_DELETED;
    r->check = docket_index_check(r);

    ix->deleted++;

    return docket_index_flush(ix, *entry - 1);
}


const docket_index_record_t *
docket_index_get(const docket_index_t *ix, const uint8_t id[16])
{
    uint32_t               *entry;
    docket_index_record_t  *r;

    entry = docket_index_lookup(ix, id);
    if (*entry == 0) {
        return NULL;
    }

    r = &ix->image[*entry].record;

    return (r->flags & DOCKET_INDEX_DELETED) ? NULL : r;
}


size_t
docket_index_count(const docket_index_t *ix)
{
    return ix->n - ix->deleted;
}


int
docket_index_rebuild(docket_index_t *ix)
{
    size_t                 i, n;
    docket_index_image_t  *image, *old;

    image = malloc((ix->room + 1) * sizeof(docket_index_image_t));
    if (image == NULL) {
        return DOCKET_ERROR;
    }

    image[0] = ix->image[0];
    n = 0;

    for (i = 0; i < ix->n; i++) {
        if ((ix->image[i + 1].record.flags & DOCKET_INDEX_DELETED) == 0) {
            image[++n] = ix->image[i + 1];
        }
    }

    qsort(&image[1], n, sizeof(docket_index_image_t),
          docket_index_cmp_created);

    if (docket_index_write(ix, image, n) != DOCKET_OK) {
        free(image);
        return DOCKET_ERROR;
    }

    old = ix->image;

    ix->image = image;
    ix->n = n;
    ix->clean = n;
    ix->deleted = 0;
    ix->enough = DOCKET_INDEX_ROOM;

    free(old);

    docket_index_fill_table(ix);

    return DOCKET_OK;
}


int
docket_index_by_age(const docket_index_t *ix, docket_index_record_t **recs,
    size_t *n)
{
    size_t                        i, live;
    const docket_index_record_t  *r;

    live = docket_index_count(ix);

    *n = 0;
    *recs = malloc((live + 1) * sizeof(docket_index_record_t));
    if (*recs == NULL) {
        return DOCKET_ERROR;
    }

    for (i = 0; i < ix->n && *n < live; i++) {
        r = &ix->image[i + 1].record;

        if ((r->flags & DOCKET_INDEX_DELETED) == 0) {
            (*recs)[(*n)++] = *r;
        }
    }

    qsort(*recs, *n, sizeof(docket_index_record_t), docket_index_cmp_touched);

    return DOCKET_OK;
}


/* The entry of an id, or the free one where it belongs.  The table is never
   more than half full. */

static uint32_t *
docket_index_lookup(const docket_index_t *ix, const uint8_t id[16])
{
    size_t    i, mask;
    uint64_t  hash;

    /* an MD5 needs no further mixing */

    memcpy(&hash, id, sizeof(hash));

    mask = 2 * ix->room - 1;

    for (i = hash & mask; ix->table[i] != 0; i = (i + 1) & mask) {

        if (memcmp(ix->image[ix->table[i]].record.id, id, 16) == 0) {
            break;
        }
    }

    return &ix->table[i];
}


static int
docket_index_grow(docket_index_t *ix)
{
    size_t                 room;
    uint32_t              *table;
    docket_index_image_t  *image;

    room = 2 * ix->room;

    if (room > DOCKET_INDEX_MAX) {
        errno = ENOMEM;
        return DOCKET_ERROR;
    }

    table = malloc(2 * room * sizeof(uint32_t));
    if (table == NULL) {
        return DOCKET_ERROR;
    }

    image = realloc(ix->image, (room + 1) * sizeof(docket_index_image_t));
    if (image == NULL) {
        free(table);
        return DOCKET_ERROR;
    }

    free(ix->table);

    ix->table = table;
    ix->image = image;
    ix->room = room;

    docket_index_fill_table(ix);

    return DOCKET_OK;
}


/* Later slots win: an id that was deleted and came again has two. */

static void
docket_index_fill_table(docket_index_t *ix)
{
    size_t                  i;
    docket_index_record_t  *r;

    memset(ix->table, 0, 2 * ix->room * sizeof(uint32_t));

    for (i = 0; i < ix->n; i++) {
        r = &ix->image[i + 1].record;

        if ((r->flags & DOCKET_INDEX_DELETED) == 0) {
            *docket_index_lookup(ix, r->id) = i + 1;
        }
    }
}


/* Brings a slot to the disk, with all that an earlier error left behind. */

static int
docket_index_flush(docket_index_t *ix, size_t slot)
{
    size_t  from, n;

    if (ix->fd == -1) {
        return DOCKET_OK;
    }

    if (ix->deleted >= ix->enough && ix->deleted > ix->n / 2) {

        if (docket_index_rebuild(ix) == DOCKET_OK) {
            return DOCKET_OK;
        }

        /* cleaning a full disk deletes a lot: not tried each time */

        ix->enough = 2 * ix->deleted;
    }

    from = slot;
    n = 1;

    if (ix->clean <= slot) {
        from = ix->clean;
        n = ix->n - from;
    }

    if (docket_index_pwrite(ix->fd, &ix->image[from + 1],
                            n * sizeof(docket_index_image_t),
                            (from + 1) * sizeof(docket_index_image_t))
        != DOCKET_OK)
    {
        if (ix->clean > from) {
            ix->clean = from;
        }

        return DOCKET_ERROR;
    }

    if (ix->clean == from) {
        ix->clean = from + n;
    }

    return DOCKET_OK;
}


static int
docket_index_pwrite(int fd, const void *p, size_t len, off_t off)
{
    ssize_t      n;
    const char  *s;

    s = p;

    while (len != 0) {
        n = pwrite(fd, s, len, off);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            return DOCKET_ERROR;
        }

        s += n;
        off += n;
        len -= n;
    }

    return DOCKET_OK;
}


/* Writes a new file and takes it for the old one. */

static int
docket_index_write(docket_index_t *ix, const docket_index_image_t *image,
    size_t n)
{
    int   fd, saved;
    char  tmp[DOCKET_SPOOL_TMP_LEN];

    if (docket_file_make(ix->spool.fd, (const char *) image,
                         (n + 1) * sizeof(docket_index_image_t), 0, tmp)
        != DOCKET_OK)
    {
        return DOCKET_ERROR;
    }

    fd = docket_file_open(ix->spool.fd, tmp, O_RDWR);

    if (fd == -1
        || renameat(ix->spool.fd, tmp, ix->spool.fd, "index") == -1)
    {
        saved = errno;

        if (fd != -1) {
            (void) close(fd);
        }

        (void) unlinkat(ix->spool.fd, tmp, 0);
        errno = saved;

        return DOCKET_ERROR;
    }

    if (ix->fd != -1) {
        (void) close(ix->fd);
    }

    ix->fd = fd;

    return DOCKET_OK;
}


static int
docket_index_cmp_created(const void *one, const void *two)
{
    const docket_index_record_t *a = &((docket_index_image_t *) one)->record;
    const docket_index_record_t *b = &((docket_index_image_t *) two)->record;

    if (a->created != b->created) {
        return (a->created < b->created) ? -1 : 1;
    }

    return memcmp(a->id, b->id, sizeof(a->id));
}


static int
docket_index_cmp_touched(const void *one, const void *two)
{
    const docket_index_record_t *a = one;
    const docket_index_record_t *b = two;

    if (a->touched != b->touched) {
        return (a->touched < b->touched) ? -1 : 1;
    }

    return memcmp(a->id, b->id, sizeof(a->id));
}
