/*
 * SPOOL/index, a worker's side, and the form of the file.
 *
 * It is read a block at a time, and not mapped: an error of the disk is an
 * error of pread() then, and no signal that ends the worker.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/docket_index.h"
#include "job/docket_index_file.h"
#include "job/docket_spool_file.h"


#define DOCKET_INDEX_LOOKS      1000  /* at what is being written; of a view */
#define DOCKET_INDEX_MAX_BYTES  (1LL << 33)


static int docket_index_check_file(docket_index_view_t *v);
static int docket_index_block(docket_index_view_t *v, size_t i);
static int docket_index_look(docket_index_view_t *v, size_t slot, size_t at,
    size_t n);
static int docket_index_digit(char c);


int
docket_index_open(const docket_spool_t *sp, docket_index_view_t *v)
{
    v->error = 0;
    v->count = 0;
    v->first = 0;
    v->n = 0;
    v->looks = DOCKET_INDEX_LOOKS;

    v->fd = docket_file_open(sp->fd, "index", O_RDONLY);
    if (v->fd == -1) {
        return DOCKET_ERROR;
    }

    if (docket_index_check_file(v) != DOCKET_OK) {
        docket_file_close(v->fd);
        v->fd = -1;
        return DOCKET_ERROR;
    }

    return DOCKET_OK;
}


static int
docket_index_check_file(docket_index_view_t *v)
{
    long                   n;
    struct stat            st;
    docket_index_header_t  header, expected;

    if (fstat(v->fd, &st) == -1) {
        return DOCKET_ERROR;
    }

    n = docket_file_read(v->fd, (char *) &header, sizeof(header), 0);
    if (n == -1) {
        return DOCKET_ERROR;
    }

    docket_index_header_init(&expected);

    if (n != sizeof(header)
        || st.st_size < (off_t) sizeof(header)
        || st.st_size > DOCKET_INDEX_MAX_BYTES
        || memcmp(&header, &expected, sizeof(header)) != 0)
    {
        errno = EBADMSG;
        return DOCKET_ERROR;
    }

    /* a part of a slot at the end is one that is just being written */

    v->count = st.st_size / sizeof(docket_index_image_t) - 1;

    return DOCKET_OK;
}


void
docket_index_close(docket_index_view_t *v)
{
    if (v->fd == -1) {
        return;
    }

    (void) close(v->fd);

    v->fd = -1;
    v->count = 0;
    v->n = 0;
}


int
docket_index_read(docket_index_view_t *v, size_t i,
    docket_index_record_t *rec)
{
    size_t  at;

    if (i >= v->count || docket_index_block(v, i) != DOCKET_OK) {
        return 0;
    }

    at = i - v->first;

    for ( ;; ) {

        /* one byte in 256 fits by chance; but a torn record is not torn at
           the same place twice */

        if (memcmp(&v->block[at], &v->again[at], sizeof(*rec)) == 0
            && v->block[at].check == docket_index_check(&v->block[at]))
        {
            *rec = v->block[at];
            return (rec->flags & DOCKET_INDEX_DELETED) == 0;
        }

        if (v->looks == 0) {
            v->error = EBADMSG;
            return 0;
        }

        v->looks--;
        (void) sched_yield();

        if (docket_index_look(v, i, at, 1) != DOCKET_OK) {
            return 0;
        }
    }
}


static int
docket_index_block(docket_index_view_t *v, size_t i)
{
    size_t  first, n;

    if (i >= v->first && i - v->first < v->n) {
        return DOCKET_OK;
    }

    first = i - i % DOCKET_INDEX_BLOCK;

    n = v->count - first;
    if (n > DOCKET_INDEX_BLOCK) {
        n = DOCKET_INDEX_BLOCK;
    }

    v->n = 0;

    if (docket_index_look(v, first, 0, n) != DOCKET_OK) {
        return DOCKET_ERROR;
    }

    v->first = first;
    v->n = n;

    return DOCKET_OK;
}


/* Reads n slots, twice; what is not there any more reads as zeros. */

static int
docket_index_look(docket_index_view_t *v, size_t slot, size_t at, size_t n)
{
    long                    got;
    size_t                  k, len;
    docket_index_record_t  *to;

    len = n * sizeof(docket_index_image_t);

    for (k = 0; k < 2; k++) {
        to = (k == 0) ? &v->block[at] : &v->again[at];

        got = docket_file_read(v->fd, (char *) to, len,
                               (slot + 1) * sizeof(docket_index_image_t));
        if (got == -1) {
            v->error = errno;
            return DOCKET_ERROR;
        }

        memset((char *) to + got, 0, len - got);
    }

    return DOCKET_OK;
}


void
docket_index_header_init(docket_index_header_t *h)
{
    memset(h, 0, sizeof(docket_index_header_t));
    memcpy(h->magic, DOCKET_INDEX_MAGIC, sizeof(h->magic));
    h->version = DOCKET_INDEX_VERSION;
    h->size = sizeof(docket_index_record_t);
}


uint8_t
docket_index_check(const docket_index_record_t *rec)
{
    size_t          i;
    uint32_t        sum;
    const uint8_t  *p;

    /* FNV-1a: unlike a plain sum or XOR it sees changes that cancel out */

    p = (const uint8_t *) rec;
    sum = 2166136261u;

    for (i = 0; i < sizeof(docket_index_record_t); i++) {
        if (i != offsetof(docket_index_record_t, check)) {
            sum = (sum ^ p[i]) * 16777619u;
        }
    }

    sum ^= sum >> 16;

    return (sum ^ (sum >> 8)) & 0xff;
}


void
docket_id_pack(const char *id, uint8_t bin[16])
{
    size_t  i;

    for (i = 0; i < 16; i++) {
        bin[i] = docket_index_digit(id[2 * i]) << 4
                 | docket_index_digit(id[2 * i + 1]);
    }
}


void
docket_id_unpack(const uint8_t bin[16], char id[DOCKET_ID_LEN + 1])
{
    size_t             i;
    static const char  hex[] = "0123456789abcdef";

    for (i = 0; i < 16; i++) {
        id[2 * i] = hex[bin[i] >> 4];
        id[2 * i + 1] = hex[bin[i] & 0x0f];
    }

    id[DOCKET_ID_LEN] = '\0';
}


static int
docket_index_digit(char c)
{
    return (c >= 'a') ? c - 'a' + 10 : (c >= 'A') ? c - 'A' + 10 : c - '0';
}
