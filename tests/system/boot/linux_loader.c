// SPDX-License-Identifier: BSD-3-Clause
// linux_loader.c: a boot loader by Linux's 64-bit protocol, as Firecracker is one: QEMU starts it
// by PVH, with the kernel as the initrd. 32-bit code, paging off.
#include <stdint.h>

enum {
    PAGE = 4096,
    SEGMENT_LOAD = 1,
    ZERO_PAGE_RSDP = 0x70,
    ZERO_PAGE_MEMORY_COUNT = 0x1e8,
    ZERO_PAGE_MAGIC = 0x202,
    ZERO_PAGE_COMMAND_LINE = 0x228,
    ZERO_PAGE_MEMORY = 0x2d0,
    ZERO_PAGE_MEMORY_SIZE = 20,
    LARGE = 0x83, // present, writable, 2 MiB
    TABLE = 3,
    GIB_MAPPED = 4,
};

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};

struct start_module {
    uint64_t start, size, command_line, reserved;
};

struct elf_header {
    uint8_t name[24];
    uint64_t entry, segments;
    uint8_t more[14];
    uint16_t segment_size, segment_count;
};

struct elf_segment {
    uint32_t type, flags;
    uint64_t offset, va, pa, file_size, memory_size, align;
};

// Read by linux_loader_start.S.
uint8_t zero_page[PAGE] __attribute__((aligned(PAGE)));
uint64_t tables[2 + GIB_MAPPED][PAGE / 8] __attribute__((aligned(PAGE)));

static void bytes_copy(uint32_t to, const uint8_t *from, uint32_t size)
{
    for (volatile uint8_t *at = (volatile uint8_t *)to; size > 0; --size) {
        *at++ = *from++;
    }
}

// Nothing is mapped but the first 4 GiB, at their physical addresses.
static void tables_make(void)
{
    tables[0][0] = (uint32_t)tables[1] | TABLE;
    for (uint32_t i = 0; i < GIB_MAPPED; ++i) {
        tables[1][i] = (uint32_t)tables[2 + i] | TABLE;
        for (uint32_t j = 0; j < PAGE / 8; ++j) {
            tables[2 + i][j] = (uint64_t)i << 30 | j << 21 | LARGE;
        }
    }
}

static void zero_page_make(const struct start_info *info)
{
    const uint8_t *entries = (const uint8_t *)(uint32_t)info->memory_map;
    for (uint32_t i = 0; i < info->memory_map_count; ++i) {
        bytes_copy((uint32_t)zero_page + ZERO_PAGE_MEMORY + i * ZERO_PAGE_MEMORY_SIZE,
                   entries + i * 24, ZERO_PAGE_MEMORY_SIZE);
    }
    zero_page[ZERO_PAGE_MEMORY_COUNT] = (uint8_t)info->memory_map_count;
    bytes_copy((uint32_t)zero_page + ZERO_PAGE_MAGIC, (const uint8_t *)"HdrS", 4);
    bytes_copy((uint32_t)zero_page + ZERO_PAGE_COMMAND_LINE, (const uint8_t *)&info->command_line,
               4);
    bytes_copy((uint32_t)zero_page + ZERO_PAGE_RSDP, (const uint8_t *)&info->rsdp, 8);
}

// Answers the kernel's entry.
uint32_t loader_run(const struct start_info *info)
{
    const struct start_module *module = (const struct start_module *)(uint32_t)info->modules;
    const uint32_t file = (uint32_t)module->start;
    const struct elf_header *header = (const struct elf_header *)file;
    const struct elf_segment *segments =
        (const struct elf_segment *)(file + (uint32_t)header->segments);
    for (uint32_t i = 0; i < header->segment_count; ++i) {
        if (segments[i].type == SEGMENT_LOAD) {
            bytes_copy((uint32_t)segments[i].pa,
                       (const uint8_t *)(file + (uint32_t)segments[i].offset),
                       (uint32_t)segments[i].file_size);
        }
    }
    zero_page_make(info);
    tables_make();
    return (uint32_t)header->entry;
}
