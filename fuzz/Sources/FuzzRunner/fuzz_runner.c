// See fuzz_runner.h.
#include "fuzz_runner.h"

int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*one)(const uint8_t *data, size_t size));

int fuzz_run(int argc, char **argv, int (*one)(const uint8_t *data, size_t size)) { return LLVMFuzzerRunDriver(&argc, &argv, one); }
