// SPDX-License-Identifier: BSD-3-Clause
// direct.h: functions that answer without a system call, which --strace and --stats would not see.
#ifndef CORE_LIBC_DIRECT_H
#define CORE_LIBC_DIRECT_H

// With --strace or --stats programs find others under those names, which make the call. After
// elf_system_register.
void libc_direct_init(void);

#endif
