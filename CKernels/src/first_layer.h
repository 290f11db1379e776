// The first layer: jobs over first_layer_simd.h.
#ifndef CK_FIRST_LAYER_H
#define CK_FIRST_LAYER_H

#include "winograd.h"

#pragma clang assume_nonnull begin

/// Rows of partial sums of the training forward pass: [parts][2,K].
CK_HIDDEN int64_t ck_first_layer_parts(const first_layer *layer);

CK_HIDDEN size_t ck_first_layer_forward_bytes(const first_layer *layer, int workers);
/// `scale` multiplies the filters.  Shape: w [K,3,3,3], scale [K].
CK_HIDDEN void ck_first_layer_forward(
    const first_layer *layer, const float *w, const float *_Nullable scale, double *_Nullable sums, int workers, void *workspace);

CK_HIDDEN size_t ck_first_layer_backward_bytes(const first_layer *layer, int workers);
/// dw += the gradient for dy = k1·g(at the extremum) + k2 + k3·y, where y is not there: its share of dw is the filter times the sum of
/// all products of two inputs of one patch (their Gram matrix).
CK_HIDDEN void ck_first_layer_backward(
    float *dw, const first_layer *layer, const float *w, const float *k1, const float *k2, const float *k3, int workers,
    void *workspace);

#pragma clang assume_nonnull end

#endif
