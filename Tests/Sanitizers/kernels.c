// Every C kernel on a grid of awkward shapes, with buffers of exactly the needed size, so that the sanitizers see one byte too far.
// Results are checked by the Swift tests; here they must only be finite. Built and run by tools/check_sanitizers.
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sanitizers.h"

static uint64_t state = 1;

static float uniform(void) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (float)(state >> 40) / (1 << 23) - 1;
}

/// count floats in [−1, 1), to be freed by `finish`.
static float *numbers(int64_t count) {
    float *x = keep(malloc((size_t)count * sizeof *x));
    for (int64_t i = 0; i < count; i++) x[i] = uniform();
    return x;
}

static float *positive(int64_t count) {
    float *x = numbers(count);
    for (int64_t i = 0; i < count; i++) x[i] = fabsf(x[i]) + 0.5f;
    return x;
}

static void *scratch(size_t bytes) { return bytes == 0 ? NULL : keep(malloc(bytes)); }

static void finite(const char *what, const float *x, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        if (!isfinite(x[i])) fail("%s: element %lld is %f", what, (long long)i, (double)x[i]);
    }
}

static void convolution(int n, int h, int w, int c, int k, int kernel, int stride, int padding, ck_conv2d_algorithm algorithm) {
    const ck_conv2d_desc d = {n, h, w, c, k, kernel, kernel, stride, padding, algorithm};
    const int64_t oh = ck_output_size(h, kernel, stride, padding), ow = ck_output_size(w, kernel, stride, padding);
    if (oh < 1 || ow < 1) return;
    const int64_t in = (int64_t)n * h * w * c, out = n * oh * ow * k, weights = (int64_t)k * kernel * kernel * c;
    float *x = numbers(in), *y = numbers(out), *filter = numbers(weights), *bias = numbers(k);
    size_t bytes = ck_conv2d_workspace_bytes(CK_CONV2D_FORWARD, &d);
    require(ck_conv2d_forward(y, x, filter, bias, &d, scratch(bytes), bytes));
    finite("convolution", y, out);
    bytes = ck_conv2d_workspace_bytes(CK_CONV2D_BACKWARD_INPUT, &d);
    require(ck_conv2d_backward_input(x, y, filter, &d, scratch(bytes), bytes));
    finite("its input gradient", x, in);
    bytes = ck_conv2d_workspace_bytes(CK_CONV2D_BACKWARD_WEIGHT, &d);
    require(ck_conv2d_backward_weight(filter, bias, y, x, &d, scratch(bytes), bytes));
    finite("its weight gradient", filter, weights);
    finish();
}

static double *sums(int64_t count) {
    double *x = keep(malloc((size_t)count * sizeof *x));
    for (int64_t i = 0; i < count; i++) x[i] = (double)uniform();
    return x;
}

static void block(int n, int h, int w, int c, int k, ck_block_end end) {
    const ck_block_desc d = {n, h, w, c, k, end, 0.1f, 1e-5f};
    if (!ck_block_is_supported(&d)) return;
    const bool first = c == 3;
    const int64_t in = (int64_t)n * h * w * c, whole = (int64_t)n * h * w * k, pooled = (int64_t)n * (h / 2) * (w / 2) * k;
    const int64_t out = end == CK_BLOCK_POOL ? pooled : end == CK_BLOCK_AVERAGE ? (int64_t)n * k : whole;
    ck_block_tensors t = {
        .x = numbers(in), .w = numbers((int64_t)k * 9 * c), .bias = numbers(k), .gamma = positive(k), .beta = numbers(k),
        .running_mean = numbers(k), .running_variance = positive(k), .scale = numbers(k), .shift = numbers(k), .mean = numbers(k),
        .inverse_std = numbers(k), .dw = numbers((int64_t)k * 9 * c), .dgamma = numbers(k), .dbeta = numbers(k),
    };
    t.y = first ? keep(malloc((size_t)pooled)) : (void *)numbers(whole);
    if (end != CK_BLOCK_DENSE) t.out = numbers(out);
    if (end == CK_BLOCK_AVERAGE) t.active = numbers(2 * (int64_t)n * k);
    if (!first) {
        t.x_scale = positive(c);
        t.x_shift = numbers(c);
        t.dx = numbers(in);
        t.dx_sums = sums(2 * c);
    }
    size_t bytes = ck_block_train_workspace_bytes(&d);
    void *workspace = scratch(bytes);
    require(ck_block_forward_train(&t, &d, workspace, bytes));
    if (t.out != NULL) finite("block", t.out, out);
    t.g = numbers(out);
    if (end != CK_BLOCK_AVERAGE) t.g_sums = sums(2 * k);
    require(ck_block_backward(&t, &d, workspace, bytes));
    finite("its filter gradient", t.dw, (int64_t)k * 9 * c);
    if (!first) finite("its input gradient", t.dx, in);

    void *prepared = NULL;
    if (posix_memalign(&prepared, 64, ck_block_prepared_bytes(&d)) != 0) fail("no memory");
    keep(prepared);
    require(ck_block_prepare(prepared, t.w, t.bias, t.gamma, t.beta, t.running_mean, t.running_variance, &d));
    bytes = ck_block_infer_workspace_bytes(&d);
    float *y = numbers(out);
    require(ck_block_forward_infer(y, t.x, prepared, &d, scratch(bytes), bytes));
    finite("block without training", y, out);
    finish();
}

static void normalisation(int64_t rows, int c) {
    const ck_batch_norm_desc d = {rows, c, 0.1f, 1e-5f};
    float *x = numbers(rows * c), *y = numbers(rows * c), *dx = numbers(rows * c);
    float *gamma = numbers(c), *beta = numbers(c), *mean = numbers(c), *inverse = numbers(c);
    float *running = numbers(c), *variance = positive(c), *dgamma = numbers(c), *dbeta = numbers(c);
    const size_t bytes = ck_batch_norm_workspace_bytes(&d);
    require(ck_batch_norm_forward_train(y, mean, inverse, running, variance, x, gamma, beta, &d, scratch(bytes), bytes));
    require(ck_batch_norm_backward(dx, dgamma, dbeta, y, x, gamma, mean, inverse, &d, scratch(bytes), bytes));
    require(ck_batch_norm_forward_infer(y, x, gamma, beta, running, variance, &d));
    finite("batch norm", y, rows * c);
    finite("its gradient", dx, rows * c);
    finish();
}

static void pooling(int n, int h, int w, int c, int kernel, int stride, int padding) {
    const ck_pool2d_desc d = {n, h, w, c, kernel, stride, padding};
    const int64_t oh = ck_output_size(h, kernel, stride, padding), ow = ck_output_size(w, kernel, stride, padding);
    if (oh < 1 || ow < 1) return;
    float *x = numbers((int64_t)n * h * w * c), *dx = numbers((int64_t)n * h * w * c), *y = numbers(n * oh * ow * c);
    require(ck_max_pool2d_forward(y, x, &d));
    require(ck_max_pool2d_backward(dx, y, x, &d));
    finite("max pooling", y, n * oh * ow * c);
    require(ck_average_pool2d_forward(y, x, &d));
    require(ck_average_pool2d_backward(dx, y, &d));
    finite("average pooling", dx, (int64_t)n * h * w * c);
    const ck_global_pool_desc g = {n, h * w, c};
    float *z = numbers((int64_t)n * c);
    require(ck_global_average_pool_forward(z, x, &g));
    require(ck_global_average_pool_backward(dx, z, &g));
    finish();
}

static void elements(int64_t count) {
    float *a = numbers(count), *b = numbers(count), *y = numbers(count), *m = numbers(count), *v = positive(count);
    require(ck_relu_forward(y, a, count));
    require(ck_relu_backward(y, a, b, count));
    require(ck_add(y, a, b, count));
    require(ck_multiply(y, y, b, count));
    require(ck_scale(y, a, 0.5f, count));
    require(ck_adamw_step(a, m, v, b, &(ck_adamw_desc){count, 1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 1}));
    require(ck_sgd_step(a, m, b, &(ck_sgd_desc){count, 1e-3f, 0.9f, 0.01f, true, false}));
    double sum;
    const size_t bytes = ck_sum_of_squares_workspace_bytes(count);
    require(ck_sum_of_squares(&sum, a, count, scratch(bytes), bytes));
    finite("elements", a, count);
    finish();
}

static void dense(int m, int n, int k) {
    float *a = numbers((int64_t)m * k), *b = numbers((int64_t)k * n), *c = numbers((int64_t)m * n), *bias = numbers(n);
    for (int turn = 0; turn < 4; turn++) {
        const bool ta = turn & 1, tb = turn & 2;
        const ck_gemm_desc d = {m, n, k, ta ? m : k, tb ? k : n, n, ta, tb, turn == 3};
        require(ck_gemm(c, a, b, turn == 1 ? bias : NULL, &d));
    }
    finite("matrix product", c, (int64_t)m * n);
    const ck_bias_desc d = {m, n};
    require(ck_bias_forward(c, c, bias, &d));
    const size_t bytes = ck_bias_workspace_bytes(&d);
    require(ck_bias_backward(bias, c, &d, scratch(bytes), bytes));
    finish();
}

static void image(int sw, int sh, int w, int h, ck_filter filter) {
    const ck_resize_desc d = {sw, sh, w, h, filter};
    uint8_t *x = keep(malloc((size_t)sw * (size_t)sh * 3)), *y = keep(malloc((size_t)w * (size_t)h * 3));
    for (int i = 0; i < sw * sh * 3; i++) x[i] = (uint8_t)(i * 31);
    const size_t table_bytes = ck_resize_table_bytes(&d), bytes = ck_resize_workspace_bytes(&d);
    void *table = scratch(table_bytes);
    require(ck_resize_table_init(table, table_bytes, &d));
    require(ck_resize_forward(y, x, &d, table, scratch(bytes), bytes));
    const float mean[3] = {0.5f, 0.4f, 0.3f}, std[3] = {0.2f, 0.3f, 0.4f};
    float *z = numbers((int64_t)w * h * 3);
    require(ck_normalize_forward(z, y, (int64_t)w * h, mean, std));
    finite("pixels", z, (int64_t)w * h * 3);
    require(ck_resize_normalize_forward(z, x, &d, table, mean, std, scratch(bytes), bytes));
    finite("resized pixels", z, (int64_t)w * h * 3);
    finish();
}

static void every_kernel(void) {
    static const int sides[] = {1, 2, 3, 5, 8, 13}, channels[] = {1, 3, 16, 33, 64};
    for (size_t s = 0; s < sizeof sides / sizeof *sides; s++) {
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
            const int side = sides[s], width = channels[c], other = channels[(c + 2) % 5];
            for (int algorithm = CK_CONV2D_AUTO; algorithm < SANITIZED_ALGORITHMS; algorithm++) {
                convolution(1 + (int)s % 3, side, side + 1, width, other, 3, 1, 1, (ck_conv2d_algorithm)algorithm);
            }
            convolution(2, side, side, width, other, 3, 2, 1, CK_CONV2D_AUTO);
            convolution(1, side, side, width, other, 1, 1, 0, CK_CONV2D_AUTO);
            convolution(1, side + 4, side, width, other, 5, 2, 2, CK_CONV2D_AUTO);
            normalisation((int64_t)side * side * 3, width);
            pooling(2, side, side + 1, width, 2, 2, 0);
            pooling(1, side, side, width, 3, 2, 1);
            elements((int64_t)side * side * side * width);
            dense(side, width, other);
        }
    }
    convolution(1, 14, 14, 3, 32, 7, 2, 3, CK_CONV2D_AUTO);
    convolution(2, 21, 18, 40, 72, 3, 1, 1, CK_CONV2D_AUTO);
    elements(16385);
    dense(1030, 70, 33);
    for (int end = CK_BLOCK_DENSE; end <= CK_BLOCK_AVERAGE; end++) {
        block(1, 1, 1, 32, 32, (ck_block_end)end);
        block(1, 4, 5, 32, 96, (ck_block_end)end);
        block(3, 7, 9, 64, 32, (ck_block_end)end);
        block(5, 16, 12, 32, 64, (ck_block_end)end);
    }
    block(2, 9, 6, 3, 32, CK_BLOCK_POOL);
    block(1, 32, 35, 3, 64, CK_BLOCK_POOL);
    for (int filter = CK_BILINEAR; filter <= CK_NEAREST; filter++) {
        image(178, 218, 64, 64, (ck_filter)filter);
        image(7, 5, 31, 17, (ck_filter)filter);
        image(1, 1, 3, 2, (ck_filter)filter);
    }
}

int main(void) {
    static const int threads[] = {1, 3};
    for (int isa = 0; isa <= (int)ck_isa_best(); isa++) {
        require(ck_set_isa((ck_isa)isa));
        for (size_t t = 0; t < 2; t++) {
            require(ck_set_threads(threads[t]));
            every_kernel();
        }
        printf("kernels: %s clean\n", ck_isa_name((ck_isa)isa));
    }
    return 0;
}
