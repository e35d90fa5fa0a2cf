// SPDX-License-Identifier: BSD-3-Clause
// libchoice.c: the library's half of choice.c.
int library_value = 10;

static int first(int x)
{
    return x + library_value;
}

static int second(int x)
{
    return x - library_value;
}

// Reads relocated data: resolvers run after all relocations.
static int *volatile where = &library_value;

static int (*resolve(void))(int)
{
    return *where == 10 ? first : second;
}

int library_chosen(int x) __attribute__((ifunc("resolve")));

int (*library_pointer(void))(int)
{
    return library_chosen;
}
