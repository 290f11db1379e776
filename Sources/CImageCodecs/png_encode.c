// PNG encoder over libpng's simplified interface, which keeps its longjmp to itself.
#include "ci_encode.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

static png_image image_of(uint32_t width, uint32_t height) {
    png_image image;
    memset(&image, 0, sizeof image);
    image.version = PNG_IMAGE_VERSION;
    image.width = width;
    image.height = height;
    image.format = PNG_FORMAT_RGB;
    return image;
}

// libpng counts an image's bytes in 32 bits.
static bool countable(uint32_t width, uint32_t height) {
    return width >= 1 && height >= 1 && width <= CI_ENCODE_PNG_SIDE && height <= CI_ENCODE_PNG_SIDE
        && (uint64_t)height * ((uint64_t)width * 3 + 1) <= UINT32_MAX;
}

size_t ci_encode_png_bound(uint32_t width, uint32_t height) {
    if (!countable(width, height)) return 0;
    const png_image image = image_of(width, height);
    return PNG_IMAGE_PNG_SIZE_MAX(image);
}

ci_encode_status ci_encode_png(
    uint8_t *out, size_t capacity, size_t *written, const uint8_t *rgb, uint32_t width, uint32_t height, char *message) {
    *written = 0;
    if (message) message[0] = '\0';
    if (!countable(width, height)) return CI_ENCODE_BAD_ARGUMENT;
    png_image image = image_of(width, height);
    png_alloc_size_t size = capacity;
    const int done = png_image_write_to_memory(&image, out, &size, 0, rgb, (png_int_32)(width * 3), NULL);
    if (done) {
        *written = size;
        return CI_ENCODE_OK;
    }
    if (size > capacity) return CI_ENCODE_SMALL_BUFFER;
    if (message) snprintf(message, CI_ENCODE_MESSAGE_BYTES, "%s", image.message);
    return CI_ENCODE_LIBRARY;
}
