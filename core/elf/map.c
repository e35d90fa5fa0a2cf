// SPDX-License-Identifier: BSD-3-Clause
// map.c: from an ELF file to mapped segments.
//
// Nothing in the file is believed before it is checked against the file's size: headers first, then
// each segment. The object's whole span is reserved, so that nothing else can settle in its holes;
// then each segment is mapped over it with its final protection. No page is ever writable and
// executable.
#include "core/elf/object.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"
#include "core/vm/vm.h"

enum { SEGMENT_COUNT_MAX = 64, HEADER_COUNT_MAX = 256, INTERPRETER_SIZE_MAX = 256 };
enum { TLS_SIZE_MAX = 64 << 20, TLS_ALIGNMENT_MAX = 2 << 20 };
static const uint64_t span_max = (uint64_t)1 << 40;

static uint64_t page_down(uint64_t address)
{
    return address & ~(uint64_t)(HAL_PAGE_SIZE - 1);
}

static uint64_t page_up(uint64_t address)
{
    return page_down(address + HAL_PAGE_SIZE - 1);
}

// The whole of [offset, offset+size), or an error.
static int read_exactly(struct elf_object *object, struct file *file, uint64_t offset, void *data,
                        size_t size)
{
    size_t total = 0;
    while (total < size) {
        size_t done = 0;
        int error = file_read_at(file, offset + total, (char *)data + total, size - total, &done);
        if (error != 0) {
            return elf_fail(-error, "%s: cannot be read (error %d)", object->path, -error);
        }
        if (done == 0) {
            return elf_fail(ENOEXEC, "%s: the file is truncated; copy it again", object->path);
        }
        total += done;
    }
    return 0;
}

static const char *machine_name(uint16_t machine)
{
    static const struct {
        uint16_t machine;
        const char *name;
    } names[] = {{3, "i386"},    {40, "arm"},   {62, "x86_64"}, {183, "aarch64"},
                 {243, "riscv"}, {21, "ppc64"}, {22, "s390x"}};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        if (names[i].machine == machine) {
            return names[i].name;
        }
    }
    return "another machine";
}

// Programs show what dlerror says: for libraries the words are glibc's.
static int not_elf(const struct elf_object *object, const char *glibc_words)
{
    return object->is_program
               ? elf_fail(ENOEXEC, "%s: is not an ELF file; give a program or a shared object",
                          object->path)
               : elf_fail(ENOEXEC, "%s: %s", object->path, glibc_words);
}

static int header_check(struct elf_object *object, const struct elf_header *header)
{
    const char *path = object->path;
    if (memcmp(header->magic, "\177ELF", 4) != 0) {
        return not_elf(object, "invalid ELF header");
    }
    if (header->data != ELF_DATA_LITTLE || header->ident_version != ELF_VERSION_CURRENT) {
        return elf_fail(ENOEXEC, "%s: is not a little-endian ELF file; build it for %s", path,
                        elf_machine_name);
    }
    if (header->machine != elf_machine || header->class_code != ELF_CLASS_64) {
        return elf_fail(ENOEXEC, "%s: is built for %s (%d bits); build it for %s", path,
                        machine_name(header->machine), header->class_code == 1 ? 32 : 64,
                        elf_machine_name);
    }
    if (header->type != ELF_TYPE_EXECUTABLE && header->type != ELF_TYPE_SHARED) {
        return elf_fail(ENOEXEC, "%s: is %s, not a program; link it", path,
                        header->type == ELF_TYPE_RELOCATABLE ? "an object file"
                        : header->type == ELF_TYPE_CORE      ? "a core dump"
                                                             : "an unknown kind of ELF file");
    }
    if (header->program_entry_size != sizeof(struct elf_program_header) ||
        header->program_count == 0 || header->program_count > HEADER_COUNT_MAX) {
        return elf_fail(ENOEXEC, "%s: has a damaged ELF header; build or copy it again", path);
    }
    return 0;
}

static int headers_read(struct elf_object *object, struct file *file, uint64_t file_size)
{
    struct elf_header header;
    if (file_size < sizeof(header)) {
        char magic[4] = {0};
        size_t done;
        bool is_elf = file_read_at(file, 0, magic, sizeof(magic), &done) == 0 && done == 4 &&
                      memcmp(magic, "\177ELF", 4) == 0;
        return is_elf ? elf_fail(ENOEXEC, "%s: the file is truncated; copy it again", object->path)
                      : not_elf(object, "file too short");
    }
    int error = read_exactly(object, file, 0, &header, sizeof(header));
    if (error == 0) {
        error = header_check(object, &header);
    }
    if (error != 0) {
        return error;
    }
    size_t size = header.program_count * sizeof(struct elf_program_header);
    if (header.program_offset > file_size || size > file_size - header.program_offset) {
        return elf_fail(ENOEXEC, "%s: the file is truncated; copy it again", object->path);
    }
    struct elf_program_header *headers = heap_alloc(size);
    if (headers == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
    }
    object->headers = headers;
    object->header_count = header.program_count;
    object->entry = header.entry;
    object->is_executable = header.type == ELF_TYPE_EXECUTABLE;
    return read_exactly(object, file, header.program_offset, headers, size);
}

static unsigned prot_of(uint32_t flags)
{
    return ((flags & ELF_PF_READ) != 0 ? HAL_READ : 0) |
           ((flags & ELF_PF_WRITE) != 0 ? HAL_WRITE : 0) |
           ((flags & ELF_PF_EXEC) != 0 ? HAL_EXEC : 0);
}

static int segment_check(struct elf_object *object, const struct elf_program_header *header,
                         uint64_t file_size)
{
    uint64_t alignment = header->alignment;
    if (header->offset > file_size || header->file_size > file_size - header->offset) {
        return elf_fail(ENOEXEC, "%s: the file is truncated; copy it again", object->path);
    }
    if (header->file_size > header->memory_size || header->memory_size > span_max ||
        header->address > (uint64_t)1 << 47 || (alignment & (alignment - 1)) != 0 ||
        alignment > span_max || (header->address - header->offset) % HAL_PAGE_SIZE != 0) {
        return elf_fail(ENOEXEC, "%s: has a damaged segment; build or copy it again", object->path);
    }
    if ((header->flags & ELF_PF_WRITE) != 0 && (header->flags & ELF_PF_EXEC) != 0) {
        return elf_fail(
            ENOEXEC,
            "%s: has a segment that is writable and executable; link it with -z separate-code",
            object->path);
    }
    if (object->segment_count == 0) {
        return 0;
    }
    const struct elf_segment *last = &object->segments[object->segment_count - 1];
    if (page_down(header->address) < page_up(last->address + last->size)) {
        return elf_fail(ENOEXEC, "%s: has overlapping segments; link it again", object->path);
    }
    return 0;
}

static int segments_collect(struct elf_object *object, uint64_t file_size)
{
    object->segments = heap_alloc(SEGMENT_COUNT_MAX * sizeof(struct elf_segment));
    if (object->segments == NULL) {
        return elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
    }
    for (size_t i = 0; i < object->header_count; ++i) {
        const struct elf_program_header *header = &object->headers[i];
        if (header->type != ELF_PT_LOAD || header->memory_size == 0) {
            continue;
        }
        if (object->segment_count == SEGMENT_COUNT_MAX) {
            return elf_fail(ENOEXEC, "%s: has too many segments; link it again", object->path);
        }
        int error = segment_check(object, header, file_size);
        if (error != 0) {
            return error;
        }
        object->segments[object->segment_count++] = (struct elf_segment){
            header->address, header->memory_size, header->file_size, prot_of(header->flags)};
    }
    if (object->segment_count == 0) {
        return elf_fail(ENOEXEC, "%s: has nothing to load; link it again", object->path);
    }
    return 0;
}

// True when the header describes bytes that lie in a segment.
static bool header_is_inside(const struct elf_object *object,
                             const struct elf_program_header *header)
{
    return elf_object_is_readable(object, header->address, header->memory_size) &&
           header->file_size <= header->memory_size;
}

// Zeros of .tbss take no room in a segment: only the initialiser has to lie in one.
static bool tls_is_right(const struct elf_object *object, const struct elf_program_header *header)
{
    return header->file_size <= header->memory_size && header->memory_size <= TLS_SIZE_MAX &&
           header->alignment <= TLS_ALIGNMENT_MAX &&
           (header->file_size == 0 ||
            elf_object_is_readable(object, header->address, header->file_size));
}

// lld rounds the end up to that of the segment's last page.
static bool relro_is_right(const struct elf_object *object, const struct elf_program_header *header)
{
    const struct elf_segment *segment = elf_object_segment(object, header->address, 1);
    return header->memory_size == 0 ||
           (segment != NULL && header->file_size <= header->memory_size &&
            header->memory_size <= page_up(segment->address + segment->size) - header->address);
}

static int special_headers_find(struct elf_object *object)
{
    for (size_t i = 0; i < object->header_count; ++i) {
        const struct elf_program_header *header = &object->headers[i];
        const struct elf_program_header **place =
            header->type == ELF_PT_DYNAMIC    ? &object->dynamic_header
            : header->type == ELF_PT_RELRO    ? &object->relro_header
            : header->type == ELF_PT_EH_FRAME ? &object->eh_frame_header
            : header->type == ELF_PT_TLS      ? &object->tls_header
                                              : NULL;
        if (place == NULL) {
            continue;
        }
        bool is_right = header->type == ELF_PT_TLS     ? tls_is_right(object, header)
                        : header->type == ELF_PT_RELRO ? relro_is_right(object, header)
                                                       : header_is_inside(object, header);
        if (!is_right || (header->alignment & (header->alignment - 1)) != 0) {
            return elf_fail(ENOEXEC, "%s: has a damaged program header; build or copy it again",
                            object->path);
        }
        *place = header;
    }
    return 0;
}

// A program names the dynamic linker of its C library. Ours stands in for glibc's only.
static int interpreter_check(struct elf_object *object, struct file *file, bool is_program)
{
    const struct elf_program_header *header = NULL;
    for (size_t i = 0; i < object->header_count; ++i) {
        if (object->headers[i].type == ELF_PT_INTERP) {
            header = &object->headers[i];
        }
    }
    object->has_interpreter = header != NULL;
    if (!is_program) {
        return 0;
    }
    if (header == NULL) {
        return object->is_executable || object->dynamic_header == NULL
                   ? elf_fail(ENOEXEC, "%s: is statically linked; link it without -static",
                              object->path)
                   : 0;
    }
    char name[INTERPRETER_SIZE_MAX] = {0};
    if (header->file_size == 0 || header->file_size >= sizeof(name)) {
        return elf_fail(ENOEXEC, "%s: has a damaged interpreter name; build or copy it again",
                        object->path);
    }
    int error = read_exactly(object, file, header->offset, name, header->file_size);
    if (error != 0) {
        return error;
    }
    const char *slash = strrchr(name, '/');
    if (strcmp(slash == NULL ? name : slash + 1, elf_interpreter) != 0) {
        return elf_fail(ENOEXEC,
                        "%s: is made for another C library (%.100s); build it against glibc",
                        object->path, name);
    }
    return 0;
}

static int span_reserve(struct elf_object *object)
{
    const struct elf_segment *last = &object->segments[object->segment_count - 1];
    uint64_t start = page_down(object->segments[0].address);
    uint64_t size = page_up(last->address + last->size) - start;
    uint64_t alignment = HAL_PAGE_SIZE;
    for (size_t i = 0; i < object->header_count; ++i) {
        const struct elf_program_header *header = &object->headers[i];
        if (header->type == ELF_PT_LOAD && header->alignment > alignment) {
            alignment = header->alignment;
        }
    }
    if (size > span_max || alignment > span_max) {
        return elf_fail(ENOEXEC, "%s: has a damaged segment; build or copy it again", object->path);
    }
    if (object->is_executable) {
        char *va = (char *)start;
        int error = vm_map(&va, size, 0, VM_FIXED | VM_NOREPLACE | VM_LAZY, NULL, 0);
        if (error != 0) {
            return elf_fail(ENOMEM, "%s: its link address %p is not available; link it with -pie",
                            object->path, (void *)start);
        }
        object->map_start = va;
        object->map_size = size;
        return 0;
    }
    char *va = NULL;
    size_t slack = alignment - HAL_PAGE_SIZE;
    if (vm_map(&va, size + slack, 0, VM_LAZY, NULL, 0) != 0) {
        return elf_fail(ENOMEM, "%s: no memory for %zu KiB; give more with --memory", object->path,
                        (size_t)(size / 1024));
    }
    // The segments keep their remainder modulo the alignment.
    size_t skip = (start - (uint64_t)va) & (alignment - 1);
    bool is_trimmed = (skip == 0 || vm_unmap(va, skip) == 0) &&
                      (skip == slack || vm_unmap(va + skip + size, slack - skip) == 0);
    object->map_start = va + skip;
    object->map_size = size;
    object->base = (char *)((uintptr_t)object->map_start - start);
    return is_trimmed ? 0
                      : elf_fail(ENOMEM, "%s: no memory; give more with --memory", object->path);
}

// Zeroes what follows the file's bytes in their last page, which the pager filled with what follows
// in the file.
static int tail_zero(char *end, char *page_end, unsigned prot)
{
    if (end == page_end) {
        return 0;
    }
    char *page = page_end - HAL_PAGE_SIZE;
    int error = (prot & HAL_WRITE) != 0 ? 0 : vm_protect(page, HAL_PAGE_SIZE, HAL_READ | HAL_WRITE);
    if (error == 0) {
        memset(end, 0, (size_t)(page_end - end));
        error = (prot & HAL_WRITE) != 0 ? 0 : vm_protect(page, HAL_PAGE_SIZE, prot);
    }
    return error;
}

static int segment_map(struct elf_object *object, const struct elf_program_header *header,
                       struct vm_pager *pager)
{
    unsigned prot = prot_of(header->flags);
    char *start = elf_object_va(object, page_down(header->address));
    char *file_end = elf_object_va(object, header->address + header->file_size);
    char *file_page_end = elf_object_va(object, page_up(header->address + header->file_size));
    char *end = elf_object_va(object, page_up(header->address + header->memory_size));
    int error = 0;
    if (header->file_size == 0) {
        file_page_end = start;
    } else {
        error = vm_map(&start, (size_t)(file_page_end - start), prot, VM_FIXED | VM_COPY, pager,
                       page_down(header->offset));
        if (error == 0 && ((prot & HAL_WRITE) != 0 || header->memory_size > header->file_size)) {
            error = tail_zero(file_end, file_page_end, prot);
        }
    }
    if (error == 0 && end > file_page_end) {
        error = vm_map(&file_page_end, (size_t)(end - file_page_end), prot, VM_FIXED, NULL, 0);
    }
    if (error != 0) {
        return elf_fail(-error, "%s: cannot be mapped (error %d)%s", object->path, -error,
                        error == -ENOMEM ? "; give more memory with --memory" : "");
    }
    return 0;
}

static int segments_map(struct elf_object *object, struct file *file)
{
    struct vm_pager *pager;
    int error = file_pager(file, &pager);
    if (error != 0) {
        return elf_fail(EACCES, "%s: this kind of file cannot be mapped; copy it to a file system",
                        object->path);
    }
    error = span_reserve(object);
    for (size_t i = 0; i < object->header_count && error == 0; ++i) {
        const struct elf_program_header *header = &object->headers[i];
        if (header->type == ELF_PT_LOAD && header->memory_size > 0) {
            error = segment_map(object, header, pager);
        }
    }
    pager->put(pager);
    return error;
}

int elf_file_load(struct elf_object *object, struct file *file)
{
    struct file_status status;
    int error = file_status(file, &status);
    if (error != 0) {
        return elf_fail(-error, "%s: cannot be read (error %d)", object->path, -error);
    }
    if ((status.mode & MODE_TYPE) != MODE_FILE) {
        return elf_fail(EACCES, "%s: is %s; give a program or a shared object", object->path,
                        (status.mode & MODE_TYPE) == MODE_DIRECTORY ? "a directory" : "not a file");
    }
    object->inode = status.inode;
    object->file_size = status.size;
    object->modified = status.modified;
    error = headers_read(object, file, status.size);
    error = error != 0 ? error : segments_collect(object, status.size);
    error = error != 0 ? error : special_headers_find(object);
    error = error != 0 ? error : interpreter_check(object, file, object->is_program);
    if (error == 0 && object->dynamic_header == NULL) {
        error =
            elf_fail(ENOEXEC, "%s: is statically linked; link it without -static", object->path);
    }
    return error != 0 ? error : segments_map(object, file);
}

void elf_file_unload(struct elf_object *object)
{
    if (object->map_start != NULL) {
        int error = vm_unmap(object->map_start, object->map_size);
        (void)error; // out of memory for splitting: the span stays reserved
        object->map_start = NULL;
    }
}

int elf_relro_protect(struct elf_object *object)
{
    const struct elf_program_header *header = object->relro_header;
    if (header == NULL) {
        return 0;
    }
    char *start = elf_object_va(object, page_down(header->address));
    char *end = elf_object_va(object, page_down(header->address + header->memory_size));
    const struct elf_segment *segment = elf_object_segment(object, header->address, 1);
    if (end <= start || (segment->prot & HAL_EXEC) != 0) {
        return 0;
    }
    int error = vm_protect(start, (size_t)(end - start), HAL_READ);
    return error == 0
               ? 0
               : elf_fail(-error, "%s: cannot be protected (error %d)", object->path, -error);
}
