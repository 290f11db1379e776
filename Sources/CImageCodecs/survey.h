// What a walk over the markers of a JPEG or the chunks of a PNG finds without a library.
#ifndef CI_SURVEY_H
#define CI_SURVEY_H

#include "CImageCodecs.h"

typedef struct ci_survey {
    uint32_t scans;         // JPEG: start-of-scan markers; PNG: 1, or 7 when interlaced
    uint32_t orientation;   // EXIF, 1…8
    bool ends_early;        // PNG: a chunk states more bytes than the file has left
} ci_survey;

/// Both expect the signature to have been checked: count ≥ 3 and ≥ 8.
__attribute__((visibility("hidden"))) ci_survey ci_survey_jpeg(const uint8_t *bytes, size_t count);
__attribute__((visibility("hidden"))) ci_survey ci_survey_png(const uint8_t *bytes, size_t count);

#endif
