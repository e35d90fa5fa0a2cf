// SPDX-License-Identifier: BSD-3-Clause
// files.c: what file calls answer, right and wrong, in the current directory and in /tmp.
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "show.h"

// Behind the compiler's back: it knows that these cannot work.
static char *volatile wrong = (char *)1;
static volatile int wrong_count = -1;

static void status_show(const char *path)
{
    struct stat status;
    if (SHOW(stat(path, &status)) == 0) {
        printf("  mode %o, size %ld, links %ld, mine %d\n", status.st_mode, (long)status.st_size,
               S_ISDIR(status.st_mode) ? 0 : (long)status.st_nlink, status.st_uid == getuid());
    }
}

static int name_compare(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void directory_show(const char *path)
{
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, name_compare);
    printf("%s holds %d:", path, count);
    for (int i = 0; i < count; ++i) {
        printf(" %s/%d", entries[i]->d_name, entries[i]->d_type);
        free(entries[i]);
    }
    printf("\n");
    if (count >= 0) {
        free(entries);
    }
}

static void reading_and_writing(void)
{
    char data[64] = {0};
    int fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0640);
    printf("opened %d\n", fd);
    SHOW(write(fd, "hello, world", 12));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(lseek(fd, -5, SEEK_END));
    SHOW(read(fd, data, sizeof data));
    SHOW(read(fd, data, sizeof data));
    SHOW(lseek(fd, -100, SEEK_CUR));
    SHOW(lseek(fd, 0, 77));
    SHOW(pwrite(fd, "HE", 2, 0));
    SHOW(pread(fd, data, 5, 0));
    printf("  %.5s\n", data);
    SHOW(pread(fd, data, 5, -1));
    SHOW(pread(fd, data, 5, 100));
    SHOW(lseek(fd, 20, SEEK_SET));
    SHOW(write(fd, "!", 1));
    SHOW(pread(fd, data, 21, 0));
    printf("  hole %d\n", data[15]);
    struct iovec vectors[2] = {{data, 3}, {data + 10, 3}};
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, vectors, 2));
    SHOW(writev(fd, vectors, 2));
    SHOW(writev(fd, vectors, wrong_count));
    SHOW(preadv(fd, vectors, 2, 1));
    SHOW(ftruncate(fd, 5));
    SHOW(ftruncate(fd, -1));
    SHOW(fsync(fd));
    SHOW(fdatasync(fd));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(read(fd, wrong, 4));
    SHOW(write(fd, wrong, 4));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFD, FD_CLOEXEC));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SHOW(fcntl(fd, F_SETFL, O_APPEND));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_NONBLOCK));
    SHOW(write(fd, "end", 3));
    SHOW(fcntl(fd, 9999));
    SHOW(ioctl(fd, TCGETS, data));
    SHOW(isatty(fd));
    SHOW(close(fd));
    SHOW(close(fd));
    SHOW(read(fd, data, 1));
    SHOW(open("file", O_RDWR | O_CREAT | O_EXCL, 0640));
    status_show("file");
    fd = open("file", O_RDONLY);
    SHOW(write(fd, "x", 1));
    SHOW(ftruncate(fd, 0));
    close(fd);
    fd = open("file", O_WRONLY | O_TRUNC);
    SHOW(read(fd, data, 1));
    close(fd);
    status_show("file");
}

static void names(void)
{
    char text[256] = {0};
    SHOW(mkdir("dir", 0755));
    SHOW(mkdir("dir", 0755));
    SHOW(mkdir("no/dir", 0755));
    SHOW(mkdir("file/dir", 0755));
    SHOW(rmdir("file"));
    SHOW(unlink("dir"));
    SHOW(rename("file", "dir/moved"));
    SHOW(rename("file", "dir/moved"));
    SHOW(rename("dir", "dir/inside"));
    SHOW(rmdir("dir"));
    SHOW(link("dir/moved", "hard"));
    status_show("hard");
    SHOW(symlink("dir/moved", "soft"));
    SHOW(symlink("dir/moved", "soft"));
    SHOW(readlink("soft", text, sizeof text));
    printf("  %s\n", text);
    SHOW(readlink("hard", text, sizeof text));
    SHOW(symlink("loop", "loop"));
    SHOW(open("loop", O_RDONLY));
    SHOW(open("soft", O_RDONLY | O_NOFOLLOW));
    SHOW(open("soft", O_RDONLY | O_DIRECTORY));
    SHOW(open("dir", O_WRONLY));
    SHOW(open("", O_RDONLY));
    SHOW(open("hard/", O_RDONLY));
    SHOW(open(wrong, O_RDONLY));
    SHOW(access("hard", R_OK | W_OK));
    SHOW(access("hard/x", F_OK));
    SHOW(access("none", F_OK));
    SHOW(chmod("hard", 0600));
    SHOW(chmod("none", 0600));
    status_show("hard");
    SHOW(truncate("hard", 1000));
    status_show("soft");
    SHOW(unlink("hard"));
    SHOW(unlink("hard"));
    directory_show(".");
    directory_show("dir");
    directory_show("none");
    char name[300];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = 0;
    SHOW(open(name, O_RDONLY));
    SHOW(open(name, O_WRONLY | O_CREAT, 0600));
}

static void directories(void)
{
    char text[512];
    SHOW(chdir("dir"));
    printf("%s\n", strrchr(getcwd(text, sizeof text), '/'));
    SHOW_OK(getcwd(text, 3) == NULL ? -1 : 0);
    status_show("moved");
    status_show("../soft");
    status_show("..//dir/./moved");
    SHOW(chdir("moved"));
    SHOW(chdir("none"));
    int fd = open("..", O_RDONLY | O_DIRECTORY);
    SHOW(fchdir(fd));
    SHOW(faccessat(fd, "dir/moved", F_OK, 0));
    SHOW(mkdirat(fd, "at", 0700));
    SHOW(unlinkat(fd, "at", 0));
    SHOW(unlinkat(fd, "at", AT_REMOVEDIR));
    SHOW(read(fd, text, 10));
    close(fd);
    SHOW(openat(9999, "x", O_RDONLY));
    SHOW(openat(1, "x", O_RDONLY));
}

static void descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);
    int other = dup(fd);
    printf("%d\n", other - fd);
    SHOW(dup2(fd, 50));
    SHOW(dup2(fd, fd) == fd);
    SHOW(dup2(fd, -1));
    SHOW(dup2(77, 5));
    SHOW(dup3(fd, fd, 0));
    SHOW(fcntl(fd, F_DUPFD, 60));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 60));
    SHOW(fcntl(61, F_GETFD));
    SHOW(close(-1));
    int lowest = open("/dev/null", O_RDONLY);
    close(fd);
    SHOW(open("/dev/null", O_RDONLY) - fd);
    close(lowest);
    char data[8] = "xxxxxxx";
    SHOW(read(50, data, 4));
    SHOW(write(50, data, 4));
    int zero = open("/dev/zero", O_RDONLY);
    SHOW(read(zero, data, 4));
    printf("%d%d\n", data[0], data[4]);
    int full = open("/dev/full", O_WRONLY);
    SHOW(write(full, data, 4));
    SHOW(lseek(zero, 5, SEEK_SET));
}

static void times_and_modes(void)
{
    struct timespec times[2] = {{1000000000, 5}, {1234567890, 123456789}};
    struct stat status;
    SHOW(umask(027));
    int fd = open("masked", O_CREAT | O_WRONLY, 0666);
    SHOW(fchmod(fd, 04711));
    SHOW(futimens(fd, times));
    SHOW(fstat(fd, &status));
    printf("  %o %ld.%09ld\n", status.st_mode, (long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    close(fd);
    fd = open("masked2", O_CREAT | O_WRONLY, 0666);
    fstat(fd, &status);
    printf("  %o\n", status.st_mode);
    close(fd);
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = 2000000000;
    SHOW(utimensat(AT_FDCWD, "masked", times, 0));
    SHOW(umask(022));
    unlink("masked");
    unlink("masked2");
}

static void temporary(void)
{
    char name[] = "/tmp/files-XXXXXX";
    int fd = mkstemp(name);
    printf("temporary %d\n", fd >= 0);
    SHOW(write(fd, "0123456789", 10));
    SHOW(unlink(name));
    char data[16];
    SHOW(pread(fd, data, 16, 4));
    SHOW(ftruncate(fd, 1 << 20));
    SHOW(pread(fd, data, 16, (1 << 20) - 8));
    SHOW(close(fd));
    SHOW(open(name, O_RDONLY));
    char directory[] = "/tmp/dir-XXXXXX";
    SHOW_OK(mkdtemp(directory) == NULL ? -1 : 0);
    SHOW(rmdir(directory));
}

int main(void)
{
    umask(022);
    reading_and_writing();
    names();
    directories();
    descriptors();
    times_and_modes();
    temporary();
    return 0;
}
