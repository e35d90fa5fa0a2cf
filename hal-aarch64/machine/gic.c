// SPDX-License-Identifier: BSD-3-Clause
// gic.c: the interrupt controller, version 2 (Arm IHI 0048B): the timer and the one IPI.
//
// The timer's line is level-triggered: it is silenced before the end of interrupt, or it would come
// at once again.
#include "gic.h"

#include "hal/common/alarm.h"

enum {
    DISTRIBUTOR_CONTROL = 0x000,
    DISTRIBUTOR_ENABLE = 0x100,
    DISTRIBUTOR_PRIORITY = 0x400,
    DISTRIBUTOR_SGI = 0xf00,
    SGI_SELF = 2 << 24,
    CPU_CONTROL = 0x00,
    CPU_PRIORITY_MASK = 0x04,
    CPU_ACKNOWLEDGE = 0x0c,
    CPU_END = 0x10,
    ID_MASK = 0x3ff,
    ID_SPURIOUS = 1020, // and above
    ID_KICK = 0,
    ID_TIMER = 27,         // the virtual timer's
    PRIORITY_TIMER = 0x80, // the lower number comes first where both are pending
    PRIORITY_KICK = 0xa0,
    PRIORITY_ALL = 0xf0,
};

static volatile uint32_t *distributor, *interface;

static void priority_set(uint32_t id, uint32_t priority)
{
    volatile uint8_t *bytes = (volatile uint8_t *)distributor + DISTRIBUTOR_PRIORITY;
    bytes[id] = (uint8_t)priority;
}

void gic_init(char *distributor_window, char *cpu_window)
{
    distributor = (volatile uint32_t *)distributor_window;
    interface = (volatile uint32_t *)cpu_window;
    distributor[DISTRIBUTOR_CONTROL / 4] = 1;
    priority_set(ID_TIMER, PRIORITY_TIMER);
    priority_set(ID_KICK, PRIORITY_KICK);
    distributor[DISTRIBUTOR_ENABLE / 4] = 1u << ID_TIMER | 1u << ID_KICK;
    interface[CPU_PRIORITY_MASK / 4] = PRIORITY_ALL;
    interface[CPU_CONTROL / 4] = 1;
}

enum gic_cause gic_take(void)
{
    const uint32_t taken = interface[CPU_ACKNOWLEDGE / 4];
    const uint32_t id = taken & ID_MASK;
    if (id >= ID_SPURIOUS) {
        return GIC_NONE;
    }
    if (id == ID_TIMER) {
        machine_alarm_silence();
    }
    interface[CPU_END / 4] = taken;
    return id == ID_TIMER ? GIC_TIMER : id == ID_KICK ? GIC_KICK : GIC_NONE;
}

// One CPU runs, so index is it.
void hal_cpu_kick(uint32_t index)
{
    (void)index;
    __asm__ volatile("dsb ish" ::: "memory"); // what was written before the kick is seen after it
    distributor[DISTRIBUTOR_SGI / 4] = SGI_SELF | ID_KICK;
}
