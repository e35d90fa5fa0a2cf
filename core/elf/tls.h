// SPDX-License-Identifier: BSD-3-Clause
// tls.h: thread-local storage: layout of the static blocks, the dynamic vector, __tls_get_addr.
//
// x86_64 (variant II): [... block 2][block 1 = the program's][struct elf_tcb ...] with the thread
// pointer at struct elf_tcb. aarch64 (variant I): the thread pointer is at a 16-byte header, blocks
// follow it; our own data lies below it.
#ifndef CORE_ELF_TLS_H
#define CORE_ELF_TLS_H

#include <stddef.h>
#include <stdint.h>

#include "hal/hal.h"

// What compilers and glibc-built code expect at the thread pointer on x86_64 (%fs:0): self, dtv,
// self, ..., %fs:0x28 the stack guard, %fs:0x30 the pointer guard.
struct elf_tcb {
    void *self;
    struct elf_dtv *dtv;
    void *self_again;
    int32_t multiple_threads, gscope;
    uintptr_t system_information;
    uintptr_t stack_guard;   // 0x28
    uintptr_t pointer_guard; // 0x30
    uintptr_t reserved[81];  // to 704 bytes, as glibc's tcbhead_t
};

// On aarch64 the thread pointer is so far above struct elf_tcb: core/libc's struct libc_thread,
// which begins with it, lies between.
enum { ELF_TCB_DISTANCE_AARCH64 = 1792 };

_Static_assert(offsetof(struct elf_tcb, stack_guard) == 0x28, "psABI");
_Static_assert(sizeof(struct elf_tcb) == 704, "glibc tcbhead_t");

// Size and alignment of one thread's static TLS (blocks plus surplus for dlopen) below (x86_64) the
// thread pointer.
void elf_tls_layout(size_t *size, size_t *alignment);

// Fills the static blocks of a new thread whose thread pointer will be tp: copies initialisers,
// zeroes the rest, makes the dtv.
HAL_MUST_CHECK int elf_tls_create(struct elf_tcb *tcb);
void elf_tls_destroy(struct elf_tcb *tcb); // frees the dtv and dynamic blocks

// The module number of the kernel's own thread-local symbols: the offset is from the thread
// pointer.
#define ELF_TLS_SYSTEM SIZE_MAX

struct elf_tls_index {
    size_t module, offset;
};
void *elf_tls_address(const struct elf_tls_index *index); // __tls_get_addr, for the calling thread

#endif
