// SPDX-License-Identifier: BSD-3-Clause
// pairs.c: socketpair: streams, datagrams and packets; ends, options, files that go along.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "show.h"

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

static void refusals(void)
{
    int fds[2];
    int *volatile nowhere = (int *)8;
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 7, fds));
    SHOW(socketpair(AF_UNIX, SOCK_RDM, 0, fds));
    SHOW(socketpair(AF_UNIX, 99, 0, fds));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere));
    SHOW(send(0, "x", 1, 0));
    SHOW(recv(77, fds, 1, 0));
    SHOW(shutdown(1, SHUT_RD));
}

static void show_poll(int fd)
{
    enum { ALL = POLLIN | POLLOUT | POLLRDHUP | POLLRDNORM | POLLWRNORM };
    struct pollfd item = {.fd = fd, .events = ALL};
    SHOW(poll(&item, 1, 0));
    printf("  %x\n", item.revents);
}

static void basics(int type)
{
    int fds[2];
    char data[64];
    char *volatile nowhere = (char *)8;
    struct stat status;
    printf("-- type %d\n", type);
    SHOW(socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds));
    SHOW(fcntl(fds[1], F_GETFD));
    SHOW(fcntl(fds[1], F_GETFL));
    SHOW(fstat(fds[0], &status));
    printf("%o %d\n", status.st_mode, (int)status.st_size);
    SHOW(lseek(fds[0], 0, SEEK_SET));
    show_poll(fds[0]);
    SHOW(read(fds[0], data, sizeof data));
    SHOW(write(fds[1], "first", 5));
    SHOW(send(fds[1], "second", 6, 0));
    int count = 0;
    SHOW(ioctl(fds[0], FIONREAD, &count));
    printf("%d\n", count);
    show_poll(fds[0]);
    SHOW(recv(fds[0], data, 3, MSG_PEEK));
    SHOW(recv(fds[0], data, 3, MSG_PEEK | MSG_TRUNC));
    SHOW(read(fds[0], data, 3));
    SHOW(recv(fds[0], data, 4, MSG_TRUNC));
    SHOW(recv(fds[0], data, sizeof data, 0));
    SHOW(recv(fds[0], data, sizeof data, 0));
    struct iovec out[] = {{"gath", 4}, {"", 0}, {"ered", 4}};
    SHOW(writev(fds[0], out, 3));
    struct iovec in[] = {{data, 1}, {data + 1, 30}};
    SHOW(readv(fds[1], in, 2));
    printf("%.8s\n", data);
    SHOW(send(fds[0], "", 0, 0));
    SHOW(recv(fds[1], data, sizeof data, 0));
    SHOW(write(fds[0], nowhere, 10));
    SHOW(recv(fds[0], data, 1, MSG_DONTWAIT));
    SHOW(recv(fds[1], data, 0, 0));
    close(fds[0]);
    close(fds[1]);
}

static void ends(int type)
{
    int fds[2];
    char data[16];
    printf("-- ends of type %d\n", type);
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds);
    SHOW(shutdown(fds[0], 5));
    write(fds[0], "last", 4);
    SHOW(shutdown(fds[0], SHUT_WR));
    SHOW(send(fds[0], "x", 1, MSG_NOSIGNAL));
    show_poll(fds[0]);
    show_poll(fds[1]);
    SHOW(read(fds[1], data, sizeof data));
    SHOW(read(fds[1], data, sizeof data));
    SHOW(write(fds[1], "back", 4));
    SHOW(read(fds[0], data, sizeof data));
    SHOW(shutdown(fds[1], SHUT_RDWR));
    show_poll(fds[0]);
    close(fds[0]);
    close(fds[1]);

    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds);
    write(fds[0], "unread", 6);
    write(fds[1], "kept", 4);
    close(fds[1]);
    show_poll(fds[0]);
    SHOW(read(fds[0], data, sizeof data));
    SHOW(read(fds[0], data, sizeof data));
    SHOW(read(fds[0], data, sizeof data));
    SHOW(send(fds[0], "x", 1, MSG_NOSIGNAL));
    close(fds[0]);
}

static void on_pipe(int signal)
{
    (void)signal;
    if (write(1, "SIGPIPE\n", 8) < 0) {
        abort();
    }
}

static void broken(int type)
{
    int fds[2];
    socketpair(AF_UNIX, type, 0, fds);
    close(fds[1]);
    fflush(stdout);
    SHOW(write(fds[0], "x", 1));
    fflush(stdout);
    SHOW(send(fds[0], "x", 1, 0));
    fflush(stdout);
    close(fds[0]);
}

static void options(void)
{
    int fds[2], value = 0;
    socklen_t size = sizeof value;
    socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
    static const int names[] = {SO_TYPE,       SO_DOMAIN,    SO_PROTOCOL, SO_ERROR,
                                SO_ACCEPTCONN, SO_SNDBUF,    SO_RCVBUF,   SO_PASSCRED,
                                SO_KEEPALIVE,  SO_REUSEADDR, SO_BROADCAST};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        value = -1;
        SHOW(getsockopt(fds[0], SOL_SOCKET, names[i], &value, &size));
        printf("  %d: %d\n", names[i], value);
    }
    value = 1;
    SHOW(setsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &value, sizeof value));
    SHOW(getsockopt(fds[0], SOL_SOCKET, SO_KEEPALIVE, &value, &size));
    printf("  %d\n", value);
    static const int limits[] = {1, 5000, 100000};
    for (int i = 0; i < 3; ++i) {
        SHOW(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &limits[i], sizeof limits[i]));
        SHOW(getsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, &size));
        printf("  %d\n", value);
    }
    SHOW(setsockopt(fds[0], SOL_SOCKET, SO_TYPE, &value, sizeof value));
    SHOW(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &value, 2));
    SHOW(setsockopt(fds[0], SOL_SOCKET, 12345, &value, sizeof value));
    SHOW(setsockopt(fds[0], 6, 1, &value, sizeof value));
    struct ucred peer;
    size = sizeof peer;
    SHOW(getsockopt(fds[0], SOL_SOCKET, SO_PEERCRED, &peer, &size));
    printf("  %d %d %d\n", peer.pid == getpid(), peer.uid == getuid(), (int)size);
    struct sockaddr_un name;
    size = sizeof name;
    SHOW(getsockname(fds[0], (struct sockaddr *)&name, &size));
    printf("  %d %d\n", name.sun_family, (int)size);
    size = sizeof name;
    SHOW(getpeername(fds[0], (struct sockaddr *)&name, &size));
    printf("  %d %d\n", name.sun_family, (int)size);
    struct timeval span = {.tv_usec = 1000};
    SHOW(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span));
    SHOW(read(fds[0], &value, 1));
    span.tv_usec = 1000000;
    SHOW(setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &span, sizeof span));
    close(fds[0]);
    close(fds[1]);
}

union control {
    char data[CMSG_SPACE(3 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
};

static void files_send(int fd, const int *files, int count, const char *text)
{
    union control control = {0};
    struct iovec vector = {(char *)text, strlen(text)};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = control.data,
                             .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(head), files, count * sizeof(int));
    SHOW(sendmsg(fd, &message, 0));
}

static void files_receive(int fd, size_t room, int flags)
{
    union control control = {0};
    char data[32] = "";
    struct iovec vector = {data, sizeof data - 1};
    struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control.data, .msg_controllen = room};
    SHOW(recvmsg(fd, &message, flags));
    printf("  '%s' flags %x, %d of control\n", data, message.msg_flags,
           (int)message.msg_controllen);
    for (struct cmsghdr *head = CMSG_FIRSTHDR(&message); head != NULL;
         head = CMSG_NXTHDR(&message, head)) {
        printf("  type %d, %d\n", head->cmsg_type, (int)head->cmsg_len);
        if (head->cmsg_type == SCM_CREDENTIALS) {
            struct ucred sender;
            memcpy(&sender, CMSG_DATA(head), sizeof sender);
            printf("  %d %d %d\n", sender.pid == getpid(), sender.uid == getuid(),
                   sender.gid == getgid());
            continue;
        }
        for (size_t at = 0; CMSG_LEN(at + sizeof(int)) <= head->cmsg_len; at += sizeof(int)) {
            int file;
            memcpy(&file, CMSG_DATA(head) + at, sizeof file);
            printf("  fd flags %d, text '", fcntl(file, F_GETFD));
            char text[8] = "";
            printf("%s' %d\n", pread(file, text, 7, 0) < 0 ? "-" : text, close(file));
        }
    }
}

static void files_along(int type)
{
    int fds[2], value = 1;
    printf("-- files, type %d\n", type);
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, fds);
    int file = open("pairs.tmp", O_CREAT | O_RDWR | O_TRUNC, 0600);
    write(file, "content", 7);
    int files[] = {file, file, file};
    files_send(fds[0], files, 3, "three");
    files_send(fds[0], files, 1, "one");
    write(fds[0], "none", 4);
    close(file);
    files_receive(fds[1], sizeof(union control), MSG_PEEK);
    files_receive(fds[1], sizeof(union control), MSG_CMSG_CLOEXEC);
    files_receive(fds[1], 0, 0);
    SHOW(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &value, sizeof value));
    files_receive(fds[1], sizeof(union control), 0);
    int wrong = 77;
    files_send(fds[0], &wrong, 1, "wrong");
    // In flight as one of the ends goes: its own other end, and sockets in sockets.
    files_send(fds[0], fds, 2, "itself");
    for (int i = 0; i < 100; ++i) {
        int next[2];
        socketpair(AF_UNIX, type, 0, next);
        files_send(next[0], &fds[1], 1, "deeper");
        close(next[0]);
        close(fds[1]);
        fds[1] = next[1];
    }
    close(fds[0]);
    close(fds[1]);
    unlink("pairs.tmp");
}

static void many(int type)
{
    int fds[2];
    socketpair(AF_UNIX, type, 0, fds);
    char data[3][8] = {"a", "bb", "ccc"}, back[3][8] = {{0}};
    struct iovec out[3], in[3];
    struct mmsghdr sent[3] = {0}, got[3] = {0};
    for (int i = 0; i < 3; ++i) {
        out[i] = (struct iovec){data[i], i + 1};
        in[i] = (struct iovec){back[i], sizeof back[i]};
        sent[i].msg_hdr.msg_iov = &out[i];
        sent[i].msg_hdr.msg_iovlen = got[i].msg_hdr.msg_iovlen = 1;
        got[i].msg_hdr.msg_iov = &in[i];
    }
    SHOW(sendmmsg(fds[0], sent, 3, 0));
    printf("%d %d %d\n", sent[0].msg_len, sent[1].msg_len, sent[2].msg_len);
    SHOW(recvmmsg(fds[1], got, 3, MSG_WAITFORONE, NULL));
    printf("%d %d %d %s\n", got[0].msg_len, got[1].msg_len, got[2].msg_len, back[0]);
    char *large = calloc(1, 300000);
    SHOW(send(fds[0], large, 300000, MSG_DONTWAIT) > 0);
    free(large);
    close(fds[0]);
    close(fds[1]);
}

// ---- Two threads ----

enum { TOTAL = 1000000, PIECE = 7001 };

static void *writer(void *argument)
{
    int fd = *(int *)argument;
    char *data = malloc(TOTAL);
    for (int i = 0; i < TOTAL; ++i) {
        data[i] = (char)(i * 7 + i / 1000);
    }
    int done = 0;
    while (done < TOTAL) {
        int size = TOTAL - done < PIECE ? TOTAL - done : PIECE;
        ssize_t part = write(fd, data + done, size);
        if (part < 0) {
            perror("write");
            break;
        }
        done += (int)part;
    }
    free(data);
    shutdown(fd, SHUT_WR);
    return NULL;
}

static void two_threads(int type)
{
    int fds[2], wrong = 0;
    pthread_t thread;
    socketpair(AF_UNIX, type, 0, fds);
    pthread_create(&thread, NULL, writer, &fds[0]);
    char data[10000];
    long total = 0;
    ssize_t part;
    int poller = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(poller, EPOLL_CTL_ADD, fds[1], &event);
    // Datagrams have no end.
    while (total < TOTAL && epoll_wait(poller, &event, 1, -1) == 1 &&
           (part = recv(fds[1], data, sizeof data, type == SOCK_STREAM ? MSG_WAITALL : 0)) > 0) {
        for (ssize_t i = 0; i < part; ++i) {
            wrong += data[i] != (char)((total + i) * 7 + (total + i) / 1000);
        }
        total += part;
    }
    printf("%ld bytes, %d wrong\n", total, wrong);
    pthread_join(thread, NULL);
    close(poller);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    signal(SIGPIPE, on_pipe);
    refusals();
    for (int i = 0; i < 3; ++i) {
        basics(types[i]);
        ends(types[i]);
        broken(types[i]);
        files_along(types[i]);
        many(types[i]);
        two_threads(types[i]);
    }
    options();
    puts("done");
    return 0;
}
