// What this process asks the heap for, between start and stop. Linking this target replaces malloc and its kin by ones that count.
#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stddef.h>

typedef struct {
    long requests;
    long bytes;
    long largest;       // bytes of the largest request
} allocation_count;

/// Counts from here, all threads of the process.
void allocation_count_start(void);
allocation_count allocation_count_stop(void);

#endif
