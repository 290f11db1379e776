// JPEG encoder over libjpeg: a destination manager on the caller's buffer and an error manager that longjmps back.
#include "ci_encode.h"

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

typedef struct {
    struct jpeg_error_mgr base;  // first, so libjpeg's pointer is ours
    jmp_buf escape;
    ci_encode_status status;
    char *message;
} encode_errors;

typedef struct {
    struct jpeg_destination_mgr base;
    uint8_t *out;
    size_t capacity;
    size_t written;
    encode_errors *errors;
} buffer_destination;

static void fail(j_common_ptr info) {
    encode_errors *errors = (encode_errors *)info->err;
    if (errors->status == CI_ENCODE_OK) {
        errors->status = CI_ENCODE_LIBRARY;
        if (errors->message) {
            char text[JMSG_LENGTH_MAX];
            info->err->format_message(info, text);
            snprintf(errors->message, CI_ENCODE_MESSAGE_BYTES, "%s", text);
        }
    }
    longjmp(errors->escape, 1);
}

static void keep_silent(j_common_ptr info) { (void)info; }

static void begin_output(j_compress_ptr info) {
    buffer_destination *to = (buffer_destination *)info->dest;
    to->base.next_output_byte = to->out;
    to->base.free_in_buffer = to->capacity;
}

// libjpeg calls this only when the buffer is full: the caller's buffer does not grow.
static boolean refuse_overflow(j_compress_ptr info) {
    buffer_destination *to = (buffer_destination *)info->dest;
    to->errors->status = CI_ENCODE_SMALL_BUFFER;
    longjmp(to->errors->escape, 1);
}

static void end_output(j_compress_ptr info) {
    buffer_destination *to = (buffer_destination *)info->dest;
    to->written = to->capacity - to->base.free_in_buffer;
}

size_t ci_encode_jpeg_bound(uint32_t width, uint32_t height) {
    // Every 8x8 block costs at most 64 coefficients of 26 bits, doubled for stuffed 0xFF bytes; 1.5 planes at 4:2:0.
    size_t across = ((size_t)width + 15) / 16 * 16, down = ((size_t)height + 15) / 16 * 16;
    return across * down * 3 / 2 * 7 + 2048;
}

// setjmp lives in a function that owns none of the structs: locals changed after setjmp would be undefined after longjmp.
static ci_encode_status encode(struct jpeg_compress_struct *info, buffer_destination *to, const uint8_t *rgb, uint32_t width,
                               uint32_t height, size_t row_bytes, int quality) {
    if (setjmp(to->errors->escape)) return to->errors->status;
    jpeg_create_compress(info);
    info->dest = &to->base;
    info->image_width = width;
    info->image_height = height;
    info->input_components = 3;
    info->in_color_space = JCS_RGB;
    jpeg_set_defaults(info);  // includes 4:2:0
    jpeg_set_quality(info, quality, TRUE);
    info->dct_method = JDCT_ISLOW;  // exact integer arithmetic: the same bytes with and without SIMD
    info->optimize_coding = FALSE;
    jpeg_start_compress(info, TRUE);
    while (info->next_scanline < height) {
        JSAMPROW row = (JSAMPROW)(rgb + (size_t)info->next_scanline * row_bytes);
        (void)jpeg_write_scanlines(info, &row, 1);
    }
    jpeg_finish_compress(info);
    return CI_ENCODE_OK;
}

ci_encode_status ci_encode_jpeg(uint8_t *out, size_t capacity, size_t *written, const uint8_t *rgb, uint32_t width,
                                uint32_t height, size_t row_bytes, int quality, char *message) {
    *written = 0;
    if (message) message[0] = '\0';
    if (width < 1 || height < 1 || width > JPEG_MAX_DIMENSION || height > JPEG_MAX_DIMENSION || quality < 1 || quality > 100 ||
        row_bytes < (size_t)width * 3)
        return CI_ENCODE_BAD_ARGUMENT;
    if (capacity == 0) return CI_ENCODE_SMALL_BUFFER;

    encode_errors errors = {.status = CI_ENCODE_OK, .message = message};
    buffer_destination to = {.out = out, .capacity = capacity, .errors = &errors};
    to.base.init_destination = begin_output;
    to.base.empty_output_buffer = refuse_overflow;
    to.base.term_destination = end_output;
    struct jpeg_compress_struct info = {.err = jpeg_std_error(&errors.base)};
    errors.base.error_exit = fail;
    errors.base.output_message = keep_silent;

    ci_encode_status status = encode(&info, &to, rgb, width, height, row_bytes, quality);
    jpeg_destroy_compress(&info);
    if (status == CI_ENCODE_OK) *written = to.written;
    return status;
}

const char *ci_encode_status_string(ci_encode_status status) {
    switch (status) {
        case CI_ENCODE_OK: return "ok";
        case CI_ENCODE_BAD_ARGUMENT: return "size, row length or quality out of range";
        case CI_ENCODE_SMALL_BUFFER: return "the file does not fit in the buffer";
        case CI_ENCODE_LIBRARY: return "the library refused";
    }
    return "unknown status";
}
