// SPDX-License-Identifier: BSD-3-Clause
// hugefile.c: ramfs's files with large pages. In ramfs's tree such a page is 512 pages, which come
// and go together.
//
// Each page that was reserved has a bit. Invariant, under pages_lock: the pool keeps a page for
// each bit whose page is not there.
#include "core/vfs/hugefile.h"

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"
#include "core/vfs/memfile.h"
#include "core/vfs/ramfs_node.h"
#include "core/vfs/ramfs_pages.h"
#include "core/vm/hugepool.h"

enum { WORD_BITS = 64 };

struct hugefile {
    struct file *origin; // counted, or NULL
    // Guarded by pages_lock:
    uint64_t *reserved; // a bit for each page
    size_t word_count;
    bool is_discarding; // what goes stays reserved; changed with the node's lock, too
};

static struct ramfs_node *node_of(const struct file *file)
{
    return container_of(file->vnode, struct ramfs_node, vnode);
}

static bool bit_get(const struct hugefile *huge, uint64_t page)
{
    return page / WORD_BITS < huge->word_count &&
           (huge->reserved[page / WORD_BITS] >> page % WORD_BITS & 1) != 0;
}

static void bit_clear(struct hugefile *huge, uint64_t page)
{
    if (page / WORD_BITS < huge->word_count) {
        huge->reserved[page / WORD_BITS] &= ~((uint64_t)1 << page % WORD_BITS);
    }
}

// ---- Pages ---------------------------------------------------------------

// Zeros, or what the origin has there. False: it has ended before.
static bool page_fill(const struct hugefile *huge, uint64_t page, char *to)
{
    if (huge->origin == NULL) {
        memset(to, 0, HUGEPOOL_PAGE);
        return true;
    }
    struct ramfs_node *origin = node_of(huge->origin);
    mutex_lock(&origin->pages_lock);
    const bool is_there = page * HUGEPOOL_PAGE < origin->size;
    const char *from = is_there ? ramfs_page_get(origin, page * HUGEPOOL_FRAMES) : NULL;
    if (from != NULL) {
        memcpy(to, from, HUGEPOOL_PAGE);
    } else if (is_there) {
        memset(to, 0, HUGEPOOL_PAGE);
    }
    mutex_unlock(&origin->pages_lock);
    return is_there;
}

static bool page_insert(struct ramfs_node *node, uint64_t first, char *memory)
{
    uint64_t count = 0;
    while (count < HUGEPOOL_FRAMES &&
           ramfs_page_put(node, first + count, memory + count * HAL_PAGE_SIZE)) {
        ++count;
    }
    if (count == HUGEPOOL_FRAMES) {
        return true;
    }
    sequence_change_begin(&node->layout);
    while (count-- > 0) {
        (void)ramfs_page_take(node, first + count);
    }
    sequence_change_end(&node->layout);
    return false;
}

size_t ramfs_huge_make(struct ramfs_node *node, uint64_t index)
{
    const uint64_t page = index / HUGEPOOL_FRAMES;
    const bool is_reserved = bit_get(node->huge, page);
    hal_phys frames;
    if (hugepool_take(is_reserved, &frames) != 0) {
        return 0;
    }
    if (!page_fill(node->huge, page, frame_address(frames)) ||
        !page_insert(node, page * HUGEPOOL_FRAMES, frame_address(frames))) {
        hugepool_give(frames, is_reserved);
        return 0;
    }
    return HUGEPOOL_FRAMES - index % HUGEPOOL_FRAMES;
}

static void page_remove(struct ramfs_node *node, uint64_t page)
{
    struct hugefile *huge = node->huge;
    const hal_phys frames = frame_of(ramfs_page_get(node, page * HUGEPOOL_FRAMES));
    for (uint64_t i = 0; i < HUGEPOOL_FRAMES; ++i) {
        (void)ramfs_page_take(node, page * HUGEPOOL_FRAMES + i);
    }
    const bool stays = huge->is_discarding && bit_get(huge, page);
    if (!stays) {
        bit_clear(huge, page);
    }
    hugepool_give(frames, stays);
}

void ramfs_huge_cut(struct ramfs_node *node, uint64_t first, uint64_t end)
{
    struct hugefile *huge = node->huge;
    for (uint64_t index = ramfs_page_next(node, first, end); index < end;
         index = ramfs_page_next(node, index, end)) {
        page_remove(node, index / HUGEPOOL_FRAMES);
    }
    uint64_t last = end / HUGEPOOL_FRAMES;
    last = last < huge->word_count * WORD_BITS ? last : huge->word_count * WORD_BITS;
    size_t count = 0;
    for (uint64_t page = first / HUGEPOOL_FRAMES; page < last && !huge->is_discarding; ++page) {
        count += bit_get(huge, page);
        bit_clear(huge, page);
    }
    if (count > 0) {
        hugepool_unreserve(count);
    }
}

// ---- Reservations --------------------------------------------------------

static bool words_grow(struct hugefile *huge, size_t count)
{
    if (count <= huge->word_count) {
        return true;
    }
    uint64_t *words = heap_realloc(huge->reserved, count * sizeof *words);
    if (words == NULL) {
        return false;
    }
    memset(words + huge->word_count, 0, (count - huge->word_count) * sizeof *words);
    huge->reserved = words;
    huge->word_count = count;
    return true;
}

// pages_lock is held.
static int reserve_locked(struct ramfs_node *node, uint64_t first, uint64_t end)
{
    struct hugefile *huge = node->huge;
    if (!words_grow(huge, (end + WORD_BITS - 1) / WORD_BITS)) {
        return -ENOMEM;
    }
    size_t count = 0;
    for (uint64_t page = first; page < end; ++page) {
        count += !bit_get(huge, page) && ramfs_page_get(node, page * HUGEPOOL_FRAMES) == NULL;
    }
    int error = count > 0 ? hugepool_reserve(count) : 0;
    for (uint64_t page = first; page < end && error == 0; ++page) {
        huge->reserved[page / WORD_BITS] |= (uint64_t)1 << page % WORD_BITS;
    }
    return error;
}

int hugefile_reserve(struct file *file, uint64_t offset, uint64_t size)
{
    struct ramfs_node *node = node_of(file);
    if (offset > RAMFS_SIZE_MAX || size > RAMFS_SIZE_MAX - offset) {
        return -ENOMEM;
    }
    mutex_lock(&node->pages_lock);
    int error = reserve_locked(node, offset / HUGEPOOL_PAGE, (offset + size) / HUGEPOOL_PAGE);
    mutex_unlock(&node->pages_lock);
    return error;
}

// ---- Files ---------------------------------------------------------------

void hugefile_extend(struct file *file, uint64_t size)
{
    struct ramfs_node *node = node_of(file);
    mutex_lock(&node->lock);
    if (size > node->size && size <= RAMFS_SIZE_MAX) {
        ramfs_data_changed(node, size);
    }
    mutex_unlock(&node->lock);
}

static void discarding_set(struct ramfs_node *node, bool is_discarding)
{
    mutex_lock(&node->pages_lock);
    node->huge->is_discarding = is_discarding;
    mutex_unlock(&node->pages_lock);
}

int hugefile_discard(struct file *file, uint64_t offset, uint64_t size)
{
    struct ramfs_node *node = node_of(file);
    mutex_lock(&node->lock);
    discarding_set(node, true);
    int error = ramfs_data_cut(node, offset / HAL_PAGE_SIZE, (offset + size) / HAL_PAGE_SIZE);
    discarding_set(node, false);
    mutex_unlock(&node->lock);
    return error;
}

int hugefile_remove(struct file *file, uint64_t offset, uint64_t size)
{
    struct ramfs_node *node = node_of(file);
    mutex_lock(&node->lock);
    int error = ramfs_data_cut(node, offset / HAL_PAGE_SIZE, (offset + size) / HAL_PAGE_SIZE);
    mutex_unlock(&node->lock);
    return error;
}

bool hugefile_is(const struct file *file)
{
    return memfile_is(file) && node_of(file)->huge != NULL;
}

int hugefile_init(struct ramfs_node *node, struct file *origin)
{
    node->huge = heap_alloc_zeroed(sizeof *node->huge);
    if (node->huge == NULL) {
        return -ENOMEM;
    }
    if (origin != NULL) {
        file_get(origin);
        node->huge->origin = origin;
    }
    return 0;
}

void ramfs_huge_free(struct ramfs_node *node)
{
    if (node->huge->origin != NULL) {
        file_put(node->huge->origin);
    }
    heap_free(node->huge->reserved);
    heap_free(node->huge);
    node->huge = NULL;
}
