// SPDX-License-Identifier: BSD-3-Clause
// kernel.c: a kernel's file, and what becomes of it in an image.
//
// An image in ELF format begins with a page that has an ELF header and program headers of its own:
// those of the kernel, moved by a page, and one for the root. The kernel's own headers are in the
// page after it as they were, since the kernel reads them when it runs.
#include "sim/image/kernel.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/image/fail.h"
#include "sim/image/output.h"
#include "sim/image/symbols.h"

static uint64_t page_up(uint64_t address)
{
    return (address + KERNEL_PAGE_SIZE - 1) & ~(uint64_t)(KERNEL_PAGE_SIZE - 1);
}

// Finds the note among those of the segment.
static struct image *note_find(char *bytes, const Elf64_Phdr *segment)
{
    char *at = bytes + segment->p_offset, *end = at + segment->p_filesz;
    Elf64_Nhdr note;
    while ((size_t)(end - at) >= sizeof note) {
        memcpy(&note, at, sizeof note);
        const uint64_t name_size = ((uint64_t)note.n_namesz + 3) & ~3ull;
        const uint64_t size = sizeof note + name_size + (((uint64_t)note.n_descsz + 3) & ~3ull);
        if (size > (size_t)(end - at)) {
            return NULL;
        }
        if (note.n_type == IMAGE_NOTE_TYPE && note.n_namesz == sizeof IMAGE_NOTE_NAME &&
            note.n_descsz == sizeof(struct image) &&
            memcmp(at + sizeof note, IMAGE_NOTE_NAME, sizeof IMAGE_NOTE_NAME) == 0) {
            return (struct image *)(void *)(at + sizeof note + name_size);
        }
        at += size;
    }
    return NULL;
}

static bool has_headers(const struct kernel *kernel, size_t size)
{
    const Elf64_Ehdr *header = kernel->header;
    return size >= sizeof *header && memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_type == ET_EXEC &&
           header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phoff % 8 == 0 &&
           header->e_phoff <= size &&
           header->e_phnum <= (size - header->e_phoff) / sizeof(Elf64_Phdr);
}

const char *kernel_parse(struct kernel *kernel, char *bytes, size_t size)
{
    *kernel = (struct kernel){.bytes = bytes, .header = (void *)bytes};
    if (!has_headers(kernel, size)) {
        return "is no ELF file of a kernel";
    }
    if (kernel->header->e_machine != EM_X86_64) {
        return "is a kernel for another machine than x86_64";
    }
    kernel->segments = (const void *)(bytes + kernel->header->e_phoff);
    for (unsigned i = 0; i < kernel->header->e_phnum; ++i) {
        const Elf64_Phdr *segment = &kernel->segments[i];
        const uint64_t file_end = segment->p_offset + segment->p_filesz;
        const uint64_t memory_end = segment->p_paddr + segment->p_memsz;
        if (file_end > size || file_end < segment->p_offset || memory_end < segment->p_paddr) {
            return "is cut short";
        }
        if (segment->p_type == PT_NOTE && kernel->image == NULL && segment->p_offset % 4 == 0) {
            kernel->image = note_find(bytes, segment);
        } else if (segment->p_type == PT_LOAD) {
            kernel->size = file_end > kernel->size ? file_end : kernel->size;
            kernel->memory_end =
                page_up(memory_end) > kernel->memory_end ? page_up(memory_end) : kernel->memory_end;
        }
    }
    if (kernel->image == NULL || !image_is_right(kernel->image)) {
        return "is no kernel that goes with this osv-image";
    }
    return NULL;
}

void kernel_read(struct kernel *kernel, const char *file)
{
    size_t size;
    char *bytes = file_read(file, &size);
    const char *what = kernel_parse(kernel, bytes, size);
    if (what != NULL) {
        fail(EXIT_FAILED, "%s: %s", file, what);
    }
    if (kernel->image->words_size != 0 || kernel->image->root_size != 0) {
        fail(EXIT_FAILED, "%s: is an image already", file);
    }
    kernel->symbols = symbols_make(bytes, size, &kernel->symbols_size);
    // The table of sections lies behind the segments, and is left out.
    kernel->header->e_shoff = 0;
    kernel->header->e_shnum = kernel->header->e_shstrndx = 0;
}

const Elf64_Phdr *kernel_root(const struct kernel *kernel)
{
    for (unsigned i = 0; i < kernel->header->e_phnum; ++i) {
        const Elf64_Phdr *segment = &kernel->segments[i];
        if (segment->p_type == PT_LOAD && kernel->image->root_size != 0 &&
            segment->p_paddr == kernel->image->root_start &&
            segment->p_offset >= KERNEL_PAGE_SIZE) {
            return segment;
        }
    }
    return NULL;
}

// ---- Writing ------------------------------------------------------------------------

void kernel_write(const struct kernel *kernel, const char *path)
{
    struct output *output = output_open(path);
    output_write(output, kernel->bytes, kernel->size);
    output_close(output);
}

static void outer_headers_write(struct output *output, const struct kernel *kernel,
                                const Elf64_Phdr *root)
{
    Elf64_Ehdr header = *kernel->header;
    header.e_phoff = sizeof header;
    header.e_phnum = 0;
    char page[KERNEL_PAGE_SIZE] = {0};
    Elf64_Phdr *segments = (void *)(page + sizeof header);
    const size_t segments_max = (sizeof page - sizeof header) / sizeof *segments - 1;
    for (unsigned i = 0; i < kernel->header->e_phnum && i < segments_max; ++i) {
        if (kernel->segments[i].p_type == PT_LOAD || kernel->segments[i].p_type == PT_NOTE) {
            segments[header.e_phnum] = kernel->segments[i];
            segments[header.e_phnum++].p_offset += KERNEL_PAGE_SIZE;
        }
    }
    segments[header.e_phnum++] = *root;
    memcpy(page, &header, sizeof header);
    output_write(output, page, sizeof page);
}

void kernel_write_with_root(struct kernel *kernel, const char *root, const char *path)
{
    const uint64_t size = file_size(root);
    kernel->image->root_start = kernel->memory_end;
    kernel->image->root_size = size;
    const Elf64_Phdr segment = {
        .p_type = PT_LOAD,
        .p_flags = PF_R,
        .p_offset = KERNEL_PAGE_SIZE + page_up(kernel->size),
        .p_vaddr = kernel->memory_end,
        .p_paddr = kernel->memory_end,
        .p_filesz = size,
        .p_memsz = size,
        .p_align = KERNEL_PAGE_SIZE,
    };
    struct output *output = output_open(path);
    outer_headers_write(output, kernel, &segment);
    output_write(output, kernel->bytes, kernel->size);
    output_pad(output, segment.p_offset);
    output_copy(output, root);
    output_close(output);
}
