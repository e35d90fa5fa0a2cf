// SPDX-License-Identifier: BSD-3-Clause
// libgone.c: the library of gone.c; with LOST only what is left of it.
int kept_function(void);
int gone_function(void);
int gone_optional(void);

int kept_function(void)
{
    return 1;
}

#ifndef LOST
int gone_data = 2;

int gone_function(void)
{
    return 3;
}

int gone_optional(void)
{
    return 4;
}
#endif

#ifdef TEXT_RELOCATION
__asm__(".text\n.quad kept_function\n");
#endif
