// libFuzzer driver of the image codecs; compiled once with FUZZ_JPEG and once with FUZZ_PNG, so that each has a corpus of its own.
// Buffers have exactly the size that the decoder asks for, so that AddressSanitizer sees a write one byte beyond.
#include "CImageCodecs.h"

#include <stdlib.h>
#include <string.h>

#ifdef FUZZ_JPEG
static const uint8_t magic[] = {0xFF, 0xD8, 0xFF};
#else
static const uint8_t magic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
#endif

static void orient(const uint8_t *rgb, const ci_info *info) {
    const size_t bytes = (size_t)info->width * info->height * 3;
    uint8_t *upright = malloc(bytes), *back = malloc(bytes);
    if (!upright || !back) abort();
    const bool turned = info->orientation >= 5;
    const uint32_t undo = info->orientation == 6 ? 8 : info->orientation == 8 ? 6 : info->orientation;
    ci_orient(upright, rgb, info->width, info->height, info->orientation);
    ci_orient(back, upright, turned ? info->height : info->width, turned ? info->width : info->height, undo);
    if (memcmp(back, rgb, bytes) != 0) abort();   // every orientation has an inverse
    free(upright);
    free(back);
}

// Returns whether the image was accepted.
static bool decode(ci_decoder *decoder, const uint8_t *data, size_t size, bool lenient, uint32_t reduced) {
    const ci_limits limits = {.max_bytes = 1 << 20, .max_pixels = 1 << 18, .max_side = 4096, .max_scans = 64, .lenient = lenient};
    ci_info info;
    if (ci_open(decoder, data, size, &limits, &info) != CI_OK) return false;
    if ((uint64_t)info.width * info.height > limits.max_pixels || info.width > limits.max_side || info.height > limits.max_side) abort();
    if (info.orientation < 1 || info.orientation > 8 || info.scans > limits.max_scans) abort();
    if (reduced > 0 && ci_reduce(decoder, reduced, reduced, &info) != CI_OK) return false;
    uint8_t *pixels = malloc(info.buffer_bytes);
    if (!pixels) abort();
    const bool accepted = ci_read(decoder, pixels, info.buffer_bytes) == CI_OK;
    if (accepted) orient(pixels, &info);
    free(pixels);
    if (!lenient && accepted && ci_warnings(decoder) > 0) abort();
    return accepted;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    // A mutation of the signature would end in the refusal that costs least.
    uint8_t *file = malloc(size < sizeof magic ? sizeof magic : size);
    if (!file) abort();
    memcpy(file, data, size);
    if (size >= sizeof magic) memcpy(file, magic, sizeof magic);
    ci_decoder *decoder = ci_decoder_create();
    if (!decoder) abort();
    const bool strict = decode(decoder, file, size, false, 0);
    const bool lenient = decode(decoder, file, size, true, 0);   // the same decoder: what a refusal leaves behind must do no harm
    if (strict && !lenient) abort();
    if (lenient) (void)decode(decoder, file, size, true, 1 + (uint32_t)(size % 16));
    ci_decoder_destroy(decoder);
    free(file);
    return 0;
}
