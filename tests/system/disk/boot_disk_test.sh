#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# boot_disk_test.sh KERNEL BOARD CPUS PROGRAM FACTS: disk.c on the x86_64 kernel in QEMU, upon a disk that Linux checks, and
# the other way round. On q35 disks are behind PCI, on microvm their registers are a piece of memory.
set -uo pipefail
. "$(dirname "$0")/../boot/report.sh"

kernel=$1 board=$2 cpus=$3 program=$4 facts=$5
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log=$work/log
size=3000832 # no whole chunk
case $board in
microvm*) device=virtio-blk-device rng=virtio-rng-device serial=virtio-serial-device ;;
*) device=virtio-blk-pci rng=virtio-rng-pci serial=virtio-serial-pci ;;
esac

# boot ARGUMENTS QEMU-OPTIONS...
boot() {
    timeout 100 qemu-system-x86_64 -accel tcg -M "$board" -smp "$cpus" -cpu max -m 128 -nic none -vga none -display none \
        -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial stdio -kernel "$kernel" \
        -global virtio-mmio.force-legacy=false "${@:2}" -append "$1" </dev/null >"$log" 2>&1
}

# disk ARGUMENTS OPTIONS-OF-THE-DEVICE [QEMU-OPTIONS...]
disk() {
    boot "--root=initrd -- /bin/disk $1 /dev/vda" -initrd "$work/image" -device "$device,drive=disk$2" \
        -drive "file=$work/disk,format=raw,if=none,id=disk" "${@:3}"
}

new() {
    rm -f "$work/disk" && truncate -s "$size" "$work/disk"
}

says() {
    "$@" >"$work/said" 2>&1
    is "all $size bytes are right"
}

is() {
    [ "$(cat "$log")" = "$1" ]
}

root=$work/files
mkdir -p "$root"/{bin,dev,proc,tmp}
cp "$program" "$root/bin/disk"
mkdir -p "$root/lib/x86_64-linux-gnu"
for each in bash sha256sum; do
    cp -L "$(command -v $each)" "$root/bin/$each"
done
ldd "$root"/bin/* | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u | grep -v '/libc\.so\.6$' | while read -r library; do
    cp -L "$library" "$root/lib/x86_64-linux-gnu/"
done
seq 100000 >"$root/numbers"
mkfs.erofs --quiet "$work/image" "$root" >/dev/null

new
report "threads write a disk and read it back" says disk fill ""
"$program" check "$work/disk" >"$log" 2>&1
report "the file has what they wrote" is "all $size bytes are right"
report "a disk of one queue, beside other devices" says disk check ",num-queues=1" -device "$rng" -device "$serial"
new
disk facts ",serial=number"
report "sizes, controls and errors are Linux's" is "$(cat "$facts")"
if [ "$device" = virtio-blk-pci ]; then
    "$program" fill "$work/disk" >"$log" 2>&1
    report "queues that share an interrupt" says disk check ",num-queues=4,vectors=2"
    report "and all of them, that for the configuration, too" says disk check ",num-queues=4,vectors=1"
    report "short rings" says disk check ",queue-size=4"
    report "and a line in place of messages" says disk check ",num-queues=4,vectors=0"
    disk check ",disable-modern=true,disable-legacy=off"
    report "an old device is left out" is "osv: the virtio device at PCI 00:01.0 has no registers of virtio 1.0 where \
it says; it is left out
the size at 0: Bad file descriptor"
else
    disk check "" -global virtio-mmio.force-legacy=true
    report "an old device is left out" grep -q "speaks an old virtio only (QEMU: -global virtio-mmio.force-legacy=false); it \
is left out" "$log"
fi
new
disk fill ",logical_block_size=4096,physical_block_size=4096"
report "a disk of larger blocks, cut to whole ones" is "all 2998272 bytes are right"

# rooted ARGUMENTS [DRIVE-OPTIONS]: with the image as the disk.
rooted() {
    boot "--root=/dev/vda -- $1" -drive "if=none,id=root,${2:-file=$work/image,format=raw,readonly=on}" \
        -device "$device,drive=root"
}

files=$(cd "$root" && find . -type f | sort)
rooted "/bin/sha256sum $(echo "$files" | tr '\n' ' ')"
report "a root on a disk: files are read" is "$(cd "$root" && echo "$files" | xargs sha256sum)"
rooted '/bin/bash -c "read line < /proc/mounts; echo $line; read -n 5 line < /numbers; echo $line; echo x > /tmp/x; echo x > /x"'
report "programs are mapped; it is read-only, /tmp is not" is "/dev/vda / erofs ro,relatime 0 0
1
/bin/bash: line 1: /x: Read-only file system"
boot "--root=/dev/vda -- /bin/bash"
report "no disk" is "osv: /dev/vda: there is no such disk; it has to be one of virtio's (QEMU: if=virtio)"
rooted /bin/bash "file=$work/disk,format=raw"
report "a disk that is no image" is "osv: /dev/vda: is no image in EROFS format"
rooted /bin/bash "driver=raw,file.driver=blkdebug,file.image.driver=file,file.image.filename=$work/image,\
file.inject-error.0.event=read_aio,file.inject-error.0.sector=5,readonly=on"
report "a disk that cannot be read" is "osv: vda, block 0: cannot be read
osv: /dev/vda: is damaged"

# parted SCRIPT: a disk of 48 MB with that table, and the image in the partition that begins at 3 MiB + 4096.
parted() {
    rm -f "$work/parted" && truncate -s 48M "$work/parted"
    /usr/sbin/sfdisk -q "$work/parted" <<<"$1" >"$log" 2>&1
    dd if="$work/image" of="$work/parted" bs=4096 seek=769 conv=notrunc status=none
}

# root_is NAME [MORE-CONSOLE]: with that root all files are read, and Linux's table of partitions is ours.
root_is() {
    boot "--root=$1 -- /bin/sha256sum $(echo "$files" | tr '\n' ' ')" -device "$device,drive=root" \
        -drive "if=none,id=root,file=$work/parted,format=raw,readonly=on"
    is "${2:-}$(cd "$root" && echo "$files" | xargs sha256sum)"
}

# Where disks are behind PCI, and where they are not; how many CPUs there are is no matter here.
if [ "$board$cpus" = q351 ] || [ "$board$cpus" = microvm4 ]; then
id=0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9
gpt="label: gpt
start=2048, size=2048
start=6152, size=80000, uuid=$id
start=90112, size=4096, name=last"
parted "$gpt"
report "a root in a partition, GPT" root_is /dev/vda2
report "by the partition's GUID" root_is partuuid:$id
boot '--root=/dev/vda2 -- /bin/bash -c "while read line; do echo $line; done < /proc/partitions"' -device "$device,drive=root" \
    -drive "if=none,id=root,file=$work/parted,format=raw,readonly=on"
report "/proc/partitions" is "major minor #blocks name

254 0 49152 vda
254 1 1024 vda1
254 2 40000 vda2
254 3 2048 vda3"
printf X | dd of="$work/parted" bs=1 seek=512 conv=notrunc status=none
report "a table that is damaged has a copy" root_is /dev/vda2 "osv: the disk vda: its partition table is damaged; \
the copy at its end is used
"
printf X | dd of="$work/parted" bs=1 seek=$((48 * 1048576 - 512)) conv=notrunc status=none
boot "--root=/dev/vda2 -- /bin/bash" -device "$device,drive=root" -drive "if=none,id=root,file=$work/parted,format=raw"
report "unless that is damaged, too" is "osv: the disk vda: its partition table is damaged, and so is the copy at its end
osv: /dev/vda2: there is no such disk; it has to be one of virtio's (QEMU: if=virtio)"
parted "label: dos
start=2048, size=2048, type=83
start=6152, size=80000, type=83"
report "a root in a partition of the old form" root_is /dev/vda2
parted "label: dos
start=6153, size=80000, type=83"
boot "--root=/dev/vda1 -- /bin/bash" -device "$device,drive=root" -drive "if=none,id=root,file=$work/parted,format=raw"
report "a partition between two pages" is "osv: /dev/vda1: the partition does not begin at a multiple of 4096 bytes"
fi

blocks=$(($(stat -c %s "$work/image") / 4096))
truncate -s $((blocks / 2 * 4096)) "$work/image"
rooted /bin/bash
report "an image that is cut short" is "osv: vda, block $((blocks / 2)): the image ends before it
osv: /dev/vda: is damaged"
echo "1..$count"
exit $failed
