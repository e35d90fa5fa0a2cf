#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# budgets_fail_test.sh BUDGETS.PY: which figures budgets.py takes and which it refuses, without a measurement.
set -uo pipefail

budgets=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
failed=0
cat >"$work/table" <<'END'
# of two figures
pair 1000 900 3000 2000
walk 20.5 - - -
END

# judges CLAIM STATUS LINE: what a program printed is the two lines of standard input.
judges() {
    local status word=ok
    cat >"$work/figures"
    "$budgets" --table="$work/table" --figures="$work/figures" >"$work/log" 2>&1
    status=$?
    count=$((count + 1))
    if [ $status != "$2" ] || ! grep -qF "$3" "$work/log"; then
        word="not ok"
        failed=1
        sed 's/^/# /' "$work/log"
    fi
    echo "$word $count - $1"
}

judges "3 % over the budget is within it" 0 "ok 1 - pair: 1030, its budget is 1000 (Linux 3000, OSv 2000)" <<'END'
pair 1030 ns
walk 21.1 ns
END
judges "more is not" 1 "not ok 1 - pair: 1031, its budget is 1000" <<'END'
pair 1031 ns
walk 10.0 ns
END
judges "nor is it for a figure of few instructions" 1 "not ok 2 - walk: 21.2, its budget is 20.5" <<'END'
pair 900 ns
walk 21.2 ns
END
judges "a figure that nobody printed" 1 "not ok 2 - walk: no program printed it" <<'END'
pair 900 ns
# walk skipped: one cpu
END
judges "a figure without a budget" 1 "not ok 3 - jump: 7, which has no budget" <<'END'
pair 900 ns
walk 20.0 ns
jump 7.0 ns
END
judges "a budget above what was asked is said" 0 "# pair: the budget is 1000, asked were 900" <<'END'
pair 900 ns
walk 20.5 ns
END
echo "1..$count"
exit $failed
