#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""compare.py: the same command on Linux and on osv-sim must print the same, exit the same and leave the same files.

    compare.py OSV-SIM CPUS SUITE.py FUNCTION FILE...

FUNCTION of SUITE.py is called with a Machine and the files by their names. Commands run in a directory that is emptied
in between, with LC_ALL=C and TZ=UTC. Prints TAP.
"""
import os
import runpy
import shutil
import subprocess
import sys
import tempfile

TIMEOUT = 300


class Machine:
    """Runs commands on Linux and on osv-sim and compares what they did."""

    def __init__(self, osv_sim, cpus):
        self.osv = [os.path.abspath(osv_sim), "-c", cpus]
        self.count = self.failed = 0
        self.directory = tempfile.mkdtemp(prefix="osv-apps-")
        self.environment = dict(os.environ, LC_ALL="C", TZ="UTC", HOME="/nonexistent", BENCH_MS="1", BENCH_REPS="1")

    def case(self, name, ok, why=""):
        self.count += 1
        self.failed += not ok
        print("%s %d - %s" % ("ok" if ok else "not ok", self.count, name), flush=True)
        if not ok:
            print("\n".join("# " + line for line in why.splitlines()[:40]), flush=True)

    def difference(self, expected, got):
        return difference(expected, got)

    def empty(self):
        for entry in os.scandir(self.directory):
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)

    def files(self):
        result = {}
        for root, _, names in os.walk(self.directory):
            for name in names:
                path = os.path.join(root, name)
                if os.path.islink(path):
                    result[os.path.relpath(path, self.directory)] = os.readlink(path)
                    continue
                with open(path, "rb") as file:
                    result[os.path.relpath(path, self.directory)] = file.read()
        return result

    def run(self, command, stdin=None):
        """(status, output, errors) of one command; a signal's status is 128 + its number, as a shell has it."""
        try:
            done = subprocess.run(command, cwd=self.directory, env=self.environment, input=stdin, timeout=TIMEOUT,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        except subprocess.TimeoutExpired as late:
            return -1, late.stdout or b"", (late.stderr or b"") + b"\n(timed out)"
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return status, done.stdout, done.stderr

    def same(self, name, *commands, linux=None, stdin=None, keep=lambda output: output):
        """Runs commands one after the other, first all on Linux, then all on osv-sim. linux: instead of them there."""
        results = []
        for prefix, which in (([], linux or commands), (self.osv, commands)):
            self.empty()
            done = [self.run(prefix + command, stdin) for command in which]
            results.append([(status, keep(out), err) for status, out, err in done] + [self.files()])
        self.case(name, results[0] == results[1], difference(results[0], results[1]))


def difference(expected, got):
    for want, have in zip(expected, got):
        if want == have:
            continue
        if isinstance(want, dict):
            names = [n for n in sorted(set(want) | set(have)) if want.get(n) != have.get(n)]
            return "files differ: " + ", ".join(names)
        text = "status %d, want %d\n" % (have[0], want[0])
        for kind, w, h in (("stdout", want[1], have[1]), ("stderr", want[2], have[2])):
            if w != h:
                text += lines_that_differ(kind, w, h)
        return text
    return ""


def lines_that_differ(kind, want, have):
    want, have = want.split(b"\n"), have.split(b"\n")
    for number in range(max(len(want), len(have))):
        w = want[number] if number < len(want) else b"(no line)"
        h = have[number] if number < len(have) else b"(no line)"
        if w != h:
            rest = b"\n".join(have[number:number + 12]).decode(errors="replace")
            return "%s, line %d: want %r\n          have %r\n%s\n" % (kind, number + 1, w, h, rest)
    return ""


def main(arguments):
    osv_sim, cpus, suite, function = arguments[:4]
    files = {os.path.basename(path): os.path.realpath(path) for path in arguments[4:]}
    machine = Machine(osv_sim, cpus)
    # The files lie anywhere; the guest sees them where they are.
    for folder in sorted({os.path.dirname(path) for path in files.values()}):
        machine.osv += ["-v", "%s:%s:ro" % (folder, folder)]
    try:
        runpy.run_path(suite)[function](machine, files)
    finally:
        shutil.rmtree(machine.directory, ignore_errors=True)
    print("1..%d" % machine.count)
    return 1 if machine.failed or not machine.count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
