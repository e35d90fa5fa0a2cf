// SPDX-License-Identifier: BSD-3-Clause
// libdl_local.c: a library that dlopen brings; it uses the program's symbol and its own.
extern int program_symbol(void);
int local_helper(void);
int local_function(void);

// Pointers that are relocated: with RELR, and through a SysV hash table, by the options of
// BUILD.bazel.
static int (*const table[])(void) = {local_helper, program_symbol, local_helper};

#ifdef STRICT
extern int strictly_nowhere(void);
#else
#define strictly_nowhere() 5
#endif

int local_helper(void)
{
    return strictly_nowhere();
}

int local_function(void)
{
    int sum = 0;
    for (unsigned i = 0; i < 3; i++) {
        sum = 10 * sum + table[i]();
    }
    return sum;
}
