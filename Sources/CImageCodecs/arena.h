// Memory of one image: taken piece by piece, given back as a whole, and kept for the next image.
#ifndef CI_ARENA_H
#define CI_ARENA_H

#include <stddef.h>

typedef struct ci_chunk ci_chunk;

/// All zero: empty.
typedef struct ci_arena {
    ci_chunk *first;
    ci_chunk *current;
} ci_arena;

/// `size` bytes at a multiple of 64; NULL when memory is short.
void *ci_arena_take(ci_arena *arena, size_t size);

/// Takes everything back. What an ordinary image needs stays for the next one; the rest goes to the system.
void ci_arena_reset(ci_arena *arena);

void ci_arena_destroy(ci_arena *arena);

#endif
