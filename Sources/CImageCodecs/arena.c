#include "arena.h"

#include <stdint.h>
#include <stdlib.h>

enum { ALIGNMENT = 64, CHUNK = 256 << 10, KEPT = 4 << 20 };

struct ci_chunk {
    ci_chunk *next;
    size_t size, used;      // bytes behind this header
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

static ci_chunk *new_chunk(size_t least) {
    const size_t size = least > CHUNK ? least : CHUNK;
    if (size > SIZE_MAX - 2 * sizeof(ci_chunk)) return NULL;
    ci_chunk *chunk = aligned_alloc(ALIGNMENT, (sizeof(ci_chunk) + size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT);
    if (chunk == NULL) return NULL;
    chunk->next = NULL;
    chunk->size = size;
    chunk->used = 0;
    return chunk;
}

void *ci_arena_take(ci_arena *arena, size_t size) {
    if (size > SIZE_MAX / 2) return NULL;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    // Chunks behind the current one are empty.
    ci_chunk **link = arena->current ? &arena->current : &arena->first;
    while (*link && (*link)->size - (*link)->used < size) link = &(*link)->next;
    if (*link == NULL && (*link = new_chunk(size)) == NULL) return NULL;
    ci_chunk *chunk = *link;
    arena->current = chunk;
    void *piece = chunk->bytes + chunk->used;
    chunk->used += size;
    return piece;
}

static void free_chain(ci_chunk *chunk) {
    while (chunk) {
        ci_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
}

void ci_arena_reset(ci_arena *arena) {
    size_t kept = 0;
    for (ci_chunk **link = &arena->first; *link; link = &(*link)->next) {
        kept += (*link)->size;
        if (kept > KEPT) {
            free_chain(*link);
            *link = NULL;
            break;
        }
        (*link)->used = 0;
    }
    arena->current = arena->first;
}

void ci_arena_destroy(ci_arena *arena) {
    free_chain(arena->first);
    *arena = (ci_arena){0};
}
