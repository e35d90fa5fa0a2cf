// SPDX-License-Identifier: BSD-3-Clause
// forced.h: comes before the first line of every file of musl and of musl_*.c (-include).
//
// A program may take a data object of libc over by a COPY relocation. So musl reaches each through a pointer, which the
// dynamic linker moves (core/libc/copied.c). Declarations survive the renaming: `extern int daylight` declares the pointer.
// A program may bring its own malloc. So musl allocates through core/libc/memory.c, which knows whose to call.
#ifndef LIBC_FORCED_H
#define LIBC_FORCED_H

#ifndef __ASSEMBLER__ // musl has some assembly
extern long *libc_timezone;
extern int *libc_daylight;
extern char *(*libc_tzname)[2];
#endif

#define __environ       (*libc_environ)
#define __progname      (*libc_progname)
#define __progname_full (*libc_progname_full)
#define __timezone      (*libc_timezone)
#define __daylight      (*libc_daylight)
#define __tzname        (*libc_tzname)

#define malloc         libc_malloc
#define calloc         libc_calloc
#define realloc        libc_realloc
#define free           libc_free
#define aligned_alloc  libc_aligned_alloc
#define memalign       libc_memalign
#define posix_memalign libc_posix_memalign

#endif
