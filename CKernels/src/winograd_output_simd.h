// Out of the transform domain: y = Aᵀ M A, and bias, ReLU, pooling and statistics on the way.
#include "simd.h"

/// Aᵀ on six vectors.
CK_INLINE void output_line(vf out[4], vf m0, vf m1, vf m2, vf m3, vf m4, vf m5) {
    const vf p = m1 + m2, d = m1 - m2, r = m3 + m4, e = m3 - m4;
    out[0] = m0 + (p + r);
    out[1] = A * d + B * e;
    out[2] = A2 * p + B2 * r;
    out[3] = (A2 * A) * d + ((B2 * B) * e + m5);
}

CK_INLINE void output_patch(vf y[4][4], const float *m, int64_t stride) {
    vf t[PATCH][4];         // [column][row]
    CK_UNROLL
    for (int j = 0; j < PATCH; j++) {
        output_line(
            t[j], load(m + j * stride), load(m + (6 + j) * stride), load(m + (12 + j) * stride), load(m + (18 + j) * stride),
            load(m + (24 + j) * stride), load(m + (30 + j) * stride));
    }
    CK_UNROLL
    for (int i = 0; i < 4; i++) output_line(y[i], t[0][i], t[1][i], t[2][i], t[3][i], t[4][i], t[5][i]);
}

/// The larger of two, NaN if either is.
CK_INLINE vf larger_or_nan(vf a, vf b) {
    const vf best = larger(a, b);
    return a != a ? a : best;       // larger() already returns b where b is NaN
}

typedef struct {
    const winograd_output *o;
    const winograd_shape *s;
    vf bias, signs;
    vi moves;               // set where gamma is not 0
    vf sum, squares;
    int channel, lanes;
} output_lane;

/// rows, columns: how much of the tile lies in the image; constants for a whole tile.
CK_INLINE void finish_tile(output_lane *lane, vf y[4][4], tile_place at, int rows, int columns, winograd_end end) {
    const winograd_output *o = lane->o;
    const winograd_shape *s = lane->s;
    const int lanes = lane->lanes;
    if (end == END_PLAIN || end >= END_RELU) {
        CK_UNROLL
        for (int i = 0; i < 4; i++) {
            CK_UNROLL
            for (int j = 0; j < 4; j++) y[i][j] += lane->bias;
        }
    }
    if (end == END_RELU || end == END_RELU_AVERAGE) {
        CK_UNROLL
        for (int i = 0; i < 4; i++) {
            CK_UNROLL
            for (int j = 0; j < 4; j++) y[i][j] = positive_part(y[i][j]);
        }
    }
    if (end == END_STATISTICS || end == END_POOL || end == END_RELU_AVERAGE) {
        vf sum = splat(0), squares = splat(0);
        CK_UNROLL
        for (int i = 0; i < 4; i++) {
            vf part = splat(0), square = splat(0);
            CK_UNROLL
            for (int j = 0; j < 4; j++) {
                if (i >= rows || j >= columns) continue;
                part += y[i][j];
                square += y[i][j] * y[i][j];
            }
            sum += part;
            squares += square;
        }
        if (end == END_RELU_AVERAGE) {
            float *target = o->averaged + at.image * s->out + lane->channel;
            store_lanes(target, load_lanes(target, lanes) + sum, lanes);
            return;
        }
        lane->sum += sum;
        lane->squares += squares;
    }
    if (end != END_RELU_POOL) {
        float *target = o->y + ((at.image * s->height + at.ty * TILE_SIDE) * s->width + at.tx * TILE_SIDE) * s->out + lane->channel;
        CK_UNROLL
        for (int i = 0; i < 4; i++) {
            CK_UNROLL
            for (int j = 0; j < 4; j++) {
                if (i >= rows || j >= columns) continue;
                store_lanes(target + ((int64_t)i * s->width + j) * s->out, y[i][j], lanes);
            }
        }
    }
    if (end == END_POOL || end == END_RELU_POOL) {
        const int height = s->height / 2, width = s->width / 2;
        float *target = o->pooled + ((at.image * height + at.ty * 2) * width + at.tx * 2) * s->out + lane->channel;
        CK_UNROLL
        for (int i = 0; i < 2; i++) {
            CK_UNROLL
            for (int j = 0; j < 2; j++) {
                if (2 * i + 1 >= rows || 2 * j + 1 >= columns) continue;
                vf a = y[2 * i][2 * j], b = y[2 * i][2 * j + 1], c = y[2 * i + 1][2 * j], d = y[2 * i + 1][2 * j + 1];
                vf best;
                if (end == END_POOL) {
                    // A NaN may be lost here, but not to the network: it is in the sums, and so in every value of the channel.
                    best = larger(larger(flip(a, lane->signs), flip(b, lane->signs)), larger(flip(c, lane->signs), flip(d, lane->signs)));
                    best = lane->moves ? flip(best, lane->signs) : a;
                } else {
                    best = positive_part(larger_or_nan(larger_or_nan(a, b), larger_or_nan(c, d)));
                }
                store_lanes(target + ((int64_t)i * width + j) * s->out, best, lanes);
            }
        }
    }
}

CK_INLINE void output_tiles(
    winograd_buffer m, const winograd_output *o, const winograd_shape *s, tile_range range, int panel, winograd_end end) {
    for (int half = 0; half < 2; half++) {
        const int channel = panel * PANEL + half * VW;
        if (channel >= s->out) return;
        output_lane lane = {.o = o, .s = s, .channel = channel, .lanes = (int)ck_min(VW, s->out - channel)};
        lane.bias = o->bias ? load_lanes(o->bias + channel, lane.lanes) : splat(0);
        lane.signs = end == END_POOL ? sign_bits(load_lanes(o->gamma + channel, lane.lanes)) : splat(0);
        lane.moves = end == END_POOL ? load_lanes(o->gamma + channel, lane.lanes) != 0 : (vi)-1;
        lane.sum = lane.squares = splat(0);
        tile_place at = place_of(s, range.first);
        for (int64_t t = 0; t < range.count; t++, next_place(s, &at)) {
            vf y[4][4];
            output_patch(y, m.data + (range.slot + t) * PANEL + half * VW, m.stride);
            const int rows = s->height - at.ty * TILE_SIDE, columns = s->width - at.tx * TILE_SIDE;
            if (rows >= 4 && columns >= 4 && lane.lanes == VW) {
                lane.lanes = VW;
                finish_tile(&lane, y, at, 4, 4, end);
            } else {
                finish_tile(&lane, y, at, (int)ck_min(4, rows), (int)ck_min(4, columns), end);
            }
        }
        if (end == END_STATISTICS || end == END_POOL) {
            add_double(o->sums + channel, lane.sum, lane.lanes);
            add_double(o->sums + s->out + channel, lane.squares, lane.lanes);
        }
    }
}

#define DEFINE(NAME, END)                                                                                                    \
    static void NAME(winograd_buffer m, const winograd_output *o, const winograd_shape *s, tile_range range, int panel) {    \
        output_tiles(m, o, s, range, panel, END);                                                                            \
    }
DEFINE(output_plain, END_PLAIN)
DEFINE(output_statistics, END_STATISTICS)
DEFINE(output_pool, END_POOL)
DEFINE(output_relu, END_RELU)
DEFINE(output_relu_pool, END_RELU_POOL)
DEFINE(output_relu_average, END_RELU_AVERAGE)
#undef DEFINE

static void output(winograd_buffer m, const winograd_output *o, const winograd_shape *s, tile_range range, int panel) {
    switch (o->end) {
    case END_PLAIN: output_plain(m, o, s, range, panel); break;
    case END_STATISTICS: output_statistics(m, o, s, range, panel); break;
    case END_POOL: output_pool(m, o, s, range, panel); break;
    case END_RELU: output_relu(m, o, s, range, panel); break;
    case END_RELU_POOL: output_relu_pool(m, o, s, range, panel); break;
    case END_RELU_AVERAGE: output_relu_average(m, o, s, range, panel); break;
    }
}
