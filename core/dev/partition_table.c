// SPDX-License-Identifier: BSD-3-Clause
// partition_table.c: what the table of partitions on a disk says.
//
// The first sector decides: a partition of kind 0xee there stands for a table in GPT's form, in the
// second block, with a copy that ends the disk. A form's own entries count only once everything of
// it is right: for GPT two checksums, for the old form flags that have but two values.
#include "core/dev/partition_table.h"

#include <stdbool.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/string.h"

enum {
    SECTOR = 512,
    OLD_ENTRIES = 4,
    OLD_ENTRIES_AT = 446,
    OLD_SIGNATURE_AT = 510,
    OLD_ACTIVE = 0x80,
    KIND_NONE = 0,
    KIND_GPT = 0xee,
    HEADER_SIZE = 92,
    ENTRY_SIZE = 128,
    ENTRY_SIZE_MAX = 4096,
    TABLE_SIZE_MAX = 1 << 20,
};

struct old_entry {
    uint8_t flag, first_old[3], kind, last_old[3];
    uint32_t first, count; // sectors
} __attribute__((packed));

struct header {
    char signature[8];
    uint32_t revision, size, checksum, reserved;
    uint64_t own, other, first, last;
    uint8_t disk[16];
    uint64_t entries; // the block where they begin
    uint32_t entry_count, entry_size, entries_checksum;
} __attribute__((packed));

struct entry {
    uint8_t kind[16], id[16];
    uint64_t first, last, flags; // blocks
    uint16_t name[36];
};

_Static_assert(sizeof(struct old_entry) == 16, "UEFI 2.10, table 5.2");
_Static_assert(sizeof(struct header) == HEADER_SIZE, "UEFI 2.10, table 5.5");
_Static_assert(sizeof(struct entry) == ENTRY_SIZE, "UEFI 2.10, table 5.6");

static void complain(const struct partition_disk *disk, uint32_t number, const char *what)
{
    if (disk->name != NULL && number == 0) {
        console_print("osv: the disk %s: %s\n", disk->name, what);
    } else if (disk->name != NULL) {
        console_print("osv: the partition %s%u is left out: %s\n", disk->name, number, what);
    }
}

// Takes the partition of count blocks of size bytes at block first, where it lies on the disk.
static void place_add(const struct partition_disk *disk, struct partition_table *table,
                      const struct partition_place *place, uint64_t first, uint64_t count,
                      uint32_t size)
{
    const uint64_t all = disk->size / size;
    if (first == 0 || count == 0 || first >= all || count > all - first) {
        complain(disk, place->number, "it does not lie on the disk");
        return;
    }
    struct partition_place *own = &table->places[table->count++];
    *own = *place;
    own->start = first * size;
    own->size = count * size;
}

// ---- The old form ------------------------------------------------------------------

static bool is_extended(uint8_t kind)
{
    return kind == 0x05 || kind == 0x0f || kind == 0x85;
}

static void old_read(const struct partition_disk *disk, const struct old_entry *entries,
                     struct partition_table *table)
{
    for (uint32_t i = 0; i < OLD_ENTRIES; ++i) {
        const struct partition_place place = {.number = i + 1};
        if (is_extended(entries[i].kind)) {
            complain(disk, i + 1, "those within an extended one are not read; use GPT");
        } else if (entries[i].kind != KIND_NONE) {
            place_add(disk, table, &place, entries[i].first, entries[i].count, disk->block_size);
        }
    }
}

// ---- GPT ---------------------------------------------------------------------------

// The CRC of IEEE 802.3, of bytes that follow those of sum, which is 0 at first; four bits a step.
static uint32_t checksum(uint32_t sum, const void *bytes, size_t size)
{
    static const uint32_t steps[16] = {0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
                                       0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
                                       0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
                                       0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c};
    sum = ~sum;
    for (size_t i = 0; i < size; ++i) {
        sum ^= ((const uint8_t *)bytes)[i];
        sum = sum >> 4 ^ steps[sum & 15];
        sum = sum >> 4 ^ steps[sum & 15];
    }
    return ~sum;
}

static bool is_header(const struct header *header, uint64_t block, uint32_t block_size)
{
    return memcmp(header->signature, "EFI PART", sizeof header->signature) == 0 &&
           header->size >= HEADER_SIZE && header->size <= block_size && header->own == block;
}

static bool has_entries(const struct header *header, const struct partition_disk *disk)
{
    const uint32_t size = header->entry_size;
    const uint64_t all = disk->size / disk->block_size;
    return size >= ENTRY_SIZE && size <= ENTRY_SIZE_MAX && (size & (size - 1)) == 0 &&
           header->entry_count <= TABLE_SIZE_MAX / size && header->entries < all &&
           (uint64_t)header->entry_count * size <= (all - header->entries) * disk->block_size;
}

// Reads the header in that block. False: there is none that is right.
static bool header_read(const struct partition_disk *disk, uint64_t block, struct header *header)
{
    char bytes[SECTOR];
    uint32_t sum = 0, size = sizeof bytes;
    for (uint32_t at = 0; at < size; at += sizeof bytes) {
        if (disk->read(disk->state, block * disk->block_size + at, bytes, sizeof bytes) != 0) {
            return false;
        }
        if (at == 0) {
            memcpy(header, bytes, sizeof *header);
            if (!is_header(header, block, disk->block_size)) {
                return false;
            }
            size = header->size;
            memset(bytes + offsetof(struct header, checksum), 0, sizeof header->checksum);
        }
        sum = checksum(sum, bytes, size - at < sizeof bytes ? size - at : sizeof bytes);
    }
    return sum == header->checksum && has_entries(header, disk);
}

static bool is_used(const struct entry *entry)
{
    static const uint8_t none[sizeof entry->kind];
    return memcmp(entry->kind, none, sizeof none) != 0;
}

// Reads the first entries, and all of them for the checksum. False: it is not right.
static bool entries_read(const struct partition_disk *disk, const struct header *header,
                         struct entry *entries, bool *has_more)
{
    uint64_t at = header->entries * disk->block_size;
    uint32_t sum = 0;
    *has_more = false;
    for (uint32_t i = 0; i < header->entry_count; ++i) {
        for (uint32_t done = 0; done < header->entry_size; done += ENTRY_SIZE, at += ENTRY_SIZE) {
            struct entry part;
            if (disk->read(disk->state, at, (char *)&part, sizeof part) != 0) {
                return false;
            }
            sum = checksum(sum, &part, sizeof part);
            if (done == 0 && i < PARTITION_COUNT_MAX) {
                entries[i] = part;
            } else if (done == 0) {
                *has_more |= is_used(&part);
            }
        }
    }
    return sum == header->entries_checksum;
}

// False: the table whose header is in that block is not right.
static bool gpt_read(const struct partition_disk *disk, uint64_t block,
                     struct partition_table *table)
{
    struct header header;
    struct entry entries[PARTITION_COUNT_MAX] = {0};
    bool has_more;
    if (!header_read(disk, block, &header) || !entries_read(disk, &header, entries, &has_more)) {
        return false;
    }
    for (uint32_t i = 0; i < PARTITION_COUNT_MAX; ++i) {
        const struct entry *entry = &entries[i];
        struct partition_place place = {.number = i + 1};
        memcpy(place.id, entry->id, sizeof place.id);
        if (is_used(entry)) {
            // One that ends before it begins has no blocks.
            place_add(disk, table, &place, entry->first,
                      entry->last < entry->first ? 0 : entry->last - entry->first + 1,
                      disk->block_size);
        }
    }
    if (has_more) {
        complain(disk, 0, "its partitions above number 15 are left out");
    }
    return true;
}

static void gpt_find(const struct partition_disk *disk, struct partition_table *table)
{
    if (gpt_read(disk, 1, table)) {
        return;
    }
    if (gpt_read(disk, disk->size / disk->block_size - 1, table)) {
        complain(disk, 0, "its partition table is damaged; the copy at its end is used");
    } else {
        complain(disk, 0, "its partition table is damaged, and so is the copy at its end");
    }
}

void partition_table_read(const struct partition_disk *disk, struct partition_table *table)
{
    char sector[SECTOR];
    struct old_entry entries[OLD_ENTRIES];
    table->count = 0;
    // Who reads a disk that cannot be read is told.
    if (disk->size < 3 * (uint64_t)disk->block_size ||
        disk->read(disk->state, 0, sector, sizeof sector) != 0 ||
        memcmp(sector + OLD_SIGNATURE_AT, "\x55\xaa", 2) != 0) {
        return;
    }
    memcpy(entries, sector + OLD_ENTRIES_AT, sizeof entries);
    bool is_gpt = false;
    for (uint32_t i = 0; i < OLD_ENTRIES; ++i) {
        if (entries[i].flag != 0 && entries[i].flag != OLD_ACTIVE) {
            return; // the program of a boot sector
        }
        is_gpt |= entries[i].kind == KIND_GPT;
    }
    if (is_gpt) {
        gpt_find(disk, table);
    } else {
        old_read(disk, entries, table);
    }
}
