// Matrix products; the only file that includes <cblas.h>.
#include <cblas.h>
#include <pthread.h>

#include "internal.h"

static void pin(void) { openblas_set_num_threads(1); }

void ck_pin_blas(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, pin);
}

const char *ck_blas_core_name(void) { return openblas_get_corename(); }

void ck_sgemm(
    bool transpose_a, bool transpose_b, int m, int n, int k,
    const float *a, int lda, const float *b, int ldb, float beta, float *c, int ldc) {
    ck_pin_blas();
    cblas_sgemm(
        CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans,
        m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
}

// OpenBLAS packs b anew for every tile: few large tiles, but enough of them for the pool.
static int tile_rows(int m) { return m >= 1024 ? 512 : 64; }
static int tile_columns(int n) { return n >= 8192 ? 4096 : n; }

typedef struct {
    float *c;
    const float *a, *b, *bias;
    const ck_gemm_desc *d;
    int rows, columns;
    int64_t tiles_across;
} gemm_job;

CK_CLONES static void add_bias(float *c, const float *bias, int rows, int columns, int ldc) {
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < columns; i++) c[(int64_t)r * ldc + i] += bias[i];
    }
}

static void gemm_tile(void *context, int64_t block, int worker) {
    (void)worker;
    const gemm_job *job = context;
    const ck_gemm_desc *d = job->d;
    const int64_t row = block / job->tiles_across * job->rows, column = block % job->tiles_across * job->columns;
    const int rows = (int)ck_min(job->rows, d->m - row), columns = (int)ck_min(job->columns, d->n - column);
    float *c = job->c + row * d->ldc + column;
    ck_sgemm(
        d->transpose_a, d->transpose_b, rows, columns, d->k,
        job->a + (d->transpose_a ? row : row * d->lda), d->lda,
        job->b + (d->transpose_b ? column * d->ldb : column), d->ldb,
        d->accumulate ? 1 : 0, c, d->ldc);
    if (job->bias) add_bias(c, job->bias + column, rows, columns, d->ldc);
}

ck_status ck_gemm(float *c, const float *a, const float *b, const float *bias, const ck_gemm_desc *d) {
    if (d->m < 1 || d->n < 1 || d->k < 1) return CK_BAD_SHAPE;
    if (d->lda < (d->transpose_a ? d->m : d->k) || d->ldb < (d->transpose_b ? d->k : d->n) || d->ldc < d->n) return CK_BAD_SHAPE;
    gemm_job job = {c, a, b, bias, d, tile_rows(d->m), tile_columns(d->n), 0};
    job.tiles_across = ck_ceil_div(d->n, job.columns);
    ck_parallel_for(ck_ceil_div(d->m, job.rows) * job.tiles_across, gemm_tile, &job);
    return CK_OK;
}
