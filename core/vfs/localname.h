// SPDX-License-Identifier: BSD-3-Clause
// localname.h: the names of local sockets, and who has them; for localsocket.c and its queues.
#ifndef CORE_VFS_LOCALNAME_H
#define CORE_VFS_LOCALNAME_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "core/vfs/localsocket.h"

struct localsocket;
struct vnode;

// Does not change while somebody has a reference, but for owner and next.
struct localname {
    _Atomic uint32_t reference_count;
    struct localname *next;     // in a bucket of the table, under its lock
    struct localsocket *owner;  // under the same; NULL: nobody is found by it any more
    struct vnode *vnode;        // counted; NULL: abstract
    uint64_t device, inode;     // of vnode
    enum localsocket_type type; // abstract names are each type's own
    size_t size;
    char bytes[];
};

// From now on socket is found by the name, until localname_retire. Answers a reference, which
// becomes the socket's. -EADDRINUSE, -ENOMEM, and what vnode_status answers.
HAL_MUST_CHECK int localname_claim(struct localsocket *socket, const struct localsocket_name *name,
                                   struct localname **claimed);
// A name that is free: five hexadecimal digits.
HAL_MUST_CHECK int localname_claim_any(struct localsocket *socket, struct localname **claimed);

void localname_retire(struct localname *name, const struct localsocket *owner);

void localname_get(struct localname *name);
void localname_put(struct localname *name); // NULL is nothing

// Who has the name, counted (localsocket_get). -ECONNREFUSED: nobody. -EPROTOTYPE: a socket of
// another type. Else as localname_claim.
HAL_MUST_CHECK int localname_find(const struct localsocket_name *name, enum localsocket_type type,
                                  struct localsocket **owner);

void localname_copy(const struct localname *name, struct localsocket_name *to); // NULL: none

#endif
