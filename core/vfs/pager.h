// SPDX-License-Identifier: BSD-3-Clause
// pager.h: files as the source of mapped pages.
#ifndef CORE_VFS_PAGER_H
#define CORE_VFS_PAGER_H

struct file;
struct vm_pager;

// A pager that reads through the file's read operation. It keeps the file open. The caller has one
// reference. -ENOMEM.
int pager_of_file(struct file *file, struct vm_pager **pager);

#endif
