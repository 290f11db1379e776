// The copy of the vector kernels for AVX2 and FMA: 256-bit vectors, 16 registers.
#if defined(__x86_64__)
#include <stdint.h>

#include "winograd.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#define CK_VW 8
#define CK_MR 6
#include "simd_table.h"
#pragma clang attribute pop

const simd_kernels ck_simd_avx2 = CK_SIMD_TABLE;
#endif
