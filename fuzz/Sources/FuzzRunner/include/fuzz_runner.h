// libFuzzer as a function: the library without a main of its own.
#ifndef FUZZ_RUNNER_H
#define FUZZ_RUNNER_H

#include <stddef.h>
#include <stdint.h>

/// Runs libFuzzer on `argv` (program name, options, corpus folders); `one` gets each input. Does not return before the end.
int fuzz_run(int argc, char *_Nullable *_Nonnull argv, int (*_Nonnull one)(const uint8_t *_Nullable data, size_t size));

#endif
