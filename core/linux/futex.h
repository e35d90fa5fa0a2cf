// SPDX-License-Identifier: BSD-3-Clause
// futex.h: waiting on a word of the application's memory, futex(2).
#ifndef CORE_LINUX_FUTEX_H
#define CORE_LINUX_FUTEX_H

#include <stdatomic.h>
#include <stdint.h>

#include "hal/hal.h"

enum { FUTEX_ANY = -1 }; // bits that match every waiter

// Waits while *word is expected. 0: woken; -EAGAIN: it was not; -ETIMEDOUT; -EINTR; -EFAULT.
int futex_wait(_Atomic uint32_t *word, uint32_t expected, uint32_t bits, hal_ns deadline);

// Wakes at most count waiters whose bits overlap. Answers how many.
int futex_wake(_Atomic uint32_t *word, int count, uint32_t bits);

// Wakes wake_count waiters of word and moves requeue_count others to target. Answers both together.
int futex_requeue(_Atomic uint32_t *word, int wake_count, int requeue_count,
                  _Atomic uint32_t *target);

// What a thread that ends does with the futexes in its robust list (set_robust_list(2)): those that
// it owns are marked, and one waiter of each is woken.
struct task;
void robust_list_release(struct task *task);

long linux_futex(_Atomic uint32_t *word, int operation, uint32_t value, uintptr_t timeout,
                 _Atomic uint32_t *word2, uint32_t value3);

enum { SYS_futex_waitv = 449 }; // newer than musl

// words: count struct futex_waitv of include/uapi/linux/futex.h. Answers the index of one whose
// waiter was woken.
struct timespec;
long linux_futex_waitv(const void *words, uint32_t count, uint32_t flags,
                       const struct timespec *timeout, int clock);

#endif
