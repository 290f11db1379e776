// The only file with threads: a fixed pool that hands out the blocks of one job at a time.
//
// One caller owns the pool (`owner`). A second caller, or a kernel called from inside a block, finds it taken and runs its blocks
// on its own thread: same blocks, same results, no deadlock. Workers spin for SPIN_NANOSECONDS after a job, which bridges the gap
// to the next kernel of a network, then sleep. A job is never waited for by workers that have not joined it: the owner closes the
// gate when the blocks have run out. A forked child has one thread and starts with ck_thread_count() == 1.
#define _POSIX_C_SOURCE 200809L     // clock_gettime
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "internal.h"

enum { SPIN_NANOSECONDS = 50000, SPINS_PER_LOOK = 16, INSIDE = 2, OPEN = 1 };

static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;   // held while a job runs and while threads are added
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;    // only for sleeping and waking
static pthread_cond_t work = PTHREAD_COND_INITIALIZER;
static pthread_cond_t finished = PTHREAD_COND_INITIALIZER;

static atomic_int threads = 1;              // workers 1..<threads may join
static int started = 1;                     // threads that exist, the caller included; guarded by owner
static atomic_uint_fast64_t generation;     // job counter: a change means a new job
static atomic_int sleepers;
static atomic_int gate;                     // OPEN while blocks may be left, plus INSIDE per joined worker
static atomic_int_fast64_t next_block;

static ck_block_fn job_function;            // written before the gate opens, read after joining
static void *job_context;
static int64_t job_blocks;
static int job_workers;
static ck_isa job_isa;

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/// False when the time to spin is over; `until` is 0 at first. The clock is asked now and then only.
static inline bool spin(int *turn, int64_t *until) {
    relax();
    if (++*turn % SPINS_PER_LOOK != 0) return true;
    const int64_t time = now();
    if (*until == 0) *until = time + SPIN_NANOSECONDS;
    return time < *until;
}

static void drain(int worker) {
    for (;;) {
        const int64_t block = atomic_fetch_add_explicit(&next_block, 1, memory_order_relaxed);
        if (block >= job_blocks) return;
        job_function(job_context, block, worker);
    }
}

static void join_job(int worker) {
    int seen = atomic_load_explicit(&gate, memory_order_relaxed);
    do {
        if (!(seen & OPEN) || worker >= atomic_load_explicit(&threads, memory_order_relaxed)) return;
    } while (!atomic_compare_exchange_weak(&gate, &seen, seen + INSIDE));
    if (worker < job_workers) {
        ck_follow_isa(job_isa);
        drain(worker);
    }
    if (atomic_fetch_sub(&gate, INSIDE) == INSIDE) {    // last one out of a closed gate
        pthread_mutex_lock(&lock);
        pthread_cond_signal(&finished);
        pthread_mutex_unlock(&lock);
    }
}

static void *run_worker(void *argument) {
    const int worker = (int)(intptr_t)argument;
    uint_fast64_t seen = 0;
    for (;;) {
        int turn = 0;
        int64_t until = 0;
        while (atomic_load(&generation) == seen && worker < atomic_load(&threads) && spin(&turn, &until)) {}
        if (atomic_load(&generation) == seen || worker >= atomic_load(&threads)) {
            pthread_mutex_lock(&lock);
            atomic_fetch_add(&sleepers, 1);
            while (atomic_load(&generation) == seen) pthread_cond_wait(&work, &lock);
            atomic_fetch_sub(&sleepers, 1);
            pthread_mutex_unlock(&lock);
        }
        seen = atomic_load(&generation);
        join_job(worker);
    }
    return NULL;
}

void ck_parallel_for_workers(int64_t blocks, int workers, ck_block_fn fn, void *context) {
    if (blocks <= 1 || workers <= 1 || atomic_load(&threads) == 1 || pthread_mutex_trylock(&owner) != 0) {
        for (int64_t block = 0; block < blocks; block++) fn(context, block, 0);
        return;
    }
    job_function = fn;
    job_context = context;
    job_blocks = blocks;
    job_workers = workers;
    job_isa = ck_current_isa();
    atomic_store(&next_block, 0);
    atomic_store(&gate, OPEN);
    atomic_fetch_add(&generation, 1);
    if (atomic_load(&sleepers) > 0) {
        pthread_mutex_lock(&lock);
        pthread_cond_broadcast(&work);
        pthread_mutex_unlock(&lock);
    }
    drain(0);
    atomic_fetch_and(&gate, ~OPEN);
    int turn = 0;
    int64_t until = 0;
    while (atomic_load(&gate) != 0 && spin(&turn, &until)) {}
    if (atomic_load(&gate) != 0) {
        pthread_mutex_lock(&lock);
        while (atomic_load(&gate) != 0) pthread_cond_wait(&finished, &lock);
        pthread_mutex_unlock(&lock);
    }
    pthread_mutex_unlock(&owner);
}

// After fork() only the forking thread exists, and a lock that another one held would never open again.
static void forget_workers(void) {
    owner = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    work = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    finished = (pthread_cond_t)PTHREAD_COND_INITIALIZER;
    started = 1;
    atomic_store(&threads, 1);
    atomic_store(&sleepers, 0);
    atomic_store(&gate, 0);
}

static void watch_forks(void) { (void)pthread_atfork(NULL, NULL, forget_workers); }

ck_status ck_set_threads(int count) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (count < 1 || count > CK_MAX_THREADS) return CK_NO_THREAD;
    ck_pin_blas();
    pthread_once(&once, watch_forks);
    pthread_mutex_lock(&owner);
    ck_status status = CK_OK;
    while (started < count && status == CK_OK) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, run_worker, (void *)(intptr_t)started) == 0) {
            pthread_detach(thread);
            started++;
        } else {
            status = CK_NO_THREAD;
        }
    }
    if (status == CK_OK) atomic_store(&threads, count);
    pthread_mutex_unlock(&owner);
    return status;
}

int ck_thread_count(void) { return atomic_load(&threads); }
