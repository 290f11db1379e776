// Convolution as a matrix product over blocks of output pixels: the column copy and the forward pass.
#include <string.h>

#include "conv2d_internal.h"

enum { BLOCK_BYTES = 1 << 21, LEAST_ROWS = 256, MOST_ROWS = 2048, LEAST_BLOCKS = 8 };

// ---- columns

typedef struct { int64_t image; int oy, ox; } output_pixel;

static inline output_pixel locate(const conv_shape *s, int64_t row) {
    const int64_t line = row / s->out_width;
    return (output_pixel){line / s->out_height, (int)(line % s->out_height), (int)(row % s->out_width)};
}

static inline void advance(output_pixel *at, const conv_shape *s) {
    if (++at->ox < s->out_width) return;
    at->ox = 0;
    if (++at->oy < s->out_height) return;
    at->oy = 0;
    at->image++;
}

// The taps of one filter line are neighbours in NHWC, so a line is one run of kw·C floats, clipped at the image's edges.
void ck_im2col(float *restrict col, const float *x, const conv_shape *s, int64_t row, int64_t rows, int first, int last) {
    const ck_conv2d_desc d = s->d;
    const int run = d.kernel_width * d.in_channels;
    const int first_line = first / run, last_line = (last - 1) / run;
    const int64_t image_size = (int64_t)d.height * d.width * d.in_channels;
    output_pixel at = locate(s, row);
    for (int64_t r = 0; r < rows; r++, advance(&at, s)) {
        const int left = at.ox * d.stride - d.padding, top = at.oy * d.stride - d.padding;
        const int inside_begin = (int)ck_max(0, -left) * d.in_channels;
        const int inside_end = (int)ck_min(d.kernel_width, d.width - left) * d.in_channels;
        for (int line = first_line; line <= last_line; line++) {
            const int begin = (int)ck_max(0, first - line * run), end = (int)ck_min(run, last - line * run);
            const int iy = top + line;
            const int from = (int)ck_min(end, ck_max(begin, inside_begin));
            const int to = iy < 0 || iy >= d.height ? from : (int)ck_max(from, ck_min(end, inside_end));
            if (from > begin) memset(col, 0, (size_t)(from - begin) * sizeof(float));
            if (to > from) {
                const float *source = x + at.image * image_size + ((int64_t)iy * d.width + left) * d.in_channels;
                memcpy(col + (from - begin), source + from, (size_t)(to - from) * sizeof(float));
            }
            if (end > to) memset(col + (to - begin), 0, (size_t)(end - to) * sizeof(float));
            col += end - begin;
        }
    }
}

CK_CLONES void ck_col2im(float *dx, const float *restrict dcol, const conv_shape *s, int64_t row, int64_t rows) {
    const ck_conv2d_desc d = s->d;
    const int run = d.kernel_width * d.in_channels;
    const int64_t image_size = (int64_t)d.height * d.width * d.in_channels;
    output_pixel at = locate(s, row);
    for (int64_t r = 0; r < rows; r++, advance(&at, s)) {
        const int left = at.ox * d.stride - d.padding, top = at.oy * d.stride - d.padding;
        const int begin = (int)ck_max(0, -left) * d.in_channels;
        const int end = (int)ck_min(d.kernel_width, d.width - left) * d.in_channels;
        for (int ky = 0; ky < d.kernel_height; ky++, dcol += run) {
            const int iy = top + ky;
            if (iy < 0 || iy >= d.height) continue;
            float *restrict target = dx + at.image * image_size + ((int64_t)iy * d.width + left) * d.in_channels;
            for (int i = begin; i < end; i++) target[i] += dcol[i];
        }
    }
}

// ---- forward

/// Output pixels per product: columns that stay in cache, products large enough to pay for packing the weights.
static int64_t forward_rows(const conv_shape *s) {
    const int64_t fit = BLOCK_BYTES / ((int64_t)s->columns * (int64_t)sizeof(float));
    const int64_t wanted = ck_min(MOST_ROWS, ck_max(LEAST_ROWS, fit));
    return ck_min(wanted, ck_max(LEAST_ROWS / 4, ck_ceil_div(s->rows, LEAST_BLOCKS)));
}

static size_t forward_scratch(const conv_shape *s) {
    return s->pointwise ? 0 : ck_padded((size_t)(forward_rows(s) * s->columns) * sizeof(float));
}

size_t ck_im2col_forward_bytes(const conv_shape *s) {
    return ck_workspace_total(forward_scratch(s) * (size_t)s->workers);
}

typedef struct {
    float *y;
    const float *x, *w, *bias;
    char *scratch;
    const conv_shape *s;
} forward_job;

CK_CLONES static void add_bias(float *restrict y, const float *restrict bias, int64_t rows, int channels) {
    for (int64_t r = 0; r < rows; r++) {
        for (int c = 0; c < channels; c++) y[r * channels + c] += bias[c];
    }
}

static void forward_block(void *context, int64_t block, int worker) {
    const forward_job *job = context;
    const conv_shape *s = job->s;
    const int64_t step = forward_rows(s), row = block * step, rows = ck_min(step, s->rows - row);
    const int out = s->d.out_channels;
    const float *col = job->x + row * s->columns;
    if (!s->pointwise) {
        float *scratch = (float *)(job->scratch + (size_t)worker * forward_scratch(s));
        ck_im2col(scratch, job->x, s, row, rows, 0, s->columns);
        col = scratch;
    }
    float *y = job->y + row * out;
    ck_sgemm(false, true, (int)rows, out, s->columns, col, s->columns, job->w, s->columns, 0, y, out);
    if (job->bias) add_bias(y, job->bias, rows, out);
}

void ck_im2col_forward(
    float *y, const float *x, const float *w, const float *bias, const conv_shape *s, void *workspace) {
    char *scratch = s->pointwise ? NULL : ck_carve(&workspace, forward_scratch(s) * (size_t)s->workers);
    forward_job job = {y, x, w, bias, scratch, s};
    ck_parallel_for_workers(ck_ceil_div(s->rows, forward_rows(s)), s->workers, forward_block, &job);
}
