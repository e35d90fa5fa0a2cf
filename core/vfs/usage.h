// SPDX-License-Identifier: BSD-3-Clause
// usage.h: who has the machine's memory.
#ifndef CORE_VFS_USAGE_H
#define CORE_VFS_USAGE_H

#include <stdbool.h>
#include <stddef.h>

// In pages, a moment's. All of total is in exactly one of the others, up to `heap`.
struct memory_usage {
    size_t total; // without what the hypervisor has taken for good
    size_t free;
    size_t stores;       // free, and kept ready by CPUs
    size_t anonymous;    // mapped by the program, private copies of files' pages included
    size_t large;        // of these, mapped by 2 MiB
    size_t memory_files; // held by files in memory, mapped or not
    size_t file_pages;   // of mapped files of devices
    size_t cached;       // what shrinkers of core say to hold
    size_t stacks;       // of threads, core's own part of them
    size_t tables, rings;
    size_t lent; // to the hypervisor, which gives it back when memory ends
    size_t huge; // set aside as large pages (core/vm/hugepool.h), used or not
    size_t heap; // the rest: malloc and whatever core allocates, and what it took at boot

    // Of the address space.
    size_t mapped;       // pages of areas, there or not
    size_t mapped_files; // pages of devices' files that are there, in areas
    size_t mapped_memory_files;
    size_t mapped_huge; // of those set aside; resident is nothing of it, as Linux says
    size_t data, stack, program, libraries; // areas: private and writable, of the first thread's
                                            // stack, executable of the program, and of others
};

// Thread context; looks at each page of the address space.
void memory_usage_get(struct memory_usage *usage);

// What could be had at once, and a little less, as Linux has it.
size_t memory_usage_available(const struct memory_usage *usage);

// The same for the hypervisor: what balloon_start wants.
struct balloon_figures;
void memory_usage_figures(struct balloon_figures *figures);

// What Linux calls resident: anonymous memory, the heap's included, and mapped files.
size_t memory_usage_resident(const struct memory_usage *usage);

// Whether the area's pages are those of a file in memory.
struct vm_area_info;
bool memory_usage_is_memory_file(const struct vm_area_info *area);

#endif
