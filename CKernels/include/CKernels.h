// Umbrella header of the CPU kernels. The conventions below hold for every function; a header says so where one departs.
//
// Names       ck_<op>[_<pass>], pass = forward | backward | backward_input | backward_weight.
// Parameters  outputs, inputs, descriptor, workspace, workspace size. Gradients carry the prefix d.
// Semantics   parameter gradients accumulate (+=); every other output is overwritten. Outputs must not overlap inputs unless
//             the header allows it.
// Layout      activations [N,H,W,C], weights [out,kh,kw,in] and [out,in]; row-major, contiguous, float32.
// Memory      the caller owns everything. Kernels neither allocate nor keep pointers. Tensors need 4-byte alignment; a workspace
//             may have any alignment and is as large as the matching *_workspace_bytes says for the present thread count.
// Errors      a ck_status; nothing is written when it is not CK_OK.
// Threads     only parallel.c has threads. Work is cut into blocks whose size depends on shapes alone and partial sums are added
//             in block order, so results are bit-identical for any thread count. They may differ in the last bits between CPUs.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "ck_types.h"
#include "ck_parallel.h"
#include "ck_isa.h"
#include "ck_gemm.h"
#include "ck_conv2d.h"
#include "ck_block.h"
#include "ck_norm.h"
#include "ck_activation.h"
#include "ck_pool.h"
#include "ck_optimizer.h"
#include "ck_image.h"

#endif
