// SPDX-License-Identifier: BSD-3-Clause
// application.c: what an application compiled with -fsanitize=thread calls at each access to
// memory, by way of application_x86_64.S, which leaves the place of the call two words behind the
// return address.
#include "hal-linux/seed/access.h"
#include "hal-linux/seed/seed.h"

#define TSAN_NAME(name) application_##name
#define TSAN_PLACE (((void *const *)__builtin_frame_address(0))[3])
#define tsan_access application_access
#define tsan_atomic application_atomic
#define tsan_fence seed_fence
#define tsan_enter(caller) application_enter(caller, APPLICATION_SP)
#define tsan_leave() application_leave(APPLICATION_SP)

// The application's stack pointer behind its call.
#define APPLICATION_SP ((uintptr_t)__builtin_frame_address(0) + 4 * sizeof(void *))

// A point: the stack, which comes page by page, is touched before any is masked.
static inline void application_access(const volatile void *address, size_t size, bool writes,
                                      const void *place)
{
    point_stack_probe();
    seed_access(address, size, writes, place);
}

static inline void application_atomic(const volatile void *address, size_t size, bool reads,
                                      bool writes, int order, const void *place)
{
    point_stack_probe();
    seed_atomic(address, size, reads, writes, order, place);
}

static inline void application_enter(const void *caller, uintptr_t sp)
{
    if (witness_is_on) {
        witness_enter(caller, sp);
    }
}

static inline void application_leave(uintptr_t sp)
{
    if (witness_is_on) {
        witness_leave(sp);
    }
}

#include "hal/common/tsan.h"

extern const char __executable_start[], etext[]; // the linker's

bool application_is_place(const void *place)
{
    return (const char *)place < __executable_start || (const char *)place >= etext;
}
