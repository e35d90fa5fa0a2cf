#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""exports.py: writes the export table of core/libc/exports.h as assembly.

    exports.py NAMES NM > table.s        NAMES: glibc_names.txt; NM: nm -g of core and musl in one
    exports.py --glibc FILE... > NAMES   lists the names again from glibc's own libraries

Assembly and not C, because a C file would have to declare each name with some type.
"""
import subprocess
import sys

SHIM = "glibc_"
PRIVATE = "GLIBC_PRIVATE"

# Names of glibc that mean the same function as another name of its.
SAME = {
    "mktime": "timelocal",
    "strcasecmp": "__strcasecmp",
    "strcasecmp_l": "__strcasecmp_l",
    "strncasecmp_l": "__strncasecmp_l",
    "strftime_l": "__strftime_l",
    "wcsftime_l": "__wcsftime_l",
    "strtol": "strtoll strtoq strtoimax __strtol_internal __strtoll_internal",
    "strtol_l": "strtoll_l __strtol_l __strtoll_l",
    "strtoul": "strtoull strtouq strtoumax __strtoul_internal __strtoull_internal",
    "strtoul_l": "strtoull_l __strtoul_l __strtoull_l",
    "strtod": "strtof64 strtof32x __strtod_internal",
    "strtod_l": "__strtod_l strtof64_l strtof32x_l",
    "strtof": "strtof32 __strtof_internal",
    "strtof_l": "__strtof_l strtof32_l",
    "strtold": "strtof64x __strtold_internal",
    "strtold_l": "__strtold_l strtof64x_l",
    "towctrans_l": "__towctrans_l",
    "towlower_l": "__towlower_l",
    "towupper_l": "__towupper_l",
    "wctrans_l": "__wctrans_l",
    "wctype_l": "__wctype_l",
    "wcstol": "wcstoll wcstoq wcstoimax __wcstol_internal __wcstoll_internal",
    "wcstoul": "wcstoull wcstouq wcstoumax __wcstoul_internal __wcstoull_internal",
    "wcstod": "wcstof64 wcstof32x __wcstod_internal",
    "wcstof": "wcstof32 __wcstof_internal",
    "wcstold": "wcstof64x __wcstold_internal",
    "malloc": "__libc_malloc",
    "calloc": "__libc_calloc",
    "realloc": "__libc_realloc",
    "free": "__libc_free",
    "memalign": "__libc_memalign",
    "pthread_getspecific": "__pthread_getspecific",
    "pthread_mutex_destroy": "__pthread_mutex_destroy",
    "pthread_mutex_init": "__pthread_mutex_init",
    "pthread_mutex_lock": "__pthread_mutex_lock",
    "pthread_mutex_trylock": "__pthread_mutex_trylock",
    "pthread_mutex_unlock": "__pthread_mutex_unlock",
    "pthread_mutexattr_destroy": "__pthread_mutexattr_destroy",
    "pthread_mutexattr_init": "__pthread_mutexattr_init",
    "pthread_mutexattr_settype": "__pthread_mutexattr_settype pthread_mutexattr_setkind_np",
    "pthread_once": "__pthread_once",
    "pthread_rwlock_destroy": "__pthread_rwlock_destroy",
    "pthread_rwlock_init": "__pthread_rwlock_init",
    "pthread_rwlock_rdlock": "__pthread_rwlock_rdlock",
    "pthread_rwlock_tryrdlock": "__pthread_rwlock_tryrdlock",
    "pthread_rwlock_trywrlock": "__pthread_rwlock_trywrlock",
    "pthread_rwlock_unlock": "__pthread_rwlock_unlock",
    "pthread_rwlock_wrlock": "__pthread_rwlock_wrlock",
    "pthread_setspecific": "__pthread_setspecific",
    "asprintf": "__asprintf",
    "dcgettext": "__dcgettext",
    "iswctype_l": "__iswctype_l",
    "poll": "__poll",
    "sbrk": "__sbrk",
    "secure_getenv": "__libc_secure_getenv",
    "ftw": "ftw64",
    "nftw": "nftw64",
    "fts_open": "fts64_open",
    "fts_read": "fts64_read",
    "fts_set": "fts64_set",
    "fts_children": "fts64_children",
    "fts_close": "fts64_close",
    "preadv2": "preadv64v2",
    "pwritev2": "pwritev64v2",
    "getdirentries": "getdirentries64",
    "scandirat": "scandirat64",
    "adjtimex": "__adjtimex ntp_adjtime",
    "arch_prctl": "__arch_prctl",
    "argz_count": "__argz_count",
    "argz_next": "__argz_next",
    "argz_stringify": "__argz_stringify",
    "close": "__close",
    "connect": "__connect",
    "dgettext": "__dgettext",
    "dup2": "__dup2",
    "endmntent": "__endmntent",
    "ffs": "__ffs",
    "finite": "__finite",
    "finitef": "__finitef",
    "finitel": "__finitel",
    "glob": "glob64",
    "globfree": "globfree64",
    "getmntent_r": "__getmntent_r",
    "getpgid": "__getpgid __bsd_getpgrp",
    "getpid": "__getpid",
    "gettimeofday": "__gettimeofday",
    "isinf": "__isinf",
    "isinff": "__isinff",
    "isinfl": "__isinfl",
    "isnan": "__isnan",
    "isnanf": "__isnanf",
    "isnanl": "__isnanl",
    "iswctype": "__iswctype",
    "mallinfo": "__libc_mallinfo",
    "mallopt": "__libc_mallopt",
    "mbrtowc": "__mbrtowc",
    "memcmp": "__memcmpeq",
    "nanosleep": "__nanosleep",
    "open": "__open __open64",
    "pipe": "__pipe",
    "pread": "__pread64",
    "pthread_mutex_consistent": "pthread_mutex_consistent_np",
    "pthread_mutexattr_getrobust": "pthread_mutexattr_getrobust_np",
    "pthread_mutexattr_gettype": "pthread_mutexattr_getkind_np",
    "pthread_mutexattr_setrobust": "pthread_mutexattr_setrobust_np",
    "pvalloc": "__libc_pvalloc",
    "pwrite": "__pwrite64",
    "read": "__read",
    "sched_get_priority_max": "__sched_get_priority_max",
    "sched_get_priority_min": "__sched_get_priority_min",
    "sched_getparam": "__sched_getparam",
    "sched_getscheduler": "__sched_getscheduler",
    "sched_setscheduler": "__sched_setscheduler",
    "sched_yield": "__sched_yield",
    "send": "__send",
    "setmntent": "__setmntent",
    "setpgid": "__setpgid",
    "raise": "gsignal",
    "signal": "ssignal",
    "sigaddset": "__sigaddset",
    "sigdelset": "__sigdelset",
    "sigismember": "__sigismember",
    "sigpause": "__xpg_sigpause",
    "sigsuspend": "__sigsuspend",
    "statfs": "__statfs",
    "strcasestr": "__strcasestr",
    "strdup": "__strdup",
    "strerror_r": "__strerror_r",
    "strfmon_l": "__strfmon_l",
    "strverscmp": "__strverscmp",
    "sysv_signal": "__sysv_signal",
    "towctrans": "__towctrans",
    "valloc": "__libc_valloc",
    "vfscanf": "__vfscanf",
    "vsnprintf": "__vsnprintf",
    "vsscanf": "__vsscanf",
    "waitpid": "__waitpid",
    "wcscasecmp_l": "__wcscasecmp_l",
    "wcsncasecmp_l": "__wcsncasecmp_l",
    "wcstod_l": "__wcstod_l wcstof64_l wcstof32x_l",
    "wcstof_l": "__wcstof_l wcstof32_l",
    "wcstol_l": "wcstoll_l __wcstol_l __wcstoll_l",
    "wcstold_l": "__wcstold_l wcstof64x_l",
    "wcstoul_l": "wcstoull_l __wcstoul_l __wcstoull_l",
    "write": "__write",
    "backtrace": "__backtrace",
    "backtrace_symbols": "__backtrace_symbols",
    "backtrace_symbols_fd": "__backtrace_symbols_fd",
}
# What compilers call under -fsanitize=thread. libtsan, which has these names elsewhere, gives them no version. They
# are the machine's (hal.h), so the symbols are not core's.
TSAN_VERSION = "TSAN"
TSAN = {"__tsan_" + name: "hal_tsan_" + name for name in [
    "init", "func_entry", "func_exit", "ignore_thread_begin", "ignore_thread_end", "read_range", "write_range",
    "vptr_read", "vptr_update", "memcpy", "memmove", "memset", "acquire", "release", "atomic_thread_fence",
    "atomic_signal_fence",
] + [
    kind + "%s%d" % (access, size)
    for kind in ("", "unaligned_")
    for access in ("read", "write", "read_write", "volatile_read", "volatile_write")
    for size in (1, 2, 4, 8, 16)
] + [
    "atomic%d_%s" % (bits, operation)
    for bits in (8, 16, 32, 64, 128)
    for operation in ("load", "store", "exchange", "fetch_add", "fetch_sub", "fetch_and", "fetch_or", "fetch_xor",
                      "fetch_nand", "compare_exchange_strong", "compare_exchange_weak", "compare_exchange_val")
]}
# What is ours alone (include/osv), under its full name.
OSV_VERSION = "OSV"
OSV = ["osv_channel_open", "osv_channel_receive", "osv_channel_send", "osv_frame_alloc", "osv_frame_answer", "osv_frames_free", "osv_packet_answer", "osv_packet_free", "osv_pages_take_dirty", "osv_pages_walk", "osv_pfil_add_hook", "osv_pfil_remove_hook",
       "osv_register_shrinker", "osv_unregister_shrinker", "osv_zcopy_rx", "osv_zcopy_rxgc",
       "osv_zcopy_tx", "osv_zcopy_txclose"]
# Where a jump would cost as much as what is behind it: the function itself, which answers to the name's contract.
DIRECT = {"malloc": "heap_program_alloc", "free": "heap_program_free"}
ALIASES = {alias: name for name, aliases in SAME.items() for alias in aliases.split()}


def glibc_names(paths):
    """The (name, version) pairs that the shared objects at paths define."""
    pairs = set()
    for path in paths:
        text = subprocess.check_output(["nm", "-D", "--defined-only", path], text=True)
        for line in text.splitlines():
            kind, symbol = line.split()[-2:]
            name, _, version = symbol.replace("@@", "@").partition("@")
            if kind != "A" and version:
                pairs.add((name, version))
    return sorted(pairs)


def defined_symbols(nm_lines):
    """The global names that an nm listing defines."""
    return {line.split()[2] for line in nm_lines if len(line.split()) == 3}


def export_rows(pairs, symbols):
    """(name, version, symbol) for each pair that symbols can serve.

    A shim wins. What glibc keeps private (its libm asks for some of it) needs a shim: a
    function of musl's that happens to have the same name is another function.
    """
    rows = []
    for name, version in sorted(set(pairs)):
        meant = ALIASES.get(name, name)
        if DIRECT.get(meant) in symbols:
            rows.append((name, version, DIRECT[meant]))
        elif SHIM + name in symbols:
            rows.append((name, version, SHIM + name))
        elif SHIM + meant in symbols:
            rows.append((name, version, SHIM + meant))
        elif meant in symbols and (version != PRIVATE or meant != name):
            rows.append((name, version, meant))
    rows += [(name, TSAN_VERSION, symbol) for name, symbol in TSAN.items()]
    rows.append(("atexit", TSAN_VERSION, SHIM + "atexit"))  # elsewhere it is in each program
    rows += [(name, OSV_VERSION, SHIM + name) for name in OSV]
    return sorted(rows)


def gnu_hash(name):
    value = 5381
    for byte in name.encode():
        value = (value * 33 + byte) & 0xffffffff
    return value


def buckets_of(names):
    """The index of struct elf_symbols: 1 + the first place of each name."""
    count = 64
    while count < 2 * len(names):
        count *= 2
    buckets = [0] * count
    for place, name in enumerate(names):
        if place > 0 and name == names[place - 1]:
            continue
        bucket = gnu_hash(name) % count
        while buckets[bucket] != 0:
            bucket = (bucket + 1) % count
        buckets[bucket] = place + 1
    return buckets


def object_lines(name, content):
    return [".balign 8", ".globl " + name, ".hidden " + name, name + ":"] + content


def assembly(rows):
    """The table and its index as GNU assembly for any 64-bit ELF machine."""
    places, size = {}, 0
    for text in sorted({text for row in rows for text in row[:2]}):
        places[text] = size
        size += len(text.encode()) + 1
    versions = sorted({version for _, version, _ in rows})
    buckets = buckets_of([name for name, _, _ in rows])
    lines = [".data"] + object_lines("libc_exports", [
        line for name, version, symbol in rows
        for line in (".quad " + symbol, ".long %d" % places[name],
                     ".short %d" % (gnu_hash(name) >> 16), ".byte %d, 0" % versions.index(version))])
    lines += object_lines("libc_export_versions", [
        ".quad libc_export_texts + %d" % places[version] for version in versions])
    lines.append('.section .rodata,"a"')
    lines += object_lines("libc_export_count", [".quad %d" % len(rows)])
    lines += object_lines("libc_export_bucket_count", [".quad %d" % len(buckets)])
    lines += object_lines("libc_export_buckets", [
        ".short " + ", ".join(map(str, buckets[i:i + 16])) for i in range(0, len(buckets), 16)])
    lines += object_lines("libc_export_texts", ['.asciz "%s"' % text for text in places])
    lines.append('.section .note.GNU-stack,"",%progbits')
    return "\n".join(lines) + "\n"


def main(arguments):
    if arguments[0] == "--glibc":
        for name, version in glibc_names(arguments[1:]):
            print(name, version)
        return
    names_path, nm_path = arguments
    with open(names_path) as names, open(nm_path) as nm:
        pairs = [tuple(line.split()) for line in names if line[0] != "#"]
        symbols = defined_symbols(nm)
    sys.stdout.write(assembly(export_rows(pairs, symbols)))


if __name__ == "__main__":
    main(sys.argv[1:])
