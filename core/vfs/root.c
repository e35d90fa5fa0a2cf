// SPDX-License-Identifier: BSD-3-Clause
// root.c: the tree that the program finds: the root, /tmp, /dev, /proc, /sys, and what the command line
// mounts.
#include "core/dev/console.h"
#include "core/dev/device.h"
#include "core/dev/partition.h"
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/blockfile.h"
#include "core/vfs/console.h"
#include "core/vfs/devices.h"
#include "core/vfs/erofs/erofs.h"
#include "core/vfs/hostfs.h"
#include "core/vfs/mount.h"
#include "core/vfs/procfs.h"
#include "core/vfs/ramfs.h"
#include "core/vfs/shortcut.h"
#include "core/vfs/vfs.h"
#include "core/vfs/walk.h"

// Makes a directory of ours: nothing is made on the host, or in an image, for the sake of a mount.
static int directory_make(const char *path)
{
    char parent[MOUNT_PATH_SIZE];
    const char *slash = strrchr(path, '/');
    const size_t length = slash == path ? 1 : (size_t)(slash - path);
    memcpy(parent, path, length);
    parent[length] = 0;
    struct entry *entry;
    int error = walk_find(NULL, parent, true, &entry);
    if (error != 0) {
        return error;
    }
    const bool is_ours = strcmp(entry->vnode->mount->type, "ramfs") == 0;
    entry_put(entry);
    return is_ours ? vfs_make_directory(NULL, path, 0755) : -ENOENT;
}

// Makes the directories of an absolute path that are missing.
static int directories_make(const char *path)
{
    char part[MOUNT_PATH_SIZE];
    size_t length = strnlen(path, sizeof part);
    if (length == sizeof part) {
        return -ENAMETOOLONG;
    }
    uint32_t umask = vfs_umask();
    int error = 0;
    vfs_umask_set(0);
    for (size_t i = 1; i <= length && error == 0; ++i) {
        if (path[i] != '/' && path[i] != 0) {
            continue;
        }
        memcpy(part, path, i);
        part[i] = 0;
        struct file_status status;
        error = vfs_status(NULL, part, 0, &status);
        if (error == -ENOENT) {
            error = directory_make(part);
        }
    }
    vfs_umask_set(umask);
    return error;
}

// Makes mount, which has a root by now, appear at path.
static int mount_at(struct mount *mount, const char *path)
{
    if (path[0] != '/') {
        return -EINVAL;
    }
    struct entry *entry;
    int error = directories_make(path);
    error = error != 0 ? error : walk_find(NULL, path, true, &entry);
    if (error != 0) {
        return error;
    }
    // What the walk found is where it appears, whatever links the path had.
    char real_path[MOUNT_PATH_SIZE];
    size_t length;
    error = entry_path(entry, real_path, sizeof real_path, &length);
    if (error == 0 && !vnode_is_directory(entry->vnode)) {
        error = -ENOTDIR;
    }
    if (error == 0 && entry->parent == NULL) {
        error = -EBUSY;
    }
    if (error == 0) {
        mount_attach(mount, entry->vnode, real_path);
    }
    entry_put(entry);
    return error;
}

int vfs_mount_ramfs(const char *path)
{
    struct mount *mount = mount_new("ramfs", "ramfs", false);
    if (mount == NULL) {
        return -ENOSPC;
    }
    int error = ramfs_fill(mount, 01777);
    error = error != 0 ? error : mount_at(mount, path);
    if (error != 0) {
        vnode_put(mount->root);
        mount_discard(mount);
    }
    return error;
}

int vfs_mount_text(const char *path, size_t (*make)(char *text, size_t size, void *argument))
{
    char real_path[MOUNT_PATH_SIZE];
    struct entry *entry;
    size_t length;
    int error = walk_find(NULL, path, false, &entry); // a link there is hidden, too
    if (error != 0) {
        return error;
    }
    struct mount *mount = mount_new("proc", "proc", true);
    error = mount == NULL ? -ENOSPC : procfs_fill_text(mount, make);
    error = error != 0 ? error : entry_path(entry, real_path, sizeof real_path, &length);
    if (error == 0) {
        mount_attach(mount, entry->vnode, real_path);
    } else if (mount != NULL) {
        mount_discard(mount);
    }
    entry_put(entry);
    return error;
}

int vfs_mount_device(const char *device_name, const char *path, bool read_only)
{
    const struct hal_dev_info *info = device_find(HAL_FS, device_name);
    if (info == NULL) {
        return -ENXIO;
    }
    struct mount *mount = mount_new("fuse", device_name, read_only);
    if (mount == NULL) {
        return -ENOSPC;
    }
    int error = hostfs_fill(mount, info);
    error = error != 0 ? error : mount_at(mount, path);
    if (error != 0) {
        vnode_put(mount->root);
        mount_discard(mount);
    }
    return error;
}

// ---- Standard streams ----

// What the stream allows is what its node opens for.
static int stream_open(struct vnode *node, struct file **result)
{
    static const uint32_t modes[] = {OPEN_READ_WRITE, OPEN_READ_ONLY, OPEN_WRITE_ONLY};
    static const struct file_ops unopened_ops = {.read = NULL};
    int error = -EACCES;
    for (size_t i = 0; i < 3 && error == -EACCES; ++i) {
        struct file *file;
        error = file_create(&file, &unopened_ops, modes[i], NULL);
        if (error != 0) {
            return error;
        }
        vnode_get(node);
        file->vnode = node;
        error = node->ops->open(node, file);
        if (error != 0) {
            file->ops = &unopened_ops;
            file_put(file);
        } else {
            *result = file;
        }
    }
    return error;
}

// The name that the host has for it ("/dev/pts/3", "pipe:[4711]"); none if that fails.
static char *stream_name(struct vnode *node)
{
    size_t length = 0;
    char *name = heap_alloc(PATH_SIZE_MAX);
    if (name != NULL && node->ops->read_link(node, name, PATH_SIZE_MAX - 1, &length) == 0) {
        name[length] = 0;
        char *shorter = heap_realloc(name, length + 1);
        return shorter != NULL ? shorter : name;
    }
    heap_free(name);
    return NULL;
}

static int stream_find(struct mount *mount, struct vnode *root, int index, struct file **stream)
{
    const char name[2] = {(char)('0' + index), 0};
    struct vnode *node;
    int error = root->ops->lookup(root, name, &node);
    if (error != 0) {
        return error == -ENOENT ? 0 : error; // the host has closed it
    }
    ASSERT(node->mount == mount);
    node->is_fresh = false;
    error = stream_open(node, stream);
    if (error == 0) {
        (*stream)->path = stream_name(node);
        if ((*stream)->vnode->type == MODE_CHARACTER) {
            device_terminal_set(*stream);
        }
    }
    vnode_put(node);
    return error;
}

// Input and output; errors go to the machine's console, unless all is one port, which is for
// people.
static int port_streams(const struct hal_dev_info *info, struct file *streams[3])
{
    struct console_device *device;
    struct console_port *input, *output;
    int error = console_device_open(info, &device);
    error = error != 0 ? error : console_port_find(device, "stdin", &input);
    error = error != 0 ? error : console_port_find(device, "stdout", &output);
    error = error != 0 ? error : console_input(input, &streams[0]);
    error = error != 0 ? error : console_stream(output, &streams[1]);
    return error != 0 ? error : console_stream(input == output ? output : NULL, &streams[2]);
}

int vfs_console_streams(const char *device_name, struct file *streams[3])
{
    streams[0] = streams[1] = streams[2] = NULL;
    if (device_name != NULL) {
        const struct hal_dev_info *info = device_find(HAL_CONSOLE, device_name);
        return info == NULL ? -ENODEV : port_streams(info, streams);
    }
    int error = 0;
    for (int i = 0; i < 3 && error == 0; ++i) {
        error = vfs_open(NULL, "/dev/console", i == 0 ? OPEN_READ_ONLY : OPEN_WRITE_ONLY, 0,
                         &streams[i]);
    }
    return error;
}

int vfs_standard_streams(const char *device_name, struct file *streams[3])
{
    streams[0] = streams[1] = streams[2] = NULL;
    const struct hal_dev_info *info = device_find(HAL_FS, device_name);
    if (info == NULL) {
        return vfs_console_streams(device_name, streams);
    }
    struct mount *mount = mount_new("stream", device_name, false);
    if (mount == NULL) {
        return -ENOSPC;
    }
    int error = hostfs_fill(mount, info);
    // Never attached, and without a root: by that hostfile.c knows that its files are streams,
    // whatever their type.
    struct vnode *root = mount->root;
    mount->root = NULL;
    for (int i = 0; i < 3 && error == 0; ++i) {
        error = stream_find(mount, root, i, &streams[i]);
    }
    vnode_put(root);
    return error;
}

// ---- Files of core's own ----

static int device_file_make(struct mount *mount, const char *name, uint32_t mode,
                            struct file **result)
{
    static const struct file_ops unopened_ops = {.read = NULL};
    struct vnode *root = mount->root, *node;
    if (root->ops->create_open == NULL) {
        return -EROFS;
    }
    int error = root->ops->remove(root, name, false); // what is there is not written through
    error = error == -ENOENT ? 0 : error;
    error = error != 0 ? error : file_create(result, &unopened_ops, OPEN_READ_WRITE, NULL);
    if (error != 0) {
        return error;
    }
    error = root->ops->create_open(root, name, mode, *result, &node);
    if (error != 0) {
        file_put(*result);
        return error;
    }
    (*result)->vnode = node;
    return 0;
}

int vfs_device_file_make(const char *device_name, const char *name, uint32_t mode,
                         struct file **file)
{
    const struct hal_dev_info *info = device_find(HAL_FS, device_name);
    if (info == NULL) {
        return -ENODEV;
    }
    struct mount *mount = mount_new("fuse", device_name, false); // never attached
    if (mount == NULL) {
        return -ENOSPC;
    }
    int error = hostfs_fill(mount, info);
    error = error != 0 ? error : device_file_make(mount, name, mode, file);
    if (error != 0) {
        vnode_put(mount->root);
        mount_discard(mount);
    }
    return error;
}

// ---- The start ----

struct device_name {
    const char *path;
    uint64_t number;
    uint32_t mode;
};

static int devices_make(void)
{
    static const struct device_name devices[] = {
        {"/dev/null", DEVICE_NUMBER(1, 3), 0666},    {"/dev/zero", DEVICE_NUMBER(1, 5), 0666},
        {"/dev/full", DEVICE_NUMBER(1, 7), 0666},    {"/dev/random", DEVICE_NUMBER(1, 8), 0666},
        {"/dev/urandom", DEVICE_NUMBER(1, 9), 0666}, {"/dev/tty", DEVICE_NUMBER(5, 0), 0666},
        {"/dev/console", DEVICE_NUMBER(5, 1), 0600},
    };
    static const char *const links[][2] = {
        {"/dev/fd", "/proc/self/fd"},
        {"/dev/stdin", "/proc/self/fd/0"},
        {"/dev/stdout", "/proc/self/fd/1"},
        {"/dev/stderr", "/proc/self/fd/2"},
    };
    int error = 0;
    for (size_t i = 0; i < sizeof devices / sizeof devices[0] && error == 0; ++i) {
        error = vfs_make_node(NULL, devices[i].path, MODE_CHARACTER | devices[i].mode,
                              devices[i].number);
    }
    for (size_t i = 0; i < sizeof links / sizeof links[0] && error == 0; ++i) {
        error = vfs_symlink(links[i][1], NULL, links[i][0]);
    }
    error = error != 0 ? error : block_files_make();
    return error != 0 ? error : vfs_mount_ramfs("/dev/shm");
}

// Everything starts at mount, which has its root.
static int root_attach(struct mount *mount)
{
    mount_attach(mount, NULL, "/");
    vnode_get(mount->root);
    struct entry *root = entry_new(NULL, mount->root, "");
    if (root == NULL) {
        return -ENOMEM;
    }
    shortcut_root_set(mount->root);
    walk_current_set(entry_get(root));
    walk_root_set(root);
    return 0;
}

static int procfs_mount(void)
{
    struct mount *mount = mount_new("proc", "proc", false);
    ASSERT(mount != NULL);
    int error = procfs_fill(mount);
    return error != 0 ? error : mount_at(mount, "/proc");
}

// An image that was made without the directory does without.
static int system_mount(void)
{
    struct mount *mount = mount_new("sysfs", "sysfs", false);
    ASSERT(mount != NULL);
    int error = procfs_fill_system(mount);
    error = error != 0 ? error : mount_at(mount, "/sys");
    if (error == -ENOENT) {
        procfs_forget_system();
        mount_discard(mount);
        return 0;
    }
    return error;
}

static int tree_make(void)
{
    uint32_t umask = vfs_umask();
    vfs_umask_set(0);
    int error = vfs_mount_ramfs("/tmp");
    error = error != 0 ? error : vfs_mount_ramfs("/dev");
    error = error != 0 ? error : vfs_change_mode(NULL, "/dev", 0755, 0);
    error = error != 0 ? error : procfs_mount();
    error = error != 0 ? error : system_mount();
    error = error != 0 ? error : devices_make();
    vfs_umask_set(umask);
    return error;
}

void vfs_init(void)
{
    struct mount *mount = mount_new("ramfs", "rootfs", false);
    ASSERT(mount != NULL);
    int error = ramfs_fill(mount, 0755);
    error = error != 0 ? error : root_attach(mount);
    error = error != 0 ? error : tree_make();
    ASSERT(error == 0); // memory for a handful of names: there is nothing to run without
}

int vfs_init_image(const char *name, const struct hal_region *image)
{
    struct mount *mount = mount_new("erofs", name, true);
    ASSERT(mount != NULL);
    int error = erofs_fill(mount, image);
    error = error != 0 ? error : root_attach(mount);
    return error != 0 ? error : tree_make();
}

int vfs_init_disk(const char *name)
{
    static const char folder[] = "/dev/";
    const bool is_path = strncmp(name, folder, sizeof folder - 1) == 0;
    const struct partition *part = partition_find(is_path ? name + sizeof folder - 1 : name);
    if (part == NULL) {
        return -ENXIO;
    }
    struct mount *mount = mount_new("erofs", name, true);
    ASSERT(mount != NULL);
    int error = erofs_fill_disk(mount, part);
    error = error != 0 ? error : root_attach(mount);
    return error != 0 ? error : tree_make();
}

int vfs_init_device(const char *device_name, bool read_only)
{
    const struct hal_dev_info *info = device_find(HAL_FS, device_name);
    if (info == NULL) {
        return -ENXIO;
    }
    struct mount *mount = mount_new("fuse", device_name, read_only);
    ASSERT(mount != NULL);
    int error = hostfs_fill(mount, info);
    error = error != 0 ? error : root_attach(mount);
    return error != 0 ? error : tree_make();
}
