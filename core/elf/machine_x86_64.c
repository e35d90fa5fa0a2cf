// SPDX-License-Identifier: BSD-3-Clause
// machine_x86_64.c: what the loader has to know about x86_64. Source: the x86-64 psABI, chapter 4.
#include "core/elf/object.h"

#include "core/lib/string.h"

const uint16_t elf_machine = 62;
const char elf_machine_name[] = "x86_64";
const char elf_interpreter[] = "ld-linux-x86-64.so.2";
const char elf_platform[] = "x86_64";
const char elf_system_path[] = "/lib/x86_64-linux-gnu/libc.so.6";
const char elf_lib_token[] = "lib/x86_64-linux-gnu";
const uint32_t elf_cache_flags = 0x303; // FLAG_X8664_LIB64 | FLAG_ELF_LIBC6
const char *const elf_default_directories[] = {"/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu",
                                               "/lib", "/usr/lib", NULL};

enum elf_relocation_kind elf_relocation_kind(uint32_t type)
{
    static const uint8_t kinds[] = {
        [0] = ELF_R_NONE,            // R_X86_64_NONE
        [1] = ELF_R_ABSOLUTE,        // R_X86_64_64
        [2] = ELF_R_RELATIVE_32,     // R_X86_64_PC32
        [5] = ELF_R_COPY,            // R_X86_64_COPY
        [6] = ELF_R_DATA_SLOT,       // R_X86_64_GLOB_DAT
        [7] = ELF_R_CALL_SLOT,       // R_X86_64_JUMP_SLOT
        [8] = ELF_R_RELATIVE,        // R_X86_64_RELATIVE
        [10] = ELF_R_ABSOLUTE_32,    // R_X86_64_32
        [16] = ELF_R_TLS_MODULE,     // R_X86_64_DTPMOD64
        [17] = ELF_R_TLS_OFFSET,     // R_X86_64_DTPOFF64
        [18] = ELF_R_TLS_POINTER,    // R_X86_64_TPOFF64
        [24] = ELF_R_RELATIVE_64,    // R_X86_64_PC64
        [32] = ELF_R_SIZE_32,        // R_X86_64_SIZE32
        [33] = ELF_R_SIZE_64,        // R_X86_64_SIZE64
        [36] = ELF_R_TLS_DESCRIPTOR, // R_X86_64_TLSDESC
        [37] = ELF_R_INDIRECT,       // R_X86_64_IRELATIVE
    };
    return type < sizeof(kinds) ? (enum elf_relocation_kind)kinds[type] : ELF_R_UNKNOWN;
}

char *elf_resolver_call(char *resolver)
{
    return ((char *(*)(void))(uintptr_t)resolver)();
}

// movabs $argument, %rdi; movabs $target, %rax; jmp *%rax
void elf_stub_write(char *code, void (*target)(void *), void *argument)
{
    static const char pattern[ELF_STUB_SIZE] =
        "\x48\xbf\0\0\0\0\0\0\0\0\x48\xb8\0\0\0\0\0\0\0\0\xff\xe0\xcc";
    memcpy(code, pattern, ELF_STUB_SIZE);
    __builtin_memcpy(code + 2, &argument, sizeof(argument));
    __builtin_memcpy(code + 12, &target, sizeof(target));
}

void elf_bind_first(void); // entry_x86_64.S

void (*const elf_bind_entry)(void) = elf_bind_first;
