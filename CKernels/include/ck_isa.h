// Which instruction set the hand-written kernels use: chosen once from the processor, or forced by FACEFAIR_ISA or a test.
#ifndef CK_ISA_H
#define CK_ISA_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

typedef enum ck_isa {
    CK_ISA_GENERIC = 0,     // portable C: 128-bit vectors (SSE2, NEON)
    CK_ISA_AVX2,            // 256-bit vectors and FMA
    CK_ISA_AVX512,          // 512-bit vectors
    CK_ISA_COUNT,
} ck_isa;

/// The best one this machine has, whatever the environment says.
ck_isa ck_isa_best(void);

/// The one in use on this thread: ck_isa_best() or what FACEFAIR_ISA=avx512|avx2|generic says, unless ck_set_isa forced another. A
/// value of FACEFAIR_ISA that ck_check_isa_environment refuses is ignored here.
ck_isa ck_current_isa(void);

/// CK_BAD_ARGUMENT when FACEFAIR_ISA is not one of the names, or names one that this machine lacks.
CK_CHECKED ck_status ck_check_isa_environment(void);

/// Forces a path for the calling thread and for what the pool does for it; for tests and benchmarks, so that tests that run at the same
/// time do not meet. Prepared weights and workspace sizes depend on it.
/// Errors: CK_BAD_ARGUMENT for a path that this machine lacks.
CK_CHECKED ck_status ck_set_isa(ck_isa isa);

/// "generic", "avx2" or "avx512".
const char *ck_isa_name(ck_isa isa);

#pragma clang assume_nonnull end

#endif
