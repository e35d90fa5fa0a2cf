// SPDX-License-Identifier: BSD-3-Clause
// rereads.c: a file that is read many times still shows every change: writes through another
// descriptor, growth, truncation in each way there is, replacement; also across 2 MiB.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"

enum { MANY = 300, BLOCK = 4096, BIG = 5 << 20 };

static char data[BIG];

// Reads often enough for any cache to be filled, and shows what the last time gave.
static void read_many(int fd, off_t offset, size_t size)
{
    ssize_t got = 0;
    memset(data, 'x', size);
    for (int i = 0; i < MANY; ++i) {
        got = pread(fd, data, size, offset);
    }
    unsigned long sum = 0;
    for (ssize_t i = 0; i < got; ++i) {
        sum = sum * 31 + (unsigned char)data[i];
    }
    printf("  %zd bytes, sum %lx\n", got, sum);
}

static void changes(int fd, int other)
{
    read_many(fd, 0, BLOCK);
    SHOW(pwrite(other, "changed", 7, 100));
    read_many(fd, 0, BLOCK);
    SHOW(pwrite(fd, "again", 5, 5000));
    read_many(fd, 4096, BLOCK);
    SHOW(ftruncate(other, 6000));
    read_many(fd, 4096, BLOCK);
    read_many(fd, 8192, BLOCK);
    SHOW(ftruncate(fd, 20000));
    read_many(fd, 4096, BLOCK);
    read_many(fd, 16384, BLOCK);
    SHOW(truncate("rereads.data", 100));
    read_many(fd, 0, BLOCK);
    SHOW(pwrite(other, "far", 3, 3 << 20));
    read_many(fd, (3 << 20) - 10, BLOCK);
    int third = open("rereads.data", O_WRONLY | O_TRUNC);
    read_many(fd, 0, BLOCK);
    SHOW(write(third, "new", 3));
    read_many(fd, 0, BLOCK);
    close(third);
}

static void large(int fd)
{
    for (size_t i = 0; i < BIG; ++i) {
        data[i] = (char)(i * 7 + i / 4096);
    }
    SHOW(pwrite(fd, data, BIG, 0));
    for (off_t offset = 0; offset < BIG; offset += 1 << 20) {
        read_many(fd, offset + 4000, 10000);
    }
    read_many(fd, (2 << 20) - 100, 200);
    read_many(fd, BIG - 100, 200);
    read_many(fd, BIG, 200);
}

int main(void)
{
    int fd = open("rereads.data", O_RDWR | O_CREAT | O_EXCL, 0600);
    int other = open("rereads.data", O_RDWR);
    memset(data, 'a', 3 * BLOCK);
    SHOW(write(fd, data, 3 * BLOCK));
    changes(fd, other);
    large(fd);
    SHOW(unlink("rereads.data"));
    read_many(fd, 0, BLOCK);
    close(other);
    read_many(fd, 4096, BLOCK);
    close(fd);
    return 0;
}
