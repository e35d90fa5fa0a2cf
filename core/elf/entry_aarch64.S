// SPDX-License-Identifier: BSD-3-Clause
// entry_aarch64.S: what TLS descriptors call. x0 points to the descriptor: {function, argument}. The answer, in
// x0, is an offset from the thread pointer. Every other register is kept but the flags, x16 and x17.
// Source: ELF for the Arm 64-bit Architecture, "TLS descriptors".

        .text

// argument: the offset.
        .globl elf_descriptor_static
        .hidden elf_descriptor_static
        .type elf_descriptor_static, %function
elf_descriptor_static:
        .cfi_startproc
        ldr x0, [x0, #8]
        ret
        .cfi_endproc
        .size elf_descriptor_static, . - elf_descriptor_static

// argument: the address that a weak symbol nobody defines shall have.
        .globl elf_descriptor_undefined
        .hidden elf_descriptor_undefined
        .type elf_descriptor_undefined, %function
elf_descriptor_undefined:
        .cfi_startproc
        mrs x16, tpidr_el0
        ldr x0, [x0, #8]
        sub x0, x0, x16
        ret
        .cfi_endproc
        .size elf_descriptor_undefined, . - elf_descriptor_undefined

// argument: struct elf_tls_index *. The vector's fast path is left to C: everything that C may change is saved.
        .globl elf_descriptor_dynamic
        .hidden elf_descriptor_dynamic
        .type elf_descriptor_dynamic, %function
elf_descriptor_dynamic:
        .cfi_startproc
        sub sp, sp, #672
        .cfi_def_cfa_offset 672
        stp x29, x30, [sp]
        .cfi_offset x29, -672
        .cfi_offset x30, -664
        mov x29, sp
        stp x1, x2, [sp, #16]
        stp x3, x4, [sp, #32]
        stp x5, x6, [sp, #48]
        stp x7, x8, [sp, #64]
        stp x9, x10, [sp, #80]
        stp x11, x12, [sp, #96]
        stp x13, x14, [sp, #112]
        stp x15, x18, [sp, #128]
        add x9, sp, #160
        st1 {v0.2d-v3.2d}, [x9], #64
        st1 {v4.2d-v7.2d}, [x9], #64
        st1 {v8.2d-v11.2d}, [x9], #64
        st1 {v12.2d-v15.2d}, [x9], #64
        st1 {v16.2d-v19.2d}, [x9], #64
        st1 {v20.2d-v23.2d}, [x9], #64
        st1 {v24.2d-v27.2d}, [x9], #64
        st1 {v28.2d-v31.2d}, [x9], #64
        ldr x0, [x0, #8]
        bl elf_tls_address
        mrs x16, tpidr_el0
        sub x0, x0, x16
        add x9, sp, #160
        ld1 {v0.2d-v3.2d}, [x9], #64
        ld1 {v4.2d-v7.2d}, [x9], #64
        ld1 {v8.2d-v11.2d}, [x9], #64
        ld1 {v12.2d-v15.2d}, [x9], #64
        ld1 {v16.2d-v19.2d}, [x9], #64
        ld1 {v20.2d-v23.2d}, [x9], #64
        ld1 {v24.2d-v27.2d}, [x9], #64
        ld1 {v28.2d-v31.2d}, [x9], #64
        ldp x1, x2, [sp, #16]
        ldp x3, x4, [sp, #32]
        ldp x5, x6, [sp, #48]
        ldp x7, x8, [sp, #64]
        ldp x9, x10, [sp, #80]
        ldp x11, x12, [sp, #96]
        ldp x13, x14, [sp, #112]
        ldp x15, x18, [sp, #128]
        ldp x29, x30, [sp]
        add sp, sp, #672
        .cfi_def_cfa_offset 0
        ret
        .cfi_endproc
        .size elf_descriptor_dynamic, . - elf_descriptor_dynamic

        .section .note.GNU-stack, "", %progbits
