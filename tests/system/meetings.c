// SPDX-License-Identifier: BSD-3-Clause
// meetings.c: local sockets that find each other by name: paths and abstract names, connections,
// datagrams, and what comes of each wrong step.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "show.h"

enum { PATH_OFFSET = offsetof(struct sockaddr_un, sun_path) };

static struct sockaddr_un address; // the main thread's

// A name that begins with @ is abstract. Answers the address's size.
static socklen_t name_fill(struct sockaddr_un *to, const char *name)
{
    *to = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(to->sun_path, name);
    if (name[0] != '@') {
        return sizeof *to;
    }
    to->sun_path[0] = 0;
    return (socklen_t)(PATH_OFFSET + strlen(name));
}

static socklen_t named(const char *name)
{
    return name_fill(&address, name);
}

static int bind_to(int fd, const char *name)
{
    const socklen_t size = named(name);
    return bind(fd, (struct sockaddr *)&address, size);
}

static int connect_to(int fd, const char *name)
{
    const socklen_t size = named(name);
    return connect(fd, (struct sockaddr *)&address, size);
}

static void name_print(const char *what, long result, socklen_t size)
{
    show(what, result);
    if (result == -1) {
        return;
    }
    printf("  %u %u ", (unsigned)size, address.sun_family);
    for (socklen_t i = PATH_OFFSET; i < size && i < sizeof address; ++i) {
        const char byte = ((char *)&address)[i];
        putchar(byte == 0 ? '@' : byte);
    }
    putchar('\n');
}

static void show_name(int fd)
{
    socklen_t size = sizeof address;
    name_print("getsockname", getsockname(fd, (struct sockaddr *)&address, &size), size);
}

static void show_peer(int fd)
{
    socklen_t size = sizeof address;
    name_print("getpeername", getpeername(fd, (struct sockaddr *)&address, &size), size);
}

static void show_poll(int fd)
{
    enum { ALL = POLLIN | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM };
    struct pollfd item = {.fd = fd, .events = ALL};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
}

static void show_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof value;
    SHOW(getsockopt(fd, SOL_SOCKET, option, &value, &size));
    printf("  %d\n", value);
}

static void show_credentials(int fd)
{
    struct ucred peer = {0};
    socklen_t size = sizeof peer;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size));
    printf("  %d %d %d\n", peer.pid == getpid() ? 1 : peer.pid, peer.uid == getuid(),
           peer.gid == getgid());
}

static void show_receive(int fd)
{
    char data[64] = "";
    socklen_t size = sizeof address;
    const long got =
        recvfrom(fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&address, &size);
    name_print("recvfrom", got, size);
    if (got > 0) {
        printf("  %.*s\n", (int)got, data);
    }
}

static void makings(void)
{
    printf("-- making\n");
    SHOW(socket(AF_UNIX, 99, 0));
    SHOW(socket(AF_UNIX, SOCK_RDM, 0));
    SHOW(socket(AF_UNIX, SOCK_STREAM, 7));
    SHOW(socket(AF_UNIX, SOCK_STREAM | 0x10, 0));
    SHOW(socket(99, SOCK_STREAM, 0));
    int fd = socket(AF_UNIX, SOCK_RAW, AF_UNIX);
    show_option(fd, SO_TYPE);
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_GETFL));
    close(fd);
}

static void idle(int type)
{
    char data[8];
    printf("-- alone, type %d\n", type);
    int fd = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    show_name(fd);
    show_peer(fd);
    show_poll(fd);
    show_credentials(fd);
    show_option(fd, SO_ACCEPTCONN);
    show_option(fd, SO_DOMAIN);
    SHOW(read(fd, data, sizeof data));
    SHOW(recv(fd, data, sizeof data, 0));
    SHOW(send(fd, "x", 1, MSG_NOSIGNAL));
    SHOW(accept(fd, NULL, NULL));
    SHOW(listen(fd, 1));
    int count = -1;
    SHOW(ioctl(fd, FIONREAD, &count));
    printf("  %d\n", count);
    SHOW(shutdown(fd, SHUT_RD));
    show_poll(fd);
    SHOW(close(fd));
}

static void addresses(void)
{
    printf("-- addresses\n");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int other = socket(AF_UNIX, SOCK_STREAM, 0);
    struct sockaddr *volatile nowhere = (struct sockaddr *)8;
    named("/tmp/meetings");
    SHOW(bind(fd, nowhere, 20));
    SHOW(bind(fd, (struct sockaddr *)&address, 1));
    SHOW(bind(fd, (struct sockaddr *)&address, sizeof address + 1));
    address.sun_family = AF_INET;
    SHOW(bind(fd, (struct sockaddr *)&address, 20));
    SHOW(connect(fd, (struct sockaddr *)&address, 20));
    SHOW(connect(fd, (struct sockaddr *)&address, 1));
    SHOW(bind_to(fd, "/nowhere/at/all"));
    SHOW(bind_to(fd, "/tmp"));
    SHOW(bind_to(fd, "/tmp/meetings"));
    show_name(fd);
    SHOW(bind_to(fd, "/tmp/another"));
    SHOW(access("/tmp/another", F_OK));
    SHOW(bind_to(other, "/tmp/meetings"));
    struct stat status;
    SHOW(stat("/tmp/meetings", &status));
    printf("  %o\n", status.st_mode);
    SHOW(open("/tmp/meetings", O_RDWR));
    socklen_t size = 5;
    memset(&address, 'x', sizeof address);
    name_print("getsockname", getsockname(fd, (struct sockaddr *)&address, &size), size);
    size = (socklen_t)-1;
    SHOW(getsockname(fd, (struct sockaddr *)&address, &size));
    SHOW(connect_to(other, "/tmp/meetings")); // nobody listens
    SHOW(connect_to(other, "/tmp/no such"));
    SHOW(connect_to(other, "/tmp"));
    SHOW(connect_to(other, "@no such"));
    SHOW(unlink("/tmp/meetings"));
    SHOW(connect_to(other, "/tmp/meetings"));
    SHOW(bind_to(other, "/tmp/meetings")); // the first has its name for good
    show_name(fd);
    SHOW(listen(fd, 1));
    SHOW(connect_to(other, "/tmp/meetings"));
    SHOW(unlink("/tmp/meetings"));
    close(fd);
    close(other);
}

static void abstracts(void)
{
    printf("-- abstract\n");
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    int other = socket(AF_UNIX, SOCK_DGRAM, 0);
    SHOW(bind_to(fd, "@meet"));
    show_name(fd);
    SHOW(bind_to(other, "@meet"));
    SHOW(bind_to(other, "@meeting"));
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(bind_to(fd, "@meet"));
    SHOW(connect_to(other, "@meet"));
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    address.sun_family = AF_UNIX;
    SHOW(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)));
    socklen_t size = sizeof address;
    SHOW(getsockname(fd, (struct sockaddr *)&address, &size));
    printf("  %u %d\n", (unsigned)size, address.sun_path[0]);
    for (int i = 1; i < 6; ++i) {
        printf("  %d\n", strchr("0123456789abcdef", address.sun_path[i]) != NULL);
    }
    SHOW(bind(fd, (struct sockaddr *)&address, sizeof(sa_family_t)));
    close(fd);
    close(other);
}

static void connections(int type)
{
    printf("-- connections, type %d\n", type);
    int server = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    int client = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    SHOW(bind_to(server, "@server"));
    SHOW(connect_to(client, "@server"));
    SHOW(listen(server, 1));
    SHOW(listen(server, 0));
    show_option(server, SO_ACCEPTCONN);
    show_credentials(server);
    show_poll(server);
    SHOW(accept(server, NULL, NULL));
    SHOW(connect_to(server, "@server"));
    SHOW(connect_to(client, "@server"));
    show_poll(server);
    show_peer(client);
    SHOW(send(client, "early", 5, 0));
    SHOW(connect_to(client, "@server"));
    SHOW(bind_to(client, "@client"));
    int second = socket(AF_UNIX, type | SOCK_NONBLOCK, 0);
    SHOW(connect_to(second, "@server")); // none waits to be accepted but one
    int count;
    SHOW(ioctl(server, FIONREAD, &count));
    socklen_t size = sizeof address;
    int accepted =
        accept4(server, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    name_print("accept4", accepted == -1 ? -1 : 0, size);
    SHOW(fcntl(accepted, F_GETFL));
    SHOW(fcntl(accepted, F_GETFD));
    show_name(accepted);
    show_peer(accepted);
    show_peer(client);
    show_credentials(accepted);
    show_receive(accepted);
    show_receive(accepted);
    SHOW(send(accepted, "back", 4, 0));
    named("@server");
    SHOW(sendto(client, "to", 2, MSG_NOSIGNAL, (struct sockaddr *)&address, sizeof address));
    show_receive(client);
    SHOW(listen(client, 1));
    SHOW(connect_to(second, "@server"));
    SHOW(close(server)); // second is not accepted
    show_poll(second);
    show_receive(second);
    SHOW(send(second, "x", 1, MSG_NOSIGNAL));
    show_option(second, SO_ERROR);
    SHOW(connect_to(socket(AF_UNIX, type, 0), "@server"));
    SHOW(shutdown(client, SHUT_WR));
    show_receive(accepted);
    show_receive(accepted);
    show_poll(accepted);
    SHOW(send(accepted, "half", 4, 0));
    show_receive(client);
    SHOW(close(client));
    SHOW(send(accepted, "x", 1, MSG_NOSIGNAL));
    show_peer(accepted);
    show_poll(accepted);
    close(accepted);
    close(second);
}

static void datagrams(void)
{
    printf("-- datagrams\n");
    int server = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int client = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    SHOW(bind_to(server, "/tmp/datagrams"));
    socklen_t size = named("/tmp/datagrams");
    SHOW(sendto(client, "unnamed", 7, 0, (struct sockaddr *)&address, size));
    SHOW(bind_to(client, "@client"));
    SHOW(connect_to(client, "/tmp/datagrams"));
    SHOW(send(client, "named", 5, 0));
    show_peer(client);
    show_credentials(client);
    show_receive(server);
    show_receive(server);
    show_receive(server);
    size = named("@client");
    SHOW(sendto(server, "back", 4, 0, (struct sockaddr *)&address, size));
    show_receive(client);
    SHOW(bind_to(other, "@other"));
    size = named("@client");
    SHOW(sendto(other, "intruder", 8, 0, (struct sockaddr *)&address, size));
    SHOW(connect_to(other, "@client"));
    size = named("@nobody");
    SHOW(sendto(other, "x", 1, 0, (struct sockaddr *)&address, size));
    size = named("/tmp/nobody");
    SHOW(sendto(other, "x", 1, 0, (struct sockaddr *)&address, size));
    SHOW(sendto(client, "x", 1, 0, (struct sockaddr *)&address, 2));
    int sent = 0;
    while (send(client, "fill", 4, 0) == 4) {
        ++sent;
    }
    printf("%d until %s\n", sent, strerrorname_np(errno));
    show_poll(client);
    show_receive(server);
    show_poll(client);
    SHOW(connect_to(client, "@other"));
    SHOW(connect_to(other, "@client"));
    SHOW(send(other, "lost", 4, 0));
    address.sun_family = AF_UNSPEC;
    SHOW(connect(client, (struct sockaddr *)&address, sizeof(sa_family_t)));
    show_receive(client);
    show_option(other, SO_ERROR);
    SHOW(send(client, "x", 1, 0));
    SHOW(connect_to(client, "/tmp/datagrams"));
    SHOW(close(server));
    SHOW(send(client, "x", 1, 0));
    SHOW(send(client, "x", 1, 0));
    SHOW(connect_to(client, "/tmp/datagrams"));
    SHOW(unlink("/tmp/datagrams"));
    struct sockaddr_un self;
    size = sizeof self;
    SHOW(getsockname(client, (struct sockaddr *)&self, &size));
    SHOW(sendto(client, "self", 4, 0, (struct sockaddr *)&self, size));
    show_receive(client);
    close(client);
    close(other);
}

// ---- Waiting -------------------------------------------------------------

static int waiting_server;

static void *client_run(void *argument)
{
    char data[16];
    struct sockaddr_un server;
    const socklen_t size = name_fill(&server, "@waiting");
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    intptr_t failed = connect(fd, (struct sockaddr *)&server, size);
    failed |= send(fd, argument, 1, 0) != 1;
    failed |= recv(fd, data, sizeof data, 0) != 1 || data[0] != *(char *)argument;
    close(fd);
    return (void *)failed;
}

static void crowd(void)
{
    enum { CLIENTS = 16 };
    static const char letters[CLIENTS + 1] = "abcdefghijklmnop";
    pthread_t threads[CLIENTS];
    int failed = 0;
    printf("-- a crowd\n");
    waiting_server = socket(AF_UNIX, SOCK_STREAM, 0);
    SHOW(bind_to(waiting_server, "@waiting"));
    SHOW(listen(waiting_server, 1)); // most of them wait for room
    for (int i = 0; i < CLIENTS; ++i) {
        pthread_create(&threads[i], NULL, client_run, (void *)(uintptr_t)&letters[i]);
    }
    for (int i = 0; i < CLIENTS; ++i) {
        char data[16];
        int fd = accept(waiting_server, NULL, NULL);
        failed += fd < 0 || recv(fd, data, sizeof data, 0) != 1 || send(fd, data, 1, 0) != 1;
        close(fd);
    }
    for (int i = 0; i < CLIENTS; ++i) {
        void *result;
        pthread_join(threads[i], &result);
        failed += result != NULL;
    }
    printf("failed %d\n", failed);
    struct timeval soon = {.tv_usec = 1000};
    SHOW(setsockopt(waiting_server, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon));
    SHOW(accept(waiting_server, NULL, NULL));
    int fds[4];
    for (int i = 0; i < 4; ++i) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
        setsockopt(fds[i], SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
        SHOW(connect_to(fds[i], "@waiting"));
    }
    SHOW(shutdown(waiting_server, SHUT_RD));
    SHOW(connect_to(fds[2], "@waiting"));
    SHOW_OK(accept(waiting_server, NULL, NULL));
    SHOW_OK(accept(waiting_server, NULL, NULL));
    SHOW(accept(waiting_server, NULL, NULL));
    close(waiting_server);
    SHOW(connect_to(fds[2], "@waiting"));
}

static void *close_later(void *argument)
{
    char byte;
    read(*(int *)argument, &byte, 1);
    shutdown(waiting_server, SHUT_RDWR);
    return NULL;
}

// Who waits in accept, and in epoll_wait, is told.
static void waits(void)
{
    int pipe_fds[2];
    pthread_t thread;
    printf("-- waiting\n");
    SHOW(pipe(pipe_fds));
    waiting_server = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SHOW(bind_to(waiting_server, "@waits"));
    SHOW(listen(waiting_server, 5));
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    SHOW(epoll_ctl(epoll, EPOLL_CTL_ADD, waiting_server, &event));
    SHOW(epoll_wait(epoll, &event, 1, 0));
    int client = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    SHOW(connect_to(client, "@waits"));
    SHOW(epoll_wait(epoll, &event, 1, -1));
    SHOW_OK(accept(waiting_server, NULL, NULL));
    pthread_create(&thread, NULL, close_later, &pipe_fds[0]);
    SHOW(write(pipe_fds[1], "x", 1));
    pthread_join(thread, NULL);
    SHOW(accept(waiting_server, NULL, NULL));
    SHOW(epoll_wait(epoll, &event, 1, 0));
    printf("  %x\n", event.events);
}

// A descriptor goes through a connection by name.
static void rights(void)
{
    printf("-- rights\n");
    int server = socket(AF_UNIX, SOCK_STREAM, 0);
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    int fds[2];
    SHOW(bind_to(server, "/tmp/rights"));
    SHOW(listen(server, 1));
    SHOW(connect_to(client, "/tmp/rights"));
    SHOW(pipe(fds));
    char space[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec vector = {"x", 1};
    struct msghdr head = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof space};
    struct cmsghdr *control = CMSG_FIRSTHDR(&head);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(control), &fds[1], sizeof(int));
    SHOW(sendmsg(client, &head, 0));
    SHOW(close(fds[1]));
    int accepted = accept(server, NULL, NULL);
    char data[4];
    vector = (struct iovec){data, sizeof data};
    memset(space, 0, sizeof space);
    struct sockaddr_un from;
    head.msg_name = &from;
    head.msg_namelen = sizeof from;
    SHOW(recvmsg(accepted, &head, 0));
    printf("  %u %zu\n", (unsigned)head.msg_namelen, (size_t)head.msg_controllen);
    int got;
    memcpy(&got, CMSG_DATA(CMSG_FIRSTHDR(&head)), sizeof got);
    SHOW(write(got, "through", 7));
    SHOW(close(got));
    char text[16] = "";
    SHOW(read(fds[0], text, sizeof text));
    SHOW(read(fds[0], text, sizeof text));
    puts(text);
    SHOW(unlink("/tmp/rights"));
    close(server);
    close(client);
    close(accepted);
}

int main(void)
{
    // Abstract names are the whole host's: one of these programs at a time.
    (void)flock(open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC), LOCK_EX);
    static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};
    makings();
    for (int i = 0; i < 3; ++i) {
        idle(types[i]);
    }
    addresses();
    abstracts();
    connections(SOCK_STREAM);
    connections(SOCK_SEQPACKET);
    datagrams();
    crowd();
    waits();
    rights();
    return 0;
}
