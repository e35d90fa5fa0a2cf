// SPDX-License-Identifier: BSD-3-Clause
// dies.c: ends in the way that its argument names.
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "inline.h"

void die_null(void);
void die_divide(void);
void die_freed(void *volatile block);
void die_freed_twice(void *block, void *other);
void die_illegal(void);
int die_stack(volatile char *above);
void die_syscall(void);
extern void no_such_function(void);

static volatile int zero;
static char *volatile nowhere;

__attribute__((noinline, visibility("default"))) void die_null(void)
{
    *nowhere = 1;
}

__attribute__((noinline, visibility("default"))) void die_divide(void)
{
    printf("%d\n", 100 / zero);
}

__attribute__((noinline, visibility("default"))) void die_freed(void *volatile block)
{
    free(block);
}

__attribute__((noinline, visibility("default"))) void die_freed_twice(void *block, void *other)
{
    free(block);
    free(other);
    free(block);
}

__attribute__((noinline, visibility("default"))) void die_illegal(void)
{
    __builtin_trap();
}

__attribute__((noinline, visibility("default"))) int die_stack(volatile char *above)
{
    volatile char page[1024];
    page[0] = *above;
    return zero != 0 ? 0 : die_stack(page) + page[1];
}

__attribute__((noinline, visibility("default"))) void die_syscall(void)
{
    INLINE(SYS_tgkill, getpid(), gettid(), SIGABRT);
}

int main(int argc, char **argv)
{
    const char *how = argc > 1 ? argv[1] : "none";
    volatile char start = 1;
    if (strcmp(how, "null") == 0) {
        die_null();
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "divide") == 0) {
        die_divide();
    } else if (strcmp(how, "freed-twice") == 0) {
        die_freed_twice(malloc(64), malloc(64));
    } else if (strcmp(how, "no-block") == 0) {
        die_freed((void *)&start);
    } else if (strcmp(how, "illegal") == 0) {
        die_illegal();
    } else if (strcmp(how, "terminate") == 0) {
        raise(SIGTERM);
    } else if (strcmp(how, "syscall") == 0) {
        die_syscall();
    } else if (strcmp(how, "fork") == 0) {
        return fork() == -1 ? 0 : 1;
    } else if (strcmp(how, "exec") == 0) {
        return execl("/bin/true", "true", NULL) == -1 ? 0 : 1;
    } else if (strcmp(how, "missing") == 0) {
        no_such_function();
    } else if (strcmp(how, "unknown") == 0) {
        return syscall(SYS_bpf, 0, NULL, 0) == -1 ? 0 : 1;
    } else if (strcmp(how, "stack") == 0) {
        return die_stack(&start);
    }
    return 0;
}
