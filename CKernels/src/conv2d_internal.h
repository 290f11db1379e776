// Shared by the convolution algorithms.
#ifndef CK_CONV2D_INTERNAL_H
#define CK_CONV2D_INTERNAL_H

#include "internal.h"

#pragma clang assume_nonnull begin

/// A checked descriptor with what every algorithm derives from it. Column = one (ky, kx, c) of the filter; row = output pixel.
typedef struct {
    ck_conv2d_desc d;
    int out_height, out_width;
    int64_t rows;           // N·OH·OW
    int columns;            // kh·kw·C
    int workers;            // threads that scratch is laid out for
    bool pointwise;         // 1×1, stride 1, no padding: the input already is the column matrix
} conv_shape;

/// False for a shape no pass is defined for.
CK_HIDDEN bool ck_conv_shape(conv_shape *shape, const ck_conv2d_desc *desc);

/// Copies columns [first, last) of output pixels [row, row + rows) to col, zero where the window hangs over the edge.
/// Shape: col [rows, last − first], x [N,H,W,C].
CK_HIDDEN void ck_im2col(
    float *col, const float *x, const conv_shape *shape, int64_t row, int64_t rows, int first, int last);

/// Adds column gradients back onto the input.  Shape: dx [N,H,W,C], dcol [rows, columns].
CK_HIDDEN void ck_col2im(float *dx, const float *dcol, const conv_shape *shape, int64_t row, int64_t rows);

CK_HIDDEN size_t ck_im2col_forward_bytes(const conv_shape *shape);
CK_HIDDEN void ck_im2col_forward(
    float *y, const float *x, const float *w, const float *_Nullable bias, const conv_shape *shape, void *_Nullable workspace);

CK_HIDDEN size_t ck_im2col_backward_input_bytes(const conv_shape *shape);
CK_HIDDEN void ck_im2col_backward_input(
    float *dx, const float *dy, const float *w, const conv_shape *shape, void *_Nullable workspace);

CK_HIDDEN size_t ck_im2col_backward_weight_bytes(const conv_shape *shape);
CK_HIDDEN void ck_im2col_backward_weight(
    float *dw, const float *dy, const float *x, const conv_shape *shape, void *_Nullable workspace);

CK_HIDDEN void ck_reference_forward(float *y, const float *x, const float *w, const float *_Nullable bias, const conv_shape *shape);
CK_HIDDEN void ck_reference_backward_input(float *dx, const float *dy, const float *w, const conv_shape *shape);
CK_HIDDEN void ck_reference_backward_weight(float *dw, const float *dy, const float *x, const conv_shape *shape);

#pragma clang assume_nonnull end

#endif
