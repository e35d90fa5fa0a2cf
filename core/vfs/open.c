// SPDX-License-Identifier: BSD-3-Clause
// open.c: opening: from a path and flags to an open file, which may be made on the way.
#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vfs/mount.h"
#include "core/vfs/shortcut.h"
#include "core/vfs/vfs.h"
#include "core/vfs/walk.h"

static int file_path_set(struct file *file, const char *path, size_t length)
{
    size_t size = length + 1;
    file->path = size <= sizeof file->path_short ? file->path_short : heap_alloc(size);
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
    if (vnode_is_judged(vnode)) {
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
static inline int found_open(struct vnode *vnode, struct entry *entry, const char *path,
                             size_t length, uint32_t flags, struct file **result)
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
        error = entry != NULL ? file_name_set(file, entry) : file_path_set(file, path, length);
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
    vnode_age(entry->vnode);
    return found_open(entry->vnode, entry, NULL, 0, flags, result);
}

// Opens a regular file that is there and has a plain path. False: the walk has to say.
static bool shortcut_open(const char *path, uint32_t flags, struct file **file, int *error)
{
    struct vnode *vnode;
    size_t length;
    if ((flags & OPEN_PATH) != 0 || !shortcut_find(path, false, &vnode, &length)) {
        return false;
    }
    if (vnode->type != MODE_FILE) {
        vnode_put(vnode);
        return false;
    }
    *error = found_open(vnode, NULL, path, length, flags, file);
    return true;
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

// file is open on child, which is name in the directory of at. The hold of child goes to them.
static int made_file_name(struct file *file, struct vnode *child, struct entry *at,
                          const char *name)
{
    vnode_get(child);
    file->vnode = child;
    struct entry *entry = entry_new(at, child, name);
    int error = entry == NULL ? -ENOMEM : file_name_set(file, entry);
    entry_put(entry);
    return error;
}

// Makes the file that was found missing, and opens it whatever its mode says.
// at is directory's entry; NULL: it was found by the shortcut, at path.
static int file_make(struct vnode *directory, const char *name, struct entry *at, const char *path,
                     uint32_t flags, uint32_t mode, struct file **result)
{
    int error = vnode_names_access(directory);
    if (error != 0 || directory->ops->create == NULL) {
        return error != 0 ? error : -EACCES;
    }
    struct file *file;
    error = file_create(&file, &unopened_ops, flags, NULL);
    if (error != 0) {
        return error;
    }
    struct vnode *child = NULL;
    error = create_and_open(directory, name, mode & 07777 & ~vfs_umask(), file, &child);
    if (error == 0 && at == NULL) {
        file->vnode = child;
        error = file_path_set(file, path, strlen(path));
    } else if (error == 0) {
        error = made_file_name(file, child, at, name);
    } else {
        file->ops = &unopened_ops;
        vnode_put(child);
    }
    if (error != 0) {
        if (child != NULL && directory->ops->remove != NULL) { // made, but not opened
            (void)directory->ops->remove(directory, name, false);
        }
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
        return walk->slash
                   ? -EISDIR
                   : file_make(walk->at->vnode, walk->name, walk->at, NULL, flags, mode, file);
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

// A file without a name in the directory that entry leads to.
static int temporary_make(struct entry *entry, uint32_t flags, uint32_t mode, struct file **result)
{
    struct vnode *directory = entry->vnode;
    if (!vnode_is_directory(directory)) {
        return -ENOTDIR;
    }
    int error = vnode_names_access(directory);
    if (error != 0 || directory->ops->temporary == NULL) {
        return error != 0 ? error : -EOPNOTSUPP;
    }
    struct file *file;
    error = file_create(&file, &unopened_ops, flags & ~(uint32_t)OPEN_DIRECTORY, NULL);
    if (error != 0) {
        return error;
    }
    struct vnode *child = NULL;
    error = directory->ops->temporary(directory, mode & 07777 & ~vfs_umask(), file, &child);
    if (error == 0) {
        char name[24];
        (void)format(name, sizeof name, "#%lu", (unsigned long)child->inode);
        error = made_file_name(file, child, entry, name);
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

static int open_temporary(struct file *base, const char *path, uint32_t flags, uint32_t mode,
                          struct file **file)
{
    struct entry *entry;
    if ((flags & OPEN_DIRECTORY) == 0 || (flags & OPEN_CREATE) != 0 ||
        (flags & OPEN_ACCESS) == OPEN_READ_ONLY) {
        return -EINVAL;
    }
    int error = walk_find(base, path, (flags & OPEN_NO_FOLLOW) == 0, &entry);
    if (error == 0) {
        error = temporary_make(entry, flags, mode, file);
        entry_put(entry);
    }
    return error;
}

// Makes, or with OPEN_EXCLUSIVE finds, a file of a plain path. False: the walk has to say.
static bool shortcut_make(const char *path, uint32_t flags, uint32_t mode, struct file **file,
                          int *error)
{
    struct vnode *directory, *child;
    const char *name;
    if (!shortcut_parent(path, &directory, &name)) {
        return false;
    }
    *error = vnode_search(directory, name, &child);
    if (*error == 0) {
        vnode_put(child);
        *error = -EEXIST;
    } else if (*error == -ENOENT) {
        *error = file_make(directory, name, NULL, path, flags, mode, file);
    }
    vnode_put(directory);
    return *error != -EEXIST || (flags & OPEN_EXCLUSIVE) != 0;
}

static int open_creating(struct file *base, const char *path, uint32_t flags, uint32_t mode,
                         struct file **file)
{
    enum { ATTEMPT_MAX = 100 };
    int error = -EEXIST;
    if (((flags & OPEN_EXCLUSIVE) == 0 && shortcut_open(path, flags, file, &error)) ||
        shortcut_make(path, flags, mode, file, &error)) {
        return error;
    }
    error = -EEXIST;
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
    if ((flags & OPEN_TEMPORARY) != 0) {
        return open_temporary(base, path, flags, mode, file);
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
