#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# fuzz_all.sh FUZZ.SH (@NAME WORD...)... @ [SECONDS [NAME...]]: runs FUZZ.SH with the WORDs and SECONDS (600) for each NAME, or those that are
# named, all at the same time and behind all else that the machine does. Prints a line for each; fails where one failed, and shows what it said.
set -u
fuzz=$1
shift
declare -A words
while [ "$1" != @ ]; do
    name=${1#@}
    shift
    while [ "${1:0:1}" != @ ]; do
        words[$name]+=" $1"
        shift
    done
done
seconds=${2:-600}
names=("${@:3}")
[ ${#names[@]} -gt 0 ] || names=("${!words[@]}")
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

run() {
    local name=$1 mark=ok
    # shellcheck disable=SC2086
    nice "$fuzz" ${words[$name]} "$seconds" >"$logs/$name" 2>&1 || mark="not ok"
    echo "$mark - $name: $(grep 'per second of' "$logs/$name")"
    [ "$mark" = ok ] || cp "$logs/$name" "$logs/$name.failed"
}

for name in "${names[@]}"; do
    [ -n "${words[$name]:-}" ] || { echo "fuzz_all.sh: no protocol $name; there are: ${!words[*]}" >&2; exit 2; }
    run "$name" &
done
wait
! cat "$logs"/*.failed 2>/dev/null
