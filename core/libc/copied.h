// SPDX-License-Identifier: BSD-3-Clause
// copied.h: the data objects of libc that programs take over by COPY relocation. Each is reached
// through a pointer, also by musl (override/forced.h), which the dynamic linker moves to the
// program's copy.
#ifndef CORE_LIBC_COPIED_H
#define CORE_LIBC_COPIED_H

#include <stddef.h>

#include "core/elf/program.h"

extern char ***libc_environ;
extern char **libc_progname, **libc_progname_full;
extern long *libc_timezone;
extern int *libc_daylight;
extern char *(*libc_tzname)[2];
extern char **libc_optarg;
extern int *libc_optind, *libc_opterr, *libc_optopt;
extern char *libc_single_threaded;

extern const struct elf_copied libc_copied[];
extern const size_t libc_copied_count;

#endif
