// Times the fused blocks of the small network, layer by layer: each driver and block size in each pass, or the steps within a pass.
// Run by Benchmarks/run_blocks, which says what the arguments are. What the table in CKernels/src/winograd_plan.c says comes from here.
#define _DEFAULT_SOURCE     // madvise, clock_gettime
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "../CKernels/src/winograd_driver.h"

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/// Huge pages, and values that are neither constant nor subnormal.
static void *memory(size_t bytes) {
    enum { PAGE = 2 << 20 };
    const size_t size = (bytes / PAGE + 1) * PAGE;
    float *p = aligned_alloc(PAGE, size);
    if (p == NULL) exit(1);
    (void)madvise(p, size, MADV_HUGEPAGE);
    uint32_t state = 1;
    for (size_t i = 0; i < bytes / sizeof(float); i++) {
        state = state * 1664525 + 1013904223;
        p[i] = (float)(int32_t)state * 0x1p-31f;
    }
    return p;
}

static float *floats(int64_t count) { return memory((size_t)count * sizeof(float)); }

typedef struct { int height, in, out; ck_block_end end; } layer;

static const layer layers_64[] = {{64, 3, 32, CK_BLOCK_POOL}, {32, 32, 64, CK_BLOCK_POOL}, {16, 64, 128, CK_BLOCK_POOL},
    {8, 128, 256, CK_BLOCK_POOL}, {4, 256, 512, CK_BLOCK_AVERAGE}};
static const layer layers_224[] = {{224, 3, 32, CK_BLOCK_POOL}, {112, 32, 64, CK_BLOCK_POOL}, {56, 64, 128, CK_BLOCK_POOL},
    {28, 128, 256, CK_BLOCK_POOL}, {14, 256, 512, CK_BLOCK_AVERAGE}};

typedef struct {
    ck_block_desc d;
    ck_block_tensors t;
    void *prepared, *workspace;
    size_t bytes;
    float *out;
} block;

/// Room for the largest workspace that any plan asks for.
enum { WORKSPACE = 512 << 20 };

static block make_block(layer l, int batch) {
    const int64_t pixels = (int64_t)batch * l.height * l.height, k = l.out;
    const int64_t out = l.end == CK_BLOCK_POOL ? pixels / 4 * k : batch * k;
    block b = {.d = {.batch = batch, .height = l.height, .width = l.height, .in_channels = l.in, .out_channels = l.out,
                   .end = l.end, .momentum = 0.1f, .epsilon = 1e-5f}};
    static void *workspace;
    if (!workspace) workspace = memory(WORKSPACE);
    float *vectors = floats(16 * (k + l.in));
    const bool first = l.in == FIRST_CHANNELS;
    b.t = (ck_block_tensors){
        .x = floats(pixels * l.in), .x_scale = first ? NULL : vectors, .x_shift = first ? NULL : vectors + l.in, .w = floats(9 * l.in * k),
        .bias = vectors, .gamma = vectors + l.in, .beta = vectors, .running_mean = floats(k), .running_variance = floats(k),
        .y = floats(first ? out : pixels * k), .out = floats(out), .scale = floats(k), .shift = floats(k), .mean = floats(k),
        .inverse_std = floats(k), .active = floats(2 * batch * k), .g = floats(out), .g_sums = memory((size_t)k * 16),
        .dx = first ? NULL : floats(pixels * l.in), .dx_sums = first ? NULL : memory((size_t)l.in * 16), .dw = floats(9 * l.in * k),
        .dgamma = floats(k), .dbeta = floats(k)};
    for (int i = 0; i < 2 * k; i++) ((double *)(uintptr_t)b.t.g_sums)[i] = 0;
    for (int i = 0; i < k; i++) b.t.running_variance[i] = 1;
    b.workspace = workspace;
    b.bytes = WORKSPACE;
    b.out = b.t.out;
    return b;
}

static void free_block(block *b) {
    const ck_block_tensors *t = &b->t;
    void *all[] = {(void *)(uintptr_t)t->x, (void *)(uintptr_t)t->w, t->running_mean, t->running_variance, t->y, t->out, t->scale, t->shift,
        t->mean, t->inverse_std, t->active, (void *)(uintptr_t)t->g, (void *)(uintptr_t)t->g_sums, t->dx, t->dx_sums, t->dw, t->dgamma,
        t->dbeta, b->prepared, (void *)(uintptr_t)t->bias};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
}

static void require(ck_status status, const char *what) {
    if (status == CK_OK) return;
    fprintf(stderr, "blocks: %s answers %d\n", what, status);
    exit(1);
}

enum pass { FORWARD, BACKWARD, INFER };

static void run(block *b, enum pass pass) {
    switch (pass) {
    case FORWARD: require(ck_block_forward_train(&b->t, &b->d, b->workspace, b->bytes), "the forward pass"); break;
    case BACKWARD: require(ck_block_backward(&b->t, &b->d, b->workspace, b->bytes), "the backward pass"); break;
    case INFER: require(ck_block_forward_infer(b->out, b->t.x, b->prepared, &b->d, b->workspace, b->bytes), "inference"); break;
    }
}

static void force(int by_points, int tiles) {
    ck_winograd_forced_driver = by_points;
    ck_winograd_forced_tiles = tiles;
}

static void prepare(block *b) {
    if (b->prepared == NULL) b->prepared = memory(ck_block_prepared_bytes(&b->d));
    require(
        ck_block_prepare(
            b->prepared, b->t.w, b->t.bias, b->t.gamma, b->t.beta, b->t.running_mean, b->t.running_variance, &b->d), "preparing");
}

static const char *const pass_names[] = {"forward", "backward", "infer"};

typedef struct { int driver, tiles; double best; } variant;

/// The fastest of several runs: other processes can only add to it. The variants take turns, so that a slow phase of the machine
/// meets all of them. Units: ms.
static void compare_plans(block *b, int repeats, bool all_plans) {
    static const int blocks[] = {14, 28, 42, 56, 84}, points[] = {32, 64, 128, 256, 512};
    enum { BLOCKS = sizeof blocks / sizeof *blocks, POINTS_TRIED = sizeof points / sizeof *points };
    for (enum pass pass = FORWARD; pass <= INFER; pass++) {
        variant all[1 + BLOCKS + POINTS_TRIED] = {{-1, 0, 1e9}};
        int count = 1;
        const bool choice = all_plans && b->d.in_channels > FIRST_CHANNELS;
        const bool whole = pass == INFER && b->d.end == CK_BLOCK_AVERAGE;   // whole images: points only
        for (int i = 0; choice && !whole && i < BLOCKS; i++) all[count++] = (variant){0, blocks[i], 1e9};
        for (int i = 0; choice && i < POINTS_TRIED; i++) all[count++] = (variant){1, points[i], 1e9};
        for (int r = 0; r <= repeats; r++) {
            for (int i = 0; i < count; i++) {
                force(all[i].driver, all[i].tiles);
                const double start = seconds();
                run(b, pass);
                const double time = seconds() - start;
                if (r > 0 && time < all[i].best) all[i].best = time;
            }
        }
        force(-1, 0);
        printf("%3d px %3d->%3d %-8s", b->d.height, b->d.in_channels, b->d.out_channels, pass_names[pass]);
        for (int i = 0; i < count; i++) {
            const char *driver = all[i].driver < 0 ? "table" : all[i].driver == 0 ? "blocks" : "points";
            if (i == 0 || all[i].driver != all[i - 1].driver) printf("%s%s", i ? " | " : " ", driver);
            if (all[i].tiles) printf(" %d:", all[i].tiles);
            printf(" %.2f", 1e3 * all[i].best);
        }
        printf("\n");
        fflush(stdout);
    }
}

/// What the cut into jobs that no thread count changes costs against one job per thread, whose sums depend on it.
static void compare_jobs(block *b, int threads, int repeats, double total[2]) {
    for (enum pass pass = FORWARD; pass <= BACKWARD; pass++) {
        double best[2] = {1e9, 1e9};
        for (int r = 0; r <= repeats; r++) {
            for (int i = 0; i < 2; i++) {
                ck_forced_jobs = i == 0 ? 0 : threads;
                const double start = seconds();
                run(b, pass);
                const double time = seconds() - start;
                if (r > 0 && time < best[i]) best[i] = time;
            }
        }
        ck_forced_jobs = 0;
        for (int i = 0; i < 2; i++) total[i] += best[i];
        printf("%3d px %3d->%3d %-8s fixed jobs %.2f, one per thread %.2f\n", b->d.height, b->d.in_channels, b->d.out_channels,
            pass_names[pass], 1e3 * best[0], 1e3 * best[1]);
        fflush(stdout);
    }
}

// ---- the steps within a pass, one thread, one block of tiles at a time

static const simd_kernels *simd;

#define TIME(BODY)                                                          \
    ({                                                                      \
        double best_ = 1e9;                                                 \
        for (int r_ = 0; r_ < 3 * repeats; r_++) {                          \
            const double start_ = seconds();                                \
            BODY;                                                           \
            const double time_ = seconds() - start_;                        \
            if (time_ < best_) best_ = time_;                               \
        }                                                                   \
        best_;                                                              \
    })

/// Nanoseconds per tile and channel of each transform, GFLOP/s of each product, on blocks of `tiles` tiles that wander through the batch.
static void steps(block *b, int tiles, int repeats) {
    const ck_block_desc *d = &b->d;
    winograd_job job;
    if (!ck_winograd_job(&job, d->batch, d->height, d->width, d->in_channels, d->out_channels, 1, false)) exit(1);
    const winograd_shape *s = &job.s;
    const int panel = simd->panel;
    float *u = floats(ck_winograd_filter_floats(&job)), *du = floats(ck_winograd_filter_floats(&job));
    ck_winograd_filter(u, b->t.w, NULL, &job);
    const int64_t stride = winograd_filter_stride(s), all = s->batch * s->tiles;
    const winograd_buffer v = {floats(POINTS * buffer_stride(s->in_padded, tiles)), tiles, buffer_stride(s->in_padded, tiles)};
    const winograd_buffer g = {floats(POINTS * buffer_stride(s->out_padded, tiles)), tiles, buffer_stride(s->out_padded, tiles)};
    const winograd_input input = {b->t.x, b->t.x_scale, b->t.x_shift};
    double *sums = memory(sizeof(double) * 2 * (size_t)d->out_channels);
    const winograd_output output = {.end = d->end == CK_BLOCK_POOL ? END_POOL : END_STATISTICS, .y = b->t.y, .pooled = b->t.out,
        .gamma = b->t.gamma, .sums = sums};
    const winograd_output infer = {.end = d->end == CK_BLOCK_POOL ? END_RELU_POOL : END_RELU_AVERAGE, .pooled = b->t.out,
        .averaged = b->t.out, .bias = b->t.bias};
    const winograd_gradient gradient = {
        .kind = d->end == CK_BLOCK_POOL ? GRADIENT_POOL : GRADIENT_AVERAGE, .g = b->t.g, .y = b->t.y, .k1 = b->t.scale, .k2 = b->t.shift,
        .k3 = b->t.mean, .gamma = b->t.gamma, .scale = b->t.scale, .shift = b->t.shift};
    int64_t at = 0;
#define NEXT (at = at + 2 * tiles <= all ? at + tiles : 0, (tile_range){at, tiles, 0})
    const double in = 1e9 / (tiles * s->in), out = 1e9 / (tiles * s->out), flops = 2e-9 * POINTS * tiles * (double)s->in * s->out;
    printf("%3d px %3d->%3d, %3d tiles, ns per tile and channel: input %.2f", d->height, s->in, s->out, tiles,
        in * TIME(simd->input(v, &input, s, NEXT)));
    printf(", output %.2f (infer %.2f)",
        out * TIME({ tile_range r = NEXT; for (int k = 0; k < s->out_padded / panel; k++) { winograd_buffer m = g; m.data += k * g.slots * panel; simd->output(m, &output, s, r, k); } }),
        out * TIME({ tile_range r = NEXT; for (int k = 0; k < s->out_padded / panel; k++) { winograd_buffer m = g; m.data += k * g.slots * panel; simd->output(m, &infer, s, r, k); } }));
    printf(", gradient %.2f", out * TIME(simd->gradient(g, &gradient, s, NEXT)));
    printf(", dx %.2f", in * TIME(simd->input_gradient(b->t.dx, v, s, NEXT)));
    printf(", mask %.2f", in * TIME(simd->mask(b->t.dx + at * 16 * s->in, b->t.x + at * 16 * s->in, b->t.x_scale, b->t.x_shift, sums, tiles * 16, s->in)));
    printf("; GFLOP/s: V U %.0f", flops / TIME(
        for (int k = 0; k < s->out_padded / panel; k++)
            for (int p = 0; p < POINTS; p++)
                simd->product(g.data + p * panel * tiles, v.data + p * v.stride, tiles * panel, s->in_padded / panel,
                    u + p * stride + (int64_t)k * s->in_padded * panel, tiles)));
    printf(", D T %.0f", flops / TIME(
        for (int p = 0; p < POINTS; p++)
            for (int c = 0; c < s->in_padded / panel; c++)
                simd->product(v.data + p * v.stride + c * tiles * panel, g.data + p * g.stride, tiles * panel, s->out_padded / panel,
                    u + p * stride + (int64_t)c * s->out_padded * panel, tiles)));
    printf(", V' D %.0f\n", flops / TIME(
        for (int p = 0; p < POINTS; p++)
            for (int k = 0; k < s->out_padded / panel; k++)
                simd->outer(du + p * stride + (int64_t)k * s->in_padded * panel, v.data + p * v.stride, tiles * panel,
                    s->in_padded / panel, g.data + p * g.stride + k * tiles * panel, tiles, true)));
    free(u), free(du), free(v.data), free(g.data), free(sums);
    fflush(stdout);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "plans";
    const int threads = argc > 2 ? atoi(argv[2]) : 2, repeats = argc > 3 ? atoi(argv[3]) : 9;
    const int size = argc > 4 ? atoi(argv[4]) : 64, batch = argc > 5 ? atoi(argv[5]) : size == 64 ? 128 : 32;
    require(ck_set_threads(threads), "setting threads");
    require(ck_check_isa_environment(), "FACEFAIR_ISA");
    simd = ck_simd();
    printf("%s, %d threads, fastest of %d, batch %d, ms\n", ck_isa_name(ck_current_isa()), threads, repeats, batch);
    double total[2] = {0, 0};
    for (int i = 0; i < 5; i++) {
        block b = make_block(size == 64 ? layers_64[i] : layers_224[i], batch);
        prepare(&b);
        if (strcmp(what, "jobs") == 0) compare_jobs(&b, threads, repeats, total);
        else if (strcmp(what, "steps") != 0) compare_plans(&b, repeats, strcmp(what, "table") != 0);
        else if (i > 0) steps(&b, 28, repeats);
        free_block(&b);
    }
    if (total[0] > 0) printf("all: fixed jobs %.2f, one per thread %.2f, %.1f %% lost\n", 1e3 * total[0], 1e3 * total[1], 100 * (total[0] / total[1] - 1));
    return 0;
}
