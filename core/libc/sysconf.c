// SPDX-License-Identifier: BSD-3-Clause
// sysconf.c: limits and options, with glibc's numbers and values: what is fixed is in the table (0
// there: no such limit, -1 without an error), what depends on the machine is asked.
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "core/libc/export.h"
#include "core/sched/thread.h"

enum {
    NAME_COUNT = 251,
    ARGUMENT_MAX_LEAST = 131072,
    GROUPS_MAX = 65536,
    CACHE_FIRST = 185,
    CACHE_LAST = 199,
};

#define INVALID LONG_MIN
#define ZERO (LONG_MIN + 1)

// No limit is 0 or -1 itself: where glibc answers 0 the table has ZERO.
static const long fixed[NAME_COUNT] = {
    [2] = 100,
    [5] = 16,
    [7] = 1,
    [8] = 1,
    [9] = 200809,
    [10] = 200809,
    [11] = 200809,
    [12] = 200809,
    [13] = 200809,
    [14] = 200809,
    [15] = 200809,
    [16] = 200809,
    [17] = 200809,
    [18] = 200809,
    [19] = 200809,
    [20] = 200809,
    [21] = 200809,
    [22] = 200809,
    [25] = 20,
    [26] = 2147483647,
    [28] = 32768,
    [29] = 200809,
    [31] = 32,
    [33] = 2147483647,
    [36] = 99,
    [37] = 2048,
    [38] = 99,
    [39] = 1000,
    [40] = 255,
    [41] = INVALID,
    [42] = 32,
    [43] = 2048,
    [44] = 32767,
    [45] = 2048,
    [46] = 200809,
    [47] = 200809,
    [48] = 200809,
    [51] = 200809,
    [52] = 200809,
    [60] = 1024,
    [67] = 200809,
    [68] = 200809,
    [69] = 1024,
    [70] = 1024,
    [71] = 256,
    [72] = 32,
    [73] = 4,
    [74] = 1024,
    [75] = 16384,
    [77] = 200809,
    [78] = 200809,
    [79] = 200809,
    [80] = 200809,
    [81] = 200809,
    [82] = 200809,
    [87] = 2147483647,
    [88] = 8192,
    [89] = 700,
    [90] = 4,
    [91] = 1,
    [93] = 1,
    [94] = 1,
    [95] = 200809,
    [96] = 200809,
    [98] = 1,
    [99] = 1,
    [100] = 1,
    [101] = 8,
    [102] = 127,
    [103] = -128,
    [104] = 2147483647,
    [105] = -2147483647 - 1,
    [106] = 64,
    [107] = 32,
    [108] = 16,
    [109] = 20,
    [110] = 32767,
    [111] = 127,
    [112] = -128,
    [113] = 32767,
    [114] = -32768,
    [115] = 255,
    [116] = 4294967295,
    [118] = 65535,
    [119] = 4096,
    [120] = 2048,
    [121] = 2147483647,
    [122] = 2147483647,
    [123] = 2147483647,
    [124] = 2147483647,
    [127] = 1,
    [129] = 1,
    [130] = 1,
    [131] = 1,
    [132] = 200809,
    [133] = 200809,
    [137] = 200809,
    [138] = 200809,
    [139] = 200809,
    [149] = 200809,
    [153] = 200809,
    [154] = 200809,
    [155] = 1,
    [157] = 1,
    [159] = 200809,
    [164] = 200809,
    [178] = 1,
    [180] = 64,
    [200] = INVALID,
    [201] = INVALID,
    [202] = INVALID,
    [203] = INVALID,
    [204] = INVALID,
    [205] = INVALID,
    [206] = INVALID,
    [207] = INVALID,
    [208] = INVALID,
    [209] = INVALID,
    [210] = INVALID,
    [211] = INVALID,
    [212] = INVALID,
    [213] = INVALID,
    [214] = INVALID,
    [215] = INVALID,
    [216] = INVALID,
    [217] = INVALID,
    [218] = INVALID,
    [219] = INVALID,
    [220] = INVALID,
    [221] = INVALID,
    [222] = INVALID,
    [223] = INVALID,
    [224] = INVALID,
    [225] = INVALID,
    [226] = INVALID,
    [227] = INVALID,
    [228] = INVALID,
    [229] = INVALID,
    [230] = INVALID,
    [231] = INVALID,
    [232] = INVALID,
    [233] = INVALID,
    [234] = INVALID,
    [235] = 200809,
    [236] = 200809,
    [239] = 1,
    [241] = INVALID,
    [247] = INVALID,
    [248] = INVALID,
    [249] = 2048,
    [250] = 8192,
};

static long resource_limit(int resource)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
        return -1;
    }
    return (long)limit.rlim_cur;
}

static long argument_max(void)
{
    long quarter = resource_limit(RLIMIT_STACK) / 4;
    return quarter > ARGUMENT_MAX_LEAST ? quarter : ARGUMENT_MAX_LEAST;
}

static long page_count(bool free_ones)
{
    struct sysinfo info;
    if (sysinfo(&info) != 0) {
        return -1;
    }
    unsigned long bytes = (free_ones ? info.freeram : info.totalram) * info.mem_unit;
    return (long)(bytes / HAL_PAGE_SIZE);
}

EXPORT(long, sysconf, int name)
{
    switch (name) {
    case _SC_ARG_MAX:
        return argument_max();
    case _SC_CHILD_MAX:
        return resource_limit(RLIMIT_NPROC);
    case _SC_NGROUPS_MAX:
        return GROUPS_MAX;
    case _SC_OPEN_MAX:
        return resource_limit(RLIMIT_NOFILE);
    case _SC_SIGQUEUE_MAX:
        return resource_limit(RLIMIT_SIGPENDING);
    case _SC_PAGE_SIZE:
        return HAL_PAGE_SIZE;
    case _SC_NPROCESSORS_CONF:
    case _SC_NPROCESSORS_ONLN:
        return sched_cpu_count();
    case _SC_PHYS_PAGES:
        return page_count(false);
    case _SC_AVPHYS_PAGES:
        return page_count(true);
    default:
        break;
    }
    if (name >= CACHE_FIRST && name <= CACHE_LAST) {
        return 0;
    }
    if (name < 0 || name >= NAME_COUNT || fixed[name] == INVALID) {
        errno = EINVAL;
        return -1;
    }
    return fixed[name] == 0 ? -1 : fixed[name] == ZERO ? 0 : fixed[name];
}

EXPORT(long, __sysconf, int name)
{
    return glibc_sysconf(name);
}

EXPORT(int, get_nprocs, void)
{
    return (int)sched_cpu_count();
}

EXPORT(int, get_nprocs_conf, void)
{
    return (int)sched_cpu_count();
}

static long path_limit(int name)
{
    return name == _PC_SYNC_IO ? -1 : fpathconf(0, name);
}

EXPORT(long, pathconf, const char *path, int name)
{
    struct statfs status;
    if (*path == 0) {
        errno = ENOENT;
        return -1;
    }
    if (name < 0 || name > _PC_2_SYMLINKS) {
        errno = EINVAL;
        return -1;
    }
    if (statfs(path, &status) != 0) {
        return -1;
    }
    return name == _PC_NAME_MAX ? (long)status.f_namelen : path_limit(name);
}

EXPORT(long, fpathconf, int fd, int name)
{
    struct statfs status;
    if (fd < 0) {
        errno = EBADF;
        return -1;
    }
    if (name < 0 || name > _PC_2_SYMLINKS) {
        errno = EINVAL;
        return -1;
    }
    if (fstatfs(fd, &status) != 0) {
        return -1;
    }
    return name == _PC_NAME_MAX ? (long)status.f_namelen : path_limit(name);
}

EXPORT(int, getpagesize, void)
{
    return HAL_PAGE_SIZE;
}

EXPORT(int, __getpagesize, void)
{
    return HAL_PAGE_SIZE;
}

EXPORT(int, getdtablesize, void)
{
    return (int)resource_limit(RLIMIT_NOFILE);
}

// What getconf says programs of a kind are to be compiled with.
static const char *compiler_flags(int name)
{
    switch (name) {
    case 1004: // with large files: the flags, and lint's
    case 1007:
        return "-D_LARGEFILE64_SOURCE";
    case 1108: // LP64 in X/Open 5, POSIX 6 and 7: the compiler's flags, the linker's
    case 1109:
    case 1124:
    case 1125:
    case 1140:
    case 1141:
        return "-m64";
    case 1148: // the environment of POSIX 6 and 7
    case 1149:
        return "POSIXLY_CORRECT=1";
    default:
        return "";
    }
}

EXPORT(size_t, confstr, int name, char *text, size_t size)
{
    static const char *const values[] = {
        "/bin:/usr/bin", "POSIX_V6_LP64_OFF64", "glibc 2.36",
        "NPTL 2.36",     "XBS5_LP64_OFF64",     "POSIX_V7_LP64_OFF64",
    };
    enum { FLAGS_FIRST = 1000, FLAGS_LARGE_FIRST = 1100, FLAGS_LAST = 1149 };
    bool is_flags = (name >= FLAGS_FIRST && name < FLAGS_FIRST + 8) ||
                    (name >= FLAGS_LARGE_FIRST && name <= FLAGS_LAST);
    if (!is_flags && (name < 0 || name >= (int)(sizeof values / sizeof values[0]))) {
        errno = EINVAL;
        return 0;
    }
    const char *value = is_flags ? compiler_flags(name) : values[name];
    size_t needed = strlen(value) + 1;
    if (text != NULL && size > 0) {
        size_t length = needed <= size ? needed - 1 : size - 1;
        memcpy(text, value, length);
        text[length] = 0;
    }
    return needed;
}
