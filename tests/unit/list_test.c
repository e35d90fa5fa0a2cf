// SPDX-License-Identifier: BSD-3-Clause
// list_test.c: a list keeps its order and its ring, whatever is put in and taken out.
#include "core/lib/list.h"

#include <check.h>
#include <stdlib.h>

struct item {
    int number;
    struct list node;
};

static int number_of(struct list *node)
{
    return container_of(node, struct item, node)->number;
}

START_TEST(order_is_kept)
{
    struct list list = LIST_EMPTY(list);
    struct item items[4] = {{.number = 0}, {.number = 1}, {.number = 2}, {.number = 3}};
    ck_assert(list_is_empty(&list));
    list_push_back(&list, &items[1].node);
    list_push_back(&list, &items[2].node);
    list_push_front(&list, &items[0].node);
    list_insert_after(&items[2].node, &items[3].node);
    int expected = 0;
    struct list *node;
    list_for_each(node, &list) {
        ck_assert_int_eq(number_of(node), expected++);
    }
    ck_assert_int_eq(expected, 4);
    for (int i = 0; i < 4; ++i) {
        ck_assert_int_eq(number_of(list_pop_front(&list)), i);
    }
    ck_assert(list_is_empty(&list));
    ck_assert_ptr_null(list_pop_front(&list));
}
END_TEST

START_TEST(removing_twice_is_harmless)
{
    struct list list = LIST_EMPTY(list);
    struct item items[3];
    for (int i = 0; i < 3; ++i) {
        items[i].number = i;
        list_push_back(&list, &items[i].node);
    }
    list_remove(&items[1].node);
    list_remove(&items[1].node);
    ck_assert(list_is_empty(&items[1].node));
    ck_assert_int_eq(number_of(list_pop_front(&list)), 0);
    ck_assert_int_eq(number_of(list_pop_front(&list)), 2);
    ck_assert(list_is_empty(&list));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("list");
    TCase *tests = tcase_create("unit");
    tcase_add_test(tests, order_is_kept);
    tcase_add_test(tests, removing_twice_is_harmless);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
