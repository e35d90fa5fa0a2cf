// SPDX-License-Identifier: BSD-3-Clause
// hostfs.h: file systems behind a file-system device: directories of the host, and its standard
// streams.
//
// hostfs.c has names and attributes, hostfile.c open files and directories, hoststream.c what one
// may have to wait for, hostwindow.c reads through the device's shared memory, hostpager.c mappings
// of it, hostcache.c pages of mapped files where it has none, hostnames.c names that may be kept.
//
// Of a file system that the program may write to nothing is kept here but the sizes that
// hostwindow.c goes by, and the pages of files while they are mapped: a question is a request or a
// look at the host's own pages, so that the program sees what the host has. Names and attributes of
// a read-only one (/usr, /etc, the program's own directory) hold as long as the far end says, which
// is a second for that of hal-linux: so late at most the program sees that somebody else has made,
// removed, renamed or changed a file there. What is read from an open file is always the host's,
// but that files of such a file system behind another process (virtiofsd) are read ahead, for a
// second, too (hostahead.c).
#ifndef CORE_VFS_HOSTFS_H
#define CORE_VFS_HOSTFS_H

#include <stdatomic.h>

#include "core/dev/fs.h"
#include "core/lib/list.h"
#include "core/sync/mutex.h"
#include "core/vfs/mount.h"
#include "core/vfs/vnode.h"

struct host_node {
    struct vnode vnode;
    uint64_t node;                     // its name to the far end
    struct fuse_attributes attributes; // as they were at lookup
    hal_ns valid_until;                // for so long they may be believed; 0: never
};

struct host_mount { // mount->state
    struct fs_device *device;
    const struct vnode_ops *ops; // of its nodes
    _Atomic uint64_t valid_ns;   // for how long the far end's last answer about a name holds
};

struct host_watch;

enum { HOST_CHUNKS_MAX = 32 }; // of one file: 64 MiB

struct host_ahead { // guarded by lock
    struct mutex lock;
    char *data; // size bytes from offset on, and where the file ends (UINT64_MAX: further on)
    uint64_t offset, end;
    size_t size;
    hal_ns until;     // for so long
    uint64_t changes; // or until this is another
};

struct host_file { // file->state
    struct fs_device *device;
    uint64_t node, handle;
    struct host_watch *watch; // of a stream; NULL otherwise
    struct host_ahead ahead;  // hostahead.c's
    // hostwindow.c's, for regular files.
    _Atomic uint32_t read_count;
    _Atomic uint32_t truncation; // host_truncations when size was asked for
    _Atomic uint64_t size;       // what the file has at least, while truncation is current
    _Atomic bool is_asked;       // somebody is asking: changes these two
    _Atomic uint32_t chunks[HOST_CHUNKS_MAX];
};

// Opens the device and sets mount's root and state.
int hostfs_fill(struct mount *mount, const struct hal_dev_info *info);

// For the other two.
struct host_node *host_node_of(struct vnode *vnode);
struct fs_device *host_device_of(const struct vnode *vnode);
int host_open(struct vnode *vnode, struct file *file);
// What an open file does once the far end has answered with a handle; takes the handle over, also
// on failure.
int host_file_attach(struct vnode *vnode, struct file *file, uint64_t handle);
void host_file_close(struct file *file);
int host_file_sync(struct file *file, bool data_only);
int host_file_truncate(struct file *file, uint64_t size);
int host_file_size(const struct host_file *host, uint64_t *size);
int host_file_seek(const struct host_file *host, uint64_t offset, enum seek_from from,
                   uint64_t *result);
// One READ or WRITE request after another until size is done or the far end does less. flags: with
// OPEN_NONBLOCK the caller does not wait for what is not there.
int host_read(const struct host_file *host, uint64_t offset, char *data, size_t size,
              uint32_t flags, size_t *done);
int host_write(const struct host_file *host, uint64_t offset, const char *data, size_t size,
               size_t *done);

// hostwindow.c: reading without a request, from the device's shared memory. False: not this time.
bool host_window_read(struct host_file *host, uint64_t offset, char *data, size_t size);
void host_window_close(struct host_file *host);
// A file was, or may have been, made shorter: sizes are asked for again.
void host_window_truncated(void);

// hostahead.c: reads of what was read ahead, or is known not to be there. False: nothing is kept of
// this file.
bool host_ahead_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done,
                     int *error);
void host_ahead_close(struct host_file *host);
void host_data_changed(void); // the program has written to one of the host's files

// hostpager.c: mappings of the device's shared memory.
int host_pager(struct file *file, struct vm_pager **pager);

// hostnames.c. True: it is known what the directory has by that name: *child, counted, or NULL.
bool host_name_find(struct vnode *directory, const char *name, struct vnode **child);
// Keeps what a lookup in a read-only file system has answered; changes: host_names_state before it.
void host_name_keep(struct vnode *directory, const char *name, struct vnode *child, hal_ns until,
                    uint64_t changes);
uint64_t host_names_state(void);
// The program has made, removed or renamed something: no name is believed any more.
void host_names_changed(void);

extern const struct file_ops host_stream_ops;
int host_watch_new(struct host_watch **watch);
void host_watch_close(struct host_watch *watch);

#endif
