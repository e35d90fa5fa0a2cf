#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""valgrind.py: Valgrind, as it comes, says about a program on osv-sim what it says about it on Linux.

    valgrind.py OSV-SIM CPUS clean PROGRAM ARGUMENT...
    valgrind.py OSV-SIM CPUS errors PROGRAM

clean: no error and no leak. errors: the same reports in the same order; a report is its kind, the program's own
functions on the stack (so Valgrind knows the program's symbols), how many bytes were accessed, and what is said about
the block. Prints TAP.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as tree

CHECK = ["valgrind", "--leak-check=full", "--xml=yes"]
ADDRESS = re.compile(r"0x[0-9a-fA-F]+")
RECORD = re.compile(r" in loss record .*")


def functions(stack, program):
    """The program's own functions on a stack, innermost first."""
    return [frame.findtext("fn") for frame in stack.iter("frame")
            if os.path.basename(frame.findtext("obj") or "") == program and frame.findtext("fn")]


def about(text):
    """What is said about a block; of the rest of memory each machine has its own."""
    text = ADDRESS.sub("", text or "")
    return text if "block" in text else ""


def reports(path, program):
    found = []
    for error in tree.parse(path).getroot().iter("error"):
        what = error.findtext("what") or error.findtext("xwhat/text")
        found.append("%s: %s %s; %s" % (
            error.findtext("kind"), RECORD.sub("", what),
            [functions(stack, program) for stack in error.iter("stack")],
            about(error.findtext("auxwhat"))))
    return found


class Checks:
    def __init__(self, osv_sim, cpus):
        self.osv = [os.path.abspath(osv_sim), "-c", cpus]
        self.count = self.failed = 0

    def case(self, name, wrong):
        self.count += 1
        self.failed += bool(wrong)
        print("%s %d - %s" % ("not ok" if wrong else "ok", self.count, name), flush=True)
        for line in wrong:
            print("# " + line)

    def run(self, command):
        """(exit status, output, reports) of command under Valgrind."""
        program = os.path.basename(command[len(self.osv)] if command[0] == self.osv[0] else command[0])
        done = subprocess.run(CHECK + ["--xml-file=reports.xml"] + command, stdout=subprocess.PIPE,
                              text=True, errors="replace", check=False)
        return done.returncode, done.stdout, reports("reports.xml", program)

    def clean(self, *command):
        plain = subprocess.run(self.osv + list(command), stdout=subprocess.PIPE, text=True, check=False)
        status, output, found = self.run(self.osv + list(command))
        self.case("no report about a correct program", found)
        self.case("it runs as without Valgrind", [] if (status, output) == (plain.returncode, plain.stdout) else [
            "%d %d" % (plain.returncode, status), plain.stdout, output])

    def errors(self, program):
        _, _, expected = self.run([program])
        _, output, found = self.run(self.osv + [program])
        self.case("the program comes to its end", [] if output == "done\n" else [output])
        for report in expected:
            self.case(report, [] if report in found else ["Valgrind on osv-sim says:"] + found)
        self.case("no other reports", [report for report in found if report not in expected])
        self.case("Linux knows all of them", [] if len(expected) >= 15 else expected)


def bring(word, scratch):
    """A file of the test's is copied to where the program sees it."""
    return "./" + os.path.basename(shutil.copy(word, scratch)) if os.path.isfile(word) and word[0] != "/" else word


def main(osv_sim, cpus, kind, *command):
    checks = Checks(osv_sim, cpus)
    with tempfile.TemporaryDirectory() as scratch:
        command = [bring(word, scratch) for word in command]
        os.chdir(scratch)
        getattr(checks, kind)(*command)
        os.chdir("/")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
