// SPDX-License-Identifier: BSD-3-Clause
// localsocket_test.c: local sockets under every schedule of two threads. The end of pairs with
// files under way: each file is put once, all memory is given back, and nobody calls himself.
// Sockets that find each other by name while one is closed, or both want the same.
#include "core/vfs/localsocket.h"

#include <string.h>

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/vfs/nameless.h"
#include "core/vfs/poll.h"
#include "seed.h"
#include "seed_main.h"
#include "seed_thread.h"

enum { BLOCKS = 16, BLOCK_SIZE = 2048, FILES = 8 };

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

size_t packet_filter_look(packet_filter_slot *slot __attribute__((unused)),
                          const char *bytes __attribute__((unused)),
                          size_t size __attribute__((unused)))
{
    seed_fail("none has a filter");
}

void packet_filter_set(packet_filter_slot *slot __attribute__((unused)),
                       struct packet_filter *filter __attribute__((unused)))
{
    seed_fail("none has a filter");
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

void nameless_init(struct nameless *nameless, uint32_t mode)
{
}

void nameless_take(struct nameless *nameless)
{
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

int vnode_status(struct vnode *vnode, struct file_status *status)
{
    seed_fail("names here are abstract");
    return 0;
}

void vnode_get(struct vnode *vnode)
{
    seed_fail("names here are abstract");
}

void vnode_put(struct vnode *vnode)
{
    seed_check(vnode == NULL, "names here are abstract");
}

size_t format(char *text, size_t size, const char *pattern, ...)
{
    seed_fail("nobody asks for any name");
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

// ---- By name -------------------------------------------------------------------------

static const struct localsocket_name meeting = {.size = 2, .bytes = {0, 'm'}};
static struct file *server, *client, *accepted;
static int answers[SEED_CPU_COUNT];

static struct file *socket_make(enum localsocket_type type)
{
    struct file *file;
    seed_check(localsocket_create(&file, type, OPEN_NONBLOCK) == 0, "no socket");
    atomic_store(&file->flags, OPEN_NONBLOCK);
    return file;
}

static void reset_named(enum localsocket_type type)
{
    reset();
    server = socket_make(type);
    client = socket_make(type);
    seed_check(localsocket_bind(server, &meeting) == 0, "not bound");
}

static void reset_listening(void)
{
    reset_named(LOCALSOCKET_STREAM);
    seed_check(localsocket_listen(server, 1) == 0, "does not listen");
}

static void reset_accepted(void)
{
    reset_listening();
    seed_check(localsocket_connect(client, &meeting) == 0, "not connected");
    seed_check(localsocket_accept(server, 0, &accepted) == 0, "not accepted");
    file_put(accepted); // its other end keeps it
}

static void reset_datagrams(void)
{
    reset_named(LOCALSOCKET_DATAGRAM);
    seed_check(localsocket_connect(client, &meeting) == 0, "not connected");
}

static void reset_unnamed(void)
{
    reset();
    server = socket_make(LOCALSOCKET_STREAM);
    client = socket_make(LOCALSOCKET_STREAM);
}

static void connect_client(void)
{
    answers[seed_index()] = localsocket_connect(client, &meeting);
}

static void bind_one(void)
{
    answers[seed_index()] = localsocket_bind(seed_index() == 0 ? server : client, &meeting);
}

static void close_server(void)
{
    file_put(server);
}

static void close_client(void)
{
    file_put(client);
}

static int receive(struct file *file)
{
    char byte;
    const struct io_vector vector = {&byte, 1};
    size_t done = 0;
    int error = localsocket_read(file, &vector, 1, &done);
    return error != 0 ? error : (int)done;
}

static void send_to_server(void)
{
    static const struct io_vector vector = {(char *)"x", 1};
    static struct localsocket_message sent;
    size_t done = 0;
    sent = (struct localsocket_message){.vectors = &vector, .count = 1};
    answers[seed_index()] = localsocket_send(client, &sent, &done);
}

// A connection that nobody will accept has been reset, or there is none.
static void check_closed(void)
{
    const int answer = answers[0];
    seed_check(answer == 0 || answer == -ECONNREFUSED, "an unknown answer");
    seed_check(receive(client) == (answer == 0 ? -ECONNRESET : -EINVAL), "a connection to nobody");
    file_put(client);
    check_plain(0);
}

static void check_both_closed(void)
{
    check_plain(0);
}

static void check_once(void)
{
    seed_check((answers[0] == 0) + (answers[1] == 0) == 1, "not connected once");
    seed_check(answers[0] + answers[1] == -EISCONN || answers[0] + answers[1] == -EINVAL,
               "an unknown answer");
    seed_check(localsocket_accept(server, 0, &accepted) == 0, "not to be accepted");
    file_put(accepted);
    seed_check(localsocket_accept(server, 0, &accepted) == -EAGAIN, "accepted twice");
    seed_check(receive(client) == 0, "no end");
    file_put(client);
    file_put(server);
    check_plain(0);
}

static void check_bound(void)
{
    seed_check((answers[0] == 0) + (answers[1] == 0) == 1, "not bound once");
    seed_check(answers[0] + answers[1] == -EADDRINUSE, "an unknown answer");
    file_put(server);
    file_put(client);
    check_plain(0);
}

static void check_sent(void)
{
    seed_check(answers[0] == 0 || answers[0] == -ECONNREFUSED, "an unknown answer");
    file_put(client);
    check_plain(0);
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
    {
        .name = "localsocket, a listener is closed while one connects",
        .reset = reset_listening,
        .bodies = {connect_client, close_server},
        .check = check_closed,
        .preemption_max = 2,
    },
    {
        .name = "localsocket, two connect one socket",
        .reset = reset_listening,
        .bodies = {connect_client, connect_client},
        .check = check_once,
        .preemption_max = 2,
    },
    {
        .name = "localsocket, two want one name",
        .reset = reset_unnamed,
        .bodies = {bind_one, bind_one},
        .check = check_bound,
        .preemption_max = 2,
    },
    {
        .name = "localsocket, a listener and the last of what it accepted are closed",
        .reset = reset_accepted,
        .bodies = {close_client, close_server},
        .check = check_both_closed,
        .preemption_max = 2,
    },
    {
        .name = "localsocket, a datagram to one that is closed",
        .reset = reset_datagrams,
        .bodies = {send_to_server, close_server},
        .check = check_sent,
        .preemption_max = 2,
    },
};

int main(int argc, char **argv)
{
    return seed_main(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
