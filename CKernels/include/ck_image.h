// Pixels: 8-bit RGB → antialiased resize → normalised float. For worker threads: these run on the calling thread alone.
#ifndef CK_IMAGE_H
#define CK_IMAGE_H

#include "ck_types.h"

#pragma clang assume_nonnull begin

/// Pillow's filters of the same names. Bilinear and bicubic widen with the scale when shrinking; nearest takes one sample.
typedef enum ck_filter { CK_BILINEAR = 0, CK_BICUBIC, CK_NEAREST } ck_filter;

typedef struct ck_resize_desc {
    int source_width, source_height;
    int width, height;
    ck_filter filter;
} ck_resize_desc;

enum { CK_MAX_IMAGE_SIDE = 1 << 20 };

/// Size of the coefficient table that one (source, target) pair of sizes needs; 0 for sizes outside 1…CK_MAX_IMAGE_SIDE and for an
/// unknown filter.
size_t ck_resize_table_bytes(const ck_resize_desc *desc);

/// Fills the table: per output column and row its first input, its number of taps, and the taps as integers times 2^22.
CK_CHECKED ck_status ck_resize_table_init(void *table, size_t table_bytes, const ck_resize_desc *desc);

/// Scratch of ck_resize_forward and ck_resize_normalize_forward: the rows between the passes.
size_t ck_resize_workspace_bytes(const ck_resize_desc *desc);

/// y = x resized as PIL.Image.resize(…, desc->filter) of Pillow 13 does, bit for bit: one pass per axis, rounding to 8 bit after
/// each. `table` comes from ck_resize_table_init with the same desc.
/// Shape: y [height,width,3], x [source_height,source_width,3].
CK_CHECKED ck_status ck_resize_forward(
    uint8_t *y, const uint8_t *x, const ck_resize_desc *desc, const void *table, void *workspace, size_t bytes);

/// The same, then ck_normalize_forward, which each row meets as soon as it is made. Equal to the two calls bit for bit.
CK_CHECKED ck_status ck_resize_normalize_forward(
    float *y, const uint8_t *x, const ck_resize_desc *desc, const void *table, const float mean[_Nonnull 3],
    const float std[_Nonnull 3], void *workspace, size_t bytes);

/// y = (x/255 - mean[c]) / std[c].  Shape: y, x [pixels,3].
/// Source: torchvision.transforms.v2 ToDtype(float32, scale) and Normalize.
CK_CHECKED ck_status ck_normalize_forward(float *y, const uint8_t *x, int64_t pixels, const float mean[_Nonnull 3], const float std[_Nonnull 3]);

#pragma clang assume_nonnull end

#endif
