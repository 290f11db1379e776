// Decoding of JPEG and PNG files: bytes in memory → 8-bit RGB in the caller's buffer. Encoding is in ci_encode.h.
//
// Use       ci_open reads the header and checks every limit on it, before anything of the image's size is allocated; then
//           ci_read decodes into a buffer of info.buffer_bytes. The encoded bytes must stay in place from open to read.
// Memory    a ci_decoder keeps the library's state from image to image; the caller owns bytes and pixels.
// Errors    a ci_status; ci_message says in one clause what was found. longjmp never leaves this target.
// Threads   a decoder belongs to one thread at a time; decoders share nothing.
#ifndef CIMAGECODECS_H
#define CIMAGECODECS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#pragma clang assume_nonnull begin

#define CI_CHECKED __attribute__((warn_unused_result))

typedef enum ci_status {
    CI_OK = 0,
    CI_UNSUPPORTED,      // neither JPEG nor PNG, or a variant that the libraries do not decode
    CI_TRUNCATED,        // the data end before the image does
    CI_CORRUPT,          // the data contradict the format
    CI_TOO_MANY_BYTES,   // more encoded bytes than limits.max_bytes
    CI_TOO_MANY_PIXELS,  // width × height above limits.max_pixels
    CI_TOO_LONG_SIDE,    // width or height above limits.max_side
    CI_TOO_MANY_SCANS,   // more JPEG scans than limits.max_scans
    CI_SMALL_BUFFER,     // the caller's buffer has fewer than info.buffer_bytes
    CI_NO_MEMORY,
} ci_status;

typedef enum ci_format { CI_UNKNOWN = 0, CI_JPEG, CI_PNG } ci_format;

typedef enum ci_colour { CI_GREY = 0, CI_COLOUR_RGB, CI_YCC, CI_CMYK, CI_YCCK, CI_PALETTE } ci_colour;

typedef struct ci_limits {
    uint64_t max_bytes;
    uint64_t max_pixels;
    uint32_t max_side;
    uint32_t max_scans;
    bool lenient;        // decoder warnings are counted, not fatal; a file that ends early is refused all the same
} ci_limits;

typedef struct ci_info {
    ci_format format;
    uint32_t width;      // as stored, before orientation
    uint32_t height;
    uint32_t components; // channels of the file: 1 grey or palette, 2 grey + alpha, 3 colour, 4 colour + alpha or CMYK
    uint32_t bit_depth;  // bits per channel (per palette index)
    ci_colour colour;
    bool transparent;    // an alpha channel or tRNS: composited on white
    bool interlaced;     // PNG: Adam7; JPEG: progressive
    bool arithmetic;     // JPEG: arithmetic coding instead of Huffman's
    uint32_t orientation; // EXIF's, or XMP's where EXIF has none; 1…8, and 1 where there is none or it is malformed
    bool exif_malformed; // there was an EXIF block, but no orientation could be read from it
    uint32_t scans;      // JPEG: start-of-scan markers; PNG: 1, or 7 when interlaced
    bool several;        // MPO or APNG: the first image is read
    size_t buffer_bytes; // what ci_read needs: 3 bytes a pixel, 4 where the file has four channels after expansion
} ci_info;

typedef struct ci_decoder ci_decoder;

/// NULL when memory is short.
ci_decoder *_Nullable ci_decoder_create(void);
void ci_decoder_destroy(ci_decoder *decoder);

/// Reads the header. On CI_TOO_* `info` holds what was found.
CI_CHECKED ci_status ci_open(
    ci_decoder *decoder, const uint8_t *bytes, size_t count, const ci_limits *limits, ci_info *info);

/// Decodes the image that ci_open accepted; the first width·height·3 bytes of `rgb` are the pixels, row by row, not yet oriented.
/// Conversions: docs of jpeg.c and png.c.
CI_CHECKED ci_status ci_read(ci_decoder *decoder, uint8_t *rgb, size_t capacity);

/// Between ci_open and ci_read: has a JPEG decoded at 1/2, 1/4 or 1/8 of its size, the smallest at which both sides, as stored, are
/// still at least the given ones; `info` gets the new size. Pixels then differ from those of a full decode that is resized after.
/// A PNG is left as it is.
CI_CHECKED ci_status ci_reduce(ci_decoder *decoder, uint32_t width, uint32_t height, ci_info *info);

/// One clause about the last error or, after a lenient success, the first warning; empty when there was none.
const char *ci_message(const ci_decoder *decoder);

/// Whether the last refusal was for a warning, so that a lenient decoder would have read on.
bool ci_refused_for_warning(const ci_decoder *decoder);

/// Warnings that the last image raised (lenient decoding only; otherwise the first is fatal).
uint32_t ci_warnings(const ci_decoder *decoder);

/// Rotates or mirrors as EXIF orientation 2…8 asks; 5…8 swap width and height.
/// Shape: out has the oriented size; out and in must not overlap.
void ci_orient(uint8_t *out, const uint8_t *in, uint32_t width, uint32_t height, uint32_t orientation);

/// The orientation 1…8 in a TIFF structure (the EXIF block without "Exif\0\0"); 1 for anything malformed. Reads only tag 0x0112
/// of the first directory, within `count`.
uint32_t ci_exif_orientation(const uint8_t *tiff, size_t count);

#pragma clang assume_nonnull end

#include "ci_encode.h"

#endif
