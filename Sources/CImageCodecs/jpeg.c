// JPEG through libjpeg with an error manager of ours: errors and warnings come back as a status by longjmp, which stays in here.
//
// Decoding is what Pillow does: accurate integer DCT, fancy upsampling. Grey becomes R = G = B; CMYK and YCCK are taken as
// inverted (the Adobe convention, whether or not the file says so) and become RGB by R = (255-C)·(255-K)/255, no ink profile.
#include "internal.h"

#include <jerror.h>
#include <stdlib.h>
#include <string.h>

static ci_status status_of(int code) {
    switch (code) {
    case JWRN_JPEG_EOF: case JERR_INPUT_EOF: case JERR_INPUT_EMPTY:
        return CI_TRUNCATED;
    case JERR_ARITH_NOTIMPL: case JERR_BAD_PRECISION: case JERR_CCIR601_NOTIMPL: case JERR_COMPONENT_COUNT:
    case JERR_CONVERSION_NOTIMPL: case JERR_FRACT_SAMPLE_NOTIMPL: case JERR_NOTIMPL: case JERR_NOT_COMPILED:
    case JERR_SOF_UNSUPPORTED: case JERR_BAD_J_COLORSPACE:
        return CI_UNSUPPORTED;
    case JERR_OUT_OF_MEMORY:
        return CI_NO_MEMORY;
    default:
        return CI_CORRUPT;
    }
}

static void keep_message(j_common_ptr common, ci_decoder *decoder) {
    char text[JMSG_LENGTH_MAX];
    common->err->format_message(common, text);
    snprintf(decoder->message, sizeof decoder->message, "%s", text);
}

static void escape(j_common_ptr common) {
    ci_decoder *decoder = ((ci_jpeg_errors *)common->err)->decoder;
    decoder->status = status_of(common->err->msg_code);
    keep_message(common, decoder);
    longjmp(decoder->escape, 1);
}

static void on_message(j_common_ptr common, int level) {
    if (level >= 0) return;   // a trace
    ci_decoder *decoder = ((ci_jpeg_errors *)common->err)->decoder;
    // libjpeg fills the rest of a truncated image with grey: never accepted.
    if (common->err->msg_code == JWRN_JPEG_EOF) escape(common);
    if (!decoder->limits.lenient) {
        decoder->refused_for_warning = true;
        escape(common);
    }
    if (decoder->warnings++ == 0) keep_message(common, decoder);
}

static void no_output(j_common_ptr common) { (void)common; }

// ---- memory: what lives as long as an image comes from the decoder's arena. libjpeg frees and asks anew for every image; only the
// coefficients of a progressive one still take that way, because its virtual arrays pass these functions by.

static ci_decoder *decoder_of(j_common_ptr common) { return ((ci_jpeg_errors *)common->err)->decoder; }

static void *take(j_common_ptr common, size_t size) {
    void *piece = ci_arena_take(&decoder_of(common)->arena, size);
    if (piece == NULL) ERREXIT1(common, JERR_OUT_OF_MEMORY, 0);
    return piece;
}

static void *take_small(j_common_ptr common, int pool, size_t size) {
    return pool == JPOOL_IMAGE ? take(common, size) : decoder_of(common)->jpeg_memory.alloc_small(common, pool, size);
}

static void *take_large(j_common_ptr common, int pool, size_t size) {
    return pool == JPOOL_IMAGE ? take(common, size) : decoder_of(common)->jpeg_memory.alloc_large(common, pool, size);
}

// Vector kernels of libjpeg-turbo write beyond a row's end, up to a multiple of this.
enum { ROW_STEP = 64 };

static JSAMPARRAY take_samples(j_common_ptr common, int pool, JDIMENSION per_row, JDIMENSION rows) {
    if (pool != JPOOL_IMAGE) return decoder_of(common)->jpeg_memory.alloc_sarray(common, pool, per_row, rows);
    const size_t step = ((size_t)per_row * sizeof(JSAMPLE) + ROW_STEP - 1) / ROW_STEP * ROW_STEP;
    JSAMPARRAY array = take(common, rows * sizeof(JSAMPROW));
    JSAMPLE *samples = take(common, rows * step);
    for (JDIMENSION row = 0; row < rows; row++) array[row] = samples + row * step;
    return array;
}

static JBLOCKARRAY take_blocks(j_common_ptr common, int pool, JDIMENSION per_row, JDIMENSION rows) {
    if (pool != JPOOL_IMAGE) return decoder_of(common)->jpeg_memory.alloc_barray(common, pool, per_row, rows);
    JBLOCKARRAY array = take(common, rows * sizeof(JBLOCKROW));
    JBLOCK *blocks = take(common, (size_t)rows * per_row * sizeof(JBLOCK));
    for (JDIMENSION row = 0; row < rows; row++) array[row] = blocks + (size_t)row * per_row;
    return array;
}

static void give_back(j_common_ptr common, int pool) {
    ci_decoder *decoder = decoder_of(common);
    decoder->jpeg_memory.free_pool(common, pool);
    if (pool == JPOOL_IMAGE) ci_arena_reset(&decoder->arena);
}

static void use_arena(ci_decoder *decoder) {
    struct jpeg_memory_mgr *memory = decoder->jpeg.mem;
    decoder->jpeg_memory = *memory;
    memory->alloc_small = take_small;
    memory->alloc_large = take_large;
    memory->alloc_sarray = take_samples;
    memory->alloc_barray = take_blocks;
    memory->free_pool = give_back;
}

static ci_status prepare(ci_decoder *decoder) {
    if (decoder->has_jpeg) return CI_OK;
    decoder->jpeg.err = jpeg_std_error(&decoder->jpeg_errors.base);
    decoder->jpeg_errors.decoder = decoder;
    decoder->jpeg_errors.base.error_exit = escape;
    decoder->jpeg_errors.base.emit_message = on_message;
    decoder->jpeg_errors.base.output_message = no_output;
    if (setjmp(decoder->escape)) return decoder->status;
    jpeg_create_decompress(&decoder->jpeg);
    use_arena(decoder);
    decoder->has_jpeg = true;
    return CI_OK;
}

static void set_buffer_bytes(ci_decoder *decoder) {
    ci_info *info = &decoder->info;
    info->buffer_bytes = (size_t)info->width * info->height * (decoder->jpeg.num_components == 4 ? 4 : 3);
}

ci_status ci_open_jpeg(ci_decoder *decoder) {
    const ci_status prepared = prepare(decoder);
    if (prepared != CI_OK) return prepared;
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (setjmp(decoder->escape)) {
        if (decoder->status == CI_TRUNCATED) {
            snprintf(decoder->message, sizeof decoder->message, "ended at byte %zu, within the header", decoder->count);
        }
        return decoder->status;
    }
    jpeg_mem_src(jpeg, decoder->bytes, (unsigned long)decoder->count);
    if (jpeg_read_header(jpeg, TRUE) != JPEG_HEADER_OK) return ci_fail(decoder, CI_CORRUPT, "the header holds no image");
    ci_info *info = &decoder->info;
    info->width = jpeg->image_width;
    info->height = jpeg->image_height;
    info->components = (uint32_t)jpeg->num_components;
    info->bit_depth = (uint32_t)jpeg->data_precision;
    info->interlaced = jpeg->progressive_mode;
    info->arithmetic = jpeg->arith_code;
    switch (jpeg->jpeg_color_space) {
    case JCS_GRAYSCALE: info->colour = CI_GREY; break;
    case JCS_YCbCr: info->colour = CI_YCC; break;
    case JCS_CMYK: info->colour = CI_CMYK; break;
    case JCS_YCCK: info->colour = CI_YCCK; break;
    default: info->colour = CI_COLOUR_RGB; break;
    }
    switch (jpeg->num_components) {
    case 1: case 3: jpeg->out_color_space = JCS_RGB; break;
    case 4: jpeg->out_color_space = JCS_CMYK; break;
    default: return ci_fail(decoder, CI_UNSUPPORTED, "a JPEG with neither 1, 3 nor 4 components");
    }
    jpeg->dct_method = JDCT_ISLOW;
    jpeg->do_fancy_upsampling = TRUE;
    set_buffer_bytes(decoder);
    return ci_check_size(decoder);
}

ci_status ci_reduce_jpeg(ci_decoder *decoder, uint32_t width, uint32_t height) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    uint32_t divisor = 1;
    while (divisor < 8 && jpeg->image_width / (2 * divisor) >= width && jpeg->image_height / (2 * divisor) >= height) divisor *= 2;
    if (divisor == 1) return CI_OK;
    if (setjmp(decoder->escape)) return decoder->status;
    jpeg->scale_num = 1;
    jpeg->scale_denom = divisor;
    jpeg_calc_output_dimensions(jpeg);
    decoder->info.width = jpeg->output_width;
    decoder->info.height = jpeg->output_height;
    set_buffer_bytes(decoder);
    return CI_OK;
}

// In place, front to back: three bytes are written where four were read.
static void cmyk_to_rgb(uint8_t *pixels, size_t count) {
    const uint8_t *in = pixels;
    for (size_t i = 0; i < count; i++, in += 4, pixels += 3) {
        const uint32_t white = in[3];   // 255 - K, since the file stores inverted ink
        pixels[0] = (uint8_t)(white - ci_divide_255((255u - in[0]) * white));
        pixels[1] = (uint8_t)(white - ci_divide_255((255u - in[1]) * white));
        pixels[2] = (uint8_t)(white - ci_divide_255((255u - in[2]) * white));
    }
}

ci_status ci_read_jpeg(ci_decoder *decoder, uint8_t *rgb) {
    struct jpeg_decompress_struct *jpeg = &decoder->jpeg;
    if (setjmp(decoder->escape)) {
        const size_t length = strlen(decoder->message);
        if (decoder->status == CI_TRUNCATED) {
            snprintf(decoder->message, sizeof decoder->message, "ended at byte %zu, in pixel row %u of %u",
                decoder->count, jpeg->output_scanline, decoder->info.height);
        } else if (length < sizeof decoder->message) {
            snprintf(decoder->message + length, sizeof decoder->message - length, " (pixel row %u of %u)",
                jpeg->output_scanline, decoder->info.height);
        }
        return decoder->status;
    }
    jpeg_start_decompress(jpeg);
    const size_t stride = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
    enum { ROWS = 8 };
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW rows[ROWS];
        for (int i = 0; i < ROWS; i++) {
            const size_t row = jpeg->output_scanline + (size_t)i;
            rows[i] = rgb + stride * (row < jpeg->output_height ? row : jpeg->output_height - 1);
        }
        const JDIMENSION left = jpeg->output_height - jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, rows, left < ROWS ? left : ROWS);
    }
    // Reads on to the end marker, so that a file cut off just before it does not pass.
    jpeg_finish_decompress(jpeg);
    if (jpeg->num_components == 4) cmyk_to_rgb(rgb, (size_t)jpeg->output_width * jpeg->output_height);
    return CI_OK;
}

void ci_close_jpeg(ci_decoder *decoder) {
    if (decoder->has_jpeg) jpeg_abort_decompress(&decoder->jpeg);
}

void ci_destroy_jpeg(ci_decoder *decoder) {
    if (decoder->has_jpeg) jpeg_destroy_decompress(&decoder->jpeg);
    decoder->has_jpeg = false;
}
