// SPDX-License-Identifier: BSD-3-Clause
// system.c: the kernel as a library: the symbols of libc.so.6 and of its kin.
//
// The table comes sorted by name and then version, with an index by hash that leads to the first of
// equal names, which are neighbours. Data objects that the program has copied are in a short list
// of moves.
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
    struct elf_symbols symbols;
    const struct elf_copied *copied;
    size_t copied_count;
    struct move *moves; // as many as copied, at most: a symbol has one address in all versions
    size_t move_count;
} table;

struct span {
    size_t first, end;
};

const char *elf_system_name(const struct elf_symbol *symbol)
{
    return table.symbols.texts + symbol->name;
}

static bool is_named(const struct elf_symbol *symbol, const char *name, uint32_t hash)
{
    return symbol->hash == hash >> 16 && strcmp(elf_system_name(symbol), name) == 0;
}

// The symbols of that name; none: an empty span.
static struct span name_find(const char *name, uint32_t hash)
{
    const struct elf_symbols *all = &table.symbols;
    size_t mask = all->bucket_count - 1;
    for (size_t bucket = hash & mask; all->count != 0 && all->buckets[bucket] != 0;
         bucket = (bucket + 1) & mask) {
        size_t first = all->buckets[bucket] - 1u;
        if (!is_named(&all->symbols[first], name, hash)) {
            continue;
        }
        size_t end = first + 1;
        while (end < all->count && is_named(&all->symbols[end], name, hash)) {
            ++end;
        }
        return (struct span){first, end};
    }
    return (struct span){0, 0};
}

void elf_system_register(const struct elf_symbols *symbols, const struct elf_copied *copied,
                         size_t copied_count)
{
    ASSERT(symbols->bucket_count > symbols->count);
    ASSERT((symbols->bucket_count & (symbols->bucket_count - 1)) == 0);
    heap_free(table.moves);
    table.symbols = *symbols;
    table.copied = copied;
    table.copied_count = copied_count;
    table.move_count = 0;
    table.moves = heap_alloc((copied_count + 1) * sizeof(struct move));
    ASSERT(table.moves != NULL);
    for (size_t i = 0; i < copied_count; ++i) {
        struct span span = name_find(copied[i].name, elf_gnu_hash(copied[i].name));
        for (size_t j = span.first; j < span.end; ++j) {
            symbols->symbols[j].is_data = true;
        }
    }
}

void elf_system_tls_set(const char *name, int64_t offset)
{
    struct span span = name_find(name, elf_gnu_hash(name));
    for (size_t i = span.first; i < span.end; ++i) {
        table.symbols.symbols[i].is_tls = true;
        table.symbols.symbols[i].tls_offset = offset;
    }
}

void elf_system_address_set(const char *name, void *address)
{
    struct span span = name_find(name, elf_gnu_hash(name));
    for (size_t i = span.first; i < span.end; ++i) {
        table.symbols.symbols[i].address = address;
    }
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

static const char *version_of(const struct elf_symbol *symbol)
{
    return table.symbols.versions[symbol->version];
}

static bool is_private(const struct elf_symbol *symbol)
{
    return strcmp(version_of(symbol), "GLIBC_PRIVATE") == 0;
}

static const struct elf_symbol *version_choose(const struct span *span,
                                               const struct elf_reference *reference)
{
    const struct elf_symbol *best = NULL;
    for (size_t i = span->first; i < span->end; ++i) {
        const struct elf_symbol *symbol = &table.symbols.symbols[i];
        if (reference->version != NULL) {
            if (strcmp(version_of(symbol), reference->version->name) == 0) {
                return symbol;
            }
            continue;
        }
        bool is_newer =
            best == NULL || is_private(best) ||
            (version_compare(version_of(best), version_of(symbol)) < 0 && !is_private(symbol));
        bool is_better = (reference->flags & ELF_LOOKUP_NEWEST) != 0 ? is_newer : best == NULL;
        best = is_better ? symbol : best;
    }
    return best;
}

const struct elf_symbol *elf_system_lookup(const struct elf_reference *reference)
{
    struct span span = name_find(reference->name, reference->gnu_hash);
    return version_choose(&span, reference);
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
    for (size_t i = 0; i < table.symbols.count; ++i) {
        const struct elf_symbol *symbol = &table.symbols.symbols[i];
        if (!symbol->is_tls && symbol->address == address) {
            return symbol;
        }
    }
    return NULL;
}

// The last of several copies counts.
static void move_note(const void *from, char *to)
{
    size_t place = 0;
    while (place < table.move_count && table.moves[place].from != from) {
        ++place;
    }
    ASSERT(place < table.copied_count);
    table.moves[place] = (struct move){from, to};
    table.move_count = place == table.move_count ? place + 1 : table.move_count;
}

// An object that is not in the list of copied ones is one that never changes, and is just copied.
void elf_system_copy(const struct elf_symbol *symbol, char *target, size_t size)
{
    for (size_t i = 0; i < table.copied_count; ++i) {
        const struct elf_copied *copied = &table.copied[i];
        if (strcmp(copied->name, elf_system_name(symbol)) == 0) {
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
// what the table lacks of it becomes stubs. libtsan is: where an application was compiled for it,
// the machine is what looks at its accesses to memory.
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
