// SPDX-License-Identifier: BSD-3-Clause
// borrow_test.c: pipes that are read and written without a reference, while another thread closes,
// replaces and makes files, under every schedule with few preemptions. Memory is used again as soon
// as it is free.
#include "core/vfs/borrow.h"

#include <string.h>

#include "core/lib/errno.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/mem/slab.h"
#include "core/sched/thread.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/pipe.h"
#include "core/vfs/vnode.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { POOL_COUNT = 3, OBJECT_COUNT = 5, OBJECT_SIZE = 384, RING_COUNT = 3, RING_SIZE = 65536 };
enum { FD_READ = 3, FD_WRITE = 4, FD_OTHER = 5, FD_END = 8, PIPE_FULL = 4096 };

// ---- In place of core/mem, the rest of core/vfs and the machine: each is one step ----

static struct pool {
    struct slab *slab; // whose it is
    bool is_used[OBJECT_COUNT];
    _Alignas(16) char objects[OBJECT_COUNT][OBJECT_SIZE];
} pools[POOL_COUNT];

static bool is_ring_used[RING_COUNT];
static char rings[RING_COUNT][RING_SIZE];
static _Alignas(64) char chunk[8192]; // of descriptors

MARK_GUESS static struct pool *pool_of(struct slab *slab)
{
    struct pool *pool = pools;
    while (pool->slab != NULL && pool->slab != slab) {
        ++pool;
    }
    pool->slab = slab;
    return pool;
}

MARK_GUESS void *slab_alloc(struct slab *slab)
{
    struct pool *pool = pool_of(slab);
    seed_check(slab->object_size <= OBJECT_SIZE, "too small");
    for (unsigned i = 0; i < OBJECT_COUNT; ++i) {
        if (!pool->is_used[i]) {
            pool->is_used[i] = true;
            return pool->objects[i];
        }
    }
    return NULL;
}

MARK_GUESS void slab_free(struct slab *slab, void *object)
{
    struct pool *pool = pool_of(slab);
    size_t index = (size_t)((char *)object - pool->objects[0]) / OBJECT_SIZE;
    seed_check(index < OBJECT_COUNT && pool->is_used[index], "freed twice");
    pool->is_used[index] = false;
}

MARK_GUESS void *heap_alloc(size_t size)
{
    for (unsigned i = 0; i < RING_COUNT; ++i) {
        if (!is_ring_used[i]) {
            seed_check(size <= RING_SIZE, "too small");
            is_ring_used[i] = true;
            return rings[i];
        }
    }
    return NULL;
}

void *heap_alloc_zeroed(size_t size)
{
    seed_check(size <= sizeof chunk, "too small");
    return chunk;
}

MARK_GUESS void heap_free(void *block)
{
    if (block != NULL) {
        size_t index = (size_t)((char *)block - rings[0]) / RING_SIZE;
        seed_check(index < RING_COUNT && is_ring_used[index], "a ring was freed twice");
        is_ring_used[index] = false;
    }
}

MARK_GUESS int hal_copy_safe(void *to, const void *from, size_t size)
{
    memmove(to, from, size);
    return 0;
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

_Atomic uint32_t vnode_owner_uid, vnode_owner_gid;

struct file_time file_time_now(void)
{
    return (struct file_time){0};
}

// ---- What the bodies and the check use ----

static int read_result, write_result; // a byte, or how many; -errno; NOTHING: not called
static bool interrupted;
static struct thread *sleeper;

enum { NOTHING = -1000 };

static bool interrupt_test(void)
{
    return interrupted && seed_index() == 0;
}

// As linux_read does it.
static int transfer(int fd, char *data, size_t size, bool reads)
{
    size_t done = 0;
    struct file *file = fd_borrow(fd);
    bool is_borrowed = file != NULL;
    int error = is_borrowed ? 0 : fd_get(fd, &file);
    if (error != 0) {
        return error;
    }
    if (is_borrowed) {
        error = reads ? file->ops->read_borrowed(file, data, size, &done)
                      : file->ops->write_borrowed(file, data, size, &done);
    } else {
        error = reads ? file_read(file, data, size, &done) : file_write(file, data, size, &done);
        file_put(file);
    }
    return error != 0 ? error : (int)done;
}

static int byte_read(int fd)
{
    char byte = 0;
    int result = transfer(fd, &byte, 1, true);
    return result == 1 ? byte : result;
}

static int byte_write(int fd, char byte)
{
    return transfer(fd, &byte, 1, false);
}

static void pipe_make(struct file *ends[2])
{
    seed_check(pipe_create(&ends[0], &ends[1], 0) == 0, "no pipe");
}

static void install(struct file *file, int fd)
{
    seed_check(fd_install_at(fd, file, false) == fd, "no descriptor");
}

static void pipe_install(int read_fd, int write_fd)
{
    struct file *ends[2];
    pipe_make(ends);
    install(ends[0], read_fd);
    install(ends[1], write_fd);
}

static void reset(void)
{
    for (int fd = 0; fd < FD_END; ++fd) {
        (void)fd_close(fd);
    }
    seed_threads_reset();
    memset(pools, 0, sizeof pools);
    memset(is_ring_used, 0, sizeof is_ring_used);
    pipe_install(FD_READ, FD_WRITE);
    read_result = write_result = NOTHING;
    interrupted = false;
    sleeper = NULL;
    wait_interrupt_test_set(interrupt_test);
}

static void reset_full(void)
{
    struct file *file;
    static char bytes[PIPE_FULL];
    reset();
    seed_check(fd_get(FD_WRITE, &file) == 0, "not open");
    seed_check(pipe_size_set(file, PIPE_FULL) == PIPE_FULL, "not resized");
    file_put(file);
    seed_check(transfer(FD_WRITE, bytes, PIPE_FULL, false) == PIPE_FULL, "not filled");
}

static void check_left(void)
{
    for (int fd = 0; fd < FD_END; ++fd) {
        (void)fd_close(fd);
    }
    for (unsigned i = 0; i < POOL_COUNT * OBJECT_COUNT; ++i) {
        seed_check(!pools[i / OBJECT_COUNT].is_used[i % OBJECT_COUNT], "a file or pipe was left");
    }
    for (unsigned i = 0; i < RING_COUNT; ++i) {
        seed_check(!is_ring_used[i], "a ring was left");
    }
}

// What was written was read; or there was no reader.
static void check_a(void)
{
    bool is_read = read_result == 'a' && write_result == 1;
    bool is_late = read_result == -EBADF && write_result == -EPIPE;
    seed_check(is_read || is_late, "read and write do not agree");
    check_left();
}

static void check_replaced(void)
{
    bool is_first = read_result == 'a' && write_result == 1;
    bool is_second = read_result == 'b' && write_result == -EPIPE;
    seed_check(is_first || is_second, "read and write do not agree");
    check_left();
}

static void check_moved(void)
{
    seed_check(read_result == 0 || read_result == -EBADF, "another descriptor's file was read");
    check_left();
}

static void check_other_type(void)
{
    bool is_old = read_result == 0 || read_result == -EBADF;
    seed_check(is_old || read_result == -EINVAL, "an eventfd was read as if it were a pipe");
    check_left();
}

static void check_interrupted(void)
{
    seed_check(read_result == -EINTR || read_result == -EBADF, "read, but what?");
    check_left();
}

static void check_full(void)
{
    bool is_written = write_result == 1 && read_result == 'a';
    bool is_late = write_result == -EBADF && read_result == 0;
    seed_check(is_written || is_late, "read and write do not agree");
    check_left();
}

// ---- Bodies ----

static void read_one(void)
{
    __atomic_store_n(&sleeper, hal_self(), __ATOMIC_SEQ_CST);
    read_result = byte_read(FD_READ);
}

static void write_one(void)
{
    write_result = byte_write(FD_WRITE, 'a');
}

static void close_and_write(void)
{
    seed_check(fd_close(FD_READ) == 0, "not open");
    write_result = byte_write(FD_WRITE, 'a');
}

// The reader may still be on its way out when the memory is another pipe.
static void write_and_make(void)
{
    write_result = byte_write(FD_WRITE, 'a');
    if (write_result == 1) {
        pipe_install(FD_OTHER, FD_WRITE);
    }
}

static void replace_and_write(void)
{
    struct file *ends[2];
    size_t done;
    char byte = 'b';
    pipe_make(ends);
    seed_check(file_write(ends[1], &byte, 1, &done) == 0, "not written");
    install(ends[0], FD_READ);
    write_result = byte_write(FD_WRITE, 'a');
    install(ends[1], FD_OTHER);
}

// What was the reader's memory is that of a writer, and of a reader with another number.
static void move(void)
{
    seed_check(fd_close(FD_READ) == 0 && fd_close(FD_WRITE) == 0, "not open");
    pipe_install(FD_OTHER, FD_READ);
    (void)byte_write(FD_READ, 'c');
}

static void become_eventfd(void)
{
    struct file *file;
    seed_check(fd_close(FD_WRITE) == 0 && fd_close(FD_READ) == 0, "not open");
    seed_check(eventfd_create(&file, 1, false, 0) == 0, "no eventfd");
    install(file, FD_READ);
}

static void close_and_interrupt(void)
{
    seed_check(fd_close(FD_READ) == 0, "not open");
    interrupted = true;
    struct thread *thread = __atomic_load_n(&sleeper, __ATOMIC_SEQ_CST);
    if (thread != NULL) {
        thread_wake(thread);
    }
}

static void close_writer_and_read(void)
{
    static char bytes[PIPE_FULL];
    seed_check(fd_close(FD_WRITE) == 0, "not open");
    seed_check(transfer(FD_READ, bytes, PIPE_FULL, true) == PIPE_FULL, "it was full");
    read_result = byte_read(FD_READ);
}

static const char *const closed_marks[] = {
    "fd: closed while it is borrowed",
    "borrow: the last that slept ends the file",
    "borrow: nobody is served whose file is over",
    NULL,
};

static const struct seed_test tests[] = {
    {
        .name = "closed under a reader",
        .reset = reset,
        .bodies = {read_one, close_and_write},
        .check = check_a,
        .marks = closed_marks,
        .preemption_max = 3,
    },
    {
        .name = "written, and made anew",
        .reset = reset,
        .bodies = {read_one, write_and_make},
        .check = check_a,
        .preemption_max = 3,
    },
    {
        .name = "replaced under a reader",
        .reset = reset,
        .bodies = {read_one, replace_and_write},
        .check = check_replaced,
        .preemption_max = 2,
    },
    {
        .name = "another number's",
        .reset = reset,
        .bodies = {read_one, move},
        .check = check_moved,
        .preemption_max = 2,
    },
    {
        .name = "another type's",
        .reset = reset,
        .bodies = {read_one, become_eventfd},
        .check = check_other_type,
        .preemption_max = 3,
    },
    {
        .name = "closed and interrupted",
        .reset = reset,
        .bodies = {read_one, close_and_interrupt},
        .check = check_interrupted,
        .preemption_max = 3,
    },
    {
        .name = "closed under a writer",
        .reset = reset_full,
        .bodies = {write_one, close_writer_and_read},
        .check = check_full,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
