// SPDX-License-Identifier: BSD-3-Clause
// unwind.c: frame by frame along the chain of frame pointers.
//
// A frame pointer leads to the caller's frame pointer, and the return address lies above it (x86_64
// psABI 3.2.2, AAPCS64 6.4.6). Code compiled without frame pointers cuts the chain or skips
// callers.
#include "core/linux/unwind.h"

#include "core/linux/user.h"
#include "core/sched/thread.h"

static bool is_on_entry_stack(const struct thread *thread, uintptr_t place)
{
    uintptr_t top = (uintptr_t)thread->context.entry_stack;
    return place <= top && place > top - HAL_ENTRY_STACK;
}

// Frames go up, but from the entry stack to wherever the program's is.
static bool is_above(const struct machine_place *place, const struct thread *thread)
{
    return place->frame >= place->sp ||
           (is_on_entry_stack(thread, place->sp) && !is_on_entry_stack(thread, place->frame));
}

bool unwind_step(struct machine_place *place, const struct thread *thread)
{
    uintptr_t pair[2];
    if (!is_above(place, thread) || place->frame % sizeof(uintptr_t) != 0 ||
        hal_copy_safe(pair, (const void *)place->frame, sizeof pair) != 0 || pair[1] == 0) {
        return false;
    }
    *place =
        (struct machine_place){.ip = pair[1], .sp = place->frame + sizeof pair, .frame = pair[0]};
    return true;
}

bool unwind_parked(const struct thread *thread, struct machine_place *place)
{
    struct hal_regs regs;
    if (thread->context.sp == NULL) {
        return false;
    }
    hal_context_get(&thread->context, &regs);
    *place = machine_place_of(&regs);
    return true;
}
