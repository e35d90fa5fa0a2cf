// SPDX-License-Identifier: BSD-3-Clause
// message.h: last words.
#ifndef CORE_LIBC_MESSAGE_H
#define CORE_LIBC_MESSAGE_H

#include "hal/hal.h"

// Writes text to standard error, unbuffered, and aborts.
HAL_NORETURN void libc_fatal(const char *text);

#endif
