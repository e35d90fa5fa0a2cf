// SPDX-License-Identifier: BSD-3-Clause
// inline.h: system calls by the instruction itself, without any C library.
#ifndef TESTS_SYSTEM_INLINE_H
#define TESTS_SYSTEM_INLINE_H

static inline long inline_call(long number, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#define INLINE_PICK(n, a, b, c, d, e, f, g, ...)                                                   \
    inline_call(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
#define INLINE(...) INLINE_PICK(__VA_ARGS__, 0, 0, 0, 0, 0, 0, 0)

#endif
