// The block driver: a thread takes a stretch of tiles through all steps while it is in its cache.
//
// Forward, per at most `tiles` tiles: V of all channels; then per panel of output channels the 36 products and the output transform,
// so that M is one panel. Backward, per block of whole images: V and D; per point dU += Vᵀ D, then dV = D T in the place of V; then
// the overlapping sums of dx. dU belongs to the block, not to the thread, and the blocks' dU are added in their order.
#include "lookahead.h"
#include "winograd_driver.h"

// ---- forward

static size_t forward_scratch(const winograd_job *job) {
    return buffer_bytes(job->s.in_padded, job->forward.tiles) + buffer_bytes(job->simd->panel, job->forward.tiles);
}

size_t ck_winograd_blocks_forward_bytes(const winograd_job *job) { return (size_t)job->workers * forward_scratch(job); }

typedef struct {
    const winograd_job *job;
    const float *u;
    const winograd_input *input;
    const winograd_output *output;
    char *scratch;
} forward_context;

static void forward_block(void *context, int64_t block, int worker) {
    const forward_context *f = context;
    const winograd_job *job = f->job;
    const winograd_shape *s = &job->s;
    const simd_kernels *simd = job->simd;
    const int panel = simd->panel;
    const int64_t total = s->batch * s->tiles, parts = job->forward.parts, most = job->forward.tiles;
    const int64_t begin = total * block / parts, end = total * (block + 1) / parts;
    char *scratch = f->scratch + (size_t)worker * forward_scratch(job);
    winograd_output output = *f->output;
    if (output.sums) {
        output.sums += block * 2 * s->out;
        for (int c = 0; c < 2 * s->out; c++) output.sums[c] = 0;
    }
    const int panels = s->out_padded / panel;
    const int64_t steps = (int64_t)panels * POINTS;
    lookahead x = look_ahead(f->input->x, s, TILE_SIDE, s->in, begin), y = look_ahead(output.y, s, TILE_SIDE, s->out, begin);
    lookahead pooled = look_ahead(output.pooled, s, TILE_SIDE / 2, s->out, begin);
    int64_t first = begin;
    for (int64_t chunks = ck_ceil_div(end - begin, most); chunks > 0; chunks--) {
        const int64_t count = ck_ceil_div(end - first, chunks);
        const winograd_buffer v = {(float *)scratch, count, buffer_stride(s->in_padded, count)};
        const winograd_buffer m = {(float *)(scratch + buffer_bytes(s->in_padded, most)), count, buffer_stride(panel, count)};
        if (first == begin) look_up_to(&x, s, first + count, steps);
        simd->input(v, f->input, s, (tile_range){first, count, 0});
        look_up_to(&x, s, ck_min(end, first + 2 * count), steps);
        look_up_to(&y, s, first + count, POINTS);
        look_up_to(&pooled, s, first + count, POINTS);
        for (int k = 0; k < panels; k++) {
            const float *u = f->u + (int64_t)k * s->in_padded * panel;
            for (int p = 0; p < POINTS; p++, u += winograd_filter_stride(s)) {
                fetch(&x, k * POINTS + p);
                if (k == 0) fetch(&y, p), fetch(&pooled, p);
                simd->product(m.data + p * m.stride, v.data + p * v.stride, count * panel, s->in_padded / panel, u, count);
            }
            simd->output(m, &output, s, (tile_range){first, count, 0}, k);
        }
        first += count;
    }
}

void ck_winograd_blocks_forward(
    const winograd_job *job, const float *u, const winograd_input *input, const winograd_output *output, void *workspace) {
    forward_context f = {job, u, input, output, ck_carve(&workspace, ck_winograd_blocks_forward_bytes(job))};
    ck_parallel_for_workers(job->forward.parts, job->workers, forward_block, &f);
}

// ---- backward

static size_t backward_scratch(const winograd_job *job) {
    return buffer_bytes(job->s.in_padded, job->backward.tiles) + buffer_bytes(job->s.out_padded, job->backward.tiles);
}

size_t ck_winograd_blocks_backward_bytes(const winograd_job *job, bool has_dw, bool has_dx) {
    (void)has_dw;
    (void)has_dx;
    return (size_t)job->workers * backward_scratch(job);
}

/// What the transforms of a backward pass read.
typedef struct { lookahead x, y, g; } backward_lookahead;

static backward_lookahead backward_look_ahead(const winograd_backward *pass, const winograd_shape *s, int64_t first) {
    const winograd_gradient *gradient = pass->gradient;
    const bool pooled = gradient->kind == GRADIENT_POOL, averaged = gradient->kind == GRADIENT_AVERAGE;
    return (backward_lookahead){
        look_ahead(pass->dw ? pass->input->x : NULL, s, TILE_SIDE, s->in, first),
        look_ahead(gradient->y, s, TILE_SIDE, s->out, first),
        look_ahead(averaged ? NULL : gradient->g, s, pooled ? TILE_SIDE / 2 : TILE_SIDE, s->out, first)};
}

/// Products of one point that can ask: a panel of dU or dV each.
static int64_t backward_steps(const winograd_backward *pass, const winograd_shape *s, int panel) {
    return (pass->dw ? s->out_padded / panel : 0) + (pass->dx ? s->in_padded / panel : 0);
}

static void backward_look_up_to(backward_lookahead *b, const winograd_shape *s, int64_t tile, int64_t parts) {
    look_up_to(&b->x, s, tile, parts);
    look_up_to(&b->y, s, tile, parts);
    look_up_to(&b->g, s, tile, parts);
}

static void backward_fetch(const backward_lookahead *b, int64_t part) {
    fetch(&b->x, part);
    fetch(&b->y, part);
    fetch(&b->g, part);
}

typedef struct {
    const winograd_job *job;
    const winograd_backward *pass;
    const float *transposed;
    float *du;
    char *scratch;
} backward_context;

/// Masks the rows of dx that no later tile adds to: up to the last finished row of tiles. `row` counts through the whole batch.
static int64_t mask_finished(const backward_context *b, double *sums, int64_t row, int64_t next_tile) {
    const winograd_shape *s = &b->job->s;
    const winograd_input *in = b->pass->input;
    const int64_t image = next_tile / s->tiles, line = (int64_t)s->width * s->in;
    const int64_t tile_row = (next_tile - image * s->tiles) / s->tiles_x;
    const int64_t finished = image * s->height + ck_max(0, tile_row * TILE_SIDE - 1);
    if (finished <= row) return row;
    b->job->simd->mask(
        b->pass->dx + row * line, in->x + row * line, in->scale, in->shift, sums, (finished - row) * s->width, s->in);
    return finished;
}

static void backward_block(void *context, int64_t block, int worker) {
    const backward_context *b = context;
    const winograd_job *job = b->job;
    const winograd_backward *pass = b->pass;
    const winograd_shape *s = &job->s;
    const simd_kernels *simd = job->simd;
    const int panel = simd->panel;
    const int64_t parts = job->backward.parts, most = job->backward.tiles, stride = winograd_filter_stride(s);
    const int64_t first_image = s->batch * block / parts, end_image = s->batch * (block + 1) / parts;
    const int64_t begin = first_image * s->tiles, end = end_image * s->tiles;
    const size_t part_bytes = ck_padded((size_t)(POINTS * stride) * sizeof(float));
    char *scratch = b->scratch + (size_t)worker * backward_scratch(job);
    double *sums = pass->mask_sums ? pass->mask_sums + block * 2 * s->in : NULL;
    if (sums) {
        for (int c = 0; c < 2 * s->in; c++) sums[c] = 0;
    }
    const int in_panels = s->in_padded / panel, out_panels = s->out_padded / panel;
    const int64_t steps = POINTS * backward_steps(pass, s, panel);
    backward_lookahead read = backward_look_ahead(pass, s, begin);
    lookahead dx = look_ahead(pass->dx, s, TILE_SIDE, s->in, begin);
    int64_t first = begin, row = first_image * s->height;
    for (int64_t chunks = ck_ceil_div(end - begin, most); chunks > 0; chunks--) {
        const int64_t count = ck_ceil_div(end - first, chunks);
        const tile_range range = {first, count, 0};
        const winograd_buffer v = {(float *)scratch, count, buffer_stride(s->in_padded, count)};
        const winograd_buffer d = {(float *)(scratch + buffer_bytes(s->in_padded, most)), count, buffer_stride(s->out_padded, count)};
        if (first == begin) backward_look_up_to(&read, s, first + count, steps);
        if (pass->dw) simd->input(v, pass->input, s, range);
        simd->gradient(d, pass->gradient, s, range);
        backward_look_up_to(&read, s, ck_min(end, first + 2 * count), steps);
        look_up_to(&dx, s, first + count, steps);
        int64_t step = 0;
        for (int p = 0; p < POINTS; p++) {
            float *vp = v.data + p * v.stride, *dp = d.data + p * d.stride;
            if (pass->dw) {
                float *du = (float *)((char *)b->du + (size_t)block * part_bytes) + p * stride;
                for (int k = 0; k < out_panels; k++, du += (int64_t)s->in_padded * panel) {
                    backward_fetch(&read, step);
                    fetch(&dx, step++);
                    simd->outer(du, vp, count * panel, in_panels, dp + k * count * panel, count, first > begin);
                }
            }
            if (pass->dx) {
                const float *t = b->transposed + p * stride;
                for (int c = 0; c < in_panels; c++, t += (int64_t)s->out_padded * panel) {
                    backward_fetch(&read, step);
                    fetch(&dx, step++);
                    simd->product(vp + c * count * panel, dp, count * panel, out_panels, t, count);
                }
            }
        }
        first += count;
        if (pass->dx) simd->input_gradient(pass->dx, v, s, range);
        if (sums) row = mask_finished(b, sums, row, first);
    }
}

void ck_winograd_blocks_backward(
    const winograd_job *job, const winograd_backward *pass, const float *transposed, float *du, void *workspace) {
    char *scratch = ck_carve(&workspace, (size_t)job->workers * backward_scratch(job));
    backward_context b = {job, pass, transposed, du, scratch};
    ck_parallel_for_workers(job->backward.parts, job->workers, backward_block, &b);
}
