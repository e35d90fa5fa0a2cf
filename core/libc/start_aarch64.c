// SPDX-License-Identifier: BSD-3-Clause
// start_aarch64.c: floating point and Advanced SIMD are part of what we run on; nothing else is
// promised.
#include "core/libc/start.h"

enum { HWCAP_FP = 1, HWCAP_ASIMD = 2 };

struct libc_hardware libc_hardware(void)
{
    return (struct libc_hardware){.capabilities = HWCAP_FP | HWCAP_ASIMD, .platform = "aarch64"};
}

// Zero means the variants that every processor has.
void libc_features_set(char *rtld_global_ro)
{
    (void)rtld_global_ro;
}
