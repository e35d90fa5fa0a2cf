// SPDX-License-Identifier: BSD-3-Clause
// socketname.h: sockets as system calls name them: by descriptor and by address.
#ifndef CORE_LINUX_SOCKETNAME_H
#define CORE_LINUX_SOCKETNAME_H

#include <stdint.h>

#include "core/vfs/file.h"
#include "core/vfs/localsocket.h"
#include "hal/hal.h"

// -EBADF, -ENOTSOCK.
HAL_MUST_CHECK int socket_get(int fd, struct file **file);

// Reads the address of a socket to send or connect to, and finds its node where it has one;
// socketname_put ends the use of name, also after an error. -EINVAL: it is none of a local socket.
HAL_MUST_CHECK int socketname_read(struct localsocket_name *name, const void *user, uint32_t size);
void socketname_put(struct localsocket_name *name);

// Writes an address to where the caller has room for *user_size bytes, cut off where that ends, and
// its full size to user_size. is_family: a socket without a name has the family alone, else
// nothing.
HAL_MUST_CHECK int socketname_write(const struct localsocket_name *name, bool is_family, void *user,
                                    uint32_t *user_size);

#endif
