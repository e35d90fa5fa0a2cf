#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""hunt.py: seeds that nobody has run before, for a while: prints the command of each run that goes wrong.

    hunt.py [--seconds N] [--from SEED] OSV-SIM PROGRAM...

Each program must print and exit as on Linux, with 2 to 4 vCPUs and each way of choosing who goes on. Prints TAP.
The n-th run of a program has the seed SEED + n, so that who goes on for longer passes again by what others have run.
"""
import argparse
import contextlib
import itertools
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time


# What a program has to survive, and how often it strikes.
FAULTS = {"delay": ("0.02", "0.2"), "short": ("0.1", "0.7"), "clock": ("0.05", "0.5"), "stall": ("0.001", "0.02")}
# What they would print: what one read of a pipe gives; what is left of a few milliseconds.
SPARED = {"events": ("delay", "short", "stall"), "pipes": ("short",)}


def faults(seed, name):
    """None for half of the seeds; else any combination of kinds."""
    chance = random.Random(seed)
    planted = [kind + "=" + chance.choice(rates) for kind, rates in FAULTS.items()
               if chance.random() < 0.5 and kind not in SPARED.get(name, ())]
    if chance.random() < 0.5:
        return []
    return ["--faults", ",".join(planted)] if planted else []


def options(seed):
    """What besides the seed differs from run to run: all of it follows from the seed."""
    schedule = {6: "pct:%d" % (1 + seed % 20), 7: "turns:%d" % (seed % 40)}.get(seed % 8, "random")
    return ["-c", str(2 + seed // 8 % 3), "--schedule", schedule]


# The name of the current directory and the size of the environment are input: who runs a command again wants the same.
ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/bin:/usr/bin:/bin"}


def run(command, seconds=60, folder=None):
    """(status, output, errors) of command in a folder that is empty: folder, which is made, or any."""
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
        else:
            os.mkdir(folder)
            stack.callback(shutil.rmtree, folder)
        try:
            done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, capture_output=True,
                                  timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            return "no end in %d s" % seconds, b"", b""
    return done.returncode, done.stdout, done.stderr


def again(folder, command):
    """A line for a shell: the same run."""
    values = ["%s=%s" % pair for pair in ENVIRONMENT.items()]
    return "mkdir %s && cd %s && %s </dev/null" % (folder, folder, shlex.join(["env", "-i"] + values + command))


def hunt(osv_sim, program, seeds, end):
    """Runs program until end; (how many runs, what to say of each that went wrong)."""
    count, wrong = 0, []
    expected = run([program])
    while time.time() < end and len(wrong) < 5:
        seed = next(seeds)
        shown = ["-v", "%s:%s:ro" % ((os.path.dirname(program),) * 2)]
        command = [osv_sim, "--seed", str(seed), "--races"] + options(seed)
        command += faults(seed, os.path.basename(program)) + shown + [program]
        folder = os.path.join(tempfile.gettempdir(), "osv-hunt-%d" % seed)
        got = run(command, folder=folder)
        count += 1
        if got[:2] != expected[:2]:
            wrong.append(again(folder, command) + "\nstatus %s, want %s\n" % (got[0], expected[0]) +
                         got[2].decode(errors="replace")[:2000])
    return count, wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--from", dest="first", type=int, default=random.SystemRandom().randrange(1 << 40))
    parser.add_argument("osv_sim")
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()
    osv_sim = os.path.realpath(arguments.osv_sim)
    print("# --from %d" % arguments.first)
    start, failed = time.time(), 0
    for number, path in enumerate(arguments.programs, 1):
        end = start + arguments.seconds * number / len(arguments.programs)
        count, wrong = hunt(osv_sim, os.path.realpath(path), itertools.count(arguments.first), end)
        failed += bool(wrong)
        print("%sok %d - %s under %d seeds" % ("not " if wrong else "", number, os.path.basename(path), count), flush=True)
        print("".join("# %s\n" % line for text in wrong for line in text.splitlines()), end="", flush=True)
    print("1..%d" % len(arguments.programs))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
