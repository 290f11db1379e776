// Convolution as its definition: seven nested loops, sums in double. Oracle of the tests; never chosen for speed.
#include "conv2d_internal.h"

/// Calls the body for every pair of output pixel and filter tap inside the image: y row, x offset, w offset of channel 0.
#define FOR_EACH_TAP(shape, body)                                                                                        \
    for (int n = 0; n < (shape)->d.batch; n++)                                                                           \
        for (int oy = 0; oy < (shape)->out_height; oy++)                                                                 \
            for (int ox = 0; ox < (shape)->out_width; ox++)                                                              \
                for (int ky = 0; ky < (shape)->d.kernel_height; ky++)                                                    \
                    for (int kx = 0; kx < (shape)->d.kernel_width; kx++) {                                               \
                        const int iy = oy * (shape)->d.stride - (shape)->d.padding + ky;                                 \
                        const int ix = ox * (shape)->d.stride - (shape)->d.padding + kx;                                 \
                        if (iy < 0 || iy >= (shape)->d.height || ix < 0 || ix >= (shape)->d.width) continue;             \
                        const int64_t row = ((int64_t)n * (shape)->out_height + oy) * (shape)->out_width + ox;           \
                        const int64_t pixel = ((int64_t)n * (shape)->d.height + iy) * (shape)->d.width + ix;             \
                        const int64_t tap = (int64_t)ky * (shape)->d.kernel_width + kx;                                  \
                        body                                                                                             \
                    }

void ck_reference_forward(float *y, const float *x, const float *w, const float *bias, const conv_shape *s) {
    const int in = s->d.in_channels, out = s->d.out_channels;
    for (int k = 0; k < out; k++) {
        // One output channel at a time: the sum of a pixel stays in a double because its taps are consecutive.
        double sum = 0;
        int64_t current = -1;
        for (int64_t r = 0; r < s->rows; r++) y[r * out + k] = bias ? bias[k] : 0;
        FOR_EACH_TAP(s, {
            if (row != current) {
                if (current >= 0) y[current * out + k] = (float)sum;
                current = row;
                sum = bias ? bias[k] : 0;
            }
            for (int c = 0; c < in; c++) sum += (double)x[pixel * in + c] * w[(int64_t)k * s->columns + tap * in + c];
        })
        if (current >= 0) y[current * out + k] = (float)sum;
    }
}

void ck_reference_backward_input(float *dx, const float *dy, const float *w, const conv_shape *s) {
    const int in = s->d.in_channels, out = s->d.out_channels;
    const int64_t pixels = (int64_t)s->d.batch * s->d.height * s->d.width;
    for (int64_t i = 0; i < pixels * in; i++) dx[i] = 0;
    FOR_EACH_TAP(s, {
        for (int c = 0; c < in; c++) {
            double sum = 0;
            for (int k = 0; k < out; k++) sum += (double)dy[row * out + k] * w[(int64_t)k * s->columns + tap * in + c];
            dx[pixel * in + c] += (float)sum;
        }
    })
}

void ck_reference_backward_weight(float *dw, const float *dy, const float *x, const conv_shape *s) {
    const int in = s->d.in_channels, out = s->d.out_channels;
    for (int k = 0; k < out; k++) {
        for (int column = 0; column < s->columns; column++) {
            const int c = column % in, kx = column / in % s->d.kernel_width, ky = column / in / s->d.kernel_width;
            double sum = 0;
            for (int64_t row = 0; row < s->rows; row++) {
                const int64_t line = row / s->out_width;
                const int iy = (int)(line % s->out_height) * s->d.stride - s->d.padding + ky;
                const int ix = (int)(row % s->out_width) * s->d.stride - s->d.padding + kx;
                if (iy < 0 || iy >= s->d.height || ix < 0 || ix >= s->d.width) continue;
                const int64_t pixel = (line / s->out_height * s->d.height + iy) * s->d.width + ix;
                sum += (double)dy[row * out + k] * x[pixel * in + c];
            }
            dw[(int64_t)k * s->columns + column] += (float)sum;
        }
    }
}
