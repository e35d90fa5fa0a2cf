// SPDX-License-Identifier: BSD-3-Clause
// socketoptions.h: what setsockopt(2) sets of sockets of any kind.
#ifndef CORE_VFS_SOCKETOPTIONS_H
#define CORE_VFS_SOCKETOPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/dev/packet_filter.h"
#include "hal/hal.h"

// Read and written by anybody, one by one.
struct socket_options {
    _Atomic hal_ns receive_timeout, send_timeout; // 0: none
    _Atomic uint32_t send_limit, receive_limit;   // bytes, Linux's way of counting them: doubled
    _Atomic uint32_t receive_least;               // a receive waits for so many bytes; 0: 1
    _Atomic bool passes_credentials;
    _Atomic uint32_t netif; // SO_BINDTODEVICE, of families that have no use for it
    _Atomic uint32_t switches; // by their numbers: kept for who asks
    _Atomic bool is_filter_locked; // SO_LOCK_FILTER
    packet_filter_slot filter;     // of families whose packets are not core/net's
};

#endif
