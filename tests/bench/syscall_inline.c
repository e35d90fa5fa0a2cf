// SPDX-License-Identifier: BSD-3-Clause
// syscall_inline.c: cost of a system call by the instruction itself, as programs without a C library make it.
#include "bench.h"
#include <sys/syscall.h>

static void f_inline(void *a, uint64_t n)
{
    (void)a;
    while (n--) {
        long result = SYS_getppid;
        __asm__ volatile("syscall" : "+a"(result) : : "rcx", "r11", "memory");
    }
}

int main(void)
{
    bench_pin(0);
    bench_ns("syscall_inline_getppid", f_inline, NULL);
    return 0;
}
