// SPDX-License-Identifier: BSD-3-Clause
// table.h: the rows of the system-call table that every ISA has.
//
// A call is listed with its own types and kept as one of six longs: both ABIs pass integers and
// pointers the same way.
#ifndef CORE_LINUX_TABLE_H
#define CORE_LINUX_TABLE_H

// clang-format off
#define LINUX_ROWS_COMMON \
    ROW(read, linux_read, "dpu"), \
    ROW(write, linux_write, "dbu"), \
    ROW(close, linux_close, "d"), \
    ROW(fstat, linux_fstat, "dp"), \
    ROW(lseek, linux_lseek, "ddd"), \
    ROW(mmap, linux_mmap, "puxxdx"), \
    ROW(mprotect, linux_mprotect, "pux"), \
    ROW(munmap, linux_munmap, "pu"), \
    ROW(brk, linux_brk, "p"), \
    ROW(rt_sigaction, linux_rt_sigaction, "dppu"), \
    ROW(rt_sigprocmask, linux_rt_sigprocmask, "dppu"), \
    ROW(ioctl, linux_ioctl, "dxp"), \
    ROW(pread64, linux_pread64, "dpuu"), \
    ROW(pwrite64, linux_pwrite64, "dbuu"), \
    ROW(readv, linux_readv, "dpd"), \
    ROW(writev, linux_writev, "dpd"), \
    ROW(sched_yield, linux_sched_yield, ""), \
    ROW(mremap, linux_mremap, "puuxp"), \
    ROW(msync, linux_msync, "pux"), \
    ROW(mincore, linux_mincore, "pup"), \
    ROW(madvise, linux_madvise, "pud"), \
    ROW(dup, linux_dup, "d"), \
    ROW_NEVER(nanosleep, linux_nanosleep, "pp"), \
    ROW(getpid, linux_getpid, ""), \
    ROW(sendfile, linux_sendfile, "ddpu"), \
    ROW(clone, linux_clone, "xpppp"), \
    ROW(execve, linux_execve, "spp"), \
    ROW(exit, linux_exit, "d"), \
    ROW(wait4, linux_wait4, "dpdp"), \
    ROW(kill, linux_kill, "dd"), \
    ROW(uname, linux_uname, "p"), \
    ROW(fcntl, linux_fcntl, "ddx"), \
    ROW(flock, linux_flock, "dd"), \
    ROW(fsync, linux_fsync, "d"), \
    ROW(fdatasync, linux_fdatasync, "d"), \
    ROW(truncate, linux_truncate, "su"), \
    ROW(ftruncate, linux_ftruncate, "du"), \
    ROW(getcwd, linux_getcwd, "pu"), \
    ROW(chdir, linux_chdir, "s"), \
    ROW(fchdir, linux_fchdir, "d"), \
    ROW(fchmod, linux_fchmod, "do"), \
    ROW(fchown, linux_fchown, "ddd"), \
    ROW(umask, linux_umask, "o"), \
    ROW(gettimeofday, linux_gettimeofday, "pp"), \
    ROW(getrlimit, linux_getrlimit, "dp"), \
    ROW(getrusage, linux_getrusage, "dp"), \
    ROW(sysinfo, linux_sysinfo, "p"), \
    ROW(times, linux_times, "p"), \
    ROW(getuid, linux_getuid, ""), \
    ROW(getgid, linux_getgid, ""), \
    ROW(setuid, linux_setuid, "d"), \
    ROW(setgid, linux_setgid, "d"), \
    ROW(geteuid, linux_getuid, ""), \
    ROW(getegid, linux_getgid, ""), \
    ROW(setpgid, linux_setpgid, "dd"), \
    ROW(getppid, linux_getppid, ""), \
    ROW(setsid, linux_setsid, ""), \
    ROW(getgroups, linux_getgroups, "dp"), \
    ROW(getresuid, linux_getresuid, "ppp"), \
    ROW(getresgid, linux_getresgid, "ppp"), \
    ROW(getpgid, linux_getpgid, "d"), \
    ROW(rt_sigpending, linux_rt_sigpending, "pu"), \
    ROW_NEVER(rt_sigtimedwait, linux_rt_sigtimedwait, "pppu"), \
    ROW_NEVER(rt_sigsuspend, linux_rt_sigsuspend, "pu"), \
    ROW(sigaltstack, linux_sigaltstack, "pp"), \
    ROW(personality, linux_personality, "x"), \
    ROW(statfs, linux_statfs, "sp"), \
    ROW(fstatfs, linux_fstatfs, "dp"), \
    ROW(getpriority, linux_getpriority, "dd"), \
    ROW(setpriority, linux_setpriority, "ddd"), \
    ROW(sched_setparam, linux_sched_setparam, "dp"), \
    ROW(sched_getparam, linux_sched_getparam, "dp"), \
    ROW(sched_setscheduler, linux_sched_setscheduler, "ddp"), \
    ROW(sched_getscheduler, linux_sched_getscheduler, "d"), \
    ROW(sched_get_priority_max, linux_sched_get_priority_max, "d"), \
    ROW(sched_get_priority_min, linux_sched_get_priority_min, "d"), \
    ROW(mlock, linux_mlock, "pu"), \
    ROW(prctl, linux_prctl, "dx"), \
    ROW(setrlimit, linux_setrlimit, "dp"), \
    ROW(gettid, linux_gettid, ""), \
    ROW(tkill, linux_tkill, "dd"), \
    ROW(futex, linux_futex, "pduppu"), \
    ROW(sched_setaffinity, linux_sched_setaffinity, "dup"), \
    ROW(sched_getaffinity, linux_sched_getaffinity, "dup"), \
    ROW(getdents64, linux_getdents64, "dpu"), \
    ROW(set_tid_address, linux_set_tid_address, "p"), \
    ROW(fadvise64, linux_fadvise64, "dddd"), \
    ROW(clock_settime, linux_clock_settime, "dp"), \
    ROW(clock_gettime, linux_clock_gettime, "dp"), \
    ROW(clock_getres, linux_clock_getres, "dp"), \
    ROW_NEVER(clock_nanosleep, linux_clock_nanosleep, "ddpp"), \
    ROW(exit_group, linux_exit, "d"), \
    ROW(tgkill, linux_tgkill, "ddd"), \
    ROW(openat, linux_openat, "dsxo"), \
    ROW(mkdirat, linux_mkdirat, "dso"), \
    ROW(fchownat, linux_fchownat, "dsddx"), \
    ROW(newfstatat, linux_newfstatat, "dspx"), \
    ROW(unlinkat, linux_unlinkat, "dsx"), \
    ROW(renameat, linux_renameat, "dsds"), \
    ROW(linkat, linux_linkat, "dsdsx"), \
    ROW(symlinkat, linux_symlinkat, "sds"), \
    ROW(readlinkat, linux_readlinkat, "dspu"), \
    ROW(fchmodat, linux_fchmodat, "dso"), \
    ROW(faccessat, linux_faccessat, "dsd"), \
    ROW_NEVER(pselect6, linux_pselect6, "dppppp"), \
    ROW_NEVER(ppoll, linux_ppoll, "puppu"), \
    ROW(set_robust_list, linux_set_robust_list, "pu"), \
    ROW(utimensat, linux_utimensat, "dspx"), \
    ROW(fallocate, linux_fallocate, "dxuu"), \
    ROW(eventfd2, linux_eventfd2, "dx"), \
    ROW(dup3, linux_dup3, "ddx"), \
    ROW(pipe2, linux_pipe2, "px"), \
    ROW(preadv, linux_preadv, "dpdu"), \
    ROW(pwritev, linux_pwritev, "dpdu"), \
    ROW(prlimit64, linux_prlimit64, "ddpp"), \
    ROW(getcpu, linux_getcpu, "pp"), \
    ROW(renameat2, linux_renameat2, "dsdsx"), \
    ROW(getrandom, linux_getrandom, "pux"), \
    ROW(execveat, linux_execveat, "dsppx"), \
    ROW(membarrier, linux_membarrier, "dx"), \
    ROW(preadv2, linux_preadv2, "dpduux"), \
    ROW(pwritev2, linux_pwritev2, "dpduux"), \
    ROW(statx, linux_statx, "dsxxp"), \
    ROW(clone3, linux_clone3, "pu"), \
    ROW(close_range, linux_close_range, "uux"), \
    ROW(faccessat2, linux_faccessat2, "dsdx"), \
    ROW(munlock, linux_mlock, "pu"), \
    ROW(munlockall, linux_mlock, ""), \
    ROW(mlockall, linux_mlock, "x"),
// clang-format on

#endif
