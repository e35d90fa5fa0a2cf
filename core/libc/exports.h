// SPDX-License-Identifier: BSD-3-Clause
// exports.h: the names that applications may link against in libc.so.6 and its companions.
//
// The table is generated when core is sealed (exports.py): every name and version that Debian 12's
// glibc exports and that core or musl defines. Where core defines glibc_NAME, that is what NAME
// means; otherwise it is the plain NAME. A name has one row per version, all with the same address.
// Invariant: sorted by strcmp of name, then of version; no row twice; no address is null.
#ifndef CORE_LIBC_EXPORTS_H
#define CORE_LIBC_EXPORTS_H

#include <stddef.h>

struct libc_export {
    const char *name;
    const char *version; // "GLIBC_2.2.5"
    void *address;
};

extern const struct libc_export libc_exports[];
extern const size_t libc_export_count;

#endif
