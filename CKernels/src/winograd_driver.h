// The order in which Winograd's steps run: shapes, the choice of driver, and the two drivers.
#ifndef CK_WINOGRAD_DRIVER_H
#define CK_WINOGRAD_DRIVER_H

#include "winograd.h"

#pragma clang assume_nonnull begin

/// How a pass is cut; a function of the shape and the instruction set, never of the thread count.
typedef struct {
    bool by_points;         // winograd_points.c, else winograd_blocks.c
    int64_t tiles;          // blocks: most tiles at a time; points: tiles of one superblock
    int64_t images;         // points: images of one superblock
    int64_t parts;          // blocks: jobs, each with sums of its own; points: images are jobs
} winograd_plan;

typedef struct {
    winograd_shape s;
    const simd_kernels *simd;
    int workers;            // threads that scratch is laid out for
    winograd_plan forward, backward;
} winograd_job;

/// False for a shape that no pass is defined for. workers: threads that
/// scratch is laid out for. whole_images: a forward block is a whole number of images, as END_RELU_AVERAGE needs.
CK_HIDDEN bool ck_winograd_job(
    winograd_job *job, int batch, int height, int width, int in, int out, int workers, bool whole_images);

// ---- winograd_plan.c

/// whole_images: a block is a whole number of images.
CK_HIDDEN winograd_plan ck_winograd_plan_forward(const winograd_shape *s, bool whole_images);
CK_HIDDEN winograd_plan ck_winograd_plan_backward(const winograd_shape *s);

#ifdef CK_FORCED_PLANS
/// For Benchmarks/blocks.c: 0 blocks, 1 points, -1 as the table says; tiles at a time, 0 as the table says.
extern int ck_winograd_forced_driver, ck_winograd_forced_tiles;
#endif

// ---- winograd.c

/// Floats of a filter, its transpose or its gradient in the transform domain.
CK_HIDDEN int64_t ck_winograd_filter_floats(const winograd_job *job);
CK_INLINE int64_t winograd_filter_stride(const winograd_shape *s) { return (int64_t)s->in_padded * s->out_padded + POINT_PAD; }

CK_HIDDEN void ck_winograd_filter(float *u, const float *w, const float *_Nullable scale, const winograd_job *job);
CK_HIDDEN void ck_winograd_filter_transposed(float *t, const float *w, const winograd_job *job);

/// Rows of partial sums that a forward pass with statistics, or a backward pass with a mask, writes: [parts][2·channels].
CK_HIDDEN int64_t ck_winograd_forward_parts(const winograd_job *job);
CK_HIDDEN int64_t ck_winograd_backward_parts(const winograd_job *job);

CK_HIDDEN size_t ck_winograd_forward_bytes(const winograd_job *job);
/// `output->sums` is [parts][2,K] here and need not be cleared.
CK_HIDDEN void ck_winograd_forward(
    const winograd_job *job, const float *u, const winograd_input *input, const winograd_output *output, void *workspace);

/// What a backward pass computes. dw NULL: only dx; dx NULL: only dw.
typedef struct {
    const winograd_input *_Nullable input;      // for dw
    const winograd_gradient *gradient;
    float *_Nullable dw;                        // [K,3,3,C], +=
    float *_Nullable dx;                        // [N,H,W,C]
    const float *_Nullable w;                   // for dx
    /// Not NULL: dx is set to 0 where the input's ReLU was closed, and sums [parts][2,C] receive Σ dx and Σ dx·x.
    double *_Nullable mask_sums;
} winograd_backward;

CK_HIDDEN size_t ck_winograd_backward_bytes(const winograd_job *job, bool has_dw, bool has_dx);
CK_HIDDEN void ck_winograd_backward(const winograd_job *job, const winograd_backward *pass, void *workspace);

// ---- the drivers, called by the functions above

CK_INLINE int64_t buffer_stride(int64_t channels, int64_t slots) { return channels * slots + POINT_PAD; }
CK_INLINE size_t buffer_bytes(int64_t channels, int64_t slots) {
    return ck_padded((size_t)(POINTS * buffer_stride(channels, slots)) * sizeof(float));
}

CK_HIDDEN size_t ck_winograd_blocks_forward_bytes(const winograd_job *job);
CK_HIDDEN void ck_winograd_blocks_forward(
    const winograd_job *job, const float *u, const winograd_input *input, const winograd_output *output, void *workspace);
CK_HIDDEN size_t ck_winograd_blocks_backward_bytes(const winograd_job *job, bool has_dw, bool has_dx);
CK_HIDDEN void ck_winograd_blocks_backward(
    const winograd_job *job, const winograd_backward *pass, const float *_Nullable transposed, float *_Nullable du, void *workspace);

CK_HIDDEN size_t ck_winograd_points_forward_bytes(const winograd_job *job);
CK_HIDDEN void ck_winograd_points_forward(
    const winograd_job *job, const float *u, const winograd_input *input, const winograd_output *output, void *workspace);
CK_HIDDEN size_t ck_winograd_points_backward_bytes(const winograd_job *job, bool has_dw, bool has_dx);
CK_HIDDEN void ck_winograd_points_backward(
    const winograd_job *job, const winograd_backward *pass, const float *_Nullable transposed, float *_Nullable du, void *workspace);

#pragma clang assume_nonnull end

#endif
