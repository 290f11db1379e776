// EXIF orientation applied to pixels.
#include "CImageCodecs.h"

#include <string.h>

// Where the eight orientations take the output's pixel (column, row) from. Flip and transpose are the three independent moves.
typedef struct ci_moves {
    bool transpose;   // output columns run along input rows
    bool flip_x;      // input columns run backwards
    bool flip_y;      // input rows run backwards
} ci_moves;

static const ci_moves moves_of[9] = {
    [0] = {false, false, false}, [1] = {false, false, false}, [2] = {false, true, false}, [3] = {false, true, true},
    [4] = {false, false, true},  [5] = {true, false, false},  [6] = {true, false, true},  [7] = {true, true, true},
    [8] = {true, true, false},
};

void ci_orient(uint8_t *out, const uint8_t *in, uint32_t width, uint32_t height, uint32_t orientation) {
    const ci_moves moves = moves_of[orientation <= 8 ? orientation : 1];
    const uint32_t columns = moves.transpose ? height : width, rows = moves.transpose ? width : height;
    const ptrdiff_t along_x = 3, along_y = 3 * (ptrdiff_t)width;
    const ptrdiff_t x_step = moves.flip_x ? -along_x : along_x, y_step = moves.flip_y ? -along_y : along_y;
    const uint8_t *origin = in + (moves.flip_x ? (ptrdiff_t)(width - 1) * along_x : 0)
        + (moves.flip_y ? (ptrdiff_t)(height - 1) * along_y : 0);
    const ptrdiff_t column_step = moves.transpose ? y_step : x_step, row_step = moves.transpose ? x_step : y_step;
    for (uint32_t row = 0; row < rows; row++) {
        const uint8_t *from = origin + (ptrdiff_t)row * row_step;
        for (uint32_t column = 0; column < columns; column++, from += column_step, out += 3) {
            out[0] = from[0];
            out[1] = from[1];
            out[2] = from[2];
        }
    }
}
