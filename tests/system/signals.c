// SPDX-License-Identifier: BSD-3-Clause
// signals.c: handlers, masks, alternate stacks, faults, interrupted calls.
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "show.h"

static volatile sig_atomic_t count;
static volatile sig_atomic_t last;

static void on_signal(int signal)
{
    ++count;
    last = signal;
}

static void install(int signal, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigaction(signal, &action, NULL);
}

static void basics(void)
{
    install(SIGUSR1, on_signal, 0);
    SHOW(raise(SIGUSR1));
    printf("count %d, last %d\n", count, last);
    SHOW(kill(getpid(), SIGUSR1));
    printf("count %d\n", count);
    SHOW(kill(getpid(), 0));
    SHOW(kill(getpid(), 99));
    SHOW(kill(999999, 0));
    struct sigaction old;
    SHOW(sigaction(SIGUSR1, NULL, &old));
    printf("handler is ours: %d\n", old.sa_handler == on_signal);
    SHOW(sigaction(SIGKILL, &old, NULL));
    SHOW(sigaction(99, &old, NULL));
    install(SIGUSR1, SIG_IGN, 0);
    SHOW(raise(SIGUSR1));
    install(SIGUSR2, on_signal, SA_RESETHAND);
    SHOW(raise(SIGUSR2));
    sigaction(SIGUSR2, NULL, &old);
    printf("count %d, reset %d\n", count, old.sa_handler == SIG_DFL);
    SHOW(raise(SIGCHLD));
    SHOW(raise(SIGWINCH));
}

static void masks(void)
{
    sigset_t set, old;
    install(SIGUSR1, on_signal, 0);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    count = 0;
    SHOW(sigprocmask(SIG_BLOCK, &set, &old));
    raise(SIGUSR1);
    raise(SIGUSR1);
    printf("blocked: count %d\n", count);
    SHOW(sigpending(&old));
    printf("pending %d\n", sigismember(&old, SIGUSR1));
    SHOW(sigprocmask(SIG_UNBLOCK, &set, NULL));
    printf("unblocked: count %d\n", count);
    SHOW(sigprocmask(SIG_BLOCK, &set, NULL));
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    SHOW(sigsuspend(&none));
    printf("suspended: count %d\n", count);
    raise(SIGUSR1);
    struct timespec now = {0};
    SHOW(sigtimedwait(&set, NULL, &now));
    SHOW(sigtimedwait(&set, NULL, &now));
    SHOW(sigprocmask(77, &set, NULL));
    SHOW(sigprocmask(SIG_SETMASK, &none, NULL));
}

static sigjmp_buf back;
static volatile uintptr_t fault_address;
static volatile int on_alternate;
static char *alternate;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    char here;
    (void)context;
    last = signal;
    fault_address = (uintptr_t)info->si_addr;
    on_alternate = &here >= alternate && &here < alternate + 65536;
    siglongjmp(back, 1);
}

static void install_fault(int signal, int flags)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

static int recurse(volatile char *above)
{
    volatile char page[4096];
    page[0] = *above;
    return *above == 0 ? 0 : recurse(page) + page[100]; // it never is
}

static void faults(void)
{
    install_fault(SIGSEGV, 0);
    if (sigsetjmp(back, 1) == 0) {
        *(volatile int *)0x1234 = 1;
    }
    printf("signal %d at %lx\n", last, (long)fault_address);
    install_fault(SIGFPE, 0);
    volatile int zero = 0;
    if (sigsetjmp(back, 1) == 0) {
        printf("%d\n", 1 / zero);
    }
    printf("signal %d\n", last);
    install_fault(SIGILL, 0);
    if (sigsetjmp(back, 1) == 0) {
        __builtin_trap();
    }
    printf("signal %d\n", last);
    alternate = malloc(65536);
    stack_t stack = {.ss_sp = alternate, .ss_size = 65536};
    SHOW(sigaltstack(&stack, NULL));
    install_fault(SIGSEGV, SA_ONSTACK);
    if (sigsetjmp(back, 1) == 0) {
        volatile char start = 1;
        recurse(&start);
    }
    printf("overflow: signal %d, on the alternate stack %d\n", last, on_alternate);
    stack.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&stack, NULL));
}

// The handler repairs what faulted, and the instruction runs again.
static char *guarded;

static void on_repair(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    ++count;
    mprotect(guarded, 4096, PROT_READ | PROT_WRITE);
}

static void resumption(void)
{
    guarded = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_sigaction = on_repair, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    count = 0;
    double kept = 1.5;
    for (int i = 0; i < 10; ++i) {
        mprotect(guarded, 4096, PROT_NONE);
        kept = kept * 1.25 + guarded[i];
        guarded[i] = 0;
    }
    printf("repaired %d, %.6f\n", count, kept);
    install(SIGSEGV, SIG_DFL, 0);
}

static _Atomic int is_over;

// Again and again: the first may come before the target waits.
static void *sender(void *target)
{
    struct timespec span = {0, 20000000};
    while (!is_over) {
        nanosleep(&span, NULL);
        pthread_kill(*(pthread_t *)target, SIGUSR1);
    }
    return NULL;
}

static void interrupted(int flags, const char *what)
{
    pthread_t self = pthread_self(), thread;
    int fds[2];
    char byte;
    install(SIGUSR1, on_signal, flags);
    count = 0;
    is_over = 0;
    pipe(fds);
    pthread_create(&thread, NULL, sender, &self);
    if (flags == 0) {
        SHOW(read(fds[0], &byte, 1));
    } else {
        struct timespec span = {10, 0};
        SHOW(nanosleep(&span, &span));
        printf("%d seconds and more were left\n", span.tv_sec >= 9);
    }
    is_over = 1;
    pthread_join(thread, NULL);
    printf("%s: handled %d\n", what, count > 0);
    close(fds[0]);
    SHOW(write(fds[1], "x", 1));
    printf("last %d\n", last);
    close(fds[1]);
}

static _Atomic int spinning, stop;

static void on_stop(int signal)
{
    (void)signal;
    stop = 1;
}

static void *spin(void *unused)
{
    spinning = 1;
    while (!stop) {
    }
    return unused;
}

// A thread that never calls the system gets its signal too.
static void busy_thread(void)
{
    pthread_t thread;
    install(SIGUSR2, on_stop, 0);
    pthread_create(&thread, NULL, spin, NULL);
    while (!spinning) {
        usleep(1000);
    }
    SHOW(pthread_kill(thread, SIGUSR2));
    SHOW(pthread_join(thread, NULL));
    printf("the busy thread stopped\n");
}

int main(void)
{
    install(SIGPIPE, on_signal, 0);
    basics();
    masks();
    faults();
    resumption();
    interrupted(0, "interrupted read");
    interrupted(SA_RESTART, "interrupted sleep");
    busy_thread();
    fflush(stdout);
    install(SIGABRT, on_signal, 0);
    printf("end\n");
    return 0;
}
