// SPDX-License-Identifier: BSD-3-Clause
// watchedblock.c: see watchedblock.h. One mutex guards all records, which lie in a tree by address.
//
// Nobody writes to a record's block while the mutex is free but the program: what is found there is
// its doing. Every mistake ends the process, by a report and as by SIGABRT.
#include "core/libc/watchedblock.h"

#include <signal.h>

#include "core/lib/format.h"
#include "core/lib/string.h"
#include "core/libc/callsite.h"
#include "core/libc/guardedblock.h"
#include "core/linux/process.h"
#include "core/linux/report.h"
#include "core/linux/trap.h"
#include "core/mem/heap.h"
#include "core/sync/mutex.h"
#include "hal/upcall.h"

enum { WAITING_MAX = 4096, WAITING_BYTES_MAX = 4 << 20 };

static struct mutex mutex;
static struct tree blocks; // guarded by mutex, as are the next four
static struct watched_block *oldest, *newest;
static size_t waiting_count, waiting_bytes;
static bool has_guards; // constant once the program runs

// ---- Records -------------------------------------------------------------

static struct watched_block *block_of(const struct tree_node *node)
{
    return (struct watched_block *)(uintptr_t)node; // its first member
}

static bool is_lower(const struct tree_node *a, const struct tree_node *b)
{
    return watched_start(block_of(a)) < watched_start(block_of(b));
}

// The last one that begins at address or below, and the first that begins above.
static struct watched_block *block_below(const char *address, struct watched_block **above)
{
    struct watched_block *below = NULL;
    const struct tree_node *node = blocks.root;
    *above = NULL;
    while (node != NULL) {
        struct watched_block *block = block_of(node);
        bool is_below = watched_start(block) <= address;
        *(is_below ? &below : above) = block;
        node = is_below ? node->right : node->left;
    }
    return below;
}

static struct watched_block *block_find(const void *start)
{
    struct watched_block *above;
    struct watched_block *block = block_below(start, &above);
    return block != NULL && watched_start(block) == start ? block : NULL;
}

struct watched_block *watched_block_at(const char *address)
{
    struct watched_block *above;
    struct watched_block *block = block_below(address, &above);
    bool holds = block != NULL && !block->is_free &&
                 (address < watched_start(block) + block->size || address == watched_start(block));
    return holds ? block : NULL;
}

struct watched_block *watched_block_above(const char *address)
{
    struct watched_block *above;
    struct watched_block *block = block_below(address, &above);
    block = block != NULL && watched_start(block) == address ? block : above;
    while (block != NULL && block->is_free) {
        const struct tree_node *next = tree_next(&block->node);
        block = next == NULL ? NULL : block_of(next);
    }
    return block;
}

// ---- Reports -------------------------------------------------------------

static void block_print(const struct watched_block *block)
{
    console_print("osv: heap: the block was allocated here:\n");
    callsite_print(block->allocated);
    if (block->is_free) {
        console_print("osv: heap: and freed here:\n");
        callsite_print(block->freed);
    }
}

// What was done to address, seen from the block.
static void access_print(const char *what, const char *address, const struct watched_block *block,
                         const char *found)
{
    const char *start = watched_start(block), *end = start + block->size;
    bool is_before = address < start, is_behind = address >= end;
    size_t distance = (size_t)(is_before ? start - address : address - (is_behind ? end : start));
    console_print("osv: heap: %s %p, %zu bytes %s a %sblock of %zu bytes at %p%s\n", what, address,
                  distance,
                  is_before   ? "before"
                  : is_behind ? "behind the end of"
                              : "into",
                  block->is_free ? "freed " : "", block->size, start, found);
    block_print(block);
}

HAL_NORETURN static void broken(void)
{
    report_fatal(SIGABRT, NULL, NULL);
    process_end(128 + SIGABRT);
}

static void damage_check(const struct watched_block *block, const char *found)
{
    const char *damage = has_guards ? guarded_block_damage(block) : NULL;
    if (damage != NULL) {
        access_print("write to", damage, block, found);
        broken();
    }
}

// The program's block at start.
static struct watched_block *block_check(const void *start, const char *call)
{
    struct watched_block *above;
    struct watched_block *block = block_find(start);
    if (block == NULL) {
        block = block_below(start, &above);
        if (block != NULL && (const char *)start < watched_start(block) + block->size) {
            access_print(call, start, block, ", not its start");
        } else {
            console_print("osv: heap: %s %p, which is no block of malloc\n", call, start);
        }
        broken();
    }
    if (block->is_free) {
        access_print(call, start, block, "");
        broken();
    }
    return block;
}

// Of a page that cannot be touched: is it a guard, or a freed block's?
static bool fault_explain(const struct hal_fault *fault)
{
    mutex_lock(&mutex);
    struct watched_block *above;
    struct watched_block *block = block_below(fault->va, &above);
    block = block != NULL && guarded_block_has(block, fault->va) ? block : above;
    bool is_ours = block != NULL && guarded_block_has(block, fault->va);
    if (is_ours) {
        access_print((fault->access & HAL_WRITE) != 0 ? "write to" : "read of", fault->va, block,
                     "");
    }
    mutex_unlock(&mutex);
    return is_ours;
}

void watched_blocks_check(void)
{
    const struct tree_node *node = tree_first(&blocks);
    for (; node != NULL; node = tree_next(node)) {
        if (!block_of(node)->is_free) {
            damage_check(block_of(node), "; found at exit");
        }
    }
}

// ---- Blocks --------------------------------------------------------------

static int memory_make(struct watched_block *block, size_t size, size_t alignment, bool zeroed)
{
    if (has_guards) {
        return guarded_block_make(block, size, alignment, zeroed);
    }
    char *start = heap_alloc_aligned(alignment, size);
    if (start == NULL) {
        return -1;
    }
    block->hidden_start = block->hidden_plain = ~(uintptr_t)start;
    block->size = size;
    if (zeroed) {
        memset(start, 0, size);
    }
    return 0;
}

static void *watched_alloc(size_t size, size_t alignment, bool zeroed)
{
    if (size > SIZE_MAX / 4 || alignment > SIZE_MAX / 4) {
        return NULL;
    }
    struct watched_block *block = heap_alloc_zeroed(sizeof *block);
    if (block == NULL) {
        return NULL;
    }
    block->allocated = callsite_here();
    mutex_lock(&mutex);
    int error = memory_make(block, size, alignment, zeroed);
    if (error == 0) {
        tree_insert(&blocks, &block->node, is_lower);
    }
    mutex_unlock(&mutex);
    if (error != 0) {
        heap_free(block);
        return NULL;
    }
    return watched_start(block);
}

static void block_forget(struct watched_block *block)
{
    tree_remove(&blocks, &block->node);
    heap_free(block);
}

static void oldest_release(void)
{
    struct watched_block *block = oldest;
    const char *late = guarded_block_late_write(block);
    if (late != NULL) {
        access_print("write to", late, block, "; found later");
        broken();
    }
    oldest = block->next;
    waiting_count--;
    waiting_bytes -= block->map == NULL ? block->size : 0;
    guarded_block_release(block);
    block_forget(block);
}

static void block_wait(struct watched_block *block)
{
    guarded_block_close(block);
    block->is_free = true;
    *(oldest == NULL ? &oldest : &newest->next) = block;
    newest = block;
    waiting_count++;
    waiting_bytes += block->map == NULL ? block->size : 0;
    while (oldest != NULL && (waiting_count > WAITING_MAX || waiting_bytes > WAITING_BYTES_MAX)) {
        oldest_release();
    }
}

static void watched_free(void *start)
{
    struct callsite *site = has_guards ? callsite_here() : NULL;
    mutex_lock(&mutex);
    struct watched_block *block = block_check(start, "free of");
    damage_check(block, "; found by free");
    if (has_guards) {
        block->freed = site;
        block_wait(block);
    } else {
        memset(start, 0, block->size); // no pointer is left in what is free
        heap_free(start);
        block_forget(block);
    }
    mutex_unlock(&mutex);
}

static size_t size_of(const void *start, const char *call)
{
    mutex_lock(&mutex);
    size_t size = block_check(start, call)->size;
    mutex_unlock(&mutex);
    return size;
}

static size_t watched_size(const void *start)
{
    return size_of(start, "malloc_usable_size of");
}

// Always to another place: who goes on with the old one is found.
static void *watched_realloc(void *start, size_t size)
{
    size_t old_size = size_of(start, "realloc of");
    void *moved = watched_alloc(size, HEAP_ALIGNMENT, false);
    if (moved != NULL) {
        memcpy(moved, start, old_size < size ? old_size : size);
        watched_free(start);
    }
    return moved;
}

int watched_blocks_begin(bool with_guards)
{
    static const struct heap_watcher watcher = {watched_alloc, watched_free, watched_realloc,
                                                watched_size};
    int error = callsite_start();
    if (error == 0) {
        has_guards = with_guards;
        heap_watch(&watcher);
        signal_fault_watch_set(fault_explain);
    }
    return error;
}
