#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# disk_test.sh OSV-SIM CPUS[@SEED] PROGRAM FACTS: disk.c upon a disk that is a file of the host, and on Linux upon that file.
# Each machine writes what the other one checks.
set -uo pipefail
. "$(dirname "$0")/../boot/report.sh"

sim=$PWD/$1 cpus=${2%@*} seed=${2#"$cpus"} program=$PWD/$3 facts=$PWD/$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
size=$((${#seed} > 0 ? 600576 : 3000832)) # no whole chunk at the end
cd "$work" || exit 1

# disk OPTIONS FILE[:ro] ARGUMENTS
disk() {
    # shellcheck disable=SC2086
    timeout -k 1 100 "$sim" -c "$cpus" ${seed:+--seed ${seed#@}} $1 --disk "$2" "$program" "$3" /dev/vda >"$log" 2>&1
}

# new FILE: an empty disk.
new() {
    rm -f "$1" && truncate -s "$size" "$1"
}

says() {
    "$@" >"$log" 2>&1 && [ "$(cat "$log")" = "all $size bytes are right" ]
}

is() {
    [ "$(cat "$log")" = "$1" ]
}

new a
report "threads write a disk and read it back" says disk "" a fill
report "the file has what they wrote" says "$program" check a
new b
"$program" fill b >"$log" 2>&1
report "what Linux wrote is read" says disk "" b:ro check

new a
disk "" a facts
report "sizes, controls and errors are Linux's" is "$(cat "$facts")"
disk "" a:ro refused
report "a disk that is read-only refuses writes" is "open: yes
write: EPERM
read: yes
BLKROGET 0 1"

truncate -s 99840 odd # 195 sectors
"$program" fill odd >"$log" 2>&1
printf "less than a sector" >>odd
disk "" odd:ro check
report "a size that is no whole sector is cut" is "all 99840 bytes are right"

if [ -n "$seed" ]; then
    new a
    disk "--faults disk=0.1,delay=0.2" a faults
    sed -i '/^osv: the disk vda: the last writes may be lost$/d' "$log" # the flush at the end has its errors, too
    report "errors are told, and what is written without one is there" is "all $size bytes are right
transfers failed: some"
    report "on the file, too" says "$program" check a
    new a
    disk "--faults disk=1" a check
    report "a disk that does nothing right ends nobody else" is "read at 0: Input/output error"
fi

timeout 20 "$sim" --disk nothing "$program" check /dev/vda >"$log" 2>&1
report "a disk that is not there: status 2" [ $? = 2 ]
report "and a line" is "osv-sim: --disk: nothing: No such file or directory"
truncate -s 511 short
timeout 20 "$sim" --disk short "$program" check /dev/vda >"$log" 2>&1
report "a file that is no disk" is "osv-sim: --disk: short: not a file of at least a sector (512 bytes)"
echo "1..$count"
exit $failed
