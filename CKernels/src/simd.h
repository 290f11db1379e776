// One vector type per instruction set, for kernels that are written once and compiled three times.
//
// simd_avx512.c, simd_avx2.c and simd_generic.c define CK_VW (floats per vector) and CK_MR (rows of the product kernel), switch the
// compiler to their instruction set and include the *_simd.h files. There is no -march: the instruction set is an attribute of the
// functions. Vectors are clang's own, so the portable copy is the same text (SSE2, NEON).
#ifndef CK_SIMD_H
#define CK_SIMD_H

#include "winograd.h"

typedef float vf __attribute__((ext_vector_type(CK_VW)));
typedef int32_t vi __attribute__((ext_vector_type(CK_VW)));
typedef float vf_unaligned __attribute__((ext_vector_type(CK_VW), aligned(4)));
typedef double vd __attribute__((ext_vector_type(CK_VW)));
typedef double vd_unaligned __attribute__((ext_vector_type(CK_VW), aligned(8)));

enum { VW = CK_VW, MR = CK_MR, PANEL = 2 * CK_VW };

#define CK_UNROLL _Pragma("clang loop unroll(full)")

CK_INLINE vf load(const float *p) { return *(const vf_unaligned *)p; }
CK_INLINE void store(float *p, vf v) { *(vf_unaligned *)p = v; }
CK_INLINE vf splat(float x) { return (vf)x; }

/// The larger; `b` where either is NaN. One instruction on x86.
CK_INLINE vf larger(vf a, vf b) { return a > b ? a : b; }

/// max(x, 0); NaN stays NaN.
CK_INLINE vf positive_part(vf x) { return larger(splat(0), x); }

/// x where the mask is set, else 0.
CK_INLINE vf keep(vf x, vi mask) { return (vf)((vi)x & mask); }

/// The first `lanes` floats; the rest is 0.
CK_INLINE vf load_lanes(const float *p, int lanes) {
    if (lanes == VW) return load(p);
    float lane[VW] = {0};
    for (int i = 0; i < lanes; i++) lane[i] = p[i];
    return load(lane);
}

CK_INLINE void store_lanes(float *p, vf v, int lanes) {
    if (lanes == VW) {
        store(p, v);
        return;
    }
    float lane[VW];
    store(lane, v);
    for (int i = 0; i < lanes; i++) p[i] = lane[i];
}

CK_INLINE vf sign_bits(vf x) { return (vf)((vi)x & (vi)INT32_MIN); }
CK_INLINE vf flip(vf x, vf signs) { return (vf)((vi)x ^ (vi)signs); }

CK_INLINE void add_double(double *sums, vf x, int lanes) {
    if (lanes == VW) {
        *(vd_unaligned *)sums += __builtin_convertvector(x, vd);
        return;
    }
    float lane[VW];
    store(lane, x);
    for (int i = 0; i < lanes; i++) sums[i] += lane[i];
}

/// Transposes VW × VW floats in registers: log2(VW) perfect shuffles of the rows.
CK_INLINE void transpose(vf rows[VW]) {
    CK_UNROLL
    for (int stage = 1; stage < VW; stage *= 2) {
        vf next[VW];
        CK_UNROLL
        for (int i = 0; i < VW / 2; i++) {
            const vf a = rows[i], b = rows[i + VW / 2];
#if CK_VW == 16
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
#elif CK_VW == 8
            next[2 * i] = __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
#else
            next[2 * i] = __builtin_shufflevector(a, b, 0, 4, 1, 5);
            next[2 * i + 1] = __builtin_shufflevector(a, b, 2, 6, 3, 7);
#endif
        }
        CK_UNROLL
        for (int i = 0; i < VW; i++) rows[i] = next[i];
    }
}

#endif
