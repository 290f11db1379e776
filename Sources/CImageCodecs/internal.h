// What the codec files share: the decoder's state and its error record.
#ifndef CI_INTERNAL_H
#define CI_INTERNAL_H

#include "arena.h"
#include "survey.h"

#include <setjmp.h>
#include <stdio.h>
#include <jpeglib.h>
#include <png.h>

#define CI_HIDDEN __attribute__((visibility("hidden")))

typedef struct ci_jpeg_errors {
    struct jpeg_error_mgr base;   // first, so that libjpeg's pointer is ours
    ci_decoder *decoder;
} ci_jpeg_errors;

struct ci_decoder {
    // The image under way
    const uint8_t *bytes;
    size_t count;
    size_t position;              // PNG: next byte to hand to libpng
    ci_limits limits;
    ci_info info;
    bool opened;
    bool ends_early;              // see ci_survey
    // What went wrong
    ci_status status;
    uint32_t warnings;
    bool refused_for_warning;
    char message[200];
    jmp_buf escape;
    ci_arena arena;               // what the libraries ask for while an image is under way
    // libjpeg: one object for all images
    bool has_jpeg;
    struct jpeg_memory_mgr jpeg_memory;     // libjpeg's own functions
    struct jpeg_decompress_struct jpeg;
    ci_jpeg_errors jpeg_errors;
    // libpng: one pair per image
    png_structp png;
    png_infop png_info;
    png_bytep *rows;              // row pointers of an interlaced PNG
    size_t row_capacity;
};

CI_HIDDEN ci_status ci_open_jpeg(ci_decoder *decoder);
CI_HIDDEN ci_status ci_reduce_jpeg(ci_decoder *decoder, uint32_t width, uint32_t height);
CI_HIDDEN ci_status ci_read_jpeg(ci_decoder *decoder, uint8_t *rgb);
CI_HIDDEN void ci_close_jpeg(ci_decoder *decoder);
CI_HIDDEN void ci_destroy_jpeg(ci_decoder *decoder);

CI_HIDDEN ci_status ci_open_png(ci_decoder *decoder);
CI_HIDDEN ci_status ci_read_png(ci_decoder *decoder, uint8_t *rgb);
CI_HIDDEN void ci_close_png(ci_decoder *decoder);

/// Compares info's size with the limits.
CI_HIDDEN ci_status ci_check_size(ci_decoder *decoder);

/// Records a status with its clause, for the return statement of a codec.
CI_HIDDEN ci_status ci_fail(ci_decoder *decoder, ci_status status, const char *message);

/// x / 255, rounded to nearest, for x in 0…255·255 (exact; the form Pillow uses).
static inline uint8_t ci_divide_255(uint32_t x) {
    x += 128;
    return (uint8_t)((x + (x >> 8)) >> 8);
}

#endif
