// Optimizer steps and gradient norms over flat parameter buffers.
#ifndef CK_OPTIMIZER_H
#define CK_OPTIMIZER_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef struct ck_adamw_desc {
    int64_t count;
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    int64_t step;           // 1 for the first step
} ck_adamw_desc;

/// One decoupled-weight-decay Adam step; p, m, v are updated.  Shape: all [count].  Source: torch.optim.AdamW.
CK_CHECKED ck_status ck_adamw_step(float *p, float *m, float *v, const float *g, const ck_adamw_desc *desc);

typedef struct ck_sgd_desc {
    int64_t count;
    float learning_rate, momentum, weight_decay;
    bool nesterov;
    bool first_step;        // the momentum buffer starts as a copy of the gradient
} ck_sgd_desc;

/// One step of stochastic gradient descent; `momentum` is needed only when desc.momentum is not 0.
/// Shape: all [count].  Source: torch.optim.SGD.
CK_CHECKED ck_status ck_sgd_step(float *p, float *_Nullable momentum, const float *g, const ck_sgd_desc *desc);

size_t ck_sum_of_squares_workspace_bytes(int64_t count);

/// Σ x² in double.  Shape: x [count].
CK_CHECKED ck_status ck_sum_of_squares(double *sum, const float *x, int64_t count, void *_Nullable workspace, size_t bytes);

#pragma clang assume_nonnull end

#endif
