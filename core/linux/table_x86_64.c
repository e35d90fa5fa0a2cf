// SPDX-License-Identifier: BSD-3-Clause
// table_x86_64.c: the system calls of x86_64, numbered as Linux numbers them there.
#include <sys/syscall.h>

#include "core/linux/calls.h"
#include "core/linux/futex.h"
#include "core/linux/mempolicy.h"
#include "core/linux/table.h"

#define CAST(function) ((linux_call *)(void (*)(void))(function))
#define ROW(name, function, arguments)                                                             \
    {                                                                                              \
        CAST(function), #name, arguments, SYS_##name, false                                        \
    }
#define ROW_NEVER(name, function, arguments)                                                       \
    {                                                                                              \
        CAST(function), #name, arguments, SYS_##name, true                                         \
    }

// clang-format off
const struct linux_row linux_rows[] = {
LINUX_ROWS_COMMON
    ROW(open, linux_open, "sxo"),
    ROW(stat, linux_stat, "sp"),
    ROW(lstat, linux_lstat, "sp"),
    ROW_NEVER(poll, linux_poll, "puu"),
    ROW(access, linux_access, "sd"),
    ROW(pipe, linux_pipe, "p"),
    ROW_NEVER(select, linux_select, "dpppp"),
    ROW(dup2, linux_dup2, "dd"),
    ROW_NEVER(pause, linux_pause, ""),
    ROW(fork, linux_fork, ""),
    ROW(vfork, linux_vfork, ""),
    ROW(rename, linux_rename, "ss"),
    ROW(mkdir, linux_mkdir, "so"),
    ROW(mknod, linux_mknod, "sox"),
    ROW(rmdir, linux_rmdir, "s"),
    ROW(creat, linux_creat, "so"),
    ROW(link, linux_link, "ss"),
    ROW(unlink, linux_unlink, "s"),
    ROW(symlink, linux_symlink, "ss"),
    ROW(readlink, linux_readlink, "spu"),
    ROW(chmod, linux_chmod, "so"),
    ROW(chown, linux_chown, "sdd"),
    ROW(lchown, linux_lchown, "sdd"),
    ROW(getpgrp, linux_getpgrp, ""),
    ROW(epoll_create, linux_epoll_create, "d"),
    ROW_NEVER(epoll_wait, linux_epoll_wait, "dpdd"),
    ROW(alarm, linux_alarm, "u"),
    ROW(signalfd, linux_signalfd, "dpu"),
    ROW(time, linux_time, "p"),
    ROW(arch_prctl, linux_arch_prctl, "xx"),
};
// clang-format on

const size_t linux_row_count = sizeof linux_rows / sizeof linux_rows[0];
