# SPDX-License-Identifier: BSD-3-Clause
# report.sh: TAP lines of the tests here, which source it. What it keeps: $count lines, and $failed, 1 once one has.

failed=0
count=0

# report CLAIM COMMAND...: one TAP line: whether COMMAND succeeds; if not, with the console in $log.
report() {
    local claim=$1 word=ok
    shift
    count=$((count + 1))
    if ! "$@"; then
        word="not ok"
        failed=1
        sed 's/^/# /' "$log"
    fi
    echo "$word $count - $claim"
}
