// SPDX-License-Identifier: BSD-3-Clause
// elf_host.c: the rooms under core/elf, played by the host: files, mappings, memory, locks.
//
// The loader runs as it is; what it asks of vfs, vm, mem and sync is answered with the host's own
// calls. The system's symbols are those of the host's libc, so a library that is loaded here can be
// called.
#include "elf_host.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/elf/program.h"
#include "core/mem/heap.h"
#include "core/mem/plain.h"
#include "core/sync/mutex.h"
#include "core/vfs/vfs.h"
#include "core/vm/vm.h"
#include "tests/unit/elf_index.h"

struct host_file {
    struct file file;
    struct vm_pager pager;
    int fd;
};

static size_t mapped;
static int open_files;
static int fail_after = -1;

size_t host_mapped_bytes(void)
{
    return mapped;
}

int host_open_files(void)
{
    return open_files;
}

void host_memory_fail_after(int count)
{
    fail_after = count;
}

static int must_fail(void)
{
    return fail_after >= 0 && fail_after-- == 0;
}

// ---- mem, sync

void *heap_alloc(size_t size)
{
    return must_fail() ? NULL : malloc(size);
}

void *heap_alloc_zeroed(size_t size)
{
    return must_fail() ? NULL : calloc(1, size);
}

void *plain_alloc_zeroed(size_t size)
{
    return heap_alloc_zeroed(size);
}

void *heap_alloc_aligned(size_t alignment, size_t size)
{
    void *block;
    return must_fail() || posix_memalign(&block, alignment < 16 ? 16 : alignment, size) != 0
               ? NULL
               : block;
}

void *heap_realloc(void *block, size_t size)
{
    return must_fail() ? NULL : realloc(block, size);
}

void heap_free(void *block)
{
    free(block);
}

struct shrinker *host_shrinker;

void shrinker_register(struct shrinker *shrinker)
{
    host_shrinker = shrinker;
}

// One thread: nobody waits.
void mutex_lock_contended(struct mutex *mutex)
{
    (void)mutex;
    abort();
}

void mutex_unlock_contended(struct mutex *mutex)
{
    (void)mutex;
    abort();
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

int vfs_open(struct file *base, const char *path, uint32_t flags, uint32_t mode, struct file **file)
{
    (void)base;
    (void)mode;
    int fd = open(path, (int)flags);
    if (fd < 0) {
        return -errno;
    }
    struct host_file *host = calloc(1, sizeof(*host));
    host->fd = fd;
    *file = &host->file;
    open_files++;
    return 0;
}

void file_put(struct file *file)
{
    struct host_file *host = (struct host_file *)file;
    close(host->fd);
    free(host);
    open_files--;
}

int file_read_at(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    ssize_t count = pread(((struct host_file *)file)->fd, data, size, (off_t)offset);
    if (count < 0) {
        return -errno;
    }
    *done = (size_t)count;
    return 0;
}

int file_status(struct file *file, struct file_status *status)
{
    struct stat host;
    if (fstat(((struct host_file *)file)->fd, &host) != 0) {
        return -errno;
    }
    *status = (struct file_status){.device = host.st_dev,
                                   .inode = host.st_ino,
                                   .size = (uint64_t)host.st_size,
                                   .mode = host.st_mode};
    return 0;
}

static void pager_put(struct vm_pager *pager)
{
    (void)pager;
}

int file_pager(struct file *file, struct vm_pager **pager)
{
    struct host_file *host = (struct host_file *)file;
    host->pager.put = pager_put;
    host->pager.inode = (uint64_t)host->fd;
    *pager = &host->pager;
    return 0;
}

int vfs_read_link(struct file *base, const char *path, char *text, size_t size, size_t *length)
{
    (void)base;
    ssize_t count = readlink(path, text, size);
    *length = count < 0 ? 0 : (size_t)count;
    return count < 0 ? -errno : 0;
}

int vfs_current_directory(char *path, size_t size, size_t *length)
{
    if (getcwd(path, size) == NULL) {
        return -errno;
    }
    *length = strlen(path) + 1;
    return 0;
}

// ---- vm

static int prot_of(unsigned prot)
{
    return ((prot & HAL_READ) ? PROT_READ : 0) | ((prot & HAL_WRITE) ? PROT_WRITE : 0) |
           ((prot & HAL_EXEC) ? PROT_EXEC : 0);
}

int vm_map(char **va, size_t size, unsigned prot, unsigned flags, struct vm_pager *pager,
           uint64_t offset)
{
    if (must_fail()) {
        return -ENOMEM;
    }
    int host_flags = MAP_PRIVATE | (pager == NULL ? MAP_ANONYMOUS | MAP_NORESERVE : 0);
    if ((flags & VM_FIXED) != 0) {
        host_flags |= (flags & VM_NOREPLACE) != 0 ? MAP_FIXED_NOREPLACE : MAP_FIXED;
    }
    void *place = mmap(*va, size, prot_of(prot), host_flags, pager == NULL ? -1 : (int)pager->inode,
                       (off_t)offset);
    if (place == MAP_FAILED) {
        return -errno;
    }
    if ((flags & VM_FIXED) == 0 || (flags & VM_NOREPLACE) != 0) {
        mapped += size;
    }
    *va = place;
    return 0;
}

int vm_unmap(char *va, size_t size)
{
    mapped -= size;
    return munmap(va, size) == 0 ? 0 : -errno;
}

int vm_protect(char *va, size_t size, unsigned prot)
{
    return mprotect(va, size, prot_of(prot)) == 0 ? 0 : -errno;
}

// ---- The host's libc as the system's table

static int by_name(const void *a, const void *b)
{
    const struct elf_symbol *x = a, *y = b;
    int order = strcmp(elf_index_text(x), elf_index_text(y));
    return order != 0 ? order : (int)x->version - (int)y->version;
}

struct libc_tables {
    const char *strings;
    const Elf64_Sym *symbols;
    const Elf64_Half *indices;
    const Elf64_Verdef *definitions;
    char *base;
};

static void *libc;

static void libc_find(struct libc_tables *tables)
{
    struct link_map *map;
    libc = dlopen("libc.so.6", RTLD_NOW);
    dlinfo(libc, RTLD_DI_LINKMAP, &map);
    *tables = (struct libc_tables){.base = (char *)map->l_addr};
    for (const Elf64_Dyn *entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
        char *value = (char *)entry->d_un.d_ptr;
        switch (entry->d_tag) {
        case DT_STRTAB:
            tables->strings = value;
            break;
        case DT_SYMTAB:
            tables->symbols = (void *)value;
            break;
        case DT_VERSYM:
            tables->indices = (void *)value;
            break;
        case DT_VERDEF:
            tables->definitions = (void *)(tables->base + entry->d_un.d_ptr); // ld.so leaves it
            break;
        default:
            break;
        }
    }
}

static const char *version_name(const struct libc_tables *tables, unsigned index)
{
    const char *at = (const char *)tables->definitions;
    for (;;) {
        const Elf64_Verdef *definition = (const void *)at;
        if (definition->vd_ndx == index) {
            const Elf64_Verdaux *name = (const void *)(at + definition->vd_aux);
            return tables->strings + name->vda_name;
        }
        if (definition->vd_next == 0) {
            return "";
        }
        at += definition->vd_next;
    }
}

static int is_copied(const char *name)
{
    static const char *const names[] = {"__environ",
                                        "environ",
                                        "optarg",
                                        "optind",
                                        "opterr",
                                        "optopt",
                                        "__progname",
                                        "stdin",
                                        "stdout",
                                        "stderr",
                                        "__progname_full",
                                        "program_invocation_name",
                                        "program_invocation_short_name",
                                        "tzname",
                                        "__tzname",
                                        "timezone",
                                        "__timezone",
                                        "daylight",
                                        "__daylight",
                                        "_environ"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], name) == 0) {
            return 1;
        }
    }
    return 0;
}

static ptrdiff_t errno_offset(void)
{
    char *pointer;
    __asm__("movq %%fs:0, %0" : "=r"(pointer));
    return (char *)&errno - pointer;
}

static struct elf_symbol table[8192];
static size_t count;

const char *host_system_version(const struct elf_symbol *symbol)
{
    return elf_index_versions[symbol->version];
}

const char *host_system_name(const struct elf_symbol *symbol)
{
    return elf_index_text(symbol);
}

size_t host_system_symbols(const struct elf_symbol **symbols)
{
    *symbols = table;
    return count;
}

void host_system_register(void)
{
    static void *pointers[64];
    static struct elf_copied copied[64];
    static size_t copied_count;
    if (count == 0) {
        struct libc_tables tables;
        libc_find(&tables);
        size_t total = ((size_t)tables.strings - (size_t)tables.symbols) / sizeof(Elf64_Sym);
        for (size_t i = 1; i < total && count < 8192; i++) {
            const Elf64_Sym *symbol = &tables.symbols[i];
            unsigned type = ELF64_ST_TYPE(symbol->st_info);
            if (symbol->st_shndx == SHN_UNDEF || type == STT_TLS || symbol->st_shndx == SHN_ABS) {
                continue;
            }
            const char *name = tables.strings + symbol->st_name;
            const char *version = version_name(&tables, tables.indices[i] & 0x7fff);
            void *address = dlvsym(libc, name, version);
            table[count++] = (struct elf_symbol){.name = elf_index_name(name),
                                                 .version = elf_index_version(version),
                                                 .address = address,
                                                 .is_data = type == STT_OBJECT};
        }
        table[count++] = (struct elf_symbol){.name = elf_index_name("errno"),
                                             .version = elf_index_version("GLIBC_PRIVATE"),
                                             .is_tls = true,
                                             .tls_offset = errno_offset()};
        for (size_t i = 0; i < count; i++) {
            if (table[i].is_data && copied_count < 64 && is_copied(elf_index_text(&table[i]))) {
                copied[copied_count] =
                    (struct elf_copied){elf_index_text(&table[i]), &pointers[copied_count], 8};
                copied_count++;
            }
        }
        // libm.so.6 asks ld.so for this one; it does with zeros.
        static char read_only_data[1024];
        table[count++] = (struct elf_symbol){.name = elf_index_name("_rtld_global_ro"),
                                             .version = elf_index_version("GLIBC_PRIVATE"),
                                             .is_data = true,
                                             .address = read_only_data};
        qsort(table, count, sizeof(table[0]), by_name);
    }
    const struct elf_symbols symbols = elf_index_make(table, count);
    elf_system_register(&symbols, copied, copied_count);
}
