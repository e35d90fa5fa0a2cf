// SPDX-License-Identifier: BSD-3-Clause
// order.c: initialisers run dependencies first and get the program's arguments, finalisers in the
// opposite order.
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int order_a(void);
int order_b(void);

static void say(const char *text)
{
    printf("%s\n", text);
}

static void early(int argc, char **argv, char **envp)
{
    printf("preinit %d %d %d\n", argc, argv[0] != NULL, envp != NULL);
}

__attribute__((section(".preinit_array"), used)) static void (*const preinit)(int, char **,
                                                                              char **) = early;

__attribute__((constructor(200))) static void program_second(void)
{
    say("program 200");
}

__attribute__((constructor(101))) static void program_first(void)
{
    say("program 101");
}

__attribute__((constructor)) static void program_arguments(int argc, char **argv, char **envp)
{
    printf("program arguments %d %d %d\n", argc, argv[argc] == NULL, envp != NULL);
}

__attribute__((destructor)) static void program_end(void)
{
    say("program end");
}

static void at_exit(void)
{
    say("atexit");
}

int main(void)
{
    say("main");
    atexit(at_exit);
    printf("%d %d\n", order_a(), order_b());
    void *late = dlopen("liborder_late.so", RTLD_NOW);
    printf("late: %s\n", late == NULL ? dlerror() : "loaded");
    int (*value)(void) = (int (*)(void))dlsym(late, "order_late");
    printf("%d\n", value());
    return 0;
}
