// SPDX-License-Identifier: BSD-3-Clause
// bench.c: what each step costs. Prints nanoseconds.
#include "tests/system/hal_linux/cases.h"

#include <asm/prctl.h>

#include "tests/system/hal_linux/sched.h"
#include "hal-linux/syscall.h"
#include "hal-linux/vcpu.h"
#include "hal-x86_64/isa/isa.h"

#define BENCH(text, count, body)                                                                   \
    do {                                                                                           \
        hal_ns best = UINT64_MAX;                                                                  \
        for (int repeat = 0; repeat < 5; ++repeat) {                                               \
            hal_ns start = hal_clock_ns();                                                         \
            for (uint64_t i = 0; i < (count); ++i) {                                               \
                body;                                                                              \
            }                                                                                      \
            hal_ns took = (hal_clock_ns() - start) * 1000 / (count);                               \
            best = took < best ? took : best;                                                      \
        }                                                                                          \
        report(text " ps:", best);                                                                 \
    } while (0)

static struct hal_context ping, pong;
static struct thread *partner, *main_thread;
static _Atomic uint32_t turn; // whose it is; ends when bit 31 is set
static _Atomic uint32_t spin_stop, spin_up;

static void pong_entry(void *arg)
{
    (void)arg;
    for (;;) {
        hal_context_switch(&pong, &ping);
    }
}

static void bench_switch(void)
{
    char *stack = page_alloc(4, NULL);
    char *tls = page_alloc(1, NULL);
    uintptr_t state = hal_irq_save();
    struct thread *self = hal_self();
    ping = pong = self->context;
    hal_context_init(&pong, stack, 4 * HAL_PAGE_SIZE, pong_entry, NULL);
    BENCH("two hal_context_switch, same FS", 1000000 / 2, { hal_context_switch(&ping, &pong); });
    pong.tp = tls;
    BENCH("two hal_context_switch, FS changes (wrfsbase)", 1000000 / 2,
          { hal_context_switch(&ping, &pong); });
    uint32_t has = isa_has_fsgsbase;
    isa_has_fsgsbase = 0;
    BENCH("two hal_context_switch, FS changes (arch_prctl)", 200000,
          { hal_context_switch(&ping, &pong); });
    isa_has_fsgsbase = has;
    hal_irq_restore(state);
}

static void partner_yield(void *arg)
{
    (void)arg;
    while (!atomic_load(&spin_stop)) {
        thread_yield();
    }
}

static void partner_pong(void *arg)
{
    (void)arg;
    for (;;) {
        uint32_t now = atomic_load(&turn);
        if (now >> 31) {
            return;
        }
        if (now == 1) {
            atomic_store(&turn, 0);
            thread_wake(main_thread);
        } else {
            thread_park();
        }
    }
}

static void bench_pingpong(uint32_t cpu)
{
    atomic_store(&turn, 0);
    partner = thread_create(cpu, NULL, NULL, partner_pong, NULL);
    thread_sleep_until(hal_clock_ns() + 1000000);
    uint64_t count = cpu == 0 ? 200000 : 20000;
#define ROUND                                                                                      \
    atomic_store(&turn, 1);                                                                        \
    thread_wake(partner);                                                                          \
    while (atomic_load(&turn) != 0) {                                                              \
        thread_park();                                                                             \
    }
    if (cpu == 0) {
        BENCH("park/wake round trip (2 switches), one vCPU", count, {ROUND});
    } else {
        BENCH("park/wake round trip (2 wakes), two vCPUs", count, {ROUND});
    }
    atomic_store(&turn, 1u << 31);
    thread_wake(partner);
}

static void partner_spin(void *arg)
{
    (void)arg;
    atomic_store(&spin_up, 1);
    while (!atomic_load(&spin_stop)) {
        hal_cpu_relax();
    }
}

// Kicks CPU 1 and waits until it has counted the kick; sender: the part spent in hal_cpu_kick.
static void bench_kick(const char *sender, const char *whole, hal_ns pause_ns)
{
    volatile uint64_t *kicks = &cpus[1].kick_count;
    uint64_t all = 0, call = 0, best = UINT64_MAX;
    enum { COUNT = 3000 };
    for (int i = 0; i < COUNT; ++i) {
        uint64_t before = *kicks;
        hal_ns start = hal_clock_ns();
        hal_cpu_kick(1);
        hal_ns sent = hal_clock_ns();
        while (*kicks == before) {
            hal_cpu_relax();
        }
        hal_ns took = hal_clock_ns() - start;
        call += sent - start;
        all += took;
        best = took < best ? took : best;
        for (hal_ns end = hal_clock_ns() + pause_ns; hal_clock_ns() < end;) {
            hal_cpu_relax();
        }
    }
    report(sender, call / COUNT);
    report(whole, all / COUNT);
    report("  the fastest, ns:", best);
}

static void interrupt_self(void)
{
    struct vcpu *vcpu = vcpu_self();
    atomic_fetch_or(&vcpu->pending, VCPU_KICK);
    syscall3(SYS_tgkill, vcpu_pid, vcpu->tid, VCPU_SIGNAL);
}

void bench_run(void *arg)
{
    (void)arg;
    main_thread = hal_self();
    volatile uint64_t sink = 0;
    (void)sink;
    BENCH("empty loop", 10000000, { __asm__ volatile(""); });
    BENCH("hal_irq_save + hal_irq_restore", 10000000, {
        uintptr_t state = hal_irq_save();
        hal_irq_restore(state);
    });
    BENCH("hal_cpu_self", 10000000, { sink += (uint64_t)hal_cpu_self(); });
    BENCH("hal_clock_ns", 1000000, { sink += hal_clock_ns(); });
    BENCH("raw getppid", 1000000, { syscall3(SYS_getppid, 0, 0, 0); });
    void *tls[2] = {page_alloc(1, NULL), page_alloc(1, NULL)};
    BENCH("hal_tp_set, wrfsbase", 1000000, { hal_tp_set(tls[i & 1]); });
    BENCH("arch_prctl(ARCH_SET_FS)", 1000000,
          { syscall3(SYS_arch_prctl, ARCH_SET_FS, (long)tls[0], 0); });
    hal_tp_set(NULL);
    bench_switch();
    uintptr_t state = hal_irq_save();
    BENCH("hal_timer_set, later than armed", 1000000,
          { hal_timer_set(hal_clock_ns() + 3600000000000); });
    BENCH("hal_timer_set, earlier each time", 200000,
          { hal_timer_set(3000000000000 - i * 1000 - (uint64_t)repeat * 1000000000); });
    BENCH("signal to self, masked (handler only)", 100000,
          { syscall3(SYS_tgkill, vcpu_pid, vcpu_self()->tid, VCPU_SIGNAL); });
    hal_irq_restore(state);
    BENCH("signal to self, nothing pending", 100000,
          { syscall3(SYS_tgkill, vcpu_pid, vcpu_self()->tid, VCPU_SIGNAL); });
    BENCH("interrupt round trip: signal to self, stub, upcall", 100000, { interrupt_self(); });
    atomic_store(&spin_stop, 0);
    thread_create(0, NULL, NULL, partner_yield, NULL);
    BENCH("thread_yield round trip (2 switches)", 200000, { thread_yield(); });
    atomic_store(&spin_stop, 1);
    thread_yield();
    bench_pingpong(0);
    if (cpu_count > 1) {
        bench_pingpong(1);
        thread_sleep_until(hal_clock_ns() + 10000000);
        bench_kick("kick of an idle vCPU, sender, ns:", "  until upcall_kick, ns:", 20000);
        atomic_store(&spin_stop, 0);
        thread_create(1, NULL, NULL, partner_spin, NULL);
        while (!atomic_load(&spin_up)) {
            hal_cpu_relax();
        }
        bench_kick("kick of a running vCPU, sender, ns:", "  until upcall_kick, ns:", 20000);
        atomic_store(&spin_stop, 1);
    }
    case_passed();
}
