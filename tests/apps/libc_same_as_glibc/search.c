// SPDX-License-Identifier: BSD-3-Clause
// search.c: sorting and searching.
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "same.h"

static int comparisons;

struct pair {
    int key, order;
};

static int pair_compare(const void *a, const void *b)
{
    ++comparisons;
    return ((const struct pair *)a)->key - ((const struct pair *)b)->key;
}

static int int_compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int context_compare(const void *a, const void *b, void *context)
{
    ++*(int *)context;
    return *(const int *)a - *(const int *)b;
}

void search_section(void)
{
    static struct pair pairs[200];
    for (int i = 0; i < 200; ++i) {
        pairs[i] = (struct pair){i * 7 % 13, i};
    }
    qsort(pairs, 200, sizeof pairs[0], pair_compare);
    for (int i = 0; i < 200; ++i) {
        printf("%d/%d ", pairs[i].key, pairs[i].order);
    }
    puts("");
    NUMBER(comparisons);
    int context = 0;
    int numbers[] = {5, 3, 9, 1, 7};
    qsort_r(numbers, 5, sizeof numbers[0], context_compare, &context);
    printf("%d %d %d %d\n", numbers[0], numbers[2], numbers[4], context);
    NUMBER((int *)bsearch(&(int){7}, numbers, 5, sizeof numbers[0], int_compare) - numbers);
    NUMBER(bsearch(&(int){8}, numbers, 5, sizeof numbers[0], int_compare) == NULL);
    size_t count = 5;
    int more[8] = {5, 3, 9, 1, 7};
    NUMBER((int *)lfind(&(int){9}, more, &count, sizeof more[0], int_compare) - more);
    NUMBER((int *)lsearch(&(int){10}, more, &count, sizeof more[0], int_compare) - more);
    NUMBER(count);
    void *root = NULL;
    static int values[] = {5, 2, 8, 1, 9, 3, 7, 4, 6};
    for (int i = 0; i < 9; ++i) {
        NUMBER(**(int **)tsearch(&values[i], &root, int_compare));
    }
    NUMBER(**(int **)tfind(&values[3], &root, int_compare));
    NUMBER(tdelete(&values[0], &root, int_compare) != NULL);
    NUMBER(tdelete(&(int){77}, &root, int_compare) == NULL);
    NUMBER(tfind(&values[0], &root, int_compare) == NULL);
    struct element {
        struct element *next, *previous;
    } one = {0}, two = {0};
    insque(&one, NULL);
    insque(&two, &one);
    NUMBER(one.next == &two && two.previous == &one);
    remque(&two);
    NUMBER(one.next == NULL);
}
