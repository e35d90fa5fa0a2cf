// SPDX-License-Identifier: BSD-3-Clause
// export.h: how core/libc defines what programs see.
#ifndef CORE_LIBC_EXPORT_H
#define CORE_LIBC_EXPORT_H

// Defines glibc_NAME, which programs find under NAME (exports.py). A macro, so that each function
// has its declaration before its definition without a header that nobody else would read.
#define EXPORT(result, name, ...)                                                                  \
    result glibc_##name(__VA_ARGS__);                                                              \
    result glibc_##name(__VA_ARGS__)

#endif
