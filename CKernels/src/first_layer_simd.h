// The first layer: 3 channels are too few for Winograd in two dimensions, whose transforms would cost more than they save. Forward, it
// runs along the rows only; backward, pixels are multiplied out directly.
#include "simd.h"

#if CK_VW == 16
enum { FIRST_VECTORS = 2 };     // of output channels at a time
#else
enum { FIRST_VECTORS = 1 };
#endif

/// Keeps the compiler from holding pixels that several taps share in registers, where they would push out accumulators.
#define CK_BARRIER __asm__ volatile("" ::: "memory")

typedef struct { vf value; vi index; } extremum;

/// The first maximum of a 2×2 window (minimum where gamma < 0, the first value where gamma is 0).
CK_INLINE extremum first_extremum(vf a, vf b, vf c, vf d, vf signs, vi moves) {
    const vf fa = flip(a, signs), fb = flip(b, signs), fc = flip(c, signs), fd = flip(d, signs);
    const vi right_above = (fb > fa) & moves, right_below = (fd > fc) & moves;
    const vf above = right_above ? fb : fa, below = right_below ? fd : fc;
    const vi lower = (below > above) & moves;
    const vi index = lower ? 2 - right_below : -right_above;
    return (extremum){flip(lower ? below : above, signs), index};
}

// ---- forward: F(4, 3) along the rows
//
// A quad is four columns. Its six values per input row and channel are made once, and serve all filters and three rows of results;
// the filter's nine rows and channels are summed in the transform domain. 54 products instead of 108 for four results.

enum { FIRST_SUMS = FIRST_TAPS / 3, QUAD = 4, LINE_POINTS = 6 };

typedef float quad_vector __attribute__((ext_vector_type(QUAD)));
typedef float quad_unaligned __attribute__((ext_vector_type(QUAD), aligned(4)));
DEFINE_INPUT_LINE(first_input_line, quad_vector)

/// The transformed row y of an image, zero outside.  Shape: line [quads][6][4], the last of the four unused; pixels: first_row_floats.
CK_INLINE void first_line(const first_layer *l, float *line, float *pixels, int64_t image, int y) {
    const int64_t width = (int64_t)l->width * FIRST_CHANNELS;
    if (y < 0 || y >= l->height) {
        __builtin_memset(line, 0, (size_t)first_line_floats(l->width) * sizeof(float));
        return;
    }
    for (int i = 0; i < FIRST_MARGIN; i++) pixels[i] = pixels[FIRST_MARGIN + width + i] = 0;
    __builtin_memcpy(pixels + FIRST_MARGIN, l->x + (image * l->height + y) * width, (size_t)width * sizeof(float));
    const float *from = pixels + FIRST_MARGIN - FIRST_CHANNELS;
    for (int x = 0; x < l->width; x += QUAD, from += QUAD * FIRST_CHANNELS, line += LINE_POINTS * QUAD) {
        quad_vector d[LINE_POINTS], v[LINE_POINTS];
        CK_UNROLL
        for (int j = 0; j < LINE_POINTS; j++) d[j] = *(const quad_unaligned *)(from + j * FIRST_CHANNELS);
        first_input_line(v, d[0], d[1], d[2], d[3], d[4], d[5]);
        CK_UNROLL
        for (int p = 0; p < LINE_POINTS; p++) *(quad_unaligned *)(line + p * QUAD) = v[p];
    }
}

/// Filters into the transform domain.  Shape: u [K / (FIRST_VECTORS·VW)][9][6][FIRST_VECTORS·VW], w [K,3,3,3], scale [K].
static void first_filter(float *u, const float *w, const float *scale, int out) {
    for (int k = 0; k < out; k += FIRST_VECTORS * VW) {
        for (int row = 0; row < FIRST_SUMS; row++) {
            const int tap = row / FIRST_CHANNELS * 3 * FIRST_CHANNELS + row % FIRST_CHANNELS;
            for (int v = 0; v < FIRST_VECTORS; v++) {
                float g[3][VW] __attribute__((aligned(64)));
                for (int lane = 0; lane < VW; lane++) {
                    const int filter = k + v * VW + lane;
                    const float *from = w + (int64_t)filter * FIRST_TAPS + tap, factor = scale ? scale[filter] : 1;
                    for (int j = 0; j < 3; j++) g[j][lane] = from[j * FIRST_CHANNELS] * factor;
                }
                vf line[LINE_POINTS];
                filter_line(line, load(g[0]), load(g[1]), load(g[2]));
                CK_UNROLL
                for (int p = 0; p < LINE_POINTS; p++) store(u + ((row * LINE_POINTS + p) * FIRST_VECTORS + v) * VW, line[p]);
            }
        }
        u += FIRST_SUMS * LINE_POINTS * FIRST_VECTORS * VW;
    }
}

/// One quad of two rows. lines: the four input rows there. rows, columns: how many of the pixels exist.
CK_INLINE void first_quad(
    const first_layer *l, const float *u, const float *const lines[4], int64_t at, float *pooled, uint8_t *chosen, int k,
    vf sum[FIRST_VECTORS], vf square[FIRST_VECTORS], int height, int columns, bool training) {
    vf m[2][LINE_POINTS][FIRST_VECTORS];
    CK_UNROLL
    for (int i = 0; i < 2 * LINE_POINTS; i++) {
        CK_UNROLL
        for (int v = 0; v < FIRST_VECTORS; v++) m[i / LINE_POINTS][i % LINE_POINTS][v] = splat(0);
    }
    CK_UNROLL
    for (int row = 0; row < FIRST_SUMS; row++) {
        CK_UNROLL
        for (int p = 0; p < LINE_POINTS; p++) {
            vf filter[FIRST_VECTORS];
            CK_UNROLL
            for (int v = 0; v < FIRST_VECTORS; v++) filter[v] = load(u + ((row * LINE_POINTS + p) * FIRST_VECTORS + v) * VW);
            CK_UNROLL
            for (int r = 0; r < 2; r++) {
                const vf value = splat(lines[r + row / FIRST_CHANNELS][at + p * QUAD + row % FIRST_CHANNELS]);
                CK_UNROLL
                for (int v = 0; v < FIRST_VECTORS; v++) m[r][p][v] += value * filter[v];
            }
            CK_BARRIER;
        }
    }
    CK_UNROLL
    for (int v = 0; v < FIRST_VECTORS; v++) {
        vf y[2][QUAD];
        CK_UNROLL
        for (int r = 0; r < 2; r++) output_line(y[r], m[r][0][v], m[r][1][v], m[r][2][v], m[r][3][v], m[r][4][v], m[r][5][v]);
        vf signs = splat(0), bias = splat(0);
        vi moves = (vi)-1;
        if (training) {
            const vf gamma = load(l->gamma + k + v * VW);
            signs = sign_bits(gamma);
            moves = gamma != 0;
            CK_UNROLL
            for (int q = 0; q < 2 * QUAD; q++) {
                if (q / QUAD >= height || q % QUAD >= columns) continue;
                sum[v] += y[q / QUAD][q % QUAD];
                square[v] += y[q / QUAD][q % QUAD] * y[q / QUAD][q % QUAD];
            }
        } else {
            bias = load(l->bias + k + v * VW);
        }
        if (height < 2) continue;
        CK_UNROLL
        for (int j = 0; j < 2; j++) {
            if (2 * j + 1 >= columns) continue;
            const vf a = y[0][2 * j], b = y[0][2 * j + 1], c = y[1][2 * j], d = y[1][2 * j + 1];
            if (training) {
                const extremum best = first_extremum(a, b, c, d, signs, moves);
                store(pooled + (int64_t)j * l->out + k + v * VW, best.value);
                typedef uint8_t bytes __attribute__((ext_vector_type(CK_VW)));
                typedef uint8_t bytes_unaligned __attribute__((ext_vector_type(CK_VW), aligned(1)));
                *(bytes_unaligned *)(chosen + (int64_t)j * l->out + k + v * VW) = __builtin_convertvector(best.index, bytes);
            } else {
                const vf best = larger_or_nan(larger_or_nan(a, b), larger_or_nan(c, d));
                store(pooled + (int64_t)j * l->out + k + v * VW, positive_part(best + bias));
            }
        }
    }
}

CK_INLINE void first_pair(
    const first_layer *l, const float *u, float *scratch, int64_t image, int pair, bool goes_on, double *sums, bool training) {
    const int64_t step = first_line_floats(l->width), windows = l->width / 2;
    const int height = (int)ck_min(2, l->height - 2 * pair);
    float *pixels = scratch + 4 * step;
    const float *lines[4];
    for (int r = 0; r < 4; r++) {
        float *line = scratch + (2 * pair + r) % 4 * step;      // the rows that two pairs share keep their place
        if (r >= 2 || !goes_on) first_line(l, line, pixels, image, 2 * pair - 1 + r);
        lines[r] = line;
    }
    const int64_t place = (image * (l->height / 2) + pair) * windows * l->out;
    for (int k = 0; k < l->out; k += FIRST_VECTORS * VW, u += FIRST_SUMS * LINE_POINTS * FIRST_VECTORS * VW) {
        vf sum[FIRST_VECTORS], square[FIRST_VECTORS];
        CK_UNROLL
        for (int v = 0; v < FIRST_VECTORS; v++) sum[v] = square[v] = splat(0);
        int64_t at = 0;
        for (int x = 0; x < l->width; x += QUAD, at += LINE_POINTS * QUAD) {
            float *pooled = l->pooled + place + (int64_t)(x / 2) * l->out;
            uint8_t *chosen = !training ? NULL : l->chosen + place + (int64_t)(x / 2) * l->out;
            if (height == 2 && x + QUAD <= l->width) first_quad(l, u, lines, at, pooled, chosen, k, sum, square, 2, QUAD, training);
            else first_quad(l, u, lines, at, pooled, chosen, k, sum, square, height, l->width - x, training);
        }
        if (!training) continue;
        CK_UNROLL
        for (int v = 0; v < FIRST_VECTORS; v++) {
            add_double(sums + k + v * VW, sum[v], VW);
            add_double(sums + l->out + k + v * VW, square[v], VW);
        }
    }
}

static void first_forward(
    const first_layer *l, const float *u, float *scratch, int64_t image, int pair, bool goes_on, double *sums) {
    if (l->chosen) first_pair(l, u, scratch, image, pair, goes_on, sums, true);
    else first_pair(l, u, scratch, image, pair, goes_on, sums, false);
}

// ---- backward

/// Rows top … top + 3 of an image, zero outside; pixel x of row r begins at rows + r·first_row_floats + FIRST_MARGIN + 3·x.
CK_INLINE void first_rows(const first_layer *l, float *rows, int64_t image, int top) {
    const int64_t line = (int64_t)l->width * FIRST_CHANNELS, step = first_row_floats(l->width);
    for (int r = 0; r < 4; r++) {
        float *row = rows + r * step;
        const int y = top + r;
        for (int i = 0; i < FIRST_MARGIN; i++) row[i] = row[FIRST_MARGIN + line + i] = 0;
        if (y >= 0 && y < l->height) __builtin_memcpy(row + FIRST_MARGIN, l->x + (image * l->height + y) * line, (size_t)line * sizeof(float));
        else __builtin_memset(row + FIRST_MARGIN, 0, (size_t)line * sizeof(float));
    }
}

#if CK_VW == 16
enum { TAPS_AT_ONCE = 27 };
#else
enum { TAPS_AT_ONCE = 9 };      // 16 registers
#endif

static void first_gradient(const first_layer *l, float *rows, int64_t image, int pooled_row, double *taps) {
    const int64_t step = first_row_floats(l->width), windows = l->width / 2;
    const int64_t place = (image * (l->height / 2) + pooled_row) * windows * l->out;
    first_rows(l, rows, image, 2 * pooled_row - 1);
    for (int k = 0; k < l->out; k += VW) {
        for (int first = 0; first < FIRST_TAPS; first += TAPS_AT_ONCE) {
            vf sum[TAPS_AT_ONCE];
            CK_UNROLL
            for (int t = 0; t < TAPS_AT_ONCE; t++) sum[t] = splat(0);
            const float *base = rows + first / 9 * step + FIRST_MARGIN - FIRST_CHANNELS;
            for (int64_t x = 0; x < windows; x++, base += 2 * FIRST_CHANNELS) {
                const vf g = load(l->g + place + x * l->out + k);
                typedef uint8_t bytes_unaligned __attribute__((ext_vector_type(CK_VW), aligned(1)));
                const vi chosen = __builtin_convertvector(*(const bytes_unaligned *)(l->chosen + place + x * l->out + k), vi);
                CK_UNROLL
                for (int q = 0; q < 4; q++) {
                    const vf own = keep(g, chosen == q);
                    CK_UNROLL
                    for (int t = 0; t < TAPS_AT_ONCE; t++) {
                        sum[t] += own * splat(base[(q / 2 + t / 9) * step + q % 2 * FIRST_CHANNELS + t % 9]);
                    }
                    CK_BARRIER;
                }
            }
            CK_UNROLL
            for (int t = 0; t < TAPS_AT_ONCE; t++) add_double(taps + (int64_t)(first + t) * l->out + k, sum[t], VW);
        }
    }
}

// The Gram matrix needs, for every pixel, its 3 channels times those of the 5 pixels around it in its own row and in the two below. Those
// 15 lie side by side: a few vectors of lanes, the last lane unused. Rows below are taken together where the registers allow it.
enum { LANE_VECTORS = CORRELATION_LANES / VW, ROWS_AT_ONCE = CK_VW == 16 ? 3 : 1 };

CK_INLINE void correlate(const float *own, const float *const others[ROWS_AT_ONCE], int64_t from, int64_t to, double *sums) {
    vf sum[ROWS_AT_ONCE][FIRST_CHANNELS][LANE_VECTORS];
    CK_UNROLL
    for (int i = 0; i < ROWS_AT_ONCE * FIRST_CHANNELS * LANE_VECTORS; i++) {
        sum[i / LANE_VECTORS / FIRST_CHANNELS][i / LANE_VECTORS % FIRST_CHANNELS][i % LANE_VECTORS] = splat(0);
    }
    for (int64_t at = from * FIRST_CHANNELS; at < to * FIRST_CHANNELS; at += FIRST_CHANNELS) {
        CK_UNROLL
        for (int v = 0; v < LANE_VECTORS; v++) {
            CK_UNROLL
            for (int r = 0; r < ROWS_AT_ONCE; r++) {
                const vf around = load(others[r] + at - 2 * FIRST_CHANNELS + v * VW);
                CK_UNROLL
                for (int c = 0; c < FIRST_CHANNELS; c++) sum[r][c][v] += splat(own[at + c]) * around;
            }
        }
    }
    CK_UNROLL
    for (int i = 0; i < ROWS_AT_ONCE * FIRST_CHANNELS; i++) {
        CK_UNROLL
        for (int v = 0; v < LANE_VECTORS; v++) {
            add_double(sums + i * CORRELATION_LANES + v * VW, sum[i / FIRST_CHANNELS][i % FIRST_CHANNELS][v], VW);
        }
    }
}

static void first_correlation(const float *own, const float *const rows[3], int64_t width, double *sums) {
    for (int64_t from = 0; from < width; from += CK_FLOAT_CHAIN) {
        const int64_t to = ck_min(width, from + CK_FLOAT_CHAIN);
        for (int r = 0; r < 3; r += ROWS_AT_ONCE) correlate(own, rows + r, from, to, sums + r * FIRST_CHANNELS * CORRELATION_LANES);
    }
}
