// Batch normalisation: statistics per block of rows (float inside, double across), combined in block order.
#include <math.h>

#include "internal.h"

enum { TILE = 64 };

typedef struct {
    float *y;               // forward: y; backward: dx
    const float *x, *dy;
    double *first, *second; // [blocks, C]: forward row sum and centred square sum; backward Σdy and Σdy·(x − mean)
    const float *centre;    // [C]
    const float *slope;     // [C]
    const float *shift;     // [C]
    const float *bend;      // [C], backward only
    const ck_batch_norm_desc *d;
} norm_job;

static int64_t norm_blocks(const ck_batch_norm_desc *d) { return ck_ceil_div(d->rows, ck_sum_block_rows(d->channels)); }

static bool bad_norm(const ck_batch_norm_desc *d) { return d->rows < 1 || d->channels < 1; }

typedef struct { int64_t begin, rows; } row_range;

static inline row_range block_rows(const ck_batch_norm_desc *d, int64_t block) {
    const int64_t step = ck_sum_block_rows(d->channels), begin = block * step;
    return (row_range){begin, ck_min(step, d->rows - begin)};
}

// Deviations are taken from the block's own mean while the block is in cache, and their sum then corrects mean and squares for
// the rounding of that mean: no cancellation however far the data lies from 0.
CK_BLOCK_COPIES(statistics_block) {
    const norm_job *job = context;
    const int channels = job->d->channels;
    const row_range range = block_rows(job->d, block);
    const float *x = job->x + range.begin * channels;
    double *sums = job->first + block * channels, *squares = job->second + block * channels;
    ck_column_sums(sums, x, range.rows, channels);
    for (int first = 0; first < channels; first += TILE) {
        const int width = (int)ck_min(TILE, channels - first);
        float mean[TILE];
        for (int c = 0; c < width; c++) {
            mean[c] = (float)(sums[first + c] / (double)range.rows);
            sums[first + c] = squares[first + c] = 0;
        }
        for (int64_t chain = 0; chain < range.rows; chain += CK_FLOAT_CHAIN) {
            const int64_t end = ck_min(range.rows, chain + CK_FLOAT_CHAIN);
            float part[TILE] = {0}, part_square[TILE] = {0};
            for (int64_t r = chain; r < end; r++) {
                const float *row = x + r * channels + first;
                for (int c = 0; c < width; c++) {
                    const float delta = row[c] - mean[c];
                    part[c] += delta;
                    part_square[c] += delta * delta;
                }
            }
            for (int c = 0; c < width; c++) {
                sums[first + c] += part[c];
                squares[first + c] += part_square[c];
            }
        }
        for (int c = 0; c < width; c++) {
            const double rest = sums[first + c], rows = (double)range.rows;
            squares[first + c] -= rest * rest / rows;
            sums[first + c] = mean[c] * rows + rest;
        }
    }
}

CK_BLOCK_COPIES(normalise_block) {
    const norm_job *job = context;
    const int channels = job->d->channels;
    const row_range range = block_rows(job->d, block);
    const float *restrict centre = job->centre, *restrict slope = job->slope, *restrict shift = job->shift;
    for (int64_t r = range.begin; r < range.begin + range.rows; r++) {
        float *restrict y = job->y + r * channels;
        const float *restrict x = job->x + r * channels;
        for (int c = 0; c < channels; c++) y[c] = (x[c] - centre[c]) * slope[c] + shift[c];
    }
}

CK_BLOCK_COPIES(gradient_sums_block) {
    const norm_job *job = context;
    const int channels = job->d->channels;
    const row_range range = block_rows(job->d, block);
    for (int first = 0; first < channels; first += TILE) {
        const int width = (int)ck_min(TILE, channels - first);
        double *sum = job->first + block * channels + first, *product = job->second + block * channels + first;
        const float *centre = job->centre + first;
        for (int c = 0; c < width; c++) sum[c] = product[c] = 0;
        for (int64_t chain = 0; chain < range.rows; chain += CK_FLOAT_CHAIN) {
            const int64_t end = ck_min(range.rows, chain + CK_FLOAT_CHAIN);
            float part[TILE] = {0}, part_product[TILE] = {0};
            for (int64_t r = chain; r < end; r++) {
                const float *dy = job->dy + (range.begin + r) * channels + first;
                const float *x = job->x + (range.begin + r) * channels + first;
                for (int c = 0; c < width; c++) {
                    part[c] += dy[c];
                    part_product[c] += dy[c] * (x[c] - centre[c]);
                }
            }
            for (int c = 0; c < width; c++) {
                sum[c] += part[c];
                product[c] += part_product[c];
            }
        }
    }
}

CK_BLOCK_COPIES(gradient_block) {
    const norm_job *job = context;
    const int channels = job->d->channels;
    const row_range range = block_rows(job->d, block);
    const float *restrict centre = job->centre, *restrict slope = job->slope;
    const float *restrict shift = job->shift, *restrict bend = job->bend;
    for (int64_t r = range.begin; r < range.begin + range.rows; r++) {
        float *restrict dx = job->y + r * channels;
        const float *restrict dy = job->dy + r * channels, *restrict x = job->x + r * channels;
        for (int c = 0; c < channels; c++) dx[c] = slope[c] * dy[c] + (shift[c] + bend[c] * (x[c] - centre[c]));
    }
}

size_t ck_batch_norm_workspace_bytes(const ck_batch_norm_desc *d) {
    if (bad_norm(d)) return 0;
    const size_t partials = ck_padded((size_t)(norm_blocks(d) * d->channels) * sizeof(double));
    return ck_workspace_total(2 * partials + 3 * ck_padded((size_t)d->channels * sizeof(float)));
}

typedef struct {
    double *first, *second;
    float *slope, *shift, *bend;
} norm_memory;

static norm_memory carve(void *workspace, const ck_batch_norm_desc *d) {
    const size_t partials = (size_t)(norm_blocks(d) * d->channels) * sizeof(double), row = (size_t)d->channels * sizeof(float);
    norm_memory memory;
    memory.first = ck_carve(&workspace, partials);
    memory.second = ck_carve(&workspace, partials);
    memory.slope = ck_carve(&workspace, row);
    memory.shift = ck_carve(&workspace, row);
    memory.bend = ck_carve(&workspace, row);
    return memory;
}

ck_status ck_batch_norm_forward_train(
    float *y, float *mean, float *inverse_std, float *running_mean, float *running_variance,
    const float *x, const float *gamma, const float *beta,
    const ck_batch_norm_desc *d, void *workspace, size_t bytes) {
    if (bad_norm(d)) return CK_BAD_SHAPE;
    if (workspace == NULL || bytes < ck_batch_norm_workspace_bytes(d)) return CK_SMALL_WORKSPACE;
    const norm_memory memory = carve(workspace, d);
    const int64_t blocks = norm_blocks(d);
    const int channels = d->channels;
    norm_job job = {y, x, NULL, memory.first, memory.second, mean, memory.slope, beta, NULL, d};
    ck_parallel_for(blocks, statistics_block, &job);

    const double n = (double)d->rows, momentum = d->momentum;
    for (int c = 0; c < channels; c++) {
        double sum = 0, squares = 0;
        for (int64_t b = 0; b < blocks; b++) sum += memory.first[b * channels + c];
        const double average = sum / n;
        for (int64_t b = 0; b < blocks; b++) {
            const double rows = (double)block_rows(d, b).rows, delta = memory.first[b * channels + c] / rows - average;
            squares += memory.second[b * channels + c] + rows * delta * delta;
        }
        const double variance = squares / n;
        mean[c] = (float)average;
        inverse_std[c] = (float)(1 / sqrt(variance + d->epsilon));
        memory.slope[c] = gamma[c] * inverse_std[c];
        running_mean[c] = (float)((1 - momentum) * running_mean[c] + momentum * average);
        if (d->rows > 1) {
            running_variance[c] = (float)((1 - momentum) * running_variance[c] + momentum * squares / (n - 1));
        }
    }
    ck_parallel_for(blocks, normalise_block, &job);
    return CK_OK;
}

// The slope γ/√(σ²+ε) is formed per block of rows: there is no workspace, and channels are few beside rows.
typedef struct {
    float *y;
    const float *x, *gamma, *beta, *mean, *variance;
    const ck_batch_norm_desc *d;
} infer_job;

CK_BLOCK_COPIES(infer_block) {
    const infer_job *job = context;
    const int channels = job->d->channels;
    const row_range range = block_rows(job->d, block);
    for (int first = 0; first < channels; first += TILE) {
        const int width = (int)ck_min(TILE, channels - first);
        float centre[TILE], slope[TILE], shift[TILE];
        for (int c = 0; c < width; c++) {
            centre[c] = job->mean[first + c];
            slope[c] = job->gamma[first + c] * (1 / sqrtf(job->variance[first + c] + job->d->epsilon));
            shift[c] = job->beta[first + c];
        }
        for (int64_t r = range.begin; r < range.begin + range.rows; r++) {
            float *restrict y = job->y + r * channels + first;
            const float *restrict x = job->x + r * channels + first;
            for (int c = 0; c < width; c++) y[c] = (x[c] - centre[c]) * slope[c] + shift[c];
        }
    }
}

ck_status ck_batch_norm_forward_infer(
    float *y, const float *x, const float *gamma, const float *beta,
    const float *running_mean, const float *running_variance, const ck_batch_norm_desc *d) {
    if (bad_norm(d)) return CK_BAD_SHAPE;
    infer_job job = {y, x, gamma, beta, running_mean, running_variance, d};
    ck_parallel_for(norm_blocks(d), infer_block, &job);
    return CK_OK;
}

// dx = γ·is·(dy − Σdy/n − x̂·Σ(dy·x̂)/n), written as slope·dy + shift + bend·(x − mean).
ck_status ck_batch_norm_backward(
    float *dx, float *dgamma, float *dbeta, const float *dy, const float *x,
    const float *gamma, const float *mean, const float *inverse_std,
    const ck_batch_norm_desc *d, void *workspace, size_t bytes) {
    if (bad_norm(d)) return CK_BAD_SHAPE;
    if (workspace == NULL || bytes < ck_batch_norm_workspace_bytes(d)) return CK_SMALL_WORKSPACE;
    const norm_memory memory = carve(workspace, d);
    const int64_t blocks = norm_blocks(d);
    const int channels = d->channels;
    norm_job job = {dx, x, dy, memory.first, memory.second, mean, memory.slope, memory.shift, memory.bend, d};
    ck_parallel_for(blocks, gradient_sums_block, &job);

    const double n = (double)d->rows;
    for (int c = 0; c < channels; c++) {
        double sum = 0, product = 0;
        for (int64_t b = 0; b < blocks; b++) {
            sum += memory.first[b * channels + c];
            product += memory.second[b * channels + c];
        }
        const double scale = inverse_std[c], slope = gamma[c] * scale;
        dbeta[c] += (float)sum;
        dgamma[c] += (float)(product * scale);
        memory.slope[c] = (float)slope;
        memory.shift[c] = (float)(-slope * sum / n);
        memory.bend[c] = (float)(-slope * scale * scale * product / n);
    }
    ck_parallel_for(blocks, gradient_block, &job);
    return CK_OK;
}
