/*
 * mkcaps: captures to measure with, the same in each run.
 *
 *   mkcaps [-n FILES] [-b BYTES] [-l LENGTH] [-t USEC] [-d] DIR
 *
 *   -n FILES    files DIR/in0.pcap ... (default 4)
 *   -b BYTES    size of each, about (default 250000000)
 *   -l LENGTH   bytes of each frame; 0, the default: 64 to 1500, mixed
 *   -t USEC     time between a frame and the next, over all files together
 *               (default 10)
 *   -d          swap neighbours now and then: slight disorder
 *
 * Frames are IPv4 with TCP and UDP among 200 hosts; time begins at
 * 2024-01-01T00:00:00Z; which file the next frame goes to is drawn at
 * random from a fixed seed.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define MKCAPS_START    1704067200U
#define MKCAPS_MAX      1500
#define MKCAPS_FILES    4096


typedef struct {
    FILE        *file;
    uint64_t     bytes;
    size_t       kept;                /* a record that waits, swapped */
    unsigned char  keep[16 + MKCAPS_MAX];
} mkcaps_file_t;


static uint64_t  mkcaps_state = 0x2545f4914f6cdd1dULL;


static uint32_t
mkcaps_random(void)
{
    mkcaps_state ^= mkcaps_state << 13;
    mkcaps_state ^= mkcaps_state >> 7;
    mkcaps_state ^= mkcaps_state << 17;

    return (uint32_t) (mkcaps_state >> 32);
}


static size_t
mkcaps_record(unsigned char *p, uint64_t usec, uint32_t length)
{
    uint32_t        head[4], r;
    unsigned char  *f;

    if (length == 0) {

        /* as the net has them: many small, many full, some between */

        r = mkcaps_random() % 10;
        length = (r < 4) ? 64 + mkcaps_random() % 64
                 : (r < 7) ? MKCAPS_MAX - mkcaps_random() % 100
                 : 64 + mkcaps_random() % (MKCAPS_MAX - 64);
    }

    head[0] = MKCAPS_START + (uint32_t) (usec / 1000000);
    head[1] = (uint32_t) (usec % 1000000);
    head[2] = length;
    head[3] = length;
    memcpy(p, head, sizeof(head));

    f = p + sizeof(head);
    r = mkcaps_random();

    memset(f, 0x02, 12);
    f[12] = 0x08;
    f[13] = 0x00;
    f[14] = 0x45;
    f[15] = 0;
    f[16] = (unsigned char) ((length - 14) >> 8);
    f[17] = (unsigned char) (length - 14);
    memset(f + 18, 0, 4);
    f[22] = 64;
    f[23] = (r & 3) ? 6 : 17;
    memset(f + 24, 0, 2);
    f[26] = 10;
    f[27] = 0;
    f[28] = 0;
    f[29] = (unsigned char) (r >> 8) % 200;
    f[30] = 192;
    f[31] = 168;
    f[32] = 1;
    f[33] = (unsigned char) (r >> 16) % 10;
    f[34] = 0x80 | (unsigned char) (r >> 24);
    f[35] = (unsigned char) (r >> 16);
    f[36] = 0;
    f[37] = (r & 4) ? 80 : 53;

    return 16 + length;
}


static int
mkcaps_put(mkcaps_file_t *f, const unsigned char *p, size_t n)
{
    if (fwrite(p, 1, n, f->file) != n) {
        return -1;
    }

    f->bytes += n;

    return 0;
}


static int
mkcaps_open(mkcaps_file_t *f, const char *dir, unsigned i)
{
    char      name[4096];
    uint32_t  head[6] = { 0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65536, 1 };

    (void) snprintf(name, sizeof(name), "%s/in%u.pcap", dir, i);

    f->file = fopen(name, "w");

    if (f->file == NULL) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        return -1;
    }

    return mkcaps_put(f, (unsigned char *) head, sizeof(head));
}


int
main(int argc, char **argv)
{
    int             c, disorder;
    size_t          n;
    uint64_t        bytes, usec, full;
    uint32_t        length, step, files, i;
    unsigned char   record[16 + MKCAPS_MAX];
    mkcaps_file_t  *f;

    files = 4;
    bytes = 250000000;
    length = 0;
    step = 10;
    disorder = 0;

    while ((c = getopt(argc, argv, "n:b:l:t:d")) != -1) {

        switch (c) {

        case 'n':
            files = (uint32_t) strtoul(optarg, NULL, 10);
            break;

        case 'b':
            bytes = strtoull(optarg, NULL, 10);
            break;

        case 'l':
            length = (uint32_t) strtoul(optarg, NULL, 10);
            break;

        case 't':
            step = (uint32_t) strtoul(optarg, NULL, 10);
            break;

        case 'd':
            disorder = 1;
            break;

        default:
            return 2;
        }
    }

    if (optind + 1 != argc || files == 0 || files > MKCAPS_FILES
        || length > MKCAPS_MAX || (length != 0 && length < 38))
    {
        fprintf(stderr, "usage: mkcaps [-n FILES] [-b BYTES] [-l LENGTH] "
                        "[-t USEC] [-d] DIR\n");
        return 2;
    }

    f = calloc(files, sizeof(mkcaps_file_t));
    if (f == NULL) {
        return 1;
    }

    memset(record, 0xa5, sizeof(record));

    for (i = 0; i < files; i++) {
        if (mkcaps_open(&f[i], argv[optind], i) != 0) {
            return 1;
        }
    }

    for (usec = 0, full = 0; full < files; usec += step) {

        i = mkcaps_random() % files;
        n = mkcaps_record(record, usec, length);

        if (f[i].bytes + n > bytes) {

            /* all are the same size in the end */

            for (i = 0; i < files && f[i].bytes + n > bytes; i++) { }

            if (i == files) {
                break;
            }
        }

        if (disorder && f[i].kept == 0 && mkcaps_random() % 16 == 0) {
            memcpy(f[i].keep, record, n);
            f[i].kept = n;
            continue;
        }

        if (mkcaps_put(&f[i], record, n) != 0) {
            return 1;
        }

        if (f[i].kept != 0 && mkcaps_put(&f[i], f[i].keep, f[i].kept) != 0) {
            return 1;
        }

        f[i].kept = 0;
    }

    for (i = 0; i < files; i++) {
        if (fclose(f[i].file) != 0) {
            return 1;
        }
    }

    free(f);

    return 0;
}
