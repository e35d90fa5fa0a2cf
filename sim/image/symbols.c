// SPDX-License-Identifier: BSD-3-Clause
// symbols.c: the names of the kernel's functions. What is made has a header, a table of three
// sections, symbols, and names, in this order; the kernel reads it as it would read its own file.
#include "sim/image/symbols.h"

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sim/image/fail.h"

enum { SECTION_SYMBOLS = 1, SECTION_NAMES, SECTION_COUNT };

struct source {
    const char *bytes;
    size_t size;
    Elf64_Shdr symbols, names;
};

static bool read_at(const struct source *source, uint64_t offset, void *to, size_t size)
{
    const bool fits = offset <= source->size && size <= source->size - offset;
    if (fits) {
        memcpy(to, source->bytes + offset, size);
    }
    return fits;
}

static bool section_read(const struct source *source, const Elf64_Ehdr *header, uint32_t index,
                         Elf64_Shdr *section)
{
    return index < header->e_shnum &&
           read_at(source, header->e_shoff + (uint64_t)index * sizeof *section, section,
                   sizeof *section) &&
           section->sh_offset <= source->size &&
           section->sh_size <= source->size - section->sh_offset;
}

static bool tables_find(struct source *source)
{
    Elf64_Ehdr header;
    if (!read_at(source, 0, &header, sizeof header) ||
        header.e_shentsize != sizeof source->symbols) {
        return false;
    }
    for (uint32_t i = 0; i < header.e_shnum; ++i) {
        if (section_read(source, &header, i, &source->symbols) &&
            source->symbols.sh_type == SHT_SYMTAB) {
            return section_read(source, &header, source->symbols.sh_link, &source->names);
        }
    }
    return false;
}

static bool is_function(const Elf64_Sym *symbol)
{
    return ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_shndx != SHN_UNDEF &&
           symbol->st_shndx != SHN_ABS;
}

static void headers_write(char *bytes, size_t symbols_size, size_t names_size)
{
    const Elf64_Ehdr header = {
        .e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_shoff = sizeof header,
        .e_ehsize = sizeof header,
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = SECTION_COUNT,
    };
    const size_t start = sizeof header + SECTION_COUNT * sizeof(Elf64_Shdr);
    const Elf64_Shdr sections[SECTION_COUNT] = {
        [SECTION_SYMBOLS] = {.sh_type = SHT_SYMTAB,
                             .sh_offset = start,
                             .sh_size = symbols_size,
                             .sh_link = SECTION_NAMES,
                             .sh_entsize = sizeof(Elf64_Sym)},
        [SECTION_NAMES] = {.sh_type = SHT_STRTAB,
                           .sh_offset = start + symbols_size,
                           .sh_size = names_size},
    };
    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, sections, sizeof sections);
}

char *symbols_make(const char *bytes, size_t size, size_t *result_size)
{
    struct source source = {.bytes = bytes, .size = size};
    *result_size = 0;
    if (!tables_find(&source)) {
        return memory_new(0);
    }
    const size_t start = sizeof(Elf64_Ehdr) + SECTION_COUNT * sizeof(Elf64_Shdr);
    char *result = memory_new(start + source.symbols.sh_size + source.names.sh_size);
    char *end = result + start;
    for (uint64_t at = 0; at + sizeof(Elf64_Sym) <= source.symbols.sh_size;
         at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        memcpy(&symbol, bytes + source.symbols.sh_offset + at, sizeof symbol);
        if (is_function(&symbol)) {
            memcpy(end, &symbol, sizeof symbol);
            end += sizeof symbol;
        }
    }
    memcpy(end, bytes + source.names.sh_offset, source.names.sh_size);
    headers_write(result, (size_t)(end - result) - start, source.names.sh_size);
    *result_size = (size_t)(end - result) + source.names.sh_size;
    return result;
}
