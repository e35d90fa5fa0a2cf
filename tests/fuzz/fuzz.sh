#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# fuzz.sh TARGET RATE[:LENGTH] FILE... -- SECONDS: runs a fuzz target from FILEs for so long, with inputs of at most
# LENGTH bytes (20000); prints how many executions per second of processor time it made, and fails where it crashed or
# made less than RATE. Inputs that crash are left in $TMPDIR or /tmp.
set -u
target=$1 rate=${2%:*} length=20000
[ "$rate" = "$2" ] || length=${2#*:}
shift 2
corpus=$(mktemp -d)
trap 'rm -rf "$corpus"' EXIT
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    cp "$1" "$corpus/"
    shift
done
seconds=${2:-60}
log=$corpus.log
TIMEFORMAT='%U %S'
# What was freed lately is watched; more of it costs time.
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:quarantine_size_mb=8
# libFuzzer's own choice of inputs by what they reach rarely costs more time than the shorter inputs take themselves.
used=$({ time "$target" -max_len="$length" -entropic=0 -timeout=5 -rss_limit_mb=1024 \
    -max_total_time="$seconds" -print_final_stats=1 -artifact_prefix="${TMPDIR:-/tmp}/$(basename "$target")-crash-" "$corpus" >"$log" 2>&1; } 2>&1)
status=$?
executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
# Of processor time: others may run at the same time.
per_second=$(awk -v count="${executions:-0}" '{ total += $1 + $2 } END { printf "%d", (total > 0 ? count / total : 0) }' <<<"$used")
[ $status = 0 ] || tail -60 "$log"
coverage=$(grep -o 'cov: [0-9]*' "$log" | tail -1)
rm -f "$log"
echo "$executions executions, $per_second per second of processor time, $coverage"
[ $status = 0 ] && echo "ok 1 - no crash" || echo "not ok 1 - no crash"
[ "${per_second:-0}" -ge "$rate" ] && echo "ok 2 - at least $rate per second" || echo "not ok 2 - at least $rate per second"
echo 1..2
[ $status = 0 ] && [ "${per_second:-0}" -ge "$rate" ]
