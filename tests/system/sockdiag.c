// SPDX-License-Identifier: BSD-3-Clause
// sockdiag.c: what sock_diag(7) says of this program's own sockets. There may be others.
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "requests.h"
#include "show.h"

enum { OWN_MAX = 8, TCP = IPPROTO_TCP, UDP = IPPROTO_UDP };

// What is told of own sockets, in the order in which they were made: a dump on Linux may tell of
// thousands of others.
static union {
    struct nlmsghdr head;
    char bytes[2048];
} told[OWN_MAX];
static int own[OWN_MAX], own_count, listening_port;

static struct request request_make(int family, int protocol, unsigned states, unsigned extensions)
{
    struct request request =
        request_of(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, sizeof(struct inet_diag_req_v2));
    struct inet_diag_req_v2 *asked = (struct inet_diag_req_v2 *)request.bytes;
    asked->sdiag_family = (uint8_t)family;
    asked->sdiag_protocol = (uint8_t)protocol;
    asked->idiag_ext = (uint8_t)extensions;
    asked->idiag_states = states;
    return request;
}

static const char *port_of(uint16_t port)
{
    return port == 0 ? "none" : ntohs(port) == listening_port ? "the listener's" : "another";
}

static void attributes_print(const struct nlmsghdr *message)
{
    struct rtattr *at = (struct rtattr *)((struct inet_diag_msg *)NLMSG_DATA(message) + 1);
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof(struct inet_diag_msg)));
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        if (at->rta_type == INET_DIAG_SHUTDOWN || at->rta_type == INET_DIAG_SKV6ONLY) {
            printf(", %d: %d", at->rta_type, *(uint8_t *)RTA_DATA(at));
        } else if (at->rta_type == INET_DIAG_INFO) {
            printf(", state %d", *(uint8_t *)RTA_DATA(at));
        } else if (at->rta_type == INET_DIAG_CONG) {
            printf(", has a way to avoid congestion: %d", RTA_PAYLOAD(at) > 1);
        }
    }
    putchar('\n');
}

// Which of the own sockets has that inode; -1: another.
static int own_of(uint32_t inode)
{
    struct stat status;
    for (int i = 0; i < own_count; ++i) {
        fstat(own[i], &status);
        if (inode == (uint32_t)status.st_ino) {
            return i;
        }
    }
    return -1;
}

static bool is_local(const struct nlmsghdr *message)
{
    return *(const uint8_t *)NLMSG_DATA(message) == AF_UNIX;
}

static void socket_keep(const struct nlmsghdr *message)
{
    const struct inet_diag_msg *head = NLMSG_DATA(message);
    const struct unix_diag_msg *local = NLMSG_DATA(message);
    const int index = own_of(is_local(message) ? local->udiag_ino : head->idiag_inode);
    if (index >= 0 && message->nlmsg_len <= sizeof told[index]) {
        memcpy(&told[index], message, message->nlmsg_len);
    }
}

// ---- Local ones ----------------------------------------------------------------------------

static void name_print(const char *name, int size)
{
    printf(", %s of %d bytes", name[0] == 0 ? "abstract" : "path", size);
    if (name[0] != 0) {
        struct stat status = {0};
        printf(", %s", stat(name, &status) == 0 && name[size - 1] == 0 ? "there" : "gone");
    }
}

static void numbers_print(const char *what, const uint32_t *numbers, int size)
{
    printf(", %s", what);
    for (int i = 0; i < size / (int)sizeof *numbers; ++i) {
        printf(" %d", own_of(numbers[i]));
    }
}

static void local_attribute_print(struct rtattr *at)
{
    const uint32_t *numbers = RTA_DATA(at);
    struct stat status;
    switch (at->rta_type) {
    case UNIX_DIAG_NAME:
        name_print(RTA_DATA(at), (int)RTA_PAYLOAD(at));
        break;
    case UNIX_DIAG_VFS:
        fstat(own[0], &status);
        printf(", has a node that is not the socket's: %d", numbers[0] != status.st_ino);
        break;
    case UNIX_DIAG_PEER:
        numbers_print("peer", numbers, (int)RTA_PAYLOAD(at));
        break;
    case UNIX_DIAG_ICONS:
        numbers_print("waiting", numbers, (int)RTA_PAYLOAD(at));
        break;
    case UNIX_DIAG_RQLEN:
        printf(", to be read %u, there %d", numbers[0], numbers[1] > 0);
        break;
    case UNIX_DIAG_MEMINFO:
        printf(", limits %u %u, holds %d", numbers[1], numbers[3], numbers[0] > 0);
        break;
    case UNIX_DIAG_SHUTDOWN:
        printf(", shut %d", *(uint8_t *)RTA_DATA(at));
        break;
    case UNIX_DIAG_UID:
        printf(", ours %d", numbers[0] == getuid());
        break;
    default:
        printf(", %d", at->rta_type);
        break;
    }
}

static void local_print(int index)
{
    const struct nlmsghdr *message = &told[index].head;
    const struct unix_diag_msg *head = NLMSG_DATA(message);
    struct rtattr *at = (struct rtattr *)(uintptr_t)(head + 1);
    int left = (int)(message->nlmsg_len - NLMSG_LENGTH(sizeof *head));
    printf("  socket %d: type %d state %d", index, head->udiag_type, head->udiag_state);
    for (; RTA_OK(at, left); at = RTA_NEXT(at, left)) {
        local_attribute_print(at);
    }
    putchar('\n');
}

static void socket_print(int index)
{
    const struct nlmsghdr *message = &told[index].head;
    const struct inet_diag_msg *head = NLMSG_DATA(message);
    char text[INET6_ADDRSTRLEN];
    printf("  socket %d: family %d state %d", index, head->idiag_family, head->idiag_state);
    printf(" at %s", inet_ntop(head->idiag_family, head->id.idiag_src, text, sizeof text));
    printf(" to %s", inet_ntop(head->idiag_family, head->id.idiag_dst, text, sizeof text));
    printf(" port %s to %s", port_of(head->id.idiag_sport), port_of(head->id.idiag_dport));
    printf(", to be read %u, ours %d", head->idiag_rqueue, head->idiag_uid == getuid());
    if (head->idiag_state == 10) {
        printf(", of %u", head->idiag_wqueue);
    }
    attributes_print(message);
}

static void ask(int fd, const char *what, const struct request *request)
{
    static char answer[65536];
    memset(told, 0, sizeof told);
    printf("%s\n", what);
    SHOW(send(fd, request, request->head.nlmsg_len, 0) > 0);
    for (bool is_more = true; is_more;) {
        ssize_t got = recv(fd, answer, sizeof answer, 0);
        struct nlmsghdr *message = (struct nlmsghdr *)answer;
        is_more = got > 0;
        for (; got > 0 && NLMSG_OK(message, (unsigned)got); message = NLMSG_NEXT(message, got)) {
            if (message->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
                socket_keep(message);
            } else {
                printf("  end %d, %d\n", message->nlmsg_type, *(int *)NLMSG_DATA(message));
                is_more = false;
            }
        }
    }
    for (int i = 0; i < own_count; ++i) {
        if (told[i].head.nlmsg_len != 0) {
            (is_local(&told[i].head) ? local_print : socket_print)(i);
        }
    }
}

static int kept(int fd)
{
    own[own_count++] = fd;
    return fd;
}

static void sockets_make(void)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    const struct sockaddr_in6 any = {.sin6_family = AF_INET6};
    socklen_t size = sizeof name;
    const int listening = kept(socket(AF_INET, SOCK_STREAM, 0));
    bind(listening, (struct sockaddr *)&name, sizeof name);
    listen(listening, 5);
    getsockname(listening, (struct sockaddr *)&name, &size);
    listening_port = ntohs(name.sin_port);
    const int client = kept(socket(AF_INET, SOCK_STREAM, 0));
    connect(client, (struct sockaddr *)&name, sizeof name);
    const int server = kept(accept(listening, NULL, NULL));
    write(client, "unread", 6);
    (void)server;
    const int datagrams = kept(socket(AF_INET, SOCK_DGRAM, 0));
    bind(datagrams, (struct sockaddr *)&name, sizeof name);
    connect(kept(socket(AF_INET, SOCK_DGRAM, 0)), (struct sockaddr *)&name, sizeof name);
    const int six = kept(socket(AF_INET6, SOCK_STREAM, 0));
    bind(six, (const struct sockaddr *)&any, sizeof any);
    listen(six, 7);
    const int bound = kept(socket(AF_INET, SOCK_STREAM, 0));
    name.sin_port = 0;
    bind(bound, (struct sockaddr *)&name, sizeof name);
}

static struct request local_request(unsigned states, unsigned shows, uint32_t inode)
{
    const unsigned flags = inode == 0 ? NLM_F_DUMP : 0;
    struct request request =
        request_of(SOCK_DIAG_BY_FAMILY, flags, sizeof(struct unix_diag_req));
    *(struct unix_diag_req *)request.bytes = (struct unix_diag_req){
        .sdiag_family = AF_UNIX,
        .udiag_states = states,
        .udiag_ino = inode,
        .udiag_show = shows,
        .udiag_cookie = {UINT32_MAX, UINT32_MAX},
    };
    return request;
}

// One by a path, one by bytes; who waits, who is accepted; pairs; nobody's.
static void locals_make(struct sockaddr_un *path)
{
    struct sockaddr_un any = {.sun_family = AF_UNIX};
    socklen_t size = sizeof any;
    int pair[2];
    own_count = 0;
    const int listening = kept(socket(AF_UNIX, SOCK_STREAM, 0));
    bind(listening, (struct sockaddr *)path, sizeof *path);
    listen(listening, 5);
    const int client = kept(socket(AF_UNIX, SOCK_STREAM, 0));
    connect(client, (struct sockaddr *)path, sizeof *path);
    kept(accept(listening, NULL, NULL));
    connect(kept(socket(AF_UNIX, SOCK_STREAM, 0)), (struct sockaddr *)path, sizeof *path);
    write(client, "unread", 6);
    const int datagrams = kept(socket(AF_UNIX, SOCK_DGRAM, 0));
    bind(datagrams, (struct sockaddr *)&any, sizeof any.sun_family);
    getsockname(datagrams, (struct sockaddr *)&any, &size);
    connect(kept(socket(AF_UNIX, SOCK_DGRAM, 0)), (struct sockaddr *)&any, size);
    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair);
    close(pair[1]);
    kept(pair[0]);
    kept(socket(AF_UNIX, SOCK_STREAM, 0));
}

static void locals(int fd)
{
    struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/tmp/osv-diag-XXXXXX"};
    struct stat status;
    close(mkstemp(path.sun_path));
    unlink(path.sun_path);
    locals_make(&path);
    struct request request = local_request(-1u, 0, 0);
    ask(fd, "local ones", &request);
    request = local_request(-1u, -1u, 0);
    ask(fd, "local ones, and all of them", &request);
    request = local_request(1 << 10, UDIAG_SHOW_NAME | UDIAG_SHOW_ICONS, 0);
    ask(fd, "local ones that listen", &request);
    request = local_request(1 << 7, UDIAG_SHOW_PEER, 0);
    ask(fd, "local ones without a peer", &request);
    fstat(own[1], &status);
    request = local_request(0, UDIAG_SHOW_PEER, (uint32_t)status.st_ino);
    request.head.nlmsg_flags |= NLM_F_ACK;
    ask(fd, "one", &request);
    request = local_request(0, 0, UINT32_MAX);
    ask(fd, "one that is not there", &request);
    request = local_request(0, 0, (uint32_t)status.st_ino);
    ((struct unix_diag_req *)request.bytes)->udiag_cookie[0] = 1;
    ask(fd, "one that is another by now", &request);
    request = local_request(0, 0, 0);
    request.head.nlmsg_flags &= (uint16_t)~NLM_F_DUMP;
    ask(fd, "none", &request);
    request = local_request(-1u, 0, 0);
    request.head.nlmsg_len = NLMSG_LENGTH(sizeof(struct unix_diag_req) - 4);
    ask(fd, "a short question", &request);
    unlink(path.sun_path);
}

int main(void)
{
    const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
    const unsigned extensions = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_CONG - 1);
    sockets_make();
    struct request request = request_make(AF_INET, TCP, -1u, 0);
    ask(fd, "TCP", &request);
    request = request_make(AF_INET, TCP, -1u, extensions);
    ask(fd, "TCP, and more of it", &request);
    request = request_make(AF_INET, TCP, 1 << 10, 0);
    ask(fd, "who listens", &request);
    request = request_make(AF_INET6, TCP, -1u, 0);
    ask(fd, "TCP by IPv6", &request);
    request = request_make(AF_INET, UDP, -1u, 0);
    ask(fd, "UDP", &request);
    request = request_make(AF_INET, UDP, 1 << 1, 0);
    ask(fd, "UDP that is connected", &request);
    request = request_make(200, TCP, -1u, 0);
    ask(fd, "no such family", &request);
    request = request_make(AF_INET, TCP, -1u, 0);
    request.head.nlmsg_len = NLMSG_LENGTH(1);
    ask(fd, "a short question", &request);
    request.head.nlmsg_len = NLMSG_LENGTH(20);
    ask(fd, "one that ends too early", &request);
    request = request_make(AF_INET, TCP, -1u, 0);
    request.head.nlmsg_type = 99;
    ask(fd, "no such type", &request);
    locals(fd);
    puts("done");
    return 0;
}
