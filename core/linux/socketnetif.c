// SPDX-License-Identifier: BSD-3-Clause
// socketnetif.c: sockets of all families that are bound to an interface, by its name or its index.
#include <net/if.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/credentials.h"
#include "core/linux/socketcalls.h"
#include "core/linux/user.h"
#include "core/net/netif.h"

static uint32_t bound_to(struct file *file)
{
    const struct socket_calls *calls = socket_calls_of(file);
    return calls->netif != NULL ? calls->netif(file) : atomic_load(&calls->options(file)->netif);
}

// The index of who has the name that is said, which may end without a zero; 0: nobody is named.
static int name_read(int *index, const void *user, uint32_t size)
{
    char name[IFNAMSIZ] = {0};
    const uint32_t most = sizeof name - 1;
    const int error = user_read(name, user, size < most ? size : most);
    if (error != 0 || name[0] == 0) {
        *index = 0;
        return error;
    }
    const struct netif *netif = netif_find(name);
    *index = netif == NULL ? 0 : (int)netif->index;
    return netif == NULL ? -ENODEV : 0;
}

int netif_option_set(struct file *file, int name, const void *user, uint32_t size)
{
    const struct socket_calls *calls = socket_calls_of(file);
    int index;
    int error = name == SO_BINDTODEVICE ? name_read(&index, user, size)
                : size < sizeof index   ? -EINVAL
                                        : user_read(&index, user, sizeof index);
    if (error != 0) {
        return error;
    }
    if (bound_to(file) != 0 && !credentials_may(CAPABILITY_NET_RAW)) {
        return -EPERM;
    }
    if (index < 0) {
        return -EINVAL;
    }
    if (calls->netif_set != NULL) {
        return calls->netif_set(file, (uint32_t)index);
    }
    atomic_store(&calls->options(file)->netif, (uint32_t)index);
    return 0;
}

int netif_option_get(struct file *file, int name, union socket_option *value, uint32_t room)
{
    const uint32_t index = bound_to(file);
    if (name == SO_BINDTOIFINDEX) {
        value->number = (int)index;
        return sizeof value->number;
    }
    if (index == 0) {
        return 0;
    }
    const struct netif *netif = netif_at(index);
    if (room < IFNAMSIZ || netif == NULL) {
        return room < IFNAMSIZ ? -EINVAL : -ENODEV;
    }
    const size_t size = strlen(netif->name) + 1;
    memcpy(value->text, netif->name, size);
    return (int)size;
}
