// SPDX-License-Identifier: BSD-3-Clause
// environment.c: getenv.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "core/libc/copied.h"

char *getenv(const char *name)
{
    size_t length = strcspn(name, "=");
    if (length == 0 || name[length] != 0 || *libc_environ == NULL) {
        return NULL;
    }
    for (char **entry = *libc_environ; *entry != NULL; ++entry) {
        // most differ in their first letter
        if ((*entry)[0] == name[0] && strncmp(*entry, name, length) == 0 &&
            (*entry)[length] == '=') {
            return *entry + length + 1;
        }
    }
    return NULL;
}
