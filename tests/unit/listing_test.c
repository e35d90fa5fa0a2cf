// SPDX-License-Identifier: BSD-3-Clause
// listing_test.c: a directory's entries by name, whatever order the host has them in
// (hal-linux/seed/listing.c).
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "hal-linux/machine.h"

enum { ANSWER_SIZE = 200, NAME_SIZE = 32, MANY = 3000 };

static char path[NAME_SIZE];
static int directory;

static void make(const char *name)
{
    int fd = openat(directory, name, O_CREAT | O_EXCL | O_WRONLY, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static void setup(void)
{
    strcpy(path, "/tmp/listing-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
    directory = open(path, O_RDONLY | O_DIRECTORY);
    ck_assert_int_ge(directory, 0);
}

static void teardown(void)
{
    machine_directory_close(directory);
    DIR *stream = fdopendir(directory);
    rewinddir(stream);
    for (struct dirent *entry; (entry = readdir(stream)) != NULL;) {
        unlinkat(dirfd(stream), entry->d_name, 0);
    }
    closedir(stream);
    rmdir(path);
}

// One answer from position on: the first name of it, and where to go on behind that; false: the
// end.
static bool next(uint64_t *position, char name[NAME_SIZE])
{
    _Alignas(8) char answer[ANSWER_SIZE];
    long got = machine_directory_read(directory, *position, answer, sizeof answer);
    ck_assert_int_ge(got, 0);
    const struct machine_entry *entry = (const struct machine_entry *)answer;
    if (got > 0) {
        ck_assert_uint_lt(strlen(entry->name), NAME_SIZE);
        strcpy(name, entry->name);
        *position = (uint64_t)entry->next;
    }
    return got > 0;
}

// From position on: how many there are; each comes behind the one before.
static unsigned count_sorted(uint64_t position)
{
    char before[NAME_SIZE] = "", name[NAME_SIZE];
    unsigned count = 0;
    while (next(&position, name)) {
        ck_assert_str_lt(before, name);
        strcpy(before, name);
        ++count;
    }
    return count;
}

START_TEST(entries_come_by_name)
{
    static const char *const names[] = {"m", "b", "\xc3\xa4", "bb", "-", "A", "zz", "a"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        make(names[i]);
    }
    static const char *const wanted[] = {"-", ".",  "..", "A",  "a",
                                         "b", "bb", "m",  "zz", "\xc3\xa4"};
    uint64_t position = 0;
    char name[NAME_SIZE];
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; ++i) {
        ck_assert(next(&position, name));
        ck_assert_str_eq(name, wanted[i]);
    }
    ck_assert(!next(&position, name));
}
END_TEST

START_TEST(one_answer_has_as_many_as_fit)
{
    for (unsigned i = 0; i < 20; ++i) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%u", i * 7 % 20);
        make(name);
    }
    _Alignas(8) char answer[ANSWER_SIZE];
    long got = machine_directory_read(directory, 0, answer, sizeof answer);
    ck_assert_int_eq(got, 8 * 24);
    const struct machine_entry *last = (const struct machine_entry *)(answer + 7L * 24);
    ck_assert_str_eq(last->name, "13");
    ck_assert_int_eq(last->next, 8);
    ck_assert_int_eq(machine_directory_read(directory, 0, answer, 20), -EINVAL);
}
END_TEST

START_TEST(many_are_all_there)
{
    for (unsigned i = 0; i < MANY; ++i) {
        char name[NAME_SIZE];
        snprintf(name, sizeof name, "%u%s", i * 1237 % MANY,
                 i % 3 == 0 ? "-and-a-longer-name" : "");
        make(name);
    }
    ck_assert_uint_eq(count_sorted(0), MANY + 2);
    ck_assert_uint_eq(count_sorted(1000), MANY + 2 - 1000);
}
END_TEST

START_TEST(what_goes_meanwhile_moves_no_other)
{
    for (unsigned i = 0; i < 9; ++i) {
        char name[] = {(char)('a' + i), 0};
        make(name);
    }
    uint64_t position = 2; // behind . and ..
    char name[NAME_SIZE];
    for (unsigned i = 0; i < 9; ++i) {
        ck_assert(next(&position, name));
        ck_assert_int_eq(name[0], 'a' + (int)i);
        ck_assert_int_eq(unlinkat(directory, name, 0), 0);
    }
    ck_assert(!next(&position, name));
    ck_assert_uint_eq(count_sorted(0), 2); // begun anew
}
END_TEST

START_TEST(a_number_is_another_directory_s_when_it_is_closed)
{
    make("a");
    ck_assert_uint_eq(count_sorted(0), 3);
    machine_directory_close(directory);
    make("b");
    ck_assert_uint_eq(count_sorted(1), 3);
}
END_TEST

START_TEST(errors_are_the_host_s)
{
    char answer[ANSWER_SIZE];
    int file = openat(directory, "a", O_CREAT | O_RDWR, 0600);
    ck_assert_int_eq(machine_directory_read(file, 0, answer, sizeof answer), -ENOTDIR);
    close(file);
    ck_assert_int_eq(machine_directory_read(file, 0, answer, sizeof answer), -EBADF);
    ck_assert_int_eq(machine_directory_read(1 << 20, 0, answer, sizeof answer), -ENFILE);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listing");
    TCase *tcase = tcase_create("listing");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, entries_come_by_name);
    tcase_add_test(tcase, one_answer_has_as_many_as_fit);
    tcase_add_test(tcase, many_are_all_there);
    tcase_add_test(tcase, what_goes_meanwhile_moves_no_other);
    tcase_add_test(tcase, a_number_is_another_directory_s_when_it_is_closed);
    tcase_add_test(tcase, errors_are_the_host_s);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
