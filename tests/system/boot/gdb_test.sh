#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# gdb_test.sh KERNEL SCRIPT PROGRAM LIBRARY CPUS: gdb on QEMU's stub, with sim/osv_gdb.py, looks into the kernel and the
# program tests/system/debug/threads that it runs, as it looks into osv-sim (tests/system/debug/debug.py).
set -uo pipefail
. "$(dirname "$0")/report.sh"

kernel=$(realpath "$1") script=$(realpath "$2") program=$3 library=$4 cpus=$5
work=$(mktemp -d)
qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null; rm -rf "$work"' EXIT
root=$work/root
log=$work/log
mkdir -p "$root"/{bin,dev,proc,tmp}
cp -L "$program" "$library" "$root/bin/"
mkfs.erofs --quiet -Enoinline_data "$work/image" "$root" >/dev/null

timeout 100 qemu-system-x86_64 -accel tcg -M q35 -smp "$cpus" -cpu max -m 128 -nic none -vga none -display none -no-reboot \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -monitor none -serial file:"$work/console" -kernel "$kernel" \
    -initrd "$work/image" -append "--root=initrd -- /bin/threads 0" -S \
    -chardev socket,id=gdb,path="$work/gdb",server=on,wait=off -gdb chardev:gdb &
qemu=$!
for _ in $(seq 500); do
    [ ! -S "$work/gdb" ] || break
    sleep 0.01
done

cat >"$work/script" <<END
set pagination off
set width 0
set confirm off
set breakpoint pending on
set sysroot $root
target remote $work/gdb
break library_compare
break everybody_waits
continue
echo [library]\\n
bt
delete 1
continue
python
while sum(t.task is not None and t.wait()[0] != '' for t in threads_all()) < 7:
    gdb.execute('continue', to_string=True)
end
delete
echo [threads]\\n
osv threads
osv locks
osv files
osv mmap
END
for number in 2 3 4 10; do
    printf 'echo [thread %d]\\n\nosv thread %d bt\n' $number $number
done >>"$work/script"
printf '%s\n' 'echo [die]\n' continue bt disconnect >>"$work/script"
timeout 90 gdb -nx -batch -x "$script" -x "$work/script" "$kernel" >"$log" 2>&1
kill "$qemu"
wait "$qemu" 2>/dev/null
qemu=

# has START PATTERN...: after the line START the patterns match, one line after another.
has() {
    sed -n "/^\[$1\]/,\$p" "$log" | awk -v patterns="$(printf '%s\n' "${@:2}")" '
        BEGIN { count = split(patterns, wanted, "\n"); at = 1 }
        at <= count && $0 ~ wanted[at] { at++ }
        END { exit at <= count }'
}

report "a breakpoint in a library, set before it is loaded, and a backtrace through core" has library \
    '^#0 .*library_compare' '^#1 .*compare ' '^#[0-9]+ .*qsort.*core/libc/sort.c' '^#[0-9]+ .*main .*threads.c'
report "osv threads says who waits for what" has threads '^2 +threads +(running|ready)' \
    '^3 +threads +waiting .*mutex 0x[0-9a-f]+ <held_mutex>, held by thread 2' \
    '^4 +threads +waiting .*condition 0x[0-9a-f]+ <never>' \
    '^5 +threads +waiting .*rwlock 0x[0-9a-f]+ <held_rwlock>, held by 1 readers' \
    '^6 +threads +waiting .*semaphore 0x[0-9a-f]+ <empty>' '^7 +threads +waiting .*bytes in the pipe of fd 3' \
    '^8 +threads +waiting .*time until' '^9 +threads +waiting .*the end of thread 8' '^10 +threads +(running|ready)'
report "osv locks, osv files, osv mmap" has threads '^mutex 0x[0-9a-f]+ <held_mutex>: held by thread 2' '^3 +pipe +r ' \
    '^5 +file +r +0 +/bin/threads$' 'r-xp 00001000 /bin/threads$' 'r-xp 00001000 /bin/library.so$'
report "the backtrace of the thread that runs" has 'thread 2' '^#0 .*everybody_waits' '^#[0-9]+ .*main .*threads.c'
report "those of threads that wait" has 'thread 3' thread_park mutex_lock ' mutex_waiter .argument=' isa_context_start \
    '^.thread 4' thread_park condvar_wait ' cond_waiter .argument=' isa_context_start
report "that of one that computes" has 'thread 10' ' computer .argument=' isa_context_start
report "the program's death stops, and bt shows the culprit" has die 'osv_fatal_fault .signal=' \
    '^#[0-9]+ .*local_death .target=.*library.c' '^#[0-9]+ .*library_die' '^#[0-9]+ .*main .*threads.c'
fine() {
    ! grep -E 'Python Exception|^Error|Traceback|corrupt stack|Error in' "$log"
}
report "no command failed" fine
[ "$failed" = 0 ] || cat "$work/console"
echo "1..$count"
exit "$failed"
