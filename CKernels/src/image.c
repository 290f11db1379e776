// Resize and normalisation of RGB pixels.
//
// The resize is Pillow's arithmetic: each output sample is a weighted mean of at most `taps` inputs, with weights rounded to
// 22-bit fixed point, one pass per axis and rounding to 8 bit after each. Integer sums have no order, so loops may be cut freely.
#include "internal.h"

#include <math.h>
#include <string.h>

enum { PRECISION = 22, CHANNELS = 3 };

// One axis of the table. Layout in memory: axis header, then int32 first[size], int32 count[size], int32 weights[size][taps].
typedef struct axis {
    int size;       // output samples
    int taps;       // weights per output sample, the unused ones 0
    const int32_t *first;
    const int32_t *count;
    const int32_t *weights;
} axis;

static int taps_of(int source, int target) {
    const double scale = (double)source / target;
    return (int)ceil(scale < 1 ? 1 : scale) * 2 + 1;
}

static size_t axis_ints(int source, int target) { return (size_t)target * (2 + (size_t)taps_of(source, target)); }

static bool valid(const ck_resize_desc *desc) {
    const int sides[4] = {desc->source_width, desc->source_height, desc->width, desc->height};
    for (int i = 0; i < 4; i++) if (sides[i] < 1 || sides[i] > CK_MAX_IMAGE_SIDE) return false;
    return true;
}

size_t ck_resize_table_bytes(const ck_resize_desc *desc) {
    if (!valid(desc)) return 0;
    return sizeof(int32_t) * (axis_ints(desc->source_width, desc->width) + axis_ints(desc->source_height, desc->height));
}

static void fill_axis(int32_t *table, int source, int target) {
    const int taps = taps_of(source, target);
    int32_t *first = table, *count = table + target, *weights = table + 2 * (size_t)target;
    const double scale = (double)source / target, widening = scale < 1 ? 1 : scale;
    memset(weights, 0, sizeof(int32_t) * (size_t)target * (size_t)taps);
    for (int i = 0; i < target; i++, weights += taps) {
        const double center = (i + 0.5) * scale;
        // The bounds truncate towards zero, as a C cast in Pillow does, before they are clipped.
        int from = (int)(center - widening + 0.5), to = (int)(center + widening + 0.5);
        if (from < 0) from = 0;
        if (to > source) to = source;
        double sum = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int t = 0; t < to - from; t++) {
                const double distance = fabs((t + from - center + 0.5) * (1.0 / widening));
                const double weight = distance < 1 ? 1 - distance : 0;
                if (pass == 0) sum += weight;
                else weights[t] = (int32_t)(0.5 + (sum != 0 ? weight / sum : weight) * (1 << PRECISION));
            }
        }
        first[i] = from;
        count[i] = to - from;
    }
}

ck_status ck_resize_table_init(void *table, size_t table_bytes, const ck_resize_desc *desc) {
    const size_t needed = ck_resize_table_bytes(desc);
    if (needed == 0) return CK_BAD_SHAPE;
    if (table_bytes < needed) return CK_SMALL_WORKSPACE;
    fill_axis(table, desc->source_width, desc->width);
    fill_axis((int32_t *)table + axis_ints(desc->source_width, desc->width), desc->source_height, desc->height);
    return CK_OK;
}

static axis axis_at(const int32_t *table, int source, int target) {
    return (axis){target, taps_of(source, target), table, table + target, table + 2 * (size_t)target};
}

CK_INLINE uint8_t rounded(int32_t sum) {
    const int32_t value = sum >> PRECISION;   // the rounding half is in the sum already
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

// Two rows at once share the weights and keep six independent sums running.
CK_CLONES static void resize_columns(uint8_t *y, const uint8_t *x, const axis *columns, int rows, int source_width) {
    const ptrdiff_t in_stride = (ptrdiff_t)source_width * CHANNELS, out_stride = (ptrdiff_t)columns->size * CHANNELS;
    for (int row = 0; row < rows; row += 2) {
        const ptrdiff_t next = row + 1 < rows ? 1 : 0;
        const uint8_t *in = x + row * in_stride;
        uint8_t *out = y + row * out_stride;
        const int32_t *weights = columns->weights;
        for (int i = 0; i < columns->size; i++, weights += columns->taps) {
            const uint8_t *a = in + (ptrdiff_t)columns->first[i] * CHANNELS, *b = a + next * in_stride;
            int32_t half = 1 << (PRECISION - 1), a0 = half, a1 = half, a2 = half, b0 = half, b1 = half, b2 = half;
            for (int t = 0; t < columns->count[i]; t++, a += CHANNELS, b += CHANNELS) {
                const int32_t w = weights[t];
                a0 += a[0] * w, a1 += a[1] * w, a2 += a[2] * w;
                b0 += b[0] * w, b1 += b[1] * w, b2 += b[2] * w;
            }
            uint8_t *p = out + (ptrdiff_t)i * CHANNELS, *q = p + next * out_stride;
            p[0] = rounded(a0), p[1] = rounded(a1), p[2] = rounded(a2);
            q[0] = rounded(b0), q[1] = rounded(b1), q[2] = rounded(b2);
        }
    }
}

// Down the columns every channel is alike, so a row is a vector of width·3 samples; LANES of them stay in registers.
CK_CLONES static void resize_rows(uint8_t *restrict y, const uint8_t *restrict x, const axis *rows, int width) {
    enum { LANES = 64 };
    const ptrdiff_t stride = (ptrdiff_t)width * CHANNELS;
    const int32_t *weights = rows->weights;
    for (int i = 0; i < rows->size; i++, weights += rows->taps, y += stride) {
        const uint8_t *in = x + rows->first[i] * stride;
        for (ptrdiff_t at = 0; at < stride; at += LANES) {
            int32_t sums[LANES];
            const ptrdiff_t lanes = ck_min(LANES, stride - at);
            for (int j = 0; j < LANES; j++) sums[j] = 1 << (PRECISION - 1);
            if (lanes == LANES) {
                for (int t = 0; t < rows->count[i]; t++) {
                    const uint8_t *from = in + t * stride + at;
                    const int32_t w = weights[t];
                    for (int j = 0; j < LANES; j++) sums[j] += from[j] * w;
                }
                for (int j = 0; j < LANES; j++) y[at + j] = rounded(sums[j]);
            } else {
                for (int t = 0; t < rows->count[i]; t++) {
                    const uint8_t *from = in + t * stride + at;
                    for (ptrdiff_t j = 0; j < lanes; j++) sums[j] += from[j] * weights[t];
                }
                for (ptrdiff_t j = 0; j < lanes; j++) y[at + j] = rounded(sums[j]);
            }
        }
    }
}

// Pillow 13 begins with the rows when they lose more than twice as many samples as the columns do; its predecessors always begin
// with the columns. The order shows in the last bit, because each pass rounds. (Found by trial: 2,000 pairs of sizes.)
static bool rows_first(const ck_resize_desc *desc) {
    const int lost_rows = desc->source_height - desc->height, lost_columns = desc->source_width - desc->width;
    return lost_rows > 0 && lost_rows > 2 * (int)ck_max(0, lost_columns);
}

size_t ck_resize_workspace_bytes(const ck_resize_desc *desc) {
    if (!valid(desc) || desc->source_width == desc->width || desc->source_height == desc->height) return 0;
    return CHANNELS * (rows_first(desc) ? (size_t)desc->height * (size_t)desc->source_width
                                        : (size_t)desc->source_height * (size_t)desc->width);
}

ck_status ck_resize_forward(
    uint8_t *y, const uint8_t *x, const ck_resize_desc *desc, const void *table, void *workspace, size_t bytes) {
    if (!valid(desc)) return CK_BAD_SHAPE;
    if (bytes < ck_resize_workspace_bytes(desc)) return CK_SMALL_WORKSPACE;
    const int32_t *start = table;
    const axis columns = axis_at(start, desc->source_width, desc->width);
    const axis rows = axis_at(start + axis_ints(desc->source_width, desc->width), desc->source_height, desc->height);
    const bool across = desc->source_width != desc->width, down = desc->source_height != desc->height;
    if (!across && !down) {
        memcpy(y, x, (size_t)desc->width * (size_t)desc->height * CHANNELS);
    } else if (!down) {
        resize_columns(y, x, &columns, desc->source_height, desc->source_width);
    } else if (!across) {
        resize_rows(y, x, &rows, desc->width);
    } else if (rows_first(desc)) {
        resize_rows(workspace, x, &rows, desc->source_width);
        resize_columns(y, workspace, &columns, desc->height, desc->source_width);
    } else {
        resize_columns(workspace, x, &columns, desc->source_height, desc->source_width);
        resize_rows(y, workspace, &rows, desc->width);
    }
    return CK_OK;
}

// 16 pixels at a time, so that the three channels' factors line up with whole vectors.
CK_CLONES static void normalize(float *restrict y, const uint8_t *restrict x, int64_t pixels, const float *factors, const float *shifts) {
    enum { LANES = 16 * CHANNELS };
    const int64_t whole = pixels / 16;
    for (int64_t block = 0; block < whole; block++, y += LANES, x += LANES) {
        for (int j = 0; j < LANES; j++) y[j] = (float)x[j] * factors[j] + shifts[j];
    }
    for (int64_t j = 0; j < (pixels - whole * 16) * CHANNELS; j++) y[j] = (float)x[j] * factors[j] + shifts[j];
}

ck_status ck_normalize_forward(float *y, const uint8_t *x, int64_t pixels, const float mean[3], const float std[3]) {
    if (pixels < 0) return CK_BAD_SHAPE;
    float factors[16 * CHANNELS], shifts[16 * CHANNELS];
    for (int j = 0; j < 16 * CHANNELS; j++) {
        const double scale = std[j % CHANNELS];
        if (!(scale > 0)) return CK_BAD_ARGUMENT;
        factors[j] = (float)(1 / (255 * scale));
        shifts[j] = (float)(-mean[j % CHANNELS] / scale);
    }
    normalize(y, x, pixels, factors, shifts);
    return CK_OK;
}
