#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""fragmentation.py: how much memory malloc needs for what programs have in use, on Linux and on osv-sim.

    bazel run //tests/bench:fragmentation

What lua5.4 and sqlite3 ask of malloc is recorded on Linux (recorder.c), and asked of both once more by one program
(replay.c). A line per program: its name, how many bytes the process grew by for each byte that was in use when most
were, on Linux and on osv-sim, the unit, and how many times better osv-sim is. The exit status is 0 if it is nowhere
worse. With --check it is 0 if osv-sim is nowhere worse than Linux, or within the bounds below: nothing here depends
on time.
"""
import argparse
import os
import statistics
import struct
import subprocess
import sys
import tempfile

# Commands, where @NAME is a file of tests/apps; and what is enough: about what glibc needs, where it needs less.
PROGRAMS = {
    "lua": ("lua5.4 @work.lua 1", 1.01),
    "sqlite": ("sqlite3 work.db .read\t@work.sql", 1.012),
}

RUNS = 9
HEAD = struct.Struct("QQQ")
CALL = struct.Struct("IIQ")  # replay.c's


def record(words, recorder, folder):
    """What the program asked: (size, block given, block answered)."""
    trace = os.path.join(folder, "trace")
    environment = dict(os.environ, LC_ALL="C", TZ="UTC", LD_PRELOAD=recorder, MALLOC_TRACE_FILE=trace)
    done = subprocess.run(words, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, timeout=300, check=False)
    if done.returncode not in (0, 3, 5, 7):  # the work scripts' own
        raise SystemExit("%s: status %d: %s" % (words, done.returncode, done.stderr.decode()[:500]))
    with open(trace, "rb") as file:
        count = HEAD.unpack(file.read(HEAD.size))[0]
        calls = file.read(count * HEAD.size)
    os.unlink(trace)
    if count < 1000 or len(calls) != count * HEAD.size:
        raise SystemExit("%s: %d calls were recorded" % (words[0], count))
    return HEAD.iter_unpack(calls)


def numbered(calls):
    """The calls for replay.c, where blocks have numbers: how many numbers, how many calls, and these."""
    known, unused, made, slots = {}, [], [], 0
    for size, before, after in calls:
        slot = known.pop(before, None)
        if after == 0:
            if slot is not None:
                unused.append(slot)
                made.append(CALL.pack(slot, 0, 0))
            continue
        if slot is None and unused:
            slot = unused.pop()
        elif slot is None:
            slot, slots = slots, slots + 1
        known[after] = slot
        made.append(CALL.pack(slot, 1, size))
    return slots, len(made), b"".join(made)


def measure(prefix, replay, slots, count, calls):
    """Bytes that the process grew by for each in use. The trace is a file: what a pipe holds meanwhile is memory, too.

    A page more or less is chance, of where a process begins: environments of several sizes, and the median.
    """
    results = []
    for size in range(RUNS):
        with tempfile.TemporaryFile() as trace:
            trace.write(calls)
            trace.seek(0)
            done = subprocess.run(prefix + [replay, str(slots), str(count)], stdin=trace, stdout=subprocess.PIPE, check=True,
                                  timeout=300, env=dict(os.environ, PADDING="x" * 450 * size))
        live, grown = (int(word) for word in done.stdout.split())
        results.append(grown / live)
    return statistics.median(results)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--osv-sim", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--recorder", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--replay", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--file", action="append", default=[], help=argparse.SUPPRESS)
    parser.add_argument("--check", action="store_true", help="hold osv-sim against the bounds")
    options = parser.parse_args()
    files = {os.path.basename(path): os.path.realpath(path) for path in options.file}
    replay, recorder = os.path.realpath(options.replay), os.path.realpath(options.recorder)
    folder_of_replay = os.path.dirname(replay)
    osv = [os.path.abspath(options.osv_sim), "-c", "1", "-v", "%s:%s:ro" % (folder_of_replay, folder_of_replay)]
    missed = []
    for number, (name, (command, bound)) in enumerate(PROGRAMS.items(), 1):
        words = [word.replace("\t", " ") for word in command.split(" ")]
        words = [word if "@" not in word else word.split("@")[0] + files[word.split("@")[1]] for word in words]
        with tempfile.TemporaryDirectory(prefix="osv-fragmentation-") as folder:
            trace = numbered(record(words, recorder, folder))
        linux, here = measure([], replay, *trace), measure(osv, replay, *trace)
        bound = max(linux, bound) if options.check else linux
        reached = here <= bound
        missed += [] if reached else [name]
        if options.check:
            print("%s %d - fragmentation_%s: %.3f, at most %.3f" % ("ok" if reached else "not ok", number, name, here, bound))
        else:
            print("%-24s %8.3f %8.3f B/B %7.2f  %s" % ("fragmentation_" + name, linux, here, linux / here,
                                                      "reached" if reached else "MISSED"), flush=True)
    if options.check:
        print("1..%d" % len(PROGRAMS))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
