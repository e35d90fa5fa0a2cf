// SPDX-License-Identifier: BSD-3-Clause
// exports.h: the names that applications may link against in libc.so.6 and its companions.
//
// The table is generated when core is sealed (exports.py): every name and version that Debian 12's
// glibc exports and that core or musl defines. Where core defines glibc_NAME, that is what NAME
// means; otherwise it is the plain NAME. A name has one row per version, all with the same address.
// Invariant: sorted by strcmp of name, then of version; no row twice; no address is null. The index
// by hash is that of struct elf_symbols.
#ifndef CORE_LIBC_EXPORTS_H
#define CORE_LIBC_EXPORTS_H

#include <stddef.h>
#include <stdint.h>

#include "core/elf/program.h"

extern struct elf_symbol libc_exports[];
extern const size_t libc_export_count;
extern const uint16_t libc_export_buckets[];
extern const size_t libc_export_bucket_count;
extern const char libc_export_texts[];
extern const char *const libc_export_versions[];

_Static_assert(sizeof(struct elf_symbol) == 16, "exports.py");
_Static_assert(offsetof(struct elf_symbol, name) == 8, "exports.py");
_Static_assert(offsetof(struct elf_symbol, hash) == 12, "exports.py");
_Static_assert(offsetof(struct elf_symbol, version) == 14, "exports.py");

#endif
