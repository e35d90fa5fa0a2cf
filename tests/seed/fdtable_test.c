// SPDX-License-Identifier: BSD-3-Clause
// fdtable_test.c: descriptors and the counts of files and vnodes under every schedule of two
// threads with at most four preemptions. Files are used again as soon as they are free.
#include "core/vfs/fdtable.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/vfs/vnode.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { FILE_COUNT = 5, FD_A = 3, FD_B = 4 };

static struct file files[FILE_COUNT];
static bool is_taken[FILE_COUNT];
static unsigned closed; // how often a file was
static _Alignas(64) char chunk[8192];

// ---- What the table and files ask of others: each is one step ----------------

// The last that was freed comes first.
MARK_GUESS void *slab_alloc(struct slab *slab)
{
    for (unsigned i = 0; i < FILE_COUNT; ++i) {
        if (!is_taken[i]) {
            is_taken[i] = true;
            return &files[i];
        }
    }
    return NULL;
}

MARK_GUESS void slab_free(struct slab *slab, void *object)
{
    struct file *file = object;
    seed_check(is_taken[file - files], "a file was freed twice");
    is_taken[file - files] = false;
}

void *heap_alloc_zeroed(size_t size)
{
    seed_check(size <= sizeof chunk, "too small");
    return chunk;
}

void heap_free(void *block)
{
}

void entry_put(struct entry *entry)
{
}

void epoll_forget(struct file *file)
{
}

void lock_drop_file(struct file *file)
{
}

void lock_drop_process(struct file *file)
{
}

// ---- Files ------------------------------------------------------------------

MARK_GUESS static int file_closed(struct file *file)
{
    seed_check(file->state != NULL, "closed twice");
    file->state = NULL;
    ++closed;
    return 0;
}

static const struct file_ops ops = {.close = (void *)file_closed};

// What it is for: the descriptor that it was opened as.
static struct file *file_new(uintptr_t purpose)
{
    struct file *file;
    seed_check(file_create(&file, &ops, 0, (void *)purpose) == 0, "no file");
    return file;
}

static void reset(void)
{
    (void)fd_close(FD_A);
    (void)fd_close(FD_B);
    seed_threads_reset();
    memset(files, 0, sizeof files);
    memset(is_taken, 0, sizeof is_taken);
    seed_check(fd_install(file_new(FD_A), FD_A, false) == FD_A, "no descriptor");
    seed_check(fd_install(file_new(FD_B), FD_B, false) == FD_B, "no descriptor");
    closed = 0;
}

static void check(void)
{
    unsigned taken = 0, open = 0;
    for (unsigned i = 0; i < FILE_COUNT; ++i) {
        taken += is_taken[i];
        seed_check(files[i].reference_count == is_taken[i], "a reference was left, or lost");
    }
    for (int fd = FD_A; fd <= FD_B; ++fd) {
        open += fd_flag_get(fd) >= 0;
    }
    seed_check(taken == open, "a file was left that has no descriptor");
}

static void use(int fd)
{
    struct file *file;
    if (fd_get(fd, &file) == 0) {
        seed_check(file->state == (void *)(uintptr_t)fd, "another descriptor's file");
        seed_point();
        seed_check(file->state == (void *)(uintptr_t)fd, "closed while it is used");
        file_put(file);
    }
}

// ---- Bodies -----------------------------------------------------------------

static void use_twice(void)
{
    use(FD_A);
    use(FD_A);
}

static void close_a(void)
{
    seed_check(fd_close(FD_A) == 0, "not open");
}

// A's file is B's then, in the same memory.
static void close_a_and_open_b(void)
{
    seed_check(fd_close(FD_B) == 0, "not open");
    seed_check(fd_close(FD_A) == 0, "not open");
    seed_check(fd_install(file_new(FD_B), FD_B, false) == FD_B, "no descriptor");
}

static void replace_a(void)
{
    seed_check(fd_install_at(FD_A, file_new(FD_A), false) == FD_A, "no descriptor");
}

// As dup2 and close of two threads meet: the one or the other's file is closed by whom it falls to.
static void replace_and_close(void)
{
    replace_a();
    (void)fd_close(FD_A);
}

static void open_any(void)
{
    struct file *file;
    int fd = fd_install(file_new(FD_B), FD_B, false);
    seed_check(fd >= FD_B, "no descriptor");
    if (fd_get(fd, &file) == 0) {
        file_put(file);
        (void)fd_close(fd);
    }
}

// ---- Vnodes -------------------------------------------------------------------

static struct vnode vnode;
static bool is_released;

static void vnode_released(struct vnode *of)
{
    seed_check(!is_released, "released twice");
    is_released = true;
}

static void reset_vnode(void)
{
    static const struct vnode_ops vnode_ops = {.release = vnode_released};
    is_released = false;
    vnode_init(&vnode, &vnode_ops, NULL, MODE_FILE, 1);
    vnode_get(&vnode);
    seed_threads_reset();
}

static void check_vnode(void)
{
    seed_check(is_released && vnode.reference_count == 0, "not released");
}

static void put_vnode(void)
{
    seed_check(!is_released, "released while it is used");
    vnode_put(&vnode);
}

static void find_and_put_vnode(void)
{
    vnode_put(&vnode);
    if (vnode_get_unless_free(&vnode)) {
        seed_check(!is_released, "found, and released");
        seed_point();
        seed_check(!is_released, "released while it is used");
        vnode_put(&vnode);
    }
}

static const char *const used_marks[] = {
    "fd: closed while it is looked up",
    "fd: the memory is another file's",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "fd, used and closed",
        .reset = reset,
        .bodies = {use_twice, close_a},
        .check = check,
    },
    {
        .name = "fd, used again",
        .reset = reset,
        .bodies = {use_twice, close_a_and_open_b},
        .check = check,
        .marks = used_marks,
        .preemption_max = 3,
    },
    {
        .name = "fd, replaced",
        .reset = reset,
        .bodies = {use_twice, replace_a},
        .check = check,
    },
    {
        .name = "fd, replaced and closed by two",
        .reset = reset,
        .bodies = {replace_and_close, replace_and_close},
        .check = check,
        .preemption_max = 3,
    },
    {
        .name = "fd, opened by two",
        .reset = reset,
        .bodies = {open_any, replace_a},
        .check = check,
        .preemption_max = 3,
    },
    {
        .name = "vnode",
        .reset = reset_vnode,
        .bodies = {put_vnode, find_and_put_vnode},
        .check = check_vnode,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
