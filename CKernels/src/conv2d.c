// Convolution: shape checks, choice of algorithm, dispatch.
//
// Choice of algorithm (CK_CONV2D_AUTO), first line that fits:
//   pass   shape                                                  algorithm
//   all    3×3, stride 1, padding 1, 16 channels or more on both sides   Winograd
//   all    any                                                    im2col (a 1×1, stride 1, unpadded filter skips the copy)
//
// Why im2col elsewhere: on the small CNN (64 px, batch 128; Zen 5, two threads) its products over blocks of output pixels run at 75 to 100 % of
// square sgemm from 32 channels up; 3→32 reaches a quarter forward and a sixth in the weight gradient, bound by the column copy
// and by products only 27 deep. Blocks of 2 MB were up to 9 % faster than 1 MB, since OpenBLAS packs the weights once per block.
// In the weight gradient, partial sums beat column panels by 1.4 for 64→128 and lose by 1.3 for 256→512, whence the border of
// 512 KB of weights.
//
// Winograd pads channels to whole panels and needs 2.25 to 4 times fewer products; below 16 channels the padding eats that.
// CK_CONV2D_REFERENCE is never chosen; tests and benchmarks ask for it.
#include "conv2d_internal.h"
#include "winograd_driver.h"

bool ck_conv_shape(conv_shape *shape, const ck_conv2d_desc *d) {
    const bool positive = d->batch > 0 && d->height > 0 && d->width > 0 && d->in_channels > 0 && d->out_channels > 0
        && d->kernel_height > 0 && d->kernel_width > 0 && d->stride > 0 && d->padding >= 0;
    if (!positive) return false;
    const int64_t columns = (int64_t)d->kernel_height * d->kernel_width * d->in_channels;
    if (columns > INT32_MAX / 2) return false;
    *shape = (conv_shape){
        .d = *d,
        .out_height = ck_output_size(d->height, d->kernel_height, d->stride, d->padding),
        .out_width = ck_output_size(d->width, d->kernel_width, d->stride, d->padding),
        .columns = (int)columns,
        .workers = ck_thread_count(),
        .pointwise = d->kernel_height == 1 && d->kernel_width == 1 && d->stride == 1 && d->padding == 0,
    };
    shape->rows = (int64_t)d->batch * shape->out_height * shape->out_width;
    return shape->out_height > 0 && shape->out_width > 0;
}

static bool fits_winograd(const ck_conv2d_desc *d) {
    return d->kernel_height == 3 && d->kernel_width == 3 && d->stride == 1 && d->padding == 1;
}

static ck_conv2d_algorithm algorithm_of(const ck_conv2d_desc *d) {
    enum { LEAST_CHANNELS = 16 };
    if (d->algorithm != CK_CONV2D_AUTO) return d->algorithm;
    const bool wide = d->in_channels >= LEAST_CHANNELS && d->out_channels >= LEAST_CHANNELS;
    return fits_winograd(d) && wide ? CK_CONV2D_WINOGRAD : CK_CONV2D_IM2COL;
}

static winograd_job winograd_of(const conv_shape *s) {
    winograd_job job;
    (void)ck_winograd_job(
        &job, s->d.batch, s->d.height, s->d.width, s->d.in_channels, s->d.out_channels, s->workers, false);
    return job;
}

static size_t filter_bytes(const winograd_job *job) { return ck_padded((size_t)ck_winograd_filter_floats(job) * sizeof(float)); }

static ck_bias_desc bias_desc(const conv_shape *shape) {
    return (ck_bias_desc){.rows = shape->rows, .channels = shape->d.out_channels};
}

static size_t winograd_bytes(ck_conv2d_pass pass, const conv_shape *shape) {
    const winograd_job job = winograd_of(shape);
    switch (pass) {
    case CK_CONV2D_FORWARD: return ck_workspace_total(filter_bytes(&job) + ck_winograd_forward_bytes(&job));
    case CK_CONV2D_BACKWARD_INPUT: return ck_workspace_total(ck_winograd_backward_bytes(&job, false, true));
    case CK_CONV2D_BACKWARD_WEIGHT: return ck_workspace_total(ck_winograd_backward_bytes(&job, true, false));
    }
    return 0;
}

static size_t im2col_bytes(ck_conv2d_pass pass, const conv_shape *shape) {
    switch (pass) {
    case CK_CONV2D_FORWARD: return ck_im2col_forward_bytes(shape);
    case CK_CONV2D_BACKWARD_INPUT: return ck_im2col_backward_input_bytes(shape);
    case CK_CONV2D_BACKWARD_WEIGHT: return ck_im2col_backward_weight_bytes(shape);
    }
    return 0;
}

static size_t needed_bytes(ck_conv2d_pass pass, const conv_shape *shape) {
    size_t bytes = 0;
    switch (algorithm_of(&shape->d)) {
    case CK_CONV2D_WINOGRAD: bytes = winograd_bytes(pass, shape); break;
    case CK_CONV2D_IM2COL: bytes = im2col_bytes(pass, shape); break;
    default: break;
    }
    if (pass != CK_CONV2D_BACKWARD_WEIGHT) return bytes;
    // The bias gradient runs after the weight gradient, on the same memory.
    const ck_bias_desc bias = bias_desc(shape);
    return (size_t)ck_max((int64_t)bytes, (int64_t)ck_bias_workspace_bytes(&bias));
}

size_t ck_conv2d_workspace_bytes(ck_conv2d_pass pass, const ck_conv2d_desc *d) {
    conv_shape shape;
    return ck_conv_shape(&shape, d) && (d->algorithm != CK_CONV2D_WINOGRAD || fits_winograd(d)) ? needed_bytes(pass, &shape) : 0;
}

static ck_status prepare(conv_shape *shape, ck_conv2d_pass pass, const ck_conv2d_desc *d, const void *workspace, size_t bytes) {
    if (!ck_conv_shape(shape, d)) return CK_BAD_SHAPE;
    if (d->algorithm == CK_CONV2D_WINOGRAD && !fits_winograd(d)) return CK_BAD_SHAPE;
    const size_t needed = needed_bytes(pass, shape);
    return bytes < needed || (needed > 0 && workspace == NULL) ? CK_SMALL_WORKSPACE : CK_OK;
}

ck_status ck_conv2d_forward(
    float *y, const float *x, const float *w, const float *bias, const ck_conv2d_desc *d, void *workspace, size_t bytes) {
    conv_shape shape;
    const ck_status status = prepare(&shape, CK_CONV2D_FORWARD, d, workspace, bytes);
    if (status != CK_OK) return status;
    switch (algorithm_of(d)) {
    case CK_CONV2D_REFERENCE: ck_reference_forward(y, x, w, bias, &shape); break;
    case CK_CONV2D_WINOGRAD: {
        const winograd_job job = winograd_of(&shape);
        const winograd_input input = {.x = x};
        const winograd_output output = {.end = END_PLAIN, .y = y, .bias = bias};
        float *u = ck_carve(&workspace, filter_bytes(&job));
        ck_winograd_filter(u, w, NULL, &job);
        ck_winograd_forward(&job, u, &input, &output, workspace);
        break;
    }
    default: ck_im2col_forward(y, x, w, bias, &shape, workspace);
    }
    return CK_OK;
}

ck_status ck_conv2d_backward_input(
    float *dx, const float *dy, const float *w, const ck_conv2d_desc *d, void *workspace, size_t bytes) {
    conv_shape shape;
    const ck_status status = prepare(&shape, CK_CONV2D_BACKWARD_INPUT, d, workspace, bytes);
    if (status != CK_OK) return status;
    switch (algorithm_of(d)) {
    case CK_CONV2D_REFERENCE: ck_reference_backward_input(dx, dy, w, &shape); break;
    case CK_CONV2D_WINOGRAD: {
        const winograd_job job = winograd_of(&shape);
        const winograd_gradient gradient = {.kind = GRADIENT_PLAIN, .g = dy};
        const winograd_backward winograd = {.gradient = &gradient, .dx = dx, .w = w};
        ck_winograd_backward(&job, &winograd, workspace);
        break;
    }
    default: ck_im2col_backward_input(dx, dy, w, &shape, workspace);
    }
    return CK_OK;
}

ck_status ck_conv2d_backward_weight(
    float *dw, float *dbias, const float *dy, const float *x, const ck_conv2d_desc *d, void *workspace, size_t bytes) {
    conv_shape shape;
    const ck_status status = prepare(&shape, CK_CONV2D_BACKWARD_WEIGHT, d, workspace, bytes);
    if (status != CK_OK) return status;
    switch (algorithm_of(d)) {
    case CK_CONV2D_REFERENCE: ck_reference_backward_weight(dw, dy, x, &shape); break;
    case CK_CONV2D_WINOGRAD: {
        const winograd_job job = winograd_of(&shape);
        const winograd_input input = {.x = x};
        const winograd_gradient gradient = {.kind = GRADIENT_PLAIN, .g = dy};
        const winograd_backward winograd = {.input = &input, .gradient = &gradient, .dw = dw};
        ck_winograd_backward(&job, &winograd, workspace);
        break;
    }
    default: ck_im2col_backward_weight(dw, dy, x, &shape, workspace);
    }
    if (dbias == NULL) return CK_OK;
    const ck_bias_desc bias = bias_desc(&shape);
    return ck_bias_backward(dbias, dy, &bias, workspace, bytes);
}
