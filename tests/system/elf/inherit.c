// SPDX-License-Identifier: BSD-3-Clause
// inherit.c: DT_RPATH, with tokens in it, counts for the libraries of libraries too.
#include <stdio.h>

int outer_function(void);

int main(void)
{
    printf("%d\n", outer_function());
    return 0;
}
