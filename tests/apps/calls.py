#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""calls.py: the system calls that programs make on Linux, against core/linux's table.

    calls.py calls.txt TABLE...          checks that each call listed is in a table, or known to be refused; prints TAP
    calls.py --record COMMAND...         prints the line of one program, by strace on Linux

A line of calls.txt is `program: call call ...`.
"""
import re
import subprocess
import sys
import tempfile

# Answered with ENOSYS, as by an older Linux: the callers go on without.
REFUSED = {"rseq", "arch_prctl", "socket", "connect", "copy_file_range", "pkey_alloc"}
# Not a call here: core makes the way back from a signal handler itself.
INSIDE = {"rt_sigreturn"}


def record(command):
    with tempfile.NamedTemporaryFile("r") as trace:
        subprocess.run(["strace", "-f", "-o", trace.name] + command, check=False, stdout=subprocess.DEVNULL)
        calls = {match.group(1) for match in re.finditer(r"^\d+ +([a-z_0-9]+)\(", trace.read(), re.M)}
    print("%s: %s" % (command[0].rsplit("/", 1)[-1], " ".join(sorted(calls))))


def check(listing, tables):
    known = set()
    for table in tables:
        with open(table, encoding="utf-8") as file:
            known |= set(re.findall(r"ROW(?:_NEVER)?\((\w+),", file.read()))
    failed = number = 0
    with open(listing, encoding="utf-8") as file:
        for line in file:
            program, colon, calls = line.partition(":")
            if line.startswith("#") or not colon:
                continue
            missing = [call for call in calls.split() if call not in known | REFUSED | INSIDE]
            number += 1
            failed += bool(missing)
            print("%s %d - the calls of %s are there" % ("not ok" if missing else "ok", number, program))
            if missing:
                print("# missing: " + " ".join(missing))
    print("1..%d" % number)
    return 1 if failed or not number else 0


if __name__ == "__main__":
    if sys.argv[1] == "--record":
        record(sys.argv[2:])
    else:
        sys.exit(check(sys.argv[1], sys.argv[2:]))
