// SPDX-License-Identifier: BSD-3-Clause
// erofs_test.c: images that mkfs.erofs makes, and the same ones damaged.
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "block_far.h"
#include "core/dev/blockcache.h"
#include "core/dev/partition.h"
#include "core/vfs/erofs/erofs.h"
#include "core/vfs/name.h"
#include "vfs_host.h"

enum { FILES = 700, WALK_MAX = 100000, LONG_SIZE = 3 * 4096 + 77 };

static char *image;
static size_t image_size;

static void run(const char *command)
{
    ck_assert_int_eq(system(command), 0);
}

static void file_make(const char *path, const char *text, size_t times)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < times; ++i) {
        ck_assert_int_ge(fputs(text, file), 0);
    }
    ck_assert_int_eq(fclose(file), 0);
}

static void image_load(const char *path)
{
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    struct stat status;
    ck_assert_int_eq(fstat(fileno(file), &status), 0);
    image_size = (size_t)status.st_size;
    free(image);
    image = malloc(image_size); // exactly: a sanitizer sees what lies behind it
    ck_assert_uint_eq(fread(image, 1, image_size, file), image_size);
    ck_assert_int_eq(fclose(file), 0);
}

// A tree of 700 names in one directory, files of several sizes, a link, a device and a fifo.
static void start(void)
{
    char place[] = "/tmp/erofs_test_XXXXXX", path[128], command[512];
    ck_assert_ptr_nonnull(mkdtemp(place));
    (void)snprintf(command, sizeof command,
                   "cd %s && mkdir -p root/many root/empty && cd root && ln -s many/7 link && "
                   "mkfifo -m 640 fifo && : >nothing",
                   place);
    run(command);
    for (int i = 0; i < FILES; ++i) {
        (void)snprintf(path, sizeof path, "%s/root/many/%d", place, i);
        file_make(path, "x", (size_t)i);
    }
    (void)snprintf(path, sizeof path, "%s/root/long", place);
    file_make(path, "7", LONG_SIZE);
    (void)snprintf(command, sizeof command,
                   "cd %s && mkfs.erofs --quiet -T1000000000 image root >/dev/null", place);
    run(command);
    (void)snprintf(path, sizeof path, "%s/image", place);
    image_load(path);
    (void)snprintf(command, sizeof command, "rm -r %s", place);
    run(command);
}

static void stop(void)
{
    free(image);
    image = NULL;
}

static struct erofs_inode inode_find(struct erofs_image *erofs, uint64_t directory,
                                     const char *name)
{
    uint64_t number;
    struct erofs_inode at, inode;
    ck_assert_int_eq(erofs_inode_read(erofs, directory, &at), 0);
    ck_assert_int_eq(erofs_find(erofs, &at, name, &number), 0);
    ck_assert_int_eq(erofs_inode_read(erofs, number, &inode), 0);
    return inode;
}

START_TEST(names_are_found_and_no_others)
{
    struct erofs_image erofs;
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), 0);
    const struct erofs_inode many = inode_find(&erofs, erofs.root, "many");
    ck_assert_uint_eq(many.mode & MODE_TYPE, MODE_DIRECTORY);
    for (int i = 0; i < FILES; ++i) {
        char name[16];
        (void)snprintf(name, sizeof name, "%d", i);
        const struct erofs_inode inode = inode_find(&erofs, many.number, name);
        ck_assert_uint_eq(inode.mode & MODE_TYPE, MODE_FILE);
        ck_assert_uint_eq(inode.size, (uint64_t)i);
    }
    static const char *const others[] = {"", "!", "00", "1000", "70", "700", "7a", "zzz"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        uint64_t number;
        ck_assert_int_eq(erofs_find(&erofs, &many, others[i], &number),
                         strcmp(others[i], "70") == 0 ? 0 : -ENOENT);
    }
    const struct erofs_inode empty = inode_find(&erofs, erofs.root, "empty");
    uint64_t number;
    ck_assert_int_eq(erofs_find(&erofs, &empty, "x", &number), -ENOENT);
    ck_assert_int_eq(erofs_find(&erofs, &empty, "..", &number), 0);
    ck_assert_uint_eq(number, erofs.root);
}
END_TEST

START_TEST(a_directory_lists_each_name_once)
{
    struct erofs_image erofs;
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), 0);
    const struct erofs_inode many = inode_find(&erofs, erofs.root, "many");
    static int seen[FILES];
    int count = 0, error;
    memset(seen, 0, sizeof seen);
    struct erofs_name name;
    for (uint64_t at = 0; (error = erofs_name_read(&erofs, &many, at, &name, &at)) == 0; ++count) {
        if (name.text[0] == '.') {
            ck_assert_uint_eq(name.type, MODE_DIRECTORY);
        } else {
            char text[16] = {0};
            ck_assert_uint_lt(name.length, sizeof text);
            memcpy(text, name.text, name.length);
            ++seen[atoi(text)];
        }
    }
    ck_assert_int_eq(error, -ENOENT);
    ck_assert_int_eq(count, FILES + 2);
    for (int i = 0; i < FILES; ++i) {
        ck_assert_int_eq(seen[i], 1);
    }
}
END_TEST

START_TEST(contents_are_read_wherever_they_lie)
{
    struct erofs_image erofs;
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), 0);
    const struct erofs_inode inode = inode_find(&erofs, erofs.root, "long");
    ck_assert_uint_eq(inode.size, LONG_SIZE);
    ck_assert_int_eq(inode.modified.seconds, 1000000000);
    size_t done = 0, size;
    for (; done < LONG_SIZE; done += size) {
        const char *data = erofs_data(&erofs, &inode, done, &size);
        ck_assert_uint_gt(size, 0);
        for (size_t i = 0; i < size; ++i) {
            ck_assert_int_eq(data[i], '7');
        }
    }
    ck_assert_uint_eq(done, LONG_SIZE);
    const struct erofs_inode link = inode_find(&erofs, erofs.root, "link");
    ck_assert_uint_eq(link.mode & MODE_TYPE, MODE_LINK);
    ck_assert_mem_eq(erofs_data(&erofs, &link, 0, &size), "many/7", 6);
    const struct erofs_inode fifo = inode_find(&erofs, erofs.root, "fifo");
    ck_assert_uint_eq(fifo.mode, MODE_FIFO | 0640);
    ck_assert_uint_eq(inode_find(&erofs, erofs.root, "nothing").size, 0);
}
END_TEST

// ---- Damage ------------------------------------------------------------------------

// Touches everything that can be reached, by names and by numbers; the answer is a sum of it.
static unsigned walk(struct erofs_image *erofs, uint64_t root, int *steps)
{
    unsigned sum = 0;
    struct erofs_inode directory, inode;
    struct erofs_name name;
    if (erofs_inode_read(erofs, root, &directory) != 0 ||
        (directory.mode & MODE_TYPE) != MODE_DIRECTORY) {
        return 1;
    }
    for (uint64_t at = 0; erofs_name_read(erofs, &directory, at, &name, &at) == 0;) {
        char text[256];
        uint64_t number;
        ck_assert_int_lt(++*steps, WALK_MAX);
        ck_assert_uint_lt(name.length, sizeof text);
        memcpy(text, name.text, name.length);
        text[name.length] = 0;
        sum += (unsigned)erofs_find(erofs, &directory, text, &number);
        if (erofs_inode_read(erofs, name.number, &inode) != 0) {
            continue;
        }
        size_t size;
        const uint32_t type = inode.mode & MODE_TYPE;
        const bool has_data = type == MODE_FILE || type == MODE_LINK || type == MODE_DIRECTORY;
        for (uint64_t done = 0; has_data && done < inode.size; done += size) {
            const char *data = erofs_data(erofs, &inode, done, &size);
            if (data == NULL) {
                break; // of a disk
            }
            sum += (unsigned char)data[0] + (unsigned char)data[size - 1];
        }
    }
    return sum;
}

static void image_walk(void)
{
    struct erofs_image erofs;
    if (erofs_image_open(&erofs, image, image_size) != 0) {
        return;
    }
    int steps = 0;
    volatile unsigned sum = walk(&erofs, erofs.root, &steps);
    const uint64_t end = image_size / 32;
    for (uint64_t number = 0; number < end; number += 257) {
        sum += walk(&erofs, number, &steps);
    }
    (void)sum;
}

// Bytes of what the image says of itself are changed, a few at a time.
START_TEST(a_damaged_image_is_an_error_at_most)
{
    srand((unsigned)_i);
    for (int round = 0; round < 40; ++round) {
        char old[4];
        size_t places[4];
        for (size_t i = 0; i < 4; ++i) {
            const size_t range = rand() % 2 == 0 ? 128 : image_size - 1024;
            places[i] = 1024 + (size_t)rand() % range;
            old[i] = image[places[i]];
            image[places[i]] = (char)rand();
        }
        image_walk();
        for (size_t i = 4; i-- > 0;) {
            image[places[i]] = old[i];
        }
    }
}
END_TEST

START_TEST(an_image_that_is_cut_is_refused)
{
    struct erofs_image erofs;
    for (size_t size = 0; size < image_size; size += 4001) {
        char *cut = malloc(size + 1);
        ck_assert_ptr_nonnull(cut);
        memcpy(cut, image, size);
        ck_assert_int_eq(erofs_image_open(&erofs, cut, size), size < 1024 + 128 ? -EINVAL : -EIO);
        free(cut);
    }
    image[1024] ^= 1;
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), -EINVAL);
    image[1024] ^= 1;
    image[1024 + 12] = 9; // blocks of 512 bytes
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), -EOPNOTSUPP);
    image[1024 + 12] = 12;
    image[1024 + 80] = 4; // chunks
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), -EOPNOTSUPP);
}
END_TEST

// The same image on a disk, and in a partition that begins within a chunk: the same walk, and
// errors where the disk has them.
START_TEST(an_image_on_a_disk_is_the_same)
{
    static const uint64_t starts[] = {0, 4096, 65536 + 8192};
    const uint64_t first = starts[_i];
    struct erofs_image erofs, disk;
    far_disk = (struct block_far){.features = 0};
    ck_assert_int_eq(erofs_image_open(&erofs, image, image_size), 0);
    char *bytes = calloc(1, first + image_size);
    memcpy(bytes + first, image, image_size);
    struct block_device *device = far_disk_open(bytes, first + image_size);
    ck_assert_ptr_nonnull(device);
    struct partition part = {.device = device, .name = "vda1"};
    part.place = (struct partition_place){.number = 1, .start = first, .size = image_size};
    ck_assert_int_eq(erofs_image_open_disk(&disk, &part), 0);
    ck_assert_uint_eq(disk.size, erofs.size);
    int steps = 0, disk_steps = 0;
    const struct erofs_inode many = inode_find(&disk, disk.root, "many");
    ck_assert_uint_eq(many.number, inode_find(&erofs, erofs.root, "many").number);
    (void)walk(&disk, many.number, &disk_steps);
    (void)walk(&erofs, many.number, &steps);
    ck_assert_int_eq(disk_steps, steps);
    ck_assert_int_eq(steps, FILES + 2);
    size_t size;
    const struct erofs_inode link = inode_find(&disk, disk.root, "link");
    ck_assert_mem_eq(erofs_data(&disk, &link, 0, &size), "many/7", 6);
    far_disk.request_count = 0; // all of it is held
    (void)inode_find(&disk, disk.root, "many");
    ck_assert_uint_eq(far_disk.request_count, 0);
    erofs_image_close(&disk);
    for (uint64_t chunk = first / 65536; chunk * 65536 < first + image_size; ++chunk) {
        block_cache_forget(block_device_cache(device), 0, UINT64_MAX);
        far_disk.bad_sector = chunk * 128 + 5;
        int error = erofs_image_open_disk(&disk, &part);
        ck_assert_int_eq(error, chunk == first / 65536 ? -EIO : 0);
        disk_steps = 0;
        if (error == 0) {
            (void)walk(&disk, many.number, &disk_steps);
        }
        ck_assert_int_lt(disk_steps, steps + 1);
        erofs_image_close(&disk);
    }
    part.place.start += 512;
    part.place.size -= 512;
    ck_assert_int_eq(erofs_image_open_disk(&disk, &part), -EXDEV);
    erofs_image_close(&disk);
    free(bytes);
}
END_TEST

// ---- Names that are known (known.c) --------------------------------------------------

static struct erofs_mount known_state;
static struct mount known_mount = {.state = &known_state};
static struct erofs_node directories[2];
static struct erofs_node pool[EROFS_KNOWN_MAX + 8];
static size_t taken, released;

static void node_released(struct vnode *vnode)
{
    (void)vnode;
    ++released;
}

static const struct vnode_ops node_ops = {.release = node_released};

static void known_start(void)
{
    for (uint64_t i = 0; i < 2; ++i) {
        directories[i].inode.number = 36 + i;
        vnode_init(&directories[i].vnode, &node_ops, &known_mount, MODE_DIRECTORY, i);
    }
}

static struct vnode *node_made(void)
{
    struct erofs_node *node = &pool[taken++];
    vnode_init(&node->vnode, &node_ops, &known_mount, MODE_FILE, 1);
    return &node->vnode;
}

static struct vnode *known(int directory, const char *text)
{
    const size_t length = strlen(text);
    return erofs_known_find(&directories[directory].vnode, text, length, name_hash(text, length));
}

START_TEST(a_known_name_is_found_in_its_directory_alone)
{
    struct vnode *vnode = node_made(), *was = vnode;
    ck_assert_ptr_null(known(0, "name"));
    ck_assert_int_eq(erofs_known_add(&directories[0].vnode, "name", &vnode), 0);
    ck_assert_ptr_eq(vnode, was);
    ck_assert_ptr_eq(known(0, "name"), was);
    static const char *const others[] = {"", "nam", "names", "Name"};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        ck_assert_ptr_null(known(0, others[i]));
    }
    ck_assert_ptr_null(known(1, "name"));
    vnode_put(vnode); // the lookup's; the list has its own
    ck_assert_uint_eq(released, 0);
    ck_assert_ptr_eq(known(0, "name"), was);
}
END_TEST

START_TEST(who_was_faster_wins)
{
    struct vnode *first = node_made(), *second = node_made();
    ck_assert_int_eq(erofs_known_add(&directories[0].vnode, "name", &first), 0);
    ck_assert_int_eq(erofs_known_add(&directories[0].vnode, "name", &second), 0);
    ck_assert_ptr_eq(second, first);
    ck_assert_uint_eq(released, 1);
    vnode_put(first);
    vnode_put(second); // both were counted
    ck_assert_uint_eq(released, 1);
    ck_assert_ptr_eq(known(0, "name"), first);
}
END_TEST

START_TEST(what_there_is_no_room_for_stays_unknown)
{
    struct vnode *nodes[EROFS_KNOWN_MAX + 2];
    char name[16];
    for (int i = 0; i < EROFS_KNOWN_MAX + 2; ++i) {
        (void)snprintf(name, sizeof name, "%d", i);
        struct vnode *vnode = nodes[i] = node_made();
        ck_assert_int_eq(erofs_known_add(&directories[i % 2].vnode, name, &vnode), 0);
        ck_assert_ptr_eq(vnode, nodes[i]);
    }
    for (int i = 0; i < EROFS_KNOWN_MAX + 2; ++i) {
        (void)snprintf(name, sizeof name, "%d", i);
        ck_assert_ptr_eq(known(i % 2, name), i < EROFS_KNOWN_MAX ? nodes[i] : NULL);
        ck_assert_ptr_null(known(1 - i % 2, name));
        vnode_put(nodes[i]);
    }
    ck_assert_uint_eq(released, 2);    // those that nobody keeps
    struct vnode *vnode = node_made(); // known ones are still exchanged
    ck_assert_int_eq(erofs_known_add(&directories[0].vnode, "0", &vnode), 0);
    ck_assert_ptr_eq(vnode, nodes[0]);
    ck_assert_uint_eq(released, 3);
}
END_TEST

START_TEST(without_memory_the_reference_is_gone)
{
    struct vnode *vnode = node_made();
    host_memory_fail_after(0);
    ck_assert_int_eq(erofs_known_add(&directories[0].vnode, "name", &vnode), -ENOMEM);
    host_memory_fail_after(-1);
    ck_assert_ptr_null(vnode);
    ck_assert_uint_eq(released, 1);
    ck_assert_ptr_null(known(0, "name"));
    ck_assert_uint_eq(known_state.known_count, 0);
}
END_TEST

static TCase *known_case(void)
{
    TCase *test = tcase_create("known");
    tcase_add_checked_fixture(test, known_start, NULL);
    tcase_add_test(test, a_known_name_is_found_in_its_directory_alone);
    tcase_add_test(test, who_was_faster_wins);
    tcase_add_test(test, what_there_is_no_room_for_stays_unknown);
    tcase_add_test(test, without_memory_the_reference_is_gone);
    return test;
}

int main(void)
{
    Suite *suite = suite_create("erofs");
    TCase *whole = tcase_create("image");
    tcase_add_unchecked_fixture(whole, start, stop); // once: 700 files
    tcase_set_timeout(whole, 60);
    suite_add_tcase(suite, whole);
    tcase_add_test(whole, names_are_found_and_no_others);
    tcase_add_test(whole, a_directory_lists_each_name_once);
    tcase_add_test(whole, contents_are_read_wherever_they_lie);
    tcase_add_loop_test(whole, a_damaged_image_is_an_error_at_most, 0, 4);
    tcase_add_test(whole, an_image_that_is_cut_is_refused);
    tcase_add_loop_test(whole, an_image_on_a_disk_is_the_same, 0, 3);
    suite_add_tcase(suite, known_case());
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
