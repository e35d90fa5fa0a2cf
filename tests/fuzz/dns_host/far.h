// SPDX-License-Identifier: BSD-3-Clause
// far.h: included in front of musl's resolver and of ours, which are compiled for the host here:
// what musl's headers would say, and, in place of the host's calls, those of dns_fuzz.c.
#ifndef TESTS_FUZZ_DNS_HOST_FAR_H
#define TESTS_FUZZ_DNS_HOST_FAR_H

#define hidden
#define weak_alias(old, new)

#define clock_gettime far_clock_gettime
#define close far_close
#define connect far_connect
#define getsockname far_getsockname
#define poll far_poll
#define recv far_recv
#define send far_send
#define socket far_socket

int __res_mkquery(int operation, const char *name, int kind, int type, const unsigned char *data,
                  int data_size, const unsigned char *record, unsigned char *question, int room);
int __dn_expand(const unsigned char *begin, const unsigned char *end, const unsigned char *from,
                char *name, int room);

#endif
