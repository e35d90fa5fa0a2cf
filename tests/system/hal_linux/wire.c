// SPDX-License-Identifier: BSD-3-Clause
// wire.c: a vCPU that looks after a wire while it idles: every frame comes, in its order, whether
// the vCPU idles or is busy for long; and no kick is lost meanwhile, though neither a frame nor a
// timer hides that at the end.
#include <string.h>

#include "hal-linux/irq.h"
#include "tests/system/hal_linux/cases.h"
#include "tests/system/hal_linux/devices.h"
#include "tests/system/hal_linux/ring.h"
#include "tests/system/hal_linux/sched.h"

enum { BUSY_NS = 3000000, NAP_NS = 100000, KICKS = 5000 };

static struct ring ring;
static struct thread *waiter, *answerer, *kickers[HAL_CPU_MAX];
static _Atomic uint32_t frame_count, kicker_count;
static _Atomic uint32_t asked[HAL_CPU_MAX], answered[HAL_CPU_MAX];

static void frames_take(struct hal_dev *dev, uint32_t queue)
{
    uint32_t head, written, number;
    while (ring_take(&ring, &head, &written)) {
        memcpy(&number, ring.buffer + head * RING_BUFFER + WIRE_NUMBER_AT, sizeof number);
        ASSERT(written == WIRE_FRAME && number == atomic_load(&frame_count));
        atomic_fetch_add(&frame_count, 1);
        ring_send(&ring, (uint16_t)head);
    }
    thread_wake(waiter);
}

static void answer(void *arg)
{
    for (;;) {
        for (uint32_t cpu = 1; cpu < cpu_count; ++cpu) {
            const uint32_t number = atomic_load(&asked[cpu]);
            if (atomic_exchange(&answered[cpu], number) != number) {
                thread_wake(kickers[cpu]);
            }
        }
        thread_park();
    }
}

static void kick(uint32_t cpu)
{
    const uint32_t number = atomic_fetch_add(&asked[cpu], 1) + 1;
    thread_wake(answerer);
    while (atomic_load(&answered[cpu]) != number) {
        thread_park();
    }
}

// While frames come, and as often behind them.
static void kicks_run(void *arg)
{
    const uint32_t cpu = hal_cpu_self()->index;
    kickers[cpu] = hal_self();
    while (atomic_load(&frame_count) != WIRE_FRAMES) {
        kick(cpu);
        thread_sleep_until(hal_clock_ns() + NAP_NS);
    }
    for (uint32_t i = 0; i < KICKS; ++i) {
        kick(cpu);
    }
    atomic_fetch_sub(&kicker_count, 1);
    thread_wake(waiter);
}

static void busy_be(hal_ns time)
{
    const hal_ns end = hal_clock_ns() + time;
    while (hal_clock_ns() < end) {
        hal_cpu_relax();
    }
}

void wire_run_test(void *arg)
{
    uint32_t turn = 0;
    case_dev = frames_take;
    waiter = hal_self();
    for (size_t i = 0; i < case_boot->dev_count; ++i) {
        if (case_boot->devs[i].kind == HAL_NET) {
            ring_start(&ring, case_boot->devs[i].dev, 0, 0);
        }
    }
    answerer = thread_create(0, NULL, NULL, answer, NULL);
    atomic_store(&kicker_count, case_boot->cpu_count - 1);
    for (uint32_t cpu = 1; cpu < case_boot->cpu_count; ++cpu) {
        thread_create(cpu, NULL, NULL, kicks_run, NULL);
    }
    for (uint16_t i = 0; i < RING_SIZE; ++i) {
        ring_desc(&ring, i, RING_BUFFER, VRING_DESC_F_WRITE, 0);
        ring_send(&ring, i);
    }
    while (atomic_load(&frame_count) != WIRE_FRAMES) {
        if (++turn % 64 == 0) {
            busy_be(BUSY_NS);
        } else if (turn % 8 == 0) {
            thread_sleep_until(hal_clock_ns() + NAP_NS);
        } else {
            thread_park();
        }
    }
    while (atomic_load(&kicker_count) != 0) {
        thread_park();
    }
    report("signals that ended a read:", atomic_load(&irq_counts.read_end));
    ASSERT(case_boot->cpu_count == 1 || atomic_load(&irq_counts.read_end) > 0);
    case_passed();
}
