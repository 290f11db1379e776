// Status codes and what every header shares.
#ifndef CK_TYPES_H
#define CK_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

typedef enum ck_status {
    CK_OK = 0,
    CK_BAD_SHAPE,          // a dimension, stride or padding that the operation is not defined for
    CK_BAD_ARGUMENT,       // a hyper-parameter out of its range
    CK_SMALL_WORKSPACE,    // fewer bytes than the *_workspace_bytes function asks for
    CK_NO_THREAD,          // the system refused another thread
} ck_status;

#define CK_CHECKED __attribute__((warn_unused_result))

/// One English clause per status; never NULL.
const char *ck_status_string(ck_status status);

/// Output length of a window sliding over `size` with `padding` on both sides (floor mode); below 1 when it does not fit.
static inline int ck_output_size(int size, int kernel, int stride, int padding) {
    const int span = size + 2 * padding - kernel;
    return span < 0 || stride < 1 ? 0 : span / stride + 1;
}

#pragma clang assume_nonnull end

#endif
