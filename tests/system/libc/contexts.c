// SPDX-License-Identifier: BSD-3-Clause
// contexts.c: makecontext, swapcontext, getcontext and setcontext; a backtrace.
#include <execinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

enum { STACK_SIZE = 65536, PLACES = 10 };

static ucontext_t home, first, second;
static char first_stack[STACK_SIZE], second_stack[STACK_SIZE];

static void run_first(int a, int b, int c, int d, int e, int f, int g, int h)
{
    printf("arguments %d %d %d %d %d %d %d %d\n", a, b, c, d, e, f, g, h);
    for (int i = 0; i < 3; ++i) {
        printf("first %d\n", i);
        swapcontext(&first, &second);
    }
}

static void run_second(void)
{
    for (int i = 0; i < 3; ++i) {
        printf("second %d\n", i);
        swapcontext(&second, &first);
    }
}

static void stack_set(ucontext_t *context, char *stack)
{
    getcontext(context);
    context->uc_stack.ss_sp = stack;
    context->uc_stack.ss_size = STACK_SIZE;
    context->uc_link = &home;
}

int main(void)
{
    stack_set(&first, first_stack);
    makecontext(&first, (void (*)(void))run_first, 8, 1, 2, 3, 4, 5, 6, 7, 8);
    stack_set(&second, second_stack);
    makecontext(&second, run_second, 0);
    swapcontext(&home, &first);
    puts("back");
    volatile int turns = 0;
    getcontext(&home);
    ++turns;
    printf("turn %d\n", turns);
    if (turns < 3) {
        setcontext(&home);
    }
    void *places[PLACES];
    int count = backtrace(places, PLACES);
    char **texts = backtrace_symbols(places, count);
    printf("%d %d\n", count > 0, texts != NULL);
    free(texts);
    return 0;
}
