// SPDX-License-Identifier: BSD-3-Clause
// memory.c: system calls on the address space.
#include <fcntl.h>
#include <sys/mman.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/calls.h"
#include "core/linux/user.h"
#include "core/sync/shrinker.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/memfile.h"
#include "core/vm/vm.h"

_Static_assert(PROT_READ == HAL_READ && PROT_WRITE == HAL_WRITE && PROT_EXEC == HAL_EXEC, "prot");
_Static_assert(F_SEAL_SEAL == SEAL_SEAL && F_SEAL_SHRINK == SEAL_SHRINK &&
                   F_SEAL_GROW == SEAL_GROW && F_SEAL_WRITE == SEAL_WRITE &&
                   F_SEAL_FUTURE_WRITE == SEAL_FUTURE_WRITE,
               "seals");

enum { PROT_ALL = PROT_READ | PROT_WRITE | PROT_EXEC };

static size_t page_round(size_t size)
{
    return (size + HAL_PAGE_SIZE - 1) & ~(size_t)(HAL_PAGE_SIZE - 1);
}

static bool is_aligned(const void *address)
{
    return ((uintptr_t)address & (HAL_PAGE_SIZE - 1)) == 0;
}

static inline unsigned map_flags_of(int flags, int prot)
{
    unsigned result = 0;
    result |= (flags & MAP_FIXED) != 0 ? VM_FIXED : 0;
    result |= (flags & MAP_FIXED_NOREPLACE) != 0 ? VM_FIXED | VM_NOREPLACE : 0;
    result |= (flags & MAP_SHARED) != 0 ? VM_SHARED : 0;
    // What reserves only, or grows, gets its memory when it is touched.
    result |= (flags & (MAP_NORESERVE | MAP_STACK | MAP_GROWSDOWN)) != 0 && prot != 0 ? VM_LAZY : 0;
    result |= (flags & (MAP_POPULATE | MAP_LOCKED)) != 0 ? VM_POPULATE : 0;
    return result;
}

static long map_file(char **va, size_t size, int prot, int flags, struct file *file,
                     uint64_t offset)
{
    struct vm_pager *pager;
    bool is_shared = (flags & MAP_TYPE) != MAP_PRIVATE;
    uint32_t access = atomic_load(&file->flags) & OPEN_ACCESS;
    if (offset > INT64_MAX - size) {
        return -EOVERFLOW;
    }
    if (is_shared && (prot & PROT_WRITE) != 0 && access != OPEN_READ_WRITE) {
        return -EACCES;
    }
    unsigned how = map_flags_of(flags, prot) & ~(unsigned)VM_LAZY;
    int error = file_pager(file, &pager);
    if (error == 0 && pager == NULL) {
        return vm_map(va, size, (unsigned)prot, how, NULL, 0); // /dev/zero
    }
    bool may_write = is_shared && access == OPEN_READ_WRITE;
    if (error == 0 && may_write && pager->claim != NULL && pager->claim(pager) != 0) {
        may_write = false;
        error = (prot & PROT_WRITE) != 0 ? -EPERM : 0;
        if (error != 0) {
            pager->put(pager);
        }
    }
    if (error != 0) {
        return error;
    }
    how |= is_shared && !may_write ? VM_READ_ONLY : 0;
    if (is_shared && pager->find == NULL && (prot & PROT_WRITE) == 0) {
        how = (how & ~(unsigned)VM_SHARED) | VM_READ_ONLY; // a copy does for who only reads
    }
    error = vm_map(va, size, (unsigned)prot, how, pager, offset);
    pager->put(pager);
    return error;
}

static long map_anything(char *va, size_t size, int prot, int flags, struct file *file,
                         uint64_t offset)
{
    int kind = flags & MAP_TYPE;
    if (size == 0) {
        return -EINVAL;
    }
    size_t whole = page_round(size);
    if (whole == 0 || (flags & MAP_HUGETLB) != 0) {
        return -ENOMEM; // no huge pages are set aside, as on Linux with vm.nr_hugepages = 0
    }
    if (kind != MAP_PRIVATE && kind != MAP_SHARED &&
        (kind != MAP_SHARED_VALIDATE || file == NULL)) {
        return -EINVAL;
    }
    if (!is_aligned(va)) {
        if ((flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0) {
            return -EINVAL;
        }
        va = (char *)((uintptr_t)va & ~(uintptr_t)(HAL_PAGE_SIZE - 1));
    }
    prot &= PROT_ALL;
    long error = file != NULL
                     ? map_file(&va, whole, prot, flags, file, offset)
                     : vm_map(&va, whole, (unsigned)prot, map_flags_of(flags, prot), NULL, 0);
    return error != 0 ? error : (long)va;
}

long linux_mmap(char *va, size_t size, int prot, int flags, int fd, int64_t offset)
{
    if ((offset & (HAL_PAGE_SIZE - 1)) != 0) {
        return -EINVAL;
    }
    struct file *file = NULL;
    int error = (flags & MAP_ANONYMOUS) != 0 ? 0 : fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    long result = map_anything(va, size, prot, flags, file, (uint64_t)offset);
    if (result == -ENOMEM && shrinker_retry(size)) {
        result = map_anything(va, size, prot, flags, file, (uint64_t)offset);
    }
    if (file != NULL) {
        file_put(file);
    }
    return result;
}

long linux_munmap(char *va, size_t size)
{
    return !is_aligned(va) || size == 0 ? -EINVAL : vm_unmap(va, page_round(size));
}

long linux_mprotect(char *va, size_t size, int prot)
{
    if (!is_aligned(va) || (prot & ~(PROT_ALL | PROT_GROWSDOWN | PROT_GROWSUP)) != 0) {
        return -EINVAL;
    }
    return size == 0 ? 0 : vm_protect(va, page_round(size), (unsigned)(prot & PROT_ALL));
}

long linux_mremap(char *va, size_t old_size, size_t new_size, int flags, char *target)
{
    (void)target;
    if (!is_aligned(va) || new_size == 0 || old_size == 0 || (flags & ~MREMAP_MAYMOVE) != 0) {
        return -EINVAL;
    }
    int error =
        vm_remap(&va, page_round(old_size), page_round(new_size), (flags & MREMAP_MAYMOVE) != 0);
    return error != 0 ? error : (long)va;
}

long linux_madvise(char *va, size_t size, int advice)
{
    if (!is_aligned(va)) {
        return -EINVAL;
    }
    switch (advice) {
    case MADV_DONTNEED:
        return size == 0 ? 0 : vm_discard(va, page_round(size));
    case MADV_HUGEPAGE:
    case MADV_NOHUGEPAGE:
        return size == 0 ? 0 : vm_advise_large(va, page_round(size), advice == MADV_HUGEPAGE);
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
    case MADV_WILLNEED:
    case MADV_FREE:
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_DONTDUMP:
    case MADV_DODUMP:
        return 0;
    default:
        return -EINVAL;
    }
}

long linux_mincore(char *va, size_t size, unsigned char *pages)
{
    if (!is_aligned(va)) {
        return -EINVAL;
    }
    size_t whole = page_round(size);
    int error = user_check(pages, whole / HAL_PAGE_SIZE);
    return error != 0 || whole == 0 ? error : vm_is_resident(va, whole, pages);
}

long linux_brk(char *end)
{
    return (long)vm_brk(end);
}

// Memory here never leaves for a disk.
long linux_mlock(char *va, size_t size)
{
    (void)va;
    (void)size;
    return 0;
}

long linux_msync(char *va, size_t size, int flags)
{
    bool is_contrary = (flags & MS_ASYNC) != 0 && (flags & MS_SYNC) != 0;
    if (!is_aligned(va) || (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0 || is_contrary) {
        return -EINVAL;
    }
    size_t whole = page_round(size);
    if (whole < size) {
        return -ENOMEM;
    }
    return whole == 0 ? 0 : vm_sync(va, whole, (flags & MS_SYNC) != 0);
}

long linux_memfd_create(const char *user, unsigned flags)
{
    enum { NAME_LONGEST = 249 };
    char name[USER_PATH_MAX];
    struct file *file;
    if ((flags & ~(unsigned)(MFD_CLOEXEC | MFD_ALLOW_SEALING)) != 0) {
        return -EINVAL;
    }
    int error = user_read_path(name, user);
    if (error == -EFAULT) {
        return error;
    }
    if (error != 0 || strlen(name) > NAME_LONGEST) {
        return -EINVAL;
    }
    error = memfile_create(&file, name, (flags & MFD_ALLOW_SEALING) != 0);
    if (error != 0) {
        return error;
    }
    int fd = fd_install(file, 0, (flags & MFD_CLOEXEC) != 0);
    if (fd < 0) {
        file_put(file);
    }
    return fd;
}
