/*
 * A hostile capture in hostile pieces, through a stream with the smallest
 * memory: what is kept comes out, once, whole, within the range, and in
 * order unless disorder was counted.
 *
 * Byte 0: size of the pieces.  Byte 1: bit 0 trims, bit 1 takes between the
 * pieces, bit 2 flushes between them.  The rest is the capture.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "pcap/docket_stream.h"


#define AFTER   (1000 * DOCKET_PCAP_BILLION)
#define BEFORE  (1700000001 * DOCKET_PCAP_BILLION)

#define require(x)  do { if (!(x)) { abort(); } } while (0)


typedef struct {
    uint64_t               n;
    uint64_t               bytes;
    uint64_t               disorder;
    int64_t                newest;
    int                    trim;
} out_t;


static char  dir[] = "/tmp/docket-fuzz-XXXXXX";


static void
clean(void)
{
    (void) rmdir(dir);
}


static int
drain(docket_stream_t *s, out_t *out)
{
    int              rc;
    u_char          *p, *end;
    int64_t          time, t;
    docket_record_t  h;

    for ( ;; ) {

        rc = docket_stream_peek(s, &time);
        if (rc != DOCKET_OK) {
            return rc;
        }

        require(docket_stream_take(s, &p, &end) == DOCKET_OK);
        require(p < end);
        require(docket_record_time(p) == time);

        for ( /* void */ ; p < end; p += DOCKET_PCAP_RECORD + h.caplen) {

            require((size_t) (end - p) >= DOCKET_PCAP_RECORD);
            memcpy(&h, p, sizeof(docket_record_t));
            require(h.caplen <= DOCKET_PCAP_SNAPLEN && h.nsec < 1000000000);
            require((size_t) (end - p) >= DOCKET_PCAP_RECORD + h.caplen);

            t = docket_record_time(p);
            require(!out->trim || (t >= AFTER && t < BEFORE));

            if (out->n > 0 && t < out->newest) {
                out->disorder++;

            } else {
                out->newest = t;
            }

            out->n++;
            out->bytes += DOCKET_PCAP_RECORD + h.caplen;
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                         rc;
    size_t                      i, n, step;
    out_t                       out;
    docket_stream_t            *s;
    const docket_pcap_count_t  *c;

    static int                  dirfd = -1;

    if (dirfd == -1) {

        /* the folder stays as long as the process is, and is empty */

        require(mkdtemp(dir) != NULL);
        dirfd = open(dir, O_RDONLY|O_DIRECTORY);
        require(dirfd != -1);
        require(atexit(clean) == 0);
    }

    if (size < 2) {
        return 0;
    }

    memset(&out, 0, sizeof(out));
    out.trim = data[1] & 1;
    step = (size_t) data[0] * data[0] + 1;

    s = docket_stream_create(0, dirfd, "spill");
    require(s != NULL);

    docket_stream_begin(s, out.trim ? AFTER : DOCKET_PCAP_TIME_MIN,
                        out.trim ? BEFORE : DOCKET_PCAP_TIME_MAX);

    rc = DOCKET_OK;

    for (i = 2; i < size && rc == DOCKET_OK; i += n) {

        n = (size - i < step) ? size - i : step;
        rc = docket_stream_write(s, data + i, n);
        require(rc == DOCKET_OK || docket_stream_error(s)[0] != '\0');

        if (data[1] & 4) {
            docket_stream_flush(s);
        }

        if (data[1] & 2) {
            require(drain(s, &out) == DOCKET_AGAIN);
        }
    }

    rc = docket_stream_end(s);
    require(rc == DOCKET_OK || docket_stream_error(s)[0] != '\0');
    docket_stream_finish(s);
    require(drain(s, &out) == DOCKET_DONE);

    c = docket_stream_count(s);
    require(c->records == out.n);
    require(c->bytes == out.bytes);
    require(c->disordered == out.disorder);
    require(out.n == 0 || c->last == out.newest);

    docket_stream_destroy(s);

    return 0;
}
