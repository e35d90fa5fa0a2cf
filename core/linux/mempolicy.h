// SPDX-License-Identifier: BSD-3-Clause
// mempolicy.h: on which node memory is wanted: set_mempolicy(2) and its kin, as Linux answers.
// Pages that are there are not moved: move_pages(2) says EBUSY of them.
#ifndef CORE_LINUX_MEMPOLICY_H
#define CORE_LINUX_MEMPOLICY_H

#include <stddef.h>
#include <stdint.h>

enum { SYS_set_mempolicy_home_node = 450 }; // newer than musl

long linux_set_mempolicy(int mode, const uint64_t *nodes, unsigned long bits);
long linux_get_mempolicy(int *mode, uint64_t *nodes, unsigned long bits, char *va,
                         unsigned long flags);
long linux_mbind(char *start, size_t size, int mode, const uint64_t *nodes, unsigned long bits,
                 unsigned flags);
long linux_set_mempolicy_home_node(char *start, size_t size, unsigned long home,
                                   unsigned long flags);
long linux_migrate_pages(int32_t id, unsigned long bits, const uint64_t *from, const uint64_t *to);
long linux_move_pages(int32_t id, unsigned long count, char *const *pages, const int *nodes,
                      int *status, int flags);

// A mapping's policy as numa(7) writes it; 0: the calling thread's.
struct writer;
void mempolicy_put(struct writer *writer, uint32_t id);

#endif
