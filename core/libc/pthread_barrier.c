// SPDX-License-Identifier: BSD-3-Clause
// pthread_barrier.c: barriers, spin locks that sleep, and pthread_once: the small ones.
//
// A barrier's state is on the heap, as glibc's 32 bytes do not hold a mutex. It lives until the
// last waiter of the last round has left, so that destroying right after a wait is safe.
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>

#include "core/lib/mark.h"
#include "core/libc/export.h"
#include "core/libc/guard.h"
#include "core/libc/pthread.h"
#include "core/linux/syscall.h"
#include "core/mem/heap.h"

enum { SERIAL_THREAD = -1, FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_PRIVATE_FLAG = 128 };

struct barrier {
    struct mutex mutex;
    struct condvar arrived, left; // guarded by mutex, as all that follows
    uint32_t count, waiting, inside;
    uint64_t round;
};

EXPORT(int, pthread_barrier_init, struct barrier **barrier, const int *attribute, unsigned count)
{
    if (count == 0 || count > INT_MAX) {
        return EINVAL;
    }
    struct barrier *state = heap_alloc_zeroed(sizeof *state);
    if (state == NULL) {
        return ENOMEM;
    }
    state->count = count;
    *barrier = state;
    MARK_MADE(barrier, sizeof *barrier);
    return 0;
}

EXPORT(int, pthread_barrier_destroy, struct barrier **barrier)
{
    struct barrier *state = *barrier;
    mutex_lock(&state->mutex);
    if (state->waiting != 0) {
        mutex_unlock(&state->mutex);
        return EBUSY;
    }
    while (state->inside != 0) {
        condvar_wait(&state->left, &state->mutex);
    }
    mutex_unlock(&state->mutex);
    heap_free(state);
    *barrier = NULL;
    return 0;
}

EXPORT(int, pthread_barrier_wait, struct barrier **barrier)
{
    struct barrier *state = *barrier;
    int result = 0;
    mutex_lock(&state->mutex);
    ++state->inside;
    if (++state->waiting == state->count) {
        state->waiting = 0;
        ++state->round;
        result = SERIAL_THREAD;
        condvar_wake_all(&state->arrived);
    } else {
        uint64_t round = state->round;
        thread_serve_begin();
        while (state->round == round) {
            condvar_wait(&state->arrived, &state->mutex);
        }
        (void)thread_serve_end();
    }
    if (--state->inside == 0) {
        condvar_wake_all(&state->left);
    }
    mutex_unlock(&state->mutex);
    return result;
}

EXPORT(int, pthread_barrierattr_init, int *attribute)
{
    *attribute = 0;
    return 0;
}

EXPORT(int, pthread_barrierattr_destroy, int *attribute)
{
    return 0;
}

EXPORT(int, pthread_barrierattr_setpshared, int *attribute, int shared)
{
    if (shared != 0 && shared != 1) {
        return EINVAL;
    }
    *attribute = shared;
    return 0;
}

EXPORT(int, pthread_barrierattr_getpshared, const int *attribute, int *shared)
{
    *shared = *attribute;
    return 0;
}

static void word_wait(_Atomic int *word, int value)
{
    linux_dispatch(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, value, 0, 0, 0);
}

static void word_wake(_Atomic int *word, int count)
{
    linux_dispatch(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, 0, 0, 0);
}

// Spin locks: 0 free, 1 held, 2 held and perhaps waited for. Spinning would only burn the CPU that
// the holder needs.
EXPORT(int, pthread_spin_init, _Atomic int *lock, int shared)
{
    atomic_store(lock, 0);
    MARK_MADE(lock, sizeof *lock);
    return 0;
}

EXPORT(int, pthread_spin_destroy, _Atomic int *lock)
{
    return 0;
}

EXPORT(int, pthread_spin_trylock, _Atomic int *lock)
{
    int expected = 0;
    return atomic_compare_exchange_strong(lock, &expected, 1) ? 0 : EBUSY;
}

EXPORT(int, pthread_spin_lock, _Atomic int *lock)
{
    int expected = 0;
    if (atomic_compare_exchange_strong(lock, &expected, 1)) {
        return 0;
    }
    while (atomic_exchange(lock, 2) != 0) {
        word_wait(lock, 2);
    }
    return 0;
}

EXPORT(int, pthread_spin_unlock, _Atomic int *lock)
{
    if (atomic_exchange(lock, 0) == 2) {
        word_wake(lock, 1);
    }
    return 0;
}

// pthread_once_t: 0 not yet, 1 running, 3 running and waited for, 2 done (as glibc).
enum { ONCE_NEW, ONCE_RUNNING, ONCE_DONE, ONCE_AWAITED };

static void once_finish(_Atomic int *once, int state)
{
    if (atomic_exchange(once, state) == ONCE_AWAITED) {
        word_wake(once, INT_MAX);
    }
}

// The function threw an exception, or its thread was canceled: as if it had never been called.
static void once_undo(void *once)
{
    once_finish(once, ONCE_NEW);
}

EXPORT(int, pthread_once, _Atomic int *once, void (*function)(void))
{
    if (atomic_load_explicit(once, memory_order_acquire) == ONCE_DONE) {
        return 0;
    }
    for (;;) {
        int state = ONCE_NEW;
        if (atomic_compare_exchange_strong(once, &state, ONCE_RUNNING)) {
            struct libc_guard guard = {.undo = once_undo, .argument = once};
            libc_guard_call(&guard, function);
            once_finish(once, ONCE_DONE);
            return 0;
        }
        if (state == ONCE_DONE) {
            return 0;
        }
        if (state == ONCE_AWAITED || atomic_compare_exchange_strong(once, &state, ONCE_AWAITED)) {
            word_wait(once, ONCE_AWAITED);
        }
    }
}
