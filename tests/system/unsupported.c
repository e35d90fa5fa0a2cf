// SPDX-License-Identifier: BSD-3-Clause
// unsupported.c: system calls that there are none of say so, as programs expect of an older Linux.
#include <sys/syscall.h>
#include <unistd.h>

#include "show.h"

int main(void)
{
    SHOW(syscall(SYS_userfaultfd, 0));
    SHOW(syscall(SYS_io_uring_setup, 8, NULL));
    SHOW(syscall(SYS_bpf, 0, NULL, 0));
    SHOW(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
    SHOW(syscall(SYS_pidfd_open, getpid(), 0));
    SHOW(syscall(SYS_kexec_load, 0, 0, NULL, 0));
    SHOW(syscall(100000));
    return 0;
}
