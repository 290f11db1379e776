// PNG through libpng. Errors come back as a status by longjmp, which stays in here.
//
// Conversions: grey and palette expand to RGB; 1, 2 and 4 bit scale to 8; 16 bit keep the high byte (as Pillow does for colour);
// alpha and tRNS are composited on white, c·a + 255·(1-a) rounded; gamma and colour profiles are ignored, as Pillow ignores them.
// Text, profiles and other ancillary chunks are skipped unread, but their checksums count. Of an APNG the default image is read.
#include "internal.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

static ci_decoder *decoder_of(png_structp png) { return png_get_error_ptr(png); }

static void escape(ci_decoder *decoder, ci_status status, const char *message) {
    ci_fail(decoder, status, message);
    longjmp(decoder->escape, 1);
}

// Fewer rows than the header promises, or a chunk that goes on beyond the end of the file and that libpng finds too large.
static ci_status status_of(const ci_decoder *decoder, const char *message) {
    const bool ends_early = strstr(message, "Not enough") || (decoder->ends_early && strstr(message, "too large"));
    return ends_early ? CI_TRUNCATED : CI_CORRUPT;
}

static void on_error(png_structp png, png_const_charp message) {
    ci_decoder *decoder = decoder_of(png);
    if (strstr(message, "IEND: out of place")) message = "the file has no image data (IDAT)";
    escape(decoder, status_of(decoder, message), message);
}

static void on_warning(png_structp png, png_const_charp message) {
    ci_decoder *decoder = decoder_of(png);
    // Data after the last row do not touch a pixel, and of a tRNS sample the standard has decoders mask the excess bits, as libpng
    // does. Whatever else libpng warns about may touch pixels.
    const bool harmless = strstr(message, "Extra compressed data") || strstr(message, "Too much image data")
        || strstr(message, "tRNS chunk has out-of-range samples");
    if (harmless) return;
    const ci_status status = status_of(decoder, message);
    if (status == CI_TRUNCATED) escape(decoder, status, message);
    if (!decoder->limits.lenient) {
        decoder->refused_for_warning = true;
        escape(decoder, status, message);
    }
    if (decoder->warnings++ == 0) ci_fail(decoder, CI_OK, message);
}

static void read_bytes(png_structp png, png_bytep out, size_t wanted) {
    ci_decoder *decoder = png_get_io_ptr(png);
    if (wanted > decoder->count - decoder->position) {
        char message[80];
        snprintf(message, sizeof message, "ended at byte %zu, within a chunk or before the last one", decoder->count);
        escape(decoder, CI_TRUNCATED, message);
    }
    memcpy(out, decoder->bytes + decoder->position, wanted);
    decoder->position += wanted;
}

// Pieces go back with the image.
static png_voidp take(png_structp png, png_alloc_size_t size) {
    return ci_arena_take(&((ci_decoder *)png_get_mem_ptr(png))->arena, size);
}

static void keep(png_structp png, png_voidp piece) { (void)png, (void)piece; }

static void limit_chunks(ci_decoder *decoder) {
    enum { MOST_CHUNKS = 64 };
    png_set_user_limits(decoder->png, decoder->limits.max_side, decoder->limits.max_side);
    png_set_chunk_cache_max(decoder->png, MOST_CHUNKS);
    // All ancillary chunks but tRNS, and all unknown ones, are read past and not stored. So their length costs nothing, and a length
    // beyond the end of the file is met as the file's early end.
    png_set_keep_unknown_chunks(decoder->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_chunk_malloc_max(decoder->png, PNG_UINT_31_MAX);
    png_set_crc_action(decoder->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
}

// libpng refuses a side beyond the limit with a plain error; the header's own numbers make the better message. IHDR stands at a
// fixed place: 8 bytes signature, 4 length, 4 name.
static ci_status check_stated_size(ci_decoder *decoder) {
    if (decoder->count < 26 || memcmp(decoder->bytes + 12, "IHDR", 4) != 0) return CI_OK;
    const uint8_t *p = decoder->bytes + 16;
    decoder->info.width = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    decoder->info.height = (uint32_t)p[4] << 24 | (uint32_t)p[5] << 16 | (uint32_t)p[6] << 8 | p[7];
    return ci_check_size(decoder);
}

ci_status ci_open_png(ci_decoder *decoder) {
    const ci_status stated = check_stated_size(decoder);
    if (stated != CI_OK) return stated;
    if (setjmp(decoder->escape)) return decoder->status;
    decoder->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decoder, on_error, on_warning, decoder, take, keep);
    if (!decoder->png) return ci_fail(decoder, CI_NO_MEMORY, "libpng could not start");
    decoder->png_info = png_create_info_struct(decoder->png);
    if (!decoder->png_info) return ci_fail(decoder, CI_NO_MEMORY, "libpng could not start");
    png_set_read_fn(decoder->png, decoder, read_bytes);
    limit_chunks(decoder);
    png_read_info(decoder->png, decoder->png_info);

    ci_info *info = &decoder->info;
    int depth, color, interlace;
    png_get_IHDR(decoder->png, decoder->png_info, &info->width, &info->height, &depth, &color, &interlace, NULL, NULL);
    info->bit_depth = (uint32_t)depth;
    info->components = png_get_channels(decoder->png, decoder->png_info);
    const ci_status size = ci_check_size(decoder);
    if (size != CI_OK) return size;

    const bool transparent = (color & PNG_COLOR_MASK_ALPHA) || png_get_valid(decoder->png, decoder->png_info, PNG_INFO_tRNS);
    info->colour = color == PNG_COLOR_TYPE_PALETTE ? CI_PALETTE : color & PNG_COLOR_MASK_COLOR ? CI_COLOUR_RGB : CI_GREY;
    info->transparent = transparent;
    info->interlaced = interlace != PNG_INTERLACE_NONE;
    png_set_expand(decoder->png);
    png_set_strip_16(decoder->png);
    png_set_gray_to_rgb(decoder->png);
    if (interlace != PNG_INTERLACE_NONE) png_set_interlace_handling(decoder->png);
    png_read_update_info(decoder->png, decoder->png_info);
    const size_t channels = transparent ? 4 : 3, stride = png_get_rowbytes(decoder->png, decoder->png_info);
    if (stride != channels * info->width) return ci_fail(decoder, CI_CORRUPT, "libpng expands the rows in an unforeseen way");
    info->buffer_bytes = stride * info->height;
    return CI_OK;
}

// In place, front to back: three bytes are written where four were read.
static void composite_on_white(uint8_t *pixels, size_t count) {
    const uint8_t *in = pixels;
    for (size_t i = 0; i < count; i++, in += 4, pixels += 3) {
        const uint32_t alpha = in[3], white = 255u * (255u - alpha);
        pixels[0] = ci_divide_255(in[0] * alpha + white);
        pixels[1] = ci_divide_255(in[1] * alpha + white);
        pixels[2] = ci_divide_255(in[2] * alpha + white);
    }
}

ci_status ci_read_png(ci_decoder *decoder, uint8_t *rgb) {
    const ci_info *info = &decoder->info;
    const size_t stride = info->buffer_bytes / info->height;
    if (decoder->row_capacity < info->height) {
        png_bytep *rows = realloc(decoder->rows, info->height * sizeof(png_bytep));
        if (!rows) return ci_fail(decoder, CI_NO_MEMORY, "no memory for the row table");
        decoder->rows = rows;
        decoder->row_capacity = info->height;
    }
    for (size_t row = 0; row < info->height; row++) decoder->rows[row] = rgb + row * stride;
    if (setjmp(decoder->escape)) return decoder->status;
    png_read_image(decoder->png, decoder->rows);
    png_read_end(decoder->png, NULL);   // the checksum of the last data chunk, and that the file has an end
    const size_t pixels = (size_t)info->width * info->height;
    if (info->buffer_bytes == pixels * 4) composite_on_white(rgb, pixels);
    return CI_OK;
}

void ci_close_png(ci_decoder *decoder) {
    if (decoder->png) png_destroy_read_struct(&decoder->png, &decoder->png_info, NULL);
    decoder->png = NULL;
    decoder->png_info = NULL;
    ci_arena_reset(&decoder->arena);
}
