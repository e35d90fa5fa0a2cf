// SPDX-License-Identifier: BSD-3-Clause
// thread.c: host threads that carry vCPUs, up to where guest code begins. Ordinary hosted C.
#include "hal-linux/thread.h"

#include <asm/prctl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <unistd.h>
#include <valgrind/valgrind.h>

#include "hal-linux/boot.h"
#include "hal-linux/syscall.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

enum { THREAD_STACK = 262144, SIGNAL_STACK_EXTRA = 16384 };

extern const char __executable_start[], etext[]; // the linker's

struct start {
    struct vcpu *vcpu;
    void (*carry)(struct vcpu *);
};

static size_t signal_stack_size;
static char *signal_stacks;
static struct start starts[HAL_CPU_MAX];
static bool is_verbose;

// Valgrind makes its own calls, and the sanitizers' run-times theirs, on our threads.
void thread_guest_begin(void)
{
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    if (!RUNNING_ON_VALGRIND) {
        long start = (long)__executable_start;
        long result = syscall6(SYS_prctl, PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, start,
                               (long)etext - start, 0, 0);
        if (result != 0 && is_verbose && vcpu_self()->index == 0) {
            static const char text[] =
                "osv-sim: this host has no Syscall User Dispatch: stray system calls reach it\n";
            hal_console_write(text, sizeof text - 1);
        }
    }
#endif
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

// The host need not write each switch of the thread into memory of its libc, which guest code does
// not have.
static void rseq_end(void)
{
    if (__rseq_size != 0) {
        char *tp;
        __asm__("movq %%fs:0, %0" : "=r"(tp));
        syscall4(SYS_rseq, (long)(tp + __rseq_offset), sizeof(struct rseq), RSEQ_FLAG_UNREGISTER,
                 RSEQ_SIG);
    }
}

static void *thread_main(void *arg)
{
    const struct start *start = arg;
    struct vcpu *vcpu = start->vcpu;
    char name[16];
    snprintf(name, sizeof name, "vcpu%u", vcpu->index);
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_TIMERSLACK, 1); // an idle vCPU wakes for its timer on time, not 50 us later
    stack_t stack = {.ss_sp = signal_stacks + vcpu->index * signal_stack_size,
                     .ss_size = signal_stack_size};
    // Before the mask opens: the handler finds its vCPU through GS. Host libc does not use it.
    syscall3(SYS_arch_prctl, ARCH_SET_GS, (long)vcpu, 0);
    atomic_store(&vcpu->tid, (int)syscall3(SYS_gettid, 0, 0, 0)); // pairs with vcpu_raise
    if (sigaltstack(&stack, NULL) != 0) {
        abort();
    }
    signals_open();
    rseq_end();
    start->carry(vcpu);
    return NULL;
}

int thread_carry(struct vcpu *vcpu, void (*carry)(struct vcpu *))
{
    struct start *start = &starts[vcpu->index];
    *start = (struct start){vcpu, carry};
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, THREAD_STACK);
    pthread_t thread;
    int failure = pthread_create(&thread, &attr, thread_main, start);
    pthread_attr_destroy(&attr);
    return -failure;
}

int threads_init(uint32_t count, bool verbose)
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
    is_verbose = verbose;
    return signal_stacks == MAP_FAILED ? -ENOMEM : 0;
}
