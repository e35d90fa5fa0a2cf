// SPDX-License-Identifier: BSD-3-Clause
// image.c: reading a file system in EROFS format.
//
// All numbers are little-endian, as both machines are. An inode is named by its place, in units of
// 32 bytes. A directory is a file of blocks, each of which begins with its entries, in the order of
// their names, and ends with the names; the blocks are in that order, too.
#include "core/vfs/erofs/image.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"

enum {
    SUPERBLOCK_AT = 1024,
    BLOCK_BITS = 12,
    INODE_UNIT = 32,
    FORMAT_LONG = 1, // bits of an inode's format
    FORMAT_LAYOUT_SHIFT = 1,
    FORMAT_LAYOUT_MASK = 7,
    LAYOUT_PLAIN = 0,
    LAYOUT_TAIL = 2,
    ATTRIBUTE_HEADER = 12,
    ATTRIBUTE_UNIT = 4,
    POSITION_SHIFT = 9, // block << 9 | index
    COMPLAINTS_MAX = 8,
};

struct superblock {
    uint32_t magic, checksum, features;
    uint8_t block_bits, extra_slots;
    uint16_t root;
    uint64_t file_count, time;
    uint32_t time_ns, block_count, meta_block, attribute_block;
    uint8_t uuid[16], name[16];
    uint32_t features_needed;
    uint16_t compression, device_count;
    uint8_t rest[40];
};

struct inode_short {
    uint16_t format, attribute_count, mode, link_count;
    uint32_t size, reserved, place, inode;
    uint16_t uid, gid;
    uint32_t reserved2;
};

struct inode_long {
    uint16_t format, attribute_count, mode, reserved;
    uint64_t size;
    uint32_t place, inode, uid, gid;
    uint64_t time;
    uint32_t time_ns, link_count;
    uint8_t reserved2[16];
};

struct name_entry {
    uint32_t number_low, number_high; // not aligned to 8
    uint16_t name_at;
    uint8_t type, reserved;
};

_Static_assert(sizeof(struct superblock) == 128, "EROFS");
_Static_assert(sizeof(struct inode_short) == 32, "EROFS");
_Static_assert(sizeof(struct inode_long) == 64, "EROFS");
_Static_assert(sizeof(struct name_entry) == 12, "EROFS");
_Static_assert(EROFS_BLOCK_SIZE / sizeof(struct name_entry) < 1 << POSITION_SHIFT, "a position");

static int complain(struct erofs_image *image, uint64_t offset, const char *what)
{
    if (atomic_fetch_add_explicit(&image->complaint_count, 1, memory_order_relaxed) <
        COMPLAINTS_MAX) {
        console_print("osv: %s, block %llu: %s\n", image->name,
                      (unsigned long long)(offset / EROFS_BLOCK_SIZE), what);
    }
    return -EIO;
}

static bool has(const struct erofs_image *image, uint64_t offset, uint64_t size)
{
    return size <= image->size && offset <= image->size - size;
}

// ---- Bytes ---------------------------------------------------------------------

void erofs_complain_unread(struct erofs_image *image, uint64_t offset)
{
    (void)complain(image, offset, "cannot be read");
}

// The bytes at offset, which are the image's; *size is cut to what follows there. NULL: they cannot
// be read.
static const char *bytes_at(struct erofs_image *image, uint64_t offset, size_t *size)
{
    return image->start != NULL ? image->start + offset : image->read(image, offset, size);
}

// size bytes, which are the image's.
static int bytes_copy(struct erofs_image *image, uint64_t offset, void *to, size_t size)
{
    for (size_t done = 0; done < size;) {
        size_t part = size - done;
        const char *bytes = bytes_at(image, offset + done, &part);
        if (bytes == NULL) {
            return -EIO;
        }
        memcpy((char *)to + done, bytes, part);
        done += part;
    }
    return 0;
}

// ---- Opening -------------------------------------------------------------------

int erofs_superblock_read(struct erofs_image *image)
{
    struct superblock super;
    if (!has(image, SUPERBLOCK_AT, sizeof super)) {
        return -EINVAL;
    }
    if (bytes_copy(image, SUPERBLOCK_AT, &super, sizeof super) != 0) {
        return -EIO;
    }
    if (super.magic != EROFS_MAGIC) {
        return -EINVAL;
    }
    if (super.block_bits != BLOCK_BITS || super.features_needed != 0) {
        return -EOPNOTSUPP;
    }
    image->meta = (uint64_t)super.meta_block << BLOCK_BITS;
    image->root = super.root;
    image->file_count = super.file_count;
    image->built = (struct file_time){(int64_t)super.time, super.time_ns};
    if ((uint64_t)super.block_count << BLOCK_BITS > image->size) {
        return complain(image, image->size, "the image ends before it");
    }
    image->size = (uint64_t)super.block_count << BLOCK_BITS;
    return 0;
}

int erofs_image_open(struct erofs_image *image, const char *start, size_t size)
{
    *image = (struct erofs_image){.name = "file-system image", .start = start, .size = size};
    return erofs_superblock_read(image);
}

// ---- Inodes --------------------------------------------------------------------

static void short_read(const struct erofs_image *image, const char *at, struct erofs_inode *inode,
                       uint32_t *place)
{
    struct inode_short own;
    memcpy(&own, at, sizeof own);
    *place = own.place;
    inode->size = own.size;
    inode->inode = own.inode;
    inode->mode = own.mode;
    inode->uid = own.uid;
    inode->gid = own.gid;
    inode->link_count = own.link_count;
    inode->modified = image->built;
}

static void long_read(const char *at, struct erofs_inode *inode, uint32_t *place)
{
    struct inode_long own;
    memcpy(&own, at, sizeof own);
    *place = own.place;
    inode->size = own.size;
    inode->inode = own.inode;
    inode->mode = own.mode;
    inode->uid = own.uid;
    inode->gid = own.gid;
    inode->link_count = own.link_count;
    inode->modified = (struct file_time){(int64_t)own.time, own.time_ns};
}

static bool has_data(const struct erofs_inode *inode)
{
    const uint32_t type = inode->mode & MODE_TYPE;
    return type == MODE_FILE || type == MODE_DIRECTORY || type == MODE_LINK;
}

// Where the data is: in blocks, and, with LAYOUT_TAIL, what is less than a block behind the inode.
static int data_place(struct erofs_image *image, struct erofs_inode *inode, uint32_t layout,
                      uint32_t place, uint64_t behind)
{
    if (layout != LAYOUT_PLAIN && layout != LAYOUT_TAIL) {
        return -EOPNOTSUPP;
    }
    if (inode->size > image->size) {
        return complain(image, behind, "a file is longer than the image");
    }
    const uint64_t rest = layout == LAYOUT_TAIL ? inode->size % EROFS_BLOCK_SIZE : 0;
    inode->block_bytes = inode->size - rest;
    inode->blocks = (uint64_t)place << BLOCK_BITS;
    inode->tail = behind;
    if (inode->block_bytes != 0 && !has(image, inode->blocks, inode->block_bytes)) {
        return complain(image, inode->blocks, "a file's data lies outside of the image");
    }
    if (rest != 0 && !has(image, behind, rest)) {
        return complain(image, behind, "a file's end lies outside of the image");
    }
    return 0;
}

int erofs_inode_read(struct erofs_image *image, uint64_t number, struct erofs_inode *inode)
{
    const uint64_t at = image->meta + number * INODE_UNIT;
    if (number > image->size / INODE_UNIT || !has(image, at, sizeof(struct inode_short))) {
        return complain(image, at, "an inode lies outside of the image");
    }
    uint16_t head[2]; // format and count of attributes
    char bytes[sizeof(struct inode_long)];
    if (bytes_copy(image, at, head, sizeof head) != 0) {
        return -EIO;
    }
    const bool is_long = (head[0] & FORMAT_LONG) != 0;
    const uint64_t size = is_long ? sizeof(struct inode_long) : sizeof(struct inode_short);
    if (!has(image, at, size)) {
        return complain(image, at, "an inode lies outside of the image");
    }
    if (bytes_copy(image, at, bytes, size) != 0) {
        return -EIO;
    }
    uint32_t place;
    *inode = (struct erofs_inode){.number = number};
    if (is_long) {
        long_read(bytes, inode, &place);
    } else {
        short_read(image, bytes, inode, &place);
    }
    if (!has_data(inode)) {
        inode->device = place;
        return 0;
    }
    const uint64_t attributes =
        head[1] == 0 ? 0 : ATTRIBUTE_HEADER + (uint64_t)ATTRIBUTE_UNIT * (head[1] - 1u);
    return data_place(image, inode, head[0] >> FORMAT_LAYOUT_SHIFT & FORMAT_LAYOUT_MASK, place,
                      at + size + attributes);
}

uint64_t erofs_place(const struct erofs_inode *inode, uint64_t offset, uint64_t *size)
{
    if (offset < inode->block_bytes) {
        *size = inode->block_bytes - offset;
        return inode->blocks + offset;
    }
    *size = inode->size - offset;
    return inode->tail + (offset - inode->block_bytes);
}

const char *erofs_data(struct erofs_image *image, const struct erofs_inode *inode, uint64_t offset,
                       size_t *size)
{
    return bytes_at(image, erofs_place(inode, offset, size), size);
}

// ---- Directories ---------------------------------------------------------------

struct block { // of a directory
    const char *start;
    size_t size;
    uint64_t at;    // in the image
    uint32_t count; // of entries
};

static struct name_entry entry_of(const struct block *block, uint32_t index)
{
    struct name_entry entry;
    memcpy(&entry, block->start + index * sizeof entry, sizeof entry);
    return entry;
}

static int directory_block_read(struct erofs_image *image, const struct erofs_inode *directory,
                                uint64_t index, struct block *block)
{
    uint64_t rest;
    const uint64_t at = erofs_place(directory, index * EROFS_BLOCK_SIZE, &rest);
    block->at = at;
    block->size = rest < EROFS_BLOCK_SIZE ? rest : EROFS_BLOCK_SIZE;
    const size_t size = block->size;
    block->start = bytes_at(image, at, &block->size);
    if (block->start == NULL) {
        return -EIO;
    }
    if (block->size < size) {
        return complain(image, at, "a directory's end lies in two blocks");
    }
    if (block->size < sizeof(struct name_entry)) {
        return complain(image, at, "a directory's block is too short");
    }
    block->count = 1;
    const uint32_t names = entry_of(block, 0).name_at;
    if (names == 0 || names % sizeof(struct name_entry) != 0 || names > block->size) {
        return complain(image, at, "a directory's names lie where none can be");
    }
    block->count = names / sizeof(struct name_entry);
    return 0;
}

static uint32_t type_of(uint8_t type)
{
    static const uint32_t types[] = {
        0, MODE_FILE, MODE_DIRECTORY, MODE_CHARACTER, MODE_BLOCK, MODE_FIFO, MODE_SOCKET, MODE_LINK,
    };
    return type < sizeof types / sizeof types[0] ? types[type] : 0;
}

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; ++i) {
        if (text[i] == 0 || text[i] == '/') {
            return false;
        }
    }
    return length > 0 && length <= 255;
}

static int name_read(struct erofs_image *image, const struct block *block, uint32_t index,
                     struct erofs_name *name)
{
    const struct name_entry entry = entry_of(block, index);
    const bool is_last = index + 1 == block->count;
    const size_t end = is_last ? block->size : entry_of(block, index + 1).name_at;
    const size_t start = entry.name_at;
    if (start < block->count * sizeof entry || start >= end || end > block->size) {
        return complain(image, block->at, "a directory's name lies outside of its block");
    }
    *name = (struct erofs_name){
        .number = entry.number_low | (uint64_t)entry.number_high << 32,
        .type = type_of(entry.type),
        .length = is_last ? strnlen(block->start + start, end - start) : end - start,
        .text = block->start + start,
    };
    return is_name(name->text, name->length) ? 0
                                             : complain(image, block->at, "a name that is none");
}

static int compare(const struct erofs_name *name, const char *text, size_t length)
{
    const size_t common = name->length < length ? name->length : length;
    const int order = memcmp(name->text, text, common);
    if (order != 0 || name->length == length) {
        return order;
    }
    return name->length < length ? -1 : 1;
}

// The last of count names that is not above text, by `read`ing names in order; count if all are
// above it.
static int block_search(struct erofs_image *image, const struct block *block, const char *text,
                        size_t length, uint64_t *number)
{
    uint32_t low = 0, high = block->count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        struct erofs_name name;
        const int error = name_read(image, block, middle, &name);
        if (error != 0) {
            return error;
        }
        const int order = compare(&name, text, length);
        if (order == 0) {
            *number = name.number;
            return 0;
        }
        low = order < 0 ? middle + 1 : low;
        high = order < 0 ? high : middle;
    }
    return -ENOENT;
}

static uint64_t block_count(const struct erofs_inode *directory)
{
    return (directory->size + EROFS_BLOCK_SIZE - 1) / EROFS_BLOCK_SIZE;
}

int erofs_find(struct erofs_image *image, const struct erofs_inode *directory, const char *text,
               uint64_t *number)
{
    const size_t length = strlen(text);
    // The name is in the last block whose first name is not above it: low - 1.
    uint64_t low = 0, high = block_count(directory);
    struct block block;
    while (low < high) {
        const uint64_t middle = low + (high - low) / 2;
        struct erofs_name name;
        int error = directory_block_read(image, directory, middle, &block);
        error = error != 0 ? error : name_read(image, &block, 0, &name);
        if (error != 0) {
            return error;
        }
        const bool is_above = compare(&name, text, length) > 0;
        low = is_above ? low : middle + 1;
        high = is_above ? middle : high;
    }
    if (low == 0) {
        return -ENOENT;
    }
    const int error = directory_block_read(image, directory, low - 1, &block);
    return error != 0 ? error : block_search(image, &block, text, length, number);
}

int erofs_name_read(struct erofs_image *image, const struct erofs_inode *directory,
                    uint64_t position, struct erofs_name *name, uint64_t *next)
{
    const uint64_t index = position >> POSITION_SHIFT;
    const uint32_t within = (uint32_t)position & ((1u << POSITION_SHIFT) - 1);
    if (index >= block_count(directory)) {
        return -ENOENT;
    }
    struct block block;
    const int error = directory_block_read(image, directory, index, &block);
    if (error != 0) {
        return error;
    }
    if (within >= block.count) {
        return -ENOENT;
    }
    *next = within + 1 < block.count ? position + 1 : (index + 1) << POSITION_SHIFT;
    return name_read(image, &block, within, name);
}
