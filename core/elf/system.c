// SPDX-License-Identifier: BSD-3-Clause
// system.c: the kernel as a library: the symbols of libc.so.6 and of its kin.
//
// The table comes sorted by name and then version. A hash index is made of it once; equal names are
// neighbours, so that the index leads to the first. Data objects that the program has copied are in
// a short list of moves.
#include "core/elf/object.h"

#include "core/lib/assert.h"
#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"

struct elf_object elf_system = {.is_system = true,
                                .is_startup = true,
                                .is_initialised = true,
                                .path = (char *)elf_system_path,
                                .link_name = elf_system_path,
                                .origin = "/",
                                .soname = "libc.so.6"};

struct move {
    const void *from;
    char *to;
};

// Written once, before any program is loaded; moves under the loader's mutex while the program is
// loaded.
static struct {
    const struct elf_symbol *symbols;
    size_t count;
    uint32_t *hashes;  // by symbol
    uint32_t *buckets; // 1 + the first symbol; open addressing
    size_t bucket_mask;
    const struct elf_copied *copied;
    size_t copied_count;
    struct move *moves;
    size_t move_count;
} table;

static bool same_name(size_t a, size_t b)
{
    return table.hashes[a] == table.hashes[b] &&
           strcmp(table.symbols[a].name, table.symbols[b].name) == 0;
}

static void index_fill(void)
{
    for (size_t i = 0; i < table.count; ++i) {
        table.hashes[i] = elf_gnu_hash(table.symbols[i].name);
        if (i > 0 && same_name(i, i - 1)) {
            continue;
        }
        size_t bucket = table.hashes[i] & table.bucket_mask;
        while (table.buckets[bucket] != 0) {
            bucket = (bucket + 1) & table.bucket_mask;
        }
        table.buckets[bucket] = (uint32_t)i + 1;
    }
}

void elf_system_register(const struct elf_symbol *symbols, size_t count,
                         const struct elf_copied *copied, size_t copied_count)
{
    size_t bucket_count = 64;
    while (bucket_count < 2 * count) {
        bucket_count *= 2;
    }
    heap_free(table.hashes);
    heap_free(table.buckets);
    heap_free(table.moves);
    table.symbols = symbols;
    table.count = count;
    table.copied = copied;
    table.copied_count = copied_count;
    table.move_count = 0;
    table.bucket_mask = bucket_count - 1;
    table.hashes = heap_alloc((count + 1) * sizeof(uint32_t));
    table.buckets = heap_alloc_zeroed(bucket_count * sizeof(uint32_t));
    table.moves = heap_alloc((count + 1) * sizeof(struct move));
    ASSERT(table.hashes != NULL && table.buckets != NULL && table.moves != NULL);
    index_fill();
}

// Orders "GLIBC_2.2.5" before "GLIBC_2.14": numbers by value, the rest by letter.
static int version_compare(const char *a, const char *b)
{
    while (*a != '\0' && *b != '\0') {
        if (*a >= '0' && *a <= '9' && *b >= '0' && *b <= '9') {
            unsigned long x = 0, y = 0;
            for (; *a >= '0' && *a <= '9'; ++a) {
                x = x * 10 + (unsigned long)(*a - '0');
            }
            for (; *b >= '0' && *b <= '9'; ++b) {
                y = y * 10 + (unsigned long)(*b - '0');
            }
            if (x != y) {
                return x < y ? -1 : 1;
            }
        } else if (*a != *b) {
            return *a < *b ? -1 : 1;
        } else {
            ++a;
            ++b;
        }
    }
    return *a == *b ? 0 : *a == '\0' ? -1 : 1;
}

static bool is_private(const struct elf_symbol *symbol)
{
    return strcmp(symbol->version, "GLIBC_PRIVATE") == 0;
}

static const struct elf_symbol *version_choose(size_t first, size_t end,
                                               const struct elf_reference *reference)
{
    const struct elf_symbol *best = NULL;
    for (size_t i = first; i < end; ++i) {
        const struct elf_symbol *symbol = &table.symbols[i];
        if (reference->version != NULL) {
            if (strcmp(symbol->version, reference->version->name) == 0) {
                return symbol;
            }
            continue;
        }
        bool is_newer =
            best == NULL || is_private(best) ||
            (version_compare(best->version, symbol->version) < 0 && !is_private(symbol));
        bool is_better = (reference->flags & ELF_LOOKUP_NEWEST) != 0 ? is_newer : best == NULL;
        best = is_better ? symbol : best;
    }
    return best;
}

const struct elf_symbol *elf_system_lookup(const struct elf_reference *reference)
{
    if (table.count == 0) {
        return NULL;
    }
    size_t bucket = reference->gnu_hash & table.bucket_mask;
    for (; table.buckets[bucket] != 0; bucket = (bucket + 1) & table.bucket_mask) {
        size_t first = table.buckets[bucket] - 1;
        if (table.hashes[first] != reference->gnu_hash ||
            strcmp(table.symbols[first].name, reference->name) != 0) {
            continue;
        }
        size_t end = first + 1;
        while (end < table.count && same_name(end, first)) {
            ++end;
        }
        return version_choose(first, end, reference);
    }
    return NULL;
}

void *elf_system_address(const struct elf_symbol *symbol)
{
    if (symbol->is_tls) {
        return elf_tcb_pointer(elf_tcb_self()) + symbol->tls_offset;
    }
    for (size_t i = 0; symbol->is_data && i < table.move_count; ++i) {
        if (table.moves[i].from == symbol->address) {
            return table.moves[i].to;
        }
    }
    return symbol->address;
}

const struct elf_symbol *elf_system_symbol_at(const void *address)
{
    for (size_t i = 0; i < table.count; ++i) {
        if (!table.symbols[i].is_tls && table.symbols[i].address == address) {
            return &table.symbols[i];
        }
    }
    return NULL;
}

// The last of several copies counts, so that there are no more moves than symbols.
static void move_note(const void *from, char *to)
{
    size_t place = 0;
    while (place < table.move_count && table.moves[place].from != from) {
        ++place;
    }
    ASSERT(place < table.count);
    table.moves[place] = (struct move){from, to};
    table.move_count = place == table.move_count ? place + 1 : table.move_count;
}

// An object that is not in the list of copied ones is one that never changes, and is just copied.
void elf_system_copy(const struct elf_symbol *symbol, char *target, size_t size)
{
    for (size_t i = 0; i < table.copied_count; ++i) {
        const struct elf_copied *copied = &table.copied[i];
        if (strcmp(copied->name, symbol->name) == 0) {
            size = size < copied->size ? size : copied->size;
            memcpy(target, elf_system_address(symbol), size);
            *copied->pointer = target;
            move_note(symbol->address, target);
            return;
        }
    }
    memcpy(target, symbol->address, size);
}

// The libraries that are nothing but names for the kernel. libm.so.6 is not among them: it is the
// image's own file. libresolv.so.2 is, since the image's can work with no C library but its own;
// what the table lacks of it becomes stubs. libtsan is: where an application was compiled for it, the
// machine is what looks at its accesses to memory.
bool elf_system_supplies(const char *soname)
{
    static const char *const names[] = {
        "libc.so.6",      "libpthread.so.0",      "libdl.so.2",
        "librt.so.1",     "libutil.so.1",         "libanl.so.1",
        "libresolv.so.2", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1",
        "libtsan.so.0",   "libtsan.so.2"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); ++i) {
        if (strcmp(names[i], soname) == 0) {
            return true;
        }
    }
    return false;
}
