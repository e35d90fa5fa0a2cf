// SPDX-License-Identifier: BSD-3-Clause
// copied.c: data objects of the C library that the program has copied are the same in the program
// and in a library: what one sets the other reads, and the C library uses it.
#include "copied.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char *__progname, *__progname_full;
extern char **__environ, **_environ;
extern void *__libc_stack_end;

static void standard_streams(void)
{
    printf("streams: %d %d %d\n", stdin == library_stdin(), stdout == library_stdout(),
           stderr == library_stderr());
    library_print("from the library\n");
    FILE *saved = stdout;
    stdout = stderr;
    printf("to stderr\n");
    fflush(stdout);
    library_stdout_set(saved);
    printf("to stdout again\n");
}

static void environment(void)
{
    static char *own[] = {"NAME=program", NULL};
    printf("environ: %d %d %d\n", environ == library_environ(), __environ == environ,
           _environ == environ);
    environ = own;
    printf("getenv: %s %s\n", getenv("NAME"), library_getenv("NAME"));
    library_environ_set();
    printf("getenv: %s %s\n", getenv("NAME"), library_getenv("NAME"));
    setenv("OTHER", "1", 1);
    printf("setenv: %d %s\n", environ == library_environ(), library_getenv("OTHER"));
}

static void options(void)
{
    char *words[] = {"program", "-a", "-b", "value", "-z", "rest", NULL};
    printf("optind: %d opterr: %d optopt: %d\n", optind, opterr, optopt == '?');
    opterr = 0;
    printf("getopt: %c %d\n", getopt(6, words, "ab:"), optind);
    printf("getopt: %c %s\n", library_getopt(6, words, "ab:"), optarg);
    printf("getopt: %c", getopt(6, words, "ab:"));
    printf(" %c %c\n", optopt, library_optopt());
    printf("getopt: %d %d %d\n", getopt(6, words, "ab:"), optind, library_optind());
    optind = 1;
    printf("getopt: %c\n", library_getopt(6, words, "ab:"));
}

static void names(void)
{
    int here = 0;
    printf("names: %s %d %d\n", program_invocation_short_name,
           __progname == program_invocation_short_name, __progname_full == program_invocation_name);
    program_invocation_name = "renamed";
    printf("names: %s %s\n", program_invocation_name, library_program_name());
    printf("stack end: %d\n", __libc_stack_end > (void *)&here);
}

static void times(void)
{
    setenv("TZ", "AAA5BBB", 1);
    tzset();
    printf("tz: %s %s %ld %d\n", tzname[0], tzname[1], timezone, daylight);
    library_print_zone();
    setenv("TZ", "UTC", 1);
    library_tzset();
    printf("tz: %s %ld %d\n", tzname[0], timezone, daylight);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    standard_streams();
    options();
    names();
    times();
    environment();
    double value = lgamma(-0.5);
    printf("signgam: %d %d %.3f\n", signgam, library_signgam(), value);
    return 0;
}
