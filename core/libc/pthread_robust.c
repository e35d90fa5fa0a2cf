// SPDX-License-Identifier: BSD-3-Clause
// pthread_robust.c: mutexes whose next owner is told that the last one ended while it held them.
//
// A mutex has no room for a link, so each thread has a list of the robust ones that it holds, with
// a node for each. Invariant: a robust mutex that a thread holds is in its list, but while it waits
// for a condition variable, when it does not hold it. The list is touched by its thread only.
#include <errno.h>

#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/mem/heap.h"

struct libc_robust {
    struct libc_robust *next;
    struct mutex *mutex;
};

static void kind_change(struct mutex *mutex, uint32_t clear, uint32_t set)
{
    // atomic because others read the type meanwhile
    __atomic_store_n(&mutex->kind, (mutex->kind & ~clear) | set, __ATOMIC_RELAXED);
}

int libc_robust_prepare(void)
{
    struct libc_thread *self = libc_thread_self();
    if (self->robust_spare == NULL) {
        self->robust_spare = heap_alloc(sizeof *self->robust_spare);
    }
    return self->robust_spare == NULL ? ENOMEM : 0;
}

int libc_robust_take(struct mutex *mutex)
{
    struct libc_thread *self = libc_thread_self();
    if ((mutex->kind & LIBC_MUTEX_LOST) != 0) {
        mutex_unlock(mutex);
        return ENOTRECOVERABLE;
    }
    // A signal handler that ran meanwhile may have had the node; without memory for another one the
    // mutex is held all the same, and lost if this thread ends so.
    if (libc_robust_prepare() == 0) {
        struct libc_robust *node = self->robust_spare;
        self->robust_spare = NULL;
        *node = (struct libc_robust){self->robust, mutex};
        self->robust = node;
    }
    return (mutex->kind & LIBC_MUTEX_OWNER_DIED) != 0 ? EOWNERDEAD : 0;
}

void libc_robust_drop(struct mutex *mutex)
{
    struct libc_thread *self = libc_thread_self();
    struct libc_robust **link = &self->robust;
    while (*link != NULL && (*link)->mutex != mutex) {
        link = &(*link)->next;
    }
    struct libc_robust *node = *link;
    if (node != NULL) {
        *link = node->next;
        heap_free(self->robust_spare);
        self->robust_spare = node;
    }
    if ((mutex->kind & LIBC_MUTEX_OWNER_DIED) != 0) {
        kind_change(mutex, LIBC_MUTEX_OWNER_DIED, LIBC_MUTEX_LOST);
    }
}

void libc_robust_release(struct libc_thread *self)
{
    while (self->robust != NULL) {
        struct libc_robust *node = self->robust;
        self->robust = node->next;
        if (mutex_is_mine(node->mutex)) {
            node->mutex->depth = 0;
            kind_change(node->mutex, 0, LIBC_MUTEX_OWNER_DIED);
            mutex_unlock(node->mutex);
        }
        heap_free(node);
    }
    heap_free(self->robust_spare);
    self->robust_spare = NULL;
}

EXPORT(int, pthread_mutex_consistent, struct mutex *mutex)
{
    if ((mutex->kind & LIBC_MUTEX_ROBUST) == 0 || (mutex->kind & LIBC_MUTEX_OWNER_DIED) == 0 ||
        !mutex_is_mine(mutex)) {
        return EINVAL;
    }
    kind_change(mutex, LIBC_MUTEX_OWNER_DIED, 0);
    return 0;
}
