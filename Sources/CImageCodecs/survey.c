// A bounded walk over JPEG markers and PNG chunks: scan count and EXIF orientation, before any library sees the file.
#include "survey.h"

#include <string.h>

static uint32_t big16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t big32(const uint8_t *p) { return big16(p) << 16 | big16(p + 2); }

enum { SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, APP1 = 0xE1, RST0 = 0xD0, TEM = 0x01 };   // JPEG markers

ci_survey ci_survey_jpeg(const uint8_t *bytes, size_t count) {
    ci_survey survey = {0, 1, false};
    bool seen_exif = false;
    size_t at = 2;
    while (at < count) {
        const uint8_t *found = memchr(bytes + at, 0xFF, count - at);
        if (!found) break;
        at = (size_t)(found - bytes);
        while (at < count && bytes[at] == 0xFF) at++;
        if (at >= count) break;
        const uint8_t marker = bytes[at++];
        if (marker == EOI) break;
        // Stuffed bytes, restart markers and parameterless markers: look on.
        if (marker == 0 || marker == TEM || (marker >= RST0 && marker <= SOI)) continue;
        if (count - at < 2) break;
        const size_t length = big16(bytes + at);
        if (length < 2 || length > count - at) break;
        if (marker == SOS) survey.scans++;
        if (marker == APP1 && !seen_exif && survey.scans == 0 && length > 8 && memcmp(bytes + at + 2, "Exif\0\0", 6) == 0) {
            seen_exif = true;   // several EXIF blocks: the first one counts
            survey.orientation = ci_exif_orientation(bytes + at + 8, length - 8);
        }
        at += length;
    }
    return survey;
}

ci_survey ci_survey_png(const uint8_t *bytes, size_t count) {
    ci_survey survey = {1, 1, false};
    size_t at = 8;
    bool seen_exif = false;
    while (count - at >= 12) {
        const size_t length = big32(bytes + at);
        const uint8_t *name = bytes + at + 4;
        if (length > count - at - 12) {
            survey.ends_early = true;
            break;
        }
        if (memcmp(name, "IHDR", 4) == 0 && length == 13) survey.scans = name[4 + 12] == 1 ? 7 : 1;
        if (memcmp(name, "eXIf", 4) == 0 && !seen_exif) {
            seen_exif = true;
            survey.orientation = ci_exif_orientation(name + 4, length);
        }
        if (memcmp(name, "IEND", 4) == 0) break;
        at += length + 12;
    }
    return survey;
}

// ---- EXIF

typedef struct tiff_reader {
    const uint8_t *bytes;
    size_t count;
    bool little;
} tiff_reader;

static bool read16(const tiff_reader *tiff, size_t at, uint32_t *value) {
    if (at > tiff->count || tiff->count - at < 2) return false;
    const uint8_t *p = tiff->bytes + at;
    *value = tiff->little ? (uint32_t)p[1] << 8 | p[0] : big16(p);
    return true;
}

static bool read32(const tiff_reader *tiff, size_t at, uint32_t *value) {
    if (at > tiff->count || tiff->count - at < 4) return false;
    const uint8_t *p = tiff->bytes + at;
    *value = tiff->little ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : big32(p);
    return true;
}

uint32_t ci_exif_orientation(const uint8_t *bytes, size_t count) {
    enum { ORIENTATION = 0x0112, TYPE_BYTE = 1, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY = 12 };
    if (count < 8) return 1;
    tiff_reader tiff = {bytes, count, bytes[0] == 'I'};
    uint32_t magic, directory, entries;
    if (bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M')) return 1;
    if (!read16(&tiff, 2, &magic) || magic != 42) return 1;
    if (!read32(&tiff, 4, &directory) || !read16(&tiff, directory, &entries)) return 1;
    for (uint32_t i = 0; i < entries; i++) {
        const size_t at = (size_t)directory + 2 + (size_t)i * ENTRY;
        uint32_t tag, type, length, value;
        if (!read16(&tiff, at, &tag) || !read16(&tiff, at + 2, &type) || !read32(&tiff, at + 4, &length)) return 1;
        if (tag != ORIENTATION) continue;
        if (length != 1) return 1;
        if (type == TYPE_SHORT) {
            if (!read16(&tiff, at + 8, &value)) return 1;
        } else if (type == TYPE_LONG) {   // against the standard, but written by some tools and read by Pillow
            if (!read32(&tiff, at + 8, &value)) return 1;
        } else {
            return 1;
        }
        return value >= 1 && value <= 8 ? value : 1;
    }
    return 1;
}
