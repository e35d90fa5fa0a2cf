// SPDX-License-Identifier: BSD-3-Clause
// stackname.h: which of the program's threads has its stack where, for /proc/self/maps.
#ifndef CORE_VFS_STACKNAME_H
#define CORE_VFS_STACKNAME_H

#include <stdint.h>

#include "core/lib/tree.h"

struct stack_names {
    struct tree tree;
};

// All threads that there are. What has no memory to be remembered is left out. Thread context.
void stack_names_collect(struct stack_names *names);
void stack_names_free(struct stack_names *names);

// The thread whose stack reaches into [start, end), the lowest of several; 0: none.
int32_t stack_names_find(const struct stack_names *names, const char *start, const char *end);

#endif
