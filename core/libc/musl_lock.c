// SPDX-License-Identifier: BSD-3-Clause
// musl_lock.c: the locks inside musl, on our futex: they sleep at once and never spin.
//
// A lock word of __lock is 0 free, 1 held, 2 held and perhaps waited for (Drepper, "Futexes Are
// Tricky", mutex 2). Stream locks hold the owner's thread id, with MAYBE_WAITERS where somebody may
// sleep.
#include <limits.h>

#include "pthread_impl.h"
#include "stdio_impl.h"

void __lock(volatile int *lock)
{
    if (!libc.need_locks) {
        return;
    }
    int seen = a_cas(lock, 0, 1);
    while (seen != 0) {
        if (seen == 2 || a_cas(lock, 1, 2) != 0) {
            __futexwait(lock, 2, 1);
        }
        seen = a_cas(lock, 0, 2);
    }
}

void __unlock(volatile int *lock)
{
    if (*lock != 0 && a_swap(lock, 0) == 2) {
        __wake(lock, 1, 1);
    }
}

// Waits while *address is value. waiters counts the sleepers for whoever changes it.
void __wait(volatile int *address, volatile int *waiters, int value, int private)
{
    if (waiters != NULL) {
        a_inc(waiters);
    }
    while (*address == value) {
        __futexwait(address, value, private != 0);
    }
    if (waiters != NULL) {
        a_dec(waiters);
    }
}

int __lockfile(FILE *stream)
{
    int mine = __pthread_self()->tid;
    int owner = stream->lock;
    if ((owner & ~MAYBE_WAITERS) == mine) {
        return 0;
    }
    owner = a_cas(&stream->lock, 0, mine);
    if (owner == 0) {
        return 1;
    }
    while ((owner = a_cas(&stream->lock, 0, mine | MAYBE_WAITERS)) != 0) {
        if ((owner & MAYBE_WAITERS) != 0 ||
            a_cas(&stream->lock, owner, owner | MAYBE_WAITERS) == owner) {
            __futexwait(&stream->lock, owner | MAYBE_WAITERS, 1);
        }
    }
    return 1;
}

void __unlockfile(FILE *stream)
{
    if ((a_swap(&stream->lock, 0) & MAYBE_WAITERS) != 0) {
        __wake(&stream->lock, 1, 1);
    }
}

// Creation and exit of threads need no pause here: musl's own code walks no list of threads.
void __tl_lock(void)
{
}

void __tl_unlock(void)
{
}

void __tl_sync(pthread_t thread)
{
    (void)thread;
}

// mmap and munmap ask whether a robust list or a shared barrier is being used: ours never are in
// musl.
void __vm_wait(void)
{
}

void __vm_lock(void)
{
}

void __vm_unlock(void)
{
}
