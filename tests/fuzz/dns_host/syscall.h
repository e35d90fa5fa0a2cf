// SPDX-License-Identifier: BSD-3-Clause
// syscall.h: in place of musl's, of which the resolver needs nothing.
#ifndef TESTS_FUZZ_DNS_HOST_SYSCALL_H
#define TESTS_FUZZ_DNS_HOST_SYSCALL_H
#endif
