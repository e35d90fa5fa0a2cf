// SPDX-License-Identifier: BSD-3-Clause
// library.h: of the library that threads.c is linked with.
#ifndef TESTS_SYSTEM_DEBUG_LIBRARY_H
#define TESTS_SYSTEM_DEBUG_LIBRARY_H

int library_compare(int a, int b);

// how: 0 by a fault, 1 by abort.
void library_die(int how);

#endif
