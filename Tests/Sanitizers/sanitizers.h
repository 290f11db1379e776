// What the drivers share: buffers that are freed together, and failure.
#ifndef SANITIZERS_H
#define SANITIZERS_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "CKernels.h"

/// One past the last algorithm that ck_conv2d takes for a 3×3 convolution of stride 1.
enum { SANITIZED_ALGORITHMS = CK_CONV2D_WINOGRAD + 1, MOST_BUFFERS = 64 };

static void *kept[MOST_BUFFERS];
static int kept_count;

_Noreturn static inline void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline void *keep(void *buffer) {
    if (buffer == NULL || kept_count == MOST_BUFFERS) fail("no memory for a buffer");
    return kept[kept_count++] = buffer;
}

static inline void finish(void) {
    while (kept_count > 0) free(kept[--kept_count]);
}

#define require(call)                                                                                \
    do {                                                                                             \
        const ck_status status_ = (call);                                                            \
        if (status_ != CK_OK) fail("%s:%d: %s: %s", __FILE__, __LINE__, #call, ck_status_string(status_)); \
    } while (0)

#endif
