// Everything that is compiled per instruction set, and the table that names it. Included once by each simd_*.c.
#include "winograd_gemm_simd.h"
#include "winograd_input_simd.h"
#include "winograd_output_simd.h"
#include "winograd_gradient_simd.h"
#include "winograd_filter_simd.h"
#include "first_layer_simd.h"

#define CK_SIMD_TABLE                                                                                                        \
    {                                                                                                                        \
        .width = VW, .panel = PANEL, .filter = filter, .filter_transposed = filter_transposed,                               \
        .filter_gradient = filter_gradient, .input = input, .output = output, .gradient = gradient,                          \
        .input_gradient = input_gradient, .mask = mask, .average = average, .product = product, .outer = outer,                                  \
        .first_filter = first_filter, .first_forward = first_forward, .first_gradient = first_gradient,                      \
        .first_correlation = first_correlation,                                                                              \
    }
