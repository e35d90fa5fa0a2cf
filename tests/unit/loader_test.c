// SPDX-License-Identifier: BSD-3-Clause
// loader_test.c: what the x86_64 kernel makes of Multiboot2's boot information, sound or not.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal-x86_64/machine/multiboot.h"

enum { ADDRESS = 0x9000, CRASH = 125 };

static _Alignas(8) char info[4096];
static struct loader loader;

// ---- What crash.c asks of a machine ------------------------------------------

void hal_console_write(const char *text, size_t size)
{
    (void)text;
    (void)size;
}

HAL_NORETURN void hal_halt(enum hal_halt how, int code)
{
    (void)how;
    exit(code);
}

// ---- Making boot information ---------------------------------------------------

static const char root_pointer[36];
static uint32_t end;

static void info_start(void)
{
    memset(info, 0, sizeof info);
    end = 8;
}

// The tag's place. Its content is size bytes.
static uint32_t tag_add(uint32_t type, const void *content, uint32_t size)
{
    const uint32_t at = end, whole = size + 8;
    memcpy(info + at, &type, sizeof type);
    memcpy(info + at + 4, &whole, sizeof whole);
    memcpy(info + at + 8, content, size);
    end += (whole + 7) & ~7u;
    return at;
}

static void memory_add(uint64_t size)
{
    const uint32_t entry[] = {32,       0, // size of an entry, version
                              0,        0, 0xa0000,        0, 1, 0, 0, 0, // start, size, type, more
                              0x100000, 0, (uint32_t)size, 0, 1, 0, 0, 0,
                              0x180000, 0, 0x1000,         0, 2, 0, 0, 0};
    (void)tag_add(6, entry, sizeof entry);
}

static void info_read(void)
{
    (void)tag_add(0, "", 0);
    memcpy(info, &end, sizeof end);
    loader = (struct loader){.rsdp = 0};
    multiboot_read(&loader, info, ADDRESS);
}

// ---- Tests -----------------------------------------------------------------------

START_TEST(all_is_read)
{
    info_start();
    (void)tag_add(1, "--root=initrd -- \"a b\"", 23);
    (void)tag_add(2, "GRUB", 5);
    (void)tag_add(3, "\0\0\x20\0\x34\x12\x20\0name", 13);
    memory_add(0x100000);
    const uint32_t old = tag_add(14, root_pointer, 20);
    info_read();
    ck_assert_str_eq(loader.line, "--root=initrd -- \"a b\"");
    ck_assert_uint_eq(loader.module_count, 1);
    ck_assert_uint_eq(loader.modules[0].start, 0x200000);
    ck_assert_uint_eq(loader.modules[0].size, 0x1234);
    ck_assert_uint_eq(loader.ram.count, 3);
    ck_assert_uint_eq(loader.ram.regions[0].size, 0xa0000);
    ck_assert_uint_eq(loader.ram.regions[1].start, 0x100000);
    ck_assert_uint_eq(loader.ram.regions[1].size, 0x80000);
    ck_assert_uint_eq(loader.ram.regions[2].start, 0x181000);
    ck_assert_uint_eq(loader.rsdp, ADDRESS + old + 8);
}
END_TEST

START_TEST(the_newer_root_pointer_wins)
{
    for (int i = 0; i < 2; ++i) {
        info_start();
        memory_add(0x100000);
        uint32_t newer = i == 0 ? tag_add(15, root_pointer, 36) : 0;
        (void)tag_add(14, root_pointer, 20);
        newer = i == 1 ? tag_add(15, root_pointer, 36) : newer;
        info_read();
        ck_assert_uint_eq(loader.rsdp, ADDRESS + newer + 8);
    }
}
END_TEST

// What lies behind a tag's end or the list's is not read.
START_TEST(sizes_are_believed)
{
    info_start();
    memory_add(0x100000);
    (void)tag_add(3, "\0\0\x20\0", 4);           // half a module
    (void)tag_add(3, "\0\0\x20\0\0\0\x20\0", 8); // an empty one
    (void)tag_add(1, "not ended", 9);
    info_read();
    ck_assert_uint_eq(loader.module_count, 0);
    ck_assert_ptr_null(loader.line);

    info_start();
    memory_add(0x100000);
    const uint32_t at = tag_add(3, "\0\0\x20\0\x34\x12\x20\0", 8), far = 0x10000, none = 0;
    memcpy(info + at + 4, &far, sizeof far);
    info_read();
    ck_assert_uint_eq(loader.module_count, 0);
    memcpy(info + at + 4, &none, sizeof none);
    info_read();
    ck_assert_uint_eq(loader.module_count, 0);
}
END_TEST

START_TEST(no_memory_map)
{
    info_start();
    info_read();
}
END_TEST

START_TEST(entries_too_small)
{
    info_start();
    const uint32_t at = end, small = 8;
    memory_add(0x100000);
    memcpy(info + at + 8, &small, sizeof small);
    info_read();
}
END_TEST

START_TEST(boot_services_run)
{
    info_start();
    memory_add(0x100000);
    (void)tag_add(18, "", 0);
    info_read();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loader");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, all_is_read);
    tcase_add_test(tcase, the_newer_root_pointer_wins);
    tcase_add_test(tcase, sizes_are_believed);
    tcase_add_exit_test(tcase, no_memory_map, CRASH);
    tcase_add_exit_test(tcase, entries_too_small, CRASH);
    tcase_add_exit_test(tcase, boot_services_run, CRASH);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
