// SPDX-License-Identifier: BSD-3-Clause
// hostcache.h: pages of mapped files behind a file-system device that has no shared memory.
//
// A file has such pages while a mapping of it is there, and never otherwise: who reads and writes
// by descriptors asks the far end. The two are kept together: a read is preceded by
// host_cache_flush, a write is host_cache_write, any other change of the file lies between
// host_cache_change_begin and _end. What somebody on the host writes into a file that is mapped is
// not seen in the mapping.
#ifndef CORE_VFS_HOSTCACHE_H
#define CORE_VFS_HOSTCACHE_H

#include "core/vfs/hostfs.h"

struct file_pager;
struct host_cache;

// Makes the pager, which reads and writes by the handle of its file, one of the file's pages.
// -ENOMEM.
int host_cache_attach(struct file_pager *pager);

// The pages of a file, counted, or NULL: it has none. device: any. Lock-free where no file of any
// device is mapped.
struct host_cache *host_cache_find(const struct fs_device *device, uint64_t node);
void host_cache_put(struct host_cache *cache);

// What mappings have written is written to the file. 0 or what the far end says. NULL is nothing.
int host_cache_flush(struct host_cache *cache);

// All files; what fails stays as it is.
void host_caches_flush(void);

// Writes through host to the file and its pages. offset is a place in the file.
int host_cache_write(struct host_cache *cache, const struct host_file *host, uint64_t offset,
                     const char *data, size_t size, size_t *done);

// Before and after the file is made shorter or longer, or what it has is moved: nobody brings or
// writes pages meanwhile. size: of the file now (UINT64_MAX: as it was); from: what lies before is
// as it was, but for what is cut off (UINT64_MAX: nothing has changed otherwise). NULL is nothing.
void host_cache_change_begin(struct host_cache *cache);
void host_cache_change_end(struct host_cache *cache, uint64_t from, uint64_t size);

#endif
