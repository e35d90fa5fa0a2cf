// SPDX-License-Identifier: BSD-3-Clause
// thread.h: a thread as the C library sees it.
//
// struct libc_thread lies at the thread pointer (x86_64) or right below it (aarch64): glibc's
// thread control block, then musl's struct pthread, which musl_thread.c fills, then ours. pthread_t
// is its address.
#ifndef CORE_LIBC_THREAD_H
#define CORE_LIBC_THREAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/elf/tls.h"
#include "core/lib/list.h"
#include "core/sched/thread.h"

struct task;
struct elf_object;

enum {
    LIBC_THREAD_MUSL_SIZE = 256,
    LIBC_KEY_MAX = 1024,
    LIBC_KEY_NEAR = 32, // keys whose values need no allocation
    LIBC_STACK_SIZE = 8 << 20,
    LIBC_STACK_EAGER = 16 << 10, // of a new stack, mapped at once
    LIBC_NAME_SIZE = 16,
};

enum libc_cancel { LIBC_CANCEL_ENABLE, LIBC_CANCEL_DISABLE };

struct libc_key_value {
    uintptr_t serial; // of the key when it was set; the value counts only while that is the key's
    void *value;
};

struct libc_guard;
struct libc_robust;     // pthread_robust.c
struct libc_cleanup;    // C's pthread_cleanup_push buffers
struct libc_destructor; // of thread_local objects

// An exception without a language (struct _Unwind_Exception), for forced unwinding.
struct libc_unwinding {
    uint64_t class;
    void (*discard)(int reason, struct libc_unwinding *unwinding);
    uint64_t of_unwinder[2];
} __attribute__((aligned(16)));

struct libc_thread {
    struct elf_tcb tcb;
    unsigned char musl[LIBC_THREAD_MUSL_SIZE];

    struct thread *thread;
    struct task *task;
    int32_t id;
    bool is_main;
    void *(*entry)(void *); // NULL: c11_entry
    int (*c11_entry)(void *);
    void *argument;
    void *result;

    // The mapping that holds guard, stack, TLS and this struct.
    char *map;
    size_t map_size;
    char *stack; // above the guard
    size_t stack_size;
    size_t guard_size;
    bool stack_is_users; // pthread_attr_setstack: the mapping is not ours to reuse

    _Atomic uint32_t ownership; // enum libc_ownership
    _Atomic uint32_t cancel_requested;
    uint32_t cancel_state, cancel_type;
    bool exiting;

    struct libc_robust *robust;       // the robust mutexes that it holds
    struct libc_robust *robust_spare; // for the next one

    struct libc_cleanup *cleanups;
    struct libc_destructor *destructors;
    struct libc_guard *guards;
    uintptr_t first_frame; // unwinding ends there
    struct libc_unwinding unwinding;
    struct libc_key_value near_values[LIBC_KEY_NEAR];
    struct libc_key_value *far_values; // of the other keys, NULL until one is set

    struct libc_thread *next; // in the cache, or among the ended detached ones
    char *dl_message;         // dlerror's text, allocated; NULL: none
    bool dl_message_shown;
    char signal_text[32]; // strsignal, strerror of unknown numbers
    char error_text[32];
};

_Static_assert(offsetof(struct libc_thread, musl) == 704,
               "override/*/pthread_arch.h: LIBC_THREAD_MUSL");
_Static_assert(sizeof(struct libc_thread) <= 1792,
               "override/aarch64/pthread_arch.h: LIBC_THREAD_SIZE");

enum libc_ownership { LIBC_JOINABLE, LIBC_DETACHED, LIBC_JOINED, LIBC_ENDED };

extern const size_t libc_thread_below_tp; // where struct libc_thread is, below the thread pointer

struct libc_thread *libc_thread_self(void);

// The same, for calls that programs make all the time.
static inline struct libc_thread *libc_thread_here(void)
{
    return (struct libc_thread *)((char *)__builtin_thread_pointer() - libc_thread_below_tp);
}

// Where the thread pointer of a thread is.
void *libc_thread_tp(struct libc_thread *self);

// Fills tcb and musl's part of a thread whose other fields are set.
void libc_thread_prepare(struct libc_thread *self);

// musl's half of libc_thread_prepare and its per-process state (musl_thread.c).
void libc_musl_thread_init(struct libc_thread *self);
void libc_musl_init(char **envp, const size_t *auxiliary);
void libc_musl_threads_changed(int change); // +1, -1: how many run beside the first
int *libc_musl_error_number(struct libc_thread *self);

// A mapping with guard, stack and room for a libc_thread; from the cache where one fits. NULL: no
// memory.
struct libc_thread *libc_stack_get(size_t stack_size, size_t guard_size);
void libc_stack_put(struct libc_thread *self);
void libc_stacks_drop(void); // what is kept of ended threads is unmapped

// At boot: stacks that are kept for new threads go back when memory gets scarce.
void libc_stacks_init(void);

// Ends the calling thread: cleanup handlers and unwinding are done. Runs the destructors of
// thread_local objects and of keys; the last thread ends the process.
HAL_NORETURN void libc_thread_exit(void *result);
void libc_thread_gone(void); // the calling thread ends by the system call

void libc_thread_destructors_run(struct libc_thread *self); // of thread_local objects
void libc_thread_keys_run(struct libc_thread *self);        // destructors of keys
void libc_robust_release(struct libc_thread *self);         // at its end: its robust mutexes
void libc_thread_unwind(void); // on behalf of pthread_exit and cancellation
void libc_cancel_test(void);

// Goes on in the newest cleanup handler of C whose function's stack lies below frame; returns where
// there is none.
void libc_cleanups_run_below(struct libc_thread *self, uintptr_t frame);

#endif
