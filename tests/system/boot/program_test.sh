#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# program_test.sh KERNEL BOARD CPUS PROGRAM...: programs on the x86_64 kernel in QEMU, from a root in EROFS format that comes
# as a module of the boot. The PROGRAMs are forms of tests/apps/hello.c, the others Debian's, compared with the same command
# on Linux. Then images that are none, or damaged: one line that says so, and status 126.
set -uo pipefail
. "$(dirname "$0")/report.sh"

kernel=$1 board=$2 cpus=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
log=$work/log

# What a program needs of libraries is found where Debian has it; the C library is the kernel itself.
install_program() {
    local library
    cp -L "$1" "$root/bin/${2:-$(basename "$1")}"
    ldd "$1" 2>/dev/null | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | while read -r library; do
        case $library in
        */libc.so.6) ;;
        *) cp -Ln "$library" "$root/lib/x86_64-linux-gnu/" ;;
        esac
    done
}

make_image() {
    mkfs.erofs --quiet "$@" "$work/image" "$root" >/dev/null
}

# boot ARGUMENTS: the kernel with that command line and $work/image. Its console goes to $log, its exit code to $code.
boot() {
    timeout 60 qemu-system-x86_64 -accel tcg -M "$board" -smp "$cpus" -cpu max -m 256 -nic none -vga none -display none \
        -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial stdio \
        -chardev file,id=code,path="$work/code" -device isa-debugcon,iobase=0xf8,chardev=code \
        -kernel "$kernel" -initrd "$work/image" -append "$1" </dev/null >"$log" 2>&1
    code=$(cat "$work/code")
}

# Output and status are $1 and $2.
is_run() {
    [ "$code" = "$2" ] && [ "$(cat "$log")" = "$1" ]
}

# runs_as_linux PROGRAM ARGUMENTS...: none of which holds a blank.
runs_as_linux() {
    local expected expected_code
    expected=$(cd "$root" && env -i HOME=/ "$(command -v "$1")" "${@:2}" 2>&1 </dev/null)
    expected_code=$?
    boot "--root=initrd --env=HOME=/ -- /bin/$*"
    report "$*" is_run "$expected" "$expected_code"
}

refuses() {
    boot "--root=$3 -- /bin/hello"
    report "$1" is_run "osv: $2" 126
}

mkdir -p "$root"/{bin,dev,proc,tmp,lib/x86_64-linux-gnu,text}
for program in lua5.4 sqlite3 sort sha256sum bash seq ls; do
    install_program "$(command -v $program)" $program
done
for i in $(seq 700); do
    echo "$i times $((i * i))" >"$root/text/a file with a long name, number $i"
done
seq 5000 | awk '{ print $1, $1 % 97 }' >"$root/numbers"
ln -s "../text/a file with a long name, number 9" "$root/tmp/link"
ln -s text/../bin "$root/programs"
for program in "$@"; do
    install_program "$program"
done
make_image

for program in "$@"; do
    name=$(basename "$program")
    boot "--root=initrd --env=A=1 --env=\"HELLO=two words\" -- /programs/$name 3 \"two words\""
    report "$name" is_run "and to the error stream
hello, world
argument 1: 3
argument 2: two words
HELLO is two words" 3
done
runs_as_linux lua5.4 -e 'print(2^53,_VERSION,#arg)'
runs_as_linux sqlite3 :memory: 'select(sum(value))from(generate_series(1,100))'
runs_as_linux sort -n -r -k2 programs/../numbers
runs_as_linux sha256sum bin/bash bin/sqlite3
runs_as_linux seq 2000
runs_as_linux ls -p . text
boot '--root=initrd -- /bin/bash -c "echo a file > /tmp/new; read line < /tmp/new; echo $line; cd /text; set -- *; echo $#; echo x > new"'
report "a read-only root with a writable /tmp" is_run "a file
700
/bin/bash: line 1: new: Read-only file system" 1
boot "--root=initrd --colour -- /bin/hello"
report "an unknown option" is_run "osv: option --colour: unknown" 2
boot '--root=initrd -- /bin/bash -c "kill -SEGV $$"'
report "the status of a signal" [ "$code" = 139 ]
boot '--root=initrd -- /bin/bash -c "echo \"two  words\"; exit 255"'
report "the highest status" is_run "two  words" 255

# streams DEVICE-ARGUMENTS: bash, whose standard streams are a console device: as many lines as are asked for of $work/input,
# of more than a pipe holds. Standard output goes to $log, the serial port's to $work/serial.
streams() {
    : >"$log"
    exec 3>>"$log"
    timeout 60 qemu-system-x86_64 -accel tcg -M "$board" -smp "$cpus" -cpu max -m 256 -nic none -vga none -display none \
        -no-reboot -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial "file:$work/serial" \
        -chardev stdio,id=in -add-fd fd=3,set=1 -chardev file,id=out,path=/dev/fdset/1,append=on "$@" \
        -kernel "$kernel" -initrd "$work/image" -append "--root=initrd --std=hvc0 -- /bin/bash -c \
            \"for ((i = 0; i < 20000; i++)); do read line || break; ((i < 14997)) || echo \$line; done; echo \$i >&2; ((i < 20000))\"" \
        <"$work/input" >>"$log"
    code=$((($? - 1) / 2))
    exec 3>&-
}
case $board in
microvm) serial=(-global virtio-mmio.force-legacy=false -device virtio-serial-device) ;;
*) serial=(-device virtio-serial-pci) ;; # with fewer interrupts than queues
esac
seq 15000 >"$work/input"
expected=$(tail -n 3 "$work/input")
streams "${serial[@]}" -device virtserialport,chardev=in,name=stdin \
    -device virtserialport,chardev=out,name=stdout
report "lines of a port's input, and its end" is_run "$expected" 0
report "errors go to the machine's console" [ "$(cat "$work/serial")" = 15000 ]
streams "${serial[@]}" -device virtserialport,chardev=in,name=stdin
report "a console device without the port" grep -q "the name of --std, or its ports no names" "$work/serial"
seq 20000 >"$work/input"
expected=$(tail -n 5003 "$work/input"; echo 20000)
streams "${serial[@]}" -device virtconsole,chardev=in
report "lines of a console's input" is_run "$expected" 1
boot "--root=initrd --std=hvc7 -- /bin/hello"
report "a console device that is none" is_run "osv: standard streams: no device has the name of --std, or its ports no names" 126

# mkfs.erofs can keep the ends of files elsewhere, or not.
make_image -Enoinline_data
runs_as_linux sha256sum bin/bash bin/sqlite3

refuses "an unknown module" "another: no module of that name came with the boot" another
rmdir "$root/proc"
make_image
refuses "a root that lacks /proc" "initrd: lacks one of the directories /tmp, /dev and /proc" initrd
truncate -s 8192 "$work/image"
refuses "an image that is cut short" "file-system image, block 2: the image ends before it
osv: initrd: is damaged" initrd
dd if=/dev/zero of="$work/image" bs=1024 seek=1 count=1 conv=notrunc status=none
refuses "an image that is none" "initrd: is no image in EROFS format" initrd
mkdir "$root/proc"
make_image -zlz4
refuses "a compressed image" "initrd: was made with features that are not known here; make it by mkfs.erofs without -z" initrd
echo "1..$count"
exit $failed
