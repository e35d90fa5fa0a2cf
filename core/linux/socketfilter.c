// SPDX-License-Identifier: BSD-3-Clause
// socketfilter.c: filters of sockets of all families (SO_ATTACH_FILTER and its kin, socket(7)).
#include "core/lib/errno.h"
#include "core/linux/credentials.h"
#include "core/linux/socketcalls.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"

struct program { // as struct sock_fprog of Linux
    uint16_t count;
    const struct bpf_instruction *all;
};

static struct mutex lock; // of who changes filters, and looks at whole ones

static packet_filter_slot *slot_of(struct file *file)
{
    const struct socket_calls *calls = socket_calls_of(file);
    return calls->filter != NULL ? calls->filter(file) : &calls->options(file)->filter;
}

static int filter_read(struct packet_filter **made, const struct program *program)
{
    if (program->all == NULL || program->count == 0 || program->count > BPF_COUNT_MAX) {
        return -EINVAL;
    }
    struct packet_filter *filter = packet_filter_alloc(program->count);
    if (filter == NULL) {
        return -ENOMEM;
    }
    int error = user_read(filter->program, program->all, program->count * sizeof *program->all);
    error = error != 0 ? error : packet_filter_check(filter);
    if (error != 0) {
        packet_filter_free(filter);
        return error;
    }
    *made = filter;
    return 0;
}

// With lock held, as the next two.
static int attach(struct file *file, const void *user, uint32_t size)
{
    struct program program;
    struct packet_filter *filter;
    if (file_is_inetsocket(file) && inet_is_stream(inet_of(file)) &&
        !credentials_may(CAPABILITY_NET_ADMIN)) {
        return -EPERM;
    }
    int error = size != sizeof program ? -EINVAL : user_read(&program, user, sizeof program);
    if (error != 0) {
        return error;
    }
    error = atomic_load(&socket_calls_of(file)->options(file)->is_filter_locked)
                ? -EPERM
                : filter_read(&filter, &program);
    if (error == 0) {
        packet_filter_set(slot_of(file), filter);
    }
    return error;
}

static int detach(struct file *file)
{
    packet_filter_slot *slot = slot_of(file);
    if (atomic_load(&socket_calls_of(file)->options(file)->is_filter_locked)) {
        return -EPERM;
    }
    if (atomic_load(slot) == NULL) {
        return -ENOENT;
    }
    packet_filter_set(slot, NULL);
    return 0;
}

static int filter_lock(struct file *file, bool is_locked)
{
    _Atomic bool *state = &socket_calls_of(file)->options(file)->is_filter_locked;
    if (atomic_load(state) && !is_locked) {
        return -EPERM;
    }
    atomic_store(state, is_locked);
    return 0;
}

int filter_option_set(struct file *file, int name, int value, const void *user, uint32_t size)
{
    mutex_lock(&lock);
    const int error = name == SO_ATTACH_FILTER   ? attach(file, user, size)
                      : name == SO_DETACH_FILTER ? detach(file)
                                                 : filter_lock(file, value != 0);
    mutex_unlock(&lock);
    return error;
}

long filter_copy(struct file *file, void *user, uint32_t room)
{
    mutex_lock(&lock);
    const struct packet_filter *filter = atomic_load(slot_of(file));
    const uint32_t count = filter != NULL ? filter->count : 0;
    long result = count;
    if (room > 0 && count > 0) {
        const int error = room < count
                              ? -EINVAL
                              : user_write(user, filter->program, count * sizeof *filter->program);
        result = error != 0 ? error : result;
    }
    mutex_unlock(&lock);
    return result;
}
