// SPDX-License-Identifier: BSD-3-Clause
// hal_inline.h: the HAL of the unit tests: one CPU, in a plain process, with no interrupts.
//
// A test owns the CPU and the context: it sets unit_cpu and unit_self to what it wants core to
// find. Both are per host thread, so a test may run core on several threads as if each were a CPU.
// The interrupt flag is a variable that nothing looks at but hal_irq_enabled, and who has set
// unit_irq_deliver.
//
// Core reads them by calls: where contexts change host threads (cpu_host.c), a compiler that had
// kept a thread's address of one would read another thread's.
#ifndef UNIT_HAL_INLINE_H
#define UNIT_HAL_INLINE_H

extern __thread struct cpu *unit_cpu;
extern __thread void *unit_self;
extern __thread bool unit_irq_off;
extern void (*unit_irq_deliver)(void); // called by hal_irq_restore(0); NULL: nobody

struct cpu *unit_cpu_get(void);
void *unit_self_get(void);
bool unit_irq_off_get(void);
void unit_irq_off_set(bool is_off);

static inline struct cpu *hal_cpu_self(void)
{
    return unit_cpu_get();
}

static inline void *hal_self(void)
{
    return unit_self_get();
}

static inline void hal_cpu_relax(void)
{
}

static inline bool hal_irq_enabled(void)
{
    return !unit_irq_off_get();
}

static inline uintptr_t hal_irq_save(void)
{
    uintptr_t was_off = unit_irq_off_get();
    unit_irq_off_set(true);
    return was_off;
}

static inline void hal_irq_restore(uintptr_t state)
{
    unit_irq_off_set(state != 0);
    if (state == 0 && unit_irq_deliver != NULL) {
        unit_irq_deliver();
    }
}

// No faults are planted here.
static inline bool hal_inject(enum hal_inject kind)
{
    (void)kind;
    return false;
}

#endif
