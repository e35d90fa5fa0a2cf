// SPDX-License-Identifier: BSD-3-Clause
// libcopied.c: the library's half of copied.c.
#include "copied.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

FILE *library_stdin(void)
{
    return stdin;
}

FILE *library_stdout(void)
{
    return stdout;
}

FILE *library_stderr(void)
{
    return stderr;
}

void library_stdout_set(FILE *file)
{
    stdout = file;
}

void library_print(const char *text)
{
    fputs(text, stdout);
}

char **library_environ(void)
{
    return environ;
}

void library_environ_set(void)
{
    static char *own[] = {"NAME=library", NULL};
    environ = own;
}

char *library_getenv(const char *name)
{
    return getenv(name);
}

int library_getopt(int count, char **words, const char *letters)
{
    return getopt(count, words, letters);
}

int library_optind(void)
{
    return optind;
}

int library_optopt(void)
{
    return optopt;
}

const char *library_program_name(void)
{
    return program_invocation_name;
}

void library_print_zone(void)
{
    printf("library: %s %s %ld %d\n", tzname[0], tzname[1], timezone, daylight);
}

void library_tzset(void)
{
    tzset();
}

int library_signgam(void)
{
    return signgam;
}
