// SPDX-License-Identifier: BSD-3-Clause
// netlinkunix.c: what sock_diag(7) says of local sockets, as ss(8) lists them.
#include <sys/socket.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/netlink.h"
#include "core/vfs/localsocket.h"

enum { STATE_CONNECTED = 1, STATE_IDLE = 7, STATE_LISTENING = 10 };

struct dump {
    const struct unix_request *asked;
    struct netlink_answer *answer;
    bool is_found;
};

static uint8_t state_of(const struct localsocket_view *view)
{
    return view->is_listening ? STATE_LISTENING : view->is_connected ? STATE_CONNECTED : STATE_IDLE;
}

// As struct unix_diag_vfs and struct unix_diag_rqlen have it, and the figures of SK_MEMINFO_*.
static void name_put(struct netlink_answer *answer, const struct localsocket_view *view)
{
    const uint32_t node[] = {(uint32_t)view->name_inode, (uint32_t)view->name_device};
    netlink_put(answer, UNIX_DIAG_VFS, node, sizeof node);
}

static void queues_put(struct netlink_answer *answer, const struct localsocket_view *view)
{
    const uint32_t queues[] = {(uint32_t)view->input, (uint32_t)view->output};
    netlink_put(answer, UNIX_DIAG_RQLEN, queues, sizeof queues);
}

static void memory_put(struct netlink_answer *answer, const struct localsocket_view *view)
{
    enum { RECEIVE_LIMIT = 1, SENT, SEND_LIMIT, FIGURES = 9 }; // what is sent is the sender's
    uint32_t figures[FIGURES] = {
        [RECEIVE_LIMIT] = atomic_load(&view->options->receive_limit),
        [SENT] = view->is_listening ? 0 : (uint32_t)view->output,
        [SEND_LIMIT] = atomic_load(&view->options->send_limit),
    };
    netlink_put(answer, UNIX_DIAG_MEMINFO, figures, sizeof figures);
}

static void attributes_put(struct netlink_answer *answer, uint32_t shows,
                           const struct localsocket_view *view)
{
    if ((shows & UDIAG_SHOW_NAME) && view->name.size > 0) {
        netlink_put(answer, UNIX_DIAG_NAME, view->name.bytes, view->name.size);
    }
    if ((shows & UDIAG_SHOW_VFS) && view->name_inode != 0) {
        name_put(answer, view);
    }
    if ((shows & UDIAG_SHOW_PEER) && view->has_peer) {
        netlink_put_number(answer, UNIX_DIAG_PEER, (uint32_t)view->peer);
    }
    if ((shows & UDIAG_SHOW_ICONS) && view->is_listening) {
        static const uint32_t nobody;
        netlink_put(answer, UNIX_DIAG_ICONS, view->input > 0 ? view->waiting : &nobody,
                    view->input * sizeof *view->waiting);
    }
    if (shows & UDIAG_SHOW_RQLEN) {
        queues_put(answer, view);
    }
    if (shows & UDIAG_SHOW_MEMINFO) {
        memory_put(answer, view);
    }
    netlink_put_byte(answer, UNIX_DIAG_SHUTDOWN, (uint8_t)view->shut);
    if (shows & UDIAG_SHOW_UID) {
        netlink_put_number(answer, UNIX_DIAG_UID, view->user);
    }
}

static void socket_put(struct netlink_answer *answer, uint32_t shows,
                       const struct localsocket_view *view)
{
    const struct unix_head head = {
        .family = AF_UNIX,
        .type = (uint8_t)view->type,
        .state = state_of(view),
        .inode = (uint32_t)view->inode,
        .cookie = {(uint32_t)view->inode, (uint32_t)(view->inode >> 32)},
    };
    void *to = netlink_begin(answer, SOCK_DIAG_BY_FAMILY, sizeof head);
    if (to != NULL) {
        memcpy(to, &head, sizeof head);
        attributes_put(answer, shows, view);
    }
}

static void socket_look(const struct localsocket_view *view, void *argument)
{
    struct dump *dump = argument;
    const bool is_one = !dump->answer->is_dump;
    const bool is_wanted = is_one ? view->inode == dump->asked->inode
                                  : (dump->asked->states >> state_of(view) & 1) != 0;
    if (is_wanted) {
        dump->is_found = true;
        socket_put(dump->answer, dump->asked->shows, view);
    }
}

// A request for one may say whom it knows it as.
static bool is_stale(const struct unix_request *asked)
{
    const bool has_cookie = asked->cookie[0] != UINT32_MAX || asked->cookie[1] != UINT32_MAX;
    return has_cookie && (asked->cookie[0] != asked->inode || asked->cookie[1] != 0);
}

int netlink_unix_asked(const struct netlink_request *request, struct netlink_answer *answer)
{
    struct unix_request asked;
    struct dump dump = {.asked = &asked, .answer = answer};
    if (request->size < sizeof asked) {
        return -EINVAL;
    }
    memcpy(&asked, request->body, sizeof asked);
    answer->is_dump = (request->header->flags & NLM_F_DUMP) != 0;
    if (!answer->is_dump && asked.inode == 0) {
        return -EINVAL;
    }
    const int error = localsocket_walk(socket_look, &dump);
    if (error != 0 || answer->is_dump) {
        return error;
    }
    if (!dump.is_found || is_stale(&asked)) {
        answer->size = 0;
        return dump.is_found ? -ESTALE : -ENOENT;
    }
    return 0;
}
