// Convolution: shape checks, choice of algorithm, dispatch.
//
// Choice of algorithm (CK_CONV2D_AUTO), first line that fits:
//   pass            shape      algorithm
//   all             any        im2col (a 1×1, stride 1, unpadded filter skips the copy and is one product)
//
// Why: on the small CNN (64 px, batch 128; Zen 5, two threads) its products over blocks of output pixels run at 75 to 100 % of
// square sgemm from 32 channels up; 3→32 reaches a quarter forward and a sixth in the weight gradient, bound by the column copy
// and by products only 27 deep. Blocks of 2 MB were up to 9 % faster than 1 MB, since OpenBLAS packs the weights once per block.
// In the weight gradient, partial sums beat column panels by 1.4 for 64→128 and lose by 1.3 for 256→512, whence the border of
// 512 KB of weights.
//
// CK_CONV2D_REFERENCE is never chosen; tests and benchmarks ask for it.
#include "conv2d_internal.h"

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

static bool uses_reference(const ck_conv2d_desc *d) { return d->algorithm == CK_CONV2D_REFERENCE; }

static ck_bias_desc bias_desc(const conv_shape *shape) {
    return (ck_bias_desc){.rows = shape->rows, .channels = shape->d.out_channels};
}

static size_t needed_bytes(ck_conv2d_pass pass, const conv_shape *shape) {
    const bool reference = uses_reference(&shape->d);
    switch (pass) {
    case CK_CONV2D_FORWARD: return reference ? 0 : ck_im2col_forward_bytes(shape);
    case CK_CONV2D_BACKWARD_INPUT: return reference ? 0 : ck_im2col_backward_input_bytes(shape);
    case CK_CONV2D_BACKWARD_WEIGHT: {
        // The bias gradient runs after the weight gradient, on the same memory.
        const ck_bias_desc bias = bias_desc(shape);
        const size_t weight = reference ? 0 : ck_im2col_backward_weight_bytes(shape);
        return (size_t)ck_max((int64_t)weight, (int64_t)ck_bias_workspace_bytes(&bias));
    }
    }
    return 0;
}

size_t ck_conv2d_workspace_bytes(ck_conv2d_pass pass, const ck_conv2d_desc *d) {
    conv_shape shape;
    return ck_conv_shape(&shape, d) ? needed_bytes(pass, &shape) : 0;
}

static ck_status prepare(conv_shape *shape, ck_conv2d_pass pass, const ck_conv2d_desc *d, const void *workspace, size_t bytes) {
    if (!ck_conv_shape(shape, d)) return CK_BAD_SHAPE;
    const size_t needed = needed_bytes(pass, shape);
    return bytes < needed || (needed > 0 && workspace == NULL) ? CK_SMALL_WORKSPACE : CK_OK;
}

ck_status ck_conv2d_forward(
    float *y, const float *x, const float *w, const float *bias, const ck_conv2d_desc *d, void *workspace, size_t bytes) {
    conv_shape shape;
    const ck_status status = prepare(&shape, CK_CONV2D_FORWARD, d, workspace, bytes);
    if (status != CK_OK) return status;
    if (uses_reference(d)) ck_reference_forward(y, x, w, bias, &shape);
    else ck_im2col_forward(y, x, w, bias, &shape, workspace);
    return CK_OK;
}

ck_status ck_conv2d_backward_input(
    float *dx, const float *dy, const float *w, const ck_conv2d_desc *d, void *workspace, size_t bytes) {
    conv_shape shape;
    const ck_status status = prepare(&shape, CK_CONV2D_BACKWARD_INPUT, d, workspace, bytes);
    if (status != CK_OK) return status;
    if (uses_reference(d)) ck_reference_backward_input(dx, dy, w, &shape);
    else ck_im2col_backward_input(dx, dy, w, &shape, workspace);
    return CK_OK;
}

ck_status ck_conv2d_backward_weight(
    float *dw, float *dbias, const float *dy, const float *x, const ck_conv2d_desc *d, void *workspace, size_t bytes) {
    conv_shape shape;
    const ck_status status = prepare(&shape, CK_CONV2D_BACKWARD_WEIGHT, d, workspace, bytes);
    if (status != CK_OK) return status;
    if (uses_reference(d)) ck_reference_backward_weight(dw, dy, x, &shape);
    else ck_im2col_backward_weight(dw, dy, x, &shape, workspace);
    if (dbias == NULL) return CK_OK;
    const ck_bias_desc bias = bias_desc(&shape);
    return ck_bias_backward(dbias, dy, &bias, workspace, bytes);
}
