// The adjoints of conv2d_im2col.c.
//
// backward_input: a block is a fixed number of whole images, worked through in bands of output pixels, so no two blocks add to the
// same input. backward_weight: a small filter is cut by pixels into partial sums that are added in order; a large one is cut by
// columns, where every block owns its part of dw and no partial sums exist.
#include <string.h>

#include "conv2d_internal.h"

enum {
    BAND_BYTES = 1 << 21,
    LEAST_BAND = 256,
    MOST_BAND = 2048,
    PARTIAL_BYTES = 1 << 19,    // filters up to this size are summed in parts
    PARTS = 16,
    PANELS = 8,
};

static int64_t band_rows(int64_t columns) {
    return ck_min(MOST_BAND, ck_max(LEAST_BAND, BAND_BYTES / (columns * (int64_t)sizeof(float))));
}

// ---- input

static int64_t input_images(const conv_shape *s) {
    const int64_t pixels = (int64_t)s->out_height * s->out_width;
    return ck_min(ck_max(1, band_rows(s->columns) / pixels), ck_max(1, s->d.batch / PANELS));
}

static int64_t input_band(const conv_shape *s) {
    return ck_min(band_rows(s->columns), input_images(s) * s->out_height * s->out_width);
}

static size_t input_scratch(const conv_shape *s) {
    return s->pointwise ? 0 : ck_padded((size_t)(input_band(s) * s->columns) * sizeof(float));
}

size_t ck_im2col_backward_input_bytes(const conv_shape *s) {
    return ck_workspace_total(input_scratch(s) * (size_t)s->workers);
}

typedef struct {
    float *dx;
    const float *dy, *w;
    char *scratch;
    const conv_shape *s;
} input_job;

static void input_block(void *context, int64_t block, int worker) {
    const input_job *job = context;
    const conv_shape *s = job->s;
    const int out = s->d.out_channels;
    const int64_t pixels = (int64_t)s->out_height * s->out_width, size = (int64_t)s->d.height * s->d.width * s->d.in_channels;
    const int64_t image = block * input_images(s), images = ck_min(input_images(s), s->d.batch - image);
    const int64_t end = (image + images) * pixels;
    float *dcol = (float *)(job->scratch + (size_t)worker * input_scratch(s));
    if (!s->pointwise) memset(job->dx + image * size, 0, (size_t)(images * size) * sizeof(float));
    for (int64_t row = image * pixels; row < end; row += input_band(s)) {
        const int64_t rows = ck_min(input_band(s), end - row);
        if (s->pointwise) dcol = job->dx + row * s->columns;
        ck_sgemm(false, false, (int)rows, s->columns, out, job->dy + row * out, out, job->w, s->columns, 0, dcol, s->columns);
        if (!s->pointwise) ck_col2im(job->dx, dcol, s, row, rows);
    }
}

void ck_im2col_backward_input(float *dx, const float *dy, const float *w, const conv_shape *s, void *workspace) {
    char *scratch = s->pointwise ? NULL : ck_carve(&workspace, input_scratch(s) * (size_t)s->workers);
    input_job job = {dx, dy, w, scratch, s};
    ck_parallel_for_workers(ck_ceil_div(s->d.batch, input_images(s)), s->workers, input_block, &job);
}

// ---- weight

/// How dw is cut: `parts` by output pixels, each summed apart, or `panels` by columns.
typedef struct {
    int64_t parts, rows_per_part;
    int64_t panels, columns_per_panel;
    int64_t band;
} weight_plan;

static weight_plan plan_weight(const conv_shape *s) {
    const int64_t bytes = (int64_t)s->d.out_channels * s->columns * (int64_t)sizeof(float);
    weight_plan plan;
    plan.parts = bytes <= PARTIAL_BYTES ? ck_min(PARTS, ck_ceil_div(s->rows, LEAST_BAND)) : 1;
    plan.rows_per_part = ck_ceil_div(s->rows, plan.parts);
    plan.parts = ck_ceil_div(s->rows, plan.rows_per_part);
    plan.panels = plan.parts > 1 || bytes <= PARTIAL_BYTES ? 1 : ck_min(PANELS, s->columns);
    plan.columns_per_panel = ck_ceil_div(s->columns, plan.panels);
    plan.panels = ck_ceil_div(s->columns, plan.columns_per_panel);
    plan.band = ck_min(band_rows(plan.columns_per_panel), plan.rows_per_part);
    return plan;
}

static size_t weight_scratch(const conv_shape *s, const weight_plan *plan) {
    return s->pointwise ? 0 : ck_padded((size_t)(plan->band * plan->columns_per_panel) * sizeof(float));
}

static size_t partial_bytes(const conv_shape *s, const weight_plan *plan) {
    if (plan->parts == 1) return 0;
    return ck_padded((size_t)(plan->parts * s->d.out_channels * s->columns) * sizeof(float));
}

size_t ck_im2col_backward_weight_bytes(const conv_shape *s) {
    const weight_plan plan = plan_weight(s);
    return ck_workspace_total(weight_scratch(s, &plan) * (size_t)s->workers + partial_bytes(s, &plan));
}

typedef struct {
    float *dw;
    const float *dy, *x;
    char *scratch;
    float *partials;            // [parts, K, columns]
    const conv_shape *s;
    weight_plan plan;
} weight_job;

static void weight_block(void *context, int64_t block, int worker) {
    const weight_job *job = context;
    const conv_shape *s = job->s;
    const weight_plan *plan = &job->plan;
    const int64_t part = block / plan->panels, panel = block % plan->panels;
    const int first = (int)(panel * plan->columns_per_panel);
    const int last = (int)ck_min(first + plan->columns_per_panel, s->columns), width = last - first, out = s->d.out_channels;
    const int64_t begin = part * plan->rows_per_part, end = ck_min(begin + plan->rows_per_part, s->rows);
    float *target = plan->parts == 1 ? job->dw + first : job->partials + part * out * s->columns;
    float *scratch = (float *)(job->scratch + (size_t)worker * weight_scratch(s, plan));
    for (int64_t row = begin; row < end; row += plan->band) {
        const int64_t rows = ck_min(plan->band, end - row);
        const float *col = scratch;
        if (s->pointwise) col = job->x + row * s->columns + first;
        else ck_im2col(scratch, job->x, s, row, rows, first, last);
        const float beta = plan->parts > 1 && row == begin ? 0 : 1;
        ck_sgemm(
            true, false, out, width, (int)rows, job->dy + row * out, out, col, s->pointwise ? s->columns : width,
            beta, target, s->columns);
    }
}

CK_CLONES static void add_parts(void *context, int64_t block, int worker) {
    (void)worker;
    const weight_job *job = context;
    const int64_t size = (int64_t)job->s->d.out_channels * job->s->columns, begin = block * CK_ELEMENT_BLOCK;
    const int64_t n = ck_min(CK_ELEMENT_BLOCK, size - begin);
    float *restrict sum = job->partials + begin;
    for (int64_t p = 1; p < job->plan.parts; p++) {
        const float *restrict part = job->partials + p * size + begin;
        for (int64_t i = 0; i < n; i++) sum[i] += part[i];
    }
    float *restrict dw = job->dw + begin;
    for (int64_t i = 0; i < n; i++) dw[i] += sum[i];
}

void ck_im2col_backward_weight(float *dw, const float *dy, const float *x, const conv_shape *s, void *workspace) {
    weight_job job = {dw, dy, x, NULL, NULL, s, plan_weight(s)};
    const weight_plan *plan = &job.plan;
    if (!s->pointwise) job.scratch = ck_carve(&workspace, weight_scratch(s, plan) * (size_t)s->workers);
    if (plan->parts > 1) job.partials = ck_carve(&workspace, partial_bytes(s, plan));
    ck_parallel_for_workers(plan->parts * plan->panels, s->workers, weight_block, &job);
    if (plan->parts > 1) {
        ck_parallel_for(ck_ceil_div((int64_t)s->d.out_channels * s->columns, CK_ELEMENT_BLOCK), add_parts, &job);
    }
}
