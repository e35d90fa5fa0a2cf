#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""touch.py: what it costs to touch 1 GiB for the first time (touch.c), in a guest: Linux's and ours.

    bazel run //tests/bench:touch [-- --time] [--runs N] [--linux VMLINUZ]

Both run in turn on QEMU's own processor, under -icount, where a nanosecond is an instruction: the same in each run on any host. Each
turn of a `rep stos`, by which Linux clears pages, counts as one, as it costs one there; processors are faster at it. Prints lines
"name linux osv unit linux/osv". `fresh` is memory that nobody has used since the machine was started.

With --time they are measured without -icount, N times in turn (9), of which the medians are printed. The host has given the machine all its memory
before it starts, and the processor says that it is slow at bytes, as QEMU's is: so Linux clears eight of them in a turn.
`bazel run //tests/bench:compare -- vm` says the same of processes.
"""
import argparse
import os
import statistics
import sys
import tempfile

import boot

MEMORY = "3G"


TIMED = "-mem-prealloc -cpu max,-erms,-fsrm".split()
RUNS = 9


def figures_of(kernel, machine):
    """name -> nanoseconds, as the program prints them."""
    output = kernel.boot(MEMORY, options=machine)[0]
    figures = {words[0]: int(words[1]) for words in map(str.split, output.splitlines())
               if len(words) == 3 and words[0].startswith("touch_") and words[2] == "ns"}
    if len(figures) != 3:
        raise SystemExit("%s: not three figures:\n%s" % (kernel.path, output))
    return figures


def medians(rounds):
    return {name: statistics.median(figures[name] for figures in rounds) for name in rounds[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kernel", "program", "static"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--linux", type=os.path.abspath, help="a Linux kernel that is here already")
    parser.add_argument("--time", action="store_true", help="time, not instructions")
    parser.add_argument("--runs", type=int, help="how often with --time (%d)" % RUNS)
    options = parser.parse_args()
    machine, runs, scale, unit = (TIMED, options.runs or RUNS, 1e6, "ms") if options.time else (boot.COUNTED, 1, 1, "instructions")
    with tempfile.TemporaryDirectory(prefix="osv-touch-") as work:
        kernels = boot.linux_kernel(options, work), boot.osv_kernel(options, work)
        rounds = [[figures_of(kernel, machine) for kernel in kernels] for _ in range(runs)]
    theirs, ours = (medians(figures) for figures in zip(*rounds))
    for name, figure in ours.items():
        print("%-24s %12.0f %12.0f %-12s %8.2f" % (name, theirs[name] / scale, figure / scale, unit, theirs[name] / figure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
