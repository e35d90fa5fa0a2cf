// SPDX-License-Identifier: BSD-3-Clause
// image.h: a file system in EROFS format (Linux's Documentation/filesystems/erofs.rst) that lies in
// memory, or on a disk or a partition of one.
//
// Images are read as mkfs.erofs writes them without compression. Nothing in an image is believed:
// an inode is read only if its data lies inside of the image, so that data can then be touched
// without a look. What is damaged is -EIO, and the console says which block and what is wrong with
// it.
//
// In memory no locks, no allocations: an image never changes. What has been looked at of a disk,
// other than files' contents, stays in memory; reading it may block, and fail with -EIO or -ENOMEM.
#ifndef CORE_VFS_EROFS_IMAGE_H
#define CORE_VFS_EROFS_IMAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/sync/mutex.h"
#include "core/vfs/file.h"

struct block_cache;
struct block_chunk;
struct partition;

enum { EROFS_BLOCK_SIZE = 4096, EROFS_MAGIC = 0xe0f5e1e2 };

struct erofs_image {
    const char *name;  // for people
    const char *start; // NULL: it is on a disk, of which the next five are
    const char *(*read)(struct erofs_image *image, uint64_t offset, size_t *size);
    const struct partition *part;
    _Atomic(struct block_chunk *) *held; // for each chunk, of the disk, that has some of the part;
    uint64_t held_count;                 // entries are set under lock
    struct mutex lock;
    uint64_t size; // whole blocks
    uint64_t meta; // where inode number 0 would be
    uint64_t root; // number of the root's inode
    uint64_t file_count;
    struct file_time built; // time of all files whose inodes are short
    _Atomic uint32_t complaint_count;
};

struct erofs_inode {
    uint64_t number; // where it lies: its name within the image
    uint64_t size;
    uint64_t blocks;      // where its whole blocks are, one after the other: offset in the image
    uint64_t block_bytes; // bytes of them that are the file's
    uint64_t tail;        // where the rest is
    uint64_t device;      // of a device file
    uint64_t inode;       // as stat shows it
    uint32_t mode, uid, gid, link_count;
    struct file_time modified;
};

// 0; -EINVAL: not EROFS; -EIO: damaged; -EOPNOTSUPP: made with features that we cannot read.
int erofs_image_open(struct erofs_image *image, const char *start, size_t size);

// The same for a disk or a partition. -EIO also where it cannot be read. -EXDEV: it does not begin
// at a page of the disk's cache. Whatever the answer, it is closed.
int erofs_image_open_disk(struct erofs_image *image, const struct partition *part);
void erofs_image_close(struct erofs_image *image);

// Of an image on a disk: that disk's cache, and where on the disk the offset in the image is.
struct block_cache *erofs_disk_cache(const struct erofs_image *image);
uint64_t erofs_disk_place(const struct erofs_image *image, uint64_t offset);

// What erofs_image_open does once it is known where the image lies.
int erofs_superblock_read(struct erofs_image *image);

// -EIO. -EOPNOTSUPP: a compressed or chunked file.
int erofs_inode_read(struct erofs_image *image, uint64_t number, struct erofs_inode *inode);

// Where in the image the byte at offset is, which is less than the size, and how many follow there.
uint64_t erofs_place(const struct erofs_inode *inode, uint64_t offset, uint64_t *size);

// Says on the console that a block cannot be read.
void erofs_complain_unread(struct erofs_image *image, uint64_t offset);

// The bytes at offset, which is less than the size, and how many follow there. Not for contents of
// files on a disk. NULL: they cannot be read from it.
const char *erofs_data(struct erofs_image *image, const struct erofs_inode *inode, uint64_t offset,
                       size_t *size);

struct erofs_name {
    uint64_t number;
    uint32_t type; // of enum mode_type
    size_t length;
    const char *text; // no NUL ends it
};

// The inode number of a name in a directory. -ENOENT, -EIO.
int erofs_find(struct erofs_image *image, const struct erofs_inode *directory, const char *name,
               uint64_t *number);

// The name at position (0 is the first) of a directory, "." and ".." among them, and the position
// of the next. -ENOENT: there is none any more. -EIO.
int erofs_name_read(struct erofs_image *image, const struct erofs_inode *directory,
                    uint64_t position, struct erofs_name *name, uint64_t *next);

#endif
