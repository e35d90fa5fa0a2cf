// SPDX-License-Identifier: BSD-3-Clause
// tree_test.c: a tree is sorted, equal elements keep their order, and it does not degenerate.
#include "core/lib/tree.h"

#include <check.h>
#include <stdlib.h>

#include "core/lib/list.h"

enum { ITEMS = 2000, KEYS = 300 };

struct item {
    struct tree_node node;
    int key;
    unsigned serial; // of its insertion
    bool is_in;
};

static struct item items[ITEMS];
static struct tree tree;

static struct item *item_of(struct tree_node *node)
{
    return container_of(node, struct item, node);
}

static bool key_is_less(const struct tree_node *a, const struct tree_node *b)
{
    return container_of(a, struct item, node)->key < container_of(b, struct item, node)->key;
}

static void check_order(unsigned expected)
{
    unsigned count = 0;
    struct item *last = NULL;
    for (struct tree_node *node = tree_first(&tree); node != NULL; node = tree_next(node)) {
        struct item *item = item_of(node);
        ck_assert(item->is_in);
        ck_assert(last == NULL || last->key < item->key ||
                  (last->key == item->key && last->serial < item->serial));
        ck_assert(tree_previous(node) == (last == NULL ? NULL : &last->node));
        last = item;
        ++count;
    }
    ck_assert_uint_eq(count, expected);
    ck_assert(tree_last(&tree) == (last == NULL ? NULL : &last->node));
    ck_assert(tree_is_empty(&tree) == (expected == 0));
}

static unsigned depth_of(struct tree_node *node)
{
    unsigned depth = 0;
    for (; node != NULL; node = node->parent) {
        ++depth;
    }
    return depth;
}

START_TEST(random_changes_keep_the_order)
{
    unsigned count = 0;
    srandom(1);
    for (unsigned turn = 0; turn < 20000; ++turn) {
        struct item *item = &items[random() % ITEMS];
        if (item->is_in) {
            tree_remove(&tree, &item->node);
            --count;
        } else {
            item->key = (int)(random() % KEYS);
            item->serial = turn;
            tree_insert(&tree, &item->node, key_is_less);
            ++count;
        }
        item->is_in = !item->is_in;
        if (turn % 500 == 0) {
            check_order(count);
        }
    }
    check_order(count);
    for (unsigned i = 0; i < ITEMS; ++i) {
        if (items[i].is_in) {
            tree_remove(&tree, &items[i].node);
            items[i].is_in = false;
        }
    }
    check_order(0);
}
END_TEST

START_TEST(sorted_insertion_stays_shallow)
{
    for (int i = 0; i < ITEMS; ++i) {
        items[i] = (struct item){.key = i, .serial = (unsigned)i, .is_in = true};
        tree_insert(&tree, &items[i].node, key_is_less);
    }
    check_order(ITEMS);
    unsigned deepest = 0;
    for (int i = 0; i < ITEMS; ++i) {
        unsigned depth = depth_of(&items[i].node);
        deepest = depth > deepest ? depth : deepest;
    }
    ck_assert_uint_le(deepest, 60); // log2 is 11; a list would be 2000
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tree");
    TCase *tests = tcase_create("unit");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, random_changes_keep_the_order);
    tcase_add_test(tests, sorted_insertion_stays_shallow);
    suite_add_tcase(suite, tests);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
