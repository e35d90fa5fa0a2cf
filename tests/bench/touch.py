#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""touch.py: what it costs to touch 1 GiB for the first time (touch.c), in a guest: Linux's and ours.

    bazel run //tests/bench:touch [-- --linux VMLINUZ]

Both run in turn on QEMU's own processor under -icount, where a nanosecond is an instruction: the same in each run on any host. Each
turn of a `rep stos`, by which Linux clears pages, counts as one, as it costs one there; processors are faster at it. Prints lines
"name linux osv unit linux/osv". `fresh` is memory that nobody has used since the machine was started.
`bazel run //tests/bench:compare -- vm` says the same of processes.
"""
import argparse
import os
import sys
import tempfile

import boot

MEMORY = "3G"


def figures_of(kernel):
    """name -> instructions, as the program prints them."""
    output = kernel.boot(MEMORY, options=boot.COUNTED)[0]
    figures = {words[0]: int(words[1]) for words in map(str.split, output.splitlines())
               if len(words) == 3 and words[0].startswith("touch_") and words[2] == "ns"}
    if len(figures) != 3:
        raise SystemExit("%s: not three figures:\n%s" % (kernel.path, output))
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kernel", "program", "static"):
        parser.add_argument("--" + name, required=True, type=os.path.abspath, help=argparse.SUPPRESS)
    parser.add_argument("--linux", type=os.path.abspath, help="a Linux kernel that is here already")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="osv-touch-") as work:
        theirs = figures_of(boot.linux_kernel(options, work))
        ours = figures_of(boot.osv_kernel(options, work))
    for name, figure in ours.items():
        print("%-24s %12d %12d %-12s %8.2f" % (name, theirs[name], figure, "instructions", theirs[name] / figure))
    return 0


if __name__ == "__main__":
    sys.exit(main())
