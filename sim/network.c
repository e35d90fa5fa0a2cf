// SPDX-License-Identifier: BSD-3-Clause
// network.c: what the network device of osv-sim is connected to: a TAP interface of the host; or,
// what needs no privilege, a switch: a folder with a socket for each machine; or a network of its
// own, whose way out is this process's sockets.
#include "sim/network.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "hal-linux/dev/capture.h"
#include "hal-linux/dev/net.h"
#include "sim/carrier.h"
#include "sim/nat.h"
#include "sim/options.h"
#include "sim/rings.h"
#include "sim/simulated.h"
#include "sim/switch.h"

enum {
    MTU = 1500,
    MTU_MIN = 68,
    MTU_MAX = 65521, // the host's most
};

static struct net_far far;

static const char *value_of(const char *text, const char *name)
{
    const size_t size = strlen(name);
    return strncmp(text, name, size) == 0 && text[size] != 0 ? text + size : NULL;
}

static bool has_rings(const char *tap)
{
    const char *option = strchr(tap, ',');
    return option != NULL && strcmp(option + 1, "uring") == 0;
}

static void tap_check(const char *text, const char *tap)
{
    const int size = (int)strcspn(tap, ",");
    if (size == 0 || size >= IFNAMSIZ || memchr(tap, '/', (size_t)size) != NULL) {
        options_fail(EXIT_USAGE, "--net %s: '%.*s' is no name of an interface", text, size, tap);
    }
    if (tap[size] != 0 && !has_rings(tap)) {
        options_fail(EXIT_USAGE, "--net %s: '%s' is no option of a tap; uring is one", text,
                     tap + size + 1);
    }
}

void network_check(const char *text)
{
    const char *folder = value_of(text, "switch="), *tap = value_of(text, "tap=");
    if (simulated_is(text)) {
        simulated_check(text);
        return;
    }
    if (strcmp(text, "none") != 0 && strcmp(text, "user") != 0 && folder == NULL && tap == NULL) {
        options_fail(EXIT_USAGE,
                     "--net: '%s' is none of none, user, switch=FOLDER, tap=NAME and sim", text);
    }
    if (folder != NULL && strlen(folder) > NET_FOLDER_MAX) {
        options_fail(EXIT_USAGE, "--net %s: the name is longer than %d characters", text,
                     NET_FOLDER_MAX);
    }
    if (tap != NULL) {
        tap_check(text, tap);
    }
}

// One of those that nobody gives out, for one station.
static void hardware_make(void)
{
    if (getrandom(far.hardware, sizeof far.hardware, 0) != (ssize_t)sizeof far.hardware) {
        options_fail(EXIT_USAGE, "random numbers: %s", strerror(errno));
    }
    far.hardware[0] = (uint8_t)((far.hardware[0] & ~1) | 2);
}

static void folder_join(const char *text, const char *folder)
{
    const char *missing = switch_join(&far, folder);
    if (missing != NULL) {
        options_fail(EXIT_USAGE, "--net %s: %s: %s", text, missing, strerror(errno));
    }
}

// As the interface of the host has it: what is longer it does not take.
static uint16_t mtu_of(const struct ifreq *request)
{
    struct ifreq copy = *request;
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_told = fd >= 0 && ioctl(fd, SIOCGIFMTU, &copy) == 0;
    close(fd);
    return !is_told || copy.ifr_mtu < MTU_MIN ? MTU
           : copy.ifr_mtu > MTU_MAX           ? MTU_MAX
                                              : (uint16_t)copy.ifr_mtu;
}

static void tap_fail(const char *text, const char *name)
{
    const int error = errno;
    if (error == EPERM || error == EACCES) {
        options_fail(EXIT_USAGE,
                     "--net %s: no right to it; root can make one for you: ip tuntap add %s mode "
                     "tap user %u; --net user needs no right",
                     text, name, (unsigned)geteuid());
    }
    options_fail(EXIT_USAGE, "--net %s: %s", text,
                 error == EBUSY    ? "another process has it"
                 : error == EINVAL ? "the interface is no tap"
                 : error == ENOENT ? "this host has no /dev/net/tun; --net user needs none"
                                   : strerror(error));
}

// One queue of the interface more. False: errno says why not.
static bool tap_queue_open(struct ifreq *request)
{
    const int header = NET_VIRTIO_HEADER;
    const int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
    if (fd < 0 || ioctl(fd, TUNSETIFF, request) != 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) != 0 ||
        ioctl(fd, TUNSETOFFLOAD, 0) != 0) {
        const int error = errno;
        close(fd);
        errno = error;
        return false;
    }
    far.fds[far.pair_count++] = fd;
    return true;
}

// As many queues as CPUs, if it is an interface of several (ip tuntap add ... multi_queue).
static void tap_open(const char *text, const char *name, unsigned cpu_count)
{
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    const unsigned index = if_nametoindex(name);
    const bool is_taken = carrier_is_on(index);
    if (index == 0) { // root would get a new one, which leads nowhere
        options_fail(EXIT_USAGE,
                     "--net %s: there is no such interface; root makes one by: ip tuntap add %s "
                     "mode tap user %u && ip link set %s up; --net user needs none",
                     text, name, (unsigned)geteuid(), name);
    }
    (void)snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
    if (!tap_queue_open(&request)) {
        request.ifr_flags |= IFF_MULTI_QUEUE;
        if (errno != EINVAL || !tap_queue_open(&request)) {
            tap_fail(text, name);
        }
        if (is_taken) { // flows would go to either of us
            errno = EBUSY;
            tap_fail(text, name);
        }
        const unsigned most = cpu_count < NET_FAR_PAIRS_MAX ? cpu_count : NET_FAR_PAIRS_MAX;
        while (far.pair_count < most && tap_queue_open(&request)) {
        }
    }
    far.mtu = mtu_of(&request);
    far.is_tap = true;
}

// A write that may not wait is refused while the host holds much that was written: it holds all.
static void tap_rings_add(const char *text)
{
    const int room = INT_MAX;
    const int failure = rings_add(&far);
    if (failure == -EPERM || failure == -ENOSYS) {
        options_fail(EXIT_USAGE,
                     "--net %s: this host refuses io_uring (its sysctl "
                     "kernel.io_uring_disabled, or a container's filter); leave ,uring out",
                     text);
    }
    if (failure != 0) {
        options_fail(EXIT_USAGE, "--net %s: io_uring: %s; leave ,uring out", text,
                     strerror(-failure));
    }
    for (uint32_t i = 0; i < far.pair_count; ++i) {
        (void)ioctl(far.fds[i], TUNSETSNDBUF, &room);
    }
}

static void user_join(const struct options *options)
{
    const struct nat_options nat = {
        .addresses = options->addresses,
        .address_count = options->address_count,
        .ports = options->ports,
        .port_count = options->port_count,
        .mtu = MTU,
    };
    const struct timeval patience = {.tv_usec = NET_PATIENCE_US};
    far.fds[0] = nat_start(&nat, NET_VIRTIO_HEADER);
    (void)setsockopt(far.fds[0], SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
}

static void capture_begin(const char *name)
{
    const int fd = capture_open(name);
    if (fd < 0) {
        options_fail(EXIT_USAGE, "--pcap: %s: %s", name, strerror(-fd));
    }
    far.capture = fd;
}

void network_add(const struct options *options)
{
    const char *text = options->net == NULL ? "none" : options->net;
    const bool is_user = strcmp(text, "user") == 0;
    if (options->port_count > 0 && !is_user) {
        options_fail(EXIT_USAGE, "--publish goes with --net user only");
    }
    if (options->capture != NULL && strcmp(text, "none") == 0) {
        options_fail(EXIT_USAGE,
                     "--pcap: there is no network device to listen to: give one by --net");
    }
    if (strcmp(text, "none") == 0) {
        return;
    }
    if (options->capture != NULL) {
        capture_begin(options->capture);
    }
    if (simulated_is(text)) {
        simulated_add(far.capture);
        return;
    }
    const char *folder = value_of(text, "switch=");
    const char *tap = value_of(text, "tap=");
    far.mtu = MTU;
    far.pair_count = tap == NULL;
    hardware_make();
    if (is_user) {
        user_join(options);
    } else if (folder != NULL) {
        folder_join(text, folder);
    } else {
        char name[IFNAMSIZ];
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(tap, ","), tap);
        tap_open(text, name, options->cpu_count);
        if (has_rings(tap)) {
            tap_rings_add(text);
        }
    }
    if (net_add("eth0", &far) != 0) {
        options_fail(EXIT_USAGE, "cannot make the network device");
    }
}
