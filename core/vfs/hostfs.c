// SPDX-License-Identifier: BSD-3-Clause
// hostfs.c: names and attributes of the files behind a file-system device.
#include "core/vfs/hostfs.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/vfs/hostcache.h"
#include "core/vfs/vfs.h"

static struct slab nodes = {.object_size = (sizeof(struct host_node) + 15) & ~(size_t)15};

struct host_node *host_node_of(struct vnode *vnode)
{
    return container_of(vnode, struct host_node, vnode);
}

struct fs_device *host_device_of(const struct vnode *vnode)
{
    const struct host_mount *own = vnode->mount->state;
    return own->device;
}

static void forget(struct fs_device *device, uint64_t node)
{
    struct fuse_forget arguments = {.count = 1};
    struct fs_call call = {.operation = FUSE_FORGET,
                           .node = node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    fs_send(device, &call);
}

static bool is_sane(const struct fuse_entry *entry)
{
    static const uint32_t types = 1 << (MODE_FIFO >> 12) | 1 << (MODE_CHARACTER >> 12) |
                                  1 << (MODE_DIRECTORY >> 12) | 1 << (MODE_BLOCK >> 12) |
                                  1 << (MODE_FILE >> 12) | 1 << (MODE_LINK >> 12) |
                                  1 << (MODE_SOCKET >> 12);
    return (types >> ((entry->attributes.mode & MODE_TYPE) >> 12) & 1) != 0;
}

// The node that an answer tells of. On failure the far end is told to forget it.
static int node_new(struct mount *mount, const struct fuse_entry *entry, struct vnode **result)
{
    const struct host_mount *own = mount->state;
    struct host_node *node = slab_alloc(&nodes);
    if (node == NULL || !is_sane(entry)) {
        forget(own->device, entry->node);
        if (node != NULL) {
            slab_free(&nodes, node);
        }
        return node == NULL ? -ENOMEM : -EIO;
    }
    uint32_t type = entry->attributes.mode & MODE_TYPE;
    vnode_init(&node->vnode, own->ops, mount, type, entry->attributes.inode);
    node->node = entry->node;
    node->attributes = entry->attributes;
    node->valid_until = 0;
    node->vnode.is_fresh = true;
    *result = &node->vnode;
    return 0;
}

static void host_release(struct vnode *vnode)
{
    struct host_node *node = host_node_of(vnode);
    forget(host_device_of(vnode), node->node);
    slab_free(&nodes, node);
}

static int entry_ask(struct vnode *directory, struct fs_call *call, struct fuse_entry *entry)
{
    call->node = host_node_of(directory)->node;
    call->result = entry;
    call->result_size = sizeof *entry;
    return fs_call(host_device_of(directory), call);
}

// A request that makes something, whose answer is its entry.
static int entry_make(struct vnode *directory, struct fs_call *call, struct vnode **child)
{
    struct fuse_entry entry;
    int error = entry_ask(directory, call, &entry);
    host_names_changed();
    if (error != 0) {
        return error;
    }
    return entry.node == 0 ? -EIO : node_new(directory->mount, &entry, child);
}

// For how long an answer holds.
static hal_ns span_of(uint64_t seconds, uint32_t nanoseconds)
{
    enum { SECONDS_MAX = 86400 };
    return (seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000000000 + nanoseconds;
}

// There is no such name. A far end that says so by an error does not say for how long: then as long
// as names hold, but no more than a second.
static void absence_keep(struct vnode *directory, const char *name, hal_ns asked, uint64_t changes)
{
    static const hal_ns absent_max_ns = 1000000000;
    struct host_mount *own = directory->mount->state;
    const hal_ns valid = atomic_load_explicit(&own->valid_ns, memory_order_relaxed);
    if (valid > 0 && directory->mount->read_only) {
        host_name_keep(directory, name, NULL,
                       asked + (valid < absent_max_ns ? valid : absent_max_ns), changes);
    }
}

static int host_lookup(struct vnode *directory, const char *name, struct vnode **child)
{
    if (host_name_find(directory, name, child)) {
        return *child == NULL ? -ENOENT : 0;
    }
    uint64_t changes = host_names_state();
    hal_ns asked = hal_clock_ns();
    struct fuse_entry entry;
    struct fs_call call = {.operation = FUSE_LOOKUP, .name = name};
    int error = entry_ask(directory, &call, &entry);
    if (error != 0) {
        if (error == -ENOENT) {
            absence_keep(directory, name, asked, changes);
        }
        return error;
    }
    hal_ns valid = span_of(entry.entry_valid, entry.entry_valid_ns);
    bool is_kept = valid > 0 && directory->mount->read_only;
    if (entry.node == 0) { // there is no such name, and so it is until then
        if (is_kept) {
            host_name_keep(directory, name, NULL, asked + valid, changes);
        }
        return -ENOENT;
    }
    struct host_mount *own = directory->mount->state;
    atomic_store_explicit(&own->valid_ns, valid, memory_order_relaxed);
    error = node_new(directory->mount, &entry, child);
    if (error == 0 && is_kept) {
        (*child)->is_fresh = false; // others have it, too
        host_node_of(*child)->valid_until =
            asked + span_of(entry.attributes_valid, entry.attributes_valid_ns);
        host_name_keep(directory, name, *child, asked + valid, changes);
    }
    return error;
}

static int link_make(struct vnode *directory, const char *name, const char *text,
                     struct vnode **child)
{
    size_t size = strlen(text) + 1;
    char *copy = heap_alloc(size); // direct-map memory
    if (copy == NULL) {
        return -ENOMEM;
    }
    memcpy(copy, text, size);
    struct fs_call call = {
        .operation = FUSE_SYMLINK, .name = name, .data = copy, .data_size = size};
    int error = entry_make(directory, &call, child);
    heap_free(copy);
    return error;
}

static int host_create(struct vnode *directory, const char *name, const struct vnode_new *new,
                       struct vnode **child)
{
    if (new->text != NULL) {
        return link_make(directory, name, new->text, child);
    }
    if ((new->mode &MODE_TYPE) == MODE_DIRECTORY) {
        struct fuse_mkdir arguments = {.mode = new->mode & 07777};
        struct fs_call call = {.operation = FUSE_MKDIR,
                               .arguments = &arguments,
                               .arguments_size = sizeof arguments,
                               .name = name};
        return entry_make(directory, &call, child);
    }
    struct fuse_mknod arguments = {.mode = new->mode, .device = (uint32_t) new->device};
    struct fs_call call = {.operation = FUSE_MKNOD,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .name = name};
    return entry_make(directory, &call, child);
}

static int create_request(struct vnode *directory, uint32_t operation, const char *name,
                          uint32_t mode, struct file *file, struct vnode **child)
{
    struct {
        struct fuse_entry entry;
        struct fuse_open_answer open;
    } result;
    uint32_t flags = atomic_load_explicit(&file->flags, memory_order_relaxed);
    struct fuse_create arguments = {.flags = flags & (OPEN_ACCESS | OPEN_EXCLUSIVE),
                                    .mode = MODE_FILE | mode};
    if (operation == FUSE_CREATE) {
        arguments.flags |= OPEN_CREATE | OPEN_EXCLUSIVE;
    }
    struct fs_call call = {.operation = operation,
                           .node = host_node_of(directory)->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .name = name,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(host_device_of(directory), &call);
    host_names_changed();
    if (error != 0) {
        return error;
    }
    error = node_new(directory->mount, &result.entry, child);
    if (error == 0) {
        (*child)->is_fresh = false;
        error = host_file_attach(*child, file, result.open.handle);
    }
    return error;
}

static int host_create_open(struct vnode *directory, const char *name, uint32_t mode,
                            struct file *file, struct vnode **child)
{
    return create_request(directory, FUSE_CREATE, name, mode, file, child);
}

static int host_link(struct vnode *directory, const char *name, struct vnode *target)
{
    struct fuse_link arguments = {.old_node = host_node_of(target)->node};
    struct fs_call call = {.operation = FUSE_LINK,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .name = name};
    struct vnode *child = NULL;
    int error = entry_make(directory, &call, &child);
    vnode_put(child);
    return error;
}

static int host_remove(struct vnode *directory, const char *name, bool is_directory)
{
    struct fs_call call = {.operation = is_directory ? FUSE_RMDIR : FUSE_UNLINK,
                           .node = host_node_of(directory)->node,
                           .name = name};
    int error = fs_call(host_device_of(directory), &call);
    host_names_changed();
    return error;
}

static int host_rename(struct vnode *from, const char *name, struct vnode *to, const char *to_name,
                       unsigned flags)
{
    struct fuse_rename arguments = {.new_directory = host_node_of(to)->node};
    arguments.flags =
        ((flags & VFS_NO_REPLACE) != 0 ? 1 : 0) | ((flags & VFS_EXCHANGE) != 0 ? 2 : 0);
    struct fs_call call = {.operation = FUSE_RENAME2,
                           .node = host_node_of(from)->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .name = name,
                           .name2 = to_name};
    int error = fs_call(host_device_of(from), &call);
    host_names_changed();
    return error;
}

static int host_read_link(struct vnode *vnode, char *text, size_t size, size_t *length)
{
    char *buffer = heap_alloc(PATH_SIZE_MAX);
    if (buffer == NULL) {
        return -ENOMEM;
    }
    struct fs_call call = {.operation = FUSE_READLINK,
                           .node = host_node_of(vnode)->node,
                           .data_out = buffer,
                           .data_out_size = PATH_SIZE_MAX};
    int error = fs_call(host_device_of(vnode), &call);
    if (error == 0) {
        *length = call.data_out_done < size ? call.data_out_done : size;
        error = hal_copy_safe(text, buffer, *length);
    }
    heap_free(buffer);
    return error;
}

static void status_fill(const struct vnode *vnode, const struct fuse_attributes *from,
                        struct file_status *status)
{
    *status = (struct file_status){
        .device = vnode->mount->device,
        .inode = from->inode,
        .link_count = from->link_count,
        .special_device = from->device,
        .size = from->size,
        .block_size = from->block_size,
        .block_count = from->block_count,
        .mode = from->mode,
        .uid = from->uid,
        .gid = from->gid,
        .accessed = {(int64_t)from->accessed, from->accessed_ns},
        .modified = {(int64_t)from->modified, from->modified_ns},
        .changed = {(int64_t)from->changed, from->changed_ns},
    };
}

static int host_status(struct vnode *vnode, struct file_status *status)
{
    struct host_node *node = host_node_of(vnode);
    if (vnode->is_fresh || hal_clock_ns() < node->valid_until) {
        vnode_age(vnode);
        status_fill(vnode, &node->attributes, status);
        return 0;
    }
    struct fuse_getattr arguments = {0};
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_GETATTR,
                           .node = node->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(host_device_of(vnode), &call);
    if (error == 0) {
        status_fill(vnode, &result.attributes, status);
    }
    return error;
}

static int host_change(struct vnode *vnode, const struct vnode_change *change)
{
    struct file_status status;
    int error = 0;
    if (atomic_load_explicit(&vnode_owner_is_other, memory_order_relaxed)) {
        error = vnode_status(vnode, &status);
        error = error != 0 ? error : vnode_change_check(status.uid, status.gid, change);
    }
    if (error != 0) {
        return error;
    }
    // enum vnode_change_what and enum fuse_set number the same things differently only here:
    unsigned what = change->what;
    struct fuse_setattr arguments = {
        .valid = what & (CHANGE_MODE | CHANGE_UID | CHANGE_GID | CHANGE_SIZE | CHANGE_ACCESSED |
                         CHANGE_MODIFIED),
        .size = change->size,
        .accessed = (uint64_t)change->accessed.seconds,
        .modified = (uint64_t)change->modified.seconds,
        .accessed_ns = change->accessed.nanoseconds,
        .modified_ns = change->modified.nanoseconds,
        .mode = change->mode,
        .uid = change->uid,
        .gid = change->gid,
    };
    if ((what & CHANGE_ACCESSED_NOW) != 0) {
        arguments.valid |= FUSE_SET_ACCESSED | FUSE_SET_ACCESSED_NOW;
    }
    if ((what & CHANGE_MODIFIED_NOW) != 0) {
        arguments.valid |= FUSE_SET_MODIFIED | FUSE_SET_MODIFIED_NOW;
    }
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_SETATTR,
                           .node = host_node_of(vnode)->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    vnode->is_fresh = false;
    if ((arguments.valid & FUSE_SET_SIZE) == 0) {
        return fs_call(host_device_of(vnode), &call);
    }
    struct host_cache *cache = host_cache_find(host_device_of(vnode), call.node);
    host_cache_change_begin(cache);
    error = fs_call(host_device_of(vnode), &call);
    host_cache_change_end(cache, UINT64_MAX, error == 0 ? change->size : UINT64_MAX);
    host_cache_put(cache);
    host_data_changed();
    host_window_truncated();
    return error;
}

_Static_assert((int)CHANGE_MODE == FUSE_SET_MODE && (int)CHANGE_UID == FUSE_SET_UID &&
                   (int)CHANGE_GID == FUSE_SET_GID && (int)CHANGE_SIZE == FUSE_SET_SIZE &&
                   (int)CHANGE_ACCESSED == FUSE_SET_ACCESSED &&
                   (int)CHANGE_MODIFIED == FUSE_SET_MODIFIED,
               "host_change passes them on");

static int host_access(struct vnode *vnode, unsigned mode)
{
    struct fuse_access arguments = {.mode = mode};
    struct fs_call call = {.operation = FUSE_ACCESS,
                           .node = host_node_of(vnode)->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    return fs_call(host_device_of(vnode), &call);
}

static int host_space(struct vnode *vnode, struct file_system_status *status)
{
    struct fuse_statfs_answer result;
    struct fs_call call = {.operation = FUSE_STATFS,
                           .node = host_node_of(vnode)->node,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(host_device_of(vnode), &call);
    if (error == 0) {
        *status = (struct file_system_status){
            .type = 0x65735546, // FUSE_SUPER_MAGIC
            .block_size = result.block_size,
            .block_count = result.block_count,
            .block_free = result.block_free,
            .block_available = result.block_available,
            .file_count = result.file_count,
            .file_free = result.file_free,
            .name_max = result.name_max,
        };
    }
    return error;
}

static int host_sync(struct vnode *vnode)
{
    struct fuse_syncfs arguments = {0};
    struct fs_call call = {.operation = FUSE_SYNCFS,
                           .node = host_node_of(vnode)->node,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    int error = fs_call(host_device_of(vnode), &call);
    return error == -ENOSYS ? 0 : error; // what is written is the host's already
}

// A regular file without a name, open.
static int host_temporary(struct vnode *directory, uint32_t mode, struct file *file,
                          struct vnode **child)
{
    int error = create_request(directory, FUSE_TMPFILE, "", mode, file, child);
    return error == -ENOSYS ? -EOPNOTSUPP : error;
}

#define HOST_OPS                                                                                   \
    .lookup = host_lookup, .create = host_create, .create_open = host_create_open,                 \
    .link = host_link, .remove = host_remove, .rename = host_rename, .read_link = host_read_link,  \
    .open = host_open, .status = host_status, .change = host_change, .space = host_space,          \
    .sync = host_sync, .temporary = host_temporary, .release = host_release

// A far end that knows no FUSE_ACCESS leaves it to us to judge: it does all that it can itself.
static const struct vnode_ops host_ops = {HOST_OPS, .access = host_access};
static const struct vnode_ops host_ops_by_mode = {HOST_OPS};

static int attributes_ask(struct fs_device *device, struct fuse_attributes *attributes)
{
    struct fuse_getattr arguments = {0};
    struct fuse_attributes_answer result;
    struct fs_call call = {.operation = FUSE_GETATTR,
                           .node = FUSE_ROOT,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments,
                           .result = &result,
                           .result_size = sizeof result};
    int error = fs_call(device, &call);
    if (error == 0) {
        *attributes = result.attributes;
    }
    return error;
}

static bool judges_access(struct fs_device *device)
{
    struct fuse_access arguments = {.mode = 0}; // is it there?
    struct fs_call call = {.operation = FUSE_ACCESS,
                           .node = FUSE_ROOT,
                           .arguments = &arguments,
                           .arguments_size = sizeof arguments};
    return fs_call(device, &call) != -ENOSYS;
}

int hostfs_fill(struct mount *mount, const struct hal_dev_info *info)
{
    struct host_mount *own = heap_alloc(sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    mount->state = own;
    atomic_init(&own->valid_ns, 0);
    struct fuse_entry entry = {.node = FUSE_ROOT};
    int error = fs_device_open(info, &own->device);
    error = error != 0 ? error : attributes_ask(own->device, &entry.attributes);
    if (error == 0) {
        own->ops = judges_access(own->device) ? &host_ops : &host_ops_by_mode;
        error = node_new(mount, &entry, &mount->root);
    }
    if (error != 0) {
        heap_free(own);
        return error;
    }
    mount->root->is_fresh = false;
    return 0;
}
