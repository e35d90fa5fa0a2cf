// SPDX-License-Identifier: BSD-3-Clause
// fifos.c: FIFOs: who waits for whom when they are opened, what readers and writers see when the
// others come and go; the size of pipes.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "show.h"

enum { BLOCKS = 60, BLOCK = 3000 };

static char folder[] = "/tmp/fifos-XXXXXX";

static void events_show(int fd)
{
    struct pollfd item = {fd, POLLIN | POLLOUT, 0};
    int count = poll(&item, 1, 0);
    printf("  poll %d: %x\n", count, item.revents);
}

static void without_waiting(void)
{
    char data[100];
    struct stat status;
    SHOW(mkfifo("fifo", 0640));
    SHOW(mkfifo("fifo", 0640));
    SHOW(mknod("other", S_IFIFO | 0600, 0));
    SHOW(stat("fifo", &status));
    printf("  mode %o, size %ld, links %ld\n", status.st_mode, (long)status.st_size,
           (long)status.st_nlink);
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK));
    int reader = open("fifo", O_RDONLY | O_NONBLOCK);
    events_show(reader);
    SHOW(read(reader, data, sizeof data)); // nobody writes: the end
    int writer = open("fifo", O_WRONLY | O_NONBLOCK);
    events_show(reader);
    events_show(writer);
    SHOW(read(reader, data, sizeof data)); // somebody may write
    SHOW(write(writer, "0123456789", 10));
    events_show(reader);
    int available = 0;
    SHOW(ioctl(reader, FIONREAD, &available));
    printf("  %d\n", available);
    SHOW(fstat(reader, &status));
    printf("  mode %o\n", status.st_mode);
    SHOW(read(writer, data, 1));
    SHOW(write(reader, data, 1));
    SHOW(lseek(reader, 0, SEEK_SET));
    SHOW(close(writer));
    events_show(reader);
    SHOW(read(reader, data, 4));
    SHOW(read(reader, data, sizeof data));
    SHOW(read(reader, data, sizeof data));
    events_show(reader);
    writer = open("fifo", O_WRONLY);
    events_show(reader);
    SHOW(write(writer, "left", 4));
    SHOW(close(reader));
    events_show(writer);
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(writer, "x", 1));
    reader = open("fifo", O_RDONLY);
    SHOW(read(reader, data, sizeof data)); // as long as anybody has it open its bytes stay
    close(reader);
    close(writer);
    int both = open("fifo", O_RDWR);
    events_show(both);
    SHOW(write(both, "both", 4));
    events_show(both);
    SHOW(read(both, data, sizeof data));
    SHOW(write(both, "gone", 4));
    close(both);
    both = open("fifo", O_RDWR | O_NONBLOCK);
    SHOW(read(both, data, sizeof data));
    close(both);
    SHOW(truncate("fifo", 0));
    both = open("fifo", O_RDWR | O_TRUNC | O_CREAT, 0600);
    SHOW(unlink("fifo"));
    SHOW(write(both, "x", 1));
    SHOW(read(both, data, sizeof data));
    close(both);
    SHOW(open("fifo", O_RDONLY));
    SHOW(unlink("other"));
    SHOW(mknod("other", S_IFDIR | 0700, 0));
    SHOW(mknod("other", S_IFLNK | 0700, 0));
    SHOW(mknod("other", 0150000 | 0700, 0));
    SHOW(mknod("other", 0600, 0));
    SHOW(unlink("other"));
    SHOW(mknod("other", S_IFSOCK | 0600, 0));
    SHOW(open("other", O_RDONLY));
    SHOW(unlink("other"));
}

static void *writer_run(void *unused)
{
    char block[BLOCK];
    int fd = open("fifo", O_WRONLY);
    for (int i = 0; i < BLOCKS; ++i) {
        memset(block, 'a' + i % 26, sizeof block);
        write(fd, block, sizeof block);
    }
    close(fd);
    return unused;
}

// Each waits for the other, in whatever order they come.
static void both_ends_wait(void)
{
    static char block[BLOCK];
    pthread_t threads[2];
    long total = 0, torn = 0;
    mkfifo("fifo", 0600);
    for (int round = 0; round < 5; ++round) {
        pthread_create(&threads[0], NULL, writer_run, NULL);
        pthread_create(&threads[1], NULL, writer_run, NULL);
        int fd = open("fifo", O_RDONLY);
        // A writer that came and went before the second one leaves an end behind: both count.
        int second = open("fifo", O_WRONLY | O_NONBLOCK);
        for (int i = 0; i < 2 * BLOCKS; ++i) {
            size_t done = 0;
            ssize_t got;
            while (done < BLOCK && (got = read(fd, block + done, BLOCK - done)) > 0) {
                done += (size_t)got;
            }
            total += (long)done;
            torn += memcmp(block, block + 1, BLOCK - 1) != 0;
        }
        close(second);
        pthread_join(threads[0], NULL);
        pthread_join(threads[1], NULL);
        close(fd);
    }
    printf("read %ld, torn %ld\n", total, torn);
}

static _Atomic int done;

static void handler(int signal)
{
    (void)signal;
}

static void *opener(void *flags)
{
    SHOW(open("fifo", (int)(long)flags));
    done = 1;
    return NULL;
}

static void interrupted(int flags)
{
    pthread_t thread;
    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGUSR1, &action, NULL);
    done = 0;
    pthread_create(&thread, NULL, opener, (void *)(long)flags);
    while (!done) {
        pthread_kill(thread, SIGUSR1);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    pthread_join(thread, NULL);
    SHOW(open("fifo", O_WRONLY | O_NONBLOCK)); // the one who gave up is no reader
}

static void sizes(void)
{
    int ends[2];
    static char data[1 << 20];
    pipe2(ends, O_NONBLOCK);
    SHOW(fcntl(ends[0], F_GETPIPE_SZ));
    SHOW(write(ends[1], data, sizeof data));
    SHOW(fcntl(ends[0], F_SETPIPE_SZ, 4096));
    SHOW(fcntl(ends[1], F_SETPIPE_SZ, 100000));
    SHOW(write(ends[1], data, sizeof data));
    SHOW(read(ends[0], data, sizeof data));
    SHOW(fcntl(ends[1], F_SETPIPE_SZ, 1));
    SHOW(write(ends[1], "0123", 4));
    SHOW(write(ends[1], data, 4096));
    SHOW(fcntl(ends[1], F_SETPIPE_SZ, 1 << 20));
    SHOW(fcntl(ends[1], F_SETPIPE_SZ, -1));
    SHOW(write(ends[1], data, sizeof data) > 1 << 19);
    SHOW(read(ends[0], data, 4));
    printf("  %.4s\n", data);
    int file = open("file", O_RDWR | O_CREAT, 0600);
    SHOW(fcntl(file, F_GETPIPE_SZ));
    SHOW(fcntl(file, F_SETPIPE_SZ, 4096));
    close(file);
    unlink("file");
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return 1;
    }
    umask(022);
    without_waiting();
    both_ends_wait();
    interrupted(O_RDONLY);
    interrupted(O_WRONLY);
    SHOW(unlink("fifo"));
    sizes();
    chdir("/");
    SHOW(rmdir(folder));
    return 0;
}
