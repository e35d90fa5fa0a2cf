// SPDX-License-Identifier: BSD-3-Clause
// vfs.c: operations on names: what Linux's system calls with a path do, error by error.
#include "core/vfs/vfs.h"

#include "core/dev/block.h"
#include "core/dev/fs.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/vfs/hostcache.h"
#include "core/vfs/mount.h"
#include "core/vfs/nameless.h"
#include "core/vfs/shortcut.h"
#include "core/vfs/walk.h"

static _Atomic uint32_t umask_bits = 022;

void vfs_umask_set(uint32_t mask)
{
    atomic_store_explicit(&umask_bits, mask & 0777, memory_order_relaxed);
}

uint32_t vfs_umask(void)
{
    return atomic_load_explicit(&umask_bits, memory_order_relaxed);
}

void vfs_owner_set(uint32_t uid, uint32_t gid)
{
    atomic_store_explicit(&vnode_owner_uid, uid, memory_order_relaxed);
    atomic_store_explicit(&vnode_owner_gid, gid, memory_order_relaxed);
    fs_owner_set(uid, gid);
}

void vfs_owner_change(uint32_t uid, uint32_t gid)
{
    atomic_store_explicit(&vnode_owner_is_other, true, memory_order_relaxed);
    vfs_owner_set(uid, gid);
}

// ---- Attributes ----

// What a path with these flags names: an entry, or (VFS_EMPTY_PATH with an empty path, or a link of
// procfs) a file.
static int object_find(struct file *base, const char *path, unsigned flags, struct entry **entry,
                       struct file **file)
{
    *entry = NULL;
    *file = NULL;
    if (path[0] == 0 && (flags & VFS_EMPTY_PATH) != 0) {
        if (base == NULL) {
            *entry = walk_current();
        } else {
            file_get(base);
            *file = base;
        }
        return 0;
    }
    return walk_find_any(base, path, (flags & VFS_NO_FOLLOW) == 0, entry, file);
}

static void object_put(struct entry *entry, struct file *file)
{
    entry_put(entry);
    if (file != NULL) {
        file_put(file);
    }
}

static struct vnode *object_vnode(struct entry *entry, struct file *file)
{
    return entry != NULL ? entry->vnode : file->vnode;
}

int vfs_status(struct file *base, const char *path, unsigned flags, struct file_status *status)
{
    struct vnode *vnode;
    size_t length;
    if (shortcut_find(path, (flags & VFS_NO_FOLLOW) == 0, &vnode, &length)) {
        int error = vnode_status(vnode, status);
        vnode_put(vnode);
        return error;
    }
    struct entry *entry;
    struct file *file;
    int error = object_find(base, path, flags, &entry, &file);
    if (error != 0) {
        return error;
    }
    error = entry != NULL ? vnode_status(entry->vnode, status) : file_status(file, status);
    object_put(entry, file);
    return error;
}

int vfs_access(struct file *base, const char *path, unsigned mode, unsigned flags)
{
    struct entry *entry;
    struct file *file;
    if (mode > 7) {
        return -EINVAL;
    }
    int error = object_find(base, path, flags, &entry, &file);
    if (error != 0) {
        return error;
    }
    struct vnode *vnode = object_vnode(entry, file);
    if (mode != 0 && vnode != NULL) {
        error = vnode_access(vnode, mode);
    }
    object_put(entry, file);
    return error;
}

// What all share that it leads to nobody changes.
static int nameless_try(struct file *file, const struct vnode_change *change)
{
    return file->ops->nameless != NULL ? nameless_change(file->ops->nameless(file), change) : 0;
}

static int object_change(struct file *base, const char *path, unsigned flags,
                         const struct vnode_change *change)
{
    struct entry *entry;
    struct file *file;
    int error = object_find(base, path, flags, &entry, &file);
    if (error != 0) {
        return error;
    }
    struct vnode *vnode = object_vnode(entry, file);
    if (vnode == NULL) {
        error = nameless_try(file, change);
    } else if (vnode->mount->read_only) {
        error = -EROFS;
    } else if (vnode_is_link(vnode) && (change->what & CHANGE_MODE) != 0) {
        error = -EOPNOTSUPP;
    } else {
        error = vnode->ops->change != NULL ? vnode->ops->change(vnode, change) : -EPERM;
    }
    object_put(entry, file);
    return error;
}

int vfs_change_mode(struct file *base, const char *path, uint32_t mode, unsigned flags)
{
    struct vnode_change change = {.what = CHANGE_MODE, .mode = mode & 07777};
    return object_change(base, path, flags, &change);
}

int vfs_change_owner(struct file *base, const char *path, uint32_t uid, uint32_t gid,
                     unsigned flags)
{
    struct vnode_change change = {.uid = uid, .gid = gid};
    change.what = (uid != UINT32_MAX ? CHANGE_UID : 0) | (gid != UINT32_MAX ? CHANGE_GID : 0);
    return object_change(base, path, flags, &change);
}

// What utimensat(2) writes instead of nanoseconds.
enum { TIME_NOW = 0x3fffffff, TIME_OMIT = 0x3ffffffe };

static unsigned time_change(const struct file_time *time, unsigned exact, unsigned now)
{
    if (time->nanoseconds == TIME_OMIT) {
        return 0;
    }
    return time->nanoseconds == TIME_NOW ? now : exact;
}

int vfs_change_times(struct file *base, const char *path, const struct file_time times[2],
                     unsigned flags)
{
    struct vnode_change change = {.what = CHANGE_ACCESSED_NOW | CHANGE_MODIFIED_NOW};
    if (times != NULL) {
        change.accessed = times[0];
        change.modified = times[1];
        change.what = time_change(&times[0], CHANGE_ACCESSED, CHANGE_ACCESSED_NOW) |
                      time_change(&times[1], CHANGE_MODIFIED, CHANGE_MODIFIED_NOW);
    }
    return object_change(base, path, flags, &change);
}

int vfs_truncate(const char *path, uint64_t size)
{
    struct entry *entry;
    if ((int64_t)size < 0) {
        return -EINVAL;
    }
    int error = walk_find(NULL, path, true, &entry);
    if (error != 0) {
        return error;
    }
    struct vnode *vnode = entry->vnode;
    struct vnode_change change = {.what = CHANGE_SIZE, .size = size};
    if (vnode->type != MODE_FILE) {
        error = vnode_is_directory(vnode) ? -EISDIR : -EINVAL;
    } else if (vnode->mount->read_only) {
        error = -EROFS;
    } else {
        error = vnode_is_judged(vnode) ? vnode_access(vnode, 2) : 0;
        error = error != 0 ? error : file_size_check(vnode, size);
        error = error != 0 ? error : vnode->ops->change(vnode, &change);
    }
    entry_put(entry);
    return error;
}

int vfs_file_system_status(struct file *base, const char *path, struct file_system_status *status)
{
    struct entry *entry;
    struct file *file;
    int error = object_find(base, path, VFS_EMPTY_PATH, &entry, &file);
    if (error != 0) {
        return error;
    }
    memset(status, 0, sizeof *status);
    struct vnode *vnode = object_vnode(entry, file);
    if (vnode == NULL || vnode->ops->space == NULL) {
        *status =
            (struct file_system_status){.type = 0x50495045, .block_size = 4096, .name_max = 255};
    } else {
        error = vnode->ops->space(vnode, status);
    }
    object_put(entry, file);
    return error;
}

static bool mount_sync(const struct mount *mount, void *argument)
{
    (void)argument;
    if (mount->root->ops->sync != NULL) {
        int error = mount->root->ops->sync(mount->root);
        (void)error; // sync(2) has nobody to tell
    }
    return true;
}

void vfs_mappings_flush(void)
{
    host_caches_flush();
}

int vfs_sync(struct file *file)
{
    host_caches_flush();
    if (file == NULL) {
        mount_walk(mount_sync, NULL);
        block_devices_flush();
        return 0;
    }
    struct vnode *vnode = file->vnode;
    return vnode != NULL && vnode->ops->sync != NULL ? vnode->ops->sync(vnode) : 0;
}

int vfs_read_link(struct file *base, const char *path, char *text, size_t size, size_t *length)
{
    struct entry *entry;
    struct file *file;
    int error = object_find(base, path, VFS_NO_FOLLOW | VFS_EMPTY_PATH, &entry, &file);
    if (error != 0) {
        return error;
    }
    struct vnode *vnode = object_vnode(entry, file);
    if (vnode == NULL || !vnode_is_link(vnode)) {
        error = path[0] == 0 ? -ENOENT : -EINVAL;
    } else {
        error = vnode->ops->read_link(vnode, text, size, length);
    }
    object_put(entry, file);
    return error;
}

// ---- Names ----

static int new_name_check(struct walk *walk)
{
    if (walk->last != WALK_NAME) {
        return -EEXIST;
    }
    return walk->at->vnode->mount->read_only ? -EROFS : 0;
}

// Makes anything but a regular file that is to be opened. may_slash: "name/" will do. made: what
// was made, counted; or NULL.
static int name_make(struct file *base, const char *path, const struct vnode_new *new,
                     bool may_slash, struct vnode **made)
{
    struct walk *walk;
    int error = walk_begin(base, path, &walk);
    if (error != 0) {
        return error;
    }
    struct entry *entry = NULL;
    bool slash = walk->slash;
    walk->slash = false;
    error = walk->last != WALK_NAME ? -EEXIST : walk_last(walk, false, &entry);
    if (error == 0) {
        entry_put(entry);
        error = -EEXIST;
    } else if (error == -ENOENT && slash && !may_slash) {
        error = -ENOENT;
    } else if (error == -ENOENT) {
        struct vnode *directory = walk->at->vnode;
        struct vnode *child = NULL;
        error = new_name_check(walk);
        error = error != 0 ? error : vnode_names_access(directory);
        if (error == 0) {
            error = directory->ops->create == NULL
                        ? -EPERM
                        : directory->ops->create(directory, walk->name, new, &child);
        }
        if (error == 0 && made != NULL) {
            *made = child;
        } else if (error == 0) {
            vnode_put(child);
        }
    }
    walk_end(walk);
    return error;
}

int vfs_make_directory(struct file *base, const char *path, uint32_t mode)
{
    struct vnode_new new = {.mode = MODE_DIRECTORY | (mode & 01777 & ~vfs_umask())};
    return name_make(base, path, &new, true, NULL);
}

int vfs_make_node(struct file *base, const char *path, uint32_t mode, uint64_t device)
{
    uint32_t type = mode & MODE_TYPE;
    struct vnode_new new = {.mode = (type == 0 ? MODE_FILE : type) | (mode & 07777 & ~vfs_umask()),
                            .device = device};
    bool is_device = type == MODE_CHARACTER || type == MODE_BLOCK;
    bool is_plain = type == 0 || type == MODE_FILE || type == MODE_FIFO || type == MODE_SOCKET;
    if (type == MODE_DIRECTORY || (is_device && vnode_owner_uid != 0)) {
        return -EPERM;
    }
    if (!is_device && !is_plain) {
        return -EINVAL;
    }
    return name_make(base, path, &new, false, NULL);
}

int vfs_make_socket(const char *path, uint32_t mode, struct vnode **vnode)
{
    struct vnode_new new = {.mode = MODE_SOCKET | (mode & 07777 & ~vfs_umask())};
    int error = name_make(NULL, path, &new, false, vnode);
    return error == -EEXIST ? -EADDRINUSE : error;
}

int vfs_find_socket(const char *path, struct vnode **vnode)
{
    struct entry *entry;
    int error = walk_find(NULL, path, true, &entry);
    if (error != 0) {
        return error;
    }
    error = vnode_access(entry->vnode, 2);
    if (error == 0 && entry->vnode->type != MODE_SOCKET) {
        error = -ECONNREFUSED;
    }
    if (error == 0) {
        *vnode = entry->vnode;
        vnode_get(*vnode);
        vnode_age(*vnode);
    }
    entry_put(entry);
    return error;
}

int vfs_symlink(const char *text, struct file *base, const char *path)
{
    size_t length = strnlen(text, PATH_SIZE_MAX);
    if (length == 0 || length == PATH_SIZE_MAX) {
        return length == 0 ? -ENOENT : -ENAMETOOLONG;
    }
    struct vnode_new new = {.mode = MODE_LINK | 0777, .text = text};
    return name_make(base, path, &new, false, NULL);
}

static int last_error(enum walk_last last, bool is_directory)
{
    if (!is_directory) {
        return -EISDIR;
    }
    return last == WALK_DOT ? -EINVAL : last == WALK_DOT_DOT ? -ENOTEMPTY : -EBUSY;
}

// Is something mounted at this name? Then it is in use.
static int busy_check(struct walk *walk, struct entry *entry)
{
    return entry->vnode->mount != walk->at->vnode->mount ? -EBUSY : 0;
}

static int remove_found(struct walk *walk, bool is_directory)
{
    struct vnode *directory = walk->at->vnode;
    struct entry *entry;
    bool slash = walk->slash;
    walk->slash = false;
    int error = walk_last(walk, false, &entry);
    if (error != 0) {
        return error;
    }
    if (slash && !is_directory) {
        error = vnode_is_directory(entry->vnode) ? -EISDIR : -ENOTDIR;
    }
    error = error != 0 ? error : vnode_names_access(directory);
    if (error == 0 && is_directory && !vnode_is_directory(entry->vnode)) {
        error = -ENOTDIR;
    }
    error = error != 0 ? error : busy_check(walk, entry);
    if (error == 0) {
        error = directory->ops->remove != NULL
                    ? directory->ops->remove(directory, walk->name, is_directory)
                    : -EPERM;
    }
    entry_put(entry);
    return error;
}

// Of a name in directory that is not one of a directory's.
static int remove_plain(struct vnode *directory, const char *name)
{
    struct vnode *child;
    int error = vnode_search(directory, name, &child);
    if (error != 0) {
        return error;
    }
    error = vnode_names_access(directory);
    if (error == 0 && mount_upon(child, name) != NULL) {
        error = -EBUSY;
    }
    vnode_put(child);
    if (error != 0 || directory->ops->remove == NULL) {
        return error != 0 ? error : -EPERM;
    }
    return directory->ops->remove(directory, name, false);
}

int vfs_remove(struct file *base, const char *path, unsigned flags)
{
    bool is_directory = (flags & VFS_REMOVE_DIRECTORY) != 0;
    struct vnode *directory;
    const char *name;
    struct walk *walk;
    int error;
    if (!is_directory && shortcut_parent(path, &directory, &name)) {
        error = remove_plain(directory, name);
        vnode_put(directory);
        return error;
    }
    error = walk_begin(base, path, &walk);
    if (error != 0) {
        return error;
    }
    error = walk->last != WALK_NAME ? last_error(walk->last, is_directory)
                                    : remove_found(walk, is_directory);
    walk_end(walk);
    return error;
}

// A slash behind a name wants a directory: the one that is moved, or what comes in its place.
static bool is_slash_wrong(const struct entry *source, bool from_slash, const struct entry *target,
                           bool to_slash)
{
    bool is_exchange = target != NULL;
    return (from_slash && !vnode_is_directory(source->vnode)) ||
           (to_slash && !vnode_is_directory(is_exchange ? target->vnode : source->vnode));
}

// What the target is, or that there is none, is looked at before a slash behind a file's name.
static int rename_target_check(struct walk *to, const struct entry *source, bool from_slash,
                               unsigned flags)
{
    struct entry *target = NULL;
    bool to_slash = to->slash, is_exchange = (flags & VFS_EXCHANGE) != 0;
    to->slash = false;
    int error = walk_last(to, false, &target);
    bool is_there = error == 0;
    if (is_there && (flags & VFS_NO_REPLACE) != 0) {
        error = -EEXIST;
    } else if (error == -ENOENT && !is_exchange) {
        error = 0;
    }
    if (error == 0 && is_slash_wrong(source, from_slash, is_exchange ? target : NULL, to_slash)) {
        error = -ENOTDIR;
    }
    error = error == 0 && is_there ? busy_check(to, target) : error;
    entry_put(target);
    return error;
}

static int rename_found(struct walk *from, struct walk *to, unsigned flags)
{
    struct entry *source;
    bool from_slash = from->slash;
    from->slash = false;
    int error = walk_last(from, false, &source);
    if (error != 0) {
        return error;
    }
    error = busy_check(from, source);
    error = error != 0 ? error : rename_target_check(to, source, from_slash, flags);
    error = error != 0 ? error : vnode_names_access(from->at->vnode);
    error = error != 0 ? error : vnode_names_access(to->at->vnode);
    if (error == 0) {
        struct vnode *directory = from->at->vnode;
        error = directory->ops->rename != NULL
                    ? directory->ops->rename(directory, from->name, to->at->vnode, to->name, flags)
                    : -EPERM;
    }
    entry_put(source);
    return error;
}

int vfs_rename(struct file *from_base, const char *from, struct file *to_base, const char *to,
               unsigned flags)
{
    struct walk *from_walk, *to_walk;
    int error = walk_begin(from_base, from, &from_walk);
    if (error != 0) {
        return error;
    }
    error = walk_begin(to_base, to, &to_walk);
    if (error != 0) {
        walk_end(from_walk);
        return error;
    }
    if (from_walk->at->vnode->mount != to_walk->at->vnode->mount) {
        error = -EXDEV;
    } else if (from_walk->last != WALK_NAME || to_walk->last != WALK_NAME) {
        bool is_target = from_walk->last == WALK_NAME && (flags & VFS_NO_REPLACE) != 0;
        error = is_target ? -EEXIST : -EBUSY;
    } else {
        error = rename_found(from_walk, to_walk, flags);
    }
    walk_end(to_walk);
    walk_end(from_walk);
    return error;
}

static int link_found(struct walk *walk, struct vnode *target)
{
    struct vnode *directory = walk->at->vnode;
    struct entry *entry = NULL;
    bool slash = walk->slash;
    walk->slash = false;
    int error = walk->last != WALK_NAME ? -EEXIST : walk_last(walk, false, &entry);
    if (error == 0) {
        entry_put(entry);
        return -EEXIST;
    }
    if (error != -ENOENT || slash) {
        return error;
    }
    if (target->mount != directory->mount) {
        return -EXDEV;
    }
    if (vnode_is_directory(target)) {
        return -EPERM;
    }
    error = vnode_names_access(directory);
    if (error != 0) {
        return error;
    }
    return directory->ops->link != NULL ? directory->ops->link(directory, walk->name, target)
                                        : -EPERM;
}

int vfs_link(struct file *from_base, const char *from, struct file *to_base, const char *to,
             unsigned flags)
{
    struct entry *entry;
    struct file *file;
    int error = object_find(from_base, from, flags, &entry, &file);
    if (error != 0) {
        return error;
    }
    struct vnode *target = object_vnode(entry, file);
    struct walk *walk;
    error = target == NULL ? -EXDEV : walk_begin(to_base, to, &walk);
    if (error == 0) {
        error = link_found(walk, target);
        walk_end(walk);
    }
    object_put(entry, file);
    return error;
}

// ---- The current directory ----

int vfs_change_directory(struct file *base, const char *path)
{
    struct entry *entry;
    struct file *file;
    int error = object_find(base, path, VFS_EMPTY_PATH, &entry, &file);
    if (error != 0) {
        return error;
    }
    if (entry == NULL && file->entry != NULL) {
        entry = entry_get(file->entry);
    }
    if (entry == NULL || !vnode_is_directory(entry->vnode)) {
        error = -ENOTDIR;
    } else {
        error = vnode_access(entry->vnode, 1);
    }
    if (error == 0) {
        vnode_age(entry->vnode);
        walk_current_set(entry_get(entry));
    }
    object_put(entry, file);
    return error;
}

int vfs_current_directory(char *path, size_t size, size_t *length)
{
    struct entry *entry = walk_current();
    struct file_status status;
    int error = vnode_status(entry->vnode, &status);
    if (error == 0 && status.link_count == 0) {
        error = -ENOENT; // it was removed
    }
    error = error != 0 ? error : entry_path(entry, path, size, length);
    entry_put(entry);
    if (error == 0) {
        ++*length;
    }
    return error == -ENAMETOOLONG ? -ERANGE : error;
}
