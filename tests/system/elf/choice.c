// SPDX-License-Identifier: BSD-3-Clause
// choice.c: functions that a resolver chooses (IFUNC), in the program and in a library, called and
// by address.
#include <math.h>
#include <stdio.h>
#include <string.h>

static int plain(int x)
{
    return x + 1;
}

static int fancy(int x)
{
    return x + 2;
}

static int choice = 1;

static int (*resolve_own(void))(int)
{
    return choice == 1 ? fancy : plain;
}

int own(int x) __attribute__((ifunc("resolve_own")));
int library_chosen(int x);
int (*library_pointer(void))(int);

static int (*volatile own_pointer)(int) = own;
static int (*volatile chosen_pointer)(int) = library_chosen;

int main(void)
{
    printf("%d %d\n", own(1), own_pointer(1));
    printf("%d %d %d\n", library_chosen(1), chosen_pointer(1), library_pointer()(1));
    printf("%d\n", chosen_pointer == library_pointer());
    printf("%.2f %.2f %.6f %.6f\n", floor(1.5), ceil(1.5), sin(1.0), exp(1.0));
    return 0;
}
