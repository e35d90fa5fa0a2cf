// SPDX-License-Identifier: BSD-3-Clause
// corefile.h: the core file itself: which parts it has and how they are laid out.
#ifndef CORE_LINUX_COREFILE_H
#define CORE_LINUX_COREFILE_H

#include <stdint.h>

#include "core/linux/signal.h"
#include "hal/hal.h"

struct file;
struct hal_regs;
struct thread;

struct corefile_death {
    struct thread *thread;       // that the signal was for
    const struct hal_regs *regs; // its registers; NULL: those that it was switched out with
    struct linux_signal_info info;
};

// Writes all of the program into file. settle is called now and then. Answers the file's size.
// -ENOMEM, -EFBIG, or what writing answered.
HAL_MUST_CHECK int corefile_write(struct file *file, const struct corefile_death *death,
                                  void (*settle)(void), uint64_t *size);

#endif
