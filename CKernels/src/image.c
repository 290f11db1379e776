// Resize and normalisation of RGB pixels.
//
// The resize is Pillow's arithmetic: each output sample is a weighted mean of at most `taps` inputs, with weights rounded to
// 22-bit fixed point, one pass per axis and rounding to 8 bit after each. Integer sums have no order, so loops may be cut freely.
#include "internal.h"

#include <math.h>
#include <string.h>

enum { PRECISION = 22, CHANNELS = 3, GROUP = 4, ROWS = 4, READ_BYTES = 16 };

// One axis of the table. Layout in memory: axis header, then int32 first[size], int32 count[size], int32 weights[size][taps].
typedef struct axis {
    int size;       // output samples
    int taps;       // weights per output sample, a multiple of GROUP; the unused ones are 0
    const int32_t *first;
    const int32_t *count;
    const int32_t *weights;
} axis;

// How far a filter reaches at scale 1, in samples.
static double support_of(ck_filter filter) { return filter == CK_BICUBIC ? 2 : 1; }

static int taps_of(int source, int target, ck_filter filter) {
    if (filter == CK_NEAREST) return GROUP;
    const double scale = (double)source / target;
    return ((int)ceil(support_of(filter) * fmax(scale, 1)) * 2 + GROUP) / GROUP * GROUP;   // 2·⌈reach⌉ + 1, rounded up
}

static size_t axis_ints(int source, int target, ck_filter filter) {
    return (size_t)target * (2 + (size_t)taps_of(source, target, filter));
}

static bool valid(const ck_resize_desc *desc) {
    if (desc->filter != CK_BILINEAR && desc->filter != CK_BICUBIC && desc->filter != CK_NEAREST) return false;
    const int sides[4] = {desc->source_width, desc->source_height, desc->width, desc->height};
    for (int i = 0; i < 4; i++) if (sides[i] < 1 || sides[i] > CK_MAX_IMAGE_SIDE) return false;
    return true;
}

size_t ck_resize_table_bytes(const ck_resize_desc *desc) {
    if (!valid(desc)) return 0;
    return sizeof(int32_t)
        * (axis_ints(desc->source_width, desc->width, desc->filter) + axis_ints(desc->source_height, desc->height, desc->filter));
}

static double weight_at(ck_filter filter, double distance) {
    const double x = fabs(distance);
    if (filter == CK_BILINEAR) return x < 1 ? 1 - x : 0;
    const double a = -0.5;   // Keys' cubic
    if (x < 1) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
    return 0;
}

// Weights are rounded to the nearest fixed-point number, halves away from zero.
static int32_t fixed(double weight) { return (int32_t)(weight * (1 << PRECISION) + (weight < 0 ? -0.5 : 0.5)); }

static void fill_nearest(int32_t *first, int32_t *count, int32_t *weights, int source, int target, int taps) {
    const double scale = (double)source / target;
    double center = scale * 0.5;
    for (int i = 0; i < target; i++, weights += taps, center += scale) {   // the sum rounds as Pillow's does
        first[i] = (int32_t)fmin(center, source - 1);
        count[i] = 1;
        weights[0] = 1 << PRECISION;
    }
}

static void fill_axis(int32_t *table, int source, int target, ck_filter filter) {
    const int taps = taps_of(source, target, filter);
    int32_t *first = table, *count = table + target, *weights = table + 2 * (size_t)target;
    const double scale = (double)source / target, widening = fmax(scale, 1), reach = support_of(filter) * widening;
    memset(weights, 0, sizeof(int32_t) * (size_t)target * (size_t)taps);
    if (filter == CK_NEAREST) return fill_nearest(first, count, weights, source, target, taps);
    for (int i = 0; i < target; i++, weights += taps) {
        const double center = (i + 0.5) * scale;
        // The bounds truncate towards zero, as a C cast in Pillow does, before they are clipped.
        int from = (int)(center - reach + 0.5), to = (int)(center + reach + 0.5);
        if (from < 0) from = 0;
        if (to > source) to = source;
        double sum = 0;
        for (int pass = 0; pass < 2; pass++) {
            for (int t = 0; t < to - from; t++) {
                const double weight = weight_at(filter, (t + from - center + 0.5) * (1.0 / widening));
                if (pass == 0) sum += weight;
                else weights[t] = fixed(sum != 0 ? weight / sum : weight);
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
    fill_axis(table, desc->source_width, desc->width, desc->filter);
    int32_t *rows = (int32_t *)table + axis_ints(desc->source_width, desc->width, desc->filter);
    fill_axis(rows, desc->source_height, desc->height, desc->filter);
    return CK_OK;
}

static axis axis_at(const int32_t *table, int source, int target, ck_filter filter) {
    return (axis){target, taps_of(source, target, filter), table, table + target, table + 2 * (size_t)target};
}

CK_INLINE uint8_t rounded(int32_t sum) {
    const int32_t value = sum >> PRECISION;   // the rounding half is in the sum already
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

typedef uint8_t bytes16 __attribute__((vector_size(16)));
typedef int32_t words4 __attribute__((vector_size(16)));
typedef int32_t words16 __attribute__((vector_size(64)));

// Four neighbouring pixels as 4 × (r, g, b, 0). Reads 16 bytes.
#define FOUR_PIXELS(at) ({ \
    bytes16 raw_; \
    memcpy(&raw_, at, sizeof raw_); \
    __builtin_convertvector(__builtin_shufflevector(raw_, (bytes16){0}, 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16), words16); \
})

// Of two vectors with two halves each: the first's sum, then the second's.
#define HALVES_ADDED(v, w) (__builtin_shufflevector(v, w, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) \
    + __builtin_shufflevector(v, w, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#define QUARTERS_ADDED(v, w) (__builtin_shufflevector(v, w, 0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27) \
    + __builtin_shufflevector(v, w, 4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31))

// Along a row a vector holds four taps of a pixel, and ROWS rows share the weights.
CK_CLONES static void four_rows(uint8_t *y, const uint8_t *x, const axis *columns, int outputs, ptrdiff_t in_stride, ptrdiff_t out_stride) {
    const words16 least = {0}, most = least + 255;
    const int32_t *weights = columns->weights;
    for (int i = 0; i < outputs; i++, weights += columns->taps, y += CHANNELS) {
        const uint8_t *from = x + (ptrdiff_t)columns->first[i] * CHANNELS;
        words16 a = {0}, b = {0}, c = {0}, d = {0};
        for (int t = 0; t < columns->count[i]; t += GROUP, from += GROUP * CHANNELS) {
            words4 four;
            memcpy(&four, weights + t, sizeof four);
            const words16 w = __builtin_shufflevector(four, four, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
            a += FOUR_PIXELS(from) * w;
            b += FOUR_PIXELS(from + in_stride) * w;
            c += FOUR_PIXELS(from + 2 * in_stride) * w;
            d += FOUR_PIXELS(from + 3 * in_stride) * w;
        }
        const words16 ab = HALVES_ADDED(a, b), cd = HALVES_ADDED(c, d);
        const words16 rounded16 = (QUARTERS_ADDED(ab, cd) + (1 << (PRECISION - 1))) >> PRECISION;
        const words16 clipped = __builtin_elementwise_max(__builtin_elementwise_min(rounded16, most), least);
        const bytes16 out = __builtin_convertvector(clipped, bytes16);
        // The fourth byte is the next output's, which overwrites it; the last output has no next one.
        uint8_t pixels[ROWS][4];
        memcpy(pixels, &out, sizeof pixels);
        if (i + 1 < columns->size) {
            for (int r = 0; r < ROWS; r++) memcpy(y + r * out_stride, pixels[r], 4);
        } else {
            for (int r = 0; r < ROWS; r++) memcpy(y + r * out_stride, pixels[r], CHANNELS);
        }
    }
}

static void one_row(uint8_t *y, const uint8_t *x, const axis *columns, int start) {
    const int32_t *weights = columns->weights + (ptrdiff_t)start * columns->taps;
    for (int i = start; i < columns->size; i++, weights += columns->taps) {
        const uint8_t *from = x + (ptrdiff_t)columns->first[i] * CHANNELS;
        int32_t sums[CHANNELS] = {1 << (PRECISION - 1), 1 << (PRECISION - 1), 1 << (PRECISION - 1)};
        for (int t = 0; t < columns->count[i]; t++, from += CHANNELS) {
            for (int c = 0; c < CHANNELS; c++) sums[c] += from[c] * weights[t];
        }
        for (int c = 0; c < CHANNELS; c++) y[i * CHANNELS + c] = rounded(sums[c]);
    }
}

// four_rows reads whole groups, up to 13 bytes beyond its row. Where no other rows follow, the outputs that would read too far take
// the plain path.
static int outputs_within_row(const axis *columns, int source_width) {
    int i = columns->size;
    while (i > 0) {
        const int groups = (columns->count[i - 1] + GROUP - 1) / GROUP;
        if ((columns->first[i - 1] + (groups - 1) * GROUP) * CHANNELS + READ_BYTES <= source_width * CHANNELS) break;
        i--;
    }
    return i;
}

// `rows` is at most ROWS; `following` rows of the same length lie behind them.
static void resize_columns(uint8_t *y, const uint8_t *x, const axis *columns, int rows, int following, int source_width) {
    const ptrdiff_t in_stride = (ptrdiff_t)source_width * CHANNELS, out_stride = (ptrdiff_t)columns->size * CHANNELS;
    int outputs = 0;
    if (rows == ROWS) {
        outputs = following * in_stride >= READ_BYTES ? columns->size : outputs_within_row(columns, source_width);
        four_rows(y, x, columns, outputs, in_stride, out_stride);
    }
    if (outputs == columns->size) return;
    for (int i = 0; i < rows; i++) one_row(y + i * out_stride, x + i * in_stride, columns, outputs);
}

// Down the columns every channel is alike, so a row is a vector of width·3 samples; LANES of them stay in registers.
CK_CLONES static void one_output_row(uint8_t *restrict y, const uint8_t *restrict x, const axis *rows, int i, ptrdiff_t stride) {
    enum { LANES = 48 };
    const int32_t *weights = rows->weights + (ptrdiff_t)i * rows->taps;
    const uint8_t *in = x + rows->first[i] * stride;
    const int count = rows->count[i];
    for (ptrdiff_t at = 0; at < stride; at += LANES) {
        int32_t sums[LANES];
        const ptrdiff_t lanes = ck_min(LANES, stride - at);
        for (int j = 0; j < LANES; j++) sums[j] = 1 << (PRECISION - 1);
        if (lanes == LANES) {
            for (int t = 0; t < count; t++) {
                const uint8_t *from = in + t * stride + at;
                const int32_t w = weights[t];
                for (int j = 0; j < LANES; j++) sums[j] += from[j] * w;
            }
            for (int j = 0; j < LANES; j++) y[at + j] = rounded(sums[j]);
        } else {
            for (int t = 0; t < count; t++) {
                const uint8_t *from = in + t * stride + at;
                for (ptrdiff_t j = 0; j < lanes; j++) sums[j] += from[j] * weights[t];
            }
            for (ptrdiff_t j = 0; j < lanes; j++) y[at + j] = rounded(sums[j]);
        }
    }
}

// Pillow 13 begins with the rows when they lose more than twice as many samples as the columns do; its predecessors always begin
// with the columns. The order shows in the last bit, because each pass rounds. (Found by trial: 2,000 pairs of sizes.)
static bool rows_first(const ck_resize_desc *desc) {
    const int lost_rows = desc->source_height - desc->height, lost_columns = desc->source_width - desc->width;
    return lost_rows > 0 && lost_rows > 2 * (int)ck_max(0, lost_columns);
}

// ---- normalisation

// 16 pixels at a time, so that the three channels' factors line up with whole vectors.
enum { NORM_LANES = 16 * CHANNELS };

typedef struct scale {
    float factors[NORM_LANES], shifts[NORM_LANES];
} scale;

static bool make_scale(scale *scale, const float mean[3], const float std[3]) {
    for (int j = 0; j < NORM_LANES; j++) {
        const double deviation = std[j % CHANNELS];
        if (!(deviation > 0)) return false;
        scale->factors[j] = (float)(1 / (255 * deviation));
        scale->shifts[j] = (float)(-mean[j % CHANNELS] / deviation);
    }
    return true;
}

CK_CLONES static void normalize(float *restrict y, const uint8_t *restrict x, int64_t pixels, const scale *scale) {
    const int64_t whole = pixels / 16;
    for (int64_t block = 0; block < whole; block++, y += NORM_LANES, x += NORM_LANES) {
        for (int j = 0; j < NORM_LANES; j++) y[j] = (float)x[j] * scale->factors[j] + scale->shifts[j];
    }
    for (int64_t j = 0; j < (pixels - whole * 16) * CHANNELS; j++) y[j] = (float)x[j] * scale->factors[j] + scale->shifts[j];
}

ck_status ck_normalize_forward(float *y, const uint8_t *x, int64_t pixels, const float mean[3], const float std[3]) {
    scale scale;
    if (pixels < 0) return CK_BAD_SHAPE;
    if (!make_scale(&scale, mean, std)) return CK_BAD_ARGUMENT;
    normalize(y, x, pixels, &scale);
    return CK_OK;
}

// ---- the whole

// Where the last pass leaves its rows: as bytes, or normalised while they are still in the nearest cache.
typedef struct sink {
    uint8_t *bytes;
    float *floats;
    const scale *scale;
    uint8_t *rows;      // ROWS rows between resize and normalisation
    int width;
} sink;

static uint8_t *rows_of(const sink *sink, ptrdiff_t row) {
    return sink->floats ? sink->rows : sink->bytes + row * sink->width * CHANNELS;
}

static void keep_rows(const sink *sink, ptrdiff_t row, int count) {
    if (sink->floats) {
        normalize(sink->floats + row * sink->width * CHANNELS, sink->rows, (int64_t)count * sink->width, sink->scale);
    }
}

static void down(const sink *sink, const uint8_t *x, const axis *rows) {
    for (int i = 0; i < rows->size; i++) {
        one_output_row(rows_of(sink, i), x, rows, i, (ptrdiff_t)sink->width * CHANNELS);
        keep_rows(sink, i, 1);
    }
}

static void across(const sink *sink, const uint8_t *x, const axis *columns, int rows, int source_width) {
    for (int row = 0; row < rows; row += ROWS) {
        const int count = (int)ck_min(ROWS, rows - row);
        resize_columns(
            rows_of(sink, row), x + (ptrdiff_t)row * source_width * CHANNELS, columns, count, rows - row - count, source_width);
        keep_rows(sink, row, count);
    }
}

static size_t between_bytes(const ck_resize_desc *desc) {
    if (desc->source_width == desc->width || desc->source_height == desc->height) return 0;
    return CHANNELS * (rows_first(desc) ? (size_t)desc->height * (size_t)desc->source_width
                                        : (size_t)desc->source_height * (size_t)desc->width);
}

size_t ck_resize_workspace_bytes(const ck_resize_desc *desc) {
    if (!valid(desc)) return 0;
    return ck_workspace_total(ck_padded(between_bytes(desc)) + ck_padded((size_t)ROWS * (size_t)desc->width * CHANNELS));
}

static ck_status resize(sink sink, const uint8_t *x, const ck_resize_desc *desc, const void *table, void *workspace, size_t bytes) {
    if (!valid(desc)) return CK_BAD_SHAPE;
    if (bytes < ck_resize_workspace_bytes(desc)) return CK_SMALL_WORKSPACE;
    uint8_t *between = ck_carve(&workspace, between_bytes(desc));
    sink.rows = workspace;
    sink.width = desc->width;
    const int32_t *start = table;
    const axis columns = axis_at(start, desc->source_width, desc->width, desc->filter);
    start += axis_ints(desc->source_width, desc->width, desc->filter);
    const axis rows = axis_at(start, desc->source_height, desc->height, desc->filter);
    const bool is_across = desc->source_width != desc->width, is_down = desc->source_height != desc->height;
    struct sink first = {.bytes = between};
    if (!is_across && !is_down) {
        const int64_t pixels = (int64_t)desc->width * desc->height;
        if (sink.floats) normalize(sink.floats, x, pixels, sink.scale);
        else memcpy(sink.bytes, x, (size_t)pixels * CHANNELS);
    } else if (!is_down) {
        across(&sink, x, &columns, desc->height, desc->source_width);
    } else if (!is_across) {
        down(&sink, x, &rows);
    } else if (rows_first(desc)) {
        first.width = desc->source_width;
        down(&first, x, &rows);
        across(&sink, between, &columns, desc->height, desc->source_width);
    } else {
        first.width = desc->width;
        across(&first, x, &columns, desc->source_height, desc->source_width);
        down(&sink, between, &rows);
    }
    return CK_OK;
}

ck_status ck_resize_forward(
    uint8_t *y, const uint8_t *x, const ck_resize_desc *desc, const void *table, void *workspace, size_t bytes) {
    return resize((sink){.bytes = y}, x, desc, table, workspace, bytes);
}

ck_status ck_resize_normalize_forward(
    float *y, const uint8_t *x, const ck_resize_desc *desc, const void *table, const float mean[3], const float std[3],
    void *workspace, size_t bytes) {
    scale scale;
    if (!make_scale(&scale, mean, std)) return CK_BAD_ARGUMENT;
    return resize((sink){.floats = y, .scale = &scale}, x, desc, table, workspace, bytes);
}
