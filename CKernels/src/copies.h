// Plain loops compiled once per instruction set: AVX-512, AVX2 and what every machine of the architecture has. The copy that runs
// follows ck_current_isa(), so FACEFAIR_ISA and the tests can force one; the text of the loop is written once.
#ifndef CK_COPIES_H
#define CK_COPIES_H

#include "CKernels.h"

/// CK_COPIES(linkage, name, (parameters), (arguments)) { body } defines `linkage void name(parameters)`.
#if defined(__x86_64__)
#define CK_COPIES(linkage, name, parameters, arguments)                                                              \
    static inline __attribute__((always_inline)) void name##_text parameters;                                         \
    __attribute__((target("arch=x86-64-v4"))) static void name##_avx512 parameters { name##_text arguments; }          \
    __attribute__((target("arch=x86-64-v3"))) static void name##_avx2 parameters { name##_text arguments; }            \
    static void name##_generic parameters { name##_text arguments; }                                                  \
    linkage void name parameters {                                                                                    \
        switch (ck_current_isa()) {                                                                                   \
        case CK_ISA_AVX512: name##_avx512 arguments; return;                                                          \
        case CK_ISA_AVX2: name##_avx2 arguments; return;                                                              \
        default: name##_generic arguments; return;                                                                    \
        }                                                                                                             \
    }                                                                                                                 \
    static inline __attribute__((always_inline)) void name##_text parameters
#else
#define CK_COPIES(linkage, name, parameters, arguments) linkage void name parameters
#endif

/// The same for the work of one block; see ck_block_fn. `worker` may stay unused.
#define CK_BLOCK_COPIES(name)                                                                                         \
    CK_COPIES(static, name, (void *context, int64_t block, __attribute__((unused)) int worker), (context, block, worker))

#endif
