// SPDX-License-Identifier: BSD-3-Clause
// tree.c: what the device tree says.
#include "tree.h"

#include "hal/common/cmdline.h"
#include "hal/common/fdt.h"
#include "hal/common/string.h"

static bool name_starts(const char *name, const char *start)
{
    const size_t size = text_size(start);
    return text_size(name) >= size && memcmp(name, start, size) == 0;
}

static void memory_read(struct tree *tree, const struct fdt *fdt, uint32_t node)
{
    struct hal_region region;
    for (size_t i = 0; fdt_region(fdt, node, i, &region); ++i) {
        memory_list_add(&tree->ram, region.start, region.size);
    }
}

static void chosen_read(struct tree *tree, const struct fdt *fdt, uint32_t node)
{
    size_t size;
    tree->args = cmdline_split(fdt_text(fdt, node, "bootargs"));
    uint64_t start, end;
    if (fdt_number(fdt, node, "linux,initrd-start", &start) &&
        fdt_number(fdt, node, "linux,initrd-end", &end) && start < end) {
        tree->module = (struct hal_module){.name = "initrd", .start = start, .size = end - start};
    }
    const char *seed = fdt_property(fdt, node, "rng-seed", &size);
    if (seed != NULL) {
        tree->seed_size = size < TREE_SEED_MAX ? size : TREE_SEED_MAX;
        memcpy(tree->seed, seed, tree->seed_size);
    }
}

static void device_read(struct tree *tree, const struct fdt *fdt, uint32_t node)
{
    if (fdt_is_compatible(fdt, node, "arm,pl011") && tree->serial.start == 0) {
        (void)fdt_region(fdt, node, 0, &tree->serial);
    } else if (fdt_is_compatible(fdt, node, "arm,pl031")) {
        (void)fdt_region(fdt, node, 0, &tree->rtc);
    } else if (fdt_is_compatible(fdt, node, "arm,cortex-a15-gic") ||
               fdt_is_compatible(fdt, node, "arm,gic-400")) {
        (void)fdt_region(fdt, node, 0, &tree->distributor);
        (void)fdt_region(fdt, node, 1, &tree->interrupts);
    } else if (text_is(fdt_name(fdt, node), "psci")) {
        const char *method = fdt_text(fdt, node, "method");
        tree->psci_by_smc = method != NULL && text_is(method, "smc");
    }
}

bool tree_read(struct tree *tree, const void *blob, hal_phys blob_phys)
{
    struct fdt fdt;
    if (!fdt_open(&fdt, blob)) {
        return false;
    }
    tree->args = cmdline_split(NULL);
    for (uint32_t node = fdt_child(&fdt, 0); node != 0; node = fdt_child(&fdt, node)) {
        const char *name = fdt_name(&fdt, node);
        if (name_starts(name, "memory@") || text_is(name, "memory")) {
            memory_read(tree, &fdt, node);
        } else if (text_is(name, "chosen")) {
            chosen_read(tree, &fdt, node);
        } else {
            device_read(tree, &fdt, node);
        }
    }
    memory_list_add(&tree->reserved, blob_phys & ~(hal_phys)(HAL_PAGE_SIZE - 1),
                    fdt.size + 2ull * HAL_PAGE_SIZE);
    struct hal_region region;
    for (size_t i = 0; fdt_reserved(&fdt, i, &region); ++i) {
        memory_list_add(&tree->reserved, region.start & ~(hal_phys)(HAL_PAGE_SIZE - 1),
                        region.size + 2ull * HAL_PAGE_SIZE);
    }
    return true;
}
