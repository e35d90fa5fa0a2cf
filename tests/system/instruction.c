// SPDX-License-Identifier: BSD-3-Clause
// instruction.c: system calls by the instruction: registers, errors, waiting, signals, threads.
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/sched.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/system/inline.h"

// ---- Registers -----------------------------------------------------------------------

struct registers {
    uint64_t general[12]; // rbx rbp r12 r13 r14 r15 rdi rsi rdx r10 r8 r9
    uint64_t rax, rcx, r11, flags;
    uint64_t red_zone[16];
    unsigned char vector[16][32];
    double x87;
    uint32_t mxcsr;
    uint16_t control, pad;
};

// Loads all registers from `in`, makes the call, and stores all to `out`. rbp leads to the two.
void call_with(long number, const struct registers *in, struct registers *out);

#define VECTORS(move)                                                                              \
    move(0) move(1) move(2) move(3) move(4) move(5) move(6) move(7) move(8) move(9) move(10)       \
        move(11) move(12) move(13) move(14) move(15)
#define LOAD(n) "vmovdqu 256 + 32 * " #n "(%rbp), %ymm" #n "\n\t"
#define STORE(n) "vmovdqu %ymm" #n ", 256 + 32 * " #n "(%rbp)\n\t"
#define LOAD_SSE(n) "movdqu 256 + 32 * " #n "(%rbp), %xmm" #n "\n\t"
#define STORE_SSE(n) "movdqu %xmm" #n ", 256 + 32 * " #n "(%rbp)\n\t"

// rsp is the only register that finds the way back: in, out and has_avx lie behind it.
__asm__(
    ".text\n"
    "call_with:\n\t"
    "push %rbx\n\tpush %rbp\n\tpush %r12\n\tpush %r13\n\tpush %r14\n\tpush %r15\n\t"
    "push %rdx\n\tpush %rdi\n\t"
    "mov %rsi, %rbp\n\t"
    "ldmxcsr 776(%rbp)\n\tfninit\n\tfldcw 780(%rbp)\n\tfldl 768(%rbp)\n\t"
    "testb $1, has_avx(%rip)\n\tjz 1f\n\t" VECTORS(
        LOAD) "jmp 2f\n\t"
              "1:\n\t" VECTORS(
                  LOAD_SSE) "2:\n\t"
                            // the red zone, from its far end
                            "lea -128(%rsp), %rdi\n\tlea 128(%rbp), %rsi\n\tmov $16, "
                            "%ecx\n\tcld\n\trep movsq\n\t"
                            "mov 0(%rbp), %rbx\n\tmov 16(%rbp), %r12\n\tmov 24(%rbp), %r13\n\tmov "
                            "32(%rbp), %r14\n\t"
                            "mov 40(%rbp), %r15\n\tmov 48(%rbp), %rdi\n\tmov 56(%rbp), %rsi\n\tmov "
                            "64(%rbp), %rdx\n\t"
                            "mov 72(%rbp), %r10\n\tmov 80(%rbp), %r8\n\tmov 88(%rbp), %r9\n\t"
                            "mov (%rsp), %rax\n\t"
                            "mov 8(%rbp), %rbp\n\t"
                            "std\n\tstc\n\t"
                            ".globl call_with_instruction\ncall_with_instruction:\n\t"
                            "syscall\n\t"
                            ".globl call_with_next\ncall_with_next:\n\t"
                            "xchg %rbp, 8(%rsp)\n\t"
                            "mov %rax, 96(%rbp)\n\tmov %rcx, 104(%rbp)\n\tmov %r11, 112(%rbp)\n\t"
                            "lea -128(%rsp), %rsp\n\tpushfq\n\tpop 120(%rbp)\n\tlea 128(%rsp), "
                            "%rsp\n\tcld\n\t"
                            "mov %rbx, 0(%rbp)\n\tmov %r12, 16(%rbp)\n\tmov %r13, 24(%rbp)\n\tmov "
                            "%r14, 32(%rbp)\n\t"
                            "mov %r15, 40(%rbp)\n\tmov %rdi, 48(%rbp)\n\tmov %rsi, 56(%rbp)\n\tmov "
                            "%rdx, 64(%rbp)\n\t"
                            "mov %r10, 72(%rbp)\n\tmov %r8, 80(%rbp)\n\tmov %r9, 88(%rbp)\n\t"
                            "mov 8(%rsp), %rax\n\tmov %rax, 8(%rbp)\n\t"
                            "lea -128(%rsp), %rsi\n\tlea 128(%rbp), %rdi\n\tmov $16, %ecx\n\trep "
                            "movsq\n\t"
                            "testb $1, has_avx(%rip)\n\tjz 3f\n\t" VECTORS(
                                STORE) "vzeroupper\n\tjmp 4f\n\t"
                                       "3:\n\t" VECTORS(
                                           STORE_SSE) "4:\n\t"
                                                      "fstpl 768(%rbp)\n\tstmxcsr "
                                                      "776(%rbp)\n\tfnstcw 780(%rbp)\n\tfninit\n\t"
                                                      "pop %rdi\n\tpop %rdx\n\t"
                                                      "pushq $0x1f80\n\tldmxcsr (%rsp)\n\tadd $8, "
                                                      "%rsp\n\t"
                                                      "pop %r15\n\tpop %r14\n\tpop %r13\n\tpop "
                                                      "%r12\n\tpop %rbp\n\tpop %rbx\n\t"
                                                      "ret\n");

extern const char call_with_next[];
char has_avx;

static void registers_fill(struct registers *in, uint64_t seed, const long arguments[6])
{
    memset(in, 0, sizeof *in);
    uint64_t *words = (uint64_t *)in;
    for (size_t i = 0; i < 96; ++i) {
        words[i] = seed * 0x9e3779b97f4a7c15u + i * 0x100000001b3u;
    }
    for (int i = 0; i < 6; ++i) { // rdi rsi rdx r10 r8 r9
        in->general[6 + i] = (uint64_t)arguments[i];
    }
    in->x87 = 0.5 + (double)(seed % 1000);
    in->mxcsr = 0x5f80; // towards +infinity
    in->control = 0x27f;
    if (!has_avx) {
        for (int i = 0; i < 16; ++i) {
            memset(in->vector[i] + 16, 0, 16);
        }
    }
}

// Every register but rax, and rcx and r11, which are rip and flags.
static int registers_differ(const struct registers *in, const struct registers *out)
{
    enum { CARRY_AND_DIRECTION = 0x401 };
    return (memcmp(in->general, out->general, sizeof in->general) != 0) |
           (memcmp(in->red_zone, out->red_zone, sizeof in->red_zone) != 0) << 1 |
           (memcmp(in->vector, out->vector, sizeof in->vector) != 0) << 2 |
           (in->x87 != out->x87) << 3 | (in->mxcsr != out->mxcsr) << 4 |
           (in->control != out->control) << 5 | (out->rcx != (uint64_t)call_with_next) << 6 |
           ((out->flags & CARRY_AND_DIRECTION) != CARRY_AND_DIRECTION) << 7 |
           (((out->r11 ^ out->flags) & 0xcd5) != 0) << 8;
}

static int call_checked(long number, uint64_t seed, const long arguments[6], long *result)
{
    struct registers in, out;
    registers_fill(&in, seed, arguments);
    memset(&out, 0, sizeof out);
    call_with(number, &in, &out);
    *result = (long)out.rax;
    return registers_differ(&in, &out);
}

static void registers_kept(void)
{
    const long none[6] = {1, 2, 3, 4, 5, 6};
    long result;
    int differ = call_checked(SYS_getuid, 1, none, &result);
    printf("registers: getuid %d, differ %d\n", result == (long)getuid(), differ);
    differ = call_checked(100000, 2, none, &result);
    printf("registers: unknown %ld, differ %d\n", result, differ);
    const long bad[6] = {-1, 0, 0, 4, 5, 6};
    differ = call_checked(SYS_close, 3, bad, &result);
    printf("registers: close(-1) %ld, differ %d\n", result, differ);
}

// ---- Errors --------------------------------------------------------------------------

static void errors(void)
{
    char byte;
    char *gap = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    printf("pipe2 %ld\n", INLINE(SYS_pipe2, ends, 0));
    munmap(gap + 4096, 4096);
    printf("read(-1) %ld\n", INLINE(SYS_read, -1, &byte, 1));
    printf("write to nowhere %ld\n", INLINE(SYS_write, ends[1], 8, 1));
    printf("write from the end of a mapping %ld\n", INLINE(SYS_write, ends[1], gap + 4096, 1));
    printf("write %ld\n", INLINE(SYS_write, ends[1], "ab", 2));
    printf("read to nowhere %ld\n", INLINE(SYS_read, ends[0], 0x123456789abc, 1));
    printf("open of nowhere %ld, of nothing %ld\n", INLINE(SYS_open, 16, O_RDONLY),
           INLINE(SYS_open, "/no/such/file", O_RDONLY));
    printf("numbers %ld %ld %ld %ld %ld\n", INLINE(511), INLINE(512), INLINE(100000), INLINE(-1),
           INLINE(SYS_close | 1l << 32, -1));
    printf("gettid %d, getpid %d\n", INLINE(SYS_gettid) == gettid(),
           INLINE(SYS_getpid) == getpid());
    uintptr_t pointer = 0;
    long result = INLINE(SYS_arch_prctl, 0x1003, &pointer);
    printf("thread pointer %ld %d\n", result, pointer == (uintptr_t)pthread_self());
    printf("arch_prctl %ld %ld\n", INLINE(SYS_arch_prctl, 0x1002, -1),
           INLINE(SYS_arch_prctl, 1, 0));
    INLINE(SYS_close, ends[0]);
    INLINE(SYS_close, ends[1]);
}

// ---- Waiting -------------------------------------------------------------------------

static int ends[2];

static void *writer(void *turns)
{
    for (long i = 0; i < (long)turns; ++i) {
        char byte = (char)i;
        INLINE(SYS_sched_yield);
        INLINE(SYS_write, ends[1], &byte, 1);
    }
    return NULL;
}

static void waiting(void)
{
    enum { TURNS = 200 };
    pthread_t thread;
    long sum = 0, got = 0;
    int differ = 0;
    INLINE(SYS_pipe, ends);
    pthread_create(&thread, NULL, writer, (void *)TURNS);
    for (int i = 0; i < TURNS; ++i) {
        unsigned char byte = 0;
        long result;
        const long arguments[6] = {ends[0], (long)&byte, 1, 4, 5, 6};
        differ |= call_checked(SYS_read, (uint64_t)i, arguments, &result);
        got += result;
        sum += byte;
    }
    pthread_join(thread, NULL);
    printf("read %ld times, sum %ld, differ %d\n", got, sum, differ);
    struct timespec span = {0, 1000000};
    const long arguments[6] = {(long)&span, 0, 0, 0, 0, 0};
    long result;
    differ = call_checked(SYS_nanosleep, 9, arguments, &result);
    printf("nanosleep %ld, differ %d\n", result, differ);
}

// ---- Signals -------------------------------------------------------------------------

struct kernel_action {
    void (*handler)(int, siginfo_t *, void *);
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

void restorer(void);
__asm__(".text\nnop\nrestorer:\n\tmov $15, %eax\n\tsyscall\n");

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), unsigned long flags,
                   uint64_t mask)
{
    const struct kernel_action action = {handler, flags | SA_SIGINFO | 0x04000000, restorer, mask};
    long result = INLINE(SYS_rt_sigaction, signal, &action, 0, 8);
    if (result != 0) {
        printf("rt_sigaction %ld\n", result);
    }
}

static void send_self(int signal)
{
    long result = INLINE(SYS_tgkill, getpid(), INLINE(SYS_gettid), signal);
    if (result != 0) {
        printf("tgkill %ld\n", result);
    }
}

static volatile int handled, depth, deepest, wrong_vectors;
static _Atomic int is_reading;

// Clobbers what it may, makes calls of its own.
static void on_signal(int signal, siginfo_t *info, void *context)
{
    (void)context;
    handled += 1 + (info->si_signo != signal);
    depth += 1;
    deepest = depth > deepest ? depth : deepest;
    volatile double x = 1.5;
    for (int i = 0; i < 10; ++i) {
        x = x * x / 1.25;
    }
    const long none[6] = {0};
    long result;
    wrong_vectors += call_checked(SYS_getppid, (uint64_t)handled, none, &result) != 0;
    if (signal < SIGRTMIN + 5 && signal >= SIGRTMIN) {
        send_self(signal + 1);
    }
    depth -= 1;
}

static void own_signals(void)
{
    handled = 0;
    handle(SIGUSR1, on_signal, 0, 0);
    long result;
    const long arguments[6] = {getpid(), INLINE(SYS_gettid), SIGUSR1, 4, 5, 6};
    int differ = call_checked(SYS_tgkill, 77, arguments, &result);
    printf("a signal to oneself: result %ld, handled %d, differ %d\n", result, handled, differ);
    for (int i = 0; i < 6; ++i) {
        handle(SIGRTMIN + i, on_signal, 0, 0);
    }
    handled = deepest = 0;
    send_self(SIGRTMIN);
    printf("nested signals: handled %d, deep %d, wrong vectors %d\n", handled, deepest,
           wrong_vectors);
    uint64_t all = UINT64_MAX, old;
    INLINE(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, 8);
    handled = deepest = 0;
    send_self(SIGUSR1);
    send_self(SIGRTMIN + 5);
    printf("blocked: handled %d\n", handled);
    long undone = INLINE(SYS_rt_sigprocmask, SIG_SETMASK, &old, 0, 8);
    printf("unblocked: %ld, handled %d, deep %d\n", undone, handled, deepest);
}

struct reader {
    pthread_t thread;
    _Atomic long tid;
    long number, result;
    long arguments[6];
    int differ;
};

static void *reader_run(void *argument)
{
    struct reader *reader = argument;
    atomic_store(&reader->tid, INLINE(SYS_gettid));
    reader->differ = call_checked(reader->number, 1234, reader->arguments, &reader->result);
    atomic_store(&is_reading, 2);
    return NULL;
}

static void on_interrupt(int signal, siginfo_t *info, void *context)
{
    on_signal(signal, info, context);
    atomic_store(&is_reading, 1);
}

// Signals until the handler has run, and once more if the call is expected to have begun again.
static void interrupt(const char *what, long number, const long arguments[6], unsigned long flags)
{
    struct reader reader = {.number = number};
    memcpy(reader.arguments, arguments, sizeof reader.arguments);
    atomic_store(&is_reading, 0);
    handle(SIGUSR2, on_interrupt, flags, 0);
    pthread_create(&reader.thread, NULL, reader_run, &reader);
    while (atomic_load(&reader.tid) == 0) {
        INLINE(SYS_sched_yield);
    }
    // Until it is in the call, the signal ends nothing: so one is sent again and again, to a call
    // that begins again each time, or until it has ended.
    struct timespec span = {0, 2000000};
    int begun = 0;
    for (int i = 0; i < 1000000 && atomic_load(&is_reading) != 2 && begun < 3; ++i) {
        atomic_store(&is_reading, 0);
        INLINE(SYS_tgkill, getpid(), reader.tid, SIGUSR2);
        while (atomic_load(&is_reading) == 0) {
            INLINE(SYS_sched_yield);
        }
        INLINE(SYS_nanosleep, &span, 0);
        begun += flags != 0 && number == SYS_read;
    }
    if (begun != 0) {
        INLINE(SYS_write, ends[1], "x", 1);
    }
    pthread_join(reader.thread, NULL);
    printf("%s: %ld, differ %d\n", what, reader.result, reader.differ);
}

static void interruptions(void)
{
    char byte;
    struct timespec hour = {3600, 0};
    struct pollfd poll = {ends[0], POLLIN, 0};
    uint64_t none = 0;
    uint32_t word = 0;
    const long read[6] = {ends[0], (long)&byte, 1, 4, 5, 6};
    interrupt("read, no SA_RESTART", SYS_read, read, 0);
    interrupt("read, SA_RESTART", SYS_read, read, SA_RESTART);
    const long sleep[6] = {(long)&hour, 0, 3, 4, 5, 6};
    interrupt("nanosleep, SA_RESTART", SYS_nanosleep, sleep, SA_RESTART);
    const long polled[6] = {(long)&poll, 1, -1, 4, 5, 6};
    interrupt("poll, SA_RESTART", SYS_poll, polled, SA_RESTART);
    const long mask[6] = {(long)&none, 8, 3, 4, 5, 6};
    interrupt("rt_sigsuspend", SYS_rt_sigsuspend, mask, SA_RESTART);
    const long wait[6] = {(long)&word, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, 0, 0, 5, 6};
    interrupt("futex", SYS_futex, wait, 0);
    printf("wrong vectors %d\n", wrong_vectors);
}

static volatile long on_alternate = -1, flags_inside = -1;

static void on_other_stack(int signal, siginfo_t *info, void *context)
{
    (void)signal, (void)info, (void)context;
    stack_t stack;
    INLINE(SYS_sigaltstack, 0, &stack);
    char here;
    on_alternate = &here > (char *)stack.ss_sp && &here < (char *)stack.ss_sp + stack.ss_size;
    flags_inside = stack.ss_flags;
}

static void alternate(void)
{
    static char memory[65536];
    stack_t stack = {.ss_sp = memory, .ss_size = sizeof memory}, old;
    printf("sigaltstack %ld\n", INLINE(SYS_sigaltstack, &stack, 0));
    handle(SIGUSR1, on_other_stack, SA_ONSTACK, 0);
    send_self(SIGUSR1);
    INLINE(SYS_sigaltstack, 0, &old);
    printf("on the other stack %ld, flags %ld, afterwards %d\n", on_alternate, flags_inside,
           old.ss_flags);
    stack.ss_flags = SS_DISABLE;
    INLINE(SYS_sigaltstack, &stack, 0);
}

// ---- Many threads --------------------------------------------------------------------

enum { MANY = 6, ROUNDS = 400 };
static _Atomic int are_done;

static void *many_run(void *argument)
{
    const uint64_t who = (uint64_t)(uintptr_t)argument;
    int differ = 0;
    int pipes[2];
    INLINE(SYS_pipe2, pipes, 0);
    for (uint64_t i = 0; i < ROUNDS; ++i) {
        char byte = 'a';
        const long calls[4][7] = {{SYS_write, pipes[1], (long)&byte, 1, 4, 5, 6},
                                  {SYS_sched_yield, 1, 2, 3, 4, 5, 6},
                                  {SYS_read, pipes[0], (long)&byte, 1, 4, 5, 6},
                                  {SYS_close, -1, 2, 3, 4, 5, 6}};
        for (int k = 0; k < 4; ++k) {
            long result;
            differ |= call_checked(calls[k][0], who * 1000 + i, calls[k] + 1, &result);
            differ |= result != (k == 3 ? -EBADF : k == 1 ? 0 : 1) ? 1 << 20 : 0;
        }
        if (who == 0 && i % 20 == 0) {
            INLINE(SYS_kill, getpid(), SIGUSR1);
        }
    }
    INLINE(SYS_close, pipes[0]);
    INLINE(SYS_close, pipes[1]);
    atomic_fetch_add(&are_done, 1);
    return (void *)(intptr_t)differ;
}

static void many(void)
{
    pthread_t threads[MANY];
    long differ = 0;
    handle(SIGUSR1, on_signal, SA_RESTART, 0);
    for (long i = 0; i < MANY; ++i) {
        pthread_create(&threads[i], NULL, many_run, (void *)i);
    }
    while (atomic_load(&are_done) < MANY) {
        const long none[6] = {0};
        long result;
        differ |= call_checked(SYS_sched_yield, 4711, none, &result);
    }
    for (int i = 0; i < MANY; ++i) {
        void *theirs;
        pthread_join(threads[i], &theirs);
        differ |= (long)(intptr_t)theirs;
    }
    printf("%d threads: differ %ld, wrong vectors %d\n", MANY, differ, wrong_vectors);
}

// ---- Threads by clone ----------------------------------------------------------------

struct child {
    void *self; // what the thread pointer leads to
    _Atomic uint32_t tid, seen_tid;
    int32_t parent_tid;
    uintptr_t tp, sp;
    char *stack;
};

static struct child children[3];

// On its own stack, without a C library.
static void child_main(struct child *child)
{
    __asm__("movq %%fs:0, %0" : "=r"(child->tp));
    char here;
    child->sp = (uintptr_t)&here;
    atomic_store(&child->seen_tid, (uint32_t)INLINE(SYS_gettid));
    struct timespec span = {0, 1000000};
    INLINE(SYS_nanosleep, &span, 0);
    INLINE(SYS_exit, 3);
}

// clone(2) by the instruction; the new thread goes on in child_main.
static long clone_child(unsigned long flags, struct child *child, char *end)
{
    long result;
    register long r10 __asm__("r10") = (long)&child->tid;
    register long r8 __asm__("r8") = (long)child;
    register void (*r12)(struct child *) __asm__("r12") = child_main;
    register struct child *r13 __asm__("r13") = child;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r13, %%rdi\n\t"
                     "call *%%r12\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone), "D"(flags), "S"(end), "d"(&child->parent_tid), "r"(r10),
                       "r"(r8), "r"(r12), "r"(r13)
                     : "rcx", "r11", "memory");
    return result;
}

static long clone3_child(unsigned long flags, struct child *child, char *stack, size_t size)
{
    struct clone_args arguments = {
        .flags = flags,
        .child_tid = (uintptr_t)&child->tid,
        .parent_tid = (uintptr_t)&child->parent_tid,
        .stack = (uintptr_t)stack,
        .stack_size = size,
        .tls = (uintptr_t)child,
    };
    long result;
    register void (*r12)(struct child *) __asm__("r12") = child_main;
    register struct child *r13 __asm__("r13") = child;
    __asm__ volatile("syscall\n\t"
                     "test %%rax, %%rax\n\t"
                     "jnz 1f\n\t"
                     "xor %%ebp, %%ebp\n\t"
                     "mov %%r13, %%rdi\n\t"
                     "call *%%r12\n\t"
                     "ud2\n"
                     "1:"
                     : "=a"(result)
                     : "a"(SYS_clone3), "D"(&arguments), "S"(sizeof arguments), "r"(r12), "r"(r13)
                     : "rcx", "r11", "memory");
    return result;
}

static void clones(void)
{
    enum { STACK = 65536 };
    const unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                                CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |
                                CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID;
    for (int i = 0; i < 3; ++i) {
        struct child *child = &children[i];
        child->self = child;
        child->stack =
            mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        long tid = i < 2 ? clone_child(flags, child, child->stack + STACK)
                         : clone3_child(flags, child, child->stack, STACK);
        while (atomic_load(&child->seen_tid) == 0) {
            INLINE(SYS_sched_yield);
        }
        uint32_t now;
        while ((now = atomic_load(&child->tid)) != 0) {
            INLINE(SYS_futex, &child->tid, FUTEX_WAIT, now, 0);
        }
        printf("clone: made %d, ids %d %d, thread pointer %d, stack %d\n", tid > 0,
               child->parent_tid == tid, (long)child->seen_tid == tid,
               child->tp == (uintptr_t)child,
               child->sp > (uintptr_t)child->stack && child->sp < (uintptr_t)child->stack + STACK);
    }
    struct clone_args wrong = {.flags = flags, .stack_size = 4096};
    printf("clone refused: %ld %ld %ld %ld\n", INLINE(SYS_clone, CLONE_THREAD, 0),
           INLINE(SYS_clone, CLONE_THREAD | CLONE_SIGHAND, 0), INLINE(SYS_clone3, &wrong, 8),
           INLINE(SYS_clone3, &wrong, sizeof wrong));
}

// ---- The end -------------------------------------------------------------------------

static void *quitter(void *argument)
{
    INLINE(SYS_exit, 5);
    return argument;
}

static void *last(void *first)
{
    pthread_join(*(pthread_t *)first, NULL);
    printf("the first thread has ended\n");
    fflush(stdout);
    INLINE(SYS_exit, 6); // the process's status is that of its last thread
    return NULL;
}

int main(void)
{
    has_avx = __builtin_cpu_supports("avx") != 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    registers_kept();
    errors();
    waiting();
    own_signals();
    interruptions();
    alternate();
    many();
    clones();
    static pthread_t first, thread;
    pthread_create(&thread, NULL, quitter, NULL);
    printf("joined a thread that has called exit: %d\n", pthread_join(thread, NULL));
    first = pthread_self();
    pthread_create(&thread, NULL, last, &first);
    INLINE(SYS_exit, 42);
}
