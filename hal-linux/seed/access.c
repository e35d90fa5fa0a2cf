// SPDX-License-Identifier: BSD-3-Clause
// access.c: what core calls at each access to memory: our own __tsan_*, in place of the sanitizer's
// run-time.
#include "hal-linux/seed/access.h"

#define TSAN_NAME(name) __tsan_##name
#define TSAN_PLACE __builtin_return_address(0)
#define tsan_access seed_access
#define tsan_atomic seed_atomic
#define tsan_fence seed_fence
#define tsan_enter(caller) ((void)(caller)) // core is compiled without these two (feature "seed")
#define tsan_leave() ((void)0)

#include "hal/common/tsan.h"
