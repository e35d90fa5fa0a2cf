#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# nodes_test.sh: a program on machines with two nodes, which asks where its memory is.
#
#   nodes_test.sh kernel OSV_RUN OSV_IMAGE KERNEL PROGRAM CPUS    QEMU's nodes, of unlike sizes
#   nodes_test.sh process OSV_SIM PROGRAM CPUS                    osv-sim's --nodes, also by seeds
set -uo pipefail
. "$(dirname "$0")/report.sh"

machine=$1
shift
work=$(mktemp -d)
log=$work/log
trap 'rm -rf "$work"' EXIT

# Each line of the program's is one claim.
is_passed() {
    [ "$status" = 0 ] && [ "$(grep -c '^ok: ' "$log")" -ge 35 ] && ! grep -v '^ok: ' "$log"
}

if [ "$machine" = kernel ]; then
    run=$1 image=$2 kernel=$3 program=$4 cpus=$5
    half=$((cpus / 2))
    "$image" build --kernel "$kernel" -o "$work/nodes.osv" --file "$program:/bin/nodes" /bin/nodes
    arguments=()
    for word in -object memory-backend-ram,id=m0,size=96M -object memory-backend-ram,id=m1,size=160M \
        -numa "node,nodeid=0,memdev=m0,cpus=0-$((half - 1))" -numa "node,nodeid=1,memdev=m1,cpus=$half-$((cpus - 1))" \
        -numa dist,src=0,dst=1,val=31; do
        arguments+=(--qemu-argument "$word")
    done
    timeout -k 1 120 "$run" --direct --accel tcg -c "$cpus" -m 256M "${arguments[@]}" "$work/nodes.osv" >"$log" 2>&1
    status=$?
    report "two nodes of QEMU's" is_passed
else
    sim=$1 program=$2 cpus=$3
    timeout -k 1 60 "$sim" --nodes 2 -c "$cpus" "$program" >"$log" 2>&1
    status=$?
    report "two nodes" is_passed
    for seed in 1 2 3; do
        timeout -k 1 120 "$sim" --nodes 2 -c "$cpus" --seed "$seed" "$program" >"$log" 2>&1
        status=$?
        report "two nodes, seed $seed" is_passed
    done
    "$sim" --nodes 17 "$program" >"$log" 2>&1
    status=$?
    refused() { [ "$status" = 2 ] && grep -q -- "--nodes: '17' is not a number from 1 to 16" "$log"; }
    report "too many nodes are refused" refused
fi
echo "1..$count"
exit $failed
