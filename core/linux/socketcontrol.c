// SPDX-License-Identifier: BSD-3-Clause
// socketcontrol.c: messages of control, which go along with what sockets send and receive.
#include "core/lib/errno.h"
#include "core/linux/socketcalls.h"
#include "core/linux/user.h"
#include "core/mem/heap.h"

enum { CONTROL_MAX = 20480 }; // net.core.optmem_max of Linux

int controls_copy(const struct socket_message *message, char **data)
{
    *data = NULL;
    if (message->control_size == 0) {
        return 0;
    }
    if (message->control_size > CONTROL_MAX) {
        return -ENOBUFS;
    }
    char *copy = heap_alloc(message->control_size);
    if (copy == NULL) {
        return -ENOMEM;
    }
    const int error = user_read(copy, message->control, message->control_size);
    if (error != 0) {
        heap_free(copy);
        return error;
    }
    *data = copy;
    return 0;
}

int control_write(struct controls *to, int level, int type, const void *content, size_t size)
{
    const size_t room = to->size - to->done;
    size_t length = CMSG_LEN(size);
    if (room < CMSG_LEN(0)) {
        to->flags |= MSG_CTRUNC;
        return 0;
    }
    if (room < length) {
        to->flags |= MSG_CTRUNC;
        length = room;
    }
    const struct cmsghdr head = {
        .cmsg_len = (socklen_t)length, .cmsg_level = level, .cmsg_type = type};
    int error = user_write(to->data + to->done, &head, sizeof head);
    error = error != 0
                ? error
                : user_write(to->data + to->done + CMSG_LEN(0), content, length - CMSG_LEN(0));
    to->done += CMSG_SPACE(size) < room ? CMSG_SPACE(size) : room;
    return error;
}

int control_stamp_write(struct controls *to, int kind, hal_ns at)
{
    const struct timeval time = {(time_t)(at / 1000000000), (suseconds_t)(at % 1000000000 / 1000)};
    const struct timespec exact = {(time_t)(at / 1000000000), (long)(at % 1000000000)};
    return kind == SO_TIMESTAMPNS ? control_write(to, SOL_SOCKET, kind, &exact, sizeof exact)
                                  : control_write(to, SOL_SOCKET, kind, &time, sizeof time);
}
