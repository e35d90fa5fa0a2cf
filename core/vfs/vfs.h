// SPDX-License-Identifier: BSD-3-Clause
// vfs.h: names: the mount table and everything that takes a path.
//
// Paths are Linux's: relative ones start at a directory given as an open file, or at the current
// directory (NULL). At most 4095 bytes, 40 symbolic links. Results 0 or -errno as Linux answers.
// Thread context, may block.
#ifndef CORE_VFS_VFS_H
#define CORE_VFS_VFS_H

#include "core/vfs/file.h"
#include "hal/hal.h"

struct entry;
struct file_system_type;
struct vnode;

void vfs_init(void); // the root: an empty ramfs with /tmp /dev /proc mounted (devfs, procfs)

// The same, but the root is a read-only file system in EROFS format that lies in memory at image.
// -EINVAL: it is none. -EOPNOTSUPP: it is one that we cannot read. -EIO: it is damaged. -ENOENT: it
// has no directories /tmp, /dev and /proc. -ENOMEM. After an error no other function of vfs may be
// called.
HAL_MUST_CHECK int vfs_init_image(const char *name, const struct hal_region *image);

// The same, but the image is on a disk or a partition, by its name in /dev ("/dev/vda",
// "/dev/vda1"), or as partition_find has it ("partuuid:..."). -ENXIO: there is none. -EIO also
// where it cannot be read. -EXDEV: the partition does not begin at a page.
HAL_MUST_CHECK int vfs_init_disk(const char *name);

// The same, but the root is a file-system device of the machine, by its name. As vfs_mount_device,
// and -ENOENT as above.
HAL_MUST_CHECK int vfs_init_device(const char *device_name, bool read_only);

// Mounts a file-system device of the machine (hal_boot.devs, by name) at path; missing directories
// are made in a ramfs, and nowhere else. -ENXIO: no such device. -EBUSY: it is mounted already, or
// path is /. -ENODEV, -EPROTO, -EIO: the device refuses, speaks another protocol, does not answer.
int vfs_mount_device(const char *device_name, const char *path, bool read_only);
int vfs_mount_ramfs(const char *path);
// Shows a text that is made when it is read, as of procfs_add, in place of the file of that name,
// which has to be there: -ENOENT.
int vfs_mount_text(const char *path, size_t (*make)(char *text, size_t size, void *argument));

enum {
    VFS_NO_FOLLOW = 1,
    VFS_EMPTY_PATH = 2,
    VFS_REMOVE_DIRECTORY = 4,
    VFS_NO_REPLACE = 8,
    VFS_EXCHANGE = 16
};

int vfs_open(struct file *base, const char *path, uint32_t flags, uint32_t mode,
             struct file **file);
int vfs_status(struct file *base, const char *path, unsigned flags, struct file_status *status);
int vfs_access(struct file *base, const char *path, unsigned mode, unsigned flags); // R 4, W 2, X 1
int vfs_make_directory(struct file *base, const char *path, uint32_t mode);
int vfs_make_node(struct file *base, const char *path, uint32_t mode, uint64_t device); // mknod
// A node for a local socket to be found by, relative to the current directory; counted.
// -EADDRINUSE: there is such a name. And to find it: -ECONNREFUSED: it is none, -EACCES: it may not
// be written.
int vfs_make_socket(const char *path, uint32_t mode, struct vnode **vnode);
int vfs_find_socket(const char *path, struct vnode **vnode);
int vfs_remove(struct file *base, const char *path,
               unsigned flags); // unlink, or rmdir with VFS_REMOVE_DIRECTORY
int vfs_rename(struct file *from_base, const char *from, struct file *to_base, const char *to,
               unsigned flags);
int vfs_link(struct file *from_base, const char *from, struct file *to_base, const char *to,
             unsigned flags);
int vfs_symlink(const char *text, struct file *base, const char *path);
int vfs_sync(struct file *file); // the file system of file, or NULL: all
void vfs_mappings_flush(
    void); // what was written into mapped files goes there: the program is at its end
int vfs_read_link(struct file *base, const char *path, char *text, size_t size, size_t *length);
int vfs_truncate(const char *path, uint64_t size);
int vfs_change_mode(struct file *base, const char *path, uint32_t mode, unsigned flags);
int vfs_change_owner(struct file *base, const char *path, uint32_t uid, uint32_t gid,
                     unsigned flags); // UINT32_MAX: keep
int vfs_change_times(struct file *base, const char *path, const struct file_time times[2],
                     unsigned flags); // NULL: now
int vfs_change_directory(struct file *base, const char *path);
int vfs_current_directory(char *path, size_t size, size_t *length); // length with the NUL. -ERANGE

struct file_system_status { // statfs
    uint64_t type, block_size, block_count, block_free, block_available, file_count, file_free,
        name_max;
};
int vfs_file_system_status(struct file *base, const char *path, struct file_system_status *status);

// The name that a file with a path was opened by; counted. -ENOMEM.
int vfs_file_entry(struct file *file, struct entry **entry);

void vfs_umask_set(uint32_t mask);
uint32_t vfs_umask(void);

// As whom the process acts on files, and whose those are that it makes: before the program starts,
// and when it changes that itself.
void vfs_owner_set(uint32_t uid, uint32_t gid);
void vfs_owner_change(uint32_t uid, uint32_t gid);

// Makes a regular file in the directory that a file-system device serves, in place of what has that
// name, and opens it. The device is mounted nowhere: files of core's own, which the program does
// not see. Once for each device.
int vfs_device_file_make(const char *device_name, const char *name, uint32_t mode,
                         struct file **file);

// The three standard streams of the machine as open files for descriptors 0, 1, 2: nodes 0, 1, 2 of
// the named file-system device, or the console device of that name.
int vfs_standard_streams(const char *device_name, struct file *streams[3]);

// A console device as open files for descriptors 0, 1, 2: its ports named stdin and stdout, and the
// machine's console; all three are port 0 where that is for people. NULL: the machine's own
// console, which has no input. -ENODEV.
int vfs_console_streams(const char *device_name, struct file *streams[3]);

// Files whose text is made when they are opened (procfs). make writes at most size bytes and
// answers the length of the whole.
int procfs_add(const char *name, size_t (*make)(char *text, size_t size, void *argument),
               void *argument);
int procfs_add_link(const char *name, size_t (*make)(char *text, size_t size, void *argument),
                    void *argument);

#endif
