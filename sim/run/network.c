// SPDX-License-Identifier: BSD-3-Clause
// network.c: what the machine's network device is connected to.
//
// What can be known before the machine starts is looked at here, for the sake of an error that says
// what to do: QEMU's own do not.
#include "sim/run/network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/run/failure.h"
#include "sim/switch.h"

// ---- The command line ----------------------------------------------------------------

void network_parse(struct network *network, const char *text)
{
    static const struct {
        const char *prefix;
        enum network_kind kind;
    } kinds[] = {{"tap=", NETWORK_TAP},
                 {"bridge=", NETWORK_BRIDGE},
                 {"network=", NETWORK_NAMED},
                 {"switch=", NETWORK_SWITCH}};
    network->name = NULL;
    if (strcmp(text, "none") == 0 || strcmp(text, "user") == 0) {
        network->kind = text[0] == 'n' ? NETWORK_NONE : NETWORK_USER;
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        const size_t size = strlen(kinds[i].prefix);
        if (strncmp(text, kinds[i].prefix, size) == 0 && text[size] != 0) {
            network->kind = kinds[i].kind;
            network->name = text + size;
            return;
        }
    }
    fail(STATUS_USAGE,
         "--net: '%s' is none of none, user, tap=NAME, bridge=NAME, network=NAME and switch=FOLDER",
         text);
}

void network_publish(struct network *network, const char *text)
{
    struct port port;
    if (!port_parse(&port, text)) {
        fail(STATUS_USAGE, "--publish: '%s' is not " PORT_FORM, text);
    }
    if (port.is_v6) {
        fail(STATUS_USAGE,
             "--publish: '%s': QEMU's network publishes at addresses of IPv4 alone; give one",
             text);
    }
    if (network->port_count == PORT_MAX) {
        fail(STATUS_USAGE, "--publish: more than %d of them", PORT_MAX);
    }
    network->ports[network->port_count++] = port;
}

// ---- The host --------------------------------------------------------------------------

// As QEMU will bind it.
static void port_check(const struct port *port)
{
    const int one = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port->host)};
    (void)inet_pton(AF_INET, port->address, &address.sin_addr);
    const int fd =
        socket(AF_INET, (port->is_datagrams ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        (!port->is_datagrams && listen(fd, 1) != 0)) {
        fail(STATUS_CANNOT, "--publish: port %u of %s: %s; give another", port->host, port->address,
             errno == EADDRINUSE ? "is taken" : strerror(errno));
    }
    close(fd);
}

static bool interface_has(const char *name, const char *fact)
{
    char *path = text_make("/sys/class/net/%s/%s", name, fact);
    const bool has = strchr(name, '/') == NULL && access(path, F_OK) == 0;
    free(path);
    return has;
}

static void interface_check(const char *option, const char *name, const char *fact,
                            const char *remedy)
{
    if (strlen(name) >= IFNAMSIZ || !interface_has(name, ".")) {
        fail(STATUS_CANNOT, "--net %s=%s: there is no such interface; make it by: %s", option, name,
             remedy);
    }
    if (!interface_has(name, fact)) {
        fail(STATUS_CANNOT, "--net %s=%s: the interface is no %s", option, name, option);
    }
}

// Takes it for a moment.
static void tap_take(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        fail(STATUS_CANNOT, "--net tap=%s: /dev/net/tun: %s", name, strerror(errno));
    }
    if (ioctl(fd, TUNSETIFF, &request) != 0) {
        fail(STATUS_CANNOT, "--net tap=%s: %s", name,
             errno == EBUSY ? "another process has it"
             : errno == EPERM
                 ? "it is another user's; whose it is says: ip tuntap add ... user NAME"
                 : strerror(errno));
    }
    close(fd);
}

static void tap_check(const char *name, bool is_direct)
{
    char *remedy = text_make("ip tuntap add %s mode tap user %u", name, (unsigned)geteuid());
    interface_check("tap", name, "tun_flags", remedy);
    free(remedy);
    if (is_direct) {
        tap_take(name);
    }
}

// QEMU's helper, which may make taps, asks a file who may have one on which bridge.
static void bridge_check(const char *name, bool is_direct)
{
    static const char rules[] = "/etc/qemu/bridge.conf";
    char *remedy = text_make("ip link add %s type bridge", name);
    interface_check("bridge", name, "bridge", remedy);
    free(remedy);
    if (is_direct && access(rules, F_OK) != 0) {
        fail(STATUS_CANNOT, "--net bridge=%s: %s: %s; it has to have the line: allow %s", name,
             rules, strerror(errno), name);
    }
}

// One that only this machine has: of those that nobody gives out.
static void hardware_make(struct network *network)
{
    uint8_t *bytes = network->far.hardware;
    memcpy(bytes, "\x52\x54", 3);
    if (getrandom(bytes + 3, 3, 0) != 3) {
        fail(STATUS_CANNOT, "random numbers: %s", strerror(errno));
    }
    (void)snprintf(network->hardware, sizeof network->hardware, "52:54:00:%02x:%02x:%02x", bytes[3],
                   bytes[4], bytes[5]);
}

static void switch_check(struct network *network)
{
    const char *missing = switch_join(&network->far, network->name);
    if (missing != NULL) {
        fail(STATUS_CANNOT, "--net switch=%s: %s: %s", network->name, missing, strerror(errno));
    }
}

// QEMU makes it, perhaps from another directory.
static void capture_check(struct network *network, bool is_direct)
{
    if (network->kind == NETWORK_NONE) {
        fail(STATUS_USAGE, "--pcap: there is no network device to listen to: give one by --net");
    }
    if (!is_direct && network->kind != NETWORK_USER && network->kind != NETWORK_SWITCH) {
        fail(STATUS_USAGE, "--pcap: only with --direct or --net user: this device is libvirt's");
    }
    if (network->kind == NETWORK_BRIDGE) {
        fail(STATUS_USAGE,
             "--pcap: not with --net bridge=%s, where QEMU puts virtio's headers before "
             "the frames: make a tap on the bridge, and give it by --net tap=NAME",
             network->name);
    }
    const int fd = open(network->capture, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    char *whole = fd < 0 ? NULL : realpath(network->capture, NULL);
    if (!is_direct && fd >= 0) {
        (void)fchmod(fd, 0666); // libvirt's QEMU is somebody else
    }
    if (whole == NULL) {
        fail(STATUS_CANNOT, "--pcap: %s: %s", network->capture, strerror(errno));
    }
    close(fd);
    network->capture = whole; // until the end
}

void network_check(struct network *network, bool is_direct)
{
    if (network->capture != NULL) {
        capture_check(network, is_direct);
    }
    if (network->port_count > 0 && network->kind != NETWORK_USER) {
        fail(STATUS_USAGE, "--publish goes with --net user only");
    }
    if (network->kind == NETWORK_NAMED && is_direct) {
        fail(STATUS_USAGE, "--net network=%s: networks are libvirt's; leave out --direct",
             network->name);
    }
    for (size_t i = 0; i < network->port_count; ++i) {
        port_check(&network->ports[i]);
    }
    if (network->kind == NETWORK_TAP) {
        tap_check(network->name, is_direct);
    } else if (network->kind == NETWORK_BRIDGE) {
        bridge_check(network->name, is_direct);
    }
    if (network->kind != NETWORK_NONE && network->kind != NETWORK_USER) {
        hardware_make(network);
    }
    if (network->kind == NETWORK_SWITCH) {
        switch_check(network);
    }
}
