// The thread pool that all kernels share.
#ifndef CK_PARALLEL_H
#define CK_PARALLEL_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

enum { CK_MAX_THREADS = 64 };

/// Sets how many threads a kernel may use, the caller included (1…CK_MAX_THREADS; the start value is 1). Waits for a running
/// kernel. Pins OpenBLAS to one thread, which is process-wide. A child of fork() starts with 1 again; a process that forks inside
/// a kernel is not supported.
CK_CHECKED ck_status ck_set_threads(int count);

int ck_thread_count(void);

#pragma clang assume_nonnull end

#endif
