/*
 * Memory of one query: taken piece by piece, given back all at once.
 */

#ifndef DOCKET_ARENA_H
#define DOCKET_ARENA_H


#include <stddef.h>


/* What the biggest question within DOCKET_MAX_* needs, with room to spare: a
   text of 256 terms is printed once for each of at most 64 levels. */
#define DOCKET_ARENA_MAX  (4 * 1024 * 1024)


typedef struct docket_arena_block_s  docket_arena_block_t;

typedef struct {
    docket_arena_block_t  *blocks;
    size_t                 used;      /* of the first block */
    size_t                 total;     /* of all blocks */
} docket_arena_t;


/* A zeroed docket_arena_t is an empty arena. */
void docket_arena_free(docket_arena_t *a);

/* Zeroed memory; NULL: out of memory, or over DOCKET_ARENA_MAX. */
void *docket_arena_alloc(docket_arena_t *a, size_t size);

/* A copy with a NUL behind it. */
char *docket_arena_copy(docket_arena_t *a, const char *s, size_t len);


#endif /* DOCKET_ARENA_H */
