// SPDX-License-Identifier: BSD-3-Clause
// hal_inline.h: the inline half of the contract on a machine that takes turns: function calls, so that
// each can be a point where another CPU goes on.
#ifndef HAL_LINUX_SEED_HAL_INLINE_H
#define HAL_LINUX_SEED_HAL_INLINE_H

struct cpu *seed_cpu_self(void);
void *seed_self(void);
void seed_relax(void);
uintptr_t seed_irq_save(void);
void seed_irq_restore(uintptr_t state);
bool seed_irq_enabled(void);
bool seed_inject(enum hal_inject kind);

static inline struct cpu *hal_cpu_self(void)
{
    return seed_cpu_self();
}

static inline void *hal_self(void)
{
    return seed_self();
}

static inline void hal_cpu_relax(void)
{
    seed_relax();
}

static inline uintptr_t hal_irq_save(void)
{
    return seed_irq_save();
}

static inline void hal_irq_restore(uintptr_t state)
{
    seed_irq_restore(state);
}

static inline bool hal_irq_enabled(void)
{
    return seed_irq_enabled();
}

static inline bool hal_inject(enum hal_inject kind)
{
    return seed_inject(kind);
}

#endif
