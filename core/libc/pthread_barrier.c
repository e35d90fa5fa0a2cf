// SPDX-License-Identifier: BSD-3-Clause
// pthread_barrier.c: barriers, and spin locks that sleep: the small ones, on futexes.
//
// A barrier lies in glibc's 32 bytes. Round and arrivals are one word, so that who arrives belongs
// to one round whatever the last of it does; who waits does so on the round. `inside` counts those
// that may still look at the barrier: destroying waits for them, so that it is safe right after a
// wait. Nothing here needs memory.
#include <errno.h>
#include <limits.h>
#include <sys/syscall.h>

#include "core/lib/mark.h"
#include "core/libc/export.h"
#include "core/libc/pthread.h"
#include "core/linux/syscall.h"

enum { SERIAL_THREAD = -1, FUTEX_WAIT = 0, FUTEX_WAKE = 1, FUTEX_PRIVATE_FLAG = 128 };

static void word_wait(const void *word, uint32_t value)
{
    linux_dispatch(SYS_futex, (long)word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, (int)value, 0, 0, 0);
}

static void word_wake(const void *word, int count)
{
    linux_dispatch(SYS_futex, (long)word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, 0, 0, 0);
}

// ---- Barriers ----------------------------------------------------------------------

enum { BARRIER_ENDS = 1 << 30 }; // in inside: somebody destroys it

struct barrier {
    _Atomic uint64_t state; // round, and above it those that have arrived
    uint32_t count;         // that make a round
    _Atomic uint32_t inside;
};

_Static_assert(sizeof(struct barrier) <= 32, "pthread_barrier_t");

static uint32_t round_of(uint64_t state)
{
    return (uint32_t)state;
}

static uint32_t arrived_of(uint64_t state)
{
    return (uint32_t)(state >> 32);
}

EXPORT(int, pthread_barrier_init, struct barrier *barrier, const int *attribute, unsigned count)
{
    if (count == 0 || count > INT_MAX) {
        return EINVAL;
    }
    atomic_store(&barrier->state, 0);
    atomic_store(&barrier->inside, 0);
    barrier->count = count;
    MARK_MADE(barrier, sizeof *barrier);
    return 0;
}

EXPORT(int, pthread_barrier_destroy, struct barrier *barrier)
{
    if (arrived_of(atomic_load(&barrier->state)) != 0) {
        return EBUSY;
    }
    uint32_t inside = atomic_fetch_or(&barrier->inside, BARRIER_ENDS) | BARRIER_ENDS;
    while (inside != BARRIER_ENDS) {
        MARK("barrier: destroyed before all have left");
        word_wait(&barrier->inside, inside);
        inside = atomic_load(&barrier->inside);
    }
    return 0;
}

// True: the caller was the last of its round.
static bool arrive(struct barrier *barrier, uint64_t *before)
{
    *before = atomic_load(&barrier->state);
    for (;;) {
        bool is_last = arrived_of(*before) + 1 == barrier->count;
        uint64_t after =
            is_last ? (uint32_t)(round_of(*before) + 1) : *before + (UINT64_C(1) << 32);
        if (atomic_compare_exchange_weak(&barrier->state, before, after)) {
            return is_last;
        }
        MARK("barrier: another arrived meanwhile");
    }
}

EXPORT(int, pthread_barrier_wait, struct barrier *barrier)
{
    uint64_t before;
    atomic_fetch_add(&barrier->inside, 1);
    bool is_last = arrive(barrier, &before);
    if (is_last) {
        word_wake(&barrier->state, INT_MAX);
    }
    while (!is_last && round_of(atomic_load(&barrier->state)) == round_of(before)) {
        word_wait(&barrier->state, round_of(before));
    }
    if (atomic_fetch_sub(&barrier->inside, 1) == (BARRIER_ENDS | 1)) {
        word_wake(&barrier->inside, 1);
    }
    return is_last ? SERIAL_THREAD : 0;
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

// ---- Spin locks ---------------------------------------------------------------------

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
        MARK("spin: held");
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
