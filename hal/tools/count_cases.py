#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""count_cases.py: counts test cases, not Bazel targets.

    count_cases.py EVENTS...    EVENTS: files of bazel test --build_event_json_file

Reads each test's log: Check's summary (`50%: Checks: 2, Failures: 1, Errors: 0`) and TAP lines
(`ok 1 - what`, `not ok 2 - what`; one that was skipped is no case). A test that prints neither
is one case. A test that failed has at least one failed case. Prints a line for each failed test
and, last, `N passed, N failed`; its exit status is 1 if a case failed or no case was found.
"""
import json
import re
import sys
import urllib.parse

CHECK = re.compile(r"^\d+%: Checks: (\d+), Failures: (\d+), Errors: (\d+)")
TAP = re.compile(r"^(not )?ok(?= |$)(?!.* # SKIP)")


def count_log(text, test_passed):
    """(passed, failed) of one test's log."""
    passed = failed = 0
    for line in text.splitlines():
        check = CHECK.match(line)
        tap = TAP.match(line)
        if check:
            total, failures, errors = map(int, check.groups())
            passed += total - failures - errors
            failed += failures + errors
        elif tap and tap.group(1):
            failed += 1
        elif tap:
            passed += 1
    if not test_passed and not failed:
        failed = 1
    if test_passed and not passed + failed:
        passed = 1
    return passed, failed


def test_results(path):
    """(label, passed, log text) of the last attempt of each test that an event file names."""
    results = {}
    with open(path, encoding="utf-8") as events:
        for line in events:
            event = json.loads(line)
            result = event.get("testResult")
            if result:
                results[event["id"]["testResult"]["label"]] = result
    for label, result in sorted(results.items()):
        outputs = {output["name"]: output.get("uri", "") for output in result.get("testActionOutput", [])}
        log = urllib.parse.unquote(urllib.parse.urlparse(outputs.get("test.log", "")).path)
        try:
            with open(log, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except OSError:
            text = ""
        yield label, result.get("status") == "PASSED", text


def main(paths):
    passed = failed = 0
    for path in paths:
        for label, test_passed, text in test_results(path):
            log_passed, log_failed = count_log(text, test_passed)
            passed += log_passed
            failed += log_failed
            if log_failed:
                print("%s: %d passed, %d failed" % (label, log_passed, log_failed))
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
