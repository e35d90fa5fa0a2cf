#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""compare.py: the same command on Linux and on osv-sim must print the same, exit the same and leave the same files.

    compare.py OSV-SIM CPUS[@SEED[@SCHEDULE]] SUITE.py FUNCTION FILE...
    compare.py KERNEL BOARD:CPUS SUITE.py FUNCTION FILE...

The second form has the x86_64 kernel in QEMU in place of osv-sim, by qemu.py; BOARD is q35 or microvm.

FUNCTION of SUITE.py is called with a Machine and the files by their names. Commands run in a directory that is emptied
in between, with LC_ALL=C and TZ=UTC. Its name and the size of the environment are input of a seeded run: where there is a
seed they are the same each time. With OSV_SEEDS=FROM-TO in the environment CPUS@SEED is all of these seeds, with 1 to 4
vCPUs; with OSV_SEEDS=CPUS@SEED[@SCHEDULE] it is that. Prints TAP, and the command of what fails.
"""
import os
import runpy
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
import time

QEMU = os.path.join(os.path.dirname(os.path.realpath(__file__)), "qemu.py")
# Before Bazel ends the test without a word: what ran so long is said.
END = time.monotonic() + int(os.environ.get("TEST_TIMEOUT", 330)) - 30


def folder_make(name):
    """A new folder: of that name, unless it is in use, as by the same test of another tree."""
    if name is not None:
        path = os.path.join(tempfile.gettempdir(), name)
        try:
            os.mkdir(path)
            return path
        except FileExistsError:
            pass
    return tempfile.mkdtemp(prefix="osv-apps-")


class Machine:
    """Runs commands on Linux and on osv-sim, or on the kernel, and compares what they did."""

    def __init__(self, osv_sim, cpus, purpose=""):
        cpus, seed, schedule = (cpus.split("@") + ["", ""])[:3]
        board, colon, count = cpus.partition(":")
        self.is_seeded, self.is_kernel = bool(seed), bool(colon)
        self.osv = [os.path.abspath(osv_sim), "-c", cpus] + (["--seed", seed, "--races"] if seed else []) + (
            ["--schedule", schedule] if schedule else [])
        if self.is_kernel:
            self.osv = [QEMU, "-c", count, "--machine", board, "--kernel", os.path.abspath(osv_sim)]
        self.count = self.failed = 0
        self.start = time.time()
        self.top = folder_make("osv-apps-%s-%s-%s" % (cpus, seed, purpose) if seed else None)
        os.chmod(self.top, 0o755)  # a test gives the folder below to somebody else
        self.directory = os.path.join(self.top, "work")
        os.mkdir(self.directory)
        kept = {"PATH": "/usr/local/bin:/usr/bin:/bin"} if seed or self.is_kernel else os.environ
        self.environment = dict(kept, LC_ALL="C", TZ="UTC", HOME="/nonexistent", BENCH_MS="1", BENCH_REPS="1")

    def case(self, name, ok, why=""):
        self.count += 1
        self.failed += not ok
        print("%s %d - %s" % ("ok" if ok else "not ok", self.count, name), flush=True)
        if not ok:
            print("\n".join("# " + line for line in why.splitlines()[:40]), flush=True)

    def difference(self, expected, got):
        return difference(expected, got)

    def show(self, folder):
        """The guest sees folder where it is, read-only."""
        self.osv += ["-v", "%s:%s:ro" % (folder, folder)]

    def folder(self, name):
        """A new folder beside the one where commands run, read-only for the guest."""
        path = os.path.join(self.top, name)
        os.mkdir(path)
        self.show(path)
        return path

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)

    def empty(self):
        for entry in os.scandir(self.directory):
            shutil.rmtree(entry.path) if entry.is_dir(follow_symlinks=False) else os.unlink(entry.path)

    def files(self, unlike=()):
        """What commands left: kind and permissions, the time where it is not about now, contents."""
        result = {}
        for root, folders, names in os.walk(self.directory):
            for name in folders + names:
                path = os.path.join(root, name)
                place, what = os.path.relpath(path, self.directory), os.lstat(path)
                old = what.st_mtime if what.st_mtime < self.start - 100 else None
                if stat.S_ISLNK(what.st_mode):
                    content = os.readlink(path)
                else:
                    content = self.content(path) if stat.S_ISREG(what.st_mode) and place not in unlike else None
                result[place] = (oct(what.st_mode), old, content)
        return result

    @staticmethod
    def content(path):
        with open(path, "rb") as file:
            return file.read()

    def run(self, command, stdin=None, environment=None):
        """(status, output, errors) of one command; a signal's status is 128 + its number, as a shell has it."""
        environment = dict(self.environment, **(environment or {}))
        try:
            done = subprocess.run(command, cwd=self.directory, env=environment, input=stdin,
                                  timeout=max(1, END - time.monotonic()),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        except subprocess.TimeoutExpired as late:
            return -1, late.stdout or b"", (late.stderr or b"") + b"\n(timed out)"
        status = done.returncode if done.returncode >= 0 else 128 - done.returncode
        return status, done.stdout, done.stderr

    def same(self, name, *commands, linux=None, stdin=None, keep=lambda output: output, prepare=lambda: None,
             environment=None, unlike=()):
        """Runs commands one after the other, first all on Linux, then all on osv-sim or the kernel.

        linux: instead of them there. prepare fills the directory before. unlike: files whose contents are not compared.
        """
        results = []
        for prefix, which in (([], linux or commands), (self.osv, commands)):
            self.empty()
            prepare()
            done = [self.run(prefix + command, stdin, environment) for command in which]
            results.append([(status, keep(out), err) for status, out, err in done] + [self.files(unlike)])
        said = "\n".join("in %s: %s" % (self.directory, shlex.join(self.osv + command)) for command in commands)
        self.case(name, results[0] == results[1], said + "\n" + difference(results[0], results[1]))
        return results[0] == results[1]


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


def machines(cpus):
    """cpus; or, where that names a seed and OSV_SEEDS=FROM-TO others, one for each of them."""
    if "@" not in cpus or "OSV_SEEDS" not in os.environ:
        return [cpus]
    if "@" in os.environ["OSV_SEEDS"]:
        return [os.environ["OSV_SEEDS"]]
    first, last = (int(word) for word in os.environ["OSV_SEEDS"].split("-"))
    return ["%d@%d" % (1 + seed % 4, seed) for seed in range(first, last + 1)]


def run(osv_sim, which, suite, function, paths, count=0):
    """FUNCTION of SUITE on one machine; (how many cases with the count before, how many failed)."""
    files = {os.path.basename(path): os.path.realpath(path) for path in paths}
    machine = Machine(osv_sim, which, "-".join([function] + sorted(files)[:1]))
    machine.count = count
    # The files lie anywhere; the guest sees them where they are.
    for folder in sorted({os.path.dirname(path) for path in files.values()}):
        machine.show(folder)
    try:
        runpy.run_path(suite)[function](machine, files)
    finally:
        machine.remove()
    return machine.count, machine.failed


def main(arguments):
    osv_sim, cpus, suite, function = arguments[:4]
    count = failed = 0
    for which in machines(cpus):
        if which != cpus:
            print("# %s" % which)
        count, wrong = run(osv_sim, which, suite, function, arguments[4:], count)
        failed += wrong
    print("1..%d" % count)
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
