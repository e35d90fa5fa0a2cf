// SPDX-License-Identifier: BSD-3-Clause
/* Takes the place of musl's arch/ARCH/pthread_arch.h.  In the simulator %fs
 * belongs to glibc, so "the current struct pthread" is asked of the core. */
uintptr_t osv_musl_tp(void);
static inline uintptr_t __get_tp(void) { return osv_musl_tp(); }
#if defined(__x86_64__)
#define MC_PC gregs[REG_RIP]
#else
#define MC_PC pc
#endif
