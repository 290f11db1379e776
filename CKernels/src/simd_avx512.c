// The copy of the vector kernels for AVX-512: 512-bit vectors, 32 registers.
#if defined(__x86_64__)
#include <stdint.h>

#include "winograd.h"

#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#define CK_VW 16
#define CK_MR 14
#include "simd_table.h"
#pragma clang attribute pop

const simd_kernels ck_simd_avx512 = CK_SIMD_TABLE;
#endif
