// SPDX-License-Identifier: BSD-3-Clause
// clone.h: threads that a program makes by the system call, with registers and a stack of its own
// choice.
#ifndef CORE_LINUX_CLONE_H
#define CORE_LINUX_CLONE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

struct hal_regs;

struct clone_request {
    uint64_t flags;
    uintptr_t stack; // its end; 0: the caller's
    int32_t *parent_id;
    _Atomic uint32_t *child_id;
    void *tp;
    bool is_odd; // asks for something that no thread can have
};

// Of clone's arguments, which are in an order of the ISA's own; of clone3's. -EFAULT, -EINVAL,
// -E2BIG.
struct clone_request clone_request_of(const long arguments[6]);
HAL_MUST_CHECK int clone_request_read(struct clone_request *request, const void *user, size_t size);

// Starts a thread with the caller's registers but for result, stack and thread pointer. The
// thread's id, or an error: what would be a process is refused as fork is.
long clone_run(const struct clone_request *request, const struct hal_regs *regs);

#endif
