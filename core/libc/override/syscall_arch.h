// SPDX-License-Identifier: BSD-3-Clause
/* Takes the place of musl's arch/ARCH/syscall_arch.h: every raw system call of
 * the libc becomes a plain C call into the core. */
#define __SYSCALL_LL_E(x) (x)
#define __SYSCALL_LL_O(x) (x)
long osv_syscall(long n, long a1, long a2, long a3, long a4, long a5, long a6);
static inline long __syscall0(long n) { return osv_syscall(n, 0, 0, 0, 0, 0, 0); }
static inline long __syscall1(long n, long a) { return osv_syscall(n, a, 0, 0, 0, 0, 0); }
static inline long __syscall2(long n, long a, long b) { return osv_syscall(n, a, b, 0, 0, 0, 0); }
static inline long __syscall3(long n, long a, long b, long c) { return osv_syscall(n, a, b, c, 0, 0, 0); }
static inline long __syscall4(long n, long a, long b, long c, long d) { return osv_syscall(n, a, b, c, d, 0, 0); }
static inline long __syscall5(long n, long a, long b, long c, long d, long e) { return osv_syscall(n, a, b, c, d, e, 0); }
static inline long __syscall6(long n, long a, long b, long c, long d, long e, long f) { return osv_syscall(n, a, b, c, d, e, f); }
#define IPC_64 0
/* no VDSO_USEFUL: clock_gettime goes through osv_syscall too */
