// SPDX-License-Identifier: BSD-3-Clause
// vm_host.h: the machine under core/vm in its tests: one CPU, one thread, 64 MiB.
#ifndef TESTS_UNIT_VM_HOST_H
#define TESTS_UNIT_VM_HOST_H

#include <stdbool.h>
#include <stddef.h>

#include "hal/hal.h"

enum { MIB = 1 << 20, PAGE = HAL_PAGE_SIZE, RW = HAL_READ | HAL_WRITE };
enum { MEMORY = 64 * MIB, WINDOW = 256 * MIB, LOW = 64 * MIB };
enum { WINDOW_PAGES = WINDOW / PAGE, LOW_PAGES = LOW / PAGE };

#define WINDOW_BASE ((char *)0x200000000000)
#define LOW_BASE ((char *)0x400000)

struct translation {
    hal_phys pa; // 0: none
    unsigned prot;
    bool starts; // a mapping begins here: it need not be cut
};

struct translation *translation_of(const char *va);
extern size_t map_calls, map_failures;

extern void (*vm_host_unmaps)(void); // called by hal_unmap; NULL: nobody

extern long fail_after; // calls that may fail until one does; -1: none does
bool fails(void);       // for what the test itself provides

extern size_t vm_host_eager_max; // set before boot; SIZE_MAX

extern bool vm_host_is_out, vm_host_gives; // of single frames; whether shrinkers give some back
extern size_t vm_host_waits;               // so often they were asked

void boot(void);
extern size_t free_at_start; // frames

// What a program's access does: by a fault where need be. False: it is not allowed, or not
// possible.
bool touch(char *va, unsigned access);
unsigned char *bytes_of(char *va); // where the page is

// Of each page the first and the last byte.
void fill(char *va, size_t size, unsigned char byte);
void expect(char *va, size_t size, unsigned char byte);

size_t areas(void); // how many there are

extern bool vm_host_may_wait; // by a pager's prepare: a fault that has called it wakes its thread

#endif
