// SPDX-License-Identifier: BSD-3-Clause
// vfs.c: operations on names: what Linux's system calls with a path do, error by error.
#include "core/vfs/vfs.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/mount.h"
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
    vnode_owner_uid = uid;
    vnode_owner_gid = gid;
}

// ---- Open ----

static int file_path_set(struct file *file, const char *path)
{
    size_t size = strlen(path) + 1;
    file->path = heap_alloc(size);
    if (file->path == NULL) {
        return -ENOMEM;
    }
    memcpy(file->path, path, size);
    return 0;
}

// Gives an open file its name. On failure the file is the caller's to put.
static int file_name_set(struct file *file, struct entry *entry)
{
    size_t length = 0;
    for (const struct entry *at = entry; at->parent != NULL; at = at->parent) {
        length += 1 + strlen(at->name);
    }
    file->path = heap_alloc(length + 2);
    if (file->path == NULL) {
        return -ENOMEM;
    }
    file->entry = entry_get(entry);
    return entry_path(entry, file->path, length + 2, &length);
}

// The path's parts in one: nobody looks for the parent of a regular file.
int vfs_file_entry(struct file *file, struct entry **entry)
{
    ASSERT(file->path != NULL);
    if (file->entry != NULL) {
        *entry = entry_get(file->entry);
        return 0;
    }
    struct entry *root = walk_root();
    vnode_get(file->vnode);
    *entry = entry_new(root, file->vnode, file->path + 1);
    entry_put(root);
    return *entry != NULL ? 0 : -ENOMEM;
}

static int open_check(struct vnode *vnode, uint32_t flags)
{
    bool writes = (flags & OPEN_ACCESS) != OPEN_READ_ONLY || (flags & OPEN_TRUNCATE) != 0;
    if (vnode_is_link(vnode)) {
        return -ELOOP;
    }
    if (vnode_is_directory(vnode) && (writes || (flags & OPEN_CREATE) != 0)) {
        return -EISDIR;
    }
    if (!vnode_is_directory(vnode) && (flags & OPEN_DIRECTORY) != 0) {
        return -ENOTDIR;
    }
    static const unsigned wanted[] = {4, 2, 6, 6};
    unsigned mode = wanted[flags & OPEN_ACCESS] | ((flags & OPEN_TRUNCATE) != 0 ? 2 : 0);
    if (vnode->ops->access == NULL) {
        return vnode_access(vnode, mode);
    }
    // The file system judges in open, but does not know how it is mounted.
    return writes && vnode->mount->read_only && vnode->type == MODE_FILE ? -EROFS : 0;
}

static const struct file_ops path_ops = {.read = NULL};

static int vnode_open(struct vnode *vnode, uint32_t flags, struct file *file)
{
    if ((flags & OPEN_PATH) != 0) {
        file->ops = &path_ops;
        bool is_wrong = (flags & OPEN_DIRECTORY) != 0 && !vnode_is_directory(vnode);
        return is_wrong ? -ENOTDIR : 0;
    }
    int error = open_check(vnode, flags);
    if (error != 0) {
        return error;
    }
    return vnode->ops->open != NULL ? vnode->ops->open(vnode, file) : -ENXIO;
}

// Until a file system has opened it, a file has no operations of its own: putting it closes
// nothing.
static const struct file_ops unopened_ops = {.read = NULL};

// Takes over the reference to vnode, found at entry, or by the shortcut at path where that is NULL.
static int found_open(struct vnode *vnode, struct entry *entry, const char *path, uint32_t flags,
                      struct file **result)
{
    struct file *file;
    int error = file_create(&file, &unopened_ops, flags, NULL);
    if (error != 0) {
        vnode_put(vnode);
        return error;
    }
    file->vnode = vnode;
    error = vnode_open(vnode, flags, file);
    if (error != 0) {
        file->ops = &unopened_ops;
    } else {
        error = entry != NULL ? file_name_set(file, entry) : file_path_set(file, path);
    }
    if (error != 0) {
        file_put(file);
        return error;
    }
    *result = file;
    return 0;
}

static int entry_open(struct entry *entry, uint32_t flags, struct file **result)
{
    vnode_get(entry->vnode);
    entry->vnode->is_fresh = false;
    return found_open(entry->vnode, entry, NULL, flags, result);
}

// Opens a regular file that is there and has a plain path. False: the walk has to say.
static bool shortcut_open(const char *path, uint32_t flags, struct file **file, int *error)
{
    struct vnode *vnode;
    if ((flags & OPEN_PATH) != 0 || !shortcut_find(path, false, &vnode)) {
        return false;
    }
    if (vnode->type != MODE_FILE) {
        vnode_put(vnode);
        return false;
    }
    *error = found_open(vnode, NULL, path, flags, file);
    return true;
}

static int new_name_check(struct walk *walk)
{
    if (walk->last != WALK_NAME) {
        return -EEXIST;
    }
    return walk->at->vnode->mount->read_only ? -EROFS : 0;
}

// May the process change the names in this directory?
static int directory_write_check(struct vnode *directory)
{
    if (directory->mount->read_only) {
        return -EROFS;
    }
    return directory->ops->access == NULL ? vnode_access(directory, 3) : 0;
}

static int create_and_open(struct vnode *directory, const char *name, uint32_t mode,
                           struct file *file, struct vnode **child)
{
    if (directory->ops->create_open != NULL) {
        return directory->ops->create_open(directory, name, mode, file, child);
    }
    struct vnode_new new = {.mode = MODE_FILE | mode};
    int error = directory->ops->create(directory, name, &new, child);
    return error != 0 ? error : (*child)->ops->open(*child, file);
}

// Makes the file that walk has found missing, and opens it whatever its mode says.
static int file_make(struct walk *walk, uint32_t flags, uint32_t mode, struct file **result)
{
    struct vnode *directory = walk->at->vnode;
    int error = directory_write_check(directory);
    if (error != 0 || directory->ops->create == NULL) {
        return error != 0 ? error : -EACCES;
    }
    struct file *file;
    error = file_create(&file, &unopened_ops, flags, NULL);
    if (error != 0) {
        return error;
    }
    struct vnode *child = NULL;
    error = create_and_open(directory, walk->name, mode & 07777 & ~vfs_umask(), file, &child);
    if (error == 0) {
        vnode_get(child);
        file->vnode = child;
        struct entry *entry = entry_new(walk->at, child, walk->name);
        error = entry == NULL ? -ENOMEM : file_name_set(file, entry);
        entry_put(entry);
    } else {
        file->ops = &unopened_ops;
        vnode_put(child);
    }
    if (error != 0) {
        file_put(file);
        return error;
    }
    *result = file;
    return 0;
}

// One attempt. -EEXIST without OPEN_EXCLUSIVE: somebody else made the file in between; look again.
static int open_or_make(struct walk *walk, uint32_t flags, uint32_t mode, struct file **file)
{
    bool exclusive = (flags & OPEN_EXCLUSIVE) != 0;
    if (walk->slash) {
        return -EISDIR;
    }
    struct entry *entry = NULL;
    int error = walk_last(walk, !exclusive && (flags & OPEN_NO_FOLLOW) == 0, &entry);
    if (error == -ENOENT && walk->last == WALK_NAME && *walk->rest == 0) {
        return walk->slash ? -EISDIR : file_make(walk, flags, mode, file);
    }
    if (error != 0) {
        return error;
    }
    if (entry == NULL) {
        *file = walk->file;
        walk->file = NULL;
        return 0;
    }
    error = exclusive ? -EEXIST : entry_open(entry, flags, file);
    entry_put(entry);
    return error;
}

static int open_creating(struct file *base, const char *path, uint32_t flags, uint32_t mode,
                         struct file **file)
{
    enum { ATTEMPT_MAX = 100 };
    int error = -EEXIST;
    for (int i = 0; i < ATTEMPT_MAX && error == -EEXIST; ++i) {
        struct walk *walk;
        error = walk_begin(base, path, &walk);
        if (error != 0) {
            return error;
        }
        error = open_or_make(walk, flags, mode, file);
        walk_end(walk);
        if ((flags & OPEN_EXCLUSIVE) != 0) {
            break;
        }
    }
    return error;
}

int vfs_open(struct file *base, const char *path, uint32_t flags, uint32_t mode, struct file **file)
{
    if ((flags & OPEN_PATH) != 0) {
        flags &= OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW | OPEN_CLOSE_ON_EXEC;
    }
    if ((flags & OPEN_CREATE) != 0) {
        return (flags & OPEN_DIRECTORY) != 0 ? -EINVAL
                                             : open_creating(base, path, flags, mode, file);
    }
    int error;
    if (shortcut_open(path, flags, file, &error)) {
        return error;
    }
    struct entry *entry = NULL;
    error = walk_find_any(base, path, (flags & OPEN_NO_FOLLOW) == 0, &entry, file);
    if (error != 0) {
        return error;
    }
    if (entry == NULL) {
        return 0;
    }
    error = entry_open(entry, flags, file);
    entry_put(entry);
    return error;
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
    if (shortcut_find(path, (flags & VFS_NO_FOLLOW) == 0, &vnode)) {
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
        error = 0; // a pipe: nobody can see the difference
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
        error = vnode->ops->access == NULL ? vnode_access(vnode, 2) : 0;
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

// Makes anything but a regular file that is to be opened. may_slash: "name/" will do.
static int name_make(struct file *base, const char *path, const struct vnode_new *new,
                     bool may_slash)
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
        error = error != 0 ? error : directory_write_check(directory);
        if (error == 0) {
            error = directory->ops->create == NULL
                        ? -EPERM
                        : directory->ops->create(directory, walk->name, new, &child);
        }
        if (error == 0) {
            vnode_put(child);
        }
    }
    walk_end(walk);
    return error;
}

int vfs_make_directory(struct file *base, const char *path, uint32_t mode)
{
    struct vnode_new new = {.mode = MODE_DIRECTORY | (mode & 01777 & ~vfs_umask())};
    return name_make(base, path, &new, true);
}

int vfs_make_node(struct file *base, const char *path, uint32_t mode, uint64_t device)
{
    uint32_t type = mode & MODE_TYPE;
    struct vnode_new new = {.mode = (type == 0 ? MODE_FILE : type) | (mode & 07777 & ~vfs_umask()),
                            .device = device};
    if (type == MODE_DIRECTORY || type == MODE_LINK) {
        return type == MODE_DIRECTORY ? -EPERM : -EINVAL;
    }
    return name_make(base, path, &new, false);
}

int vfs_symlink(const char *text, struct file *base, const char *path)
{
    size_t length = strnlen(text, PATH_SIZE_MAX);
    if (length == 0 || length == PATH_SIZE_MAX) {
        return length == 0 ? -ENOENT : -ENAMETOOLONG;
    }
    struct vnode_new new = {.mode = MODE_LINK | 0777, .text = text};
    return name_make(base, path, &new, false);
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
    error = error != 0 ? error : directory_write_check(directory);
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

int vfs_remove(struct file *base, const char *path, unsigned flags)
{
    bool is_directory = (flags & VFS_REMOVE_DIRECTORY) != 0;
    struct walk *walk;
    int error = walk_begin(base, path, &walk);
    if (error != 0) {
        return error;
    }
    error = walk->last != WALK_NAME ? last_error(walk->last, is_directory)
                                    : remove_found(walk, is_directory);
    walk_end(walk);
    return error;
}

static int rename_found(struct walk *from, struct walk *to, unsigned flags)
{
    struct entry *source, *target = NULL;
    bool slash = from->slash || to->slash;
    from->slash = to->slash = false;
    int error = walk_last(from, false, &source);
    if (error != 0) {
        return error;
    }
    if (slash && !vnode_is_directory(source->vnode)) {
        error = -ENOTDIR;
    }
    error = error != 0 ? error : busy_check(from, source);
    if (error == 0) {
        error = walk_last(to, false, &target);
        error = error == -ENOENT ? 0 : error != 0 ? error : busy_check(to, target);
        entry_put(target);
    }
    error = error != 0 ? error : directory_write_check(from->at->vnode);
    error = error != 0 ? error : directory_write_check(to->at->vnode);
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
        error = -EBUSY;
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
    error = directory_write_check(directory);
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
        entry->vnode->is_fresh = false;
        walk_current_set(entry_get(entry));
    }
    object_put(entry, file);
    return error;
}

int vfs_current_directory(char *path, size_t size, size_t *length)
{
    struct entry *entry = walk_current();
    int error = entry_path(entry, path, size, length);
    entry_put(entry);
    if (error == 0) {
        ++*length;
    }
    return error == -ENAMETOOLONG ? -ERANGE : error;
}
