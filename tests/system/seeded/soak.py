#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""soak.py: all system tests under seeds that nobody has run before, for a while.

    soak.py LIST... [--minutes N] [--from SEED]

Each line of a LIST has the label of a test and what compare.py is called with for it. The test that has had the least
time is the next. Prints what goes wrong at once, with the commands that run it again; the last lines say how many
seeds each test has had, and how many failed.
"""
import argparse
import contextlib
import io
import os
import random
import sys
import time

sys.path[:0] = ["tests/system", "tests/system/seeded"]
import compare  # noqa: E402 pylint: disable=wrong-import-position
import hunt  # noqa: E402 pylint: disable=wrong-import-position

compare.TIMEOUT = 120


class Test:
    def __init__(self, line):
        self.label, osv_sim, _, *self.arguments = line.split()
        self.osv_sim = os.path.realpath(osv_sim)
        self.seconds = self.count = self.failed = 0

    def run(self, seed):
        """One seed; what is to be said of it: "" if all is well."""
        _, cpus, _, schedule = hunt.options(seed)
        which = "@".join([cpus, str(seed), schedule])
        start, said = time.time(), io.StringIO()
        with contextlib.redirect_stdout(said):
            suite, function, *files = self.arguments
            _, failed = compare.run(self.osv_sim, which, suite, function, files)
        self.count += 1
        self.failed += failed > 0
        self.seconds += time.time() - start
        again = "OSV_SEEDS=%s bazel test --test_env=OSV_SEEDS --test_output=all %s\n" % (which, self.label)
        return again + "".join(line for line in said.getvalue().splitlines(True) if not line.startswith("ok ")) if failed else ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--from", dest="first", type=int, default=random.SystemRandom().randrange(1 << 40))
    parser.add_argument("lists", nargs="+")
    arguments = parser.parse_args()
    tests = []
    for path in arguments.lists:
        with open(path, encoding="utf-8") as lines:
            tests += [Test(line) for line in lines]
    seed, end = arguments.first, time.time() + 60 * arguments.minutes
    while time.time() < end:
        print(min(tests, key=lambda test: test.seconds).run(seed), end="", flush=True)
        seed += 1
    for test in tests:
        print("%s: %d seeds, %d failed" % (test.label, test.count, test.failed))
    failed = sum(test.failed for test in tests)
    print("%d tests, %d seeds from %d, %d failed" % (len(tests), sum(test.count for test in tests), arguments.first, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
