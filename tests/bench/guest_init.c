// SPDX-License-Identifier: BSD-3-Clause
// guest_init.c: the first process of a Linux guest that is to run one program on a network, for
// wire.py: it loads the modules in /modules in the order of their names, gives eth0 the address,
// whose network has 24 bits, and becomes the program.
//
//   init ADDRESS PROGRAM ARGUMENT...
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static void check(int result, const char *what)
{
    if (result < 0) {
        printf("init: %s: %s\n", what, strerror(errno));
        exit(1);
    }
}

static void modules_load(void)
{
    struct dirent **names;
    const int count = scandir("/modules", &names, NULL, alphasort);
    check(count, "/modules");
    check(chdir("/modules"), "chdir");
    for (int i = 0; i < count; ++i) {
        if (names[i]->d_name[0] != '.') {
            const int fd = open(names[i]->d_name, O_RDONLY | O_CLOEXEC);
            check((int)syscall(SYS_finit_module, fd, "", 0), names[i]->d_name);
            close(fd);
        }
    }
    check(chdir("/"), "chdir");
}

static void address_set(int fd, unsigned long what, const char *text)
{
    struct ifreq request = {.ifr_name = "eth0"};
    struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
    address->sin_family = AF_INET;
    check(inet_pton(AF_INET, text, &address->sin_addr) - 1, text);
    check(ioctl(fd, what, &request), text);
}

static void interface_up(int fd, const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_UP};
    strcpy(request.ifr_name, name);
    check(ioctl(fd, SIOCSIFFLAGS, &request), name);
}

int main(int argc, char **argv)
{
    check(argc - 3, "an address and a program are wanted");
    check(mount("proc", "/proc", "proc", 0, NULL), "/proc");
    check(mount("dev", "/dev", "devtmpfs", 0, NULL), "/dev");
    modules_load();
    const int fd = socket(AF_INET, SOCK_DGRAM, 0);
    check(fd, "socket");
    interface_up(fd, "lo");
    address_set(fd, SIOCSIFADDR, argv[1]);
    address_set(fd, SIOCSIFNETMASK, "255.255.255.0");
    interface_up(fd, "eth0");
    close(fd);
    execv(argv[2], argv + 2);
    check(-1, argv[2]);
    return 1;
}
