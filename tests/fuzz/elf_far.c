// SPDX-License-Identifier: BSD-3-Clause
// elf_far.c: the rooms under core/elf, played for one file that lies in memory.
//
// Mappings are the host's own, each with an unmapped page behind it, and have the protection that
// was asked for: what is read or written outside of them is a crash. Blocks of the heap are the
// host's, which ASan knows; one that is out of proportion to the file is a crash too.
#include "elf_far.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "core/elf/program.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "core/sync/shrinker.h"
#include "core/vfs/vfs.h"
#include "core/vm/vm.h"
#include "tests/unit/elf_index.h"

enum { GUARD_SIZE = HAL_PAGE_SIZE, GUARD_COUNT = 4096 };
enum { LEFT_MAX = 64 << 20 }; // stubs of missing functions, which are used again

static const size_t map_max = (size_t)1 << 30;  // real memory: as much as a machine may have
static const size_t heap_max = (size_t)2 << 20; // beside what the file's size explains

static struct {
    const unsigned char *bytes;
    size_t size;
    size_t mapped;
    char *guards[GUARD_COUNT]; // the page behind each span
    struct vm_pager pager;
} far;

static void give_up(const char *what)
{
    fprintf(stderr, "elf_far: %s\n", what);
    abort();
}

static void size_check(size_t size)
{
    if (size > heap_max + 64 * far.size) {
        give_up("a gigantic block was asked for");
    }
}

void far_check_nothing_left(void)
{
    if (far.mapped > LEFT_MAX) {
        give_up("memory is left mapped");
    }
}

// ---- mem, sync, hal

void *heap_alloc(size_t size)
{
    size_check(size);
    return malloc(size);
}

void *heap_alloc_zeroed(size_t size)
{
    size_check(size);
    return calloc(1, size);
}

void *heap_alloc_aligned(size_t alignment, size_t size)
{
    void *block;
    return posix_memalign(&block, alignment < 16 ? 16 : alignment, size) == 0 ? block : NULL;
}

void *heap_realloc(void *block, size_t size)
{
    size_check(size);
    return realloc(block, size);
}

void heap_free(void *block)
{
    free(block);
}

void shrinker_register(struct shrinker *shrinker)
{
    (void)shrinker;
}

void mutex_lock_contended(struct mutex *mutex)
{
    (void)mutex;
    give_up("one thread waits for itself");
}

void mutex_unlock_contended(struct mutex *mutex)
{
    (void)mutex;
    give_up("one thread waits for itself");
}

void mutex_lock_recursive(struct mutex *mutex)
{
    mutex->depth++;
}

void mutex_unlock_recursive(struct mutex *mutex)
{
    mutex->depth--;
}

void hal_tp_set(void *tp)
{
    (void)tp;
}

// ---- vfs

struct file *far_file(const unsigned char *bytes, size_t size)
{
    far.bytes = bytes;
    far.size = size;
    return (struct file *)&far;
}

int vfs_open(struct file *base, const char *path, uint32_t flags, uint32_t mode, struct file **file)
{
    (void)base, (void)path, (void)flags, (void)mode, (void)file;
    return -ENOENT;
}

void file_put(struct file *file)
{
    (void)file;
}

int file_read_at(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)file;
    size_t left = offset < far.size ? far.size - (size_t)offset : 0;
    *done = size < left ? size : left;
    memcpy(data, far.bytes + (left == 0 ? 0 : offset), *done);
    return 0;
}

int file_status(struct file *file, struct file_status *status)
{
    (void)file;
    *status = (struct file_status){.size = far.size, .mode = MODE_FILE | 0755};
    return 0;
}

static void pager_put(struct vm_pager *pager)
{
    (void)pager;
}

int file_pager(struct file *file, struct vm_pager **pager)
{
    (void)file;
    far.pager.put = pager_put;
    *pager = &far.pager;
    return 0;
}

int vfs_read_link(struct file *base, const char *path, char *text, size_t size, size_t *length)
{
    (void)base, (void)path, (void)text, (void)size, (void)length;
    return -EINVAL;
}

int vfs_current_directory(char *path, size_t size, size_t *length)
{
    (void)size;
    memcpy(path, "/", 2);
    *length = 2;
    return 0;
}

// ---- vm

static int prot_of(unsigned prot)
{
    return ((prot & HAL_READ) ? PROT_READ : 0) | ((prot & HAL_WRITE) ? PROT_WRITE : 0);
}

static void contents_fill(char *place, size_t size, uint64_t offset)
{
    if (offset < far.size) {
        size_t left = far.size - (size_t)offset;
        memcpy(place, far.bytes + offset, size < left ? size : left);
    }
}

static void guard_add(char *guard)
{
    mprotect(guard, GUARD_SIZE, PROT_NONE);
    for (size_t i = 0; i < GUARD_COUNT; i++) {
        if (far.guards[i] == NULL) {
            far.guards[i] = guard;
            return;
        }
    }
    give_up("too many mappings are left");
}

// No page is executable: no byte of the file shall ever run.
int vm_map(char **va, size_t size, unsigned prot, unsigned flags, struct vm_pager *pager,
           uint64_t offset)
{
    bool is_fixed = (flags & VM_FIXED) != 0;
    bool is_new = !is_fixed || (flags & VM_NOREPLACE) != 0;
    int fixed = !is_fixed ? 0 : is_new ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    if ((flags & VM_LAZY) == 0 && size > map_max) {
        return -ENOMEM;
    }
    char *place = mmap(*va, size + (is_new ? GUARD_SIZE : 0), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
    if (place == MAP_FAILED) {
        return -errno;
    }
    if (pager != NULL) {
        contents_fill(place, size, offset);
    }
    mprotect(place, size, prot_of(prot));
    if (is_new) {
        guard_add(place + size);
        far.mapped += size;
    }
    *va = place;
    return 0;
}

// The guard behind a span goes with the last part of it.
int vm_unmap(char *va, size_t size)
{
    far.mapped -= size;
    for (size_t i = 0; i < GUARD_COUNT; i++) {
        if (far.guards[i] == va + size) {
            far.guards[i] = NULL;
            size += GUARD_SIZE;
            break;
        }
    }
    munmap(va, size);
    return 0;
}

int vm_protect(char *va, size_t size, unsigned prot)
{
    return mprotect(va, size, prot_of(prot)) == 0 ? 0 : -errno;
}

void far_system_register(void)
{
    static char object[4096];
    static void *pointer;
    static struct elf_symbol symbols[] = {
        {.address = object},
        {.address = object, .is_data = true},
        {.is_tls = true, .tls_offset = -8},
        {.address = object},
        {.address = object},
        {.address = object},
    };
    static const char *const names[] = {"__cxa_finalize", "environ", "errno",
                                        "malloc",         "puts",    "puts"};
    static const char *const versions[] = {"GLIBC_2.2.5", "GLIBC_2.2.5", "GLIBC_PRIVATE",
                                           "GLIBC_2.2.5", "GLIBC_2.2.5", "GLIBC_2.34"};
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); ++i) {
        symbols[i].name = elf_index_name(names[i]);
        symbols[i].version = elf_index_version(versions[i]);
    }
    static const struct elf_copied copied[] = {{"environ", &pointer, 8}};
    const struct elf_symbols all = elf_index_make(symbols, sizeof(symbols) / sizeof(symbols[0]));
    elf_system_register(&all, copied, 1);
}
