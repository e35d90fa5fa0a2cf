// SPDX-License-Identifier: BSD-3-Clause
// limit.c: sysconf, confstr, pathconf: what does not depend on the machine.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include "same.h"

void limit_section(void)
{
    for (int i = -1; i < 260; ++i) {
        // of this machine: limits of the user, processors, memory, caches, signal frames
        switch (i) {
        case _SC_ARG_MAX:
        case _SC_CHILD_MAX:
        case _SC_OPEN_MAX:
        case _SC_SIGQUEUE_MAX:
        case _SC_NPROCESSORS_CONF:
        case _SC_NPROCESSORS_ONLN:
        case _SC_PHYS_PAGES:
        case _SC_AVPHYS_PAGES:
        case _SC_MINSIGSTKSZ:
        case _SC_SIGSTKSZ:
            continue;
        default:
            break;
        }
        if (i >= _SC_LEVEL1_ICACHE_SIZE && i <= _SC_LEVEL4_CACHE_LINESIZE) {
            continue;
        }
        errno = 0;
        long value = sysconf(i);
        printf("sysconf %d: %ld errno %d\n", i, value, errno);
    }
    for (int i = -1; i < 1160; ++i) {
        char text[256] = "";
        errno = 0;
        size_t size = confstr(i, text, sizeof text);
        if (size != 0 || errno != EINVAL) {
            printf("confstr %d: %zu \"%s\" errno %d\n", i, size, text, errno);
        }
    }
    char small[5] = "zzzz";
    NUMBER(confstr(_CS_PATH, small, sizeof small));
    TEXT(small);
    NUMBER(confstr(_CS_PATH, NULL, 0));
    RESULT(pathconf("/nosuch", _PC_NAME_MAX));
    RESULT(pathconf("", _PC_NAME_MAX));
    RESULT(pathconf("/", -1));
    RESULT(pathconf("/", 99));
    RESULT(fpathconf(-1, _PC_NAME_MAX));
    static const int names[] = {_PC_PIPE_BUF,    _PC_PATH_MAX, _PC_MAX_CANON,        _PC_MAX_INPUT,
                                _PC_VDISABLE,    _PC_NO_TRUNC, _PC_CHOWN_RESTRICTED, _PC_SYNC_IO,
                                _PC_SOCK_MAXBUF, _PC_PRIO_IO,  _PC_NAME_MAX};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i) {
        errno = 0;
        long value = pathconf("/tmp", names[i]);
        printf("pathconf %d: %ld errno %d\n", names[i], value, errno);
    }
    NUMBER(getauxval(AT_PAGESZ));
    NUMBER(getauxval(AT_CLKTCK));
    NUMBER(getauxval(AT_SECURE));
    TEXT((char *)getauxval(AT_PLATFORM));
    RESULT(getauxval(9999));
    NUMBER(getpagesize());
    NUMBER(getauxval(AT_RANDOM) != 0);
    NUMBER(PTHREAD_KEYS_MAX);
}
