// What a walk over the markers of a JPEG or the chunks of a PNG finds without a library.
#ifndef CI_SURVEY_H
#define CI_SURVEY_H

#include "CImageCodecs.h"

typedef struct ci_survey {
    uint32_t scans;         // JPEG: start-of-scan markers; PNG: 1, or 7 when interlaced
    uint32_t orientation;   // EXIF, or XMP where EXIF has no such tag; 1…8
    bool exif_malformed;    // an EXIF block that cannot be read, or whose orientation is none of 1…8
    bool several;           // JPEG: an index of further images (MPO); PNG: an animation
    bool ends_early;        // PNG: a chunk states more bytes than the file has left
} ci_survey;

typedef struct ci_exif {
    uint32_t orientation;   // 1…8; 1 where there is none or it is malformed
    bool present;           // the directory has the tag, whatever its value
    bool malformed;
} ci_exif;

/// Reads a TIFF structure (the EXIF block without "Exif\0\0"): tag 0x0112 of the first directory, within `count`.
__attribute__((visibility("hidden"))) ci_exif ci_read_exif(const uint8_t *tiff, size_t count);

/// Both expect the signature to have been checked: count ≥ 3 and ≥ 8.
__attribute__((visibility("hidden"))) ci_survey ci_survey_jpeg(const uint8_t *bytes, size_t count);
__attribute__((visibility("hidden"))) ci_survey ci_survey_png(const uint8_t *bytes, size_t count);

#endif
