// Batch normalisation over [rows, channels], rows = every pixel of the batch.
#ifndef CK_NORM_H
#define CK_NORM_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef struct ck_batch_norm_desc {
    int64_t rows;
    int channels;
    float momentum;         // share of the new statistics in the running ones; training only
    float epsilon;
} ck_batch_norm_desc;

/// Workspace of the training forward and of the backward pass.
size_t ck_batch_norm_workspace_bytes(const ck_batch_norm_desc *desc);

/// y = gamma·(x − mean)·inverse_std + beta with the batch's own statistics; updates the running ones (variance unbiased).
/// With one row the variance is 0 and the running variance keeps its value (torch refuses that case).
/// Shape: y, x [rows,C]; all others [C].  Source: torch.nn.functional.batch_norm(training=True).
CK_CHECKED ck_status ck_batch_norm_forward_train(
    float *y, float *mean, float *inverse_std, float *running_mean, float *running_variance,
    const float *x, const float *gamma, const float *beta,
    const ck_batch_norm_desc *desc, void *_Nullable workspace, size_t bytes);

/// The same with the running statistics.  Shape: as above.  Source: torch.nn.functional.batch_norm(training=False).
CK_CHECKED ck_status ck_batch_norm_forward_infer(
    float *y, const float *x, const float *gamma, const float *beta,
    const float *running_mean, const float *running_variance, const ck_batch_norm_desc *desc);

/// dx of the training forward pass; dgamma and dbeta accumulate.  Shape: dx, dy, x [rows,C]; all others [C].
/// Source: torch.ops.aten.native_batch_norm_backward.
CK_CHECKED ck_status ck_batch_norm_backward(
    float *dx, float *dgamma, float *dbeta, const float *dy, const float *x,
    const float *gamma, const float *mean, const float *inverse_std,
    const ck_batch_norm_desc *desc, void *_Nullable workspace, size_t bytes);

#pragma clang assume_nonnull end

#endif
