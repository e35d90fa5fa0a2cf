// SPDX-License-Identifier: BSD-3-Clause
// libdl_versions.c: a library with two versions of a function.
int versioned_1(void);
int versioned_2(void);
int only_old_1(void);
int library_place(int x);

int versioned_1(void)
{
    return 1;
}

int versioned_2(void)
{
    return 2;
}

int only_old_1(void)
{
    return 3;
}

int library_place(int x)
{
    return x * x + 1;
}

__asm__(".symver versioned_1, versioned@OLD_1");
__asm__(".symver versioned_2, versioned@@NEW_2");
__asm__(".symver only_old_1, only_old@OLD_1");
