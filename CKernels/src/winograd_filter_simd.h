// Filters into the transform domain, U = G g Gᵀ, and their gradient out of it, dg += Gᵀ dU G.
#include "simd.h"

// The rows of G that belong to ±A and ±B have these denominators.
#define GA (1 / (2 * A2 * (A2 - B2)))
#define GB (1 / (2 * B2 * (B2 - A2)))

/// G on three vectors.
CK_INLINE void filter_line(vf out[6], vf g0, vf g1, vf g2) {
    const vf ea = GA * g0 + (GA * A2) * g2, oa = (GA * A) * g1, eb = GB * g0 + (GB * B2) * g2, ob = (GB * B) * g1;
    out[0] = (1 / Q) * g0;
    out[1] = ea + oa;
    out[2] = ea - oa;
    out[3] = eb + ob;
    out[4] = eb - ob;
    out[5] = g2;
}

CK_INLINE void filter_patch(float *u, int64_t stride, vf g[TAPS]) {
    vf t[3][PATCH];         // [column][row]
    CK_UNROLL
    for (int j = 0; j < 3; j++) filter_line(t[j], g[j], g[3 + j], g[6 + j]);
    CK_UNROLL
    for (int i = 0; i < PATCH; i++) {
        vf line[6];
        filter_line(line, t[0][i], t[1][i], t[2][i]);
        CK_UNROLL
        for (int j = 0; j < PATCH; j++) store(u + (i * PATCH + j) * stride, line[j]);
    }
}

/// Gᵀ on six vectors.
CK_INLINE void filter_gradient_line(vf out[3], vf u0, vf u1, vf u2, vf u3, vf u4, vf u5) {
    const vf p = u1 + u2, m = u1 - u2, r = u3 + u4, n = u3 - u4;
    out[0] = (1 / Q) * u0 + (GA * p + GB * r);
    out[1] = (GA * A) * m + (GB * B) * n;
    out[2] = (GA * A2) * p + ((GB * B2) * r + u5);
}

/// VW filters' tap t of VW channels, one vector over the filters per channel: the weights' order is the other way round.
CK_INLINE void load_taps(vf g[VW], const float *w, const winograd_shape *s, int k, int c, int tap) {
    const int lanes = (int)ck_min(VW, s->in - c), rows = (int)ck_min(VW, s->out - k);
    CK_UNROLL
    for (int i = 0; i < VW; i++) {
        g[i] = i < rows ? load_lanes(w + ((int64_t)(k + i) * TAPS + tap) * s->in + c, lanes) : splat(0);
    }
    transpose(g);
}

static void filter(float *u, int64_t stride, const float *w, const float *scale, const winograd_shape *s, int panel) {
    for (int half = 0; half < 2; half++) {
        const int k = panel * PANEL + half * VW;
        const vf factor = scale && k < s->out ? load_lanes(scale + k, (int)ck_min(VW, s->out - k)) : splat(1);
        for (int c = 0; c < s->in_padded; c += VW) {
            float taps[VW][TAPS][VW] __attribute__((aligned(64)));  // [channel][tap][filter]
            for (int tap = 0; tap < TAPS; tap++) {
                vf g[VW];
                if (c < s->in && k < s->out) {
                    load_taps(g, w, s, k, c, tap);
                } else {
                    CK_UNROLL
                    for (int i = 0; i < VW; i++) g[i] = splat(0);
                }
                CK_UNROLL
                for (int i = 0; i < VW; i++) store(taps[i][tap], g[i] * factor);
            }
            for (int i = 0; i < VW; i++) {
                vf g[TAPS];
                CK_UNROLL
                for (int tap = 0; tap < TAPS; tap++) g[tap] = load(taps[i][tap]);
                filter_patch(u + (int64_t)panel * s->in_padded * PANEL + (int64_t)(c + i) * PANEL + half * VW, stride, g);
            }
        }
    }
}

static void filter_transposed(float *t, int64_t stride, const float *w, const winograd_shape *s, int panel) {
    for (int k = 0; k < s->out_padded; k++) {
        for (int half = 0; half < 2; half++) {
            const int c = panel * PANEL + half * VW, lanes = (int)ck_max(0, ck_min(VW, s->in - c));
            vf g[TAPS];
            CK_UNROLL
            for (int tap = 0; tap < TAPS; tap++) {
                g[tap] = k < s->out ? load_lanes(w + ((int64_t)k * TAPS + tap) * s->in + c, lanes) : splat(0);
            }
            filter_patch(t + (int64_t)panel * s->out_padded * PANEL + (int64_t)k * PANEL + half * VW, stride, g);
        }
    }
}

static void filter_gradient(
    float *dw, const float *du, int64_t stride, int64_t part_stride, int64_t parts, const winograd_shape *s, int first) {
    const float *panel = du + (int64_t)(first / PANEL) * s->in_padded * PANEL + first % PANEL;
    const int rows = (int)ck_min(VW, s->out - first);
    for (int c = 0; c < s->in; c += VW) {
        const int lanes = (int)ck_min(VW, s->in - c);
        float taps[TAPS][VW][VW] __attribute__((aligned(64)));      // [tap][channel][filter]
        for (int i = 0; i < VW; i++) {
            vf t[PATCH][3];         // [column][row]
            CK_UNROLL
            for (int j = 0; j < PATCH; j++) {
                vf line[PATCH];
                CK_UNROLL
                for (int r = 0; r < PATCH; r++) {
                    const float *at = panel + (r * PATCH + j) * stride + (int64_t)(c + i) * PANEL;
                    line[r] = load(at);
                    for (int64_t part = 1; part < parts; part++) line[r] += load(at + part * part_stride);
                }
                filter_gradient_line(t[j], line[0], line[1], line[2], line[3], line[4], line[5]);
            }
            CK_UNROLL
            for (int r = 0; r < 3; r++) {
                vf line[3];
                filter_gradient_line(line, t[0][r], t[1][r], t[2][r], t[3][r], t[4][r], t[5][r]);
                CK_UNROLL
                for (int j = 0; j < 3; j++) store(taps[r * 3 + j][i], line[j]);
            }
        }
        for (int tap = 0; tap < TAPS; tap++) {
            vf g[VW];
            CK_UNROLL
            for (int i = 0; i < VW; i++) g[i] = load(taps[tap][i]);
            transpose(g);
            CK_UNROLL
            for (int i = 0; i < VW; i++) {
                if (i >= rows) continue;
                float *at = dw + ((int64_t)(first + i) * TAPS + tap) * s->in + c;
                store_lanes(at, load_lanes(at, lanes) + g[i], lanes);
            }
        }
    }
}
