// What the kernels share but callers do not see.
#ifndef CK_INTERNAL_H
#define CK_INTERNAL_H

#include "CKernels.h"
#include "copies.h"

#pragma clang assume_nonnull begin

// One plain loop, compiled for AVX-512, AVX2 and the baseline; the loader picks. Other architectures need no such choice.
// Thread sanitizer instruments the loader's choice before its own start, so it gets one version.
#if defined(__x86_64__) && defined(__linux__) && !__has_feature(thread_sanitizer)
#define CK_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CK_CLONES
#endif

#define CK_INLINE static inline __attribute__((always_inline))
#define CK_HIDDEN __attribute__((visibility("hidden")))

enum {
    CK_ELEMENT_BLOCK = 16384,   // floats per block of an element-wise pass: 64 KB
    CK_FLOAT_CHAIN = 64,        // rows summed in float before the sum moves to double
};

CK_INLINE int64_t ck_min(int64_t a, int64_t b) { return a < b ? a : b; }
CK_INLINE int64_t ck_max(int64_t a, int64_t b) { return a > b ? a : b; }
CK_INLINE int64_t ck_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// ---- parallel.c

typedef void (*ck_block_fn)(void *context, int64_t block, int worker);

/// Calls fn for each block in 0..<blocks, on any thread and in any order; worker < workers names the scratch to use. A kernel with
/// scratch reads ck_thread_count() once and passes it, so that a change of the thread count under way cannot outgrow the scratch.
CK_HIDDEN void ck_parallel_for_workers(int64_t blocks, int workers, ck_block_fn fn, void *context);

/// The same for blocks that need no scratch.
CK_INLINE void ck_parallel_for(int64_t blocks, ck_block_fn fn, void *context) {
    ck_parallel_for_workers(blocks, CK_MAX_THREADS, fn, context);
}

// ---- isa.c

/// Makes a worker compute as the thread does that handed out the job.
CK_HIDDEN void ck_follow_isa(ck_isa isa);

// ---- gemm.c

/// c = op(a)·op(b) + beta·c on the calling thread.
CK_HIDDEN void ck_sgemm(
    bool transpose_a, bool transpose_b, int m, int n, int k,
    const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc);

CK_HIDDEN void ck_pin_blas(void);

// ---- workspaces: pieces are aligned to a cache line, so every total carries one line of slack

enum { CK_LINE = 64 };

CK_INLINE size_t ck_padded(size_t bytes) { return (bytes + CK_LINE - 1) / CK_LINE * CK_LINE; }
CK_INLINE size_t ck_workspace_total(size_t padded) { return padded == 0 ? 0 : padded + CK_LINE - 1; }

/// Takes `bytes` from the front of the workspace.
CK_INLINE void *ck_carve(void *_Nonnull *_Nonnull workspace, size_t bytes) {
    const uintptr_t start = ((uintptr_t)*workspace + CK_LINE - 1) / CK_LINE * CK_LINE;
    *workspace = (void *)(start + ck_padded(bytes));
    return (void *)start;
}

// ---- sums.c: column sums, the one reduction under bias, batch norm and pooling

/// Rows per block of a column reduction: about 64 KB of input, a function of the width alone.
CK_INLINE int64_t ck_sum_block_rows(int channels) { return ck_max(1, CK_ELEMENT_BLOCK / channels); }

/// sums[c] = Σ_r x[r,c]: float over CK_FLOAT_CHAIN rows, double above.  Shape: sums [C], x [rows,C].
CK_HIDDEN void ck_column_sums(double *sums, const float *x, int64_t rows, int channels);

#pragma clang assume_nonnull end

#endif
