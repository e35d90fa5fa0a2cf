// SPDX-License-Identifier: BSD-3-Clause
// libunload.c: the libraries of unload.c and scopes.c, one per NAME: each says when it starts and
// ends, counts its calls, and asks others. NEEDS: another that it is linked with. USES: another
// that it is not linked with.
#include <stdio.h>
#include <stdlib.h>

#define JOIN_OF(a, b) a##b
#define JOIN(a, b) JOIN_OF(a, b)
#define TEXT_OF(a) #a
#define TEXT(a) TEXT_OF(a)

int JOIN(NAME, _count)(void);
int JOIN(NAME, _ask)(void);
const char *who(void);

static _Thread_local int calls;

__attribute__((constructor)) static void start(void)
{
#ifndef QUIET
    printf("+%s\n", TEXT(NAME));
#endif
}

__attribute__((destructor)) static void end(void)
{
#ifndef QUIET
    printf("-%s %d\n", TEXT(NAME), calls);
#endif
}

int JOIN(NAME, _count)(void)
{
    return ++calls;
}

// Who defines it is a matter of scopes.
const char *who(void)
{
    return TEXT(NAME);
}

const char *JOIN(NAME, _who)(void);
const char *JOIN(NAME, _who)(void)
{
    return who();
}

#ifdef AT_EXIT
static void at_exit(void)
{
    printf("atexit of %s\n", TEXT(NAME));
}

void JOIN(NAME, _at_exit)(void);
void JOIN(NAME, _at_exit)(void)
{
    atexit(at_exit);
}
#endif

#ifdef NEEDS
int JOIN(NEEDS, _count)(void);

int JOIN(NAME, _ask)(void)
{
    return JOIN(NEEDS, _count)();
}
#endif

#ifdef USES
int JOIN(USES, _count)(void);

int JOIN(NAME, _use)(void);
int JOIN(NAME, _use)(void)
{
    return JOIN(USES, _count)();
}
#endif
