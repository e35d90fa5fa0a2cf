// SPDX-License-Identifier: BSD-3-Clause
// pthread_arch.h: takes the place of musl's: where its struct pthread is on aarch64. struct libc_thread
// (core/libc/thread.h) ends at the thread pointer; the room above it is the program's (variant I).
enum { LIBC_THREAD_MUSL = 704, LIBC_THREAD_SIZE = 1792 };

static inline uintptr_t __get_tp(void)
{
    uintptr_t tp;
    __asm__("mrs %0, tpidr_el0" : "=r"(tp));
    return tp - LIBC_THREAD_SIZE + LIBC_THREAD_MUSL;
}

#define MC_PC pc
