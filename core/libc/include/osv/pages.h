// SPDX-License-Identifier: BSD-3-Clause
// pages.h: how a program sees its own page tables: which pages are there, how large, and which were
// written since it looked last. For garbage collectors, checkpoints and the like.
//
// For programs: <osv/pages.h> by -I core/libc/include; C++ includes it within extern "C". The
// functions are weak, so that a program that uses them also starts on Linux, where they are NULL;
// tests/system/pages/collector.c is an example.
//
// They see memory that mmap and brk have made. Blocks of malloc below 1 MiB are not among it.
#ifndef CORE_LIBC_INCLUDE_OSV_PAGES_H
#define CORE_LIBC_INCLUDE_OSV_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct osv_page {
    char *start; // a multiple of size
    size_t size; // 4096, or 2 MiB where the machine maps so much at once
    bool is_writable, is_executable;
    bool is_dirty; // see osv_pages_take_dirty
};

// Calls visit for each page that is there in [start, start + size), in ascending order, until it
// says false. The first may begin before start, the last end behind it. Other threads may map and
// unmap meanwhile; visit may, too. 0; -1: errno is EINVAL (start or size is no multiple of 4096, or
// the range goes round).
__attribute__((weak)) int osv_pages_walk(void *start, size_t size,
                                         bool (*visit)(const struct osv_page *page, void *argument),
                                         void *argument);

// bits[i / 64] >> i % 64 & 1 becomes 1 where page i of 4096 bytes of [start, start + size) may have
// been written since the last call that was for it, or since it came to be there or mprotect
// changed what may be done with it; else 0. A write that another thread makes meanwhile is in this
// answer or in the next one, never in none: who reads the pages after the call has seen all that
// this answer is about. What came in 2 MiB is dirty in all its pages once one is written. Pages
// that are not there are not dirty.
//
// The kernels ask the processor. osv-sim protects pages whose marks were taken, so that the first
// write to each costs a fault; under Valgrind it says that every page is dirty that is there.
//
// bits has a bit for each page, in whole words. 0; -1: errno is EINVAL (no multiple of 4096, or no
// range where mmap makes mappings), ENOMEM or EFAULT (bits is not there: the marks are taken).
__attribute__((weak)) int osv_pages_take_dirty(void *start, size_t size, uint64_t *bits);

#endif
