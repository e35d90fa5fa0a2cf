// SPDX-License-Identifier: BSD-3-Clause
// areaname.c: names of anonymous memory. A name is kept once, so that areas of the same name have
// the same pointer; areas do not count who uses it, and when there are twice as many names as were
// in use the last time, those of which no area knows are given up.
#include "core/vm/areaname.h"

#include "core/lib/errno.h"
#include "core/lib/format.h"
#include "core/lib/list.h"
#include "core/lib/string.h"
#include "core/mem/heap.h"
#include "core/vm/area.h"
#include "core/vm/change.h"

enum { NAMES_FEW = 64, TEXT_SIZE = AREA_NAME_MAX + sizeof "[anon:]" };

struct area_name {
    struct area_name *next;
    bool is_used; // while they are looked through
    char text[TEXT_SIZE];
};

// Under the mutex.
static struct area_name *names;
static size_t name_count, name_limit = NAMES_FEW;

static bool is_given(const struct area *area)
{
    return area->name != NULL && strncmp(area->name, "[anon:", 6) == 0;
}

static struct area_name *name_of(const struct area *area)
{
    return container_of((char *)(uintptr_t)area->name, struct area_name, text[0]);
}

// Takes the names that no area has out of the list, and answers them.
static struct area_name *names_sweep(void)
{
    struct area_name *unused = NULL;
    for (const struct area *area = area_first(NULL, (char *)UINTPTR_MAX); area != NULL;
         area = area->above) {
        if (is_given(area)) {
            name_of(area)->is_used = true;
        }
    }
    struct area_name **link = &names;
    while (*link != NULL) {
        struct area_name *name = *link;
        if (name->is_used) {
            name->is_used = false;
            link = &name->next;
        } else {
            *link = name->next;
            name->next = unused;
            unused = name;
            --name_count;
        }
    }
    name_limit = 2 * name_count > NAMES_FEW ? 2 * name_count : (size_t)NAMES_FEW;
    return unused;
}

// The one with the text of fresh, which becomes NULL where it is that one itself.
static const char *name_keep(struct area_name **fresh)
{
    struct area_name *name = names;
    while (name != NULL && strcmp(name->text, (*fresh)->text) != 0) {
        name = name->next;
    }
    if (name == NULL) {
        name = *fresh;
        name->next = names;
        names = name;
        ++name_count;
        *fresh = NULL;
    }
    return name->text;
}

// The range's borders are areas'. Answers where it ends, and where the first file is.
static int areas_name(char *start, char *end, const char *name)
{
    char *at = start;
    bool has_hole = false;
    for (struct area *area = area_first(start, end); area != NULL; area = area_after(area, end)) {
        has_hole |= area->start > at;
        at = area->end;
        if (area->pager != NULL) {
            return -EBADF;
        }
        if (area->name == NULL || is_given(area)) {
            area->name = name;
        }
    }
    return has_hole || at < end ? -ENOMEM : 0;
}

int vm_range_name(char *va, size_t size, const char *name)
{
    struct area_name *fresh = name != NULL ? heap_alloc(sizeof *fresh) : NULL;
    if (name != NULL && fresh == NULL) {
        return -ENOMEM;
    }
    if (fresh != NULL) {
        *fresh = (struct area_name){.next = NULL};
        format(fresh->text, sizeof fresh->text, "[anon:%s]", name);
    }
    struct change change;
    int error = change_begin(&change);
    if (error != 0) {
        heap_free(fresh);
        return error;
    }
    const char *text = fresh != NULL ? name_keep(&fresh) : NULL;
    range_isolate(va, va + size);
    error = areas_name(va, va + size, text);
    range_merge(&change, va, va + size);
    struct area_name *unused = name_count > name_limit ? names_sweep() : NULL;
    change_end(&change);
    heap_free(fresh);
    while (unused != NULL) {
        struct area_name *next = unused->next;
        heap_free(unused);
        unused = next;
    }
    return error;
}
