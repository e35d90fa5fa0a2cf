// SPDX-License-Identifier: BSD-3-Clause
// tls_aarch64.c: variant I: the thread pointer is at a header of 16 bytes, blocks follow it, and
// our own struct elf_tcb lies below it.
#include "core/elf/tls.h"

#include "core/elf/object.h"

enum { HEADER_SIZE = 16 };

const size_t elf_tls_used_first = HEADER_SIZE;
const bool elf_descriptors_are_known = true;

int64_t elf_tls_place(size_t *used, size_t size, size_t alignment, size_t misalignment)
{
    size_t first = (0 - misalignment) & (alignment - 1);
    size_t offset = (*used + alignment - 1) & ~(alignment - 1);
    if (offset - *used < first) {
        offset += alignment;
    }
    offset -= first;
    *used = offset + size;
    return (int64_t)offset;
}

char *elf_tcb_pointer(struct elf_tcb *tcb)
{
    return (char *)tcb + ELF_TCB_DISTANCE_AARCH64;
}

// The first word of the header is the dynamic vector's, by the ABI.
void elf_tcb_prepare(struct elf_tcb *tcb)
{
    tcb->self = tcb;
    tcb->self_again = tcb;
    *(struct elf_dtv **)elf_tcb_pointer(tcb) = tcb->dtv;
}

struct elf_tcb *elf_tcb_self(void)
{
    char *pointer;
    __asm__("mrs %0, tpidr_el0" : "=r"(pointer));
    return (struct elf_tcb *)(pointer - ELF_TCB_DISTANCE_AARCH64);
}
