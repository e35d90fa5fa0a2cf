// SPDX-License-Identifier: BSD-3-Clause
// tls_x86_64.c: variant II: blocks lie below the thread pointer, the first module next to it.
#include "core/elf/tls.h"

#include "core/elf/object.h"

const size_t elf_tls_used_first = 0;
const bool elf_descriptors_are_known = true;

// The linker has put offsets from the thread pointer into executables: minus the size rounded up to
// the alignment. misalignment is the image's address modulo its alignment, which the block keeps.
int64_t elf_tls_place(size_t *used, size_t size, size_t alignment, size_t misalignment)
{
    size_t first = (0 - misalignment) & (alignment - 1);
    size_t end = *used + size - (size < first ? 0 : first);
    *used = ((end + alignment - 1) & ~(alignment - 1)) + first;
    return -(int64_t)*used;
}

char *elf_tcb_pointer(struct elf_tcb *tcb)
{
    return (char *)tcb;
}

void elf_tcb_prepare(struct elf_tcb *tcb)
{
    tcb->self = tcb;
    tcb->self_again = tcb;
}

struct elf_tcb *elf_tcb_self(void)
{
    struct elf_tcb *tcb;
    __asm__("movq %%fs:0, %0" : "=r"(tcb));
    return tcb;
}
