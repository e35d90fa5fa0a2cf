// SPDX-License-Identifier: BSD-3-Clause
// tcp_cookie.h: answers to SYNs of which nothing is kept (RFC 4987, 3.6): when too many connections
// have begun and do not go on. The number of the answer says what is to be known later.
#ifndef CORE_NET_TCP_COOKIE_H
#define CORE_NET_TCP_COOKIE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/net/address.h"
#include "hal/hal.h"

void tcp_cookie_start(void); // before the first; again is nothing. Thread context, may block

// The number of an answer to a SYN of number irs from remote that said mss.
uint32_t tcp_cookie_make(const struct net_end *local, const struct net_end *remote, uint32_t irs,
                         uint16_t mss, hal_ns now);

// Whether the number is one that was made for them, some two minutes ago at most; and the MSS,
// which may have become smaller.
HAL_MUST_CHECK bool tcp_cookie_check(uint32_t cookie, const struct net_end *local,
                                     const struct net_end *remote, uint32_t irs, hal_ns now,
                                     uint16_t *mss);

#endif
