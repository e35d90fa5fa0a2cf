// SPDX-License-Identifier: BSD-3-Clause
// net_far.h: a model of a network device, in place of the transport, and who has its driver.
#ifndef NET_FAR_H
#define NET_FAR_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/dev/net.h"

enum {
    RECEIVE,
    SEND,
    PAIRS = 3,
    QUEUES = 2 * PAIRS + 1,
    HEADER = sizeof(struct virtio_net_hdr_mrg_rxbuf),
};

extern struct hal_ring rings[QUEUES];
extern uint16_t taken[QUEUES]; // chains that the device has seen
extern uint32_t kicks[QUEUES];
extern uint32_t control;       // its queue
extern uint32_t refused_queue; // one that the machine has no interrupt for
extern uint32_t arrives_at;    // where arrive puts packets
extern uint16_t pairs_set;     // by a command; which pairs_refused says is not done
extern bool pairs_refused;
extern uint8_t spreading[512]; // of the command, as it came
extern uint32_t spreading_size;
extern uint64_t offered_features, wanted_features;
extern struct virtio_net_config config;
extern bool is_running, sends_at_once;
#ifndef VIRTIO_NET_F_HOST_USO // Linux 6.2's
#define VIRTIO_NET_F_HOST_USO 56
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

extern const uint64_t all_features, large_features;

struct vring_desc *desc(int queue);
struct vring_avail *avail(int queue);
struct vring_used *used(int queue);
uint16_t available(int queue); // chains that it has not taken
uint16_t take(int queue);
void finish(int queue, uint16_t head, uint32_t length);
void send_one_by(int queue);
void send_one(void);
extern char sent[]; // the last, with its header
extern size_t sent_size, sent_count;

// Writes a packet into as many buffers as it needs, of which each takes size bytes.
void arrive_flagged(const char *bytes, size_t length, size_t size, uint8_t flags);
void arrive(const char *bytes, size_t length, size_t size);
void interrupt(int queue);

extern struct net_device *device;
extern char got[]; // the last, as its user has it
extern size_t got_size, got_count, lost_count, changed_count, end_count;
extern bool got_trust;
extern const char letters[71];

int open_device(void);
void start_with(uint64_t features);
void start(void);
void stop(void);
struct packet *packet_of(const char *bytes, size_t size);

#endif
