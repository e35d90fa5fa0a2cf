// SPDX-License-Identifier: BSD-3-Clause
// socketcalls.h: what the families of sockets do differently, for the system calls that all have:
// those of unix(7) in socketlocal.c, those of ip(7) in socketinet.c, those of netlink(7) in
// socketnetlink.c, those of packet(7) in socketpacket.c.
#ifndef CORE_LINUX_SOCKETCALLS_H
#define CORE_LINUX_SOCKETCALLS_H

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "core/linux/netlinkwire.h"
#include "core/vfs/file.h"
#include "core/vfs/localsocket.h"
#include "core/vfs/socketoptions.h"
#include "hal/hal.h"

struct net_loan;
struct net_socket;

struct socket_address { // one of core's, to be written to the caller
    union {
        struct sockaddr_un local;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct netlink_name netlink;
        struct sockaddr_ll packet;
    };
    uint32_t size; // 0: none
};

struct controls { // the caller's room for messages of control
    char *data;
    size_t size, done;
    int flags; // answer: MSG_CTRUNC
};

enum {
    SOCKET_BATCH = 0x40000
}; // with MSG_*, of a send: another follows at once; Linux's MSG_BATCH

struct socket_message {
    const struct io_vector *vectors;
    size_t count;
    int flags; // MSG_*
    // Of a send: the caller's.
    const void *name;
    uint32_t name_size;
    const void *control;
    size_t control_size;
    struct net_loan *loan; // net_message's
    // Of a receive: answers. controls NULL: nobody wants them.
    struct socket_address from;
    struct controls *controls;
    int answer_flags;
};

union socket_option {
    int number;
    uint64_t rate;
    struct timeval time;
    struct linger linger;
    struct in_addr address;
    struct localsocket_credentials sender;
    struct tcp_info info;
    char text[16];
    uint32_t groups[2]; // bit n: group n + 1
    uint32_t words[8];
};

// int results are 0 or -errno; long ones may be bytes. user points to the caller's memory.
struct socket_calls {
    long (*send)(struct file *file, const struct socket_message *message);
    long (*receive)(struct file *file, struct socket_message *message);
    // readv and writev: a receive and a send without options, of one message.
    int (*read)(struct file *file, const struct io_vector *vectors, size_t count, size_t *done);
    int (*write)(struct file *file, const struct io_vector *vectors, size_t count, size_t *done);
    int (*bind)(struct file *file, const void *user, uint32_t size);
    int (*connect)(struct file *file, const void *user, uint32_t size);
    int (*listen)(struct file *file, int backlog);
    int (*accept)(struct file *file, uint32_t flags, struct file **accepted);
    int (*name)(struct file *file, bool is_peer, struct socket_address *address);
    int (*shutdown)(struct file *file, int how);
    // Those that are not socketoption.c's. The size of the answer; -ENOPROTOOPT.
    int (*option_set)(struct file *file, int level, int name, const void *user, uint32_t size);
    int (*option_get)(struct file *file, int level, int name, union socket_option *value);
    struct socket_options *(*options)(struct file *file);
    packet_filter_slot *(*filter)(struct file *file); // NULL: that of its options
    int (*error_take)(struct file *file);
    // The interface that it is bound to, by its index; 0: none. NULL: its options have it alone.
    int (*netif_set)(struct file *file, uint32_t index);
    uint32_t (*netif)(const struct file *file);
    // *options have changed. NULL: nobody need know.
    void (*options_changed)(struct file *file);
    // -EPIPE is all that a broken one says: no signal is sent.
    bool (*breaks_silently)(const struct file *file);
};

extern const struct socket_calls local_calls; // AF_UNIX
extern const struct socket_calls inet_calls;  // AF_INET, AF_INET6
extern const struct socket_calls netlink_calls;
extern const struct socket_calls packet_calls; // AF_PACKET

extern const struct file_ops inet_ops; // of files of inet_calls

// The same, of a file of others. NULL: it is no socket.
const struct socket_calls *socket_calls_of_other(const struct file *file);

static inline const struct socket_calls *socket_calls_of(const struct file *file)
{
    return file->ops == &inet_ops ? &inet_calls : socket_calls_of_other(file);
}
// As file_ops have them: by the calls of its family.
int socket_file_read(struct file *file, uint64_t offset, char *data, size_t size, size_t *done);
int socket_file_write(struct file *file, uint64_t offset, const char *data, size_t size,
                      size_t *done);

// -EBADF, -ENOTSOCK.
HAL_MUST_CHECK int socket_get(int fd, struct file **file);

// Makes a socket; type without SOCK_NONBLOCK and the like, flags: OPEN_NONBLOCK.
HAL_MUST_CHECK int local_create(struct file **file, int type, int protocol, uint32_t flags);
HAL_MUST_CHECK int inet_create(struct file **file, int domain, int type, int protocol,
                               uint32_t flags);

HAL_MUST_CHECK int netlink_create(struct file **file, int type, int protocol, uint32_t flags);
HAL_MUST_CHECK int packet_create(struct file **file, int type, int protocol, uint32_t flags);

bool file_is_inetsocket(const struct file *file);
bool file_is_netlinksocket(const struct file *file);
bool file_is_packetsocket(const struct file *file);

// Of a file that is one. The second: it is direct from now on (core/net/direct.h). -EINVAL: it gets
// frames, or has a ring.
struct net_socket *packet_socket_of(const struct file *file);
HAL_MUST_CHECK int packet_take_begin(struct file *file);

// sendmsg. loan: as net_message has it.
long socket_message_send(struct file *file, const struct msghdr *user, int flags,
                         struct net_loan *loan);

// ioctl on a socket of any family, about interfaces. -ENOTTY: it is about something else.
HAL_MUST_CHECK int interface_control(const struct file *file, unsigned long which, void *user);

// What an interface says of itself by any way: IFF_*; packets that wait for a device (none do).
struct netif;
uint32_t interface_flags(const struct netif *netif);
// inetethtool.c: SIOCETHTOOL, about an interface. -EOPNOTSUPP.
HAL_MUST_CHECK int interface_ethtool(const struct netif *netif, void *user);
enum { INTERFACE_QUEUE_LENGTH = 1000 };

// Writes an address to where the caller has room for *user_size bytes, cut off where that ends, and
// its full size to user_size.
HAL_MUST_CHECK int socket_address_write(const struct socket_address *address, void *user,
                                        uint32_t *user_size);

// Writes one; it is cut off where the room ends, and that is said in the flags. -EFAULT.
HAL_MUST_CHECK int control_write(struct controls *to, int level, int type, const void *content,
                                 size_t size);
// When something came, by the wall clock: kind is SO_TIMESTAMP or SO_TIMESTAMPNS.
HAL_MUST_CHECK int control_stamp_write(struct controls *to, int kind, hal_ns at);

// The caller's messages of control in heap memory, NULL where there are none. -ENOBUFS: too much.
HAL_MUST_CHECK int controls_copy(const struct socket_message *message, char **data);

// SOL_SOCKET's, of all families. -ENOPROTOOPT; the size of the answer.
HAL_MUST_CHECK int option_set(struct file *file, int name, const void *user, uint32_t size);
HAL_MUST_CHECK int option_get(struct file *file, int name, union socket_option *value);

// socketnetif.c: SO_BINDTODEVICE, SO_BINDTOIFINDEX.
HAL_MUST_CHECK int netif_option_set(struct file *file, int name, const void *user, uint32_t size);
// The size of the answer, of which the caller takes room bytes. -EINVAL: that is too little.
HAL_MUST_CHECK int netif_option_get(struct file *file, int name, union socket_option *value,
                                    uint32_t room);

// socketfilter.c: SO_ATTACH_FILTER, SO_DETACH_FILTER, SO_LOCK_FILTER; value: what user begins with.
HAL_MUST_CHECK int filter_option_set(struct file *file, int name, int value, const void *user,
                                     uint32_t size);
// SO_GET_FILTER: writes the instructions, where there is room for any. How many there are, or
// -errno.
HAL_MUST_CHECK long filter_copy(struct file *file, void *user, uint32_t room);

#endif
