// libFuzzer driver of the EXIF reader: a TIFF structure of any bytes gives an orientation of 1…8.
#include "CImageCodecs.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const uint32_t orientation = ci_exif_orientation(data, size);
    if (orientation < 1 || orientation > 8) abort();
    return 0;
}
