// SPDX-License-Identifier: BSD-3-Clause
// ramfs_pages.h: the pages of a file in memory, by their index: a tree of tables, as high as the
// largest index needs.
//
// Who changes it holds pages_lock, under which nothing waits and no memory of a program is touched:
// a fault on a mapping of the file takes it with the mutex of the address space held.
#ifndef CORE_VFS_RAMFS_PAGES_H
#define CORE_VFS_RAMFS_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vfs/ramfs_node.h"

// The page, or NULL for a hole. False: pages have gone since layout was read, and the answer does
// not count. For those who hold pages_lock, or the node's lock, or keep no page that they found
// without asking once more whether node->layout holds.
bool ramfs_page_find(const struct ramfs_node *node, uint64_t index, uint32_t layout,
                     const char **page);

// ---- Under pages_lock ----

char *ramfs_page_get(const struct ramfs_node *node, uint64_t index); // NULL: a hole

// The first index from index on, below end, that has a page; end: none.
uint64_t ramfs_page_next(const struct ramfs_node *node, uint64_t index, uint64_t end);

// Fills holes from index on with zeroed pages, count at most, and answers how many; 0: no memory.
size_t ramfs_pages_make(struct ramfs_node *node, uint64_t index, size_t count);

// One page of the caller's where there is a hole, and back. False: no memory for the way to it.
bool ramfs_page_put(struct ramfs_node *node, uint64_t index, char *page);
char *ramfs_page_take(struct ramfs_node *node, uint64_t index); // between changes of layout

// Frees the pages of [first, end); UINT64_MAX: all that follow.
void ramfs_pages_cut(struct ramfs_node *node, uint64_t first, uint64_t end);

#endif
