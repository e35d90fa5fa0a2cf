#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""count_cases_test.py: what .ci/run counts is what the logs say."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../hal/tools"))
import count_cases  # noqa: E402

CASES = [
    ("Check's cases", "Running suite(s): list\n100%: Checks: 7, Failures: 0, Errors: 0\n", True, (7, 0)),
    ("failures and errors", "57%: Checks: 7, Failures: 2, Errors: 1\n", False, (4, 3)),
    ("two suites in a log", "100%: Checks: 1, Failures: 0, Errors: 0\n" * 2, True, (2, 0)),
    ("TAP", "ok 1 - a\nnot ok 2 - b\nok 3\n1..3\n# ok\n", False, (2, 1)),
    ("skipped TAP", "ok 1 - a # SKIP no such program\nok 2 - b\n", True, (1, 0)),
    ("words that begin with ok", "okay\nok_then\n", True, (1, 0)),
    ("a silent test is one case", "", True, (1, 0)),
    ("a silent failure is one failed case", "Segmentation fault\n", False, (0, 1)),
    ("a test that dies after good cases has failed", "ok 1 - a\nAborted\n", False, (1, 1)),
]


def main():
    failed = 0
    for number, (what, log, passed, expected) in enumerate(CASES, 1):
        found = count_cases.count_log(log, passed)
        failed += found != expected
        print("%sok %d - %s: %s" % ("" if found == expected else "not ", number, what, found))
    print("1..%d" % len(CASES))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
