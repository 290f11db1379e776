// The choice of instruction set.
//
// Hand-written kernels are one source compiled once per instruction set (simd.h says how); this file picks the copy that runs.
// The plain loops marked CK_CLONES are picked by the loader from the processor alone and do not follow FACEFAIR_ISA.
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

enum { UNDECIDED = -1 };

static atomic_int process_isa = UNDECIDED;      // what the processor and the environment say
static _Thread_local int forced_isa = UNDECIDED;

static const char *const names[CK_ISA_COUNT] = {"generic", "avx2", "avx512"};

ck_isa ck_isa_best(void) {
#if defined(__x86_64__)
    // x86-64-v4 is AVX-512 F, BW, CD, DQ, VL; v3 is AVX2, FMA, BMI. The builtin also asks whether the system saves the registers.
    if (__builtin_cpu_supports("x86-64-v4")) return CK_ISA_AVX512;
    if (__builtin_cpu_supports("x86-64-v3")) return CK_ISA_AVX2;
#endif
    return CK_ISA_GENERIC;
}

/// CK_ISA_COUNT for a name that is none.
static ck_isa named(const char *name) {
    for (int isa = 0; isa < CK_ISA_COUNT; isa++) {
        if (strcmp(name, names[isa]) == 0) return (ck_isa)isa;
    }
    return CK_ISA_COUNT;
}

static const char *environment(void) {
    const char *value = getenv("FACEFAIR_ISA");
    return value && *value ? value : NULL;
}

ck_status ck_check_isa_environment(void) {
    const char *value = environment();
    return value && named(value) > ck_isa_best() ? CK_BAD_ARGUMENT : CK_OK;
}

ck_isa ck_current_isa(void) {
    if (forced_isa != UNDECIDED) return (ck_isa)forced_isa;
    int isa = atomic_load_explicit(&process_isa, memory_order_relaxed);
    if (isa != UNDECIDED) return (ck_isa)isa;
    // Two threads may get here at once; both find the same answer.
    const char *value = environment();
    isa = value && named(value) <= ck_isa_best() ? (int)named(value) : (int)ck_isa_best();
    atomic_store_explicit(&process_isa, isa, memory_order_relaxed);
    return (ck_isa)isa;
}

ck_status ck_set_isa(ck_isa isa) {
    if ((int)isa < 0 || isa > ck_isa_best()) return CK_BAD_ARGUMENT;
    forced_isa = (int)isa;
    return CK_OK;
}

void ck_follow_isa(ck_isa isa) { forced_isa = (int)isa; }

const char *ck_isa_name(ck_isa isa) { return (int)isa >= 0 && isa < CK_ISA_COUNT ? names[isa] : "unknown"; }
