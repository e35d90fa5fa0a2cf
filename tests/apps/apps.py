# SPDX-License-Identifier: BSD-3-Clause
"""apps.py: real programs with real inputs, for compare.py: programs.py's list by its suites, and our own programs."""
import functools
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))
import inputs as made_inputs  # noqa: E402
from programs import PROGRAMS  # noqa: E402


# For QEMU's own processor.
SMALLER = {"sample50": "sample10"}


class Cases:
    """Runs cases of programs.py on one Machine of compare.py. Inputs are made once, and copied for each run."""

    def __init__(self, machine, files):
        self.machine, self.files = machine, files
        self.folder = machine.folder("inputs")

    def input(self, name):
        path = os.path.join(self.folder, name)
        if not os.path.lexists(path):
            made_inputs.INPUTS[SMALLER.get(name, name) if self.machine.is_kernel else name](path)
            for root, folders, names in os.walk(path):
                for entry in folders + names:
                    os.utime(os.path.join(root, entry), (made_inputs.MOMENT,) * 2, follow_symlinks=False)
            os.utime(path, (made_inputs.MOMENT,) * 2)
        return path

    def place(self, case):
        for name in case.inputs:
            source, target = self.input(name), os.path.join(self.machine.directory, name)
            if os.path.isdir(source):
                shutil.copytree(source, target, symlinks=True)
                self.link(source, target)
            else:
                shutil.copy2(source, target)

    @staticmethod
    def link(source, target):
        """What has several names in source has them in target."""
        first = {}
        for root, _, names in os.walk(source):
            for name in sorted(names):
                path = os.path.join(root, name)
                copy = os.path.join(target, os.path.relpath(path, source))
                if os.lstat(path).st_nlink > 1 and not os.path.islink(path):
                    if os.lstat(path).st_ino in first:
                        os.unlink(copy)
                        os.link(first[os.lstat(path).st_ino], copy)
                    first.setdefault(os.lstat(path).st_ino, copy)
        for root, folders, _ in os.walk(target):
            for folder in folders + ["."]:
                os.utime(os.path.join(root, folder), (made_inputs.MOMENT,) * 2)

    def word(self, word):
        start, at, name = word.rpartition("@")
        if at and name in self.files:
            word = start + self.files[name]
        return word.replace("{inputs}", self.folder)

    def run(self, case):
        if any("{inputs}" in word for command in case.commands for word in command):
            self.input("repository")
        commands = [[self.word(word) for word in command] for command in case.commands]
        keep = lines_sorted if case.lists and self.machine.is_seeded else bytes
        return self.machine.same(case.name, *commands, stdin=case.stdin, prepare=lambda: self.place(case), keep=keep,
                                 environment=case.environment, unlike=case.unlike)


def lines_sorted(output):
    return b"".join(sorted(output.splitlines(True)))


def suite(name, machine, files):
    cases = Cases(machine, files)
    for program in PROGRAMS:
        if program.suite == name:
            for case in program.cases:
                cases.run(case)


globals().update({name: functools.partial(suite, name) for name in sorted({p.suite for p in PROGRAMS})})


def names_only(output):
    """A benchmark's names and units: its values differ from run to run."""
    lines = []
    for line in output.decode().splitlines():
        words = line.split()
        lines.append(" ".join([words[0], words[-1]]) if words and words[0] != "#" else line)
    return "\n".join(lines).encode()


def hello(machine, files):
    shared, pie, fixed = files["hello.so"], files["hello_pie"], files["hello_fixed"]
    for name, program in (("shared object with main", shared), ("PIE", pie), ("at its link address", fixed)):
        machine.same(name, [program], linux=[[pie]])
        machine.same(name + ", arguments and status", [program, "7", "a b", ""], linux=[[pie, "7", "a b", ""]])


def cxx(machine, files):
    machine.same("C++ run-time", [files["work_cxx"]])
    machine.same("C++ run-time, 64 threads", [files["work_cxx"], "64"])


def bench(machine, files):
    """The same names in the same order; with one vCPU, without those that want two CPUs."""
    alone = machine.osv[2] == "1"

    def keep(output):
        lines = names_only(output).split(b"\n")
        two = (b"_2t", b"_2cpu", b"_nopin", b"_remote_free", b"#")
        return b"\n".join(line for line in lines if not (alone and any(word in line for word in two)))

    arguments = {"bench_vm": ["64"], "bench_sqliteb": [":memory:"]}
    for name, path in files.items():
        machine.same(name + " prints the same names", [path] + arguments.get(name, []), keep=keep)


def vm_1g(machine, files):
    """A region of 1 GiB in every way."""
    machine.osv += ["-m", "2G"]
    program = files["bench_vm"]
    machine.same("-m 2G bench_vm 1024", [program, "1024"], linux=[[program, "16"]], keep=names_only)


def cxx_many(machine, files):
    """200 runs in a row of the C++ program; on the kernel 5, since tests/system/boot:boots has its hundreds."""
    runs = 5 if machine.is_kernel else 200
    want = machine.run([files["work_cxx"]])
    for number in range(runs):
        got = machine.run(machine.osv + [files["work_cxx"]])
        if got != want:
            machine.case("run %d of %d" % (number + 1, runs), False, machine.difference([want], [got]))
            return
    machine.case("%d runs in a row" % runs, True)
