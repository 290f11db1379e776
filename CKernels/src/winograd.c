// Winograd convolution: shapes, filters, and the way to the drivers.
#include "winograd_driver.h"

static int64_t pad_to(int64_t n, int64_t step) { return ck_ceil_div(n, step) * step; }

bool ck_winograd_job(winograd_job *job, int batch, int height, int width, int in, int out, int workers, bool whole_images) {
    if (batch < 1 || height < 1 || width < 1 || in < 1 || out < 1) return false;
    const simd_kernels *simd = ck_simd();
    winograd_shape s = {.batch = batch, .height = height, .width = width, .in = in, .out = out};
    s.in_padded = (int)pad_to(in, simd->panel);
    s.out_padded = (int)pad_to(out, simd->panel);
    s.tiles_x = (int)ck_ceil_div(width, TILE_SIDE);
    s.tiles_y = (int)ck_ceil_div(height, TILE_SIDE);
    s.tiles = (int64_t)s.tiles_x * s.tiles_y;
    *job = (winograd_job){
        .s = s, .simd = simd, .workers = workers, .forward = ck_winograd_plan_forward(&s, whole_images),
        .backward = ck_winograd_plan_backward(&s)};
    return true;
}

// ---- filters

int64_t ck_winograd_filter_floats(const winograd_job *job) { return POINTS * winograd_filter_stride(&job->s); }

typedef struct {
    float *out;
    const float *w, *scale;
    const winograd_job *job;
    bool transposed;
} filter_job;

static void filter_block(void *context, int64_t block, int worker) {
    (void)worker;
    const filter_job *f = context;
    const winograd_shape *s = &f->job->s;
    const int64_t stride = winograd_filter_stride(s);
    if (f->transposed) f->job->simd->filter_transposed(f->out, stride, f->w, s, (int)block);
    else f->job->simd->filter(f->out, stride, f->w, f->scale, s, (int)block);
}

void ck_winograd_filter(float *u, const float *w, const float *scale, const winograd_job *job) {
    filter_job f = {u, w, scale, job, false};
    ck_parallel_for(job->s.out_padded / job->simd->panel, filter_block, &f);
}

void ck_winograd_filter_transposed(float *t, const float *w, const winograd_job *job) {
    filter_job f = {t, w, NULL, job, true};
    ck_parallel_for(job->s.in_padded / job->simd->panel, filter_block, &f);
}

typedef struct {
    float *dw;
    const float *du;
    int64_t part_stride, parts;
    const winograd_job *job;
} filter_gradient_job;

static void filter_gradient_block(void *context, int64_t block, int worker) {
    (void)worker;
    const filter_gradient_job *f = context;
    const winograd_shape *s = &f->job->s;
    f->job->simd->filter_gradient(
        f->dw, f->du, winograd_filter_stride(s), f->part_stride, f->parts, s, (int)block * f->job->simd->width);
}

// ---- forward

int64_t ck_winograd_forward_parts(const winograd_job *job) { return job->forward.parts; }
int64_t ck_winograd_backward_parts(const winograd_job *job) { return job->backward.parts; }

size_t ck_winograd_forward_bytes(const winograd_job *job) {
    return job->forward.by_points ? ck_winograd_points_forward_bytes(job) : ck_winograd_blocks_forward_bytes(job);
}

void ck_winograd_forward(
    const winograd_job *job, const float *u, const winograd_input *input, const winograd_output *output, void *workspace) {
    (job->forward.by_points ? ck_winograd_points_forward : ck_winograd_blocks_forward)(job, u, input, output, workspace);
}

// ---- backward

static size_t filter_bytes(const winograd_job *job) { return ck_padded((size_t)ck_winograd_filter_floats(job) * sizeof(float)); }

static int64_t gradient_parts(const winograd_job *job) { return job->backward.by_points ? 1 : job->backward.parts; }

size_t ck_winograd_backward_bytes(const winograd_job *job, bool has_dw, bool has_dx) {
    size_t bytes = job->backward.by_points ? ck_winograd_points_backward_bytes(job, has_dw, has_dx)
        : ck_winograd_blocks_backward_bytes(job, has_dw, has_dx);
    if (has_dx) bytes += filter_bytes(job);
    if (has_dw) bytes += (size_t)gradient_parts(job) * filter_bytes(job);
    return bytes;
}

void ck_winograd_backward(const winograd_job *job, const winograd_backward *pass, void *workspace) {
    const winograd_shape *s = &job->s;
    const int64_t parts = gradient_parts(job);
    float *transposed = pass->dx ? ck_carve(&workspace, filter_bytes(job)) : NULL;
    float *du = pass->dw ? ck_carve(&workspace, (size_t)parts * filter_bytes(job)) : NULL;
    if (pass->dx) ck_winograd_filter_transposed(transposed, pass->w, job);
    (job->backward.by_points ? ck_winograd_points_backward : ck_winograd_blocks_backward)(job, pass, transposed, du, workspace);
    if (pass->dw == NULL) return;
    filter_gradient_job f = {pass->dw, du, (int64_t)(filter_bytes(job) / sizeof(float)), parts, job};
    ck_parallel_for(ck_ceil_div(s->out, job->simd->width), filter_gradient_block, &f);
}
