// SPDX-License-Identifier: BSD-3-Clause
// copied.h: the library's half of copied.c.
#ifndef TESTS_SYSTEM_ELF_COPIED_H
#define TESTS_SYSTEM_ELF_COPIED_H

#include <stdio.h>

FILE *library_stdin(void);
FILE *library_stdout(void);
FILE *library_stderr(void);
void library_stdout_set(FILE *file);
void library_print(const char *text);
char **library_environ(void);
void library_environ_set(void);
char *library_getenv(const char *name);
int library_getopt(int count, char **words, const char *letters);
int library_optind(void);
int library_optopt(void);
const char *library_program_name(void);
void library_print_zone(void);
void library_tzset(void);
int library_signgam(void);

#endif
