// Tiles into the transform domain: the input (V = Bᵀ d B) and, in winograd_gradient_simd.h, the gradient.
#include "simd.h"

// Points 0, ±A, ±B, ∞. All products below are exact in float.
#define A 0.625f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)
#define S (A2 + B2)
#define Q (A2 * B2)

CK_INLINE float *slot_of(winograd_buffer b, int64_t slot, int channel) {
    return b.data + channel / PANEL * b.slots * PANEL + slot * PANEL + channel % PANEL;
}

/// Bᵀ on six vectors.
#define DEFINE_INPUT_LINE(NAME, VECTOR)                                                                                      \
    CK_INLINE void NAME(VECTOR out[6], VECTOR x0, VECTOR x1, VECTOR x2, VECTOR x3, VECTOR x4, VECTOR x5) {                   \
        const VECTOR t1 = x4 - B2 * x2, u = x3 - B2 * x1, t3 = x4 - A2 * x2, w = x3 - A2 * x1;                               \
        out[0] = Q * x0 + (x4 - S * x2);                                                                                     \
        out[1] = t1 + A * u;                                                                                                 \
        out[2] = t1 - A * u;                                                                                                 \
        out[3] = t3 + B * w;                                                                                                 \
        out[4] = t3 - B * w;                                                                                                 \
        out[5] = Q * x1 + (x5 - S * x3);                                                                                     \
    }
DEFINE_INPUT_LINE(input_line, vf)

CK_INLINE void input_patch(float *v, int64_t stride, vf d[PATCH][PATCH]) {
    vf t[PATCH][PATCH];     // [column][row]
    CK_UNROLL
    for (int j = 0; j < PATCH; j++) input_line(t[j], d[0][j], d[1][j], d[2][j], d[3][j], d[4][j], d[5][j]);
    CK_UNROLL
    for (int i = 0; i < PATCH; i++) {
        vf line[6];
        input_line(line, t[0][i], t[1][i], t[2][i], t[3][i], t[4][i], t[5][i]);
        CK_UNROLL
        for (int j = 0; j < PATCH; j++) store(v + (i * PATCH + j) * stride, line[j]);
    }
}

/// A tile that lies within its image.
CK_INLINE void input_inside(
    float *v, winograd_buffer buffer, const float *x, const winograd_input *in, const winograd_shape *s, bool fused) {
    const int64_t row = (int64_t)s->width * s->in;
    for (int c = 0; c < s->in; c += VW) {
        const vf scale = fused ? load(in->scale + c) : splat(1), shift = fused ? load(in->shift + c) : splat(0);
        vf d[PATCH][PATCH];
        CK_UNROLL
        for (int j = 0; j < PATCH; j++) {
            CK_UNROLL
            for (int i = 0; i < PATCH; i++) {
                const vf value = load(x + i * row + (int64_t)j * s->in + c);
                d[i][j] = fused ? positive_part(scale * value + shift) : value;
            }
        }
        input_patch(v + c / PANEL * buffer.slots * PANEL + c % PANEL, buffer.stride, d);
    }
}

/// A tile at the edge: pixels outside count as 0. Their address is that of a pixel inside, so that every load is legal.
CK_INLINE void input_edge(
    float *v, winograd_buffer buffer, const float *image, tile_place at, const winograd_input *in, const winograd_shape *s,
    bool whole, bool fused) {
    int32_t offset[POINTS], inside[POINTS];
    for (int i = 0; i < PATCH; i++) {
        for (int j = 0; j < PATCH; j++) {
            const int y = at.ty * TILE_SIDE - 1 + i, x = at.tx * TILE_SIDE - 1 + j;
            const bool within = y >= 0 && y < s->height && x >= 0 && x < s->width;
            offset[i * PATCH + j] = within ? y * s->width + x : 0;
            inside[i * PATCH + j] = within ? -1 : 0;
        }
    }
    for (int c = 0; c < s->in_padded; c += VW) {
        const int lanes = whole ? VW : (int)ck_max(0, ck_min(VW, s->in - c));
        const vf scale = fused ? load_lanes(in->scale + c, lanes) : splat(1), shift = fused ? load_lanes(in->shift + c, lanes) : splat(0);
        vf d[PATCH][PATCH];
        CK_UNROLL
        for (int j = 0; j < PATCH; j++) {
            CK_UNROLL
            for (int i = 0; i < PATCH; i++) {
                vf value = load_lanes(image + (int64_t)offset[i * PATCH + j] * s->in + c, lanes);
                if (fused) value = positive_part(scale * value + shift);
                d[i][j] = keep(value, (vi)inside[i * PATCH + j]);
            }
        }
        input_patch(v + c / PANEL * buffer.slots * PANEL + c % PANEL, buffer.stride, d);
    }
}

#define DEFINE(NAME, WHOLE, FUSED)                                                                                           \
    static void input_edge_##NAME(                                                                                           \
        float *v, winograd_buffer buffer, const float *image, tile_place at, const winograd_input *in, const winograd_shape *s) { \
        input_edge(v, buffer, image, at, in, s, WHOLE, FUSED);                                                               \
    }
DEFINE(whole, true, false)
DEFINE(whole_fused, true, true)
DEFINE(lanes, false, false)
DEFINE(lanes_fused, false, true)
#undef DEFINE

static void input_inside_plain(float *v, winograd_buffer buffer, const float *x, const winograd_input *in, const winograd_shape *s) {
    input_inside(v, buffer, x, in, s, false);
}

static void input_inside_fused(float *v, winograd_buffer buffer, const float *x, const winograd_input *in, const winograd_shape *s) {
    input_inside(v, buffer, x, in, s, true);
}

static void input(winograd_buffer v, const winograd_input *in, const winograd_shape *s, tile_range range) {
    const int64_t image_size = (int64_t)s->height * s->width * s->in;
    const bool whole = s->in == s->in_padded;
    tile_place at = place_of(s, range.first);
    for (int64_t t = 0; t < range.count; t++, next_place(s, &at)) {
        const float *image = in->x + at.image * image_size;
        float *target = v.data + (range.slot + t) * PANEL;
        const int y = at.ty * TILE_SIDE - 1, x = at.tx * TILE_SIDE - 1;
        const bool inside = y >= 0 && y + PATCH <= s->height && x >= 0 && x + PATCH <= s->width;
        if (whole && inside) {
            const float *corner = image + ((int64_t)y * s->width + x) * s->in;
            if (in->scale) input_inside_fused(target, v, corner, in, s);
            else input_inside_plain(target, v, corner, in, s);
        } else if (whole) {
            if (in->scale) input_edge_whole_fused(target, v, image, at, in, s);
            else input_edge_whole(target, v, image, at, in, s);
        } else {
            if (in->scale) input_edge_lanes_fused(target, v, image, at, in, s);
            else input_edge_lanes(target, v, image, at, in, s);
        }
    }
}
