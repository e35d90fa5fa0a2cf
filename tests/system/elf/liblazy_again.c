// SPDX-License-Identifier: BSD-3-Clause
// liblazy_again.c: WAITS: a constructor that asks the program to wait for a thread; else a function
// with many first calls, which sum up to 1000.
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#ifdef WAITS
int wait_for_thread(void);
int lazy_answer;

__attribute__((constructor)) static void start(void)
{
    lazy_answer = wait_for_thread();
}
#else
long lazy_again(void);

long lazy_again(void)
{
    char text[64];
    strcpy(text, "one");
    strcat(text, "two");
    long sum = (long)strlen(text) + (strchr(text, 't') != NULL) + (strstr(text, "two") != NULL);
    sum += strncmp(text, "one", 3) == 0;
    sum += strrchr(text, 'z') == NULL;
    sum += (long)strspn(text, "one");
    sum += atol("10") + labs(-20) + strtol("30", NULL, 10) + abs(-1) + atoi("2");
    sum += tolower('A') == 'a';
    sum += toupper('a') == 'A';
    return sum + 1000 - 78;
}
#endif
