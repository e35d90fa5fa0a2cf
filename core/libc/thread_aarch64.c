// SPDX-License-Identifier: BSD-3-Clause
// thread_aarch64.c: struct libc_thread ends at the thread pointer; static TLS lies above it
// (variant I).
#include "core/libc/pthread.h"

enum { LIBC_THREAD_SIZE = 1792 }; // override/aarch64/pthread_arch.h

const size_t libc_thread_below_tp = LIBC_THREAD_SIZE;

struct libc_thread *libc_thread_in(char *end, size_t tls_size, size_t alignment)
{
    uintptr_t tp = ((uintptr_t)end - tls_size) & ~(uintptr_t)(alignment - 1);
    return (struct libc_thread *)(tp - LIBC_THREAD_SIZE);
}

void *libc_thread_tp(struct libc_thread *self)
{
    return (char *)self + LIBC_THREAD_SIZE;
}
