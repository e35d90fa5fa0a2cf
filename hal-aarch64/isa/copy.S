// SPDX-License-Identifier: BSD-3-Clause
// copy.S: int hal_copy_safe(void *target, const void *source, size_t size)
//
// Every access between isa_copy_start and isa_copy_end may fault and be restarted: registers change only after the
// access that they serve, so no post-index on a store that could be half done. Strides of 16, then single bytes.
    .text
    .globl hal_copy_safe, isa_copy_start, isa_copy_end, isa_copy_fail
    .type hal_copy_safe, %function
hal_copy_safe: // x0 target, x1 source, x2 size
    .cfi_startproc
isa_copy_start:
1:  subs x3, x2, #16
    b.lo 2f
    ldp x4, x5, [x1]
    stp x4, x5, [x0]
    add x0, x0, #16
    add x1, x1, #16
    mov x2, x3
    b 1b
2:  cbz x2, isa_copy_end
    ldrb w4, [x1]
    strb w4, [x0]
    add x0, x0, #1
    add x1, x1, #1
    sub x2, x2, #1
    b 2b
isa_copy_end:
    mov w0, wzr
    ret
isa_copy_fail:
    mov w0, #-14 // -EFAULT
    ret
    .cfi_endproc
    .size hal_copy_safe, . - hal_copy_safe

    .section .note.GNU-stack, "", %progbits
