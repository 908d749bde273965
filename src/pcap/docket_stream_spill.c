/*
 * The spill file of a stream: a FIFO of normalised records.  The producer
 * writes at its end, the consumer reads at its begin, neither holds the
 * mutex meanwhile.  Blocks that were read are given back.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include "pcap/docket_stream_core.h"


#define DOCKET_SPILL_IOV      64
#define DOCKET_SPILL_PUNCH    (8 * 1024 * 1024)


static int docket_spill_open(docket_stream_t *s);
static int docket_spill_write(docket_stream_t *s, docket_span_t *sp,
    int64_t pos);
static int docket_spill_writev(int fd, struct iovec *iov, int n, int64_t pos);
static size_t docket_spill_whole(const u_char *p, size_t n);


static int
docket_spill_open(docket_stream_t *s)
{
    int  fd;

    if (s->dirfd == -1) {
        (void) snprintf(s->err, sizeof(s->err),
                        "memory is full, and there is no spill file");
        return DOCKET_ERROR;
    }

    fd = openat(s->dirfd, s->name,
                O_RDWR|O_CREAT|O_EXCL|O_NOFOLLOW|O_CLOEXEC, 0640);

    if (fd == -1) {
        (void) snprintf(s->err, sizeof(s->err), "spill file \"%s\": %s",
                        s->name, strerror(errno));
        return DOCKET_ERROR;
    }

    (void) unlinkat(s->dirfd, s->name, 0);

    pthread_mutex_lock(&s->mutex);
    s->spill.fd = fd;
    pthread_mutex_unlock(&s->mutex);

    return DOCKET_OK;
}


int
docket_stream_spill(docket_stream_t *s)
{
    int              rc, empty;
    int64_t          pos, end, slice;
    docket_span_t   *sp;
    docket_spans_t   out;

    pthread_mutex_lock(&s->mutex);

    out = s->ready;

    pthread_mutex_unlock(&s->mutex);

    if (out.head == NULL) {
        return DOCKET_OK;
    }

    if (s->spill.fd == -1 && docket_spill_open(s) != DOCKET_OK) {
        s->failed = 1;
        return DOCKET_ERROR;
    }

    pthread_mutex_lock(&s->mutex);

    empty = (s->spill.read == s->spill.written && s->spill.slice == -1
             && !s->spill.punching);

    if (empty) {
        s->spill.read = 0;
        s->spill.written = 0;
        s->spill.punched = 0;
    }

    out = s->ready;
    s->ready.head = NULL;
    s->ready.tail = NULL;
    s->spill.busy = 1;
    s->epoch++;

    pos = s->spill.written;
    slice = s->spill.slice;

    pthread_mutex_unlock(&s->mutex);

    if (empty) {

        /* the consumer reads nothing until "written" says so; blocks that
           can't be given back are written over */

        rc = ftruncate(s->spill.fd, 0);
        (void) rc;
    }

    end = pos;

    for (sp = out.head; sp != NULL; sp = sp->next) {
        if (slice == -1 && sp->slice == s->slice) {
            slice = end;
        }

        end += sp->end - sp->start;
    }

    rc = docket_spill_write(s, out.head, pos);

    pthread_mutex_lock(&s->mutex);

    s->spill.busy = 0;

    if (rc == DOCKET_OK) {
        s->spill.written = end;
        s->spill.slice = slice;
        s->spill.total += (uint64_t) (end - pos);

    } else {
        /* nothing can have become ready meanwhile */
        s->ready = out;
    }

    pthread_mutex_unlock(&s->mutex);

    if (rc != DOCKET_OK) {
        s->failed = 1;
        return DOCKET_ERROR;
    }

    docket_spans_destroy(s, &out);

    return DOCKET_OK;
}


static int
docket_spill_write(docket_stream_t *s, docket_span_t *sp, int64_t pos)
{
    int           i;
    struct iovec  iov[DOCKET_SPILL_IOV];

    while (sp != NULL) {

        for (i = 0; i < DOCKET_SPILL_IOV && sp != NULL; sp = sp->next, i++) {
            iov[i].iov_base = sp->start;
            iov[i].iov_len = sp->end - sp->start;
        }

        if (docket_spill_writev(s->spill.fd, iov, i, pos) != DOCKET_OK) {
            (void) snprintf(s->err, sizeof(s->err), "spill file \"%s\": %s",
                            s->name, strerror(errno));
            return DOCKET_ERROR;
        }

        while (i > 0) {
            pos += (int64_t) iov[--i].iov_len;
        }
    }

    return DOCKET_OK;
}


static int
docket_spill_writev(int fd, struct iovec *iov, int n, int64_t pos)
{
    int           i;
    ssize_t       done;
    struct iovec  rest[DOCKET_SPILL_IOV];

    memcpy(rest, iov, n * sizeof(struct iovec));

    for (i = 0; i < n; /* void */ ) {

        done = pwritev(fd, &rest[i], n - i, pos);

        if (done == -1 && errno == EINTR) {
            continue;
        }

        if (done <= 0) {
            if (done == 0) {
                errno = EIO;
            }

            return DOCKET_ERROR;
        }

        pos += done;

        for ( /* void */ ; i < n && (size_t) done >= rest[i].iov_len; i++) {
            done -= rest[i].iov_len;
        }

        if (i < n) {
            rest[i].iov_base = (u_char *) rest[i].iov_base + done;
            rest[i].iov_len -= done;
        }
    }

    return DOCKET_OK;
}


/* Bytes of the whole records at p. */

static size_t
docket_spill_whole(const u_char *p, size_t n)
{
    size_t           k;
    docket_record_t  h;

    for (k = 0; k + DOCKET_PCAP_RECORD <= n; k += DOCKET_PCAP_RECORD
                                                  + h.caplen)
    {
        memcpy(&h, p + k, sizeof(docket_record_t));

        if (h.caplen > n - k - DOCKET_PCAP_RECORD) {
            break;
        }
    }

    return k;
}


/*
 * Fills s->window from the position that was seen under the mutex.  A rewind
 * and new spilling may change the bytes meanwhile: the epoch tells, and the
 * caller looks again.
 */

int
docket_stream_unspill(docket_stream_t *s)
{
    int              fd;
    size_t           n, want, have;
    ssize_t          got;
    int64_t          pos, end;
    docket_record_t  h;

    pthread_mutex_lock(&s->mutex);

    fd = s->spill.fd;
    pos = s->spill.read;
    end = s->spill.written;

    if (s->spill.slice > pos) {
        end = s->spill.slice;
    }

    pthread_mutex_unlock(&s->mutex);

    s->window_pos = -1;
    want = s->chunk_size;

    for (have = 0; /* void */ ; /* void */ ) {

        n = (end - pos < (int64_t) want) ? (size_t) (end - pos) : want;

        if (s->window == NULL || s->window->size < n) {

            free(s->window);

            s->window = malloc(sizeof(docket_chunk_t) + want);
            if (s->window == NULL) {
                errno = ENOMEM;
                return DOCKET_ERROR;
            }

            s->window->size = want;
            have = 0;
        }

        while (have < n) {
            got = pread(fd, s->window->data + have, n - have,
                        pos + (int64_t) have);

            if (got == -1 && errno == EINTR) {
                continue;
            }

            if (got <= 0) {
                if (got == 0) {
                    errno = EIO;
                }

                return DOCKET_ERROR;
            }

            have += (size_t) got;
        }

        s->window_size = docket_spill_whole(s->window->data, n);

        if (s->window_size > 0 || n < DOCKET_PCAP_RECORD) {
            break;
        }

        /* one record that is larger than the window */

        memcpy(&h, s->window->data, sizeof(docket_record_t));

        if (h.caplen > DOCKET_PCAP_SNAPLEN
            || (int64_t) (DOCKET_PCAP_RECORD + h.caplen) > end - pos)
        {
            break;
        }

        want = DOCKET_PCAP_RECORD + h.caplen;
    }

    s->window_pos = pos;

    return DOCKET_OK;
}


void
docket_stream_punch(docket_stream_t *s)
{
    int      fd;
    int64_t  from, len;

    pthread_mutex_lock(&s->mutex);

    fd = s->spill.fd;
    from = s->spill.punched;
    len = (s->spill.read - from) & ~(int64_t) 4095;

    if (len < DOCKET_SPILL_PUNCH) {
        pthread_mutex_unlock(&s->mutex);
        return;
    }

    s->spill.punched += len;
    s->spill.punching = 1;

    pthread_mutex_unlock(&s->mutex);

    /* where the file system can't, the blocks go with the file */

    (void) fallocate(fd, FALLOC_FL_PUNCH_HOLE|FALLOC_FL_KEEP_SIZE, from, len);

    pthread_mutex_lock(&s->mutex);
    s->spill.punching = 0;
    pthread_mutex_unlock(&s->mutex);
}


int
docket_stream_full(docket_stream_t *s)
{
    int  full;

    pthread_mutex_lock(&s->mutex);

    full = (s->free == NULL && s->allocated + s->chunk_size > s->mem
            && s->spill.written - s->spill.read <= DOCKET_STREAM_BACKLOG
            && !s->dropped);

    pthread_mutex_unlock(&s->mutex);

    return full;
}


uint64_t
docket_stream_spilled(docket_stream_t *s)
{
    uint64_t  total;

    pthread_mutex_lock(&s->mutex);
    total = s->spill.total;
    pthread_mutex_unlock(&s->mutex);

    return total;
}
