// SPDX-License-Identifier: BSD-3-Clause
// thread_x86_64.c: struct libc_thread begins at the thread pointer; static TLS lies below it
// (variant II).
#include "core/libc/pthread.h"

const size_t libc_thread_below_tp = 0;

struct libc_thread *libc_thread_in(char *end, size_t tls_size, size_t alignment)
{
    uintptr_t place = ((uintptr_t)end - sizeof(struct libc_thread)) & ~(uintptr_t)(alignment - 1);
    return (struct libc_thread *)place;
}

void *libc_thread_tp(struct libc_thread *self)
{
    return &self->tcb;
}
