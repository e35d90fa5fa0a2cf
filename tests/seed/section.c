// SPDX-License-Identifier: BSD-3-Clause
// section.c: see section.h.
#include "section.h"

#include "core/lib/string.h"
#include "seed.h"

struct mutex section_mutex;
static int inside;

void section_reset(void)
{
    memset(&section_mutex, 0, sizeof section_mutex);
    inside = 0;
}

void section_check(void)
{
    seed_check(atomic_load(&section_mutex.claims) == 0, "a claim on the mutex was left");
}

void section_enter(void)
{
    seed_check(mutex_is_mine(&section_mutex), "not the owner");
    seed_check(inside++ == 0, "two threads hold the mutex");
}

void section_leave(void)
{
    seed_check(--inside == 0, "two threads hold the mutex");
}

void section_lock(void)
{
    mutex_lock(&section_mutex);
    section_enter();
}

void section_unlock(void)
{
    section_leave();
    mutex_unlock(&section_mutex);
}
