// SPDX-License-Identifier: BSD-3-Clause
// vfs_test.c: paths, the file system in memory, devices and procfs answer as Linux does, also when
// memory ends.
#include "core/vfs/vfs.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/lib/list.h"
#include "core/vfs/fdtable.h"
#include "core/vfs/file.h"
#include "core/vm/vm.h"
#include "hal/unit_hal.h"
#include "vfs_host.h"

static void start(void)
{
    unit_clock_ns = 1000000000;
    vfs_init();
    ck_assert_int_eq(vfs_change_directory(NULL, "/tmp"), 0);
}

static struct file *open_file(const char *path, uint32_t flags)
{
    struct file *file = NULL;
    ck_assert_int_eq(vfs_open(NULL, path, flags, 0666, &file), 0);
    ck_assert_ptr_nonnull(file);
    return file;
}

static int open_error(const char *path, uint32_t flags)
{
    struct file *file = NULL;
    int error = vfs_open(NULL, path, flags, 0666, &file);
    if (error == 0) {
        file_put(file);
    }
    return error;
}

static void make_file(const char *path, const char *text)
{
    size_t done = 0;
    struct file *file = open_file(path, OPEN_WRITE_ONLY | OPEN_CREATE | OPEN_TRUNCATE);
    ck_assert_int_eq(file_write(file, text, strlen(text), &done), 0);
    ck_assert_uint_eq(done, strlen(text));
    file_put(file);
}

static const char *text_of(const char *path)
{
    static char text[8192];
    size_t done = 0;
    struct file *file = open_file(path, OPEN_READ_ONLY);
    ck_assert_int_eq(file_read(file, text, sizeof text - 1, &done), 0);
    text[done] = 0;
    file_put(file);
    return text;
}

static struct file_status status_of(const char *path)
{
    struct file_status status;
    ck_assert_int_eq(vfs_status(NULL, path, VFS_NO_FOLLOW, &status), 0);
    return status;
}

static int status_error(const char *path, unsigned flags)
{
    struct file_status status;
    return vfs_status(NULL, path, flags, &status);
}

// ---- Paths ----

START_TEST(paths_resolve_as_posix_has_it)
{
    ck_assert_int_eq(vfs_make_directory(NULL, "a", 0777), 0);
    ck_assert_int_eq(vfs_make_directory(NULL, "a/b/", 0777), 0);
    make_file("a/b/file", "text");
    ck_assert_str_eq(text_of("/tmp/a/b/file"), "text");
    ck_assert_str_eq(text_of("//tmp/./a//b/../b/file"), "text");
    ck_assert_str_eq(text_of("../../../tmp/a/b/file"), "text");
    ck_assert_int_eq(status_error("", 0), -ENOENT);
    ck_assert_int_eq(status_error("a/b/file/", 0), -ENOTDIR);
    ck_assert_int_eq(status_error("a/b/file/.", 0), -ENOTDIR);
    ck_assert_int_eq(status_error("a/b/file/..", 0), -ENOTDIR);
    ck_assert_int_eq(status_error("a/none/..", 0), -ENOENT);
    ck_assert_int_eq(status_error("a/b/", 0), 0);
    ck_assert_int_eq(status_error("/", 0), 0);
    ck_assert_uint_eq(status_of("/..").inode, status_of("/").inode);
    struct file *base = open_file("a", OPEN_READ_ONLY | OPEN_DIRECTORY);
    struct file_status status;
    ck_assert_int_eq(vfs_status(base, "b/file", 0, &status), 0);
    ck_assert_int_eq(vfs_status(base, "", VFS_EMPTY_PATH, &status), 0);
    ck_assert_uint_eq(status.inode, status_of("a").inode);
    ck_assert_int_eq(vfs_status(base, "../a/b", 0, &status), 0);
    file_put(base);
    base = open_file("a/b/file", OPEN_READ_ONLY);
    ck_assert_int_eq(vfs_status(base, "x", 0, &status), -ENOTDIR);
    ck_assert_int_eq(vfs_status(base, "/tmp", 0, &status), 0);
    file_put(base);
}
END_TEST

START_TEST(lengths_have_limits)
{
    static char path[8192];
    memset(path, 'x', 255);
    ck_assert_int_eq(status_error(path, 0), -ENOENT);
    path[255] = 'x';
    ck_assert_int_eq(status_error(path, 0), -ENAMETOOLONG);
    memset(path, '/', 4095);
    ck_assert_int_eq(status_error(path, 0), 0);
    path[4095] = '/';
    ck_assert_int_eq(status_error(path, 0), -ENAMETOOLONG);
}
END_TEST

START_TEST(links_are_followed)
{
    size_t length;
    char text[16];
    make_file("file", "text");
    ck_assert_int_eq(vfs_make_directory(NULL, "dir", 0777), 0);
    ck_assert_int_eq(vfs_symlink("file", NULL, "l1"), 0);
    ck_assert_int_eq(vfs_symlink("/tmp/l1", NULL, "dir/l2"), 0);
    ck_assert_int_eq(vfs_symlink("dir/", NULL, "ld"), 0);
    ck_assert_int_eq(vfs_symlink("loop2", NULL, "loop1"), 0);
    ck_assert_int_eq(vfs_symlink("loop1", NULL, "loop2"), 0);
    ck_assert_int_eq(vfs_symlink("missing", NULL, "dangling"), 0);
    ck_assert_int_eq(vfs_symlink("", NULL, "empty"), -ENOENT);
    ck_assert_str_eq(text_of("ld/l2"), "text");
    ck_assert_int_eq(status_error("loop1", 0), -ELOOP);
    ck_assert_int_eq(status_error("loop1", VFS_NO_FOLLOW), 0);
    ck_assert_int_eq(status_error("loop1/x", VFS_NO_FOLLOW), -ELOOP);
    ck_assert_int_eq(status_error("dangling", 0), -ENOENT);
    ck_assert_int_eq(status_error("l1/", VFS_NO_FOLLOW), -ENOTDIR);
    ck_assert_uint_eq(status_of("ld/").mode & MODE_TYPE, MODE_DIRECTORY);
    ck_assert_uint_eq(status_of("ld").size, 4);
    ck_assert_int_eq(vfs_read_link(NULL, "ld", text, 2, &length), 0);
    ck_assert_uint_eq(length, 2);
    ck_assert_int_eq(vfs_read_link(NULL, "file", text, 2, &length), -EINVAL);
    ck_assert_int_eq(open_error("l1", OPEN_READ_ONLY | OPEN_NO_FOLLOW), -ELOOP);
    ck_assert_int_eq(open_error("l1", OPEN_CREATE | OPEN_EXCLUSIVE), -EEXIST);
    ck_assert_int_eq(open_error("dangling", OPEN_WRITE_ONLY | OPEN_CREATE), 0); // makes its target
    ck_assert_int_eq(status_error("missing", 0), 0);
    ck_assert_int_eq(vfs_symlink("none/x", NULL, "deep"), 0);
    ck_assert_int_eq(open_error("deep", OPEN_WRITE_ONLY | OPEN_CREATE), -ENOENT);
}
END_TEST

START_TEST(forty_links_are_the_limit)
{
    char name[16], target[16];
    make_file("l0", "end");
    for (int i = 1; i <= 41; ++i) {
        snprintf(name, sizeof name, "l%d", i);
        snprintf(target, sizeof target, "l%d", i - 1);
        ck_assert_int_eq(vfs_symlink(target, NULL, name), 0);
    }
    ck_assert_int_eq(status_error("l40", 0), 0);
    ck_assert_int_eq(status_error("l41", 0), -ELOOP);
}
END_TEST

START_TEST(the_current_directory_has_a_path)
{
    char path[64];
    size_t length;
    ck_assert_int_eq(vfs_make_directory(NULL, "a", 0777), 0);
    ck_assert_int_eq(vfs_symlink("a", NULL, "l"), 0);
    ck_assert_int_eq(vfs_change_directory(NULL, "l"), 0);
    ck_assert_int_eq(vfs_current_directory(path, sizeof path, &length), 0);
    ck_assert_str_eq(path, "/tmp/a");
    ck_assert_uint_eq(length, 7);
    ck_assert_int_eq(vfs_current_directory(path, 6, &length), -ERANGE);
    ck_assert_int_eq(vfs_change_directory(NULL, "../../dev/shm/.."), 0);
    ck_assert_int_eq(vfs_current_directory(path, sizeof path, &length), 0);
    ck_assert_str_eq(path, "/dev");
    ck_assert_int_eq(vfs_change_directory(NULL, "null"), -ENOTDIR);
    struct file *base = open_file("/tmp", OPEN_READ_ONLY);
    ck_assert_int_eq(vfs_change_directory(base, ""), 0);
    file_put(base);
    ck_assert_int_eq(vfs_current_directory(path, sizeof path, &length), 0);
    ck_assert_str_eq(path, "/tmp");
    ck_assert_int_eq(vfs_change_directory(NULL, "/"), 0);
    ck_assert_int_eq(vfs_current_directory(path, sizeof path, &length), 0);
    ck_assert_str_eq(path, "/");
    ck_assert_uint_eq(length, 2);
}
END_TEST

START_TEST(open_says_what_is_wrong)
{
    make_file("file", "");
    ck_assert_int_eq(open_error(".", OPEN_READ_WRITE), -EISDIR);
    ck_assert_int_eq(open_error(".", OPEN_READ_ONLY | OPEN_CREATE), -EISDIR);
    ck_assert_int_eq(open_error("new/", OPEN_WRITE_ONLY | OPEN_CREATE), -EISDIR);
    ck_assert_int_eq(open_error("none/new", OPEN_WRITE_ONLY | OPEN_CREATE), -ENOENT);
    ck_assert_int_eq(open_error("file/new", OPEN_WRITE_ONLY | OPEN_CREATE), -ENOTDIR);
    ck_assert_int_eq(open_error("file", OPEN_READ_ONLY | OPEN_DIRECTORY), -ENOTDIR);
    ck_assert_int_eq(open_error("file", OPEN_CREATE | OPEN_EXCLUSIVE), -EEXIST);
    ck_assert_int_eq(open_error("/proc/none", OPEN_WRITE_ONLY | OPEN_CREATE), -EACCES);
    vfs_umask_set(0);
    vfs_owner_set(1000, 1000);
    struct file *file;
    ck_assert_int_eq(vfs_open(NULL, "mine", OPEN_READ_WRITE | OPEN_CREATE, 0400, &file), 0);
    file_put(file); // made and open for writing whatever its mode
    ck_assert_int_eq(open_error("mine", OPEN_READ_ONLY), 0);
    ck_assert_int_eq(open_error("mine", OPEN_WRITE_ONLY), -EACCES);
    ck_assert_int_eq(vfs_change_mode(NULL, "/dev", 0755, 0), -EPERM);
    ck_assert_int_eq(open_error("/dev/new", OPEN_WRITE_ONLY | OPEN_CREATE), -EACCES);
    ck_assert_int_eq(vfs_make_directory(NULL, "closed", 0), 0);
    ck_assert_int_eq(status_error("closed/x", 0), -EACCES);
    ck_assert_int_eq(vfs_access(NULL, "mine", 4, 0), 0);
    ck_assert_int_eq(vfs_access(NULL, "mine", 2, 0), -EACCES);
}
END_TEST

// ---- Files in memory ----

START_TEST(files_may_have_holes)
{
    char data[10000];
    size_t done;
    struct file *file = open_file("sparse", OPEN_READ_WRITE | OPEN_CREATE);
    ck_assert_int_eq(file_write_at(file, 1000000, "end", 3, &done), 0);
    struct file_status status = status_of("sparse");
    ck_assert_uint_eq(status.size, 1000003);
    ck_assert_uint_eq(status.block_count, 8);
    memset(data, 1, sizeof data);
    ck_assert_int_eq(file_read_at(file, 995000, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 5003);
    ck_assert_int_eq(data[0], 0);
    ck_assert_int_eq(memcmp(data + 5000, "end", 3), 0);
    ck_assert_int_eq(file_truncate(file, 1000001), 0);
    ck_assert_int_eq(file_truncate(file, 1000010), 0);
    ck_assert_int_eq(file_read_at(file, 1000000, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, 10);
    ck_assert_int_eq(memcmp(data, "e\0\0\0\0\0\0\0\0\0", 10), 0);
    ck_assert_int_eq(file_truncate(file, 0), 0);
    ck_assert_uint_eq(status_of("sparse").block_count, 0);
    ck_assert_int_eq(file_write_at(file, UINT64_C(1) << 50, "x", 1, &done), -EFBIG);
    file_put(file);
}
END_TEST

START_TEST(offsets_move)
{
    char data[8] = {0};
    size_t done;
    uint64_t offset;
    struct file *file = open_file("f", OPEN_READ_WRITE | OPEN_CREATE);
    ck_assert_int_eq(file_write(file, "abcdef", 6, &done), 0);
    ck_assert_int_eq(file_seek(file, -2, SEEK_FROM_END, &offset), 0);
    ck_assert_uint_eq(offset, 4);
    ck_assert_int_eq(file_read(file, data, sizeof data, &done), 0);
    ck_assert_str_eq(data, "ef");
    ck_assert_int_eq(file_seek(file, -7, SEEK_FROM_CURRENT, &offset), -EINVAL);
    ck_assert_int_eq(file_seek(file, 0, (enum seek_from)9, &offset), -EINVAL);
    ck_assert_int_eq(file_seek(file, 1, SEEK_FROM_START, &offset), 0);
    struct io_vector vectors[2] = {{data, 2}, {data + 4, 3}};
    ck_assert_int_eq(file_read_vector(file, vectors, 2, &done), 0);
    ck_assert_uint_eq(done, 5);
    ck_assert_int_eq(memcmp(data, "bc", 2), 0);
    ck_assert_int_eq(memcmp(data + 4, "def", 3), 0);
    file_put(file);
    file = open_file("f", OPEN_WRITE_ONLY | OPEN_APPEND);
    struct io_vector out[2] = {{data, 1}, {data + 4, 1}};
    ck_assert_int_eq(file_write_vector(file, out, 2, &done), 0);
    ck_assert_int_eq(file_seek(file, 0, SEEK_FROM_CURRENT, &offset), 0);
    ck_assert_uint_eq(offset, 8);
    ck_assert_int_eq(file_read(file, data, 1, &done), -EBADF);
    file_put(file);
    ck_assert_str_eq(text_of("f"), "abcdefbd");
    file = open_file("f", OPEN_PATH);
    ck_assert_int_eq(file_read(file, data, 1, &done), -EBADF);
    file_put(file);
    file = open_file("/tmp", OPEN_READ_ONLY);
    ck_assert_int_eq(file_read(file, data, 1, &done), -EISDIR);
    file_put(file);
}
END_TEST

START_TEST(names_come_and_go)
{
    make_file("a", "A");
    ck_assert_int_eq(vfs_link(NULL, "a", NULL, "b", 0), 0);
    ck_assert_uint_eq(status_of("a").link_count, 2);
    ck_assert_int_eq(vfs_link(NULL, "a", NULL, "b", 0), -EEXIST);
    ck_assert_int_eq(vfs_link(NULL, "/tmp", NULL, "c", 0), -EPERM);
    ck_assert_int_eq(vfs_link(NULL, "a", NULL, "/dev/shm/a", 0), -EXDEV);
    ck_assert_int_eq(vfs_rename(NULL, "a", NULL, "b", 0), 0); // one file: both names stay
    ck_assert_int_eq(status_error("a", 0), 0);
    struct file *file = open_file("a", OPEN_READ_ONLY);
    ck_assert_int_eq(vfs_remove(NULL, "a", 0), 0);
    ck_assert_int_eq(vfs_remove(NULL, "a", 0), -ENOENT);
    ck_assert_int_eq(vfs_remove(NULL, "b/", 0), -ENOTDIR);
    ck_assert_int_eq(vfs_remove(NULL, "b", 0), 0);
    char data;
    size_t done;
    ck_assert_int_eq(file_read(file, &data, 1, &done), 0);
    ck_assert_int_eq(data, 'A'); // open files outlive their names
    struct file_status status;
    ck_assert_int_eq(file_status(file, &status), 0);
    ck_assert_uint_eq(status.link_count, 0);
    file_put(file);
    ck_assert_int_eq(vfs_make_directory(NULL, "d", 0777), 0);
    ck_assert_int_eq(vfs_make_directory(NULL, "d/e", 0777), 0);
    ck_assert_uint_eq(status_of("d").link_count, 3);
    ck_assert_int_eq(vfs_rename(NULL, "d", NULL, "d/e/f", 0), -EINVAL);
    ck_assert_int_eq(vfs_remove(NULL, "d", VFS_REMOVE_DIRECTORY), -ENOTEMPTY);
    ck_assert_int_eq(vfs_remove(NULL, "d/.", VFS_REMOVE_DIRECTORY), -EINVAL);
    ck_assert_int_eq(vfs_remove(NULL, "d/e/..", VFS_REMOVE_DIRECTORY), -ENOTEMPTY);
    ck_assert_int_eq(vfs_remove(NULL, "/tmp", VFS_REMOVE_DIRECTORY), -EBUSY);
    make_file("x", "");
    ck_assert_int_eq(vfs_rename(NULL, "x", NULL, "d", 0), -EISDIR);
    ck_assert_int_eq(vfs_rename(NULL, "d", NULL, "x", 0), -ENOTDIR);
    ck_assert_int_eq(vfs_rename(NULL, "d/e", NULL, "e/", 0), 0);
    ck_assert_uint_eq(status_of("d").link_count, 2);
    ck_assert_int_eq(vfs_rename(NULL, "e", NULL, "d", 0), 0); // replaces an empty directory
    ck_assert_int_eq(status_error("e", 0), -ENOENT);
    file = open_file("d", OPEN_READ_ONLY);
    ck_assert_int_eq(vfs_remove(NULL, "d", VFS_REMOVE_DIRECTORY), 0);
    ck_assert_int_eq(vfs_make_directory(file, "x", 0777), -ENOENT);
    file_put(file);
    ck_assert_int_eq(vfs_make_directory(NULL, "x", 0777), -EEXIST);
    ck_assert_int_eq(vfs_make_directory(NULL, "/", 0777), -EEXIST);
}
END_TEST

struct listing {
    char names[2000][24];
    int count, max;
};

static bool listing_add(const struct dir_entry *entry, void *argument)
{
    struct listing *listing = argument;
    if (listing->count == listing->max) {
        return false;
    }
    snprintf(listing->names[listing->count++], sizeof listing->names[0], "%s", entry->name);
    return true;
}

START_TEST(a_listing_survives_changes)
{
    static struct listing listing;
    char name[24];
    ck_assert_int_eq(vfs_make_directory(NULL, "many", 0777), 0);
    for (int i = 0; i < 1000; ++i) {
        snprintf(name, sizeof name, "many/n%d", i);
        make_file(name, "");
    }
    struct file *file = open_file("many", OPEN_READ_ONLY);
    listing.max = 500;
    ck_assert_int_eq(file_read_directory(file, listing_add, &listing), 0);
    ck_assert_int_eq(listing.count, 500);
    ck_assert_str_eq(listing.names[0], ".");
    ck_assert_str_eq(listing.names[1], "..");
    for (int i = 0; i < 1000; i += 2) { // half of them go, also those that were just shown
        snprintf(name, sizeof name, "many/n%d", i);
        ck_assert_int_eq(vfs_remove(NULL, name, 0), 0);
    }
    listing.max = 2000;
    ck_assert_int_eq(file_read_directory(file, listing_add, &listing), 0);
    ck_assert_int_eq(listing.count, 500 + 251);
    ck_assert_str_eq(listing.names[500], "n499");
    file_put(file);
}
END_TEST

START_TEST(attributes_change)
{
    make_file("f", "x");
    ck_assert_uint_eq(status_of("f").mode, MODE_FILE | 0644);
    ck_assert_int_eq(vfs_change_mode(NULL, "f", 04711, 0), 0);
    ck_assert_uint_eq(status_of("f").mode, MODE_FILE | 04711);
    ck_assert_int_eq(vfs_change_owner(NULL, "f", 5, UINT32_MAX, 0), 0);
    ck_assert_uint_eq(status_of("f").uid, 5);
    struct file_time times[2] = {{7, 8}, {0, 0x3ffffffe}};
    ck_assert_int_eq(vfs_change_times(NULL, "f", times, 0), 0);
    ck_assert_int_eq(status_of("f").accessed.seconds, 7);
    ck_assert_int_eq(status_of("f").modified.seconds, 1);
    ck_assert_int_eq(vfs_truncate("f", 100), 0);
    ck_assert_uint_eq(status_of("f").size, 100);
    ck_assert_int_eq(vfs_truncate("/tmp", 0), -EISDIR);
    struct file_system_status space;
    ck_assert_int_eq(vfs_file_system_status(NULL, "f", &space), 0);
    ck_assert_uint_eq(space.block_size, 4096);
    ck_assert_uint_ne(status_of("/tmp").device, status_of("/").device);
}
END_TEST

START_TEST(mapped_files_are_read_through_the_pager)
{
    static char page[4096];
    make_file("f", "content");
    struct file *file = open_file("f", OPEN_READ_ONLY);
    struct vm_pager *pager;
    ck_assert_int_eq(file_pager(file, &pager), 0);
    file_put(file);
    memset(page, 1, sizeof page);
    ck_assert_int_eq(pager->read(pager, 0, page, sizeof page), 0);
    ck_assert_str_eq(page, "content");
    ck_assert_int_eq(page[4095], 0);
    pager->get(pager);
    pager->put(pager);
    ck_assert_str_eq(pager->name(pager), "/tmp/f");
    pager->put(pager);
    file = open_file("/dev/null", OPEN_READ_WRITE);
    ck_assert_int_eq(file_pager(file, &pager), -ENODEV);
    file_put(file);
}
END_TEST

// Each allocation of an operation fails once: the answer is an error, and nothing is lost.
START_TEST(memory_may_end_anywhere)
{
    make_file("old", "x");
    size_t before = host_block_count();
    size_t frames = host_frame_count();
    for (int i = 0; i < 40; ++i) {
        host_memory_fail_after(i);
        struct file *file = NULL;
        size_t done;
        int error = vfs_open(NULL, "new", OPEN_READ_WRITE | OPEN_CREATE, 0666, &file);
        if (error == 0) {
            error = file_write(file, "data", 4, &done);
            file_put(file);
        }
        if (error == 0) {
            error = vfs_symlink("new", NULL, "link");
        }
        if (error == 0) {
            error = vfs_rename(NULL, "new", NULL, "newer", 0);
        }
        host_memory_fail_after(-1);
        ck_assert(error == 0 || error == -ENOMEM || error == -ENOSPC || error == -ENFILE);
        (void)vfs_remove(NULL, "new", 0);
        (void)vfs_remove(NULL, "newer", 0);
        (void)vfs_remove(NULL, "link", 0);
        ck_assert_uint_eq(host_block_count(), before);
        ck_assert_uint_eq(host_frame_count(), frames);
    }
    ck_assert_str_eq(text_of("old"), "x");
}
END_TEST

// ---- Devices ----

START_TEST(devices_do_what_they_are_for)
{
    char data[5000];
    size_t done;
    uint64_t offset;
    struct file *file = open_file("/dev/null", OPEN_READ_WRITE);
    ck_assert_int_eq(file_write(file, "x", 1, &done), 0);
    ck_assert_uint_eq(done, 1);
    ck_assert_int_eq(file_read(file, data, 1, &done), 0);
    ck_assert_uint_eq(done, 0);
    ck_assert_int_eq(file_seek(file, 5, SEEK_FROM_START, &offset), 0);
    ck_assert_uint_eq(offset, 0);
    ck_assert_int_eq(file_control(file, 0x5401, data), -ENOTTY);
    file_put(file);
    file = open_file("/dev/zero", OPEN_READ_WRITE);
    memset(data, 1, sizeof data);
    ck_assert_int_eq(file_read(file, data, sizeof data, &done), 0);
    ck_assert_uint_eq(done, sizeof data);
    ck_assert_int_eq(data[4999], 0);
    file_put(file);
    file = open_file("/dev/full", OPEN_READ_WRITE);
    ck_assert_int_eq(file_write(file, "x", 1, &done), -ENOSPC);
    file_put(file);
    file = open_file("/dev/urandom", OPEN_READ_ONLY);
    ck_assert_int_eq(file_read(file, data, 300, &done), 0);
    ck_assert_uint_eq(done, 300);
    file_put(file);
    ck_assert_uint_eq(status_of("/dev/null").special_device, 0x103);
    ck_assert_uint_eq(status_of("/dev/null").mode, MODE_CHARACTER | 0666);
    ck_assert_int_eq(open_error("/dev/tty", OPEN_READ_WRITE), -ENXIO);
    ck_assert_uint_eq(status_of("/dev/shm").mode, MODE_DIRECTORY | 01777);
}
END_TEST

// ---- procfs ----

static size_t long_make(char *text, size_t size, void *argument)
{
    size_t length = *(size_t *)argument;
    memset(text, 'x', length < size ? length : size);
    return length;
}

START_TEST(procfs_tells_what_there_is)
{
    static size_t length = 7000;
    char link[64] = {0};
    size_t link_length;
    ck_assert_ptr_nonnull(
        strstr(text_of("/proc/self/maps"), "00400000-00401000 r-xp 00000000 08:01 1234"));
    const char *maps = text_of("/proc/self/maps");
    ck_assert_int_eq(strchr(maps, '/') - maps, 73);
    ck_assert_ptr_nonnull(strstr(text_of("/proc/meminfo"), "MemTotal:"));
    ck_assert_ptr_nonnull(strstr(text_of("/proc/mounts"), "proc /proc proc rw"));
    ck_assert_str_eq(text_of("/proc/sys/kernel/pid_max"), "4194304\n");
    ck_assert_int_eq(procfs_add("self/long", long_make, &length), 0);
    ck_assert_uint_eq(strlen(text_of("/proc/self/long")), 7000);
    ck_assert_uint_eq(strlen(text_of("/proc/1/long")), 7000);
    ck_assert_int_eq(status_error("/proc/2", 0), -ENOENT);
    ck_assert_int_eq(vfs_read_link(NULL, "/proc/self/cwd", link, sizeof link, &link_length), 0);
    ck_assert_str_eq(link, "/tmp");
    make_file("f", "seven");
    struct file *file = open_file("f", OPEN_READ_ONLY);
    int fd = fd_install(file, 7, false);
    ck_assert_int_eq(fd, 7);
    memset(link, 0, sizeof link);
    ck_assert_int_eq(vfs_read_link(NULL, "/dev/fd/7", link, sizeof link, &link_length), 0);
    ck_assert_str_eq(link, "/tmp/f");
    ck_assert_str_eq(text_of("/proc/self/fd/7"), "seven");
    ck_assert_int_eq(status_error("/proc/self/fd/8", 0), -ENOENT);
    static struct listing listing;
    listing.max = 100;
    file = open_file("/proc/self/fd", OPEN_READ_ONLY);
    ck_assert_int_eq(file_read_directory(file, listing_add, &listing), 0);
    ck_assert_int_eq(listing.count, 3);
    ck_assert_str_eq(listing.names[2], "7");
    file_put(file);
    ck_assert_int_eq(fd_close(7), 0);
    struct file *ends[2];
    ck_assert_int_eq(pipe_create(&ends[0], &ends[1], 0), 0);
    ck_assert_int_eq(fd_install(ends[0], 0, false), 0);
    memset(link, 0, sizeof link);
    ck_assert_int_eq(vfs_read_link(NULL, "/proc/self/fd/0", link, sizeof link, &link_length), 0);
    ck_assert_int_eq(strncmp(link, "pipe:[", 6), 0);
    file = open_file("/dev/stdin", OPEN_READ_ONLY);
    ck_assert_ptr_eq(file, ends[0]);
    file_put(file);
    ck_assert_int_eq(fd_close(0), 0);
    file_put(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("vfs");
    TCase *tests = tcase_create("vfs");
    tcase_add_checked_fixture(tests, start, NULL);
    tcase_set_timeout(tests, 30);
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, paths_resolve_as_posix_has_it);
    tcase_add_test(tests, lengths_have_limits);
    tcase_add_test(tests, links_are_followed);
    tcase_add_test(tests, forty_links_are_the_limit);
    tcase_add_test(tests, the_current_directory_has_a_path);
    tcase_add_test(tests, open_says_what_is_wrong);
    tcase_add_test(tests, files_may_have_holes);
    tcase_add_test(tests, offsets_move);
    tcase_add_test(tests, names_come_and_go);
    tcase_add_test(tests, a_listing_survives_changes);
    tcase_add_test(tests, attributes_change);
    tcase_add_test(tests, mapped_files_are_read_through_the_pager);
    tcase_add_test(tests, memory_may_end_anywhere);
    tcase_add_test(tests, devices_do_what_they_are_for);
    tcase_add_test(tests, procfs_tells_what_there_is);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
