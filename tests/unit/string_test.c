// SPDX-License-Identifier: BSD-3-Clause
// string_test.c: core/lib's string functions against loops, right before the end of readable
// memory.
#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "core/lib/string.h"

enum { PAGE = 4096, SIZE = 3 * PAGE, ROUNDS = 20000, LENGTH_MAX = 300 };

static unsigned seed = 1;

static unsigned next(unsigned bound)
{
    seed = seed * 1103515245u + 12345u;
    return (seed >> 8) % bound;
}

// SIZE bytes with an unreadable page behind them.
static char *guarded(void)
{
    char *memory =
        mmap(NULL, SIZE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + SIZE, PAGE, PROT_NONE), 0);
    return memory;
}

static char *place(char *memory, size_t size)
{
    return next(2) == 0 ? memory + SIZE - size : memory + next(PAGE);
}

static void fill(char *text, size_t size)
{
    for (size_t i = 0; i < size; ++i) {
        text[i] = (char)('a' + next(3));
    }
}

static void expect(bool condition)
{
    if (!condition) { // ck_assert writes to a pipe each time
        ck_abort();
    }
}

static int sign(int value)
{
    return (value > 0) - (value < 0);
}

START_TEST(moves_and_fills)
{
    char *from = guarded(), *to = guarded();
    for (int round = 0; round < ROUNDS; ++round) {
        size_t size = next(round % 16 == 0 ? 2 * PAGE : LENGTH_MAX);
        char *a = place(from, size), *b = place(to, size);
        fill(a, size < 64 ? size : 64);
        ck_assert_ptr_eq(memcpy(b, a, size), b);
        for (size_t i = 0; i < size; ++i) {
            expect(a[i] == b[i]);
        }
        size_t shift = size == 0 ? 0 : next((unsigned)size);
        char first = size == 0 ? 0 : b[0], last = size == 0 ? 0 : b[shift];
        memmove(b + shift, b, size - shift);
        expect(shift == 0 || size == 0 || b[shift] == first || last == first);
        memset(b, 'z', size);
        for (size_t i = 0; i < size; ++i) {
            expect(b[i] == 'z');
        }
    }
}
END_TEST

START_TEST(overlapping_moves_keep_every_byte)
{
    static char bytes[4 * PAGE];
    for (int round = 0; round < 5000; ++round) {
        size_t size = next(1000), from = 1000 + next(500), to = 1000 + next(500);
        for (size_t i = 0; i < 3000; ++i) {
            bytes[i] = (char)(i * 7 + i / 256);
        }
        memmove(bytes + to, bytes + from, size);
        for (size_t i = 0; i < size; ++i) {
            size_t source = from + i;
            expect(bytes[to + i] == (char)(source * 7 + source / 256));
        }
    }
}
END_TEST

// One look at every searching function, on a string of at most size - 1 bytes.
static void search(char *a, char *b, size_t size)
{
    size_t length = 0;
    while (a[length] != 0) {
        ++length;
    }
    expect(strlen(a) == length);
    size_t limit = next((unsigned)size);
    expect(strnlen(a, limit) == (limit < length ? limit : length));
    char wanted = (char)('a' + next(4));
    char *first = NULL, *last = NULL;
    for (size_t i = 0; i < length; ++i) {
        first = first == NULL && a[i] == wanted ? a + i : first;
        last = a[i] == wanted ? a + i : last;
    }
    expect(strchr(a, wanted) == first);
    expect(strrchr(a, wanted) == last);
    expect(strchrnul(a, wanted) == (first == NULL ? a + length : first));
    expect(memchr(a, wanted, length) == first);
    expect(strchr(a, 0) == a + length);
    size_t same = 0;
    while (same < size && a[same] == b[same] && a[same] != 0) {
        ++same;
    }
    int order = (unsigned char)a[same] - (unsigned char)b[same];
    ck_assert_int_eq(sign(strcmp(a, b)), sign(order));
    ck_assert_int_eq(sign(strncmp(a, b, limit)), limit <= same ? 0 : sign(order));
    ck_assert_int_eq(sign(memcmp(a, b, same)), 0);
}

START_TEST(searches_and_compares)
{
    char *x = guarded(), *y = guarded();
    for (int round = 0; round < ROUNDS; ++round) {
        size_t size = 1 + next(LENGTH_MAX);
        char *a = place(x, size), *b = place(y, size);
        fill(a, size);
        a[size - 1] = 0;
        memcpy(b, a, size);
        if (next(2) == 0) {
            b[next((unsigned)size)] ^= (char)(next(2) == 0 ? 0x80 : 1);
            b[size - 1] = 0;
        }
        search(a, b, size);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("string");
    TCase *all = tcase_create("string");
    tcase_set_timeout(all, 120);
    tcase_add_test(all, moves_and_fills);
    tcase_add_test(all, overlapping_moves_keep_every_byte);
    tcase_add_test(all, searches_and_compares);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
