// SPDX-License-Identifier: BSD-3-Clause
// ramfs_test.c: reads of a file in memory, which take no lock, under every schedule with who writes
// it, makes it longer and cuts it: what is read was its contents at some moment. Pages and tables
// that are freed are another's at once.
#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/frame.h"
#include "core/mem/heap.h"
#include "core/vfs/file.h"
#include "core/vfs/ramfs_node.h"
#include "core/vfs/ramfs_pages.h"
#include "core/vm/vm.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { PAGES = 4, TABLES = 8, TABLE_SIZE = 512, PAGE = HAL_PAGE_SIZE };

static _Alignas(PAGE) char pages[PAGES][PAGE];
static _Alignas(64) char tables[TABLES][TABLE_SIZE];
static bool is_page_used[PAGES], is_table_used[TABLES];
static struct ramfs_node node;
static struct file file;

// ---- What they ask of others: each is one step -----------------------------------

MARK_UNSEEN size_t frame_alloc_run(size_t count, unsigned flags, hal_phys *start)
{
    for (unsigned i = 0; i < PAGES; ++i) {
        if (!is_page_used[i]) {
            is_page_used[i] = true;
            memset(pages[i], 0, PAGE);
            *start = (hal_phys)(uintptr_t)pages[i];
            return 1;
        }
    }
    return 0;
}

// Another's, who writes to it.
MARK_UNSEEN void frame_free(hal_phys start, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        size_t index = (size_t)((char *)(uintptr_t)start - pages[0]) / PAGE + i;
        seed_check(index < PAGES && is_page_used[index], "freed twice");
        is_page_used[index] = false;
        memset(pages[index], 'X', PAGE);
    }
}

char *frame_address(hal_phys frame)
{
    return (char *)(uintptr_t)frame;
}

hal_phys frame_of(const void *address)
{
    return (hal_phys)(uintptr_t)address;
}

MARK_UNSEEN void *heap_alloc_zeroed(size_t size)
{
    for (unsigned i = 0; i < TABLES; ++i) {
        if (!is_table_used[i]) {
            seed_check(size <= TABLE_SIZE, "too small");
            is_table_used[i] = true;
            return memset(tables[i], 0, TABLE_SIZE);
        }
    }
    return NULL;
}

MARK_UNSEEN static void table_free(void *block)
{
    size_t index = (size_t)((char *)block - tables[0]) / TABLE_SIZE;
    seed_check(index < TABLES && is_table_used[index], "freed twice");
    is_table_used[index] = false;
    memset(block, 'Y', TABLE_SIZE);
}

// Another's, who keeps no pointers there. That it writes is seen where a root has its entries.
void heap_free(void *block)
{
    uint64_t *words = block;
    if (words != NULL) {
        table_free(block);
        words[0] = words[1] = UINT64_MAX / 3;
    }
}

// The application's memory is always there.
MARK_UNSEEN int hal_copy_safe(void *to, const void *from, size_t size)
{
    seed_point();
    memcpy(to, from, size);
    return 0;
}

struct file_time file_time_now(void)
{
    return (struct file_time){0};
}

int ramfs_seals_allow_size(const struct ramfs_node *of, uint64_t size)
{
    return 0;
}

int ramfs_seals_allow_write(const struct ramfs_node *of, uint64_t offset, size_t *size)
{
    return 0;
}

int ramfs_hole_find(struct file *of, uint64_t offset, enum seek_from what, uint64_t *result)
{
    return -1;
}

int ramfs_hole_allocate(struct file *of, unsigned how, uint64_t offset, uint64_t size)
{
    return -1;
}

int ramfs_pager(struct file *of, struct vm_pager **pager)
{
    return -1;
}

// No file here has large pages.
size_t ramfs_huge_make(struct ramfs_node *huge, uint64_t index)
{
    return 0;
}

void ramfs_huge_cut(struct ramfs_node *huge, uint64_t first, uint64_t end)
{
}

void ramfs_huge_free(struct ramfs_node *huge)
{
}

int vm_cut(const void *object, uint64_t offset, uint64_t end, bool with_copies,
           void (*cut)(void *argument), void *argument)
{
    seed_fail("there are no mappings");
    return 0;
}

// ---- Bodies ------------------------------------------------------------------------

// Two bytes on both sides of a page's end.
static uint64_t at;

static void write_two(const char *text)
{
    size_t done = 0;
    seed_check(file.ops->write(&file, at, text, 2, &done) == 0 && done == 2, "not written");
}

static void reset(uint64_t offset)
{
    seed_threads_reset();
    memset(&node, 0, sizeof node);
    memset(&file, 0, sizeof file);
    memset(is_page_used, 0, sizeof is_page_used);
    memset(is_table_used, 0, sizeof is_table_used);
    file.vnode = &node.vnode;
    at = offset;
    seed_check(ramfs_data_open(&node, &file) == 0, "not open");
}

// A table over the two pages.
static void reset_low(void)
{
    reset(PAGE - 1);
    write_two("ab");
}

// A table over two tables, which have a page each.
static void reset_high(void)
{
    reset(64 * PAGE - 1);
    write_two("ab");
}

// One page, and no table.
static void reset_page(void)
{
    size_t done = 0;
    reset(PAGE - 1);
    seed_check(file.ops->write(&file, at, "a", 1, &done) == 0 && done == 1, "not written");
}

// Up to two bytes, which end where the file does.
static size_t read_two(char *text)
{
    size_t done = 0;
    seed_check(file.ops->read(&file, at, text, 2, &done) == 0, "not read");
    return done;
}

static bool is_two(const char *text, const char *wanted)
{
    return text[0] == wanted[0] && text[1] == wanted[1];
}

static void read_old_or_new(void)
{
    char text[2];
    size_t done = read_two(text);
    seed_check(done == 0 || (done == 2 && (is_two(text, "ab") || is_two(text, "cd"))),
               "never was that");
}

static void read_twice_old_or_new(void)
{
    read_old_or_new();
    read_old_or_new();
}

static void read_short_or_long(void)
{
    char text[2] = {0, 'b'};
    size_t done = read_two(text);
    seed_check((done == 1 || done == 2) && is_two(text, "ab"), "never was that");
}

static void read_twice_short_or_long(void)
{
    read_short_or_long();
    read_short_or_long();
}

static void cut(void)
{
    seed_check(ramfs_data_truncate(&node, 0) == 0, "not cut");
}

static void cut_and_write(void)
{
    cut();
    write_two("cd");
}

static void append(void)
{
    size_t done = 0;
    seed_check(file.ops->write(&file, PAGE, "b", 1, &done) == 0 && done == 1, "not written");
}

// As a fault on a mapping of the file: the page behind the first.
static void fault(void)
{
    mutex_lock(&node.pages_lock);
    if (ramfs_page_get(&node, 1) == NULL) {
        seed_check(ramfs_pages_make(&node, 1, 1) == 1, "no memory");
    }
    mutex_unlock(&node.pages_lock);
}

static void check_count(unsigned wanted)
{
    unsigned used = 0;
    for (unsigned i = 0; i < PAGES; ++i) {
        used += is_page_used[i];
    }
    seed_check(used == wanted && node.present_count == wanted, "pages were left, or lost");
}

static void check_written(void)
{
    char text[2];
    seed_check(read_two(text) == 2 && is_two(text, "cd"), "not what was written last");
    check_count(2);
}

static void check_cut(void)
{
    char text[2];
    seed_check(read_two(text) == 0 && node.pages == 0, "something was left");
    check_count(0);
}

static void check_long(void)
{
    char text[2];
    seed_check(read_two(text) == 2 && is_two(text, "ab"), "not what was written last");
    check_count(2);
}

static const char *const copy_marks[] = {
    "ramfs: pages went while they were copied",
    "ramfs: pages went on the way to one",
    "ramfs: read under the lock",
    NULL,
};
static const char *const cut_marks[] = {"ramfs: pages went on the way to one", NULL};
static const char *const fault_marks[] = {"ramfs: a fault was faster", NULL};

static const struct seed_test tests[] = {
    {
        .name = "ramfs, cut and written again",
        .reset = reset_low,
        .bodies = {read_twice_old_or_new, cut_and_write},
        .check = check_written,
        .marks = copy_marks,
        .preemption_max = 3,
    },
    {
        .name = "ramfs, a high tree is cut",
        .reset = reset_high,
        .bodies = {read_old_or_new, cut},
        .check = check_cut,
        .marks = cut_marks,
        .preemption_max = 3,
    },
    {
        .name = "ramfs, a table comes",
        .reset = reset_page,
        .bodies = {read_twice_short_or_long, append},
        .check = check_long,
    },
    {
        .name = "ramfs, a write and a fault",
        .reset = reset_page,
        .bodies = {append, fault},
        .check = check_long,
        .marks = fault_marks,
        .preemption_max = 3,
    },
    {
        .name = "ramfs, a fault and a read",
        .reset = reset_page,
        .bodies = {read_short_or_long, fault},
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
