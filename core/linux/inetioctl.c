// SPDX-License-Identifier: BSD-3-Clause
// inetioctl.c: what sockets of any family tell about interfaces (netdevice(7)).
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/net/netif.h"
#include "core/net/route.h"

// A sockaddr_in where the caller wants a sockaddr.
static void address_put(struct sockaddr *to, const struct net_address *from)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    memcpy(&address.sin_addr, address_v4_bytes(from), ADDRESS_V4_SIZE);
    memcpy(to, &address, sizeof *to);
}

static void name_put(struct ifreq *request, const struct netif *netif)
{
    memset(request->ifr_name, 0, sizeof request->ifr_name);
    memcpy(request->ifr_name, netif->name, strlen(netif->name));
}

// All addresses of IPv4, the loopback network's first. Answers how many.
static uint32_t addresses_list(struct route_address list[ROUTE_ADDRESS_MAX + 1])
{
    uint32_t count = 1;
    list[0] =
        (struct route_address){.address = address_loopback(true), .bits = 8, .netif = &loopback};
    const uint32_t all = route_address_list(list + 1);
    for (uint32_t i = 1; i <= all; ++i) {
        if (address_is_v4(&list[i].address)) {
            list[count++] = list[i];
        }
    }
    return count;
}

static int list_write(struct ifconf *user)
{
    struct route_address addresses[ROUTE_ADDRESS_MAX + 1];
    struct ifconf list;
    int error = user_read(&list, user, sizeof list);
    if (error != 0) {
        return error;
    }
    const uint32_t count = addresses_list(addresses);
    const bool is_asked_for = list.ifc_req != NULL;
    const int room = is_asked_for ? list.ifc_len : (int)(count * sizeof(struct ifreq));
    list.ifc_len = 0;
    for (uint32_t i = 0; i < count && error == 0; ++i) {
        struct ifreq one = {0};
        if (room - list.ifc_len < (int)sizeof one) {
            break;
        }
        name_put(&one, addresses[i].netif);
        address_put(&one.ifr_addr, &addresses[i].address);
        error = !is_asked_for ? 0 : user_write(list.ifc_req + i, &one, sizeof one);
        list.ifc_len += (int)sizeof one;
    }
    return error != 0 ? error : user_write(user, &list, sizeof list);
}

static struct net_address mask_of(const struct route_address *own)
{
    const uint8_t ones[] = {255, 255, 255, 255};
    const struct net_address all = address_of_v4(ones);
    return address_prefix(&all, own->bits);
}

// On the loopback network there is none.
static struct net_address broadcast_of(const struct route_address *own)
{
    return own->netif == &loopback ? address_any(true) : address_last(&own->address, own->bits);
}

// What sockets of IPv4 alone are asked. -EADDRNOTAVAIL: it has no address.
static int address_answer(struct ifreq *request, unsigned long which, const struct netif *netif)
{
    struct route_address addresses[ROUTE_ADDRESS_MAX + 1];
    const uint32_t count = addresses_list(addresses);
    uint32_t index = 0;
    while (index < count && addresses[index].netif != netif) {
        ++index;
    }
    if (index == count) {
        return -EADDRNOTAVAIL;
    }
    const struct net_address address = which == SIOCGIFNETMASK   ? mask_of(&addresses[index])
                                       : which == SIOCGIFBRDADDR ? broadcast_of(&addresses[index])
                                                                 : addresses[index].address;
    address_put(&request->ifr_addr, &address); // and the others, which lie there
    return 0;
}

uint32_t interface_flags(const struct netif *netif)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0;
    return IFF_UP | (atomic_load(&netif->is_cut) ? 0 : IFF_RUNNING) |
           (is_lo ? IFF_LOOPBACK : IFF_BROADCAST | IFF_MULTICAST);
}

static int answer(struct ifreq *request, unsigned long which, const struct netif *netif)
{
    const bool is_lo = (netif->flags & NETIF_LOOPBACK) != 0;
    switch (which) {
    case SIOCGIFFLAGS:
        request->ifr_flags = (short)interface_flags(netif);
        return 0;
    case SIOCGIFMTU:
        request->ifr_mtu = (int)netif->mtu;
        return 0;
    case SIOCGIFTXQLEN:
        request->ifr_qlen = INTERFACE_QUEUE_LENGTH;
        return 0;
    case SIOCGIFMETRIC:
        request->ifr_metric = 0;
        return 0;
    case SIOCGIFINDEX:
        request->ifr_ifindex = (int)netif->index;
        return 0;
    case SIOCGIFHWADDR:
        request->ifr_hwaddr =
            (struct sockaddr){.sa_family = is_lo ? ARPHRD_LOOPBACK : ARPHRD_ETHER};
        memcpy(request->ifr_hwaddr.sa_data, netif->hardware, sizeof netif->hardware);
        return 0;
    default:
        return -ENOTTY;
    }
}

static bool is_about_addresses(unsigned long which)
{
    return which == SIOCGIFADDR || which == SIOCGIFDSTADDR || which == SIOCGIFNETMASK ||
           which == SIOCGIFBRDADDR;
}

enum { ETHTOOL = 0x8946 }; // SIOCETHTOOL

static bool is_about_interface(unsigned long which)
{
    return which == ETHTOOL || which == SIOCGIFNAME || which == SIOCGIFFLAGS ||
           which == SIOCGIFMTU || which == SIOCGIFMETRIC || which == SIOCGIFINDEX ||
           which == SIOCGIFHWADDR || which == SIOCGIFTXQLEN;
}

int interface_control(const struct file *file, unsigned long which, void *user)
{
    struct ifreq request;
    const bool is_v4 =
        file_is_packetsocket(file) || (file_is_inetsocket(file) && inet_of(file)->socket.is_v4);
    if (which == SIOCGIFCONF) {
        return list_write(user);
    }
    if (!is_about_interface(which) && !(is_about_addresses(which) && is_v4)) {
        return -ENOTTY;
    }
    int error = user_read(&request, user, sizeof request);
    if (error != 0) {
        return error;
    }
    if (which == SIOCGIFNAME) {
        const struct netif *netif = netif_at((uint32_t)request.ifr_ifindex);
        error = netif == NULL ? -ENODEV : 0;
        if (netif != NULL) {
            name_put(&request, netif);
        }
    } else {
        request.ifr_name[IFNAMSIZ - 1] = 0;
        const struct netif *netif = netif_find(request.ifr_name);
        if (netif != NULL && which == ETHTOOL) {
            return interface_ethtool(netif, request.ifr_data);
        }
        error = netif == NULL               ? -ENODEV
                : is_about_addresses(which) ? address_answer(&request, which, netif)
                                            : answer(&request, which, netif);
    }
    return error != 0 ? error : user_write(user, &request, sizeof request);
}
