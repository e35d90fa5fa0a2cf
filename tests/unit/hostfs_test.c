// SPDX-License-Identifier: BSD-3-Clause
// hostfs_test.c: files of the host through the driver and the real far end answer what the host
// itself answers.
#include "core/sync/shrinker.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"
#include "core/vfs/poll.h"
#include "core/vfs/vfs.h"
#include "core/vm/vm.h"
#include "hal-linux/dev/fs.h"
#include "unit_hal.h"
#include "vfs_host.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[64];

static const char *host_path(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static void host_write_file(const char *name, const char *text)
{
    FILE *file = fopen(host_path(name), "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static void host_rename(const char *from, const char *to)
{
    char old[256];
    strcpy(old, host_path(from));
    ck_assert_int_eq(rename(old, host_path(to)), 0);
}

static size_t frames_before;

static void start(void)
{
    snprintf(root, sizeof root, "/tmp/hostfs_test.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(root));
    host_write_file("hello", "hello, world\n");
    ck_assert_int_eq(mkdir(host_path("dir"), 0755), 0);
    host_write_file("dir/inner", "inner");
    ck_assert_int_eq(symlink("dir/inner", host_path("link")), 0);
    ck_assert_int_eq(symlink("/host/hello", host_path("absolute")), 0);
    ck_assert_int_eq(symlink("../../../../etc/passwd", host_path("escape")), 0);
    ck_assert_int_eq(symlink("loop", host_path("loop")), 0);
    ck_assert_int_eq(fs_add_directory("tag", root, false), 0);
    ck_assert_int_eq(fs_add_directory("tag-ro", root, true), 0);
    ck_assert_int_eq(fs_add_streams("std"), 0);
    host_devices_start();
    vfs_init();
    vfs_owner_set(getuid(), getgid());
    ck_assert_int_eq(vfs_mount_device("tag", "/host", false), 0);
    ck_assert_int_eq(vfs_mount_device("tag-ro", "/a/b/ro", true), 0);
    frames_before = host_frame_count();
}

static void host_read_check(const char *name, long offset, const char *text)
{
    char data[64] = {0};
    FILE *file = fopen(host_path(name), "r");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(fseek(file, offset, SEEK_SET), 0);
    ck_assert_uint_eq(fread(data, 1, strlen(text), file), strlen(text));
    fclose(file);
    ck_assert_str_eq(data, text);
}

static void start_plain(void)
{
    host_far_is_plain = true;
    start();
}

static void stop(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    ck_assert_int_eq(system(command), 0);
}

static struct file *open_file(const char *path, uint32_t flags)
{
    struct file *file = NULL;
    ck_assert_int_eq(vfs_open(NULL, path, flags, 0644, &file), 0);
    ck_assert_ptr_nonnull(file);
    return file;
}

static int open_error(const char *path, uint32_t flags)
{
    struct file *file = NULL;
    int error = vfs_open(NULL, path, flags, 0644, &file);
    if (error == 0) {
        file_put(file);
    }
    return error;
}

static void read_check(const char *path, const char *text)
{
    char data[256] = {0};
    size_t done = 99;
    struct file *file = open_file(path, OPEN_READ_ONLY);
    ck_assert_int_eq(file_read(file, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, strlen(text));
    ck_assert_str_eq(data, text);
    ck_assert_int_eq(file_read(file, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 0);
    file_put(file);
}

START_TEST(files_are_read_and_links_are_followed_in_the_guest)
{
    read_check("/host/hello", "hello, world\n");
    read_check("/host/dir/inner", "inner");
    read_check("/host/link", "inner");
    read_check("/host/absolute", "hello, world\n");
    read_check("/a/b/ro/dir/../hello", "hello, world\n");
    ck_assert_int_eq(open_error("/host/escape", OPEN_READ_ONLY), -ENOENT); // the guest has no /etc
    ck_assert_int_eq(open_error("/host/loop", OPEN_READ_ONLY), -ELOOP);
    ck_assert_int_eq(open_error("/host/none", OPEN_READ_ONLY), -ENOENT);
    ck_assert_int_eq(open_error("/host/hello/x", OPEN_READ_ONLY), -ENOTDIR);
    ck_assert_int_eq(open_error("/host/hello/", OPEN_READ_ONLY), -ENOTDIR);
    ck_assert_int_eq(open_error("/host/link", OPEN_NO_FOLLOW), -ELOOP);
    ck_assert_int_eq(open_error("/host/dir", OPEN_READ_WRITE), -EISDIR);
    ck_assert_int_eq(open_error("/host/dir/../../host/dir/..", OPEN_DIRECTORY), 0);
}
END_TEST

START_TEST(attributes_are_the_hosts)
{
    struct stat host;
    struct file_status guest;
    static const char *const names[] = {"hello", "dir", "link"};
    for (size_t i = 0; i < 3; ++i) {
        char path[64];
        snprintf(path, sizeof path, "/host/%s", names[i]);
        ck_assert_int_eq(lstat(host_path(names[i]), &host), 0);
        ck_assert_int_eq(vfs_status(NULL, path, VFS_NO_FOLLOW, &guest), 0);
        ck_assert_uint_eq(guest.inode, host.st_ino);
        ck_assert_uint_eq(guest.size, (uint64_t)host.st_size);
        ck_assert_uint_eq(guest.mode, host.st_mode);
        ck_assert_uint_eq(guest.link_count, host.st_nlink);
        ck_assert_uint_eq(guest.uid, host.st_uid);
        ck_assert_int_eq(guest.modified.seconds, host.st_mtim.tv_sec);
        ck_assert_uint_eq(guest.modified.nanoseconds, (uint32_t)host.st_mtim.tv_nsec);
        ck_assert_uint_eq(guest.block_count, (uint64_t)host.st_blocks);
    }
    struct file *file = open_file("/host/hello", OPEN_READ_ONLY);
    ck_assert_int_eq(file_status(file, &guest), 0);
    ck_assert_uint_eq(guest.size, 13);
    host_write_file("hello", "longer than it was\n");
    ck_assert_int_eq(file_status(file, &guest), 0);
    ck_assert_uint_eq(guest.size, 19);
    file_put(file);
}
END_TEST

START_TEST(what_is_written_is_there_for_the_host)
{
    char data[64] = {0};
    size_t done;
    struct file *file = open_file("/host/new", OPEN_READ_WRITE | OPEN_CREATE | OPEN_EXCLUSIVE);
    ck_assert_int_eq(file_write(file, "abcdef", 6, &done), 0);
    ck_assert_uint_eq(done, 6);
    ck_assert_int_eq(file_write_at(file, 2, "XY", 2, &done), 0);
    ck_assert_int_eq(file_read_at(file, 0, data, sizeof data, &done), 0);
    ck_assert_str_eq(data, "abXYef");
    uint64_t offset;
    ck_assert_int_eq(file_seek(file, -1, SEEK_FROM_CURRENT, &offset), 0);
    ck_assert_uint_eq(offset, 5);
    ck_assert_int_eq(file_truncate(file, 4), 0);
    file_put(file);
    struct stat host;
    ck_assert_int_eq(stat(host_path("new"), &host), 0);
    ck_assert_int_eq(host.st_size, 4);
    ck_assert_uint_eq(host.st_mode & 07777, 0644);
    ck_assert_int_eq(open_error("/host/new", OPEN_CREATE | OPEN_EXCLUSIVE), -EEXIST);

    file = open_file("/host/new", OPEN_WRITE_ONLY | OPEN_APPEND);
    ck_assert_int_eq(file_write(file, "123", 3, &done), 0);
    ck_assert_int_eq(file_seek(file, 0, SEEK_FROM_CURRENT, &offset), 0);
    ck_assert_uint_eq(offset, 7);
    ck_assert_int_eq(file_read(file, data, 1, &done), -EBADF);
    file_put(file);
    file = open_file("/host/new", OPEN_WRITE_ONLY | OPEN_TRUNCATE);
    file_put(file);
    ck_assert_int_eq(stat(host_path("new"), &host), 0);
    ck_assert_int_eq(host.st_size, 0);
}
END_TEST

START_TEST(large_transfers_arrive_whole)
{
    enum { SIZE = 300000 };
    char *direct = NULL;
    char *data = malloc(SIZE);
    char *back = malloc(SIZE);
    size_t done;
    for (size_t i = 0; i < SIZE; ++i) {
        data[i] = (char)(i * 7 + i / 256);
    }
    struct file *file = open_file("/host/large", OPEN_READ_WRITE | OPEN_CREATE);
    ck_assert_int_eq(file_write(file, data, SIZE, &done), 0);
    ck_assert_uint_eq(done, SIZE);
    ck_assert_int_eq(file_read_at(file, 1, back, SIZE, &done), 0);
    ck_assert_uint_eq(done, SIZE - 1);
    ck_assert_int_eq(memcmp(data + 1, back, SIZE - 1), 0);
    struct vm_pager *pager;
    ck_assert_int_eq(file_pager(file, &pager), 0);
    file_put(file);
    (void)direct;
    ck_assert_int_eq(pager->read(pager, 299008, back, 4096), 0);
    ck_assert_int_eq(memcmp(data + 299008, back, SIZE - 299008), 0);
    ck_assert_int_eq(back[SIZE - 299008], 0);
    ck_assert_str_eq(pager->name(pager), "/host/large");
    pager->put(pager);
    free(data);
    free(back);
}
END_TEST

START_TEST(names_are_made_moved_and_removed)
{
    char text[64] = {0};
    size_t length;
    struct file_status status;
    vfs_umask_set(027);
    ck_assert_int_eq(vfs_make_directory(NULL, "/host/d1/", 0777), 0);
    ck_assert_int_eq(vfs_status(NULL, "/host/d1", 0, &status), 0);
    ck_assert_uint_eq(status.mode, MODE_DIRECTORY | 0750);
    vfs_umask_set(022);
    ck_assert_int_eq(vfs_make_directory(NULL, "/host/d1", 0777), -EEXIST);
    ck_assert_int_eq(vfs_symlink("some text", NULL, "/host/d1/s"), 0);
    ck_assert_int_eq(vfs_read_link(NULL, "/host/d1/s", text, sizeof text, &length), 0);
    ck_assert_uint_eq(length, 9);
    ck_assert_str_eq(text, "some text");
    ck_assert_int_eq(vfs_link(NULL, "/host/hello", NULL, "/host/d1/hard", VFS_NO_FOLLOW), 0);
    ck_assert_int_eq(vfs_status(NULL, "/host/hello", 0, &status), 0);
    ck_assert_uint_eq(status.link_count, 2);
    ck_assert_int_eq(vfs_rename(NULL, "/host/d1/hard", NULL, "/host/moved", 0), 0);
    ck_assert_int_eq(vfs_rename(NULL, "/host/moved", NULL, "/host/hello2", VFS_NO_REPLACE), 0);
    ck_assert_int_eq(vfs_rename(NULL, "/host/hello2", NULL, "/host/dir/inner", VFS_NO_REPLACE),
                     -EEXIST);
    ck_assert_int_eq(vfs_rename(NULL, "/host/d1", NULL, "/host/d1/x", 0), -EINVAL);
    ck_assert_int_eq(vfs_rename(NULL, "/host/hello2", NULL, "/tmp/x", 0), -EXDEV);
    ck_assert_int_eq(vfs_remove(NULL, "/host/hello2", VFS_REMOVE_DIRECTORY), -ENOTDIR);
    ck_assert_int_eq(vfs_remove(NULL, "/host/d1", VFS_REMOVE_DIRECTORY), -ENOTEMPTY);
    ck_assert_int_eq(vfs_remove(NULL, "/host/d1", 0), -EISDIR);
    ck_assert_int_eq(vfs_remove(NULL, "/host", VFS_REMOVE_DIRECTORY), -EBUSY);
    ck_assert_int_eq(vfs_remove(NULL, "/host/hello2", 0), 0);
    ck_assert_int_eq(vfs_remove(NULL, "/host/d1/s", 0), 0);
    ck_assert_int_eq(vfs_remove(NULL, "/host/d1", VFS_REMOVE_DIRECTORY), 0);
    ck_assert_int_eq(access(host_path("d1"), F_OK), -1);
    struct file_time times[2] = {{12345, 678}, {23456, 789}};
    ck_assert_int_eq(vfs_change_times(NULL, "/host/hello", times, 0), 0);
    ck_assert_int_eq(vfs_change_mode(NULL, "/host/hello", 0600, 0), 0);
    struct stat host;
    ck_assert_int_eq(stat(host_path("hello"), &host), 0);
    ck_assert_int_eq(host.st_mtim.tv_sec, 23456);
    ck_assert_int_eq(host.st_atim.tv_nsec, 678);
    ck_assert_uint_eq(host.st_mode & 0777, 0600);
    ck_assert_int_eq(vfs_access(NULL, "/host/hello", 6, 0), 0);
    ck_assert_int_eq(vfs_access(NULL, "/host/hello", 1, 0), -EACCES);
    ck_assert_int_eq(vfs_truncate("/host/hello", 3), 0);
    read_check("/host/hello", "hel");
}
END_TEST

START_TEST(a_read_only_mount_says_so)
{
    ck_assert_int_eq(open_error("/a/b/ro/hello", OPEN_READ_WRITE), -EROFS);
    ck_assert_int_eq(open_error("/a/b/ro/hello", OPEN_READ_ONLY | OPEN_TRUNCATE), -EROFS);
    ck_assert_int_eq(open_error("/a/b/ro/none", OPEN_WRITE_ONLY | OPEN_CREATE), -EROFS);
    ck_assert_int_eq(vfs_make_directory(NULL, "/a/b/ro/none", 0777), -EROFS);
    ck_assert_int_eq(vfs_make_directory(NULL, "/a/b/ro/dir", 0777), -EEXIST);
    ck_assert_int_eq(vfs_remove(NULL, "/a/b/ro/hello", 0), -EROFS);
    ck_assert_int_eq(vfs_rename(NULL, "/a/b/ro/hello", NULL, "/a/b/ro/x", 0), -EROFS);
    ck_assert_int_eq(vfs_access(NULL, "/a/b/ro/hello", 2, 0), -EROFS);
    ck_assert_int_eq(vfs_access(NULL, "/a/b/ro/hello", 4, 0), 0);
    ck_assert_int_eq(vfs_truncate("/a/b/ro/hello", 0), -EROFS);
    ck_assert_int_eq(vfs_change_mode(NULL, "/a/b/ro/hello", 0, 0), -EROFS);
}
END_TEST

// How many requests stat of the path takes, and that its size is this; -1: there is no such file.
static size_t status_requests(const char *path, int64_t size)
{
    struct file_status status;
    size_t before = host_request_count;
    int error = vfs_status(NULL, path, 0, &status);
    ck_assert_int_eq(error, size < 0 ? -ENOENT : 0);
    ck_assert(error != 0 || status.size == (uint64_t)size);
    return host_request_count - before;
}

enum { SECOND = 1000000000 };

START_TEST(names_of_a_read_only_mount_hold_for_a_second)
{
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/inner", 5), 2);
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/inner", 5), 0);
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/none", -1), 1);
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/none", -1), 0);
    host_rename("dir/inner", "dir/none");
    unit_clock_ns += SECOND - 1;
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/inner", 5), 0);
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/none", -1), 0);
    unit_clock_ns += 1;
    status_requests("/a/b/ro/dir/inner", -1);
    status_requests("/a/b/ro/dir/none", 5);
}
END_TEST

struct shrinking {
    size_t wanted, freed;
};

static void shrinker_visit(struct shrinker *shrinker, void *argument)
{
    struct shrinking *shrinking = argument;
    if (strcmp(shrinker->name, "names of files") == 0) {
        shrinking->freed += shrinker->shrink(shrinker, shrinking->wanted, false);
    }
}

START_TEST(names_go_when_memory_is_scarce)
{
    struct shrinking little = {.wanted = 1}, all = {.wanted = SIZE_MAX}, none = all;
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/inner", 5), 2);
    ck_assert_uint_eq(status_requests("/a/b/ro/hello", 13), 1);
    const size_t held = host_block_count();
    shrinker_walk(shrinker_visit, &little);
    ck_assert_uint_gt(little.freed, 0);
    ck_assert_uint_lt(host_block_count(), held);
    ck_assert_uint_gt(host_block_count(), held - 5); // one of three, and what it held
    shrinker_walk(shrinker_visit, &all);
    ck_assert_uint_eq(all.freed, 2 * little.freed);
    shrinker_walk(shrinker_visit, &none);
    ck_assert_uint_eq(none.freed, 0);
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/inner", 5), 2);
    ck_assert_uint_eq(status_requests("/a/b/ro/dir/inner", 5), 0);
}
END_TEST

START_TEST(attributes_of_a_read_only_mount_hold_for_a_second)
{
    ck_assert_uint_eq(status_requests("/a/b/ro/hello", 13), 1);
    host_write_file("hello", "more than that it said\n");
    struct file *file = open_file("/a/b/ro/hello", OPEN_READ_ONLY);
    read_check("/a/b/ro/hello", "more than that it said\n"); // what is read is never old
    ck_assert_uint_eq(status_requests("/a/b/ro/hello", 13), 0);
    unit_clock_ns += SECOND;
    struct file_status status;
    ck_assert_int_eq(file_status(file, &status), 0);
    ck_assert_uint_eq(status.size, 23);
    file_put(file);
    status_requests("/a/b/ro/hello", 23);
}
END_TEST

START_TEST(names_of_a_writable_mount_do_not_hold)
{
    status_requests("/host/dir/inner", 5);
    status_requests("/host/dir/none", -1);
    host_rename("dir/inner", "dir/none");
    status_requests("/host/dir/inner", -1);
    status_requests("/host/dir/none", 5);
}
END_TEST

START_TEST(what_the_program_changes_is_seen_everywhere_at_once)
{
    status_requests("/a/b/ro/dir/inner", 5);
    status_requests("/a/b/ro/dir/made", -1);
    ck_assert_int_eq(vfs_rename(NULL, "/host/dir/inner", NULL, "/host/dir/made", 0), 0);
    status_requests("/a/b/ro/dir/inner", -1);
    status_requests("/a/b/ro/dir/made", 5);
    ck_assert_int_eq(vfs_remove(NULL, "/host/dir/made", 0), 0);
    status_requests("/a/b/ro/dir/made", -1);
    ck_assert_int_eq(vfs_make_directory(NULL, "/host/dir/made", 0755), 0);
    struct file_status status;
    ck_assert_int_eq(vfs_status(NULL, "/a/b/ro/dir/made", 0, &status), 0);
}
END_TEST

// More names than there is room for, again and again: each answer is the host's, and what is held
// open does not grow.
START_TEST(there_is_room_for_so_many_names)
{
    enum { MANY = 2000 };
    int ends[2];
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < MANY; ++i) {
            char name[32], path[64];
            snprintf(name, sizeof name, "many%d", i);
            if (round == 0 && i % 2 == 0) {
                host_write_file(name, "text");
            }
            snprintf(path, sizeof path, "/a/b/ro/%s", name);
            status_requests(path, i % 2 == 0 ? 4 : -1);
        }
        ends[round] = dup(0);
        close(ends[round]);
    }
    ck_assert_int_lt(ends[1], 600);
}
END_TEST

static bool count_visit(const struct dir_entry *entry, void *argument)
{
    int *count = argument;
    if (strncmp(entry->name, "file", 4) == 0) {
        ck_assert_uint_eq(entry->type, MODE_FILE >> 12);
        ++*count;
    }
    return true;
}

static bool few_visit(const struct dir_entry *entry, void *argument)
{
    int *left = argument;
    (void)entry;
    return --*left >= 0;
}

START_TEST(a_listing_has_each_name_once)
{
    for (int i = 0; i < 1000; ++i) {
        char name[32];
        snprintf(name, sizeof name, "dir/file%d", i);
        host_write_file(name, "");
    }
    int count = 0;
    struct file *file = open_file("/host/dir", OPEN_READ_ONLY | OPEN_DIRECTORY);
    ck_assert_int_eq(file_read_directory(file, count_visit, &count), 0);
    ck_assert_int_eq(count, 1000);
    uint64_t offset;
    ck_assert_int_eq(file_seek(file, 0, SEEK_FROM_START, &offset), 0);
    int total = 0;
    for (int left = 7;; left = 7) {
        ck_assert_int_eq(file_read_directory(file, few_visit, &left), 0);
        if (left >= 0) {
            total += 7 - left;
            break;
        }
        total += 7;
    }
    ck_assert_int_eq(total, 1003); // . .. inner
    file_put(file);
}
END_TEST

START_TEST(nothing_is_left_open)
{
    char path[64];
    int before = dup(0);
    close(before);
    size_t blocks = host_block_count();
    for (int i = 0; i < 50; ++i) {
        read_check("/host/link", "inner");
        struct file_status status;
        snprintf(path, sizeof path, "/host/dir/none%d", i);
        ck_assert_int_eq(vfs_status(NULL, path, 0, &status), -ENOENT);
    }
    ck_assert_uint_eq(host_block_count(), blocks);
    int after = dup(0);
    close(after);
    ck_assert_int_eq(before, after);
}
END_TEST

// ---- Streams: descriptors 0 and 1 are pipes here ----

static int stream_writer, stream_reader;
static struct file *streams[3];

static void streams_start(void)
{
    int in[2], out[2];
    ck_assert_int_eq(pipe(in), 0);
    ck_assert_int_eq(pipe(out), 0);
    dup2(in[0], 0);
    dup2(out[1], 1);
    stream_writer = in[1];
    stream_reader = out[0];
    close(in[0]);
    close(out[1]);
    start();
    ck_assert_int_eq(vfs_standard_streams("std", streams), 0);
}

static void feed(void)
{
    ck_assert(host_worker_has_work() || host_is_interrupted);
    ck_assert_int_eq(write(stream_writer, "fed", 3), 3);
    while (host_worker_run()) {
    }
}

START_TEST(a_stream_waits_for_its_input)
{
    char data[16] = {0};
    size_t done = 0;
    ck_assert_int_eq(write(stream_writer, "there", 5), 5);
    ck_assert_int_eq(file_read(streams[0], data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 5);
    host_sleep_hook = feed;
    ck_assert_int_eq(file_read(streams[0], data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 3);
    ck_assert_int_eq(memcmp(data, "fed", 3), 0);
    atomic_store(&streams[0]->flags, OPEN_READ_ONLY | OPEN_NONBLOCK);
    ck_assert_int_eq(file_read(streams[0], data, sizeof data, &done), -EAGAIN);
    atomic_store(&streams[0]->flags, OPEN_READ_ONLY);
    host_is_interrupted = true;
    ck_assert_int_eq(file_read(streams[0], data, sizeof data, &done), -EINTR);
    host_is_interrupted = false;
    uint64_t offset;
    ck_assert_int_eq(file_seek(streams[0], 0, SEEK_FROM_CURRENT, &offset), -ESPIPE);
    ck_assert_int_eq(file_read_at(streams[0], 0, data, 1, &done), -ESPIPE);
    ck_assert_int_eq(file_write(streams[0], data, 1, &done), -EBADF);
    int value;
    ck_assert_int_eq(file_control(streams[0], 0x5401, &value), -ENOTTY);
    close(stream_writer);
    ck_assert_int_eq(file_read(streams[0], data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 0);
}
END_TEST

static char drained[300000];
static size_t drained_size;

static void drain(void)
{
    ssize_t got = read(stream_reader, drained + drained_size, sizeof drained - drained_size);
    ck_assert_int_gt(got, 0);
    drained_size += (size_t)got;
    while (host_worker_has_work() && host_worker_run()) {
    }
}

START_TEST(a_stream_writes_all_as_its_reader_takes_it)
{
    enum { SIZE = 200000 };
    char *data = malloc(SIZE);
    for (size_t i = 0; i < SIZE; ++i) {
        data[i] = (char)(i * 13 + i / 200);
    }
    host_sleep_hook = drain;
    size_t done = 0;
    ck_assert_int_eq(file_write(streams[1], data, SIZE, &done), 0);
    ck_assert_uint_eq(done, SIZE);
    while (drained_size < SIZE) {
        drain();
    }
    ck_assert_int_eq(memcmp(data, drained, SIZE), 0);
    close(stream_reader);
    ck_assert_int_eq(file_write(streams[1], data, 1, &done), -EPIPE);
    free(data);
}
END_TEST

START_TEST(poll_waits_for_a_stream)
{
    struct poll_item items[2] = {{.file = streams[0], .wanted = POLL_IN},
                                 {.file = streams[1], .wanted = POLL_OUT}};
    ck_assert_int_eq(poll_wait(items, 2, 0), 1);
    ck_assert_uint_eq(items[0].ready, 0);
    ck_assert_uint_eq(items[1].ready, POLL_OUT);
    ck_assert_int_eq(poll_wait(items, 1, hal_clock_ns() + 1000), 0);
    host_sleep_hook = feed;
    ck_assert_int_eq(poll_wait(items, 1, UINT64_MAX), 1);
    ck_assert_uint_eq(items[0].ready, POLL_IN);
}
END_TEST

// How many requests as many reads of three bytes are.
static size_t requests_of_reads(struct file *file, int count, const char *last)
{
    char data[4] = {0};
    size_t done, before = host_request_count;
    for (int i = 0; i < count; ++i) {
        memset(data, 0, sizeof data);
        ck_assert_int_eq(file_read_at(file, (uint64_t)i * 3, data, 3, &done), 0);
        ck_assert_uint_eq(done, strlen(data));
    }
    ck_assert_str_eq(data, last);
    return host_request_count - before;
}

START_TEST(reads_of_a_read_only_mount_are_ahead_where_requests_cost)
{
    struct file *file = open_file("/a/b/ro/hello", OPEN_READ_ONLY);
    ck_assert_uint_eq(requests_of_reads(file, 5, "\n"), host_far_is_plain ? 1 : 5);
    ck_assert_uint_eq(requests_of_reads(file, 10, ""), host_far_is_plain ? 0 : 10);
    host_write_file("hello", "another world, longer\n");
    unit_clock_ns += 1000000000;
    ck_assert_uint_eq(requests_of_reads(file, 6, "lon"), host_far_is_plain ? 1 : 6);
    struct file *same = open_file("/host/hello", OPEN_READ_WRITE); // what we write is seen at once
    size_t done;
    ck_assert_int_eq(file_write_at(same, 15, "abc", 3, &done), 0);
    ck_assert_uint_eq(requests_of_reads(file, 6, "abc"), host_far_is_plain ? 1 : 6);
    ck_assert_int_eq(file_truncate(same, 16), 0);
    ck_assert_uint_eq(requests_of_reads(file, 6, "a"), host_far_is_plain ? 1 : 6);
    file_put(same);
    char data[20000];
    ck_assert_int_eq(file_read_at(file, 0, data, sizeof data, &done),
                     0); // large ones are not kept,
    ck_assert_uint_eq(done, 16);
    size_t before = host_request_count;
    ck_assert_int_eq(file_read_at(file, 16, data, sizeof data, &done), 0); // but where they end
    ck_assert_uint_eq(done, 0);
    ck_assert_uint_eq(host_request_count - before, host_far_is_plain ? 0 : 1);
    file_put(file);
}
END_TEST

static void work(void)
{
    while (host_worker_run()) {
    }
}

START_TEST(a_fifo_is_opened_where_the_far_end_can_wait)
{
    host_sleep_hook = work; // opening one may block
    ck_assert_int_eq(mkfifo(host_path("fifo"), 0600), 0);
    ck_assert_int_eq(open_error("/host/fifo", OPEN_READ_WRITE), host_far_is_plain ? -ENXIO : 0);
}
END_TEST

// ---- Pages of mapped files, where the device has no shared memory ----

static char *page_of(struct vm_pager *pager, uint64_t offset)
{
    struct vm_frames found = {0, 0};
    ck_assert_int_eq(pager->prepare(pager, offset, 4096), 0);
    int error = pager->find(pager, offset, 4096, true, &found);
    return error == 0 ? (char *)found.start : NULL;
}

START_TEST(pages_of_a_mapped_file_are_one_with_it)
{
    host_sleep_hook = work;
    char data[8] = {0};
    size_t done;
    struct stat host;
    struct vm_pager *shared, *other;
    struct file *file = open_file("/host/mapped", OPEN_READ_WRITE | OPEN_CREATE);
    ck_assert_int_eq(file_truncate(file, 300000), 0);
    ck_assert_int_eq(file_pager(file, &shared), 0);
    ck_assert_int_eq(shared->claim(shared), 0);
    ck_assert_int_eq(file_pager(file, &other), 0);
    char *page = page_of(shared, 8192);
    ck_assert_ptr_nonnull(page);
    ck_assert_ptr_eq(page_of(other, 8192), page);
    size_t before = host_request_count;
    ck_assert_ptr_eq(page_of(shared, 65536), page + 65536 - 8192); // came with it
    ck_assert_uint_eq(host_request_count, before);

    ck_assert_int_eq(file_write_at(file, 8190, "abcd", 4, &done), 0);
    ck_assert_int_eq(memcmp(page, "cd", 2), 0);
    memcpy(page + 10, "mapped", 6);
    ck_assert_int_eq(file_write_at(file, 8194, "ef", 2, &done), 0); // beside what is not there yet
    ck_assert_int_eq(file_read_at(file, 8202, data, 6, &done), 0);
    ck_assert_str_eq(data, "mapped");
    page[20] = 'x';
    ck_assert_int_eq(shared->sync(shared), 0);
    host_read_check("mapped", 8192 + 20, "x");

    page[30] = 'y';
    ck_assert_int_eq(file_truncate(file, 8192 + 40), 0); // it moves into a page that is new
    host_read_check("mapped", 8192 + 30, "y");
    ck_assert_int_eq(file_truncate(file, 300000), 0);
    page = page_of(shared, 8192);
    ck_assert(page[30] == 'y' && page[39] == 0 && page[40] == 0);
    ck_assert_ptr_null(page_of(shared, 1 << 20));
    page[50] = 'z';
    shared->put(shared); // the last that may have been written
    host_read_check("mapped", 8192 + 50, "z");
    host_write_file("mapped", "others");
    other->put(other);
    file_put(file);
    ck_assert_int_eq(stat(host_path("mapped"), &host), 0);
    ck_assert_int_eq(host.st_size, 6);
    ck_assert_uint_eq(host_frame_count(), frames_before);
}
END_TEST

static TCase *case_new(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, setup, stop);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    return tests;
}

static void case_files(Suite *suite, const char *name, void (*setup)(void))
{
    TCase *files = case_new(suite, name, setup);
    tcase_add_test(files, files_are_read_and_links_are_followed_in_the_guest);
    tcase_add_test(files, attributes_are_the_hosts);
    tcase_add_test(files, what_is_written_is_there_for_the_host);
    tcase_add_test(files, large_transfers_arrive_whole);
    tcase_add_test(files, names_are_made_moved_and_removed);
    tcase_add_test(files, a_read_only_mount_says_so);
    tcase_add_test(files, names_of_a_read_only_mount_hold_for_a_second);
    tcase_add_test(files, names_go_when_memory_is_scarce);
    tcase_add_test(files, attributes_of_a_read_only_mount_hold_for_a_second);
    tcase_add_test(files, names_of_a_writable_mount_do_not_hold);
    tcase_add_test(files, what_the_program_changes_is_seen_everywhere_at_once);
    tcase_add_test(files, there_is_room_for_so_many_names);
    tcase_add_test(files, a_listing_has_each_name_once);
    tcase_add_test(files, nothing_is_left_open);
    tcase_add_test(files, reads_of_a_read_only_mount_are_ahead_where_requests_cost);
    tcase_add_test(files, a_fifo_is_opened_where_the_far_end_can_wait);
    tcase_add_test(files, pages_of_a_mapped_file_are_one_with_it);
}

int main(void)
{
    Suite *suite = suite_create("hostfs");
    case_files(suite, "files", start);
    case_files(suite, "files of a plain far end", start_plain);
    TCase *pipes = case_new(suite, "streams", streams_start);
    tcase_add_test(pipes, a_stream_waits_for_its_input);
    tcase_add_test(pipes, a_stream_writes_all_as_its_reader_takes_it);
    tcase_add_test(pipes, poll_waits_for_a_stream);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
