// Winograd F(4×4, 3×3): what the drivers, the public entry points and the three compiled copies of the kernels share.
//
// Words       tile     4×4 output pixels of one image and the 6×6 input pixels they depend on; the last ones may hang over
//             point    one of the 36 places of a transformed tile
//             panel    the channels that one pass of the product kernel handles: two vectors
//             slot     a tile's place in a transform-domain buffer
// Buffers     X[point][channels / panel][slots][panel], the stride between points padded by POINT_PAD floats so that 36 streams at
//             a distance of a power of two do not meet in a few cache sets; filters U[point][K / panel][C][panel], its
//             transpose T[point][C / panel][K][panel]; dU as U. Channels are padded with zeros to whole panels.
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include "internal.h"

#pragma clang assume_nonnull begin

enum { POINTS = 36, POINT_PAD = 16, TILE_SIDE = 4, PATCH = 6, TAPS = 9 };

typedef struct {
    int batch, height, width;
    int in, out;
    int in_padded, out_padded;          // whole panels
    int tiles_x, tiles_y;
    int64_t tiles;                      // per image
} winograd_shape;

/// A buffer in the transform domain.
typedef struct {
    float *data;
    int64_t slots;
    int64_t stride;                     // floats from point to point
} winograd_buffer;

/// A stretch of tiles, counted through the whole batch, and the slot of the first.
typedef struct { int64_t first, count, slot; } tile_range;

/// Where a tile lies.
typedef struct { int64_t image; int ty, tx; } tile_place;

CK_INLINE tile_place place_of(const winograd_shape *s, int64_t tile) {
    const int64_t image = tile / s->tiles;
    const int rest = (int)(tile - image * s->tiles);
    return (tile_place){image, rest / s->tiles_x, rest % s->tiles_x};
}

CK_INLINE void next_place(const winograd_shape *s, tile_place *at) {
    if (++at->tx < s->tiles_x) return;
    at->tx = 0;
    if (++at->ty < s->tiles_y) return;
    at->ty = 0;
    at->image++;
}

/// The input of a convolution: relu(scale·x + shift), or x itself where scale is NULL.
typedef struct {
    const float *x;                     // [N,H,W,C]
    const float *_Nullable scale;       // [C]
    const float *_Nullable shift;
} winograd_input;

/// What becomes of the convolution's result.
typedef enum {
    END_PLAIN,          // y = result + bias
    END_STATISTICS,     // y = result; sums
    END_POOL,           // as above, and pooled = the 2×2 maximum (minimum where gamma < 0) of y
    END_RELU,           // y = relu(result + bias)
    END_RELU_POOL,      // pooled = relu of the 2×2 maximum of result + bias; y is not written
    END_RELU_AVERAGE,   // averaged += the sum over the tile of relu(result + bias)
} winograd_end;

typedef struct {
    winograd_end end;
    float *_Nullable y;                 // [N,H,W,K]
    float *_Nullable pooled;            // [N,H/2,W/2,K]
    float *_Nullable averaged;          // [N,K]
    const float *_Nullable bias;        // [K]; NULL is 0
    const float *_Nullable gamma;       // [K]
    double *_Nullable sums;             // [2,K]: Σ y and Σ y²
} winograd_output;

/// How the gradient of the convolution's result is formed.
typedef enum {
    GRADIENT_PLAIN,     // g
    GRADIENT_DENSE,     // k1·g + k2 + k3·y
    GRADIENT_POOL,      // the same, g at the first extremum of each 2×2 window and 0 elsewhere
    GRADIENT_AVERAGE,   // k1·g[n]·[scale·y + shift > 0] + k2 + k3·y
} winograd_gradient_kind;

typedef struct {
    winograd_gradient_kind kind;
    const float *g;                     // [N,H,W,K], [N,H/2,W/2,K] or [N,K]
    const float *_Nullable y;           // [N,H,W,K]
    const float *_Nullable k1, *_Nullable k2, *_Nullable k3;    // [K]
    const float *_Nullable gamma;       // [K], for its sign
    const float *_Nullable scale, *_Nullable shift;             // [K]
} winograd_gradient;

/// The first layer: 3 channels in, batch norm, ReLU and 2×2 pooling behind. Its result is never stored.
typedef struct {
    int batch, height, width, out;
    const float *x;                             // [N,H,W,3]
    const float *_Nullable bias;                // inference: [K]
    const float *_Nullable gamma;               // training: [K]
    float *_Nullable pooled;                    // [N,H/2,W/2,K]
    uint8_t *_Nullable chosen;                  // training: which of the four was the extremum
    const float *_Nullable g;                   // backward: gradient of pooled
} first_layer;

enum { FIRST_CHANNELS = 3, FIRST_TAPS = 27, FIRST_MARGIN = 64, CORRELATION_LANES = 16 };

/// Floats of one padded row: a column of zeros before, and zeros behind up to any vector.
CK_INLINE int64_t first_row_floats(int width) { return (int64_t)width * FIRST_CHANNELS + 2 * FIRST_MARGIN; }

/// Floats of one transformed row: per four columns, six points of three channels and one that is not used.
CK_INLINE int64_t first_line_floats(int width) { return ck_ceil_div(width, 4) * 6 * 4; }

/// Floats of the transformed filter of one output channel.
enum { FIRST_FILTER = FIRST_TAPS / 3 * 6 };

#ifdef CK_FORCED_PLANS
/// For Benchmarks/blocks.c: jobs that a pass is cut into, 0 as its file says.
extern int ck_forced_jobs;
CK_INLINE int64_t jobs_of(int64_t own) { return ck_forced_jobs > 0 ? ck_forced_jobs : own; }
#else
CK_INLINE int64_t jobs_of(int64_t own) { return own; }
#endif

/// The kernels of one instruction set.
typedef struct {
    int width, panel;

    /// U = (G g Gᵀ)·scale for the panel of output channels `panel`.  Shape: w [K,3,3,C], scale [K].
    void (*filter)(float *u, int64_t stride, const float *w, const float *_Nullable scale, const winograd_shape *s, int panel);
    /// T for the panel of input channels `panel`.
    void (*filter_transposed)(float *t, int64_t stride, const float *w, const winograd_shape *s, int panel);
    /// dw += Gᵀ (Σ parts of dU) G for VW of the output channels, beginning at `first`.
    void (*filter_gradient)(
        float *dw, const float *du, int64_t stride, int64_t part_stride, int64_t parts, const winograd_shape *s, int first);

    /// V = Bᵀ d B.
    void (*input)(winograd_buffer v, const winograd_input *input, const winograd_shape *s, tile_range range);
    /// y = Aᵀ M A and what follows, for the panel `panel`, which begins at m.data.
    void (*output)(winograd_buffer m, const winograd_output *output, const winograd_shape *s, tile_range range, int panel);
    /// D = A dy Aᵀ.
    void (*gradient)(winograd_buffer d, const winograd_gradient *gradient, const winograd_shape *s, tile_range range);
    /// dx (+)= B dV Bᵀ; the tiles of an image must come in order, in one thread.
    void (*input_gradient)(float *dx, winograd_buffer v, const winograd_shape *s, tile_range range);
    /// g = g where scale·m + shift > 0, else 0; sums += Σ g and Σ g·m.  Shape: g, m [rows,C], sums [2,C].
    void (*mask)(
        float *g, const float *m, const float *scale, const float *shift, double *sums, int64_t rows, int channels);

    /// The mean of relu(scale·y + shift), the number of positive pixels and the sum of their y.  Shape: y [pixels,C], others [C].
    void (*average)(
        float *mean, float *count, float *sum, const float *y, const float *scale, const float *shift, int pixels, int channels);

    /// c = a·b.  Shape: c [rows,panel], a [depth][rows,panel] with `a_stride` between panels, b [depth·panel,panel].
    void (*product)(float *c, const float *a, int64_t a_stride, int depth, const float *b, int64_t rows);
    /// du (+)= vᵀ·d.  Shape: du [panels·panel,panel], v [panels][slots,panel] with `v_stride` between panels, d [slots,panel].
    void (*outer)(float *du, const float *v, int64_t v_stride, int panels, const float *d, int64_t slots, bool add);

    /// The first layer's filters for first_forward, times `scale`.  Shape: u [out·FIRST_FILTER], w [K,3,3,3], scale [K].
    void (*first_filter)(float *u, const float *w, const float *_Nullable scale, int out);
    /// The first layer, two rows of one image (first_layer.h). scratch: four transformed rows and a padded one, the thread's own;
    /// goes_on: it still holds what the pair of rows above left there.
    void (*first_forward)(
        const first_layer *layer, const float *u, float *scratch, int64_t image, int row_pair, bool goes_on, double *_Nullable sums);
    /// taps [27,K] += Σ patch · the gradient at each window's extremum, over one row of windows.
    void (*first_gradient)(const first_layer *layer, float *rows, int64_t image, int pooled_row, double *taps);
    /// sums [3][3][16] += Σ own[v,c] · rows[dy][v − 2 …, …], the lane counting channels of 5 pixels.  Shape: rows [3][width·3], zeros around.
    void (*first_correlation)(const float *own, const float *const _Nonnull rows[_Nonnull 3], int64_t width, double *sums);
} simd_kernels;

#if defined(__x86_64__)
extern CK_HIDDEN const simd_kernels ck_simd_avx512, ck_simd_avx2;
#endif
extern CK_HIDDEN const simd_kernels ck_simd_generic;

/// The copy for the instruction set in use.
CK_HIDDEN const simd_kernels *ck_simd(void);

#pragma clang assume_nonnull end

#endif
