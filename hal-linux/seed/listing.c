// SPDX-License-Identifier: BSD-3-Clause
// listing.c: directories of the host list their entries by name: in which order a host's file
// system has them is no part of a run.
//
// What a directory holds is read when its first entries are asked for, and again when they are
// asked for again (rewinddir); in between the answers come from there, since a place in a sorted
// list means nothing where entries come and go. POSIX leaves it open which of those are listed. An
// entry's position is its number in the list.
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hal-linux/machine.h"
#include "hal-linux/syscall.h"

enum { LISTINGS_MAX = 1 << 20, READ_SIZE = 1 << 15 };

// The table of places lies behind the entries, in the same piece of memory.
static struct listing {
    char *entries; // as the host gave them; NULL: not read yet
    size_t size;   // of the piece of memory
    uint32_t *places;
    uint64_t count;
} listings[LISTINGS_MAX]; // by descriptor

static const struct machine_entry *entry_at(const struct listing *listing, uint64_t i)
{
    return (const struct machine_entry *)(listing->entries + listing->places[i]);
}

static bool is_before(const struct listing *listing, uint64_t i, uint64_t j)
{
    const char *a = entry_at(listing, i)->name, *b = entry_at(listing, j)->name;
    while (*a != 0 && *a == *b) {
        ++a;
        ++b;
    }
    return (unsigned char)*a < (unsigned char)*b;
}

static void swap(struct listing *listing, uint64_t i, uint64_t j)
{
    uint32_t place = listing->places[i];
    listing->places[i] = listing->places[j];
    listing->places[j] = place;
}

// Heapsort (Williams, 1964): no recursion, no more memory.
static void sift_down(struct listing *listing, uint64_t parent, uint64_t end)
{
    for (uint64_t child; (child = 2 * parent + 1) < end; parent = child) {
        if (child + 1 < end && is_before(listing, child, child + 1)) {
            ++child;
        }
        if (!is_before(listing, parent, child)) {
            return;
        }
        swap(listing, parent, child);
    }
}

static void sort(struct listing *listing)
{
    for (uint64_t i = listing->count / 2; i > 0; --i) {
        sift_down(listing, i - 1, listing->count);
    }
    for (uint64_t end = listing->count; end > 1; --end) {
        swap(listing, 0, end - 1);
        sift_down(listing, 0, end - 1);
    }
}

// At least size bytes. 0 or -errno.
static int grow(struct listing *listing, size_t size)
{
    if (size <= listing->size) {
        return 0;
    }
    size = size < 2 * listing->size ? 2 * listing->size : size;
    long at = listing->size == 0 ? syscall6(SYS_mmap, 0, (long)size, PROT_READ | PROT_WRITE,
                                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
                                 : syscall4(SYS_mremap, (long)listing->entries, (long)listing->size,
                                            (long)size, MREMAP_MAYMOVE);
    if (at < 0 && at >= -4095) {
        return (int)at;
    }
    listing->entries = (char *)at;
    listing->size = size;
    return 0;
}

// All that the host has, as it has it; *end is where that ends. 0 or -errno.
static int read_all(struct listing *listing, int fd, size_t *end)
{
    *end = 0;
    listing->count = 0;
    long got = syscall3(SYS_lseek, fd, 0, SEEK_SET);
    if (got < 0) {
        return (int)got;
    }
    do {
        int error = grow(listing, *end + READ_SIZE);
        if (error != 0) {
            return error;
        }
        got = syscall3(SYS_getdents64, fd, (long)(listing->entries + *end), READ_SIZE);
        for (long at = 0; at < got; ++listing->count) {
            at += ((struct machine_entry *)(listing->entries + *end + at))->size;
        }
        *end += got > 0 ? (size_t)got : 0;
    } while (got > 0 && *end <= UINT32_MAX);
    return got > 0 ? -EOVERFLOW : (int)got;
}

static int listing_read(struct listing *listing, int fd)
{
    size_t end;
    int error = read_all(listing, fd, &end); // which is a multiple of 8: so getdents64 has it
    if (error == 0) {
        error = grow(listing, end + listing->count * sizeof *listing->places);
    }
    if (error != 0) {
        return error;
    }
    listing->places = (uint32_t *)(listing->entries + end);
    uint32_t place = 0;
    for (uint64_t i = 0; i < listing->count; ++i) {
        listing->places[i] = place;
        place += ((struct machine_entry *)(listing->entries + place))->size;
    }
    sort(listing);
    return 0;
}

long machine_directory_read(int fd, uint64_t position, char *to, size_t size)
{
    if (fd >= LISTINGS_MAX) {
        return -ENFILE;
    }
    struct listing *listing = &listings[fd];
    if (position == 0 || listing->entries == NULL) {
        int error = listing_read(listing, fd);
        if (error != 0) {
            machine_directory_close(fd);
            return error;
        }
    }
    size_t used = 0;
    for (uint64_t i = position; i < listing->count; ++i) {
        const struct machine_entry *entry = entry_at(listing, i);
        if (entry->size > size - used) {
            return used == 0 ? -EINVAL : (long)used;
        }
        for (size_t byte = 0; byte < entry->size; ++byte) {
            to[used + byte] = ((const char *)entry)[byte];
        }
        ((struct machine_entry *)(to + used))->next = (int64_t)(i + 1);
        used += entry->size;
    }
    return (long)used;
}

void machine_directory_close(int fd)
{
    struct listing *listing = &listings[fd];
    if (fd < LISTINGS_MAX && listing->entries != NULL) {
        syscall3(SYS_munmap, (long)listing->entries, (long)listing->size, 0);
        *listing = (struct listing){0};
    }
}
