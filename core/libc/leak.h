// SPDX-License-Identifier: BSD-3-Clause
// leak.h: --leak: which blocks of malloc the program has not freed, and which of them it cannot
// free any more.
#ifndef CORE_LIBC_LEAK_H
#define CORE_LIBC_LEAK_H

// Prints the report to the console. By the thread that ends the process: all others stop for ever,
// and what their stacks had below their stack pointers is gone.
void leak_report(void);

#endif
