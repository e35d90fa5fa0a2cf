// SPDX-License-Identifier: BSD-3-Clause
// pager.h: files as the source of mapped pages (struct vm_pager of core/vm).
#ifndef CORE_VFS_PAGER_H
#define CORE_VFS_PAGER_H

#include <stdatomic.h>

#include "core/vm/vm.h"

struct file;

struct file_pager {
    struct vm_pager pager;
    _Atomic uint32_t reference_count;
    struct file *file;                         // counted
    uint64_t size;                             // of the file, when this was made
    void (*release)(struct file_pager *pager); // the last reference is gone; NULL: nothing to do
    void *state;                               // of who set release
    void *owner;                               // of who made it an attachment (core/linux)
};

// A pager that reads through the file's read operation, to which the caller may add the rest before
// anybody else sees it. It keeps the file open. The caller has one reference. -ENOMEM.
int pager_create(struct file *file, struct file_pager **pager);

struct file_pager *file_pager_of(struct vm_pager *pager);

#endif
