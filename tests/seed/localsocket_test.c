// SPDX-License-Identifier: BSD-3-Clause
// localsocket_test.c: the end of pairs of local sockets with files under way, under every schedule
// of two threads that close them: each file is put once, all memory is given back, and nobody
// calls himself.
#include "core/vfs/localsocket.h"

#include <string.h>

#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/vfs/poll.h"
#include "core/vfs/vnode.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { BLOCKS = 12, BLOCK_SIZE = 2048, FILES = 8 };

uint32_t vnode_owner_uid, vnode_owner_gid;

static _Alignas(16) char blocks[BLOCKS][BLOCK_SIZE];
static bool is_used[BLOCKS];
static struct file files[FILES];
static unsigned file_count, plain_put;
static unsigned depth[SEED_CPU_COUNT]; // of calls that put files, by each thread

// ---- What localsocket.c asks of others: each is one step ----------------------------

MARK_GUESS void *heap_alloc(size_t size)
{
    for (unsigned i = 0; i < BLOCKS; ++i) {
        if (!is_used[i]) {
            seed_check(size <= BLOCK_SIZE, "too small");
            is_used[i] = true;
            return blocks[i];
        }
    }
    return NULL;
}

MARK_GUESS void *heap_alloc_zeroed(size_t size)
{
    void *block = heap_alloc(size);
    return block == NULL ? NULL : memset(block, 0, size);
}

// Another's, who writes to it.
MARK_GUESS void heap_free(void *block)
{
    if (block == NULL) {
        return;
    }
    size_t index = (size_t)((char *)block - blocks[0]) / BLOCK_SIZE;
    seed_check(index < BLOCKS && is_used[index], "freed twice");
    is_used[index] = false;
    memset(block, 0x5a, BLOCK_SIZE);
}

MARK_GUESS int file_create(struct file **file, const struct file_ops *ops, uint32_t flags,
                           void *state)
{
    seed_check(file_count < FILES, "too few files");
    *file = &files[file_count++];
    **file = (struct file){.ops = ops, .state = state};
    return 0;
}

// Each file here has one reference. One without operations is a plain one.
void file_put(struct file *file)
{
    if (file->ops == NULL) {
        seed_check(file->state == NULL, "put twice");
        file->state = file;
        ++plain_put;
        return;
    }
    unsigned index = seed_is_running() ? seed_index() : 0;
    seed_check(++depth[index] <= 2, "closing a file calls itself again and again");
    file->ops->close(file);
    --depth[index];
}

void file_get(struct file *file)
{
    seed_fail("nobody looks without taking");
}

struct file_time file_time_now(void)
{
    return (struct file_time){0};
}

void poll_list_add(struct poll_list *list, struct poll_entry *entry)
{
}

void poll_list_wake(struct poll_list *list, unsigned events)
{
}

MARK_GUESS int hal_copy_safe(void *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return 0;
}

// ---- Bodies --------------------------------------------------------------------------

static struct file *ends[3][2];

static struct file *plain_file(void)
{
    struct file *file;
    (void)file_create(&file, NULL, 0, NULL);
    return file;
}

// file goes to the second end of a pair, which nobody reads.
static void send(unsigned pair, struct file *file)
{
    static const struct io_vector vector = {(char *)"x", 1};
    static struct localsocket_message sent;
    size_t done = 0;
    sent = (struct localsocket_message){.vectors = &vector, .count = 1, .file_count = 1};
    sent.files[0] = file;
    seed_check(localsocket_send(ends[pair][0], &sent, &done) == 0 && done == 1, "not sent");
}

static void reset(void)
{
    seed_threads_reset();
    memset(is_used, 0, sizeof is_used);
    memset(depth, 0, sizeof depth);
    file_count = plain_put = 0;
}

static void pairs_make(unsigned count)
{
    for (unsigned i = 0; i < count; ++i) {
        seed_check(localsocket_pair(ends[i], LOCALSOCKET_STREAM, 0) == 0, "no pair");
    }
}

// Two pairs, to each of which a plain file is under way.
static void reset_two(void)
{
    reset();
    pairs_make(2);
    send(0, plain_file());
    send(1, plain_file());
}

// To the first pair an end of the third is under way, to which a plain file is; to the second a
// plain file. The other end of the third is closed.
static void reset_chain(void)
{
    reset();
    pairs_make(3);
    send(2, plain_file());
    ends[2][0]->ops->close(ends[2][0]);
    send(0, ends[2][1]);
    send(1, plain_file());
}

static void close_end(unsigned pair, unsigned end)
{
    file_put(ends[pair][end]);
}

static void close_0_1(void)
{
    close_end(0, 1);
}

static void close_0_0(void)
{
    close_end(0, 0);
}

static void close_1_1(void)
{
    close_end(1, 1);
}

static void close_both_1(void)
{
    close_end(1, 1);
    close_end(1, 0);
}

static void check_plain(unsigned count)
{
    seed_check(plain_put == count, "a file under way was not put");
    for (unsigned i = 0; i < BLOCKS; ++i) {
        seed_check(!is_used[i], "memory was left");
    }
}

static void check_two(void)
{
    close_end(0, 0);
    close_end(1, 0);
    check_plain(2);
}

static void check_chain(void)
{
    close_end(0, 0);
    check_plain(2);
}

static void check_ends(void)
{
    close_end(1, 1);
    close_end(1, 0);
    check_plain(2);
}

static const char *const marks[] = {"localsocket: left to who is at it", NULL};

static const struct seed_test tests[] = {
    {
        .name = "localsocket, two with files under way",
        .reset = reset_two,
        .bodies = {close_0_1, close_1_1},
        .check = check_two,
        .marks = marks,
    },
    {
        .name = "localsocket, a socket under way that has files under way",
        .reset = reset_chain,
        .bodies = {close_0_1, close_both_1},
        .check = check_chain,
        .marks = marks,
        .preemption_max = 3,
    },
    {
        .name = "localsocket, both ends",
        .reset = reset_two,
        .bodies = {close_0_0, close_0_1},
        .check = check_ends,
        .preemption_max = 3,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
