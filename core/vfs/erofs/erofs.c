// SPDX-License-Identifier: BSD-3-Clause
// erofs.c: names, attributes and contents of a file system in EROFS format.
//
// Nothing in a vnode ever changes; those of the names that are looked up first are kept (known.c).
#include "core/vfs/erofs/erofs.h"

#include "core/dev/blockcache.h"
#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/blockfile.h"
#include "core/vfs/devices.h"
#include "core/vfs/mount.h"
#include "core/vfs/name.h"
#include "core/vfs/vfs.h"
#include "hal/hal.h"

static const struct vnode_ops erofs_ops;

static int node_new(struct mount *mount, uint64_t number, struct vnode **result)
{
    struct erofs_mount *own = mount->state;
    struct erofs_node *node = heap_alloc_zeroed(sizeof *node);
    if (node == NULL) {
        return -ENOMEM;
    }
    const int error = erofs_inode_read(&own->image, number, &node->inode);
    if (error != 0) {
        heap_free(node);
        return error;
    }
    vnode_init(&node->vnode, &erofs_ops, mount, node->inode.mode & MODE_TYPE, node->inode.inode);
    *result = &node->vnode;
    return 0;
}

static void node_release(struct vnode *vnode)
{
    heap_free(erofs_node_of(vnode));
}

static int node_lookup(struct vnode *directory, const char *name, struct vnode **child)
{
    const size_t length = strlen(name);
    struct vnode *known = erofs_known_find(directory, name, length, name_hash(name, length));
    if (known != NULL) {
        vnode_get(known);
        *child = known;
        return 0;
    }
    uint64_t number;
    int error = erofs_find(&erofs_mount_of(directory)->image, &erofs_node_of(directory)->inode,
                           name, &number);
    error = error != 0 ? error : node_new(directory->mount, number, child);
    return error != 0 ? error : erofs_known_add(directory, name, child);
}

static struct vnode *node_glance(struct vnode *directory, const char *name, size_t length,
                                 uint32_t hash, uint32_t sequence)
{
    (void)sequence; // guards names that change
    return vnode_is_open_to_search(erofs_node_of(directory)->inode.mode)
               ? erofs_known_find(directory, name, length, hash)
               : NULL;
}

static int node_status(struct vnode *vnode, struct file_status *status)
{
    const struct erofs_inode *inode = &erofs_node_of(vnode)->inode;
    *status = (struct file_status){
        .device = vnode->mount->device,
        .inode = inode->inode,
        .link_count = inode->link_count,
        .special_device = inode->device,
        .size = inode->size,
        .block_size = EROFS_BLOCK_SIZE,
        .block_count = (inode->size + 511) / 512,
        .mode = inode->mode,
        .uid = inode->uid,
        .gid = inode->gid,
        .accessed = inode->modified,
        .modified = inode->modified,
        .changed = inode->modified,
    };
    return 0;
}

static int node_space(struct vnode *vnode, struct file_system_status *status)
{
    const struct erofs_image *image = &erofs_mount_of(vnode)->image;
    *status = (struct file_system_status){
        .type = EROFS_MAGIC,
        .block_size = EROFS_BLOCK_SIZE,
        .block_count = image->size / EROFS_BLOCK_SIZE,
        .file_count = image->file_count,
        .name_max = NAME_LENGTH_MAX,
    };
    return 0;
}

static int node_read_link(struct vnode *vnode, char *text, size_t size, size_t *length)
{
    const struct erofs_inode *inode = &erofs_node_of(vnode)->inode;
    *length = 0;
    while (*length < size && *length < inode->size) {
        size_t part;
        const char *data = erofs_data(&erofs_mount_of(vnode)->image, inode, *length, &part);
        if (data == NULL) {
            return -EIO;
        }
        part = part < size - *length ? part : size - *length;
        memcpy(text + *length, data, part);
        *length += part;
    }
    return 0;
}

// ---- Open files ----

// What of the file is at offset, as far as it lies together. The disk's cache is read, and nothing
// held.
static int piece_read(struct erofs_image *image, const struct erofs_inode *inode, uint64_t offset,
                      char *to, size_t *size)
{
    uint64_t rest;
    const uint64_t place = erofs_place(inode, offset, &rest);
    *size = rest < *size ? (size_t)rest : *size;
    if (image->start != NULL) {
        return hal_copy_safe(to, image->start + place, *size);
    }
    const uint64_t at = erofs_disk_place(image, place);
    const size_t room = BLOCK_CHUNK - at % BLOCK_CHUNK;
    *size = room < *size ? room : *size;
    const int error = block_copy_in(erofs_disk_cache(image), at, to, *size, false);
    if (error == -EIO) {
        erofs_complain_unread(image, place);
    }
    return error;
}

static int data_read(struct file *file, uint64_t offset, char *to, size_t size, size_t *done)
{
    const struct erofs_inode *inode = &erofs_node_of(file->vnode)->inode;
    struct erofs_image *image = &erofs_mount_of(file->vnode)->image;
    while (*done < size && offset + *done < inode->size) {
        size_t part = size - *done;
        const int error = piece_read(image, inode, offset + *done, to + *done, &part);
        if (error != 0) {
            return *done > 0 ? 0 : error;
        }
        *done += part;
    }
    return 0;
}

static int directory_read(struct file *file, uint64_t position,
                          bool (*visit)(const struct dir_entry *, void *), void *argument)
{
    struct erofs_image *image = &erofs_mount_of(file->vnode)->image;
    const struct erofs_inode *directory = &erofs_node_of(file->vnode)->inode;
    for (;;) {
        struct erofs_name name;
        struct dir_entry entry;
        char text[NAME_LENGTH_MAX + 1];
        int error = erofs_name_read(image, directory, position, &name, &entry.next);
        struct erofs_inode inode;
        error = error != 0 ? error : erofs_inode_read(image, name.number, &inode);
        if (error != 0) {
            return error == -ENOENT ? 0 : error;
        }
        memcpy(text, name.text, name.length);
        text[name.length] = 0;
        entry.inode = inode.inode;
        entry.type = (uint8_t)(name.type >> 12);
        entry.name = text;
        if (!visit(&entry, argument)) {
            return 0;
        }
        position = entry.next;
    }
}

static const struct file_ops data_ops = {.read = data_read, .pager = erofs_pager};
static const struct file_ops directory_ops = {.read_directory = directory_read};

static int node_open(struct vnode *vnode, struct file *file)
{
    switch (vnode->type) {
    case MODE_DIRECTORY:
        file->ops = &directory_ops;
        return 0;
    case MODE_FILE:
        file->ops = &data_ops;
        return 0;
    case MODE_CHARACTER:
        return device_node_open(erofs_node_of(vnode)->inode.device, file);
    case MODE_BLOCK:
        return block_node_open(erofs_node_of(vnode)->inode.device, file);
    default:
        return -ENXIO;
    }
}

static const struct vnode_ops erofs_ops = {
    .lookup = node_lookup,
    .glance = node_glance,
    .read_link = node_read_link,
    .open = node_open,
    .status = node_status,
    .space = node_space,
    .release = node_release,
};

// Ends what own has begun where error says so, or the root cannot be had.
static int fill(struct mount *mount, struct erofs_mount *own, int error)
{
    mount->state = own;
    error = error != 0 ? error : node_new(mount, own->image.root, &mount->root);
    if (error == 0 && !vnode_is_directory(mount->root)) {
        vnode_put(mount->root);
        mount->root = NULL;
        error = -EIO;
    }
    if (error != 0) {
        mount->state = NULL;
        erofs_image_close(&own->image);
        heap_free(own);
    }
    return error;
}

int erofs_fill(struct mount *mount, const struct hal_region *region)
{
    if (region->start % HAL_PAGE_SIZE != 0) {
        return -EINVAL;
    }
    struct erofs_mount *own = heap_alloc_zeroed(sizeof *own);
    if (own == NULL) {
        return -ENOMEM;
    }
    own->start = region->start;
    return fill(mount, own,
                erofs_image_open(&own->image, frame_direct_base() + region->start, region->size));
}

int erofs_fill_disk(struct mount *mount, const struct partition *part)
{
    struct erofs_mount *own = heap_alloc_zeroed(sizeof *own);
    return own == NULL ? -ENOMEM : fill(mount, own, erofs_image_open_disk(&own->image, part));
}
