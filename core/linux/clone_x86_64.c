// SPDX-License-Identifier: BSD-3-Clause
// clone_x86_64.c: the order of clone's arguments; the thread pointer by arch_prctl.
#include <sched.h>

#include "core/lib/errno.h"
#include "core/linux/calls.h"
#include "core/linux/clone.h"
#include "core/linux/machine.h"
#include "core/linux/user.h"
#include "core/sched/thread.h"

struct clone_request clone_request_of(const long arguments[6])
{
    return (struct clone_request){
        .flags = (uint32_t)arguments[0] & ~(uint64_t)CSIGNAL,
        .stack = (uintptr_t)arguments[1],
        .parent_id = (int32_t *)arguments[2],
        .child_id = (_Atomic uint32_t *)arguments[3],
        .tp = (void *)arguments[4],
    };
}

// GS is core's own.
long linux_arch_prctl(int operation, uintptr_t a)
{
    enum { SET_FS = 0x1002, GET_FS };
    struct thread *self = thread_self();
    switch (operation) {
    case SET_FS:
        if (!machine_tp_is_valid((const void *)a)) {
            return -EPERM;
        }
        thread_tp_set((void *)a);
        return 0;
    case GET_FS:
        return user_write((void *)a, &self->context.tp, sizeof self->context.tp);
    default:
        return -EINVAL;
    }
}
