// The first layer: 3 channels are too few for Winograd, so pixels are multiplied out directly, two rows × four columns at a time.
#include "simd.h"

#if CK_VW == 16
enum { FIRST_VECTORS = 2 };     // of output channels at a time
#else
enum { FIRST_VECTORS = 1 };
#endif

/// Keeps the compiler from holding pixels that several taps share in registers, where they would push out accumulators.
#define CK_BARRIER __asm__ volatile("" ::: "memory")

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

/// Four columns from x on. rows, columns: how many of the pixels exist.
CK_INLINE void first_quad(
    const first_layer *l, const float *w, const float *rows, int64_t step, float *pooled, uint8_t *chosen, int k,
    vf sum[FIRST_VECTORS], vf square[FIRST_VECTORS], int height, int columns, bool training) {
    vf y[2][4][FIRST_VECTORS];
    CK_UNROLL
    for (int v = 0; v < FIRST_VECTORS; v++) {
        const vf start = training ? splat(0) : load(l->bias + k + v * VW);
        CK_UNROLL
        for (int i = 0; i < 8; i++) y[i / 4][i % 4][v] = start;
    }
    CK_UNROLL
    for (int tap = 0; tap < FIRST_TAPS; tap++) {
        const int i = tap / 9, offset = tap % 9 - FIRST_CHANNELS;
        vf filter[FIRST_VECTORS];
        CK_UNROLL
        for (int v = 0; v < FIRST_VECTORS; v++) filter[v] = load(w + (tap * FIRST_VECTORS + v) * VW);
        CK_UNROLL
        for (int q = 0; q < 8; q++) {
            const vf pixel = splat(rows[(q / 4 + i) * step + q % 4 * FIRST_CHANNELS + offset]);
            CK_UNROLL
            for (int v = 0; v < FIRST_VECTORS; v++) y[q / 4][q % 4][v] += pixel * filter[v];
        }
        CK_BARRIER;
    }
    CK_UNROLL
    for (int v = 0; v < FIRST_VECTORS; v++) {
        vf signs = splat(0);
        vi moves = (vi)-1;
        if (training) {
            const vf gamma = load(l->gamma + k + v * VW);
            signs = sign_bits(gamma);
            moves = gamma != 0;
            CK_UNROLL
            for (int q = 0; q < 8; q++) {
                if (q / 4 >= height || q % 4 >= columns) continue;
                sum[v] += y[q / 4][q % 4][v];
                square[v] += y[q / 4][q % 4][v] * y[q / 4][q % 4][v];
            }
        }
        if (height < 2) continue;
        CK_UNROLL
        for (int j = 0; j < 2; j++) {
            if (2 * j + 1 >= columns) continue;
            const vf a = y[0][2 * j][v], b = y[0][2 * j + 1][v], c = y[1][2 * j][v], d = y[1][2 * j + 1][v];
            if (training) {
                const extremum best = first_extremum(a, b, c, d, signs, moves);
                store(pooled + (int64_t)j * l->out + k + v * VW, best.value);
                typedef uint8_t bytes __attribute__((ext_vector_type(CK_VW)));
                typedef uint8_t bytes_unaligned __attribute__((ext_vector_type(CK_VW), aligned(1)));
                *(bytes_unaligned *)(chosen + (int64_t)j * l->out + k + v * VW) = __builtin_convertvector(best.index, bytes);
            } else {
                store(pooled + (int64_t)j * l->out + k + v * VW, positive_part(larger_or_nan(larger_or_nan(a, b), larger_or_nan(c, d))));
            }
        }
    }
}

/// w: [K / (FIRST_VECTORS·VW)][27][FIRST_VECTORS·VW].
CK_INLINE void first_pair(
    const first_layer *l, const float *w, float *rows, int64_t image, int pair, double *sums, bool training) {
    const int64_t step = first_row_floats(l->width), windows = l->width / 2;
    const int height = (int)ck_min(2, l->height - 2 * pair);
    first_rows(l, rows, image, 2 * pair - 1);
    const int64_t place = (image * (l->height / 2) + pair) * windows * l->out;
    for (int k = 0; k < l->out; k += FIRST_VECTORS * VW, w += FIRST_TAPS * FIRST_VECTORS * VW) {
        vf sum[FIRST_VECTORS], square[FIRST_VECTORS];
        CK_UNROLL
        for (int v = 0; v < FIRST_VECTORS; v++) sum[v] = square[v] = splat(0);
        for (int x = 0; x < l->width; x += 4) {
            const float *at = rows + FIRST_MARGIN + (int64_t)x * FIRST_CHANNELS;
            float *pooled = l->pooled + place + (int64_t)(x / 2) * l->out;
            uint8_t *chosen = !training ? NULL : l->chosen + place + (int64_t)(x / 2) * l->out;
            if (height == 2 && x + 4 <= l->width) first_quad(l, w, at, step, pooled, chosen, k, sum, square, 2, 4, training);
            else first_quad(l, w, at, step, pooled, chosen, k, sum, square, height, l->width - x, training);
        }
        if (!training) continue;
        CK_UNROLL
        for (int v = 0; v < FIRST_VECTORS; v++) {
            add_double(sums + k + v * VW, sum[v], VW);
            add_double(sums + l->out + k + v * VW, square[v], VW);
        }
    }
}

static void first_forward(const first_layer *l, const float *w, float *rows, int64_t image, int pair, double *sums) {
    if (l->chosen) first_pair(l, w, rows, image, pair, sums, true);
    else first_pair(l, w, rows, image, pair, sums, false);
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
