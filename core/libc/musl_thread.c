// SPDX-License-Identifier: BSD-3-Clause
// musl_thread.c: the state that musl keeps per process and per thread, in the places where ours
// leave room for it.
//
// Invariant: libc.need_locks is 0 only while one thread has ever existed. Locks of streams are -1
// ("nobody else") just as long.
#include "core/libc/thread.h"

#include <elf.h>

#include <libc.h>
#include "locale_impl.h"
#include "pthread_impl.h"
#include "stdio_impl.h"

struct __libc __libc;
size_t __hwcap;
size_t __sysinfo;
volatile int __thread_list_lock;
volatile int __eintr_valid_flag;

_Static_assert(sizeof(struct pthread) <= LIBC_THREAD_MUSL_SIZE, "struct libc_thread.musl");
_Static_assert(offsetof(struct libc_thread, musl) == LIBC_THREAD_MUSL, "pthread_arch.h");

struct libc_thread *libc_thread_self(void)
{
    return libc_thread_here();
}

void libc_musl_thread_init(struct libc_thread *self)
{
    struct pthread *musl = (struct pthread *)self->musl;
    musl->self = musl;
    musl->prev = musl->next = musl;
    musl->tid = self->id;
    musl->detach_state = DT_JOINABLE;
    musl->locale = &libc.global_locale;
    musl->robust_list.head = &musl->robust_list.head;
    musl->stack = self->stack + self->stack_size;
    musl->stack_size = self->stack_size;
    musl->guard_size = self->guard_size;
}

int *libc_musl_error_number(struct libc_thread *self)
{
    return &((struct pthread *)self->musl)->errno_val;
}

// The words of auxiliary are pairs, AT_NULL ends them.
void libc_musl_init(char **envp, const size_t *auxiliary)
{
    (void)envp;
    libc.auxv = (size_t *)auxiliary;
    libc.page_size = 4096;
    libc.can_do_threads = 1;
    for (size_t i = 0; auxiliary[i] != AT_NULL; i += 2) {
        if (auxiliary[i] == AT_HWCAP) {
            __hwcap = auxiliary[i + 1];
        }
        if (auxiliary[i] == AT_SECURE) {
            libc.secure = auxiliary[i + 1] != 0;
        }
    }
}

static void stream_lock_init(FILE *stream)
{
    if (stream != NULL && stream->lock < 0) {
        stream->lock = 0;
    }
}

void libc_musl_threads_changed(int change)
{
    if (!libc.threaded) {
        for (FILE *stream = *__ofl_lock(); stream != NULL; stream = stream->next) {
            stream_lock_init(stream);
        }
        __ofl_unlock();
        stream_lock_init(__stdin_used);
        stream_lock_init(__stdout_used);
        stream_lock_init(__stderr_used);
        libc.threaded = 1;
        libc.need_locks = 1;
    }
    a_fetch_add(&libc.threads_minus_1, change);
}

// setuid and its kin: core/linux changes the ids of the whole process in one call.
void __synccall(void (*function)(void *), void *argument)
{
    function(argument);
}
