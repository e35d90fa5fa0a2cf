// SPDX-License-Identifier: BSD-3-Clause
// partition.c: disks and the partitions on them.
#include "core/dev/partition.h"

#include "core/dev/block.h"
#include "core/dev/blockcache.h"
#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

enum { ID_TEXT_SIZE = 2 * PARTITION_ID_SIZE + 4 + 1 };

static struct partition *list; // written while the machine starts
static uint32_t count, room;

static int disk_read(void *state, uint64_t offset, char *to, size_t size)
{
    struct block_device *device = state;
    int error = 0;
    for (size_t done = 0; done < size && error == 0;) {
        const size_t left = BLOCK_CHUNK - (offset + done) % BLOCK_CHUNK;
        const size_t part = left < size - done ? left : size - done;
        error = block_copy_in(block_device_cache(device), offset + done, to + done, part, false);
        done += part;
    }
    return error;
}

static void add(struct block_device *device, const struct partition_place *place)
{
    const char *name = block_device_facts(device)->name;
    if (count == room) {
        const uint32_t more = 2 * room + 4;
        struct partition *longer = heap_realloc(list, more * sizeof *list);
        if (longer == NULL) {
            console_print("osv: %s is left out: there is not enough memory; try more\n", name);
            return;
        }
        list = longer;
        room = more;
    }
    struct partition *own = &list[count++];
    *own = (struct partition){.device = device, .place = *place};
    if (place->number == 0) {
        (void)format(own->name, sizeof own->name, "%s", name);
    } else {
        (void)format(own->name, sizeof own->name, "%s%u", name, place->number);
    }
}

static void table_add(struct block_device *device)
{
    const struct partition_disk disk = {.name = block_device_facts(device)->name,
                                        .size = block_device_size(device),
                                        .block_size = block_device_facts(device)->block_size,
                                        .read = disk_read,
                                        .state = device};
    struct partition_table table;
    partition_table_read(&disk, &table);
    for (uint32_t i = 0; i < table.count; ++i) {
        add(device, &table.places[i]);
    }
}

void partitions_find(void)
{
    static const struct partition_place whole;
    struct block_device *device;
    for (uint32_t i = 0; (device = block_device_at(i)) != NULL; ++i) {
        add(device, &whole);
        table_add(device);
    }
}

const struct partition *partition_at(uint32_t index)
{
    return index < count ? &list[index] : NULL;
}

// A GUID as people write it: three numbers, whose bytes lie the other way round, and eight bytes.
static void id_print(const uint8_t id[PARTITION_ID_SIZE], char text[ID_TEXT_SIZE])
{
    static const uint8_t order[PARTITION_ID_SIZE] = {3, 2, 1,  0,  5,  4,  7,  6,
                                                     8, 9, 10, 11, 12, 13, 14, 15};
    size_t at = 0;
    for (uint32_t i = 0; i < PARTITION_ID_SIZE; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            text[at++] = '-';
        }
        (void)format(text + at, ID_TEXT_SIZE - at, "%02x", id[order[i]]);
        at += 2;
    }
}

const struct partition *partition_find(const char *name)
{
    static const char prefix[] = "partuuid:";
    static const uint8_t none[PARTITION_ID_SIZE];
    const bool is_id = strncmp(name, prefix, sizeof prefix - 1) == 0;
    for (uint32_t i = 0; i < count; ++i) {
        char text[ID_TEXT_SIZE];
        id_print(list[i].place.id, text);
        if (is_id ? memcmp(list[i].place.id, none, sizeof none) != 0 &&
                        strcmp(name + sizeof prefix - 1, text) == 0
                  : strcmp(name, list[i].name) == 0) {
            return &list[i];
        }
    }
    return NULL;
}

uint64_t partition_size(const struct partition *partition)
{
    return partition->place.number == 0 ? block_device_size(partition->device)
                                        : partition->place.size;
}
