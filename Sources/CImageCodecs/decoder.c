// The decoder's life, the choice of codec by magic bytes, and the limits that need no library.
#include "internal.h"

#include <stdlib.h>
#include <string.h>

ci_decoder *ci_decoder_create(void) { return calloc(1, sizeof(ci_decoder)); }

static void close_image(ci_decoder *decoder) {
    if (decoder->info.format == CI_JPEG) ci_close_jpeg(decoder);
    if (decoder->info.format == CI_PNG) ci_close_png(decoder);
    decoder->opened = false;
}

void ci_decoder_destroy(ci_decoder *decoder) {
    close_image(decoder);
    ci_destroy_jpeg(decoder);
    ci_arena_destroy(&decoder->arena);
    free(decoder->rows);
    free(decoder);
}

const char *ci_message(const ci_decoder *decoder) { return decoder->message; }

bool ci_refused_for_warning(const ci_decoder *decoder) { return decoder->refused_for_warning; }

uint32_t ci_warnings(const ci_decoder *decoder) { return decoder->warnings; }

ci_status ci_fail(ci_decoder *decoder, ci_status status, const char *message) {
    decoder->status = status;
    snprintf(decoder->message, sizeof decoder->message, "%s", message);
    return status;
}

ci_status ci_check_size(ci_decoder *decoder) {
    const ci_info *info = &decoder->info;
    if (info->width == 0 || info->height == 0) return ci_fail(decoder, CI_CORRUPT, "the header states an empty image");
    if (info->width > decoder->limits.max_side || info->height > decoder->limits.max_side) return CI_TOO_LONG_SIDE;
    if ((uint64_t)info->width * info->height > decoder->limits.max_pixels) return CI_TOO_MANY_PIXELS;
    return CI_OK;
}

static bool begins(const ci_decoder *decoder, const char *magic, size_t offset, size_t length) {
    return decoder->count >= offset + length && memcmp(decoder->bytes + offset, magic, length) == 0;
}

static bool blank(uint8_t byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

// What a file is that is neither JPEG nor PNG, for the message.
static const char *other_kind(const ci_decoder *decoder) {
    static const struct { const char *magic; uint8_t offset, length; const char *clause; } kinds[] = {
        {"GIF8", 0, 4, "a GIF file"}, {"BM", 0, 2, "a BMP file"}, {"WEBP", 8, 4, "a WebP file"},
        {"II*\0", 0, 4, "a TIFF file"}, {"MM\0*", 0, 4, "a TIFF file"}, {"P5", 0, 2, "a PGM file"},
        {"P6", 0, 2, "a PPM file"}, {"\0\0\0\014jP  ", 0, 8, "a JPEG 2000 file"}, {"\377O\377Q", 0, 4, "a JPEG 2000 stream"},
        {"\377\012", 0, 2, "a JPEG XL stream"}, {"ftypavif", 4, 8, "an AVIF file"}, {"ftyp", 4, 4, "an HEIF or MP4 file"},
        {"%PDF", 0, 4, "a PDF file"}, {"PK\003\004", 0, 4, "a zip archive"}, {"\037\213", 0, 2, "a gzip file"},
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (begins(decoder, kinds[i].magic, kinds[i].offset, kinds[i].length)) return kinds[i].clause;
    }
    size_t start = begins(decoder, "\357\273\277", 0, 3) ? 3 : 0;   // a UTF-8 mark
    while (start < decoder->count && start < 64 && blank(decoder->bytes[start])) start++;
    if (begins(decoder, "<", start, 1)) return "an HTML or XML page, not an image (did a download fail?)";
    return "not a known image format";
}

// A PNG signature of which a transfer in text mode or a stray write changed a few bytes.
static bool nearly_png(const ci_decoder *decoder) {
    const char *magic = "\211PNG\r\n\032\n";
    int alike = 0;
    for (size_t i = 0; i < 8 && i < decoder->count; i++) alike += decoder->bytes[i] == (uint8_t)magic[i];
    return alike >= 6 || begins(decoder, "PNG", 1, 3) || begins(decoder, "PNG", 0, 3);
}

static ci_format sniff(ci_decoder *decoder) {
    if (begins(decoder, "\377\330\377", 0, 3)) return CI_JPEG;
    if (begins(decoder, "\211PNG\r\n\032\n", 0, 8)) return CI_PNG;
    if (decoder->count == 0) {
        ci_fail(decoder, CI_TRUNCATED, "the file is empty");
    } else if (decoder->count < 8 && (memcmp("\377\330\377", decoder->bytes, decoder->count < 3 ? decoder->count : 3) == 0
                                      || memcmp("\211PNG\r\n\032\n", decoder->bytes, decoder->count) == 0)) {
        ci_fail(decoder, CI_TRUNCATED, "the file ends within its signature");
    } else if (nearly_png(decoder)) {
        ci_fail(decoder, CI_CORRUPT, "the PNG signature is damaged (copied in text mode?)");
    } else {
        ci_fail(decoder, CI_UNSUPPORTED, other_kind(decoder));
    }
    return CI_UNKNOWN;
}

ci_status ci_open(ci_decoder *decoder, const uint8_t *bytes, size_t count, const ci_limits *limits, ci_info *info) {
    close_image(decoder);
    decoder->bytes = bytes;
    decoder->count = count;
    decoder->position = 0;
    decoder->limits = *limits;
    decoder->status = CI_OK;
    decoder->warnings = 0;
    decoder->refused_for_warning = false;
    decoder->message[0] = '\0';
    memset(&decoder->info, 0, sizeof decoder->info);
    *info = decoder->info;
    if (count > limits->max_bytes) return CI_TOO_MANY_BYTES;

    decoder->info.format = sniff(decoder);
    if (decoder->info.format == CI_UNKNOWN) return decoder->status;
    const ci_survey survey =
        decoder->info.format == CI_JPEG ? ci_survey_jpeg(bytes, count) : ci_survey_png(bytes, count);
    decoder->info.orientation = survey.orientation;
    decoder->info.exif_malformed = survey.exif_malformed;
    decoder->info.scans = survey.scans;
    decoder->info.several = survey.several;
    decoder->ends_early = survey.ends_early;
    ci_status status = CI_OK;
    if (decoder->info.format == CI_JPEG && survey.scans > limits->max_scans) status = CI_TOO_MANY_SCANS;
    if (status == CI_OK) status = decoder->info.format == CI_JPEG ? ci_open_jpeg(decoder) : ci_open_png(decoder);
    *info = decoder->info;
    decoder->opened = status == CI_OK;
    if (status != CI_OK) close_image(decoder);
    return status;
}

ci_status ci_reduce(ci_decoder *decoder, uint32_t width, uint32_t height, ci_info *info) {
    if (!decoder->opened) return ci_fail(decoder, CI_CORRUPT, "no image is open");
    const ci_status status = decoder->info.format == CI_JPEG ? ci_reduce_jpeg(decoder, width, height) : CI_OK;
    *info = decoder->info;
    if (status != CI_OK) close_image(decoder);
    return status;
}

ci_status ci_read(ci_decoder *decoder, uint8_t *rgb, size_t capacity) {
    if (!decoder->opened) return ci_fail(decoder, CI_CORRUPT, "no image is open");
    if (capacity < decoder->info.buffer_bytes) return CI_SMALL_BUFFER;
    const ci_status status =
        decoder->info.format == CI_JPEG ? ci_read_jpeg(decoder, rgb) : ci_read_png(decoder, rgb);
    close_image(decoder);
    return status;
}
