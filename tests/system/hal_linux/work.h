// SPDX-License-Identifier: BSD-3-Clause
// work.h: deterministic work whose answer shows whether any state was lost on the way.
#ifndef TESTS_SYSTEM_HAL_LINUX_WORK_H
#define TESTS_SYSTEM_HAL_LINUX_WORK_H

#include <stdint.h>

enum { WORK_KINDS = 4, WORK_SEEDS = 16, STACK_SIZE = 65536 /* THREAD_STACK */ };

struct tls { // what FS base points to
    struct tls *self;
    uint64_t unused[4];
    uint64_t canary; // %fs:0x28, which the compiler's stack protector reads
    uint64_t pattern[10];
};

struct worker {
    struct tls *tls;
    char *stack_bottom; // of STACK_SIZE bytes, the page below is never there
    uint64_t stack_pa;
    uint64_t lazy; // the stack's pages come and go
    uint64_t random;
    uint64_t rounds;
};

extern volatile uint32_t work_stop;
extern uint64_t work_avx512;
void work_prepare(uint32_t scale);    // computes the right answers; undisturbed
void work_run(struct worker *worker); // until work_stop; panics on a wrong answer

#endif
