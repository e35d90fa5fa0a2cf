// SPDX-License-Identifier: BSD-3-Clause
// syscall_arch.h: takes the place of musl's arch/ARCH/syscall_arch.h: every system call of the C library is a call of
// core/linux. There is no vDSO, so that clock_gettime comes this way too.
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)

extern long (*linux_dispatch)(long number, long a, long b, long c, long d, long e, long f);

static inline long __syscall0(long n)
{
    return linux_dispatch(n, 0, 0, 0, 0, 0, 0);
}

static inline long __syscall1(long n, long a)
{
    return linux_dispatch(n, a, 0, 0, 0, 0, 0);
}

static inline long __syscall2(long n, long a, long b)
{
    return linux_dispatch(n, a, b, 0, 0, 0, 0);
}

static inline long __syscall3(long n, long a, long b, long c)
{
    return linux_dispatch(n, a, b, c, 0, 0, 0);
}

static inline long __syscall4(long n, long a, long b, long c, long d)
{
    return linux_dispatch(n, a, b, c, d, 0, 0);
}

static inline long __syscall5(long n, long a, long b, long c, long d, long e)
{
    return linux_dispatch(n, a, b, c, d, e, 0);
}

static inline long __syscall6(long n, long a, long b, long c, long d, long e, long f)
{
    return linux_dispatch(n, a, b, c, d, e, f);
}

#define IPC_64 0
