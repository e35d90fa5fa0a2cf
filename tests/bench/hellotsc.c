// SPDX-License-Identifier: BSD-3-Clause
// hellotsc.c: hello with the time stamp counter.  Under "-accel tcg -icount shift=0, sleep=off"
// the counter is guest instructions since machine reset, firmware included, so the value is a
// deterministic boot cost.
#include <stdio.h>
#include <x86intrin.h>

int main(void)
{
    unsigned long long t = __rdtsc();
    printf("tsc_at_main %llu ticks\nhello from main\n", t);
    fflush(stdout);
    return 0;
}
