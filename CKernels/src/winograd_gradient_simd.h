// Backward transforms, the adjoints of the forward ones: D = A dy Aᵀ and dx += B dV Bᵀ.
#include "simd.h"

/// A on four vectors.
CK_INLINE void gradient_line(vf out[6], vf y0, vf y1, vf y2, vf y3) {
    const vf ea = y0 + A2 * y2, oa = y1 + A2 * y3, eb = y0 + B2 * y2, ob = y1 + B2 * y3;
    out[0] = y0;
    out[1] = ea + A * oa;
    out[2] = ea - A * oa;
    out[3] = eb + B * ob;
    out[4] = eb - B * ob;
    out[5] = y3;
}

CK_INLINE void gradient_patch(float *d, int64_t stride, vf g[4][4]) {
    vf t[4][PATCH];         // [column][row]
    CK_UNROLL
    for (int j = 0; j < 4; j++) gradient_line(t[j], g[0][j], g[1][j], g[2][j], g[3][j]);
    CK_UNROLL
    for (int i = 0; i < PATCH; i++) {
        vf line[6];
        gradient_line(line, t[0][i], t[1][i], t[2][i], t[3][i]);
        CK_UNROLL
        for (int j = 0; j < PATCH; j++) store(d + (i * PATCH + j) * stride, line[j]);
    }
}

/// The gradient of one tile's results. rows, columns: how much of it lies in the image; beyond, the gradient is 0.
CK_INLINE void gradient_tile(
    float *d, winograd_buffer buffer, const winograd_gradient *in, const winograd_shape *s, tile_place at, int rows, int columns,
    winograd_gradient_kind kind, bool whole) {
    const int height = s->height / 2, width = s->width / 2;
    const int64_t corner = ((at.image * s->height + at.ty * TILE_SIDE) * s->width + at.tx * TILE_SIDE) * s->out;
    const float *y = kind == GRADIENT_PLAIN ? NULL : in->y + corner;
    const float *g = kind == GRADIENT_POOL ? in->g + ((at.image * height + at.ty * 2) * width + at.tx * 2) * s->out
        : kind == GRADIENT_AVERAGE ? in->g + at.image * s->out : in->g + corner;
    for (int c = 0; c < s->out_padded; c += VW) {
        const int lanes = whole ? VW : (int)ck_max(0, ck_min(VW, s->out - c));
        vf value[4][4];
        vf k1, k2, k3;
        if (kind != GRADIENT_PLAIN) {
            k1 = load_lanes(in->k1 + c, lanes);
            k2 = load_lanes(in->k2 + c, lanes);
            k3 = load_lanes(in->k3 + c, lanes);
        }
        if (kind == GRADIENT_PLAIN || kind == GRADIENT_DENSE) {
            CK_UNROLL
            for (int i = 0; i < 4; i++) {
                CK_UNROLL
                for (int j = 0; j < 4; j++) {
                    value[i][j] = splat(0);
                    if (i >= rows || j >= columns) continue;
                    const int64_t at_pixel = ((int64_t)i * s->width + j) * s->out + c;
                    value[i][j] = load_lanes(g + at_pixel, lanes);
                    if (kind == GRADIENT_DENSE) value[i][j] = k1 * value[i][j] + (k3 * load_lanes(y + at_pixel, lanes) + k2);
                }
            }
        } else if (kind == GRADIENT_AVERAGE) {
            const vf scale = load_lanes(in->scale + c, lanes), shift = load_lanes(in->shift + c, lanes);
            const vf own = k1 * load_lanes(g + c, lanes);
            CK_UNROLL
            for (int i = 0; i < 4; i++) {
                CK_UNROLL
                for (int j = 0; j < 4; j++) {
                    value[i][j] = splat(0);
                    if (i >= rows || j >= columns) continue;
                    const vf result = load_lanes(y + ((int64_t)i * s->width + j) * s->out + c, lanes);
                    value[i][j] = keep(own, scale * result + shift > 0) + (k3 * result + k2);
                }
            }
        } else {
            const vf gamma = load_lanes(in->gamma + c, lanes), signs = sign_bits(gamma);
            const vi moves = gamma != 0;    // gamma 0 makes all four equal: the first wins
            CK_UNROLL
            for (int i = 0; i < 2; i++) {
                CK_UNROLL
                for (int j = 0; j < 2; j++) {
                    vf quad[4];
                    CK_UNROLL
                    for (int q = 0; q < 4; q++) {
                        const int row = 2 * i + q / 2, column = 2 * j + q % 2;
                        const bool within = row < rows && column < columns;
                        quad[q] = within ? load_lanes(y + ((int64_t)row * s->width + column) * s->out + c, lanes) : splat(0);
                        value[row][column] = within ? k3 * quad[q] + k2 : splat(0);
                    }
                    if (2 * i + 1 >= rows || 2 * j + 1 >= columns) continue;
                    const vf own = k1 * load_lanes(g + ((int64_t)i * width + j) * s->out + c, lanes);
                    CK_UNROLL
                    for (int q = 0; q < 4; q++) quad[q] = flip(quad[q], signs);
                    // The first maximum: of the upper pair the left one unless the right is larger, and so on.
                    const vi right_above = (quad[1] > quad[0]) & moves, right_below = (quad[3] > quad[2]) & moves;
                    const vf above = right_above ? quad[1] : quad[0], below = right_below ? quad[3] : quad[2];
                    const vi lower = (below > above) & moves;
                    value[2 * i][2 * j] += keep(own, ~lower & ~right_above);
                    value[2 * i][2 * j + 1] += keep(own, ~lower & right_above);
                    value[2 * i + 1][2 * j] += keep(own, lower & ~right_below);
                    value[2 * i + 1][2 * j + 1] += keep(own, lower & right_below);
                }
            }
        }
        gradient_patch(d + c / PANEL * buffer.slots * PANEL + c % PANEL, buffer.stride, value);
    }
}

CK_INLINE void gradient_tiles(
    winograd_buffer d, const winograd_gradient *in, const winograd_shape *s, tile_range range, winograd_gradient_kind kind) {
    tile_place at = place_of(s, range.first);
    const bool whole = s->out == s->out_padded;
    for (int64_t t = 0; t < range.count; t++, next_place(s, &at)) {
        float *target = d.data + (range.slot + t) * PANEL;
        const int rows = (int)ck_min(4, s->height - at.ty * TILE_SIDE), columns = (int)ck_min(4, s->width - at.tx * TILE_SIDE);
        if (whole && rows == 4 && columns == 4) gradient_tile(target, d, in, s, at, 4, 4, kind, true);
        else if (whole) gradient_tile(target, d, in, s, at, rows, columns, kind, true);
        else gradient_tile(target, d, in, s, at, rows, columns, kind, false);
    }
}

#define DEFINE(NAME, KIND)                                                                                                   \
    static void NAME(winograd_buffer d, const winograd_gradient *in, const winograd_shape *s, tile_range range) {            \
        gradient_tiles(d, in, s, range, KIND);                                                                               \
    }
DEFINE(gradient_plain, GRADIENT_PLAIN)
DEFINE(gradient_dense, GRADIENT_DENSE)
DEFINE(gradient_pool, GRADIENT_POOL)
DEFINE(gradient_average, GRADIENT_AVERAGE)
#undef DEFINE

static void gradient(winograd_buffer d, const winograd_gradient *in, const winograd_shape *s, tile_range range) {
    switch (in->kind) {
    case GRADIENT_PLAIN: gradient_plain(d, in, s, range); break;
    case GRADIENT_DENSE: gradient_dense(d, in, s, range); break;
    case GRADIENT_POOL: gradient_pool(d, in, s, range); break;
    case GRADIENT_AVERAGE: gradient_average(d, in, s, range); break;
    }
}

// ---- dx

/// B on six vectors.
CK_INLINE void input_gradient_line(vf out[6], vf v0, vf v1, vf v2, vf v3, vf v4, vf v5) {
    const vf p = v1 + v2, m = v1 - v2, r = v3 + v4, n = v3 - v4;
    out[0] = Q * v0;
    out[1] = Q * v5 - ((A * B2) * m + (A2 * B) * n);
    out[2] = -(S * v0 + (B2 * p + A2 * r));
    out[3] = A * m + (B * n - S * v5);
    out[4] = v0 + (p + r);
    out[5] = v5;
}

/// Patches overlap by two pixels. In raster order, the first to reach a pixel stores and the later ones add: rows 0 and 1 add below
/// another tile, columns 0 and 1 add right of another.
CK_INLINE void input_gradient_tile(
    float *dx, const float *v, winograd_buffer buffer, const winograd_shape *s, tile_place at, bool inside, bool whole) {
    const int top = at.ty * TILE_SIDE - 1, left = at.tx * TILE_SIDE - 1;
    float *corner = dx + ((at.image * s->height + top) * s->width + left) * s->in;
    for (int c = 0; c < s->in; c += VW) {
        const int lanes = whole ? VW : (int)ck_min(VW, s->in - c);
        const float *from = v + c / PANEL * buffer.slots * PANEL + c % PANEL;
        vf t[PATCH][PATCH];     // [column][row]
        CK_UNROLL
        for (int j = 0; j < PATCH; j++) {
            input_gradient_line(
                t[j], load(from + j * buffer.stride), load(from + (6 + j) * buffer.stride), load(from + (12 + j) * buffer.stride),
                load(from + (18 + j) * buffer.stride), load(from + (24 + j) * buffer.stride), load(from + (30 + j) * buffer.stride));
        }
        CK_UNROLL
        for (int i = 0; i < PATCH; i++) {
            if (!inside && (top + i < 0 || top + i >= s->height)) continue;
            vf line[6];
            input_gradient_line(line, t[0][i], t[1][i], t[2][i], t[3][i], t[4][i], t[5][i]);
            CK_UNROLL
            for (int j = 0; j < PATCH; j++) {
                if (!inside && (left + j < 0 || left + j >= s->width)) continue;
                float *pixel = corner + ((int64_t)i * s->width + j) * s->in + c;
                const bool adds = inside ? i < 2 || j < 2 : (i < 2 && at.ty > 0) || (j < 2 && at.tx > 0);
                store_lanes(pixel, adds ? load_lanes(pixel, lanes) + line[j] : line[j], lanes);
            }
        }
    }
}

static void input_gradient(float *dx, winograd_buffer v, const winograd_shape *s, tile_range range) {
    tile_place at = place_of(s, range.first);
    const bool whole = s->in % VW == 0;
    for (int64_t t = 0; t < range.count; t++, next_place(s, &at)) {
        const float *from = v.data + (range.slot + t) * PANEL;
        const int y = at.ty * TILE_SIDE - 1, x = at.tx * TILE_SIDE - 1;
        const bool inside = y >= 0 && y + PATCH <= s->height && x >= 0 && x + PATCH <= s->width;
        if (whole && inside) input_gradient_tile(dx, from, v, s, at, true, true);
        else if (whole) input_gradient_tile(dx, from, v, s, at, false, true);
        else input_gradient_tile(dx, from, v, s, at, false, false);
    }
}

static void mask(float *g, const float *m, const float *scale, const float *shift, double *sums, int64_t rows, int channels) {
    for (int c = 0; c < channels; c += VW) {
        const int lanes = (int)ck_min(VW, channels - c);
        const vf slope = load_lanes(scale + c, lanes), offset = load_lanes(shift + c, lanes);
        vf sum = splat(0), product = splat(0);
        for (int64_t r = 0; r < rows; r++) {
            const vf value = load_lanes(m + r * channels + c, lanes);
            const vf kept = keep(load_lanes(g + r * channels + c, lanes), slope * value + offset > 0);
            store_lanes(g + r * channels + c, kept, lanes);
            sum += kept;
            product += kept * value;
        }
        add_double(sums + c, sum, lanes);
        add_double(sums + channels + c, product, lanes);
    }
}

static void average(
    float *mean, float *count, float *sum, const float *y, const float *scale, const float *shift, int pixels, int channels) {
    const float share = 1 / (float)pixels;
    for (int c = 0; c < channels; c += VW) {
        const int lanes = (int)ck_min(VW, channels - c);
        const vf slope = load_lanes(scale + c, lanes), offset = load_lanes(shift + c, lanes);
        vf total = splat(0), number = splat(0), results = splat(0);
        for (int first = 0; first < pixels; first += CK_FLOAT_CHAIN) {
            const int end = (int)ck_min(pixels, first + CK_FLOAT_CHAIN);
            vf part = splat(0), part_results = splat(0);
            for (int p = first; p < end; p++) {
                const vf result = load_lanes(y + (int64_t)p * channels + c, lanes), normal = slope * result + offset;
                const vi open = normal > 0;
                part += positive_part(normal);
                part_results += keep(result, open);
                number += keep(splat(1), open);
            }
            total += part;
            results += part_results;
        }
        store_lanes(mean + c, total * share, lanes);
        store_lanes(count + c, number, lanes);
        store_lanes(sum + c, results, lanes);
    }
}
