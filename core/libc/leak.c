// SPDX-License-Identifier: BSD-3-Clause
// leak.c: a search for pointers as a conservative collector makes it (Boehm and Weiser, 1988).
//
// A block is reachable if any aligned word of the roots, or of a reachable block, is the address of
// one of its bytes. Roots are what the program may write (the blocks themselves left out), core's
// own data and heap, which keep things for it (arguments of atexit, values of keys, its first
// thread's variables), and the registers of its threads. Blocks that only lost ones lead to are
// lost with those.
//
// Stale words would make lost blocks reachable: what is free was cleared by watchedblock.c, stacks
// that nobody uses are given back, and so is what lies below the stack pointer of each thread.
#include "core/libc/leak.h"

#include "core/elf/program.h"
#include "core/elf/tls.h"
#include "core/lib/format.h"
#include "core/lib/mark.h"
#include "core/lib/string.h"
#include "core/libc/callsite.h"
#include "core/libc/thread.h"
#include "core/libc/watchedblock.h"
#include "core/linux/machine.h"
#include "core/linux/process.h"
#include "core/linux/standstill.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/sched/thread.h"
#include "core/vm/vm.h"

enum mark { MARK_LOST, MARK_LOST_WITH, MARK_REACHABLE };
enum { MARKS = 3, RED_ZONE = 128, PAGE = HAL_PAGE_SIZE, WORD = sizeof(uintptr_t) };

static const struct {
    const char *claim;
    uint32_t shown_max; // groups
} kinds[MARKS] = {
    [MARK_LOST] = {"definitely lost", 100},
    [MARK_LOST_WITH] = {"lost with others", 20},
    [MARK_REACHABLE] = {"still reachable", 20},
};

static struct watched_block *found; // marked, and not yet looked through
static uintptr_t hidden_lowest;     // of all blocks, a complement as theirs are
static size_t span;                 // up to the highest's end
static bool only_starts;            // of blocks count
static const char *own_sp;          // what lies below is this file's

static bool is_in(uintptr_t address, const char *start, size_t size)
{
    return address - (uintptr_t)start < size;
}

// ---- Marking -------------------------------------------------------------

// Blocks that are only lost so far become mark; but for one.
static void word_follow(uintptr_t word, enum mark mark, const struct watched_block *but)
{
    if (word - ~hidden_lowest > span) {
        return;
    }
    struct watched_block *block = watched_block_at((const char *)word);
    bool counts = block != NULL && (!only_starts || watched_start(block) == (const char *)word);
    if (counts && block->mark == MARK_LOST && block != but) {
        block->mark = (uint8_t)mark;
        block->next = found;
        found = block;
    }
}

static MARK_GUESS void words_follow(const char *start, const char *end, enum mark mark,
                                    const struct watched_block *but)
{
    start = (const char *)(((uintptr_t)start + WORD - 1) & ~(uintptr_t)(WORD - 1));
    for (; start < end && (size_t)(end - start) >= WORD; start += WORD) {
        word_follow(*(const uintptr_t *)(const void *)start, mark, but);
    }
}

static void found_follow(enum mark mark, const struct watched_block *but)
{
    while (found != NULL) {
        const struct watched_block *block = found;
        found = block->next;
        words_follow(watched_start(block), watched_start(block) + block->size, mark, but);
    }
}

// ---- Roots ---------------------------------------------------------------

// What lies between blocks.
static void root_follow(const char *start, const char *end)
{
    const struct watched_block *inside = watched_block_at(start);
    while (start < end) {
        const struct watched_block *next = inside != NULL ? inside : watched_block_above(start);
        const char *stop = next == NULL || watched_start(next) > end ? end : watched_start(next);
        words_follow(start, stop, MARK_REACHABLE, NULL);
        start = stop == end ? end : stop + (next->size > 0 ? next->size : 1);
        inside = NULL;
    }
}

static bool area_follow(const struct vm_area_info *area, void *unused)
{
    (void)unused;
    hal_phys pa;
    unsigned prot;
    const struct thread *self = thread_self();
    bool is_root = (area->prot & (HAL_READ | HAL_WRITE)) == (HAL_READ | HAL_WRITE);
    for (const char *page = area->start; is_root && page < area->end; page += PAGE) {
        bool is_own = is_in((uintptr_t)page, self->stack, self->stack_size) && page < own_sp;
        const char *start = is_own ? own_sp : page;
        if (start < page + PAGE && hal_translate(page, &pa, &prot) == 0) {
            root_follow(start, page + PAGE);
        }
    }
    return true;
}

// What core knows for its own sake, the place of a fault or the time, say, is hardly the start of a
// block; what it keeps for the program is.
static void heap_follow(char *start, size_t size, void *unused)
{
    (void)unused;
    only_starts = true;
    root_follow(start, start + size);
    only_starts = false;
}

static void image_follow(void)
{
    struct elf_image_part part;
    size_t size;
    const char *scratch = elf_image_scratch(&size);
    only_starts = true;
    for (size_t i = 0; elf_image_part(i, &part); ++i) {
        if ((part.prot & HAL_WRITE) != 0) {
            const char *end = part.start + part.size;
            bool has_scratch = size != 0 && is_in((uintptr_t)scratch, part.start, part.size);
            root_follow(part.start, has_scratch ? scratch : end);
            root_follow(has_scratch ? scratch + size : end, end);
        }
    }
    only_starts = false;
}

// ---- Threads -------------------------------------------------------------

// The lowest word of [start, end) that is an address in the thread's stack, or sp.
static MARK_GUESS uintptr_t stack_pointer_in(const struct thread *thread, const char *start,
                                             const char *end)
{
    uintptr_t sp = (uintptr_t)(thread->stack + thread->stack_size);
    for (; start < end; start += WORD) {
        uintptr_t word = *(const uintptr_t *)(const void *)start;
        sp = is_in(word, thread->stack, thread->stack_size) && word < sp ? word : sp;
    }
    return sp;
}

// Nothing below sp counts.
static void stack_clear(const struct thread *thread, uintptr_t sp)
{
    char *end = (char *)(sp - RED_ZONE), *start = thread->stack;
    if (!is_in(sp - RED_ZONE, start, thread->stack_size)) {
        return;
    }
    char *page = (char *)((uintptr_t)end & ~(uintptr_t)(PAGE - 1));
    if (page > start && vm_discard(start, (size_t)(page - start)) != 0) {
        page = start;
    }
    memset(page, 0, (size_t)(end - page));
}

static void registers_follow(const struct hal_regs *regs)
{
    const char *words = (const char *)regs->general;
    words_follow(words, words + sizeof regs->general, MARK_REACHABLE, NULL);
}

// The first thread's variables lie in core's heap, with its struct libc_thread: one below its
// thread pointer, the other above. What lies next to them may be a stack of core's.
static void variables_follow(const struct thread *thread)
{
    size_t size, alignment;
    const char *tp = thread->context.tp;
    elf_tls_layout(&size, &alignment);
    const bool is_below = libc_thread_below_tp == 0;
    size_t below = is_below ? size : libc_thread_below_tp;
    size_t above = is_below ? sizeof(struct libc_thread) : size;
    if (tp != NULL && frame_is_direct(tp)) {
        root_follow(tp - below, tp + above);
    }
}

static void thread_follow(struct thread *thread, void *unused)
{
    (void)unused;
    struct hal_regs regs;
    if (thread->user != NULL) {
        variables_follow(thread);
    }
    if (thread->user == NULL || thread == thread_self() || !standstill_has(thread)) {
        return;
    }
    hal_context_get(&thread->context, &regs);
    registers_follow(&regs);
    uintptr_t sp = machine_place_of(&regs).sp;
    const char *entry = (const char *)thread->context.entry_stack;
    if (entry != NULL && is_in(sp, entry - HAL_ENTRY_STACK, HAL_ENTRY_STACK)) {
        words_follow((const char *)sp, entry, MARK_REACHABLE, NULL);
        sp = stack_pointer_in(thread, (const char *)sp, entry);
    }
    stack_clear(thread, sp);
}

// ---- The report ----------------------------------------------------------

static struct watched_block *block_next(const struct watched_block *block)
{
    return watched_block_above(watched_start(block) + 1);
}

static struct watched_block *block_first(void)
{
    return watched_block_above(NULL);
}

static void lost_divide(void)
{
    for (struct watched_block *block = block_first(); block != NULL; block = block_next(block)) {
        if (block->mark == MARK_LOST) {
            words_follow(watched_start(block), watched_start(block) + block->size, MARK_LOST_WITH,
                         block);
            found_follow(MARK_LOST_WITH, block);
        }
    }
}

struct choice {
    enum mark mark;
    const struct callsite *last, *best;
};

static bool is_before(const struct callsite *a, const struct callsite *b, enum mark mark)
{
    const struct callsite_sum *left = &a->sums[mark], *right = &b->sums[mark];
    return left->bytes != right->bytes   ? left->bytes > right->bytes
           : left->count != right->count ? left->count > right->count
                                         : memcmp(a->places, b->places, sizeof a->places) < 0;
}

// The first in order after the last.
static void site_choose(struct callsite *site, void *argument)
{
    struct choice *choice = argument;
    enum mark mark = choice->mark;
    if (site->sums[mark].count != 0 &&
        (choice->last == NULL || is_before(choice->last, site, mark)) &&
        (choice->best == NULL || is_before(site, choice->best, mark))) {
        choice->best = site;
    }
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

static void groups_print(enum mark mark, struct callsite_sum left)
{
    struct choice choice = {.mark = mark};
    callsite_walk(site_choose, &choice);
    for (uint32_t i = 0; choice.best != NULL && i < kinds[mark].shown_max; ++i) {
        const struct callsite_sum *sum = &choice.best->sums[mark];
        console_print("osv: %zu byte%s in %zu block%s %s, allocated here:\n", sum->bytes,
                      plural(sum->bytes), sum->count, plural(sum->count), kinds[mark].claim);
        callsite_print(choice.best);
        left.bytes -= sum->bytes;
        left.count -= sum->count;
        choice = (struct choice){.mark = mark, .last = choice.best};
        callsite_walk(site_choose, &choice);
    }
    if (left.count != 0) {
        console_print("osv: %zu byte%s in %zu block%s %s, allocated elsewhere\n", left.bytes,
                      plural(left.bytes), left.count, plural(left.count), kinds[mark].claim);
    }
}

static void report_print(void)
{
    struct callsite_sum sums[MARKS] = {0};
    for (struct watched_block *block = block_first(); block != NULL; block = block_next(block)) {
        struct callsite_sum none, *of_site = &none;
        of_site = block->allocated == NULL ? of_site : &block->allocated->sums[block->mark];
        of_site->bytes += block->size;
        of_site->count++;
        sums[block->mark].bytes += block->size;
        sums[block->mark].count++;
    }
    for (uint32_t mark = 0; mark < MARKS; ++mark) {
        console_print("osv: leak: %zu byte%s in %zu block%s %s\n", sums[mark].bytes,
                      plural(sums[mark].bytes), sums[mark].count, plural(sums[mark].count),
                      kinds[mark].claim);
    }
    for (uint32_t mark = 0; mark < MARKS; ++mark) {
        groups_print(mark, sums[mark]);
    }
}

static __attribute__((noinline)) void bounds_find(void)
{
    const struct watched_block *first = block_first();
    hidden_lowest = first == NULL ? 0 : first->hidden_start;
    for (struct watched_block *block = block_first(); block != NULL; block = block_next(block)) {
        span = (size_t)(watched_start(block) - watched_start(first)) + block->size;
    }
}

void leak_report(void)
{
    struct hal_regs regs;
    own_sp = __builtin_frame_address(0);
    (void)machine_capture(&regs);
    const struct thread *moving = standstill_begin();
    if (moving != NULL) {
        console_print(
            "osv: --leak: thread %d (%s) does not stop; what it alone knows counts as lost\n",
            task_id(moving), moving->name);
    }
    libc_stacks_drop();
    bounds_find();
    registers_follow(&regs);
    thread_walk(thread_follow, NULL);
    vm_walk(area_follow, NULL);
    heap_walk(heap_follow, NULL);
    image_follow();
    found_follow(MARK_REACHABLE, NULL);
    lost_divide();
    report_print();
}
