// SPDX-License-Identifier: BSD-3-Clause
// hugemap.h: mappings of large pages that the program asks for: what the system calls on memory do
// to them.
//
// A range of such a mapping begins and ends with a large page; calls that would cut one are
// refused.
#ifndef CORE_LINUX_HUGEMAP_H
#define CORE_LINUX_HUGEMAP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct file;
struct vm_piece;

// Whether there ever was one: most programs have none, and pay for no more than this question.
extern _Atomic bool hugemap_has_been;
static inline bool hugemap_is_used(void)
{
    return __builtin_expect(atomic_load_explicit(&hugemap_has_been, memory_order_relaxed), 0);
}

void hugemap_use(void); // before the first is mapped

// mmap with MAP_HUGETLB, or of a file with large pages. file NULL: anonymous. size is what was
// asked for, not 0.
long hugemap_map(char *va, size_t size, int prot, int flags, struct file *file, uint64_t offset);

// Whether an end of [va, end) lies within a large page.
bool hugemap_cuts(char *va, char *end);
static inline bool hugemap_is_cut(char *va, char *end)
{
    return hugemap_is_used() && hugemap_cuts(va, end);
}

// Unmaps what the range has of such mappings, and nothing else. -EINVAL: it would be cut.
int hugemap_unmap_all(char *va, size_t size);
static inline int hugemap_unmap(char *va, size_t size)
{
    return hugemap_is_used() ? hugemap_unmap_all(va, size) : 0;
}

// mremap, where va is in such a mapping: false: it is not. The sizes are pages.
bool hugemap_remap(char *va, size_t old_size, size_t new_size, int flags, char *target,
                   long *result);

// madvise of a piece of one; MADV_DONTNEED.
int hugemap_advise(const struct vm_piece *piece, int advice);
int hugemap_discard(const struct vm_piece *piece);

// MAP_HUGE_*, MFD_HUGE_* and SHM_HUGE_*: whether flags ask for a size that there is.
bool hugemap_size_is_known(unsigned flags);

#endif
