// Asking for memory before it is needed.
//
// The transforms read and write activations that lie in no cache; the products between them keep to a core's own. So the products ask,
// a few lines at a time, for what the next transforms will touch. Addresses only rise, so that the processor's own prefetcher runs
// ahead as well: in the order of the tiles nothing is gained.
#ifndef CK_LOOKAHEAD_H
#define CK_LOOKAHEAD_H

#include "winograd.h"

#pragma clang assume_nonnull begin

/// The part of a tensor [N,rows,row_bytes] that is asked for now. No base, nothing asked for.
typedef struct {
    const char *_Nullable base;
    int64_t row_bytes, rows, tile_rows;
    int64_t begin, end;         // bytes from base
    int64_t share;              // bytes to ask for at a time
} lookahead;

/// side: rows of the tensor that belong to one tile, 4 or, behind pooling, 2. What lies before tile `first` is not asked for.
CK_INLINE lookahead look_ahead(const void *_Nullable base, const winograd_shape *s, int side, int channels, int64_t first) {
    const int64_t rows = s->height * side / TILE_SIDE, width = s->width * side / TILE_SIDE;
    lookahead l = {.base = base, .row_bytes = width * channels * (int64_t)sizeof(float), .rows = rows, .tile_rows = side};
    const tile_place at = place_of(s, first);
    l.end = (at.image * rows + at.ty * side) * l.row_bytes;
    return l;
}

/// Goes on from the last stretch to the last row of the tiles before `tile`, in `parts` parts.
CK_INLINE void look_up_to(lookahead *l, const winograd_shape *s, int64_t tile, int64_t parts) {
    const tile_place last = place_of(s, tile - 1);
    l->begin = l->end;
    l->end = ck_max(l->begin, (last.image * l->rows + ck_min(l->rows, (last.ty + 1) * l->tile_rows)) * l->row_bytes);
    l->share = (int64_t)ck_padded((size_t)ck_ceil_div(l->end - l->begin, parts));
}

/// Asks for one part of the stretch.
CK_INLINE void fetch(const lookahead *l, int64_t part) {
    if (l->base == NULL) return;
    const int64_t from = l->begin + part * l->share, stop = ck_min(from + l->share, l->end);
    for (int64_t at = from; at < stop; at += CK_LINE) __builtin_prefetch(l->base + at);
}

#pragma clang assume_nonnull end

#endif
