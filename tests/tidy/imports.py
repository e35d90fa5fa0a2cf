#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""imports.py: every name that Debian's programs import from glibc is offered, or it is said why not.

    imports.py TABLE IMPORTED WITHHELD    TABLE: the export table as assembly
    imports.py --list FOLDER... > IMPORTED    lists the imports of all ELF files below the folders
"""
import collections
import os
import re
import subprocess
import sys

# glibc's own files: what they ask of each other is nobody else's business.
GLIBC = re.compile(r"(ld-linux.*|lib(c|m|mvec|pthread|dl|rt|util|anl|resolv|nsl|thread_db|memusage|pcprofile|"
                   r"BrokenLocale|c_malloc_debug|nss_\w+))\.so(\.\d+)?$")
GLIBC_NAMES = "/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2"


def elf_files(folders):
    for folder in folders:
        for place, _, files in os.walk(folder):
            for path in (os.path.join(place, file) for file in files):
                if os.path.isfile(path) and not os.path.islink(path) and not GLIBC.match(os.path.basename(path)):
                    with open(path, "rb") as file:
                        if file.read(5) == b"\x7fELF\x02":
                            yield path


def given_names():
    """The public names of glibc's own C library; libm.so.6 is the image's."""
    text = "".join(subprocess.check_output(["nm", "-D", "--defined-only", path], text=True) for path in GLIBC_NAMES)
    return set(re.findall(r" [^A] (\w+)@@?GLIBC_[\d.]+$", text, re.M))


def imports_list(folders):
    """Functions, and data objects too: those that a program takes over are defined in it, with glibc's version."""
    given = given_names()
    counts = collections.Counter()
    paths = sorted(elf_files(folders))
    for start in range(0, len(paths), 100):
        text = subprocess.run(["nm", "-D", "--with-symbol-versions", "-A"] + paths[start:start + 100],
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout
        counts.update({match for match in re.findall(r"^(\S+):[\da-f ]+ \w (\w+)@GLIBC_[\d.]+$", text, re.M)})
    names = collections.Counter(name for _, name in counts if name in given)
    return "".join("%s %d\n" % pair for pair in sorted(names.items()))


def rows(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").partition(" ")[::2] for line in file if line[0] != "#")


def main(table_path, imported_path, withheld_path):
    with open(table_path, encoding="utf-8") as file:
        table = file.read()
    text, size = {}, 0
    for name in re.findall(r'^\.asciz "(.*)"$', table, re.M):
        text[size] = name
        size += len(name.encode()) + 1
    offered = {text[int(place)] for place in re.findall(r"^\.quad \S+\n\.long (\d+)$", table, re.M)}
    imported, withheld = rows(imported_path), rows(withheld_path)
    checks = {
        "what programs import is offered": set(imported) - offered - set(withheld),
        "what is withheld is imported, and not offered": (set(withheld) & offered) | (set(withheld) - set(imported)),
        "what is withheld has a reason": {name for name, reason in withheld.items() if not reason.strip()},
    }
    failed = False
    for number, (name, wrong) in enumerate(checks.items(), 1):
        print("%sok %d - %s" % ("not " if wrong else "", number, name))
        failed |= bool(wrong)
        for culprit in sorted(wrong):
            print("#   %s (imported by %s files)" % (culprit, imported.get(culprit, "0")))
    print("1..%d" % len(checks))
    return failed


if __name__ == "__main__":
    if sys.argv[1] == "--list":
        sys.stdout.write(imports_list(sys.argv[2:]))
    else:
        sys.exit(main(*sys.argv[1:]))
