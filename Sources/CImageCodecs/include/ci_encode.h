// JPEG and PNG encoders: one 8-bit RGB image into a buffer of the caller. The libraries stay behind the .c files (setjmp).
#ifndef CI_ENCODE_H
#define CI_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

/// What an encoder returns; `ci_encode_status_string` gives the words.
typedef enum ci_encode_status {
    CI_ENCODE_OK = 0,
    CI_ENCODE_BAD_ARGUMENT = 1,   ///< a size that the format cannot hold, row shorter than 3 * width, or quality outside 1...100
    CI_ENCODE_SMALL_BUFFER = 2,   ///< the file does not fit in `capacity` bytes
    CI_ENCODE_LIBRARY = 3,        ///< the library gave up; its words are in `message`
} ci_encode_status;

#define CI_ENCODE_MESSAGE_BYTES 200

/// Bytes that always suffice for `ci_encode_jpeg` at this size, whatever the pixels.
size_t ci_encode_jpeg_bound(uint32_t width, uint32_t height);

/// Encodes interleaved RGB as baseline JPEG with 4:2:0 chroma, the accurate integer DCT and libjpeg's standard
/// Huffman tables, so that the bytes depend on pixels, size and quality only.
/// `row_bytes` is the distance between rows (>= 3 * width). On success `*written` is the file's length.
/// `message` (CI_ENCODE_MESSAGE_BYTES) gets the reason when libjpeg refuses, and is empty otherwise.
ci_encode_status ci_encode_jpeg(uint8_t *out, size_t capacity, size_t *written, const uint8_t *rgb, uint32_t width,
                                uint32_t height, size_t row_bytes, int quality, char *_Nullable message)
    __attribute__((warn_unused_result));

enum { CI_ENCODE_PNG_SIDE = 1000000 };

/// Bytes that always suffice for `ci_encode_png` at this size, whatever the pixels; 0 for a size that it refuses: sides outside
/// 1...CI_ENCODE_PNG_SIDE, or 4 GiB of pixels and more.
size_t ci_encode_png_bound(uint32_t width, uint32_t height);

/// Encodes interleaved RGB without gaps between rows as an 8-bit sRGB PNG, without loss. Allocates inside zlib.
/// `written` and `message` as for `ci_encode_jpeg`.
ci_encode_status ci_encode_png(uint8_t *out, size_t capacity, size_t *written, const uint8_t *rgb, uint32_t width,
                               uint32_t height, char *_Nullable message) __attribute__((warn_unused_result));

const char *ci_encode_status_string(ci_encode_status status);

#pragma clang assume_nonnull end

#endif
