// SPDX-License-Identifier: BSD-3-Clause
// run.c: see run.h. Each thread has a place of its own for one socket (thread->to_run), which is
// mostly enough, and which nobody else looks at; for the rest there is a list under a lock, where a
// socket is once. Who runs takes one after the other, so that what running one brings about waits
// there and does not nest; what he leaves is in the list, where others find it.
#include "core/net/run.h"

#include <stdatomic.h>

#include "core/lib/list.h"
#include "core/net/socket.h"
#include "core/sched/thread.h"
#include "core/sync/alarm.h"

enum {
    TURNS_MAX = 256, // then another goes on: the caller has work of its own
    TURNS_AT = 16,   // one time
};

static struct mutex run_lock;
static struct list to_run = LIST_EMPTY(to_run);
// Changed under the lock. Who looks without it sees at least what it has put in itself: what others
// have put in they will take out.
static _Atomic uint32_t to_run_count;

static void count_change(uint32_t by)
{
    const uint32_t count = atomic_load_explicit(&to_run_count, memory_order_relaxed);
    atomic_store_explicit(&to_run_count, count + by, memory_order_relaxed);
}

static void list_add(struct net_socket *socket)
{
    mutex_lock(&run_lock);
    const bool is_new = !socket->is_to_run;
    if (is_new) {
        socket->is_to_run = true;
        list_push_back(&to_run, &socket->run_node);
        count_change(1);
    }
    mutex_unlock(&run_lock);
    if (!is_new) {
        net_socket_put(socket);
    }
}

void net_run_later_counted(struct net_socket *socket)
{
    struct thread *self = thread_self();
    if (self->to_run == NULL) {
        self->to_run = socket;
    } else {
        list_add(socket);
    }
}

void net_run_later(struct net_socket *socket)
{
    net_socket_get(socket);
    net_run_later_counted(socket);
}

bool net_run_is_due(void)
{
    return thread_self()->to_run != NULL ||
           atomic_load_explicit(&to_run_count, memory_order_relaxed) != 0;
}

// What is the caller's own, or NULL.
static struct net_socket *own_take(void)
{
    struct thread *self = thread_self();
    struct net_socket *socket = self->to_run;
    self->to_run = NULL;
    return socket;
}

static struct net_socket *list_take(void)
{
    if (atomic_load_explicit(&to_run_count, memory_order_relaxed) == 0) {
        return NULL;
    }
    mutex_lock(&run_lock);
    struct list *node = list_pop_front(&to_run);
    struct net_socket *socket =
        node == NULL ? NULL : container_of(node, struct net_socket, run_node);
    if (socket != NULL) {
        socket->is_to_run = false;
        count_change(UINT32_MAX);
    }
    mutex_unlock(&run_lock);
    return socket;
}

static void rest_run(struct alarm *alarm)
{
    (void)alarm;
    net_run();
}

static struct alarm rest = {.ring = rest_run};

__attribute__((noinline)) static void due_run(hal_ns now)
{
    for (int turn = 0; turn < TURNS_MAX; ++turn) {
        struct net_socket *own = own_take();
        struct net_socket *socket = own != NULL ? own : list_take();
        if (socket == NULL) {
            return;
        }
        now = turn % TURNS_AT == TURNS_AT - 1 ? 0 : now;
        socket->run(socket, &now);
        net_socket_put(socket);
    }
    struct net_socket *left = own_take();
    if (left != NULL) {
        list_add(left);
    }
    const int error = alarm_set(&rest, 0);
    (void)error; // net_start has made its thread
}

void net_run_at(hal_ns now)
{
    if (net_run_is_due()) {
        due_run(now);
    }
}
