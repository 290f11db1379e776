// The point driver, for filters larger than a core's cache: a superblock of images goes through each step as a whole.
//
// Transforms are split by image, products by point, with a barrier between. U, T and dU are touched once per superblock, and dU needs
// no partial sums because each point has one thread and the superblocks follow one another.
#include "winograd_driver.h"

typedef struct {
    const winograd_job *job;
    const winograd_plan *plan;
    winograd_buffer v, d;           // d: M in the forward pass
    int64_t image, images;          // of this superblock
    const float *u;                 // forward: U; backward: T
    float *du;
    const winograd_input *input;
    const winograd_output *output;
    const winograd_backward *pass;
} points_context;

static tile_range image_tiles(const points_context *c, int64_t block) {
    const int64_t tiles = c->job->s.tiles;
    return (tile_range){(c->image + block) * tiles, tiles, block * tiles};
}

static void set_images(points_context *c, int64_t image) {
    const winograd_shape *s = &c->job->s;
    c->image = image;
    c->images = ck_min(c->plan->images, s->batch - image);
    const int64_t slots = c->images * s->tiles;
    c->v.slots = c->d.slots = slots;
    c->v.stride = buffer_stride(s->in_padded, slots);
    c->d.stride = buffer_stride(s->out_padded, slots);
}

static size_t superblock_bytes(const winograd_job *job, const winograd_plan *plan) {
    return buffer_bytes(job->s.in_padded, plan->tiles) + buffer_bytes(job->s.out_padded, plan->tiles);
}

static points_context start(const winograd_job *job, const winograd_plan *plan, void *workspace) {
    points_context c = {.job = job, .plan = plan};
    c.v.data = ck_carve(&workspace, buffer_bytes(job->s.in_padded, plan->tiles));
    c.d.data = ck_carve(&workspace, buffer_bytes(job->s.out_padded, plan->tiles));
    return c;
}

// ---- forward

size_t ck_winograd_points_forward_bytes(const winograd_job *job) { return superblock_bytes(job, &job->forward); }

static void input_image(void *context, int64_t block, int worker) {
    (void)worker;
    const points_context *c = context;
    c->job->simd->input(c->v, c->input, &c->job->s, image_tiles(c, block));
}

static void product_point(void *context, int64_t p, int worker) {
    (void)worker;
    const points_context *c = context;
    const winograd_shape *s = &c->job->s;
    const simd_kernels *simd = c->job->simd;
    const int panel = simd->panel;
    const int64_t slots = c->v.slots;
    const float *u = c->u + p * winograd_filter_stride(s);
    float *m = c->d.data + p * c->d.stride;
    for (int k = 0; k < s->out_padded / panel; k++, u += (int64_t)s->in_padded * panel, m += slots * panel) {
        simd->product(m, c->v.data + p * c->v.stride, slots * panel, s->in_padded / panel, u, slots);
    }
}

static void output_image(void *context, int64_t block, int worker) {
    (void)worker;
    const points_context *c = context;
    const winograd_shape *s = &c->job->s;
    const int panel = c->job->simd->panel;
    winograd_output output = *c->output;
    if (output.sums) {
        output.sums += (c->image + block) * 2 * s->out;
        for (int i = 0; i < 2 * s->out; i++) output.sums[i] = 0;
    }
    if (output.end == END_RELU_AVERAGE) {
        for (int i = 0; i < s->out; i++) output.averaged[(c->image + block) * s->out + i] = 0;
    }
    for (int k = 0; k < s->out_padded / panel; k++) {
        winograd_buffer m = c->d;
        m.data += k * m.slots * panel;
        c->job->simd->output(m, &output, s, image_tiles(c, block), k);
    }
}

void ck_winograd_points_forward(
    const winograd_job *job, const float *u, const winograd_input *input, const winograd_output *output, void *workspace) {
    points_context c = start(job, &job->forward, workspace);
    c.u = u;
    c.input = input;
    c.output = output;
    for (int64_t image = 0; image < job->s.batch; image += c.images) {
        set_images(&c, image);
        ck_parallel_for(c.images, input_image, &c);
        ck_parallel_for(POINTS, product_point, &c);
        ck_parallel_for(c.images, output_image, &c);
    }
}

// ---- backward

size_t ck_winograd_points_backward_bytes(const winograd_job *job, bool has_dw, bool has_dx) {
    (void)has_dw;
    (void)has_dx;
    return superblock_bytes(job, &job->backward);
}

static void transform_image(void *context, int64_t block, int worker) {
    (void)worker;
    const points_context *c = context;
    if (c->pass->dw) c->job->simd->input(c->v, c->pass->input, &c->job->s, image_tiles(c, block));
    c->job->simd->gradient(c->d, c->pass->gradient, &c->job->s, image_tiles(c, block));
}

static void backward_point(void *context, int64_t p, int worker) {
    (void)worker;
    const points_context *c = context;
    const winograd_shape *s = &c->job->s;
    const simd_kernels *simd = c->job->simd;
    const int panel = simd->panel;
    const int64_t slots = c->v.slots, stride = winograd_filter_stride(s);
    float *v = c->v.data + p * c->v.stride, *d = c->d.data + p * c->d.stride;
    if (c->pass->dw) {
        float *du = c->du + p * stride;
        for (int k = 0; k < s->out_padded / panel; k++, du += (int64_t)s->in_padded * panel) {
            simd->outer(du, v, slots * panel, s->in_padded / panel, d + k * slots * panel, slots, c->image > 0);
        }
    }
    if (c->pass->dx) {
        const float *t = c->u + p * stride;
        for (int k = 0; k < s->in_padded / panel; k++, t += (int64_t)s->out_padded * panel) {
            simd->product(v + k * slots * panel, d, slots * panel, s->out_padded / panel, t, slots);
        }
    }
}

static void input_gradient_image(void *context, int64_t block, int worker) {
    (void)worker;
    const points_context *c = context;
    const winograd_shape *s = &c->job->s;
    const winograd_backward *pass = c->pass;
    const int64_t image = c->image + block, rows = (int64_t)s->height * s->width;
    c->job->simd->input_gradient(pass->dx, c->v, s, image_tiles(c, block));
    if (pass->mask_sums == NULL) return;
    double *sums = pass->mask_sums + image * 2 * s->in;
    for (int i = 0; i < 2 * s->in; i++) sums[i] = 0;
    const winograd_input *in = pass->input;
    c->job->simd->mask(
        pass->dx + image * rows * s->in, in->x + image * rows * s->in, in->scale, in->shift, sums, rows, s->in);
}

void ck_winograd_points_backward(
    const winograd_job *job, const winograd_backward *pass, const float *transposed, float *du, void *workspace) {
    points_context c = start(job, &job->backward, workspace);
    c.u = transposed;
    c.du = du;
    c.pass = pass;
    for (int64_t image = 0; image < job->s.batch; image += c.images) {
        set_images(&c, image);
        ck_parallel_for(c.images, transform_image, &c);
        ck_parallel_for(POINTS, backward_point, &c);
        if (pass->dx) ck_parallel_for(c.images, input_gradient_image, &c);
    }
}
