// Element-wise kernels and the bias.
#include "internal.h"

typedef enum { RELU, RELU_BACKWARD, ADD, MULTIPLY, SCALE } operation;

typedef struct {
    float *y;
    const float *a, *b;
    float factor;
    int64_t count;
    operation operation;
} element_job;

// Outputs may alias inputs, so there is no restrict here; the loops are safe to vectorise because they read and write one index.
CK_BLOCK_COPIES(element_block) {
    const element_job *job = context;
    const int64_t begin = block * CK_ELEMENT_BLOCK, n = ck_min(CK_ELEMENT_BLOCK, job->count - begin);
    float *y = job->y + begin;
    const float *a = job->a + begin, *b = job->b ? job->b + begin : a;
    const float factor = job->factor;
    switch (job->operation) {
    case RELU:  // `a <= 0` is false for NaN, which therefore passes
#pragma clang loop vectorize(assume_safety)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] <= 0 ? 0 : a[i];
        break;
    case RELU_BACKWARD:
#pragma clang loop vectorize(assume_safety)
        for (int64_t i = 0; i < n; i++) y[i] = b[i] <= 0 ? 0 : a[i];
        break;
    case ADD:
#pragma clang loop vectorize(assume_safety)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] + b[i];
        break;
    case MULTIPLY:
#pragma clang loop vectorize(assume_safety)
        for (int64_t i = 0; i < n; i++) y[i] = a[i] * b[i];
        break;
    case SCALE:
#pragma clang loop vectorize(assume_safety)
        for (int64_t i = 0; i < n; i++) y[i] = factor * a[i];
        break;
    }
}

static ck_status run(operation operation, float *y, const float *a, const float *b, float factor, int64_t count) {
    if (count < 0) return CK_BAD_SHAPE;
    element_job job = {y, a, b, factor, count, operation};
    ck_parallel_for(ck_ceil_div(count, CK_ELEMENT_BLOCK), element_block, &job);
    return CK_OK;
}

ck_status ck_relu_forward(float *y, const float *x, int64_t count) { return run(RELU, y, x, NULL, 0, count); }

ck_status ck_relu_backward(float *dx, const float *dy, const float *y, int64_t count) {
    return run(RELU_BACKWARD, dx, dy, y, 0, count);
}

ck_status ck_add(float *y, const float *a, const float *b, int64_t count) { return run(ADD, y, a, b, 0, count); }

ck_status ck_multiply(float *y, const float *a, const float *b, int64_t count) { return run(MULTIPLY, y, a, b, 0, count); }

ck_status ck_scale(float *y, const float *x, float factor, int64_t count) { return run(SCALE, y, x, NULL, factor, count); }

// ---- bias

typedef struct {
    float *y;
    const float *x, *bias;
    double *partials;       // [blocks, C]
    const ck_bias_desc *d;
} bias_job;

CK_BLOCK_COPIES(bias_block) {
    const bias_job *job = context;
    const int channels = job->d->channels;
    const int64_t step = ck_sum_block_rows(channels), begin = block * step, end = ck_min(job->d->rows, begin + step);
    for (int64_t r = begin; r < end; r++) {
        float *y = job->y + r * channels;
        const float *x = job->x + r * channels;
#pragma clang loop vectorize(assume_safety)
        for (int c = 0; c < channels; c++) y[c] = x[c] + job->bias[c];
    }
}

static void bias_sum_block(void *context, int64_t block, int worker) {
    (void)worker;
    const bias_job *job = context;
    const int channels = job->d->channels;
    const int64_t step = ck_sum_block_rows(channels), begin = block * step;
    ck_column_sums(job->partials + block * channels, job->x + begin * channels, ck_min(step, job->d->rows - begin), channels);
}

static int64_t bias_blocks(const ck_bias_desc *d) { return ck_ceil_div(d->rows, ck_sum_block_rows(d->channels)); }

static bool bad_bias(const ck_bias_desc *d) { return d->rows < 1 || d->channels < 1; }

ck_status ck_bias_forward(float *y, const float *x, const float *bias, const ck_bias_desc *d) {
    if (bad_bias(d)) return CK_BAD_SHAPE;
    bias_job job = {y, x, bias, NULL, d};
    ck_parallel_for(bias_blocks(d), bias_block, &job);
    return CK_OK;
}

size_t ck_bias_workspace_bytes(const ck_bias_desc *d) {
    if (bad_bias(d)) return 0;
    return ck_workspace_total(ck_padded((size_t)(bias_blocks(d) * d->channels) * sizeof(double)));
}

ck_status ck_bias_backward(float *dbias, const float *dy, const ck_bias_desc *d, void *workspace, size_t bytes) {
    if (bad_bias(d)) return CK_BAD_SHAPE;
    if (workspace == NULL || bytes < ck_bias_workspace_bytes(d)) return CK_SMALL_WORKSPACE;
    const int64_t blocks = bias_blocks(d);
    double *partials = ck_carve(&workspace, (size_t)(blocks * d->channels) * sizeof(double));
    bias_job job = {NULL, dy, NULL, partials, d};
    ck_parallel_for(blocks, bias_sum_block, &job);
    for (int64_t b = 1; b < blocks; b++) {
        for (int c = 0; c < d->channels; c++) partials[c] += partials[b * d->channels + c];
    }
    for (int c = 0; c < d->channels; c++) dbias[c] += (float)partials[c];
    return CK_OK;
}
