#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# boot_test.sh MACHINE FILE [CPUS [BOARD [LOADER]]]: core's self-test on one machine with CPUS CPUs. MACHINE is x86_64 or aarch64
# (FILE is a kernel, which QEMU boots without hardware acceleration; on x86_64 BOARD is QEMU's -M, and LOADER boots FILE, its module) or process (FILE is
# osv-sim).
#
# The console's TAP lines are passed on, then come two cases of our own: that the exit status says that all
# checks held, and that it says so too when one does not. There are devices, on q35
# and pc one of them behind a bridge.
set -uo pipefail
. "$(dirname "$0")/report.sh"

machine=$1 file=$2 cpus=${3:-1} board=${4:-q35} loader=${5:-}
case $board in
q35) bridge=pcie-root-port ;;
*) bridge=pci-bridge,chassis_nr=1 ;;
esac
devices="-device $bridge,id=bridge -device virtio-rng-pci,bus=bridge -device virtio-serial-pci -netdev user,id=net -device virtio-net-pci,netdev=net"
[ "$board" != microvm ] || devices="-global virtio-mmio.force-legacy=false -device virtio-rng-device -device virtio-serial-device \
-netdev user,id=net -device virtio-net-device,netdev=net"
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# boot OPTION: runs the self-test. Its console goes to $log, its exit code, as core gave it, to $code.
boot() {
    local status kernel=(-kernel "$file")
    [ -z "$loader" ] || kernel=(-kernel "$loader" -initrd "$file")
    case $machine in
    x86_64)
        timeout 60 qemu-system-x86_64 -accel tcg -M "$board" -smp "$cpus" -cpu max -m 256 -nic none -vga none -display none -no-reboot \
            $devices \
            -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial stdio "${kernel[@]}" -append "$1"
        ;;
    aarch64)
        timeout 60 qemu-system-aarch64 -accel tcg -M virt -cpu cortex-a72 -m 256 -nic none -display none -no-reboot \
            -semihosting -monitor none -serial stdio -kernel "$file" -append "$1"
        ;;
    process)
        timeout 60 "$file" --cpus "$cpus" "$1"
        ;;
    esac </dev/null 2>&1 | tr -d '\r' >"$log"
    status=${PIPESTATUS[0]}
    code=$status
    # isa-debug-exit ends QEMU with 2 * code + 1, so an even status is not core's.
    if [ "$machine" = x86_64 ]; then
        code=$((status % 2 == 1 ? status / 2 : 1000 + status))
    fi
}

# Core was told of as many CPUs as there are.
has_cpus() {
    grep -aq "^osv: self-test, $cpus CPU" "$log"
}

# The log has a plan, as many checks as it says, and none that failed.
all_hold() {
    local plan
    plan=$(sed -n 's/^1\.\.\([0-9]*\)$/\1/p' "$log")
    [ -n "$plan" ] && [ "$(grep -ac '^ok ' "$log")" = "$plan" ] && ! grep -aq '^not ok ' "$log"
}

boot --selftest
grep -a '^osv: self-test' "$log"
grep -aE '^(ok|not ok) ' "$log" || cat "$log"
count=$(grep -acE '^(ok|not ok) ' "$log")
report "$machine: every check of the self-test holds" all_hold
report "$machine: it has $cpus CPUs" has_cpus
report "$machine: the exit status is 0 (it is $code)" [ "$code" = 0 ]
if [ $machine = x86_64 ] && [ -n "$devices" ]; then
    report "$machine: a device is found (behind a bridge, where there is PCI)" grep -aq '^osv: device rng0, 1 queues$' "$log"
    report "$machine: so is one with more queues than are used" grep -aq '^osv: device hvc0, 64 queues$' "$log"
    report "$machine: so is a network device" grep -aq '^osv: device eth0, ' "$log"
fi

boot --selftest=fail
report "$machine: a check that fails is seen on the console" grep -aq '^not ok ' "$log"
report "$machine: a check that fails makes the exit status 1 (it is $code)" [ "$code" = 1 ]
echo "1..$count"
exit $failed
