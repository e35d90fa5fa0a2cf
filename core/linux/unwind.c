// SPDX-License-Identifier: BSD-3-Clause
// unwind.c: frame by frame, by what compilers write down for exceptions (callframe.h), where that
// is not known along the chain of frame pointers.
//
// A frame pointer leads to the caller's frame pointer, and the return address lies above it (x86_64
// psABI 3.2.2, AAPCS64 6.4.6). Code that has neither cuts the chain or skips callers.
#include "core/linux/unwind.h"

#include "core/linux/callframe.h"
#include "core/linux/user.h"
#include "core/sched/thread.h"

static bool is_on_entry_stack(const struct thread *thread, uintptr_t place)
{
    uintptr_t top = (uintptr_t)thread->context.entry_stack;
    return place <= top && place > top - HAL_ENTRY_STACK;
}

// Stacks go up, but from the entry stack to wherever the program's is.
static bool is_above(uintptr_t above, const struct machine_place *place,
                     const struct thread *thread)
{
    return above >= place->sp ||
           (is_on_entry_stack(thread, place->sp) && !is_on_entry_stack(thread, above));
}

static bool frame_step(struct machine_place *place, const struct thread *thread)
{
    uintptr_t pair[2];
    if (!is_above(place->frame, place, thread) || place->frame % sizeof(uintptr_t) != 0 ||
        hal_copy_safe(pair, (const void *)place->frame, sizeof pair) != 0 || pair[1] == 0) {
        return false;
    }
    *place = (struct machine_place){
        .ip = pair[1], .sp = place->frame + sizeof pair, .frame = pair[0], .is_return = true};
    return true;
}

bool unwind_step(struct machine_place *place, const struct thread *thread)
{
    struct machine_place caller = *place;
    enum callframe found = callframe_step(&caller);
    if (found == CALLFRAME_FOUND && is_above(caller.sp - 1, place, thread)) {
        *place = caller;
        return caller.ip != 0;
    }
    return found != CALLFRAME_OUTMOST && frame_step(place, thread);
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
