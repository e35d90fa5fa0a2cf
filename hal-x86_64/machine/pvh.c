// SPDX-License-Identifier: BSD-3-Clause
// pvh.c: what the boot loader says.
#include "pvh.h"

#include "hal/common/cmdline.h"
#include "hal/common/crash.h"

#include "layout.h"

enum {
    PVH_MAGIC = 0x336ec578,
    MEMORY_RAM = 1,
    LOW_MEMORY = 1 << 20,
    REAL_MODE_MEMORY = 0xa0000,
    MEMORY_ENTRIES_MAX = 4096
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

static const void *phys_pointer(hal_phys address)
{
    crash_unless(address < BOOT_MAPPED, "boot information lies above 4 GiB");
    return (const char *)LAYOUT_DIRECT + address;
}

// Without the first MiB, which belongs to firmware and to the start of other CPUs.
static void memory_read(struct pvh *pvh, const struct start_info *info)
{
    crash_unless(info->version >= 1 && info->memory_map_count <= MEMORY_ENTRIES_MAX,
                 "no memory map");
    const struct start_memory *entries = phys_pointer(info->memory_map);
    for (uint32_t i = 0; i < info->memory_map_count; ++i) {
        if (entries[i].type == MEMORY_RAM) {
            memory_list_add(&pvh->ram, entries[i].start, entries[i].size);
        }
    }
    for (uint32_t i = 0; i < info->memory_map_count; ++i) {
        if (entries[i].type != MEMORY_RAM) {
            memory_list_remove(&pvh->ram, entries[i].start, entries[i].size);
        }
    }
    pvh->low_page = memory_list_take(&pvh->ram, HAL_PAGE_SIZE, REAL_MODE_MEMORY);
    memory_list_remove(&pvh->ram, 0, LOW_MEMORY);
}

static void modules_read(struct pvh *pvh, const struct start_info *info)
{
    if (info->module_count == 0) {
        return;
    }
    const struct start_module *modules = phys_pointer(info->modules);
    for (uint32_t i = 0; i < info->module_count && i < PVH_MODULE_MAX; ++i) {
        pvh->modules[i] = (struct hal_module){
            .name = "initrd", .start = modules[i].start, .size = modules[i].size};
        ++pvh->module_count;
    }
}

void pvh_read(struct pvh *pvh, hal_phys address)
{
    const struct start_info *info = phys_pointer(address);
    crash_unless(info->magic == PVH_MAGIC, "not started by PVH");
    memory_read(pvh, info);
    modules_read(pvh, info);
    pvh->rsdp = info->rsdp;
    pvh->args = cmdline_split(info->command_line == 0 ? NULL : phys_pointer(info->command_line));
}
