// SPDX-License-Identifier: BSD-3-Clause
// calls.c: makes a known number of system calls, one of them unknown to core, and touches 8 MiB.
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { CALLS = 1000, SIZE = 8 << 20 };

int main(void)
{
    for (int i = 0; i < CALLS; ++i) {
        getppid();
    }
    char *block = malloc(SIZE);
    memset(block, 1, SIZE);
    __asm__ volatile("" : : "r"(block) : "memory");
    free(block);
    syscall(SYS_acct, NULL);
    usleep(2000);
    return 0;
}
