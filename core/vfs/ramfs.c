// SPDX-License-Identifier: BSD-3-Clause
// ramfs.c: a file system in memory: names, links and attributes. Contents are in ramfs_data.c.
//
// A directory finds names by a hash table with chains and lists them in the order they were made,
// each at a position that never changes, so that a listing goes on rightly while names come and go.
// One mutex guards all names and attributes of all such file systems; it is held for hash
// operations only, never for copying contents. Looking a name up and reading attributes take no
// lock as long as nothing is changed meanwhile (shortcut.h); so nodes are type-stable.
#include "core/vfs/ramfs.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/vfs/blockfile.h"
#include "core/vfs/devices.h"
#include "core/vfs/mount.h"
#include "core/vfs/name.h"
#include "core/vfs/pipe.h"
#include "core/vfs/ramfs_node.h"
#include "core/vfs/shortcut.h"
#include "core/vfs/vfs.h"
#include "core/vm/hugepool.h"

enum {
    BUCKETS_MIN = 16,
    BUCKETS_GLANCE_MAX = 65536, // larger arrays are not in the direct map
    DIRECTORY_ENTRY_SIZE = 20,
    RAMFS_MAGIC = 0x01021994,
};

struct ramfs_name {
    struct ramfs_name *bucket_next;
    struct tree_node node;    // in names of the directory
    struct ramfs_node *child; // counted
    uint32_t hash, length;
    uint64_t position; // 3 ..: after . and ..
    char text[];
};

static struct mutex tree_lock;
static uint64_t inode_last; // tree_lock
static struct slab nodes = {.object_size = (sizeof(struct ramfs_node) + 15) & ~(size_t)15};

// For who changes names or attributes.
static void names_lock(void)
{
    mutex_lock(&tree_lock);
    shortcut_change_begin();
}

static void names_unlock(void)
{
    shortcut_change_end();
    mutex_unlock(&tree_lock);
}

static struct ramfs_node *node_of(struct vnode *vnode)
{
    return container_of(vnode, struct ramfs_node, vnode);
}

static struct ramfs_name **bucket_of(const struct ramfs_node *directory, uint32_t hash)
{
    return &directory->buckets[hash & (directory->bucket_count - 1)];
}

static struct ramfs_name *name_find(const struct ramfs_node *directory, const char *text)
{
    size_t length = strlen(text);
    uint32_t hash = name_hash(text, length);
    struct ramfs_name *name = *bucket_of(directory, hash);
    while (name != NULL && (name->hash != hash || name->length != length ||
                            !name_is_same(name->text, text, length))) {
        name = name->bucket_next;
    }
    return name;
}

// More buckets, if they can be had: the old ones do as well.
static void buckets_grow(struct ramfs_node *directory)
{
    size_t count = directory->bucket_count * 2;
    struct ramfs_name **buckets = heap_alloc_zeroed(count * sizeof(struct ramfs_name *));
    if (buckets == NULL) {
        return;
    }
    heap_free(directory->buckets);
    directory->buckets = buckets;
    directory->bucket_count = count;
    for (struct tree_node *node = tree_first(&directory->names); node != NULL;
         node = tree_next(node)) {
        struct ramfs_name *name = container_of(node, struct ramfs_name, node);
        struct ramfs_name **bucket = bucket_of(directory, name->hash);
        name->bucket_next = *bucket;
        *bucket = name;
    }
}

static bool position_less(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, struct ramfs_name, node)->position <
           container_of(b, struct ramfs_name, node)->position;
}

// The first name after position.
static struct ramfs_name *name_after(const struct ramfs_node *directory, uint64_t position)
{
    struct ramfs_name *found = NULL;
    struct tree_node *node = directory->names.root;
    while (node != NULL) {
        struct ramfs_name *name = container_of(node, struct ramfs_name, node);
        found = name->position > position ? name : found;
        node = name->position > position ? node->left : node->right;
    }
    return found;
}

static struct ramfs_name *name_new(const char *text)
{
    size_t length = strlen(text);
    struct ramfs_name *name = heap_alloc_zeroed(sizeof *name + length + 1);
    if (name != NULL) {
        memcpy(name->text, text, length + 1);
        name->length = (uint32_t)length;
        name->hash = name_hash(text, length);
    }
    return name;
}

// Its attributes or its names have changed; with names_lock held.
static void node_changed(struct ramfs_node *node)
{
    struct file_time now = file_time_now();
    mutex_lock(&node->pages_lock);
    node->changed = now;
    mutex_unlock(&node->pages_lock);
}

static void directory_changed(struct ramfs_node *directory)
{
    directory->modified = directory->changed = file_time_now();
}

// Takes over the caller's reference to child.
static void name_insert(struct ramfs_node *directory, struct ramfs_name *name,
                        struct ramfs_node *child)
{
    if (directory->name_count >= directory->bucket_count) {
        buckets_grow(directory);
    }
    name->child = child;
    name->position = directory->position_next++;
    struct ramfs_name **bucket = bucket_of(directory, name->hash);
    name->bucket_next = *bucket;
    *bucket = name;
    tree_insert(&directory->names, &name->node, position_less);
    ++directory->name_count;
    if (vnode_is_directory(&child->vnode)) {
        child->parent = directory;
        ++directory->link_count;
    }
    directory_changed(directory);
}

// Takes name out of directory; its reference to the child is the caller's now.
static void name_take(struct ramfs_node *directory, struct ramfs_name *name)
{
    struct ramfs_name **link = bucket_of(directory, name->hash);
    while (*link != name) {
        link = &(*link)->bucket_next;
    }
    *link = name->bucket_next;
    tree_remove(&directory->names, &name->node);
    --directory->name_count;
    if (vnode_is_directory(&name->child->vnode)) {
        --directory->link_count;
    }
    directory_changed(directory);
}

// The child has one name less; a directory without a name can have no children again.
static void child_unlinked(struct ramfs_node *child)
{
    child->link_count -= vnode_is_directory(&child->vnode) ? 2 : 1;
    if (vnode_is_directory(&child->vnode)) {
        child->parent = NULL;
    }
    node_changed(child);
}

static const struct vnode_ops ramfs_ops;

static int node_new(struct mount *mount, const struct vnode_new *new, struct ramfs_node **result)
{
    struct ramfs_node *node = slab_alloc(&nodes);
    if (node == NULL) {
        return -ENOSPC;
    }
    // All but the vnode, whose count a late reader may still look at.
    memset(&node->lock, 0, sizeof *node - offsetof(struct ramfs_node, lock));
    bool is_directory = (new->mode &MODE_TYPE) == MODE_DIRECTORY;
    if (is_directory) {
        node->bucket_count = BUCKETS_MIN;
        node->buckets = heap_alloc_zeroed(BUCKETS_MIN * sizeof(struct ramfs_name *));
        node->position_next = 3;
    }
    if (new->text != NULL) {
        node->size = strlen(new->text);
        node->text = heap_alloc(node->size + 1);
        if (node->text != NULL) {
            memcpy(node->text, new->text, node->size + 1);
        }
    }
    if ((is_directory && node->buckets == NULL) || (new->text != NULL && node->text == NULL)) {
        heap_free(node->buckets);
        slab_free(&nodes, node);
        return -ENOSPC;
    }
    node->mode = new->mode & 07777;
    node->uid = vnode_owner_uid;
    node->gid = vnode_owner_gid;
    node->device = new->device;
    node->link_count = is_directory ? 2 : 1;
    node->accessed = node->modified = node->changed = file_time_now();
    vnode_init(&node->vnode, &ramfs_ops, mount, new->mode &MODE_TYPE, 0);
    *result = node;
    return 0;
}

static void ramfs_release(struct vnode *vnode)
{
    struct ramfs_node *node = node_of(vnode);
    ASSERT(node->name_count == 0);
    ramfs_data_free(node);
    heap_free(node->buckets);
    heap_free(node->text);
    slab_free(&nodes, node);
}

static int ramfs_lookup(struct vnode *directory, const char *text, struct vnode **child)
{
    mutex_lock(&tree_lock);
    struct ramfs_name *name = name_find(node_of(directory), text);
    if (name != NULL) {
        *child = &name->child->vnode;
        vnode_get(*child);
    }
    mutex_unlock(&tree_lock);
    return name != NULL ? 0 : -ENOENT;
}

MARK_GUESS static struct vnode *ramfs_glance(struct vnode *vnode, const char *text, size_t length,
                                             uint32_t hash, uint32_t sequence)
{
    const struct ramfs_node *directory = node_of(vnode);
    struct ramfs_name **buckets = __atomic_load_n(&directory->buckets, __ATOMIC_RELAXED);
    size_t count = __atomic_load_n(&directory->bucket_count, __ATOMIC_RELAXED);
    uint32_t mode = __atomic_load_n(&directory->mode, __ATOMIC_RELAXED);
    if (!vnode_is_open_to_search(mode) || !shortcut_holds(sequence) || buckets == NULL ||
        count > BUCKETS_GLANCE_MAX) {
        return NULL;
    }
    struct ramfs_name *name = __atomic_load_n(&buckets[hash & (count - 1)], __ATOMIC_RELAXED);
    while (name != NULL && shortcut_holds(sequence)) {
        bool is_alike = name->hash == hash && name->length == length;
        struct ramfs_name *next = __atomic_load_n(&name->bucket_next, __ATOMIC_RELAXED);
        struct ramfs_node *child = __atomic_load_n(&name->child, __ATOMIC_RELAXED);
        if (!shortcut_holds(sequence)) {
            return NULL;
        }
        // So long is the text that was there a moment ago: its memory is still memory.
        // (Whether it was the name is for the caller to ask: the sequence has to hold after this.)
        if (is_alike && name_is_same(name->text, text, length)) {
            return &child->vnode;
        }
        name = next;
    }
    return NULL;
}

// A directory that may get a new name: still there, and without it.
static int place_check(const struct ramfs_node *directory, const char *text)
{
    if (directory->link_count < 2 || directory->parent == NULL) {
        return -ENOENT;
    }
    return name_find(directory, text) != NULL ? -EEXIST : 0;
}

static int ramfs_create(struct vnode *directory, const char *text, const struct vnode_new *new,
                        struct vnode **child)
{
    struct ramfs_node *node;
    int error = node_new(directory->mount, new, &node);
    if (error != 0) {
        return error;
    }
    struct ramfs_name *name = name_new(text);
    if (name == NULL) {
        vnode_put(&node->vnode);
        return -ENOSPC;
    }
    names_lock();
    error = place_check(node_of(directory), text);
    if (error == 0) {
        node->vnode.inode = ++inode_last;
        vnode_get(&node->vnode); // one for the name, one for the caller
        name_insert(node_of(directory), name, node);
    }
    names_unlock();
    if (error != 0) {
        heap_free(name);
        vnode_put(&node->vnode);
        return error;
    }
    *child = &node->vnode;
    return 0;
}

int ramfs_unnamed_make(struct mount *mount, uint32_t mode, bool may_link, struct vnode **vnode)
{
    struct vnode_new new = {.mode = MODE_FILE | mode};
    struct ramfs_node *node;
    int error = node_new(mount, &new, &node);
    if (error != 0) {
        return error;
    }
    names_lock();
    node->vnode.inode = ++inode_last;
    node->link_count = 0;
    node->may_link = may_link;
    names_unlock();
    *vnode = &node->vnode;
    return 0;
}

static int ramfs_temporary(struct vnode *directory, uint32_t mode, struct file *file,
                           struct vnode **child)
{
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    bool may_link = (flags & OPEN_EXCLUSIVE) == 0;
    int error = ramfs_unnamed_make(directory->mount, mode, may_link, child);
    return error != 0 ? error : ramfs_data_open(node_of(*child), file);
}

static int ramfs_link(struct vnode *directory, const char *text, struct vnode *target)
{
    struct ramfs_name *name = name_new(text);
    if (name == NULL) {
        return -ENOSPC;
    }
    struct ramfs_node *node = node_of(target);
    names_lock();
    int error = place_check(node_of(directory), text);
    if (error == 0 && node->link_count == 0 && !node->may_link) {
        error = -ENOENT;
    }
    if (error == 0) {
        vnode_get(target);
        ++node->link_count;
        node->may_link = false;
        node_changed(node);
        name_insert(node_of(directory), name, node);
    }
    names_unlock();
    if (error != 0) {
        heap_free(name);
    }
    return error;
}

// May this name be removed, or be replaced, as a directory or as anything else?
static int removal_check(const struct ramfs_node *node, bool is_directory)
{
    if (is_directory && !vnode_is_directory(&node->vnode)) {
        return -ENOTDIR;
    }
    if (!is_directory && vnode_is_directory(&node->vnode)) {
        return -EISDIR;
    }
    return is_directory && node->name_count > 0 ? -ENOTEMPTY : 0;
}

static int ramfs_remove(struct vnode *directory, const char *text, bool is_directory)
{
    names_lock();
    struct ramfs_name *name = name_find(node_of(directory), text);
    int error = name == NULL ? -ENOENT : removal_check(name->child, is_directory);
    if (error == 0) {
        name_take(node_of(directory), name);
        child_unlinked(name->child);
    }
    names_unlock();
    if (error == 0) {
        vnode_put(&name->child->vnode);
        heap_free(name);
    }
    return error;
}

// Is directory the same as ancestor, or somewhere below it?
static bool is_below(const struct ramfs_node *directory, const struct ramfs_node *ancestor)
{
    const struct ramfs_node *at = directory;
    while (at != ancestor && at->parent != NULL && at->parent != at) {
        at = at->parent;
    }
    return at == ancestor;
}

static int rename_check(const struct ramfs_node *moved, const struct ramfs_node *from,
                        const struct ramfs_node *to, const struct ramfs_name *target,
                        unsigned flags)
{
    if (to->parent == NULL) {
        return -ENOENT;
    }
    if (target != NULL && (flags & VFS_NO_REPLACE) != 0) {
        return -EEXIST;
    }
    if (target == NULL && (flags & VFS_EXCHANGE) != 0) {
        return -ENOENT;
    }
    if (vnode_is_directory(&moved->vnode) && is_below(to, moved)) {
        return -EINVAL;
    }
    if (target == NULL) {
        return 0;
    }
    if (vnode_is_directory(&target->child->vnode) && is_below(from, target->child)) {
        return (flags & VFS_EXCHANGE) != 0 ? -EINVAL : -ENOTEMPTY;
    }
    return (flags & VFS_EXCHANGE) != 0
               ? 0
               : removal_check(target->child, vnode_is_directory(&moved->vnode));
}

// What is named in one directory is to be named in the other from now on.
static void directory_move(struct ramfs_node *moved, struct ramfs_node *from, struct ramfs_node *to)
{
    if (vnode_is_directory(&moved->vnode)) {
        --from->link_count;
        ++to->link_count;
        moved->parent = to;
    }
    node_changed(moved);
}

static void names_exchange(struct ramfs_node *from, struct ramfs_name *source,
                           struct ramfs_node *to, struct ramfs_name *target)
{
    struct ramfs_node *moved = source->child;
    source->child = target->child;
    target->child = moved;
    directory_move(moved, from, to);
    directory_move(source->child, to, from);
    directory_changed(from);
    directory_changed(to);
}

static int rename_locked(struct ramfs_node *from, const char *text, struct ramfs_node *to,
                         struct ramfs_name *new_name, unsigned flags, struct ramfs_name **replaced)
{
    struct ramfs_name *source = name_find(from, text);
    if (source == NULL) {
        return -ENOENT;
    }
    struct ramfs_name *target = name_find(to, new_name->text);
    if (target != NULL && target->child == source->child && (flags & VFS_NO_REPLACE) == 0) {
        *replaced = new_name; // two names of one file: nothing to do
        new_name->child = NULL;
        return 0;
    }
    struct ramfs_node *moved = source->child;
    int error = rename_check(moved, from, to, target, flags);
    if (error != 0) {
        return error;
    }
    if ((flags & VFS_EXCHANGE) != 0) {
        names_exchange(from, source, to, target);
        *replaced = new_name;
        new_name->child = NULL;
        return 0;
    }
    if (target != NULL) {
        name_take(to, target);
        child_unlinked(target->child);
        *replaced = target;
    }
    name_take(from, source);
    heap_free(source);
    name_insert(to, new_name, moved);
    node_changed(moved);
    return 0;
}

static int ramfs_rename(struct vnode *from, const char *text, struct vnode *to, const char *to_text,
                        unsigned flags)
{
    struct ramfs_name *new_name = name_new(to_text);
    if (new_name == NULL) {
        return -ENOSPC;
    }
    struct ramfs_name *replaced = NULL;
    names_lock();
    int error = rename_locked(node_of(from), text, node_of(to), new_name, flags, &replaced);
    names_unlock();
    if (error != 0) {
        replaced = new_name;
        replaced->child = NULL;
    }
    if (replaced != NULL) {
        vnode_put(replaced->child != NULL ? &replaced->child->vnode : NULL);
        heap_free(replaced);
    }
    return error;
}

static int ramfs_read_link(struct vnode *vnode, char *text, size_t size, size_t *length)
{
    struct ramfs_node *node = node_of(vnode);
    *length = node->size < size ? node->size : size;
    memcpy(text, node->text, *length);
    return 0;
}

// Without locks what it reads may be changing: then ramfs_status throws it away.
MARK_GUESS static void status_fill(struct vnode *vnode, struct file_status *status)
{
    struct ramfs_node *node = node_of(vnode);
    status->device = vnode->mount->device;
    status->inode = vnode->inode;
    status->link_count = node->link_count;
    status->special_device = node->device;
    status->size =
        vnode_is_directory(vnode) ? (node->name_count + 2) * DIRECTORY_ENTRY_SIZE : node->size;
    status->block_size = node->huge != NULL ? HUGEPOOL_PAGE : HAL_PAGE_SIZE;
    status->block_count =
        atomic_load_explicit(&node->present_count, memory_order_relaxed) * (HAL_PAGE_SIZE / 512);
    status->mode = vnode->type | node->mode;
    status->uid = node->uid;
    status->gid = node->gid;
    status->accessed = node->accessed;
    status->modified = node->modified;
    status->changed = node->changed;
}

static int ramfs_status(struct vnode *vnode, struct file_status *status)
{
    struct ramfs_node *node = node_of(vnode);
    uint32_t names, contents;
    if (sequence_begin(&node->sequence, &contents) && shortcut_begin(&names)) {
        status_fill(vnode, status);
        if (shortcut_holds(names) && sequence_holds(&node->sequence, contents)) {
            return 0;
        }
    }
    mutex_lock(&tree_lock);
    mutex_lock(&node->lock);
    status_fill(vnode, status);
    mutex_unlock(&node->lock);
    mutex_unlock(&tree_lock);
    return 0;
}

static int ramfs_change(struct vnode *vnode, const struct vnode_change *change)
{
    struct ramfs_node *node = node_of(vnode);
    if ((change->what & CHANGE_SIZE) != 0) {
        int error = vnode->type == MODE_FILE ? ramfs_data_truncate(node, change->size) : -EINVAL;
        if (error != 0) {
            return error;
        }
    }
    struct file_time now = file_time_now();
    names_lock();
    int error = vnode_change_check(node->uid, node->gid, change);
    if (error == 0) {
        unsigned what = change->what;
        node->mode = (what & CHANGE_MODE) != 0 ? change->mode & 07777 : node->mode;
        node->uid = (what & CHANGE_UID) != 0 ? change->uid : node->uid;
        node->gid = (what & CHANGE_GID) != 0 ? change->gid : node->gid;
        mutex_lock(&node->pages_lock);
        node->accessed = (what & CHANGE_ACCESSED) != 0 ? change->accessed : node->accessed;
        node->accessed = (what & CHANGE_ACCESSED_NOW) != 0 ? now : node->accessed;
        node->modified = (what & CHANGE_MODIFIED) != 0 ? change->modified : node->modified;
        node->modified = (what & CHANGE_MODIFIED_NOW) != 0 ? now : node->modified;
        node->changed = now;
        mutex_unlock(&node->pages_lock);
    }
    names_unlock();
    return error;
}

static int ramfs_space(struct vnode *vnode, struct file_system_status *status)
{
    (void)vnode;
    *status = (struct file_system_status){
        .type = RAMFS_MAGIC,
        .block_size = HAL_PAGE_SIZE,
        .block_count = frame_total_count(),
        .block_free = frame_free_count(),
        .block_available = frame_free_count(),
        .file_count = frame_total_count(),
        .file_free = frame_free_count(),
        .name_max = NAME_LENGTH_MAX,
    };
    return 0;
}

struct name_shown { // one directory entry, copied out so that visit runs without the lock
    struct dir_entry entry;
    char text[NAME_LENGTH_MAX + 1];
};

static bool name_next(struct ramfs_node *directory, uint64_t position, struct name_shown *shown)
{
    mutex_lock(&tree_lock);
    struct ramfs_name *found = name_after(directory, position);
    if (found != NULL) {
        shown->entry = (struct dir_entry){.inode = found->child->vnode.inode,
                                          .next = found->position,
                                          .type = (uint8_t)(found->child->vnode.type >> 12),
                                          .name = shown->text};
        memcpy(shown->text, found->text, strlen(found->text) + 1);
    }
    mutex_unlock(&tree_lock);
    return found != NULL;
}

static int ramfs_read_directory(struct file *file, uint64_t position,
                                bool (*visit)(const struct dir_entry *, void *), void *argument)
{
    struct ramfs_node *directory = node_of(file->vnode);
    mutex_lock(&tree_lock);
    struct ramfs_node *parent = directory->parent != NULL ? directory->parent : directory;
    uint64_t parent_inode = parent->vnode.inode;
    bool is_gone = directory->parent == NULL;
    mutex_unlock(&tree_lock);
    if (is_gone) {
        return -ENOENT;
    }
    if (position < 1) {
        struct dir_entry dot = {directory->vnode.inode, 1, MODE_DIRECTORY >> 12, "."};
        if (!visit(&dot, argument)) {
            return 0;
        }
        position = 1;
    }
    if (position < 2) {
        struct dir_entry dot_dot = {parent_inode, 2, MODE_DIRECTORY >> 12, ".."};
        if (!visit(&dot_dot, argument)) {
            return 0;
        }
        position = 2;
    }
    struct name_shown shown;
    while (name_next(directory, position, &shown) && visit(&shown.entry, argument)) {
        position = shown.entry.next;
    }
    return 0;
}

static int directory_sync(struct file *file, bool data_only)
{
    (void)file;
    (void)data_only;
    return 0;
}

static const struct file_ops directory_ops = {.read_directory = ramfs_read_directory,
                                              .sync = directory_sync};

static int ramfs_open(struct vnode *vnode, struct file *file)
{
    struct ramfs_node *node = node_of(vnode);
    switch (vnode->type) {
    case MODE_DIRECTORY:
        file->ops = &directory_ops;
        return 0;
    case MODE_FILE:
        return ramfs_data_open(node, file);
    case MODE_CHARACTER:
        return device_node_open(node->device, file);
    case MODE_BLOCK:
        return block_node_open(node->device, file);
    case MODE_FIFO:
        return fifo_open(&node->pipe, &node->lock, file);
    default:
        return -ENXIO;
    }
}

static const struct vnode_ops ramfs_ops = {
    .lookup = ramfs_lookup,
    .glance = ramfs_glance,
    .create = ramfs_create,
    .temporary = ramfs_temporary,
    .link = ramfs_link,
    .remove = ramfs_remove,
    .rename = ramfs_rename,
    .read_link = ramfs_read_link,
    .open = ramfs_open,
    .status = ramfs_status,
    .change = ramfs_change,
    .space = ramfs_space,
    .release = ramfs_release,
};

int ramfs_fill(struct mount *mount, uint32_t mode)
{
    struct vnode_new new = {.mode = MODE_DIRECTORY | mode};
    struct ramfs_node *node;
    int error = node_new(mount, &new, &node);
    if (error != 0) {
        return error;
    }
    mutex_lock(&tree_lock);
    node->vnode.inode = ++inode_last;
    mutex_unlock(&tree_lock);
    node->parent = node;
    mount->root = &node->vnode;
    return 0;
}
