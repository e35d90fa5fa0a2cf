// SPDX-License-Identifier: BSD-3-Clause
// trap.c: the system-call instruction.
//
// Programs meet core by symbol. An instruction in a program's own text is reported and ends the
// program: it is never run by the host.
#include "core/elf/program.h"
#include "core/lib/format.h"
#include "core/linux/calls.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/report.h"
#include "core/linux/syscall.h"
#include "hal/upcall.h"

enum { SIGNAL_SYSTEM_CALL = 31 };

void upcall_syscall(struct hal_frame *frame)
{
    struct hal_regs regs;
    hal_frame_get(frame, &regs);
    long number = machine_system_call_number(&regs);
    const struct linux_row *row = syscall_row(number);
    console_print("osv: a system call instruction (%s, number %ld) in the program's own code: "
                  "programs that do not "
                  "call libc for it are not supported yet\n",
                  row == NULL ? "unknown" : row->name, number);
    report_fatal(SIGNAL_SYSTEM_CALL, &regs, NULL);
    process_exit(128 + SIGNAL_SYSTEM_CALL);
}
