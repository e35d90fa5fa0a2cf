// SPDX-License-Identifier: BSD-3-Clause
// network.c: see network.h.
#include "core/boot/network.h"

#include "core/boot/options.h"
#include "core/lib/errno.h"
#include "core/net/interface.h"

static const char *error_text(int error)
{
    switch (error) {
    case -ENXIO:
        return "the machine has no network device; give it one by --net";
    case -ENODEV:
        return "the network device refuses what is needed: virtio 1.0, two queues";
    case -EEXIST:
        return "the address is given twice, or is the loopback network's";
    case -EMSGSIZE:
        return "the device's MTU is too small: IPv6 asks for 1280 bytes; on a tap: ip link set "
               "NAME "
               "mtu 1280";
    case -EINVAL:
        return "wants ADDRESS/BITS[,GATEWAY], such as 10.0.2.15/24,10.0.2.2 or fd00::2/64, and a "
               "gateway on that network";
    default:
        return "not enough memory; try a larger -m";
    }
}

static const char *address_set(struct ethernet *ethernet, const char *text)
{
    struct interface_address address;
    int error = interface_address_read(&address, text);
    error = error != 0 ? error : interface_address_set(ethernet, &address);
    return error == 0 ? NULL : error_text(error);
}

const char *network_start(const struct options *options, const char **option)
{
    struct ethernet *ethernet;
    const char *wrong = NULL;
    if (options->address_count == 0) {
        return NULL;
    }
    *option = options->addresses[0];
    const int error = interface_open(0, &ethernet);
    if (error != 0) {
        return error_text(error);
    }
    for (size_t i = 0; i < options->address_count && wrong == NULL; ++i) {
        *option = options->addresses[i];
        wrong = address_set(ethernet, *option);
    }
    return wrong;
}
