// SPDX-License-Identifier: BSD-3-Clause
// start.c: from a loaded program to its main.
//
// A shared object with main is called by us. An executable is entered at e_entry with what Linux
// puts on the stack: argc, argv, envp, the auxiliary vector; its start-up code comes back through
// __libc_start_main.
#include "core/libc/start.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>

#include "core/elf/program.h"
#include "core/elf/tls.h"
#include "core/lib/assert.h"
#include "core/lib/string.h"
#include "core/libc/copied.h"
#include "core/libc/direct.h"
#include "core/libc/export.h"
#include "core/libc/exports.h"
#include "core/libc/libc.h"
#include "core/libc/memory.h"
#include "core/libc/pthread.h"
#include "core/linux/process.h"
#include "core/mem/heap.h"

enum { AUXILIARY_MAX = 24, CLOCK_TICKS = 100, RANDOM_SIZE = 16 };

static struct {
    struct elf_object *program;
    struct elf_start start;
    int argc;
    char **argv, **envp;
    uintptr_t stack_guard, pointer_guard;
    unsigned char random[RANDOM_SIZE];
    size_t auxiliary[2 * AUXILIARY_MAX];
} startup;

char glibc_errno; // its address counts nothing: programs reach errno by its offset from the thread
                  // pointer

void libc_guards_set(struct elf_tcb *tcb)
{
    tcb->self = tcb->self_again = tcb;
    tcb->stack_guard = startup.stack_guard;
    tcb->pointer_guard = startup.pointer_guard;
}

char *libc_single_threaded_flag(void)
{
    return libc_single_threaded;
}

void libc_init(void)
{
    static struct libc_thread example;
    const struct elf_symbols symbols = {.symbols = libc_exports,
                                        .count = libc_export_count,
                                        .buckets = libc_export_buckets,
                                        .bucket_count = libc_export_bucket_count,
                                        .texts = libc_export_texts,
                                        .versions = libc_export_versions};
    libc_features_set(glibc__rtld_global_ro);
    elf_system_register(&symbols, libc_copied, libc_copied_count);
    elf_system_tls_set("errno",
                       (char *)libc_musl_error_number(&example) - (char *)libc_thread_tp(&example));
    libc_direct_init();
    task_quit_hook_set(libc_thread_gone);
    libc_stacks_init();
}

static void auxiliary_fill(const char *executable)
{
    struct libc_hardware hardware = libc_hardware();
    const struct process_options *options = process_options();
    const struct elf_start *start = &startup.start;
    const size_t pairs[][2] = {
        {AT_HWCAP, hardware.capabilities},
        {AT_HWCAP2, 0},
        {AT_PAGESZ, HAL_PAGE_SIZE},
        {AT_CLKTCK, CLOCK_TICKS},
        {AT_PHDR, (size_t)start->program_headers},
        {AT_PHENT, start->program_header_size},
        {AT_PHNUM, start->program_header_count},
        {AT_BASE, 0},
        {AT_FLAGS, 0},
        {AT_ENTRY, (size_t)start->entry},
        {AT_UID, options->uid},
        {AT_EUID, options->uid},
        {AT_GID, options->gid},
        {AT_EGID, options->gid},
        {AT_SECURE, 0},
        {AT_RANDOM, (size_t)startup.random},
        {AT_EXECFN, (size_t)executable},
        {AT_PLATFORM, (size_t)hardware.platform},
        {AT_NULL, 0},
    };
    _Static_assert(sizeof pairs <= sizeof startup.auxiliary, "AUXILIARY_MAX");
    memcpy(startup.auxiliary, pairs, sizeof pairs);
}

// The first thread has its stack already: only TLS and struct libc_thread are to be made, and stay
// for ever. -ENOMEM.
static int first_thread_make(void)
{
    size_t tls_size, alignment;
    elf_tls_layout(&tls_size, &alignment);
    alignment = alignment < 64 ? 64 : alignment;
    size_t size = tls_size + sizeof(struct libc_thread) + 2 * alignment;
    char *block = heap_alloc_aligned(alignment, size);
    if (block == NULL) {
        return -ENOMEM;
    }
    memset(block, 0, size);
    struct libc_thread *self = libc_thread_in(block + size, tls_size, alignment);
    struct thread *thread = thread_self();
    self->stack = thread->stack;
    self->stack_size = thread->stack_size;
    libc_thread_prepare(self);
    int error = elf_tls_create(&self->tcb);
    if (error != 0) {
        heap_free(block);
        return error;
    }
    self->thread = thread;
    self->task = thread->user;
    self->id = task_id(thread);
    self->is_main = true;
    libc_musl_thread_init(self);
    thread_tp_set(libc_thread_tp(self));
    return 0;
}

static void program_name_set(char *name)
{
    char *slash = strrchr(name, '/');
    *libc_progname_full = name;
    *libc_progname = slash == NULL ? name : slash + 1;
}

// With the thread pointer set, on the program's stack.
static void program_call(void)
{
    libc_thread_self()->first_frame = (uintptr_t)__builtin_frame_address(0);
    elf_init_run(startup.program, startup.argc, startup.argv, *libc_environ, false);
    libc_exit(startup.start.main(startup.argc, startup.argv, *libc_environ));
}

static size_t list_size(char *const *list, size_t *count)
{
    size_t size = 0;
    for (*count = 0; list[*count] != NULL; ++*count) {
        size += strlen(list[*count]) + 1;
    }
    return size;
}

static char *list_copy(char *to, char *const *from, uintptr_t *places)
{
    for (size_t i = 0; from[i] != NULL; ++i) {
        size_t size = strlen(from[i]) + 1;
        places[i] = (uintptr_t)to;
        to = (char *)memcpy(to, from[i], size) + size;
    }
    return to;
}

// What Linux leaves on the stack of a new program; NULL-terminated lists follow each other. The
// strings are apart, in Linux's order and without gaps: a program that sets its title writes over
// them. Where the machine has them is not for the program to see. NULL: no memory.
static uintptr_t *image_build(const char *executable, size_t *count)
{
    size_t arguments, environment;
    size_t size = list_size(startup.argv, &arguments) + list_size(startup.envp, &environment) +
                  strlen(executable) + 1;
    size_t words = 1 + arguments + 1 + environment + 1 + 2 * AUXILIARY_MAX;
    uintptr_t *image = heap_alloc_zeroed(words * sizeof *image);
    char *texts = heap_alloc(size);
    if (image == NULL || texts == NULL) {
        heap_free(image);
        heap_free(texts);
        return NULL;
    }
    image[0] = arguments;
    char *behind = list_copy(texts, startup.argv, image + 1);
    behind = list_copy(behind, startup.envp, image + 1 + arguments + 1);
    memcpy(behind, executable, strlen(executable) + 1);
    auxiliary_fill(behind);
    memcpy(image + words - 2 * AUXILIARY_MAX, startup.auxiliary, sizeof startup.auxiliary);
    *count = words;
    return image;
}

int libc_run(struct elf_object *program, int argc, char **argv, char **envp, const char *executable)
{
    startup.program = program;
    startup.argc = argc;
    elf_start_get(program, &startup.start);
    hal_entropy(startup.random, sizeof startup.random);
    memcpy(&startup.stack_guard, startup.random, sizeof startup.stack_guard);
    memcpy(&startup.pointer_guard, startup.random + 8, sizeof startup.pointer_guard);
    startup.stack_guard &= ~(uintptr_t)0xff; // a NUL byte stops string functions
    startup.argv = argv;
    startup.envp = envp;
    size_t words;
    uintptr_t *image = image_build(executable, &words);
    if (image == NULL) {
        return -ENOMEM;
    }
    startup.argv = (char **)(image + 1);
    startup.envp = startup.argv + argc + 1;
    int error = first_thread_make();
    if (error != 0) {
        return error; // and the machine ends
    }
    libc_musl_init(startup.envp, startup.auxiliary);
    libc_musl_locale_init();
    *libc_environ = startup.envp;
    program_name_set(argc == 0 ? "" : startup.argv[0]);
    libc_malloc_choose();
    if (startup.start.entry == NULL) {
        ASSERT(startup.start.main != NULL);
        program_call();
    }
    libc_enter(startup.start.entry, image, words);
}

// From an executable's start-up code. init is NULL since glibc 2.34; before, it is __libc_csu_init
// of the program, which runs the program's own initialisers.
EXPORT(HAL_NORETURN void, __libc_start_main, int (*program_main)(int, char **, char **), int argc,
       char **argv, void (*init)(int, char **, char **), void (*fini)(void), void (*finish)(void),
       void *stack_end)
{
    libc_thread_self()->first_frame = (uintptr_t)__builtin_frame_address(0);
    startup.argv = argv;
    *libc_environ = argv + argc + 1;
    elf_init_run(startup.program, argc, argv, *libc_environ, true);
    if (init != NULL) {
        init(argc, argv, *libc_environ);
    } else {
        elf_init_run_program(startup.program, argc, argv, *libc_environ);
    }
    libc_exit(program_main(argc, argv, *libc_environ));
}
