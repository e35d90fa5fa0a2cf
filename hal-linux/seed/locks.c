// SPDX-License-Identifier: BSD-3-Clause
// locks.c: between core's locks and order.h: who takes them, and what is said of a circle.
//
// Always on: it costs less than the points of a lock, and changes nothing in the run. Locks of
// applications are not looked at: they are only ever tried for, or taken by core/libc in ways that
// are not told here, and a program may know that its circles are harmless.
#include "hal-linux/seed/mark.h"
#include "hal-linux/seed/order.h"
#include "hal-linux/seed/seed.h"

enum { CIRCLES_SHOWN_MAX = 10 };

extern const char __executable_start[], _end[]; // the linker's

static uint32_t circle_count;
static const struct hal_lock_step *const *told;
static uint32_t told_count;

uint32_t locks_circle_count(void)
{
    return circle_count;
}

// Masked, so that the watchdog's signal does not come in between.
static struct vcpu *begin(uint32_t *masked)
{
    struct vcpu *vcpu = vcpu_self();
    *masked = atomic_load_explicit(&vcpu->masked, memory_order_relaxed);
    atomic_store_explicit(&vcpu->masked, 1, memory_order_relaxed);
    return vcpu;
}

static void finish(struct vcpu *vcpu, uint32_t masked)
{
    atomic_store_explicit(&vcpu->masked, masked, memory_order_relaxed);
}

void seed_mark_lock(const void *lock)
{
    uint32_t masked;
    struct vcpu *vcpu = begin(&masked);
    order_lock(vcpu->context_self, vcpu->index, (uintptr_t)lock, __builtin_return_address(0));
    finish(vcpu, masked);
}

void seed_mark_lock_again(const void *lock)
{
    uint32_t masked;
    struct vcpu *vcpu = begin(&masked);
    order_lock_again(vcpu->context_self, vcpu->index, (uintptr_t)lock);
    finish(vcpu, masked);
}

// One of an application may lie where another lock lay, for all that is known: only core's own data
// count.
void seed_mark_lock_tried(const void *lock)
{
    uint32_t masked;
    if ((const char *)lock < __executable_start || (const char *)lock >= _end) {
        return;
    }
    struct vcpu *vcpu = begin(&masked);
    order_lock_tried(vcpu->context_self, (uintptr_t)lock);
    finish(vcpu, masked);
}

void seed_mark_unlock(const void *lock)
{
    uint32_t masked;
    struct vcpu *vcpu = begin(&masked);
    order_unlock(vcpu->context_self, (uintptr_t)lock);
    finish(vcpu, masked);
}

void locks_forget(const void *block, size_t size)
{
    uint32_t masked;
    struct vcpu *vcpu = begin(&masked);
    order_forget((uintptr_t)block, size);
    finish(vcpu, masked);
}

void order_stack(const void *place, const void *stack[HAL_RACE_DEPTH])
{
    witness_stack(place, stack);
}

static void tell(const void *unused)
{
    (void)unused;
    upcall_lock_order(told, told_count);
}

void order_found(const struct hal_lock_step *const *steps, uint32_t count)
{
    if (++circle_count <= CIRCLES_SHOWN_MAX) {
        told = steps;
        told_count = count;
        witness_tell(tell);
    }
}
