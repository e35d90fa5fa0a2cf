// SPDX-License-Identifier: BSD-3-Clause
// loader.c: what the boot loader says, by any protocol: a map of memory in entries alike, a command
// line, modules.
#include "loader.h"

#include "hal/common/crash.h"
#include "hal/common/image.h"

#include "layout.h"
#include "multiboot.h"

enum {
    PVH_MAGIC = 0x336ec578,
    LINUX_MAGIC = 0x53726448, // "HdrS"
    LINUX_MEMORY_MAX = 128,   // entries that the page has room for
    MEMORY_RAM = 1,           // in all
    REAL_MODE_MEMORY = 0xa0000,
    BIOS_MEMORY = 0x10000, // as Linux keeps by default: its option reservelow
    MEMORY_ENTRIES_MAX = 4096,
};

struct start_info {
    uint32_t magic, version, flags, module_count;
    uint64_t modules, command_line, rsdp, memory_map;
    uint32_t memory_map_count, reserved;
};

struct start_module {
    uint64_t start, size, command_line, reserved;
};

struct start_memory {
    uint64_t start, size;
    uint32_t type, reserved;
};

struct linux_memory {
    uint64_t start, size;
    uint32_t type;
} __attribute__((packed));

// Of Linux's page of parameters what we read.
struct linux_page {
    uint8_t screen[0x70];
    uint64_t rsdp;
    uint8_t firmware[0xc0 - 0x78];
    uint32_t module_start_high, module_size_high, command_line_high;
    uint8_t more[0x1e8 - 0xcc];
    uint8_t memory_count;
    uint8_t sectors[0x202 - 0x1e9];
    uint32_t magic;
    uint8_t header[0x218 - 0x206];
    uint32_t module_start, module_size;
    uint8_t pointers[0x228 - 0x220];
    uint32_t command_line;
    uint8_t rest[0x2d0 - 0x22c];
    struct linux_memory memory[LINUX_MEMORY_MAX];
} __attribute__((packed));

_Static_assert(offsetof(struct linux_page, module_start_high) == 0xc0, "zero-page.rst");
_Static_assert(offsetof(struct linux_page, magic) == 0x202, "boot.rst");
_Static_assert(offsetof(struct linux_page, command_line) == 0x228, "boot.rst");
_Static_assert(offsetof(struct linux_page, memory) == 0x2d0, "zero-page.rst");

static const void *phys_pointer(hal_phys address)
{
    crash_unless(address < BOOT_MAPPED, "boot information lies above 4 GiB");
    return (const char *)LAYOUT_DIRECT + address;
}

static const char *text_at(hal_phys address)
{
    return address == 0 ? NULL : phys_pointer(address);
}

// ---- Memory ----------------------------------------------------------------

// The entries of all protocols begin alike; they may overlap, and what is not RAM wins.
void loader_memory_read(struct loader *loader, const void *entries, size_t count, size_t size)
{
    for (size_t pass = 0; pass < 2; ++pass) {
        for (size_t i = 0; i < count; ++i) {
            const struct linux_memory *entry =
                (const struct linux_memory *)((const char *)entries + i * size);
            if (pass == 0 && entry->type == MEMORY_RAM) {
                memory_list_add(&loader->ram, entry->start, entry->size);
            } else if (pass == 1 && entry->type != MEMORY_RAM) {
                memory_list_remove(&loader->ram, entry->start, entry->size);
            }
        }
    }
}

// The BIOS's own data, and what it may write to although its map does not say so, stay as they are.
static void memory_finish(struct loader *loader)
{
    loader->low_page = memory_list_take(&loader->ram, HAL_PAGE_SIZE, REAL_MODE_MEMORY);
    memory_list_remove(&loader->ram, 0, BIOS_MEMORY);
}

void loader_module_add(struct loader *loader, hal_phys start, uint64_t size)
{
    if (size != 0 && loader->module_count < LOADER_MODULE_MAX) {
        loader->modules[loader->module_count++] =
            (struct hal_module){.name = "initrd", .start = start, .size = size};
    }
}

static bool is_ram(const struct loader *loader, hal_phys start, uint64_t size)
{
    for (size_t i = 0; i < loader->ram.count; ++i) {
        const struct hal_region *region = &loader->ram.regions[i];
        if (start >= region->start && start - region->start <= region->size &&
            size <= region->size - (start - region->start)) {
            return true;
        }
    }
    return false;
}

// The root that was loaded with the kernel comes last: the loader's own module takes its place.
static void image_module_add(struct loader *loader)
{
    const struct image *image = &image_note.image;
    if (image->root_size != 0) {
        crash_unless(is_ram(loader, image->root_start, image->root_size),
                     "too little memory for the image; give the machine more");
        loader_module_add(loader, image->root_start, image->root_size);
    }
}

// ---- The protocols ---------------------------------------------------------

static void pvh_read(struct loader *loader, hal_phys address)
{
    const struct start_info *info = phys_pointer(address);
    crash_unless(info->magic == PVH_MAGIC, "not started by PVH");
    crash_unless(info->version >= 1 && info->memory_map_count <= MEMORY_ENTRIES_MAX,
                 "no memory map");
    loader_memory_read(loader, phys_pointer(info->memory_map), info->memory_map_count,
                       sizeof(struct start_memory));
    const struct start_module *modules =
        info->module_count == 0 ? NULL : phys_pointer(info->modules);
    for (uint32_t i = 0; i < info->module_count && i < LOADER_MODULE_MAX; ++i) {
        loader_module_add(loader, modules[i].start, modules[i].size);
    }
    loader->rsdp = info->rsdp;
    loader->line = text_at(info->command_line);
}

static void linux_read(struct loader *loader, hal_phys address)
{
    const struct linux_page *page = phys_pointer(address);
    crash_unless(page->magic == LINUX_MAGIC, "not started as Linux is");
    crash_unless(page->memory_count <= LINUX_MEMORY_MAX, "no memory map");
    loader_memory_read(loader, page->memory, page->memory_count, sizeof(struct linux_memory));
    loader_module_add(loader, (uint64_t)page->module_start_high << 32 | page->module_start,
                      (uint64_t)page->module_size_high << 32 | page->module_size);
    loader->rsdp = page->rsdp;
    loader->line = text_at((uint64_t)page->command_line_high << 32 | page->command_line);
}

void loader_read(struct loader *loader, enum loader_protocol protocol, hal_phys info)
{
    crash_unless(image_is_right(&image_note.image), "the image's command line is damaged");
    switch (protocol) {
    case LOADER_PVH:
        pvh_read(loader, info);
        break;
    case LOADER_LINUX:
        linux_read(loader, info);
        break;
    case LOADER_MULTIBOOT:
        multiboot_read(loader, phys_pointer(info), info);
        break;
    }
    loader->args = image_arguments(&image_note.image, loader->line);
    image_module_add(loader);
    memory_finish(loader);
}
