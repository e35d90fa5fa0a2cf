#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""footprint.py: bytes of memory that an idle CPU takes, a thread that waits, and an end of a connection on lo.

    bazel run //tests/bench:footprint       the figures
    bazel test //tests/bench:footprint_test held against LIMITS

One program (footprint.c) runs on the x86_64 kernel and on osv-sim, with 1, 2 and 4 CPUs. A CPU's bytes are what is less
free with two, and a third of what is less free with four, when the program begins. A thread's are those of 256 with their
stacks, as far as these are there, as pages: the tables of the machine's translation and what core keeps are in it. A connection's are those of each end of 10 000 idle ones, descriptors and all. What a
virtual machine or the process takes of the host beside its memory is in neither.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import boot

MEMORY = "128M"
CPUS = (1, 2, 4)
LIMITS = {  # bytes
    "footprint_kernel_cpu": 98304,
    "footprint_kernel_thread": 61440,
    "footprint_kernel_connection": 3584,
    "footprint_sim_cpu": 307200,
    "footprint_sim_thread": 69632,
    "footprint_sim_connection": 3584,
}


def figures_in(output, what):
    figures = {words[0]: int(words[1]) for words in map(str.split, output.splitlines())
               if len(words) == 2 and words[0] in ("free", "thread", "connection") and words[1].isdigit()}
    if len(figures) != 3:
        raise SystemExit("%s: not three figures:\n%s" % (what, output))
    return figures


def on_kernel(kernel, cpus):
    return figures_in(kernel.boot(MEMORY, cpus=cpus)[0], "the kernel with %d CPUs" % cpus)


def on_sim(options, cpus):
    folder = os.path.dirname(options.program)
    command = [options.osv_sim, "-c", str(cpus), "-v", "%s:%s:ro" % (folder, folder), options.program]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=120, check=True)
    return figures_in(done.stdout.decode(), "osv-sim -c %d" % cpus)


def measure(name, run):
    """Prints what each number of CPUs takes; answers the most."""
    found = {cpus: run(cpus) for cpus in CPUS}
    per_cpu = {cpus: (found[1]["free"] - found[cpus]["free"]) // (cpus - 1) for cpus in CPUS[1:]}
    for cpus, figure in per_cpu.items():
        print("# footprint_%s_cpu, of %d: %d bytes" % (name, cpus, figure))
    most = {"footprint_%s_cpu" % name: max(per_cpu.values())}
    for what in ("thread", "connection"):
        for cpus in CPUS:
            print("# footprint_%s_%s, with %d CPUs: %d bytes" % (name, what, cpus, found[cpus][what]))
        most["footprint_%s_%s" % (name, what)] = max(figures[what] for figures in found.values())
    return most


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("kernel", "program", "osv-sim"):
        parser.add_argument("--" + name, required=True, type=os.path.realpath, help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="osv-footprint-") as work:
        kernel = boot.osv_kernel(options, work)
        figures = measure("kernel", lambda cpus: on_kernel(kernel, cpus))
    figures.update(measure("sim", lambda cpus: on_sim(options, cpus)))
    failed = 0
    for number, (name, figure) in enumerate(figures.items(), 1):
        holds = figure <= LIMITS[name]
        failed += not holds
        if options.check:
            print("%s %d - %s: %d bytes, %d at most" % ("ok" if holds else "not ok", number, name, figure, LIMITS[name]))
        else:
            print("%-24s %10d bytes" % (name, figure))
    if options.check:
        print("1..%d" % len(figures))
    return 1 if failed and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
