// SPDX-License-Identifier: BSD-3-Clause
// clone_aarch64.c: the order of clone's arguments.
#include <sched.h>

#include "core/linux/clone.h"

struct clone_request clone_request_of(const long arguments[6])
{
    return (struct clone_request){
        .flags = (uint32_t)arguments[0] & ~(uint64_t)CSIGNAL,
        .stack = (uintptr_t)arguments[1],
        .parent_id = (int32_t *)arguments[2],
        .tp = (void *)arguments[3],
        .child_id = (_Atomic uint32_t *)arguments[4],
    };
}
