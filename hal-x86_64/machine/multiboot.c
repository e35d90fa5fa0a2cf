// SPDX-License-Identifier: BSD-3-Clause
// multiboot.c: what a loader says by Multiboot2 (GNU, 2.0, 3.6 "Boot information format"): a list
// of tags.
//
// A tag is read only as far as its own size and that of the whole list say that it reaches.
#include "multiboot.h"

#include "hal/common/crash.h"

enum { SIZE_MAX_SANE = 1 << 20, TAG_ALIGN = 8, MEMORY_ENTRY_SIZE = 24 };

enum type {
    TYPE_END,
    TYPE_COMMAND_LINE,
    TYPE_MODULE = 3,
    TYPE_MEMORY = 6,
    TYPE_RSDP_OLD = 14, // a copy of ACPI 1.0's
    TYPE_RSDP_NEW = 15,
    TYPE_SERVICES = 18, // EFI's boot services still run
};

struct tag {
    uint32_t type, size;
};

struct tag_module {
    struct tag tag;
    uint32_t start, end; // and a text
};

struct tag_memory {
    struct tag tag;
    uint32_t entry_size, version; // and entries
};

static void module_read(struct loader *loader, const struct tag *tag)
{
    const struct tag_module *module = (const struct tag_module *)tag;
    if (tag->size >= sizeof *module && module->start < module->end) {
        loader_module_add(loader, module->start, module->end - module->start);
    }
}

static void memory_read(struct loader *loader, const struct tag *tag)
{
    const struct tag_memory *memory = (const struct tag_memory *)tag;
    if (tag->size > sizeof *memory && memory->entry_size >= MEMORY_ENTRY_SIZE) {
        loader_memory_read(loader, memory + 1, (tag->size - sizeof *memory) / memory->entry_size,
                           memory->entry_size);
    }
}

// True where the text that follows the tag's head ends in it.
static bool has_text(const struct tag *tag)
{
    const char *text = (const char *)tag;
    return tag->size > sizeof *tag && text[tag->size - 1] == 0;
}

// place is the tag's physical address.
static void tag_read(struct loader *loader, const struct tag *tag, hal_phys place)
{
    switch (tag->type) {
    case TYPE_COMMAND_LINE:
        loader->line = has_text(tag) ? (const char *)(tag + 1) : NULL;
        break;
    case TYPE_MODULE:
        module_read(loader, tag);
        break;
    case TYPE_MEMORY:
        memory_read(loader, tag);
        break;
    case TYPE_RSDP_OLD:
        loader->rsdp = loader->rsdp == 0 ? place + sizeof *tag : loader->rsdp;
        break;
    case TYPE_RSDP_NEW:
        loader->rsdp = place + sizeof *tag;
        break;
    default:
        crash_unless(tag->type != TYPE_SERVICES, "the loader has left EFI's boot services running");
        break;
    }
}

void multiboot_read(struct loader *loader, const char *info, hal_phys address)
{
    const uint32_t size = *(const uint32_t *)(const void *)info;
    crash_unless(size <= SIZE_MAX_SANE, "not started by Multiboot2");
    uint32_t at = TAG_ALIGN; // behind the size and a reserved word
    while (at + sizeof(struct tag) <= size) {
        const struct tag *tag = (const struct tag *)(const void *)(info + at);
        if (tag->type == TYPE_END || tag->size < sizeof *tag || tag->size > size - at) {
            break;
        }
        tag_read(loader, tag, address + at);
        at += (tag->size + TAG_ALIGN - 1) & ~(uint32_t)(TAG_ALIGN - 1);
    }
    crash_unless(loader->ram.count > 0, "no memory map");
}
