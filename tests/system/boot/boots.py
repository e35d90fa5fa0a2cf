#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""boots.py OSV-RUN KERNEL ROOT [--all] [--seed N]: the x86_64 kernel starts a program, again and again.

First alike on q35, then with CPUs (1 to 8), memory and board by chance from the seed, which is printed. All have to end
with status 0 and the program's output, and nothing else. 12 and 8 boots from seed 1; with --all 100 and 50, from another
seed each time. Prints TAP, and the command of what fails.
"""
import argparse
import os
import random
import shlex
import subprocess
import sys
import time

TIMEOUT = 60
BOARDS = ["q35", "pc", "microvm"]
MEMORY_MIN, MEMORY_MAX = 32, 2048  # MB


def boot(command):
    """None, or what is wrong."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if (done.returncode, done.stdout, done.stderr) == (0, b"output\n", b"errors\n"):
        return None
    said = (done.stdout + done.stderr).decode(errors="replace")
    return "status %d: %s\n%s" % (done.returncode, shlex.join(command), said)


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("osv_run")
    parser.add_argument("kernel")
    parser.add_argument("root")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args(arguments)
    seed = options.seed
    if seed is None:
        seed = int.from_bytes(os.urandom(4), "little") if options.all else 1
    print("# --seed %d" % seed, flush=True)
    chance = random.Random(seed)
    alike, different = (100, 50) if options.all else (12, 8)
    failed = 0
    start = time.monotonic()
    for number in range(1, alike + different + 1):
        board, cpus, memory = "q35", 1 + number % 2, 64
        if number > alike:
            board, cpus, memory = chance.choice(BOARDS), chance.randint(1, 8), chance.randint(MEMORY_MIN, MEMORY_MAX)
        command = [options.osv_run, "--direct", "--accel", "tcg", "--timeout", str(TIMEOUT), "--machine", board,
                   "-c", str(cpus), "-m", "%dM" % memory, "--initrd", options.root, options.kernel, "--", "/bin/ends"]
        wrong = boot(command)
        failed += wrong is not None
        print("%s %d - %s, %d CPUs, %d MB" % ("ok" if wrong is None else "not ok", number, board, cpus, memory), flush=True)
        if wrong is not None:
            print("# " + wrong.rstrip().replace("\n", "\n# "), flush=True)
    print("1..%d\n# %.1f s" % (number, time.monotonic() - start))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
