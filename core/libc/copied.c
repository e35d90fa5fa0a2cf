// SPDX-License-Identifier: BSD-3-Clause
// copied.c: the data objects of copied.h, under all names that glibc gives them.
//
// Invariant: *pointer is the object that the program sees, from the moment elf_load returns.
#include "core/libc/copied.h"

#include "core/libc/libc.h"
#include "core/libc/start.h"

#define ALIAS(name, of) extern __typeof__(of) name __attribute__((alias(#of)))

char **glibc___environ;
ALIAS(glibc__environ, glibc___environ);
ALIAS(glibc_environ, glibc___environ);

char *glibc___progname = "";
ALIAS(glibc_program_invocation_short_name, glibc___progname);
char *glibc___progname_full = "";
ALIAS(glibc_program_invocation_name, glibc___progname_full);

long glibc___timezone;
ALIAS(glibc_timezone, glibc___timezone);
int glibc___daylight;
ALIAS(glibc_daylight, glibc___daylight);
char *glibc___tzname[2] = {"GMT", "GMT"};
ALIAS(glibc_tzname, glibc___tzname);

char *glibc_optarg;
int glibc_optind = 1, glibc_opterr = 1, glibc_optopt = '?';

char glibc___libc_single_threaded = 1;
int glibc___libc_enable_secure;
void *glibc___libc_stack_end;

// musl_streams.c
extern void *glibc_stdin, *glibc_stdout, *glibc_stderr;
extern void **libc_stdin, **libc_stdout, **libc_stderr;

char ***libc_environ = &glibc___environ;
char **libc_progname = &glibc___progname, **libc_progname_full = &glibc___progname_full;
long *libc_timezone = &glibc___timezone;
int *libc_daylight = &glibc___daylight;
char *(*libc_tzname)[2] = &glibc___tzname;
char **libc_optarg = &glibc_optarg;
int *libc_optind = &glibc_optind, *libc_opterr = &glibc_opterr, *libc_optopt = &glibc_optopt;
char *libc_single_threaded = &glibc___libc_single_threaded;

// error.c, obstack.c, regex.c
extern unsigned *libc_error_count;
extern int *libc_error_once;
extern void (**libc_error_program)(void);
extern void (**libc_obstack_handler)(void);
extern unsigned long *libc_regex_syntax;

#define COPIED(name, pointer)                                                                      \
    {                                                                                              \
        name, (void **)&(pointer), sizeof *(pointer)                                               \
    }

// names.c: nothing here reads them after the program has copies
extern char glibc__libc_intl_domainname[sizeof "libc"];
extern int glibc__nl_msg_cat_cntr;
static char (*domain_name)[sizeof "libc"] = &glibc__libc_intl_domainname;
static int *catalogue_count = &glibc__nl_msg_cat_cntr;

// argp_parse.c, which looks them up by name
extern int glibc_argp_err_exit_status;
static int *argp_status = &glibc_argp_err_exit_status;

const struct elf_copied libc_copied[] = {
    COPIED("environ", libc_environ),
    COPIED("__environ", libc_environ),
    COPIED("_environ", libc_environ),
    COPIED("__progname", libc_progname),
    COPIED("program_invocation_short_name", libc_progname),
    COPIED("__progname_full", libc_progname_full),
    COPIED("program_invocation_name", libc_progname_full),
    COPIED("timezone", libc_timezone),
    COPIED("__timezone", libc_timezone),
    COPIED("daylight", libc_daylight),
    COPIED("__daylight", libc_daylight),
    COPIED("tzname", libc_tzname),
    COPIED("__tzname", libc_tzname),
    COPIED("optarg", libc_optarg),
    COPIED("optind", libc_optind),
    COPIED("opterr", libc_opterr),
    COPIED("optopt", libc_optopt),
    COPIED("stdin", libc_stdin),
    COPIED("stdout", libc_stdout),
    COPIED("stderr", libc_stderr),
    COPIED("__libc_single_threaded", libc_single_threaded),
    COPIED("error_message_count", libc_error_count),
    COPIED("error_one_per_line", libc_error_once),
    COPIED("error_print_progname", libc_error_program),
    COPIED("obstack_alloc_failed_handler", libc_obstack_handler),
    COPIED("re_syntax_options", libc_regex_syntax),
    COPIED("_libc_intl_domainname", domain_name),
    COPIED("_nl_msg_cat_cntr", catalogue_count),
    COPIED("argp_err_exit_status", argp_status),
};

const size_t libc_copied_count = sizeof libc_copied / sizeof libc_copied[0];

void libc_stack_end_set(void *end)
{
    glibc___libc_stack_end = end;
}
