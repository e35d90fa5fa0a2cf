// SPDX-License-Identifier: BSD-3-Clause
// fast.c: Fast Open (RFC 7413) on the loopback network: its options, /proc/sys/net/ipv4, what goes
// with the SYN as TCP_INFO tells it, and connecting that waits for what is sent first.
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"

static int listener;
static struct sockaddr_storage name;
static socklen_t name_size;
static char much[50000], data[100000];

static void number_set(int fd, int option, int value)
{
    if (setsockopt(fd, IPPROTO_TCP, option, &value, sizeof value) != 0) {
        printf("  option %d = %d: %s\n", option, value, strerrorname_np(errno));
    }
}

static int number_of(int fd, int option)
{
    int value = -2;
    socklen_t size = sizeof value;
    getsockopt(fd, IPPROTO_TCP, option, &value, &size);
    return value;
}

static struct tcp_info info_of(int fd)
{
    struct tcp_info info = {.tcpi_state = 0};
    socklen_t size = sizeof info;
    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info;
}

static void figures(const char *what, int fd)
{
    const struct tcp_info info = info_of(fd);
    printf("  %s: state %d, with the SYN %d, failure %d\n", what, info.tcpi_state,
           (info.tcpi_options & TCPI_OPT_SYN_DATA) != 0, info.tcpi_fastopen_client_fail);
}

static short events_of(int fd, short events)
{
    struct pollfd item = {.fd = fd, .events = events};
    poll(&item, 1, 0);
    return item.revents;
}

static void file_set(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    printf("%s: %d", text, file == NULL ? -1 : fputs(text, file) >= 0);
    printf(" %d\n", file == NULL ? -1 : fclose(file));
}

static void switch_set(const char *text)
{
    file_set("/proc/sys/net/ipv4/tcp_fastopen", text);
}

static void file_show(const char *path)
{
    char line[100] = "";
    FILE *file = fopen(path, "r");
    if (file != NULL && fgets(line, sizeof line, file) != NULL) {
        printf("  %s", line);
    }
    fclose(file);
}

static void listener_make(const struct sockaddr *at, socklen_t size)
{
    listener = socket(at->sa_family, SOCK_STREAM, 0);
    if (bind(listener, at, size) != 0 || listen(listener, 5) != 0) {
        perror("listen");
    }
    name_size = sizeof name;
    getsockname(listener, (struct sockaddr *)&name, &name_size);
}

static int client_make(void)
{
    return socket(name.ss_family, SOCK_STREAM, 0);
}

// What a client that has sent text hears.
static void served(int client, const char *text, size_t size)
{
    const int server = accept(listener, NULL, NULL);
    ssize_t got = recv(server, data, size, MSG_WAITALL);
    printf("  got %s, %s\n", got == (ssize_t)size ? "all" : "a part",
           memcmp(data, text, size) == 0 ? "right" : "wrong");
    figures("client", client);
    figures("server", server);
    printf("  back %zd", write(server, "answer", 6));
    got = recv(client, data, sizeof data, 0);
    printf(" %zd", got);
    close(client);
    printf(", end %zd\n", read(server, data, sizeof data));
    close(server);
}

static void talk(const char *what, const char *text, size_t size)
{
    const int client = client_make();
    printf("-- %s\n", what);
    printf("  sent %zd\n",
           sendto(client, text, size, MSG_FASTOPEN, (struct sockaddr *)&name, name_size));
    served(client, text, size);
}

static struct sockaddr_storage nobody(void)
{
    struct sockaddr_storage end = name;
    ((struct sockaddr_in *)&end)->sin_port = htons(1);
    return end;
}

// Nothing of what went with the SYN is left for another connection.
static void refused(void)
{
    const struct sockaddr_storage end = nobody();
    const int client = client_make();
    puts("-- refused");
    SHOW(sendto(client, much, sizeof much, MSG_FASTOPEN, (struct sockaddr *)&end, name_size));
    SHOW(connect(client, (struct sockaddr *)&name, name_size));
    SHOW(write(client, "first", 5));
    const int server = accept(listener, NULL, NULL);
    SHOW(recv(server, data, sizeof data, MSG_WAITALL | MSG_DONTWAIT));
    figures("server", server);
    close(client);
    close(server);
}

// ---- Connecting later ----

static int later_make(int flags)
{
    const int client = client_make();
    number_set(client, TCP_FASTOPEN_CONNECT, 1);
    fcntl(client, F_SETFL, flags);
    return client;
}

static void later(const char *what, int flags, const char *text, size_t size)
{
    struct sockaddr_storage end;
    socklen_t end_size = sizeof end;
    const int client = later_make(flags);
    printf("-- later, %s\n", what);
    SHOW(connect(client, (struct sockaddr *)&name, name_size));
    if (flags & O_NONBLOCK) {
        SHOW(connect(client, (struct sockaddr *)&name, name_size));
    }
    SHOW(getpeername(client, (struct sockaddr *)&end, &end_size));
    printf("  events %x, of who listens %x\n", events_of(client, POLLIN | POLLOUT),
           events_of(listener, POLLIN));
    figures("client", client);
    SHOW(recv(client, data, 1, MSG_DONTWAIT));
    const ssize_t sent = write(client, text, size);
    printf("  sent something %d\n", sent > 0); // how much goes with a SYN is each system's own
    served(client, text, sent > 0 ? (size_t)sent : 0);
}

static void later_refused(void)
{
    const struct sockaddr_storage end = nobody();
    const int client = later_make(0);
    puts("-- later, refused");
    SHOW(connect(client, (struct sockaddr *)&end, name_size));
    SHOW(write(client, "hello", 5));
    close(client);
}

static void never(void)
{
    const int client = later_make(0);
    puts("-- later, and never");
    SHOW(connect(client, (struct sockaddr *)&name, name_size));
    close(client);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    SHOW(accept(listener, NULL, NULL));
    fcntl(listener, F_SETFL, 0);
}

static void again(void)
{
    const struct sockaddr none = {.sa_family = AF_UNSPEC};
    const int client = later_make(0);
    puts("-- later, and again");
    SHOW(connect(client, (struct sockaddr *)&name, name_size));
    SHOW(connect(client, &none, sizeof none));
    figures("client", client);
    number_set(client, TCP_FASTOPEN_CONNECT, 0);
    SHOW(connect(client, (struct sockaddr *)&name, name_size));
    SHOW(write(client, "hello", 5));
    served(client, "hello", 5);
}

// ---- Keys and switches ----

static void keys(void)
{
    unsigned char key[40];
    socklen_t size = sizeof key;
    puts("-- keys");
    SHOW(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, much, 15));
    SHOW(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, much, 24));
    SHOW(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, "0123456789abcdef", 16));
    SHOW(getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, &size));
    printf("  %u %.16s\n", size, (char *)key);
    talk("the key is another one", "hello", 5);
    talk("and its cookie", "hello", 5);
    SHOW(setsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, "fedcba98765432100123456789abcdef",
                    32));
    size = sizeof key;
    SHOW(getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, &size));
    printf("  %u %.32s\n", size, (char *)key);
    size = 20;
    SHOW(getsockopt(listener, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, &size));
    printf("  %u\n", size);
    talk("the cookie of the earlier key", "hello", 5);
    talk("that of the later one", "hello", 5);
}

static void key_texts(void)
{
    static const char path[] = "/proc/sys/net/ipv4/tcp_fastopen_key";
    unsigned char key[32];
    socklen_t size = sizeof key;
    puts("-- texts of keys");
    file_set(path, "00010203-04050607-08090a0b-0c0d0e0f");
    file_show(path);
    file_set(path, "1-2-3");
    file_set(path, "1-2-3-4,5-6-7-ABCDEF");
    file_show(path);
    const int client = client_make();
    SHOW(getsockopt(client, IPPROTO_TCP, TCP_FASTOPEN_KEY, key, &size));
    printf("  %u\n", size);
    close(client);
    struct stat status;
    SHOW(stat(path, &status));
    printf("  mode %o of %u, group %u\n", status.st_mode, status.st_uid, status.st_gid);
    SHOW(seteuid(1000));
    SHOW(open(path, O_RDONLY));
    SHOW(seteuid(0));
}

static void options(void)
{
    const int client = client_make();
    puts("-- options");
    number_set(client, TCP_FASTOPEN_NO_COOKIE, 2);
    number_set(client, TCP_FASTOPEN_NO_COOKIE, -1);
    printf("  %d", number_of(client, TCP_FASTOPEN_NO_COOKIE));
    number_set(client, TCP_FASTOPEN_NO_COOKIE, 1);
    printf(" %d\n", number_of(client, TCP_FASTOPEN_NO_COOKIE));
    number_set(listener, TCP_FASTOPEN_CONNECT, 1);
    close(client);
}

static void without_cookies(void)
{
    const int client = client_make();
    puts("-- without cookies");
    number_set(client, TCP_FASTOPEN_NO_COOKIE, 1);
    SHOW(sendto(client, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&name, name_size));
    served(client, "hello", 5);
    number_set(listener, TCP_FASTOPEN_NO_COOKIE, 1);
    const int other = client_make();
    number_set(other, TCP_FASTOPEN_NO_COOKIE, 1);
    SHOW(sendto(other, "hello", 5, MSG_FASTOPEN, (struct sockaddr *)&name, name_size));
    served(other, "hello", 5);
}

// Those of /proc/net/netstat about Fast Open.
static void counts(void)
{
    static char names[8000], values[8000];
    FILE *file = fopen("/proc/net/netstat", "r");
    puts("-- counts");
    if (file == NULL || fgets(names, sizeof names, file) == NULL ||
        fgets(values, sizeof values, file) == NULL) {
        return;
    }
    char *rest = NULL, *value_rest = NULL;
    char *word = strtok_r(names, " \n", &rest), *value = strtok_r(values, " \n", &value_rest);
    while (word != NULL && value != NULL) {
        const bool is_told = strncmp(word, "TCPFastOpen", 11) == 0 && strcmp(value, "0") != 0;
        if (is_told) {
            printf("  %s %s\n", word, value);
        }
        word = strtok_r(NULL, " \n", &rest);
        value = strtok_r(NULL, " \n", &value_rest);
    }
    fclose(file);
}

static void family_try(void)
{
    number_set(listener, TCP_FASTOPEN, 5);
    switch_set("1");
    talk("calls alone", "hello", 5);
    switch_set("3");
    talk("both", "hello", 5);
    talk("with a cookie", "hello", 5);
    talk("much", much, sizeof much);
    later("in peace", 0, "hello", 5);
    later("much", 0, much, sizeof much);
    later("without waiting", O_NONBLOCK, "hello", 5);
    later("much, without waiting", O_NONBLOCK, much, sizeof much);
    later_refused();
    never();
    again();
    number_set(listener, TCP_FASTOPEN, 0);
    talk("a listener without it", "hello", 5);
    number_set(listener, TCP_FASTOPEN, 5);
    keys();
    without_cookies();
}

int main(void)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    setvbuf(stdout, NULL, _IOLBF, 0);
    memset(much, 'x', sizeof much);
    file_show("/proc/sys/net/ipv4/tcp_fastopen");
    switch_set("junk");
    listener_make((struct sockaddr *)&v4, sizeof v4);
    options();
    family_try();
    counts();
    refused();
    close(listener);
    listener_make((struct sockaddr *)&v6, sizeof v6);
    family_try();
    close(listener);
    switch_set("1027");
    file_show("/proc/sys/net/ipv4/tcp_fastopen");
    listener_make((struct sockaddr *)&v4, sizeof v4);
    printf("  %d\n", number_of(listener, TCP_FASTOPEN));
    talk("all that listen", "hello", 5);
    switch_set("519");
    talk("no cookies anywhere", "hello", 5);
    switch_set("0");
    const int client = client_make();
    SHOW(sendto(client, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&name, name_size));
    number_set(client, TCP_FASTOPEN_CONNECT, 1);
    switch_set("3");
    key_texts();
    return 0;
}
