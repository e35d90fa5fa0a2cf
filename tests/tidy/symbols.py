#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""symbols.py: the symbol tables say that core and the machine meet in the contract and nowhere else.

    symbols.py SEALED HAL_H UPCALL_H INLINE_H ARCHIVE...

INLINE_H is the machine's half of the contract that is compiled into core; what it declares, core
may ask for too.

SEALED is core with musl in one object. The ARCHIVEs are the process machine's, in one of its two forms. Most of its files
run in a guest's context, where the thread pointer is the application's: they may call nothing of
the host's C library. HOSTED names the files that may, because they run at start-up or on a host
thread of their own.
"""
import re
import subprocess
import sys

# Objects of hosted C: hal-linux/README.md says why each is one.
HOSTED = {"boot.o", "origin.o", "thread.o", "watch.o", "worker.o"}
# What a compiler calls by itself; glibc's own touch neither errno nor the thread pointer. And the linker's names.
COMPILER = re.compile(r"__executable_start|etext|_end|_GLOBAL_OFFSET_TABLE_|mem(cpy|move|set|cmp)|__(mul|div)[sdx]c3|__popcountdi2")


def declared(path, prefix):
    """The functions with prefix that a header declares and does not define inline."""
    with open(path, encoding="utf-8") as file:
        text = re.sub(r"//[^\n]*", "", file.read())
    return {name for line, name in re.findall(r"^(\w.*?)\b(%s\w+)\(" % prefix, text, re.M)
            if "static inline" not in line}


def symbols(path):
    """{object: (defined, undefined)} of an object or an archive."""
    text = subprocess.check_output(["nm", "-g", path], text=True, stderr=subprocess.DEVNULL)
    result = {}
    member = path
    for line in text.splitlines():
        words = line.split()
        if line.endswith(":"):
            member = line[:-1]
        elif len(words) >= 2:
            kind, name = words[-2:]
            result.setdefault(member, (set(), set()))[kind in "Uwv"].add(name)
    return result


def unknown(names, known):
    return sorted(name for name in names - known if not COMPILER.fullmatch(name))


def checks(sealed, hal, upcalls, archives):
    """(name of the check, the symbols that violate it)."""
    defined, undefined = symbols(sealed)[sealed]
    yield "core gives the upcalls and nothing else", sorted(defined ^ upcalls)
    objects = {}
    for archive in archives:
        objects.update(symbols(archive))
    ours = {name for given, _ in objects.values() for name in given}
    # by the compiler, in core and in applications; and by MARK
    compiled = {name for name in ours if re.match("__tsan_|hal_tsan_|seed_mark(_|$)", name)}
    yield "core asks for the HAL and nothing else", unknown(undefined, hal | compiled)
    yield "the process machine gives all of the HAL", sorted(hal - ours)
    for name, (_, asked) in sorted(objects.items()):
        if name not in HOSTED:
            yield "%s asks nothing of the host's C library" % name, unknown(asked, ours | upcalls)


def main(sealed, hal_header, upcall_header, inline_header, *archives):
    hal = declared(hal_header, "hal_") | declared(inline_header, "")
    upcalls = declared(upcall_header, "upcall_")
    failed = number = 0
    for name, wrong in checks(sealed, hal, upcalls, archives):
        number += 1
        failed += bool(wrong)
        print("%sok %d - %s" % ("not " if wrong else "", number, name))
        if wrong:
            print("# " + " ".join(wrong))
    print("1..%d" % number)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
