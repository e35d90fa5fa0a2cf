// SPDX-License-Identifier: BSD-3-Clause
// inetioctl.c: what sockets of any family tell about interfaces (netdevice(7)). There is one, the
// loopback network's.
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include "core/lib/errno.h"
#include "core/lib/string.h"
#include "core/linux/socketinet.h"
#include "core/linux/user.h"
#include "core/net/netif.h"

// A sockaddr_in where the caller wants a sockaddr.
static void address_put(struct sockaddr *to, uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const uint8_t bytes[] = {a, b, c, d};
    memcpy(&address.sin_addr, bytes, sizeof bytes);
    memcpy(to, &address, sizeof *to);
}

static void name_put(struct ifreq *request)
{
    memset(request->ifr_name, 0, sizeof request->ifr_name);
    memcpy(request->ifr_name, loopback.name, strlen(loopback.name));
}

static int list_write(struct ifconf *user)
{
    struct ifconf list;
    struct ifreq one = {0};
    int error = user_read(&list, user, sizeof list);
    if (error != 0) {
        return error;
    }
    name_put(&one);
    address_put(&one.ifr_addr, 127, 0, 0, 1);
    const bool has_room = list.ifc_req == NULL || list.ifc_len >= (int)sizeof one;
    if (list.ifc_req != NULL && has_room) {
        error = user_write(list.ifc_req, &one, sizeof one);
    }
    list.ifc_len = has_room ? (int)sizeof one : 0;
    return error != 0 ? error : user_write(user, &list, sizeof list);
}

// What sockets of IPv4 alone are asked. -ENOTTY: another request.
static int address_answer(struct ifreq *request, unsigned long which)
{
    switch (which) {
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        address_put(&request->ifr_addr, 127, 0, 0, 1);
        return 0;
    case SIOCGIFNETMASK:
        address_put(&request->ifr_netmask, 255, 0, 0, 0);
        return 0;
    case SIOCGIFBRDADDR:
        address_put(&request->ifr_broadaddr, 0, 0, 0, 0);
        return 0;
    default:
        return -ENOTTY;
    }
}

static int answer(struct ifreq *request, unsigned long which)
{
    switch (which) {
    case SIOCGIFFLAGS:
        request->ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_RUNNING;
        return 0;
    case SIOCGIFMTU:
        request->ifr_mtu = (int)loopback.mtu;
        return 0;
    case SIOCGIFMETRIC:
        request->ifr_metric = 0;
        return 0;
    case SIOCGIFINDEX:
        request->ifr_ifindex = (int)loopback.index;
        return 0;
    case SIOCGIFHWADDR:
        request->ifr_hwaddr = (struct sockaddr){.sa_family = ARPHRD_LOOPBACK};
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

static bool is_about_interface(unsigned long which)
{
    return which == SIOCGIFNAME || which == SIOCGIFFLAGS || which == SIOCGIFMTU ||
           which == SIOCGIFMETRIC || which == SIOCGIFINDEX || which == SIOCGIFHWADDR;
}

int interface_control(const struct file *file, unsigned long which, void *user)
{
    struct ifreq request;
    const bool is_v4 = file_is_inetsocket(file) && inet_of(file)->socket.is_v4;
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
        error = request.ifr_ifindex == (int)loopback.index ? 0 : -ENODEV;
        name_put(&request);
    } else {
        request.ifr_name[IFNAMSIZ - 1] = 0;
        const bool is_known = strcmp(request.ifr_name, loopback.name) == 0;
        error = !is_known                   ? -ENODEV
                : is_about_addresses(which) ? address_answer(&request, which)
                                            : answer(&request, which);
    }
    return error != 0 ? error : user_write(user, &request, sizeof request);
}
