// SPDX-License-Identifier: BSD-3-Clause
// application.c: what an application compiled with -fsanitize=thread calls at each access to
// memory, by way of application_x86_64.S, which leaves the place of the call two words behind the
// return address.
#include "hal-linux/seed/access.h"
#include "hal-linux/seed/seed.h"

#define TSAN_NAME(name) application_##name
#define TSAN_PLACE (((void *const *)__builtin_frame_address(0))[3])
#define tsan_access seed_access
#define tsan_atomic seed_atomic
#define tsan_fence seed_fence
#define tsan_enter(caller) application_enter(caller, APPLICATION_SP)
#define tsan_leave() application_leave(APPLICATION_SP)

// The application's stack pointer behind its call.
#define APPLICATION_SP ((uintptr_t)__builtin_frame_address(0) + 4 * sizeof(void *))

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
