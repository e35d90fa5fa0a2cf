// SPDX-License-Identifier: BSD-3-Clause
// handlers.c: where handlers run, in which order, with what they are told, and what goes on after
// them.
//
//     handlers                    all
//     handlers no-vector-traps    on a processor that never traps in vector instructions: QEMU's
//     own
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "show.h"

static volatile sig_atomic_t count;

static void install(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigaction(signal, &action, NULL);
}

static void pause_ms(long ms)
{
    struct timespec span = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&span, NULL);
}

// ---- The alternate stack ---------------------------------------------------------

enum { STACK_SIZE = 65536 };
static char *alternate;
static volatile sig_atomic_t was_on;

static void on_look(int signal, siginfo_t *info, void *context)
{
    char here;
    const ucontext_t *uc = context;
    stack_t now;
    (void)signal;
    (void)info;
    was_on = &here >= alternate && &here < alternate + STACK_SIZE;
    sigaltstack(NULL, &now);
    printf("  on it %d, told so %d, it is in the context %d\n", was_on, now.ss_flags == SS_ONSTACK,
           uc->uc_stack.ss_sp == alternate);
    stack_t other = {.ss_flags = SS_DISABLE};
    if (was_on) {
        SHOW(sigaltstack(&other, NULL));
    }
    ++count;
}

static void *spin_until(void *stop)
{
    while (!*(_Atomic int *)stop) {
    }
    return NULL;
}

static _Atomic int is_stopped;

static void on_stop(int signal, siginfo_t *info, void *context)
{
    on_look(signal, info, context);
    is_stopped = 1;
}

static void *signal_it(void *target)
{
    pthread_kill(*(pthread_t *)target, SIGUSR2);
    return NULL;
}

// By raise, out of a wait, in the midst of computing, and by a fault.
static void alternate_stack(void)
{
    pthread_t thread, self = pthread_self();
    alternate = malloc(STACK_SIZE);
    stack_t stack = {.ss_sp = alternate, .ss_size = STACK_SIZE}, old;
    install(SIGUSR1, on_look, SA_ONSTACK);
    install(SIGUSR2, on_stop, SA_ONSTACK);
    raise(SIGUSR1);
    SHOW(sigaltstack(&stack, &old));
    printf("was off %d\n", old.ss_flags == SS_DISABLE);
    raise(SIGUSR1);
    install(SIGUSR1, on_look, 0);
    raise(SIGUSR1);
    sigset_t usr2, none;
    sigemptyset(&none);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    sigprocmask(SIG_BLOCK, &usr2, NULL);
    pthread_create(&thread, NULL, signal_it, &self);
    SHOW(sigsuspend(&none));
    pthread_join(thread, NULL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    is_stopped = 0;
    pthread_create(&thread, NULL, signal_it, &self);
    spin_until(&is_stopped);
    pthread_join(thread, NULL);
    stack.ss_size = 100;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_flags = 77;
    SHOW(sigaltstack(&stack, NULL));
    stack.ss_flags = SS_DISABLE;
    SHOW(sigaltstack(&stack, NULL));
    free(alternate);
}

// ---- What a handler is told --------------------------------------------------------

static void on_tell(int signal, siginfo_t *info, void *context)
{
    (void)context;
    printf("  %d: signal %d, code %d, errno %d", signal, info->si_signo, info->si_code,
           info->si_errno);
    if (info->si_code <= 0) {
        printf(", us %d, user %d, value %d", info->si_pid == getpid(), info->si_uid == getuid(),
               info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
    }
    printf("\n");
}

static void told(void)
{
    union sigval value = {.sival_int = 42};
    install(SIGUSR1, on_tell, 0);
    install(SIGRTMIN + 1, on_tell, 0);
    raise(SIGUSR1);
    kill(getpid(), SIGUSR1);
    SHOW(sigqueue(getpid(), SIGUSR1, value));
    SHOW(pthread_sigqueue(pthread_self(), SIGRTMIN + 1, value));
    SHOW(pthread_kill(pthread_self(), SIGUSR1));
    SHOW(syscall(SYS_tgkill, getpid(), 99999, SIGUSR1));
    SHOW(pthread_kill(pthread_self(), 65));
    SHOW(pthread_kill(pthread_self(), 0));
    SHOW(sigqueue(getpid(), 0, value));
    SHOW(sigqueue(getpid(), 65, value));
    int fds[2];
    pipe(fds);
    close(fds[0]);
    install(SIGPIPE, on_tell, 0);
    SHOW(write(fds[1], "x", 1));
    close(fds[1]);
}

// ---- Faults ------------------------------------------------------------------------

static sigjmp_buf back;
static void *volatile fault_expected;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    (void)context;
    printf("  %d: code %d, address as expected %d\n", signal, info->si_code,
           info->si_addr == fault_expected);
    siglongjmp(back, 1);
}

static void faults(bool has_vector_traps)
{
    char *page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    for (int i = 0; i < 5; ++i) {
        install(signals[i], on_fault, 0);
    }
    fault_expected = page + 5;
    if (sigsetjmp(back, 1) == 0) {
        page[5] = 1;
    }
    fault_expected = page + 4096;
    if (sigsetjmp(back, 1) == 0) {
        page[4096] = 1;
    }
    fault_expected = NULL;
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)0x8000000000000000 = 1; // no address at all
    }
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("xsetbv"
                         :
                         : "a"(0), "c"(1), "d"(0)); // there is no such, for the kernel either
    }
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("int3");
    }
    if (sigsetjmp(back, 1) == 0) {
        __asm__ volatile("1: lea 1b(%%rip), %%rax; mov %%rax, %0; ud2"
                         : "=m"(fault_expected)
                         :
                         : "rax");
    }
    fault_expected = (char *)fault_expected; // of ud2, some bytes after the label
    volatile int zero = 0;
    volatile double quotient = 0;
    install(SIGFPE, on_fault, 0);
    fault_expected = NULL;
    if (sigsetjmp(back, 1) == 0) {
        printf("%d\n", 1 / zero);
    }
    unsigned control = 0x1f80 & ~(4u << 7), old = 0x1f80; // division by zero traps
    if (has_vector_traps && sigsetjmp(back, 1) == 0) {
        __asm__ volatile("ldmxcsr %0" : : "m"(control));
        quotient = 1.0 / zero;
    }
    __asm__ volatile("ldmxcsr %0" : : "m"(old));
    (void)quotient;
    for (int i = 0; i < 5; ++i) {
        signal(signals[i], SIG_DFL);
    }
}

// The handler moves on from the instruction itself.
static void on_skip(int signal, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)signal;
    (void)info;
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    uc->uc_mcontext.gregs[REG_RAX] = 77;
    sigaddset(&uc->uc_sigmask, SIGUSR2);
}

static void edited(void)
{
    long result = 5;
    sigset_t now;
    install(SIGILL, on_skip, 0);
    __asm__ volatile("mov $5, %%eax; ud2" : "=a"(result));
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("went on with %ld, SIGUSR2 blocked %d\n", result, sigismember(&now, SIGUSR2));
    sigemptyset(&now);
    sigprocmask(SIG_SETMASK, &now, NULL);
    signal(SIGILL, SIG_DFL);
}

// ---- Order and nesting -------------------------------------------------------------

static int depth, raises;

static void on_nest(int signal, siginfo_t *info, void *context)
{
    (void)info;
    (void)context;
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("  %*s%d begins, itself blocked %d\n", 2 * depth, "", signal, sigismember(&now, signal));
    ++depth;
    if (signal == SIGUSR1 && raises > 0) {
        --raises;
        raise(SIGUSR2);
        raise(SIGUSR1);
    }
    --depth;
    printf("  %*s%d ends\n", 2 * depth, "", signal);
}

static void order(void)
{
    sigset_t set, none;
    sigemptyset(&none);
    sigfillset(&set);
    install(SIGUSR1, on_nest, 0);
    install(SIGUSR2, on_nest, 0);
    install(SIGTERM, on_nest, 0);
    for (int i = 0; i < 3; ++i) {
        install(SIGRTMIN + i, on_nest, 0);
    }
    printf("nested\n");
    raises = 2;
    raise(SIGUSR1);
    printf("SA_NODEFER\n");
    raises = 2;
    install(SIGUSR1, on_nest, SA_NODEFER);
    raise(SIGUSR1);
    install(SIGUSR1, on_nest, 0);
    printf("several at once\n");
    sigprocmask(SIG_SETMASK, &set, NULL);
    raise(SIGTERM);
    raise(SIGUSR2);
    raise(SIGRTMIN + 2);
    raise(SIGRTMIN);
    raise(SIGRTMIN);
    kill(getpid(), SIGRTMIN + 1);
    sigprocmask(SIG_SETMASK, &none, NULL);
    printf("all blocked in handlers\n");
    struct sigaction action = {.sa_sigaction = on_nest, .sa_mask = set, .sa_flags = SA_SIGINFO};
    sigaction(SIGUSR2, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigprocmask(SIG_SETMASK, &set, NULL);
    raise(SIGTERM);
    raise(SIGUSR2);
    sigprocmask(SIG_SETMASK, &none, NULL);
    printf("reset\n");
    install(SIGUSR2, on_nest, SA_RESETHAND);
    raise(SIGUSR2);
    sigaction(SIGUSR2, NULL, &action);
    printf("default again %d\n", action.sa_handler == SIG_DFL);
}

// ---- Calls that are interrupted ------------------------------------------------------

static void on_count(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    ++count;
}

struct plan {
    pthread_t target;
    int fd;
    sem_t *semaphore;
    bool restarts; // a call that goes on by itself: a little later it is let succeed
    _Atomic int ended;
};

// Interrupts again and again: the first may come before the call waits.
static void *interrupt(void *argument)
{
    struct plan *plan = argument;
    bool may_succeed = plan->restarts && (plan->fd >= 0 || plan->semaphore != NULL);
    for (int i = 0; may_succeed ? i < 3 : !plan->ended; ++i) {
        pause_ms(5);
        pthread_kill(plan->target, SIGUSR1);
    }
    if (plan->fd >= 0) {
        write(plan->fd, "x", 1);
    }
    if (plan->semaphore != NULL) {
        sem_post(plan->semaphore);
    }
    return NULL;
}

static void interrupted(int flags)
{
    int fds[2];
    char byte;
    sem_t semaphore;
    pthread_t thread;
    pipe(fds);
    sem_init(&semaphore, 0, 0);
    install(SIGUSR1, on_count, flags);
    struct plan plan = {
        .target = pthread_self(), .fd = fds[1], .restarts = (flags & SA_RESTART) != 0};
#define DISTURBED(call)                                                                            \
    do {                                                                                           \
        count = 0;                                                                                 \
        plan.ended = 0;                                                                            \
        pthread_create(&thread, NULL, interrupt, &plan);                                           \
        SHOW(call);                                                                                \
        plan.ended = 1;                                                                            \
        pthread_join(thread, NULL);                                                                \
        printf("  interrupted %d\n", count > 0);                                                   \
    } while (0)
    printf("flags %s\n", flags == 0 ? "none" : "SA_RESTART");
    DISTURBED(read(fds[0], &byte, 1));
    if (flags == 0) {
        read(fds[0], &byte, 1);
    }
    plan.fd = -1;
    struct timespec span = {20, 0};
    sigset_t none, usr2;
    sigemptyset(&none);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    DISTURBED(nanosleep(&span, NULL));
    DISTURBED(clock_nanosleep(CLOCK_MONOTONIC, 0, &span, NULL));
    DISTURBED(pause());
    DISTURBED(sigsuspend(&none));
    DISTURBED(sigtimedwait(&usr2, NULL, &span));
    DISTURBED(select(0, NULL, NULL, NULL, &(struct timeval){20, 0}));
    plan.semaphore = &semaphore;
    DISTURBED(sem_wait(&semaphore));
    if (flags == 0) {
        sem_wait(&semaphore);
    }
    int word = 3;
    plan.semaphore = NULL;
    DISTURBED(syscall(SYS_futex, &word, 0, 3, &span, NULL, 0));
    close(fds[0]);
    close(fds[1]);
}

// ---- Waits that go on ------------------------------------------------------------------

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static _Atomic int handled, released;

static void on_handle(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    handled = 1;
}

static void *wait_mutex(void *unused)
{
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *wait_condition(void *unused)
{
    pthread_mutex_lock(&mutex);
    while (!released) {
        pthread_cond_wait(&condition, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void *wait_join(void *thread)
{
    pthread_join(*(pthread_t *)thread, NULL);
    return NULL;
}

static void *wait_released(void *unused)
{
    while (!released) {
        pause_ms(1);
    }
    return unused;
}

// The handler runs while its thread waits; the wait goes on.
static void disturbed_wait(const char *what, void *(*wait)(void *), void *argument)
{
    pthread_t thread;
    handled = released = 0;
    install(SIGUSR1, on_handle, 0);
    pthread_mutex_lock(&mutex);
    if (wait != wait_mutex) {
        pthread_mutex_unlock(&mutex);
    }
    pthread_create(&thread, NULL, wait, argument);
    pause_ms(5);
    pthread_kill(thread, SIGUSR1);
    while (!handled) {
        sched_yield();
    }
    printf("%s: handled while it waits, ended %d\n", what, pthread_tryjoin_np(thread, NULL) == 0);
    if (wait == wait_mutex) {
        pthread_mutex_unlock(&mutex);
    }
    pthread_mutex_lock(&mutex);
    released = 1;
    pthread_cond_broadcast(&condition);
    pthread_mutex_unlock(&mutex);
    SHOW(pthread_join(thread, NULL));
}

static void waits_go_on(void)
{
    pthread_t other;
    disturbed_wait("mutex", wait_mutex, NULL);
    disturbed_wait("condition", wait_condition, NULL);
    released = 0;
    pthread_create(&other, NULL, wait_released, NULL);
    disturbed_wait("join", wait_join, &other);
}

// ---- Other ways out ---------------------------------------------------------------------

static ucontext_t side_context, handler_context;
static char side_stack[65536];

static void aside(void)
{
    printf("  aside\n");
    raise(SIGUSR2);
    setcontext(&handler_context);
}

static void on_switch(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    (void)info;
    (void)context;
    printf("  in the handler\n");
    swapcontext(&handler_context, &side_context);
    printf("  in the handler again\n");
}

static void ways_out(void)
{
    install(SIGUSR1, on_switch, 0);
    install(SIGUSR2, on_tell, 0);
    getcontext(&side_context);
    side_context.uc_stack.ss_sp = side_stack;
    side_context.uc_stack.ss_size = sizeof side_stack;
    makecontext(&side_context, aside, 0);
    raise(SIGUSR1);
    printf("raise returns\n");
    static char often[100];
    for (volatile int i = 0; i < 50; ++i) {
        install(SIGSEGV, on_fault, SA_NODEFER);
        if (sigsetjmp(back, 1) == 0) {
            fault_expected = (void *)16;
            often[i] = 1;
            *(volatile char *)16 = often[i];
        }
    }
    signal(SIGSEGV, SIG_DFL);
}

int main(int argc, char **argv)
{
    (void)argv;
    setvbuf(stdout, NULL, _IONBF, 0);
    alternate_stack();
    told();
    faults(argc == 1);
    edited();
    order();
    interrupted(0);
    interrupted(SA_RESTART);
    waits_go_on();
    ways_out();
    printf("end\n");
    return 0;
}
