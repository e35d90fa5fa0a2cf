// SPDX-License-Identifier: BSD-3-Clause
// time_pattern.h: what strftime and strptime both know: conversions that stand for several others.
#ifndef CORE_LIBC_TIME_PATTERN_H
#define CORE_LIBC_TIME_PATTERN_H

const char *time_pattern(char letter); // NULL: the letter is none of these

#endif
