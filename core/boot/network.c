// SPDX-License-Identifier: BSD-3-Clause
// network.c: see network.h.
#include "core/boot/network.h"

#include "core/boot/options.h"
#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/net/address_text.h"
#include "core/net/autoconf_client.h"
#include "core/net/dhcp_client.h"
#include "core/net/ethernet.h"
#include "core/net/interface.h"
#include "core/net/names.h"
#include "core/vfs/proctext.h"
#include "core/vfs/vfs.h"

enum { LEASE_PATIENCE_S = 10 };

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

static const char *name_server_set(const char *text)
{
    struct net_address address;
    const int error = address_read(&address, &text);
    if (error != 0 || *text != 0) {
        return "wants an address, such as 10.0.2.3 or fd00::3";
    }
    return net_names_fix(&address) == 0 ? NULL : "at most 3 of them";
}

// As resolv.conf(5) has it.
static size_t name_servers_make(char *text, size_t size, void *unused)
{
    struct writer writer = {text, size, 0};
    const struct net_names names = net_names_now();
    (void)unused;
    if (names.domain[0] != 0) {
        writer_put(&writer, "search %s\n", names.domain);
    }
    for (uint32_t i = 0; i < names.server_count; ++i) {
        char server[ADDRESS_TEXT_SIZE];
        address_write(&names.servers[i], server);
        writer_put(&writer, "nameserver %s\n", server);
    }
    return writer.length;
}

// What a program may need without asking for it by an option: it starts without.
static void lease_get(struct ethernet *ethernet)
{
    const hal_ns deadline = hal_clock_ns() + LEASE_PATIENCE_S * UINT64_C(1000000000);
    autoconf_client_start(ethernet->autoconf);
    dhcp_client_start(ethernet->dhcp);
    if (!dhcp_client_await(ethernet->dhcp, deadline)) {
        console_print("osv: eth0: no DHCP server has answered within %d s: the program starts "
                      "without an address; --ip gives one\n",
                      LEASE_PATIENCE_S);
    }
}

static const char *addresses_set(const struct options *options, struct ethernet *ethernet,
                                 char what[NETWORK_TEXT_SIZE])
{
    const char *wrong = NULL;
    for (size_t i = 0; i < options->name_server_count && wrong == NULL; ++i) {
        (void)format(what, NETWORK_TEXT_SIZE, "--dns=%s", options->name_servers[i]);
        wrong = name_server_set(options->name_servers[i]);
    }
    for (size_t i = 0; i < options->address_count && wrong == NULL; ++i) {
        (void)format(what, NETWORK_TEXT_SIZE, "--ip=%s", options->addresses[i]);
        wrong = address_set(ethernet, options->addresses[i]);
    }
    return wrong;
}

const char *network_start(const struct options *options, char what[NETWORK_TEXT_SIZE])
{
    struct ethernet *ethernet;
    const bool has_address = options->address_count > 0, has_dns = options->name_server_count > 0;
    const int error = interface_open(0, !has_address, &ethernet);
    if (error != 0) {
        (void)format(what, NETWORK_TEXT_SIZE, "%s%s",
                     has_address ? "--ip="
                     : has_dns   ? "--dns="
                                 : "eth0",
                     has_address ? options->addresses[0]
                     : has_dns   ? options->name_servers[0]
                                 : "");
        return error == -ENXIO && !has_address && !has_dns ? NULL : error_text(error);
    }
    const char *wrong = addresses_set(options, ethernet, what);
    if (wrong == NULL && !has_address) {
        lease_get(ethernet);
    }
    if (wrong == NULL && (!has_address || has_dns)) {
        const int missing = vfs_mount_text("/etc/resolv.conf", name_servers_make);
        (void)missing; // a root without it has no programs that ask
    }
    return wrong;
}
