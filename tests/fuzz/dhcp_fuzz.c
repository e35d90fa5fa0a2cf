// SPDX-License-Identifier: BSD-3-Clause
// dhcp_fuzz.c: any bytes at all as messages of DHCP servers: read, and, with the number that the
// client waits for, given to it. Each input is a list: two bytes of length, then a message behind
// the fields that make it one for this client. Time goes on by itself.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/net/dhcp.h"

enum { HEAD = 240, STEPS = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t here[NETIF_HARDWARE_SIZE] = {2, 0, 0, 0, 0, 1};

// All that is due at now, and what a lease has to be where it is taken.
static void client_run(struct dhcp *dhcp, hal_ns now, struct dhcp_step *step)
{
    uint8_t message[DHCP_MESSAGE_SIZE];
    for (int i = 0; step->act != DHCP_NOTHING || i == 0; ++i) {
        if (i == STEPS) {
            abort();
        }
        if (step->act == DHCP_SEND_ALL || step->act == DHCP_SEND_SERVER) {
            dhcp_request_write(&step->request, message);
        }
        if (step->act == DHCP_TAKE &&
            (dhcp->lease.bits == 0 || dhcp->lease.bits > 32 || dhcp->renewal > dhcp->rebinding ||
             dhcp->rebinding > dhcp->end)) {
            abort();
        }
        dhcp_timeout(dhcp, now, step);
    }
}

static void bring(struct dhcp *dhcp, const uint8_t *data, size_t size, hal_ns now)
{
    static const uint8_t start[] = {2, 1, 6}, cookie[] = {0x63, 0x82, 0x53, 0x63};
    struct dhcp_reply reply;
    struct dhcp_step step = {.act = DHCP_NOTHING};
    uint8_t *message = malloc(size == 0 ? 1 : size); // what is read behind it is found
    if (message == NULL) {
        abort();
    }
    memcpy(message, data, size);
    if (size >= HEAD) {
        memcpy(message, start, sizeof start);
        memcpy(message + 28, here, sizeof here);
        memcpy(message + HEAD - sizeof cookie, cookie, sizeof cookie);
    }
    if (dhcp_reply_read(&reply, here, message, size) == 0) {
        reply.number = dhcp->number;
        dhcp_input(dhcp, &reply, now, &step);
        client_run(dhcp, now, &step);
    }
    free(message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dhcp dhcp;
    struct dhcp_step step = {.act = DHCP_NOTHING};
    hal_ns now = 1;
    dhcp_start(&dhcp, here, 1, now);
    client_run(&dhcp, now, &step);
    while (size > 2) {
        size_t length = (size_t)data[0] << 8 | data[1];
        length = length < size - 2 ? length : size - 2;
        bring(&dhcp, data + 2, length, now);
        data += 2 + length;
        size -= 2 + length;
        now = dhcp.deadline == UINT64_MAX ? now : dhcp.deadline;
        step.act = DHCP_NOTHING;
        client_run(&dhcp, now, &step);
    }
    return 0;
}
