// The two products of the transform domain, held in registers: MR rows × two vectors.
#include "simd.h"

// The accumulators are a local array that is only indexed by constants once the loops are unrolled; anything else would keep the
// whole array in memory.

CK_INLINE void product_rows(float *c, const float *a, int64_t a_stride, int depth, const float *b, int rows) {
    vf sum[MR][2];
    CK_UNROLL
    for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = splat(0);
    // Unrolled by more, the loads of the next k take registers and accumulators spill.
    for (int chunk = 0; chunk < depth; chunk++, a += a_stride) {
#pragma clang loop unroll(disable)
        for (int k = 0; k < PANEL; k++, b += PANEL) {
            const vf b0 = load(b), b1 = load(b + VW);
            CK_UNROLL
            for (int r = 0; r < rows; r++) {
                const vf x = splat(a[r * PANEL + k]);
                sum[r][0] += x * b0;
                sum[r][1] += x * b1;
            }
        }
    }
    CK_UNROLL
    for (int r = 0; r < rows; r++) {
        store(c + r * PANEL, sum[r][0]);
        store(c + r * PANEL + VW, sum[r][1]);
    }
}

CK_INLINE void outer_rows(float *du, const float *v, const float *d, int64_t slots, bool add, int rows) {
    vf sum[MR][2];
    CK_UNROLL
    for (int r = 0; r < rows; r++) {
        sum[r][0] = add ? load(du + r * PANEL) : splat(0);
        sum[r][1] = add ? load(du + r * PANEL + VW) : splat(0);
    }
#pragma clang loop unroll_count(2)
    for (int64_t t = 0; t < slots; t++) {
        const vf d0 = load(d + t * PANEL), d1 = load(d + t * PANEL + VW);
        CK_UNROLL
        for (int r = 0; r < rows; r++) {
            const vf x = splat(v[t * PANEL + r]);
            sum[r][0] += x * d0;
            sum[r][1] += x * d1;
        }
    }
    CK_UNROLL
    for (int r = 0; r < rows; r++) {
        store(du + r * PANEL, sum[r][0]);
        store(du + r * PANEL + VW, sum[r][1]);
    }
}

// One function per number of rows, so that each has its accumulators in registers.
#define FOR_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#if CK_MR == 14
#define FOR_MORE_ROWS(X) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#define FOR_MORE_ROWS(X)
#endif

#define DEFINE(R)                                                                                                             \
    static void product_##R(float *c, const float *a, int64_t a_stride, int depth, const float *b) {                          \
        product_rows(c, a, a_stride, depth, b, R);                                                                            \
    }                                                                                                                         \
    static void outer_##R(float *du, const float *v, const float *d, int64_t slots, bool add) {                               \
        if (add) outer_rows(du, v, d, slots, true, R);                                                                        \
        else outer_rows(du, v, d, slots, false, R);                                                                           \
    }
FOR_ROWS(DEFINE)
FOR_MORE_ROWS(DEFINE)
#undef DEFINE

typedef void (*product_fn)(float *, const float *, int64_t, int, const float *);
typedef void (*outer_fn)(float *, const float *, const float *, int64_t, bool);

#define PRODUCT_ENTRY(R) product_##R,
#define OUTER_ENTRY(R) outer_##R,
static const product_fn products[] = {NULL, FOR_ROWS(PRODUCT_ENTRY) FOR_MORE_ROWS(PRODUCT_ENTRY)};
static const outer_fn outers[] = {NULL, FOR_ROWS(OUTER_ENTRY) FOR_MORE_ROWS(OUTER_ENTRY)};

/// Rows are cut evenly: 16 are 8 + 8, never 14 + 2.
static void product(float *c, const float *a, int64_t a_stride, int depth, const float *b, int64_t rows) {
    for (int64_t parts = ck_ceil_div(rows, MR), done = 0; parts > 0; parts--) {
        const int64_t count = ck_ceil_div(rows - done, parts);
        products[count](c + done * PANEL, a + done * PANEL, a_stride, depth, b);
        done += count;
    }
}

static void outer(float *du, const float *v, int64_t v_stride, int panels, const float *d, int64_t slots, bool add) {
    for (int panel = 0; panel < panels; panel++, v += v_stride, du += PANEL * PANEL) {
        int done = 0;
        for (int parts = (PANEL + MR - 1) / MR; parts > 0; parts--) {
            const int count = (PANEL - done + parts - 1) / parts;
            outers[count](du + done * PANEL, v + done, d, slots, add);
            done += count;
        }
    }
}
