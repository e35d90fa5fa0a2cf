// SPDX-License-Identifier: BSD-3-Clause
// loan.h: memory of the program's that is lent to packets (core/dev/packet.h) until nobody has a
// part of it any more.
//
// The last part may go anywhere, in an interrupt, too; its lender is told on a thread.
#ifndef CORE_NET_LOAN_H
#define CORE_NET_LOAN_H

#include <stdbool.h>

#include "core/dev/packet.h"
#include "hal/hal.h"

struct net_loan {
    struct packet_buffer buffer; // counted by who has a part, and by the lender, who puts it once
    struct packet note;          // loan.c's
    bool is_used;                // somebody has had a part. Its sender's
    // Nobody has it. On one thread, where it may block; no lock is held.
    void (*end)(struct net_loan *loan);
};

// Once, before the first loan; again is nothing. Thread context. -ENOMEM.
HAL_MUST_CHECK int net_loan_start(void);

// The rest of *loan is set here.
void net_loan_begin(struct net_loan *loan, void (*end)(struct net_loan *loan));

#endif
