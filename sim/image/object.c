// SPDX-License-Identifier: BSD-3-Clause
// object.c: what a program or a library says of itself. The file may say anything: no offset is
// used before it is known to lie in the file.
#include "sim/image/object.h"

#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/image/fail.h"

static void file_map(struct object *object, const char *file)
{
    struct stat status;
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) != 0) {
        fail_errno(file);
    }
    *object = (struct object){.size = (size_t)status.st_size};
    if (object->size > 0) {
        object->bytes = mmap(NULL, object->size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (object->bytes == MAP_FAILED) {
            fail_errno(file);
        }
    }
    close(fd);
}

void object_free(struct object *object)
{
    if (object->size > 0) {
        munmap(object->bytes, object->size);
    }
    free(object->needed);
    *object = (struct object){.kind = OBJECT_NONE};
}

// Where size bytes at offset lie in the file; NULL: they do not.
static const void *bytes_at(const struct object *object, uint64_t offset, uint64_t size)
{
    bool fits = offset <= object->size && size <= object->size - offset;
    return fits ? object->bytes + offset : NULL;
}

// A copy: tables need not be aligned.
static bool entry_copy(const struct object *object, uint64_t offset, void *to, size_t size)
{
    const void *from = bytes_at(object, offset, size);
    if (from != NULL) {
        memcpy(to, from, size);
    }
    return from != NULL;
}

// The program header of that type that holds address; address UINT64_MAX: any.
static bool segment_find(const struct object *object, uint32_t type, uint64_t address,
                         Elf64_Phdr *segment)
{
    Elf64_Ehdr header;
    if (!entry_copy(object, 0, &header, sizeof header) || header.e_phentsize != sizeof *segment) {
        return false;
    }
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        if (!entry_copy(object, header.e_phoff + (uint64_t)i * sizeof *segment, segment,
                        sizeof *segment)) {
            return false;
        }
        if (segment->p_type == type &&
            (address == UINT64_MAX ||
             (address >= segment->p_vaddr && address - segment->p_vaddr < segment->p_filesz))) {
            return true;
        }
    }
    return false;
}

static enum object_kind kind_of(const struct object *object)
{
    Elf64_Ehdr header;
    Elf64_Phdr dynamic;
    if (object->size < SELFMAG || memcmp(object->bytes, ELFMAG, SELFMAG) != 0) {
        return OBJECT_NONE;
    }
    if (!entry_copy(object, 0, &header, sizeof header) || header.e_ident[EI_CLASS] != ELFCLASS64 ||
        header.e_machine != EM_X86_64) {
        return OBJECT_FOREIGN;
    }
    bool is_program = header.e_type == ET_EXEC || header.e_type == ET_DYN;
    return is_program && segment_find(object, PT_DYNAMIC, UINT64_MAX, &dynamic) ? OBJECT_DYNAMIC
                                                                                : OBJECT_STATIC;
}

// A name in the string table of which so many bytes are at offset; NULL: it does not end there.
static const char *name_at(const struct object *object, uint64_t offset, uint64_t size,
                           uint64_t name)
{
    const char *text = name < size ? bytes_at(object, offset + name, size - name) : NULL;
    return text != NULL && memchr(text, 0, size - name) != NULL ? text : NULL;
}

struct dynamic { // the place of the table
    uint64_t offset, count;
};

// The value of the first entry with that tag from *index on, which is left behind it.
static bool dynamic_find(const struct object *object, const struct dynamic *table, int64_t tag,
                         uint64_t *index, uint64_t *value)
{
    Elf64_Dyn entry;
    while (*index < table->count &&
           entry_copy(object, table->offset + *index * sizeof entry, &entry, sizeof entry) &&
           entry.d_tag != DT_NULL) {
        ++*index;
        if (entry.d_tag == tag) {
            *value = entry.d_un.d_val;
            return true;
        }
    }
    return false;
}

static bool dynamic_first(const struct object *object, const struct dynamic *table, int64_t tag,
                          uint64_t *value)
{
    uint64_t index = 0;
    return dynamic_find(object, table, tag, &index, value);
}

static bool dynamic_read(struct object *object)
{
    Elf64_Phdr segment, strings;
    uint64_t address, size, name, index = 0;
    if (!segment_find(object, PT_DYNAMIC, UINT64_MAX, &segment)) {
        return false;
    }
    const struct dynamic table = {segment.p_offset, segment.p_filesz / sizeof(Elf64_Dyn)};
    if (!dynamic_first(object, &table, DT_STRTAB, &address) ||
        !dynamic_first(object, &table, DT_STRSZ, &size) ||
        !segment_find(object, PT_LOAD, address, &strings)) {
        return !dynamic_first(object, &table, DT_NEEDED, &name);
    }
    const uint64_t offset = strings.p_offset + (address - strings.p_vaddr);
    while (dynamic_find(object, &table, DT_NEEDED, &index, &name)) {
        const char *text = name_at(object, offset, size, name);
        if (text == NULL) {
            return false;
        }
        object->needed =
            memory_resize(object->needed, (object->needed_count + 1) * sizeof *object->needed);
        object->needed[object->needed_count++] = text;
    }
    const struct {
        int64_t tag;
        const char **text;
    } names[] = {{DT_SONAME, &object->soname},
                 {DT_RPATH, &object->old_run_path},
                 {DT_RUNPATH, &object->run_path}};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        if (dynamic_first(object, &table, names[i].tag, &name)) {
            *names[i].text = name_at(object, offset, size, name);
        }
    }
    return true;
}

void object_read(struct object *object, const char *file)
{
    file_map(object, file);
    object->kind = kind_of(object);
    if (object->kind == OBJECT_DYNAMIC && !dynamic_read(object)) {
        fail(EXIT_FAILED, "%s: its table of needed libraries is damaged", file);
    }
}

enum object_kind object_kind_of(const char *file)
{
    struct object object;
    file_map(&object, file);
    const enum object_kind kind = kind_of(&object);
    object_free(&object);
    return kind;
}
