// SPDX-License-Identifier: BSD-3-Clause
// pthread_arch.h: takes the place of musl's: where its struct pthread is on x86_64. struct libc_thread (core/libc/thread.h)
// begins at the thread pointer with glibc's 704 bytes; musl's part follows.
enum { LIBC_THREAD_MUSL = 704 };

static inline uintptr_t __get_tp(void)
{
    uintptr_t tp;
    __asm__("mov %%fs:0, %0" : "=r"(tp));
    return tp + LIBC_THREAD_MUSL;
}

#define MC_PC gregs[REG_RIP]
