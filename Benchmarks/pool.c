// What the thread pool costs: the time to hand out a job, and the share lost when a kernel is cut into fine blocks.
// Run by Benchmarks/run_pool; arguments: threads, rounds.
#define _POSIX_C_SOURCE 200809L     // clock_gettime
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "../CKernels/src/internal.h"

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

float sink[4096 * 16];

static void nothing(void *context, int64_t block, int worker) { (void)context, (void)block, (void)worker; }

/// A block of arithmetic that stays in registers: nothing but the pool can slow it down.
static void arithmetic(void *context, int64_t block, int worker) {
    (void)worker;
    const int turns = *(const int *)context;
    float x[16];
    for (int i = 0; i < 16; i++) x[i] = (float)(block + i);
    for (int turn = 0; turn < turns; turn++) {
        for (int i = 0; i < 16; i++) x[i] = x[i] * 0.999f + 0.001f;
    }
    for (int i = 0; i < 16; i++) sink[(block % 4096) * 16 + i] = x[i];
}

/// The fastest of many short runs: other processes can only add to it.
static double fastest(ck_block_fn fn, int64_t blocks, int turns, int jobs, int rounds) {
    double best = 1e9;
    for (int r = 0; r < rounds; r++) {
        const double start = seconds();
        for (int j = 0; j < jobs; j++) ck_parallel_for(blocks, fn, &turns);
        const double time = (seconds() - start) / jobs;
        if (time < best) best = time;
    }
    return best;
}

int main(int count, char **arguments) {
    const int threads = count > 1 ? atoi(arguments[1]) : 2, rounds = count > 2 ? atoi(arguments[2]) : 200;
    if (ck_set_threads(threads) != CK_OK) return 1;
    printf("job of 2 empty blocks: %.2f us\n", 1e6 * fastest(nothing, 2, 0, 1000, rounds));
    for (int turns = 250; turns <= 16000; turns *= 4) {
        // One thread's time over the number of threads is what a pool that costs nothing would take.
        double one = 1e9, many = 1e9;
        for (int pair = 0; pair < 5; pair++) {
            if (ck_set_threads(1) != CK_OK) return 1;
            const double alone = fastest(arithmetic, 64, turns, 5, rounds);
            if (ck_set_threads(threads) != CK_OK) return 1;
            const double shared = fastest(arithmetic, 64, turns, 5, rounds);
            one = alone < one ? alone : one;
            many = shared < many ? shared : many;
        }
        printf("job of 64 blocks of %.2f us on %d threads: %.1f us, %.1f %% lost\n",
            1e6 * one / 64, threads, 1e6 * many, 100 * (many * threads / one - 1));
    }
    return 0;
}
