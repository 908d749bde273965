/*
 * Memory of one query: many small pieces, freed at once.
 */

#ifndef DOCKET_ARENA_H
#define DOCKET_ARENA_H


#include <stddef.h>


typedef struct docket_arena_block_s  docket_arena_block_t;

typedef struct {
    docket_arena_block_t  *blocks;
    size_t                 total;     /* bytes handed out */
} docket_arena_t;


/* Zeroed, aligned for any type; NULL: out of memory, or more than 4 MB were
   taken (no bounded question needs that). */
void *docket_arena_alloc(docket_arena_t *a, size_t size);
/* A copy with a NUL behind it. */
char *docket_arena_copy(docket_arena_t *a, const char *s, size_t len);
void docket_arena_free(docket_arena_t *a);


#endif /* DOCKET_ARENA_H */
