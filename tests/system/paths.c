// SPDX-License-Identifier: BSD-3-Clause
// paths.c: calls on names, right and wrong: files without a name, links to them, exchanges, what
// slashes, loops and long names answer, attributes and times, directories that go or change while
// they are read, descriptors for names only. With the argument "all-named" the current directory is
// one whose files always have names, as virtiofsd's.
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "show.h"

static void make(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    write(fd, text, strlen(text));
    close(fd);
}

static void text_show(const char *path)
{
    char text[100] = {0};
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text - 1);
    printf("  %s: %s\n", path, size < 0 ? strerrorname_np(errno) : text);
    close(fd);
    errno = 0;
}

static long links(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 ? (long)status.st_nlink : -1;
}

static void nameless(void)
{
    char link[64], target[PATH_MAX];
    struct stat status;
    int fd = open(".", O_TMPFILE | O_RDWR, 0640);
    SHOW_OK(fd);
    fstat(fd, &status);
    printf("  mode %o, links %ld\n", status.st_mode, (long)status.st_nlink);
    SHOW(write(fd, "nameless", 8));
    SHOW(fcntl(fd, F_GETFL) & O_ACCMODE);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    printf("  deleted %d\n", strstr(target, " (deleted)") != NULL);
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    text_show("named");
    printf("  links %ld\n", links("named"));
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
    printf("  links %ld\n", links("named"));
    SHOW(unlink("again"));
    SHOW(unlink("named"));
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "again", AT_SYMLINK_FOLLOW));
    close(fd);
    fd = open(".", O_TMPFILE | O_WRONLY | O_EXCL, 0600);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    close(fd);
}

static void without_a_name(void)
{
    char link[64], target[PATH_MAX];
    SHOW(open(".", O_TMPFILE | O_RDONLY, 0600));
    SHOW(open("none", O_TMPFILE | O_RDWR, 0600));
    make("file", "text");
    SHOW(open("file", O_TMPFILE | O_RDWR, 0600));
    FILE *stream = tmpfile();
    SHOW(fprintf(stream, "%s", "temporary"));
    fclose(stream);
    int fd = open("file", O_RDONLY);
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    unlink("file");
    ssize_t length = readlink(link, target, sizeof target - 1);
    target[length > 0 ? length : 0] = 0;
    printf("  deleted %d\n", strstr(target, "file (deleted)") != NULL);
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW));
    SHOW(linkat(fd, "", AT_FDCWD, "named", 0));
    SHOW(linkat(AT_FDCWD, link, AT_FDCWD, "named", 0x8000));
    close(fd);
}

static void renames(void)
{
    make("a", "A");
    make("b", "B");
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE));
    text_show("a");
    text_show("b");
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "none", RENAME_EXCHANGE));
    SHOW(renameat2(AT_FDCWD, "none", AT_FDCWD, "a", RENAME_EXCHANGE));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE | RENAME_NOREPLACE));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", 0x100));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "a", RENAME_EXCHANGE));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "a", RENAME_NOREPLACE));
    mkdir("d", 0755);
    mkdir("d/e", 0755);
    make("d/e/f", "F");
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "d/e", RENAME_EXCHANGE));
    text_show("a/f");
    text_show("d/e");
    SHOW(renameat2(AT_FDCWD, "d", AT_FDCWD, "a", RENAME_EXCHANGE));
    text_show("d/f");
    text_show("a/e");
    SHOW(rename("a/e", "a/g"));
    SHOW(renameat2(AT_FDCWD, "a", AT_FDCWD, "a/g", RENAME_EXCHANGE));
    SHOW(renameat2(AT_FDCWD, "a/g", AT_FDCWD, "a", RENAME_EXCHANGE));
    SHOW(rename("a", "a/h"));
    SHOW(rename("b", "d"));
    SHOW(rename("d", "b"));
    SHOW(rename("a", "d"));
    SHOW(rename("b/", "c"));
    SHOW(rename("b", "c/"));
    SHOW(rename("a/", "c/"));
    SHOW(rename("c/g", "b"));
    SHOW(rename("b", "."));
    SHOW(rename("b", ".."));
    SHOW(rename(".", "x"));
    SHOW(rename("c/..", "x"));
    SHOW(rename("", "x"));
    SHOW(rename("b", ""));
    SHOW(rename("b", "/dev/null/x"));
    SHOW(link("b", "b2"));
    SHOW(rename("b", "b2"));
    printf("  links %ld %ld\n", links("b"), links("b2"));
    SHOW(unlink("b")), SHOW(unlink("b2")), SHOW(unlink("d/f"));
    SHOW(rmdir("d")), SHOW(rmdir("c"));
}

static void slashes_and_loops(void)
{
    static const char *const paths[] = {"file/",  "file/.",   "file/..",   "file/x",   "link/",
                                        "link/.", "dir/",     "dir/.",     "dirlink/", "loop",
                                        "loop/",  "dangling", "dangling/", "none/"};
    struct stat status;
    make("file", "text");
    mkdir("dir", 0755);
    symlink("file", "link");
    symlink("dir", "dirlink");
    symlink("loop", "loop");
    symlink("none", "dangling");
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; ++i) {
        printf("%s\n", paths[i]);
        SHOW(stat(paths[i], &status));
        SHOW(lstat(paths[i], &status));
        SHOW_OK(open(paths[i], O_RDONLY));
        SHOW_OK(open(paths[i], O_RDONLY | O_NOFOLLOW));
        SHOW_OK(open(paths[i], O_RDONLY | O_DIRECTORY));
        SHOW_OK(open(paths[i], O_PATH | O_NOFOLLOW));
        SHOW(access(paths[i], F_OK));
        SHOW(chmod(paths[i], 0755));
        SHOW(truncate(paths[i], 4));
        SHOW(link(paths[i], "new"));
        SHOW(unlink("new"));
        SHOW(link("file", paths[i]));
        SHOW(symlink("file", paths[i]));
        SHOW(mkfifo(paths[i], 0600));
        SHOW(readlink(paths[i], (char[10]){0}, 10));
        SHOW(rename("file", paths[i]));
        SHOW(rename("link", paths[i]));
        SHOW(open(paths[i], O_RDWR | O_CREAT | O_EXCL, 0600));
        make("file", "text");
        unlink("link");
        symlink("file", "link");
        mkdir("dir", 0755);
        unlink("loop");
        symlink("loop", "loop");
        unlink("dangling");
        symlink("none", "dangling");
        rmdir("none"), unlink("none");
    }
    SHOW(unlink("file/"));
    SHOW(unlink("dir/"));
    SHOW(unlink("dir"));
    SHOW(rmdir("file"));
    SHOW(rmdir("link"));
    SHOW(rmdir("dirlink"));
    SHOW(rmdir("dirlink/"));
    SHOW(rmdir("."));
    SHOW(rmdir("dir/."));
    SHOW(rmdir("dir/.."));
    SHOW(rmdir("/"));
    SHOW(unlink("."));
    SHOW(mkdir("new/", 0755));
    SHOW(mkdir("dangling", 0755));
    SHOW(mkdir("dangling/", 0755));
    SHOW(mkdir(".", 0755));
    SHOW(mkdir("/", 0755));
    SHOW_OK(open("dangling", O_RDWR | O_CREAT, 0600));
    SHOW(unlink("none"));
    SHOW(open("dangling", O_RDWR | O_CREAT | O_EXCL, 0600));
    SHOW(open("dangling", O_RDWR | O_CREAT | O_NOFOLLOW, 0600));
    SHOW(open("dir", O_RDWR | O_CREAT, 0600));
    SHOW(open("dir", O_RDONLY | O_TRUNC));
    SHOW(rmdir("new")), SHOW(rmdir("dir")), SHOW(unlink("file")), SHOW(unlink("link"));
    SHOW(unlink("dirlink")), SHOW(unlink("loop")), SHOW(unlink("dangling"));
}

static void long_names(void)
{
    char name[NAME_MAX + 2], path[PATH_MAX + 10];
    memset(name, 'n', sizeof name);
    name[NAME_MAX] = 0;
    SHOW(mkdir(name, 0755));
    SHOW(rmdir(name));
    name[NAME_MAX] = 'n';
    name[NAME_MAX + 1] = 0;
    SHOW(mkdir(name, 0755) == -1 && errno == ENAMETOOLONG);
    SHOW(open(name, O_RDONLY) == -1 && errno == ENAMETOOLONG);
    SHOW(unlink(name) == -1 && errno == ENAMETOOLONG);
    for (size_t i = 0; i < sizeof path; i += 2) {
        memcpy(path + i, "./", 2);
    }
    path[PATH_MAX - 1] = 0;
    SHOW(access(path, F_OK));
    path[PATH_MAX - 1] = '/';
    path[PATH_MAX] = 0;
    SHOW(access(path, F_OK));
    SHOW(symlink(path, "x"));
    char link[16], target[16];
    strcpy(target, ".");
    for (int i = 0; i < 42; ++i) {
        snprintf(link, sizeof link, "l%d", i);
        symlink(target, link);
        strcpy(target, link);
    }
    SHOW(access("l39", F_OK));
    SHOW(access("l40", F_OK));
    for (int i = 0; i < 42; ++i) {
        snprintf(link, sizeof link, "l%d", i);
        unlink(link);
    }
}

static bool in_memory;

static void time_show(const char *what, struct timespec time)
{
    bool now = time.tv_sec > 1700000000;
    printf("  %s %ld.%09ld\n", what, now ? 0 : time.tv_sec, now ? 0 : time.tv_nsec);
}

// The seeded machine shows no time of a host's file but the last change of its contents.
static void times_show(const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0) {
        time_show("modified", status.st_mtim);
    }
    if (in_memory) {
        time_show("accessed", status.st_atim);
    }
}

static void times(void)
{
    struct timespec set[2] = {{1000, 1}, {2000, 2}};
    struct timeval micro[2] = {{3000, 3}, {4000, 4}};
    make("file", "text");
    symlink("file", "link");
    SHOW(utimensat(AT_FDCWD, "file", set, 0));
    times_show("file");
    set[0].tv_nsec = UTIME_OMIT;
    set[1].tv_nsec = UTIME_NOW;
    SHOW(utimensat(AT_FDCWD, "file", set, 0));
    times_show("file");
    set[0].tv_nsec = UTIME_NOW;
    set[1] = (struct timespec){-5, 7};
    SHOW(utimensat(AT_FDCWD, "link", set, 0));
    times_show("file");
    set[0] = (struct timespec){50, 60};
    SHOW(utimensat(AT_FDCWD, "link", set, AT_SYMLINK_NOFOLLOW));
    times_show("link");
    times_show("file");
    SHOW(lutimes("link", micro));
    times_show("link");
    SHOW(utimes("link", micro));
    times_show("file");
    SHOW(futimesat(AT_FDCWD, "file", NULL));
    int fd = open("file", O_RDONLY);
    SHOW(futimens(fd, set));
    times_show("file");
    SHOW(futimes(fd, micro));
    times_show("file");
    set[0].tv_nsec = set[1].tv_nsec = UTIME_OMIT;
    SHOW(utimensat(AT_FDCWD, "none", set, 0)); // does not even look
    SHOW(utimensat(9999, "none", set, 0));
    set[0].tv_nsec = 1000000000;
    SHOW(utimensat(AT_FDCWD, "file", set, 0));
    set[0].tv_nsec = 0;
    SHOW(utimensat(AT_FDCWD, "file", set, 0x8000));
    SHOW(utimensat(AT_FDCWD, "none", set, 0));
    SHOW(utimensat(fd, "file", set, 0));
    SHOW(utimensat(AT_FDCWD, "", set, 0));
    SHOW(futimens(9999, set));
    micro[0].tv_usec = 1000000;
    SHOW(utimes("file", micro));
    SHOW(utimes("file", NULL));
    times_show("file");
    close(fd);
    unlink("file"), unlink("link");
}

static void modes(void)
{
    struct stat status;
    make("file", "text");
    symlink("file", "link");
    int fd = open("file", O_RDONLY), name = open("file", O_PATH);
    SHOW(chmod("file", 07777));
    stat("file", &status);
    printf("  %o\n", status.st_mode);
    SHOW(fchmod(fd, 0));
    SHOW(fchmod(name, 0));
    SHOW(fchmod(9999, 0));
    SHOW(fchmodat(AT_FDCWD, "file", 0640, 0));
    SHOW(fchmodat(AT_FDCWD, "link", 0600, 0x8000));
    SHOW(chown("file", getuid(), getgid()));
    SHOW(chown("file", (uid_t)-1, (gid_t)-1));
    SHOW(lchown("link", getuid(), (gid_t)-1));
    SHOW(fchown(fd, (uid_t)-1, getgid()));
    SHOW(fchown(name, (uid_t)-1, getgid()));
    SHOW(fchownat(AT_FDCWD, "", (uid_t)-1, getgid(), AT_EMPTY_PATH));
    SHOW(fchownat(fd, "", (uid_t)-1, getgid(), AT_EMPTY_PATH));
    SHOW(fchownat(fd, "", (uid_t)-1, getgid(), 0));
    SHOW(fchownat(AT_FDCWD, "file", (uid_t)-1, getgid(), 0x8000));
    SHOW(chown("none", (uid_t)-1, (gid_t)-1));
    SHOW(access("file", R_OK | W_OK));
    SHOW(access("file", 8));
    SHOW(euidaccess("file", R_OK));
    SHOW(eaccess("none", R_OK));
    SHOW(faccessat(AT_FDCWD, "link", R_OK, AT_SYMLINK_NOFOLLOW));
    SHOW(faccessat(AT_FDCWD, "file", R_OK, AT_EACCESS));
    SHOW(faccessat(AT_FDCWD, "file", R_OK, 0x8000));
    SHOW(faccessat(fd, "", R_OK, AT_EMPTY_PATH));
    SHOW(faccessat(fd, "x", R_OK, 0));
    SHOW(faccessat(9999, "x", R_OK, 0));
    SHOW(umask(0777));
    SHOW(umask(022));
    SHOW(mkdir("dir", 07777));
    stat("dir", &status);
    printf("  %o\n", status.st_mode & 01777);
    rmdir("dir");
    close(fd), close(name);
    unlink("file"), unlink("link");
}

static void statuses(void)
{
    struct statx x;
    struct stat status;
    struct statvfs space;
    make("file", "text");
    SHOW(statx(AT_FDCWD, "file", 0, STATX_BASIC_STATS, &x));
    printf("  mode %o, size %ld, links %u, mask %d\n", x.stx_mode, (long)x.stx_size, x.stx_nlink,
           (x.stx_mask & STATX_BASIC_STATS) == STATX_BASIC_STATS);
    SHOW(statx(AT_FDCWD, "file", AT_STATX_FORCE_SYNC, STATX_SIZE, &x));
    SHOW(statx(AT_FDCWD, "file", AT_STATX_FORCE_SYNC | AT_STATX_DONT_SYNC, STATX_SIZE, &x));
    SHOW(statx(AT_FDCWD, "file", 0x8000, STATX_SIZE, &x));
    SHOW(statx(AT_FDCWD, "file", 0, 0x80000000, &x));
    SHOW(statx(AT_FDCWD, "", 0, STATX_SIZE, &x));
    SHOW(statx(AT_FDCWD, "", AT_EMPTY_PATH, STATX_SIZE, &x));
    SHOW(statx(9999, "", AT_EMPTY_PATH, STATX_SIZE, &x));
    SHOW(statx(AT_FDCWD, "file", 0, STATX_SIZE, (struct statx *)8));
    SHOW(fstatat(AT_FDCWD, "file", &status, 0x8000));
    SHOW(fstatat(AT_FDCWD, "", &status, AT_EMPTY_PATH));
    printf("  directory %d\n", S_ISDIR(status.st_mode));
    SHOW(fstatat(9999, "file", &status, 0));
    SHOW(fstatat(0, "", &status, 0));
    SHOW(stat("file", (struct stat *)8));
    SHOW(statvfs("file", &space));
    printf("  block %d, names %ld\n", space.f_bsize > 0, (long)space.f_namemax);
    SHOW(statvfs("none", &space));
    SHOW(fstatvfs(9999, &space));
    unlink("file");
}

static void attributes(void)
{
    char list[64];
    make("file", "text");
    symlink("file", "link");
    int fd = open("file", O_RDONLY);
    SHOW(listxattr("file", list, sizeof list) >= 0);
    SHOW(listxattr("none", list, sizeof list));
    SHOW(flistxattr(9999, list, sizeof list));
    SHOW(getxattr("none", "user.x", list, sizeof list));
    SHOW(fgetxattr(9999, "user.x", list, sizeof list));
    SHOW(getxattr("file", "unheard.of", list, sizeof list));
    SHOW(setxattr("file", "unheard.of", "x", 1, 0));
    SHOW(setxattr("file", "user.x", "x", 1, 77));
    SHOW(setxattr("none", "user.x", "x", 1, 0));
    SHOW(setxattr("file", "", "x", 1, 0));
    static char large[1 << 20];
    SHOW(setxattr("file", "user.x", large, sizeof large, 0));
    SHOW(removexattr("none", "user.x"));
    SHOW(removexattr("file", "unheard.of"));
    SHOW(lgetxattr("link", "unheard.of", list, sizeof list));
    close(fd);
    unlink("file"), unlink("link");
}

static void only_a_name(void)
{
    char data[10];
    struct stat status;
    make("file", "text");
    symlink("file", "link");
    mkdir("dir", 0755);
    int fd = open("file", O_PATH), link = open("link", O_PATH | O_NOFOLLOW),
        dir = open("dir", O_PATH);
    SHOW(read(fd, data, 1));
    SHOW(write(fd, data, 1));
    SHOW(ioctl(fd, FIONREAD, data));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(ftruncate(fd, 0));
    SHOW(fchdir(dir));
    SHOW(fchdir(fd));
    SHOW(chdir(".."));
    SHOW(fstat(fd, &status));
    SHOW(fstat(link, &status));
    printf("  link %d\n", S_ISLNK(status.st_mode));
    SHOW(readlinkat(link, "", data, sizeof data));
    SHOW(readlinkat(fd, "", data, sizeof data));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_PATH));
    SHOW_OK(openat(dir, ".", O_RDONLY));
    SHOW_OK(openat(dir, "none", O_RDONLY));
    SHOW_OK(openat(fd, "none", O_RDONLY));
    SHOW_OK(open("file", O_PATH | O_RDWR | O_CREAT | O_EXCL | O_TRUNC));
    text_show("file");
    SHOW_OK(dup(fd));
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    text_show("file");
    int again = open(path, O_RDWR);
    SHOW(write(again, "TEXT", 4));
    close(again);
    text_show("file");
    snprintf(path, sizeof path, "/proc/self/fd/%d", link);
    SHOW(open(path, O_RDONLY));
    SHOW_OK(open("none", O_PATH));
    close(fd), close(link), close(dir);
    SHOW(unlink("file")), SHOW(unlink("link")), SHOW(rmdir("dir"));
}

static int count_names(DIR *directory)
{
    int count = 0;
    while (readdir(directory) != NULL) {
        ++count;
    }
    return count;
}

static void changing_directories(void)
{
    char name[300];
    bool seen[60] = {0};
    struct dirent *entry;
    mkdir("dir", 0755);
    for (int i = 0; i < 50; ++i) {
        snprintf(name, sizeof name, "dir/%d", i);
        make(name, "");
    }
    DIR *directory = opendir("dir");
    long twice = 0, places[60], place_count = 0;
    for (int i = 0; i < 20; ++i) {
        places[place_count++] = telldir(directory);
        entry = readdir(directory);
        if (entry->d_name[0] != '.') {
            twice += seen[atoi(entry->d_name)];
            seen[atoi(entry->d_name)] = true;
        }
    }
    seekdir(directory, places[10]);
    entry = readdir(directory);
    char tenth[300];
    snprintf(tenth, sizeof tenth, "%s", entry->d_name);
    seekdir(directory, places[10]);
    SHOW(strcmp(readdir(directory)->d_name, tenth));
    rewinddir(directory);
    SHOW(count_names(directory));
    rewinddir(directory);
    memset(seen, 0, sizeof seen);
    int left = 0;
    while ((entry = readdir(directory)) != NULL) { // what is read is removed
        if (entry->d_name[0] != '.') {
            twice += seen[atoi(entry->d_name)];
            seen[atoi(entry->d_name)] = true;
            snprintf(name, sizeof name, "dir/%s", entry->d_name);
            left += unlink(name) != 0;
        }
    }
    printf("  twice %ld, left %d\n", twice, left);
    rewinddir(directory);
    SHOW(count_names(directory));
    SHOW(rmdir("dir"));
    rewinddir(directory);
    errno = 0;
    SHOW(count_names(directory));
    SHOW(closedir(directory));
    SHOW_OK(opendir("none") == NULL ? -1 : 0);
    make("file", "");
    SHOW_OK(opendir("file") == NULL ? -1 : 0);
    int fd = open("file", O_RDONLY);
    SHOW_OK(fdopendir(fd) == NULL ? -1 : 0);
    close(fd);
    unlink("file");
}

static void gone_directory(void)
{
    char path[PATH_MAX];
    struct stat status;
    mkdir("gone", 0755);
    chdir("gone");
    int parent = open("..", O_RDONLY | O_DIRECTORY);
    SHOW(rmdir("../gone"));
    SHOW_OK(getcwd(path, sizeof path) == NULL ? -1 : 0);
    SHOW(open("file", O_WRONLY | O_CREAT, 0600));
    SHOW(mkdir("dir", 0755));
    SHOW(stat(".", &status));
    printf("  links %ld\n", (long)status.st_nlink);
    SHOW(stat("..", &status));
    SHOW(rename("../none", "x"));
    SHOW(access(".", F_OK));
    SHOW_OK(open(".", O_RDONLY));
    DIR *directory = opendir(".");
    errno = 0;
    SHOW(directory == NULL ? -1 : count_names(directory));
    if (directory != NULL) {
        closedir(directory);
    }
    SHOW(fchdir(parent));
    SHOW_OK(getcwd(path, sizeof path) == NULL ? -1 : 0);
    SHOW_OK(getcwd(path, 2) == NULL ? -1 : 0);
    SHOW_OK(getcwd(path, 0) == NULL ? -1 : 0);
    char *own = getcwd(NULL, 0);
    SHOW(own != NULL && strcmp(own, realpath(".", path)) == 0);
    free(own);
    close(parent);
}

static void flags(void)
{
    int fd =
        open("file", O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_TRUNC | O_NOCTTY, 0600);
    SHOW((fcntl(fd, F_GETFL) & ~O_CLOEXEC) == (O_RDWR | O_APPEND | 0100000));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_SETFL, O_NONBLOCK | O_CREAT | O_WRONLY));
    SHOW((fcntl(fd, F_GETFL) & ~O_CLOEXEC) == (O_RDWR | O_NONBLOCK | 0100000));
    close(fd);
    fd = open("file", O_RDWR | O_SYNC);
    SHOW((fcntl(fd, F_GETFL) & O_SYNC) == O_SYNC);
    close(fd);
    fd = open(".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    SHOW(fcntl(fd, F_GETFL) == (O_DIRECTORY | O_NOFOLLOW | 0100000));
    SHOW(fcntl(fd, F_DUPFD, -1));
    SHOW(fcntl(fd, F_DUPFD, 1 << 30));
    SHOW(fcntl(fd, F_DUPFD, 500));
    SHOW(close_range(500, 499, 0));
    SHOW(close_range(500, ~0u, 0x100));
    SHOW(close_range(500, ~0u, 2));
    SHOW(close(500));
    SHOW(dup3(fd, 500, O_CLOEXEC));
    SHOW(fcntl(500, F_GETFD));
    SHOW(close_range(500, 500, 0));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup3(fd, 500, 77));
    SHOW(dup3(9999, 500, 0));
    SHOW(dup2(fd, 1 << 30));
    close(fd);
    SHOW(open("file", O_RDONLY | O_CREAT | O_DIRECTORY, 0600));
    unlink("file");
    SHOW_OK(creat("file", 0400));
    unlink("file");
}

static void everything(bool all_named)
{
    umask(022);
    if (!all_named) {
        nameless();
    }
    without_a_name();
    renames();
    slashes_and_loops();
    long_names();
    times();
    modes();
    statuses();
    attributes();
    only_a_name();
    changing_directories();
    gone_directory();
    flags();
}

int main(int count, char **arguments)
{
    char folder[] = "/dev/shm/paths-XXXXXX";
    everything(count > 1 && strcmp(arguments[1], "all-named") == 0);
    printf("in memory\n");
    in_memory = true;
    if (mkdtemp(folder) == NULL || chdir(folder) != 0) {
        return 1;
    }
    everything(false);
    chdir("/");
    SHOW(rmdir(folder));
    return 0;
}
