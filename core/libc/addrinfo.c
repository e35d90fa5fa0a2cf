// SPDX-License-Identifier: BSD-3-Clause
// addrinfo.c: getaddrinfo with glibc's flags about names beyond ASCII, which musl's does not know.
// Names of ASCII alone are the same in both forms; of others glibc without libidn2 says the same.
#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/libc/export.h"

enum { IDN = 0x40, CANONICAL_IDN = 0x80, IDN_OLD = 0x300 }; // <netdb.h> of glibc

static bool is_ascii(const char *name)
{
    while (name != NULL && *name != 0 && (unsigned char)*name < 0x80) {
        ++name;
    }
    return name == NULL || *name == 0;
}

EXPORT(int, getaddrinfo, const char *host, const char *service, const struct addrinfo *hint,
       struct addrinfo **result)
{
    if (hint == NULL) {
        return getaddrinfo(host, service, hint, result);
    }
    struct addrinfo known = *hint;
    if ((known.ai_flags & IDN) != 0 && !is_ascii(host)) {
        return EAI_IDN_ENCODE;
    }
    known.ai_flags &= ~(IDN | CANONICAL_IDN | IDN_OLD);
    return getaddrinfo(host, service, &known, result);
}
