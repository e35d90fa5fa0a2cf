// SPDX-License-Identifier: BSD-3-Clause
// symbols.c: shows Valgrind where stacks are, and whose code the application's text is.
//
// Valgrind reads the symbols of a file when the file is mapped. An application's pages are views of
// the machine's memory; so for a moment, before any code of it runs, its file is put in their
// place.
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <valgrind/memcheck.h>

#include "hal-linux/machine.h"
#include "hal-linux/memory.h"
#include "hal-linux/syscall.h"
#include "hal-x86_64/isa/isa.h"
#include "hal/hal.h"

enum { HEADERS_MAX = 64 };

// A stack that overlaps one registered before replaces it, as thread memory is reused.
void isa_stack_use(char *stack, size_t size)
{
    if (RUNNING_ON_VALGRIND) {
        VALGRIND_STACK_REGISTER(stack, stack + size);
        (void)VALGRIND_MAKE_MEM_UNDEFINED(stack, size);
    }
    machine_memory_renew(stack, size);
}

static bool file_read(long fd, uint64_t offset, void *out, size_t size)
{
    return syscall4(SYS_pread64, fd, (long)out, (long)size, (long)offset) == (long)size;
}

static long host_prot(uint32_t flags)
{
    return (flags & PF_R ? PROT_READ : 0) | (flags & PF_W ? PROT_WRITE : 0) |
           (flags & PF_X ? PROT_EXEC : 0);
}

// The pages that hold a segment's bytes of the file.
static size_t segment_pages(const Elf64_Phdr *segment, char *base, char **start)
{
    uint64_t lead = segment->p_vaddr % HAL_PAGE_SIZE;
    *start = base + (segment->p_vaddr - lead);
    return (lead + segment->p_filesz + HAL_PAGE_SIZE - 1) & -(size_t)HAL_PAGE_SIZE;
}

// The program may know another file by that path: it is the host's if the first bytes of the image,
// headers and build identity among them, are the file's.
static bool is_same_file(long fd, const Elf64_Phdr *first, const char *base)
{
    char bytes[HAL_PAGE_SIZE], image[HAL_PAGE_SIZE];
    size_t size = first->p_filesz < sizeof bytes ? first->p_filesz : sizeof bytes;
    if (first->p_offset != 0 || !file_read(fd, 0, bytes, size) ||
        hal_copy_safe(image, base + first->p_vaddr, size) != 0) {
        return false;
    }
    for (size_t i = 0; i < size; ++i) {
        if (bytes[i] != image[i]) {
            return false;
        }
    }
    return true;
}

// Nobody uses the pages yet.
static void segment_show(long fd, const Elf64_Phdr *segment, char *base)
{
    char *start;
    size_t size = segment_pages(segment, base, &start);
    syscall6(SYS_mmap, (long)start, (long)size, host_prot(segment->p_flags),
             MAP_PRIVATE | MAP_FIXED, fd,
             (long)(segment->p_offset - segment->p_vaddr % HAL_PAGE_SIZE));
}

static void file_show(long fd, char *base)
{
    Elf64_Ehdr header;
    Elf64_Phdr segments[HEADERS_MAX];
    size_t count = 0;
    if (!file_read(fd, 0, &header, sizeof header) || header.e_phnum > HEADERS_MAX ||
        !file_read(fd, header.e_phoff, segments, header.e_phnum * sizeof segments[0])) {
        return;
    }
    for (size_t i = 0; i < header.e_phnum; ++i) {
        if (segments[i].p_type == PT_LOAD && segments[i].p_filesz > 0) {
            segments[count++] = segments[i];
        }
    }
    if (count == 0 || !is_same_file(fd, &segments[0], base)) {
        return;
    }
    for (size_t i = 0; i < count; ++i) {
        segment_show(fd, &segments[i], base);
    }
    for (size_t i = 0; i < count; ++i) {
        char *start;
        size_t size = segment_pages(&segments[i], base, &start);
        memory_view_restore(start, size);
    }
}

void hal_check_object(const char *path, char *base)
{
    machine_object(path, base);
    if (!RUNNING_ON_VALGRIND) {
        return;
    }
    long fd = syscall3(SYS_open, (long)path, O_RDONLY | O_CLOEXEC, 0);
    if (fd >= 0) {
        file_show(fd, base);
        syscall3(SYS_close, fd, 0, 0);
    }
}
