// SPDX-License-Identifier: BSD-3-Clause
// boot_facts_test.c: what machines make of a boot loader's facts: command line, memory, device
// tree, seed.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "hal/common/cmdline.h"
#include "hal/common/entropy.h"
#include "hal/common/fdt.h"
#include "hal/common/image.h"
#include "hal/common/memory_list.h"

// ---- Command line -----------------------------------------------------------

static void words_are(const char *line, const char *const *expected)
{
    const char *const *words = cmdline_split(line);
    for (size_t i = 0;; ++i) {
        if (expected[i] == NULL) {
            ck_assert_ptr_null(words[i]);
            return;
        }
        ck_assert_str_eq(words[i], expected[i]);
    }
}

START_TEST(cmdline_words)
{
    words_are(NULL, (const char *[]){NULL});
    words_are("  \t ", (const char *[]){NULL});
    words_are("a", (const char *[]){"a", NULL});
    words_are(" --x=1  b\n", (const char *[]){"--x=1", "b", NULL});
    words_are("\"a b\" c\"d e\"f \"\"", (const char *[]){"a b", "cd ef", "", NULL});
    words_are("\"no end", (const char *[]){"no end", NULL});
    words_are("\\\"a\\ b\\\\ \"\\\"  c\" \\", (const char *[]){"\"a b\\", "\"  c", "\\", NULL});
}
END_TEST

START_TEST(cmdline_limits)
{
    static char line[2 * CMDLINE_SIZE];
    for (size_t i = 0; i + 1 < sizeof line; ++i) {
        line[i] = i % 2 == 0 ? 'x' : ' ';
    }
    const char *const *words = cmdline_split(line);
    ck_assert_ptr_nonnull(words[CMDLINE_WORDS - 1]);
    ck_assert_ptr_null(words[CMDLINE_WORDS]);
    memset(line, 'y', sizeof line - 1);
    words = cmdline_split(line);
    ck_assert_uint_eq(strlen(words[0]), CMDLINE_SIZE - 1);
    ck_assert_ptr_null(words[1]);
}
END_TEST

// ---- Images -----------------------------------------------------------------

static void image_words_set(struct image *image, const char *const *words)
{
    *image = (struct image){.version = IMAGE_VERSION};
    for (; *words != NULL; ++words) {
        strcpy(&image->words[image->words_size], *words);
        image->words_size += strlen(*words) + 1;
    }
}

static void arguments_are(const char *const *words, const char *line, const char *const *expected)
{
    struct image image;
    image_words_set(&image, words);
    ck_assert(image_is_right(&image));
    const char *const *arguments = image_arguments(&image, line);
    for (size_t i = 0; expected[i] != NULL || arguments[i] != NULL; ++i) {
        ck_assert_ptr_nonnull(arguments[i]);
        ck_assert_ptr_nonnull(expected[i]);
        ck_assert_str_eq(arguments[i], expected[i]);
    }
}

START_TEST(image_and_loader)
{
    const char *const none[] = {NULL}, *const options[] = {"--a", NULL};
    const char *const all[] = {"--a", "--", "program", "two words", "", "--", NULL};
    arguments_are(none, NULL, none);
    arguments_are(none, "--b -- c", (const char *[]){"--b", "--", "c", NULL});
    arguments_are(options, "--b", (const char *[]){"--a", "--b", NULL});
    arguments_are(all, NULL, all);
    arguments_are(all, "--b=\"1 2\"",
                  (const char *[]){"--a", "--b=1 2", "--", "program", "two words", "", "--", NULL});
    arguments_are(all, "--b -- other --",
                  (const char *[]){"--a", "--b", "--", "other", "--", NULL});
    arguments_are(all, "--", (const char *[]){"--a", "--", NULL});
}
END_TEST

START_TEST(image_limits)
{
    struct image image = {.version = IMAGE_VERSION, .words_size = IMAGE_WORDS_SIZE};
    ck_assert(image_is_right(&image)); // thousands of empty words
    const char *const *arguments = image_arguments(&image, "-- x");
    ck_assert_ptr_nonnull(arguments[IMAGE_WORDS_MAX + 1]);
    ck_assert_ptr_null(arguments[IMAGE_WORDS_MAX + 2]);
    image.words[IMAGE_WORDS_SIZE - 1] = 'x';
    ck_assert(!image_is_right(&image));
    image.words_size = IMAGE_WORDS_SIZE + 1;
    ck_assert(!image_is_right(&image));
    image.words_size = 0;
    ck_assert(image_is_right(&image));
    image.version = IMAGE_VERSION + 1;
    ck_assert(!image_is_right(&image));
}
END_TEST

START_TEST(image_in_the_kernel)
{
    ck_assert(image_is_right(&image_note.image));
    ck_assert_uint_eq(image_note.image.words_size, 0);
    ck_assert_uint_eq(image_note.image.root_size, 0);
}
END_TEST

// ---- Memory -----------------------------------------------------------------

static void regions_are(const struct memory_list *list, const struct hal_region *expected,
                        size_t count)
{
    ck_assert_uint_eq(list->count, count);
    for (size_t i = 0; i < count; ++i) {
        ck_assert_uint_eq(list->regions[i].start, expected[i].start);
        ck_assert_uint_eq(list->regions[i].size, expected[i].size);
    }
}

START_TEST(memory_joins)
{
    struct memory_list list = {.count = 0};
    memory_list_add(&list, 0x8000, 0x2000);
    memory_list_add(&list, 0x1001, 0x2fff); // the first page is not whole
    memory_list_add(&list, 0x20000, 0xfff); // no page is
    regions_are(&list, (struct hal_region[]){{0x2000, 0x2000}, {0x8000, 0x2000}}, 2);
    memory_list_add(&list, 0x4000, 0x4000); // touches both
    regions_are(&list, (struct hal_region[]){{0x2000, 0x8000}}, 1);
    memory_list_add(&list, 0x3000, 0x1000); // inside
    regions_are(&list, (struct hal_region[]){{0x2000, 0x8000}}, 1);
}
END_TEST

START_TEST(memory_is_taken_out)
{
    struct memory_list list = {.count = 0};
    memory_list_add(&list, 0x1000, 0x9000);
    memory_list_remove(&list, 0x3fff, 2); // two pages are touched
    regions_are(&list, (struct hal_region[]){{0x1000, 0x2000}, {0x5000, 0x5000}}, 2);
    memory_list_remove(&list, 0, 0x1001);
    regions_are(&list, (struct hal_region[]){{0x2000, 0x1000}, {0x5000, 0x5000}}, 2);
    memory_list_remove(&list, 0x2000, 0x4000);
    regions_are(&list, (struct hal_region[]){{0x6000, 0x4000}}, 1);
    memory_list_remove(&list, 0x20000, 0x1000);
    memory_list_remove(&list, 0, 0x100000);
    regions_are(&list, NULL, 0);
}
END_TEST

START_TEST(memory_page_by_page)
{
    struct memory_list list = {.count = 0};
    memory_list_add(&list, 0x1000, 0x2000);
    memory_list_add(&list, 0x8000, 0x4000);
    ck_assert_uint_eq(memory_list_take(&list, 0x1000, 0xa000),
                      0x9000); // the highest below the limit
    ck_assert_uint_eq(memory_list_take(&list, 0x1000, 0xa000), 0x8000);
    ck_assert_uint_eq(memory_list_take(&list, 0x1000, 0xa000), 0x2000);
    ck_assert_uint_eq(memory_list_take(&list, 0x1000, 0xa000), 0x1000);
    ck_assert_uint_eq(memory_list_take(&list, 0x1000, 0xa000), 0);
    regions_are(&list, (struct hal_region[]){{0xa000, 0x2000}}, 1);
}
END_TEST

START_TEST(memory_run_by_run)
{
    struct memory_list list = {.count = 0};
    memory_list_add(&list, 0x1000, 0x4000);
    memory_list_add(&list, 0x8000, 0x2000);
    ck_assert_uint_eq(memory_list_take(&list, 0x3000, 0x10000),
                      0x2000); // the highest that is whole
    ck_assert_uint_eq(memory_list_take(&list, 0x2000, 0x10000), 0x8000);
    ck_assert_uint_eq(memory_list_take(&list, 0x2000, 0x10000), 0);
    ck_assert_uint_eq(memory_list_take(&list, 0x1000, 0x1000), 0);
    regions_are(&list, (struct hal_region[]){{0x1000, 0x1000}}, 1);
}
END_TEST

// The list against a bitmap of pages.
START_TEST(memory_random)
{
    enum { PAGES = 100 };
    struct memory_list list = {.count = 0};
    bool usable[PAGES] = {false};
    srandom(1);
    for (int step = 0; step < 3000; ++step) {
        const size_t first = (size_t)random() % PAGES,
                     count = (size_t)random() % (PAGES - first) % 9 + 1;
        const bool adds = random() % 2 == 0;
        for (size_t i = first; i < first + count && i < PAGES; ++i) {
            usable[i] = adds;
        }
        const size_t kept = first + count > PAGES ? PAGES - first : count;
        (adds ? memory_list_add : memory_list_remove)(&list, first * HAL_PAGE_SIZE,
                                                      kept * HAL_PAGE_SIZE);
        size_t region = 0;
        for (size_t i = 0; i < PAGES; ++i) {
            const hal_phys page = i * HAL_PAGE_SIZE;
            while (region < list.count &&
                   list.regions[region].start + list.regions[region].size <= page) {
                ++region;
            }
            ck_assert(usable[i] == (region < list.count && list.regions[region].start <= page));
        }
    }
}
END_TEST

// ---- Device tree ------------------------------------------------------------

enum { BLOB_SIZE = 1024, STRINGS_AT = 768, NODES_AT = 72, RESERVED_AT = 40 };

struct blob {
    char bytes[BLOB_SIZE];
    uint32_t nodes_end, strings_end;
};

static void word_put(struct blob *blob, uint32_t at, uint32_t word)
{
    for (int i = 0; i < 4; ++i) {
        blob->bytes[at + (uint32_t)i] = (char)(word >> (24 - 8 * i));
    }
}

static void token_put(struct blob *blob, uint32_t word)
{
    word_put(blob, blob->nodes_end, word);
    blob->nodes_end += 4;
}

static void bytes_put(struct blob *blob, const void *bytes, size_t size)
{
    memcpy(blob->bytes + blob->nodes_end, bytes, size);
    blob->nodes_end += ((uint32_t)size + 3) & ~3u;
}

static void node_begin(struct blob *blob, const char *name)
{
    token_put(blob, 1);
    bytes_put(blob, name, strlen(name) + 1);
}

static void property_put(struct blob *blob, const char *name, const void *value, size_t size)
{
    token_put(blob, 3);
    token_put(blob, (uint32_t)size);
    token_put(blob, blob->strings_end - STRINGS_AT);
    memcpy(blob->bytes + blob->strings_end, name, strlen(name) + 1);
    blob->strings_end += (uint32_t)strlen(name) + 1;
    bytes_put(blob, value, size);
}

static void cells_put(struct blob *blob, const char *name, const uint32_t *cells, size_t count)
{
    char bytes[64];
    for (size_t i = 0; i < 4 * count; ++i) {
        bytes[i] = (char)(cells[i / 4] >> (24 - 8 * (i % 4)));
    }
    property_put(blob, name, bytes, 4 * count);
}

static struct blob blob_make(void)
{
    struct blob blob = {.nodes_end = NODES_AT, .strings_end = STRINGS_AT};
    const uint32_t two[] = {2}, memory[] = {0, 0x40000000, 1, 0x10000000}, start[] = {0x48000000};
    const uint32_t gic[] = {0, 0x8000000, 0, 0x10000, 0, 0x8010000, 0, 0x10000};
    node_begin(&blob, "");
    cells_put(&blob, "#size-cells", two, 1);
    cells_put(&blob, "#address-cells", two, 1);
    node_begin(&blob, "memory@40000000");
    cells_put(&blob, "reg", memory, 4);
    token_put(&blob, 2);
    node_begin(&blob, "soc");
    node_begin(&blob, "memory@1"); // a grandchild is not seen
    token_put(&blob, 2);
    token_put(&blob, 2);
    token_put(&blob, 4);
    node_begin(&blob, "intc");
    property_put(&blob, "compatible", "arm,gic-400\0arm,cortex-a15-gic", 31);
    cells_put(&blob, "reg", gic, 8);
    token_put(&blob, 2);
    node_begin(&blob, "chosen");
    property_put(&blob, "bootargs", "--selftest a", 13);
    cells_put(&blob, "linux,initrd-start", start, 1);
    property_put(&blob, "open", "xyz", 3);
    token_put(&blob, 2);
    token_put(&blob, 2);
    token_put(&blob, 9);
    const uint32_t header[] = {0xd00dfeed,
                               BLOB_SIZE,
                               NODES_AT,
                               STRINGS_AT,
                               RESERVED_AT,
                               17,
                               16,
                               0,
                               blob.strings_end - STRINGS_AT,
                               blob.nodes_end - NODES_AT};
    for (uint32_t i = 0; i < 10; ++i) {
        word_put(&blob, 4 * i, header[i]);
    }
    word_put(&blob, RESERVED_AT + 4, 0x5000);
    word_put(&blob, RESERVED_AT + 12, 0x3000);
    return blob;
}

START_TEST(tree_is_read)
{
    const struct blob blob = blob_make();
    struct fdt fdt;
    struct hal_region region;
    uint64_t value;
    ck_assert(fdt_open(&fdt, blob.bytes));
    uint32_t node = fdt_child(&fdt, 0);
    ck_assert_str_eq(fdt_name(&fdt, node), "memory@40000000");
    ck_assert(fdt_region(&fdt, node, 0, &region));
    ck_assert_uint_eq(region.start, 0x40000000);
    ck_assert_uint_eq(region.size, 0x110000000);
    ck_assert(!fdt_region(&fdt, node, 1, &region));
    ck_assert(!fdt_is_compatible(&fdt, node, "arm,gic-400"));
    node = fdt_child(&fdt, node);
    ck_assert_str_eq(fdt_name(&fdt, node), "soc");
    node = fdt_child(&fdt, node);
    ck_assert_str_eq(fdt_name(&fdt, node), "intc");
    ck_assert(fdt_is_compatible(&fdt, node, "arm,gic-400"));
    ck_assert(fdt_is_compatible(&fdt, node, "arm,cortex-a15-gic"));
    ck_assert(!fdt_is_compatible(&fdt, node, "arm,cortex-a15"));
    ck_assert(fdt_region(&fdt, node, 1, &region));
    ck_assert_uint_eq(region.start, 0x8010000);
    node = fdt_child(&fdt, node);
    ck_assert_str_eq(fdt_text(&fdt, node, "bootargs"), "--selftest a");
    ck_assert(fdt_number(&fdt, node, "linux,initrd-start", &value));
    ck_assert_uint_eq(value, 0x48000000);
    ck_assert(!fdt_number(&fdt, node, "bootargs", &value));
    ck_assert_ptr_null(fdt_text(&fdt, node, "open"));
    ck_assert_ptr_null(fdt_text(&fdt, node, "nothing"));
    ck_assert_uint_eq(fdt_child(&fdt, node), 0);
    ck_assert(fdt_reserved(&fdt, 0, &region));
    ck_assert_uint_eq(region.start, 0x5000);
    ck_assert_uint_eq(region.size, 0x3000);
    ck_assert(!fdt_reserved(&fdt, 1, &region));
}
END_TEST

static void tree_walk(const struct fdt *fdt)
{
    struct hal_region region;
    uint64_t value;
    int steps = 0;
    for (uint32_t node = fdt_child(fdt, 0); node != 0; node = fdt_child(fdt, node)) {
        (void)strlen(fdt_name(fdt, node));
        (void)fdt_region(fdt, node, 0, &region);
        (void)fdt_is_compatible(fdt, node, "arm,gic-400");
        (void)fdt_text(fdt, node, "bootargs");
        (void)fdt_number(fdt, node, "linux,initrd-start", &value);
        ck_assert_int_lt(++steps, BLOB_SIZE);
    }
    for (size_t i = 0; i < BLOB_SIZE && fdt_reserved(fdt, i, &region); ++i) {
    }
}

// Damage anywhere ends in fewer facts, not outside of the tree (the sanitizers and Valgrind watch a
// block of its size).
START_TEST(tree_is_damaged)
{
    char *bytes = malloc(BLOB_SIZE);
    srandom(2);
    for (int step = 0; step < 4000; ++step) {
        const struct blob blob = blob_make();
        memcpy(bytes, blob.bytes, BLOB_SIZE);
        for (int i = 0; i <= step % 3; ++i) {
            const size_t at = 8 + (size_t)random() % (blob.strings_end - 8); // not the size
            bytes[at] = step % 2 == 0 ? (char)random() : (char)(1 << random() % 8);
        }
        struct fdt fdt;
        if (fdt_open(&fdt, bytes)) {
            tree_walk(&fdt);
        }
    }
    free(bytes);
}
END_TEST

START_TEST(tree_is_none)
{
    struct fdt fdt;
    struct blob blob = blob_make();
    word_put(&blob, 0, 0xd00dfeee);
    ck_assert(!fdt_open(&fdt, blob.bytes));
    blob = blob_make();
    word_put(&blob, 36, BLOB_SIZE);
    ck_assert(!fdt_open(&fdt, blob.bytes));
}
END_TEST

// ---- Entropy ----------------------------------------------------------------

// RFC 8439, A.1, test vectors 1 and 2: key and nonce zero, blocks 0 and 1. The first half of block
// 0 becomes the key.
START_TEST(entropy_is_chacha20)
{
    static const unsigned char expected[] = {
        0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8,
        0xd8, 0x4a, 0x37, 0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87,
        0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86, 0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38,
        0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d, 0xcb, 0x0f, 0x29, 0xa0,
        0x48, 0xe3, 0x65, 0x69, 0x12, 0xc6, 0x53, 0x3e, 0x32, 0xee, 0x7a, 0xed,
    };
    static const uint32_t key[] = {0xade0b876, 0x903df1a0};
    struct entropy entropy = {.key = {0}};
    unsigned char out[sizeof expected];
    entropy_take(&entropy, out, sizeof out);
    ck_assert_mem_eq(out, expected, sizeof expected);
    ck_assert_mem_eq(entropy.key, key, sizeof key);
}
END_TEST

START_TEST(entropy_seeds_matter)
{
    struct entropy one = {.key = {0}}, other = one;
    unsigned char from_one[40], from_other[40];
    entropy_seed(&one, "abcdefghijklmnopqrstuvwxyz0123456789a", 37);
    entropy_seed(&other, "abcdefghijklmnopqrstuvwxyz0123456789b", 37);
    entropy_take(&one, from_one, sizeof from_one);
    entropy_take(&other, from_other, sizeof from_other);
    ck_assert_mem_ne(from_one, from_other, sizeof from_one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("boot_facts");
    TCase *tcase = tcase_create("all");
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, cmdline_words);
    tcase_add_test(tcase, cmdline_limits);
    tcase_add_test(tcase, image_and_loader);
    tcase_add_test(tcase, image_limits);
    tcase_add_test(tcase, image_in_the_kernel);
    tcase_add_test(tcase, memory_joins);
    tcase_add_test(tcase, memory_is_taken_out);
    tcase_add_test(tcase, memory_page_by_page);
    tcase_add_test(tcase, memory_run_by_run);
    tcase_add_test(tcase, memory_random);
    tcase_add_test(tcase, tree_is_read);
    tcase_add_test(tcase, tree_is_damaged);
    tcase_add_test(tcase, tree_is_none);
    tcase_add_test(tcase, entropy_is_chacha20);
    tcase_add_test(tcase, entropy_seeds_matter);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    const int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
