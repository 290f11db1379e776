// The thread pool under stress: several callers, calls from inside a block, a changing thread count, fork(). Every block of every job
// must run exactly once. Built with the thread sanitizer and with the address sanitizer by tools/check_sanitizers.
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../CKernels/src/internal.h"
#include "sanitizers.h"

enum { BLOCKS = 37, CALLERS = 4, ROUNDS = 400 };

typedef struct {
    atomic_int runs[BLOCKS];
    atomic_int inner;
    int64_t squares[BLOCKS];    // plain memory: the sanitizer checks that the caller may read what workers wrote
} job;

static void inner_block(void *context, int64_t block, int worker) {
    (void)block, (void)worker;
    atomic_fetch_add(&((job *)context)->inner, 1);
}

static void block_function(void *context, int64_t block, int worker) {
    job *j = context;
    if (worker < 0 || worker >= CK_MAX_THREADS) fail("worker %d", worker);
    atomic_fetch_add(&j->runs[block], 1);
    j->squares[block] = block * block;
    if (block % 9 == 0) ck_parallel_for(3, inner_block, j);
}

static void run_once(void) {
    job j;
    memset(&j, 0, sizeof j);
    ck_parallel_for(BLOCKS, block_function, &j);
    for (int b = 0; b < BLOCKS; b++) {
        if (atomic_load(&j.runs[b]) != 1 || j.squares[b] != (int64_t)b * b) fail("block %d ran %d times", b, atomic_load(&j.runs[b]));
    }
    if (atomic_load(&j.inner) != 3 * ((BLOCKS + 8) / 9)) fail("nested blocks: %d", atomic_load(&j.inner));
}

static void *caller(void *argument) {
    const int number = (int)(intptr_t)argument;
    for (int round = 0; round < ROUNDS; round++) {
        if (number == 0 && round % 5 == 0) require(ck_set_threads(1 + round % 7));
        run_once();
        if (round % 50 == 0) nanosleep(&(struct timespec){0, 1000000}, NULL);    // workers fall asleep
    }
    return NULL;
}

int main(int count, char **arguments) {
    require(ck_set_threads(3));
    for (int round = 0; round < ROUNDS; round++) run_once();
    pthread_t threads[CALLERS];
    for (intptr_t i = 0; i < CALLERS; i++) {
        if (pthread_create(&threads[i], NULL, caller, (void *)i) != 0) fail("no thread");
    }
    for (int i = 0; i < CALLERS; i++) pthread_join(threads[i], NULL);
    printf("pool: %d jobs from %d callers, nested calls included\n", (CALLERS + 1) * ROUNDS, CALLERS);
    if (count > 1 && strcmp(arguments[1], "no-fork") == 0) return 0;

    const pid_t child = fork();
    if (child == 0) {
        if (ck_thread_count() != 1) _exit(2);
        run_once();
        require(ck_set_threads(2));
        run_once();
        _exit(ck_thread_count() == 2 ? 0 : 3);
    }
    int status = 1;
    if (waitpid(child, &status, 0) != child || status != 0) fail("the forked child ended with status %d", status);
    run_once();
    printf("pool: a forked child starts anew\n");
    return 0;
}
