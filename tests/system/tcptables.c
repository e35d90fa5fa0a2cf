// SPDX-License-Identifier: BSD-3-Clause
// tcptables.c: what /proc/net says of TCP, and what TCP's sockets say of themselves.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"

#ifndef SO_MAX_PACING_RATE
#define SO_MAX_PACING_RATE 47
#endif

static bool is_v6;

static socklen_t name_make(struct sockaddr_storage *name, uint16_t port)
{
    memset(name, 0, sizeof *name);
    if (is_v6) {
        *(struct sockaddr_in6 *)name = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
        return sizeof(struct sockaddr_in6);
    }
    *(struct sockaddr_in *)name = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return sizeof(struct sockaddr_in);
}

static uint16_t port_of(int fd)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    getsockname(fd, (struct sockaddr *)&name, &size);
    return ntohs(((struct sockaddr_in *)&name)->sin_port); // both have it there
}

static unsigned long inode_of(int fd)
{
    struct stat status;
    fstat(fd, &status);
    return status.st_ino;
}

// ---- Tables --------------------------------------------------------------------------

// The line of the socket with these two ports.
static void line_show(const char *what, int fd, uint16_t local, uint16_t remote)
{
    char line[512];
    FILE *file = fopen(is_v6 ? "/proc/net/tcp6" : "/proc/net/tcp", "r");
    bool is_found = false;
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        char local_text[40], remote_text[40];
        unsigned its_local, its_remote, state, timer, uid;
        unsigned long sending, unread, inode, left, retries, probes;
        const int fields =
            sscanf(line, " %*u: %39[^:]:%x %39[^:]:%x %x %lx:%lx %x:%lx %lx %u %lu %lu", local_text,
                   &its_local, remote_text, &its_remote, &state, &sending, &unread, &timer, &left,
                   &retries, &uid, &probes, &inode);
        if (fields == 13 && its_local == local && its_remote == remote) {
            printf("%s: %s to %s, state %02X, queues %lu %lu, timer %u, again %lu, probes %lu, %s, "
                   "%s\n",
                   what, local_text, remote_text, state, sending, unread, timer, retries, probes,
                   uid == getuid() ? "our user" : "another's",
                   fd >= 0 && inode == inode_of(fd) ? "its inode"
                   : inode == 0                     ? "no inode"
                                                    : "another inode");
            is_found = true;
        }
    }
    if (!is_found) {
        printf("%s: no line\n", what);
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void head_show(const char *path)
{
    char line[512];
    FILE *file = fopen(path, "r");
    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        printf("%s: %zu bytes: %s", path, strlen(line), line);
    }
    if (file != NULL) {
        fclose(file);
    }
}

// The figure called name of the line called kind, in a file of pairs of lines; -1: there is none.
static long figure(const char *path, const char *kind, const char *name)
{
    char names[4096], values[4096];
    FILE *file = fopen(path, "r");
    long found = -1;
    while (file != NULL && fgets(names, sizeof names, file) != NULL &&
           fgets(values, sizeof values, file) != NULL) {
        char *names_left, *values_left;
        char *its_name = strtok_r(names, " \n", &names_left);
        char *value = strtok_r(values, " \n", &values_left);
        const bool is_kind = its_name != NULL && strcmp(its_name, kind) == 0;
        while (its_name != NULL && value != NULL) {
            if (is_kind && strcmp(its_name, name) == 0) {
                found = atol(value);
            }
            its_name = strtok_r(NULL, " \n", &names_left);
            value = strtok_r(NULL, " \n", &values_left);
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

// Those in TIME-WAIT are in use by nobody, of either version.
static void uses_show(void)
{
    unsigned sockets = 0, v4 = 0, v6 = 0;
    FILE *file = fopen("/proc/net/sockstat", "r"), *file6 = fopen("/proc/net/sockstat6", "r");
    if (file != NULL && file6 != NULL) {
        printf("sockstat: %d %d\n", fscanf(file, "sockets: used %u TCP: inuse %u", &sockets, &v4),
               fscanf(file6, "TCP6: inuse %u", &v6));
        printf("  in use: %s, %s\n", v4 <= sockets ? "some" : "more than there are",
               v6 <= sockets ? "some" : "more than there are");
        fclose(file);
        fclose(file6);
    }
}

static long calls(void)
{
    return figure("/proc/net/snmp", "Tcp:", "ActiveOpens");
}

static void tables(void)
{
    struct sockaddr_storage name;
    char data[100] = {0};
    const int family = is_v6 ? AF_INET6 : AF_INET;
    const int listener = socket(family, SOCK_STREAM, 0);
    socklen_t size = name_make(&name, 0);
    SHOW(bind(listener, (struct sockaddr *)&name, size));
    SHOW(listen(listener, 7));
    const uint16_t server = port_of(listener);
    line_show("listening", listener, server, 0);
    const int client = socket(family, SOCK_STREAM, 0);
    const long before = calls();
    size = name_make(&name, server);
    SHOW(connect(client, (struct sockaddr *)&name, size));
    printf("more calls: %s\n", calls() > before ? "yes" : "no");
    const uint16_t port = port_of(client);
    line_show("one waits to be accepted", listener, server, 0);
    line_show("that", -1, server, port);
    const int peer = accept(listener, NULL, NULL);
    line_show("client", client, port, server);
    line_show("peer", peer, server, port);
    SHOW(write(client, data, sizeof data));
    line_show("peer with bytes", peer, server, port);
    SHOW(shutdown(client, SHUT_WR));
    line_show("peer that may close", peer, server, port);
    SHOW(read(peer, data, sizeof data));
    SHOW(close(peer));
    SHOW(close(client));
    line_show("client that waits", -1, port, server);
    uses_show();
    SHOW(close(listener));
    line_show("closed", -1, server, 0);
}

static void counts(void)
{
    static const char *const snmp[] = {"RtoAlgorithm", "RtoMin",       "RtoMax",    "MaxConn",
                                       "ActiveOpens",  "PassiveOpens", "CurrEstab", "InSegs",
                                       "OutSegs",      "RetransSegs",  "OutRsts",   "InCsumErrors"};
    static const char *const extensions[] = {"SyncookiesSent", "ListenOverflows", "ListenDrops",
                                             "TCPTimeouts",    "TCPLossProbes",   "TCPChallengeACK",
                                             "PAWSEstab",      "TCPRcvQDrop"};
    for (unsigned i = 0; i < sizeof snmp / sizeof *snmp; ++i) {
        const long value = figure("/proc/net/snmp", "Tcp:", snmp[i]);
        printf("%s: %ld\n", snmp[i], i < 4 ? value : value == -1 ? -1 : 0);
    }
    for (unsigned i = 0; i < sizeof extensions / sizeof *extensions; ++i) {
        printf("%s: %s\n", extensions[i],
               figure("/proc/net/netstat", "TcpExt:", extensions[i]) >= 0 ? "there" : "not there");
    }
    head_show("/proc/net/tcp");
    head_show("/proc/net/tcp6");
}

// ---- Options -------------------------------------------------------------------------

static void control_show(int fd)
{
    char name[17] = "";
    socklen_t size = 16;
    SHOW(getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, &size));
    printf("  %s, %u\n", name, size);
}

static void options(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    unsigned rate = 0;
    unsigned long wide = 0;
    socklen_t size = sizeof rate, wide_size = sizeof wide;
    SHOW(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4));
    control_show(fd);
    SHOW(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "nobody", 6));
    SHOW(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "", 0));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &size));
    printf("  %u, %u\n", rate, size);
    rate = 1000000;
    SHOW(setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof rate));
    SHOW(getsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &wide, &wide_size));
    printf("  %lu, %u\n", wide, wide_size);
    SHOW(setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, 2));
    SHOW(close(fd));
}

int main(void)
{
    tables();
    is_v6 = true;
    tables();
    counts();
    options();
    return 0;
}
