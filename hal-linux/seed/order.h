// SPDX-License-Identifier: BSD-3-Clause
// order.h: finds locks that are taken in an order that goes round in a circle, so that threads may
// come to wait for each other for ever, in whatever run.
//
// Locks belong to classes. A lock is in the class of each place that takes it: places that have
// taken one and the same lock are one class. Which lock is taken while which other is held is
// remembered by class, for ever; between locks of one class it is remembered lock by lock, because
// there the order is one of addresses, of a tree or the like. A lock that is only tried for, or
// taken again by who waited for something meanwhile, tells no class.
//
// After lockdep of Linux (Documentation/locking/lockdep-design.rst), whose classes are named.
#ifndef HAL_LINUX_SEED_ORDER_H
#define HAL_LINUX_SEED_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/upcall.h"

enum { ORDER_STEPS_MAX = 8 };

// self is about to wait for lock at place.
void order_lock(void *self, uint32_t cpu, uintptr_t lock, const void *place);

// The same where it is known from before, or else of no account.
void order_lock_again(void *self, uint32_t cpu, uintptr_t lock);

// self has got it without waiting: nothing leads to it. Of no account if it is not known.
void order_lock_tried(void *self, uintptr_t lock);

void order_unlock(void *self, uintptr_t lock);

// The memory is another's from here on: locks in it were other locks, but for those that are held.
void order_forget(uintptr_t address, size_t size);

// For the one who uses this to define. Each step leads to the next, the last to the first; a circle
// of more than ORDER_STEPS_MAX is told in part.
void order_found(const struct hal_lock_step *const *steps, uint32_t count);

// Fills in who calls place, NULL at the end.
void order_stack(const void *place, const void *stack[HAL_RACE_DEPTH]);

#endif
