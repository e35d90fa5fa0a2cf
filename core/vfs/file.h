// SPDX-License-Identifier: BSD-3-Clause
// file.h: open files (Unix's open file descriptions): what a descriptor leads to.
//
// Thread context, may block. A struct file is counted: file_get/file_put. int results are 0 or
// -errno as Linux answers.
#ifndef CORE_VFS_FILE_H
#define CORE_VFS_FILE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/lib/io_vector.h"
#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "core/sync/waitqueue.h"

struct entry;
struct file;
struct nameless;
struct poll_entry;
struct vm_pager;
struct vnode;

// As Linux encodes them on x86_64 (static-asserted in core/linux).
enum open_flags {
    OPEN_READ_ONLY = 0,
    OPEN_WRITE_ONLY = 1,
    OPEN_READ_WRITE = 2,
    OPEN_ACCESS = 3,
    OPEN_CREATE = 0100,
    OPEN_EXCLUSIVE = 0200,
    OPEN_NO_TTY = 0400,
    OPEN_TRUNCATE = 01000,
    OPEN_APPEND = 02000,
    OPEN_NONBLOCK = 04000,
    OPEN_DATA_SYNC = 010000,
    OPEN_ASYNC = 020000, // who is ready says so by a signal: core/linux/owner.h
    OPEN_DIRECT = 040000,
    OPEN_DIRECTORY = 0200000,
    OPEN_NO_FOLLOW = 0400000,
    OPEN_CLOSE_ON_EXEC = 02000000,
    OPEN_PATH = 010000000,
    OPEN_TEMPORARY = 020000000, // with OPEN_DIRECTORY: a file without a name in that directory
};

enum mode_type {
    MODE_TYPE = 0170000,
    MODE_SOCKET = 0140000,
    MODE_LINK = 0120000,
    MODE_FILE = 0100000,
    MODE_BLOCK = 0060000,
    MODE_DIRECTORY = 0040000,
    MODE_CHARACTER = 0020000,
    MODE_FIFO = 0010000,
};

struct file_time {
    int64_t seconds;
    uint32_t nanoseconds;
};

struct file_status { // what stat(2) needs
    uint64_t device, inode, link_count, special_device, size, block_size, block_count;
    uint32_t mode, uid, gid;
    struct file_time accessed, modified, changed;
};

enum poll_events {
    POLL_IN = 1,
    POLL_PRIORITY = 2,
    POLL_OUT = 4,
    POLL_ERROR = 8,
    POLL_HANG_UP = 16,
    POLL_INVALID = 32,
    POLL_IN_NORMAL = 64, // what pipes and streams answer beside POLL_IN, others do not
    POLL_OUT_NORMAL = 256,
    POLL_READ_HANG_UP = 8192,
    POLL_IN_ANY = POLL_IN | POLL_IN_NORMAL,
    POLL_OUT_ANY = POLL_OUT | POLL_OUT_NORMAL,
};
enum seek_from {
    SEEK_FROM_START,
    SEEK_FROM_CURRENT,
    SEEK_FROM_END,
    SEEK_TO_DATA, // the first at or after the offset
    SEEK_TO_HOLE,
};

// As Linux numbers them. By default there is room afterwards, and the file is as long as it needs.
enum allocate_how {
    ALLOCATE_KEEP_SIZE = 1,
    ALLOCATE_PUNCH_HOLE = 2, // with the one above
    ALLOCATE_COLLAPSE = 8,   // what follows moves up: the file gets shorter
    ALLOCATE_ALL = 0x7f,     // those that Linux has
};

struct dir_entry {
    uint64_t inode;
    uint64_t next; // position after this entry
    uint8_t type;  // MODE_TYPE >> 12
    const char *name;
};

// Where read and write of a stream act, and where a write that appends acts.
#define FILE_OFFSET_NONE UINT64_MAX

// NULL: not supported; file.c answers the right errno. offset is the place in the file, or
// FILE_OFFSET_NONE; done counts bytes, and is 0 on entry. data may be the application's: it is
// touched by hal_copy_safe alone.
struct file_ops {
    int (*read)(struct file *file, uint64_t offset, char *data, size_t size, size_t *done);
    int (*write)(struct file *file, uint64_t offset, const char *data, size_t size, size_t *done);
    // The same of streams, for callers that have file->lock and no reference: borrow.h. They look
    // whether the file is open for that, and give the lock back, and the file with it. NULL: files
    // of this type are not lent.
    int (*read_borrowed)(struct file *file, char *data, size_t size, size_t *done);
    int (*write_borrowed)(struct file *file, const char *data, size_t size, size_t *done);
    int (*seek)(struct file *file, int64_t offset, enum seek_from from,
                uint64_t *result); // NULL: file.c, by status
    // Answers events that are ready; entry non-NULL: also registers it to be woken when that
    // changes (poll.h).
    unsigned (*poll)(struct file *file, struct poll_entry *entry);
    int (*control)(struct file *file, unsigned long request, void *argument); // ioctl
    int (*status)(struct file *file, struct file_status *status);
    struct nameless *(*nameless)(struct file *file); // in place of status (nameless.h)
    int (*read_directory)(struct file *file, uint64_t position,
                          bool (*visit)(const struct dir_entry *, void *), void *argument);
    // SEEK_TO_DATA, SEEK_TO_HOLE, below the file's end. -ENXIO. NULL: all is data.
    int (*find)(struct file *file, uint64_t offset, enum seek_from what, uint64_t *result);
    int (*truncate)(struct file *file, uint64_t size);
    int (*allocate)(struct file *file, unsigned how, uint64_t offset, uint64_t size);
    int (*sync)(struct file *file, bool data_only);
    int (*pager)(struct file *file, struct vm_pager **pager); // for mmap; NULL as the answer:
                                                              // mappings are anonymous memory
    void (*close)(struct file *file);                         // the last reference is gone
};

struct file_owner {
    void (*end)(struct file_owner *owner); // the file is gone
};

struct file {
    const struct file_ops *ops;
    _Atomic uint32_t reference_count;
    _Atomic uint32_t flags;       // open_flags: access mode, OPEN_APPEND, OPEN_NONBLOCK
    bool is_stream;               // no offset: pipe, terminal; lseek answers -ESPIPE
    bool has_locks;               // of its own, now or before; lock.c's
    bool is_over;                 // borrow.c's; guarded by *lock
    uint32_t sleeper_count;       // borrow.c's; guarded by *lock
    _Atomic(struct mutex *) lock; // borrow.c's: with it one may use the file. NULL: one may not
    struct mutex offset_lock;
    uint64_t offset;     // offset_lock
    struct vnode *vnode; // NULL for pipes and the like; counted
    struct entry
        *entry;  // the name it was opened by (entry.h), counted; NULL for pipes and the like, and
                 // for regular files that the shortcut found (vfs_file_entry makes one of path)
    void *state; // the file type's
    struct list
        watchers; // the epoll items that wait for it: epoll.c's; all-zero: there never was one
    struct file_owner *owner; // who is told by signals; NULL: nobody
    char *path; // as opened, for messages, /proc/self/fd and maps; path_short or heap; may be NULL
    char path_short[48];
};

int file_create(struct file **file, const struct file_ops *ops, uint32_t flags, void *state);
void file_get(struct file *file);
// For a file that may have been closed, or be another one by now. False: it is free.
bool file_get_unless_free(struct file *file);
void file_put(struct file *file);
void file_end(struct file *file); // file_put's and borrow.c's: nobody uses it any more

// No regular file is written, or made longer, beyond this; UINT64_MAX: no limit. -EFBIG.
void file_size_limit_set(uint64_t limit);
int file_size_check(struct vnode *vnode, uint64_t size); // may it have that size?

// With the file's own offset. -EBADF: not open for that. A signal ends a blocked call: -EINTR.
int file_read(struct file *file, char *data, size_t size, size_t *done);
int file_write(struct file *file, const char *data, size_t size, size_t *done);
int file_read_vector(struct file *file, const struct io_vector *vectors, size_t count,
                     size_t *done);
int file_write_vector(struct file *file, const struct io_vector *vectors, size_t count,
                      size_t *done);
int file_read_at(struct file *file, uint64_t offset, char *data, size_t size, size_t *done);
int file_write_at(struct file *file, uint64_t offset, const char *data, size_t size, size_t *done);
int file_append(struct file *file, const char *data, size_t size, size_t *done); // at its end
int file_seek(struct file *file, int64_t offset, enum seek_from from, uint64_t *result);
// The seek of files without a place, where it does nothing (epoll, eventfd ...).
int file_seek_nowhere(struct file *file, int64_t offset, enum seek_from from, uint64_t *result);
int file_status(struct file *file, struct file_status *status);
int file_control(struct file *file, unsigned long request, void *argument); // -ENOTTY
int file_truncate(struct file *file, uint64_t size);
int file_allocate(struct file *file, unsigned how, uint64_t offset, uint64_t size);
int file_sync(struct file *file, bool data_only);
int file_pager(struct file *file, struct vm_pager **pager); // -ENODEV; counted
int file_read_directory(struct file *file,
                        bool (*visit)(const struct dir_entry *entry, void *argument),
                        void *argument);
unsigned file_poll(struct file *file, struct poll_entry *entry);

int pipe_create(struct file **reader, struct file **writer,
                uint32_t flags); // 64 KiB, PIPE_BUF 4096
int eventfd_create(struct file **file, uint32_t value, bool is_semaphore, uint32_t flags);
bool file_is_eventfd(const struct file *file);
void eventfd_signal(struct file *file); // adds 1, unless it is full: it does not wait for readers

#endif
