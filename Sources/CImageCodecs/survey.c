// A bounded walk over JPEG markers and PNG chunks: scan count, orientation and further images, before any library sees the file.
#include "survey.h"

#include <string.h>

static uint32_t big16(const uint8_t *p) { return (uint32_t)p[0] << 8 | p[1]; }
static uint32_t big32(const uint8_t *p) { return big16(p) << 16 | big16(p + 2); }

enum { SOI = 0xD8, EOI = 0xD9, SOS = 0xDA, APP1 = 0xE1, APP2 = 0xE2, RST0 = 0xD0, TEM = 0x01 };   // JPEG markers

static const char xmp_in_jpeg[] = "http://ns.adobe.com/xap/1.0/";   // with the NUL at its end
static const char xmp_in_png[] = "XML:com.adobe.xmp";

// What EXIF and XMP say together: XMP counts only where EXIF has no such tag, as in Pillow.
typedef struct orientations {
    ci_exif exif;
    bool seen_exif;
    uint32_t xmp;     // 0: none
} orientations;

static void meet_exif(orientations *found, const uint8_t *tiff, size_t count) {
    if (found->seen_exif) return;   // several EXIF blocks: the first one counts
    found->seen_exif = true;
    found->exif = ci_read_exif(tiff, count);
}

// The first tiff:Orientation="n" or tiff:Orientation>n< of an XMP packet.
static void meet_xmp(orientations *found, const uint8_t *text, size_t count) {
    static const char name[] = "tiff:Orientation";
    enum { NAME = sizeof name - 1 };
    for (size_t at = 0; count - at > NAME + 2;) {
        const uint8_t *hit = memchr(text + at, name[0], count - at - NAME - 2);
        if (!hit) return;
        at = (size_t)(hit - text);
        const uint8_t *p = hit + NAME;
        if (memcmp(hit, name, NAME) == 0) {
            const uint8_t digit = p[0] == '>' ? p[1] : p[0] == '=' && p[1] == '"' ? p[2] : 0;
            if (digit >= '0' && digit <= '9') {
                found->xmp = (uint32_t)(digit - '0');
                return;
            }
        }
        at++;
    }
}

static void settle(ci_survey *survey, const orientations *found) {
    survey->exif_malformed = found->exif.malformed;
    const uint32_t xmp = found->xmp >= 1 && found->xmp <= 8 ? found->xmp : 1;
    survey->orientation = found->seen_exif && found->exif.present ? found->exif.orientation : xmp;
}

ci_survey ci_survey_jpeg(const uint8_t *bytes, size_t count) {
    ci_survey survey = {.orientation = 1};
    orientations seen = {{1, false, false}, false, 0};
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
        if (marker == APP1 && survey.scans == 0) {
            const uint8_t *block = bytes + at + 2;
            const size_t bytes_left = length - 2;
            if (bytes_left > 6 && memcmp(block, "Exif\0\0", 6) == 0) meet_exif(&seen, block + 6, bytes_left - 6);
            if (bytes_left > sizeof xmp_in_jpeg && memcmp(block, xmp_in_jpeg, sizeof xmp_in_jpeg) == 0) {
                meet_xmp(&seen, block + sizeof xmp_in_jpeg, bytes_left - sizeof xmp_in_jpeg);
            }
        }
        if (marker == APP2 && length > 6 && memcmp(bytes + at + 2, "MPF", 4) == 0) survey.several = true;
        at += length;
    }
    settle(&survey, &seen);
    return survey;
}

ci_survey ci_survey_png(const uint8_t *bytes, size_t count) {
    ci_survey survey = {.scans = 1, .orientation = 1};
    orientations seen = {{1, false, false}, false, 0};
    size_t at = 8;
    while (count - at >= 12) {
        const size_t length = big32(bytes + at);
        const uint8_t *name = bytes + at + 4;
        if (length > count - at - 12) {
            survey.ends_early = true;
            break;
        }
        if (memcmp(name, "IHDR", 4) == 0 && length == 13) survey.scans = name[4 + 12] == 1 ? 7 : 1;
        if (memcmp(name, "acTL", 4) == 0) survey.several = true;
        if (memcmp(name, "eXIf", 4) == 0) meet_exif(&seen, name + 4, length);
        // Keyword, NUL, compression flag and method; a compressed packet is left unread.
        if (memcmp(name, "iTXt", 4) == 0 && length > sizeof xmp_in_png + 2
            && memcmp(name + 4, xmp_in_png, sizeof xmp_in_png) == 0 && name[4 + sizeof xmp_in_png] == 0) {
            meet_xmp(&seen, name + 4 + sizeof xmp_in_png + 2, length - sizeof xmp_in_png - 2);
        }
        if (memcmp(name, "IEND", 4) == 0) break;
        at += length + 12;
    }
    settle(&survey, &seen);
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

ci_exif ci_read_exif(const uint8_t *bytes, size_t count) {
    enum { ORIENTATION = 0x0112, TYPE_SHORT = 3, TYPE_LONG = 4, ENTRY = 12 };
    const ci_exif none = {1, false, false}, malformed = {1, false, true}, odd = {1, true, true};
    if (count < 8) return malformed;
    tiff_reader tiff = {bytes, count, bytes[0] == 'I'};
    uint32_t magic, directory, entries;
    if (bytes[0] != bytes[1] || (bytes[0] != 'I' && bytes[0] != 'M')) return malformed;
    if (!read16(&tiff, 2, &magic) || magic != 42) return malformed;
    if (!read32(&tiff, 4, &directory) || !read16(&tiff, directory, &entries)) return malformed;
    for (uint32_t i = 0; i < entries; i++) {
        const size_t at = (size_t)directory + 2 + (size_t)i * ENTRY;
        uint32_t tag, type, length, value;
        if (!read16(&tiff, at, &tag) || !read16(&tiff, at + 2, &type) || !read32(&tiff, at + 4, &length)) return malformed;
        if (tag != ORIENTATION) continue;
        if (length != 1) return odd;
        if (type == TYPE_SHORT) {
            if (!read16(&tiff, at + 8, &value)) return odd;
        } else if (type == TYPE_LONG) {   // against the standard, but written by some tools and read by Pillow
            if (!read32(&tiff, at + 8, &value)) return odd;
        } else {
            return odd;
        }
        return value >= 1 && value <= 8 ? (ci_exif){value, true, false} : odd;
    }
    return none;
}

uint32_t ci_exif_orientation(const uint8_t *bytes, size_t count) { return ci_read_exif(bytes, count).orientation; }
