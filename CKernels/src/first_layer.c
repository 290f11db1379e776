// The first layer: blocks of row pairs forward, blocks of images backward, and the Gram matrix of the patches.
#include "first_layer.h"

enum { ROW_PARTS = 64, IMAGE_PARTS = 16, OFFSETS = 5, PAIRS = 9 };

static int64_t row_pairs(const first_layer *l) { return (int64_t)l->batch * ((l->height + 1) / 2); }

int64_t ck_first_layer_parts(const first_layer *l) { return ck_min(jobs_of(ROW_PARTS), row_pairs(l)); }

static size_t rows_bytes(const first_layer *l) { return ck_padded((size_t)(4 * first_row_floats(l->width)) * sizeof(float)); }

// ---- forward

static size_t lines_bytes(const first_layer *l) {
    return ck_padded((size_t)(4 * first_line_floats(l->width) + first_row_floats(l->width)) * sizeof(float));
}

size_t ck_first_layer_forward_bytes(const first_layer *l, int workers) {
    return ck_padded((size_t)l->out * FIRST_FILTER * sizeof(float)) + (size_t)workers * lines_bytes(l);
}

typedef struct {
    const first_layer *layer;
    const float *u;
    double *sums;
    char *scratch;
} forward_context;

static void forward_part(void *context, int64_t part, int worker) {
    const forward_context *f = context;
    const first_layer *l = f->layer;
    const int64_t parts = ck_first_layer_parts(l), pairs = row_pairs(l), per_image = (l->height + 1) / 2;
    double *sums = f->sums ? f->sums + part * 2 * l->out : NULL;
    for (int c = 0; sums && c < 2 * l->out; c++) sums[c] = 0;
    float *scratch = (float *)(f->scratch + (size_t)worker * lines_bytes(l));
    const int64_t first = pairs * part / parts, end = pairs * (part + 1) / parts;
    for (int64_t pair = first; pair < end; pair++) {
        const int row = (int)(pair % per_image);
        ck_simd()->first_forward(l, f->u, scratch, pair / per_image, row, pair > first && row > 0, sums);
    }
}

void ck_first_layer_forward(
    const first_layer *l, const float *w, const float *scale, double *sums, int workers, void *workspace) {
    float *u = ck_carve(&workspace, (size_t)l->out * FIRST_FILTER * sizeof(float));
    ck_simd()->first_filter(u, w, scale, l->out);
    forward_context f = {l, u, sums, ck_carve(&workspace, (size_t)workers * lines_bytes(l))};
    ck_parallel_for_workers(ck_first_layer_parts(l), workers, forward_part, &f);
}

// ---- backward

/// The sums over the images of one part, in double. For pixel rows u, columns v and channels c, d:
typedef struct {
    double full[3][OFFSETS][PAIRS];         // [dy][dx + 2][3·c + d]: Σ x[u,v,c]·x[u+dy,v+dx,d]
    double row[2][OFFSETS][PAIRS];          // the same for u = the first and the last row, dy = 0
    double column[2][3][PAIRS];             // and for v = the first and the last column, dx = 0: [dy]
    double corner[2][2][PAIRS];             // [row][column], dy = dx = 0
    double sum[3][3][FIRST_CHANNELS];       // Σ x over all rows, the first and the last; the same for columns
} patch_sums;

size_t ck_first_layer_backward_bytes(const first_layer *l, int workers) {
    const size_t part = ck_padded(sizeof(patch_sums)) + ck_padded((size_t)l->out * FIRST_TAPS * sizeof(double));
    return (size_t)ck_min(jobs_of(IMAGE_PARTS), l->batch) * part + (size_t)workers * rows_bytes(l);
}

typedef struct {
    const first_layer *layer;
    int64_t parts;
    patch_sums *patches;        // ck_padded apart
    double *taps;               // [parts][27,K], ck_padded apart
    char *rows;
} backward_context;

static patch_sums *patches_of(const backward_context *b, int64_t part) {
    return (patch_sums *)((char *)b->patches + (size_t)part * ck_padded(sizeof(patch_sums)));
}

static double *taps_of(const backward_context *b, int64_t part) {
    return (double *)((char *)b->taps + (size_t)part * ck_padded((size_t)b->layer->out * FIRST_TAPS * sizeof(double)));
}

/// From what first_correlation counts, [c][3·(dx + 2) + d].
static void add_lanes(double to[OFFSETS][PAIRS], double lanes[FIRST_CHANNELS][CORRELATION_LANES]) {
    for (int dx = 0; dx < OFFSETS; dx++) {
        for (int c = 0; c < 3; c++) {
            for (int d = 0; d < 3; d++) to[dx][3 * c + d] += lanes[c][3 * dx + d];
        }
    }
}

static void add_pairs(double to[PAIRS], const float *a, const float *b) {
    for (int c = 0; c < 3; c++) {
        for (int d = 0; d < 3; d++) to[3 * c + d] += (double)a[c] * b[d];
    }
}

/// One image: its correlations. `rows` has room for four padded rows and keeps the last three.
static void add_image(patch_sums *p, const first_layer *l, const float *image, float *rows) {
    const int64_t line = (int64_t)l->width * FIRST_CHANNELS, step = first_row_floats(l->width);
    for (int64_t i = 0; i < 3 * step; i++) rows[i] = 0;
    for (int u = -2; u < l->height; u++) {
        // The row that enters is u + 2; row u is multiplied with itself and the two behind it.
        float *entering = rows + (u + 2) % 3 * step + FIRST_MARGIN;
        if (u + 2 < l->height) __builtin_memcpy(entering, image + (u + 2) * line, (size_t)line * sizeof(float));
        else __builtin_memset(entering, 0, (size_t)line * sizeof(float));
        if (u < 0) continue;
        const float *own = rows + u % 3 * step + FIRST_MARGIN;
        const bool ends[2] = {u == 0, u == l->height - 1};
        const float *others[3];
        for (int dy = 0; dy < 3; dy++) others[dy] = rows + (u + dy) % 3 * step + FIRST_MARGIN;
        double lanes[3][FIRST_CHANNELS][CORRELATION_LANES] = {{{0}}};
        ck_simd()->first_correlation(own, others, l->width, &lanes[0][0][0]);
        for (int dy = 0; dy < 3; dy++) {
            add_lanes(p->full[dy], lanes[dy]);
            for (int side = 0; side < 2; side++) {
                const int64_t at = side == 0 ? 0 : line - FIRST_CHANNELS;
                add_pairs(p->column[side][dy], own + at, others[dy] + at);
                if (dy == 0 && ends[side]) add_lanes(p->row[side], lanes[0]);
                for (int end = 0; dy == 0 && end < 2; end++) {
                    if (ends[end]) add_pairs(p->corner[end][side], own + at, own + at);
                }
            }
        }
        double total[FIRST_CHANNELS] = {0};
        for (int64_t v = 0; v < l->width; v++) {
            for (int c = 0; c < FIRST_CHANNELS; c++) total[c] += own[v * FIRST_CHANNELS + c];
        }
        for (int i = 0; i < 3; i++) {
            if (i > 0 && !ends[i - 1]) continue;
            for (int c = 0; c < FIRST_CHANNELS; c++) {
                p->sum[i][0][c] += total[c];
                p->sum[i][1][c] += own[c];
                p->sum[i][2][c] += own[line - FIRST_CHANNELS + c];
            }
        }
    }
}

static void backward_part(void *context, int64_t part, int worker) {
    const backward_context *b = context;
    const first_layer *l = b->layer;
    patch_sums *patches = patches_of(b, part);
    double *taps = taps_of(b, part);
    float *rows = (float *)(b->rows + (size_t)worker * rows_bytes(l));
    *patches = (patch_sums){0};
    for (int i = 0; i < l->out * FIRST_TAPS; i++) taps[i] = 0;
    const int64_t end = l->batch * (part + 1) / b->parts;
    for (int64_t image = l->batch * part / b->parts; image < end; image++) {
        for (int row = 0; row < l->height / 2; row++) ck_simd()->first_gradient(l, rows, image, row, taps);
        add_image(patches, l, l->x + image * l->height * l->width * FIRST_CHANNELS, rows);
    }
}

// Tap row 0 sees pixel rows −1 … H−2, so the last is missing; tap row 2 sees 1 … H, so the first is. Columns alike. A pair of taps in
// different rows loses nothing: what one of them would lose, the other has no partner for.

/// 0 none, 1 the first, 2 the last row (column) is not seen by a tap in row (column) i of the filter.
static int unseen(int i) { return i == 0 ? 2 : i == 2 ? 1 : 0; }

static double gram(const patch_sums *p, int s, int t) {
    int i = s / 9, j = s / 3 % 3, c = s % 3, y = t / 9, x = t / 3 % 3, d = t % 3;
    if (y < i) return gram(p, t, s);
    const int pair = 3 * c + d, dy = y - i, dx = x - j;
    double value = p->full[dy][dx + 2][pair];
    const int row = dy == 0 ? unseen(i) : 0, column = dx == 0 ? unseen(j) : 0;
    if (row) value -= p->row[row - 1][dx + 2][pair];
    if (column) value -= p->column[column - 1][dy][pair];
    if (row && column) value += p->corner[row - 1][column - 1][pair];
    return value;
}

static double patch_sum(const patch_sums *p, int tap) {
    const int row = unseen(tap / 9), column = unseen(tap / 3 % 3), c = tap % 3;
    double value = p->sum[0][0][c];
    if (row) value -= p->sum[row][0][c];
    if (column) value -= p->sum[0][column][c];
    if (row && column) value += p->sum[row][column][c];
    return value;
}

void ck_first_layer_backward(
    float *dw, const first_layer *l, const float *w, const float *k1, const float *k2, const float *k3, int workers,
    void *workspace) {
    backward_context b = {.layer = l, .parts = ck_min(jobs_of(IMAGE_PARTS), l->batch)};
    b.patches = ck_carve(&workspace, (size_t)b.parts * ck_padded(sizeof(patch_sums)));
    b.taps = ck_carve(&workspace, (size_t)b.parts * ck_padded((size_t)l->out * FIRST_TAPS * sizeof(double)));
    b.rows = ck_carve(&workspace, (size_t)workers * rows_bytes(l));
    ck_parallel_for_workers(b.parts, workers, backward_part, &b);

    double *all = (double *)b.patches;
    for (int64_t part = 1; part < b.parts; part++) {
        const double *more = (const double *)patches_of(&b, part);
        for (size_t i = 0; i < sizeof(patch_sums) / sizeof(double); i++) all[i] += more[i];
        const double *more_taps = taps_of(&b, part);
        for (int i = 0; i < l->out * FIRST_TAPS; i++) b.taps[i] += more_taps[i];
    }
    double products[FIRST_TAPS][FIRST_TAPS];
    for (int s = 0; s < FIRST_TAPS; s++) {
        for (int t = 0; t < FIRST_TAPS; t++) products[s][t] = gram(b.patches, s, t);
    }
    for (int k = 0; k < l->out; k++) {
        const float *filter = w + (int64_t)k * FIRST_TAPS;
        for (int t = 0; t < FIRST_TAPS; t++) {
            double value = k1[k] * b.taps[(int64_t)t * l->out + k] + k2[k] * patch_sum(b.patches, t);
            for (int s = 0; s < FIRST_TAPS; s++) value += (double)k3[k] * filter[s] * products[s][t];
            dw[(int64_t)k * FIRST_TAPS + t] += (float)value;
        }
    }
}
