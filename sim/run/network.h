// SPDX-License-Identifier: BSD-3-Clause
// network.h: what the machine's network device is connected to.
#ifndef SIM_RUN_NETWORK_H
#define SIM_RUN_NETWORK_H

#include <stdbool.h>
#include <stddef.h>

#include "hal-linux/dev/net.h"
#include "sim/tool/port.h"

enum network_kind {
    NETWORK_NONE,   // there is no device
    NETWORK_USER,   // QEMU's own network, by the sockets of the user
    NETWORK_TAP,    // an interface of the host, which is there
    NETWORK_BRIDGE, // one that is made, on a bridge of the host
    NETWORK_NAMED,  // a network of libvirt
    NETWORK_SWITCH, // a folder, where osv-sim may be, too
};

struct network {
    enum network_kind kind;
    const char *name; // of the interface, bridge, network or folder
    struct port ports[PORT_MAX];
    size_t port_count;
    const char *capture; // the file for the device's frames, or NULL
    char hardware[18]; // address of the device, a new one each time; empty: the hypervisor's choice
    struct net_far far; // on a switch
    const char *socket; // by which QEMU gets there
};

// none, user, tap=NAME, bridge=NAME, network=NAME or switch=FOLDER. Ends the process where it is
// none of these.
void network_parse(struct network *network, const char *text);

// One more port, as port_parse has it. Ends the process where it is not that.
void network_publish(struct network *network, const char *text);

// Ends the process where the network cannot be had. is_direct: QEMU is ours, as are its rights.
void network_check(struct network *network, bool is_direct);

#endif
