// Fused blocks: conv–BN–ReLU with pooling or averaging, over the Winograd drivers and the first layer.
#include <math.h>

#include "first_layer.h"
#include "winograd_driver.h"

enum { CHANNEL_STEP = 32 };

static bool is_first(const ck_block_desc *d) { return d->in_channels == FIRST_CHANNELS; }

bool ck_block_is_supported(const ck_block_desc *d) {
    if (d->batch < 1 || d->height < 1 || d->width < 1 || d->out_channels < 1 || d->out_channels % CHANNEL_STEP != 0) return false;
    if (d->end == CK_BLOCK_POOL && (d->height < 2 || d->width < 2)) return false;
    return is_first(d) ? d->end == CK_BLOCK_POOL : d->in_channels > 0 && d->in_channels % CHANNEL_STEP == 0;
}

static bool make_job(winograd_job *job, const ck_block_desc *d, int workers) {
    return ck_winograd_job(
        job, d->batch, d->height, d->width, d->in_channels, d->out_channels, workers, d->end == CK_BLOCK_AVERAGE);
}

static first_layer first_of(const ck_block_desc *d) {
    return (first_layer){.batch = d->batch, .height = d->height, .width = d->width, .out = d->out_channels};
}

// ---- per-channel numbers: sums over the whole batch in double, parts in their order

static void add_parts(double *sums, int64_t parts, int count) {
    for (int64_t part = 1; part < parts; part++) {
        for (int i = 0; i < count; i++) sums[i] += sums[part * count + i];
    }
}

/// The convolution ran without its bias, which batch norm takes away again: it only moves the running mean.
static void finish_statistics(const ck_block_tensors *t, const double *sums, const ck_block_desc *d) {
    const int channels = d->out_channels;
    const double n = (double)d->batch * d->height * d->width, momentum = d->momentum;
    for (int k = 0; k < channels; k++) {
        const double mean = sums[k] / n;
        double squares = sums[channels + k] - mean * sums[k];
        if (squares < 0) squares = 0;       // rounding; NaN stays
        const double scale = 1 / sqrt(squares / n + d->epsilon);
        t->mean[k] = (float)mean;
        t->inverse_std[k] = (float)scale;
        t->scale[k] = (float)(t->gamma[k] * scale);
        t->shift[k] = (float)(t->beta[k] - mean * t->gamma[k] * scale);
        t->running_mean[k] = (float)((1 - momentum) * t->running_mean[k] + momentum * (mean + (t->bias ? t->bias[k] : 0)));
        if (n > 1) t->running_variance[k] = (float)((1 - momentum) * t->running_variance[k] + momentum * squares / (n - 1));
    }
}

/// dγ, dβ, and the numbers of dy = k1·g + k2 + k3·y.
static void finish_gradient(const ck_block_tensors *t, const double *sums, float *k, const ck_block_desc *d) {
    const int channels = d->out_channels;
    const double n = (double)d->batch * d->height * d->width, pixels = (double)d->height * d->width;
    for (int c = 0; c < channels; c++) {
        const double scale = t->inverse_std[c], slope = t->gamma[c] * scale, mean = t->mean[c];
        const double sum = sums[c], product = (sums[channels + c] - mean * sum) * scale;
        t->dbeta[c] += (float)sum;
        t->dgamma[c] += (float)product;
        const double bend = -slope * scale * product / n;
        k[c] = (float)(d->end == CK_BLOCK_AVERAGE ? slope / pixels : slope);
        k[channels + c] = (float)(-slope * sum / n - bend * mean);
        k[2 * channels + c] = (float)bend;
    }
}

// ---- the average over an image, in training

typedef struct {
    const ck_block_tensors *t;
    const ck_block_desc *d;
} average_context;

static void average_image(void *context, int64_t image, int worker) {
    (void)worker;
    const average_context *a = context;
    const int channels = a->d->out_channels, pixels = a->d->height * a->d->width;
    const int64_t row = image * channels, all = (int64_t)a->d->batch * channels;
    ck_simd()->average(
        a->t->out + row, a->t->active + row, a->t->active + all + row, (const float *)a->t->y + row * pixels, a->t->scale,
        a->t->shift, pixels, channels);
}

/// Σ g and Σ g·y over the positive pixels, from what the forward pass counted.
static void average_sums(double *sums, const ck_block_tensors *t, const ck_block_desc *d) {
    const int channels = d->out_channels;
    const int64_t all = (int64_t)d->batch * channels;
    const double pixels = (double)d->height * d->width;
    for (int c = 0; c < 2 * channels; c++) sums[c] = 0;
    for (int n = 0; n < d->batch; n++) {
        for (int c = 0; c < channels; c++) {
            const int64_t at = (int64_t)n * channels + c;
            const double g = t->g[at] / pixels;
            sums[c] += g * t->active[at];
            sums[channels + c] += g * t->active[all + at];
        }
    }
}

// ---- workspace

typedef struct { size_t filter, sums, pass; } block_bytes;

static block_bytes train_bytes(const ck_block_desc *d, int workers) {
    block_bytes b = {0, 0, 0};
    if (is_first(d)) {
        const first_layer l = first_of(d);
        b.sums = ck_padded((size_t)(ck_first_layer_parts(&l) * 2 * d->out_channels) * sizeof(double));
        b.pass = (size_t)ck_max(
            (int64_t)ck_first_layer_forward_bytes(&l, workers), (int64_t)ck_first_layer_backward_bytes(&l, workers));
    } else {
        winograd_job job;
        if (!make_job(&job, d, workers)) return b;
        b.filter = ck_padded((size_t)ck_winograd_filter_floats(&job) * sizeof(float));
        const int64_t forward = ck_winograd_forward_parts(&job) * d->out_channels;
        const int64_t backward = ck_winograd_backward_parts(&job) * d->in_channels;
        b.sums = ck_padded((size_t)(2 * ck_max(ck_max(forward, backward), d->out_channels)) * sizeof(double));
        b.pass = (size_t)ck_max(
            (int64_t)ck_winograd_forward_bytes(&job), (int64_t)ck_winograd_backward_bytes(&job, true, true) - (int64_t)b.filter);
    }
    b.sums += ck_padded((size_t)(3 * d->out_channels) * sizeof(float));
    return b;
}

size_t ck_block_train_workspace_bytes(const ck_block_desc *d) {
    if (!ck_block_is_supported(d)) return 0;
    const block_bytes b = train_bytes(d, ck_thread_count());
    return ck_workspace_total(b.filter + b.sums + b.pass);
}

static ck_status prepare_train(block_bytes *b, const ck_block_desc *d, int workers, const void *workspace, size_t bytes) {
    if (!ck_block_is_supported(d)) return CK_BAD_SHAPE;
    *b = train_bytes(d, workers);
    return workspace == NULL || bytes < ck_workspace_total(b->filter + b->sums + b->pass) ? CK_SMALL_WORKSPACE : CK_OK;
}

// ---- training

ck_status ck_block_forward_train(const ck_block_tensors *t, const ck_block_desc *d, void *workspace, size_t bytes) {
    const int workers = ck_thread_count();
    block_bytes b;
    const ck_status status = prepare_train(&b, d, workers, workspace, bytes);
    if (status != CK_OK) return status;
    if (is_first(d)) {
        first_layer l = first_of(d);
        l.x = t->x;
        l.gamma = t->gamma;
        l.pooled = t->out;
        l.chosen = t->y;
        double *sums = ck_carve(&workspace, b.sums);
        ck_first_layer_forward(&l, t->w, NULL, sums, workers, workspace);
        add_parts(sums, ck_first_layer_parts(&l), 2 * d->out_channels);
        finish_statistics(t, sums, d);
        return CK_OK;
    }
    winograd_job job;
    if (!make_job(&job, d, workers)) return CK_BAD_SHAPE;
    float *u = ck_carve(&workspace, b.filter);
    double *sums = ck_carve(&workspace, b.sums);
    ck_winograd_filter(u, t->w, NULL, &job);
    const winograd_input input = {t->x, t->x_scale, t->x_shift};
    const winograd_output output = {
        .end = d->end == CK_BLOCK_POOL ? END_POOL : END_STATISTICS, .y = t->y, .pooled = t->out, .gamma = t->gamma, .sums = sums};
    ck_winograd_forward(&job, u, &input, &output, workspace);
    add_parts(sums, ck_winograd_forward_parts(&job), 2 * d->out_channels);
    finish_statistics(t, sums, d);
    if (d->end == CK_BLOCK_AVERAGE) {
        average_context a = {t, d};
        ck_parallel_for(d->batch, average_image, &a);
    }
    return CK_OK;
}

ck_status ck_block_backward(const ck_block_tensors *t, const ck_block_desc *d, void *workspace, size_t bytes) {
    const int workers = ck_thread_count();
    block_bytes b;
    const ck_status status = prepare_train(&b, d, workers, workspace, bytes);
    if (status != CK_OK) return status;
    const int out = d->out_channels;
    double *sums = ck_carve(&workspace, b.sums);
    float *k = (float *)((char *)sums + b.sums) - 3 * out;
    const double *g_sums = t->g_sums;
    if (d->end == CK_BLOCK_AVERAGE) {
        average_sums(sums, t, d);
        g_sums = sums;
    }
    finish_gradient(t, g_sums, k, d);
    if (is_first(d)) {
        first_layer l = first_of(d);
        l.x = t->x;
        l.chosen = t->y;
        l.g = t->g;
        ck_first_layer_backward(t->dw, &l, t->w, k, k + out, k + 2 * out, workers, workspace);
        return CK_OK;
    }
    winograd_job job;
    if (!make_job(&job, d, workers)) return CK_BAD_SHAPE;
    const winograd_input input = {t->x, t->x_scale, t->x_shift};
    const winograd_gradient gradient = {
        .kind = d->end == CK_BLOCK_POOL ? GRADIENT_POOL : d->end == CK_BLOCK_AVERAGE ? GRADIENT_AVERAGE : GRADIENT_DENSE,
        .g = t->g, .y = t->y, .k1 = k, .k2 = k + out, .k3 = k + 2 * out, .gamma = t->gamma, .scale = t->scale, .shift = t->shift};
    const winograd_backward pass = {
        .input = &input, .gradient = &gradient, .dw = t->dw, .dx = t->dx, .w = t->w,
        .mask_sums = t->dx && t->x_scale ? sums : NULL};
    ck_winograd_backward(&job, &pass, workspace);
    if (pass.mask_sums) {
        add_parts(sums, ck_winograd_backward_parts(&job), 2 * d->in_channels);
        for (int c = 0; c < 2 * d->in_channels; c++) t->dx_sums[c] = sums[c];
    }
    return CK_OK;
}

// ---- inference

size_t ck_block_prepared_bytes(const ck_block_desc *d) {
    if (!ck_block_is_supported(d)) return 0;
    const size_t bias = ck_padded((size_t)d->out_channels * sizeof(float));
    if (is_first(d)) return bias + ck_padded((size_t)d->out_channels * FIRST_TAPS * sizeof(float));
    winograd_job job;
    return make_job(&job, d, 1) ? bias + ck_padded((size_t)ck_winograd_filter_floats(&job) * sizeof(float)) : 0;
}

/// The filter behind the bias in what ck_block_prepare makes.
static float *prepared_filter(const void *prepared, const ck_block_desc *d) {
    return (float *)((char *)(uintptr_t)prepared + ck_padded((size_t)d->out_channels * sizeof(float)));
}

ck_status ck_block_prepare(
    void *prepared, const float *w, const float *bias, const float *gamma, const float *beta, const float *running_mean,
    const float *running_variance, const ck_block_desc *d) {
    if (!ck_block_is_supported(d) || (uintptr_t)prepared % CK_LINE != 0) return CK_BAD_SHAPE;
    float *folded = prepared, *filter = prepared_filter(prepared, d);
    // The slopes stand where the biases will, until the filter is done.
    for (int k = 0; k < d->out_channels; k++) folded[k] = (float)(gamma[k] / sqrt((double)running_variance[k] + d->epsilon));
    if (is_first(d)) {
        for (int i = 0; i < d->out_channels * FIRST_TAPS; i++) filter[i] = w[i] * folded[i / FIRST_TAPS];
    } else {
        winograd_job job;
        if (!make_job(&job, d, 1)) return CK_BAD_SHAPE;
        ck_winograd_filter(filter, w, folded, &job);
    }
    for (int k = 0; k < d->out_channels; k++) {
        folded[k] = (float)(beta[k] + ((double)(bias ? bias[k] : 0) - running_mean[k]) * folded[k]);
    }
    return CK_OK;
}

static size_t infer_bytes(const ck_block_desc *d, int workers) {
    if (!ck_block_is_supported(d)) return 0;
    const first_layer l = first_of(d);
    if (is_first(d)) return ck_workspace_total(ck_first_layer_forward_bytes(&l, workers));
    winograd_job job;
    return make_job(&job, d, workers) ? ck_workspace_total(ck_winograd_forward_bytes(&job)) : 0;
}

size_t ck_block_infer_workspace_bytes(const ck_block_desc *d) { return infer_bytes(d, ck_thread_count()); }

typedef struct { float *out; int channels; float share; } scale_context;

static void scale_image(void *context, int64_t image, int worker) {
    (void)worker;
    const scale_context *s = context;
    for (int c = 0; c < s->channels; c++) s->out[image * s->channels + c] *= s->share;
}

ck_status ck_block_forward_infer(
    float *out, const float *x, const void *prepared, const ck_block_desc *d, void *workspace, size_t bytes) {
    if (!ck_block_is_supported(d)) return CK_BAD_SHAPE;
    const int workers = ck_thread_count();
    if (workspace == NULL || bytes < infer_bytes(d, workers)) return CK_SMALL_WORKSPACE;
    const float *bias = prepared, *filter = prepared_filter(prepared, d);
    if (is_first(d)) {
        first_layer l = first_of(d);
        l.x = x;
        l.bias = bias;
        l.pooled = out;
        ck_first_layer_forward(&l, filter, NULL, NULL, workers, workspace);
        return CK_OK;
    }
    winograd_job job;
    if (!make_job(&job, d, workers)) return CK_BAD_SHAPE;
    const winograd_input input = {.x = x};
    winograd_output output = {.end = END_RELU, .y = out, .bias = bias};
    if (d->end == CK_BLOCK_POOL) output = (winograd_output){.end = END_RELU_POOL, .pooled = out, .bias = bias};
    if (d->end == CK_BLOCK_AVERAGE) output = (winograd_output){.end = END_RELU_AVERAGE, .averaged = out, .bias = bias};
    ck_winograd_forward(&job, filter, &input, &output, workspace);
    if (d->end == CK_BLOCK_AVERAGE) {
        scale_context s = {out, d->out_channels, 1 / ((float)d->height * (float)d->width)};
        ck_parallel_for(d->batch, scale_image, &s);
    }
    return CK_OK;
}
