// SPDX-License-Identifier: BSD-3-Clause
// libc_layout.h: what crosses the boundary between programs and core/libc: sizes, places and numbers
// of the public headers. libc_layout_test.c compares the two tables that are made of it, one with the
// host's headers and one with those that core/libc is compiled with.
#ifndef TESTS_UNIT_LIBC_LAYOUT_H
#define TESTS_UNIT_LIBC_LAYOUT_H

#include <aio.h>
#include <arpa/inet.h>
#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <ftw.h>
#include <getopt.h>
#include <glob.h>
#include <grp.h>
#include <gshadow.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <langinfo.h>
#include <limits.h>
#include <link.h>
#include <locale.h>
#include <mntent.h>
#include <mqueue.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <semaphore.h>
#include <setjmp.h>
#include <shadow.h>
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/timex.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <syslog.h>
#include <termios.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <utime.h>
#include <utmpx.h>
#include <wchar.h>
#include <wctype.h>
#include <wordexp.h>

struct layout_row {
    const char *name;
    long value;
};

extern const struct layout_row layout_of_glibc[], layout_of_core[];
extern const int layout_of_glibc_count, layout_of_core_count;

// S(type): its size. F(type, field): where it is, and how large. V(number).
#define LAYOUT_TYPES(S, F, V)                                                                      \
    S(blkcnt_t) S(blksize_t) S(clock_t) S(clockid_t) S(dev_t) S(gid_t) S(id_t) S(ino_t) S(key_t)   \
    S(mode_t) S(nlink_t) S(off_t) S(pid_t) S(pthread_t) S(rlim_t) S(sa_family_t) S(sig_atomic_t)   \
    S(size_t) S(socklen_t) S(suseconds_t) S(time_t) S(timer_t) S(uid_t) S(wchar_t) S(wint_t)       \
    S(wctype_t) S(wctrans_t) S(locale_t) S(fsblkcnt_t) S(fsfilcnt_t) S(in_addr_t)  \
    S(in_port_t) S(regoff_t) S(nfds_t) S(tcflag_t) S(speed_t) S(cc_t) S(idtype_t)                  \
    S(intmax_t) S(int_fast16_t) S(int_fast32_t) S(ptrdiff_t) S(max_align_t)
#define LAYOUT_FILES(S, F, V)                                                                      \
    S(struct stat) F(struct stat, st_ino) F(struct stat, st_mode) F(struct stat, st_nlink)         \
    F(struct stat, st_uid) F(struct stat, st_rdev) F(struct stat, st_size)                         \
    F(struct stat, st_blksize) F(struct stat, st_blocks) F(struct stat, st_atim)                   \
    F(struct stat, st_mtim) F(struct stat, st_ctim)                                                \
    S(struct dirent) F(struct dirent, d_off) F(struct dirent, d_reclen) F(struct dirent, d_type)   \
    F(struct dirent, d_name) S(struct flock) F(struct flock, l_whence) F(struct flock, l_start)    \
    F(struct flock, l_len) F(struct flock, l_pid) S(struct statfs) F(struct statfs, f_bavail)      \
    F(struct statfs, f_fsid) F(struct statfs, f_namelen) F(struct statfs, f_flags)                 \
    S(struct statvfs) F(struct statvfs, f_favail) F(struct statvfs, f_flag)                        \
    F(struct statvfs, f_namemax) S(struct iovec) S(struct pollfd) S(struct epoll_event)            \
    F(struct epoll_event, data) S(fd_set) S(struct inotify_event) S(struct utimbuf) S(struct FTW)  \
    S(glob_t) F(glob_t, gl_offs) F(glob_t, gl_pathv) S(wordexp_t) S(regex_t) F(regex_t, re_nsub)   \
    S(regmatch_t) F(regmatch_t, rm_eo) S(struct sgrp) F(struct sgrp, sg_mem)                       \
    S(struct mntent) S(struct termios) F(struct termios, c_cc)                                     \
    F(struct termios, c_line) S(struct winsize) S(fpos_t) S(mbstate_t) S(struct option)            \
    F(struct option, flag) F(struct option, val) S(struct aiocb) F(struct aiocb, aio_buf)          \
    F(struct aiocb, aio_sigevent) S(struct mq_attr) S(struct utmpx) F(struct utmpx, ut_user)       \
    F(struct utmpx, ut_tv) F(struct utmpx, ut_exit) F(struct utmpx, ut_session)
#define LAYOUT_TIME(S, F, V)                                                                       \
    S(struct timespec) S(struct timeval) S(struct tm) F(struct tm, tm_gmtoff)                      \
    F(struct tm, tm_zone) S(struct itimerspec) S(struct itimerval) S(struct tms) S(struct rusage)  \
    F(struct rusage, ru_maxrss) F(struct rusage, ru_nivcsw) S(struct rlimit) S(struct timex)       \
    S(struct sysinfo) F(struct sysinfo, procs) F(struct sysinfo, totalhigh)                        \
    F(struct sysinfo, mem_unit) S(struct utsname) F(struct utsname, machine)                       \
    S(struct lconv) F(struct lconv, int_p_cs_precedes) F(struct lconv, int_n_sign_posn)            \
    S(struct timezone)
#define LAYOUT_SIGNALS(S, F, V)                                                                    \
    S(sigset_t) S(siginfo_t) F(siginfo_t, si_code) F(siginfo_t, si_pid) F(siginfo_t, si_value)     \
    F(siginfo_t, si_addr) F(siginfo_t, si_status) F(siginfo_t, si_band) S(struct sigaction)        \
    F(struct sigaction, sa_mask) F(struct sigaction, sa_flags) S(stack_t) F(stack_t, ss_size)      \
    S(struct sigevent) F(struct sigevent, sigev_notify)                                            \
    F(struct sigevent, sigev_notify_function) S(struct signalfd_siginfo) S(jmp_buf) S(sigjmp_buf)  \
    S(ucontext_t) F(ucontext_t, uc_link) F(ucontext_t, uc_stack) F(ucontext_t, uc_mcontext)        \
    F(ucontext_t, uc_sigmask) S(mcontext_t) S(union sigval)                                        \
    V(NSIG) V(SA_SIGINFO) V(SA_ONSTACK) V(SA_RESTART) V(SA_NODEFER)        \
    V(SA_RESETHAND) V(SIG_BLOCK) V(SIG_SETMASK) V(SS_DISABLE)           \
    V(SIGUSR1) V(SIGCHLD) V(SIGSYS) V(SIGEV_NONE) V(SIGEV_THREAD) V(SIGEV_THREAD_ID) V(SI_TKILL)   \
    V(SI_QUEUE) V(SEGV_ACCERR) V(FPE_FLTDIV) V(CLD_STOPPED)
#define LAYOUT_THREADS(S, F, V)                                                                    \
    S(pthread_attr_t) S(pthread_mutex_t) S(pthread_mutexattr_t) S(pthread_cond_t)                  \
    S(pthread_condattr_t) S(pthread_rwlock_t) S(pthread_rwlockattr_t) S(pthread_barrier_t)         \
    S(pthread_barrierattr_t) S(pthread_spinlock_t) S(pthread_once_t) S(pthread_key_t) S(sem_t)     \
    S(cpu_set_t) S(struct sched_param) S(posix_spawnattr_t) S(posix_spawn_file_actions_t)          \
    V(PTHREAD_MUTEX_RECURSIVE) V(PTHREAD_MUTEX_ERRORCHECK) V(PTHREAD_MUTEX_ROBUST)                 \
    V(PTHREAD_PRIO_INHERIT) V(PTHREAD_PRIO_PROTECT) V(PTHREAD_PROCESS_SHARED)                      \
    V(PTHREAD_CREATE_DETACHED) V(PTHREAD_CANCEL_DISABLE) V(PTHREAD_CANCEL_ASYNCHRONOUS)            \
    V(PTHREAD_EXPLICIT_SCHED) V(PTHREAD_SCOPE_PROCESS) V(PTHREAD_BARRIER_SERIAL_THREAD)            \
    V(SCHED_OTHER) V(SCHED_FIFO) V(SCHED_RR) V(SCHED_BATCH) V(SCHED_IDLE) V(CPU_SETSIZE)           \
    V(PTHREAD_KEYS_MAX) V(PTHREAD_DESTRUCTOR_ITERATIONS) V(SEM_VALUE_MAX)
#define LAYOUT_NETWORK(S, F, V)                                                                    \
    S(struct sockaddr) S(struct sockaddr_in) S(struct sockaddr_in6) S(struct sockaddr_un)          \
    S(struct sockaddr_storage) S(struct msghdr) F(struct msghdr, msg_iovlen)                       \
    F(struct msghdr, msg_control) F(struct msghdr, msg_controllen) F(struct msghdr, msg_flags)     \
    S(struct cmsghdr) F(struct cmsghdr, cmsg_level) F(struct cmsghdr, cmsg_type)                   \
    S(struct mmsghdr) S(struct addrinfo) F(struct addrinfo, ai_addr)                               \
    F(struct addrinfo, ai_canonname) F(struct addrinfo, ai_next) S(struct hostent)                 \
    F(struct hostent, h_addr_list) S(struct servent) F(struct servent, s_proto)                    \
    S(struct protoent) S(struct netent) F(struct netent, n_net) S(struct linger) S(struct ifreq)   \
    S(struct ifaddrs) S(struct ucred) S(struct tcp_info) S(struct ipv6_mreq)                       \
    V(AF_INET6) V(SOCK_STREAM) V(SOCK_NONBLOCK) V(SOL_SOCKET) V(SO_REUSEPORT) V(SO_RCVTIMEO)       \
    V(MSG_NOSIGNAL) V(MSG_CMSG_CLOEXEC) V(SOMAXCONN) V(EAI_NONAME) V(EAI_SYSTEM) V(EAI_AGAIN)      \
    V(EAI_OVERFLOW) V(EAI_NODATA) V(AI_PASSIVE) V(AI_ADDRCONFIG) V(NI_NUMERICHOST)                 \
    V(NI_NAMEREQD) V(NI_MAXHOST) V(NI_MAXSERV) V(HOST_NOT_FOUND) V(NO_DATA)
#define LAYOUT_OTHERS(S, F, V)                                                                     \
    S(struct passwd) F(struct passwd, pw_uid) F(struct passwd, pw_gecos) F(struct passwd, pw_dir)  \
    F(struct passwd, pw_shell) S(struct group) F(struct group, gr_gid) F(struct group, gr_mem)     \
    S(struct spwd) F(struct spwd, sp_lstchg) F(struct spwd, sp_flag) S(struct dl_phdr_info)        \
    F(struct dl_phdr_info, dlpi_phdr) F(struct dl_phdr_info, dlpi_tls_data) S(Dl_info)             \
                            \
    S(struct hsearch_data) S(ENTRY) S(struct ipc_perm) S(struct shmid_ds) S(struct semid_ds)       \
    S(struct msqid_ds) S(div_t) S(ldiv_t) S(imaxdiv_t)                                             \
    V(EOF) V(BUFSIZ) V(_IOFBF) V(_IONBF) V(FILENAME_MAX) V(FOPEN_MAX) V(L_tmpnam) V(TMP_MAX)       \
    V(RAND_MAX) V(MB_LEN_MAX) V(PATH_MAX) V(NAME_MAX) V(IOV_MAX) V(PIPE_BUF) V(HOST_NAME_MAX)      \
    V(LC_CTYPE) V(LC_NUMERIC) V(LC_TIME) V(LC_COLLATE) V(LC_MONETARY) V(LC_MESSAGES) V(LC_ALL)     \
    V(LC_CTYPE_MASK) V(LC_ALL_MASK) V(CODESET) V(RADIXCHAR) V(D_T_FMT) V(DAY_1) V(ABMON_12)        \
    V(YESEXPR) V(CRNCYSTR) V(ERA) V(FTW_F) V(FTW_D) V(FTW_DNR) V(FTW_NS) V(FTW_SL) V(FTW_DP)       \
    V(FTW_SLN) V(FTW_PHYS) V(FTW_MOUNT) V(FTW_CHDIR) V(FTW_DEPTH) V(GLOB_NOSPACE) V(GLOB_NOMATCH)  \
    V(GLOB_TILDE) V(GLOB_NOESCAPE) V(FNM_NOMATCH) V(FNM_PATHNAME) V(FNM_CASEFOLD)    \
    V(FNM_LEADING_DIR) V(WRDE_SYNTAX) V(WRDE_NOCMD) V(REG_EXTENDED) V(REG_NOSUB) V(REG_NEWLINE)    \
    V(REG_NOTBOL) V(REG_BADPAT) V(REG_ESPACE) V(REG_BADRPT) V(RTLD_NOW) V(RTLD_GLOBAL)             \
    V(RTLD_NOLOAD) V(RTLD_NODELETE) V(CLOCK_MONOTONIC) V(CLOCK_THREAD_CPUTIME_ID)                  \
    V(CLOCK_BOOTTIME) V(TIMER_ABSTIME) V(CLOCKS_PER_SEC) V(O_TMPFILE)          \
    V(O_PATH) V(O_DIRECTORY) V(O_CLOEXEC) V(F_GETLK) V(F_OFD_SETLK) V(F_DUPFD_CLOEXEC)             \
    V(AT_EMPTY_PATH) V(S_IFSOCK) V(LOCK_NB) V(POLLRDHUP) V(EPOLLONESHOT) V(MAP_ANONYMOUS)          \
    V(MAP_STACK) V(MADV_HUGEPAGE) V(MREMAP_FIXED) V(RLIMIT_NOFILE) V(RLIM_INFINITY)                \
    V(RUSAGE_THREAD) V(WNOHANG) V(WNOWAIT) V(TCSAFLUSH) V(TIOCGWINSZ) V(B115200) V(ECHOKE)         \
    V(LOG_LOCAL7) V(LOG_PERROR) V(EWOULDBLOCK) V(EHWPOISON) V(ENOTSUP) V(EOWNERDEAD)               \
    V(_SC_PAGESIZE) V(_SC_NPROCESSORS_ONLN) V(_SC_OPEN_MAX) V(_SC_CLK_TCK) V(_SC_PHYS_PAGES)       \
    V(_SC_HOST_NAME_MAX) V(_SC_THREAD_STACK_MIN) V(_SC_GETPW_R_SIZE_MAX) V(_PC_PATH_MAX)           \
    V(_PC_LINK_MAX) V(_PC_2_SYMLINKS) V(_CS_PATH) V(EMPTY) V(BOOT_TIME) V(USER_PROCESS)            \
    V(DEAD_PROCESS) V(P_PID) V(P_ALL)
#define LIBC_LAYOUT(S, F, V)                                                                       \
    LAYOUT_TYPES(S, F, V)                                                                          \
    LAYOUT_FILES(S, F, V)                                                                          \
    LAYOUT_TIME(S, F, V)                                                                           \
    LAYOUT_SIGNALS(S, F, V)                                                                        \
    LAYOUT_THREADS(S, F, V)                                                                        \
    LAYOUT_NETWORK(S, F, V)                                                                        \
    LAYOUT_OTHERS(S, F, V)

#define LAYOUT_SIZE(type) {"sizeof " #type, (long)sizeof(type)},
#define LAYOUT_FIELD(type, field)                                                                  \
    {#type "." #field, (long)offsetof(type, field)},                                               \
        {"sizeof " #type "." #field, (long)sizeof(((type *)0)->field)},
#define LAYOUT_VALUE(number) {#number, (long)(number)},

#endif
