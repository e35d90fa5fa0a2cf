// SPDX-License-Identifier: BSD-3-Clause
// pressure.c: the marks of pressure.h.
//
// Invariant: mark is 0 from when somebody has been told until pressure_rearm, or until there are
// plenty again; it is never above low. So each shortage is told once, however many allocations it
// takes.
#include "core/mem/pressure.h"

enum {
    LOW_SHARE = 32, // of all frames
    LOW_MIN = 64,
    LOW_MAX = 32768, // 128 MiB
    MIN_SHARE = 4,   // of low
    STEP_SHARE = 8,
};

struct pressure pressure;

static _Atomic(void (*)(void)) listener;

void pressure_init(size_t left, size_t total)
{
    size_t low = total / LOW_SHARE;
    low = low < LOW_MIN ? LOW_MIN : low;
    low = low > LOW_MAX ? LOW_MAX : low;
    pressure.low = (int64_t)low;
    pressure.high = (int64_t)(low + low / 2);
    pressure.min = (int64_t)(low / MIN_SHARE);
    atomic_store(&pressure.left, (int64_t)left);
    atomic_store(&pressure.mark, pressure.low);
}

void pressure_tell(void)
{
    void (*low)(void) = atomic_load(&listener);
    int64_t mark = atomic_load_explicit(&pressure.mark, memory_order_relaxed);
    if (low != NULL && mark > 0 && atomic_compare_exchange_strong(&pressure.mark, &mark, 0)) {
        low();
    }
}

bool pressure_end_take(void)
{
    return !atomic_exchange(&pressure.is_ended, true);
}

void pressure_relax(void)
{
    pressure_end_look();
    if ((int64_t)pressure_left() >= pressure.high) {
        atomic_store(&pressure.mark, pressure.low);
    }
}

size_t pressure_wanted(void)
{
    int64_t left = (int64_t)pressure_left();
    return left < pressure.low ? (size_t)(pressure.high - left) : 0;
}

void pressure_listen(void (*low)(void))
{
    atomic_store(&listener, low);
    if (pressure_is_low()) {
        pressure_tell();
    }
}

void pressure_rearm(void)
{
    int64_t left = (int64_t)pressure_left();
    int64_t next = left - pressure.low / STEP_SHARE;
    atomic_store(&pressure.mark, left >= pressure.low ? pressure.low : next > 0 ? next : 0);
}
