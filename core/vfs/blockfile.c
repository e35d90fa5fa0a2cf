// SPDX-License-Identifier: BSD-3-Clause
// blockfile.c: disks and their partitions as files: /dev/vda, /dev/vda1 and their like, and
// /proc/partitions.
//
// Reads go by the disk's cache. Writes go through it to the disk at once, so that fsync has only to
// flush the disk's own cache, and a file that was opened with O_DIRECT differs in two ways: it
// reads the disk itself, and takes whole blocks only, as on Linux.
#include "core/vfs/blockfile.h"

#include "core/dev/block.h"
#include "core/dev/blockcache.h"
#include "core/dev/partition.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/vfs/devices.h"
#include "core/vfs/file.h"
#include "core/vfs/vfs.h"
#include "core/vfs/vnode.h"
#include "core/vfs/zeros.h"

enum {
    MAJOR = 254,            // Linux gives virtio's disks a free one, this as a rule
    PARTITIONS = 16,        // numbers of a disk: the first is the whole
    MODE = 0666,            // who started the machine has given it the disk
    DIRECT_ALIGNMENT = 512, // of memory
    BUFFER_BLOCK = 4096,    // what Linux's cache has for blocks
    NAME_SIZE = 48,
};

// Linux's requests (linux/fs.h, linux/hdreg.h).
enum block_control {
    GET_READ_ONLY = 0x125e,
    GET_SECTORS = 0x1260,
    FLUSH_BUFFERS = 0x1261,
    GET_READ_AHEAD = 0x1263,
    GET_BLOCK_SIZE = 0x1268,
    DISCARD = 0x1277,
    GET_TRANSFER_MIN = 0x1278,
    GET_TRANSFER_BEST = 0x1279,
    GET_ALIGNMENT = 0x127a,
    GET_PHYSICAL_BLOCK_SIZE = 0x127b,
    GET_DISCARD_ZEROES = 0x127c,
    ZERO = 0x127f,
    GET_GEOMETRY = 0x0301,
};

#define GET_BUFFER_BLOCK UINT32_C(0x80081270)
#define GET_SIZE UINT32_C(0x80081272)

struct geometry {
    uint8_t heads, sectors;
    uint16_t cylinders;
    uint64_t start;
};

_Static_assert((int)PARTITION_COUNT_MAX < (int)PARTITIONS, "numbers of a disk");

static const struct partition *part_of(const struct file *file)
{
    return file->state;
}

static struct block_device *device_of(const struct file *file)
{
    return part_of(file)->device;
}

// Where on the disk the file's byte 0 is.
static uint64_t start_of(const struct file *file)
{
    return part_of(file)->place.start;
}

static bool has_flag(struct file *file, uint32_t flag)
{
    return (atomic_load_explicit(&file->flags, memory_order_relaxed) & flag) != 0;
}

static bool is_writable(struct file *file)
{
    return (atomic_load_explicit(&file->flags, memory_order_relaxed) & OPEN_ACCESS) !=
           OPEN_READ_ONLY;
}

// ---- Reading and writing ----

static bool is_aligned(struct file *file, uint64_t offset, const char *data, size_t size)
{
    const uint32_t block = block_device_facts(device_of(file))->block_size;
    return !has_flag(file, OPEN_DIRECT) ||
           ((offset | size) % block == 0 && (uintptr_t)data % DIRECT_ALIGNMENT == 0);
}

// What of [offset, offset + size) lies in the first chunk.
static size_t piece_size(uint64_t offset, size_t size)
{
    const size_t room = BLOCK_CHUNK - offset % BLOCK_CHUNK;
    return size < room ? size : room;
}

static int block_file_read(struct file *file, uint64_t offset, char *data, size_t size,
                           size_t *done)
{
    struct block_device *device = device_of(file);
    const uint64_t end = partition_size(part_of(file));
    if (!is_aligned(file, offset, data, size)) {
        return -EINVAL;
    }
    size = offset >= end ? 0 : end - offset < size ? (size_t)(end - offset) : size;
    const bool is_direct = has_flag(file, OPEN_DIRECT);
    int error = 0;
    while (*done < size && error == 0) {
        const uint64_t at = start_of(file) + offset + *done;
        const size_t part = piece_size(at, size - *done);
        error = block_copy_in(block_device_cache(device), at, data + *done, part, is_direct);
        *done += error == 0 ? part : 0;
    }
    return *done > 0 ? 0 : error;
}

// offset: on the disk.
static int range_write(struct block_device *device, uint64_t offset, const char *data, size_t size,
                       size_t *done)
{
    int error = 0;
    while (*done < size && error == 0) {
        const size_t part = piece_size(offset + *done, size - *done);
        error = block_copy_out(block_device_cache(device), offset + *done, data + *done, part);
        *done += error == 0 ? part : 0;
    }
    return *done > 0 ? 0 : error;
}

static int block_file_write(struct file *file, uint64_t offset, const char *data, size_t size,
                            size_t *done)
{
    struct block_device *device = device_of(file);
    const uint64_t end = partition_size(part_of(file));
    offset = offset == FILE_OFFSET_NONE ? end : offset;
    if (block_device_facts(device)->is_read_only) {
        return -EPERM;
    }
    if (size > 0 && offset >= end) {
        return -ENOSPC;
    }
    if (!is_aligned(file, offset, data, size)) {
        return -EINVAL;
    }
    size = end - offset < size ? (size_t)(end - offset) : size;
    const int error = range_write(device, start_of(file) + offset, data, size, done);
    return error == 0 && has_flag(file, OPEN_DATA_SYNC) ? block_flush(device) : error;
}

static int block_file_seek(struct file *file, int64_t offset, enum seek_from from, uint64_t *result)
{
    const uint64_t end = partition_size(part_of(file));
    int error = 0;
    int64_t target = 0;
    mutex_lock(&file->offset_lock);
    const uint64_t base = from == SEEK_FROM_CURRENT ? file->offset
                          : from == SEEK_FROM_END   ? end
                                                    : 0;
    if (__builtin_add_overflow((int64_t)base, offset, &target) || target < 0 ||
        (uint64_t)target > end) {
        error = -EINVAL; // Linux, too, lets nobody go behind the end
    } else if (from == SEEK_TO_DATA || from == SEEK_TO_HOLE) {
        error = (uint64_t)target == end ? -ENXIO : 0;
        target = from == SEEK_TO_HOLE ? (int64_t)end : target;
    }
    if (error == 0) {
        file->offset = *result = (uint64_t)target;
    }
    mutex_unlock(&file->offset_lock);
    return error;
}

static int block_file_sync(struct file *file, bool data_only)
{
    (void)data_only;
    return block_flush(device_of(file));
}

// ---- Controls ----

// Where the disk cannot do it by itself.
static int zeros_write(struct block_device *device, uint64_t offset, uint64_t size)
{
    int error = 0;
    while (size > 0 && error == 0) {
        size_t done = 0;
        error = range_write(device, offset, vfs_zeros,
                            size < sizeof vfs_zeros ? size : sizeof vfs_zeros, &done);
        offset += done;
        size -= done;
    }
    return error;
}

static int range_control(struct file *file, uint32_t request, const void *argument)
{
    struct block_device *device = device_of(file);
    const struct block_facts *facts = block_device_facts(device);
    const uint64_t end = partition_size(part_of(file));
    uint64_t range[2]; // start, size
    if (!is_writable(file)) {
        return -EBADF;
    }
    int error = facts->is_read_only ? -EPERM : hal_copy_safe(range, argument, sizeof range);
    if (error == 0 && ((range[0] | range[1]) % facts->block_size != 0 || range[0] > end ||
                       range[1] > end - range[0])) {
        error = -EINVAL;
    }
    if (error != 0) {
        return error;
    }
    range[0] += start_of(file);
    if (request == ZERO && !facts->can_zero) {
        return zeros_write(device, range[0], range[1]);
    }
    error = request == ZERO ? block_zero(device, range[0], range[1])
                            : block_discard(device, range[0], range[1]);
    block_cache_forget(block_device_cache(device), range[0], range[1]);
    return error;
}

static int geometry_get(const struct file *file, void *argument)
{
    const struct block_facts *facts = block_device_facts(device_of(file));
    const struct geometry geometry = {.heads = (uint8_t)facts->heads,
                                      .sectors = (uint8_t)facts->sectors,
                                      .cylinders = (uint16_t)facts->cylinders,
                                      .start = start_of(file) / BLOCK_SECTOR};
    return facts->cylinders == 0 ? -ENOTTY : hal_copy_safe(argument, &geometry, sizeof geometry);
}

static int buffers_flush(const struct file *file)
{
    block_cache_forget(block_device_cache(device_of(file)), start_of(file),
                       partition_size(part_of(file)));
    return 0;
}

// Answers of 4 bytes. False: not one of these.
static bool number_get(const struct block_facts *facts, uint32_t request, uint32_t *number)
{
    switch (request) {
    case GET_READ_ONLY:
        *number = facts->is_read_only;
        return true;
    case GET_BLOCK_SIZE:
        *number = facts->block_size;
        return true;
    case GET_PHYSICAL_BLOCK_SIZE:
    case GET_TRANSFER_MIN:
        *number = facts->physical_block_size;
        return true;
    case GET_BUFFER_BLOCK:
        *number = BUFFER_BLOCK;
        return true;
    case GET_TRANSFER_BEST:
    case GET_ALIGNMENT:
    case GET_DISCARD_ZEROES:
        *number = 0;
        return true;
    default:
        return false;
    }
}

static int block_file_control(struct file *file, unsigned long wide, void *argument)
{
    const uint32_t request = (uint32_t)wide; // the C library extends its sign
    const struct block_facts *facts = block_device_facts(device_of(file));
    const uint64_t size = partition_size(part_of(file)), sectors = size / BLOCK_SECTOR;
    const uint64_t ahead = BLOCK_CHUNK / BLOCK_SECTOR;
    uint32_t number;
    if (number_get(facts, request, &number)) {
        return hal_copy_safe(argument, &number, sizeof number);
    }
    switch (request) {
    case GET_SIZE:
        return hal_copy_safe(argument, &size, sizeof size);
    case GET_SECTORS:
        return hal_copy_safe(argument, &sectors, sizeof sectors);
    case GET_READ_AHEAD:
        return hal_copy_safe(argument, &ahead, sizeof ahead);
    case FLUSH_BUFFERS:
        return buffers_flush(file);
    case DISCARD:
    case ZERO:
        return range_control(file, request, argument);
    case GET_GEOMETRY:
        return geometry_get(file, argument);
    default:
        return -ENOTTY;
    }
}

static const struct file_ops block_file_ops = {
    .read = block_file_read,
    .write = block_file_write,
    .seek = block_file_seek,
    .sync = block_file_sync,
    .control = block_file_control,
};

// ---- Names ----

static uint64_t minor_of(const struct partition *part)
{
    return (uint64_t)block_device_index(part->device) * PARTITIONS + part->place.number;
}

static uint64_t number_of(const struct partition *part)
{
    const uint64_t minor = minor_of(part);
    return (minor & 0xff) | (uint64_t)MAJOR << 8 | (minor & ~UINT64_C(0xff)) << 12;
}

int block_node_open(uint64_t number, struct file *file)
{
    const struct partition *part;
    for (uint32_t i = 0; (part = partition_at(i)) != NULL; ++i) {
        if (number_of(part) == number) {
            file->ops = &block_file_ops;
            file->state = (void *)(uintptr_t)part;
            return 0;
        }
    }
    return -ENXIO;
}

static size_t append(char *text, size_t size, size_t length, const char *line)
{
    const size_t more = strlen(line);
    if (length + more <= size) {
        memcpy(text + length, line, more);
    }
    return length + more;
}

static size_t partitions_make(char *text, size_t size, void *argument)
{
    (void)argument;
    const struct partition *part;
    size_t length = 0;
    for (uint32_t i = 0; (part = partition_at(i)) != NULL; ++i) {
        char line[2 * NAME_SIZE];
        (void)format(line, sizeof line, "%s%4d  %7u %10llu %s\n",
                     i == 0 ? "major minor  #blocks  name\n\n" : "", MAJOR,
                     (unsigned)minor_of(part), (unsigned long long)partition_size(part) / 1024,
                     part->name);
        length = append(text, size, length, line);
    }
    return length;
}

int block_files_make(void)
{
    const struct partition *part;
    int error = 0;
    for (uint32_t i = 0; (part = partition_at(i)) != NULL && error == 0; ++i) {
        char path[NAME_SIZE];
        (void)format(path, sizeof path, "/dev/%s", part->name);
        error = vfs_make_node(NULL, path, MODE_BLOCK | MODE, number_of(part));
    }
    return error != 0 ? error : procfs_add("partitions", partitions_make, NULL);
}
