// The portable copy of the vector kernels: 128-bit vectors, which every 64-bit x86 and ARM has.
#define CK_VW 4
#define CK_MR 6
#include "simd_table.h"

const simd_kernels ck_simd_generic = CK_SIMD_TABLE;

const simd_kernels *ck_simd(void) {
#if defined(__x86_64__)
    switch (ck_current_isa()) {
    case CK_ISA_AVX512: return &ck_simd_avx512;
    case CK_ISA_AVX2: return &ck_simd_avx2;
    default: break;
    }
#endif
    return &ck_simd_generic;
}
