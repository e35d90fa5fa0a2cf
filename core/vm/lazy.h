// SPDX-License-Identifier: BSD-3-Clause
// lazy.h: which absent pages get memory when they are touched, and with what protection. Faults ask
// here, without a lock: a thread that has the address space's mutex may touch a page of its own
// stack for the first time.
#ifndef CORE_VM_LAZY_H
#define CORE_VM_LAZY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

enum { LAZY_CHUNK = 64 << 10 }; // what one fault maps, at most, but for 2 MiB where there is plenty

int lazy_init(const struct hal_boot *boot); // -ENOMEM

// What follows is for the holder of the address space's mutex. Ranges lie in one window.

// Makes room to set the range to prot, so that lazy_set cannot fail; and lazy_adopt, where is_held.
// -ENOMEM.
int lazy_prepare(char *start, char *end, unsigned prot, bool is_held);

// Absent pages of the range come with prot from now on; 0: they are errors. Waits for faults that
// are being served.
void lazy_set(char *start, char *end, unsigned prot);

enum lazy_how {
    LAZY_LARGE = 1, // 2 MiB of it may come at once
    LAZY_PROMISED =
        2, // frames are left for what has not come (core/mem/pressure.h): of whole chunks
};

// The same of a range in which no page is. how: of enum lazy_how.
void lazy_begin(char *start, char *end, unsigned prot, unsigned how);

// The same of a range in which pages may be that did not come by faults. After lazy_prepare for
// lazy_hold.
void lazy_adopt(char *start, char *end, unsigned prot);

// Whether 2 MiB of the range may come at once, where nothing has come yet. As far as can be said.
void lazy_advise(char *start, char *end, bool may_be_large);

// Until lazy_release faults in the range wait, and interrupts are off, so that who faults with
// interrupts off never waits for somebody whom it keeps from running. The range lies in one aligned
// 2 MiB, and lazy_adopt has been called for it.
HAL_MUST_CHECK uintptr_t lazy_hold(char *start, char *end);
void lazy_release(char *start, char *end, uintptr_t irq); // what lazy_hold has answered

// Of the 2 MiB at base, which the caller holds: all their chunks are moving (moving.h) from now on;
// how many are; none is any more.
void lazy_moving_set(char *base);
size_t lazy_moving_count(const char *base);
void lazy_moving_clear(char *base);

// Any context but under a hold. The pages of chunks in the range that are moving are there again.
void lazy_moving_return(char *start, char *end);

// Whether faults have brought all of the 2 MiB at base, as far as can be said quickly, by chunks
// that may be large, and it has one protection, which allows writing.
bool lazy_is_whole(const char *base);

// The first page at or after va (below end) that a fault may have mapped, or end; as far as can be
// said quickly.
char *lazy_next(char *va, char *end);

// Any context. Maps the absent pages around va, or says false: no page may come there, or no
// memory.
bool lazy_fault(char *va, unsigned access);

#endif
