// SPDX-License-Identifier: BSD-3-Clause
// forced.h: comes before the first line of every file of musl and of musl_*.c (-include).
