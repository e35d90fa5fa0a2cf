// SPDX-License-Identifier: BSD-3-Clause
// boot.c: start-up and the hosted main thread. Ordinary hosted C.
//
// The main thread makes the machine, one host thread for each vCPU, and then waits for signals:
// those that mean something to the program inside become notices, VCPU_SIGNAL says that the machine
// halted. It blocks these only: every other signal from outside ends the process as it would end
// any.
//
// vCPU 0 starts as soon as its thread is there; the other threads come up meanwhile.
#include "hal-linux/boot.h"

#include <elf.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <termios.h>
#include <unistd.h>
#include <asm/prctl.h>
#include <valgrind/valgrind.h>

#include "hal-linux/clock.h"
#include "hal-linux/dev/device.h"
#include "hal-linux/entry.h"
#include "hal-linux/fault.h"
#include "hal-linux/halt.h"
#include "hal-linux/irq.h"
#include "hal-linux/memory.h"
#include "hal-linux/syscall.h"
#include "hal-linux/vcpu.h"
#include "hal-x86_64/isa/isa.h"
#include "hal/upcall.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

enum { VCPU_STACK = 262144, SIGNAL_STACK_EXTRA = 16384, HWCAP2_FSGSBASE = 2 };

extern const char __executable_start[], etext[], __ehdr_start[], end[]; // the linker's

static struct hal_boot boot;
static size_t signal_stack_size;
static char *signal_stacks;
static bool boot_verbose;

uint32_t boot_host_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < 1 ? 1 : count > HAL_CPU_MAX ? HAL_CPU_MAX : (uint32_t)count;
}

// The kernel's own form, because host libc would put its own way back there, which is outside our
// text.
static void handler_install(int signal, void (*handler)(int, siginfo_t *, void *))
{
    const struct {
        void (*handler)(int, siginfo_t *, void *);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
    } action = {handler, SA_SIGINFO | SA_ONSTACK | SA_RESTART | 0x04000000 /* SA_RESTORER */,
                entry_sigreturn, UINT64_MAX};
    syscall4(SYS_rt_sigaction, signal, (long)&action, 0, sizeof action.mask);
}

static void handlers_install(void)
{
    const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    handler_install(VCPU_SIGNAL, irq_signal);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; ++i) {
        handler_install(faults[i], fault_signal);
    }
}

// ---- The vCPUs' threads -----------------------------------------------------------

// From here on a system call from any text but ours is a signal. Valgrind makes its own calls, and
// the sanitizers' run-times theirs, on our threads.
static void dispatch_on(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (!RUNNING_ON_VALGRIND) {
        long start = (long)__executable_start;
        long result = syscall6(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, start,
                               (long)etext - start, 0, 0);
        if (result != 0 && boot_verbose && vcpu_self()->index == 0) {
            static const char text[] =
                "osv-sim: this host has no Syscall User Dispatch: stray system calls reach it\n";
            hal_console_write(text, sizeof text - 1);
        }
    }
#endif
}

static void vcpu_start(void *arg)
{
    upcall_cpu(((struct vcpu *)arg)->cpu);
}

static void vcpu_enter(struct vcpu *vcpu)
{
    if (vcpu->index == 0) {
        upcall_boot(&boot);
    }
    struct hal_context context = {.sp = NULL};
    hal_context_init(&context, vcpu->start_stack, vcpu->start_stack_size, vcpu_start, vcpu);
    hal_context_switch(&vcpu->boot, &context);
    __builtin_unreachable();
}

static void signals_open(void)
{
    const int ours[] = {VCPU_SIGNAL, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    sigset_t mask; // what is meant for the process goes to the main thread
    sigfillset(&mask);
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; ++i) {
        sigdelset(&mask, ours[i]);
    }
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
}

static void *vcpu_main(void *arg)
{
    struct vcpu *vcpu = arg;
    char name[16];
    snprintf(name, sizeof name, "vcpu%u", vcpu->index);
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_TIMERSLACK, 1); // an idle vCPU wakes for its timer on time, not 50 us later
    stack_t stack = {.ss_sp = signal_stacks + vcpu->index * signal_stack_size,
                     .ss_size = signal_stack_size};
    // Before the mask opens: the handler finds its vCPU through GS. Host libc does not use it.
    syscall3(SYS_arch_prctl, ARCH_SET_GS, (long)vcpu, 0);
    atomic_store(&vcpu->tid, (int)syscall3(SYS_gettid, 0, 0, 0)); // pairs with vcpu_raise
    if (sigaltstack(&stack, NULL) != 0 || clock_timer_init(vcpu) != 0) {
        abort();
    }
    signals_open();
    while (atomic_load_explicit(&vcpu->started, memory_order_acquire) == 0) {
        syscall4(SYS_futex, (long)&vcpu->started, FUTEX_WAIT_PRIVATE, 0, 0);
    }
    dispatch_on();
    vcpu_enter(vcpu); // from here on no host libc
    return NULL;
}

static int vcpu_create(uint32_t index)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, VCPU_STACK);
    pthread_t thread;
    int failure = pthread_create(&thread, &attr, vcpu_main, &vcpus[index]);
    pthread_attr_destroy(&attr);
    return failure;
}

static int vcpus_init(uint32_t count)
{
    size_t size = sysconf(_SC_MINSIGSTKSZ) + SIGNAL_STACK_EXTRA;
    signal_stack_size = (size + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
    signal_stacks = mmap(NULL, signal_stack_size * count, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    for (uint32_t i = 0; i < count; ++i) {
        struct vcpu *vcpu = &vcpus[i];
        vcpu->self = vcpu;
        vcpu->index = i;
        vcpu->masked = 1;
        vcpu->deadline = UINT64_MAX;
        vcpu->armed = UINT64_MAX;
        vcpu->started = i == 0;
    }
    vcpu_count = count;
    vcpu_host_count = boot_host_cpus();
    vcpu_pid = getpid();
    return signal_stacks == MAP_FAILED ? -ENOMEM : 0;
}

// ---- The main thread --------------------------------------------------------------

// The host's clock without a system call. NULL where there is none: under Valgrind.
static int (*vdso_find(void))(int, struct timespec *)
{
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)getauxval(AT_SYSINFO_EHDR);
    void *vdso = header == NULL ? NULL : dlopen("linux-vdso.so.1", RTLD_NOLOAD | RTLD_LAZY);
    if (vdso == NULL) {
        return NULL;
    }
    const Elf64_Phdr *segment = (const Elf64_Phdr *)((const char *)header + header->e_phoff);
    fault_vdso_set((const char *)header, segment[0].p_memsz);
    int (*clock)(int, struct timespec *);
    *(void **)&clock = dlsym(vdso, "__vdso_clock_gettime");
    return clock;
}

// The signals that the main thread waits for. Those that our parent ignores (nohup, a shell's
// background job) stay ignored.
static void signals_collect(sigset_t *set)
{
    const int notices[] = {SIGINT, SIGTERM, SIGQUIT, SIGHUP, SIGWINCH};
    sigemptyset(set);
    sigaddset(set, VCPU_SIGNAL);
    for (size_t i = 0; i < sizeof notices / sizeof notices[0]; ++i) {
        struct sigaction action;
        if (sigaction(notices[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(set, notices[i]);
        }
    }
}

static int signal_to_notice(int signal)
{
    switch (signal) {
    case SIGINT:
        return HAL_NOTICE_INTERRUPT;
    case SIGQUIT:
        return HAL_NOTICE_QUIT;
    case SIGTERM:
    case SIGHUP:
        return HAL_NOTICE_TERMINATE;
    case SIGWINCH:
        return HAL_NOTICE_RESIZE;
    default:
        return -1;
    }
}

// False: core has not even taken the same notice of before, and the person asks again and again.
static bool notice_raise(int notice)
{
    enum { PATIENCE = 3 };
    static int untaken;
    bool taken = (atomic_load(&vcpus[0].notices) >> notice & 1) == 0;
    untaken = taken || notice == HAL_NOTICE_RESIZE ? 0 : untaken + 1;
    vcpu_raise_notice((uint32_t)notice);
    return untaken < PATIENCE;
}

// Serves signals until the machine halts. After a crash the terminal is as we found it; a program
// that ends by itself leaves it as it likes.
static int signals_serve(const sigset_t *set)
{
    struct termios terminal;
    bool has_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
    enum hal_halt how;
    int code;
    while (!halt_requested(&how, &code)) {
        int signal = sigwaitinfo(set, NULL);
        int notice = signal_to_notice(signal);
        if (notice >= 0 && !notice_raise(notice)) {
            fputs("osv-sim: no answer from the machine; it is switched off\n", stderr);
            how = HAL_CRASH;
            code = 128 + signal;
            break;
        }
    }
    if (how == HAL_CRASH && has_terminal) {
        tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
    }
    return code;
}

static int failed(const char *what, int failure)
{
    fprintf(stderr, "osv-sim: %s: %s\n", what, strerror(failure < 0 ? -failure : failure));
    return 1;
}

// True under a debugger or strace.
static bool is_traced(void)
{
    char text[4096];
    FILE *file = fopen("/proc/self/status", "re");
    size_t size = file == NULL ? 0 : fread(text, 1, sizeof text - 1, file);
    text[size] = 0;
    if (file != NULL) {
        fclose(file);
    }
    const char *tracer = strstr(text, "TracerPid:");
    return tracer != NULL && strtol(tracer + strlen("TracerPid:"), NULL, 10) != 0;
}

static void facts_fill(const struct boot_options *options)
{
    boot.args = options->args;
    boot.env = options->env;
    boot.cpu_count = options->cpu_count;
    device_shared_place(boot.direct_base, memory_shared_start(options->memory_size));
    boot.devs = device_list(&boot.dev_count);
    boot.image = __ehdr_start;
    boot.image_size = (size_t)(end - __ehdr_start);
}

int boot_run(const struct boot_options *options)
{
    static struct vcpu main_block;
    boot_verbose = options->verbose;
    int failure = memory_init(&boot, options->memory_size, device_shared_size(), is_traced());
    if (failure != 0) {
        return failed("cannot make the machine's memory", failure);
    }
    failure = vcpus_init(options->cpu_count);
    if (failure != 0) {
        return failed("cannot make the vCPUs", failure);
    }
    facts_fill(options);
    isa_init(!RUNNING_ON_VALGRIND && (getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE));
    clock_init(vdso_find());
    sigset_t set;
    signals_collect(&set);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    halt_main_tid = (int)syscall3(SYS_gettid, 0, 0, 0);
    vcpu_adopt_thread(&main_block);
    handlers_install();
    for (uint32_t i = 0; i < options->cpu_count; ++i) {
        failure = vcpu_create(i);
        if (failure != 0) {
            return failed("cannot start a vCPU", failure);
        }
    }
    failure = worker_start();
    if (failure != 0) {
        return failed("cannot start a device thread", failure);
    }
    return signals_serve(&set);
}
