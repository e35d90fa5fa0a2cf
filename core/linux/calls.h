// SPDX-License-Identifier: BSD-3-Clause
// calls.h: the system calls that core/linux implements, by the file they stand in.
//
// Arguments and results are those of the Linux manual pages, section 2; a negative result is an
// errno.
#ifndef CORE_LINUX_CALLS_H
#define CORE_LINUX_CALLS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/select.h>
#include <time.h>

#include "core/linux/syscall.h"

struct epoll_event;
struct file;
struct flock;
struct iovec;
struct itimerspec;
struct itimerval;
struct mmsghdr;
struct msghdr;
struct pollfd;
struct rlimit;
struct rusage;
struct sigevent;
struct stat;
struct statfs;
struct statx;
struct sysinfo;
struct timeval;
struct tms;
struct thread;
struct utsname;

struct linux_pselect_mask { // what pselect6's sixth argument leads to
    const uint64_t *mask;
    size_t size;
};

// The thread with a task id; 0 is the caller's. NULL: none.
struct thread *task_thread(int32_t id);

// clock.c
long linux_clock_gettime(int clock, struct timespec *result);
long linux_clock_getres(int clock, struct timespec *result);
long linux_clock_settime(int clock, const struct timespec *time);
long linux_gettimeofday(struct timeval *result, void *zone);
long linux_time(time_t *result);
long linux_clock_nanosleep(int clock, int flags, const struct timespec *request,
                           struct timespec *rest);
long linux_nanosleep(const struct timespec *request, struct timespec *rest);
long linux_times(struct tms *result);
long linux_getrusage(int who, struct rusage *result);

// epoll.c
long linux_epoll_create(int size);
long linux_epoll_create1(int flags);
long linux_epoll_ctl(int epoll_fd, int operation, int fd, const struct epoll_event *user);
long linux_epoll_wait(int fd, struct epoll_event *events, int max, int timeout_ms);
long linux_epoll_pwait(int fd, struct epoll_event *events, int max, int timeout_ms,
                       const uint64_t *mask, size_t mask_size);
long linux_epoll_pwait2(int fd, struct epoll_event *events, int max, const struct timespec *timeout,
                        const uint64_t *mask, size_t mask_size);

// timerfd.c
long linux_timerfd_create(int clock, int flags);
long linux_timerfd_settime(int fd, int flags, const struct itimerspec *set, struct itimerspec *get);
long linux_timerfd_gettime(int fd, struct itimerspec *get);

// timer.c
long linux_timer_create(int clock, const struct sigevent *user, int *id);
long linux_timer_settime(int id, int flags, const struct itimerspec *set, struct itimerspec *get);
long linux_timer_gettime(int id, struct itimerspec *get);
long linux_timer_getoverrun(int id);
long linux_timer_delete(int id);
long linux_setitimer(int which, const struct itimerval *set, struct itimerval *get);
long linux_getitimer(int which, struct itimerval *get);
long linux_alarm(unsigned seconds);

// signalfd.c
long linux_signalfd4(int fd, const uint64_t *mask, size_t size, int flags);
long linux_signalfd(int fd, const uint64_t *mask, size_t size);

// io.c
long linux_read(int fd, char *data, size_t size);
long linux_write(int fd, const char *data, size_t size);
long linux_pread64(int fd, char *data, size_t size, int64_t offset);
long linux_pwrite64(int fd, const char *data, size_t size, int64_t offset);
long linux_lseek(int fd, int64_t offset, int from);
long linux_ftruncate(int fd, int64_t size);
long linux_fsync(int fd);
long linux_fdatasync(int fd);
long linux_fadvise64(int fd, int64_t offset, int64_t size, int advice);
long linux_readahead(int fd, int64_t offset, size_t size);
long linux_sync_file_range(int fd, int64_t offset, int64_t size, unsigned flags);
long linux_syncfs(int fd);
long linux_sync(void);
long linux_fallocate(int fd, int mode, int64_t offset, int64_t size);
long linux_ioctl(int fd, unsigned long request, void *argument);
long linux_close(int fd);
long linux_close_range(unsigned first, unsigned last, unsigned flags);
long linux_dup(int fd);
long linux_dup3(int fd, int target, int flags);
long linux_dup2(int fd, int target);
long linux_fcntl(int fd, int command, long argument);
long linux_pipe2(int *user, int flags);
long linux_pipe(int *user);
long linux_memfd_create(const char *name, unsigned flags);
long linux_eventfd2(unsigned value, int flags);

// vector.c
long linux_readv(int fd, const struct iovec *vectors, int count);
long linux_writev(int fd, const struct iovec *vectors, int count);
long linux_preadv(int fd, const struct iovec *vectors, int count, int64_t offset);
long linux_pwritev(int fd, const struct iovec *vectors, int count, int64_t offset);
long linux_preadv2(int fd, const struct iovec *vectors, int count, int64_t offset, long high,
                   int flags);
long linux_pwritev2(int fd, const struct iovec *vectors, int count, int64_t offset, long high,
                    int flags);

// splice.c
long linux_sendfile(int out_fd, int in_fd, int64_t *user_offset, size_t size);
long linux_copy_file_range(int in_fd, int64_t *in_user, int out_fd, int64_t *out_user, size_t size,
                           unsigned flags);
long linux_splice(int in_fd, int64_t *in_user, int out_fd, int64_t *out_user, size_t size,
                  unsigned flags);
long linux_tee(int in_fd, int out_fd, size_t size, unsigned flags);
long linux_vmsplice(int fd, const struct iovec *user, size_t count, unsigned flags);

// socketname.c
long linux_socket(int domain, int kind, int protocol);
long linux_socketpair(int domain, int kind, int protocol, int *user);
long linux_bind(int fd, const void *address, uint32_t size);
long linux_listen(int fd, int backlog);
long linux_connect(int fd, const void *address, uint32_t size);
long linux_accept(int fd, void *address, uint32_t *size);
long linux_accept4(int fd, void *address, uint32_t *size, int flags);
long linux_getsockname(int fd, void *address, uint32_t *size);
long linux_getpeername(int fd, void *address, uint32_t *size);

// socket.c
long linux_sendto(int fd, const char *data, size_t size, int flags, const void *address,
                  uint32_t address_size);
long linux_sendmsg(int fd, const struct msghdr *user, int flags);
long linux_sendmmsg(int fd, struct mmsghdr *user, unsigned count, int flags);
long linux_recvfrom(int fd, char *data, size_t size, int flags, void *address,
                    uint32_t *address_size);
long linux_recvmsg(int fd, struct msghdr *user, int flags);
long linux_recvmmsg(int fd, struct mmsghdr *user, unsigned count, int flags,
                    const struct timespec *timeout);
long linux_shutdown(int fd, int how);
long linux_setsockopt(int fd, int level, int name, const void *user, uint32_t size);
long linux_getsockopt(int fd, int level, int name, void *user, uint32_t *user_size);

// lock.c
long linux_flock(int fd, int operation);
long lock_control(struct file *file, int fd, int command, struct flock *user); // fcntl's

// attributes.c
long linux_setxattr(const char *path, const char *name, const void *value, size_t size, int flags);
long linux_lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags);
long linux_fsetxattr(int fd, const char *name, const void *value, size_t size, int flags);
long linux_attribute_refuse(const char *path, const char *name);
long linux_attribute_refuse_link(const char *path, const char *name);
long linux_attribute_refuse_fd(int fd, const char *name);
long linux_listxattr(const char *path);
long linux_llistxattr(const char *path);
long linux_flistxattr(int fd);

// path.c
long linux_openat(int fd, const char *path, int flags, uint32_t mode);
long linux_open(const char *path, int flags, uint32_t mode);
long linux_creat(const char *path, uint32_t mode);
long linux_newfstatat(int fd, const char *path, struct stat *result, int flags);
long linux_stat(const char *path, struct stat *result);
long linux_lstat(const char *path, struct stat *result);
long linux_fstat(int fd, struct stat *result);
long linux_statx(int fd, const char *path, int flags, unsigned mask, struct statx *result);
long linux_statfs(const char *path, struct statfs *result);
long linux_fstatfs(int fd, struct statfs *result);
long linux_faccessat2(int fd, const char *path, int mode, int flags);
long linux_faccessat(int fd, const char *path, int mode);
long linux_access(const char *path, int mode);
long linux_mkdirat(int fd, const char *path, uint32_t mode);
long linux_mkdir(const char *path, uint32_t mode);
long linux_mknodat(int fd, const char *path, uint32_t mode, unsigned device);
long linux_mknod(const char *path, uint32_t mode, unsigned device);
long linux_unlinkat(int fd, const char *path, int flags);
long linux_unlink(const char *path);
long linux_rmdir(const char *path);
long linux_renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags);
long linux_renameat(int from_fd, const char *from, int to_fd, const char *to);
long linux_rename(const char *from, const char *to);
long linux_linkat(int from_fd, const char *from, int to_fd, const char *to, int flags);
long linux_link(const char *from, const char *to);
long linux_symlinkat(const char *text, int fd, const char *path);
long linux_symlink(const char *text, const char *path);
long linux_readlinkat(int fd, const char *path, char *text, size_t size);
long linux_readlink(const char *path, char *text, size_t size);
long linux_truncate(const char *path, int64_t size);
long linux_fchmodat(int fd, const char *path, uint32_t mode);
long linux_chmod(const char *path, uint32_t mode);
long linux_fchmod(int fd, uint32_t mode);
long linux_fchownat(int fd, const char *path, uint32_t uid, uint32_t gid, int flags);
long linux_chown(const char *path, uint32_t uid, uint32_t gid);
long linux_lchown(const char *path, uint32_t uid, uint32_t gid);
long linux_fchown(int fd, uint32_t uid, uint32_t gid);
long linux_utimensat(int fd, const char *path, const struct timespec *user, int flags);
long linux_chdir(const char *path);
long linux_fchdir(int fd);
long linux_getcwd(char *text, size_t size);
long linux_getdents64(int fd, void *data, size_t size);
long linux_umask(uint32_t mask);

// memory.c
long linux_mmap(char *va, size_t size, int prot, int flags, int fd, int64_t offset);
long linux_munmap(char *va, size_t size);
long linux_mprotect(char *va, size_t size, int prot);
long linux_mremap(char *va, size_t old_size, size_t new_size, int flags, char *target);
long linux_remap_file_pages(char *va, size_t size, int prot, size_t page, int flags);
long linux_mincore(char *va, size_t size, unsigned char *pages);
long linux_brk(char *end);

long linux_pkey_alloc(unsigned long flags, unsigned long rights);
long linux_pkey_free(int key);
long linux_pkey_mprotect(char *va, size_t size, int prot, int key);

// remote.c
long linux_process_vm_readv(int id, const struct iovec *local, size_t local_count,
                            const struct iovec *remote, size_t remote_count, unsigned flags);
long linux_process_vm_writev(int id, const struct iovec *local, size_t local_count,
                             const struct iovec *remote, size_t remote_count, unsigned flags);
long linux_process_madvise(int fd, const struct iovec *parts, size_t count, int advice,
                           unsigned flags);

// segment.c
long linux_shmget(int key, size_t size, int flags);
long linux_shmat(int id, char *va, int flags);
long linux_shmdt(char *va);
long linux_shmctl(int id, int command, void *user);

// advise.c
long linux_madvise(char *va, size_t size, int advice);
long linux_msync(char *va, size_t size, int flags);
long linux_mlock(char *va, size_t size);
long linux_mlock2(char *va, size_t size, int flags);
long linux_munlock(char *va, size_t size);
long linux_mlockall(int flags);
long linux_munlockall(void);

// wait.c
long linux_poll(struct pollfd *fds, size_t count, int timeout_ms);
long linux_ppoll(struct pollfd *fds, size_t count, struct timespec *timeout, const uint64_t *mask,
                 size_t mask_size);
long linux_select(int fd_count, fd_set *reads, fd_set *writes, fd_set *exceptions,
                  struct timeval *timeout);
long linux_pselect6(int fd_count, fd_set *reads, fd_set *writes, fd_set *exceptions,
                    struct timespec *timeout, const struct linux_pselect_mask *mask);

// credentials.c
long linux_getuid(void);
long linux_getgid(void);
long linux_geteuid(void);
long linux_getegid(void);
long linux_getresuid(uint32_t *real, uint32_t *effective, uint32_t *saved);
long linux_getresgid(uint32_t *real, uint32_t *effective, uint32_t *saved);
long linux_setuid(uint32_t uid);
long linux_setgid(uint32_t gid);
long linux_setreuid(uint32_t real, uint32_t effective);
long linux_setregid(uint32_t real, uint32_t effective);
long linux_setresuid(uint32_t real, uint32_t effective, uint32_t saved);
long linux_setresgid(uint32_t real, uint32_t effective, uint32_t saved);
long linux_setfsuid(uint32_t uid);
long linux_setfsgid(uint32_t gid);
long linux_getgroups(int room, uint32_t *ids);
long linux_setgroups(size_t count, const uint32_t *ids);

// capability.c
long linux_capget(void *user_header, void *user_data);
long linux_capset(void *user_header, const void *user_data);

// process.c
long linux_getpid(void);
long linux_getppid(void);
long linux_gettid(void);
long linux_getpgid(int id);
long linux_getsid(int id);
long linux_getpgrp(void);
long linux_setpgid(int id, int group);
long linux_setsid(void);
long linux_uname(struct utsname *result);
long linux_prlimit64(int id, int resource, const struct rlimit *set, struct rlimit *get);
long linux_getrlimit(int resource, struct rlimit *get);
long linux_setrlimit(int resource, const struct rlimit *set);
long linux_sysinfo(struct sysinfo *result);
long linux_getrandom(char *data, size_t size, unsigned flags);
long linux_prctl(int operation, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
long linux_set_tid_address(_Atomic uint32_t *word);
long linux_set_robust_list(void *head, size_t size);
long linux_fork(void);
long linux_vfork(void);
long linux_clone(unsigned long flags); // by the instruction: clone.c
long linux_clone3(void);
long linux_execve(const char *path);
long linux_execveat(void);
long linux_wait4(void);
long linux_waitid(void);
long linux_exit(int status);
long linux_exit_group(int status);
long linux_membarrier(int command, unsigned flags);
long linux_personality(unsigned long persona);

// clone_x86_64.c
long linux_arch_prctl(int operation, uintptr_t a);

// schedule.c
long linux_sched_yield(void);
long linux_sched_setaffinity(int32_t id, size_t size, const uint64_t *user);
long linux_sched_getaffinity(int32_t id, size_t size, uint64_t *user);
long linux_getcpu(unsigned *cpu, unsigned *node);
long linux_sched_getscheduler(int32_t id);
long linux_sched_setscheduler(int32_t id, int policy, const int *priority);
long linux_sched_getparam(int32_t id, int *priority);
long linux_sched_setparam(int32_t id, const int *priority);
long linux_sched_setattr(int32_t id, void *user, unsigned flags);
long linux_sched_getattr(int32_t id, void *user, uint32_t size, unsigned flags);
long linux_sched_rr_get_interval(int32_t id, struct timespec *interval);
long linux_sched_get_priority_max(int policy);
long linux_sched_get_priority_min(int policy);
long linux_getpriority(int which, int who);
long linux_setpriority(int which, int who, int nice);

// signal.c, signal_calls.c
long linux_rt_sigaction(int signal, const void *set, void *get, size_t size);
long linux_rt_sigprocmask(int how, const uint64_t *set, uint64_t *get, size_t size);
long linux_rt_sigpending(uint64_t *get, size_t size);
long linux_rt_sigsuspend(const uint64_t *user, size_t size);
long linux_pause(void);
long linux_rt_sigtimedwait(const uint64_t *user, void *info, const struct timespec *timeout,
                           size_t size);
long linux_kill(int id, int signal);
long linux_tkill(int32_t id, int signal);
long linux_tgkill(int32_t group, int32_t id, int signal);
long linux_rt_sigqueueinfo(int id, int signal, const void *user);
long linux_rt_tgsigqueueinfo(int32_t group, int32_t id, int signal, const void *user);
long linux_sigaltstack(const void *set, void *get);

// One row of the table of system calls.
struct linux_row {
    linux_call *call;
    const char *name;
    const char *arguments; // for --strace, a letter each; see trace.c
    int number;
    bool never_restarts; // -EINTR stays -EINTR whatever the handler's SA_RESTART says (signal(7))
};

// The name of any system call of Linux on the ISA. NULL: there is none with this number.
const char *linux_call_name(long number);

extern const struct linux_row linux_rows[]; // of the ISA
extern const size_t linux_row_count;

#endif
