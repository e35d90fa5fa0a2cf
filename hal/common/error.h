// SPDX-License-Identifier: BSD-3-Clause
// error.h: the errno numbers that a machine answers; no C library is below it that would have them.
#ifndef HAL_COMMON_ERROR_H
#define HAL_COMMON_ERROR_H

enum {
    ERROR_IO = 5,
    ERROR_NOMEM = 12,
    ERROR_FAULT = 14,
    ERROR_NODEV = 19,
    ERROR_INVAL = 22,
    ERROR_NOSPC = 28,
};

#endif
