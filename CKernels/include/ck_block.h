// One block of a convolutional network as one operation: 3×3 convolution (stride 1, padding 1), batch norm, ReLU, and what follows.
//
// What a block hands to the next is not its output but the convolution's result before batch norm, pooled where the block pools, with
// two numbers per channel: the next block reads relu(scale·x + shift). Nothing between two convolutions passes through memory twice.
#ifndef CK_BLOCK_H
#define CK_BLOCK_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef enum ck_block_end {
    CK_BLOCK_DENSE = 0,     // nothing follows
    CK_BLOCK_POOL,          // 2×2 maximum, stride 2, odd rests dropped
    CK_BLOCK_AVERAGE,       // the mean over the image
} ck_block_end;

typedef struct ck_block_desc {
    int batch, height, width, in_channels, out_channels;
    ck_block_end end;
    float momentum, epsilon;
} ck_block_desc;

/// Whether the operations below exist for a block: channels in multiples of 32, or 3 channels in and pooling.
/// A block of 3 channels in is a first layer: it has no input gradient, and its `y` is one byte per pooled element.
bool ck_block_is_supported(const ck_block_desc *desc);

/// Pointers of one block in training. Shape: N,H,W,C in, K out; O is the end's output, [N,H,W,K], [N,H/2,W/2,K] or [N,K].
typedef struct ck_block_tensors {
    // given
    const float *x;                             // [N,H,W,C]
    const float *_Nullable x_scale, *_Nullable x_shift;     // [C]; NULL: the input is x itself
    const float *w;                             // [K,3,3,C]
    const float *_Nullable bias;                // [K]; moves the running mean only
    const float *gamma, *beta;                  // [K]
    // forward
    float *running_mean, *running_variance;     // [K], updated
    void *y;                                    // [N,H,W,K] float, or [N,H/2,W/2,K] bytes for a first layer
    float *_Nullable out;                       // pooled: [N,H/2,W/2,K] before batch norm; average: [N,K], the block's real output
    float *scale, *shift;                       // [K]: the block's output is relu(scale·y + shift)
    float *mean, *inverse_std;                  // [K]
    float *_Nullable active;                    // average: [2,N,K], how many pixels are positive and the sum of their y
    // backward
    const float *_Nullable g;                   // gradient of O; unless average, masked and summed by the next block
    const double *_Nullable g_sums;             // [2,K]: Σ g and Σ g·O; average: unused
    float *_Nullable dx;                        // [N,H,W,C]: for x's own block, masked by its ReLU
    double *_Nullable dx_sums;                  // [2,C]: Σ dx and Σ dx·x
    float *_Nullable dw, *_Nullable dgamma, *_Nullable dbeta;           // +=
} ck_block_tensors;

/// Workspace of the training passes, for the present thread count and instruction set.
size_t ck_block_train_workspace_bytes(const ck_block_desc *desc);

/// Source: torch.nn.Conv2d, BatchNorm2d(training), ReLU, MaxPool2d(2) or AdaptiveAvgPool2d(1).
CK_CHECKED ck_status ck_block_forward_train(const ck_block_tensors *t, const ck_block_desc *desc, void *_Nullable workspace, size_t bytes);

/// The gradient of the bias is 0 in front of batch norm and is not touched.
CK_CHECKED ck_status ck_block_backward(const ck_block_tensors *t, const ck_block_desc *desc, void *_Nullable workspace, size_t bytes);

/// Bytes of what ck_block_prepare computes, for the present instruction set.
size_t ck_block_prepared_bytes(const ck_block_desc *desc);

/// Folds batch norm into filter and bias and brings the filter into the form the forward pass wants. Depends on the channels alone,
/// not on batch and image size. `prepared` is aligned to 64 bytes.
CK_CHECKED ck_status ck_block_prepare(
    void *prepared, const float *w, const float *_Nullable bias, const float *gamma, const float *beta,
    const float *running_mean, const float *running_variance, const ck_block_desc *desc);

size_t ck_block_infer_workspace_bytes(const ck_block_desc *desc);

/// out = the block's real output.  Shape: out O, x [N,H,W,C], the real output of the block before.
CK_CHECKED ck_status ck_block_forward_infer(
    float *out, const float *x, const void *prepared, const ck_block_desc *desc, void *_Nullable workspace, size_t bytes);

#pragma clang assume_nonnull end

#endif
