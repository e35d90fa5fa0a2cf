// SPDX-License-Identifier: BSD-3-Clause
// machine_aarch64.c: what the loader has to know about aarch64. Source: ELF for the Arm 64-bit
// Architecture.
#include "core/elf/object.h"

#include "core/lib/string.h"

const uint16_t elf_machine = 183;
const char elf_machine_name[] = "aarch64";
const char elf_interpreter[] = "ld-linux-aarch64.so.1";
const char elf_platform[] = "aarch64";
const char elf_system_path[] = "/lib/aarch64-linux-gnu/libc.so.6";
const char elf_lib_token[] = "lib/aarch64-linux-gnu";
const uint32_t elf_cache_flags = 0xa03; // FLAG_AARCH64_LIB64 | FLAG_ELF_LIBC6
const char *const elf_default_directories[] = {
    "/lib/aarch64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/lib", "/usr/lib", NULL};

enum elf_relocation_kind elf_relocation_kind(uint32_t type)
{
    static const uint8_t dynamic_kinds[] = {
        [0] = ELF_R_COPY,           // R_AARCH64_COPY, 1024
        [1] = ELF_R_DATA_SLOT,      // R_AARCH64_GLOB_DAT
        [2] = ELF_R_CALL_SLOT,      // R_AARCH64_JUMP_SLOT
        [3] = ELF_R_RELATIVE,       // R_AARCH64_RELATIVE
        [4] = ELF_R_TLS_MODULE,     // R_AARCH64_TLS_DTPMOD
        [5] = ELF_R_TLS_OFFSET,     // R_AARCH64_TLS_DTPREL
        [6] = ELF_R_TLS_POINTER,    // R_AARCH64_TLS_TPREL
        [7] = ELF_R_TLS_DESCRIPTOR, // R_AARCH64_TLSDESC
        [8] = ELF_R_INDIRECT,       // R_AARCH64_IRELATIVE
    };
    if (type >= 1024) {
        return type - 1024 < sizeof(dynamic_kinds)
                   ? (enum elf_relocation_kind)dynamic_kinds[type - 1024]
                   : ELF_R_UNKNOWN;
    }
    switch (type) {
    case 0: // R_AARCH64_NONE
    case 256:
        return ELF_R_NONE;
    case 257: // R_AARCH64_ABS64
        return ELF_R_ABSOLUTE;
    case 258: // R_AARCH64_ABS32
        return ELF_R_ABSOLUTE_32;
    case 260: // R_AARCH64_PREL64
        return ELF_R_RELATIVE_64;
    case 261: // R_AARCH64_PREL32
        return ELF_R_RELATIVE_32;
    default:
        return ELF_R_UNKNOWN;
    }
}

// Resolvers are given AT_HWCAP with bit 62 set when a second argument follows; without features
// they choose the basic variants.
char *elf_resolver_call(char *resolver)
{
    return ((char *(*)(uint64_t))(uintptr_t)resolver)(0);
}

// ldr x0, argument; ldr x16, target; br x16; nop; argument; target
void elf_stub_write(char *code, void (*target)(void *), void *argument)
{
    static const uint32_t instructions[4] = {0x58000080, 0x580000b0, 0xd61f0200, 0xd503201f};
    memcpy(code, instructions, sizeof(instructions));
    __builtin_memcpy(code + 16, &argument, sizeof(argument));
    __builtin_memcpy(code + 24, &target, sizeof(target));
}

// No program runs there yet that would start the sooner for it.
void (*const elf_bind_entry)(void) = NULL;
