// Which driver runs a pass, and how many tiles it takes at a time.
//
// The table is what `Benchmarks/run_blocks plans` prints in figures (docs/kernels.md, "Two drivers"). What decides is whether a core's
// second-level cache holds the transformed filter beside the tiles. In the forward pass that is U, read once per block of tiles; in the
// backward pass T is read and dU read and written, so the border lies lower. No entry depends on the thread count: the cut decides the
// order of sums.
#include "winograd_driver.h"

typedef struct {
    int64_t filter_bytes;       // up to this size of U
    bool by_points;
    int64_t tiles;              // at a time
} entry;

static const entry forward_table[] = {{512 << 10, false, 14}, {8 << 20, false, 28}, {INT64_MAX, true, 128}};
static const entry backward_table[] = {{2 << 20, false, 42}, {8 << 20, true, 64}, {INT64_MAX, true, 256}};

enum {
    FEW_TILES = 8,              // of the whole batch: one block would leave the other threads idle, points never do
    FORWARD_JOBS = 64,
    BACKWARD_JOBS = 16,         // each has a dU of its own
    LEAST_JOBS = 8, LEAST_TILES = 8,    // a small batch is cut into jobs of fewer tiles than the table says
    MOST_BYTES = 64 << 20,      // of a superblock
};

#ifdef CK_FORCED_PLANS
int ck_winograd_forced_driver = -1, ck_winograd_forced_tiles = 0, ck_forced_jobs = 0;
#endif

static entry look_up(const entry *table, const winograd_shape *s) {
    const int64_t bytes = POINTS * (int64_t)sizeof(float) * s->in_padded * s->out_padded;
    while (bytes > table->filter_bytes) table++;
    entry e = *table;
#ifdef CK_FORCED_PLANS
    if (ck_winograd_forced_driver >= 0) e.by_points = ck_winograd_forced_driver == 1;
    if (ck_winograd_forced_tiles > 0) e.tiles = ck_winograd_forced_tiles;
#endif
    return e;
}

/// An even number, so that two or four threads have equally many to transform.
static int64_t images_of(const winograd_shape *s, int64_t tiles) {
    const int64_t images = ck_max(2, tiles / s->tiles);
    return ck_min(images - images % (images < 4 ? 2 : 4), s->batch);
}

/// Whether a superblock of one image at least would be larger than all caches.
static bool is_too_large(const winograd_shape *s, int64_t tiles) {
    const int64_t super = images_of(s, tiles) * s->tiles;
    return POINTS * (int64_t)sizeof(float) * super * (s->in_padded + s->out_padded) > MOST_BYTES;
}

static winograd_plan points(const winograd_shape *s, int64_t tiles) {
    const int64_t images = images_of(s, tiles);
    return (winograd_plan){.by_points = true, .images = images, .tiles = images * s->tiles, .parts = s->batch};
}

winograd_plan ck_winograd_plan_forward(const winograd_shape *s, bool whole_images) {
    const entry e = look_up(forward_table, s);
    const int64_t total = s->batch * s->tiles;
    if (whole_images || ((e.by_points || total < FEW_TILES) && !is_too_large(s, e.tiles))) return points(s, e.tiles);
    const int64_t least = ck_min(LEAST_JOBS, ck_ceil_div(total, LEAST_TILES));
    return (winograd_plan){.tiles = e.tiles, .parts = ck_min(jobs_of(FORWARD_JOBS), ck_max(ck_ceil_div(total, e.tiles), least))};
}

winograd_plan ck_winograd_plan_backward(const winograd_shape *s) {
    const entry e = look_up(backward_table, s);
    if (e.by_points && !is_too_large(s, e.tiles)) return points(s, e.tiles);
    return (winograd_plan){.tiles = e.tiles, .parts = ck_min(jobs_of(BACKWARD_JOBS), s->batch)};
}
