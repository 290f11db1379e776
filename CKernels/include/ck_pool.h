// Pooling over windows and over whole images.
#ifndef CK_POOL_H
#define CK_POOL_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef struct ck_pool2d_desc {
    int batch, height, width, channels;
    int kernel, stride, padding;        // square; 2·padding <= kernel; floor mode
} ck_pool2d_desc;

/// y = the window maximum; NaN wins over everything.  Shape: y [N,OH,OW,C], x [N,H,W,C].
/// Source: torch.nn.functional.max_pool2d.
CK_CHECKED ck_status ck_max_pool2d_forward(float *y, const float *x, const ck_pool2d_desc *desc);

/// dx: each dy goes to the first maximum of its window in row order; after a NaN, to the last NaN, as torch does.
/// Shape: dx, x [N,H,W,C], dy [N,OH,OW,C].
CK_CHECKED ck_status ck_max_pool2d_backward(float *dx, const float *dy, const float *x, const ck_pool2d_desc *desc);

/// y = the window sum over kernel², padding counted.  Shape: y [N,OH,OW,C], x [N,H,W,C].
/// Source: torch.nn.functional.avg_pool2d(count_include_pad=True).
CK_CHECKED ck_status ck_average_pool2d_forward(float *y, const float *x, const ck_pool2d_desc *desc);

/// Shape: dx [N,H,W,C], dy [N,OH,OW,C].
CK_CHECKED ck_status ck_average_pool2d_backward(float *dx, const float *dy, const ck_pool2d_desc *desc);

typedef struct ck_global_pool_desc {
    int batch, pixels, channels;
} ck_global_pool_desc;

/// y = mean over pixels.  Shape: y [N,C], x [N,pixels,C].  Source: torch.nn.functional.adaptive_avg_pool2d(1).
CK_CHECKED ck_status ck_global_average_pool_forward(float *y, const float *x, const ck_global_pool_desc *desc);

/// Shape: dx [N,pixels,C], dy [N,C].
CK_CHECKED ck_status ck_global_average_pool_backward(float *dx, const float *dy, const ck_global_pool_desc *desc);

#pragma clang assume_nonnull end

#endif
