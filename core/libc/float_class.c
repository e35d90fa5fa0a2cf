// SPDX-License-Identifier: BSD-3-Clause
// float_class.c: isnan, isinf and finite as functions, for programs that are not linked with libm.
#include "core/libc/export.h"

#define CLASSES(type, suffix)                                                                      \
    EXPORT(int, isnan##suffix, type value)                                                         \
    {                                                                                              \
        return __builtin_isnan(value);                                                             \
    }                                                                                              \
    EXPORT(int, isinf##suffix, type value)                                                         \
    {                                                                                              \
        return __builtin_isinf(value) ? (__builtin_signbit(value) ? -1 : 1) : 0;                   \
    }                                                                                              \
    EXPORT(int, finite##suffix, type value)                                                        \
    {                                                                                              \
        return __builtin_isfinite(value);                                                          \
    }

CLASSES(double, )
CLASSES(float, f)
CLASSES(long double, l)
