// SPDX-License-Identifier: BSD-3-Clause
// clock.c: the clock, and one host timer per vCPU.
//
// hal_timer_set stores the deadline and calls the host only when the host's timer would fire too
// late. A firing that turns out early re-arms it in the handler; core sees only what is due.
#include "hal-linux/clock.h"

#include <signal.h>
#include <sys/timerfd.h>
#include <time.h>

#include "hal-linux/syscall.h"

enum { NS_PER_S = 1000000000 };

static hal_ns clock_start;
static int (*clock_vdso)(int clock, struct timespec *time); // NULL under Valgrind

static hal_ns clock_read(int clock)
{
    struct timespec time;
    if (clock_vdso != NULL) {
        clock_vdso(clock, &time);
    } else {
        syscall3(SYS_clock_gettime, clock, (long)&time, 0);
    }
    return (hal_ns)time.tv_sec * NS_PER_S + (hal_ns)time.tv_nsec;
}

hal_ns hal_clock_ns(void)
{
    return clock_read(CLOCK_MONOTONIC) - clock_start;
}

hal_ns hal_clock_wall_ns(void)
{
    return clock_read(CLOCK_REALTIME);
}

// Times beyond the host's range are cut: they are centuries away.
struct timespec clock_host_time(hal_ns time)
{
    hal_ns host = time > INT64_MAX - clock_start ? INT64_MAX : time + clock_start;
    return (struct timespec){(time_t)(host / NS_PER_S), (long)(host % NS_PER_S)};
}

static void timer_arm(struct vcpu *vcpu, hal_ns deadline)
{
    atomic_store_explicit(&vcpu->armed, deadline, memory_order_relaxed);
    struct itimerspec spec = {.it_value = clock_host_time(deadline)};
    syscall4(SYS_timer_settime, vcpu->timer, TIMER_ABSTIME, (long)&spec, 0);
}

// The handler may have interrupted hal_timer_set at any instruction.
void clock_timer_check(struct vcpu *vcpu)
{
    hal_ns deadline = atomic_load_explicit(&vcpu->deadline, memory_order_relaxed);
    hal_ns armed = atomic_load_explicit(&vcpu->armed, memory_order_relaxed);
    if (deadline == UINT64_MAX && armed == UINT64_MAX) {
        return;
    }
    hal_ns now = hal_clock_ns();
    if (armed <= now) {
        armed = UINT64_MAX;
        atomic_store_explicit(&vcpu->armed, armed, memory_order_relaxed);
    }
    if (deadline <= now) {
        atomic_store_explicit(&vcpu->deadline, UINT64_MAX, memory_order_relaxed);
        atomic_fetch_or(&vcpu->pending, VCPU_TIMER);
    } else if (deadline < armed) {
        timer_arm(vcpu, deadline);
    }
}

void hal_timer_set(hal_ns deadline)
{
    uintptr_t state = hal_irq_save();
    struct vcpu *vcpu = vcpu_self();
    // Three steps, so that the handler cannot leave us the firing of the old deadline.
    atomic_store_explicit(&vcpu->deadline, UINT64_MAX, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (atomic_load_explicit(&vcpu->pending, memory_order_relaxed) & VCPU_TIMER) {
        atomic_fetch_and(&vcpu->pending, ~(uint32_t)VCPU_TIMER);
    }
    atomic_store_explicit(&vcpu->deadline, deadline, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    if (deadline < atomic_load_explicit(&vcpu->armed, memory_order_relaxed)) {
        timer_arm(vcpu, deadline); // one that is past fires at once
    }
    hal_irq_restore(state);
}

void clock_init(int (*vdso)(int clock, struct timespec *time))
{
    clock_vdso = vdso;
    clock_start = clock_read(CLOCK_MONOTONIC);
}

// A timer that fires in centuries, or is canceled as soon as the clock is set.
int clock_watch(void)
{
    const struct itimerspec never = {.it_value = {.tv_sec = INT64_MAX / NS_PER_S}};
    long watch = syscall3(SYS_timerfd_create, CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC, 0);
    if (watch < 0) {
        return -1;
    }
    if (syscall4(SYS_timerfd_settime, watch, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
                 (long)&never, 0) != 0) {
        syscall3(SYS_close, watch, 0, 0);
        return -1;
    }
    return (int)watch;
}

int clock_timer_init(struct vcpu *vcpu)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = VCPU_SIGNAL};
    event._sigev_un._tid = vcpu->tid;
    return (int)syscall3(SYS_timer_create, CLOCK_MONOTONIC, (long)&event, (long)&vcpu->timer);
}
