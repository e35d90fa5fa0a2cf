// SPDX-License-Identifier: BSD-3-Clause
// filters.c: filters of sockets (SO_ATTACH_FILTER): which programs may run, what they answer, of
// programs made at random, too, and what becomes of what they do not want, in all families.
#include <arpa/inet.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "show.h"

enum { SIZE = 64, COUNT_MAX = 12 };

static int attach(int fd, const struct sock_filter *all, unsigned count)
{
    const struct sock_fprog program = {(unsigned short)count, (struct sock_filter *)(uintptr_t)all};
    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}

#define ATTACH(fd, ...)                                                                            \
    attach(fd, (const struct sock_filter[]){__VA_ARGS__},                                          \
           sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))

// How many bytes of a datagram of SIZE come through; 0: none do.
static long bytes_wanted(int ends[2])
{
    uint8_t data[SIZE];
    for (unsigned i = 0; i < SIZE; ++i) {
        data[i] = (uint8_t)(i * 37 + 5);
    }
    if (send(ends[0], data, SIZE, 0) != SIZE) {
        return -1;
    }
    const long got = recv(ends[1], data, SIZE, MSG_DONTWAIT);
    return got < 0 ? 0 : got;
}

static void show_program(int ends[2], const char *name, const struct sock_filter *all,
                         unsigned count)
{
    printf("%s: ", name);
    const int result = attach(ends[1], all, count);
    if (show("attach", result) == 0) {
        printf("  wants %ld\n", bytes_wanted(ends));
    }
}

#define PROGRAM(name, ...)                                                                         \
    show_program(ends, name, (const struct sock_filter[]){__VA_ARGS__},                            \
                 sizeof((const struct sock_filter[]){__VA_ARGS__}) / sizeof(struct sock_filter))
#define S BPF_STMT
#define J BPF_JUMP

static void answers(int ends[2])
{
    const struct sock_filter end = S(BPF_RET | BPF_A, 0);
    puts("-- answers");
    PROGRAM("nothing", S(BPF_RET | BPF_K, 0));
    PROGRAM("ten", S(BPF_RET | BPF_K, 10));
    PROGRAM("all", S(BPF_RET | BPF_K, 0xffffffff));
    PROGRAM("length", S(BPF_LD | BPF_LEN, 0), S(BPF_ALU | BPF_RSH | BPF_K, 1), end);
    PROGRAM("byte", S(BPF_LD | BPF_B | BPF_ABS, 1), end);
    PROGRAM("half", S(BPF_LD | BPF_H | BPF_ABS, 0), S(BPF_ALU | BPF_AND | BPF_K, 31), end);
    PROGRAM("word", S(BPF_LD | BPF_W | BPF_ABS, 2), S(BPF_ALU | BPF_MOD | BPF_K, 61), end);
    PROGRAM("index", S(BPF_LDX | BPF_W | BPF_IMM, 3), S(BPF_LD | BPF_B | BPF_IND, 2),
            S(BPF_ALU | BPF_DIV | BPF_K, 7), end);
    PROGRAM("header", S(BPF_LDX | BPF_B | BPF_MSH, 4), S(BPF_MISC | BPF_TXA, 0), end);
    PROGRAM("last byte", S(BPF_LD | BPF_B | BPF_ABS, SIZE - 1), S(BPF_RET | BPF_K, 9));
    PROGRAM("behind it", S(BPF_LD | BPF_B | BPF_ABS, SIZE), S(BPF_RET | BPF_K, 9));
    PROGRAM("across the end", S(BPF_LD | BPF_W | BPF_ABS, SIZE - 3), S(BPF_RET | BPF_K, 9));
    PROGRAM("below", S(BPF_LDX | BPF_IMM, 0xffffffff), S(BPF_LD | BPF_B | BPF_IND, 0),
            S(BPF_RET | BPF_K, 9));
    PROGRAM("far below", S(BPF_LD | BPF_B | BPF_ABS, 0x80000000), S(BPF_RET | BPF_K, 9));
    PROGRAM("by nothing", S(BPF_ALU | BPF_DIV | BPF_X, 0), S(BPF_RET | BPF_K, 9));
    PROGRAM("rest of nothing", S(BPF_ALU | BPF_MOD | BPF_X, 0), S(BPF_RET | BPF_K, 9));
    PROGRAM("shifted far", S(BPF_LDX | BPF_IMM, 33), S(BPF_LD | BPF_IMM, 5),
            S(BPF_ALU | BPF_LSH | BPF_X, 0), end);
    PROGRAM("memory", S(BPF_LD | BPF_IMM, 12), S(BPF_ST, 15), S(BPF_LDX | BPF_MEM, 15),
            S(BPF_ALU | BPF_ADD | BPF_X, 0), end);
    PROGRAM("negative", S(BPF_LD | BPF_IMM, 0xfffffff0), S(BPF_ALU | BPF_NEG, 0), end);
    PROGRAM("exclusive", S(BPF_LD | BPF_IMM, 12), S(BPF_LDX | BPF_IMM, 5),
            S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_ALU_XOR_X), end);
    PROGRAM("jumps", S(BPF_LD | BPF_IMM, 7), J(BPF_JMP | BPF_JGT | BPF_K, 6, 1, 0),
            S(BPF_RET | BPF_K, 1), J(BPF_JMP | BPF_JSET | BPF_K, 8, 0, 1), S(BPF_RET | BPF_K, 2),
            S(BPF_JMP | BPF_JA, 1), S(BPF_RET | BPF_K, 3), S(BPF_RET | BPF_K, 4));
}

static void refused(int ends[2])
{
    const struct sock_filter end = S(BPF_RET | BPF_K, 1);
    puts("-- refused");
    PROGRAM("no end", S(BPF_LD | BPF_IMM, 1));
    PROGRAM("no such code", S(0xff, 0), end);
    PROGRAM("a large code", S(0x100, 0), end);
    PROGRAM("returned index", S(BPF_RET | BPF_X, 0));
    PROGRAM("divided", S(BPF_ALU | BPF_DIV | BPF_K, 0), end);
    PROGRAM("shifted", S(BPF_ALU | BPF_RSH | BPF_K, 32), end);
    PROGRAM("memory 16", S(BPF_ST, 16), end);
    PROGRAM("unwritten", S(BPF_LD | BPF_MEM, 1), end);
    PROGRAM("sometimes written", J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), S(BPF_ST, 1),
            S(BPF_LD | BPF_MEM, 1), end);
    PROGRAM("beyond", J(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1), end);
    PROGRAM("far beyond", S(BPF_JMP | BPF_JA, 1), end);
    PROGRAM("backwards", S(BPF_JMP | BPF_JA, 0xffffffff), end);
    PROGRAM("no such fact", S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + 2), end);
}

static uint32_t next_random(void)
{
    static uint64_t state = 88172645463325252;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 20);
}

static struct sock_filter instruction_make(bool is_last)
{
    static const uint16_t codes[] = {0x00, 0x60, 0x80, 0x20, 0x28, 0x30, 0x40, 0x48, 0x50, 0x01,
                                     0x61, 0x81, 0xb1, 0x02, 0x03, 0x04, 0x0c, 0x14, 0x1c, 0x24,
                                     0x2c, 0x34, 0x3c, 0x44, 0x4c, 0x54, 0x5c, 0x64, 0x6c, 0x74,
                                     0x7c, 0x84, 0x94, 0x9c, 0xa4, 0xac, 0x05, 0x15, 0x1d, 0x25,
                                     0x2d, 0x35, 0x3d, 0x45, 0x4d, 0x06, 0x16, 0x07, 0x87};
    const uint32_t kind = next_random() % 8;
    struct sock_filter one = {
        .code = kind == 0 ? (uint16_t)(next_random() % 256)
                          : codes[next_random() % (sizeof codes / sizeof *codes)],
        .jt = (uint8_t)(next_random() % 4),
        .jf = (uint8_t)(next_random() % 4),
        .k = kind < 6   ? next_random() % 20
             : kind < 7 ? next_random() % SIZE
                        : next_random(),
    };
    one.code = is_last && kind > 1 ? BPF_RET | BPF_A : one.code;
    return one;
}

// What programs made at random answer, one number for all.
static void random_programs(int ends[2])
{
    struct sock_filter all[COUNT_MAX];
    uint32_t accepted = 0, sum = 0;
    puts("-- at random");
    for (unsigned round = 1; round <= 4000; ++round) {
        const unsigned count = 1 + next_random() % COUNT_MAX;
        for (unsigned i = 0; i < count; ++i) {
            all[i] = instruction_make(i == count - 1);
        }
        const bool is_good = attach(ends[1], all, count) == 0;
        accepted += is_good;
        sum = sum * 31 + (is_good ? (uint32_t)bytes_wanted(ends) + 2 : 1);
        if (round % 500 == 0) {
            printf("  %u: %u accepted, %08x\n", round, accepted, sum);
        }
    }
}

static void options(int fd)
{
    static const struct sock_filter all[] = {S(BPF_LD | BPF_LEN, 0), S(BPF_RET | BPF_A, 0)};
    struct sock_filter got[4];
    struct sock_fprog program = {2, (struct sock_filter *)(uintptr_t)all};
    socklen_t size = sizeof program;
    int value = 0;
    puts("-- options");
    SHOW(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, 3));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program - 1));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, (void *)8, sizeof program));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &size));
    printf("  %u\n", size);
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    size = 0;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &size));
    printf("  %u\n", size);
    size = 1;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &size));
    size = 4;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_GET_FILTER, got, &size));
    printf("  %u %d\n", size, memcmp(got, all, sizeof all));
    program.len = 0;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    program = (struct sock_fprog){2, NULL};
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    program.filter = (struct sock_filter *)8;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
    size = sizeof value;
    SHOW(getsockopt(fd, SOL_SOCKET, SO_BPF_EXTENSIONS, &value, &size));
    printf("  %d\n", value);
    value = 1;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &value, sizeof value));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &value, &size));
    printf("  %d\n", value);
    SHOW(ATTACH(fd, S(BPF_RET | BPF_K, 1)));
    SHOW(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
    value = 0;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_LOCK_FILTER, &value, sizeof value));
}

static int bound(int type, struct sockaddr_in *name)
{
    socklen_t size = sizeof *name;
    const int fd = socket(AF_INET, type, 0);
    *name = (struct sockaddr_in){.sin_family = AF_INET};
    name->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    SHOW(bind(fd, (struct sockaddr *)name, size));
    getsockname(fd, (struct sockaddr *)name, &size);
    return fd;
}

static void receive_all(int fd)
{
    char text[SIZE + 1] = "";
    for (long got; (got = recv(fd, text, SIZE, MSG_DONTWAIT)) > 0;) {
        printf("  '%.*s'\n", (int)got, text);
    }
}

// A datagram's filter sees the header of UDP, and IP's at negative offsets.
static void datagrams(void)
{
    struct sockaddr_in name;
    puts("-- datagrams");
    const int fd = bound(SOCK_DGRAM, &name), from = socket(AF_INET, SOCK_DGRAM, 0);
    SHOW(connect(from, (struct sockaddr *)&name, sizeof name));
    SHOW(ATTACH(fd, S(BPF_LD | BPF_B | BPF_ABS, 8), J(BPF_JMP | BPF_JEQ | BPF_K, 'y', 0, 1),
                S(BPF_RET | BPF_K, 0xffffffff), S(BPF_RET | BPF_K, 0)));
    SHOW(send(from, "no", 2, 0));
    SHOW(send(from, "yes", 3, 0));
    SHOW(send(from, "never", 5, 0));
    SHOW(send(from, "y", 1, 0));
    receive_all(fd);
    SHOW(ATTACH(fd, S(BPF_LD | BPF_LEN, 0), J(BPF_JMP | BPF_JGT | BPF_K, 10, 0, 1),
                S(BPF_RET | BPF_K, 0xffffffff), S(BPF_RET | BPF_K, 0)));
    SHOW(send(from, "ab", 2, 0));
    SHOW(send(from, "abc", 3, 0));
    receive_all(fd);
    SHOW(ATTACH(fd, S(BPF_LD | BPF_B | BPF_ABS, (uint32_t)SKF_NET_OFF + 9),
                J(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 0, 3),
                S(BPF_LD | BPF_W | BPF_ABS, (uint32_t)SKF_AD_OFF + SKF_AD_PROTOCOL),
                J(BPF_JMP | BPF_JEQ | BPF_K, 0x800, 0, 1), S(BPF_RET | BPF_K, 0xffffffff),
                S(BPF_RET | BPF_K, 0)));
    SHOW(send(from, "IP", 2, 0));
    receive_all(fd);
    SHOW(ATTACH(fd, S(BPF_RET | BPF_K, 0)));
    for (int i = 0; i < 2000; ++i) { // what is not wanted takes no room
        (void)send(from, "unwanted", 8, 0);
    }
    int value = 0;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &value, sizeof value));
    SHOW(send(from, "last", 4, 0));
    receive_all(fd);
    close(fd);
    close(from);
}

// Whoever does not come through has not connected; who does has the filter of who listens.
static void streams(void)
{
    struct sockaddr_in name;
    puts("-- streams");
    const int server = bound(SOCK_STREAM, &name);
    SHOW(listen(server, 4));
    const int other = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(ATTACH(server, S(BPF_RET | BPF_K, 0)));
    SHOW(connect(other, (struct sockaddr *)&name, sizeof name));
    close(other);
    SHOW(ATTACH(server, S(BPF_LD | BPF_B | BPF_ABS, 13), // nobody may finish
                J(BPF_JMP | BPF_JSET | BPF_K, 1, 0, 1), S(BPF_RET | BPF_K, 0),
                S(BPF_RET | BPF_K, 0xffffffff)));
    SHOW(connect(fd, (struct sockaddr *)&name, sizeof name));
    const int end = accept(server, NULL, NULL);
    socklen_t size = 0;
    SHOW(getsockopt(end, SOL_SOCKET, SO_GET_FILTER, NULL, &size));
    printf("  %u\n", size);
    SHOW(send(fd, "bytes", 5, 0));
    receive_all(end);
    SHOW(shutdown(fd, SHUT_WR));
    char byte;
    SHOW(recv(end, &byte, 1, MSG_DONTWAIT));
    close(end);
    close(fd);
    close(server);
}

static void others(void)
{
    struct {
        struct nlmsghdr head;
        struct rtgenmsg body;
    } request = {{sizeof request, RTM_GETLINK, NLM_F_REQUEST | NLM_F_DUMP, 7, 0}, {AF_UNSPEC}};
    char data[8192];
    puts("-- others");
    const int silent = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    SHOW(ATTACH(silent, S(BPF_RET | BPF_K, 0)));
    SHOW_OK(send(silent, &request, sizeof request, 0));
    SHOW(recv(silent, data, sizeof data, MSG_DONTWAIT));
    close(silent);
    const int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    SHOW(ATTACH(fd, S(BPF_LD | BPF_H | BPF_ABS, 4), // the type, in network order
                J(BPF_JMP | BPF_JEQ | BPF_K, RTM_NEWLINK << 8, 0, 1), S(BPF_RET | BPF_K, 20),
                S(BPF_RET | BPF_K, 0)));
    SHOW_OK(send(fd, &request, sizeof request, 0));
    SHOW(recv(fd, data, sizeof data, MSG_DONTWAIT));
    close(fd);
    int ends[2];
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, ends)); // has no packets to be filtered
    SHOW(ATTACH(ends[1], S(BPF_RET | BPF_K, 0)));
    SHOW(send(ends[0], "stream", 6, 0));
    receive_all(ends[1]);
    close(ends[0]);
    close(ends[1]);
    SHOW(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
    SHOW(ATTACH(ends[1], S(BPF_RET | BPF_K, 2)));
    SHOW(send(ends[0], "packet", 6, 0));
    SHOW(send(ends[0], "", 0, 0));
    receive_all(ends[1]);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    int ends[2];
    setvbuf(stdout, NULL, _IOLBF, 0);
    SHOW(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
    answers(ends);
    refused(ends);
    random_programs(ends);
    options(ends[1]);
    datagrams();
    streams();
    others();
    puts("done");
    return 0;
}
