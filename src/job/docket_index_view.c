/*
 * SPOOL/index, a worker's side, and the form of the file.
 */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "job/docket_index.h"
#include "job/docket_index_file.h"
#include "job/docket_spool_file.h"


#define DOCKET_INDEX_LOOKS      1000  /* at a record that is being written */
#define DOCKET_INDEX_MAX_BYTES  (1LL << 33)


static int docket_index_map(docket_index_view_t *v);
static void docket_index_copy(docket_index_record_t *dst,
    const docket_index_record_t *src);
static int docket_index_digit(char c);


int
docket_index_open(const docket_spool_t *sp, docket_index_view_t *v)
{
    memset(v, 0, sizeof(docket_index_view_t));

    v->fd = docket_file_open(sp->fd, "index", O_RDONLY);
    if (v->fd == -1) {
        return DOCKET_ERROR;
    }

    if (docket_index_map(v) != DOCKET_OK) {
        docket_file_close(v->fd);
        v->fd = -1;
        return DOCKET_ERROR;
    }

    return DOCKET_OK;
}


static int
docket_index_map(docket_index_view_t *v)
{
    void                         *map;
    struct stat                   st;
    docket_index_header_t         expected;
    const docket_index_image_t   *image;

    if (fstat(v->fd, &st) == -1) {
        return DOCKET_ERROR;
    }

    if (st.st_size < (off_t) sizeof(docket_index_header_t)
        || st.st_size > DOCKET_INDEX_MAX_BYTES)
    {
        errno = EBADMSG;
        return DOCKET_ERROR;
    }

    /* a part of a slot at the end is one that is just being written */

    v->count = st.st_size / sizeof(docket_index_image_t) - 1;
    v->map_len = (v->count + 1) * sizeof(docket_index_image_t);

    map = mmap(NULL, v->map_len, PROT_READ, MAP_SHARED, v->fd, 0);
    if (map == MAP_FAILED) {
        return DOCKET_ERROR;
    }

    image = map;
    docket_index_header_init(&expected);

    if (memcmp(&image[0].header, &expected, sizeof(expected)) != 0) {
        (void) munmap(map, v->map_len);
        errno = EBADMSG;
        return DOCKET_ERROR;
    }

    v->recs = &image[1].record;

    return DOCKET_OK;
}


void
docket_index_close(docket_index_view_t *v)
{
    if (v->fd == -1) {
        return;
    }

    (void) munmap((void *) (v->recs - 1), v->map_len);
    (void) close(v->fd);

    v->fd = -1;
    v->recs = NULL;
    v->count = 0;
}


int
docket_index_read(const docket_index_view_t *v, size_t i,
    docket_index_record_t *rec)
{
    unsigned               n;
    docket_index_record_t  again;

    if (i >= v->count) {
        return 0;
    }

    for (n = 0; n < DOCKET_INDEX_LOOKS; n++) {

        docket_index_copy(rec, &v->recs[i]);

        /* one byte in 256 fits by chance; but a torn record is not torn at
           the same place twice */

        docket_index_copy(&again, &v->recs[i]);

        if (memcmp(rec, &again, sizeof(again)) == 0
            && rec->check == docket_index_check(rec))
        {
            return (rec->flags & DOCKET_INDEX_DELETED) == 0;
        }

        if (n > 10) {
            (void) sched_yield();
        }
    }

    return 0;
}


/* Loads that the compiler neither drops nor joins. */

static void
docket_index_copy(docket_index_record_t *dst,
    const docket_index_record_t *src)
{
    size_t           i;
    uint64_t         word;
    const uint64_t  *s;

    s = (const uint64_t *) (const void *) src;

    for (i = 0; i < sizeof(docket_index_record_t) / sizeof(word); i++) {
        word = __atomic_load_n(&s[i], __ATOMIC_ACQUIRE);
        memcpy((char *) dst + i * sizeof(word), &word, sizeof(word));
    }
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
