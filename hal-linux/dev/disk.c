// SPDX-License-Identifier: BSD-3-Clause
// disk.c: the far end of block devices (virtio 1.2, 5.2): a file of the host.
//
// What the host has in its page cache is read within the kick; the rest, and what waits for a disk,
// is a worker's. Writes go to the page cache, which a flush empties. On the seeded machine what is
// in the cache makes no difference: a request is served at once or, by --faults, late, as a whole.
#include "hal-linux/dev/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/virtio_blk.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "hal-linux/dev/device.h"
#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

enum {
    SECTOR = 512,
    QUEUES = 4,
    SEGMENTS = 128,
    RANGE_SECTORS = 1 << 21, // of a request to discard or zero: 1 GiB
    DISK_MAX = 26,
    SERIAL_SIZE = VIRTIO_BLK_ID_BYTES,
};

struct disk { // state of a device
    int fd;
    bool is_read_only;
    uint64_t size;
    char serial[SERIAL_SIZE];
};

static struct disk disks[DISK_MAX];
static uint32_t disk_count;

// ---- Answers ----

// The last byte of the chain, which is alone in the last part or ends it.
static void disk_answer(struct device_chain *chain, long error)
{
    struct iovec *last = &chain->parts[chain->in_count + chain->out_count - 1];
    uint8_t status = error == 0             ? VIRTIO_BLK_S_OK
                     : error == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP
                                            : VIRTIO_BLK_S_IOERR;
    ((uint8_t *)last->iov_base)[last->iov_len - 1] = status;
    device_chain_done(chain,
                      (uint32_t)device_size(&chain->parts[chain->in_count], chain->out_count));
}

// ---- Reading and writing ----

struct transfer {
    struct disk *disk;
    struct iovec *parts;
    uint32_t count;
    uint64_t offset, size;
    bool is_write;
};

// The parts of the data: what is behind the header, and before the status. False: there is none, or
// it is not whole sectors of the disk.
static bool transfer_find(struct device_chain *chain, bool is_write, uint64_t sector,
                          struct transfer *transfer)
{
    struct disk *disk = chain->state;
    struct iovec *last = &chain->parts[chain->in_count + chain->out_count - 1];
    const bool has_header =
        chain->in_count > 0 && chain->parts[0].iov_len == sizeof(struct virtio_blk_outhdr);
    if (!has_header || last->iov_len != 1) { // any other framing costs more than it is worth
        return false;
    }
    const uint32_t count = (is_write ? chain->in_count : chain->out_count) - 1;
    struct iovec *parts = is_write ? &chain->parts[1] : &chain->parts[chain->in_count];
    *transfer = (struct transfer){.disk = disk,
                                  .parts = parts,
                                  .count = count,
                                  .offset = sector * SECTOR,
                                  .size = device_size(parts, count),
                                  .is_write = is_write};
    return transfer->size % SECTOR == 0 && sector <= disk->size / SECTOR &&
           transfer->size <= disk->size - transfer->offset;
}

static long transfer_once(const struct transfer *transfer, int flags)
{
    long done;
    do {
        done = syscall6(transfer->is_write ? SYS_pwritev2 : SYS_preadv2, transfer->disk->fd,
                        (long)transfer->parts, transfer->count, (long)transfer->offset, 0, flags);
    } while (done == -EINTR);
    return done;
}

// Goes on where the host has done a part. A file that has been cut short reads as zeros there.
static long transfer_run(struct transfer *transfer)
{
    while (transfer->count > 0) {
        long done = transfer_once(transfer, 0);
        if (done < 0 || (done == 0 && transfer->is_write)) {
            return done < 0 ? done : -EIO;
        }
        if (done == 0) {
            return device_size(transfer->parts, transfer->count) == 0 ? 0 : -EIO;
        }
        transfer->offset += (uint64_t)done;
        while (transfer->count > 0 && (size_t)done >= transfer->parts->iov_len) {
            done -= (long)transfer->parts->iov_len;
            ++transfer->parts;
            --transfer->count;
        }
        if (transfer->count > 0) {
            transfer->parts->iov_base = (char *)transfer->parts->iov_base + done;
            transfer->parts->iov_len -= (size_t)done;
        }
    }
    return 0;
}

static void transfer_deferred(struct device_chain *chain)
{
    struct transfer transfer;
    const bool is_whole = transfer_find(chain, chain->note[0] != 0, chain->note[1], &transfer);
    disk_answer(chain, is_whole ? transfer_run(&transfer) : -EIO);
}

static void transfer_serve(struct device_chain *chain, bool is_write, uint64_t sector)
{
    struct transfer transfer;
    if (!transfer_find(chain, is_write, sector, &transfer)) {
        disk_answer(chain, -EIO);
    } else if (is_write || machine_is_seeded()) {
        disk_answer(chain,
                    is_write && transfer.disk->is_read_only ? -EIO : transfer_run(&transfer));
    } else if (transfer_once(&transfer, RWF_NOWAIT) == (long)transfer.size) {
        disk_answer(chain, 0);
    } else {
        chain->note[0] = is_write;
        chain->note[1] = sector;
        device_chain_defer(chain, transfer_deferred);
    }
}

// ---- The rest ----

static void flush_deferred(struct device_chain *chain)
{
    const struct disk *disk = chain->state;
    disk_answer(chain, syscall3(SYS_fdatasync, disk->fd, 0, 0));
}

// A hole reads as zeros, so it serves for both.
static void ranges_deferred(struct device_chain *chain)
{
    const struct disk *disk = chain->state;
    struct virtio_blk_discard_write_zeroes range;
    const size_t skip = sizeof(struct virtio_blk_outhdr);
    long error = -EIO;
    if (device_gather(chain->parts, chain->in_count, skip, &range, sizeof range) == sizeof range &&
        !disk->is_read_only && range.sector <= disk->size / SECTOR &&
        range.num_sectors <= disk->size / SECTOR - range.sector) {
        error = syscall4(SYS_fallocate, disk->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                         (long)(range.sector * SECTOR), (long)range.num_sectors * SECTOR);
    }
    disk_answer(chain, error);
}

static void serial_serve(struct device_chain *chain)
{
    const struct disk *disk = chain->state;
    const size_t room = device_size(&chain->parts[chain->in_count], chain->out_count) - 1;
    device_scatter(&chain->parts[chain->in_count], chain->out_count, 0, disk->serial,
                   room < SERIAL_SIZE ? room : SERIAL_SIZE);
    disk_answer(chain, 0);
}

static void serve_now(struct device_chain *chain)
{
    struct virtio_blk_outhdr header;
    device_gather(chain->parts, chain->in_count, 0, &header, sizeof header);
    if (machine_is_failing(SEED_FAULT_DISK)) {
        disk_answer(chain, -EIO);
        return;
    }
    switch (header.type) {
    case VIRTIO_BLK_T_IN:
        transfer_serve(chain, false, header.sector);
        break;
    case VIRTIO_BLK_T_OUT:
        transfer_serve(chain, true, header.sector);
        break;
    case VIRTIO_BLK_T_FLUSH:
        device_chain_defer(chain, flush_deferred);
        break;
    case VIRTIO_BLK_T_DISCARD:
    case VIRTIO_BLK_T_WRITE_ZEROES:
        device_chain_defer(chain, ranges_deferred);
        break;
    case VIRTIO_BLK_T_GET_ID:
        serial_serve(chain);
        break;
    default:
        disk_answer(chain, -EOPNOTSUPP);
        break;
    }
}

static void serve(struct device_chain *chain)
{
    struct virtio_blk_outhdr header;
    if (device_size(chain->parts, chain->in_count) < sizeof header ||
        device_size(&chain->parts[chain->in_count], chain->out_count) == 0) {
        device_chain_done(chain, 0); // there is no room to say what is wrong
    } else if (machine_is_late()) {
        device_chain_defer(chain, serve_now);
    } else {
        serve_now(chain);
    }
}

// ---- Start ----

#define FEATURES                                                                                   \
    (1ul << VIRTIO_BLK_F_SEG_MAX | 1ul << VIRTIO_BLK_F_BLK_SIZE | 1ul << VIRTIO_BLK_F_FLUSH |      \
     1ul << VIRTIO_BLK_F_MQ)

static const struct device_ops disk_ops = {
    .features = FEATURES | 1ul << VIRTIO_BLK_F_DISCARD | 1ul << VIRTIO_BLK_F_WRITE_ZEROES,
    .queue_count = QUEUES,
    .config_size = 60,
    .parallel = true,
    .serve = serve,
};

static const struct device_ops read_only_ops = {
    .features = FEATURES | 1ul << VIRTIO_BLK_F_RO,
    .queue_count = QUEUES,
    .config_size = 60,
    .parallel = true,
    .serve = serve,
};

_Static_assert(sizeof(struct virtio_blk_config) >= 60, "what config_size copies is there");

static long size_find(int fd, uint64_t *size)
{
    struct stat status;
    long error = syscall4(SYS_newfstatat, fd, (long)"", (long)&status, AT_EMPTY_PATH);
    if (error == 0 && S_ISBLK(status.st_mode)) {
        return syscall3(SYS_ioctl, fd, BLKGETSIZE64, (long)size);
    }
    *size = error == 0 ? (uint64_t)status.st_size : 0;
    return error != 0 || S_ISREG(status.st_mode) ? error : -EINVAL;
}

int disk_add(const char *name, const char *path, bool read_only)
{
    if (disk_count == DISK_MAX) {
        return -ENOSPC;
    }
    struct disk *disk = &disks[disk_count];
    long fd = syscall4(SYS_openat, AT_FDCWD, (long)path,
                       (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0);
    if (fd < 0) {
        return (int)fd;
    }
    disk->fd = (int)fd;
    disk->is_read_only = read_only;
    long error = size_find(disk->fd, &disk->size);
    disk->size = disk->size / SECTOR * SECTOR;
    error = error != 0 || disk->size > 0 ? error : -EINVAL;
    if (error != 0) {
        syscall3(SYS_close, fd, 0, 0);
        return (int)error;
    }
    for (size_t i = 0; i < SERIAL_SIZE && name[i] != 0; ++i) {
        disk->serial[i] = name[i];
    }
    const struct virtio_blk_config config = {.capacity = disk->size / SECTOR,
                                             .seg_max = SEGMENTS,
                                             .blk_size = SECTOR,
                                             .num_queues = QUEUES,
                                             .max_discard_sectors = RANGE_SECTORS,
                                             .max_discard_seg = 1,
                                             .discard_sector_alignment = 1,
                                             .max_write_zeroes_sectors = RANGE_SECTORS,
                                             .max_write_zeroes_seg = 1,
                                             .write_zeroes_may_unmap = 1};
    ++disk_count;
    return device_add(HAL_BLOCK, name, read_only ? &read_only_ops : &disk_ops, disk, &config);
}
