// The executable's malloc comes before libc's, which stays reachable under the names below (glibc).
#include "AllocationCounter.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t), *__libc_memalign(size_t, size_t);

static atomic_bool counts;
static atomic_long requests, bytes, largest;

static void book(size_t size) {
    if (!atomic_load_explicit(&counts, memory_order_relaxed)) return;
    atomic_fetch_add(&requests, 1);
    atomic_fetch_add(&bytes, (long)size);
    long seen = atomic_load(&largest);
    while ((long)size > seen && !atomic_compare_exchange_weak(&largest, &seen, (long)size)) {}
}

void *malloc(size_t size) { return book(size), __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return book(count * size), __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return book(size), __libc_realloc(old, size); }
void *memalign(size_t alignment, size_t size) { return book(size), __libc_memalign(alignment, size); }
void *aligned_alloc(size_t alignment, size_t size) { return book(size), __libc_memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size) {
    book(size);
    void *const fresh = __libc_memalign(alignment, size);
    if (fresh == NULL) return ENOMEM;
    *out = fresh;
    return 0;
}

void allocation_count_start(void) {
    atomic_store(&requests, 0);
    atomic_store(&bytes, 0);
    atomic_store(&largest, 0);
    atomic_store(&counts, true);
}

allocation_count allocation_count_stop(void) {
    atomic_store(&counts, false);
    return (allocation_count){atomic_load(&requests), atomic_load(&bytes), atomic_load(&largest)};
}
