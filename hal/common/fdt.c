// SPDX-License-Identifier: BSD-3-Clause
// fdt.c: a flattened device tree: a header, and a stream of tokens in which nodes nest.
//
// A node is named by the offset of its BEGIN token, never 0. Walking never goes beyond the stream:
// each step moves forward by at least one word, and a step that would leave it ends the walk.
#include "hal/common/fdt.h"

#include "hal/common/string.h"

enum {
    FDT_BEGIN = 1,
    FDT_END = 2,
    FDT_PROPERTY = 3,
    FDT_NOP = 4,
    HEADER_SIZE = 40,
    RESERVED_SIZE = 16,
    CELL_SIZE = 4,
};

enum header {
    HEADER_MAGIC = 0,
    HEADER_TOTAL = 4,
    HEADER_NODES = 8,
    HEADER_STRINGS = 12,
    HEADER_RESERVED = 16,
    HEADER_NODES_SIZE = 36
};

static const uint32_t fdt_magic = 0xd00dfeed;

static uint32_t word(const char *bytes)
{
    const unsigned char *b = (const unsigned char *)bytes;
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static uint64_t cells(const char *bytes, uint32_t count)
{
    uint64_t value = 0;
    for (uint32_t i = 0; i < count; ++i) {
        value = value << 32 | word(bytes + (size_t)i * CELL_SIZE);
    }
    return value;
}

static uint32_t round_up(uint64_t size)
{
    return (uint32_t)((size + 3) & ~3ull);
}

static uint32_t token(const struct fdt *fdt, uint32_t at)
{
    return at + CELL_SIZE <= fdt->nodes_end ? word(fdt->blob + at) : 0;
}

// Bytes of a name, with the zero, that starts at `at`.
static uint32_t name_size(const struct fdt *fdt, uint32_t at)
{
    uint32_t size = 0;
    while (at + size < fdt->nodes_end && fdt->blob[at + size] != 0) {
        ++size;
    }
    return size + 1;
}

// The token after the one at `at`.
static uint32_t token_next(const struct fdt *fdt, uint32_t at)
{
    switch (token(fdt, at)) {
    case FDT_BEGIN:
        return at + CELL_SIZE + round_up(name_size(fdt, at + CELL_SIZE));
    case FDT_PROPERTY:
        if (at + 3 * CELL_SIZE > fdt->nodes_end || word(fdt->blob + at + CELL_SIZE) > fdt->size) {
            return fdt->nodes_end;
        }
        return at + 3 * CELL_SIZE + round_up(word(fdt->blob + at + CELL_SIZE));
    case FDT_END:
    case FDT_NOP:
        return at + CELL_SIZE;
    default:
        return fdt->nodes_end;
    }
}

bool fdt_open(struct fdt *fdt, const void *blob)
{
    const char *header = blob;
    if (word(header + HEADER_MAGIC) != fdt_magic) {
        return false;
    }
    *fdt = (struct fdt){
        .blob = blob,
        .size = word(header + HEADER_TOTAL),
        .nodes_start = word(header + HEADER_NODES),
        .nodes_end = word(header + HEADER_NODES) + word(header + HEADER_NODES_SIZE),
        .strings_start = word(header + HEADER_STRINGS),
        .address_cells = 2,
        .size_cells = 1,
    };
    if (fdt->size < HEADER_SIZE || fdt->nodes_end > fdt->size ||
        fdt->nodes_start > fdt->nodes_end || fdt->strings_start > fdt->size) {
        return false;
    }
    uint64_t value;
    fdt->address_cells =
        fdt_number(fdt, fdt->nodes_start, "#address-cells", &value) ? (uint32_t)value : 2;
    fdt->size_cells =
        fdt_number(fdt, fdt->nodes_start, "#size-cells", &value) ? (uint32_t)value : 1;
    return fdt->address_cells <= 2 && fdt->size_cells <= 2;
}

uint32_t fdt_child(const struct fdt *fdt, uint32_t node)
{
    // Depth 1 is inside the root.
    uint32_t at = node == 0 ? fdt->nodes_start : node;
    unsigned depth = node == 0 ? 0 : 1;
    while (at < fdt->nodes_end) {
        const uint32_t kind = token(fdt, at);
        if (kind == FDT_BEGIN) {
            if (token_next(fdt, at) > fdt->nodes_end) {
                break; // its name has no end
            }
            if (depth == 1 && at != node) {
                return at;
            }
            ++depth;
        } else if (kind == FDT_END && --depth == 0) {
            break;
        }
        at = token_next(fdt, at);
    }
    return 0;
}

const char *fdt_name(const struct fdt *fdt, uint32_t node)
{
    return fdt->blob + node + CELL_SIZE;
}

// Whether the string block has name at offset.
static bool is_string(const struct fdt *fdt, uint32_t offset, const char *name)
{
    const size_t size = text_size(name) + 1, room = fdt->size - fdt->strings_start;
    return offset < room && size <= room - offset &&
           memcmp(fdt->blob + fdt->strings_start + offset, name, size) == 0;
}

const char *fdt_property(const struct fdt *fdt, uint32_t node, const char *name, size_t *size)
{
    for (uint32_t at = token_next(fdt, node); at < fdt->nodes_end; at = token_next(fdt, at)) {
        const uint32_t kind = token(fdt, at);
        if (kind != FDT_PROPERTY && kind != FDT_NOP) {
            break; // properties come before children
        }
        const uint32_t next = token_next(fdt, at);
        if (kind == FDT_PROPERTY && next < fdt->nodes_end) {
            const uint32_t string = word(fdt->blob + at + 2 * CELL_SIZE);
            if (is_string(fdt, string, name)) {
                *size = word(fdt->blob + at + CELL_SIZE);
                return fdt->blob + at + 3 * CELL_SIZE;
            }
        }
    }
    return NULL;
}

bool fdt_number(const struct fdt *fdt, uint32_t node, const char *name, uint64_t *value)
{
    size_t size;
    const char *bytes = fdt_property(fdt, node, name, &size);
    if (bytes == NULL || (size != CELL_SIZE && size != 2 * CELL_SIZE)) {
        return false;
    }
    *value = cells(bytes, (uint32_t)size / CELL_SIZE);
    return true;
}

const char *fdt_text(const struct fdt *fdt, uint32_t node, const char *name)
{
    size_t size;
    const char *text = fdt_property(fdt, node, name, &size);
    return text != NULL && size > 0 && text[size - 1] == 0 ? text : NULL;
}

bool fdt_is_compatible(const struct fdt *fdt, uint32_t node, const char *model)
{
    size_t size = 0;
    const char *models = fdt_property(fdt, node, "compatible", &size);
    if (fdt_text(fdt, node, "compatible") == NULL) {
        return false;
    }
    for (size_t at = 0; at < size; at += text_size(models + at) + 1) {
        if (text_is(models + at, model)) {
            return true;
        }
    }
    return false;
}

bool fdt_region(const struct fdt *fdt, uint32_t node, size_t index, struct hal_region *region)
{
    size_t size;
    const char *bytes = fdt_property(fdt, node, "reg", &size);
    const size_t entry = (size_t)(fdt->address_cells + fdt->size_cells) * CELL_SIZE;
    if (bytes == NULL || (index + 1) * entry > size) {
        return false;
    }
    bytes += index * entry;
    region->start = cells(bytes, fdt->address_cells);
    region->size = cells(bytes + (size_t)fdt->address_cells * CELL_SIZE, fdt->size_cells);
    return true;
}

bool fdt_reserved(const struct fdt *fdt, size_t index, struct hal_region *region)
{
    const uint64_t at = word(fdt->blob + HEADER_RESERVED) + index * RESERVED_SIZE;
    if (at + RESERVED_SIZE > fdt->size) {
        return false;
    }
    region->start = cells(fdt->blob + at, 2);
    region->size = cells(fdt->blob + at + 2 * CELL_SIZE, 2);
    return region->size != 0;
}
