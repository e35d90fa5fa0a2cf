// SPDX-License-Identifier: BSD-3-Clause
// bpf.h: programs that say of a packet how much of it is wanted: the classic BSD packet filter
// (McCanne and Jacobson, "The BSD Packet Filter", 1993), with what Linux's has beside a packet's
// bytes. Any context; needs no memory.
#ifndef CORE_LIB_BPF_H
#define CORE_LIB_BPF_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/hal.h"

enum { BPF_COUNT_MAX = 4096, BPF_NOWHERE = UINT32_MAX };

struct bpf_instruction { // as struct sock_filter of Linux
    uint16_t code;
    uint8_t if_true, if_false;
    uint32_t k;
};

_Static_assert(sizeof(struct bpf_instruction) == 8, "struct sock_filter");

// What a program looks at.
struct bpf_view {
    const char *bytes; // the first near_size of them
    uint32_t near_size, size;
    uint32_t data, network, link; // where what it is about, and headers begin; BPF_NOWHERE
    // Copies count bytes at offset, all of which are there. NULL: near_size is size.
    void (*far_read)(const struct bpf_view *view, uint32_t offset, uint8_t *to, uint32_t count);
    const void *source; // far_read's
    uint16_t protocol;  // of the link's, in the machine's order
    uint16_t hardware;  // the kind of link, ARPHRD_*
    uint8_t way;        // PACKET_HOST, PACKET_OUTGOING ...
    uint32_t interface, cpu;
};

// May it be run? It ends, and reads no memory that it has not written. room is for 2 * count bytes.
// -EINVAL.
HAL_MUST_CHECK int bpf_check(const struct bpf_instruction *program, uint32_t count, uint16_t *room);

// How many bytes from view->data on are wanted; 0: none, as where it reads what is not there. Of
// one that bpf_check has passed.
uint32_t bpf_run(const struct bpf_instruction *program, const struct bpf_view *view);

#endif
