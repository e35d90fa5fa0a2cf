// SPDX-License-Identifier: BSD-3-Clause
// image.c: what kind of file is to be booted, and whether it is whole.
//
// QEMU would say little of a file that is cut short, and the machine nothing at all. Only what QEMU
// reads is looked at: the table of segments, and the note by which it starts the kernel.
#include "sim/run/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/run/failure.h"

enum {
    BOOT_SECTOR_SIZE = 512,
    NOTE_PVH_ENTRY = 18, // XEN_ELFNOTE_PHYS32_ENTRY
};

struct content {
    const char *path;
    const unsigned char *bytes;
    size_t size;
};

static const unsigned char *content_at(const struct content *content, uint64_t offset,
                                       uint64_t size)
{
    if (offset > content->size || size > content->size - offset) {
        fail(STATUS_NOT_BOOTABLE, "%s: is cut short: it has %zu bytes; make it again",
             content->path, content->size);
    }
    return content->bytes + offset;
}

static bool notes_have_entry(const unsigned char *notes, uint64_t size)
{
    uint64_t at = 0;
    while (size - at >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr note;
        memcpy(&note, notes + at, sizeof note);
        const uint64_t name_size = ((uint64_t)note.n_namesz + 3) & ~3ul;
        const uint64_t value_size = ((uint64_t)note.n_descsz + 3) & ~3ul;
        at += sizeof note;
        if (name_size > size - at || value_size > size - at - name_size) {
            return false;
        }
        if (note.n_type == NOTE_PVH_ENTRY && note.n_namesz == 4 && note.n_descsz >= 4 &&
            memcmp(notes + at, "Xen", 4) == 0) {
            return true;
        }
        at += name_size + value_size;
    }
    return false;
}

static void kernel_read(struct image *image, const struct content *content)
{
    Elf64_Ehdr header;
    memcpy(&header, content_at(content, 0, sizeof header), sizeof header);
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
        fail(STATUS_NOT_BOOTABLE, "%s: is no kernel for x86_64", content->path);
    }
    const unsigned char *table =
        content_at(content, header.e_phoff, (uint64_t)header.e_phnum * sizeof(Elf64_Phdr));
    bool has_entry = false;
    for (unsigned i = 0; i < header.e_phnum; ++i) {
        Elf64_Phdr segment;
        memcpy(&segment, table + i * sizeof segment, sizeof segment);
        const unsigned char *bytes = content_at(content, segment.p_offset, segment.p_filesz);
        if (segment.p_type == PT_NOTE && notes_have_entry(bytes, segment.p_filesz)) {
            has_entry = true;
        }
        if (segment.p_type == PT_LOAD && segment.p_paddr + segment.p_memsz > image->memory_end) {
            image->memory_end = segment.p_paddr + segment.p_memsz;
        }
    }
    if (!has_entry) {
        fail(STATUS_NOT_BOOTABLE, "%s: is a program, no kernel; make an image of it by osv-image",
             content->path);
    }
    image->kind = IMAGE_KERNEL;
}

static void content_read(struct image *image, const struct content *content)
{
    if (content->size >= SELFMAG && memcmp(content->bytes, ELFMAG, SELFMAG) == 0) {
        kernel_read(image, content);
    } else if (content->size >= 4 && memcmp(content->bytes, "QFI\xfb", 4) == 0) {
        image->kind = IMAGE_QCOW2_DISK;
    } else if (content->size >= BOOT_SECTOR_SIZE && content->bytes[510] == 0x55 &&
               content->bytes[511] == 0xaa) {
        image->kind = IMAGE_RAW_DISK;
    } else {
        fail(STATUS_NOT_BOOTABLE,
             "%s: is not bootable: neither an ELF kernel nor a disk with a boot sector",
             content->path);
    }
}

static int file_open(const char *what, const char *path, struct stat *status)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a pipe nobody writes to
    if (fd < 0 || fstat(fd, status) != 0) {
        fail(errno == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_BOOTABLE, "%s%s: %s", what, path,
             strerror(errno));
    }
    if (S_ISDIR(status->st_mode)) {
        fail(STATUS_NOT_BOOTABLE, "%s%s: is a directory", what, path);
    }
    if (!S_ISREG(status->st_mode)) {
        fail(STATUS_NOT_BOOTABLE, "%s%s: is not a regular file", what, path);
    }
    return fd;
}

char *file_find(const char *what, const char *path)
{
    struct stat status;
    close(file_open(what, path, &status));
    char *found = realpath(path, NULL);
    if (found == NULL) {
        fail(STATUS_NOT_FOUND, "%s%s: %s", what, path, strerror(errno));
    }
    return found;
}

void image_read(struct image *image, const char *path)
{
    struct stat status;
    int fd = file_open("", path, &status);
    struct content content = {.path = path, .size = (size_t)status.st_size};
    if (content.size == 0) {
        fail(STATUS_NOT_BOOTABLE, "%s: is empty", path);
    }
    void *bytes = mmap(NULL, content.size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED) {
        fail(STATUS_NOT_BOOTABLE, "%s: %s", path, strerror(errno));
    }
    close(fd);
    content.bytes = bytes;
    *image = (struct image){.path = file_find("", path)};
    content_read(image, &content);
    munmap(bytes, content.size);
}
