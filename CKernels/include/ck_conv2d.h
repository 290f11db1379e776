// Two-dimensional convolution, forward and backward.
#ifndef CK_CONV2D_H
#define CK_CONV2D_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef enum ck_conv2d_algorithm {
    CK_CONV2D_AUTO = 0,         // what the table in conv2d.c says
    CK_CONV2D_REFERENCE,        // nested loops, one thread: the oracle of the tests
    CK_CONV2D_IM2COL,
    CK_CONV2D_WINOGRAD,         // 3×3, stride 1, padding 1
} ck_conv2d_algorithm;

typedef enum ck_conv2d_pass {
    CK_CONV2D_FORWARD = 0,
    CK_CONV2D_BACKWARD_INPUT,
    CK_CONV2D_BACKWARD_WEIGHT,
} ck_conv2d_pass;

typedef struct ck_conv2d_desc {
    int batch, height, width, in_channels;
    int out_channels, kernel_height, kernel_width;
    int stride, padding;                // the same in both directions
    ck_conv2d_algorithm algorithm;
} ck_conv2d_desc;

/// Workspace of one pass for the present thread count; 0 for a shape the pass would refuse.
size_t ck_conv2d_workspace_bytes(ck_conv2d_pass pass, const ck_conv2d_desc *desc);

/// y = x ⋆ w + bias.  Shape: y [N,OH,OW,K], x [N,H,W,C], w [K,kh,kw,C], bias [K].  Source: torch.nn.functional.conv2d.
CK_CHECKED ck_status ck_conv2d_forward(
    float *y, const float *x, const float *w, const float *_Nullable bias,
    const ck_conv2d_desc *desc, void *_Nullable workspace, size_t bytes);

/// dx = the adjoint of the forward pass in x.  Shape: dx [N,H,W,C], dy [N,OH,OW,K], w [K,kh,kw,C].
/// Source: torch.nn.grad.conv2d_input.
CK_CHECKED ck_status ck_conv2d_backward_input(
    float *dx, const float *dy, const float *w,
    const ck_conv2d_desc *desc, void *_Nullable workspace, size_t bytes);

/// dw += the adjoint in w, dbias += the sum of dy over pixels.  Shape: dw [K,kh,kw,C], dbias [K], dy [N,OH,OW,K], x [N,H,W,C].
/// Source: torch.nn.grad.conv2d_weight.
CK_CHECKED ck_status ck_conv2d_backward_weight(
    float *dw, float *_Nullable dbias, const float *dy, const float *x,
    const ck_conv2d_desc *desc, void *_Nullable workspace, size_t bytes);

#pragma clang assume_nonnull end

#endif
