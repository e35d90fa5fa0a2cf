// SPDX-License-Identifier: BSD-3-Clause
// start_x86_64.c: AT_HWCAP is EDX of CPUID leaf 1.
#include "core/libc/start.h"

struct libc_hardware libc_hardware(void)
{
    uint32_t a = 1, b, c = 0, d;
    __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return (struct libc_hardware){.capabilities = d, .platform = "x86_64"};
}
