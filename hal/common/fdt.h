// SPDX-License-Identifier: BSD-3-Clause
// fdt.h: a flattened device tree (devicetree.org specification v0.4, chapter 5), as far as a
// virtual machine's goes.
//
// Only the root's own children are seen: what a kernel needs to know first is there. Everything is
// checked against the size that the tree says it has.
#ifndef HAL_COMMON_FDT_H
#define HAL_COMMON_FDT_H

#include "hal/hal.h"

struct fdt {
    const char *blob;
    uint32_t size;
    uint32_t nodes_start, nodes_end, strings_start;
    uint32_t address_cells, size_cells; // of the root's children
};

// False: there is no device tree at blob.
bool fdt_open(struct fdt *fdt, const void *blob);

// The child after node, the first one after 0; 0 at the end.
uint32_t fdt_child(const struct fdt *fdt, uint32_t node);

// "memory@40000000"
const char *fdt_name(const struct fdt *fdt, uint32_t node);

// The bytes of a property, or NULL.
const char *fdt_property(const struct fdt *fdt, uint32_t node, const char *name, size_t *size);

// A property that is text, or NULL.
const char *fdt_text(const struct fdt *fdt, uint32_t node, const char *name);

// A property of one or two cells. False: there is none.
bool fdt_number(const struct fdt *fdt, uint32_t node, const char *name, uint64_t *value);

// Whether the node's "compatible" lists model.
bool fdt_is_compatible(const struct fdt *fdt, uint32_t node, const char *model);

// Entry index of "reg". False: there are fewer.
bool fdt_region(const struct fdt *fdt, uint32_t node, size_t index, struct hal_region *region);

// Entry index of the memory that the loader keeps for itself. False: there are fewer.
bool fdt_reserved(const struct fdt *fdt, size_t index, struct hal_region *region);

#endif
