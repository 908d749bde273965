/*
 * The form of SPOOL/index, for its two sides; not for others.
 */

#ifndef DOCKET_INDEX_FILE_H
#define DOCKET_INDEX_FILE_H


#include "job/docket_index.h"


#define DOCKET_INDEX_VERSION  1


typedef struct {
    char                   magic[8];
    uint32_t               version;
    uint32_t               size;      /* of a record; tells the byte order */
    uint8_t                pad[48];
} docket_index_header_t;


/* a slot of the file; the first is the header */

typedef union {
    docket_index_header_t  header;
    docket_index_record_t  record;
} docket_index_image_t;

_Static_assert(sizeof(docket_index_header_t) == 64, "header of the index");
_Static_assert(sizeof(docket_index_record_t) == 64, "record of the index");


void docket_index_header_init(docket_index_header_t *h);

/* What rec->check is to be.  It is not 0 for a record of zeros, which is
   what a hole in the file reads as. */
uint8_t docket_index_check(const docket_index_record_t *rec);


#endif /* DOCKET_INDEX_FILE_H */
