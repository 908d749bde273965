/*
 * Memory of one query.
 */

#include "query/docket_arena.h"

#include <stdlib.h>
#include <string.h>


#define DOCKET_ARENA_BLOCK  (8 * 1024 - 64)
#define DOCKET_ARENA_MAX    (4 * 1024 * 1024)
#define DOCKET_ARENA_ALIGN  16


struct docket_arena_block_s {
    docket_arena_block_t  *next;
    size_t                 used;
    size_t                 size;
    /* the header's size is a multiple of the alignment on 64-bit machines */
    size_t                 pad;
    unsigned char          data[];
};


void *
docket_arena_alloc(docket_arena_t *a, size_t size)
{
    size_t                 room;
    unsigned char         *p;
    docket_arena_block_t  *b;

    size = (size + DOCKET_ARENA_ALIGN - 1) & ~(size_t) (DOCKET_ARENA_ALIGN - 1);

    if (size > DOCKET_ARENA_MAX || a->total + size > DOCKET_ARENA_MAX) {
        return NULL;
    }

    b = a->blocks;

    if (b == NULL || b->size - b->used < size) {
        room = (size > DOCKET_ARENA_BLOCK) ? size : DOCKET_ARENA_BLOCK;

        b = malloc(sizeof(docket_arena_block_t) + room);
        if (b == NULL) {
            return NULL;
        }

        b->next = a->blocks;
        b->used = 0;
        b->size = room;
        a->blocks = b;
    }

    p = b->data + b->used;
    b->used += size;
    a->total += size;

    memset(p, 0, size);

    return p;
}


char *
docket_arena_copy(docket_arena_t *a, const char *s, size_t len)
{
    char  *p;

    p = docket_arena_alloc(a, len + 1);

    if (p != NULL && len != 0) {
        memcpy(p, s, len);
    }

    return p;
}


void
docket_arena_free(docket_arena_t *a)
{
    docket_arena_block_t  *b, *next;

    for (b = a->blocks; b != NULL; b = next) {
        next = b->next;
        free(b);
    }

    a->blocks = NULL;
    a->total = 0;
}
