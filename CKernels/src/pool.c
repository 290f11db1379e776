// Max, average and global average pooling. A block is a fixed number of whole images, so scattered gradients never race.
#include <math.h>
#include <string.h>

#include "internal.h"

typedef struct {
    float *y;                   // forward: y; backward: dx
    const float *x, *dy;
    const ck_pool2d_desc *d;
    int out_height, out_width;
} pool_job;

typedef struct { int top, bottom, left, right; } window;

static inline window clip(const ck_pool2d_desc *d, int oy, int ox) {
    const int top = oy * d->stride - d->padding, left = ox * d->stride - d->padding;
    return (window){
        (int)ck_max(top, 0), (int)ck_min(top + d->kernel, d->height),
        (int)ck_max(left, 0), (int)ck_min(left + d->kernel, d->width)};
}

static int64_t images_per_block(const ck_pool2d_desc *d) {
    return ck_max(1, 2 * CK_ELEMENT_BLOCK / ((int64_t)d->height * d->width * d->channels));
}

static bool bad_pool(const ck_pool2d_desc *d) {
    return d->batch < 1 || d->height < 1 || d->width < 1 || d->channels < 1 || d->kernel < 1 || d->stride < 1
        || d->padding < 0 || 2 * d->padding > d->kernel
        || ck_output_size(d->height, d->kernel, d->stride, d->padding) < 1
        || ck_output_size(d->width, d->kernel, d->stride, d->padding) < 1;
}

static ck_status run(ck_block_fn fn, float *y, const float *x, const float *dy, const ck_pool2d_desc *d) {
    if (bad_pool(d)) return CK_BAD_SHAPE;
    pool_job job = {
        y, x, dy, d, ck_output_size(d->height, d->kernel, d->stride, d->padding),
        ck_output_size(d->width, d->kernel, d->stride, d->padding)};
    ck_parallel_for(ck_ceil_div(d->batch, images_per_block(d)), fn, &job);
    return CK_OK;
}

// ---- max

/// Replaces best by value where value is larger or NaN; a NaN in best stays, because nothing compares larger.
CK_INLINE float larger(float best, float value) { return value > best || value != value ? value : best; }

CK_BLOCK_COPIES(max_forward_block) {
    const pool_job *job = context;
    const ck_pool2d_desc *d = job->d;
    const int channels = d->channels;
    const int64_t line = (int64_t)d->width * channels, begin = block * images_per_block(d);
    const int64_t end = ck_min(d->batch, begin + images_per_block(d));
    for (int64_t n = begin; n < end; n++) {
        const float *image = job->x + n * d->height * line;
        float *restrict y = job->y + n * job->out_height * job->out_width * channels;
        for (int oy = 0; oy < job->out_height; oy++) {
            for (int ox = 0; ox < job->out_width; ox++, y += channels) {
                const window w = clip(d, oy, ox);
                if (d->kernel == 2 && w.bottom - w.top == 2 && w.right - w.left == 2) {
                    const float *a = image + w.top * line + (int64_t)w.left * channels, *b = a + line;
                    for (int c = 0; c < channels; c++) {
                        const float above = larger(a[c], a[c + channels]), below = larger(b[c], b[c + channels]);
                        y[c] = larger(above, below);
                    }
                    continue;
                }
                for (int c = 0; c < channels; c++) y[c] = -INFINITY;
                for (int iy = w.top; iy < w.bottom; iy++) {
                    for (int ix = w.left; ix < w.right; ix++) {
                        const float *x = image + iy * line + (int64_t)ix * channels;
                        for (int c = 0; c < channels; c++) y[c] = larger(y[c], x[c]);
                    }
                }
            }
        }
    }
}

/// Two-by-two window without overlap: writes the four gradients instead of adding.
CK_INLINE void max_backward_quad(
    float *restrict dxa, float *restrict dxb, const float *restrict dy, const float *restrict a, const float *restrict b,
    int channels) {
    for (int c = 0; c < channels; c++) {
        const float v0 = a[c], v1 = a[c + channels], v2 = b[c], v3 = b[c + channels];
        float best = v0;
        int at = 0;
        at = v1 > best || v1 != v1 ? 1 : at;
        best = larger(best, v1);
        at = v2 > best || v2 != v2 ? 2 : at;
        best = larger(best, v2);
        at = v3 > best || v3 != v3 ? 3 : at;
        const float g = dy[c];
        dxa[c] = at == 0 ? g : 0;
        dxa[c + channels] = at == 1 ? g : 0;
        dxb[c] = at == 2 ? g : 0;
        dxb[c + channels] = at == 3 ? g : 0;
    }
}

CK_BLOCK_COPIES(max_backward_block) {
    enum { TILE = 64 };
    const pool_job *job = context;
    const ck_pool2d_desc *d = job->d;
    const int channels = d->channels;
    const int64_t line = (int64_t)d->width * channels, begin = block * images_per_block(d);
    const int64_t end = ck_min(d->batch, begin + images_per_block(d));
    const bool quads = d->kernel == 2 && d->stride == 2 && d->padding == 0;
    const bool covered = quads && d->height % 2 == 0 && d->width % 2 == 0;
    for (int64_t n = begin; n < end; n++) {
        const float *image = job->x + n * d->height * line;
        float *dx = job->y + n * d->height * line;
        const float *dy = job->dy + n * job->out_height * job->out_width * channels;
        if (!covered) memset(dx, 0, (size_t)(d->height * line) * sizeof(float));
        for (int oy = 0; oy < job->out_height; oy++) {
            for (int ox = 0; ox < job->out_width; ox++, dy += channels) {
                const window w = clip(d, oy, ox);
                if (quads) {
                    const int64_t at = w.top * line + (int64_t)w.left * channels;
                    max_backward_quad(dx + at, dx + at + line, dy, image + at, image + at + line, channels);
                    continue;
                }
                for (int first = 0; first < channels; first += TILE) {
                    const int width = (int)ck_min(TILE, channels - first);
                    float best[TILE];
                    int64_t where[TILE];
                    const int64_t corner = w.top * line + (int64_t)w.left * channels + first;
                    for (int c = 0; c < width; c++) {
                        best[c] = -INFINITY;
                        where[c] = corner + c;
                    }
                    for (int iy = w.top; iy < w.bottom; iy++) {
                        for (int ix = w.left; ix < w.right; ix++) {
                            const int64_t at = iy * line + (int64_t)ix * channels + first;
                            for (int c = 0; c < width; c++) {
                                const float value = image[at + c];
                                const bool wins = value > best[c] || value != value;
                                best[c] = wins ? value : best[c];
                                where[c] = wins ? at + c : where[c];
                            }
                        }
                    }
                    for (int c = 0; c < width; c++) dx[where[c]] += dy[first + c];
                }
            }
        }
    }
}

ck_status ck_max_pool2d_forward(float *y, const float *x, const ck_pool2d_desc *d) {
    return run(max_forward_block, y, x, NULL, d);
}

ck_status ck_max_pool2d_backward(float *dx, const float *dy, const float *x, const ck_pool2d_desc *d) {
    return run(max_backward_block, dx, x, dy, d);
}

// ---- average

CK_BLOCK_COPIES(average_forward_block) {
    const pool_job *job = context;
    const ck_pool2d_desc *d = job->d;
    const int channels = d->channels;
    const float share = 1.0f / (float)(d->kernel * d->kernel);
    const int64_t line = (int64_t)d->width * channels, begin = block * images_per_block(d);
    const int64_t end = ck_min(d->batch, begin + images_per_block(d));
    for (int64_t n = begin; n < end; n++) {
        const float *image = job->x + n * d->height * line;
        float *restrict y = job->y + n * job->out_height * job->out_width * channels;
        for (int oy = 0; oy < job->out_height; oy++) {
            for (int ox = 0; ox < job->out_width; ox++, y += channels) {
                const window w = clip(d, oy, ox);
                for (int c = 0; c < channels; c++) y[c] = 0;
                for (int iy = w.top; iy < w.bottom; iy++) {
                    for (int ix = w.left; ix < w.right; ix++) {
                        const float *x = image + iy * line + (int64_t)ix * channels;
                        for (int c = 0; c < channels; c++) y[c] += x[c];
                    }
                }
                for (int c = 0; c < channels; c++) y[c] *= share;
            }
        }
    }
}

CK_BLOCK_COPIES(average_backward_block) {
    const pool_job *job = context;
    const ck_pool2d_desc *d = job->d;
    const int channels = d->channels;
    const float share = 1.0f / (float)(d->kernel * d->kernel);
    const int64_t line = (int64_t)d->width * channels, begin = block * images_per_block(d);
    const int64_t end = ck_min(d->batch, begin + images_per_block(d));
    for (int64_t n = begin; n < end; n++) {
        float *dx = job->y + n * d->height * line;
        const float *restrict dy = job->dy + n * job->out_height * job->out_width * channels;
        memset(dx, 0, (size_t)(d->height * line) * sizeof(float));
        for (int oy = 0; oy < job->out_height; oy++) {
            for (int ox = 0; ox < job->out_width; ox++, dy += channels) {
                const window w = clip(d, oy, ox);
                for (int iy = w.top; iy < w.bottom; iy++) {
                    for (int ix = w.left; ix < w.right; ix++) {
                        float *restrict out = dx + iy * line + (int64_t)ix * channels;
                        for (int c = 0; c < channels; c++) out[c] += share * dy[c];
                    }
                }
            }
        }
    }
}

ck_status ck_average_pool2d_forward(float *y, const float *x, const ck_pool2d_desc *d) {
    return run(average_forward_block, y, x, NULL, d);
}

ck_status ck_average_pool2d_backward(float *dx, const float *dy, const ck_pool2d_desc *d) {
    return run(average_backward_block, dx, NULL, dy, d);
}

// ---- global average: an image is one block

typedef struct {
    float *y;
    const float *x;
    const ck_global_pool_desc *d;
} global_job;

CK_BLOCK_COPIES(global_forward_block) {
    enum { TILE = 64 };
    const global_job *job = context;
    const int channels = job->d->channels, pixels = job->d->pixels;
    const float *x = job->x + block * pixels * channels;
    float *y = job->y + block * channels;
    for (int first = 0; first < channels; first += TILE) {
        const int width = (int)ck_min(TILE, channels - first);
        double total[TILE] = {0};
        for (int chain = 0; chain < pixels; chain += CK_FLOAT_CHAIN) {
            const int end = (int)ck_min(pixels, chain + CK_FLOAT_CHAIN);
            float part[TILE] = {0};
            for (int p = chain; p < end; p++) {
                for (int c = 0; c < width; c++) part[c] += x[(int64_t)p * channels + first + c];
            }
            for (int c = 0; c < width; c++) total[c] += part[c];
        }
        for (int c = 0; c < width; c++) y[first + c] = (float)(total[c] / pixels);
    }
}

CK_BLOCK_COPIES(global_backward_block) {
    const global_job *job = context;
    const int channels = job->d->channels, pixels = job->d->pixels;
    const float share = 1.0f / (float)pixels;
    const float *restrict dy = job->x + block * channels;
    for (int p = 0; p < pixels; p++) {
        float *restrict dx = job->y + (block * pixels + p) * channels;
        for (int c = 0; c < channels; c++) dx[c] = share * dy[c];
    }
}

static bool bad_global(const ck_global_pool_desc *d) { return d->batch < 1 || d->pixels < 1 || d->channels < 1; }

ck_status ck_global_average_pool_forward(float *y, const float *x, const ck_global_pool_desc *d) {
    if (bad_global(d)) return CK_BAD_SHAPE;
    global_job job = {y, x, d};
    ck_parallel_for(d->batch, global_forward_block, &job);
    return CK_OK;
}

ck_status ck_global_average_pool_backward(float *dx, const float *dy, const ck_global_pool_desc *d) {
    if (bad_global(d)) return CK_BAD_SHAPE;
    global_job job = {dx, dy, d};
    ck_parallel_for(d->batch, global_backward_block, &job);
    return CK_OK;
}
