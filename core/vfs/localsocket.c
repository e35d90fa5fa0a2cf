// SPDX-License-Identifier: BSD-3-Clause
// localsocket.c: local sockets: how they get names and find each other, as files, and their end.
//
// A connection is two sockets that know each other. Each holds the other until it is closed itself,
// so that who has one open may use the other, closed or not. The messages are localqueue.c's.
#include "core/vfs/localsocket.h"

#include <stdatomic.h>

#include "core/lib/errno.h"
#include "core/lib/list.h"
#include "core/lib/mark.h"
#include "core/mem/heap.h"
#include "core/vfs/localname.h"
#include "core/vfs/localqueue.h"

enum {
    LIMIT_DEFAULT = 212992, // net.core.wmem_default of Linux
    BACKLOG_MAX = 4096,     // net.core.somaxconn
    INPUT_COUNT = 0x541b,  // FIONREAD
    OUTPUT_COUNT = 0x5411, // TIOCOUTQ
    SHUT_BOTH = LOCALSOCKET_SHUT_READ | LOCALSOCKET_SHUT_WRITE,
    POLL_ALL = POLL_IN_ANY | POLL_OUT_ANY | POLL_READ_HANG_UP | POLL_HANG_UP | POLL_ERROR,
};

static struct localsocket *socket_of(const struct file *file)
{
    return file->state;
}

static enum localsocket_state state_of(struct localsocket *socket)
{
    return (enum localsocket_state)atomic_load(&socket->state);
}

// ---- All that have a file ------------------------------------------------

static struct mutex all_lock; // taken before a socket's own
static struct list all = LIST_EMPTY(all);

static void enlist(struct localsocket *socket)
{
    mutex_lock(&all_lock);
    list_push_back(&all, &socket->all_node);
    socket->is_listed = true;
    mutex_unlock(&all_lock);
}

static void unlist(struct localsocket *socket)
{
    mutex_lock(&all_lock);
    list_remove(&socket->all_node);
    socket->is_listed = false;
    mutex_unlock(&all_lock);
}

// ---- Making and counting -------------------------------------------------

static struct localsocket *socket_make(enum localsocket_type type)
{
    struct localsocket *socket = heap_alloc_zeroed(sizeof *socket);
    if (socket == NULL) {
        return NULL;
    }
    socket->type = type;
    atomic_store_explicit(&socket->reference_count, 1, memory_order_relaxed);
    list_init(&socket->messages);
    list_init(&socket->clients);
    list_init(&socket->pending);
    list_init(&socket->node);
    list_init(&socket->client_node);
    nameless_init(&socket->nameless, MODE_SOCKET | 0777);
    atomic_store_explicit(&socket->options.send_limit, LIMIT_DEFAULT, memory_order_relaxed);
    atomic_store_explicit(&socket->options.receive_limit, LIMIT_DEFAULT, memory_order_relaxed);
    return socket;
}

void localsocket_get(struct localsocket *socket)
{
    atomic_fetch_add_explicit(&socket->reference_count, 1, memory_order_relaxed);
}

void localsocket_put(struct localsocket *socket)
{
    if (atomic_fetch_sub(&socket->reference_count, 1) == 1) {
        localname_put(atomic_load(&socket->name));
        packet_filter_end(&socket->options.filter);
        heap_free(socket);
    }
}

// Nobody else uses b yet, and of a nobody the peer.
static void ends_join(struct localsocket *a, struct localsocket *b)
{
    localsocket_get(a);
    localsocket_get(b);
    atomic_store(&a->peer, b);
    atomic_store(&b->peer, a);
    atomic_store(&a->has_known_peer, true);
    atomic_store(&b->has_known_peer, true);
    if (localsocket_has_end(a)) {
        atomic_store(&a->state, LOCALSOCKET_CONNECTED);
        atomic_store(&b->state, LOCALSOCKET_CONNECTED);
    } else {
        list_push_back(&a->clients, &b->client_node);
        list_push_back(&b->clients, &a->client_node);
        a->client_count = b->client_count = 1;
    }
}

// ---- Ends ----------------------------------------------------------------

// What a socket's end, or a shutdown, says to it.
static void socket_shut(struct localsocket *socket, unsigned what, int error)
{
    mutex_lock(&socket->lock);
    atomic_fetch_or(&socket->shut, what);
    socket->error = error != 0 ? error : socket->error;
    waitqueue_wake_all(&socket->readers);
    waitqueue_wake_all(&socket->writers);
    mutex_unlock(&socket->lock);
}

// The other end sees the end of what is shut at this one.
static void both_shut(struct localsocket *socket, unsigned what, int error)
{
    struct localsocket *peer = atomic_load(&socket->peer);
    socket_shut(socket, what, 0);
    if (localsocket_has_end(socket) && peer != NULL) {
        unsigned at_peer = what & LOCALSOCKET_SHUT_READ ? LOCALSOCKET_SHUT_WRITE : 0;
        at_peer |= what & LOCALSOCKET_SHUT_WRITE ? LOCALSOCKET_SHUT_READ : 0;
        socket_shut(peer, at_peer, error);
        poll_list_wake(&peer->poll, POLL_ALL);
    }
    poll_list_wake(&socket->poll, POLL_ALL);
}

void localsocket_shutdown(struct file *file, unsigned what)
{
    struct localsocket *socket = socket_of(file);
    struct localsocket *peer = localsocket_has_end(socket) ? NULL : localsocket_peer_get(socket);
    both_shut(socket, what, 0);
    if (peer != NULL) { // who waits there for room does so in vain
        socket_shut(peer, 0, 0);
        localsocket_put(peer);
    }
}

// socket has no user any more. Its messages are lost, unless it is one that nobody accepted: then
// all that the other end has sent is.
static void socket_end(struct localsocket *socket, bool is_unaccepted)
{
    struct list left;
    mutex_lock(&socket->lock);
    const bool is_lost = is_unaccepted || !list_is_empty(&socket->messages);
    localqueue_take_all(socket, &left);
    socket->is_closed = true;
    mutex_unlock(&socket->lock);
    both_shut(socket, localsocket_has_end(socket) ? SHUT_BOTH : 0, is_lost ? -ECONNRESET : 0);
    struct localsocket *peer = atomic_load(&socket->peer);
    if (peer != NULL && localsocket_has_end(socket)) {
        localsocket_put(peer);
    } else if (peer != NULL) {
        localsocket_disconnect(socket, peer);
    }
    localqueue_free(&left);
    localsocket_put(socket);
}

static void local_close(struct file *file)
{
    struct localsocket *socket = socket_of(file);
    struct localname *name = atomic_load(&socket->name);
    struct list pending;
    list_init(&pending);
    unlist(socket);
    if (name != NULL) {
        localname_retire(name, socket);
    }
    mutex_lock(&socket->lock);
    socket->is_closed = true; // nobody connects any more
    while (!list_is_empty(&socket->pending)) {
        list_push_back(&pending, list_pop_front(&socket->pending));
    }
    mutex_unlock(&socket->lock);
    while (!list_is_empty(&pending)) {
        socket_end(container_of(list_pop_front(&pending), struct localsocket, node), true);
    }
    socket_end(socket, false);
}

// ---- Names and finding each other ----------------------------------------

static int name_set(struct localsocket *socket, struct localname *name)
{
    struct localname *none = NULL;
    if (atomic_compare_exchange_strong(&socket->name, &none, name)) {
        return 0;
    }
    localname_retire(name, socket);
    localname_put(name);
    return -EINVAL;
}

int localsocket_bind(struct file *file, const struct localsocket_name *wanted)
{
    struct localsocket *socket = socket_of(file);
    struct localname *name;
    if (atomic_load(&socket->name) != NULL) {
        return -EINVAL;
    }
    int error = localname_claim(socket, wanted, &name);
    return error != 0 ? error : name_set(socket, name);
}

int localsocket_bind_any(struct file *file)
{
    struct localsocket *socket = socket_of(file);
    struct localname *name;
    if (atomic_load(&socket->name) != NULL) {
        return 0;
    }
    int error = localname_claim_any(socket, &name);
    if (error == 0) {
        error = name_set(socket, name) == -EINVAL ? 0 : error; // another was faster
    }
    return error;
}

int localsocket_listen(struct file *file, int backlog)
{
    struct localsocket *socket = socket_of(file);
    uint32_t state = LOCALSOCKET_IDLE;
    if (!localsocket_has_end(socket)) {
        return -EOPNOTSUPP;
    }
    if (atomic_load(&socket->name) == NULL) {
        return -EINVAL;
    }
    mutex_lock(&socket->lock);
    const bool may_listen =
        atomic_compare_exchange_strong(&socket->state, &state, LOCALSOCKET_LISTENING) ||
        state == LOCALSOCKET_LISTENING;
    if (may_listen) {
        const bool is_much = backlog < 0 || backlog > BACKLOG_MAX;
        socket->backlog = is_much ? BACKLOG_MAX : (size_t)backlog;
        atomic_store(&socket->has_known_peer, true);
        waitqueue_wake_all(&socket->writers);
    }
    mutex_unlock(&socket->lock);
    return may_listen ? 0 : -EINVAL;
}

// lock is held.
static bool is_accepting(struct localsocket *listener)
{
    return state_of(listener) == LOCALSOCKET_LISTENING &&
           (atomic_load(&listener->shut) & LOCALSOCKET_SHUT_READ) == 0 && !listener->is_closed;
}

// lock of listener is held. Makes embryo the other end of socket, for listener to accept.
static int connection_make(struct localsocket *socket, struct localsocket *listener,
                           struct localsocket *embryo)
{
    uint32_t state = LOCALSOCKET_IDLE;
    if (!is_accepting(listener)) {
        return -ECONNREFUSED;
    }
    if (!atomic_compare_exchange_strong(&socket->state, &state, LOCALSOCKET_CONNECTING)) {
        return state == LOCALSOCKET_CONNECTED ? -EISCONN : -EINVAL;
    }
    struct localname *name = atomic_load(&listener->name);
    localname_get(name);
    atomic_store(&embryo->name, name);
    ends_join(socket, embryo);
    list_push_back(&listener->pending, &embryo->node);
    ++listener->pending_count;
    waitqueue_wake_all(&listener->readers);
    return 0;
}

static int listener_connect(struct localsocket *socket, struct localsocket *listener,
                            const struct local_patience *patience)
{
    struct localsocket *embryo = socket_make(socket->type);
    int error = embryo == NULL ? -ENOMEM : 0;
    mutex_lock(&listener->lock);
    while (error == 0 && is_accepting(listener) && listener->pending_count > listener->backlog) {
        error = local_wait(listener, &listener->writers, patience);
    }
    error = error != 0 ? error : connection_make(socket, listener, embryo);
    mutex_unlock(&listener->lock);
    if (error == 0) {
        poll_list_wake_ordered(&listener->poll, POLL_IN_ANY);
        poll_list_wake(&socket->poll, POLL_ALL);
    } else if (embryo != NULL) {
        localsocket_put(embryo);
    }
    return error;
}

// ---- Datagrams -----------------------------------------------------------

struct localsocket *localsocket_peer_get(struct localsocket *socket)
{
    const bool may_change = !localsocket_has_end(socket);
    if (may_change) {
        mutex_lock(&socket->lock);
    }
    struct localsocket *peer = atomic_load(&socket->peer);
    if (peer != NULL) {
        localsocket_get(peer);
    }
    if (may_change) {
        mutex_unlock(&socket->lock);
    }
    return peer;
}

// peering is held. Answers the former peer, whose reference the caller has now.
static struct localsocket *peer_replace(struct localsocket *socket, struct localsocket *peer)
{
    mutex_lock(&socket->lock);
    struct localsocket *former = atomic_exchange(&socket->peer, peer);
    mutex_unlock(&socket->lock);
    if (former != NULL) {
        mutex_lock(&former->lock);
        list_remove(&socket->client_node);
        --former->client_count;
        mutex_unlock(&former->lock);
    }
    if (peer != NULL) {
        mutex_lock(&peer->lock);
        list_push_back(&peer->clients, &socket->client_node);
        ++peer->client_count;
        mutex_unlock(&peer->lock);
    }
    return former;
}

void localsocket_disconnect(struct localsocket *socket, struct localsocket *peer)
{
    mutex_lock(&socket->peering);
    const bool is_still = atomic_load(&socket->peer) == peer;
    if (is_still) {
        (void)peer_replace(socket, NULL);
    }
    mutex_unlock(&socket->peering);
    if (is_still) {
        localsocket_put(peer);
    }
}

// What came from a former peer is lost; it is told so if it was connected to this one.
static void messages_lose(struct localsocket *socket, struct localsocket *former)
{
    struct list left;
    mutex_lock(&socket->lock);
    const bool is_lost = !list_is_empty(&socket->messages);
    localqueue_take_all(socket, &left);
    waitqueue_wake_all(&socket->writers);
    mutex_unlock(&socket->lock);
    if (is_lost && atomic_load(&former->peer) == socket) {
        socket_shut(former, 0, -ECONNRESET);
        poll_list_wake(&former->poll, POLL_ALL);
    }
    localqueue_free(&left);
}

// to is counted, and becomes the peer's reference. NULL: nobody.
static int datagram_connect(struct localsocket *socket, struct localsocket *to)
{
    if (to != NULL) {
        const struct localsocket *other = atomic_load(&to->peer);
        if (other != NULL && other != socket) {
            localsocket_put(to);
            return -EPERM;
        }
    }
    mutex_lock(&socket->peering);
    struct localsocket *former = peer_replace(socket, to);
    mutex_unlock(&socket->peering);
    if (former != NULL && former != to) {
        messages_lose(socket, former);
    }
    if (former != NULL) {
        localsocket_put(former);
    }
    poll_list_wake(&socket->poll, POLL_OUT_ANY);
    return 0;
}

// ---- Connecting and accepting --------------------------------------------

int localsocket_connect(struct file *file, const struct localsocket_name *name)
{
    struct localsocket *socket = socket_of(file);
    const struct local_patience patience =
        local_patience_of(file, false, &socket->options.send_timeout);
    struct localsocket *to = NULL;
    int error = name == NULL ? 0 : localname_find(name, socket->type, &to);
    if (error != 0) {
        return error;
    }
    if (!localsocket_has_end(socket)) {
        return datagram_connect(socket, to);
    }
    if (to == NULL) {
        return -EINVAL;
    }
    error = listener_connect(socket, to, &patience);
    localsocket_put(to);
    return error;
}

static int pending_await(struct localsocket *listener, const struct local_patience *patience)
{
    int error = 0;
    while (error == 0 && list_is_empty(&listener->pending)) {
        error =
            is_accepting(listener) ? local_wait(listener, &listener->readers, patience) : -EINVAL;
    }
    return error;
}

static const struct file_ops localsocket_ops;

int localsocket_accept(struct file *file, uint32_t flags, struct file **accepted)
{
    struct localsocket *listener = socket_of(file);
    const struct local_patience patience =
        local_patience_of(file, false, &listener->options.receive_timeout);
    if (!localsocket_has_end(listener)) {
        return -EOPNOTSUPP;
    }
    if (state_of(listener) != LOCALSOCKET_LISTENING) {
        return -EINVAL;
    }
    mutex_lock(&listener->lock);
    int error = pending_await(listener, &patience);
    struct list *node = error != 0 ? NULL : list_pop_front(&listener->pending);
    if (error == 0) {
        struct localsocket *embryo = container_of(node, struct localsocket, node);
        error = file_create(accepted, &localsocket_ops, (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE,
                            embryo);
        if (error != 0) {
            list_push_front(&listener->pending, node);
        } else {
            nameless_take(&embryo->nameless);
            (*accepted)->is_stream = true;
            --listener->pending_count;
            waitqueue_wake_all(&listener->writers);
        }
    }
    mutex_unlock(&listener->lock);
    if (error == 0) {
        enlist(socket_of(*accepted));
    }
    return error;
}

void localsocket_name_of(const struct file *file, struct localsocket_name *name)
{
    localname_copy(atomic_load(&socket_of(file)->name), name);
}

int localsocket_peer_name(struct file *file, struct localsocket_name *name)
{
    struct localsocket *socket = socket_of(file);
    if (localsocket_has_end(socket) && state_of(socket) != LOCALSOCKET_CONNECTED) {
        return -ENOTCONN;
    }
    struct localsocket *peer = localsocket_peer_get(socket);
    if (peer == NULL) {
        return -ENOTCONN;
    }
    localname_copy(atomic_load(&peer->name), name);
    localsocket_put(peer);
    return 0;
}

bool localsocket_is_listening(const struct file *file)
{
    return state_of(socket_of(file)) == LOCALSOCKET_LISTENING;
}

bool localsocket_has_peer(const struct file *file)
{
    return atomic_load(&socket_of(file)->has_known_peer);
}

// ---- What others are told ------------------------------------------------

// all_lock is held, as for the next two.
static uint64_t inode_of(const struct localsocket *socket)
{
    return socket != NULL && socket->is_listed ? socket->nameless.inode : 0;
}

// Who waits to be accepted, by their inodes. -ENOMEM.
static int waiting_look(struct localsocket *socket, struct localsocket_view *view,
                        uint32_t **waiting)
{
    struct list *node;
    size_t count = 0;
    mutex_lock(&socket->lock);
    view->input = socket->pending_count;
    view->output = socket->backlog;
    *waiting = heap_alloc(socket->pending_count * sizeof **waiting);
    list_for_each(node, &socket->pending)
    {
        const struct localsocket *embryo = container_of(node, struct localsocket, node);
        if (*waiting != NULL) {
            (*waiting)[count++] = (uint32_t)inode_of(atomic_load(&embryo->peer));
        }
    }
    mutex_unlock(&socket->lock);
    view->waiting = *waiting;
    return *waiting == NULL && view->input > 0 ? -ENOMEM : 0;
}

static void peer_look(struct localsocket *socket, struct localsocket_view *view)
{
    struct localsocket *peer = localsocket_peer_get(socket);
    view->input = localqueue_input(socket);
    view->has_peer = view->is_connected = peer != NULL;
    mutex_lock(&socket->lock);
    view->is_connected |= socket->client_count > 0;
    mutex_unlock(&socket->lock);
    if (peer != NULL) {
        view->peer = inode_of(peer);
        view->output = localqueue_cost(peer);
        localsocket_put(peer);
    }
}

static int socket_view(struct localsocket *socket,
                       void (*visit)(const struct localsocket_view *view, void *argument),
                       void *argument)
{
    const struct localname *name = atomic_load(&socket->name);
    struct localsocket_view view = {
        .type = socket->type,
        .is_listening = state_of(socket) == LOCALSOCKET_LISTENING,
        .shut = atomic_load(&socket->shut),
        .inode = socket->nameless.inode,
        .user = socket->nameless.uid,
        .options = &socket->options,
        .name_device = name != NULL && name->vnode != NULL ? name->device : 0,
        .name_inode = name != NULL && name->vnode != NULL ? name->inode : 0,
    };
    uint32_t *waiting = NULL;
    int error = 0;
    localname_copy(name, &view.name);
    if (view.is_listening) {
        error = waiting_look(socket, &view, &waiting);
    } else {
        peer_look(socket, &view);
    }
    if (error == 0) {
        visit(&view, argument);
    }
    heap_free(waiting);
    return error;
}

int localsocket_walk(void (*visit)(const struct localsocket_view *view, void *argument),
                     void *argument)
{
    struct list *node;
    int error = 0;
    mutex_lock(&all_lock);
    list_for_each(node, &all)
    {
        if (error == 0) {
            error = socket_view(container_of(node, struct localsocket, all_node), visit, argument);
        }
    }
    mutex_unlock(&all_lock);
    return error;
}

// ---- As a file -----------------------------------------------------------

int localsocket_read(struct file *file, const struct io_vector *vectors, size_t count, size_t *done)
{
    struct localsocket_message to;
    to.vectors = vectors;
    to.count = count;
    to.never_waits = to.only_looks = to.waits_for_all = false;
    to.from = NULL;
    size_t size = 0;
    for (size_t i = 0; i < count; ++i) {
        size += vectors[i].size;
    }
    if (size == 0) {
        return 0;
    }
    int error = localsocket_receive(file, &to, done);
    for (uint32_t i = 0; i < to.file_count; ++i) {
        file_put(to.files[i]);
    }
    return error;
}

int localsocket_write(struct file *file, const struct io_vector *vectors, size_t count,
                      size_t *done)
{
    struct localsocket_message sent;
    sent.vectors = vectors;
    sent.count = count;
    sent.never_waits = false;
    sent.to = NULL;
    sent.file_count = 0;
    sent.sender = LOCALSOCKET_SENDER_OURS;
    return localsocket_send(file, &sent, done);
}

static int local_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done)
{
    (void)offset;
    const struct io_vector vector = {data, size};
    return localsocket_read(file, &vector, 1, done);
}

static int local_write(struct file *file, uint64_t offset, const char *data, size_t size,
                       size_t *done)
{
    (void)offset;
    const struct io_vector vector = {(char *)(uintptr_t)data, size};
    return localsocket_write(file, &vector, 1, done);
}

// Who the other end is, as far as sending goes; NULL: nobody. Counted.
static struct localsocket *addressee_get(struct localsocket *socket)
{
    const bool is_connected = state_of(socket) == LOCALSOCKET_CONNECTED;
    return localsocket_has_end(socket) && !is_connected ? NULL : localsocket_peer_get(socket);
}

static bool is_writable(struct localsocket *socket)
{
    struct localsocket *to = addressee_get(socket);
    const bool has_room = to == NULL || localqueue_has_room(to, socket);
    if (to != NULL) {
        localsocket_put(to);
    }
    return has_room;
}

static unsigned local_poll(struct file *file, struct poll_entry *entry)
{
    struct localsocket *socket = socket_of(file);
    if (entry != NULL) {
        poll_list_add(&socket->poll, entry);
    }
    mutex_lock(&socket->lock);
    const enum localsocket_state state = state_of(socket);
    const unsigned shut = atomic_load(&socket->shut);
    const bool has_input = !list_is_empty(&socket->messages) || !list_is_empty(&socket->pending);
    unsigned events = has_input ? POLL_IN_ANY : 0;
    events |= socket->error != 0 ? POLL_ERROR : 0;
    mutex_unlock(&socket->lock);
    const bool is_nowhere = localsocket_has_end(socket) &&
                            (state == LOCALSOCKET_IDLE || state == LOCALSOCKET_CONNECTING);
    events |= shut & LOCALSOCKET_SHUT_READ ? POLL_IN_ANY | POLL_READ_HANG_UP : 0;
    events |= shut == SHUT_BOTH || is_nowhere ? POLL_HANG_UP : 0;
    events |= state != LOCALSOCKET_LISTENING && is_writable(socket) ? POLL_OUT_ANY : 0;
    return events;
}

static int local_control(struct file *file, unsigned long request, void *argument)
{
    struct localsocket *socket = socket_of(file);
    size_t count = 0;
    if (request == INPUT_COUNT) {
        if (state_of(socket) == LOCALSOCKET_LISTENING) {
            return -EINVAL;
        }
        count = localqueue_input(socket);
    } else if (request == OUTPUT_COUNT) {
        struct localsocket *to = addressee_get(socket);
        if (to != NULL) {
            count = localqueue_cost(to);
            localsocket_put(to);
        }
    } else {
        return -ENOTTY;
    }
    const int answer = (int)count;
    return hal_copy_safe(argument, &answer, sizeof answer);
}

static struct nameless *local_nameless(struct file *file)
{
    return &socket_of(file)->nameless;
}

static const struct file_ops localsocket_ops = {
    .read = local_read,
    .write = local_write,
    .poll = local_poll,
    .control = local_control,
    .nameless = local_nameless,
    .close = local_close,
};

bool file_is_localsocket(const struct file *file)
{
    return file->ops == &localsocket_ops;
}

enum localsocket_type localsocket_type_of(const struct file *file)
{
    return socket_of(file)->type;
}

struct socket_options *localsocket_options(struct file *file)
{
    return &socket_of(file)->options;
}

int localsocket_error_take(struct file *file)
{
    struct localsocket *socket = socket_of(file);
    mutex_lock(&socket->lock);
    const int error = socket->error;
    socket->error = 0;
    mutex_unlock(&socket->lock);
    return error;
}

int localsocket_create(struct file **file, enum localsocket_type type, uint32_t flags)
{
    struct localsocket *socket = socket_make(type);
    if (socket == NULL) {
        return -ENOMEM;
    }
    int error =
        file_create(file, &localsocket_ops, (flags & OPEN_NONBLOCK) | OPEN_READ_WRITE, socket);
    if (error != 0) {
        localsocket_put(socket);
        return error;
    }
    (*file)->is_stream = true;
    enlist(socket);
    return 0;
}

int localsocket_pair(struct file *ends[2], enum localsocket_type type, uint32_t flags)
{
    int error = localsocket_create(&ends[0], type, flags);
    if (error != 0) {
        return error;
    }
    error = localsocket_create(&ends[1], type, flags);
    if (error != 0) {
        file_put(ends[0]);
        return error;
    }
    ends_join(socket_of(ends[0]), socket_of(ends[1]));
    return 0;
}
