// Column sums: float inside a short chain of rows, double across chains.
#include "internal.h"

enum { TILE = 64 };

CK_COPIES(, ck_column_sums, (double *sums, const float *x, int64_t rows, int channels), (sums, x, rows, channels)) {
    for (int first = 0; first < channels; first += TILE) {
        const int width = (int)ck_min(TILE, channels - first);
        double *total = sums + first;
        for (int c = 0; c < width; c++) total[c] = 0;
        for (int64_t chain = 0; chain < rows; chain += CK_FLOAT_CHAIN) {
            const int64_t end = ck_min(rows, chain + CK_FLOAT_CHAIN);
            float part[TILE] = {0};
            for (int64_t r = chain; r < end; r++) {
                const float *row = x + r * channels + first;
                for (int c = 0; c < width; c++) part[c] += row[c];
            }
            for (int c = 0; c < width; c++) total[c] += part[c];
        }
    }
}
