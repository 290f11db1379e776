// Row-major single-precision matrix product over the pool.
#ifndef CK_GEMM_H
#define CK_GEMM_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef struct ck_gemm_desc {
    int m, n, k;
    int lda, ldb, ldc;      // leading dimensions of the matrices as stored
    bool transpose_a;       // a is stored [k,m]
    bool transpose_b;       // b is stored [n,k]
    bool accumulate;        // c += instead of c =
} ck_gemm_desc;

/// c = op(a) · op(b) + bias.  Shape: op(a) [m,k], op(b) [k,n], c [m,n], bias [n] added to every row.
/// Source: torch.addmm.
CK_CHECKED ck_status ck_gemm(float *c, const float *a, const float *b, const float *_Nullable bias, const ck_gemm_desc *desc);

/// Name of the OpenBLAS kernel set in use, such as "SkylakeX".
const char *ck_blas_core_name(void);

#pragma clang assume_nonnull end

#endif
