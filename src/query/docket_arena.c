#include <stdlib.h>
#include <string.h>

#include "query/docket_arena.h"


#define DOCKET_ARENA_BLOCK  4000


struct docket_arena_block_s {
    docket_arena_block_t  *next;
    size_t                 size;
    max_align_t            data[];
};


void
docket_arena_free(docket_arena_t *a)
{
    docket_arena_block_t  *b;

    while (a->blocks != NULL) {
        b = a->blocks;
        a->blocks = b->next;
        free(b);
    }

    a->used = 0;
    a->total = 0;
}


void *
docket_arena_alloc(docket_arena_t *a, size_t size)
{
    void                  *p;
    size_t                 block;
    docket_arena_block_t  *b;

    if (size > DOCKET_ARENA_MAX) {
        return NULL;
    }

    size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);

    if (a->blocks == NULL || a->blocks->size - a->used < size) {
        block = (size > DOCKET_ARENA_BLOCK) ? size : DOCKET_ARENA_BLOCK;

        if (a->total + block > DOCKET_ARENA_MAX) {
            return NULL;
        }

        b = calloc(1, sizeof(docket_arena_block_t) + block);
        if (b == NULL) {
            return NULL;
        }

        b->size = block;
        b->next = a->blocks;
        a->blocks = b;
        a->used = 0;
        a->total += block;
    }

    p = (char *) a->blocks->data + a->used;
    a->used += size;

    return p;
}


char *
docket_arena_copy(docket_arena_t *a, const char *s, size_t len)
{
    char  *p;

    p = docket_arena_alloc(a, len + 1);
    if (p == NULL) {
        return NULL;
    }

    if (len != 0) {
        memcpy(p, s, len);
    }

    return p;
}
