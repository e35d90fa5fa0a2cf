#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# grub_test.sh KERNEL PROGRAM: the x86_64 kernel started by GRUB, by Multiboot2, from a disc: with a BIOS, and with UEFI, which
# starts another GRUB. The root is a module; firmware's own devices are there. PROGRAM is tests/apps/hello.c.
set -uo pipefail
. "$(dirname "$0")/report.sh"

kernel=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
firmware=/usr/share/OVMF/OVMF_CODE_4M.fd

mkdir -p "$work"/tree/{bin,dev,proc,tmp} "$work/disc/boot/grub"
cp -L "$program" "$work/tree/bin/hello"
mkfs.erofs --quiet -Enoinline_data "$work/disc/root.img" "$work/tree" >/dev/null
objcopy --strip-all "$kernel" "$work/disc/kernel.elf"
cat >"$work/disc/boot/grub/grub.cfg" <<'END'
multiboot2 /kernel.elf --root=initrd "--env=HELLO=two words" -- /bin/hello 3 "two words"
module2 /root.img root.img
boot
END
grub-mkrescue --quiet -o "$work/disc.iso" "$work/disc" >"$log" 2>&1
report "GRUB's disc is made" [ -s "$work/disc.iso" ]

# boot BOARD ARGUMENT...: the kernel's console in $log, its exit code in $code.
boot() {
    local status
    timeout -k 1 60 qemu-system-x86_64 -accel tcg -M "$1" -cpu max -m 256 -smp 2 -nic none -vga none -display none \
        -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial "file:$log" \
        -cdrom "$work/disc.iso" "${@:2}" </dev/null
    status=$?
    code=$((status % 2 == 1 ? status / 2 : 1000 + status))
}

# What firmware and GRUB print comes before.
is_run() {
    [ "$code" = 3 ] && tr -d '\r' <"$log" | tail -n 5 | cmp -s - <(
        printf '%s\n' "and to the error stream" "hello, world" "argument 1: 3" "argument 2: two words" "HELLO is two words"
    )
}

boot q35
report "BIOS: a program runs, with its arguments (status $code)" is_run
boot q35 -drive "if=pflash,format=raw,readonly=on,file=$firmware"
report "UEFI: a program runs, with its arguments (status $code)" is_run
echo "1..$count"
exit $failed
