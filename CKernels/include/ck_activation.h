// Element-wise operations. Every output may be the very buffer of one of its inputs.
#ifndef CK_ACTIVATION_H
#define CK_ACTIVATION_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

/// y = max(x, 0); NaN stays NaN.  Source: torch.relu.
CK_CHECKED ck_status ck_relu_forward(float *y, const float *x, int64_t count);

/// dx = dy where the forward output y is positive (or NaN), else 0.  Source: torch.ops.aten.threshold_backward.
CK_CHECKED ck_status ck_relu_backward(float *dx, const float *dy, const float *y, int64_t count);

/// y = a + b.
CK_CHECKED ck_status ck_add(float *y, const float *a, const float *b, int64_t count);

/// y = a · b element by element (dropout: b is the scaled mask).
CK_CHECKED ck_status ck_multiply(float *y, const float *a, const float *b, int64_t count);

/// y = factor · x.
CK_CHECKED ck_status ck_scale(float *y, const float *x, float factor, int64_t count);

typedef struct ck_bias_desc {
    int64_t rows;
    int channels;
} ck_bias_desc;

/// y[r] = x[r] + bias.  Shape: y, x [rows,C], bias [C].
CK_CHECKED ck_status ck_bias_forward(float *y, const float *x, const float *bias, const ck_bias_desc *desc);

size_t ck_bias_workspace_bytes(const ck_bias_desc *desc);

/// dbias += column sums of dy.  Shape: dbias [C], dy [rows,C].
CK_CHECKED ck_status ck_bias_backward(
    float *dbias, const float *dy, const ck_bias_desc *desc, void *_Nullable workspace, size_t bytes);

#pragma clang assume_nonnull end

#endif
