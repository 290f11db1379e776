#include "CKernels.h"
#include <cblas.h>
void ck_placeholder(void) { openblas_set_num_threads(1); }
