#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""proofs.py: which test tries all interleavings of each lock-free file of core.

    proofs.py WORKSPACE    the file of that name in the tree to be read; prints TAP

Lock-free is a file that exchanges, compares and exchanges, counts down, fences, or gives an order to an atomic
access; mere counters and flags are not. tests/seed/README.md has two tables: of files with their tests, at least
two bugs for each planted in tests/seed/BUILD.bazel; and of files without, each with a reason.
"""
import os
import re
import sys

BUGS_MIN = 2
LOCK_FREE = re.compile(
    r"atomic_(exchange|compare_exchange|fetch_sub|thread_fence)|memory_order_(acquire|release|acq_rel|seq_cst)|"
    r"__ATOMIC_(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)")
COMMENT = re.compile(r"//[^\n]*")
ROW = re.compile(r"^\| `(core/[^`]*)` \| ([^|]*) \|$", re.MULTILINE)
PLANTED = re.compile(r'\("(\w+)", "(\w+)", "//(core/\w+):(\w+\.c)"')


def lock_free_files(top):
    for folder, _, names in sorted(os.walk(os.path.join(top, "core"))):
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name.endswith((".c", ".h")):
                with open(path, encoding="utf-8") as file:
                    if LOCK_FREE.search(COMMENT.sub("", file.read())):
                        yield os.path.relpath(path, top)


def wrong(top):
    with open(os.path.join(top, "tests/seed/README.md"), encoding="utf-8") as file:
        rows = dict(ROW.findall(file.read()))
    with open(os.path.join(top, "tests/seed/BUILD.bazel"), encoding="utf-8") as file:
        bugs = [(test, "%s/%s" % (room, name)) for test, _, room, name in PLANTED.findall(file.read())]
    files = set(lock_free_files(top))
    for path in sorted(files - set(rows)):
        yield "%s: lock-free, and in no table of tests/seed/README.md" % path
    for path, text in sorted(rows.items()):
        tests = re.findall(r"`(\w+)_test`", text)
        if path not in files:
            yield "%s: in a table of tests/seed/README.md, but not lock-free" % path
        for test in tests:
            if not os.path.exists(os.path.join(top, "tests/seed/%s_test.c" % test)):
                yield "%s: there is no test %s" % (path, test)
        planted = sum(bug in {(test, path) for test in tests} for bug in bugs)
        if tests and path.endswith(".c") and planted < BUGS_MIN:
            yield "%s: %d planted bugs; %d are wanted" % (path, planted, BUGS_MIN)


def main():
    top = os.path.dirname(os.path.realpath(sys.argv[1]))
    messages = list(wrong(top))
    for message in messages:
        print("# %s" % message)
    print("%sok 1 - each lock-free file of core has its test of all interleavings\n1..1" % ("not " if messages else ""))
    return 1 if messages else 0


if __name__ == "__main__":
    sys.exit(main())
