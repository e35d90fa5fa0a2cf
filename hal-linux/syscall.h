// SPDX-License-Identifier: BSD-3-Clause
// syscall.h: system calls of the host without its libc.
//
// Guest code has its own FS base, so errno, the stack guard and everything else that host libc
// keeps there are out of reach. The answer is the kernel's: a result or a negative errno.
#ifndef HAL_LINUX_SYSCALL_H
#define HAL_LINUX_SYSCALL_H

#include <sys/syscall.h>

static inline long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    long result;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long syscall3(long number, long a, long b, long c)
{
    return syscall6(number, a, b, c, 0, 0, 0);
}

static inline long syscall4(long number, long a, long b, long c, long d)
{
    return syscall6(number, a, b, c, d, 0, 0);
}

#endif
