#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# end_test.sh KERNEL: how the x86_64 kernel ends other than by QEMU's isa-debug-exit: ACPI turns each board off; a
# non-maskable interrupt and a machine check, which QEMU's monitor raises, are reported and end it.
set -uo pipefail
. "$(dirname "$0")/report.sh"

kernel=$1
log=$(mktemp)
commands=$log.commands
mkfifo "$commands"
exec 3<>"$commands"
trap 'rm -f "$log" "$commands"' EXIT

# qemu BOARD ARGUMENT...: the self-test, its console in $log. QEMU's exit status.
qemu() {
    local board=$1
    shift
    timeout -k 1 60 qemu-system-x86_64 -accel tcg -M "$board" -cpu max -m 256 -nic none -vga none -display none \
        -serial file:"$log" -kernel "$kernel" -append --selftest "$@"
}

# Without -no-reboot: a reset in place of power-off would start it again, for ever.
for board in q35 pc microvm; do
    : >"$log"
    qemu $board -smp 2 -monitor none </dev/null
    report "$board: ACPI turns the machine off" [ $? = 0 ]
    report "$board: and not before the end" grep -aq '^1\.\.[0-9]*' "$log"
done

# monitor COMMAND: raises it while core is at work. On a busy host it may come too late: then once more.
monitor() {
    local attempt
    for attempt in 1 2 3 4 5 6; do
        : >"$log"
        qemu q35 -icount shift=9,sleep=off -no-reboot -monitor stdio -device isa-debug-exit,iobase=0xf4,iosize=4 \
            <"$commands" >/dev/null 2>&1 &
        while ! grep -aq '^ok 1 ' "$log" && kill -0 $! 2>/dev/null; do
            sleep 0.02
        done
        echo "$1" >&3
        wait $!
        code=$(($? / 2))
        grep -aq '^machine: ' "$log" && return
    done
}

# shows TEXT...: the console does.
shows() {
    local text
    for text in "$@"; do
        grep -aq -e "$text" "$log" || return 1
    done
}

monitor nmi
report "an NMI is reported, with registers" shows '^machine: non-maskable interrupt' '  rip ffffffff8' 'vec 0*2$'
report "and ends the machine with status 125 (it is $code)" [ "$code" = 125 ]
monitor "mce 0 4 0xb600000000000005 0x5 0x1234567 0"
report "a machine check is reported, with what the hardware says" \
    shows '^machine: machine check' 'vec 0*12$' 'bnk 0*4$' 'mcs b600000000000005' 'mca 0*1234567$' 'mcg 0*5 '
report "and ends the machine with status 125 (it is $code)" [ "$code" = 125 ]
echo "1..$count"
exit $failed
