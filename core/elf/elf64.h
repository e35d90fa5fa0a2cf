// SPDX-License-Identifier: BSD-3-Clause
// elf64.h: the structures of 64-bit ELF files, as they lie in the file and in memory.
//
// Sources: System V gABI chapters 4 and 5, "ELF Handling For Thread-Local Storage", the GNU symbol
// versioning document in the LSB, and the RELR proposal of the generic-abi list. Numbers that
// differ between instruction sets (relocation types) are in machine_*.c.
#ifndef CORE_ELF_ELF64_H
#define CORE_ELF_ELF64_H

#include <stdint.h>

enum { ELF_CLASS_64 = 2, ELF_DATA_LITTLE = 1, ELF_VERSION_CURRENT = 1 };
enum { ELF_TYPE_RELOCATABLE = 1, ELF_TYPE_EXECUTABLE = 2, ELF_TYPE_SHARED = 3, ELF_TYPE_CORE = 4 };

struct elf_header {
    uint8_t magic[4], class_code, data, ident_version, os_abi, padding[8];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, program_offset, section_offset;
    uint32_t flags;
    uint16_t header_size, program_entry_size, program_count, section_entry_size, section_count,
        section_names;
};

enum elf_segment_type {
    ELF_PT_LOAD = 1,
    ELF_PT_DYNAMIC = 2,
    ELF_PT_INTERP = 3,
    ELF_PT_PHDR = 6,
    ELF_PT_TLS = 7,
    ELF_PT_EH_FRAME = 0x6474e550,
    ELF_PT_RELRO = 0x6474e552,
};
enum { ELF_PF_EXEC = 1, ELF_PF_WRITE = 2, ELF_PF_READ = 4 };

struct elf_program_header {
    uint32_t type, flags;
    uint64_t offset, address, physical, file_size, memory_size, alignment;
};

// Tags below ELF_DT_COUNT are kept in an array; the GNU ones are moved there, behind the standard
// ones.
enum elf_dynamic_tag {
    ELF_DT_NULL = 0,
    ELF_DT_NEEDED = 1,
    ELF_DT_PLTRELSZ = 2,
    ELF_DT_PLTGOT = 3,
    ELF_DT_HASH = 4,
    ELF_DT_STRTAB = 5,
    ELF_DT_SYMTAB = 6,
    ELF_DT_RELA = 7,
    ELF_DT_RELASZ = 8,
    ELF_DT_RELAENT = 9,
    ELF_DT_STRSZ = 10,
    ELF_DT_SYMENT = 11,
    ELF_DT_INIT = 12,
    ELF_DT_FINI = 13,
    ELF_DT_SONAME = 14,
    ELF_DT_RPATH = 15,
    ELF_DT_SYMBOLIC = 16,
    ELF_DT_REL = 17,
    ELF_DT_PLTREL = 20,
    ELF_DT_DEBUG = 21,
    ELF_DT_TEXTREL = 22,
    ELF_DT_JMPREL = 23,
    ELF_DT_BIND_NOW = 24,
    ELF_DT_INIT_ARRAY = 25,
    ELF_DT_FINI_ARRAY = 26,
    ELF_DT_INIT_ARRAYSZ = 27,
    ELF_DT_FINI_ARRAYSZ = 28,
    ELF_DT_RUNPATH = 29,
    ELF_DT_FLAGS = 30,
    ELF_DT_PREINIT_ARRAY = 32,
    ELF_DT_PREINIT_ARRAYSZ = 33,
    ELF_DT_RELRSZ = 35,
    ELF_DT_RELR = 36,
    ELF_DT_RELRENT = 37,
    ELF_DT_GNU_HASH = 38, // places in the array, not tags, from here on
    ELF_DT_VERSYM = 39,
    ELF_DT_VERDEF = 40,
    ELF_DT_VERDEFNUM = 41,
    ELF_DT_VERNEED = 42,
    ELF_DT_VERNEEDNUM = 43,
    ELF_DT_FLAGS_1 = 44,
    ELF_DT_COUNT = 45,
};
enum {
    ELF_TAG_GNU_HASH = 0x6ffffef5,
    ELF_TAG_VERSYM = 0x6ffffff0,
    ELF_TAG_FLAGS_1 = 0x6ffffffb, // VERDEF, VERDEFNUM, VERNEED, VERNEEDNUM follow it
    ELF_TAG_VERNEEDNUM = 0x6fffffff,
};
enum { ELF_DF_SYMBOLIC = 2, ELF_DF_TEXTREL = 4, ELF_DF_BIND_NOW = 8, ELF_DF_STATIC_TLS = 16 };
enum { ELF_DF_1_NOW = 1, ELF_DF_1_NODELETE = 8, ELF_DF_1_PIE = 0x08000000 };

struct elf_dynamic {
    int64_t tag;
    uint64_t value;
};

enum elf_binding { ELF_STB_LOCAL = 0, ELF_STB_GLOBAL = 1, ELF_STB_WEAK = 2, ELF_STB_UNIQUE = 10 };
enum elf_symbol_type {
    ELF_STT_NOTYPE = 0,
    ELF_STT_OBJECT = 1,
    ELF_STT_FUNCTION = 2,
    ELF_STT_COMMON = 5,
    ELF_STT_TLS = 6,
    ELF_STT_IFUNC = 10,
};
enum elf_visibility {
    ELF_STV_DEFAULT = 0,
    ELF_STV_INTERNAL = 1,
    ELF_STV_HIDDEN = 2,
    ELF_STV_PROTECTED = 3
};
enum { ELF_SHN_UNDEF = 0, ELF_SHN_ABS = 0xfff1 };

struct elf_symbol_entry {
    uint32_t name;
    uint8_t info, other;
    uint16_t section;
    uint64_t value, size;
};

static inline unsigned elf_symbol_binding(const struct elf_symbol_entry *symbol)
{
    return symbol->info >> 4;
}

static inline unsigned elf_symbol_type(const struct elf_symbol_entry *symbol)
{
    return symbol->info & 15;
}

static inline unsigned elf_symbol_visibility(const struct elf_symbol_entry *symbol)
{
    return symbol->other & 3;
}

struct elf_relocation {
    uint64_t offset;
    uint32_t type, symbol;
    int64_t addend;
};

enum { ELF_VERSION_HIDDEN = 0x8000, ELF_VERSION_INDEX = 0x7fff, ELF_VERSION_BASE = 1 };

struct elf_version_definition {
    uint16_t version, flags, index, name_count;
    uint32_t hash, names_offset, next_offset;
};

struct elf_version_definition_name {
    uint32_t name, next_offset;
};

struct elf_version_need {
    uint16_t version, name_count;
    uint32_t file, names_offset, next_offset;
};

struct elf_version_need_name {
    uint32_t hash;
    uint16_t flags, index;
    uint32_t name, next_offset;
};

_Static_assert(sizeof(struct elf_header) == 64, "gABI");
_Static_assert(sizeof(struct elf_program_header) == 56, "gABI");
_Static_assert(sizeof(struct elf_symbol_entry) == 24, "gABI");
_Static_assert(sizeof(struct elf_relocation) == 24, "gABI");
_Static_assert(sizeof(struct elf_version_definition) == 20, "LSB");
_Static_assert(sizeof(struct elf_version_need) == 16, "LSB");
_Static_assert(sizeof(struct elf_version_need_name) == 16, "LSB");

#endif
