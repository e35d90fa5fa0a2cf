#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""table.py: README's table of programs, from programs.py.

    bazel run //tests/apps:table                runs every program on Linux and on osv-sim, prints the table
    bazel run //tests/apps:table -- --write     also puts it into README.md
    table.py --check README.md                  README's rows are the list's, and all say yes; prints TAP
"""
import argparse
import contextlib
import importlib.util
import os
import re
import subprocess
import sys

FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, FOLDER)
import apps  # noqa: E402
from programs import PROGRAMS  # noqa: E402

BEGIN, END = "<!-- programs: made by bazel run //tests/apps:table -- --write -->", "<!-- programs: end -->"
HEAD = "| program | Debian's version | what the tests do with it | as on Linux |\n|---|---|---|---|\n"
LISTED = [program for program in PROGRAMS if program.suite != "soak"]


def row(program, version, same):
    return "| `%s` | %s | %s | %s |\n" % (program.names.replace(" ", "` `"), version, program.does, same)


def version(package):
    return subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], stdout=subprocess.PIPE, check=True,
                          encoding="ascii").stdout


def compare_module():
    spec = importlib.util.spec_from_file_location("compare", os.path.join(FOLDER, "../system/compare.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(osv_sim, cpus, paths):
    files = {os.path.basename(path): os.path.realpath(path) for path in paths}
    machine = compare_module().Machine(osv_sim, cpus)
    for folder in sorted({os.path.dirname(path) for path in files.values()}):
        machine.show(folder)
    cases = apps.Cases(machine, files)
    text = HEAD
    for program in LISTED:
        with contextlib.redirect_stdout(sys.stderr):
            same = [cases.run(case) for case in program.cases]
        text += row(program, version(program.package), "yes" if all(same) else "%d of %d cases" % (sum(same), len(same)))
    machine.remove()
    return text


def part(readme):
    """README before, in and after the markers."""
    with open(readme, encoding="utf-8") as file:
        before, begin, rest = file.read().partition(BEGIN + "\n")
    inside, end, after = rest.partition(END + "\n")
    if not begin or not end:
        raise SystemExit("%s: no markers %s" % (readme, BEGIN))
    return before + begin, inside, end + after


def check(readme):
    """Versions are those of the machine where the table was made."""
    have = re.sub(r"(?m)^(\| `.*` \| )[^|]+( \|)", r"\1V\2", part(readme)[1])
    want = HEAD + "".join(row(program, "V", "yes") for program in LISTED)
    print("%s 1 - README's table of programs is the list's" % ("ok" if have == want else "not ok"))
    if have != want:
        print("".join("# README lacks: %s\n" % line for line in want.splitlines() if line not in have.splitlines()), end="")
        print("# bazel run //tests/apps:table -- --write")
    print("1..1")
    return 0 if have == want else 1


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", metavar="README")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--cpus", default="2")
    parser.add_argument("--osv-sim", help=argparse.SUPPRESS)
    parser.add_argument("--file", action="append", default=[], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        return check(options.check)
    text = table(options.osv_sim, options.cpus, options.file)
    print(text, end="")
    if options.write:
        readme = os.path.join(os.environ["BUILD_WORKSPACE_DIRECTORY"], "README.md")
        before, _, after = part(readme)
        with open(readme, "w", encoding="utf-8") as file:
            file.write(before + text + after)
    return 0


if __name__ == "__main__":
    sys.exit(main())
