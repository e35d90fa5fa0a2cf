#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""touch.py: what it costs to touch 1 GiB for the first time (touch.c), on Linux and here, in turn.

    bazel run //tests/bench:touch [-- [--time [guest] [process]] [--runs N] [--linux VMLINUZ]]

As guests both run on QEMU's own processor, under -icount, where a nanosecond is an instruction: the same in each run on any host. Each
turn of a `rep stos`, by which Linux clears pages, counts as one, as it costs one there; processors are faster at it. Prints lines
"name linux osv unit linux/osv", and what is asked of that. `fresh` is memory that nobody has used since the machine was started. The
exit status is 0 if all that is asked is reached.

With --time they are measured without -icount, N times in turn (9), of which the medians are printed. The host has given the machine all its memory
before it starts, and the processor says that it is slow at bytes, as QEMU's is: so Linux clears eight of them in a turn. And as
processes: the program on this Linux, and on osv-sim with one vCPU. What is asked there holds where the host gives shared memory no
huge pages.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile

import boot

MEMORY = "3G"


TIMED = "-mem-prealloc -cpu max,-erms,-fsrm".split()
RUNS = 9
ASKED = {  # linux/osv, at least
    "guest": {"touch_1gb_huge_fresh": 1.0, "touch_1gb_huge": 1.0},
    "process": {"touch_1gb_huge_fresh": 0.25, "touch_1gb_huge": 0.25},
}


def figures_of(name, output):
    """name -> nanoseconds, as the program prints them."""
    figures = {words[0]: int(words[1]) for words in map(str.split, output.splitlines())
               if len(words) == 3 and words[0].startswith("touch_") and words[2] == "ns"}
    if len(figures) != 3:
        raise SystemExit("%s: not three figures:\n%s" % (name, output))
    return figures


def in_guest(kernel, machine):
    return lambda: figures_of(kernel.path, kernel.boot(MEMORY, options=machine)[0])


def in_process(command):
    def run():
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True, timeout=boot.TIMEOUT)
        return figures_of(command[0], done.stdout.decode())
    return run


def medians(rounds):
    return {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}


def table(kind, rounds, scale, unit):
    """Prints the lines of one kind of machine. Answers whether what is asked is reached."""
    reached = True
    theirs, ours = (medians(figures) for figures in zip(*rounds))
    for name, figure in ours.items():
        ratio, asked = theirs[name] / figure, ASKED[kind].get(name)
        verdict = "" if asked is None else "  asked %.2f: %s" % (asked, "reached" if ratio >= asked else "MISSED")
        reached = reached and (asked is None or ratio >= asked)
        print("%-32s %12.0f %12.0f %-12s %8.2f%s" % (kind + "_" + name, theirs[name] / scale, figure / scale, unit, ratio, verdict))
    return reached


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kernel", "program", "static", "osv-sim"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--linux", type=os.path.abspath, help="a Linux kernel that is here already")
    parser.add_argument("--time", action="store_true", help="time, not instructions")
    parser.add_argument("--runs", type=int, help="how often with --time (%d)" % RUNS)
    parser.add_argument("kind", nargs="*", help="with --time, only these: guest process")
    options = parser.parse_args()
    wrong = [kind for kind in options.kind if kind not in ASKED or not options.time]
    if wrong:
        parser.error("%s: with --time there are guest and process, without only guests" % wrong[0])
    machine, runs, scale, unit = (TIMED, options.runs or RUNS, 1e6, "ms") if options.time else (boot.COUNTED, 1, 1, "instructions")
    kinds = (options.kind or list(ASKED)) if options.time else ["guest"]
    reached = True
    with tempfile.TemporaryDirectory(prefix="osv-touch-") as work:
        pairs = {
            "guest": [in_guest(kernel, machine) for kernel in (boot.linux_kernel(options, work), boot.osv_kernel(options, work))],
            "process": [in_process([options.program]),
                        in_process([options.osv_sim, "-c", "1", "-m", MEMORY, options.program])],
        }
        for kind in kinds:
            reached = table(kind, [[run() for run in pairs[kind]] for _ in range(runs)], scale, unit) and reached
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
