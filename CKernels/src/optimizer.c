// Optimizer steps: one fused pass over flat buffers. Gradient norm: double, in block order.
#include <math.h>

#include "internal.h"

// ---- AdamW

typedef struct {
    float *p, *m, *v;
    const float *g;
    int64_t count;
    float keep, take1, keep2, take2, step_size, inverse_root, epsilon;
} adamw_job;

CK_BLOCK_COPIES(adamw_block) {
    const adamw_job job = *(const adamw_job *)context;
    const int64_t begin = block * CK_ELEMENT_BLOCK, n = ck_min(CK_ELEMENT_BLOCK, job.count - begin);
    float *restrict p = job.p + begin, *restrict m = job.m + begin, *restrict v = job.v + begin;
    const float *restrict g = job.g + begin;
    for (int64_t i = 0; i < n; i++) {
        m[i] += job.take1 * (g[i] - m[i]);
        v[i] = job.keep2 * v[i] + job.take2 * g[i] * g[i];
        p[i] = job.keep * p[i] - job.step_size * m[i] / (__builtin_sqrtf(v[i]) * job.inverse_root + job.epsilon);
    }
}

ck_status ck_adamw_step(float *p, float *m, float *v, const float *g, const ck_adamw_desc *d) {
    if (d->count < 0) return CK_BAD_SHAPE;
    if (d->step < 1 || !(d->beta1 >= 0 && d->beta1 < 1) || !(d->beta2 >= 0 && d->beta2 < 1)) return CK_BAD_ARGUMENT;
    const double correction1 = 1 - pow(d->beta1, (double)d->step), correction2 = 1 - pow(d->beta2, (double)d->step);
    adamw_job job = {
        p, m, v, g, d->count,
        (float)(1 - (double)d->learning_rate * d->weight_decay),
        (float)(1 - (double)d->beta1), d->beta2, (float)(1 - (double)d->beta2),
        (float)(d->learning_rate / correction1), (float)(1 / sqrt(correction2)), d->epsilon};
    ck_parallel_for(ck_ceil_div(d->count, CK_ELEMENT_BLOCK), adamw_block, &job);
    return CK_OK;
}

// ---- SGD

typedef struct {
    float *p, *momentum;
    const float *g;
    const ck_sgd_desc *d;
} sgd_job;

CK_BLOCK_COPIES(sgd_block) {
    const sgd_job *job = context;
    const ck_sgd_desc d = *job->d;
    const int64_t begin = block * CK_ELEMENT_BLOCK, n = ck_min(CK_ELEMENT_BLOCK, d.count - begin);
    float *restrict p = job->p + begin;
    const float *restrict g = job->g + begin;
    if (d.momentum == 0) {
        for (int64_t i = 0; i < n; i++) p[i] -= d.learning_rate * (g[i] + d.weight_decay * p[i]);
        return;
    }
    float *restrict momentum = job->momentum + begin;
    const float old = d.first_step ? 0 : d.momentum, ahead = d.nesterov ? d.momentum : 1, own = d.nesterov ? 1 : 0;
    for (int64_t i = 0; i < n; i++) {
        const float step = g[i] + d.weight_decay * p[i];
        momentum[i] = (d.first_step ? 0 : old * momentum[i]) + step;
        p[i] -= d.learning_rate * (own * step + ahead * momentum[i]);
    }
}

ck_status ck_sgd_step(float *p, float *momentum, const float *g, const ck_sgd_desc *d) {
    if (d->count < 0) return CK_BAD_SHAPE;
    if (!(d->momentum >= 0) || (d->momentum != 0 && momentum == NULL) || (d->nesterov && d->momentum == 0)) return CK_BAD_ARGUMENT;
    sgd_job job = {p, momentum, g, d};
    ck_parallel_for(ck_ceil_div(d->count, CK_ELEMENT_BLOCK), sgd_block, &job);
    return CK_OK;
}

// ---- gradient norm

typedef struct {
    double *partials;
    const float *x;
    int64_t count;
} square_job;

CK_BLOCK_COPIES(square_block) {
    enum { LANES = 16 };    // a fixed number of partial sums, so that the loop vectorises without reassociation
    const square_job *job = context;
    const int64_t begin = block * CK_ELEMENT_BLOCK, n = ck_min(CK_ELEMENT_BLOCK, job->count - begin);
    const float *x = job->x + begin;
    double lanes[LANES] = {0}, total = 0;
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        for (int l = 0; l < LANES; l++) lanes[l] += (double)x[i + l] * x[i + l];
    }
    for (; i < n; i++) total += (double)x[i] * x[i];
    for (int l = 0; l < LANES; l++) total += lanes[l];
    job->partials[block] = total;
}

size_t ck_sum_of_squares_workspace_bytes(int64_t count) {
    return count < 1 ? 0 : ck_workspace_total(ck_padded((size_t)ck_ceil_div(count, CK_ELEMENT_BLOCK) * sizeof(double)));
}

ck_status ck_sum_of_squares(double *sum, const float *x, int64_t count, void *workspace, size_t bytes) {
    if (count < 0) return CK_BAD_SHAPE;
    if (bytes < ck_sum_of_squares_workspace_bytes(count) || (count > 0 && workspace == NULL)) return CK_SMALL_WORKSPACE;
    *sum = 0;
    if (count == 0) return CK_OK;
    const int64_t blocks = ck_ceil_div(count, CK_ELEMENT_BLOCK);
    double *partials = ck_carve(&workspace, (size_t)blocks * sizeof(double));
    square_job job = {partials, x, count};
    ck_parallel_for(blocks, square_block, &job);
    for (int64_t b = 0; b < blocks; b++) *sum += partials[b];
    return CK_OK;
}
